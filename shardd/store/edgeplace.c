#include "shardd/store/edgeplace.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "shardd/store/pack.h"

enum {
    HEAD_EDGE_INT = 1,
    HEAD_SOURCE_INT = 2,
    HEAD_FAR_INT = 4,
    HEAD_LABELS = 8,
    HEAD_MAX = 15,
    FILL = 128
};

/* ---- form ---- */

static struct vids column_of(struct arena *scratch, const struct edgeplace *list, uint32_t count,
                             uint32_t which)
{
    struct vid *column = arena_alloc(scratch, (count + 1) * sizeof *column);

    for (uint32_t i = 0; i < count; i++) {
        column[i] = which == HEAD_EDGE_INT     ? list[i].edge
                    : which == HEAD_SOURCE_INT ? list[i].source
                                               : list[i].far;
    }
    return vids_make(scratch, column, count);
}

static bool is_one_label(const struct edgeplace *list, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        if (list[i].label != list[0].label) {
            return false;
        }
    }
    return true;
}

void edgeplace_encode(struct bytes *out, struct arena *scratch, const struct edgeplace *list,
                      uint32_t count)
{
    struct vids edge = column_of(scratch, list, count, HEAD_EDGE_INT);
    struct vids source = column_of(scratch, list, count, HEAD_SOURCE_INT);
    struct vids far = column_of(scratch, list, count, HEAD_FAR_INT);
    bool has_labels = !is_one_label(list, count);

    assert(count > 0);
    bytes_varint(out, count);
    bytes_u8(out,
             (uint8_t)((edge.nums != NULL ? HEAD_EDGE_INT : 0) |
                       (source.nums != NULL ? HEAD_SOURCE_INT : 0) |
                       (far.nums != NULL ? HEAD_FAR_INT : 0) | (has_labels ? HEAD_LABELS : 0)));
    vids_encode(out, &edge, count);
    vids_encode(out, &source, count);
    vids_encode(out, &far, count);
    if (has_labels) {
        int64_t *labels = arena_alloc(scratch, count * sizeof *labels);
        for (uint32_t i = 0; i < count; i++) {
            labels[i] = list[i].label;
        }
        pack_encode(out, labels, count);
    } else {
        bytes_varint(out, list[0].label);
    }
}

int edgeplace_decode(struct slice blob, struct arena *arena, struct edgeplace_run *run,
                     struct error *err)
{
    struct reader reader;
    uint64_t n;
    uint8_t head;

    *run = (struct edgeplace_run){0};
    reader_init(&reader, blob);
    n = reader_varint(&reader);
    head = reader_u8(&reader);
    if (reader.is_bad || n == 0 || n > EDGEPLACE_COUNT_LIMIT || head > HEAD_MAX) {
        return error_set(err, E_CORRUPT, "table place: run of %zu bytes", blob.size);
    }
    run->edges = vids_decode(&reader, arena, (head & HEAD_EDGE_INT) != 0, n);
    run->sources = vids_decode(&reader, arena, (head & HEAD_SOURCE_INT) != 0, n);
    run->fars = vids_decode(&reader, arena, (head & HEAD_FAR_INT) != 0, n);
    if ((head & HEAD_LABELS) != 0) {
        int64_t *labels = arena_array(arena, n, sizeof *labels);
        pack_decode(&reader, labels, n);
        run->labels = labels;
    } else {
        run->label = (uint32_t)reader_varint(&reader);
    }
    if (reader.is_bad || reader_left(&reader) > 0) {
        return error_set(err, E_CORRUPT, "table place: run of %zu bytes is damaged", blob.size);
    }
    run->count = (uint32_t)n;
    return E_OK;
}

struct edgeplace edgeplace_at(const struct edgeplace_run *run, uint32_t i)
{
    return (struct edgeplace){
        .edge = vids_at(&run->edges, i),
        .source = vids_at(&run->sources, i),
        .far = vids_at(&run->fars, i),
        .label = run->labels == NULL ? run->label : (uint32_t)run->labels[i],
    };
}

/* ---- finding ---- */

static int take_run(struct stmt *stmt, enum stmt_id id, struct edgeplace_finder *finder,
                    struct error *err)
{
    sqlite3_stmt *s = stmt->list[id];
    struct slice blob = stmt_column_slice(s, 1);
    struct vid low;
    int rc;

    if (!stmt_column_vid(s, 0, &low)) {
        return error_set(err, E_CORRUPT, "table place: run without a beginning");
    }
    finder->low = vid_copy(&finder->arena, &low);
    blob.data = arena_copy(&finder->arena, blob.data, blob.size);
    rc = edgeplace_decode(blob, &finder->arena, &finder->run, err);
    finder->has_run = rc == E_OK;
    return rc;
}

static int find_high(struct stmt *stmt, struct edgeplace_finder *finder, struct error *err)
{
    sqlite3_stmt *s = stmt_get(stmt, STMT_PLACE_NEXT);
    struct vid high;
    int rc;

    stmt_bind_vid(s, 1, &finder->low);
    rc = stmt_step(stmt, STMT_PLACE_NEXT, err);
    finder->has_high = rc == 1;
    if (rc != 1) {
        return rc;
    }
    if (!stmt_column_vid(s, 0, &high)) {
        rc = error_set(err, E_CORRUPT, "table place: run without a beginning");
    } else {
        finder->high = vid_copy(&finder->arena, &high);
        rc = E_OK;
    }
    stmt_reset(stmt, STMT_PLACE_NEXT);
    return rc;
}

/* Loads the run where the edge is or would be; none: has_run is false. */
static int load(struct stmt *stmt, struct edgeplace_finder *finder, const struct vid *edge,
                struct error *err)
{
    enum stmt_id id = STMT_PLACE_FLOOR;
    int rc;

    arena_reset(&finder->arena);
    finder->has_run = false;
    finder->run.count = 0;
    stmt_bind_vid(stmt_get(stmt, id), 1, edge);
    rc = stmt_step(stmt, id, err);
    if (rc == 0) {
        id = STMT_PLACE_FIRST;
        stmt_get(stmt, id);
        rc = stmt_step(stmt, id, err);
    }
    if (rc != 1) {
        return rc;
    }
    rc = take_run(stmt, id, finder, err);
    stmt_reset(stmt, id);
    return rc == E_OK ? find_high(stmt, finder, err) : rc;
}

static bool is_inside(const struct edgeplace_finder *finder, const struct vid *edge)
{
    return finder->has_run && vid_order(edge, &finder->low) >= 0 &&
           (!finder->has_high || vid_order(edge, &finder->high) < 0);
}

int edgeplace_find(struct stmt *stmt, struct edgeplace_finder *finder, const struct vid *edge,
                   struct edgeplace *out, struct error *err)
{
    uint32_t low = 0;
    uint32_t high;

    if (!is_inside(finder, edge)) {
        int rc = load(stmt, finder, edge, err);
        if (rc != E_OK) {
            return rc;
        }
    }
    high = finder->run.count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        struct vid at = vids_at(&finder->run.edges, middle);
        int order = vid_order(&at, edge);

        if (order == 0) {
            *out = edgeplace_at(&finder->run, middle);
            return 1;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return 0;
}

void edgeplace_finder_close(struct edgeplace_finder *finder)
{
    arena_close(&finder->arena);
    *finder = (struct edgeplace_finder){0};
}

/* ---- writing ---- */

struct work {
    struct stmt *stmt;
    struct edgeplace_finder finder; /* The run as it is. */
    struct arena arena;
    struct bytes blob;
    struct edgeplace *list; /* As it will be. */
    uint32_t count;
    struct error *err;
};

static int order_ops(const void *a, const void *b)
{
    const struct edgeplace_op *x = a;
    const struct edgeplace_op *y = b;
    int order = vid_order(&x->place.edge, &y->place.edge);

    if (order != 0) {
        return order;
    }
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static void merge(struct work *work, const struct edgeplace_op *ops, size_t op_count)
{
    const struct edgeplace_run *run = &work->finder.run;
    struct edgeplace *out = arena_alloc(&work->arena, (run->count + op_count + 1) * sizeof *out);
    uint32_t old = 0;
    uint32_t n = 0;

    for (size_t i = 0; i < op_count; i++) {
        const struct vid *edge = &ops[i].place.edge;
        int order = 1;

        if (i + 1 < op_count && vid_equal(&ops[i + 1].place.edge, edge)) {
            continue; /* The last one of an edge decides. */
        }
        while (old < run->count) {
            out[n] = edgeplace_at(run, old);
            order = vid_order(&out[n].edge, edge);
            if (order >= 0) {
                break;
            }
            n++;
            old++;
        }
        if (old < run->count && order == 0 &&
            (ops[i].is_add || vid_equal(&out[n].source, &ops[i].place.source))) {
            old++;
        }
        if (ops[i].is_add) {
            out[n++] = ops[i].place;
        }
    }
    while (old < run->count) {
        out[n++] = edgeplace_at(run, old++);
    }
    work->list = out;
    work->count = n;
}

static int delete_row(struct work *work, const struct vid *low)
{
    stmt_bind_vid(stmt_get(work->stmt, STMT_PLACE_DELETE), 1, low);
    return stmt_run(work->stmt, STMT_PLACE_DELETE, work->err);
}

static int put_range(struct work *work, uint32_t from, uint32_t to, const struct vid *low)
{
    uint32_t middle = from + (to - from) / 2;
    int rc;

    bytes_clear(&work->blob);
    edgeplace_encode(&work->blob, &work->arena, work->list + from, to - from);
    if (work->blob.size <= EDGEPLACE_BYTES_MAX || to - from == 1) {
        sqlite3_stmt *s = stmt_get(work->stmt, STMT_PLACE_PUT);
        stmt_bind_vid(s, 1, low);
        stmt_bind_slice(s, 2, bytes_slice(&work->blob));
        return stmt_run(work->stmt, STMT_PLACE_PUT, work->err);
    }
    rc = put_range(work, from, middle, low);
    return rc == E_OK ? put_range(work, middle, to, &work->list[middle].edge) : rc;
}

/* A run at the end grows by appending: it is left full, not halved. */
static uint32_t run_size(const struct work *work)
{
    return work->count <= EDGEPLACE_COUNT_MAX ? work->count
           : work->finder.has_high            ? FILL
                                              : EDGEPLACE_COUNT_MAX;
}

static int write_back(struct work *work)
{
    const struct edgeplace_finder *finder = &work->finder;
    uint32_t size = run_size(work);
    struct vid low;
    int rc = E_OK;

    if (work->count == 0) {
        return finder->has_run ? delete_row(work, &finder->low) : E_OK;
    }
    low = work->list[0].edge;
    if (finder->has_run && vid_order(&finder->low, &low) <= 0) {
        low = finder->low;
    } else if (finder->has_run) {
        rc = delete_row(work, &finder->low);
    }
    for (uint32_t from = 0; from < work->count && rc == E_OK; from += size) {
        uint32_t to = work->count - from < size ? work->count : from + size;

        rc = put_range(work, from, to, from == 0 ? &low : &work->list[from].edge);
    }
    return rc;
}

static bool is_ordered(const struct edgeplace_op *ops, size_t op_count)
{
    for (size_t i = 1; i < op_count; i++) {
        if (order_ops(&ops[i - 1], &ops[i]) > 0) {
            return false;
        }
    }
    return true;
}

bool edgeplace_is_claim(const struct symbol_table *symbols, uint32_t label)
{
    return symbol_name(symbols, label).size == 0;
}

int edgeplace_apply(struct stmt *stmt, struct edgeplace_op *ops, size_t op_count, struct error *err)
{
    struct work work = {.stmt = stmt, .err = err};
    int rc = E_OK;

    if (!is_ordered(ops, op_count)) {
        qsort(ops, op_count, sizeof *ops, order_ops);
    }
    while (op_count > 0 && rc == E_OK) {
        size_t taken = 1;

        rc = load(stmt, &work.finder, &ops[0].place.edge, err);
        if (rc != E_OK) {
            break;
        }
        while (taken < op_count && (!work.finder.has_high ||
                                    vid_order(&ops[taken].place.edge, &work.finder.high) < 0)) {
            taken++;
        }
        merge(&work, ops, taken);
        rc = write_back(&work);
        ops += taken;
        op_count -= taken;
        arena_reset(&work.arena);
    }
    bytes_close(&work.blob);
    arena_close(&work.arena);
    edgeplace_finder_close(&work.finder);
    return rc;
}
