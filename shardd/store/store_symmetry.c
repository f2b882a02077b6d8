#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "common/mem.h"
#include "shardd/store/adjacency.h"
#include "shardd/store/edgeplace.h"
#include "shardd/store/store_inner.h"

/* Two hashes of one half, the same for both halves of an edge: id, label, ends, properties in order
 * of keys. */
struct half_hash {
    uint64_t sum[2];
};

struct walk {
    struct store *store;
    struct arena arena;
    struct bytes form;
    struct error *err;
    void (*visit)(struct walk *walk, const struct vid *vertex, const struct edgerun_half *half,
                  const struct half_hash *hash, uint8_t direction);
    void *ctx;
};

static int order_names(const struct symbol_table *symbols, const struct edgerun_prop *a,
                       const struct edgerun_prop *b)
{
    return slice_compare(symbol_name(symbols, a->key), symbol_name(symbols, b->key));
}

/* By name, not by symbol: another shard numbers its names otherwise. */
static const struct edgerun_prop **sort_props(struct walk *walk, const struct edgerun_half *half)
{
    const struct symbol_table *symbols = &walk->store->tables.symbols;
    const struct edgerun_prop **list =
        arena_array(&walk->arena, half->prop_count + 1, sizeof *list);

    for (uint32_t i = 0; i < half->prop_count; i++) {
        list[i] = &half->props[i];
    }
    for (uint32_t i = 1; i < half->prop_count; i++) {
        for (uint32_t k = i; k > 0 && order_names(symbols, list[k - 1], list[k]) > 0; k--) {
            const struct edgerun_prop *swap = list[k];
            list[k] = list[k - 1];
            list[k - 1] = swap;
        }
    }
    return list;
}

static struct half_hash hash_half(struct walk *walk, const struct vid *vertex, uint32_t label,
                                  const struct edgerun_half *half, uint8_t direction)
{
    const struct symbol_table *symbols = &walk->store->tables.symbols;
    const struct edgerun_prop **props = sort_props(walk, half);
    struct half_hash hash;

    bytes_clear(&walk->form);
    vid_encode(&walk->form, &half->edge);
    vid_encode(&walk->form, direction == VROW_OUT ? vertex : &half->far);
    vid_encode(&walk->form, direction == VROW_OUT ? &half->far : vertex);
    bytes_blob(&walk->form, symbol_name(symbols, label));
    for (uint32_t i = 0; i < half->prop_count; i++) {
        bytes_blob(&walk->form, symbol_name(symbols, props[i]->key));
        bytes_blob(&walk->form, props[i]->packed);
    }
    hash.sum[0] = hash_bytes(walk->form.data, walk->form.size);
    bytes_u8(&walk->form, 0x5a);
    hash.sum[1] = hash_bytes(walk->form.data, walk->form.size);
    return hash;
}

static int walk_run(struct walk *walk, sqlite3_stmt *s, uint8_t direction)
{
    uint32_t label = (uint32_t)sqlite3_column_int64(s, 1);
    struct edgerun_half *halves;
    struct vid vertex;
    struct edgerun run;
    int rc;

    if (!stmt_column_vid(s, 0, &vertex)) {
        return error_set(walk->err, E_CORRUPT, "table adjacency: no vertex");
    }
    rc = edgerun_decode(stmt_column_slice(s, 4), EDGERUN_ALL, &walk->arena, &run, walk->err);
    if (rc != E_OK) {
        const struct adjacency_key key = {direction, vertex, label};
        return adjacency_blame(walk->err, rc, &key);
    }
    halves = edgerun_halves(&run, &walk->arena);
    for (uint32_t i = 0; i < run.count; i++) {
        struct half_hash hash = hash_half(walk, &vertex, label, &halves[i], direction);
        walk->visit(walk, &vertex, &halves[i], &hash, direction);
    }
    return E_OK;
}

static int walk_direction(struct walk *walk, uint8_t direction)
{
    struct stmt *stmt = &walk->store->tables.stmt;
    sqlite3_stmt *s = stmt_get(stmt, STMT_RUN_SCAN);
    int rc;

    sqlite3_bind_int(s, 1, direction);
    while ((rc = stmt_step(stmt, STMT_RUN_SCAN, walk->err)) == 1) {
        arena_reset(&walk->arena);
        rc = walk_run(walk, s, direction);
        if (rc != E_OK) {
            stmt_reset(stmt, STMT_RUN_SCAN);
            break;
        }
    }
    return rc;
}

/* ---- sums ---- */

struct sums {
    uint32_t (*far_shard)(void *ctx, const struct vid *far);
    void *ctx;
    struct store_symmetry *list;
    uint32_t count;
};

static void add(uint64_t sum[2], const uint64_t hash[2])
{
    uint64_t low = sum[0] + hash[0];

    sum[1] += hash[1] + (low < sum[0]);
    sum[0] = low;
}

static void claim_form(struct bytes *out, const struct vid *edge, const struct vid *source,
                       const struct vid *far)
{
    bytes_clear(out);
    vid_encode(out, edge);
    vid_encode(out, source);
    vid_encode(out, far);
}

static void add_claim(struct bytes *form, const struct edgeplace *place, uint64_t sum[2])
{
    uint64_t hash[2];

    claim_form(form, &place->edge, &place->source, &place->far);
    hash[0] = hash_bytes(form->data, form->size);
    bytes_u8(form, 0x5a);
    hash[1] = hash_bytes(form->data, form->size);
    add(sum, hash);
}

uint64_t store_claim_hash(const struct vid *edge, const struct vid *source, const struct vid *far)
{
    struct bytes form;

    bytes_init(&form, 0);
    claim_form(&form, edge, source, far);
    uint64_t hash = hash_bytes(form.data, form.size);
    bytes_close(&form);
    return hash;
}

/* An out half whose id falls into another shard. */
static void sum_needed(struct walk *walk, const struct vid *vertex, const struct edgerun_half *half)
{
    struct sums *sums = walk->ctx;
    struct edgeplace place = {.edge = half->edge, .source = *vertex, .far = half->far};

    if (!shardmap_is_claimed(walk->store->partitioner, &half->edge) ||
        store_inner_owns(walk->store, &half->edge)) {
        return;
    }
    struct store_symmetry *symmetry = &sums->list[sums->far_shard(sums->ctx, &half->edge)];
    symmetry->needed_count++;
    add_claim(&walk->form, &place, symmetry->needed_sum);
}

static void visit_sum(struct walk *walk, const struct vid *vertex, const struct edgerun_half *half,
                      const struct half_hash *hash, uint8_t direction)
{
    struct sums *sums = walk->ctx;
    uint32_t shard = sums->far_shard(sums->ctx, &half->far);
    struct store_symmetry *symmetry = &sums->list[shard];

    assert(shard < sums->count);
    if (direction == VROW_OUT) {
        sum_needed(walk, vertex, half);
        symmetry->out_count++;
        add(symmetry->out_sum, hash->sum);
    } else {
        symmetry->in_count++;
        add(symmetry->in_sum, hash->sum);
    }
}

/* Each claim here, in order of edge ids; places are in the walk's arena for the call. */
static int walk_claims(struct walk *walk,
                       void (*visit)(struct walk *walk, const struct edgeplace *claim))
{
    struct stmt *stmt = &walk->store->tables.stmt;
    sqlite3_stmt *s = stmt_get(stmt, STMT_PLACE_SCAN);
    int rc;

    while ((rc = stmt_step(stmt, STMT_PLACE_SCAN, walk->err)) == 1) {
        struct edgeplace_run run;

        arena_reset(&walk->arena);
        rc = edgeplace_decode(stmt_column_slice(s, 1), &walk->arena, &run, walk->err);
        if (rc != E_OK) {
            stmt_reset(stmt, STMT_PLACE_SCAN);
            return rc;
        }
        for (uint32_t i = 0; i < run.count; i++) {
            struct edgeplace place = edgeplace_at(&run, i);
            if (edgeplace_is_claim(&walk->store->tables.symbols, place.label)) {
                visit(walk, &place);
            }
        }
    }
    return rc;
}

static void sum_claim(struct walk *walk, const struct edgeplace *claim)
{
    struct sums *sums = walk->ctx;
    struct store_symmetry *symmetry = &sums->list[sums->far_shard(sums->ctx, &claim->source)];

    symmetry->claim_count++;
    add_claim(&walk->form, claim, symmetry->claim_sum);
}

int store_symmetry(struct store *store, uint32_t (*far_shard)(void *ctx, const struct vid *far),
                   void *ctx, struct store_symmetry *sums, uint32_t shard_count, struct error *err)
{
    struct sums all = {far_shard, ctx, sums, shard_count};
    struct walk walk = {.store = store, .err = err, .visit = visit_sum, .ctx = &all};
    int rc;

    memset(sums, 0, shard_count * sizeof *sums);
    arena_init(&walk.arena, 0);
    rc = walk_direction(&walk, VROW_OUT);
    if (rc == E_OK) {
        rc = walk_direction(&walk, VROW_IN);
    }
    if (rc == E_OK) {
        rc = walk_claims(&walk, sum_claim);
    }
    bytes_close(&walk.form);
    arena_close(&walk.arena);
    return rc;
}

/* ---- listing ---- */

struct listed {
    struct vid edge;
    struct vid vertex;
    struct vid far;
    uint64_t hash;
};

struct list {
    struct arena arena; /* Of all. */
    struct listed *halves;
    size_t count;
    size_t room;
};

static void visit_list(struct walk *walk, const struct vid *vertex, const struct edgerun_half *half,
                       const struct half_hash *hash, uint8_t direction)
{
    struct list *list = walk->ctx;

    (void)direction;
    if (list->count == list->room) {
        list->room = list->room * 2 + 1024;
        list->halves = mem_resize(list->halves, list->room * sizeof *list->halves);
    }
    list->halves[list->count++] = (struct listed){
        .edge = vid_copy(&list->arena, &half->edge),
        .vertex = vid_copy(&list->arena, vertex),
        .far = vid_copy(&list->arena, &half->far),
        .hash = hash->sum[0],
    };
}

static int order_listed(const void *a, const void *b)
{
    const struct listed *x = a;
    const struct listed *y = b;

    return vid_order(&x->edge, &y->edge);
}

int store_each_half(struct store *store, uint8_t direction, store_half_fn visit, void *ctx,
                    struct error *err)
{
    struct list list = {0};
    struct walk walk = {.store = store, .err = err, .visit = visit_list, .ctx = &list};
    int rc;

    assert(direction == DIRECTION_OUT || direction == DIRECTION_IN);
    arena_init(&walk.arena, 0);
    arena_init(&list.arena, 0);
    rc = walk_direction(&walk, direction == DIRECTION_OUT ? VROW_OUT : VROW_IN);
    if (rc == E_OK && list.count > 0) {
        qsort(list.halves, list.count, sizeof *list.halves, order_listed);
        for (size_t i = 0; i < list.count; i++) {
            visit(ctx, &list.halves[i].edge, list.halves[i].hash, &list.halves[i].vertex,
                  &list.halves[i].far);
        }
    }
    mem_free(list.halves);
    bytes_close(&walk.form);
    arena_close(&walk.arena);
    arena_close(&list.arena);
    return rc;
}

struct claims {
    store_half_fn visit;
    void *ctx;
};

static void visit_claim(struct walk *walk, const struct edgeplace *claim)
{
    const struct claims *claims = walk->ctx;

    claims->visit(claims->ctx, &claim->edge,
                  store_claim_hash(&claim->edge, &claim->source, &claim->far), &claim->source,
                  &claim->far);
}

int store_each_claim(struct store *store, store_half_fn visit, void *ctx, struct error *err)
{
    struct claims claims = {visit, ctx};
    struct walk walk = {.store = store, .err = err, .ctx = &claims};

    arena_init(&walk.arena, 0);
    int rc = walk_claims(&walk, visit_claim);
    arena_close(&walk.arena);
    return rc;
}
