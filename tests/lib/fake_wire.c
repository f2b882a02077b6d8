/* Response frames as text, for tests that look at what the router answers and not at formats. */
#include "router/wire/response.h"

#include <assert.h>

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
