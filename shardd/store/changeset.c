#include "shardd/store/changeset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/packed.h"
#include "shardd/store/edgeplace.h"

/* A change of one half, with its names as symbols. */
struct half_op {
    struct vid vertex;
    uint32_t label;
    uint8_t direction;
    uint32_t sequence;
    struct adjacency_op op;
};

struct vertex_op {
    const struct change *change;
    uint32_t sequence;
};

struct job {
    struct tables *tables;
    struct arena *arena;
    struct vrow_names names;
    struct vertex_op *vertex_ops;
    size_t vertex_count;
    struct half_op **half_ops;
    size_t half_count;
    struct edgeplace_op *places;
    size_t place_count;
    struct adjacency_op *group; /* Ops of one adjacency, side by side. */
    struct bytes blob;
    struct slice last_name; /* Names repeat. */
    uint32_t last_symbol;
    struct error *err;
};

void changeset_init(struct changeset *batch, struct arena *arena)
{
    *batch = (struct changeset){.arena = arena};
}

void changeset_close(struct changeset *batch)
{
    mem_free(batch->list);
    *batch = (struct changeset){0};
}

int changeset_add(struct changeset *batch, struct slice changes, struct error *err)
{
    struct reader reader;
    size_t count;

    reader_init(&reader, changes);
    count = reader_count(&reader, 2);
    if (batch->count + count > batch->room) {
        batch->room =
            batch->room * 2 > batch->count + count ? batch->room * 2 : batch->count + count;
        batch->list = mem_resize(batch->list, batch->room * sizeof *batch->list);
    }
    for (size_t i = 0; i < count && !reader.is_bad; i++) {
        change_decode(&reader, batch->arena, &batch->list[batch->count++]);
    }
    return reader_finish(&reader, "list of changes", err);
}

/* ---- names, and sorting out ---- */

static int make_symbol(struct job *job, struct slice name, uint32_t *symbol)
{
    int rc;

    if (job->last_name.data != NULL && slice_equal(name, job->last_name)) {
        *symbol = job->last_symbol;
        return E_OK;
    }
    rc = symbol_make(&job->tables->symbols, &job->tables->stmt, name, symbol, job->err);
    job->last_name = name;
    job->last_symbol = *symbol;
    return rc;
}

static int make_names(struct job *job, const struct property *props, uint32_t count)
{
    uint32_t symbol;

    for (uint32_t i = 0; i < count; i++) {
        int rc = make_symbol(job, props[i].key, &symbol);
        if (rc != E_OK) {
            return rc;
        }
    }
    return E_OK;
}

static int sort_vertex_change(struct job *job, const struct change *change, uint32_t sequence)
{
    uint32_t symbol;
    int rc = make_names(job, change->props, change->prop_count);

    if (rc == E_OK && change->kind == CHANGE_VERTEX_ADD) {
        rc = make_symbol(job, change->label, &symbol);
    }
    if (rc == E_OK && change->kind == CHANGE_VPROP_SET) {
        rc = make_symbol(job, change->key, &symbol);
    }
    if (rc == E_OK && change->kind == CHANGE_META_SET) {
        rc = make_symbol(job, change->meta_key, &symbol);
    }
    for (uint32_t i = 0; i < change->vprop_count && rc == E_OK; i++) {
        const struct vproperty *vprop = &change->vprops[i];

        rc = make_symbol(job, vprop->key, &symbol);
        if (rc == E_OK) {
            rc = make_names(job, vprop->metas, vprop->meta_count);
        }
    }
    job->vertex_ops[job->vertex_count++] = (struct vertex_op){change, sequence};
    return rc;
}

static struct slice pack(struct job *job, const struct value *value)
{
    bytes_clear(&job->blob);
    packed_encode(&job->blob, value);
    return slice_of(arena_copy(job->arena, job->blob.data, job->blob.size), job->blob.size);
}

static int make_props(struct job *job, const struct property *props, uint32_t count,
                      struct edgerun_half *half)
{
    struct edgerun_prop *list = count == 0 ? NULL : arena_array(job->arena, count, sizeof *list);
    uint32_t n = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = 0;
        uint32_t key;
        int rc = make_symbol(job, props[i].key, &key);

        if (rc != E_OK) {
            return rc;
        }
        while (at < n && list[at].key != key) {
            at++;
        }
        n += at == n;
        list[at] = (struct edgerun_prop){key, pack(job, &props[i].value)};
    }
    half->props = list;
    half->prop_count = n;
    return E_OK;
}

static int fill_half(struct job *job, const struct change *change, struct half_op *op)
{
    const struct property one = {.key = change->key, .value = change->value};
    int rc = make_symbol(job, change->label, &op->label);

    if (rc != E_OK || change->kind == CHANGE_EDGE_DROP) {
        op->op.act = ADJACENCY_DROP;
        return rc;
    }
    if (change->kind == CHANGE_EDGE_ADD) {
        op->op.act = ADJACENCY_ADD;
        rc = make_symbol(job, change->far_label, &op->op.half.far_label);
        return rc == E_OK ? make_props(job, change->props, change->prop_count, &op->op.half) : rc;
    }
    op->op.act = change->kind == CHANGE_EPROP_SET ? ADJACENCY_SET : ADJACENCY_UNSET;
    return make_props(job, &one, 1, &op->op.half);
}

static void add_place(struct job *job, const struct change *change, uint32_t label,
                      uint32_t sequence)
{
    job->places[job->place_count++] = (struct edgeplace_op){
        .is_add = change->kind == CHANGE_EDGE_ADD,
        .place = {change->edge, change->vertex, change->far, label},
        .sequence = sequence,
    };
}

/* Only its place is here, with the label that no edge has. */
static int sort_claim(struct job *job, const struct change *change, uint32_t sequence)
{
    uint32_t label;
    int rc = make_symbol(job, (struct slice){0}, &label);

    add_place(job, change, label, sequence);
    return rc;
}

static int sort_half(struct job *job, const struct change *change, uint32_t sequence)
{
    struct half_op *op = arena_array(job->arena, 1, sizeof *op);
    int rc;

    if (change_is_claim(change)) {
        return sort_claim(job, change, sequence);
    }
    op->vertex = change->vertex;
    op->direction = change->direction == DIRECTION_OUT ? VROW_OUT : VROW_IN;
    op->sequence = sequence;
    op->op.half.far = change->far;
    op->op.half.edge = change->edge;
    rc = fill_half(job, change, op);
    job->half_ops[job->half_count++] = op;
    if (op->direction == VROW_OUT &&
        (change->kind == CHANGE_EDGE_ADD || change->kind == CHANGE_EDGE_DROP)) {
        add_place(job, change, op->label, sequence);
    }
    return rc;
}

static int order_vertex_ops(const void *a, const void *b)
{
    const struct vertex_op *x = a;
    const struct vertex_op *y = b;
    int order = vid_order(&x->change->vertex, &y->change->vertex);

    return order != 0 ? order : (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static int order_half_ops(const void *a, const void *b)
{
    const struct half_op *x = *(struct half_op *const *)a;
    const struct half_op *y = *(struct half_op *const *)b;
    int order;

    if (x->vertex.num != y->vertex.num && x->vertex.text.data == NULL &&
        y->vertex.text.data == NULL) {
        return x->vertex.num < y->vertex.num ? -1 : 1;
    }
    order = vid_order(&x->vertex, &y->vertex);

    if (order == 0) {
        order = (x->direction > y->direction) - (x->direction < y->direction);
    }
    if (order == 0) {
        order = (x->label > y->label) - (x->label < y->label);
    }
    if (order == 0) {
        order = edgerun_order(&x->op.half.far, &x->op.half.edge, &y->op.half.far, &y->op.half.edge);
    }
    return order != 0 ? order : (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

/* Bulk loads come in order: then nothing is sorted. */
static void order(void *list, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    const uint8_t *at = list;

    for (size_t i = 1; i < count; i++) {
        if (compare(at + (i - 1) * size, at + i * size) > 0) {
            qsort(list, count, size, compare);
            return;
        }
    }
}

static int sort_out(struct job *job, const struct changeset *batch)
{
    size_t n = batch->count + 1;
    int rc = E_OK;

    job->vertex_ops = mem_array(n, sizeof *job->vertex_ops);
    job->half_ops = mem_array(n, sizeof *job->half_ops);
    job->places = mem_array(n, sizeof *job->places);
    job->group = mem_array(n, sizeof *job->group);
    for (size_t i = 0; i < batch->count && rc == E_OK; i++) {
        const struct change *change = &batch->list[i];

        rc = change->kind >= CHANGE_EDGE_ADD ? sort_half(job, change, (uint32_t)i)
                                             : sort_vertex_change(job, change, (uint32_t)i);
    }
    order(job->vertex_ops, job->vertex_count, sizeof *job->vertex_ops, order_vertex_ops);
    order(job->half_ops, job->half_count, sizeof *job->half_ops, order_half_ops);
    return rc;
}

/* ---- one vertex ---- */

struct part {
    const struct vertex_op *vertex_ops;
    size_t vertex_count;
    struct half_op *const *half_ops;
    size_t half_count;
    struct vid vertex;
    struct arena arena;
    struct vrow before;
    struct vrow row;
};

static int apply_runs(struct job *job, struct part *part, size_t from, size_t to)
{
    const struct half_op *first = part->half_ops[from];
    struct adjacency_key key = {first->direction, part->vertex, first->label};
    uint64_t degree = vrow_degree(&part->row, first->direction, first->label);
    int64_t delta = -(int64_t)degree;
    int rc;

    for (size_t i = from; i < to; i++) {
        job->group[i - from] = part->half_ops[i]->op;
    }
    rc = adjacency_apply(&job->tables->stmt, &key, job->group, (uint32_t)(to - from), &degree,
                         job->err);
    if (rc != E_OK) {
        return rc;
    }
    delta += (int64_t)degree;
    if (!vrow_degree_add(&part->row, &part->arena, key.direction, key.label, delta) ||
        (key.direction == VROW_OUT &&
         !counter_add(&job->tables->counters, true, key.label, delta))) {
        rc = error_set(job->err, E_CORRUPT, "degree or counter below 0");
        return adjacency_blame(job->err, rc, &key);
    }
    return E_OK;
}

static int apply_halves(struct job *job, struct part *part)
{
    size_t from = 0;
    int rc = E_OK;

    while (from < part->half_count && rc == E_OK) {
        const struct half_op *first = part->half_ops[from];
        size_t to = from + 1;

        while (to < part->half_count && part->half_ops[to]->direction == first->direction &&
               part->half_ops[to]->label == first->label) {
            to++;
        }
        rc = apply_runs(job, part, from, to);
        from = to;
    }
    if (part->half_count > 0) {
        adjcache_drop(&job->tables->cache, &part->vertex);
    }
    return rc;
}

static int write_label(struct job *job, const struct part *part, const struct vrow *row,
                       enum stmt_id id)
{
    struct tables *tables = job->tables;
    sqlite3_stmt *s;

    if (!row->exists) {
        return E_OK;
    }
    if (!counter_add(&tables->counters, false, row->label, id == STMT_LABEL_ADD ? 1 : -1)) {
        return error_set(job->err, E_CORRUPT, "table counter: vertices of label %u below 0",
                         row->label);
    }
    s = stmt_get(&tables->stmt, id);
    sqlite3_bind_int64(s, 1, row->label);
    stmt_bind_vid(s, 2, &part->vertex);
    return stmt_run(&tables->stmt, id, job->err);
}

static int write_indexes(struct job *job, struct part *part)
{
    bool is_other = part->before.exists != part->row.exists ||
                    (part->row.exists && part->before.label != part->row.label);
    int rc = E_OK;

    if (is_other) {
        rc = write_label(job, part, &part->before, STMT_LABEL_DELETE);
        if (rc == E_OK) {
            rc = write_label(job, part, &part->row, STMT_LABEL_ADD);
        }
    }
    return rc == E_OK ? propindex_update(&job->tables->indexes, &job->names, &part->vertex,
                                         &part->before, &part->row, job->err)
                      : rc;
}

static int write_row(struct job *job, struct part *part)
{
    struct stmt *stmt = &job->tables->stmt;
    enum stmt_id id = part->vertex_count == 0 ? STMT_VERTEX_DEGREES : STMT_VERTEX_PUT;
    struct slice props = {0};
    size_t degrees_size;
    sqlite3_stmt *s;

    if (!part->row.exists) {
        counter_digest(&job->tables->counters, part->before.digest, 0);
        stmt_bind_vid(stmt_get(stmt, STMT_VERTEX_DELETE), 1, &part->vertex);
        return stmt_run(stmt, STMT_VERTEX_DELETE, job->err);
    }
    bytes_clear(&job->blob);
    vrow_encode_degrees(&job->blob, &part->row);
    degrees_size = job->blob.size;
    if (id == STMT_VERTEX_PUT) {
        vrow_encode_props(&job->blob, &part->row);
    }
    if (job->blob.size > degrees_size) {
        props = slice_of(job->blob.data + degrees_size, job->blob.size - degrees_size);
    }
    s = stmt_get(stmt, id);
    stmt_bind_vid(s, 1, &part->vertex);
    if (id == STMT_VERTEX_DEGREES) {
        stmt_bind_slice(s, 2, slice_of(job->blob.data, degrees_size));
    } else {
        sqlite3_bind_int64(s, 2, part->row.label);
        stmt_bind_slice(s, 3, slice_of(job->blob.data, degrees_size));
        stmt_bind_slice(s, 4, props);
        counter_digest(&job->tables->counters, part->before.digest,
                       vrow_digest(&part->vertex, part->row.label, props));
    }
    return stmt_run(stmt, id, job->err);
}

/* Row as it was, then with its own changes. */
static int change_row(struct job *job, struct part *part)
{
    int rc =
        part->vertex_count == 0
            ? tables_vertex_head(job->tables, &part->vertex, &part->arena, &part->row, job->err)
            : tables_vertex(job->tables, &part->vertex, &part->arena, &part->row, job->err);

    part->before = part->row;
    if (rc < 0 || part->vertex_count == 0) {
        return rc < 0 ? rc : E_OK;
    }
    if (part->row.prop_count > 0) {
        part->before.props = arena_copy(&part->arena, part->row.props,
                                        part->row.prop_count * sizeof *part->row.props);
    }
    rc = E_OK;
    for (size_t i = 0; i < part->vertex_count && rc == E_OK; i++) {
        rc =
            vrow_apply(&part->row, part->vertex_ops[i].change, &job->names, &part->arena, job->err);
    }
    return tables_blame_vertex(job->err, rc, &part->vertex);
}

static int apply_part(struct job *job, struct part *part)
{
    int rc = change_row(job, part);

    if (rc == E_OK) {
        rc = apply_halves(job, part);
    }
    if (rc != E_OK) {
        return rc;
    }
    if (!part->row.exists && vrow_degree_total(&part->row) > 0) {
        rc = error_set(job->err, E_CORRUPT, "edges at a vertex that is not there");
        return tables_blame_vertex(job->err, rc, &part->vertex);
    }
    if (part->vertex_count > 0) {
        rc = write_indexes(job, part);
    }
    return rc == E_OK ? write_row(job, part) : rc;
}

/* The next vertex of either list, with all its ops. */
static void next_part(const struct job *job, size_t *vertex_at, size_t *half_at, struct part *part)
{
    size_t v = *vertex_at;
    size_t h = *half_at;
    bool has_both = v < job->vertex_count && h < job->half_count;

    if (h == job->half_count || (has_both && vid_order(&job->vertex_ops[v].change->vertex,
                                                       &job->half_ops[h]->vertex) <= 0)) {
        part->vertex = job->vertex_ops[v].change->vertex;
    } else {
        part->vertex = job->half_ops[h]->vertex;
    }
    while (v < job->vertex_count && vid_equal(&job->vertex_ops[v].change->vertex, &part->vertex)) {
        v++;
    }
    while (h < job->half_count && vid_equal(&job->half_ops[h]->vertex, &part->vertex)) {
        h++;
    }
    part->vertex_ops = job->vertex_ops + *vertex_at;
    part->vertex_count = v - *vertex_at;
    part->half_ops = job->half_ops + *half_at;
    part->half_count = h - *half_at;
    *vertex_at = v;
    *half_at = h;
}

static int apply_parts(struct job *job)
{
    struct part part = {0};
    size_t vertex_at = 0;
    size_t half_at = 0;
    int rc = E_OK;

    arena_init(&part.arena, 0);
    while ((vertex_at < job->vertex_count || half_at < job->half_count) && rc == E_OK) {
        next_part(job, &vertex_at, &half_at, &part);
        rc = apply_part(job, &part);
        arena_reset(&part.arena);
    }
    arena_close(&part.arena);
    return rc;
}

int changeset_apply(struct changeset *batch, struct tables *tables, struct error *err)
{
    struct job job = {
        .tables = tables,
        .arena = batch->arena,
        .names = {&tables->symbols, &tables->stmt},
        .err = err,
    };
    int rc;

    if (batch->count == 0) {
        return E_OK;
    }
    bytes_init(&job.blob, 0);
    rc = sort_out(&job, batch);
    if (rc == E_OK) {
        rc = apply_parts(&job);
    }
    if (rc == E_OK) {
        rc = edgeplace_apply(&tables->stmt, job.places, job.place_count, err);
    }
    if (rc == E_OK) {
        rc = counter_flush(&tables->counters, &tables->stmt, err);
    }
    bytes_close(&job.blob);
    mem_free(job.vertex_ops);
    mem_free(job.half_ops);
    mem_free(job.places);
    mem_free(job.group);
    batch->count = 0;
    return rc;
}
