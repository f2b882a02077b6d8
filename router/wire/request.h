/*
 * request.h -- a client's request, whatever it came in: GraphBinary, GraphSON, text frame, HTTP.
 *
 * Frame: 1 byte mime length, mime, payload (binary frames); bare JSON (text frames). An unknown
 * mime falls back to GraphSON 3, as Gremlin Server does.
 *
 * After: TinkerPop docs/src/dev/provider/index.asciidoc (Graph Driver Provider Requirements);
 * reference/gremlin.md section 4.
 * Pure. Limits: REQUEST_BYTES_MAX a frame, 16 bindings, depth VALUE_DEPTH_MAX.
 */
#ifndef ROUTER_WIRE_REQUEST_H
#define ROUTER_WIRE_REQUEST_H

#include "common/arena.h"
#include "common/error.h"
#include "router/gremlin/bytecode.h"

enum {
    REQUEST_BYTES_MAX = 10 << 20,
    REQUEST_BINDINGS_MAX = 16,
    REQUEST_MEMORY_MAX = 256 << 20 /* Of a decoded request. */
};

enum format {
    FORMAT_GRAPHBINARY,
    FORMAT_GRAPHBINARY_STRING, /* -stringd: each result as its toString(). */
    FORMAT_GRAPHSON3,          /* Typed; also application/json. */
    FORMAT_GRAPHSON3_UNTYPED,
    FORMAT_GRAPHSON2,
    FORMAT_GRAPHSON2_UNTYPED
};

enum request_op {
    REQUEST_EVAL,
    REQUEST_BYTECODE,
    REQUEST_AUTHENTICATION,
    REQUEST_CLOSE, /* Of a session. */
    REQUEST_UNKNOWN  /* Answered with 498. */
};

enum request_tx {
    REQUEST_TX_NONE,
    REQUEST_TX_BEGIN, /* Text only: g.tx().begin(). */
    REQUEST_TX_COMMIT,
    REQUEST_TX_ROLLBACK
};

struct request {
    struct arena arena; /* Holds all below. */
    uint8_t id[16];
    bool has_id;
    enum format format; /* Of the answer. */
    bool is_text_frame;
    enum request_op op;
    enum request_tx tx;
    struct slice op_name;
    struct slice processor;
    struct slice session; /* data null: none. */
    bool manage_transaction;
    struct slice source;   /* Alias of g: the traversal source, a graph's name; "g" if not given. */
    struct slice gremlin;  /* EVAL: the text. */
    struct value bindings; /* EVAL: a MAP, or NULL. */
    const struct bytecode *bytecode; /* BYTECODE; for EVAL made from the text by the router. */
    uint32_t batch_size;             /* 0: the default. */
    uint32_t timeout_ms;             /* 0: the default. */
    bool has_timeout;
    bool tokens_only; /* materializeProperties: tokens. */
    bool is_read_only; /* HTTP's GET: changes nothing (RFC 9110 9.2.1). */
    bool is_single;   /* HTTP: one response with all results. */
    struct slice user_agent;
    struct value args; /* OTHER: a MAP of all the arguments; else NULL. */
    struct slice sasl; /* AUTHENTICATION: base64. */
};

/* Always gives a request with the id as far as it could be read, so that errors can be answered.
 * Returns E_OK, E_MALFORMED (498), E_INVALID (499). The frame may be freed afterwards. */
int request_decode(struct slice frame, bool is_text, struct request *request, struct error *err);
/* HTTP: body as JSON {"gremlin", "bindings", ...} or query string parameters already decoded.
 * content_type may name a serialised RequestMessage. accept chooses the format. */
struct request_http {
    struct slice content_type;
    struct slice accept;
    struct slice body;  /* POST. */
    struct slice query; /* GET: the raw query string. */
};
int request_decode_http(const struct request_http *http, struct request *request,
                        struct error *err);
void request_close(struct request *request);

/* Takes over the options that a traversal's source carries: g.with('evaluationTimeout', 500). For
 * EVAL, once the text is parsed; bytecode's are taken when it is decoded, and give way to the
 * message's own. */
void request_take_options(struct request *request, const struct bytecode *bytecode);
/* The format that a mime type (with its parameters) or the first known one of an Accept header
 * asks for. */
bool request_format_of(struct slice mime, enum format *out);

#endif
