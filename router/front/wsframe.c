#include "router/front/wsframe.h"

#include <assert.h>
#include <string.h>

#include <openssl/sha.h>

#include "router/wire/base64.h"

enum {
    BIT_FINAL = 0x80,
    BITS_RESERVED = 0x70,
    BITS_OPCODE = 0x0f,
    BIT_MASKED = 0x80,
    SIZE_16 = 126, /* The next two bytes are the size. */
    SIZE_64 = 127,
    MESSAGE_KEPT = 65536 /* Memory of a message that stays for the next. */
};

void wsframe_init(struct wsframe *frame, size_t message_max)
{
    *frame = (struct wsframe){.message_max = message_max};
    bytes_init(&frame->message, 0);
}

void wsframe_close(struct wsframe *frame)
{
    bytes_close(&frame->message);
    *frame = (struct wsframe){0};
}

bool wsframe_is_idle(const struct wsframe *frame)
{
    return frame->head_size == 0 && !frame->is_in_message;
}

struct slice wsframe_control(const struct wsframe *frame)
{
    assert(frame->size <= WSFRAME_CONTROL_MAX);
    return slice_of(frame->control, (size_t)frame->size);
}

static enum wsframe_event bad(struct wsframe *frame, enum wsframe_code code, const char *text)
{
    frame->is_over = true;
    frame->is_bad = true;
    frame->code = code;
    frame->text = text;
    return WSFRAME_IS_BAD;
}

/* ---- UTF-8 ---- */

/* The first byte of a letter: how many follow, and between which the next one is. */
static bool begin_letter(struct wsframe_utf8 *utf8, uint8_t c)
{
    utf8->low = 0x80;
    utf8->high = 0xbf;
    if (c < 0x80) {
        utf8->left = 0;
        return true;
    }
    if (c < 0xc2 || c > 0xf4) {
        return false;
    }
    utf8->left = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    if (c == 0xe0) {
        utf8->low = 0xa0; /* Else it had a shorter form. */
    } else if (c == 0xed) {
        utf8->high = 0x9f; /* Surrogates. */
    } else if (c == 0xf0) {
        utf8->low = 0x90;
    } else if (c == 0xf4) {
        utf8->high = 0x8f; /* U+10FFFF is the last. */
    }
    return true;
}

static bool check_utf8(struct wsframe_utf8 *utf8, const uint8_t *data, size_t size)
{
    size_t i = 0;

    while (i < size) {
        uint64_t eight;
        if (utf8->left == 0 && size - i >= sizeof eight) {
            memcpy(&eight, data + i, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof eight;
                continue;
            }
        }
        if (utf8->left == 0) {
            if (!begin_letter(utf8, data[i])) {
                return false;
            }
        } else if (data[i] < utf8->low || data[i] > utf8->high) {
            return false;
        } else {
            utf8->left--;
            utf8->low = 0x80;
            utf8->high = 0xbf;
        }
        i++;
    }
    return true;
}

/* ---- heads ---- */

static size_t head_size_of(const struct wsframe *frame)
{
    uint8_t size = frame->head_size < 2 ? 0 : frame->head[1] & (BIT_MASKED - 1);

    return 2U + (size == SIZE_16 ? 2 : size == SIZE_64 ? 8 : 0) + 4;
}

/* What the first two bytes say. */
static enum wsframe_event check_start(struct wsframe *frame)
{
    uint8_t opcode = frame->head[0] & BITS_OPCODE;
    uint8_t size = frame->head[1] & (BIT_MASKED - 1);
    bool is_control = opcode >= WSFRAME_CLOSE;

    if ((frame->head[0] & BITS_RESERVED) != 0) {
        return bad(frame, WSFRAME_PROTOCOL_ERROR, "a reserved bit is set");
    }
    if (opcode > WSFRAME_PONG || (opcode > WSFRAME_BINARY && opcode < WSFRAME_CLOSE)) {
        return bad(frame, WSFRAME_PROTOCOL_ERROR, "unknown opcode");
    }
    if ((frame->head[1] & BIT_MASKED) == 0) {
        return bad(frame, WSFRAME_PROTOCOL_ERROR, "a frame of a client must be masked");
    }
    frame->opcode = opcode;
    frame->is_final = (frame->head[0] & BIT_FINAL) != 0;
    if (is_control && (!frame->is_final || size > WSFRAME_CONTROL_MAX)) {
        return bad(frame, WSFRAME_PROTOCOL_ERROR,
                   frame->is_final ? "a control frame of more than 125 bytes"
                                   : "a control frame in fragments");
    }
    if (!is_control && frame->is_in_message != (opcode == WSFRAME_CONTINUATION)) {
        return bad(frame, WSFRAME_PROTOCOL_ERROR,
                   frame->is_in_message ? "a message inside of another"
                                        : "a fragment without a beginning");
    }
    return WSFRAME_MORE;
}

static enum wsframe_event begin_payload(struct wsframe *frame)
{
    uint64_t size = frame->head[1] & (BIT_MASKED - 1);
    size_t bytes = size == SIZE_16 ? 2 : size == SIZE_64 ? 8 : 0;

    if (bytes > 0) {
        size = 0;
        for (size_t i = 0; i < bytes; i++) {
            size = size << 8 | frame->head[2 + i];
        }
    }
    memcpy(frame->mask, frame->head + 2 + bytes, sizeof frame->mask);
    frame->size = size;
    frame->at = 0;
    frame->is_in_payload = true;
    if (frame->opcode >= WSFRAME_CLOSE) {
        return WSFRAME_MORE;
    }
    if (frame->opcode != WSFRAME_CONTINUATION) {
        assert(frame->message.size == 0);
        frame->is_in_message = true;
        frame->is_text = frame->opcode == WSFRAME_TEXT;
        frame->utf8 = (struct wsframe_utf8){0};
    }
    if (size > frame->message_max - frame->message.size) {
        return bad(frame, WSFRAME_TOO_LARGE, "message too large");
    }
    return WSFRAME_MORE;
}

/* True when the head is whole. */
static bool take_head(struct wsframe *frame, struct slice *in, enum wsframe_event *event)
{
    *event = WSFRAME_MORE;
    while (in->size > 0 && frame->head_size < head_size_of(frame)) {
        frame->head[frame->head_size++] = in->data[0];
        *in = slice_of(in->data + 1, in->size - 1);
        if (frame->head_size == 2) {
            *event = check_start(frame);
            if (*event != WSFRAME_MORE) {
                return false;
            }
        }
    }
    if (frame->head_size < 2 || frame->head_size < head_size_of(frame)) {
        return false;
    }
    *event = begin_payload(frame);
    return *event == WSFRAME_MORE;
}

/* ---- payloads ---- */

static void unmask(const struct wsframe *frame, uint8_t *out, const uint8_t *in, size_t size)
{
    uint8_t turned[8];
    uint64_t eight;
    size_t i = 0;

    for (size_t j = 0; j < sizeof turned; j++) {
        turned[j] = frame->mask[(frame->at + j) % sizeof frame->mask];
    }
    memcpy(&eight, turned, sizeof eight);
    for (; size - i >= sizeof eight; i += sizeof eight) {
        uint64_t word;
        memcpy(&word, in + i, sizeof word);
        word ^= eight;
        memcpy(out + i, &word, sizeof word);
    }
    for (; i < size; i++) {
        out[i] = in[i] ^ turned[i % sizeof frame->mask];
    }
}

static bool is_close_code(uint32_t code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

static enum wsframe_event take_close(struct wsframe *frame)
{
    struct wsframe_utf8 utf8 = {0};

    frame->code = WSFRAME_NO_CODE;
    if (frame->size == 1) {
        return bad(frame, WSFRAME_PROTOCOL_ERROR, "half of a close code");
    }
    if (frame->size >= 2) {
        frame->code = (uint32_t)frame->control[0] << 8 | frame->control[1];
        if (!is_close_code(frame->code)) {
            return bad(frame, WSFRAME_PROTOCOL_ERROR, "not a close code");
        }
        if (!check_utf8(&utf8, frame->control + 2, (size_t)frame->size - 2) || utf8.left > 0) {
            return bad(frame, WSFRAME_BAD_TEXT, "the reason is not UTF-8");
        }
    }
    frame->is_over = true;
    return WSFRAME_IS_CLOSE;
}

static enum wsframe_event end_frame(struct wsframe *frame)
{
    frame->is_in_payload = false;
    frame->head_size = 0;
    switch ((enum wsframe_opcode)frame->opcode) {
    case WSFRAME_CLOSE:
        return take_close(frame);
    case WSFRAME_PING:
        return WSFRAME_IS_PING;
    case WSFRAME_PONG:
        return WSFRAME_IS_PONG;
    case WSFRAME_CONTINUATION:
    case WSFRAME_TEXT:
    case WSFRAME_BINARY:
        break;
    }
    if (!frame->is_final) {
        return WSFRAME_MORE;
    }
    if (frame->is_text && frame->utf8.left > 0) {
        return bad(frame, WSFRAME_BAD_TEXT, "the text is not UTF-8");
    }
    frame->is_in_message = false;
    frame->is_told = true;
    return WSFRAME_IS_MESSAGE;
}

/* Takes what there is of the payload; MORE with is_in_payload false: the frame is over. */
static enum wsframe_event take_payload(struct wsframe *frame, struct slice *in)
{
    uint64_t left = frame->size - frame->at;
    size_t size = in->size < left ? in->size : (size_t)left;
    uint8_t *out = frame->opcode >= WSFRAME_CLOSE ? frame->control + frame->at
                                                  : bytes_extend(&frame->message, size);

    if (size > 0) {
        unmask(frame, out, in->data, size);
        frame->at += size;
        *in = slice_of(in->data + size, in->size - size);
        if (frame->opcode < WSFRAME_CLOSE && frame->is_text &&
            !check_utf8(&frame->utf8, out, size)) {
            return bad(frame, WSFRAME_BAD_TEXT, "the text is not UTF-8");
        }
    }
    return frame->at == frame->size ? end_frame(frame) : WSFRAME_MORE;
}

void wsframe_release(struct wsframe *frame)
{
    if (frame->is_told) {
        if (frame->message.room > MESSAGE_KEPT) {
            bytes_close(&frame->message);
        }
        bytes_clear(&frame->message);
        frame->is_told = false;
    }
}

enum wsframe_event wsframe_next(struct wsframe *frame, struct slice *in)
{
    enum wsframe_event event;

    assert(in != NULL);
    wsframe_release(frame);
    if (frame->is_over) {
        return frame->is_bad ? WSFRAME_IS_BAD : WSFRAME_IS_CLOSE;
    }
    for (;;) {
        if (!frame->is_in_payload && !take_head(frame, in, &event)) {
            return event;
        }
        event = take_payload(frame, in);
        if (event != WSFRAME_MORE || frame->is_in_payload) {
            return event;
        }
    }
}

/* ---- ours ---- */

size_t wsframe_head(uint8_t head[WSFRAME_HEAD_MAX], enum wsframe_opcode opcode, bool is_final,
                    uint64_t size)
{
    size_t bytes = size < SIZE_16 ? 0 : size <= UINT16_MAX ? 2 : 8;

    head[0] = (uint8_t)((is_final ? BIT_FINAL : 0) | (int)opcode);
    head[1] = (uint8_t)(bytes == 0 ? size : bytes == 2 ? SIZE_16 : SIZE_64);
    for (size_t i = 0; i < bytes; i++) {
        head[2 + i] = (uint8_t)(size >> (8 * (bytes - 1 - i)));
    }
    return 2 + bytes;
}

/* RFC 6455 4.2.2, number 5.4. */
bool wsframe_accept(struct bytes *out, struct slice key)
{
    static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t text[WSFRAME_KEY_SIZE + sizeof magic - 1];
    uint8_t digest[SHA_DIGEST_LENGTH];
    struct arena arena = {0};
    struct slice nonce;
    bool is_key =
        key.size == WSFRAME_KEY_SIZE && base64_decode(&arena, key, &nonce) && nonce.size == 16;

    arena_close(&arena);
    if (!is_key) {
        return false;
    }
    memcpy(text, key.data, key.size);
    memcpy(text + key.size, magic, sizeof magic - 1);
    (void)SHA1(text, sizeof text, digest);
    base64_encode(out, slice_of(digest, sizeof digest));
    return true;
}
