/*
 * httpparse.h -- requests of HTTP/1.1 out of bytes, however they are cut.
 *
 *   bytes --> line by line --> HEAD --> BODY, BODY, ... --> DONE --> httpparse_restart --> ...
 *                  |             |        |
 *                  +-------------+--------+--> BAD: a status and why; nothing more is read
 *
 * What two readers may understand in two ways is refused: a length that is doubled, no number, or
 * beside a transfer coding; blanks before a colon; folded fields; lines that do not end with CR LF.
 * A body has a Content-Length or is chunked; no other transfer coding is known.
 *
 * Pure. The result does not depend on how the bytes were cut. Ownership: owns the head; close it.
 * An all-zero parser is a closed one.
 * Limits: HTTPPARSE_HEAD_MAX a head (then 414, 431), HTTPPARSE_FIELDS_MAX fields (431), body_max a
 * body (413), HTTPPARSE_LINE_MAX a line between chunks, HTTPPARSE_TRAILER_MAX a trailer.
 * After: RFC 9112; RFC 9110 for the fields.
 */
#ifndef COMMON_HTTPPARSE_H
#define COMMON_HTTPPARSE_H

#include "common/bytes.h"

enum {
    HTTPPARSE_HEAD_MAX = 32768, /* Bytes: at most 65535, for the offsets. */
    HTTPPARSE_FIELDS_MAX = 100,
    HTTPPARSE_LINE_MAX = 256,
    HTTPPARSE_TRAILER_MAX = 8192
};

enum httpparse_method {
    HTTPPARSE_GET,
    HTTPPARSE_HEAD_ONLY, /* HEAD. */
    HTTPPARSE_POST,
    HTTPPARSE_OPTIONS,
    HTTPPARSE_OTHER
};

enum httpparse_event {
    HTTPPARSE_MORE, /* All is taken and more is needed. */
    HTTPPARSE_HEAD, /* The head is whole: its fields can be asked for. */
    HTTPPARSE_BODY, /* A part of the body. */
    HTTPPARSE_DONE, /* The request is whole; nothing is taken until httpparse_restart. */
    HTTPPARSE_BAD   /* status and text say what is wrong. */
};

enum httpparse_state {
    HTTPPARSE_IN_START, /* The request line. */
    HTTPPARSE_IN_FIELDS,
    HTTPPARSE_IN_BODY,
    HTTPPARSE_IN_CHUNK_LINE,
    HTTPPARSE_IN_CHUNK,
    HTTPPARSE_IN_CHUNK_END,
    HTTPPARSE_IN_TRAILER,
    HTTPPARSE_AT_END,
    HTTPPARSE_IS_BAD
};

/* A part of the head. */
struct httpparse_span {
    uint16_t at;
    uint16_t size;
};

struct httpparse_field {
    struct httpparse_span name;
    struct httpparse_span value;
};

struct httpparse {
    uint64_t body_max;
    enum httpparse_state state;
    uint32_t blank_count; /* Bytes of empty lines before the request line. */
    struct bytes head;    /* As it came. */
    size_t line_at;       /* Where its last line begins. */
    struct bytes line;    /* Of chunks and trailers. */
    size_t trailer_bytes;
    uint64_t body_left; /* Of the body, or of the chunk. */
    uint64_t body_size; /* Of the chunks so far. */
    size_t field_count;
    struct httpparse_field fields[HTTPPARSE_FIELDS_MAX];
    /* From HEAD on. */
    enum httpparse_method method;
    uint32_t minor; /* Of HTTP/1.x: 0 or 1. */
    struct httpparse_span path;
    struct httpparse_span query; /* Behind the question mark, encoded as it came. */
    struct httpparse_span authority;
    bool has_authority; /* The target was a whole URL. */
    bool has_body;      /* A length that is not 0, or chunks. */
    bool has_length;    /* A Content-Length or chunks. */
    bool expects_continue;
    bool is_last; /* The client wants the connection closed afterwards. */
    /* BAD */
    int status;
    char text[160];
};

void httpparse_init(struct httpparse *parse, uint64_t body_max);
void httpparse_close(struct httpparse *parse);
/* Ready for the next request. After DONE only. */
void httpparse_restart(struct httpparse *parse);
/* Takes bytes off the front of *in until something has happened. part: of BODY, points into *in. */
enum httpparse_event httpparse_next(struct httpparse *parse, struct slice *in, struct slice *part);
/* Nothing of a request has come. */
bool httpparse_is_idle(const struct httpparse *parse);

/* ---- from HEAD to httpparse_restart; slices point into the head ---- */

struct slice httpparse_text(const struct httpparse *parse, struct httpparse_span span);
/* The first field of that name (given in lower case); data is null if there is none. */
struct slice httpparse_field(const struct httpparse *parse, const char *name);
size_t httpparse_count(const struct httpparse *parse, const char *name);
/* Whether a list, in one field of that name or several, has a token (in lower case). */
bool httpparse_has_token(const struct httpparse *parse, const char *name, const char *token);
/* The host that was asked for, with its port: of the URL, or the Host field. */
struct slice httpparse_host(const struct httpparse *parse);

/* The words behind the status of an answer. */
const char *httpparse_phrase(int status);

#endif
