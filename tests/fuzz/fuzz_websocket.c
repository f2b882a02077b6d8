/*
 * fuzz_websocket.c -- messages of WebSocket out of any bytes: how they are cut changes nothing,
 * what is text is UTF-8, and heads of ours can be read.
 *
 * The first byte chooses the cuts.
 */
#include <assert.h>
#include <string.h>

#include "common/text.h"
#include "router/front/wsframe.h"

enum { MESSAGE_MAX = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes one piece; false: nothing more is read. */
static bool feed(struct wsframe *frame, struct bytes *log, struct slice in)
{
    for (;;) {
        enum wsframe_event event = wsframe_next(frame, &in);
        if (event != WSFRAME_MORE)
            bytes_format(log, "%d ", (int)event);
        switch (event) {
        case WSFRAME_MORE:
            assert(in.size == 0);
            return true;
        case WSFRAME_IS_MESSAGE:
            assert(frame->message.size <= MESSAGE_MAX);
            assert(!frame->is_text || text_is_utf8(bytes_slice(&frame->message)));
            bytes_u8(log, frame->is_text);
            bytes_blob(log, bytes_slice(&frame->message));
            break;
        case WSFRAME_IS_PING:
        case WSFRAME_IS_PONG:
            bytes_blob(log, wsframe_control(frame));
            break;
        case WSFRAME_IS_CLOSE:
            bytes_format(log, "close %u", frame->code);
            assert(wsframe_next(frame, &in) == WSFRAME_IS_CLOSE);
            return false;
        case WSFRAME_IS_BAD:
            bytes_format(log, "bad %u %s", frame->code, frame->text);
            assert(wsframe_next(frame, &in) == WSFRAME_IS_BAD);
            return false;
        }
    }
}

/* step 0: in one piece; else pieces of 1 to step bytes. */
static void run(struct slice in, size_t step, uint32_t seed, struct bytes *log)
{
    struct wsframe frame;
    bool goes_on = true;

    wsframe_init(&frame, MESSAGE_MAX);
    while (goes_on && in.size > 0) {
        size_t size = step == 0 ? in.size : 1 + (seed >> 16) % step;
        size = size > in.size ? in.size : size;
        goes_on = feed(&frame, log, slice_of(in.data, size));
        in = slice_of(in.data + size, in.size - size);
        seed = seed * 1664525 + 1013904223;
    }
    bytes_u8(log, wsframe_is_idle(&frame));
    wsframe_close(&frame);
}

static void check_accept(struct slice key)
{
    struct bytes out = {0};

    if (wsframe_accept(&out, key)) {
        assert(out.size == WSFRAME_ACCEPT_SIZE);
    } else {
        assert(out.size == 0);
    }
    bytes_close(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t steps[] = {1, 3, 40};
    struct bytes whole = {0};

    if (size == 0) {
        return 0;
    }
    run(slice_of(data + 1, size - 1), 0, 0, &whole);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct bytes cut = {0};
        run(slice_of(data + 1, size - 1), steps[i], data[0] * 2654435761U, &cut);
        assert(slice_equal(bytes_slice(&whole), bytes_slice(&cut)));
        bytes_close(&cut);
    }
    check_accept(slice_of(data, size));
    bytes_close(&whole);
    return 0;
}
