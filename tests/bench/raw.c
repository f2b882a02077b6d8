/*
 * What the measures are compared with, and the graph they are made on. Each prints one JSON line.
 *
 *   graph SCALE SEED FOLDER        Kronecker graph of 2^SCALE vertices, 16 edges each, as CSV:
 *                                  vertices.csv, edges.csv in random order; says starts for hops
 *   rows SCALE SEED FOLDER STARTS  an edge a row in SQLite, both directions, one index on a
 * property:
 *                                  load, then 1-, 2- and 3-hop distinct counts from these starts
 *   commit N FOLDER                SQLite, WAL, synchronous=FULL: N commits of one row
 *   echo N                         ZeroMQ DEALER to ROUTER, tcp, two processes: N round trips, one
 *                                  and two in a row, and 64 under way
 *   bytes FILE...                  bytes of the pages of each table (dbstat), of the files together
 */
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "common/mem.h"
#include "common/prng.h"

enum { EDGES_PER_VERTEX = 16, STARTS_MAX = 1000, AT_ONCE = 64 };

struct pair {
    uint32_t from, to;
};

struct graph {
    uint32_t vertices, edges;
    struct pair *list;
};

static double now(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

static double processor_now(void)
{
    struct timespec at;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_raw: %s: %s\n", what, why);
    exit(1);
}

static int order_times(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static double p_of(double *times, uint32_t count, uint32_t percent)
{
    qsort(times, count, sizeof(*times), order_times);
    return times[(uint64_t)count * percent / 100] * 1e6;
}

/* ---- the graph ---- */

static void generate(struct graph *graph, const char *scale_text, const char *seed)
{
    uint32_t scale = (uint32_t)strtoul(scale_text, NULL, 10);
    struct prng prng;

    if (scale < 4 || scale > 24) {
        die("graph", "SCALE is from 4 to 24");
    }
    prng_init(&prng, strtoull(seed, NULL, 10));
    graph->vertices = 1U << scale;
    graph->edges = graph->vertices * EDGES_PER_VERTEX;
    graph->list = mem_array(graph->edges, sizeof(*graph->list));
    for (uint32_t i = 0; i < graph->edges; i++) {
        struct pair pair = {0, 0};
        for (uint32_t bit = 0; bit < scale; bit++) {
            double r = prng_real(&prng);
            pair.from = pair.from << 1 | (r >= 0.76);
            pair.to = pair.to << 1 | ((r >= 0.57 && r < 0.76) || r >= 0.95);
        }
        graph->list[i] = pair;
    }
}

static FILE *open_csv(const char *folder, const char *name, const char *head)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "w");
    if (file == NULL) {
        die(path, "cannot be written");
    }
    fputs(head, file);
    return file;
}

static int write_graph(char **args)
{
    struct graph graph;
    FILE *file;

    generate(&graph, args[0], args[1]);
    file = open_csv(args[2], "vertices.csv", "~id,~label,code:long\n");
    for (uint32_t v = 0; v < graph.vertices; v++) {
        fprintf(file, "%u,node,%u\n", v, v);
    }
    fclose(file);
    file = open_csv(args[2], "edges.csv", "~from,~to,~label\n");
    for (uint32_t i = 0; i < graph.edges; i++) {
        fprintf(file, "%u,%u,link\n", graph.list[i].from, graph.list[i].to);
    }
    fclose(file);
    printf("{\"vertices\":%u,\"edges\":%u,\"starts\":[", graph.vertices, graph.edges);
    for (uint32_t i = 0; i < 100; i++) {
        printf("%s%u", i > 0 ? "," : "", graph.list[(uint64_t)i * 9973 % graph.edges].from);
    }
    printf("]}\n");
    mem_free(graph.list);
    return 0;
}

/* ---- an edge a row ---- */

static void sql(sqlite3 *db, const char *text)
{
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK) {
        die(text, sqlite3_errmsg(db));
    }
}

static sqlite3 *open_db(const char *folder)
{
    char path[4096];
    sqlite3 *db;

    snprintf(path, sizeof(path), "%s/raw.db", folder);
    remove(path);
    if (sqlite3_open(path, &db) != SQLITE_OK) {
        die(path, "cannot be opened");
    }
    sql(db, "PRAGMA journal_mode=WAL; PRAGMA cache_size=-500000;");
    return db;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *text)
{
    sqlite3_stmt *s;

    if (sqlite3_prepare_v2(db, text, -1, &s, NULL) != SQLITE_OK) {
        die(text, sqlite3_errmsg(db));
    }
    return s;
}

static void insert_edges(sqlite3_stmt *s, const struct graph *graph, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        for (int direction = 0; direction < 2; direction++) {
            const struct pair *pair = &graph->list[i];

            sqlite3_bind_int64(s, 1, direction == 0 ? pair->from : pair->to);
            sqlite3_bind_int(s, 2, direction);
            sqlite3_bind_int64(s, 3, direction == 0 ? pair->to : pair->from);
            sqlite3_bind_int64(s, 4, i);
            sqlite3_step(s);
            sqlite3_reset(s);
        }
    }
}

static double load_rows(sqlite3 *db, const struct graph *graph)
{
    sqlite3_stmt *s;
    double start;

    sql(db, "PRAGMA synchronous=FULL;"
            "CREATE TABLE vertex(id INTEGER PRIMARY KEY, label INT, code INT);"
            "CREATE INDEX by_code ON vertex(code);"
            "CREATE TABLE adj(src INT, dir INT, label INT, dst INT, edge INT,"
            " PRIMARY KEY(src, dir, label, dst, edge)) WITHOUT ROWID;");
    start = now();
    sql(db, "BEGIN");
    s = prepare(db, "INSERT INTO vertex VALUES(?1, 1, ?1)");
    for (uint32_t v = 0; v < graph->vertices; v++) {
        sqlite3_bind_int64(s, 1, v);
        sqlite3_step(s);
        sqlite3_reset(s);
    }
    sqlite3_finalize(s);
    sql(db, "COMMIT");
    s = prepare(db, "INSERT INTO adj VALUES(?1, ?2, 1, ?3, ?4)");
    for (uint32_t i = 0; i < graph->edges; i += 30000) {
        sql(db, "BEGIN");
        insert_edges(s, graph, i, graph->edges - i < 30000 ? graph->edges : i + 30000);
        sql(db, "COMMIT");
    }
    sqlite3_finalize(s);
    return now() - start;
}

/* The next frontier: distinct vertices one hop away. */
static uint32_t hop(sqlite3_stmt *s, const uint32_t *from, uint32_t count, uint32_t *to,
                    uint8_t *seen)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < count; i++) {
        sqlite3_bind_int64(s, 1, from[i]);
        while (sqlite3_step(s) == SQLITE_ROW) {
            uint32_t far = (uint32_t)sqlite3_column_int64(s, 0);
            if ((seen[far / 8] >> (far % 8) & 1) == 0) {
                seen[far / 8] = (uint8_t)(seen[far / 8] | 1 << (far % 8));
                to[n++] = far;
            }
        }
        sqlite3_reset(s);
    }
    return n;
}

static void time_hops(sqlite3 *db, const struct graph *graph, uint32_t hops, const uint32_t *starts,
                      uint32_t start_count)
{
    sqlite3_stmt *s = prepare(db, "SELECT dst FROM adj WHERE src = ?1 AND dir = 0 AND label = 1");
    uint32_t *lists[2] = {mem_array(graph->vertices, 4), mem_array(graph->vertices, 4)};
    uint8_t *seen = mem_alloc(graph->vertices / 8 + 1);
    double *times = mem_array(start_count, sizeof(*times));
    uint64_t sum = 0;

    for (uint32_t i = 0; i < start_count; i++) {
        double start = now();
        uint32_t count = 1;

        lists[0][0] = starts[i];
        for (uint32_t h = 0; h < hops; h++) {
            memset(seen, 0, graph->vertices / 8 + 1);
            count = hop(s, lists[h % 2], count, lists[(h + 1) % 2], seen);
        }
        times[i] = now() - start;
        sum += count;
    }
    printf(",\"hop%u_p50_us\":%.1f,\"hop%u_sum\":%llu", hops, p_of(times, start_count, 50), hops,
           (unsigned long long)sum);
    sqlite3_finalize(s);
    mem_free(lists[0]);
    mem_free(lists[1]);
    mem_free(seen);
    mem_free(times);
}

static int bench_rows(char **args)
{
    struct graph graph;
    uint32_t starts[STARTS_MAX];
    uint32_t count = 0;
    char *rest = args[3];
    double seconds, processor;
    sqlite3 *db = open_db(args[2]);

    generate(&graph, args[0], args[1]);
    for (char *word; count < STARTS_MAX && (word = strtok_r(rest, ",", &rest)) != NULL; count++) {
        starts[count] = (uint32_t)strtoul(word, NULL, 10);
    }
    processor = processor_now();
    seconds = load_rows(db, &graph);
    processor = processor_now() - processor;
    printf("{\"edges_per_s\":%.0f,\"edges_per_cpu_s\":%.0f", graph.edges / seconds,
           graph.edges / processor);
    for (uint32_t hops = 1; hops <= 3; hops++) {
        time_hops(db, &graph, hops, starts, hops == 3 && count > 20 ? 20 : count);
    }
    printf("}\n");
    sqlite3_close(db);
    mem_free(graph.list);
    return 0;
}

/* ---- commits ---- */

static int bench_commit(char **args)
{
    uint32_t n = (uint32_t)strtoul(args[0], NULL, 10);
    sqlite3 *db = open_db(args[1]);
    double *times = mem_array(n, sizeof(*times));
    double start = now(), seconds;
    sqlite3_stmt *s;

    sql(db, "PRAGMA synchronous=FULL; CREATE TABLE t(id INTEGER PRIMARY KEY, body BLOB)");
    s = prepare(db, "INSERT INTO t VALUES(NULL, zeroblob(64))");
    for (uint32_t i = 0; i < n; i++) {
        double from = now();
        sqlite3_step(s);
        sqlite3_reset(s);
        times[i] = now() - from;
    }
    seconds = now() - start;
    printf("{\"rate\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f}\n", n / seconds, p_of(times, n, 50),
           p_of(times, n, 99));
    sqlite3_finalize(s);
    sqlite3_close(db);
    mem_free(times);
    return 0;
}

/* ---- messages ---- */

static void serve_echo(int ready)
{
    void *context = zmq_ctx_new();
    void *router = zmq_socket(context, ZMQ_ROUTER);
    char address[256] = {0};
    size_t size = sizeof(address);

    if (zmq_bind(router, "tcp://127.0.0.1:*") != 0 ||
        zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, address, &size) != 0 ||
        write(ready, address, sizeof(address)) != (ssize_t)sizeof(address)) {
        die("echo", "no port");
    }
    for (;;) {
        zmq_msg_t part;
        int more;

        zmq_msg_init(&part);
        zmq_msg_recv(&part, router, 0);
        more = zmq_msg_more(&part);
        zmq_msg_send(&part, router, more ? ZMQ_SNDMORE : 0);
    }
}

static void send_one(void *dealer)
{
    static const char body[64];

    if (zmq_send(dealer, body, sizeof(body), 0) < 0) {
        die("echo", "not sent");
    }
}

static void take_one(void *dealer)
{
    char body[256];

    if (zmq_recv(dealer, body, sizeof(body), 0) < 0) {
        die("echo", "nothing came");
    }
}

static double time_trips(void *dealer, uint32_t n, uint32_t in_a_row)
{
    double *times = mem_array(n, sizeof(*times));
    double p50;

    for (uint32_t i = 0; i < n; i++) {
        double from = now();
        for (uint32_t k = 0; k < in_a_row; k++) {
            send_one(dealer);
            take_one(dealer);
        }
        times[i] = now() - from;
    }
    p50 = p_of(times, n, 50);
    mem_free(times);
    return p50;
}

static double rate_at_once(void *dealer, uint32_t n)
{
    double start = now();

    for (uint32_t i = 0; i < AT_ONCE; i++) {
        send_one(dealer);
    }
    for (uint32_t i = 0; i < n; i++) {
        take_one(dealer);
        send_one(dealer);
    }
    for (uint32_t i = 0; i < AT_ONCE; i++) {
        take_one(dealer);
    }
    return n / (now() - start);
}

static int bench_echo(char **args)
{
    uint32_t n = (uint32_t)strtoul(args[0], NULL, 10);
    char address[256];
    double one, two, rate;
    int ends[2];
    pid_t child = -1;
    void *context, *dealer;

    if (pipe(ends) != 0 || (child = fork()) < 0) {
        die("echo", "no process");
    }
    if (child == 0) {
        serve_echo(ends[1]);
    }
    if (read(ends[0], address, sizeof(address)) != (ssize_t)sizeof(address)) {
        die("echo", "no address");
    }
    context = zmq_ctx_new();
    dealer = zmq_socket(context, ZMQ_DEALER);
    zmq_connect(dealer, address);
    (void)time_trips(dealer, n / 10 + 1, 1);
    one = time_trips(dealer, n, 1);
    two = time_trips(dealer, n, 2);
    rate = rate_at_once(dealer, n);
    printf("{\"one_p50_us\":%.1f,\"two_p50_us\":%.1f,\"rate_64\":%.0f}\n", one, two, rate);
    zmq_close(dealer);
    zmq_ctx_destroy(context);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return 0;
}

/* ---- sizes ---- */

static int tell_bytes(char **files)
{
    const char *separator = "{";

    for (; *files != NULL; files++) {
        sqlite3_stmt *s;
        sqlite3 *db;

        if (sqlite3_open_v2(*files, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
            die(*files, "cannot be opened");
        }
        s = prepare(db, "SELECT name, sum(pgsize) FROM dbstat GROUP BY name UNION ALL"
                        " SELECT 'free', freelist_count * page_size FROM pragma_freelist_count,"
                        " pragma_page_size");
        printf("%s\"%s\":{", separator, *files);
        separator = "";
        while (sqlite3_step(s) == SQLITE_ROW) {
            printf("%s\"%s\":%lld", separator, (const char *)sqlite3_column_text(s, 0),
                   sqlite3_column_int64(s, 1));
            separator = ",";
        }
        printf("}");
        separator = ",";
        sqlite3_finalize(s);
        sqlite3_close(db);
    }
    printf("}\n");
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int args;
        int (*run)(char **args);
    } commands[] = {{"graph", 3, write_graph},
                    {"rows", 4, bench_rows},
                    {"commit", 2, bench_commit},
                    {"echo", 1, bench_echo},
                    {"bytes", 1, tell_bytes}};

    for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0 && argc >= 2 + commands[i].args) {
            return commands[i].run(argv + 2);
        }
    }
    die("usage", "see the head of tests/bench/raw.c");
}
