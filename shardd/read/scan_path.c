#include "shardd/read/scan_path.h"

#include <assert.h>

/* ---- labels ---- */

static const struct predicate *label_predicate(const struct scan *scan)
{
    for (uint32_t i = 0; i < scan->request->filter_count; i++) {
        const struct read_filter *filter = &scan->request->filters[i];

        if (filter->on == READ_ON_LABEL && (filter->predicate->test == PREDICATE_EQ ||
                                            filter->predicate->test == PREDICATE_WITHIN)) {
            return filter->predicate;
        }
    }
    return NULL;
}

void scan_path_labels(struct scan *scan, struct scan_path *path)
{
    const struct predicate *predicate = label_predicate(scan);
    struct slice *labels;
    uint32_t n = 0;

    if (predicate == NULL) {
        return;
    }
    labels = arena_array(&scan->arena, predicate->operand_count + 1, sizeof *labels);
    for (uint32_t i = 0; i < predicate->operand_count; i++) {
        const struct value *value = &predicate->operands[i];
        bool is_new = value->kind == VALUE_STRING;

        for (uint32_t k = 0; k < n && is_new; k++) {
            is_new = !slice_equal(labels[k], value_slice(value));
        }
        if (is_new) {
            labels[n++] = value_slice(value);
        }
    }
    path->has_labels = true;
    path->labels = labels;
    path->label_count = n;
}

/* ---- ranges ---- */

static void add_equal(struct scan_path *path, const struct value *value)
{
    struct scan_path_range *range = &path->ranges[path->range_count];

    indexkey_make(value, &range->low);
    range->high = range->low;
    range->value = value;
    if (range->low.kind != INDEXKEY_NONE) {
        path->range_count++;
    }
}

/* From low (null: the least of its class) to high (null: the greatest). */
static void add_range(struct scan_path *path, const struct value *low, const struct value *high)
{
    struct scan_path_range *range = &path->ranges[path->range_count];
    struct indexkey unused;

    path->is_equality = false;
    range->value = NULL;
    indexkey_make(low != NULL ? low : high, &range->low);
    indexkey_make(high != NULL ? high : low, &range->high);
    if (range->low.kind == INDEXKEY_NONE || range->high.kind == INDEXKEY_NONE) {
        return;
    }
    indexkey_widen(&range->low, true);
    indexkey_widen(&range->high, false);
    if (low == NULL) {
        indexkey_class_bounds(&range->high, &range->low, &unused);
    }
    if (high == NULL) {
        indexkey_class_bounds(&range->low, &unused, &range->high);
    }
    path->range_count++;
}

static void add_prefix(struct scan_path *path, const struct value *value)
{
    struct scan_path_range *range = &path->ranges[path->range_count];

    path->is_equality = false;
    range->value = NULL;
    indexkey_make(value, &range->low);
    indexkey_prefix_end(&range->low, &range->high);
    path->range_count++;
}

/* Turns a test into ranges; false if it is none that an index answers. */
static bool make_ranges(struct scan *scan, const struct predicate *predicate,
                        struct scan_path *path)
{
    const struct value *operands = predicate->operands;
    bool is_usable = true;

    path->ranges = arena_array(&scan->arena, predicate->operand_count + 1, sizeof *path->ranges);
    path->range_count = 0;
    path->is_equality = true;
    if (predicate->test == PREDICATE_EQ && predicate->operand_count == 1) {
        add_equal(path, &operands[0]);
    } else if (predicate->test == PREDICATE_WITHIN) {
        for (uint32_t i = 0; i < predicate->operand_count; i++) {
            add_equal(path, &operands[i]);
        }
    } else if ((predicate->test == PREDICATE_GT || predicate->test == PREDICATE_GTE) &&
               predicate->operand_count == 1) {
        add_range(path, &operands[0], NULL);
    } else if ((predicate->test == PREDICATE_LT || predicate->test == PREDICATE_LTE) &&
               predicate->operand_count == 1) {
        add_range(path, NULL, &operands[0]);
    } else if ((predicate->test == PREDICATE_INSIDE || predicate->test == PREDICATE_BETWEEN) &&
               predicate->operand_count == 2) {
        add_range(path, &operands[0], &operands[1]);
    } else if (predicate->test == PREDICATE_STARTING_WITH && predicate->operand_count == 1 &&
               operands[0].kind == VALUE_STRING) {
        add_prefix(path, &operands[0]);
    } else {
        is_usable = false;
    }
    return is_usable;
}

/* The test itself, or the best of the tests that AND joins. */
static bool make_best(struct scan *scan, const struct predicate *predicate, struct scan_path *path)
{
    struct scan_path best = {0};
    bool found = false;

    if (predicate->test != PREDICATE_AND) {
        return make_ranges(scan, predicate, path);
    }
    for (uint32_t i = 0; i < predicate->child_count; i++) {
        struct scan_path part = *path;

        if (make_ranges(scan, &predicate->children[i], &part) &&
            (!found || (part.is_equality && !best.is_equality))) {
            best = part;
            found = true;
        }
    }
    if (found) {
        *path = best;
    }
    return found;
}

static void choose_index(struct scan *scan, struct scan_path *path)
{
    struct slice label =
        path->has_labels && path->label_count == 1 ? path->labels[0] : (struct slice){0};

    for (uint32_t i = 0; i < scan->request->filter_count; i++) {
        const struct read_filter *filter = &scan->request->filters[i];
        struct scan_path part = *path;

        if (filter->on != READ_ON_KEY) {
            continue;
        }
        part.index = propindex_find(&scan->tables->indexes, filter->key, label);
        if (part.index == NULL || !make_best(scan, filter->predicate, &part)) {
            continue;
        }
        part.kind = SCAN_PATH_INDEX;
        if (path->kind != SCAN_PATH_INDEX || (part.is_equality && !path->is_equality)) {
            *path = part;
        }
    }
}

void scan_path_choose(struct scan *scan, struct scan_path *path)
{
    *path = (struct scan_path){.kind = SCAN_PATH_ALL};
    scan_path_labels(scan, path);
    if (path->has_labels) {
        path->kind = SCAN_PATH_LABEL;
    }
    choose_index(scan, path);
    scan->access = SLICE("scan");
    if (path->kind == SCAN_PATH_LABEL) {
        scan->access = SLICE("label index");
    } else if (path->kind == SCAN_PATH_INDEX) {
        scan->access =
            slice_text(arena_format(&scan->arena, "index %.*s", (int)path->index->name.size,
                                    (const char *)path->index->name.data));
    }
}

/* ---- one row ---- */

static int order_keys(const struct indexkey *a, const struct indexkey *b)
{
    bool a_is_blob = a->kind == INDEXKEY_BLOB;

    if (a_is_blob != (b->kind == INDEXKEY_BLOB)) {
        return a_is_blob ? 1 : -1;
    }
    if (a_is_blob) {
        return slice_compare(slice_of(a->bytes, a->size), slice_of(b->bytes, b->size));
    }
    if (a->kind == INDEXKEY_INTEGER && b->kind == INDEXKEY_INTEGER) {
        return (a->integer > b->integer) - (a->integer < b->integer);
    }
    /* As exact as a long double is: 64 bits of mantissa hold both kinds. */
    long double x = a->kind == INDEXKEY_INTEGER ? (long double)a->integer : (long double)a->real;
    long double y = b->kind == INDEXKEY_INTEGER ? (long double)b->integer : (long double)b->real;
    return (x > y) - (x < y);
}

bool scan_path_first(struct scan *scan, const struct scan_path *path, const struct vrow *row,
                     uint32_t *range, struct indexkey *key)
{
    struct indexkey *keys;
    uint32_t count = propindex_keys(path->index, &scan->tables->symbols, row, &scan->row, &keys);

    for (uint32_t r = 0; r < path->range_count; r++) {
        bool found = false;

        for (uint32_t i = 0; i < count; i++) {
            if (order_keys(&keys[i], &path->ranges[r].low) >= 0 &&
                order_keys(&keys[i], &path->ranges[r].high) <= 0 &&
                (!found || order_keys(&keys[i], key) < 0)) {
                *key = keys[i];
                *range = r;
                found = true;
            }
        }
        if (found) {
            return true;
        }
    }
    return false;
}
