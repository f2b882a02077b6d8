/* Requests as drivers send them (frames in tests/golden/wire were taken from gremlin 3.8.2 for
 * JavaScript and gremlinpython 3.8.2), requests over HTTP, and responses in every format.
 * UPDATE_GOLDEN=1 writes the list of what the frames mean anew. */
#include "common/element.h"
#include "common/mem.h"
#include "router/gremlin/builder.h"
#include "router/gremlin/check.h"
#include "router/gremlin/literal.h"
#include "router/gremlin/report.h"
#include "router/gremlin/syntax.h"
#include "router/gremlin/token.h"
#include "router/wire/base64.h"
#include "router/wire/graphbinary.h"
#include "router/wire/graphson.h"
#include "router/wire/graphson_extended.h"
#include "router/wire/json.h"
#include "router/wire/request.h"
#include "router/wire/request_args.h"
#include "router/wire/response.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/runner.h"

#define GOLDEN SOURCE_ROOT "/tests/golden/wire/"

enum { FRAMES_MAX = 256 };

/* ---- frames of drivers ---- */

static void read_file(const char *name, struct bytes *out)
{
    char path[1024];
    char buffer[8192];
    size_t size;

    bytes_init(out, 0);
    (void)snprintf(path, sizeof path, "%s%s", GOLDEN, name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    while ((size = fread(buffer, 1, sizeof buffer, file)) > 0) {
        bytes_append(out, buffer, size);
    }
    (void)fclose(file);
}

static void put_slice(struct bytes *out, const char *name, struct slice text)
{
    if (text.size > 0) {
        bytes_format(out, " %s=%.*s", name, (int)text.size, (const char *)text.data);
    }
}

static void describe(struct bytes *out, const struct request *request)
{
    static const char *const ops[] = {"eval", "bytecode", "authentication", "close", "other"};
    static const char *const txs[] = {"", " begin", " commit", " rollback"};

    bytes_format(out, "%s%s format=%d", ops[request->op], txs[request->tx], (int)request->format);
    put_slice(out, "processor", request->processor);
    put_slice(out, "source", request->source);
    if (request->session.size > 0) {
        bytes_format(out, " session");
    }
    if (request->has_timeout) {
        bytes_format(out, " timeout=%u", request->timeout_ms);
    }
    if (request->batch_size > 0) {
        bytes_format(out, " batch=%u", request->batch_size);
    }
    if (request->tokens_only) {
        bytes_format(out, " tokens");
    }
    put_slice(out, "text", request->gremlin);
    if (request->bindings.kind == VALUE_MAP) {
        bytes_format(out, " bindings=");
        value_print(out, &request->bindings);
    }
    if (request->bytecode != NULL) {
        bytes_format(out, "\n    ");
        bytecode_print(out, request->bytecode, "g");
    }
    bytes_format(out, "\n");
}

static int by_name(const void *a, const void *b)
{
    return strcmp((const char *)a, (const char *)b);
}

static size_t list_frames(char names[][64])
{
    DIR *dir = opendir(GOLDEN);
    size_t count = 0;

    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (strstr(entry->d_name, ".bin") != NULL) {
            ck_assert_uint_lt(count, FRAMES_MAX);
            (void)snprintf(names[count++], 64, "%.63s", entry->d_name);
        }
    }
    (void)closedir(dir);
    qsort(names, count, 64, by_name);
    return count;
}

START_TEST(frames_of_drivers)
{
    static char names[FRAMES_MAX][64];
    size_t count = list_frames(names);
    struct bytes got;
    struct bytes expected;

    bytes_init(&got, 0);
    for (size_t i = 0; i < count; i++) {
        struct request request;
        struct error err = {0};
        struct bytes frame;
        read_file(names[i], &frame);
        int rc = request_decode(bytes_slice(&frame), false, &request, &err);
        bytes_close(&frame);
        bytes_format(&got, "%s: ", names[i]);
        ck_assert_msg(request.has_id, "%s", names[i]);
        if (rc != E_OK) {
            bytes_format(&got, "%s %s\n", error_name(rc), err.text);
        } else {
            describe(&got, &request);
        }
        request_close(&request);
    }
    if (getenv("UPDATE_GOLDEN") != NULL) {
        FILE *file = fopen(GOLDEN "requests.txt", "wb");
        ck_assert_ptr_nonnull(file);
        ck_assert_uint_eq(fwrite(got.data, 1, got.size, file), got.size);
        (void)fclose(file);
    }
    read_file("requests.txt", &expected);
    for (size_t at = 0; at < got.size && at < expected.size; at++) {
        ck_assert_msg(got.data[at] == expected.data[at], "differs at byte %zu: %.*s", at,
                      (int)(got.size - at < 200 ? got.size - at : 200),
                      (const char *)got.data + at);
    }
    ck_assert_uint_eq(got.size, expected.size);
    bytes_close(&got);
    bytes_close(&expected);
}
END_TEST

/* ---- requests ---- */

#define ID "41d2e28a-20a4-4ab0-b379-d810dede3786"

static void check_text_frame(const char *json, int code, const char *part)
{
    struct request request;
    struct error err = {0};
    int rc = request_decode(slice_text(json), true, &request, &err);

    ck_assert_msg(rc == code, "%s: %d, %s", json, rc, err.text);
    ck_assert_msg(strstr(err.text, part) != NULL, "%s: %s", json, err.text);
    request_close(&request);
}

START_TEST(rules)
{
#define MESSAGE(op, processor, args)                                                              \
    "{\"requestId\":\"" ID "\",\"op\":\"" op "\",\"processor\":\"" processor "\",\"args\":{" args \
    "}}"
    check_text_frame(MESSAGE("eval", "", "\"gremlin\":\"g.V()\""), E_OK, "");
    check_text_frame(MESSAGE("eval", "", ""), E_INVALID, "requires a [gremlin] argument");
    check_text_frame(MESSAGE("eval", "nope", "\"gremlin\":\"g\""), E_INVALID,
                     "Invalid OpProcessor requested [nope]");
    check_text_frame(MESSAGE("eval", "session", "\"gremlin\":\"g\""), E_INVALID,
                     "requires a [session] argument");
    check_text_frame(MESSAGE("close", "session", ""), E_INVALID, "requires a [session] argument");
    check_text_frame(MESSAGE("bytecode", "traversal", "\"gremlin\":\"g\""), E_INVALID,
                     "of type Bytecode");
    check_text_frame(
        MESSAGE("bytecode", "traversal", "\"gremlin\":{\"@type\":\"g:Bytecode\",\"@value\":{}}"),
        E_INVALID, "one alias assignment");
    check_text_frame(MESSAGE("eval", "", "\"gremlin\":\"g\",\"bindings\":{\"label\":1}"), E_INVALID,
                     "parameters key of [label]");
    check_text_frame(MESSAGE("eval", "", "\"gremlin\":\"g\",\"bindings\":{\"desc\":1}"), E_INVALID,
                     "parameters key of [desc]");
    check_text_frame(
        MESSAGE("eval", "",
                "\"gremlin\":\"g\",\"bindings\":{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,"
                "\"f\":1,\"g1\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1,\"l\":1,\"m\":1,\"n\":1,"
                "\"o\":1,\"p\":1,\"q\":1}"),
        E_INVALID, "17 bindings");
    check_text_frame(MESSAGE("eval", "", "\"gremlin\":\"g\",\"bindings\":null"), E_OK, "");
    check_text_frame(MESSAGE("later", "", ""), E_OK, "");
    check_text_frame("{\"op\":\"eval\",\"args\":{}}", E_MALFORMED, "no requestId");
    check_text_frame("{\"requestId\":\"x\",\"op\":\"eval\"}", E_MALFORMED, "no requestId");
    check_text_frame("{\"requestId\":\"" ID "\"}", E_MALFORMED, "no op");
    check_text_frame("{", E_MALFORMED, "JSON");
    check_text_frame("", E_MALFORMED, "JSON");
}
END_TEST

START_TEST(broken_frames)
{
    static const char *const frames[] = {"", "\x01", "\x00", "\xff",
                                         " application/json"}; /* A length of 32. */
    struct request request;

    for (size_t i = 0; i < 5; i++) {
        ck_assert_int_eq(request_decode(slice_text(frames[i]), false, &request, NULL), E_MALFORMED);
        ck_assert(!request.has_id);
        request_close(&request);
    }
}
END_TEST

START_TEST(id_survives_errors)
{
    struct request request;

    (void)request_decode(SLICE("{\"requestId\":\"" ID "\",\"op\":\"eval\",\"args\":5}"), true,
                         &request, NULL);
    ck_assert(request.has_id);
    ck_assert_uint_eq(request.id[0], 0x41);
    request_close(&request);
}
END_TEST

START_TEST(unknown_mime_is_graphson3)
{
    struct request request;
    struct bytes frame;

    bytes_init(&frame, 0);
    bytes_format(&frame, "\x05"
                         "a/new{\"requestId\":\"" ID
                         "\",\"op\":\"eval\",\"args\":{\"gremlin\":\"g.V()\"}}");
    ck_assert_int_eq(request_decode(bytes_slice(&frame), false, &request, NULL), E_OK);
    ck_assert_int_eq(request.format, FORMAT_GRAPHSON3);
    bytes_close(&frame);
    request_close(&request);
}
END_TEST

START_TEST(options_of_text)
{
    struct value pairs[4] = {value_cstring("evaluationTimeout"), value_int(7),
                             value_cstring("materializeProperties"), value_cstring("tokens")};
    struct request request = {0};
    struct builder builder;

    arena_init(&request.arena, 0);
    builder_init(&builder, &request.arena, 2, 0);
    (void)builder_option(&builder, &pairs[0], &pairs[1]);
    (void)builder_option(&builder, &pairs[2], &pairs[3]);
    request_take_options(&request, builder_finish(&builder));
    ck_assert_uint_eq(request.timeout_ms, 7);
    ck_assert(request.has_timeout);
    ck_assert(request.tokens_only);
    request_close(&request);
}
END_TEST

START_TEST(mimes)
{
    static const struct {
        const char *text;
        enum format format;
    } rows[] = {
        {"application/vnd.graphbinary-v1.0", FORMAT_GRAPHBINARY},
        {"application/vnd.graphbinary-v1.0-stringd", FORMAT_GRAPHBINARY_STRING},
        {"Application/JSON; charset=UTF-8", FORMAT_GRAPHSON3},
        {"application/vnd.gremlin-v3.0+json;types=false", FORMAT_GRAPHSON3_UNTYPED},
        {"application/vnd.gremlin-v3.0+json; types=false", FORMAT_GRAPHSON3_UNTYPED},
        {"text/html, application/vnd.gremlin-v2.0+json;q=0.5", FORMAT_GRAPHSON2},
    };
    enum format format;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert(request_format_of(slice_text(rows[i].text), &format));
        ck_assert_msg(format == rows[i].format, "%s", rows[i].text);
    }
    ck_assert(!request_format_of(SLICE("*/*"), &format));
    ck_assert(!request_format_of(SLICE(""), &format));
    ck_assert(!request_format_of(SLICE("application/jsonp"), &format));
}
END_TEST

/* ---- HTTP ---- */

static void check_http(const struct request_http *http, const char *expected)
{
    struct request request;
    struct error err = {0};
    struct bytes got;

    bytes_init(&got, 0);
    int rc = request_decode_http(http, &request, &err);
    if (rc != E_OK) {
        bytes_format(&got, "%s %s\n", error_name(rc), err.text);
    } else {
        describe(&got, &request);
        ck_assert_int_eq(request.is_single, request.op == REQUEST_EVAL);
    }
    bytes_u8(&got, 0);
    ck_assert_str_eq((const char *)got.data, expected);
    bytes_close(&got);
    request_close(&request);
}

START_TEST(http_posts)
{
    struct request_http http = {.content_type = SLICE("application/json"),
                                .body = SLICE("{\"gremlin\":\"g.V(x)\",\"bindings\":{\"x\":1}}")};

    check_http(&http, "eval format=2 source=g text=g.V(x) bindings={x=1}\n");
    http.body = SLICE("{\"query\":\"g.V()\",\"queryId\":\"" ID "\",\"aliases\":{\"g\":\"air\"}}");
    http.accept = SLICE("application/vnd.gremlin-v3.0+json;types=false");
    check_http(&http, "eval format=3 source=air text=g.V()\n");
    /* graphexp: JSON under a form's type. */
    http.content_type = SLICE("application/x-www-form-urlencoded");
    http.accept = SLICE("*/*");
    check_http(&http, "eval format=2 source=air text=g.V()\n");
    http.body = SLICE("gremlin=g.V%28%29+&bindings.x=abc");
    check_http(&http, "eval format=2 source=g text=g.V()  bindings={x=abc}\n");
    http.body = SLICE("[1]");
    http.content_type = SLICE("");
    check_http(&http, "E_MALFORMED the body is not a JSON object\n");
    http.body = SLICE("{}");
    check_http(&http,
               "E_INVALID A message with an [eval] op code requires a [gremlin] argument.\n");
}
END_TEST

START_TEST(http_gets)
{
    struct request_http http = {
        .query = SLICE("gremlin=g.V(x,y,z)&bindings.x=1&bindings.y=%22a%22&bindings.z=1.5"
                       "&aliases.g=air&evaluationTimeout=5&language=x")};

    check_http(&http, "eval format=2 source=air timeout=5 text=g.V(x,y,z) "
                      "bindings={x=1, y=a, z=1.5}\n");
    http.query = SLICE("");
    check_http(&http,
               "E_INVALID A message with an [eval] op code requires a [gremlin] argument.\n");
    http.query = SLICE("&&gremlin=%&=&");
    check_http(&http, "eval format=2 source=g text=% bindings={}\n");
}
END_TEST

/* What gremlinpython sends over HTTP: a frame as the body. */
START_TEST(http_messages)
{
    struct request_http http = {.content_type = SLICE("application/vnd.graphbinary-v1.0"),
                                .accept = SLICE("application/vnd.graphbinary-v1.0")};
    struct request request;
    struct bytes frame;

    read_file("py-simple.bin", &frame);
    http.body = bytes_slice(&frame);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(request_decode_http(&http, &request, NULL), E_OK);
        ck_assert_int_eq(request.op, REQUEST_BYTECODE);
        ck_assert_int_eq(request.format, FORMAT_GRAPHBINARY);
        ck_assert(request.is_single);
        request_close(&request);
        http.body = slice_of(frame.data + 1 + frame.data[0], frame.size - 1 - frame.data[0]);
    }
    bytes_close(&frame);
}
END_TEST

/* ---- JSON ---- */

static void check_json(const char *text, bool is_right)
{
    struct arena arena = {0};
    struct json *json;
    struct error err = {0};

    int rc = json_parse(&arena, slice_text(text), &json, &err);
    ck_assert_msg((rc == E_OK) == is_right, "%s: %s", text, err.text);
    arena_close(&arena);
}

START_TEST(json_forms)
{
    static const char *const right[] = {"1",        " \"a\" ",
                                        "null",     "true",
                                        "[]",       "{}",
                                        "[1,2]",    "{\"a\":{\"b\":[null]}}",
                                        "-0.5e+10", "[12345678901234567890]"};
    static const char *const wrong[] = {"",      " ",    "[",         "]",    "{\"a\"}",   "[1,]",
                                        "[01]",  "[1.]", "[.5]",      "[+1]", "1,2",       "[1]]",
                                        "[1] 2", "nul",  "[tru]",     "\"a",  "[\"\\x\"]", "[NaN]",
                                        "{1:2}", "[1e]", "[\"\xff\"]"};

    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        check_json(right[i], true);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        check_json(wrong[i], false);
    }
}
END_TEST

START_TEST(json_depth)
{
    struct bytes text;

    bytes_init(&text, 0);
    for (int i = 0; i < 300; i++) {
        bytes_u8(&text, '[');
    }
    for (int i = 0; i < 300; i++) {
        bytes_u8(&text, ']');
    }
    bytes_u8(&text, 0);
    check_json((const char *)text.data, false);
    check_json((const char *)text.data + 100, false);
    text.data[500] = 0;
    check_json((const char *)text.data + 100, true);
    bytes_close(&text);
}
END_TEST

static void check_graphson(const char *json_text, const char *expected)
{
    struct arena arena = {0};
    struct error err = {0};
    struct graphson graphson = {.arena = &arena, .err = &err};
    struct json *json;
    struct value value;
    struct bytes got;

    bytes_init(&got, 0);
    ck_assert_int_eq(json_parse(&arena, slice_text(json_text), &json, &err), E_OK);
    if (graphson_read(&graphson, json, &value) == E_OK) {
        graphson_write(&got, FORMAT_GRAPHSON3, &value);
    } else {
        bytes_format(&got, "%s", err.text);
    }
    bytes_u8(&got, 0);
    ck_assert_str_eq((const char *)got.data, expected);
    bytes_close(&got);
    arena_close(&arena);
}

START_TEST(graphson_values)
{
    check_graphson(
        "[1,4294967296,9223372036854775808,1.5,1e2]",
        "{\"@type\":\"g:List\",\"@value\":[{\"@type\":\"g:Int32\",\"@value\":1},"
        "{\"@type\":\"g:Int64\",\"@value\":4294967296},"
        "{\"@type\":\"gx:BigInteger\",\"@value\":9223372036854775808},"
        "{\"@type\":\"g:Double\",\"@value\":1.5},{\"@type\":\"g:Double\",\"@value\":100.0}]}");
    check_graphson("{\"@type\":\"g:Double\",\"@value\":\"NaN\"}",
                   "{\"@type\":\"g:Double\",\"@value\":\"NaN\"}");
    check_graphson("{\"@type\":\"g:Float\",\"@value\":\"-Infinity\"}",
                   "{\"@type\":\"g:Float\",\"@value\":\"-Infinity\"}");
    check_graphson("\"\\u0001\\n\\\"\\u20ac\"", "\"\\u0001\\n\\\"\xe2\x82\xac\"");
    check_graphson("{\"@type\":\"g:Binding\",\"@value\":{\"key\":\"x\",\"value\":\"y\"}}", "\"y\"");
    check_graphson("{\"@type\":\"g:Int32\",\"@value\":4294967296}", "GraphSON: bad value of int");
    check_graphson("{\"@type\":\"g:Nope\",\"@value\":1}",
                   "GraphSON: the type 'g:Nope' is not known");
    check_graphson("{\"@type\":\"g:Map\",\"@value\":[1]}", "GraphSON: bad value of map");
    check_graphson("{\"@type\":\"g:T\",\"@value\":\"nope\"}", "GraphSON: 'nope' is not known");
    check_graphson("{\"@type\":\"g:P\",\"@value\":{\"predicate\":\"and\",\"value\":[1]}}",
                   "GraphSON: bad value of g:P");
}
END_TEST

START_TEST(extended_types)
{
    static const struct {
        const char *type, *text, *body; /* Null: refused. */
        size_t size;
    } rows[] = {
        {"InetAddress", "127.0.0.1", "\0\0\0\4\x7f\0\0\1", 8},
        {"InetAddress", "127.0.0", NULL, 0},
        {"InetAddress", "127.0.0.256", NULL, 0},
        {"Instant", "1970-01-01T00:00:01Z", "\0\0\0\0\0\0\0\1\0\0\0\0", 12},
        {"LocalDate", "2016-01-02", "\0\0\x07\xe0\1\2", 6},
        {"LocalDate", "2016-01-32", NULL, 0},
        {"LocalTime", "00:00:01", "\0\0\0\0\x3b\x9a\xca\0", 8},
        {"MonthDay", "--02-29", "\2\x1d", 2},
        {"MonthDay", "02-29", NULL, 0},
        {"OffsetTime", "00:00+01:00", "\0\0\0\0\0\0\0\0\0\0\x0e\x10", 12},
        {"Period", "P1Y2M1W3D", "\0\0\0\1\0\0\0\2\0\0\0\x0a", 12},
        {"Period", "P-1D", "\0\0\0\0\0\0\0\0\xff\xff\xff\xff", 12},
        {"Period", "P1D1Y", NULL, 0},
        {"Period", "P", NULL, 0},
        {"Year", "2016", "\0\0\x07\xe0", 4},
        {"YearMonth", "2016-06", "\0\0\x07\xe0\6", 5},
        {"ZoneOffset", "+01:00", "\0\0\x0e\x10", 4},
        {"ZoneOffset", "Z", "\0\0\0\0", 4},
        {"Nope", "1", NULL, 0},
    };
    struct value value;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena arena = {0};
        bool is_right = graphson_extended_parse(&arena, slice_text(rows[i].type),
                                                slice_text(rows[i].text), &value);
        ck_assert_msg(is_right == (rows[i].body != NULL), "%s %s", rows[i].type, rows[i].text);
        if (is_right) {
            ck_assert_msg(slice_equal(value_slice(&value), slice_of(rows[i].body, rows[i].size)),
                          "%s %s", rows[i].type, rows[i].text);
        }
        arena_close(&arena);
    }
}
END_TEST

START_TEST(base64)
{
    static const char *const texts[] = {"",         "Zg==",     "Zm8=",    "Zm9v",
                                        "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    struct arena arena = {0};
    struct slice out;

    for (size_t i = 0; i < 7; i++) {
        struct bytes back;
        bytes_init(&back, 0);
        ck_assert(base64_decode(&arena, slice_text(texts[i]), &out));
        ck_assert(slice_equal(out, slice_of("foobar", i)));
        base64_encode(&back, out);
        ck_assert(slice_equal(bytes_slice(&back), slice_text(texts[i])));
        bytes_close(&back);
    }
    ck_assert(base64_decode(&arena, SLICE("Zg"), &out));
    ck_assert(!base64_decode(&arena, SLICE("Z"), &out));
    ck_assert(!base64_decode(&arena, SLICE("Z*=="), &out));
    arena_close(&arena);
}
END_TEST

/* ---- responses ---- */

static const uint8_t id[16] = {0x41, 0xd2, 0xe2, 0x8a, 0x20, 0xa4, 0x4a, 0xb0,
                               0xb3, 0x79, 0xd8, 0x10, 0xde, 0xde, 0x37, 0x86};

static void check_response(const struct response *response, struct slice expected)
{
    struct bytes got;

    bytes_init(&got, 0);
    response_encode(&got, response);
    ck_assert_msg(slice_equal(bytes_slice(&got), expected), "%.*s", (int)got.size,
                  (const char *)got.data);
    bytes_close(&got);
}

START_TEST(binary_responses)
{
    struct value data[2] = {value_int(1), value_cstring("a")};
    struct response response = {
        .request_id = id, .status = 206, .data = data, .data_count = 2, .has_data = true};

    check_response(&response,
                   SLICE("\x81\0\x41\xd2\xe2\x8a\x20\xa4\x4a\xb0\xb3\x79\xd8\x10\xde\xde\x37\x86"
                         "\0\0\0\xce\0\0\0\0\0\0\0\0\0\0\0\0\0"
                         "\x09\0\0\0\0\2\1\0\0\0\0\1\3\0\0\0\0\1a"));
    response = (struct response){.status = 498, .message = "no"};
    check_response(&response, SLICE("\x81\1\0\0\1\xf2\0\0\0\0\2no\0\0\0\0\0\0\0\0\xfe\1"));
    response = (struct response){.format = FORMAT_GRAPHBINARY_STRING,
                                 .status = 200,
                                 .data = data,
                                 .data_count = 2,
                                 .has_data = true};
    check_response(&response, SLICE("\x81\1\0\0\0\xc8\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                    "\x09\0\0\0\0\2\3\0\0\0\0\1"
                                    "1\3\0\0\0\0\1a"));
}
END_TEST

START_TEST(json_responses)
{
    struct value item[2] = {value_long(3), value_long(1)};
    struct value traverser = {.kind = VALUE_TRAVERSER, .items = item};
    struct value pair[2] = {value_cstring("host"), value_cstring("h")};
    struct value attributes = {.kind = VALUE_MAP, .size = 1, .items = pair};
    struct response response = {.format = FORMAT_GRAPHSON3,
                                .request_id = id,
                                .status = 200,
                                .data = &traverser,
                                .data_count = 1,
                                .has_data = true,
                                .attributes = &attributes};

    check_response(
        &response,
        SLICE("{\"requestId\":\"" ID "\",\"status\":{\"message\":\"\",\"code\":200,\"attributes\":"
              "{\"@type\":\"g:Map\",\"@value\":[\"host\",\"h\"]}},\"result\":{\"data\":"
              "{\"@type\":\"g:List\",\"@value\":[{\"@type\":\"g:Traverser\",\"@value\":{\"bulk\":"
              "{\"@type\":\"g:Int64\",\"@value\":1},\"value\":{\"@type\":\"g:Int64\",\"@value\":3}}"
              "}]},"
              "\"meta\":{\"@type\":\"g:Map\",\"@value\":[]}}}"));
    response.format = FORMAT_GRAPHSON2;
    check_response(&response, SLICE("{\"requestId\":\"" ID
                                    "\",\"status\":{\"message\":\"\",\"code\":200,\"attributes\":"
                                    "{\"host\":\"h\"}},\"result\":{\"data\":[{\"@type\":\"g:"
                                    "Traverser\",\"@value\":{\"bulk\":"
                                    "{\"@type\":\"g:Int64\",\"@value\":1},\"value\":{\"@type\":\"g:"
                                    "Int64\",\"@value\":3}}}],"
                                    "\"meta\":{}}}"));
    response =
        (struct response){.format = FORMAT_GRAPHSON3_UNTYPED, .status = 597, .message = "a \"b\""};
    check_response(&response,
                   SLICE("{\"requestId\":null,\"status\":{\"message\":\"a \\\"b\\\"\",\"code\":597,"
                         "\"attributes\":{}},\"result\":{\"data\":null,\"meta\":{}}}"));
}
END_TEST

START_TEST(http_errors)
{
    struct response response = {.request_id = id, .status = 597, .message = "bad"};
    struct bytes got;

    bytes_init(&got, 0);
    response_encode_http_error(&got, &response);
    ck_assert(slice_equal(bytes_slice(&got),
                          SLICE("{\"message\":\"bad\",\"code\":597,\"Exception-Class\":"
                                "\"java.lang.IllegalStateException\",\"exceptions\":[],"
                                "\"stackTrace\":\"\",\"requestId\":\"" ID "\"}")));
    bytes_close(&got);
    ck_assert_int_eq(response_http_status(204), 200);
    ck_assert_int_eq(response_http_status(499), 400);
    ck_assert_int_eq(response_http_status(407), 401);
    ck_assert_int_eq(response_http_status(598), 500);
    ck_assert_str_eq(response_mime(FORMAT_GRAPHSON3), "application/vnd.gremlin-v3.0+json");
}
END_TEST

/* What JSON cannot say otherwise is a string where types are left away. */
START_TEST(untyped_values)
{
    struct value_time time = {.seconds = 0};
    struct value pairs[4] = {value_enumerator(T_ID),
                             value_double((double)NAN),
                             value_int(2),
                             {.kind = VALUE_DATETIME, .time = &time}};
    struct value map = {.kind = VALUE_MAP, .size = 2, .items = pairs};
    struct bytes got;

    bytes_init(&got, 0);
    graphson_write(&got, FORMAT_GRAPHSON3_UNTYPED, &map);
    bytes_u8(&got, 0);
    ck_assert_str_eq((const char *)got.data, "{\"id\":\"NaN\",\"2\":\"1970-01-01T00:00Z\"}");
    bytes_close(&got);
}
END_TEST

RUN_SUITE("wire", frames_of_drivers, rules, broken_frames, id_survives_errors,
          unknown_mime_is_graphson3, options_of_text, mimes, http_posts, http_gets, http_messages,
          json_forms, json_depth, graphson_values, extended_types, base64, binary_responses,
          json_responses, http_errors, untyped_values)
