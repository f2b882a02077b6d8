#include "router/cli/loader.h"

#include "common/mem.h"
#include "router/cli/writer.h"
#include "router/run/bulk.h"
#include "tests/lib/runner.h"

#include <string.h>
#include <unistd.h>

/* Files are read into a loader without a server: what it would send stands in its window. */

static struct loader *loader;
static struct arena arena;
static struct error err;
static char path[64];
static struct bytes told;

static void setup(const char *text)
{
    FILE *file;

    arena_init(&arena, 0);
    bytes_init(&told, 0);
    loader = mem_alloc(sizeof(*loader));
    loader->state_path = "";
    loader->is_quiet = true;
    ck_assert_int_eq(loader_open(loader, &err), E_OK);
    snprintf(path, sizeof(path), "/tmp/unit_loader.%ld", (long)getpid());
    file = fopen(path, "wb");
    ck_assert(file != NULL && fwrite(text, 1, strlen(text), file) == strlen(text));
    ck_assert_int_eq(fclose(file), 0);
}

static void teardown(void)
{
    unlink(path);
    loader_close(loader);
    mem_free(loader);
    bytes_close(&told);
    arena_close(&arena);
}

/* All that was read, a line each; "label>" before an edge is that of its out vertex. */
static const char *window(void)
{
    struct reader reader;

    bytes_clear(&told);
    reader_init(&reader, bytes_slice(&loader->window));
    while (reader_left(&reader) > 0) {
        struct change change;
        uint8_t record = reader_u8(&reader);
        if (record != BULK_VERTEX) {
            struct slice label = reader_blob(&reader);
            bytes_format(&told, "%s %.*s> ", record == BULK_EDGE ? "id" : "no-id", (int)label.size,
                         (const char *)label.data);
        }
        change_decode(&reader, &arena, &change);
        ck_assert(!reader.is_bad);
        change_dump(&told, &change);
        for (uint32_t i = 0; i < change.vprop_count; i++) {
            told.size -= i == 0;
            bytes_format(&told, " %u/%d%s", change.vprops[i].value.kind,
                         change.vprops[i].cardinality, i + 1 == change.vprop_count ? "\n" : "");
        }
    }
    bytes_u8(&told, '\0');
    return (const char *)told.data;
}

typedef int (*load_fn)(struct loader *loader, const char *path, struct error *err);

static void check_lines(const char *const *parts, size_t count)
{
    const char *at = window();

    for (size_t i = 0; i < count; i++) {
        const char *found = strstr(at, parts[i]);
        ck_assert_msg(found != NULL, "'%s' is not in:\n%s", parts[i], window());
        at = found + strlen(parts[i]);
    }
}

#define HAS(...)                                    \
    check_lines((const char *const[]){__VA_ARGS__}, \
                sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void refuses(load_fn load, const char *text, const char *message)
{
    setup(text);
    ck_assert_int_ne(load(loader, path, &err), E_OK);
    ck_assert_msg(strstr(err.text, message) != NULL, "%s: '%s' is not in '%s'", text, message,
                  err.text);
    teardown();
}

/* ---- CSV ---- */

START_TEST(csv_vertices_have_types_arrays_and_quotes)
{
    setup("~id,~label,name,age:Int,tags:String[],list:int(single)\r\n"
          "1,person,\"a,\"\"b\"\"\nc\",-3,x;y\\;z,5\r\n"
          "\r\n"
          "x1,person,,,,\r\n");
    ck_assert_int_eq(csv_load(loader, path, &err), E_OK);
    ck_assert_uint_eq(loader->vertices, 2);
    HAS("vertex=1", "label=person", "name:a,\"b\"\nc", "age:-3", "tags:x", "tags:y;z", "list:5",
        "vertex=\"x1\"", "label=person");
    teardown();
}
END_TEST

START_TEST(csv_empty_text_in_quotes_is_a_value)
{
    setup("~id,a,b\n1,\"\",\n");
    ck_assert_int_eq(csv_load(loader, path, &err), E_OK);
    HAS("vertex=1", "label=vertex", " a:");
    ck_assert_ptr_null(strstr(window(), " b:"));
    teardown();
}
END_TEST

START_TEST(csv_edges_know_labels_of_vertices_read_before)
{
    setup("~id,~label\n1,city\n");
    ck_assert_int_eq(csv_load(loader, path, &err), E_OK);
    bytes_clear(&loader->window);
    loader->is_edges = true;
    FILE *file = fopen(path, "wb");
    fputs("~id,~from,~to,~label,w:double\ne1,1,2,road,0.5\n,2,1,road,\n", file);
    fclose(file);
    ck_assert_int_eq(csv_load(loader, path, &err), E_OK);
    ck_assert_uint_eq(loader->edges, 2);
    HAS("id city> ", "edge=\"e1\"", "label=road", "w", "0.5", "no-id > ", "far-label=city");
    teardown();
}
END_TEST

START_TEST(csv_mark_of_spreadsheets_is_skipped)
{
    setup("\xef\xbb\xbf~id,~label\n1,x\n");
    ck_assert_int_eq(csv_load(loader, path, &err), E_OK);
    HAS("vertex=1");
    teardown();
}
END_TEST

START_TEST(csv_kind_is_told_by_the_header)
{
    bool is_edges = false;

    setup("~from,~to,~label\n");
    ck_assert_int_eq(csv_kind(path, &is_edges, &err), E_OK);
    ck_assert(is_edges);
    teardown();
    setup("\n~id\n");
    ck_assert_int_eq(csv_kind(path, &is_edges, &err), E_OK);
    ck_assert(!is_edges);
    teardown();
}
END_TEST

/* Between the passes of a load the file got the header of the other kind: an assertion once. */
START_TEST(csv_file_that_changes_its_kind_is_refused)
{
    refuses(csv_load, "~from,~to,~label\n1,2,knows\n", ":1: the header is one of edges now");
}
END_TEST

START_TEST(csv_faults_name_their_line)
{
    refuses(csv_load, "", "is empty");
    refuses(csv_load, "id,name\n", ":1: the header has neither");
    refuses(csv_load, "~id,a:colour\n", ":1: column 2");
    refuses(csv_load, "~id,a:int\n1,2\n\n2,x\n", ":4: a: 'x' is no int");
    refuses(csv_load, "~id,a:int\r\n1,2\r\n\r\n2,x\r\n", ":4: a: 'x' is no int");
    refuses(csv_load, "~id,a\n1,\"two\nlines\"\n2\n", ":4: 1 fields, the header has 2");
    refuses(csv_load, "~id,a\n,x\n", ":2: ~id is empty");
    refuses(csv_load, "~id,a\n\xff,x\n", ":2: ~id is not UTF-8");
    refuses(csv_load, "~id,a\n1,\"x\n", "quoted");
    refuses(csv_load, "~id,a\n1,x\"y\n", ":2: not CSV");
}
END_TEST

START_TEST(csv_ends_that_are_no_ids_are_refused)
{
    char text[2200];

    memset(text, 'x', sizeof(text));
    memcpy(text, "~from,~to,~label\n1,", 19);
    snprintf(text + 2000, sizeof(text) - 2000, ",e\n");
    setup(text);
    loader->is_edges = true;
    ck_assert_int_eq(csv_load(loader, path, &err), E_MALFORMED);
    ck_assert_ptr_nonnull(strstr(err.text, ":2: ~to is longer than"));
    teardown();
}
END_TEST

START_TEST(bad_rows_can_be_skipped)
{
    setup("~id,a:int\n1,1\n2,two\n3,3\n");
    loader->skip_bad = true;
    ck_assert_int_eq(csv_load(loader, path, &err), E_OK);
    ck_assert_uint_eq(loader->bad, 1);
    ck_assert_uint_eq(loader->vertices, 2);
    teardown();
}
END_TEST

/* ---- GraphML ---- */

static const char graphml[] =
    "<graphml><key id='labelV' for='node' attr.name='labelV' attr.type='string'/>"
    "<key id='k' for='node' attr.name='age' attr.type='int'/>"
    "<key id='w' for='edge' attr.name='weight' attr.type='double'/>"
    "<key id='labelE' for='edge' attr.name='labelE' attr.type='string'/>"
    "<graph><node id='1'><data key='labelV'>a&amp;b</data><data key='k'>7</data></node>"
    "<node id='n2'/>"
    "<edge id='9' source='1' target='n2'><data key='labelE'>knows</data>"
    "<data key='w'>0.5</data></edge></graph></graphml>";

START_TEST(graphml_has_vertices_then_edges)
{
    setup(graphml);
    ck_assert_int_eq(graphml_load(loader, path, &err), E_OK);
    HAS("vertex=1", "label=a&b", "age:7", "vertex=\"n2\"", "label=vertex");
    bytes_clear(&loader->window);
    loader->is_edges = true;
    ck_assert_int_eq(graphml_load(loader, path, &err), E_OK);
    HAS("id a&b> ", "vertex=1", "far=\"n2\"", "edge=9", "label=knows", "far-label=vertex",
        "weight");
    teardown();
}
END_TEST

START_TEST(graphml_faults_name_their_line)
{
    refuses(graphml_load, "<graphml>\n<node id='1'>\n</graphml>", ":3: mismatched tag");
    refuses(graphml_load, "", "no element found");
    refuses(graphml_load, "<graphml><key id='k' attr.type='colour'/></graphml>", "colour");
    refuses(graphml_load, "<graphml>\n<node id=''/></graphml>", ":2: <node>");
    refuses(graphml_load, "<graphml><node id='1'><data key='x'>1</data></node></graphml>",
            "not declared");
    refuses(graphml_load, "<!DOCTYPE x [<!ENTITY a 'b'>]><graphml/>", "declares entities");
    refuses(graphml_load,
            "<graphml><key id='k' attr.name='n' attr.type='int'/>\n<node id='1'>"
            "<data key='k'>x</data></node></graphml>",
            ":2: n: 'x' is no int");
}
END_TEST

/* ---- GraphSON ---- */

static const char graphson[] =
    "{\"id\":{\"@type\":\"g:Int32\",\"@value\":1},\"label\":\"p\",\"outE\":{\"knows\":[{\"id\":"
    "{\"@type\":\"g:Int32\",\"@value\":7},\"inV\":\"b\",\"properties\":{\"w\":{\"@type\":"
    "\"g:Double\",\"@value\":0.5}}}]},\"properties\":{\"name\":[{\"id\":{\"@type\":\"g:Int64\","
    "\"@value\":3},\"value\":\"x\",\"properties\":{\"m\":true}},{\"value\":\"y\"}]}}\n"
    "\n{\"id\":\"b\",\"label\":\"q\"}\n";

START_TEST(graphson_has_metas_and_edges)
{
    setup(graphson);
    ck_assert_int_eq(graphson_load(loader, path, &err), E_OK);
    HAS("vertex=1", "label=p", "name:x", "m", "true", "name:y", "vertex=\"b\"", "label=q");
    bytes_clear(&loader->window);
    loader->is_edges = true;
    ck_assert_int_eq(graphson_load(loader, path, &err), E_OK);
    HAS("id p> ", "vertex=1", "far=\"b\"", "edge=7", "label=knows", "far-label=q", "w", "0.5");
    teardown();
}
END_TEST

START_TEST(graphson_faults_name_their_line)
{
    refuses(graphson_load, "{\"id\":1}\n{\n", ":2: ");
    refuses(graphson_load, "[1]\n", ":1: a line is one vertex");
    refuses(graphson_load, "{\"label\":\"x\"}\n", ":1: a vertex without");
    refuses(graphson_load, "{\"@type\":\"tinker:graph\",\"@value\":{}}\n", "a whole graph");
    refuses(graphson_load, "{\"id\":1,\"properties\":{\"a\":[1]}}\n", "not GraphSON 3");
    setup("{\"id\":1,\"outE\":{\"e\":[{\"id\":2}]}}\n");
    loader->is_edges = true;
    ck_assert_int_ne(graphson_load(loader, path, &err), E_OK);
    ck_assert_ptr_nonnull(strstr(err.text, ":1: an edge that is not"));
    teardown();
}
END_TEST

/* ---- values ---- */

static bool reads(const char *type, const char *text, const char *back)
{
    struct value value;
    bool good = loader_value(&arena, slice_text(type), slice_text(text), &value);

    if (good && back != NULL) {
        struct slice print = value_text(&arena, &value);
        ck_assert_msg(slice_equal(print, slice_text(back)), "%s %s: %.*s", type, text,
                      (int)print.size, (const char *)print.data);
    }
    return good;
}

START_TEST(values_by_type)
{
    arena_init(&arena, 0);
    ck_assert(reads("String", "x", "x"));
    ck_assert(reads("BOOL", "true", "true"));
    ck_assert(reads("byte", "-128", "-128"));
    ck_assert(reads("int", "2147483647", "2147483647"));
    ck_assert(reads("Long", "-9223372036854775808", "-9223372036854775808"));
    ck_assert(reads("double", "1e300", NULL));
    ck_assert(reads("uuid", "00000000-0000-0000-0000-0000000000aF",
                    "00000000-0000-0000-0000-0000000000af"));
    ck_assert(reads("date", "2020-01-02", NULL));
    ck_assert(reads("date", "1577934245000", NULL));
    ck_assert(reads("char", "\xc3\xbc", "\xc3\xbc"));
    ck_assert(reads("bigint", "1000000000000000000000", "1000000000000000000000"));
    ck_assert(reads("bigdecimal", "1.50", "1.50"));
    ck_assert(!reads("bool", "maybe", NULL));
    ck_assert(!reads("byte", "128", NULL));
    ck_assert(!reads("int", "2147483648", NULL));
    ck_assert(!reads("int", "1.5", NULL));
    ck_assert(!reads("int", "", NULL));
    ck_assert(!reads("double", "x", NULL));
    ck_assert(!reads("uuid", "00", NULL));
    ck_assert(!reads("uuid", "00000000-0000-0000-0000-0000000000aF0", NULL));
    ck_assert(!reads("date", "yesterday", NULL));
    ck_assert(!reads("char", "ab", NULL));
    ck_assert(!reads("string", "\xff", NULL));
    ck_assert(!reads("colour", "red", NULL));
    arena_close(&arena);
}
END_TEST

START_TEST(ids_are_numbers_only_in_their_shortest_form)
{
    ck_assert_ptr_null(loader_id(SLICE("-12")).text.data);
    ck_assert_int_eq(loader_id(SLICE("-12")).num, -12);
    ck_assert_ptr_nonnull(loader_id(SLICE("012")).text.data);
    ck_assert_ptr_nonnull(loader_id(SLICE("+1")).text.data);
    ck_assert_ptr_nonnull(loader_id(SLICE("9223372036854775808")).text.data);
    ck_assert_ptr_nonnull(loader_id(SLICE("1.0")).text.data);
}
END_TEST

/* ---- what writer.h writes is read back ---- */

static struct writer sample(void)
{
    static struct property meta, weight;
    static struct vproperty props[3];
    struct writer writer = {0};
    struct vertex *one, *two;
    struct edge *edge;
    struct value items[2];

    arena_init(&writer.arena, 0);
    meta = (struct property){.key = SLICE("m"), .value = value_bool(true)};
    weight = (struct property){.key = SLICE("w"), .value = value_double(0.1)};
    props[0] = (struct vproperty){.key = SLICE("name"), .value = value_cstring("a;,\"<&\n")};
    props[1] = (struct vproperty){.key = SLICE("name"), .value = value_cstring("b")};
    props[2] = (struct vproperty){.key = SLICE("n"), .value = value_int(-4)};
    props[1].metas = &meta;
    props[1].meta_count = 1;
    props[0].id = props[1].id = props[2].id = value_long(5);
    one = ARENA_NEW(&writer.arena, struct vertex);
    *one = (struct vertex){.id = value_long(1),
                           .label = SLICE("p q"),
                           .props = props,
                           .prop_count = 3,
                           .has_props = true};
    two = ARENA_NEW(&writer.arena, struct vertex);
    *two = (struct vertex){.id = value_cstring("z\"z"), .label = SLICE("q")};
    edge = ARENA_NEW(&writer.arena, struct edge);
    *edge = (struct edge){.id = value_long(9),
                          .label = SLICE("e"),
                          .out_id = one->id,
                          .in_id = two->id,
                          .props = &weight,
                          .prop_count = 1};
    items[0] = (struct value){.kind = VALUE_VERTEX, .vertex = one};
    items[1] = (struct value){.kind = VALUE_VERTEX, .vertex = two};
    writer.vertices = value_items(&writer.arena, VALUE_LIST, items, 2);
    items[0] = (struct value){.kind = VALUE_EDGE, .edge = edge};
    writer.edges = value_items(&writer.arena, VALUE_LIST, items, 1);
    return writer;
}

static void write_with(writer_fn write, const struct writer *writer)
{
    FILE *file = fopen(path, "wb");

    ck_assert_ptr_nonnull(file);
    write(writer, file);
    ck_assert_int_eq(fclose(file), 0);
}

static void round_trip(writer_fn nodes, writer_fn edges, load_fn load, bool has_many)
{
    struct writer writer = sample();

    setup("");
    write_with(nodes, &writer);
    ck_assert_msg(load(loader, path, &err) == E_OK, "%s", err.text);
    HAS("vertex=1", "label=p q", "name:a;,\"<&\n", "n:-4", "vertex=\"z\"z\"", "label=q");
    if (has_many) {
        HAS("name:b");
    }
    bytes_clear(&loader->window);
    loader->is_edges = true;
    write_with(edges, &writer);
    ck_assert_msg(load(loader, path, &err) == E_OK, "%s", err.text);
    HAS("id p q> ", "vertex=1", "far=\"z\"z\"", "edge=9", "label=e", "far-label=q", "w", "0.1");
    teardown();
    arena_close(&writer.arena);
}

START_TEST(csv_goes_round)
{
    round_trip(writer_csv_nodes, writer_csv_edges, csv_load, true);
}
END_TEST

START_TEST(graphml_goes_round)
{
    round_trip(writer_graphml, writer_graphml, graphml_load, false);
}
END_TEST

START_TEST(graphson_goes_round)
{
    round_trip(writer_graphson, writer_graphson, graphson_load, true);
}
END_TEST

RUN_SUITE("loader", csv_vertices_have_types_arrays_and_quotes, csv_empty_text_in_quotes_is_a_value,
          csv_edges_know_labels_of_vertices_read_before, csv_mark_of_spreadsheets_is_skipped,
          csv_kind_is_told_by_the_header, csv_file_that_changes_its_kind_is_refused,
          csv_faults_name_their_line, csv_ends_that_are_no_ids_are_refused, bad_rows_can_be_skipped,
          graphml_has_vertices_then_edges, graphml_faults_name_their_line,
          graphson_has_metas_and_edges, graphson_faults_name_their_line, values_by_type,
          ids_are_numbers_only_in_their_shortest_form, csv_goes_round, graphml_goes_round,
          graphson_goes_round)
