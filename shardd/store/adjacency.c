#include "shardd/store/adjacency.h"

#include <assert.h>
#include <string.h>

enum { FILL = 112 /* Halves in each of the runs that one becomes: room for some more. */ };

/* Where a run begins. */
struct low {
    struct vid far;
    struct vid edge;
};

struct work {
    struct stmt *stmt;
    const struct adjacency_key *key;
    struct arena arena; /* Of one run's work. */
    struct bytes blob;
    struct edgerun_half *halves; /* What the run holds, then what it will hold. */
    uint32_t count;
    bool has_row; /* The row at `low` exists. */
    struct low low;
    struct error *err;
};

int adjacency_blame(struct error *err, int code, const struct adjacency_key *key)
{
    const char *way = key->direction == 0 ? "out" : "in";

    if (code == E_OK || err == NULL) {
        return code;
    }
    if (key->vertex.text.data == NULL) {
        error_prefix(err, "table adjacency, %s of vertex %lld, label %u", way,
                     (long long)key->vertex.num, key->label);
    } else {
        error_prefix(err, "table adjacency, %s of vertex \"%.*s\", label %u", way,
                     (int)key->vertex.text.size, (const char *)key->vertex.text.data, key->label);
    }
    return code;
}

static sqlite3_stmt *bind(struct work *work, enum stmt_id id)
{
    sqlite3_stmt *s = stmt_get(work->stmt, id);

    sqlite3_bind_int(s, 1, work->key->direction);
    stmt_bind_vid(s, 2, &work->key->vertex);
    sqlite3_bind_int64(s, 3, work->key->label);
    return s;
}

static struct vid zero_or(const struct vid *vid)
{
    return vid->text.data != NULL || vid->num >= 0 ? vid_num(0) : *vid;
}

/* ---- finding ---- */

static int take_row(struct work *work, enum stmt_id id)
{
    sqlite3_stmt *s = work->stmt->list[id];
    struct slice blob = stmt_column_slice(s, 2);
    struct low low;
    struct edgerun run;
    int rc;

    if (!stmt_column_vid(s, 0, &low.far) || !stmt_column_vid(s, 1, &low.edge)) {
        return error_set(work->err, E_CORRUPT, "run without a beginning");
    }
    work->low = (struct low){vid_copy(&work->arena, &low.far), vid_copy(&work->arena, &low.edge)};
    blob.data = arena_copy(&work->arena, blob.data, blob.size);
    rc = edgerun_decode(blob, EDGERUN_ALL, &work->arena, &run, work->err);
    if (rc != E_OK) {
        return rc;
    }
    work->halves = edgerun_halves(&run, &work->arena);
    work->count = run.count;
    work->has_row = true;
    return E_OK;
}

/* The run where (far, edge) is or would be; none: an empty one. */
static int load(struct work *work, const struct vid *far, const struct vid *edge)
{
    sqlite3_stmt *s = bind(work, STMT_RUN_FLOOR);
    enum stmt_id id = STMT_RUN_FLOOR;
    int rc;

    work->count = 0;
    work->has_row = false;
    stmt_bind_vid(s, 4, far);
    stmt_bind_vid(s, 5, edge);
    rc = stmt_step(work->stmt, id, work->err);
    if (rc == 0) {
        id = STMT_RUN_FIRST;
        bind(work, id);
        rc = stmt_step(work->stmt, id, work->err);
    }
    if (rc != 1) {
        return rc;
    }
    rc = take_row(work, id);
    stmt_reset(work->stmt, id);
    return rc;
}

/* How many of the ops belong into the run loaded: those before the next run's beginning. */
static int reach(struct work *work, const struct adjacency_op *ops, uint32_t op_count,
                 uint32_t *taken)
{
    struct low next;
    sqlite3_stmt *s;
    int rc;

    *taken = op_count;
    s = bind(work, STMT_RUN_NEXT);
    stmt_bind_vid(s, 4, &work->low.far);
    stmt_bind_vid(s, 5, &work->low.edge);
    rc = stmt_step(work->stmt, STMT_RUN_NEXT, work->err);
    if (rc != 1) {
        return rc;
    }
    if (!stmt_column_vid(s, 0, &next.far) || !stmt_column_vid(s, 1, &next.edge)) {
        rc = error_set(work->err, E_CORRUPT, "run without a beginning");
    } else {
        uint32_t n = 1;
        while (n < op_count &&
               edgerun_order(&ops[n].half.far, &ops[n].half.edge, &next.far, &next.edge) < 0) {
            n++;
        }
        *taken = n;
        rc = E_OK;
    }
    stmt_reset(work->stmt, STMT_RUN_NEXT);
    return rc;
}

/* ---- merging ---- */

static void set_prop(struct work *work, struct edgerun_half *half, const struct edgerun_prop *prop,
                     bool is_set)
{
    struct edgerun_prop *props = arena_array(&work->arena, half->prop_count + 1, sizeof *props);
    uint32_t n = 0;

    for (uint32_t i = 0; i < half->prop_count; i++) {
        if (half->props[i].key != prop->key) {
            props[n++] = half->props[i];
        }
    }
    if (is_set) {
        props[n++] = *prop;
    }
    half->props = props;
    half->prop_count = n;
}

/* One op on the half that has its key: null if there is none. Returns false if there is none after.
 * */
static bool act(struct work *work, const struct adjacency_op *op, struct edgerun_half *half,
                bool exists)
{
    if (op->act == ADJACENCY_ADD) {
        *half = op->half;
        return true;
    }
    if (!exists || op->act == ADJACENCY_DROP) {
        return false;
    }
    set_prop(work, half, &op->half.props[0], op->act == ADJACENCY_SET);
    return true;
}

static void merge(struct work *work, const struct adjacency_op *ops, uint32_t op_count)
{
    struct edgerun_half *out = arena_array(&work->arena, work->count + op_count, sizeof *out);
    uint32_t n = 0;
    uint32_t old = 0;

    for (uint32_t i = 0; i < op_count;) {
        const struct edgerun_half *at = &ops[i].half;
        bool exists = false;
        int order = 1;

        while (old < work->count &&
               (order = edgerun_order(&work->halves[old].far, &work->halves[old].edge, &at->far,
                                      &at->edge)) < 0) {
            out[n++] = work->halves[old++];
        }
        if (old < work->count && order == 0) {
            out[n] = work->halves[old++];
            exists = true;
        }
        do {
            exists = act(work, &ops[i], &out[n], exists);
            i++;
        } while (i < op_count &&
                 edgerun_order(&ops[i].half.far, &ops[i].half.edge, &at->far, &at->edge) == 0);
        n += exists;
    }
    while (old < work->count) {
        out[n++] = work->halves[old++];
    }
    work->halves = out;
    work->count = n;
}

/* ---- writing ---- */

static int delete_row(struct work *work, const struct low *low)
{
    sqlite3_stmt *s = bind(work, STMT_RUN_DELETE);

    stmt_bind_vid(s, 4, &low->far);
    stmt_bind_vid(s, 5, &low->edge);
    return stmt_run(work->stmt, STMT_RUN_DELETE, work->err);
}

static int put_row(struct work *work, const struct low *low, struct slice blob)
{
    sqlite3_stmt *s = bind(work, STMT_RUN_PUT);

    stmt_bind_vid(s, 4, &low->far);
    stmt_bind_vid(s, 5, &low->edge);
    stmt_bind_slice(s, 6, blob);
    return stmt_run(work->stmt, STMT_RUN_PUT, work->err);
}

/* Where a run that holds halves[at...] and is not the first of those written begins. */
static struct low low_of(const struct work *work, uint32_t at)
{
    const struct edgerun_half *half = &work->halves[at];
    struct low low = {half->far, zero_or(&half->edge)};

    if (vid_equal(&half->far, &work->halves[at - 1].far)) {
        low.edge = half->edge;
    }
    return low;
}

/* Writes halves [from, to) as one run, or as two if it does not fit. */
static int put_range(struct work *work, uint32_t from, uint32_t to, const struct low *low)
{
    uint32_t middle = from + (to - from) / 2;
    struct low next;
    int rc;

    bytes_clear(&work->blob);
    edgerun_encode(&work->blob, &work->arena, work->halves + from, to - from);
    if (work->blob.size <= EDGERUN_BYTES_MAX || to - from == 1) {
        return put_row(work, low, bytes_slice(&work->blob));
    }
    rc = put_range(work, from, middle, low);
    if (rc != E_OK) {
        return rc;
    }
    next = low_of(work, middle);
    return put_range(work, middle, to, &next);
}

/* The beginning of the first run written: the old one, unless that is above its first half. */
static struct low first_low(const struct work *work)
{
    const struct edgerun_half *first = &work->halves[0];

    if (work->has_row &&
        edgerun_order(&work->low.far, &work->low.edge, &first->far, &first->edge) <= 0) {
        return work->low;
    }
    return (struct low){zero_or(&first->far), zero_or(&first->edge)};
}

static int write_back(struct work *work)
{
    uint32_t runs = work->count <= EDGERUN_COUNT_MAX ? 1 : (work->count + FILL - 1) / FILL;
    struct low old = work->low;
    struct low low;
    int rc;

    if (work->count == 0) {
        return work->has_row ? delete_row(work, &old) : E_OK;
    }
    low = first_low(work);
    if (work->has_row && edgerun_order(&low.far, &low.edge, &old.far, &old.edge) != 0) {
        rc = delete_row(work, &old);
        if (rc != E_OK) {
            return rc;
        }
    }
    for (uint32_t i = 0; i < runs; i++) {
        uint32_t from = (uint32_t)((uint64_t)work->count * i / runs);
        uint32_t to = (uint32_t)((uint64_t)work->count * (i + 1) / runs);

        if (i > 0) {
            low = low_of(work, from);
        }
        rc = put_range(work, from, to, &low);
        if (rc != E_OK) {
            return rc;
        }
    }
    return E_OK;
}

/* ---- one group of ops ---- */

static int apply_some(struct work *work, const struct adjacency_op *ops, uint32_t op_count,
                      uint64_t *degree, uint32_t *taken)
{
    uint32_t before;
    int rc = E_OK;

    *taken = op_count;
    work->count = 0;
    work->has_row = false;
    if (*degree > 0) {
        rc = load(work, &ops[0].half.far, &ops[0].half.edge);
    }
    before = work->count;
    if (rc == E_OK && work->has_row && before < *degree) {
        rc = reach(work, ops, op_count, taken);
    }
    if (rc != E_OK) {
        return rc;
    }
    merge(work, ops, *taken);
    rc = write_back(work);
    if (*degree + work->count < before) {
        return error_set(work->err, E_CORRUPT, "degree %llu is below a run's %u",
                         (unsigned long long)*degree, before);
    }
    *degree = *degree + work->count - before;
    return rc;
}

int adjacency_apply(struct stmt *stmt, const struct adjacency_key *key,
                    const struct adjacency_op *ops, uint32_t op_count, uint64_t *degree,
                    struct error *err)
{
    struct work work = {.stmt = stmt, .key = key, .err = err};
    int rc = E_OK;

    arena_init(&work.arena, 0);
    bytes_init(&work.blob, 0);
    while (op_count > 0 && rc == E_OK) {
        uint32_t taken;

        rc = apply_some(&work, ops, op_count, degree, &taken);
        ops += taken;
        op_count -= taken;
        arena_reset(&work.arena);
    }
    bytes_close(&work.blob);
    arena_close(&work.arena);
    return adjacency_blame(err, rc, key);
}

/* Properties, out of the memory of the run's work. */
static void keep_props(struct arena *arena, const struct edgerun_half *found,
                       struct edgerun_half *half)
{
    struct edgerun_prop *props = arena_array(arena, found->prop_count + 1, sizeof *props);

    for (uint32_t i = 0; i < found->prop_count; i++) {
        struct slice packed = found->props[i].packed;

        props[i].key = found->props[i].key;
        props[i].packed = slice_of(arena_copy(arena, packed.data, packed.size), packed.size);
    }
    half->far_label = found->far_label;
    half->props = props;
    half->prop_count = found->prop_count;
}

int adjacency_find(struct stmt *stmt, const struct adjacency_key *key, struct arena *arena,
                   struct edgerun_half *half, struct error *err)
{
    struct work work = {.stmt = stmt, .key = key, .err = err};
    int rc;

    arena_init(&work.arena, 0);
    rc = load(&work, &half->far, &half->edge);
    for (uint32_t i = 0; i < work.count && rc == E_OK; i++) {
        const struct edgerun_half *found = &work.halves[i];

        if (edgerun_order(&found->far, &found->edge, &half->far, &half->edge) == 0) {
            keep_props(arena, found, half);
            rc = 1;
        }
    }
    arena_close(&work.arena);
    return rc < 0 ? adjacency_blame(err, rc, key) : rc;
}
