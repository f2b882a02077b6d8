/*
 * response.h -- response messages to clients, in the format of the request. Frames carry no mime
 * header.
 *
 * Pure. Limits: none here; the router batches.
 */
#ifndef ROUTER_WIRE_RESPONSE_H
#define ROUTER_WIRE_RESPONSE_H

#include "router/wire/request.h"

struct response {
    enum format format;
    const uint8_t *request_id; /* 16 bytes, or null if the request's could not be read. */
    int status;
    const char *message;            /* "" for none. */
    const struct value *attributes; /* A MAP, or null. */
    const struct value *data; /* The results of this frame; bytecode gives VALUE_TRAVERSERs. */
    size_t data_count;
    bool has_data;            /* False: data is null (204, errors). */
    const struct value *meta; /* A MAP, or null. */
};

void response_encode(struct bytes *out, const struct response *response);

/* A response with data, result by result: the values need not live together. */
struct response_writer {
    struct bytes *out; /* Kept until response_end. */
    enum format format;
    size_t status_at; /* Where in `out` the status is. */
    size_t count_at;  /* GraphBinary: where the number of results is. */
    uint32_t count;   /* Results so far. */
};

/* The head of the response; `data` and the status are not looked at. */
void response_begin(struct response_writer *writer, struct bytes *out,
                    const struct response *response);
void response_add(struct response_writer *writer, const struct value *value);
/* status: of three digits. */
void response_end(struct response_writer *writer, int status);
/* HTTP: the status line's code for a Gremlin status, and the body of an error (application/json).
 * */
int response_http_status(int status);
void response_encode_http_error(struct bytes *out, const struct response *response);
/* Content-Type of a format, for HTTP. */
const char *response_mime(enum format format);

#endif
