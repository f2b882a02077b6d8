#include <string.h>

#include "common/change.h"
#include "common/read.h"

/* The first byte chooses: read requests, replies, changes. What decodes is written again and must
 * be equal. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_request(struct slice body, struct arena *arena)
{
    struct read_request request;
    struct bytes out;

    if (read_request_decode(body, arena, &request, NULL) != E_OK) {
        return;
    }
    bytes_init(&out, 0);
    read_request_dump(&out, &request);
    bytes_clear(&out);
    read_request_encode(&out, &request);
    read_request_close(&request);
    bytes_close(&out);
}

static void fuzz_reply(struct slice body, struct arena *arena)
{
    struct read_reply reply;
    struct read_row row;

    if (read_reply_open(body, arena, true, &reply, NULL) == E_OK) {
        while (read_reply_next(&reply, arena, &row, NULL) == 1) {
        }
    }
    read_reply_close(&reply);
}

static void fuzz_change(struct slice body, struct arena *arena)
{
    struct reader reader;
    struct change change;
    struct bytes out;

    reader_init(&reader, body);
    change_decode(&reader, arena, &change);
    if (reader.is_bad) {
        return;
    }
    bytes_init(&out, 0);
    change_dump(&out, &change);
    bytes_clear(&out);
    change = change_copy(arena, &change);
    change_encode(&out, &change);
    bytes_close(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};

    if (size == 0) {
        return 0;
    }
    if (data[0] % 3 == 0) {
        fuzz_request(slice_of(data + 1, size - 1), &arena);
    } else if (data[0] % 3 == 1) {
        fuzz_reply(slice_of(data + 1, size - 1), &arena);
    } else {
        fuzz_change(slice_of(data + 1, size - 1), &arena);
    }
    arena_close(&arena);
    return 0;
}
