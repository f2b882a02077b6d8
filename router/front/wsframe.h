/*
 * wsframe.h -- messages of WebSocket out of bytes, however they are cut, and heads of frames.
 *
 *   bytes --> head of a frame --> payload, unmasked --> MESSAGE (its fragments joined)
 *                 |                    |            \-> PING, PONG, CLOSE
 *                 +--------------------+--> BAD: a close code and why; nothing more is read
 *
 * The side of the server: frames of the client must be masked, ours are not. Text is checked while
 * it comes. No extension: reserved bits are refused.
 *
 * Pure. The result does not depend on how the bytes were cut. Ownership: owns the message; close
 * it. An all-zero reader is a closed one.
 * Limits: message_max a message (1009); 125 bytes a control frame.
 * After: RFC 6455, sections 4.2.2, 5 and 7.4; UTF-8: Unicode Standard, table 3-7.
 */
#ifndef ROUTER_FRONT_WSFRAME_H
#define ROUTER_FRONT_WSFRAME_H

#include "common/bytes.h"

enum {
    WSFRAME_HEAD_MAX = 10,     /* Of a frame of ours. */
    WSFRAME_HEAD_MAX_IN = 14,  /* Of a client's. */
    WSFRAME_CONTROL_MAX = 125, /* Bytes. */
    WSFRAME_KEY_SIZE = 24,     /* Of Sec-WebSocket-Key. */
    WSFRAME_ACCEPT_SIZE = 28
};

enum wsframe_opcode {
    WSFRAME_CONTINUATION = 0,
    WSFRAME_TEXT = 1,
    WSFRAME_BINARY = 2,
    WSFRAME_CLOSE = 8,
    WSFRAME_PING = 9,
    WSFRAME_PONG = 10
};

enum wsframe_code {
    WSFRAME_NORMAL = 1000,
    WSFRAME_GOING_AWAY = 1001,
    WSFRAME_PROTOCOL_ERROR = 1002,
    WSFRAME_NO_CODE = 1005, /* Never sent: a close frame without one. */
    WSFRAME_BAD_TEXT = 1007,
    WSFRAME_POLICY = 1008,
    WSFRAME_TOO_LARGE = 1009,
    WSFRAME_TRY_LATER = 1013
};

enum wsframe_event {
    WSFRAME_MORE,       /* All is taken and more is needed. */
    WSFRAME_IS_MESSAGE, /* message is whole, until the next call. */
    WSFRAME_IS_PING,    /* control is its payload, until the next call. */
    WSFRAME_IS_PONG,
    WSFRAME_IS_CLOSE, /* code; nothing more is read. */
    WSFRAME_IS_BAD    /* code and text say what is wrong; nothing more is read. */
};

/* A UTF-8 text as far as it has come. */
struct wsframe_utf8 {
    uint8_t left;      /* Bytes that the letter still needs. */
    uint8_t low, high; /* Between which the next one is. */
};

struct wsframe {
    size_t message_max;
    bool is_over; /* CLOSE or BAD came. */
    bool is_bad;
    /* The frame under way. */
    uint8_t head[WSFRAME_HEAD_MAX_IN];
    uint8_t head_size;
    bool is_in_payload;
    bool is_final;
    uint8_t opcode;
    uint8_t mask[4];
    uint64_t at; /* Of the payload. */
    uint64_t size;
    uint8_t control[WSFRAME_CONTROL_MAX];
    /* The message under way. */
    bool is_in_message;
    bool is_told; /* It was given to the caller and makes room for the next. */
    bool is_text;
    struct bytes message;
    struct wsframe_utf8 utf8;
    /* CLOSE and BAD */
    uint32_t code;
    const char *text;
};

void wsframe_init(struct wsframe *frame, size_t message_max);
void wsframe_close(struct wsframe *frame);
/* Takes bytes off the front of *in until something has happened. */
enum wsframe_event wsframe_next(struct wsframe *frame, struct slice *in);
/* The message that was given is not needed any more; wsframe_next does it, too. */
void wsframe_release(struct wsframe *frame);
/* The payload of PING and PONG. */
struct slice wsframe_control(const struct wsframe *frame);
/* Nothing of a frame or message has come. */
bool wsframe_is_idle(const struct wsframe *frame);

/* The head of a frame of ours; returns its size. */
size_t wsframe_head(uint8_t head[WSFRAME_HEAD_MAX], enum wsframe_opcode opcode, bool is_final,
                    uint64_t size);
/* Sec-WebSocket-Accept of a Sec-WebSocket-Key, appended. False: it is not 16 bytes in base64. */
bool wsframe_accept(struct bytes *out, struct slice key);

#endif
