#include "shardd/replica/item.h"

#include <assert.h>

#include "common/hash.h"
#include "shardd/store/indexkey.h"

/* Slots are compared between replicas: only pinned hashes here. */
static uint16_t slot(enum item_kind kind, uint64_t a, uint64_t b)
{
    uint64_t mixed = a ^ (b << 23 | b >> 41) ^ (uint64_t)kind << 56;

    return (uint16_t)(hash_u64(mixed) >> 48);
}

static uint64_t hash_vid(const struct vid *vid)
{
    return vid->text.data == NULL ? hash_u64((uint64_t)vid->num)
                                  : hash_bytes(vid->text.data, vid->text.size);
}

static uint64_t hash_name(struct slice name)
{
    return name.size == 0 ? 0 : hash_bytes(name.data, name.size);
}

uint16_t item_slot_vertex(enum item_kind kind, const struct vid *vertex, struct slice label)
{
    assert(kind >= ITEM_EXISTS && kind <= ITEM_IN);
    return slot(kind, hash_vid(vertex), hash_name(label));
}

uint16_t item_slot_edge(const struct vid *edge)
{
    return slot(ITEM_EDGE, hash_vid(edge), 0);
}

uint16_t item_slot_name(enum item_kind kind, struct slice name)
{
    assert(kind >= ITEM_VERTICES && kind != ITEM_VALUE);
    return slot(kind, hash_name(name), 0);
}

uint16_t item_slot_value(struct slice key, const struct value *value)
{
    struct indexkey place;

    indexkey_make(value, &place);
    return slot(ITEM_VALUE, hash_name(key), indexkey_hash(&place));
}

struct visit {
    item_visit_fn fn;
    void *ctx;
};

static void say(const struct visit *visit, uint16_t number, enum item_mode mode)
{
    visit->fn(visit->ctx, number, mode);
}

static void say_name(const struct visit *visit, enum item_kind kind, struct slice name)
{
    if (name.size > 0) {
        say(visit, item_slot_name(kind, name), ITEM_U);
    }
    say(visit, item_slot_name(kind, (struct slice){0}), ITEM_U);
}

static void each_of_vertex(const struct change *change, const struct visit *visit)
{
    bool is_whole = change->kind == CHANGE_VERTEX_ADD || change->kind == CHANGE_VERTEX_DROP;

    say(visit, item_slot_vertex(ITEM_EXISTS, &change->vertex, (struct slice){0}),
        is_whole ? ITEM_X : ITEM_S);
    if (is_whole) {
        say_name(visit, ITEM_VERTICES, change->label);
        for (uint32_t i = 0; i < change->vprop_count; i++) {
            say(visit, item_slot_value(change->vprops[i].key, &change->vprops[i].value), ITEM_U);
        }
        return;
    }
    say(visit, item_slot_vertex(ITEM_PROPS, &change->vertex, (struct slice){0}), ITEM_X);
    say_name(visit, ITEM_KEY, change->key);
    if (change->kind == CHANGE_VPROP_SET) {
        say(visit, item_slot_value(change->key, &change->value), ITEM_U);
    }
}

static void each_of_half(const struct change *change, const struct visit *visit)
{
    bool is_out = change->direction == DIRECTION_OUT;
    bool is_prop = change->kind == CHANGE_EPROP_SET || change->kind == CHANGE_EPROP_DROP;
    enum item_kind kind = is_out ? ITEM_OUT : ITEM_IN;

    if (change_is_claim(change)) {
        say(visit, item_slot_edge(&change->edge), ITEM_X);
        return;
    }
    say(visit, item_slot_vertex(ITEM_EXISTS, &change->vertex, (struct slice){0}), ITEM_S);
    say(visit, item_slot_vertex(kind, &change->vertex, change->label), ITEM_U);
    say(visit, item_slot_vertex(kind, &change->vertex, (struct slice){0}), ITEM_U);
    say(visit, item_slot_edge(&change->edge), ITEM_X);
    if (is_out) {
        say_name(visit, is_prop ? ITEM_EDGE_KEY : ITEM_EDGES,
                 is_prop ? change->key : change->label);
    }
}

void item_each(const struct change *change, item_visit_fn fn, void *ctx)
{
    struct visit visit = {fn, ctx};

    if (change->kind >= CHANGE_EDGE_ADD) {
        each_of_half(change, &visit);
    } else {
        each_of_vertex(change, &visit);
    }
}
