#include "shardd/look_hop.h"

#include <assert.h>
#include <string.h>

#include "common/mem.h"
#include "shardd/adjacency.h"
#include "shardd/look_emit.h"
#include "shardd/look_filter.h"

/* One direction and label (SYMBOL_NONE: all) of a vertex. */
struct lane {
    struct look *look;
    struct look_vertex *vertex;
    uint8_t direction;
    uint32_t label;
    enum run_want want;
    uint64_t seen; /* Halves of the hop before the run at hand. */
    bool is_over;  /* No more of this vertex: limit_each. */
    /* Gathered for the cache. */
    bool is_caching;
    struct bytes far;
    struct bytes labels;
};

/* ---- counts ---- */

static bool is_plain_count(const struct read_request *request)
{
    return (request->emit == READ_COUNT || request->emit == READ_COUNT_EACH) &&
           request->hop.edge_filter_count == 0 && request->hop.far_filter_count == 0;
}

static uint64_t count_direction(struct look *look, const struct vrow *row, uint8_t direction)
{
    uint64_t sum = 0;

    if (look->request->hop.label_count == 0) {
        return vrow_degree(row, direction, SYMBOL_NONE);
    }
    for (uint32_t i = 0; i < look->label_count; i++) {
        sum += vrow_degree(row, direction, look->labels[i]);
    }
    return sum;
}

static int count_degrees(struct look *look, struct look_vertex *vertex)
{
    uint8_t direction = look->request->hop.direction;
    uint64_t sum = 0;
    int rc;

    if (!vertex->has_row) {
        rc = tables_vertex_head(look->tables, &vertex->id, &look->row, &vertex->row, look->err);
        if (rc != 1) {
            return rc;
        }
    }
    if (direction != DIRECTION_IN) {
        sum += count_direction(look, &vertex->row, VROW_OUT);
    }
    if (direction != DIRECTION_OUT) {
        sum += count_direction(look, &vertex->row, VROW_IN);
    }
    if (sum > 0) {
        (void)look_emit_number(look, vertex, sum);
    }
    look_spend(look, 1);
    return E_OK;
}

/* ---- far vertices ---- */

/* Offers ids [from, count) of a block to filters and emitters. */
static void offer_far(struct lane *lane, struct look_emit_block *block, uint32_t count)
{
    struct look *look = lane->look;
    uint32_t taken;

    if (look->request->hop.far_filter_count == 0) {
        block->to = count;
        taken = look_emit_far(look, lane->vertex, block);
        lane->is_over = taken < count - block->from;
        look->at.passed += taken;
        return;
    }
    for (uint32_t i = block->from; i < count && !lane->is_over && !look->is_full; i++) {
        struct vid id = vids_at(block->ids, i);

        look->at.passed++;
        if (look_filter_far(look, &id, look_emit_label(block, i))) {
            block->from = i;
            block->to = i + 1;
            lane->is_over = look_emit_far(look, lane->vertex, block) == 0;
        }
    }
}

/* ---- edges ---- */

static bool passes(struct look *look, const struct look_filter_edge *edge,
                   const struct run_half *half)
{
    const struct read_hop *hop = &look->request->hop;

    return look_filter_edge(look, hop->edge_filters, hop->edge_filter_count, edge) &&
           look_filter_far(look, &half->far, half->far_label);
}

static void emit_half(struct lane *lane, uint32_t label, const struct run_half *half)
{
    struct look *look = lane->look;

    if (look->request->hop.to_edges) {
        const struct look_emit_edge edge = {.label = label,
                                            .direction = lane->direction,
                                            .near = lane->vertex->id,
                                            .near_label = lane->vertex->row.label,
                                            .half = half};
        lane->is_over = look_emit_edge(look, lane->vertex, &edge) == 0;
    } else {
        const struct vids ids = {.list = &half->far};
        const struct look_emit_block block = {.ids = &ids, .to = 1, .label = half->far_label};
        lane->is_over = look_emit_far(look, lane->vertex, &block) == 0;
    }
}

static void offer_edges(struct lane *lane, uint32_t label, const struct run *run, uint32_t from)
{
    struct look *look = lane->look;
    struct run_half *halves = NULL;

    if (lane->want == RUN_ALL) {
        halves = run_halves(run, &look->run);
    }
    for (uint32_t i = from; i < run->count && !lane->is_over && !look->is_full; i++) {
        struct run_half plain = {.far_label = run_far_label(run, i)};
        struct run_half *half = halves == NULL ? &plain : &halves[i];
        struct look_filter_edge edge = {.label = label, .half = half};

        if (halves == NULL) {
            plain.far = vids_at(&run->far, i);
            plain.edge = lane->want >= RUN_EDGE ? vids_at(&run->edge, i) : vid_num(0);
        }
        edge.id = half->edge;
        look->at.passed++;
        if (passes(look, &edge, half)) {
            emit_half(lane, label, half);
        }
    }
}

/* ---- runs ---- */

static void gather(struct lane *lane, const struct run *run)
{
    if (!lane->is_caching || run->far.nums == NULL) {
        lane->is_caching = false;
        return;
    }
    bytes_append(&lane->far, run->far.nums, run->count * sizeof *run->far.nums);
    for (uint32_t i = 0; i < run->count; i++) {
        uint32_t label = run_far_label(run, i);
        bytes_append(&lane->labels, &label, sizeof label);
    }
}

static int offer_run(struct lane *lane, uint32_t label, struct slice blob)
{
    struct look *look = lane->look;
    bool is_far_only = !look->request->hop.to_edges && look->request->hop.edge_filter_count == 0;
    struct run run;
    uint32_t from = 0;
    int rc;

    arena_reset(&look->run);
    rc = run_decode(blob, lane->want, &look->run, &run, look->err);
    if (rc != E_OK) {
        return rc;
    }
    lane->seen += run.count;
    gather(lane, &run);
    if (look->at.passed >= lane->seen) {
        return E_OK; /* Passed in an earlier reply. */
    }
    if (look->at.passed > lane->seen - run.count) {
        from = (uint32_t)(look->at.passed - (lane->seen - run.count));
    }
    if (is_far_only) {
        struct look_emit_block block = {
            .ids = &run.far, .from = from, .label = run.far_label, .wide_labels = run.far_labels};
        offer_far(lane, &block, run.count);
    } else {
        offer_edges(lane, label, &run, from);
    }
    look_spend(look, run.count - from);
    return E_OK;
}

/* The same along a walk. */
static int walk_runs(struct lane *lane)
{
    struct look *look = lane->look;
    struct look_walk *walk = &look->walks[lane->direction];
    sqlite3_stmt *s = walk->stmt->list[walk->id];
    int rc = look_walk_to(walk, &lane->vertex->id, look->err);

    while (rc == 1) {
        uint32_t label = (uint32_t)sqlite3_column_int64(s, 1);

        if (lane->label == SYMBOL_NONE || lane->label == label) {
            rc = offer_run(lane, label, stmt_column_slice(s, 2));
        }
        if (rc < 0 || lane->is_over || look->is_full) {
            lane->is_caching = false;
            break;
        }
        rc = look_walk_next(walk, &lane->vertex->id, look->err);
    }
    return rc < 0 ? rc : E_OK;
}

static int seek_runs(struct lane *lane)
{
    struct look *look = lane->look;
    struct stmt *stmt = &look->tables->stmt;
    enum stmt_id id = lane->label == SYMBOL_NONE ? STMT_RUN_EVERY : STMT_RUN_LABEL;
    sqlite3_stmt *s = stmt_get(stmt, id);
    int rc;

    sqlite3_bind_int(s, 1, lane->direction);
    stmt_bind_vid(s, 2, &lane->vertex->id);
    if (lane->label != SYMBOL_NONE) {
        sqlite3_bind_int64(s, 3, lane->label);
    }
    while ((rc = stmt_step(stmt, id, look->err)) == 1) {
        uint32_t label = (uint32_t)sqlite3_column_int64(s, 0);

        rc = offer_run(lane, label, stmt_column_slice(s, 3));
        if (rc != E_OK || lane->is_over || look->is_full) {
            lane->is_caching = false;
            stmt_reset(stmt, id);
            break;
        }
    }
    return rc < 0 ? rc : E_OK;
}

static int read_runs(struct lane *lane)
{
    int rc = lane->look->is_walking ? walk_runs(lane) : seek_runs(lane);

    if (rc < 0) {
        const struct adjacency_key key = {lane->direction, lane->vertex->id,
                                          lane->label == SYMBOL_NONE ? 0 : lane->label};
        return adjacency_blame(lane->look->err, rc, &key);
    }
    return E_OK;
}

/* ---- cache ---- */

static void keep(struct lane *lane)
{
    struct adjcache_entry entry = {.vertex = lane->vertex->id.num,
                                   .label = lane->label,
                                   .direction = lane->direction,
                                   .count = (uint32_t)(lane->far.size / sizeof(int64_t)),
                                   .far = (int64_t *)(void *)lane->far.data};
    uint32_t *labels = (uint32_t *)(void *)lane->labels.data;
    bool is_one = true;

    for (uint32_t i = 1; i < entry.count && is_one; i++) {
        is_one = labels[i] == labels[0];
    }
    entry.far_label = entry.count == 0 ? 0 : labels[0];
    entry.far_labels = is_one ? NULL : labels;
    adjcache_add(&lane->look->tables->cache, &entry);
}

static bool offer_cached(struct lane *lane)
{
    struct look *look = lane->look;
    const struct adjcache_entry *entry =
        adjcache_find(&look->tables->cache, lane->vertex->id.num, lane->direction, lane->label);
    struct vids ids;
    struct look_emit_block block;

    if (entry == NULL) {
        return false;
    }
    lane->seen += entry->count;
    if (look->at.passed >= lane->seen) {
        return true;
    }
    ids = (struct vids){.nums = entry->far};
    block = (struct look_emit_block){
        .ids = &ids, .label = entry->far_label, .labels = entry->far_labels};
    if (look->at.passed > lane->seen - entry->count) {
        block.from = (uint32_t)(look->at.passed - (lane->seen - entry->count));
    }
    look_spend(look, entry->count - block.from);
    offer_far(lane, &block, entry->count);
    return true;
}

static int run_lane(struct lane *lane)
{
    const struct read_hop *hop = &lane->look->request->hop;
    bool is_cacheable = !hop->to_edges && hop->edge_filter_count == 0 &&
                        lane->vertex->id.text.data == NULL &&
                        lane->look->tables->cache.bytes_max > 0;
    int rc;

    if (is_cacheable && offer_cached(lane)) {
        return E_OK;
    }
    lane->is_caching = is_cacheable;
    rc = read_runs(lane);
    if (rc == E_OK && lane->is_caching) {
        keep(lane);
    }
    return rc;
}

void look_hop_hint(const struct look *look, const struct vid *id, int stage)
{
    const struct read_hop *hop = &look->request->hop;
    struct adjcache_entry key = {.vertex = id->num, .label = SYMBOL_NONE};

    if (hop->direction == 0 || hop->to_edges || hop->label_count != look->label_count ||
        hop->label_count > 1 || id->text.data != NULL || look->tables->cache.bytes == 0) {
        return;
    }
    key.direction = hop->direction == DIRECTION_IN ? VROW_IN : VROW_OUT;
    if (look->label_count == 1) {
        key.label = look->labels[0];
    }
    adjcache_hint(&look->tables->cache, &key, stage);
}

/* ---- the hop ---- */

static void add_slots(struct look *look, const struct look_vertex *vertex)
{
    const struct read_hop *hop = &look->request->hop;

    for (uint32_t i = 0; i < hop->label_count || i == 0; i++) {
        struct slice label = hop->label_count == 0 ? (struct slice){0} : hop->labels[i];

        if (hop->direction != DIRECTION_IN) {
            look_slot_vertex(look, ITEM_OUT, &vertex->id, label);
        }
        if (hop->direction != DIRECTION_OUT) {
            look_slot_vertex(look, ITEM_IN, &vertex->id, label);
        }
    }
}

static int run_direction(struct lane *lane)
{
    struct look *look = lane->look;
    int rc = E_OK;

    if (look->request->hop.label_count == 0) {
        lane->label = SYMBOL_NONE;
        return run_lane(lane);
    }
    for (uint32_t i = 0; i < look->label_count && rc == E_OK; i++) {
        lane->label = look->labels[i];
        bytes_clear(&lane->far);
        bytes_clear(&lane->labels);
        rc = run_lane(lane);
        if (lane->is_over || look->is_full) {
            break;
        }
    }
    return rc;
}

static enum run_want want_of(const struct read_request *request)
{
    const struct read_hop *hop = &request->hop;
    enum run_want want = look_filter_want(hop->edge_filters, hop->edge_filter_count);

    if (hop->to_edges && request->emit == READ_ROWS) {
        if (request->project != READ_NOTHING) {
            return RUN_ALL;
        }
        return want == RUN_FAR ? RUN_EDGE : want;
    }
    return want;
}

int look_hop_run(struct look *look, struct look_vertex *vertex)
{
    uint8_t direction = look->request->hop.direction;
    struct lane lane = {.look = look, .vertex = vertex, .want = want_of(look->request)};
    int rc = E_OK;

    add_slots(look, vertex);
    if (is_plain_count(look->request)) {
        return count_degrees(look, vertex);
    }
    if (look->request->hop.to_edges && look->request->emit == READ_ROWS && !vertex->has_row) {
        rc = tables_vertex_head(look->tables, &vertex->id, &look->row, &vertex->row, look->err);
        if (rc != 1) {
            return rc;
        }
        vertex->has_row = true;
        rc = E_OK;
    }
    if (direction != DIRECTION_IN) {
        lane.direction = VROW_OUT;
        rc = run_direction(&lane);
    }
    if (rc == E_OK && direction != DIRECTION_OUT && !lane.is_over && !look->is_full) {
        lane.direction = VROW_IN;
        bytes_clear(&lane.far);
        bytes_clear(&lane.labels);
        rc = run_direction(&lane);
    }
    bytes_close(&lane.far);
    bytes_close(&lane.labels);
    if (!look->is_full || lane.is_over) {
        look->at.passed = 0;
    }
    return rc;
}
