#include "shardd/read/scan_filter.h"

#include "common/packed.h"

static struct value id_value(const struct scan *scan, const struct vid *id)
{
    if (id->text.data != NULL) {
        return value_string(id->text);
    }
    if (scan->request->id_int && id->num >= INT32_MIN && id->num <= INT32_MAX) {
        return value_int((int32_t)id->num);
    }
    return value_long(id->num);
}

static bool matches_id(const struct scan *scan, const struct read_filter *filter,
                       const struct vid *id)
{
    struct value value = id_value(scan, id);

    return predicate_matches(filter->predicate, &value);
}

static bool matches_label(const struct scan *scan, const struct read_filter *filter, uint32_t label)
{
    struct value value = value_string(symbol_name(&scan->tables->symbols, label));

    return predicate_matches(filter->predicate, &value);
}

static bool matches_packed(struct scan *scan, const struct read_filter *filter, struct slice packed)
{
    struct reader reader;
    struct value value;

    reader_init(&reader, packed);
    packed_decode(&reader, &scan->run, &value);
    return predicate_matches(filter->predicate, &value);
}

static bool matches_vertex_key(struct scan *scan, const struct read_filter *filter,
                               const struct vrow *row)
{
    uint32_t key = symbol_find(&scan->tables->symbols, filter->key);
    bool is_there = false;

    for (uint32_t i = 0; i < row->prop_count && key != SYMBOL_NONE; i++) {
        if (row->props[i].key != key) {
            continue;
        }
        is_there = true;
        if (filter->on == READ_ON_KEY && matches_packed(scan, filter, row->props[i].packed)) {
            return true;
        }
    }
    return filter->on == READ_ON_EXISTS ? is_there : filter->on == READ_ON_ABSENT && !is_there;
}

bool scan_filter_vertex(struct scan *scan, const struct vid *id, const struct vrow *row)
{
    for (uint32_t i = 0; i < scan->request->filter_count; i++) {
        const struct read_filter *filter = &scan->request->filters[i];
        bool passes;

        if (filter->on == READ_ON_ID) {
            passes = matches_id(scan, filter, id);
        } else if (filter->on == READ_ON_LABEL) {
            passes = matches_label(scan, filter, row->label);
        } else {
            passes = matches_vertex_key(scan, filter, row);
        }
        if (!passes) {
            return false;
        }
    }
    return true;
}

static bool matches_edge_key(struct scan *scan, const struct read_filter *filter,
                             const struct edgerun_half *half)
{
    uint32_t key = symbol_find(&scan->tables->symbols, filter->key);

    for (uint32_t i = 0; i < half->prop_count && key != SYMBOL_NONE; i++) {
        if (half->props[i].key == key) {
            return filter->on == READ_ON_EXISTS ||
                   (filter->on == READ_ON_KEY &&
                    matches_packed(scan, filter, half->props[i].packed));
        }
    }
    return filter->on == READ_ON_ABSENT;
}

bool scan_filter_edge(struct scan *scan, const struct read_filter *filters, uint32_t count,
                      const struct scan_filter_edge *edge)
{
    for (uint32_t i = 0; i < count; i++) {
        bool passes;

        if (filters[i].on == READ_ON_ID) {
            passes = matches_id(scan, &filters[i], &edge->id);
        } else if (filters[i].on == READ_ON_LABEL) {
            passes = matches_label(scan, &filters[i], edge->label);
        } else {
            passes = matches_edge_key(scan, &filters[i], edge->half);
        }
        if (!passes) {
            return false;
        }
    }
    return true;
}

bool scan_filter_far(struct scan *scan, const struct vid *id, uint32_t label)
{
    const struct read_hop *hop = &scan->request->hop;

    for (uint32_t i = 0; i < hop->far_filter_count; i++) {
        const struct read_filter *filter = &hop->far_filters[i];

        if (filter->on == READ_ON_ID ? !matches_id(scan, filter, id)
                                     : !matches_label(scan, filter, label)) {
            return false;
        }
    }
    return true;
}

bool scan_filter_label(const struct scan *scan, const struct read_filter *filters, uint32_t count,
                       uint32_t label)
{
    for (uint32_t i = 0; i < count; i++) {
        if (filters[i].on == READ_ON_LABEL && !matches_label(scan, &filters[i], label)) {
            return false;
        }
    }
    return true;
}

enum edgerun_want scan_filter_want(const struct read_filter *filters, uint32_t count)
{
    enum edgerun_want want = EDGERUN_FAR;

    for (uint32_t i = 0; i < count; i++) {
        if (filters[i].on >= READ_ON_KEY) {
            return EDGERUN_ALL;
        }
        if (filters[i].on == READ_ON_ID) {
            want = EDGERUN_EDGE;
        }
    }
    return want;
}
