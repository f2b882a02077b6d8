#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/crc.h"
#include "common/mem.h"
#include "common/prng.h"
#include "shardd/store/pagesum.h"
#include "shardd/store/upgrade.h"
#include "shardd/store/walmark.h"
#include "tests/lib/runner.h"
#include "tests/lib/storefix.h"

enum { VERTICES = 300, FLIPS = 400 };

/* ---- whole files ---- */

struct image {
    uint8_t *data;
    size_t size;
};

static struct image load(const char *path)
{
    struct image image = {0};
    FILE *file = fopen(path, "rb");

    ck_assert_ptr_nonnull(file);
    fseek(file, 0, SEEK_END);
    image.size = (size_t)ftell(file);
    rewind(file);
    image.data = mem_alloc(image.size + 1);
    ck_assert_uint_eq(fread(image.data, 1, image.size, file), image.size);
    fclose(file);
    return image;
}

static void save(const char *path, const struct image *image)
{
    FILE *file = fopen(path, "wb");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(image->data, 1, image->size, file), image->size);
    fclose(file);
}

static const char *wal_of(struct storefix *fix)
{
    return arena_format(&fix->arena, "%s-wal", fix->path);
}

/* ---- a graph, and all that is to be read of it ---- */

static void fill(struct storefix *fix)
{
    char text[64];
    struct bytes body;

    bytes_init(&body, 0);
    bytes_varint(&body, 1);
    bytes_varint(&body, 1);
    bytes_blob(&body, SLICE("by_k"));
    bytes_blob(&body, SLICE("v"));
    bytes_blob(&body, SLICE("k"));
    storefix_entry(fix, STORE_SCHEMA, bytes_slice(&body));
    bytes_close(&body);
    for (int64_t i = 0; i < VERTICES; i++) {
        snprintf(text, sizeof text, "a text that takes some room, of number %d", (int)i);
        storefix_vertex_with(fix, vid_num(i), "v", "k", value_cstring(text));
        if (i > 0) {
            storefix_edge(fix, 1000 + i, i, i / 2, "e");
            storefix_edge(fix, 2000 + i, i / 3, i, "f");
        }
        if (i % 50 == 49) {
            storefix_commit(fix);
        }
    }
    while (store_tend(fix->store, 10, &fix->err)) {
    }
}

/* Adds the reply to a sum; or what it failed with. */
static int ask(struct storefix *fix, const struct read_request *request, uint32_t *sum)
{
    struct store_budget budget = {.bytes = READ_REPLY_BYTES};
    struct reader reader;

    bytes_clear(&fix->reply);
    int rc = store_read(fix->store, request, &budget, &fix->reply, &fix->err);
    if (rc != E_OK) {
        return rc;
    }
    reader_init(&reader, bytes_slice(&fix->reply));
    *sum = crc_extend(*sum, fix->reply.data, reader_u32(&reader)); /* Its head tells the time. */
    rc = read_reply_open(bytes_slice(&fix->reply), &fix->arena, false, &fix->open, NULL);
    ck_assert_int_eq(rc, E_OK);
    ck_assert_uint_eq(fix->open.head.cursor.size, 0);
    for (uint32_t i = 0; i < fix->open.symbol_count; i++) {
        *sum = crc_extend(*sum, fix->open.symbols[i].data, fix->open.symbols[i].size);
    }
    read_reply_close(&fix->open);
    return E_OK;
}

static int read_all(struct storefix *fix, uint32_t *sum)
{
    const struct read_request rows[] = {
        {.source = READ_VERTICES, .emit = READ_ROWS, .project = READ_ALL},
        {.source = READ_EDGES, .emit = READ_ROWS, .project = READ_ALL},
        {.source = READ_VERTICES, .emit = READ_LABEL_COUNTS},
        {.source = READ_EDGES, .emit = READ_LABEL_COUNTS},
        {.source = READ_VERTICES,
         .emit = READ_ROWS,
         .filters = storefix_filter(fix, READ_ON_KEY, "k",
                                    storefix_test(fix, PREDICATE_GTE, value_cstring("a"))),
         .filter_count = 1},
    };
    int rc = E_OK;

    *sum = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && rc == E_OK; i++) {
        rc = ask(fix, &rows[i], sum);
    }
    return rc;
}

static void count_fault(void *ctx, const char *what)
{
    (void)what;
    ++*(uint64_t *)ctx;
}

enum found { FOUND_OPEN, FOUND_READ, FOUND_CHECK, FOUND_NOTHING, FOUND_COUNT };

/* Opens a file that has changed. Where it was found; never a wrong answer. */
static enum found try_file(struct storefix *fix, uint32_t wanted)
{
    enum found found = FOUND_NOTHING;
    uint64_t faults = 0;
    uint32_t sum;
    int rc = store_open(&fix->store, &fix->options, &fix->err);

    if (rc != E_OK) {
        ck_assert_msg(rc == E_CORRUPT || rc == E_CONFIG, "%s", fix->err.text);
        return FOUND_OPEN;
    }
    rc = store_apply(fix->store, store_state(fix->store).last, &fix->err);
    rc = rc == E_OK ? read_all(fix, &sum) : rc;
    if (rc != E_OK) {
        ck_assert_msg(rc == E_CORRUPT, "%s", fix->err.text);
        ck_assert_int_eq(store_damage(fix->store, NULL), E_CORRUPT);
        found = FOUND_READ;
    } else {
        ck_assert_msg(sum == wanted, "a wrong answer");
        rc = store_verify(fix->store, count_fault, &faults, &fix->err);
        if (rc != E_OK || faults > 0) {
            ck_assert_int_eq(store_damage(fix->store, NULL), E_CORRUPT);
            found = FOUND_CHECK;
        }
    }
    store_close(&fix->store);
    return found;
}

static const char *mark_of(struct storefix *fix)
{
    return arena_format(&fix->arena, "%s-end", fix->path);
}

/* The files of a store, as they are or as kill -9 would leave them. */
struct files {
    struct image file, wal, mark;
};

static void put_back(struct storefix *fix, const struct files *files)
{
    save(fix->path, &files->file);
    save(wal_of(fix), &files->wal);
    save(mark_of(fix), &files->mark);
}

static uint8_t mask_of(struct prng *prng, int i)
{
    return (uint8_t)(i % 2 == 0 ? UINT64_C(1) << prng_below(prng, 8) : prng_below(prng, 255) + 1);
}

/* Changes a byte of the image FLIPS times, and puts all back each time. */
static void flip(struct storefix *fix, const struct files *files, struct image *image,
                 uint32_t wanted, uint64_t found[FOUND_COUNT])
{
    struct prng prng;

    prng_init(&prng, 5);
    fix->options.cache_bytes = 1 << 16;
    for (int i = 0; i < FLIPS; i++) {
        size_t at = prng_below(&prng, image->size);
        uint8_t mask = mask_of(&prng, i);

        image->data[at] ^= mask;
        put_back(fix, files);
        image->data[at] ^= mask;
        enum found where = try_file(fix, wanted);
        found[where]++;
        ck_assert_msg(image == &files->wal || where != FOUND_NOTHING, "byte %zu of %zu", at,
                      image->size);
        arena_reset(&fix->arena);
    }
    put_back(fix, files);
    ck_assert_int_eq(store_open(&fix->store, &fix->options, &fix->err), E_OK);
}

static struct files load_files(struct storefix *fix)
{
    return (struct files){
        .file = load(fix->path), .wal = load(wal_of(fix)), .mark = load(mark_of(fix))};
}

static void free_files(struct files *files)
{
    mem_free(files->file.data);
    mem_free(files->wal.data);
    mem_free(files->mark.data);
}

/* One flipped bit gave wrong sums with "0 differences": now each byte of the file is found, by the
 * read that meets it, or by check. */
START_TEST(test_flipped_bytes)
{
    uint64_t found[FOUND_COUNT] = {0};
    struct storefix fix;
    uint32_t wanted;

    storefix_open(&fix);
    fill(&fix);
    storefix_reopen(&fix); /* All is in the file, none in the -wal. */
    ck_assert_int_eq(read_all(&fix, &wanted), E_OK);
    store_close(&fix.store);
    struct files files = {.file = load(fix.path)};
    flip(&fix, &files, &files.file, wanted, found);
    ck_assert_uint_gt(found[FOUND_OPEN], 0);
    ck_assert_uint_gt(found[FOUND_READ], 0);
    ck_assert_uint_gt(found[FOUND_CHECK], 0);
    free_files(&files);
    storefix_close(&fix);
}
END_TEST

/* A changed byte in a -wal looks like its end: what was committed behind it is not lost without a
 * word. Behind the last sync nothing was promised, and the journal has it all. */
START_TEST(test_flipped_bytes_of_a_wal)
{
    uint64_t found[FOUND_COUNT] = {0};
    struct storefix fix;
    uint32_t wanted;

    storefix_open(&fix);
    storefix_remove(&fix);
    fix.options.is_sync = true;
    ck_assert_int_eq(store_open(&fix.store, &fix.options, &fix.err), E_OK);
    fill(&fix);
    storefix_vertex(&fix, VERTICES, "v"); /* Its sync is that of all before, the index too. */
    storefix_commit(&fix);
    ck_assert_int_eq(read_all(&fix, &wanted), E_OK);
    struct files files = load_files(&fix);
    ck_assert_uint_gt(files.wal.size, 100000);
    store_close(&fix.store);
    flip(&fix, &files, &files.wal, wanted, found);
    ck_assert_uint_gt(found[FOUND_OPEN], FLIPS / 2);
    /* The mark itself: damaged, it says nothing. */
    store_close(&fix.store);
    files.mark.data[14] ^= 1;
    put_back(&fix, &files);
    ck_assert_int_eq(try_file(&fix, wanted), FOUND_NOTHING);
    free_files(&files);
    ck_assert_int_eq(store_open(&fix.store, &fix.options, &fix.err), E_OK);
    storefix_close(&fix);
}
END_TEST

/* A byte that changes under an open store: a frame, then a page that was written from it. */
START_TEST(test_flipped_while_open)
{
    struct storefix fix;
    uint32_t sum;
    uint64_t faults = 0;

    storefix_open(&fix);
    fix.options.cache_bytes = 1 << 16;
    storefix_reopen(&fix);
    fill(&fix);
    struct image wal = load(wal_of(&fix));
    for (size_t i = 40; i < wal.size; i += 500) {
        wal.data[i] ^= 4;
    }
    save(wal_of(&fix), &wal);
    mem_free(wal.data);
    int rc = read_all(&fix, &sum);
    rc = rc == E_OK ? store_verify(fix.store, count_fault, &faults, &fix.err) : rc;
    ck_assert_int_eq(rc, E_CORRUPT);
    ck_assert_ptr_nonnull(strstr(fix.err.text, "does not match its checksum"));
    storefix_close(&fix);
}
END_TEST

START_TEST(test_mark)
{
    const struct walmark mark = {.sequence = 3, .salts = {0x01020304, 5}, .size = 0x100000020};
    uint8_t data[WALMARK_SIZE];
    uint8_t head[WALMARK_HEAD] = {[15] = 9, [16] = 1, [23] = 2};
    struct walmark back;

    walmark_encode(&mark, data);
    back = walmark_decode(data);
    ck_assert_uint_eq(back.sequence, 3);
    ck_assert_uint_eq(back.salts[0], 0x01020304);
    ck_assert_uint_eq(back.salts[1], 5);
    ck_assert_uint_eq(back.size, mark.size);
    for (int i = 0; i < WALMARK_SIZE; i++) {
        data[i] ^= 16;
        ck_assert_uint_eq(walmark_decode(data).size, 0);
        data[i] ^= 16;
    }
    walmark_begin(&back, head);
    ck_assert_uint_eq(back.sequence, 9);
    ck_assert_uint_eq(back.salts[0], 1 << 24);
    ck_assert_uint_eq(back.salts[1], 2);
    ck_assert_uint_eq(back.size, 0);
}
END_TEST

/* ---- files of format 1 ---- */

static void run_sql(sqlite3 *db, const char *sql)
{
    char *problem = NULL;

    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &problem) == SQLITE_OK, "%s: %s", sql, problem);
}

/* The same rows in a file without sums, as format 1 had them. */
static void make_old(struct storefix *fix, const char *path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    struct bytes sql;

    ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL),
                     SQLITE_OK);
    run_sql(db, "PRAGMA page_size=4096; PRAGMA journal_mode=WAL");
    run_sql(db, arena_format(&fix->arena, "ATTACH '%s' AS made", fix->path));
    bytes_init(&sql, 0);
    ck_assert_int_eq(
        sqlite3_prepare_v2(db, "SELECT sql, name FROM made.sqlite_schema WHERE type = 'table'", -1,
                           &s, NULL),
        SQLITE_OK);
    while (sqlite3_step(s) == SQLITE_ROW) {
        bytes_format(&sql, "%s; INSERT INTO main.%s SELECT * FROM made.%s;",
                     (const char *)sqlite3_column_text(s, 0),
                     (const char *)sqlite3_column_text(s, 1),
                     (const char *)sqlite3_column_text(s, 1));
    }
    sqlite3_finalize(s);
    bytes_u8(&sql, 0);
    run_sql(db, (const char *)sql.data);
    run_sql(db, "UPDATE main.meta SET v = CAST('1' AS BLOB) WHERE k = 'format'");
    bytes_close(&sql);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/* A file of the format before opens, and has sums from then on; one whose head was changed so that
 * it passes for such a file does not. */
START_TEST(test_format_before)
{
    struct storefix fix;
    struct error err;
    uint32_t wanted, sum;
    uint64_t faults = 0;

    storefix_open(&fix);
    fill(&fix);
    ck_assert_int_eq(read_all(&fix, &wanted), E_OK);
    store_close(&fix.store);
    const char *old = arena_format(&fix.arena, "%s.old", fix.path);
    make_old(&fix, old);
    ck_assert_int_eq(rename(old, fix.path), 0);
    storefix_reopen(&fix);
    ck_assert_int_eq(read_all(&fix, &sum), E_OK);
    ck_assert_uint_eq(sum, wanted);
    ck_assert_int_eq(store_verify(fix.store, count_fault, &faults, &fix.err), E_OK);
    ck_assert_uint_eq(faults, 0);
    storefix_reopen(&fix);
    store_close(&fix.store);

    struct image image = load(fix.path);
    ck_assert_uint_eq(image.data[20], PAGESUM_RESERVED);
    image.data[20] = 0;
    save(fix.path, &image);
    ck_assert_int_eq(store_open(&fix.store, &fix.options, &err), E_CORRUPT);
    image.data[60] ^= 1; /* Two bytes: page 1 could be an old one, but meta says that it is not. */
    save(fix.path, &image);
    ck_assert_int_eq(store_open(&fix.store, &fix.options, &err), E_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "no file of format 1"));
    image.data[20] = PAGESUM_RESERVED;
    image.data[60] ^= 1;
    save(fix.path, &image);
    mem_free(image.data);
    ck_assert_int_eq(upgrade_run(fix.path, "fault", &err), E_CONFIG);
    storefix_reopen(&fix);
    storefix_close(&fix);
}
END_TEST

RUN_SUITE("pagesum", test_flipped_bytes, test_flipped_bytes_of_a_wal, test_flipped_while_open,
          test_mark, test_format_before)
