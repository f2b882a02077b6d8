#include <assert.h>
#include <stdlib.h>

#include "common/map.h"
#include "common/mem.h"
#include "shardd/store/edgeplace.h"
#include "shardd/store/store_inner.h"

/* What a list of changes has done to a vertex so far, over what the tables hold. */
struct state {
    struct vid id;
    bool exists;
    bool is_dropped; /* By these changes: all its edges have to go too. */
    uint64_t degree; /* In the tables. */
    int64_t delta;
};

struct edge_state {
    struct vid id;
    bool exists;
    bool is_claim;          /* Its out half is in another shard. */
    struct edgeplace place; /* Of the tables, or (label SYMBOL_NONE) of an EDGE_ADD here. */
};

struct check {
    struct store *store;
    struct arena arena;
    struct map_index vertex_index;
    struct state *vertices;
    uint32_t vertex_count;
    uint32_t vertex_room;
    struct map_index edge_index;
    struct edge_state *edges;
    uint32_t edge_count;
    uint32_t edge_room;
    struct change *changes;
    size_t change_count;
    uint32_t *vertex_of; /* Of each change: place in vertices. */
    uint32_t *edge_of;   /* Of each OUT half: place in edges. */
    struct edgeplace_finder finder;
    struct error *err;
};

static const char *print_vid(struct check *check, const struct vid *id)
{
    if (id->text.data == NULL) {
        return arena_format(&check->arena, "%lld", (long long)id->num);
    }
    return arena_format(&check->arena, "\"%.*s\"", (int)id->text.size, (const char *)id->text.data);
}

/* ---- vertices ---- */

static int load_vertex(struct check *check, struct state *state)
{
    struct tables *tables = &check->store->tables;
    struct vrow row;
    int rc;

    if (!store_inner_owns(check->store, &state->id)) {
        return error_set(check->err, E_WRONG_EPOCH, "vertex %s is not of shard %u",
                         print_vid(check, &state->id), check->store->shard);
    }
    rc = tables_vertex_head(tables, &state->id, &check->arena, &row, check->err);
    if (rc < 0) {
        return rc;
    }
    state->exists = rc == 1;
    state->degree = rc == 1 ? vrow_degree_total(&row) : 0;
    return E_OK;
}

/* The place of its state, which is made if need be. */
static uint32_t note_vertex(struct check *check, const struct vid *id)
{
    uint64_t hash = vid_hash(id);
    struct map_probe probe = map_index_probe(&check->vertex_index, hash);
    uint32_t place = check->vertex_count - 1;

    if (check->vertex_count > 0 && vid_equal(&check->vertices[place].id, id)) {
        return place; /* Sorted lists: mostly. */
    }
    while ((place = map_index_next(&check->vertex_index, &probe)) != MAP_NONE) {
        if (vid_equal(&check->vertices[place].id, id)) {
            return place;
        }
    }
    if (check->vertex_count == check->vertex_room) {
        check->vertex_room = check->vertex_room * 2 + 16;
        check->vertices = mem_resize(check->vertices, check->vertex_room * sizeof *check->vertices);
    }
    place = check->vertex_count++;
    check->vertices[place] = (struct state){.id = *id};
    map_index_add(&check->vertex_index, hash, place, place);
    return place;
}

static int check_vertex(struct check *check, const struct change *change, struct state *state)
{
    if (change->kind == CHANGE_VERTEX_ADD) {
        if (state->exists) {
            return error_set(check->err, E_EXISTS, "vertex %s exists already",
                             print_vid(check, &change->vertex));
        }
        state->exists = true;
        return E_OK;
    }
    if (!state->exists) {
        return error_set(check->err, E_NOT_FOUND, "vertex %s does not exist",
                         print_vid(check, &change->vertex));
    }
    if (change->kind == CHANGE_VERTEX_DROP) {
        state->exists = false;
        state->is_dropped = true;
    }
    return E_OK;
}

/* ---- edges ---- */

static int load_edge(struct check *check, struct edge_state *state)
{
    struct edgeplace place;
    int rc =
        edgeplace_find(&check->store->tables.stmt, &check->finder, &state->id, &place, check->err);

    if (rc == 1) {
        state->exists = true;
        state->is_claim = edgeplace_is_claim(&check->store->tables.symbols, place.label);
        state->place = place;
        state->place.source = vid_copy(&check->arena, &place.source);
        state->place.far = vid_copy(&check->arena, &place.far);
        return E_OK;
    }
    return rc;
}

static uint32_t note_edge(struct check *check, const struct vid *id)
{
    uint64_t hash = vid_hash(id);
    struct map_probe probe = map_index_probe(&check->edge_index, hash);
    uint32_t place;

    while ((place = map_index_next(&check->edge_index, &probe)) != MAP_NONE) {
        if (vid_equal(&check->edges[place].id, id)) {
            return place;
        }
    }
    if (check->edge_count == check->edge_room) {
        check->edge_room = check->edge_room * 2 + 16;
        check->edges = mem_resize(check->edges, check->edge_room * sizeof *check->edges);
    }
    place = check->edge_count++;
    check->edges[place] = (struct edge_state){.id = *id};
    map_index_add(&check->edge_index, hash, place, place);
    return place;
}

/* The edge must be there, between these vertices, with this label. */
static bool is_it(const struct check *check, const struct edge_state *edge,
                  const struct change *change)
{
    const struct symbol_table *symbols = &check->store->tables.symbols;

    if (!edge->exists || edge->is_claim || !vid_equal(&edge->place.source, &change->vertex) ||
        !vid_equal(&edge->place.far, &change->far)) {
        return false;
    }
    return edge->place.label == SYMBOL_NONE ||
           slice_equal(symbol_name(symbols, edge->place.label), change->label);
}

/* Out halves tell whether the edge is there; in halves are their mirror, locked by the same E(e).
 * */
static int check_out_half(struct check *check, const struct change *change, struct edge_state *edge)
{
    if (change->kind == CHANGE_EDGE_ADD) {
        if (edge->exists) {
            return error_set(check->err, E_EXISTS, "edge %s exists already",
                             print_vid(check, &change->edge));
        }
        edge->exists = true;
        edge->is_claim = false;
        edge->place = (struct edgeplace){change->edge, change->vertex, change->far, SYMBOL_NONE};
        return E_OK;
    }
    if (!is_it(check, edge, change)) {
        return error_set(check->err, E_NOT_FOUND, "edge %s does not exist",
                         print_vid(check, &change->edge));
    }
    if (change->kind == CHANGE_EDGE_DROP) {
        edge->exists = false;
    }
    return E_OK;
}

/* An edge of before there were claims gives up one that is not there. */
static int check_claim(struct check *check, const struct change *change, struct edge_state *edge)
{
    if (!store_inner_owns(check->store, &change->edge)) {
        return error_set(check->err, E_WRONG_EPOCH, "edge id %s is not of shard %u",
                         print_vid(check, &change->edge), check->store->shard);
    }
    if (change->kind == CHANGE_EDGE_DROP) {
        edge->exists = edge->exists && !vid_equal(&edge->place.source, &change->vertex);
        return E_OK;
    }
    if (edge->exists) {
        return error_set(check->err, E_EXISTS, "edge %s exists already",
                         print_vid(check, &change->edge));
    }
    edge->exists = true;
    edge->is_claim = true;
    edge->place = (struct edgeplace){change->edge, change->vertex, change->far, SYMBOL_NONE};
    return E_OK;
}

static int check_half(struct check *check, const struct change *change, struct state *state,
                      struct edge_state *edge)
{
    if (!state->exists && !(state->is_dropped && change->kind == CHANGE_EDGE_DROP)) {
        return error_set(check->err, E_NOT_FOUND, "vertex %s does not exist",
                         print_vid(check, &change->vertex));
    }
    if (change->kind == CHANGE_EDGE_ADD) {
        state->delta++;
    } else if (change->kind == CHANGE_EDGE_DROP) {
        state->delta--;
    }
    return edge == NULL ? E_OK : check_out_half(check, change, edge);
}

/* ---- the list ---- */

/* A vertex that was dropped takes all its edges along: more than the list knows of is a conflict.
 * */
static int check_dropped(struct check *check)
{
    for (uint32_t i = 0; i < check->vertex_count; i++) {
        const struct state *state = &check->vertices[i];

        if (state->is_dropped && !state->exists && (int64_t)state->degree + state->delta != 0) {
            return error_set(check->err, E_CONFLICT, "vertex %s has other edges than were dropped",
                             print_vid(check, &state->id));
        }
    }
    return E_OK;
}

static bool has_empty_key(const struct change *change)
{
    for (uint32_t i = 0; i < change->prop_count; i++) {
        if (change->props[i].key.size == 0) {
            return true;
        }
    }
    for (uint32_t i = 0; i < change->vprop_count; i++) {
        if (change->vprops[i].key.size == 0) {
            return true;
        }
    }
    return (change->kind == CHANGE_VPROP_SET || change->kind == CHANGE_EPROP_SET) &&
           change->key.size == 0;
}

static int check_limits(struct check *check, const struct change *change)
{
    if ((change->kind == CHANGE_VERTEX_ADD || change->kind == CHANGE_EDGE_ADD) &&
        change->label.size == 0 && !change_is_claim(change)) {
        return error_set(check->err, E_INVALID, "an empty label");
    }
    if (has_empty_key(change)) {
        return error_set(check->err, E_INVALID, "an empty property key");
    }
    return E_OK;
}

/* Decodes all, and notes which vertices and edges they are about. */
static int gather(struct check *check, struct slice list)
{
    struct reader reader;
    size_t count;

    reader_init(&reader, list);
    count = reader_count(&reader, 2);
    if (count > CHANGE_COUNT_MAX) {
        return error_set(check->err, E_LIMIT, "%zu changes, at most %d", count, CHANGE_COUNT_MAX);
    }
    check->changes = mem_array(count, sizeof *check->changes);
    check->vertex_of = mem_array(count, sizeof *check->vertex_of);
    check->edge_of = mem_array(count, sizeof *check->edge_of);
    for (size_t i = 0; i < count; i++) {
        struct change *change = &check->changes[i];

        change_decode(&reader, &check->arena, change);
        if (reader.is_bad) {
            break;
        }
        check->vertex_of[i] =
            change_is_claim(change) ? MAP_NONE : note_vertex(check, &change->vertex);
        check->edge_of[i] = MAP_NONE;
        if (change->kind >= CHANGE_EDGE_ADD && change->direction == DIRECTION_OUT) {
            check->edge_of[i] = note_edge(check, &change->edge);
        }
    }
    check->change_count = count;
    return reader_finish(&reader, "list of changes", check->err);
}

static int order_states(const void *a, const void *b)
{
    const struct state *const *x = a;
    const struct state *const *y = b;

    return vid_order(&(*x)->id, &(*y)->id);
}

static int order_edges(const void *a, const void *b)
{
    const struct edge_state *const *x = a;
    const struct edge_state *const *y = b;

    return vid_order(&(*x)->id, &(*y)->id);
}

/* Bulk loads come in order: then nothing is sorted. */
static void sort(void *list, size_t count, int (*compare)(const void *, const void *))
{
    void **at = list;

    for (size_t i = 1; i < count; i++) {
        if (compare(&at[i - 1], &at[i]) > 0) {
            qsort(list, count, sizeof *at, compare);
            return;
        }
    }
}

/* In order of keys: neighbours share pages and runs. */
static int load_states(struct check *check)
{
    struct state **vertices =
        arena_alloc(&check->arena, (check->vertex_count + 1) * sizeof *vertices);
    struct edge_state **edges = arena_alloc(&check->arena, (check->edge_count + 1) * sizeof *edges);
    int rc = E_OK;

    for (uint32_t i = 0; i < check->vertex_count; i++) {
        vertices[i] = &check->vertices[i];
    }
    for (uint32_t i = 0; i < check->edge_count; i++) {
        edges[i] = &check->edges[i];
    }
    sort(vertices, check->vertex_count, order_states);
    sort(edges, check->edge_count, order_edges);
    for (uint32_t i = 0; i < check->vertex_count && rc == E_OK; i++) {
        rc = load_vertex(check, vertices[i]);
    }
    for (uint32_t i = 0; i < check->edge_count && rc == E_OK; i++) {
        rc = load_edge(check, edges[i]);
    }
    return rc;
}

static int check_one(struct check *check, size_t i)
{
    const struct change *change = &check->changes[i];
    struct edge_state *edge =
        check->edge_of[i] == MAP_NONE ? NULL : &check->edges[check->edge_of[i]];

    if (change_is_claim(change)) {
        return check_claim(check, change, edge);
    }
    struct state *state = &check->vertices[check->vertex_of[i]];
    return change->kind >= CHANGE_EDGE_ADD ? check_half(check, change, state, edge)
                                           : check_vertex(check, change, state);
}

static int check_list(struct check *check, struct slice changes)
{
    int rc = gather(check, changes);

    if (rc == E_OK) {
        rc = load_states(check);
    }
    for (size_t i = 0; i < check->change_count && rc == E_OK; i++) {
        rc = check_limits(check, &check->changes[i]);
        rc = rc == E_OK ? check_one(check, i) : rc;
    }
    return rc == E_OK ? check_dropped(check) : rc;
}

int store_inner_check(struct store *store, struct slice changes, struct error *err)
{
    struct check check = {.store = store, .err = err};
    int rc;

    arena_init(&check.arena, 0);
    rc = check_list(&check, changes);
    map_index_close(&check.vertex_index);
    map_index_close(&check.edge_index);
    mem_free(check.vertices);
    mem_free(check.edges);
    mem_free(check.changes);
    mem_free(check.vertex_of);
    mem_free(check.edge_of);
    edgeplace_finder_close(&check.finder);
    arena_close(&check.arena);
    return rc;
}

int store_check(struct store *store, struct slice changes, struct error *err)
{
    int rc = store_inner_begin_read(store, err);

    if (rc != E_OK) {
        return rc;
    }
    rc = store_inner_check(store, changes, err);
    if (rc != E_OK) {
        store_inner_rollback(store, false);
        return rc;
    }
    return store_inner_commit(store, err);
}
