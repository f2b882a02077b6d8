#include "shardd/read/scan_hop.h"

#include <assert.h>
#include <string.h>

#include "common/mem.h"
#include "shardd/read/scan_emit.h"
#include "shardd/read/scan_filter.h"
#include "shardd/store/adjacency.h"

/* One direction and label (SYMBOL_NONE: all) of a vertex. */
struct lane {
    struct scan *scan;
    struct scan_vertex *vertex;
    uint8_t direction;
    uint32_t label;
    enum edgerun_want want;
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

static uint64_t count_direction(struct scan *scan, const struct vrow *row, uint8_t direction)
{
    uint64_t sum = 0;

    if (scan->request->hop.label_count == 0) {
        return vrow_degree(row, direction, SYMBOL_NONE);
    }
    for (uint32_t i = 0; i < scan->label_count; i++) {
        sum += vrow_degree(row, direction, scan->labels[i]);
    }
    return sum;
}

static int count_degrees(struct scan *scan, struct scan_vertex *vertex)
{
    uint8_t direction = scan->request->hop.direction;
    uint64_t sum = 0;
    int rc;

    if (!vertex->has_row) {
        rc = tables_vertex_head(scan->tables, &vertex->id, &scan->row, &vertex->row, scan->err);
        if (rc != 1) {
            return rc;
        }
    }
    if (direction != DIRECTION_IN) {
        sum += count_direction(scan, &vertex->row, VROW_OUT);
    }
    if (direction != DIRECTION_OUT) {
        sum += count_direction(scan, &vertex->row, VROW_IN);
    }
    if (sum > 0) {
        (void)scan_emit_number(scan, vertex, sum);
    }
    scan_spend(scan, 1);
    return E_OK;
}

/* ---- far vertices ---- */

/* Offers ids [from, count) of a block to filters and emitters. */
static void offer_far(struct lane *lane, struct scan_emit_block *block, uint32_t count)
{
    struct scan *scan = lane->scan;
    uint32_t taken;

    if (scan->request->hop.far_filter_count == 0) {
        block->to = count;
        taken = scan_emit_far(scan, lane->vertex, block);
        lane->is_over = taken < count - block->from;
        scan->at.passed += taken;
        return;
    }
    for (uint32_t i = block->from; i < count && !lane->is_over && !scan->is_full; i++) {
        struct vid id = vids_at(block->ids, i);

        scan->at.passed++;
        if (scan_filter_far(scan, &id, scan_emit_label(block, i))) {
            block->from = i;
            block->to = i + 1;
            lane->is_over = scan_emit_far(scan, lane->vertex, block) == 0;
        }
    }
}

/* ---- edges ---- */

static bool passes(struct scan *scan, const struct scan_filter_edge *edge,
                   const struct edgerun_half *half)
{
    const struct read_hop *hop = &scan->request->hop;

    return scan_filter_edge(scan, hop->edge_filters, hop->edge_filter_count, edge) &&
           scan_filter_far(scan, &half->far, half->far_label);
}

static void emit_half(struct lane *lane, uint32_t label, const struct edgerun_half *half)
{
    struct scan *scan = lane->scan;

    if (scan->request->hop.to_edges) {
        const struct scan_emit_edge edge = {.label = label,
                                            .direction = lane->direction,
                                            .near = lane->vertex->id,
                                            .near_label = lane->vertex->row.label,
                                            .half = half};
        lane->is_over = scan_emit_edge(scan, lane->vertex, &edge) == 0;
    } else {
        const struct vids ids = {.list = &half->far};
        const struct scan_emit_block block = {.ids = &ids, .to = 1, .label = half->far_label};
        lane->is_over = scan_emit_far(scan, lane->vertex, &block) == 0;
    }
}

static void offer_edges(struct lane *lane, uint32_t label, const struct edgerun *run, uint32_t from)
{
    struct scan *scan = lane->scan;
    struct edgerun_half *halves = NULL;

    if (lane->want == EDGERUN_ALL) {
        halves = edgerun_halves(run, &scan->run);
    }
    for (uint32_t i = from; i < run->count && !lane->is_over && !scan->is_full; i++) {
        struct edgerun_half plain = {.far_label = edgerun_far_label(run, i)};
        struct edgerun_half *half = halves == NULL ? &plain : &halves[i];
        struct scan_filter_edge edge = {.label = label, .half = half};

        if (halves == NULL) {
            plain.far = vids_at(&run->far, i);
            plain.edge = lane->want >= EDGERUN_EDGE ? vids_at(&run->edge, i) : vid_num(0);
        }
        edge.id = half->edge;
        scan->at.passed++;
        if (passes(scan, &edge, half)) {
            emit_half(lane, label, half);
        }
    }
}

/* ---- runs ---- */

static void gather(struct lane *lane, const struct edgerun *run)
{
    if (!lane->is_caching || run->far.nums == NULL) {
        lane->is_caching = false;
        return;
    }
    bytes_append(&lane->far, run->far.nums, run->count * sizeof *run->far.nums);
    for (uint32_t i = 0; i < run->count; i++) {
        uint32_t label = edgerun_far_label(run, i);
        bytes_append(&lane->labels, &label, sizeof label);
    }
}

static int offer_run(struct lane *lane, uint32_t label, struct slice blob)
{
    struct scan *scan = lane->scan;
    bool is_far_only = !scan->request->hop.to_edges && scan->request->hop.edge_filter_count == 0;
    struct edgerun run;
    uint32_t from = 0;
    int rc;

    arena_reset(&scan->run);
    rc = edgerun_decode(blob, lane->want, &scan->run, &run, scan->err);
    if (rc != E_OK) {
        return rc;
    }
    lane->seen += run.count;
    gather(lane, &run);
    if (scan->at.passed >= lane->seen) {
        return E_OK; /* Passed in an earlier reply. */
    }
    if (scan->at.passed > lane->seen - run.count) {
        from = (uint32_t)(scan->at.passed - (lane->seen - run.count));
    }
    if (is_far_only) {
        struct scan_emit_block block = {
            .ids = &run.far, .from = from, .label = run.far_label, .wide_labels = run.far_labels};
        offer_far(lane, &block, run.count);
    } else {
        offer_edges(lane, label, &run, from);
    }
    scan_spend(scan, run.count - from);
    return E_OK;
}

/* The same along a walk. */
static int walk_runs(struct lane *lane)
{
    struct scan *scan = lane->scan;
    struct scan_walk *walk = &scan->walks[lane->direction];
    sqlite3_stmt *s = walk->stmt->list[walk->id];
    int rc = scan_walk_to(walk, &lane->vertex->id, scan->err);

    while (rc == 1) {
        uint32_t label = (uint32_t)sqlite3_column_int64(s, 1);

        if (lane->label == SYMBOL_NONE || lane->label == label) {
            rc = offer_run(lane, label, stmt_column_slice(s, 2));
        }
        if (rc < 0 || lane->is_over || scan->is_full) {
            lane->is_caching = false;
            break;
        }
        rc = scan_walk_next(walk, &lane->vertex->id, scan->err);
    }
    return rc < 0 ? rc : E_OK;
}

static int seek_runs(struct lane *lane)
{
    struct scan *scan = lane->scan;
    struct stmt *stmt = &scan->tables->stmt;
    enum stmt_id id = lane->label == SYMBOL_NONE ? STMT_RUN_EVERY : STMT_RUN_LABEL;
    sqlite3_stmt *s = stmt_get(stmt, id);
    int rc;

    sqlite3_bind_int(s, 1, lane->direction);
    stmt_bind_vid(s, 2, &lane->vertex->id);
    if (lane->label != SYMBOL_NONE) {
        sqlite3_bind_int64(s, 3, lane->label);
    }
    while ((rc = stmt_step(stmt, id, scan->err)) == 1) {
        uint32_t label = (uint32_t)sqlite3_column_int64(s, 0);

        rc = offer_run(lane, label, stmt_column_slice(s, 3));
        if (rc != E_OK || lane->is_over || scan->is_full) {
            lane->is_caching = false;
            stmt_reset(stmt, id);
            break;
        }
    }
    return rc < 0 ? rc : E_OK;
}

static int read_runs(struct lane *lane)
{
    int rc = lane->scan->is_walking ? walk_runs(lane) : seek_runs(lane);

    if (rc < 0) {
        const struct adjacency_key key = {lane->direction, lane->vertex->id,
                                          lane->label == SYMBOL_NONE ? 0 : lane->label};
        return adjacency_blame(lane->scan->err, rc, &key);
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
    adjcache_add(&lane->scan->tables->cache, &entry);
}

static bool offer_cached(struct lane *lane)
{
    struct scan *scan = lane->scan;
    const struct adjcache_entry *entry =
        adjcache_find(&scan->tables->cache, lane->vertex->id.num, lane->direction, lane->label);
    struct vids ids;
    struct scan_emit_block block;
    uint32_t from;

    if (entry == NULL) {
        return false;
    }
    lane->seen += entry->count;
    if (scan->at.passed >= lane->seen) {
        return true;
    }
    ids = (struct vids){.nums = entry->far};
    block = (struct scan_emit_block){
        .ids = &ids, .label = entry->far_label, .labels = entry->far_labels};
    if (scan->at.passed > lane->seen - entry->count) {
        block.from = (uint32_t)(scan->at.passed - (lane->seen - entry->count));
    }
    from = block.from;
    /* Charged after: a budget that is used up before would pass over the vertex. */
    offer_far(lane, &block, entry->count);
    scan_spend(scan, entry->count - from);
    return true;
}

static int run_lane(struct lane *lane)
{
    const struct read_hop *hop = &lane->scan->request->hop;
    bool is_cacheable = !hop->to_edges && hop->edge_filter_count == 0 &&
                        lane->vertex->id.text.data == NULL &&
                        lane->scan->tables->cache.bytes_max > 0;
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

void scan_hop_hint(const struct scan *scan, const struct vid *id, int stage)
{
    const struct read_hop *hop = &scan->request->hop;
    struct adjcache_entry key = {.vertex = id->num, .label = SYMBOL_NONE};

    if (hop->direction == 0 || hop->to_edges || hop->label_count != scan->label_count ||
        hop->label_count > 1 || id->text.data != NULL || scan->tables->cache.bytes == 0) {
        return;
    }
    key.direction = hop->direction == DIRECTION_IN ? VROW_IN : VROW_OUT;
    if (scan->label_count == 1) {
        key.label = scan->labels[0];
    }
    adjcache_hint(&scan->tables->cache, &key, stage);
}

/* ---- the hop ---- */

static void add_slots(struct scan *scan, const struct scan_vertex *vertex)
{
    const struct read_hop *hop = &scan->request->hop;

    for (uint32_t i = 0; i < hop->label_count || i == 0; i++) {
        struct slice label = hop->label_count == 0 ? (struct slice){0} : hop->labels[i];

        if (hop->direction != DIRECTION_IN) {
            scan_slot_vertex(scan, ITEM_OUT, &vertex->id, label);
        }
        if (hop->direction != DIRECTION_OUT) {
            scan_slot_vertex(scan, ITEM_IN, &vertex->id, label);
        }
    }
}

static int run_direction(struct lane *lane)
{
    struct scan *scan = lane->scan;
    int rc = E_OK;

    if (scan->request->hop.label_count == 0) {
        lane->label = SYMBOL_NONE;
        return run_lane(lane);
    }
    for (uint32_t i = 0; i < scan->label_count && rc == E_OK; i++) {
        lane->label = scan->labels[i];
        bytes_clear(&lane->far);
        bytes_clear(&lane->labels);
        rc = run_lane(lane);
        if (lane->is_over || scan->is_full) {
            break;
        }
    }
    return rc;
}

static enum edgerun_want want_of(const struct read_request *request)
{
    const struct read_hop *hop = &request->hop;
    enum edgerun_want want = scan_filter_want(hop->edge_filters, hop->edge_filter_count);

    if (hop->to_edges && request->emit == READ_ROWS) {
        if (request->project != READ_NOTHING) {
            return EDGERUN_ALL;
        }
        return want == EDGERUN_FAR ? EDGERUN_EDGE : want;
    }
    return want;
}

int scan_hop_run(struct scan *scan, struct scan_vertex *vertex)
{
    uint8_t direction = scan->request->hop.direction;
    struct lane lane = {.scan = scan, .vertex = vertex, .want = want_of(scan->request)};
    int rc = E_OK;

    add_slots(scan, vertex);
    if (is_plain_count(scan->request)) {
        return count_degrees(scan, vertex);
    }
    if (scan->request->hop.to_edges && scan->request->emit == READ_ROWS && !vertex->has_row) {
        rc = tables_vertex_head(scan->tables, &vertex->id, &scan->row, &vertex->row, scan->err);
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
    if (rc == E_OK && direction != DIRECTION_OUT && !lane.is_over && !scan->is_full) {
        lane.direction = VROW_IN;
        bytes_clear(&lane.far);
        bytes_clear(&lane.labels);
        rc = run_direction(&lane);
    }
    bytes_close(&lane.far);
    bytes_close(&lane.labels);
    if (!scan->is_full || lane.is_over) {
        scan->at.passed = 0;
    }
    return rc;
}
