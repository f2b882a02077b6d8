/* Response frames as text, for tests that look at what the router answers and not at formats. */
#include "router/wire/response.h"

#include <assert.h>
#include <stdio.h>

void response_begin(struct response_writer *writer, struct bytes *out,
                    const struct response *response)
{
    assert(response->has_data);
    *writer = (struct response_writer){.out = out, .status_at = out->size};
    bytes_format(out, "%03d [", 0);
}

void response_add(struct response_writer *writer, const struct value *value)
{
    struct bytes *out = writer->out;

    if (writer->count++ > 0) {
        bytes_format(out, ", ");
    }
    if (value->kind == VALUE_TRAVERSER) {
        bytes_format(out, "%lldx ", (long long)value->items[1].integer);
        value = &value->items[0];
    }
    value_print(out, value);
}

void response_end(struct response_writer *writer, int status)
{
    char text[8];

    (void)snprintf(text, sizeof text, "%03d", status);
    for (int i = 0; i < 3; i++) {
        writer->out->data[writer->status_at + (size_t)i] = (uint8_t)text[i];
    }
    bytes_format(writer->out, "]");
}

void response_encode(struct bytes *out, const struct response *response)
{
    bytes_format(out, "%d %s", response->status, response->message);
    if (response->has_data) {
        bytes_format(out, "[");
        for (size_t i = 0; i < response->data_count; i++) {
            const struct value *value = &response->data[i];
            if (i > 0) {
                bytes_format(out, ", ");
            }
            if (value->kind == VALUE_TRAVERSER) {
                bytes_format(out, "%lldx ", (long long)value->items[1].integer);
                value = &value->items[0];
            }
            value_print(out, value);
        }
        bytes_format(out, "]");
    }
}

void request_close(struct request *request)
{
    assert(request != NULL);
    arena_close(&request->arena);
    *request = (struct request){0};
}
