#include <assert.h>

#include "common/map.h"
#include "common/mem.h"
#include "shardd/place.h"
#include "shardd/store_inner.h"

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
    bool has_place; /* place is that of the tables or of an EDGE_ADD here. */
    struct place place;
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
    struct place_finder finder;
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

static int find_vertex(struct check *check, const struct vid *id, struct state **out)
{
    uint64_t hash = vid_hash(id);
    struct map_probe probe = map_index_probe(&check->vertex_index, hash);
    uint32_t place;

    while ((place = map_index_next(&check->vertex_index, &probe)) != MAP_NONE) {
        if (vid_equal(&check->vertices[place].id, id)) {
            *out = &check->vertices[place];
            return E_OK;
        }
    }
    if (check->vertex_count == check->vertex_room) {
        check->vertex_room = check->vertex_room * 2 + 16;
        check->vertices = mem_resize(check->vertices, check->vertex_room * sizeof *check->vertices);
    }
    *out = &check->vertices[check->vertex_count];
    **out = (struct state){.id = *id};
    map_index_add(&check->vertex_index, hash, check->vertex_count, check->vertex_count);
    check->vertex_count++;
    return load_vertex(check, *out);
}

static int check_vertex(struct check *check, const struct change *change)
{
    struct state *state;
    int rc = find_vertex(check, &change->vertex, &state);

    if (rc != E_OK) {
        return rc;
    }
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
    const struct place *place;
    int rc = place_find(&check->store->tables.stmt, &check->finder, &state->id, &place, check->err);

    if (rc == 1) {
        state->exists = true;
        state->has_place = true;
        state->place = *place;
        state->place.source = vid_copy(&check->arena, &place->source);
        state->place.far = vid_copy(&check->arena, &place->far);
        return E_OK;
    }
    return rc;
}

static int find_edge(struct check *check, const struct vid *id, struct edge_state **out)
{
    uint64_t hash = vid_hash(id);
    struct map_probe probe = map_index_probe(&check->edge_index, hash);
    uint32_t place;

    while ((place = map_index_next(&check->edge_index, &probe)) != MAP_NONE) {
        if (vid_equal(&check->edges[place].id, id)) {
            *out = &check->edges[place];
            return E_OK;
        }
    }
    if (check->edge_count == check->edge_room) {
        check->edge_room = check->edge_room * 2 + 16;
        check->edges = mem_resize(check->edges, check->edge_room * sizeof *check->edges);
    }
    *out = &check->edges[check->edge_count];
    **out = (struct edge_state){.id = *id};
    map_index_add(&check->edge_index, hash, check->edge_count, check->edge_count);
    check->edge_count++;
    return load_edge(check, *out);
}

/* The edge must be there, between these vertices, with this label. */
static bool is_it(const struct check *check, const struct edge_state *edge,
                  const struct change *change)
{
    const struct symbol_table *symbols = &check->store->tables.symbols;

    if (!edge->exists || !vid_equal(&edge->place.source, &change->vertex) ||
        !vid_equal(&edge->place.far, &change->far)) {
        return false;
    }
    return edge->place.label == SYMBOL_NONE ||
           slice_equal(symbol_name(symbols, edge->place.label), change->label);
}

/* Out halves tell whether the edge is there; in halves are their mirror, locked by the same E(e).
 * */
static int check_out_half(struct check *check, const struct change *change)
{
    struct edge_state *edge;
    int rc = find_edge(check, &change->edge, &edge);

    if (rc != E_OK) {
        return rc;
    }
    if (change->kind == CHANGE_EDGE_ADD) {
        if (edge->exists) {
            return error_set(check->err, E_EXISTS, "edge %s exists already",
                             print_vid(check, &change->edge));
        }
        edge->exists = true;
        edge->place = (struct place){change->edge, change->vertex, change->far, SYMBOL_NONE};
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

static int check_half(struct check *check, const struct change *change)
{
    struct state *state;
    int rc = find_vertex(check, &change->vertex, &state);

    if (rc != E_OK) {
        return rc;
    }
    if (!state->exists && !(state->is_dropped && change->kind == CHANGE_EDGE_DROP)) {
        return error_set(check->err, E_NOT_FOUND, "vertex %s does not exist",
                         print_vid(check, &change->vertex));
    }
    if (change->kind == CHANGE_EDGE_ADD) {
        state->delta++;
    } else if (change->kind == CHANGE_EDGE_DROP) {
        state->delta--;
    }
    return change->direction == DIRECTION_OUT ? check_out_half(check, change) : E_OK;
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

static int check_limits(struct check *check, const struct change *change)
{
    if ((change->kind == CHANGE_VERTEX_ADD || change->kind == CHANGE_EDGE_ADD) &&
        change->label.size == 0) {
        return error_set(check->err, E_INVALID, "an empty label");
    }
    if ((change->kind == CHANGE_VPROP_SET || change->kind == CHANGE_EPROP_SET) &&
        change->key.size == 0) {
        return error_set(check->err, E_INVALID, "an empty property key");
    }
    return E_OK;
}

static int check_list(struct check *check, struct slice changes)
{
    struct reader reader;
    size_t count;
    int rc = E_OK;

    reader_init(&reader, changes);
    count = reader_count(&reader, 2);
    if (count > CHANGE_COUNT_MAX) {
        return error_set(check->err, E_LIMIT, "%zu changes, at most %d", count, CHANGE_COUNT_MAX);
    }
    for (size_t i = 0; i < count && rc == E_OK && !reader.is_bad; i++) {
        struct change change;

        change_decode(&reader, &check->arena, &change);
        if (reader.is_bad) {
            break;
        }
        rc = check_limits(check, &change);
        if (rc == E_OK) {
            rc = change.kind >= CHANGE_EDGE_ADD ? check_half(check, &change)
                                                : check_vertex(check, &change);
        }
    }
    if (rc == E_OK) {
        rc = reader_finish(&reader, "list of changes", check->err);
    }
    return rc == E_OK ? check_dropped(check) : rc;
}

int store_check(struct store *store, struct slice changes, struct error *err)
{
    struct check check = {.store = store, .err = err};
    int rc;

    arena_init(&check.arena, 0);
    rc = check_list(&check, changes);
    map_index_close(&check.vertex_index);
    map_index_close(&check.edge_index);
    mem_free(check.vertices);
    mem_free(check.edges);
    place_finder_close(&check.finder);
    arena_close(&check.arena);
    return rc;
}
