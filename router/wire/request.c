#include "router/wire/request.h"

#include "common/codec_type.h"
#include "router/gremlin/literal.h"
#include "router/wire/graphbinary.h"
#include "router/wire/graphson.h"
#include "router/wire/request_args.h"

#include <assert.h>
#include <string.h>

/* ---- formats ---- */

static const struct {
    const char *mime;
    enum format format;
} mimes[] = {
    {"application/vnd.graphbinary-v1.0-stringd", FORMAT_GRAPHBINARY_STRING},
    {"application/vnd.graphbinary-v1.0", FORMAT_GRAPHBINARY},
    {"application/vnd.gremlin-v3.0+json;types=false", FORMAT_GRAPHSON3_UNTYPED},
    {"application/vnd.gremlin-v3.0+json", FORMAT_GRAPHSON3},
    {"application/vnd.gremlin-v2.0+json;types=false", FORMAT_GRAPHSON2_UNTYPED},
    {"application/vnd.gremlin-v2.0+json", FORMAT_GRAPHSON2},
    {"application/vnd.gremlin-v1.0+json", FORMAT_GRAPHSON2_UNTYPED},
    {"application/json", FORMAT_GRAPHSON3},
};

/* Without blanks, in small letters, up to the next comma; returns the size. */
static size_t plain_mime(struct slice *header, char *out, size_t out_size)
{
    size_t size = 0;
    size_t at = 0;

    for (; at < header->size && header->data[at] != ','; at++) {
        uint8_t c = header->data[at];
        if (c > ' ' && size + 1 < out_size) {
            out[size++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
        }
    }
    out[size] = 0;
    at += at < header->size ? 1 : 0;
    *header = slice_of(header->data + at, header->size - at);
    return size;
}

bool request_format_of(struct slice mime, enum format *out)
{
    char plain[128];

    while (mime.size > 0) {
        size_t size = plain_mime(&mime, plain, sizeof plain);
        for (size_t i = 0; i < sizeof mimes / sizeof mimes[0]; i++) {
            size_t known = strlen(mimes[i].mime);
            if (size >= known && memcmp(plain, mimes[i].mime, known) == 0 &&
                (plain[known] == 0 || plain[known] == ';')) {
                *out = mimes[i].format;
                return true;
            }
        }
    }
    return false;
}

/* ---- messages ---- */

static int decode_graphbinary(struct slice payload, struct request *request, struct error *err)
{
    struct graphbinary graphbinary;
    struct reader reader;
    struct value args;

    reader_init(&reader, payload);
    graphbinary_init(&graphbinary);
    uint8_t version = reader_u8(&reader);
    struct slice id = reader_take(&reader, 16);
    if (reader.is_bad || version != GRAPHBINARY_VERSION) {
        return error_set(err, E_MALFORMED, "GraphBinary: not a request of version 1");
    }
    memcpy(request->id, id.data, 16);
    request->has_id = true;
    request->op_name = graphbinary_take_text(&reader);
    request->processor = graphbinary_take_text(&reader);
    codec_decode_body(&reader, &request->arena, &graphbinary.codec, TYPE_MAP, 0, &args);
    int rc = reader_finish(&reader, "GraphBinary request", err);
    if (rc != E_OK) {
        return rc;
    }
    return request_args_take(request, &args, err);
}

static bool take_json_id(struct request *request, const struct json *id)
{
    const struct json *value = json_get(id, "@value");
    struct value uuid;

    id = value != NULL ? value : id;
    if (id == NULL || id->kind != JSON_STRING ||
        literal_uuid(&request->arena, id->text, &uuid, NULL) != E_OK) {
        return false;
    }
    memcpy(request->id, uuid.bytes, 16);
    request->has_id = true;
    return true;
}

static int decode_graphson(struct slice payload, struct request *request, struct error *err)
{
    struct graphson graphson = {.arena = &request->arena, .err = err};
    struct json *root;
    struct value args = {.kind = VALUE_MAP};
    int rc = json_parse(&request->arena, payload, &root, err);

    if (rc != E_OK) {
        return rc;
    }
    const struct json *op = json_get(root, "op");
    const struct json *processor = json_get(root, "processor");
    const struct json *members = json_get(root, "args");
    if (!take_json_id(request, json_get(root, "requestId"))) {
        return error_set(err, E_MALFORMED, "the request has no requestId that is a UUID");
    }
    if (op == NULL || op->kind != JSON_STRING) {
        return error_set(err, E_MALFORMED, "the request has no op");
    }
    request->op_name = op->text;
    request->processor =
        processor != NULL && processor->kind == JSON_STRING ? processor->text : SLICE("");
    if (members != NULL) {
        rc = graphson_read(&graphson, members, &args);
    }
    if (rc == E_OK && args.kind != VALUE_MAP) {
        rc = error_set(err, E_MALFORMED, "the args of the request are not a map");
    }
    return rc != E_OK ? rc : request_args_take(request, &args, err);
}

static bool is_graphbinary(enum format format)
{
    return format == FORMAT_GRAPHBINARY || format == FORMAT_GRAPHBINARY_STRING;
}

static int decode_payload(struct slice payload, struct request *request, struct error *err)
{
    int rc = is_graphbinary(request->format) ? decode_graphbinary(payload, request, err)
                                             : decode_graphson(payload, request, err);

    if (request->arena.is_exceeded) {
        return error_set(err, E_MALFORMED, "the request takes more than %d MiB of memory",
                         REQUEST_MEMORY_MAX >> 20);
    }
    return rc;
}

static void start(struct request *request)
{
    *request = (struct request){.op = REQUEST_UNKNOWN, .format = FORMAT_GRAPHSON3};
    arena_init(&request->arena, REQUEST_MEMORY_MAX);
    request->source = SLICE("g");
}

static struct slice keep(struct request *request, struct slice bytes)
{
    return slice_of(arena_copy(&request->arena, bytes.data, bytes.size), bytes.size);
}

/* Length, mime, payload. */
static int split_frame(struct slice *frame, struct request *request, struct error *err)
{
    size_t size = frame->size > 0 ? frame->data[0] : 0;

    if (size == 0 || size > INT8_MAX || size >= frame->size) {
        return error_set(err, E_MALFORMED, "the frame does not start with a mime type");
    }
    if (!request_format_of(slice_of(frame->data + 1, size), &request->format)) {
        request->format = FORMAT_GRAPHSON3;
    }
    *frame = slice_of(frame->data + 1 + size, frame->size - 1 - size);
    return E_OK;
}

int request_decode(struct slice frame, bool is_text, struct request *request, struct error *err)
{
    assert(request != NULL);
    start(request);
    request->is_text_frame = is_text;
    if (frame.size > REQUEST_BYTES_MAX) {
        return error_set(err, E_MALFORMED, "a frame of %zu bytes, at most %d", frame.size,
                         REQUEST_BYTES_MAX);
    }
    int rc = is_text ? E_OK : split_frame(&frame, request, err);
    return rc != E_OK ? rc : decode_payload(keep(request, frame), request, err);
}

/* ---- HTTP ---- */

static int hex_of(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static struct slice decode_percent(struct request *request, struct slice text)
{
    uint8_t *out = arena_alloc(&request->arena, text.size);
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        bool is_escape = text.data[i] == '%' && i + 2 < text.size &&
                         hex_of(text.data[i + 1]) >= 0 && hex_of(text.data[i + 2]) >= 0;
        if (is_escape) {
            out[size++] = (uint8_t)(hex_of(text.data[i + 1]) << 4 | hex_of(text.data[i + 2]));
            i += 2;
        } else {
            out[size++] = text.data[i] == '+' ? ' ' : text.data[i];
        }
    }
    return slice_of(out, size);
}

struct members {
    struct value *pairs;
    uint32_t count;
};

static void add_member(struct members *members, struct slice key, struct value value)
{
    members->pairs[2 * (size_t)members->count] = value_string(key);
    members->pairs[2 * (size_t)members->count + 1] = value;
    members->count++;
}

static bool cut_prefix(struct slice *text, const char *prefix)
{
    size_t size = strlen(prefix);

    if (text->size <= size || memcmp(text->data, prefix, size) != 0) {
        return false;
    }
    *text = slice_of(text->data + size, text->size - size);
    return true;
}

/* bindings.x=1 is a number, bindings.x=abc a string. */
static struct value query_value(struct request *request, struct slice text)
{
    struct graphson graphson = {.arena = &request->arena, .has_long_numbers = true};
    struct value out;
    struct json *json;

    if (json_parse(&request->arena, text, &json, NULL) == E_OK &&
        graphson_read(&graphson, json, &out) == E_OK) {
        return out;
    }
    return value_string(text);
}

static struct value map_of(const struct members *members)
{
    return (struct value){.kind = VALUE_MAP, .size = members->count, .items = members->pairs};
}

static void take_parameter(struct request *request, struct slice pair, struct members *members)
{
    const uint8_t *equals = pair.size == 0 ? NULL : memchr(pair.data, '=', pair.size);
    size_t size = equals == NULL ? pair.size : (size_t)(equals - pair.data);
    struct slice key = decode_percent(request, slice_of(pair.data, size));
    struct slice value = {0};

    if (equals != NULL) {
        value = decode_percent(request, slice_of(equals + 1, pair.size - size - 1));
    }
    if (cut_prefix(&key, "bindings.")) {
        add_member(&members[1], key, query_value(request, value));
    } else if (cut_prefix(&key, "aliases.")) {
        add_member(&members[2], key, value_string(value));
    } else if (slice_equal(key, SLICE("batchSize")) ||
               slice_equal(key, SLICE("evaluationTimeout"))) {
        add_member(&members[0], key, query_value(request, value));
    } else {
        add_member(&members[0], key, value_string(value));
    }
}

/* gremlin=..&bindings.x=..&aliases.g=.. */
static struct value query_args(struct request *request, struct slice query)
{
    struct members members[3]; /* All, bindings, aliases. */
    size_t pairs = 3;

    for (size_t i = 0; i < query.size; i++) {
        pairs += query.data[i] == '&';
    }
    for (size_t i = 0; i < 3; i++) {
        members[i].pairs = arena_array(&request->arena, 2 * pairs, sizeof(struct value));
        members[i].count = 0;
    }
    while (query.size > 0) {
        const uint8_t *end = memchr(query.data, '&', query.size);
        size_t size = end == NULL ? query.size : (size_t)(end - query.data);
        take_parameter(request, slice_of(query.data, size), members);
        size += end == NULL ? 0 : 1;
        query = slice_of(query.data + size, query.size - size);
    }
    add_member(&members[0], SLICE("bindings"), map_of(&members[1]));
    if (members[2].count > 0) {
        add_member(&members[0], SLICE("aliases"), map_of(&members[2]));
    }
    return map_of(&members[0]);
}

static int json_args(struct request *request, struct slice body, struct value *out,
                     struct error *err)
{
    struct graphson graphson = {.arena = &request->arena, .err = err, .has_long_numbers = true};
    struct json *root;
    int rc = json_parse(&request->arena, body, &root, err);

    if (rc != E_OK) {
        return rc;
    }
    if (root->kind != JSON_OBJECT) {
        return error_set(err, E_MALFORMED, "the body is not a JSON object");
    }
    rc = graphson_read(&graphson, root, out);
    if (rc == E_OK && out->kind != VALUE_MAP) {
        return error_set(err, E_MALFORMED, "the body is not a JSON object");
    }
    return rc;
}

static void take_text_id(struct request *request, const struct value *args)
{
    static const char *const keys[] = {"requestId", "queryId"};
    struct value uuid;

    for (size_t i = 0; i < 2; i++) {
        const struct value *id = value_get_text(args, keys[i]);
        if (id != NULL && id->kind == VALUE_UUID) {
            uuid = *id;
        } else if (id == NULL || id->kind != VALUE_STRING ||
                   literal_uuid(&request->arena, value_slice(id), &uuid, NULL) != E_OK) {
            continue;
        }
        memcpy(request->id, uuid.bytes, 16);
        request->has_id = true;
        return;
    }
}

/* A whole RequestMessage as the body, with or without the frame's mime type before it. */
static int decode_message(const struct request_http *http, struct request *request,
                          struct error *err)
{
    struct slice body = http->body;
    uint8_t first = body.size > 0 ? body.data[0] : 0;
    enum format format = request->format;
    bool is_bare = is_graphbinary(format) ? first == GRAPHBINARY_VERSION : first == '{';

    if (!is_bare) {
        int rc = split_frame(&body, request, err);
        if (rc != E_OK) {
            return rc;
        }
    }
    int rc = decode_payload(keep(request, body), request, err);
    (void)request_format_of(http->accept, &request->format);
    return rc;
}

static bool starts_with_brace(struct slice body)
{
    for (size_t i = 0; i < body.size; i++) {
        if (body.data[i] > ' ') {
            return body.data[i] == '{';
        }
    }
    return false;
}

int request_decode_http(const struct request_http *http, struct request *request, struct error *err)
{
    enum format format = FORMAT_GRAPHSON3;
    struct value args;
    bool is_form = cut_prefix(&(struct slice){http->content_type.data, http->content_type.size},
                              "application/x-www-form");

    assert(http != NULL);
    assert(request != NULL);
    start(request);
    request->is_single = true;
    if (http->body.size > REQUEST_BYTES_MAX || http->query.size > REQUEST_BYTES_MAX) {
        return error_set(err, E_MALFORMED, "more than %d bytes", REQUEST_BYTES_MAX);
    }
    bool is_known = request_format_of(http->content_type, &format);
    struct slice type = http->content_type;
    if (http->body.size > 0 && is_known && !cut_prefix(&type, "application/json") &&
        !slice_equal(type, SLICE("application/json"))) {
        request->format = format;
        return decode_message(http, request, err);
    }
    (void)request_format_of(http->accept, &request->format);
    request->op_name = SLICE("eval");
    request->processor = SLICE("");
    if (http->body.size == 0) {
        args = query_args(request, keep(request, http->query));
    } else if (is_form && !starts_with_brace(http->body)) {
        args = query_args(request, keep(request, http->body));
    } else {
        int rc = json_args(request, http->body, &args, err);
        if (rc != E_OK) {
            return rc;
        }
    }
    take_text_id(request, &args);
    return request_args_take(request, &args, err);
}

void request_close(struct request *request)
{
    assert(request != NULL);
    arena_close(&request->arena);
    *request = (struct request){0};
}
