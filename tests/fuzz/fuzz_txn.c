/*
 * fuzz_txn.c -- bodies of transactions, maps, rosters, commands: any bytes are read or refused, and
 * what was read is written to bytes that are read to the same bytes again.
 *
 * The first byte says what the rest is.
 */
#include <assert.h>

#include "common/roster.h"
#include "common/shardmap.h"
#include "common/txn.h"
#include "coordinator/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KINDS = 8 };

/* Reads one kind of body and writes it again; false: refused. */
typedef bool (*again_fn)(struct slice input, struct arena *arena, struct bytes *out);

static bool again_request(struct slice input, struct arena *arena, struct bytes *out)
{
    struct txn_request request;

    if (txn_request_decode(input, arena, &request, NULL) != E_OK) {
        return false;
    }
    txn_request_encode(out, &request);
    txn_request_close(&request);
    return true;
}

static bool again_prepare(struct slice input, struct arena *arena, struct bytes *out)
{
    struct txn_prepare prepare;

    (void)arena;
    if (txn_prepare_decode(input, &prepare, NULL) != E_OK) {
        return false;
    }
    txn_prepare_encode(out, &prepare);
    txn_readset_close(&prepare.part.readset);
    return true;
}

static bool again_reply(struct slice input, struct arena *arena, struct bytes *out)
{
    struct txn_reply reply;

    (void)arena;
    if (txn_reply_decode(input, &reply, NULL) != E_OK) {
        return false;
    }
    txn_reply_encode(out, &reply);
    return true;
}

static bool again_map(struct slice input, struct arena *arena, struct bytes *out)
{
    struct shardmap map;
    struct bytes text = {0};

    (void)arena;
    if (shardmap_decode(input, &map, NULL) != E_OK) {
        return false;
    }
    shardmap_encode(out, &map);
    for (uint32_t i = 0; i < map.graph_count; i++) {
        struct vid id = vid_num(i);
        assert(shardmap_lookup(&map, &map.graphs[i], &id) < map.shard_count);
    }
    shardmap_dump(&text, &map);
    bytes_close(&text);
    shardmap_close(&map);
    return true;
}

static bool again_status(struct slice input, struct arena *arena, struct bytes *out)
{
    struct roster_status status;

    if (roster_status_decode(input, arena, &status, NULL) != E_OK) {
        return false;
    }
    roster_status_encode(out, &status);
    return true;
}

static bool again_config(struct slice input, struct arena *arena, struct bytes *out)
{
    struct roster_config config;

    if (roster_config_decode(input, arena, &config, NULL) != E_OK) {
        return false;
    }
    roster_config_encode(out, &config);
    return true;
}

static bool again_command(struct slice input, struct arena *arena, struct bytes *out)
{
    struct state_command command;
    struct state_result result;
    struct state state;

    if (state_command_decode(input, arena, &command, NULL) != E_OK) {
        return false;
    }
    state_command_encode(out, &command);
    state_init(&state, 1);
    state_apply(&state, &command, &result);
    state_close(&state);
    return true;
}

static bool again_state(struct slice input, struct arena *arena, struct bytes *out)
{
    struct state state;

    (void)arena;
    if (state_decode(input, &state, NULL) != E_OK) {
        return false;
    }
    state_encode(out, &state);
    state_close(&state);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const again_fn kinds[KINDS] = {again_request, again_prepare, again_reply,   again_map,
                                          again_status,  again_config,  again_command, again_state};
    struct arena arena = {0};
    struct bytes once = {0};
    struct bytes twice = {0};

    if (size == 0) {
        return 0;
    }
    again_fn again = kinds[data[0] % KINDS];
    if (again(slice_of(data + 1, size - 1), &arena, &once)) {
        bool is_read = again(bytes_slice(&once), &arena, &twice);
        assert(is_read);
        assert(slice_equal(bytes_slice(&once), bytes_slice(&twice)));
    }
    bytes_close(&once);
    bytes_close(&twice);
    arena_close(&arena);
    return 0;
}
