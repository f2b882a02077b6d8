#include "router/cli/show.h"

#include "common/client.h"
#include "common/element.h"
#include "common/jsontext.h"
#include "router/cli/cli.h"
#include "tests/lib/runner.h"

#include <math.h>
#include <string.h>

/* Results as people and scripts see them, and the forms of a router's address. */

static struct arena arena;

static const char *json(struct value value)
{
    struct bytes text;
    const char *copy;

    bytes_init(&text, 0);
    jsontext_write(&text, &value);
    copy = arena_format(&arena, "%.*s", (int)text.size, (const char *)text.data);
    bytes_close(&text);
    return copy;
}

static struct value list(const struct value *items, size_t count)
{
    return value_items(&arena, VALUE_LIST, items, count);
}

static struct value map_of(const char *key, struct value value)
{
    struct value pair[2] = {value_cstring(key), value};

    return value_items(&arena, VALUE_MAP, pair, 1);
}

static const char *shown(enum cli_output output, const struct value *results)
{
    static char text[4096];
    FILE *file = tmpfile();
    size_t size;

    ck_assert_ptr_nonnull(file);
    show_results(file, output, results, &arena);
    rewind(file);
    size = fread(text, 1, sizeof(text) - 1, file);
    text[size] = '\0';
    fclose(file);
    return text;
}

START_TEST(json_of_scalars)
{
    arena_init(&arena, 0);
    ck_assert_str_eq(json(value_int(-4)), "-4");
    ck_assert_str_eq(json(value_bool(true)), "true");
    ck_assert_str_eq(json((struct value){.kind = VALUE_NULL}), "null");
    ck_assert_str_eq(json(value_double(0.5)), "0.5");
    ck_assert_str_eq(json(value_double((double)NAN)), "\"NaN\"");
    ck_assert_str_eq(json(value_cstring("a\"\\\n\t\x7f\xc3\xbc")),
                     "\"a\\\"\\\\\\n\\u0009\\u007f\xc3\xbc\"");
    arena_close(&arena);
}
END_TEST

START_TEST(json_of_collections)
{
    struct value items[2] = {value_int(1), value_cstring("x")};
    struct value inner, bulk[2] = {value_cstring("x"), value_long(2)};

    arena_init(&arena, 0);
    inner = list(items, 2);
    ck_assert_str_eq(json(inner), "[1,\"x\"]");
    ck_assert_str_eq(json(list(NULL, 0)), "[]");
    ck_assert_str_eq(json(map_of("k", inner)), "{\"k\":[1,\"x\"]}");
    ck_assert_str_eq(json(value_items(&arena, VALUE_BULKSET, bulk, 1)), "[\"x\",\"x\"]");
    arena_close(&arena);
}
END_TEST

START_TEST(json_of_elements)
{
    struct vproperty props[3] = {{.key = SLICE("a"), .value = value_int(1)},
                                 {.key = SLICE("a"), .value = value_int(2)},
                                 {.key = SLICE("b"), .value = value_int(3)}};
    struct vertex vertex = {
        .id = value_long(7), .label = SLICE("p"), .props = props, .prop_count = 3};
    struct property weight = {.key = SLICE("w"), .value = value_double(0.5)};
    struct edge edge = {.id = value_cstring("e"),
                        .label = SLICE("k"),
                        .out_id = value_long(7),
                        .in_id = value_long(8),
                        .props = &weight,
                        .prop_count = 1,
                        .has_props = true};
    struct value v = {.kind = VALUE_VERTEX, .vertex = &vertex};

    arena_init(&arena, 0);
    ck_assert_str_eq(json(v), "{\"id\":7,\"label\":\"p\"}");
    vertex.has_props = true;
    ck_assert_str_eq(json(v), "{\"id\":7,\"label\":\"p\",\"properties\":{\"a\":[1,2],\"b\":[3]}}");
    vertex.prop_count = 0;
    ck_assert_str_eq(json(v), "{\"id\":7,\"label\":\"p\",\"properties\":{}}");
    ck_assert_str_eq(
        json((struct value){.kind = VALUE_EDGE, .edge = &edge}),
        "{\"id\":\"e\",\"label\":\"k\",\"outV\":7,\"inV\":8,\"properties\":{\"w\":0.5}}");
    arena_close(&arena);
}
END_TEST

START_TEST(a_table_has_a_column_for_each_key)
{
    struct value rows[2];
    struct value results;

    arena_init(&arena, 0);
    rows[0] = map_of("name", value_cstring("\xc3\xbc"));
    rows[1] = map_of("n", value_int(12345));
    results = list(rows, 2);
    ck_assert_str_eq(shown(CLI_OUTPUT_TABLE, &results), "name  n\n"
                                                        "----  -----\n"
                                                        "\xc3\xbc     \n"
                                                        "      12345\n");
    rows[1] = value_int(3);
    results = list(rows, 2);
    ck_assert_ptr_nonnull(strstr(shown(CLI_OUTPUT_TABLE, &results), "result\n"));
    arena_close(&arena);
}
END_TEST

START_TEST(long_cells_are_cut)
{
    char text[100];
    struct value item, results;
    const char *told;

    arena_init(&arena, 0);
    memset(text, 'x', sizeof(text));
    item = value_string(slice_of(text, sizeof(text)));
    results = list(&item, 1);
    told = shown(CLI_OUTPUT_TABLE, &results);
    ck_assert_ptr_nonnull(strstr(told, "xxx...\n"));
    ck_assert_uint_le(strlen(told), 150);
    arena_close(&arena);
}
END_TEST

START_TEST(lines_of_the_other_forms)
{
    struct value items[2] = {value_int(1), value_cstring("x")};
    struct value results;

    arena_init(&arena, 0);
    results = list(items, 2);
    ck_assert_str_eq(shown(CLI_OUTPUT_GREMLIN, &results), "==>1\n==>x\n");
    ck_assert_str_eq(shown(CLI_OUTPUT_JSON, &results), "1\n\"x\"\n");
    ck_assert_str_eq(shown(CLI_OUTPUT_GRAPHSON, &results),
                     "{\"@type\":\"g:Int32\",\"@value\":1}\n\"x\"\n");
    arena_close(&arena);
}
END_TEST

static void address(const char *flag, const char *want)
{
    char host[256], port[256], got[520];
    struct error err = {0};

    if (client_address(flag, host, port, &err) != E_OK) {
        ck_assert_msg(want == NULL, "%s: %s", flag, err.text);
        ck_assert_int_eq(err.code, E_INVALID);
        return;
    }
    ck_assert_msg(want != NULL, "%s: %s %s", flag, host, port);
    snprintf(got, sizeof(got), "%s %s", host, port);
    ck_assert_str_eq(got, want);
}

START_TEST(forms_of_an_address)
{
    char text[400];

    memset(text, 'x', sizeof(text));
    memcpy(text + 390, ":1", 3);
    address("db:1", "db 1");
    address("ws://db:8182/gremlin", "db 8182");
    address("127.0.0.1:8182", "127.0.0.1 8182");
    address("[::1]:8182", "::1 8182");
    address("db", NULL);
    address("db:", NULL);
    address(":1", NULL);
    address("ws://", NULL);
    address(text, NULL);
    unsetenv("CARDEA_ROUTER");
    address(NULL, "127.0.0.1 8182");
    setenv("CARDEA_ROUTER", "other:5", 1);
    address(NULL, "other 5");
    address("db:1", "db 1");
}
END_TEST

START_TEST(names_of_outputs)
{
    enum cli_output output;

    ck_assert(cli_output_parse("table", &output) && output == CLI_OUTPUT_TABLE);
    ck_assert(cli_output_parse("json", &output) && output == CLI_OUTPUT_JSON);
    ck_assert(!cli_output_parse("xml", &output));
    ck_assert(!cli_output_parse("", &output));
}
END_TEST

RUN_SUITE("show", json_of_scalars, json_of_collections, json_of_elements,
          a_table_has_a_column_for_each_key, long_cells_are_cut, lines_of_the_other_forms,
          forms_of_an_address, names_of_outputs)
