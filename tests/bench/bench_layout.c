/*
 * The layout of a shard's file against an edge per row, in one run: a Kronecker graph of 2^SCALE
 * vertices and 16 edges each, both directions, one property index. One JSON line a measure; times
 * are those of this machine in this hour, so read the ratios.
 *
 * Expected on one core: rows 0.3 M edges/s load and 3 M/s scan; runs 0.5 M/s load with journal,
 * checks, both directions and places, 50 M/s scan, 200 M/s from the cache, under 25 bytes an edge.
 *
 * usage: bench_layout FOLDER [SCALE]
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "common/prng.h"
#include "shardd/store/store.h"
#include "shardd/store/storefile.h"

enum { EDGES_PER_VERTEX = 16, BATCH_EDGES = 50000 };

struct pair {
    uint32_t from;
    uint32_t to;
};

struct bench {
    const char *folder;
    uint32_t scale;
    uint32_t vertices;
    uint32_t edges;
    struct pair *list; /* In order of (from, to): edge i has id i. */
    struct prng prng;
    struct store *store;
    char path[512];
    uint64_t seq;
    double shard_seconds; /* Within store_read, in steps. */
    struct error err;
};

/* Seconds of processor time: the machine has other work, and waits for the disk are not the
 * layout's. */
static double now(void)
{
    struct timespec at;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

static void say(const char *what, double value, const char *unit)
{
    printf("{\"bench\":\"layout\",\"what\":\"%s\",\"value\":%.4g,\"unit\":\"%s\"}\n", what, value,
           unit);
    fflush(stdout);
}

static void must(struct bench *bench, int rc, const char *what)
{
    if (rc < 0) {
        fprintf(stderr, "bench_layout: %s: %s\n", what, bench->err.text);
        exit(1);
    }
}

/* ---- the graph ---- */

static struct pair kronecker(struct bench *bench)
{
    struct pair pair = {0, 0};

    for (uint32_t i = 0; i < bench->scale; i++) {
        double r = prng_real(&bench->prng);

        pair.from = pair.from << 1 | (r >= 0.76);
        pair.to = pair.to << 1 | ((r >= 0.57 && r < 0.76) || r >= 0.95);
    }
    return pair;
}

static int order_pairs(const void *a, const void *b)
{
    const struct pair *x = a;
    const struct pair *y = b;

    if (x->from != y->from) {
        return x->from < y->from ? -1 : 1;
    }
    return (x->to > y->to) - (x->to < y->to);
}

static void generate(struct bench *bench)
{
    bench->vertices = 1U << bench->scale;
    bench->edges = bench->vertices * EDGES_PER_VERTEX;
    bench->list = mem_array(bench->edges, sizeof *bench->list);
    for (uint32_t i = 0; i < bench->edges; i++) {
        bench->list[i] = kronecker(bench);
    }
    qsort(bench->list, bench->edges, sizeof *bench->list, order_pairs);
}

/* Bytes of the pages of tables, as SQLite's dbstat says. */
static double table_bytes(struct bench *bench, const char *names)
{
    char text[256];
    sqlite3_stmt *s;
    sqlite3 *db;
    double bytes = 0;

    if (sqlite3_open(bench->path, &db) != SQLITE_OK) {
        exit(1);
    }
    snprintf(text, sizeof text, "SELECT sum(pgsize) FROM dbstat WHERE name IN (%s)", names);
    if (sqlite3_prepare_v2(db, text, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW) {
        bytes = sqlite3_column_double(s, 0);
    }
    sqlite3_finalize(s);
    sqlite3_close(db);
    return bytes;
}

/* ---- an edge per row ---- */

static void sql(sqlite3 *db, const char *text)
{
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK) {
        fprintf(stderr, "bench_layout: %s: %s\n", text, sqlite3_errmsg(db));
        exit(1);
    }
}

static void insert_rows(struct bench *bench, sqlite3 *db)
{
    sqlite3_stmt *s;
    double start = now();

    sql(db, "BEGIN");
    sqlite3_prepare_v2(db, "INSERT INTO adj VALUES(?1, ?2, 1, ?3, ?4)", -1, &s, NULL);
    for (int direction = 0; direction < 2; direction++) {
        for (uint32_t i = 0; i < bench->edges; i++) {
            const struct pair *pair = &bench->list[i];

            sqlite3_bind_int64(s, 1, direction == 0 ? pair->from : pair->to);
            sqlite3_bind_int(s, 2, direction);
            sqlite3_bind_int64(s, 3, direction == 0 ? pair->to : pair->from);
            sqlite3_bind_int64(s, 4, i);
            sqlite3_step(s);
            sqlite3_reset(s);
        }
    }
    sqlite3_finalize(s);
    sql(db, "COMMIT");
    say("rows: load, both directions", bench->edges / (now() - start), "edges/s");
}

static void scan_rows(struct bench *bench, sqlite3 *db)
{
    sqlite3_stmt *s;
    uint64_t sum = 0;
    uint64_t edges = 0;
    double start = now();

    sqlite3_prepare_v2(db, "SELECT dst FROM adj WHERE src = ?1 AND dir = 0 AND label = 1", -1, &s,
                       NULL);
    for (uint32_t v = 0; v < bench->vertices; v++) {
        sqlite3_bind_int64(s, 1, v);
        while (sqlite3_step(s) == SQLITE_ROW) {
            sum += (uint64_t)sqlite3_column_int64(s, 0);
            edges++;
        }
        sqlite3_reset(s);
    }
    sqlite3_finalize(s);
    say("rows: 1-hop of all", (double)edges / (now() - start), "edges/s");
    if (edges != bench->edges || sum == 1) {
        fprintf(stderr, "bench_layout: rows: %llu edges\n", (unsigned long long)edges);
        exit(1);
    }
}

static void bench_rows(struct bench *bench)
{
    sqlite3 *db;

    snprintf(bench->path, sizeof bench->path, "%s/rows.db", bench->folder);
    remove(bench->path);
    if (sqlite3_open(bench->path, &db) != SQLITE_OK) {
        exit(1);
    }
    sql(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-500000;"
            "CREATE TABLE adj(src INT, dir INT, label INT, dst INT, edge INT,"
            " PRIMARY KEY(src, dir, label, dst, edge)) WITHOUT ROWID");
    insert_rows(bench, db);
    scan_rows(bench, db);
    sqlite3_close(db);
    say("rows: both directions", table_bytes(bench, "'adj'") / bench->edges, "bytes/edge");
    remove(bench->path);
}

/* ---- the store ---- */

static void open_store(struct bench *bench, size_t cache_bytes)
{
    const struct store_options options = {
        .path = bench->path,
        .cluster_id = 1,
        .shard = 1,
        .graph = 1,
        .partitioner = PARTITION_HASH,
        .ids = IDS_LONG,
        .cache_bytes = 500 << 20,
        .adjacency_cache_bytes = cache_bytes,
        .is_sync = true,
    };

    must(bench, store_open(&bench->store, &options, &bench->err), "open");
}

static void commit(struct bench *bench, enum store_entry_kind kind, struct slice list)
{
    struct bytes body = {0};
    struct store_entry entry = {
        .index = store_state(bench->store).last + 1, .epoch = 1, .kind = kind};

    if (kind == STORE_TXN1) {
        must(bench, store_check(bench->store, list, &bench->err), "check");
        bytes_varint(&body, 1);
        bytes_varint(&body, ++bench->seq);
        bytes_varint(&body, bench->seq);
    }
    bytes_append(&body, list.data, list.size);
    entry.body = bytes_slice(&body);
    must(bench,
         store_append(bench->store,
                      &(struct store_append){.entries = &entry, .count = 1, .promise = 1},
                      &bench->err),
         "append");
    must(bench, store_apply(bench->store, entry.index, &bench->err), "apply");
    (void)store_tend(bench->store, 1, &bench->err);
    bytes_close(&body);
}

static void define_index(struct bench *bench)
{
    struct bytes body = {0};

    bytes_varint(&body, 1);
    bytes_varint(&body, 1);
    bytes_blob(&body, SLICE("byCode"));
    bytes_blob(&body, SLICE("node"));
    bytes_blob(&body, SLICE("code"));
    commit(bench, STORE_SCHEMA, bytes_slice(&body));
    bytes_close(&body);
    while (store_tend(bench->store, 1, &bench->err)) {
    }
}

static void add_vertices(struct bench *bench)
{
    struct bytes list = {0};
    double start = now();

    for (uint32_t v = 0; v < bench->vertices; v += BATCH_EDGES) {
        uint32_t end = bench->vertices - v < BATCH_EDGES ? bench->vertices : v + BATCH_EDGES;

        bytes_clear(&list);
        bytes_varint(&list, end - v);
        for (uint32_t i = v; i < end; i++) {
            const struct vproperty prop = {.key = SLICE("code"), .value = value_long(i)};
            const struct change change = {.kind = CHANGE_VERTEX_ADD,
                                          .vertex = vid_num(i),
                                          .label = SLICE("node"),
                                          .vprops = &prop,
                                          .vprop_count = 1};
            change_encode(&list, &change);
        }
        commit(bench, STORE_TXN1, bytes_slice(&list));
    }
    say("runs: load vertices, one index", bench->vertices / (now() - start), "vertices/s");
    bytes_close(&list);
}

/* Edges in that order, BATCH_EDGES a transaction. The transactions are encoded before the clock
 * runs. */
static double add_edges(struct bench *bench, const uint32_t *order)
{
    uint32_t batches = (bench->edges + BATCH_EDGES - 1) / BATCH_EDGES;
    struct bytes *lists = mem_array(batches, sizeof *lists);
    double start;

    for (uint32_t b = 0; b < batches; b++) {
        uint32_t from = b * BATCH_EDGES;
        uint32_t end = bench->edges - from < BATCH_EDGES ? bench->edges : from + BATCH_EDGES;

        bytes_varint(&lists[b], (end - from) * 2);
        for (uint32_t i = from; i < end; i++) {
            const struct pair *pair = &bench->list[order[i]];
            struct change half = {.kind = CHANGE_EDGE_ADD,
                                  .direction = DIRECTION_OUT,
                                  .vertex = vid_num(pair->from),
                                  .far = vid_num(pair->to),
                                  .edge = vid_num(order[i]),
                                  .label = SLICE("link"),
                                  .far_label = SLICE("node")};
            change_encode(&lists[b], &half);
            half.direction = DIRECTION_IN;
            half.vertex = vid_num(pair->to);
            half.far = vid_num(pair->from);
            change_encode(&lists[b], &half);
        }
    }
    start = now();
    for (uint32_t b = 0; b < batches; b++) {
        commit(bench, STORE_TXN1, bytes_slice(&lists[b]));
    }
    start = now() - start;
    for (uint32_t b = 0; b < batches; b++) {
        bytes_close(&lists[b]);
    }
    mem_free(lists);
    return start;
}

static void load(struct bench *bench, const char *name, const uint32_t *order)
{
    char what[128];
    double seconds;

    snprintf(bench->path, sizeof bench->path, "%s/runs.db", bench->folder);
    open_store(bench, 0);
    store_close(&bench->store);
    must(bench, storefile_delete(NULL, bench->path, &bench->err), "delete");
    open_store(bench, 0);
    define_index(bench);
    add_vertices(bench);
    seconds = add_edges(bench, order);
    snprintf(what, sizeof what, "runs: load, %s, checks, journal, both directions, places", name);
    say(what, bench->edges / seconds, "edges/s");
    store_close(&bench->store);
    snprintf(what, sizeof what, "runs: adjacency, %s", name);
    say(what, table_bytes(bench, "'adjacency'") / bench->edges, "bytes/edge");
    snprintf(what, sizeof what, "runs: places, %s", name);
    say(what, table_bytes(bench, "'place'") / bench->edges, "bytes/edge");
    snprintf(what, sizeof what, "runs: all of an edge, %s", name);
    say(what, table_bytes(bench, "'adjacency','place'") / bench->edges, "bytes/edge");
    say("runs: vertex, label index, property index",
        table_bytes(bench, "'vertex','vertex_label','idx_value'") / bench->vertices,
        "bytes/vertex");
}

/* ---- reading ---- */

static uint64_t read_all(struct bench *bench, struct read_request request, uint64_t *rows)
{
    struct bytes reply = {0};
    struct arena arena = {0};
    struct read_reply open = {0};
    uint64_t scanned = 0;

    *rows = 0;
    do {
        bytes_clear(&reply);
        must(bench, store_read(bench->store, &request, NULL, &reply, &bench->err), "read");
        must(bench, read_reply_open(bytes_slice(&reply), &arena, false, &open, &bench->err),
             "reply");
        *rows += open.head.rows;
        scanned += open.head.scanned;
        request.cursor = slice_of(arena_copy(&arena, open.head.cursor.data, open.head.cursor.size),
                                  open.head.cursor.size);
        read_reply_close(&open);
    } while (request.cursor.size > 0);
    bytes_close(&reply);
    arena_close(&arena);
    return scanned;
}

static struct read_request hop_of(const struct read_input *inputs, uint32_t count,
                                  enum read_emit emit)
{
    static const struct slice label = {(const uint8_t *)"link", 4};

    return (struct read_request){
        .source = READ_IDS,
        .emit = emit,
        .skip_readset = true,
        .inputs = inputs,
        .input_count = count,
        .hop = {.direction = DIRECTION_OUT, .labels = &label, .label_count = 1}};
}

static void time_hop(struct bench *bench, const char *what, const struct read_request *request)
{
    uint64_t rows;
    double best = 1e9;
    uint64_t scanned = 0;

    for (int i = 0; i < 3; i++) {
        double start = now();
        scanned = read_all(bench, *request, &rows);
        start = now() - start;
        best = start < best ? start : best;
    }
    say(what, (double)scanned / best, "edges/s");
}

/* The distinct far vertices of a frontier, as the next frontier. */
static uint32_t step(struct bench *bench, struct read_input *inputs, uint32_t count,
                     uint64_t *scanned)
{
    struct read_request request = hop_of(inputs, count, READ_MERGED);
    struct bytes reply = {0};
    struct arena arena = {0};
    struct read_reply open;
    struct read_row row;
    uint32_t n = 0;

    double start = now();

    must(bench, store_read(bench->store, &request, NULL, &reply, &bench->err), "read");
    bench->shard_seconds += now() - start;
    must(bench, read_reply_open(bytes_slice(&reply), &arena, false, &open, &bench->err), "reply");
    *scanned += open.head.scanned;
    while (read_reply_next(&open, &arena, &row, &bench->err) == 1) {
        inputs[n++] = (struct read_input){vid_num(row.element.vertex->id.integer), 1};
    }
    read_reply_close(&open);
    bytes_close(&reply);
    arena_close(&arena);
    return n;
}

static void time_steps(struct bench *bench, const char *name, int hops)
{
    struct read_input *inputs = mem_array(bench->vertices, sizeof *inputs);
    uint64_t scanned = 0;
    bench->shard_seconds = 0;
    double start = now();
    int starts = hops == 3 ? 10 : 100;
    char what[128];

    for (int i = 0; i < starts; i++) {
        uint32_t count = 1;

        inputs[0] =
            (struct read_input){vid_num(bench->list[(uint32_t)i * 9973 % bench->edges].from), 1};
        for (int hop = 0; hop < hops; hop++) {
            count = step(bench, inputs, count, &scanned);
        }
    }
    start = now() - start;
    snprintf(what, sizeof what, "runs: %d-hop distinct, %s, in the shard", hops, name);
    say(what, (double)scanned / bench->shard_seconds, "edges/s");
    snprintf(what, sizeof what, "runs: %d-hop distinct, %s, one start, with decoding", hops, name);
    say(what, start / starts * 1e3, "ms");
    mem_free(inputs);
}

static void bench_reads(struct bench *bench, const char *name, size_t cache_bytes)
{
    struct read_input *inputs = mem_array(bench->vertices, sizeof *inputs);
    struct read_request request;
    char what[128];

    open_store(bench, cache_bytes);
    for (uint32_t v = 0; v < bench->vertices; v++) {
        inputs[v] = (struct read_input){vid_num(v), 1};
    }
    request = hop_of(inputs, bench->vertices, READ_MERGED);
    snprintf(what, sizeof what, "runs: 1-hop of all, merged, %s", name);
    time_hop(bench, what, &request);
    request.emit = READ_ROWS;
    snprintf(what, sizeof what, "runs: 1-hop of all, rows, %s", name);
    time_hop(bench, what, &request);
    request.emit = READ_COUNT;
    request.hop.far_filter_count = 0;
    snprintf(what, sizeof what, "runs: 1-hop of all, count by degrees, %s", name);
    time_hop(bench, what, &request);
    for (int hops = 1; hops <= 3; hops++) {
        time_steps(bench, name, hops);
    }
    store_close(&bench->store);
    mem_free(inputs);
}

/* Random edges, one a transaction, `group` transactions a durable append and an apply. */
static void bench_writes(struct bench *bench, uint32_t group)
{
    enum { GROUPS = 300 };
    struct store_entry *entries = mem_array(group, sizeof *entries);
    struct bytes *bodies = mem_array(group, sizeof *bodies);
    double start = now();
    char what[64];

    for (uint32_t g = 0; g < GROUPS; g++) {
        uint64_t index = store_state(bench->store).last + 1;

        for (uint32_t i = 0; i < group; i++, index++) {
            struct pair pair = kronecker(bench);
            struct change half = {.kind = CHANGE_EDGE_ADD,
                                  .direction = DIRECTION_OUT,
                                  .vertex = vid_num(pair.from),
                                  .far = vid_num(pair.to),
                                  .edge = vid_num((int64_t)1000000000 + (int64_t)index),
                                  .label = SLICE("link"),
                                  .far_label = SLICE("node")};
            size_t list;

            bytes_clear(&bodies[i]);
            bytes_varint(&bodies[i], 1);
            bytes_varint(&bodies[i], ++bench->seq);
            bytes_varint(&bodies[i], bench->seq);
            list = bodies[i].size;
            bytes_varint(&bodies[i], 2);
            change_encode(&bodies[i], &half);
            half.direction = DIRECTION_IN;
            half.vertex = vid_num(pair.to);
            half.far = vid_num(pair.from);
            change_encode(&bodies[i], &half);
            entries[i] = (struct store_entry){
                .index = index, .epoch = 1, .kind = STORE_TXN1, .body = bytes_slice(&bodies[i])};
            must(bench,
                 store_check(bench->store, slice_of(bodies[i].data + list, bodies[i].size - list),
                             &bench->err),
                 "check");
        }
        must(bench,
             store_append(bench->store,
                          &(struct store_append){.entries = entries, .count = group, .promise = 1},
                          &bench->err),
             "append");
        must(bench, store_apply(bench->store, index - 1, &bench->err), "apply");
        (void)store_tend(bench->store, 1000, &bench->err);
    }
    snprintf(what, sizeof what, "runs: random edges, one a transaction, groups of %u", group);
    say(what, GROUPS * group / (now() - start), "edges/s");
    for (uint32_t i = 0; i < group; i++) {
        bytes_close(&bodies[i]);
    }
    mem_free(bodies);
    mem_free(entries);
}

static uint32_t *make_order(struct bench *bench, bool is_shuffled)
{
    uint32_t *order = mem_array(bench->edges, sizeof *order);

    for (uint32_t i = 0; i < bench->edges; i++) {
        order[i] = i;
    }
    for (uint32_t i = bench->edges; is_shuffled && i > 1; i--) {
        uint32_t at = (uint32_t)prng_below(&bench->prng, i);
        uint32_t swap = order[i - 1];

        order[i - 1] = order[at];
        order[at] = swap;
    }
    return order;
}

int main(int argc, char **argv)
{
    struct bench bench = {.folder = argc > 1 ? argv[1] : ".", .scale = 16};
    uint32_t *order;

    if (argc > 2) {
        bench.scale = (uint32_t)strtoul(argv[2], NULL, 10);
    }
    prng_init(&bench.prng, 1);
    generate(&bench);
    bench_rows(&bench);
    order = make_order(&bench, true);
    load(&bench, "random order", order);
    mem_free(order);
    order = make_order(&bench, false);
    load(&bench, "ordered by source", order);
    mem_free(order);
    bench_reads(&bench, "from runs", 0);
    bench_reads(&bench, "from the cache", 256 << 20);
    open_store(&bench, 0);
    bench_writes(&bench, 1);
    bench_writes(&bench, 64);
    store_close(&bench.store);
    remove(bench.path);
    mem_free(bench.list);
    return 0;
}
