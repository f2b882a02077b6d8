#include <assert.h>

#include "common/packed.h"
#include "shardd/store/store_inner.h"

/* What item_each cannot know: labels and values that are in the row now. */
struct items {
    struct store *store;
    struct arena arena;
    item_visit_fn visit;
    void *ctx;
    struct error *err;
};

static bool replaces(const struct items *items, const struct change *change,
                     const struct vrow_prop *prop)
{
    struct slice key = symbol_name(&items->store->tables.symbols, prop->key);

    if (change->kind == CHANGE_VERTEX_DROP) {
        return true;
    }
    if (change->key.size > 0 && !slice_equal(key, change->key)) {
        return false;
    }
    /* A single value replaces all of its key; list and set values only join them. */
    return change->kind == CHANGE_VPROP_DROP || change->cardinality == 0;
}

static void say_old(struct items *items, const struct change *change, const struct vrow *row)
{
    const struct symbol_table *symbols = &items->store->tables.symbols;

    if (change->kind == CHANGE_VERTEX_DROP) {
        items->visit(items->ctx, item_slot_name(ITEM_VERTICES, symbol_name(symbols, row->label)),
                     ITEM_U);
    }
    for (uint32_t i = 0; i < row->prop_count; i++) {
        struct slice key = symbol_name(symbols, row->props[i].key);
        struct reader reader;
        struct value value;

        if (!replaces(items, change, &row->props[i])) {
            continue;
        }
        reader_init(&reader, row->props[i].packed);
        packed_decode(&reader, &items->arena, &value);
        items->visit(items->ctx, item_slot_value(key, &value), ITEM_U);
        if (change->key.size == 0) {
            items->visit(items->ctx, item_slot_name(ITEM_KEY, key), ITEM_U);
        }
    }
}

static int add_old(struct items *items, const struct change *change)
{
    struct vrow row;
    int rc;

    if (change->kind != CHANGE_VERTEX_DROP && change->kind != CHANGE_VPROP_SET &&
        change->kind != CHANGE_VPROP_DROP) {
        return E_OK;
    }
    rc = tables_vertex(&items->store->tables, &change->vertex, &items->arena, &row, items->err);
    if (rc == 1) {
        say_old(items, change, &row);
        rc = E_OK;
    }
    return rc;
}

int store_items(struct store *store, struct slice changes, item_visit_fn visit, void *ctx,
                struct error *err)
{
    struct items items = {.store = store, .visit = visit, .ctx = ctx, .err = err};
    struct reader reader;
    size_t count;
    int rc = E_OK;

    arena_init(&items.arena, 0);
    reader_init(&reader, changes);
    count = reader_count(&reader, 2);
    for (size_t i = 0; i < count && rc == E_OK; i++) {
        struct change change;

        change_decode(&reader, &items.arena, &change);
        if (reader.is_bad) {
            break;
        }
        item_each(&change, visit, ctx);
        rc = add_old(&items, &change);
        arena_reset(&items.arena);
    }
    if (rc == E_OK) {
        rc = reader_finish(&reader, "list of changes", err);
    }
    arena_close(&items.arena);
    return rc;
}
