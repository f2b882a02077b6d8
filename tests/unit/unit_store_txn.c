#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "shardd/store/pagesum.h"
#include "shardd/store/store_inner.h"
#include "tests/lib/runner.h"
#include "tests/lib/storefix.h"

/* Journal, prepared transactions, sessions, validation, items, properties, damage. */

static uint64_t vertex_count(struct storefix *fix)
{
    struct read_request request = {.source = READ_VERTICES};

    return storefix_count(fix, &request);
}

/* ---- prepared transactions ---- */

static void prepare(struct storefix *fix, struct txn_gtid gtid)
{
    struct txn_prepare prepare = {
        .gtid = gtid, .sid = 9, .seq = 1, .part = {.shard = 1, .changes = storefix_list(fix)}};
    struct bytes body;

    bytes_init(&body, 0);
    txn_prepare_encode(&body, &prepare);
    storefix_entry(fix, STORE_PREPARE, bytes_slice(&body));
    bytes_close(&body);
    storefix_forget(fix);
}

static void decide(struct storefix *fix, enum store_entry_kind kind, struct txn_gtid gtid,
                   struct txn_gtid watermark)
{
    struct bytes body;

    bytes_init(&body, 0);
    bytes_varint(&body, gtid.term);
    bytes_varint(&body, gtid.counter);
    bytes_varint(&body, watermark.term);
    bytes_varint(&body, watermark.counter);
    storefix_entry(fix, kind, bytes_slice(&body));
    bytes_close(&body);
}

struct seen {
    uint64_t prepared, prepared_index, committed, aborted, sessions, last_seq;
};

static void on_prepared(void *ctx, uint64_t index, const struct txn_prepare *prepare)
{
    struct seen *seen = ctx;

    ck_assert_uint_eq(prepare->part.shard, 1);
    seen->prepared++;
    seen->prepared_index = index;
}

static void on_finished(void *ctx, struct txn_gtid gtid, bool is_committed)
{
    struct seen *seen = ctx;

    (void)gtid;
    seen->committed += is_committed;
    seen->aborted += !is_committed;
}

static void on_session(void *ctx, uint64_t sid, uint64_t seq, uint64_t index)
{
    struct seen *seen = ctx;

    ck_assert_uint_eq(sid, 5);
    ck_assert_uint_gt(index, 0);
    seen->sessions++;
    seen->last_seq = seq;
}

static struct seen look(struct storefix *fix)
{
    struct seen seen = {0};

    ck_assert_int_eq(store_each_prepared(fix->store, on_prepared, &seen, &fix->err), E_OK);
    ck_assert_int_eq(store_each_finished(fix->store, on_finished, &seen, &fix->err), E_OK);
    ck_assert_int_eq(store_each_session(fix->store, on_session, &seen, &fix->err), E_OK);
    return seen;
}

START_TEST(test_two_phases)
{
    const struct txn_gtid a = {1, 1}, b = {1, 2}, none = {0, 0};
    struct storefix fix;

    storefix_open(&fix);
    storefix_vertex(&fix, 1, "v");
    prepare(&fix, a);
    ck_assert_uint_eq(vertex_count(&fix), 0);
    ck_assert_uint_eq(look(&fix).prepared_index, 1);
    storefix_reopen(&fix);
    ck_assert_uint_eq(look(&fix).prepared, 1);
    decide(&fix, STORE_COMMIT, a, none);
    ck_assert_uint_eq(vertex_count(&fix), 1);
    ck_assert_uint_eq(look(&fix).prepared, 0);
    ck_assert_uint_eq(look(&fix).committed, 1);
    decide(&fix, STORE_COMMIT, a, none);
    ck_assert_uint_eq(vertex_count(&fix), 1);
    storefix_vertex(&fix, 2, "v");
    prepare(&fix, b);
    decide(&fix, STORE_ABORT, b, b);
    ck_assert_uint_eq(vertex_count(&fix), 1);
    ck_assert_uint_eq(look(&fix).committed, 0); /* Below the watermark: forgotten. */
    ck_assert_uint_eq(look(&fix).aborted, 1);
    storefix_close(&fix);
}
END_TEST

/* PREPARE and COMMIT applied together, after a start: what a power cut leaves. */
START_TEST(test_replay)
{
    const struct txn_gtid a = {1, 1};
    struct txn_prepare part = {.gtid = a, .part = {.shard = 1}};
    struct store_entry entries[3] = {{.index = 1, .epoch = 4, .kind = STORE_NOOP},
                                     {.index = 2, .epoch = 4, .kind = STORE_PREPARE},
                                     {.index = 3, .epoch = 4, .kind = STORE_COMMIT}};
    struct bytes prepared, decision;
    struct store_entry back;
    struct storefix fix;

    storefix_open(&fix);
    bytes_init(&prepared, 0);
    bytes_init(&decision, 0);
    storefix_vertex(&fix, 1, "v");
    part.part.changes = storefix_list(&fix);
    txn_prepare_encode(&prepared, &part);
    entries[1].body = bytes_slice(&prepared);
    for (int i = 0; i < 4; i++) {
        bytes_varint(&decision, i < 2);
    }
    entries[2].body = bytes_slice(&decision);
    ck_assert_int_eq(
        store_append(fix.store,
                     &(struct store_append){.entries = entries, .count = 3, .promise = 6},
                     &fix.err),
        E_OK);
    ck_assert_uint_eq(store_state(fix.store).applied, 0);
    ck_assert_uint_eq(store_state(fix.store).last, 3);
    store_close(&fix.store);
    ck_assert_int_eq(store_open(&fix.store, &fix.options, &fix.err), E_OK);
    ck_assert_uint_eq(store_state(fix.store).applied, 0); /* An open applies nothing. */
    ck_assert_uint_eq(store_state(fix.store).last, 3);
    ck_assert_uint_eq(store_state(fix.store).last_epoch, 4);
    ck_assert_int_eq(store_apply(fix.store, 3, &fix.err), E_OK);
    ck_assert_uint_eq(store_state(fix.store).applied, 3);
    ck_assert_uint_eq(store_state(fix.store).promised_epoch, 6);
    ck_assert_uint_eq(store_state(fix.store).first, 1);
    ck_assert_uint_eq(vertex_count(&fix), 1);
    ck_assert_int_eq(store_entry(fix.store, 2, &fix.arena, &back, &fix.err), E_OK);
    ck_assert_int_eq(back.kind, STORE_PREPARE);
    ck_assert_uint_eq(back.epoch, 4);
    ck_assert(slice_equal(back.body, bytes_slice(&prepared)));
    ck_assert_int_eq(store_entry(fix.store, 4, &fix.arena, &back, &fix.err), E_NOT_FOUND);
    bytes_close(&prepared);
    bytes_close(&decision);
    storefix_close(&fix);
}
END_TEST

START_TEST(test_sessions)
{
    struct storefix fix;

    storefix_open(&fix);
    for (int64_t i = 0; i < 5; i++) {
        storefix_vertex(&fix, i, "v");
        storefix_commit(&fix); /* low_seq is its own seq: older ones go. */
    }
    ck_assert_uint_eq(look(&fix).sessions, 1);
    ck_assert_uint_eq(look(&fix).last_seq, 5);
    storefix_close(&fix);
}
END_TEST

START_TEST(test_trim)
{
    struct store_entry back;
    struct storefix fix;

    storefix_open(&fix);
    for (int64_t i = 0; i < 600; i++) {
        storefix_vertex(&fix, i, "v");
        storefix_commit(&fix);
    }
    while (store_tend(fix.store, 100, &fix.err)) {
    }
    ck_assert_uint_eq(store_state(fix.store).first, 501);
    ck_assert_int_eq(store_entry(fix.store, 500, &fix.arena, &back, &fix.err), E_NOT_FOUND);
    ck_assert_int_eq(store_entry(fix.store, 501, &fix.arena, &back, &fix.err), E_OK);
    storefix_reopen(&fix);
    ck_assert_uint_eq(store_state(fix.store).first, 501);
    ck_assert_uint_eq(store_state(fix.store).last, 600);
    ck_assert_uint_eq(vertex_count(&fix), 600);
    storefix_close(&fix);
}
END_TEST

/* Few entries, but large ones: half of what is allowed is kept, and the last in any case. */
START_TEST(test_trim_bytes)
{
    enum { SIZE = 100000, COUNT = 60 };
    static char text[SIZE + 1];
    struct storefix fix;

    memset(text, 'x', SIZE);
    storefix_open(&fix);
    storefix_vertex(&fix, 1, "v");
    storefix_commit(&fix);
    for (int64_t i = 0; i < COUNT; i++) {
        storefix_set(&fix, 1, "k", value_cstring(text));
        storefix_commit(&fix);
    }
    ck_assert_uint_eq(store_state(fix.store).first, 1);
    while (store_tend(fix.store, 10000, &fix.err)) {
    }
    /* 2 MiB are 20 of them. */
    ck_assert_uint_eq(store_state(fix.store).first, 1 + COUNT - 20 + 1);
    storefix_reopen(&fix);
    ck_assert_uint_eq(store_state(fix.store).first, 1 + COUNT - 20 + 1);
    while (store_tend(fix.store, 10000, &fix.err)) {
    }
    ck_assert_uint_eq(store_state(fix.store).first, 1 + COUNT - 20 + 1);
    storefix_close(&fix);
}
END_TEST

/* The changes of a prepared transaction are in the journal alone: its entry stays, and all after
 * it.
 */
START_TEST(test_trim_prepared)
{
    const struct txn_gtid a = {1, 1}, none = {0, 0};
    struct storefix fix;

    storefix_open(&fix);
    for (int64_t i = 0; i < 600; i++) {
        if (i == 290) {
            storefix_vertex(&fix, 1000, "v");
            prepare(&fix, a);
        }
        storefix_vertex(&fix, i, "v");
        storefix_commit(&fix);
    }
    while (store_tend(fix.store, 1, &fix.err)) {
    }
    ck_assert_uint_eq(store_state(fix.store).first, 291);
    while (store_tend(fix.store, 1, &fix.err)) {
    }
    ck_assert_uint_eq(store_state(fix.store).first, 291);
    storefix_reopen(&fix);
    ck_assert_uint_eq(look(&fix).prepared_index, 291);
    decide(&fix, STORE_COMMIT, a, none);
    ck_assert_uint_eq(vertex_count(&fix), 601);
    while (store_tend(fix.store, 1, &fix.err)) {
    }
    ck_assert_uint_eq(store_state(fix.store).first, store_state(fix.store).last);
    storefix_close(&fix);
}
END_TEST

/* ---- validation ---- */

static void refused(struct storefix *fix, int code)
{
    ck_assert_int_eq(storefix_check(fix), code);
    storefix_forget(fix);
}

START_TEST(test_check)
{
    struct storefix fix;

    storefix_open(&fix);
    storefix_vertex(&fix, 1, "v");
    storefix_vertex(&fix, 2, "v");
    storefix_edge(&fix, 10, 1, 2, "e");
    ck_assert_int_eq(storefix_check(&fix), E_OK);
    storefix_commit(&fix);
    storefix_vertex(&fix, 1, "v");
    refused(&fix, E_EXISTS);
    storefix_vertex(&fix, 3, "v");
    storefix_vertex(&fix, 3, "v");
    refused(&fix, E_EXISTS);
    storefix_set(&fix, 4, "k", value_int(1));
    refused(&fix, E_NOT_FOUND);
    storefix_edge(&fix, 11, 1, 4, "e");
    refused(&fix, E_NOT_FOUND);
    storefix_edge(&fix, 10, 2, 1, "e");
    refused(&fix, E_EXISTS);
    storefix_edge(&fix, 11, 1, 2, "e");
    storefix_edge(&fix, 11, 2, 1, "e");
    refused(&fix, E_EXISTS);
    storefix_drop_edge(&fix, 10, 2, 1, "e");
    refused(&fix, E_NOT_FOUND);
    storefix_drop_edge(&fix, 10, 1, 2, "other");
    refused(&fix, E_NOT_FOUND);
    storefix_drop_edge(&fix, 10, 1, 2, "e");
    storefix_drop_edge(&fix, 10, 1, 2, "e");
    refused(&fix, E_NOT_FOUND);
    storefix_add(&fix, &(struct change){.kind = CHANGE_VERTEX_DROP, .vertex = vid_num(2)});
    refused(&fix, E_CONFLICT);
    storefix_vertex(&fix, 5, "");
    refused(&fix, E_INVALID);
    storefix_vertex_with(&fix, vid_num(5), "v", "", value_int(1));
    refused(&fix, E_INVALID);
    storefix_add(&fix, &(struct change){.kind = CHANGE_VERTEX_DROP, .vertex = vid_num(2)});
    storefix_drop_edge(&fix, 10, 1, 2, "e");
    storefix_vertex(&fix, 2, "w");
    storefix_edge(&fix, 10, 2, 1, "e");
    ck_assert_msg(storefix_check(&fix) == E_OK, "%s", fix.err.text);
    storefix_commit(&fix);
    ck_assert_uint_eq(vertex_count(&fix), 2);
    ck_assert_int_eq(store_check(fix.store, SLICE("\x05\x01"), &fix.err), E_MALFORMED);
    storefix_close(&fix);
}
END_TEST

START_TEST(test_range)
{
    static const uint8_t middle[] = {0x80};
    struct storefix fix;
    int owned = 0;

    storefix_open(&fix);
    storefix_remove(&fix);
    fix.options.hi = slice_of(middle, 1);
    ck_assert_int_eq(store_open(&fix.store, &fix.options, &fix.err), E_OK);
    for (int64_t i = 0; i < 100; i++) {
        int rc;

        storefix_vertex(&fix, i, "v");
        rc = storefix_check(&fix);
        ck_assert(rc == E_OK || rc == E_WRONG_EPOCH);
        owned += rc == E_OK;
        storefix_forget(&fix);
    }
    ck_assert_int_gt(owned, 25);
    ck_assert_int_lt(owned, 75);
    storefix_close(&fix);
}
END_TEST

START_TEST(test_identity)
{
    struct storefix fix;

    storefix_open(&fix);
    store_close(&fix.store);
    fix.options.cluster_id = 8;
    ck_assert_int_eq(store_open(&fix.store, &fix.options, &fix.err), E_CONFIG);
    ck_assert_ptr_null(fix.store);
    fix.options.cluster_id = 7;
    fix.options.lo = SLICE("x");
    ck_assert_int_eq(store_open(&fix.store, &fix.options, &fix.err), E_CONFIG);
    fix.options.lo = (struct slice){0};
    ck_assert_int_eq(store_open(&fix.store, &fix.options, &fix.err), E_OK);
    storefix_close(&fix);
}
END_TEST

/* ---- items ---- */

struct items {
    uint8_t modes[TXN_SLOTS];
};

static void on_item(void *ctx, uint16_t slot, enum item_mode mode)
{
    struct items *items = ctx;

    items->modes[slot] |= (uint8_t)(1 << mode);
}

static const struct items *items_of(struct storefix *fix)
{
    struct items *items = ARENA_NEW(&fix->arena, struct items);

    ck_assert_int_eq(store_items(fix->store, storefix_list(fix), on_item, items, &fix->err), E_OK);
    storefix_forget(fix);
    return items;
}

static bool has(const struct items *items, uint16_t slot, enum item_mode mode)
{
    return (items->modes[slot] >> mode & 1) != 0;
}

START_TEST(test_items)
{
    const struct vid one = vid_num(1);
    const struct slice none = {0};
    const struct value old = value_int(4);
    const struct value fresh = value_int(5);
    struct storefix fix;
    const struct items *items;

    storefix_open(&fix);
    storefix_vertex_with(&fix, one, "v", "k", old);
    storefix_commit(&fix);
    storefix_set(&fix, 1, "k", fresh);
    items = items_of(&fix);
    ck_assert(has(items, item_slot_vertex(ITEM_EXISTS, &one, none), ITEM_S));
    ck_assert(has(items, item_slot_vertex(ITEM_PROPS, &one, none), ITEM_X));
    ck_assert(has(items, item_slot_value(SLICE("k"), &old), ITEM_U));
    ck_assert(has(items, item_slot_value(SLICE("k"), &fresh), ITEM_U));
    ck_assert(has(items, item_slot_name(ITEM_KEY, SLICE("k")), ITEM_U));
    storefix_add(&fix, &(struct change){.kind = CHANGE_VERTEX_DROP, .vertex = one});
    items = items_of(&fix);
    ck_assert(has(items, item_slot_vertex(ITEM_EXISTS, &one, none), ITEM_X));
    ck_assert(has(items, item_slot_name(ITEM_VERTICES, SLICE("v")), ITEM_U));
    ck_assert(has(items, item_slot_name(ITEM_VERTICES, none), ITEM_U));
    ck_assert(has(items, item_slot_value(SLICE("k"), &old), ITEM_U));
    storefix_edge(&fix, 10, 1, 2, "e");
    items = items_of(&fix);
    ck_assert(has(items, item_slot_vertex(ITEM_OUT, &one, SLICE("e")), ITEM_U));
    ck_assert(has(items, item_slot_vertex(ITEM_OUT, &one, none), ITEM_U));
    ck_assert(has(items, item_slot_name(ITEM_EDGES, SLICE("e")), ITEM_U));
    ck_assert(has(items, item_slot_edge(&(struct vid){.num = 10}), ITEM_X));
    storefix_close(&fix);
}
END_TEST

/* ---- properties of vertices ---- */

static void set(struct storefix *fix, enum enumerator cardinality, struct value value,
                const char *meta)
{
    const struct property prop = {.key = SLICE("since"), .value = value_cstring(meta)};

    storefix_add(fix, &(struct change){.kind = CHANGE_VPROP_SET,
                                       .vertex = vid_num(1),
                                       .key = SLICE("k"),
                                       .value = value,
                                       .cardinality = (uint8_t)(cardinality - CARDINALITY_SINGLE),
                                       .props = &prop,
                                       .prop_count = meta[0] != 0});
    storefix_commit(fix);
}

static const char *all(struct storefix *fix)
{
    const int64_t ids[] = {1};
    struct read_request request = {
        .source = READ_IDS, .emit = READ_ROWS, .project = READ_ALL, .input_count = 1};

    request.inputs = storefix_ids(fix, 1, ids);
    return storefix_text(fix, &request);
}

static int64_t first_id(struct storefix *fix)
{
    const int64_t ids[] = {1};
    struct read_request request = {
        .source = READ_IDS, .emit = READ_ROWS, .project = READ_ALL, .input_count = 1};
    struct read_row row;

    request.inputs = storefix_ids(fix, 1, ids);
    ck_assert_int_eq(storefix_read(fix, &request), E_OK);
    ck_assert(storefix_next(fix, &row));
    ck_assert_uint_ge(row.element.vertex->prop_count, 1);
    return row.element.vertex->props[0].id.integer;
}

START_TEST(test_cardinality)
{
    struct storefix fix;
    int64_t id;

    storefix_open(&fix);
    storefix_vertex(&fix, 1, "v");
    storefix_commit(&fix);
    set(&fix, CARDINALITY_SINGLE, value_int(1), "");
    set(&fix, CARDINALITY_SINGLE, value_int(2), "");
    ck_assert_str_eq(all(&fix), "v[1]:v,k=2");
    set(&fix, CARDINALITY_LIST, value_int(2), "");
    set(&fix, CARDINALITY_LIST, value_cstring("x"), "m");
    ck_assert_str_eq(all(&fix), "v[1]:v,k=2,k=2,k=x(since=m)");
    id = first_id(&fix);
    ck_assert_int_gt(id, 0);
    ck_assert_int_lt(id, 1LL << 53);
    set(&fix, CARDINALITY_SET, value_cstring("x"), "n");
    ck_assert_str_eq(all(&fix), "v[1]:v,k=2,k=2,k=x(since=n)");
    set(&fix, CARDINALITY_SET, value_cstring("y"), "");
    ck_assert_str_eq(all(&fix), "v[1]:v,k=2,k=2,k=x(since=n),k=y");
    storefix_reopen(&fix);
    ck_assert_int_eq(first_id(&fix), id);
    storefix_add(&fix, &(struct change){.kind = CHANGE_META_SET,
                                        .vertex = vid_num(1),
                                        .prop_id = id,
                                        .key = SLICE("k"),
                                        .meta_key = SLICE("by"),
                                        .value = value_int(7)});
    storefix_commit(&fix);
    ck_assert_str_eq(all(&fix), "v[1]:v,k=2(by=7),k=2,k=x(since=n),k=y");
    storefix_add(&fix, &(struct change){.kind = CHANGE_META_DROP,
                                        .vertex = vid_num(1),
                                        .key = SLICE("k"),
                                        .meta_key = SLICE("since")});
    storefix_add(&fix, &(struct change){.kind = CHANGE_VPROP_DROP,
                                        .vertex = vid_num(1),
                                        .key = SLICE("k"),
                                        .prop_id = id});
    storefix_commit(&fix);
    ck_assert_str_eq(all(&fix), "v[1]:v,k=2,k=x,k=y");
    storefix_add(&fix, &(struct change){.kind = CHANGE_VPROP_DROP, .vertex = vid_num(1)});
    storefix_commit(&fix);
    ck_assert_str_eq(all(&fix), "v[1]:v");
    storefix_close(&fix);
}
END_TEST

/* Given ids are kept: bulk loads bring them. */
START_TEST(test_given_ids)
{
    const struct vproperty prop = {
        .id = value_long(4242), .key = SLICE("k"), .value = value_bool(false)};
    struct storefix fix;

    storefix_open(&fix);
    storefix_add(&fix, &(struct change){.kind = CHANGE_VERTEX_ADD,
                                        .vertex = vid_num(1),
                                        .label = SLICE("v"),
                                        .vprops = &prop,
                                        .vprop_count = 1});
    storefix_commit(&fix);
    ck_assert_int_eq(first_id(&fix), 4242);
    storefix_close(&fix);
}
END_TEST

/* ---- staged changes leave nothing behind, not even names ---- */

struct counts {
    uint64_t vertices, edges, labels;
};

static void on_count(void *ctx, bool is_edge, struct slice label, uint64_t count)
{
    struct counts *counts = ctx;

    ck_assert_uint_gt(label.size, 0);
    counts->labels++;
    *(is_edge ? &counts->edges : &counts->vertices) += count;
}

START_TEST(test_staged)
{
    struct read_request request = {.source = READ_VERTICES, .emit = READ_LABEL_COUNTS};
    struct counts counts = {0};
    struct storefix fix;

    storefix_open(&fix);
    storefix_vertex(&fix, 1, "v");
    storefix_commit(&fix);
    storefix_vertex(&fix, 2, "fresh");
    storefix_edge(&fix, 10, 1, 2, "other");
    request.staged = storefix_list(&fix);
    ck_assert_str_eq(storefix_text(&fix, &request), "fresh:1 v:1");
    storefix_forget(&fix);
    storefix_vertex(&fix, 1, "v");
    request.staged = storefix_list(&fix);
    ck_assert_int_eq(storefix_read(&fix, &request), E_EXISTS);
    storefix_forget(&fix);
    request.staged = (struct slice){0};
    ck_assert_str_eq(storefix_text(&fix, &request), "v:1");
    ck_assert_int_eq(store_each_count(fix.store, on_count, &counts, &fix.err), E_OK);
    ck_assert_uint_eq(counts.vertices, 1);
    ck_assert_uint_eq(counts.edges, 0);
    storefix_vertex(&fix, 3, "third");
    storefix_commit(&fix);
    storefix_reopen(&fix);
    ck_assert_str_eq(storefix_text(&fix, &request), "third:1 v:1");
    storefix_close(&fix);
}
END_TEST

/* ---- damage ---- */

/* A wrong row in pages with right checksums. */
static void damage(struct storefix *fix, const char *sql)
{
    sqlite3 *db;

    store_close(&fix->store);
    ck_assert_int_eq(
        sqlite3_open_v2(fix->path, &db, SQLITE_OPEN_READWRITE, pagesum_vfs(fix->options.vfs)),
        SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "PRAGMA locking_mode=EXCLUSIVE", NULL, NULL, NULL),
                     SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    ck_assert_msg(store_open(&fix->store, &fix->options, &fix->err) == E_OK, "%s", fix->err.text);
}

static void on_fault(void *ctx, const char *what)
{
    (void)what;
    (*(int *)ctx)++;
}

static int faults(struct storefix *fix)
{
    int count = 0;

    ck_assert_msg(store_verify(fix->store, on_fault, &count, &fix->err) == E_OK, "%s",
                  fix->err.text);
    return count;
}

START_TEST(test_verify)
{
    struct storefix fix;

    storefix_open(&fix);
    storefix_vertex(&fix, 1, "v");
    storefix_vertex(&fix, 2, "v");
    storefix_edge(&fix, 10, 1, 2, "e");
    storefix_commit(&fix);
    ck_assert_int_eq(faults(&fix), 0);
    damage(&fix, "UPDATE counter SET n = n + 1 WHERE is_edge = 0");
    ck_assert_int_eq(faults(&fix), 1);
    damage(&fix, "UPDATE counter SET n = n - 1 WHERE is_edge = 0");
    ck_assert_int_eq(faults(&fix), 0);
    damage(&fix, "CREATE TABLE kept AS SELECT * FROM vertex_label; DELETE FROM vertex_label");
    ck_assert_int_eq(faults(&fix), 3);
    damage(&fix, "INSERT INTO vertex_label SELECT * FROM kept; DELETE FROM place");
    ck_assert_int_eq(faults(&fix), 2);
    damage(&fix, "UPDATE vertex SET degrees = x''");
    ck_assert_int_eq(faults(&fix), 4);
    storefix_close(&fix);
}
END_TEST

/* Two shards' lists of the same edges agree, and tell which differ. */
struct halves {
    uint64_t hashes[8];
    int64_t edges[8];
    int count;
};

static void on_half(void *ctx, const struct vid *edge, uint64_t hash, const struct vid *vertex,
                    const struct vid *far)
{
    struct halves *halves = ctx;

    ck_assert(!vid_equal(vertex, far));
    halves->edges[halves->count] = edge->num;
    halves->hashes[halves->count++] = hash;
}

START_TEST(test_halves)
{
    struct halves out = {0};
    struct halves in = {0};
    struct storefix fix;

    storefix_open(&fix);
    storefix_vertex(&fix, 1, "v");
    storefix_vertex(&fix, 2, "v");
    storefix_edge(&fix, 11, 2, 1, "e");
    storefix_edge(&fix, 10, 1, 2, "e");
    storefix_add(&fix, &(struct change){.kind = CHANGE_EPROP_SET,
                                        .direction = DIRECTION_OUT,
                                        .vertex = vid_num(1),
                                        .far = vid_num(2),
                                        .edge = vid_num(10),
                                        .label = SLICE("e"),
                                        .key = SLICE("k"),
                                        .value = value_int(1)}); /* One half only: a fault. */
    storefix_commit(&fix);
    ck_assert_int_eq(store_each_half(fix.store, DIRECTION_OUT, on_half, &out, &fix.err), E_OK);
    ck_assert_int_eq(store_each_half(fix.store, DIRECTION_IN, on_half, &in, &fix.err), E_OK);
    ck_assert_int_eq(out.count, 2);
    ck_assert_int_eq(in.count, 2);
    ck_assert_int_eq(out.edges[0], 10);
    ck_assert_int_eq(in.edges[1], 11);
    ck_assert_uint_ne(out.hashes[0], in.hashes[0]);
    ck_assert_uint_eq(out.hashes[1], in.hashes[1]);
    storefix_close(&fix);
}
END_TEST

/* Lost with all that counts it, as a page is that was never written: only the digest tells. */
START_TEST(test_verify_finds_lost_vertices)
{
    static const char *const lost[] = {
        ("DELETE FROM vertex WHERE id = 2; DELETE FROM vertex_label WHERE id = 2;"
         "UPDATE counter SET n = n - 1 WHERE is_edge = 0"),
        "UPDATE vertex SET props = (SELECT props FROM vertex WHERE id = 3) WHERE id = 2",
        "UPDATE vertex SET props = x'' WHERE id = 3"};

    for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++) {
        struct storefix fix;
        int count = 0;

        storefix_open(&fix);
        storefix_vertex_with(&fix, vid_num(1), "v", "k", value_int(1));
        storefix_vertex_with(&fix, vid_num(2), "v", "k", value_int(2));
        storefix_vertex_with(&fix, vid_num(3), "v", "k", value_int(3));
        storefix_vertex_with(&fix, vid_num(4), "v", "k", value_int(4));
        storefix_commit(&fix);
        storefix_set(&fix, 3, "k", value_int(5));
        storefix_add(&fix, &(struct change){.kind = CHANGE_VERTEX_DROP, .vertex = vid_num(4)});
        storefix_commit(&fix);
        ck_assert_int_eq(store_verify(fix.store, on_fault, &count, &fix.err), E_OK);
        ck_assert_int_eq(count, 0);
        damage(&fix, lost[i]);
        ck_assert_int_eq(store_verify(fix.store, on_fault, &count, &fix.err), E_OK);
        ck_assert_int_eq(count, 1);
        /* A file of before has no digest: it has the first that is found. */
        damage(&fix, "DELETE FROM counter WHERE is_edge = 2");
        ck_assert_int_eq(store_verify(fix.store, on_fault, &count, &fix.err), E_OK);
        ck_assert_int_eq(count, 1);
        storefix_vertex(&fix, 9, "v");
        storefix_commit(&fix);
        ck_assert_int_eq(store_verify(fix.store, on_fault, &count, &fix.err), E_OK);
        ck_assert_int_eq(count, 1);
        storefix_close(&fix);
    }
}
END_TEST

START_TEST(test_corrupt)
{
    const int64_t ids[] = {1};
    struct read_request request = {.source = READ_IDS,
                                   .emit = READ_ROWS,
                                   .input_count = 1,
                                   .hop = {.direction = DIRECTION_OUT}};
    struct storefix fix;
    int count = 0;

    storefix_open(&fix);
    storefix_vertex(&fix, 1, "v");
    storefix_vertex(&fix, 2, "v");
    storefix_edge(&fix, 10, 1, 2, "e");
    storefix_commit(&fix);
    request.inputs = storefix_ids(&fix, 1, ids);
    damage(&fix, "UPDATE adjacency SET run = x'13' WHERE dir = 0");
    ck_assert_int_eq(storefix_read(&fix, &request), E_CORRUPT);
    ck_assert_ptr_nonnull(strstr(fix.err.text, "table adjacency, out of vertex 1"));
    ck_assert_int_eq(store_verify(fix.store, on_fault, &count, &fix.err), E_CORRUPT);
    damage(&fix, "UPDATE vertex SET degrees = x'ffffffffffffffffffffffffffffff' WHERE id = 1");
    request.emit = READ_COUNT;
    ck_assert_int_eq(storefix_read(&fix, &request), E_CORRUPT);
    ck_assert_ptr_nonnull(strstr(fix.err.text, "table vertex, id 1"));
    damage(&fix, "UPDATE journal SET body = x'00'");
    ck_assert_int_eq(store_entry(fix.store, 1, &fix.arena, &(struct store_entry){0}, &fix.err),
                     E_CORRUPT);
    storefix_close(&fix);
}
END_TEST

/* A full file is no loss: the entry is not there, what was before is. */
START_TEST(test_full)
{
    struct store_entry entry = {.index = 2, .epoch = 1, .kind = STORE_NOOP};
    struct storefix fix;
    void *junk;

    storefix_open(&fix);
    storefix_vertex(&fix, 1, "v");
    storefix_commit(&fix);
    junk = arena_array(&fix.arena, 1, 64 << 20);
    entry.body = slice_of(junk, 64 << 20);
    store_limit_pages(fix.store, 200);
    ck_assert_int_eq(
        store_append(fix.store, &(struct store_append){.entries = &entry, .count = 1, .promise = 9},
                     &fix.err),
        E_LIMIT);
    ck_assert_uint_eq(store_state(fix.store).last, 1);
    ck_assert_uint_eq(store_state(fix.store).promised_epoch, 1);
    ck_assert_uint_eq(vertex_count(&fix), 1);
    store_limit_pages(fix.store, 1 << 20);
    entry.body = (struct slice){0};
    ck_assert_int_eq(
        store_append(fix.store, &(struct store_append){.entries = &entry, .count = 1, .promise = 9},
                     &fix.err),
        E_OK);
    storefix_reopen(&fix);
    ck_assert_uint_eq(store_state(fix.store).last, 2);
    storefix_close(&fix);
}
END_TEST

RUN_SUITE("store_txn", test_two_phases, test_replay, test_sessions, test_trim, test_trim_bytes,
          test_trim_prepared, test_check, test_range, test_identity, test_items, test_cardinality,
          test_given_ids, test_staged, test_verify, test_halves, test_verify_finds_lost_vertices,
          test_corrupt, test_full)
