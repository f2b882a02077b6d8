/*
 * What the router sends and when, step by step, against tests/golden/remote/<scenario>.txt.
 * UPDATE_GOLDEN=1 writes them anew.
 */
#include "router/remote/fetch.h"

#include "tests/lib/fake_shards.h"
#include "tests/lib/runner.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { START_MS = 1000, FILE_MAX = 1 << 16, INPUTS = 10000 };

struct trace {
    struct fake fake;
    struct bytes text;
    size_t seen; /* Messages of the outbox that are told already. */
};

static void tell_part(struct trace *trace, const struct txn_part *part)
{
    uint64_t changes = part->changes.size == 0 ? 0 : part->changes.data[0];

    bytes_format(&trace->text,
                 "\n             shard %u epoch %" PRIu64 " read %u slots since %" PRIu64,
                 part->shard, part->epoch, part->readset.slot_count, part->readset.first_index);
    bytes_format(&trace->text, ", %" PRIu64 " changes", changes);
}

static void tell_body(struct trace *trace, const struct message *message)
{
    struct txn_request txn;
    struct txn_prepare validate;

    if (message->type == MESSAGE_READ) {
        struct read_request read = fake_read(&trace->fake, message);
        bytes_format(&trace->text, ", %u inputs, limit %" PRIu64 ", cursor '%.*s'%s",
                     read.input_count, read.limit, (int)read.cursor.size,
                     (const char *)read.cursor.data, read.staged.size > 0 ? ", staged" : "");
    } else if (message->type == MESSAGE_VALIDATE) {
        ck_assert_int_eq(txn_prepare_decode(message->body, &validate, NULL), E_OK);
        bytes_format(&trace->text, ", sid %" PRIu64, validate.sid);
        tell_part(trace, &validate.part);
        txn_readset_close(&validate.part.readset);
    } else if (message->type == MESSAGE_COMMIT1 || message->type == MESSAGE_TXN) {
        int rc = txn_request_decode(message->body, &trace->fake.arena, &txn, NULL);
        ck_assert_int_eq(rc, E_OK);
        bytes_format(&trace->text,
                     ", sid %" PRIu64 " seq %" PRIu64 " low %" PRIu64 " term %" PRIu64, txn.sid,
                     txn.seq, txn.low_seq, txn.term);
        for (uint32_t i = 0; i < txn.part_count; i++) {
            tell_part(trace, &txn.parts[i]);
        }
        txn_request_close(&txn);
    }
}

/* Tells what was sent since the last call. */
static void tell(struct trace *trace)
{
    for (; trace->seen < trace->fake.out.count; trace->seen++) {
        const struct message *message = &trace->fake.out.items[trace->seen];
        const char *role = message->peer >> 32 == PEER_SHARDD ? "node" : "coordinator";
        bytes_format(&trace->text, "%6" PRIu64 " ms    -> %s %u: %s request %" PRIu64,
                     trace->fake.now_ms - START_MS, role, (uint32_t)message->peer,
                     message_name(message->type), message->req_id);
        if (message->shard != 0) {
            bytes_format(&trace->text, ", shard %u epoch %" PRIu64, message->shard, message->epoch);
        }
        tell_body(trace, message);
        bytes_format(&trace->text, "\n");
    }
}

static void note(struct trace *trace, const char *what)
{
    bytes_format(&trace->text, "%6" PRIu64 " ms %s\n", trace->fake.now_ms - START_MS, what);
}

static void trace_open(struct trace *trace, uint32_t shards, enum shardmap_partitioner partitioner)
{
    *trace = (struct trace){0};
    bytes_init(&trace->text, 0);
    fake_open(&trace->fake, shards, partitioner);
}

/* Compares, and closes. */
static void trace_close(struct trace *trace, const char *scenario)
{
    static char wanted[FILE_MAX];
    char path[512];

    snprintf(path, sizeof path, "%s/tests/golden/remote/%s.txt", getenv("SOURCE_ROOT"), scenario);
    if (getenv("UPDATE_GOLDEN") != NULL) {
        FILE *file = fopen(path, "wb");
        ck_assert_ptr_nonnull(file);
        fwrite(trace->text.data, 1, trace->text.size, file);
        fclose(file);
    }
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s is missing", path);
    size_t size = fread(wanted, 1, sizeof wanted, file);
    fclose(file);
    ck_assert_msg(size == trace->text.size && memcmp(wanted, trace->text.data, size) == 0,
                  "%s differs:\n%.*s", path, (int)trace->text.size, (const char *)trace->text.data);
    bytes_close(&trace->text);
    fake_close(&trace->fake);
}

/* ---- what happens ---- */

static struct message sent(const struct trace *trace, size_t back)
{
    ck_assert_uint_gt(trace->fake.out.count, back);
    return trace->fake.out.items[trace->fake.out.count - 1 - back];
}

static void wait_ms(struct trace *trace, uint64_t ms)
{
    fake_wait(&trace->fake, ms);
    tell(trace);
}

static void refuse(struct trace *trace, const struct message *message, int code)
{
    note(trace, error_name(code));
    fake_refuse(&trace->fake, message, code);
    tell(trace);
}

static void outcome(struct trace *trace, const struct message *message, const char *what,
                    struct txn_reply reply)
{
    enum message_type type = message->type == MESSAGE_TXN        ? MESSAGE_TXN_REPLY
                             : message->type == MESSAGE_VALIDATE ? MESSAGE_VALIDATE_REPLY
                                                                 : MESSAGE_COMMIT1_REPLY;

    note(trace, what);
    fake_outcome(&trace->fake, message, type, reply.outcome, reply.term, reply.code);
    tell(trace);
}

static void new_map(struct trace *trace, uint64_t version, uint64_t epoch, uint32_t shards)
{
    struct message push = {.type = MESSAGE_MAP, .peer = PEER_NODE(PEER_COORDINATOR, 1)};
    struct bytes map;

    note(trace, "a new map");
    bytes_init(&map, 0);
    fake_map(&map, version, epoch, shards, PARTITION_RANGE);
    push.body = bytes_slice(&map);
    remote_message(trace->fake.remote, &push);
    bytes_close(&map);
    tell(trace);
}

static void end(struct trace *trace)
{
    static const char *const states[] = {"open", "committing", "committed", "aborted", "unknown"};
    const struct transaction *txn = trace->fake.exec.txn;

    bytes_format(&trace->text, "%6" PRIu64 " ms %s%s%s\n", trace->fake.now_ms - START_MS,
                 states[txn->state], txn->error.code == E_OK ? "" : ": ", txn->error.text);
}

static void write_vertex(struct trace *trace, int64_t id)
{
    struct change change = {
        .kind = CHANGE_VERTEX_ADD, .vertex = vid_num(id), .label = SLICE("person")};

    ck_assert_int_eq(transaction_change(trace->fake.exec.txn, &trace->fake.exec, &change, NULL),
                     E_OK);
}

static void read_shard(struct trace *trace, uint32_t shard)
{
    struct read_head head = {.read_index = 100, .readset.first_index = 100};

    txn_readset_add(&head.readset, 7);
    ck_assert_int_eq(transaction_read(trace->fake.exec.txn, shard, &head, NULL), E_OK);
    txn_readset_close(&head.readset);
}

static void commit(struct trace *trace)
{
    note(trace, "commit");
    transaction_commit(trace->fake.exec.txn, trace->fake.now_ms + 5000);
    tell(trace);
}

/* ---- scenarios ---- */

START_TEST(hop)
{
    struct trace trace;
    struct read_request spec = {
        .source = READ_IDS, .emit = READ_COUNT, .hop.direction = DIRECTION_OUT};
    struct read_row rows[4];
    uint32_t count;

    trace_open(&trace, 4, PARTITION_HASH);
    struct read_input *inputs = arena_array(&trace.fake.arena, INPUTS, sizeof *inputs);
    for (uint32_t i = 0; i < INPUTS; i++) {
        inputs[i] = (struct read_input){.id = vid_num(i), .bulk = 1};
    }
    spec.inputs = inputs;
    spec.input_count = INPUTS;
    struct fetch *fetch = fetch_start(&trace.fake.exec, NULL, &spec);
    tell(&trace);
    for (size_t i = 0; i < 3; i++) {
        fake_answer_read(&trace.fake, &trace.fake.out.items[i], 2, (struct slice){0});
    }
    note(&trace, "three have answered, the fourth's answer is lost");
    wait_ms(&trace, 500);
    struct message last = sent(&trace, 0);
    fake_answer_read(&trace.fake, &last, 2, (struct slice){0});
    ck_assert_int_eq(fetch_next(fetch, &trace.fake.exec, rows, 4, &count), PULL_BATCH);
    ck_assert_uint_eq(rows[0].bulk, 2 * INPUTS);
    commit(&trace);
    for (size_t i = 0; i < 4; i++) {
        struct message message = sent(&trace, i);
        outcome(&trace, &message, "unchanged", (struct txn_reply){.outcome = TXN_COMMITTED});
    }
    end(&trace);
    fetch_close(&fetch, &trace.fake.exec);
    trace_close(&trace, "hop");
}
END_TEST

START_TEST(one_phase)
{
    struct trace trace;

    trace_open(&trace, 2, PARTITION_RANGE);
    write_vertex(&trace, 5);
    read_shard(&trace, FAKE_SHARD);
    commit(&trace);
    note(&trace, "no answer");
    wait_ms(&trace, 500);
    new_map(&trace, 2, 4, 2);
    struct message last = sent(&trace, 0);
    outcome(&trace, &last, "COMMITTED", (struct txn_reply){.outcome = TXN_COMMITTED});
    end(&trace);
    trace_close(&trace, "one_phase");
}
END_TEST

START_TEST(two_phases)
{
    struct trace trace;

    trace_open(&trace, 3, PARTITION_RANGE);
    write_vertex(&trace, 5);
    write_vertex(&trace, 1005);
    read_shard(&trace, FAKE_SHARD + 2);
    commit(&trace);
    struct message last = sent(&trace, 0);
    refuse(&trace, &last, E_NOT_LEADER);
    wait_ms(&trace, 50);
    last = sent(&trace, 0);
    outcome(&trace, &last, "WRONG_TERM, 9 now",
            (struct txn_reply){.outcome = TXN_WRONG_TERM, .term = 9});
    last = sent(&trace, 0);
    outcome(&trace, &last, "ABORTED of term 5",
            (struct txn_reply){.outcome = TXN_ABORTED, .term = FAKE_TERM, .code = E_CONFLICT});
    wait_ms(&trace, 50);
    last = sent(&trace, 0);
    outcome(&trace, &last, "ABORTED of term 9",
            (struct txn_reply){.outcome = TXN_ABORTED, .term = 9, .code = E_CONFLICT});
    end(&trace);
    trace_close(&trace, "two_phases");
}
END_TEST

START_TEST(unknown)
{
    struct trace trace;

    trace_open(&trace, 2, PARTITION_RANGE);
    write_vertex(&trace, 5);
    write_vertex(&trace, 1005);
    commit(&trace);
    for (int i = 0; i < 10; i++) {
        wait_ms(&trace, 500);
    }
    end(&trace);
    trace_close(&trace, "unknown");
}
END_TEST

START_TEST(epoch)
{
    struct trace trace;
    struct read_request spec = {.source = READ_VERTICES, .emit = READ_COUNT};

    trace_open(&trace, 2, PARTITION_RANGE);
    struct fetch *fetch = fetch_start(&trace.fake.exec, NULL, &spec);
    tell(&trace);
    struct message first = trace.fake.out.items[0];
    refuse(&trace, &first, E_WRONG_EPOCH);
    new_map(&trace, 2, 4, 2);
    note(&trace, "closed");
    fetch_close(&fetch, &trace.fake.exec);
    tell(&trace);
    trace_close(&trace, "epoch");
}
END_TEST

RUN_SUITE("remote_trace", hop, one_phase, two_phases, unknown, epoch)
