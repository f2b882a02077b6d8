/* JSON in a text frame and in an HTTP body. What is read as GraphSON can be written. */
#include "common/mem.h"
#include "router/wire/graphson.h"
#include "router/wire/request.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_http(struct slice input)
{
    struct request_http http = {.content_type = SLICE("application/json"), .body = input};
    struct request request;

    (void)request_decode_http(&http, &request, NULL);
    request_close(&request);
    http = (struct request_http){.query = input};
    (void)request_decode_http(&http, &request, NULL);
    request_close(&request);
}

static void try_value(struct slice input)
{
    static const enum format formats[] = {FORMAT_GRAPHSON3, FORMAT_GRAPHSON3_UNTYPED,
                                          FORMAT_GRAPHSON2, FORMAT_GRAPHSON2_UNTYPED};
    struct arena arena = {0};
    struct error err = {0};
    struct graphson graphson = {.arena = &arena, .err = &err};
    struct json *json;
    struct value value;
    struct bytes out;

    bytes_init(&out, 1 << 20);
    if (json_parse(&arena, input, &json, &err) == E_OK &&
        graphson_read(&graphson, json, &value) == E_OK) {
        for (size_t i = 0; i < 4; i++) {
            bytes_clear(&out);
            graphson_write(&out, formats[i], &value);
            assert(out.is_overflown || json_parse(&arena, bytes_slice(&out), &json, &err) == E_OK);
        }
    }
    bytes_close(&out);
    arena_close(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size);
    struct request request;

    (void)request_decode(input, true, &request, NULL);
    request_close(&request);
    try_http(input);
    try_value(input);
    return 0;
}
