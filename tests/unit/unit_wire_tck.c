/*
 * Apache TinkerPop's test vectors of GraphSON and GraphBinary, which stand in a folder beside the
 * sources (TCK); without it there is nothing to do.
 */
#include "common/codec.h"
#include "common/mem.h"
#include "router/wire/graphbinary.h"
#include "router/wire/graphson.h"
#include "router/wire/request.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/runner.h"

static const char *folder(void)
{
    return getenv("TCK");
}

/* False, with a line, if there is none. */
static bool read_vector(const char *kind, const char *name, struct bytes *out)
{
    char path[1024];
    char buffer[8192];
    size_t size;

    bytes_init(out, 0);
    (void)snprintf(path, sizeof path, "%s/vectors/%s/%s", folder() == NULL ? "" : folder(), kind,
                   name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        printf("# skipped: %s is not there\n", path);
        return false;
    }
    while ((size = fread(buffer, 1, sizeof buffer, file)) > 0) {
        bytes_append(out, buffer, size);
    }
    (void)fclose(file);
    return true;
}

/* Members of objects may stand in any order. */
static bool same_json(const struct json *a, const struct json *b)
{
    if (a == NULL || b == NULL || a->kind != b->kind || a->count != b->count ||
        a->boolean != b->boolean || !slice_equal(a->text, b->text)) {
        return false;
    }
    const struct json *other = b->first;
    for (const struct json *child = a->first; child != NULL; child = child->next) {
        char key[256];
        if (a->kind == JSON_OBJECT) {
            (void)snprintf(key, sizeof key, "%.*s", (int)child->key.size,
                           (const char *)child->key.data);
            other = json_get(b, key);
        }
        if (!same_json(child, other)) {
            return false;
        }
        other = other->next;
    }
    return true;
}

static void parse_value(struct arena *arena, const char *name, struct value *out,
                        struct json **json)
{
    struct bytes file;
    struct error err = {0};
    struct graphson graphson = {.arena = arena, .err = &err};

    *json = NULL;
    if (!read_vector("graphson", name, &file)) {
        return;
    }
    ck_assert_msg(json_parse(arena, bytes_slice(&file), json, &err) == E_OK, "%s: %s", name,
                  err.text);
    ck_assert_msg(graphson_read(&graphson, *json, out) == E_OK, "%s: %s", name, err.text);
    bytes_close(&file);
}

static void check_written(struct arena *arena, const char *name, enum format format,
                          const struct value *value, const struct json *expected)
{
    struct bytes out;
    struct json *written;

    bytes_init(&out, 0);
    graphson_write(&out, format, value);
    ck_assert_int_eq(json_parse(arena, bytes_slice(&out), &written, NULL), E_OK);
    ck_assert_msg(same_json(expected, written), "%s: %.*s", name, (int)out.size,
                  (const char *)out.data);
    bytes_close(&out);
}

/* Read and written again: the same. */
static void round_trip(const char *name, enum format format)
{
    struct arena arena = {0};
    struct json *json;
    struct value value;

    parse_value(&arena, name, &value, &json);
    if (json != NULL) {
        check_written(&arena, name, format, &value, json);
    }
    arena_close(&arena);
}

static const char *const names[] = {
    "barrier",     "bigdecimal",
    "biginteger",  "byte",
    "bytebuffer",  "bytecode",
    "cardinality", "char",
    "class",       "column",
    "date",        "direction",
    "double",      "duration",
    "edge",        "float",
    "integer",     "lambda",
    "long",        "operator",
    "order",       "offsetdatetime",
    "p",           "pand",
    "path",        "pick",
    "pop",         "por",
    "property",    "pwithin",
    "pwithout",    "scope",
    "short",       "t",
    "textp",       "timestamp",
    "traverser",   "uuid",
    "vertex",      "vertexproperty",
    "inetaddress", "instant",
    "localdate",   "localdatetime",
    "localtime",   "monthday",
    "offsettime",  "period",
    "year",        "yearmonth",
    "zoneoffset",
};

enum { NAME_COUNT = sizeof names / sizeof names[0] };

START_TEST(graphson3)
{
    static const char *const more[] = {"bulkset", "list", "map", "set"};
    char name[64];

    for (size_t i = 0; i < NAME_COUNT; i++) {
        (void)snprintf(name, sizeof name, "%s-v3.json", names[i]);
        round_trip(name, FORMAT_GRAPHSON3);
    }
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof name, "%s-v3.json", more[i]);
        round_trip(name, FORMAT_GRAPHSON3);
    }
}
END_TEST

START_TEST(graphson2)
{
    char name[64];

    for (size_t i = 0; i < NAME_COUNT; i++) {
        (void)snprintf(name, sizeof name, "%s-v2.json", names[i]);
        round_trip(name, FORMAT_GRAPHSON2);
    }
}
END_TEST

START_TEST(untyped)
{
    static const char *const elements[] = {"vertex", "edge", "vertexproperty", "property", "path"};
    struct value value;
    struct value ignored;
    struct json *json;
    char name[64];

    for (size_t i = 0; i < 2 * sizeof elements / sizeof elements[0]; i++) {
        struct arena arena = {0};
        int version = i % 2 == 0 ? 3 : 2;
        (void)snprintf(name, sizeof name, "%s-v3.json", elements[i / 2]);
        parse_value(&arena, name, &value, &json);
        if (json == NULL) {
            return;
        }
        (void)snprintf(name, sizeof name, "%s-v%d-no-types.json", elements[i / 2], version);
        parse_value(&arena, name, &ignored, &json);
        check_written(&arena, name,
                      version == 3 ? FORMAT_GRAPHSON3_UNTYPED : FORMAT_GRAPHSON2_UNTYPED, &value,
                      json);
        arena_close(&arena);
    }
}
END_TEST

START_TEST(bulkset_of_version_2)
{
    struct arena arena = {0};
    struct json *json;
    struct json *expected;
    struct value value;
    struct value ignored;

    parse_value(&arena, "bulkset-v3.json", &value, &json);
    parse_value(&arena, "bulkset-v2.json", &ignored, &expected);
    if (json != NULL && expected != NULL) {
        check_written(&arena, "bulkset-v2", FORMAT_GRAPHSON2, &value, expected);
    }
    arena_close(&arena);
}
END_TEST

/* ---- graphs, which are written only ---- */

static struct value parse_list(struct arena *arena, const struct json *graph, const char *key)
{
    const struct json *list = json_get(json_get(graph, "@value"), key);
    struct graphson graphson = {.arena = arena};
    struct value *items = arena_array(arena, list->count + 1, sizeof *items);
    uint32_t count = 0;

    for (const struct json *child = list->first; child != NULL; child = child->next) {
        ck_assert_int_eq(graphson_read(&graphson, child, &items[count++]), E_OK);
    }
    return value_items(arena, VALUE_LIST, items, count);
}

static void check_graph(const char *name, enum format format, const char *binary)
{
    struct graphbinary graphbinary;
    struct arena arena = {0};
    struct bytes file, out;
    struct error err = {0};
    struct json *json;

    if (!read_vector("graphson", name, &file)) {
        return;
    }
    ck_assert_int_eq(json_parse(&arena, bytes_slice(&file), &json, &err), E_OK);
    struct value vertices = parse_list(&arena, json, "vertices");
    struct value edges = parse_list(&arena, json, "edges");
    struct value graph = value_graph(&arena, &vertices, &edges);
    check_written(&arena, name, format, &graph, json);
    bytes_close(&file);
    if (binary != NULL && read_vector("graphbinary", binary, &file)) {
        graphbinary_init(&graphbinary);
        bytes_init(&out, 0);
        codec_encode(&out, &graphbinary.codec, &graph);
        ck_assert_uint_eq(out.size, file.size);
        ck_assert(slice_equal(bytes_slice(&out), bytes_slice(&file)));
        bytes_close(&out);
        bytes_close(&file);
    }
    arena_close(&arena);
}

START_TEST(graphs)
{
    check_graph("tinkergraph-v3.json", FORMAT_GRAPHSON3, "tinkergraph-v1.gbin");
    check_graph("tinkergraph-v2.json", FORMAT_GRAPHSON2, NULL);
}
END_TEST

/* ---- requests ---- */

static void decode_vector(const char *name, struct request *request)
{
    struct bytes file;
    struct error err = {0};

    *request = (struct request){0};
    if (!read_vector("graphson", name, &file)) {
        return;
    }
    ck_assert_msg(request_decode(bytes_slice(&file), true, request, &err) == E_OK, "%s: %s", name,
                  err.text);
    ck_assert(request->has_id);
    ck_assert_uint_eq(request->id[0] == 0xcb || request->id[0] == 0x41, 1);
    bytes_close(&file);
}

static void check_request(const char *stem, enum request_op op, const char *text, bool has_session)
{
    static const char *const ends[] = {"v3", "v2", "v3-no-types", "v2-no-types"};
    struct request request;
    char name[128];

    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof name, "%s-%s.json", stem, ends[i]);
        decode_vector(name, &request);
        if (!request.has_id) {
            return;
        }
        ck_assert_int_eq(request.op, op);
        ck_assert_int_eq(request.session.data != NULL, has_session);
        if (text != NULL) {
            ck_assert(slice_equal(request.gremlin, slice_text(text)));
            ck_assert_int_eq(value_get_text(&request.bindings, "x")->integer, 1);
        }
        request_close(&request);
    }
}

START_TEST(requests)
{
    check_request("sessionclose", REQUEST_CLOSE, NULL, true);
    check_request("sessioneval", REQUEST_EVAL, "g.V(x)", true);
    check_request("sessionevalaliased", REQUEST_EVAL, "social.V(x)", true);
    check_request("sessionlesseval", REQUEST_EVAL, "g.V(x)", false);
    check_request("sessionlessevalaliased", REQUEST_EVAL, "social.V(x)", false);
    check_request("authenticationresponse", REQUEST_AUTHENTICATION, NULL, false);
}
END_TEST

/* ---- GraphBinary ---- */

static void check_binary(const char *stem)
{
    struct graphbinary graphbinary;
    struct arena arena = {0};
    struct reader reader;
    struct bytes file;
    struct bytes out;
    struct error err = {0};
    struct value value;
    char name[64];

    (void)snprintf(name, sizeof name, "%s-v1.gbin", stem);
    if (!read_vector("graphbinary", name, &file)) {
        return;
    }
    graphbinary_init(&graphbinary);
    bytes_init(&out, 0);
    reader_init(&reader, bytes_slice(&file));
    codec_decode(&reader, &arena, &graphbinary.codec, 0, &value);
    ck_assert_msg(reader_finish(&reader, stem, &err) == E_OK, "%s", err.text);
    /* A Binding gives its value. Vertices have empty lists of meta-properties where we write null.
     * */
    if (strcmp(stem, "binding") != 0 && strcmp(stem, "vertex") != 0 &&
        strcmp(stem, "traverser") != 0) {
        codec_encode(&out, &graphbinary.codec, &value);
        ck_assert_msg(slice_equal(bytes_slice(&out), bytes_slice(&file)), "%s", stem);
    }
    bytes_close(&out);
    bytes_close(&file);
    arena_close(&arena);
}

START_TEST(graphbinary)
{
    static const char *const more[] = {"binding", "bulkset", "zoneddatetime", "list", "map", "set"};

    for (size_t i = 0; i < NAME_COUNT; i++) {
        check_binary(names[i]);
    }
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        check_binary(more[i]);
    }
}
END_TEST

/* Both formats of one value say the same. */
START_TEST(formats_agree)
{
    for (size_t i = 0; i < NAME_COUNT; i++) {
        struct graphbinary graphbinary_hooks;
        struct arena arena = {0};
        struct reader reader;
        struct bytes file;
        struct value value;
        struct value ignored;
        struct json *json;
        char name[64];

        (void)snprintf(name, sizeof name, "%s-v1.gbin", names[i]);
        if (!read_vector("graphbinary", name, &file)) {
            return;
        }
        graphbinary_init(&graphbinary_hooks);
        reader_init(&reader, bytes_slice(&file));
        codec_decode(&reader, &arena, &graphbinary_hooks.codec, 0, &value);
        (void)snprintf(name, sizeof name, "%s-v3.json", names[i]);
        parse_value(&arena, name, &ignored, &json);
        check_written(&arena, name, FORMAT_GRAPHSON3, &value, json);
        bytes_close(&file);
        arena_close(&arena);
    }
}
END_TEST

RUN_SUITE("wire_tck", graphson3, graphson2, untyped, bulkset_of_version_2, graphs, requests,
          graphbinary, formats_agree)
