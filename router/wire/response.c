#include "router/wire/response.h"

#include "common/codec_type.h"
#include "router/wire/graphbinary.h"
#include "router/wire/graphson.h"

#include <assert.h>
#include <string.h>

static const struct value empty_map = {.kind = VALUE_MAP};

/* ---- GraphBinary ---- */

static void put_bare_map(struct bytes *out, const struct codec *codec, const struct value *map)
{
    map = map == NULL ? &empty_map : map;
    assert(map->kind == VALUE_MAP);
    bytes_u32(out, map->size);
    for (size_t i = 0; i < 2 * (size_t)map->size; i++) {
        codec_encode(out, codec, &map->items[i]);
    }
}

/* The result as a string, of a traverser what it carries. */
static void put_printed(struct bytes *out, const struct value *value)
{
    struct bytes text;

    bytes_init(&text, 0);
    value_print(&text, value);
    bytes_u8(out, TYPE_STRING);
    bytes_u8(out, FLAG_VALUE);
    graphbinary_put_text(out, bytes_slice(&text));
    bytes_close(&text);
}

static void begin_graphbinary(struct response_writer *writer, const struct response *response)
{
    struct bytes *out = writer->out;
    struct graphbinary graphbinary;

    graphbinary_init(&graphbinary);
    bytes_u8(out, GRAPHBINARY_VERSION);
    if (response->request_id == NULL) {
        bytes_u8(out, FLAG_NULL);
    } else {
        bytes_u8(out, FLAG_VALUE);
        bytes_append(out, response->request_id, 16);
    }
    writer->status_at = out->size;
    bytes_u32(out, (uint32_t)response->status);
    bytes_u8(out, FLAG_VALUE);
    graphbinary_put_text(out, slice_text(response->message == NULL ? "" : response->message));
    put_bare_map(out, &graphbinary.codec, response->attributes);
    put_bare_map(out, &graphbinary.codec, response->meta);
    if (response->has_data) {
        bytes_u8(out, TYPE_LIST);
        bytes_u8(out, FLAG_VALUE);
        writer->count_at = out->size;
        bytes_u32(out, 0);
    } else {
        bytes_u8(out, TYPE_NULL);
        bytes_u8(out, FLAG_NULL);
    }
}

static void add_graphbinary(struct response_writer *writer, const struct value *value)
{
    struct graphbinary graphbinary;

    if (writer->format == FORMAT_GRAPHBINARY_STRING) {
        put_printed(writer->out, value);
    } else {
        graphbinary_init(&graphbinary);
        codec_encode(writer->out, &graphbinary.codec, value);
    }
}

static void set_u32(struct bytes *out, size_t at, uint32_t number)
{
    assert(out->is_overflown || at + 4 <= out->size);
    for (int i = 0; i < 4 && !out->is_overflown; i++) {
        out->data[at + (size_t)i] = (uint8_t)(number >> (24 - 8 * i));
    }
}

/* ---- GraphSON ---- */

static void put_id(struct bytes *out, const uint8_t *id)
{
    if (id == NULL) {
        bytes_format(out, "null");
        return;
    }
    struct value uuid = {.kind = VALUE_UUID, .size = 16, .bytes = id};
    bytes_u8(out, '"');
    value_print(out, &uuid);
    bytes_u8(out, '"');
}

static void begin_graphson(struct response_writer *writer, const struct response *response)
{
    struct bytes *out = writer->out;
    const struct value *attributes =
        response->attributes == NULL ? &empty_map : response->attributes;

    bytes_format(out, "{\"requestId\":");
    put_id(out, response->request_id);
    bytes_format(out, ",\"status\":{\"message\":");
    graphson_put_text(out, slice_text(response->message == NULL ? "" : response->message));
    bytes_format(out, ",\"code\":");
    writer->status_at = out->size;
    bytes_format(out, "%03d,\"attributes\":", response->status);
    graphson_write(out, response->format, attributes);
    bytes_format(out, "},\"result\":{\"data\":");
    if (response->has_data) {
        graphson_open_list(out, response->format);
    } else {
        bytes_format(out, "null");
    }
}

static void end_graphson(struct bytes *out, const struct response *response)
{
    if (response->has_data) {
        graphson_close_list(out, response->format);
    }
    bytes_format(out, ",\"meta\":");
    graphson_write(out, response->format, response->meta == NULL ? &empty_map : response->meta);
    bytes_format(out, "}}");
}

/* ---- both ---- */

static bool is_binary(enum format format)
{
    return format == FORMAT_GRAPHBINARY || format == FORMAT_GRAPHBINARY_STRING;
}

void response_begin(struct response_writer *writer, struct bytes *out,
                    const struct response *response)
{
    assert(out != NULL);
    assert(response != NULL);
    *writer = (struct response_writer){.out = out, .format = response->format};
    if (is_binary(response->format)) {
        begin_graphbinary(writer, response);
    } else {
        begin_graphson(writer, response);
    }
}

void response_add(struct response_writer *writer, const struct value *value)
{
    if (is_binary(writer->format)) {
        add_graphbinary(writer, value);
    } else {
        if (writer->count > 0) {
            bytes_u8(writer->out, ',');
        }
        graphson_write(writer->out, writer->format, value);
    }
    writer->count++;
}

void response_end(struct response_writer *writer, int status)
{
    struct bytes *out = writer->out;

    assert(status >= 100 && status <= 999);
    if (is_binary(writer->format)) {
        set_u32(out, writer->status_at, (uint32_t)status);
        set_u32(out, writer->count_at, writer->count);
        return;
    }
    end_graphson(out, &(struct response){.format = writer->format, .has_data = true});
    for (int i = 2; i >= 0 && !out->is_overflown; i--, status /= 10) {
        out->data[writer->status_at + (size_t)i] = (uint8_t)('0' + status % 10);
    }
}

void response_encode(struct bytes *out, const struct response *response)
{
    struct response_writer writer;

    assert(response->data != NULL || response->data_count == 0);
    response_begin(&writer, out, response);
    for (size_t i = 0; response->has_data && i < response->data_count; i++) {
        response_add(&writer, &response->data[i]);
    }
    if (!is_binary(response->format)) {
        end_graphson(out, response);
    } else if (response->has_data) {
        set_u32(out, writer.count_at, writer.count);
    }
}

const char *response_mime(enum format format)
{
    static const char *const mimes[] = {
        [FORMAT_GRAPHBINARY] = "application/vnd.graphbinary-v1.0",
        [FORMAT_GRAPHBINARY_STRING] = "application/vnd.graphbinary-v1.0-stringd",
        [FORMAT_GRAPHSON3] = "application/vnd.gremlin-v3.0+json",
        [FORMAT_GRAPHSON3_UNTYPED] = "application/vnd.gremlin-v3.0+json;types=false",
        [FORMAT_GRAPHSON2] = "application/vnd.gremlin-v2.0+json",
        [FORMAT_GRAPHSON2_UNTYPED] = "application/vnd.gremlin-v2.0+json;types=false",
    };

    assert((size_t)format < sizeof mimes / sizeof mimes[0]);
    return mimes[format];
}

/* ---- HTTP errors ---- */

int response_http_status(int status)
{
    switch (status) {
    case 200:
    case 204:
    case 206:
        return 200;
    case 401:
    case 403:
    case 429:
        return status;
    case 407:
        return 401;
    case 497:
    case 498:
    case 499:
        return 400;
    default:
        return 500;
    }
}

void response_encode_http_error(struct bytes *out, const struct response *response)
{
    const char *message = response->message == NULL ? "" : response->message;

    bytes_format(out, "{\"message\":");
    graphson_put_text(out, slice_text(message));
    bytes_format(out, ",\"code\":%d,\"Exception-Class\":\"", response->status);
    bytes_format(out, "%s\",\"exceptions\":[],\"stackTrace\":\"\",\"requestId\":",
                 response->status == 598 ? "java.util.concurrent.TimeoutException"
                                         : "java.lang.IllegalStateException");
    put_id(out, response->request_id);
    bytes_u8(out, '}');
}
