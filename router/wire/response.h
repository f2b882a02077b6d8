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
/* HTTP: the status line's code for a Gremlin status, and the body of an error (application/json).
 * */
int response_http_status(int status);
void response_encode_http_error(struct bytes *out, const struct response *response);
/* Content-Type of a format, for HTTP. */
const char *response_mime(enum format format);

#endif
