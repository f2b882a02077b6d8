/*
 * fuzz_append.c -- bodies of the messages between replicas: any bytes are read or refused, and what
 * was read is written to bytes that are read to the same bytes again.
 *
 * The first byte says what the rest is.
 */
#include <assert.h>

#include "shardd/replica/append.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KINDS = 5 };

/* Reads one kind of body and writes it again; false: refused. */
typedef bool (*again_fn)(struct slice input, struct arena *arena, struct bytes *out);

static bool again_append(struct slice input, struct arena *arena, struct bytes *out)
{
    struct append append;
    struct bytes entries = {0};

    if (append_decode(input, arena, &append, NULL) != E_OK) {
        return false;
    }
    for (uint32_t i = 0; i < append.count; i++) {
        assert(append.entries[i].index == append.prev_index + 1 + i);
        assert(append.epochs[i] == append.entries[i].epoch);
        append_entry_encode(&entries, &append.entries[i]);
    }
    append_encode(out, &append, bytes_slice(&entries));
    bytes_close(&entries);
    return true;
}

static bool again_reply(struct slice input, struct arena *arena, struct bytes *out)
{
    struct append_reply reply;

    (void)arena;
    if (append_reply_decode(input, &reply, NULL) != E_OK) {
        return false;
    }
    append_reply_encode(out, &reply);
    return true;
}

static bool again_offer(struct slice input, struct arena *arena, struct bytes *out)
{
    struct append_offer offer;

    (void)arena;
    if (append_offer_decode(input, &offer, NULL) != E_OK) {
        return false;
    }
    append_offer_encode(out, &offer);
    return true;
}

static bool again_get(struct slice input, struct arena *arena, struct bytes *out)
{
    struct append_get get;

    (void)arena;
    if (append_get_decode(input, &get, NULL) != E_OK) {
        return false;
    }
    append_get_encode(out, &get);
    return true;
}

static bool again_chunk(struct slice input, struct arena *arena, struct bytes *out)
{
    struct append_chunk chunk;

    (void)arena;
    if (append_chunk_decode(input, &chunk, NULL) != E_OK) {
        return false;
    }
    append_chunk_encode(out, &chunk);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const again_fn kinds[KINDS] = {again_append, again_reply, again_offer, again_get,
                                          again_chunk};
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
