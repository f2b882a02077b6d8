#include "shardd/look_filter.h"

#include "common/packed.h"

static struct value id_value(const struct look *look, const struct vid *id)
{
    if (id->text.data != NULL) {
        return value_string(id->text);
    }
    if (look->request->id_int && id->num >= INT32_MIN && id->num <= INT32_MAX) {
        return value_int((int32_t)id->num);
    }
    return value_long(id->num);
}

static bool matches_id(const struct look *look, const struct read_filter *filter,
                       const struct vid *id)
{
    struct value value = id_value(look, id);

    return predicate_matches(filter->predicate, &value);
}

static bool matches_label(const struct look *look, const struct read_filter *filter, uint32_t label)
{
    struct value value = value_string(symbol_name(&look->tables->symbols, label));

    return predicate_matches(filter->predicate, &value);
}

static bool matches_packed(struct look *look, const struct read_filter *filter, struct slice packed)
{
    struct reader reader;
    struct value value;

    reader_init(&reader, packed);
    packed_decode(&reader, &look->run, &value);
    return predicate_matches(filter->predicate, &value);
}

static bool matches_vertex_key(struct look *look, const struct read_filter *filter,
                               const struct vrow *row)
{
    uint32_t key = symbol_find(&look->tables->symbols, filter->key);
    bool is_there = false;

    for (uint32_t i = 0; i < row->prop_count && key != SYMBOL_NONE; i++) {
        if (row->props[i].key != key) {
            continue;
        }
        is_there = true;
        if (filter->on == READ_ON_KEY && matches_packed(look, filter, row->props[i].packed)) {
            return true;
        }
    }
    return filter->on == READ_ON_EXISTS ? is_there : filter->on == READ_ON_ABSENT && !is_there;
}

bool look_filter_vertex(struct look *look, const struct vid *id, const struct vrow *row)
{
    for (uint32_t i = 0; i < look->request->filter_count; i++) {
        const struct read_filter *filter = &look->request->filters[i];
        bool passes;

        if (filter->on == READ_ON_ID) {
            passes = matches_id(look, filter, id);
        } else if (filter->on == READ_ON_LABEL) {
            passes = matches_label(look, filter, row->label);
        } else {
            passes = matches_vertex_key(look, filter, row);
        }
        if (!passes) {
            return false;
        }
    }
    return true;
}

static bool matches_edge_key(struct look *look, const struct read_filter *filter,
                             const struct run_half *half)
{
    uint32_t key = symbol_find(&look->tables->symbols, filter->key);

    for (uint32_t i = 0; i < half->prop_count && key != SYMBOL_NONE; i++) {
        if (half->props[i].key == key) {
            return filter->on == READ_ON_EXISTS ||
                   (filter->on == READ_ON_KEY &&
                    matches_packed(look, filter, half->props[i].packed));
        }
    }
    return filter->on == READ_ON_ABSENT;
}

bool look_filter_edge(struct look *look, const struct read_filter *filters, uint32_t count,
                      const struct look_filter_edge *edge)
{
    for (uint32_t i = 0; i < count; i++) {
        bool passes;

        if (filters[i].on == READ_ON_ID) {
            passes = matches_id(look, &filters[i], &edge->id);
        } else if (filters[i].on == READ_ON_LABEL) {
            passes = matches_label(look, &filters[i], edge->label);
        } else {
            passes = matches_edge_key(look, &filters[i], edge->half);
        }
        if (!passes) {
            return false;
        }
    }
    return true;
}

bool look_filter_far(struct look *look, const struct vid *id, uint32_t label)
{
    const struct read_hop *hop = &look->request->hop;

    for (uint32_t i = 0; i < hop->far_filter_count; i++) {
        const struct read_filter *filter = &hop->far_filters[i];

        if (filter->on == READ_ON_ID ? !matches_id(look, filter, id)
                                     : !matches_label(look, filter, label)) {
            return false;
        }
    }
    return true;
}

bool look_filter_label(const struct look *look, const struct read_filter *filters, uint32_t count,
                       uint32_t label)
{
    for (uint32_t i = 0; i < count; i++) {
        if (filters[i].on == READ_ON_LABEL && !matches_label(look, &filters[i], label)) {
            return false;
        }
    }
    return true;
}

enum run_want look_filter_want(const struct read_filter *filters, uint32_t count)
{
    enum run_want want = RUN_FAR;

    for (uint32_t i = 0; i < count; i++) {
        if (filters[i].on >= READ_ON_KEY) {
            return RUN_ALL;
        }
        if (filters[i].on == READ_ON_ID) {
            want = RUN_EDGE;
        }
    }
    return want;
}
