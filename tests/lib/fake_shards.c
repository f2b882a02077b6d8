#include "tests/lib/fake_shards.h"

#include "common/control.h"

#include <assert.h>
#include <string.h>

static struct slice bound(struct arena *arena, uint32_t i, uint32_t shards,
                          enum shardmap_partitioner partitioner)
{
    uint64_t at = UINT64_MAX / shards * i;
    struct bytes bytes;

    if (i == 0 || i == shards) {
        return (struct slice){0};
    }
    bytes_init(&bytes, 0);
    if (partitioner == PARTITION_RANGE) {
        struct vid id = vid_num((int64_t)i * 1000);
        vid_key(&bytes, &id);
    } else {
        bytes_u64(&bytes, at);
    }
    struct slice copy = slice_of(arena_copy(arena, bytes.data, bytes.size), bytes.size);
    bytes_close(&bytes);
    return copy;
}

void fake_map(struct bytes *out, uint64_t version, uint64_t epoch, uint32_t shards,
              enum shardmap_partitioner partitioner)
{
    struct arena arena;
    struct shardmap map = {.version = version, .graph_count = 1, .shard_count = shards};

    arena_init(&arena, 0);
    map.graphs = ARENA_NEW(&arena, struct shardmap_graph);
    map.shards = arena_array(&arena, shards, sizeof *map.shards);
    *map.graphs = (struct shardmap_graph){.graph = FAKE_GRAPH,
                                          .name = SLICE("g"),
                                          .partitioner = partitioner,
                                          .ids = IDS_LONG,
                                          .is_ready = true,
                                          .replica_count = 1,
                                          .min_insync = 1,
                                          .shard_count = shards};
    for (uint32_t i = 0; i < shards; i++) {
        map.shards[i] = (struct shardmap_shard){.shard = FAKE_SHARD + i,
                                                .graph = FAKE_GRAPH,
                                                .epoch = epoch,
                                                .primary = 1 + i,
                                                .primary_boot = 9,
                                                .replicas = nodeset_of(1 + i),
                                                .isr = nodeset_of(1 + i),
                                                .lo = bound(&arena, i, shards, partitioner),
                                                .hi = bound(&arena, i + 1, shards, partitioner)};
    }
    shardmap_encode(out, &map);
    arena_close(&arena);
}

const struct message *fake_sent(const struct fake *fake, size_t *at, enum message_type type)
{
    while (*at < fake->out.count) {
        const struct message *message = &fake->out.items[(*at)++];
        if (message->type == type) {
            return message;
        }
    }
    return NULL;
}

size_t fake_count(const struct fake *fake, enum message_type type)
{
    size_t at = 0, count = 0;

    while (fake_sent(fake, &at, type) != NULL) {
        count++;
    }
    return count;
}

void fake_clear(struct fake *fake)
{
    outbox_clear(&fake->out);
}

void fake_answer(struct fake *fake, const struct message *sent, enum message_type type,
                 struct slice body)
{
    struct message reply = *sent;

    reply.type = type;
    reply.flags = MESSAGE_LAST;
    reply.body = body;
    remote_enter(fake->remote, fake->now_ms, &fake->out);
    remote_message(fake->remote, &reply);
}

void fake_refuse(struct fake *fake, const struct message *sent, int code)
{
    struct error err = {0};
    struct bytes body;

    error_set(&err, code, "refused by the test");
    bytes_init(&body, 0);
    message_refuse(&body, &err);
    fake_answer(fake, sent, MESSAGE_REFUSED, bytes_slice(&body));
    bytes_close(&body);
}

void fake_outcome(struct fake *fake, const struct message *sent, enum message_type type,
                  enum txn_outcome outcome, uint64_t term, int code)
{
    struct txn_reply reply = {.sid = FAKE_SID, .outcome = outcome, .term = term, .code = code};
    struct bytes body;

    bytes_init(&body, 0);
    txn_reply_encode(&body, &reply);
    fake_answer(fake, sent, type, bytes_slice(&body));
    bytes_close(&body);
}

void fake_wait(struct fake *fake, uint64_t ms)
{
    fake->now_ms += ms;
    remote_enter(fake->remote, fake->now_ms, &fake->out);
    remote_turn(fake->remote);
}

void fake_open(struct fake *fake, uint32_t shards, enum shardmap_partitioner partitioner)
{
    const uint32_t coordinators[] = {1, 2};
    struct remote_options options = {.coordinator_count = 2, .coordinators = coordinators};
    struct control_registered registered = {.sid = FAKE_SID, .term = FAKE_TERM};
    struct bytes map, body;
    size_t at = 0;

    *fake = (struct fake){.now_ms = 1000};
    outbox_init(&fake->out);
    arena_init(&fake->arena, 0);
    fake->remote = remote_new(&options);
    fake_wait(fake, 0);
    const struct message *sent = fake_sent(fake, &at, MESSAGE_ROUTER_REGISTER);
    assert(sent != NULL);
    bytes_init(&map, 0);
    bytes_init(&body, 0);
    fake_map(&map, 1, 3, shards, partitioner);
    registered.map = bytes_slice(&map);
    control_registered_encode(&body, &registered);
    struct message copy = *sent;
    fake_answer(fake, &copy, MESSAGE_ROUTER_REGISTERED, bytes_slice(&body));
    bytes_close(&map);
    bytes_close(&body);
    fake_clear(fake);
    fake->exec.remote = fake->remote;
    fake->exec.txn = transaction_new(fake->remote, FAKE_GRAPH);
    arena_init(&fake->exec.arena, 0);
}

void fake_close(struct fake *fake)
{
    remote_enter(fake->remote, fake->now_ms, &fake->out);
    transaction_free(&fake->exec.txn);
    arena_close(&fake->exec.stream);
    arena_close(&fake->exec.arena);
    remote_free(&fake->remote);
    arena_close(&fake->arena);
    outbox_close(&fake->out);
}

struct read_request fake_read(struct fake *fake, const struct message *sent)
{
    struct read_request request;
    int rc = read_request_decode(sent->body, &fake->arena, &request, NULL);

    assert(rc == E_OK);
    return request;
}

static void write_row(struct read_writer *writer, const struct read_request *read, uint32_t ordinal,
                      int64_t id, uint64_t bulk)
{
    struct read_write_row row = {.ordinal = ordinal,
                                 .bulk = bulk,
                                 .id = vid_num(id),
                                 .label = read_write_symbol(writer, SLICE("vertex"))};

    if (read->emit == READ_ROWS || read->emit == READ_MERGED) {
        if (read->project == READ_ALL) {
            row.flags = READ_ROW_PROPS | READ_ROW_WHOLE;
        }
        read_write_row(writer, &row);
        if (read->project == READ_ALL) {
            read_write_count(writer, 0);
        }
    }
}

static void write_rows(struct read_writer *writer, const struct read_request *read, uint32_t shard,
                       uint32_t fan)
{
    bool is_scan = read->source == READ_VERTICES || read->source == READ_EDGES;
    uint64_t count = 0;

    for (uint32_t f = 0; is_scan && f < fan; f++) {
        write_row(writer, read, 0, (int64_t)shard * 100 + f, 1);
        count++;
    }
    for (uint32_t i = 0; i < read->input_count; i++) {
        for (uint32_t f = 0; f < fan; f++) {
            write_row(writer, read, i, read->inputs[i].id.num * 10 + f, read->inputs[i].bulk);
            count += read->inputs[i].bulk;
        }
    }
    if (read->emit == READ_COUNT) {
        read_write_number(writer, 0, count);
    }
}

void fake_read_reply(struct arena *arena, const struct message *sent, uint32_t fan,
                     struct slice cursor, struct bytes *out)
{
    struct read_request read;
    struct read_writer writer;
    struct read_head head = {.read_index = 100, .scanned = 7, .cursor = cursor};
    int rc = read_request_decode(sent->body, arena, &read, NULL);

    assert(rc == E_OK);
    read_write_init(&writer, out);
    write_rows(&writer, &read, sent->shard, fan);
    head.readset.first_index = 100;
    txn_readset_add(&head.readset, 1);
    read_write_finish(&writer, read.emit, &head);
    txn_readset_close(&head.readset);
    read_write_close(&writer);
    read_request_close(&read);
}

void fake_answer_read(struct fake *fake, const struct message *sent, uint32_t fan,
                      struct slice cursor)
{
    struct message copy = *sent;
    struct bytes body;

    bytes_init(&body, 0);
    fake_read_reply(&fake->arena, sent, fan, cursor, &body);
    fake_answer(fake, &copy, MESSAGE_READ_REPLY, bytes_slice(&body));
    bytes_close(&body);
}
