#include "common/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/codec_type.h"
#include "common/element.h"
#include "tests/lib/runner.h"

static struct arena arena;

static struct slice hex(const char *text)
{
    size_t size = strlen(text) / 2;
    uint8_t *bytes = (uint8_t *)arena_alloc(&arena, size);

    for (size_t i = 0; i < size; i++) {
        char pair[3] = {text[2 * i], text[2 * i + 1], 0};
        bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return slice_of(bytes, size);
}

static bool decode(struct slice input, struct value *out)
{
    struct reader reader;

    reader_init(&reader, input);
    codec_decode(&reader, &arena, NULL, 0, out);
    return reader_finish(&reader, "value", NULL) == E_OK;
}

static struct slice encode(const struct value *value)
{
    struct bytes out;
    struct slice copy;

    bytes_init(&out, 0);
    codec_encode(&out, NULL, value);
    copy = slice_of(arena_copy(&arena, out.data, out.size), out.size);
    bytes_close(&out);
    return copy;
}

/* The official bytes are read, print as TinkerPop prints them, and are written back the same. */
static const struct {
    const char *file;
    const char *text;
} vectors[] = {
    {"barrier", "normSack"},
    {"bigdecimal", "123456789987654321123456789987654321"},
    {"biginteger", "123456789987654321123456789987654321"},
    {"bulkset", "{marko=1, josh=2}"},
    {"byte", "1"},
    {"bytebuffer", "java.nio.HeapByteBuffer[pos=0 lim=18 cap=18]"},
    {"cardinality", "list"},
    {"char", "x"},
    {"class", "class java.io.File"},
    {"column", "keys"},
    {"date", "Wed Dec 14 21:14:36 UTC 2016"},
    {"direction", "OUT"},
    {"double", "100.0"},
    {"duration", "PT120H"},
    {"edge", "e[13][1-develops->10]"},
    {"float", "100.0"},
    {"inetaddress", "/127.0.0.1"},
    {"instant", "2016-12-14T16:39:19.349Z"},
    {"integer", "100"},
    {"list", "[1, person, true]"},
    {"localdate", "2016-01-01"},
    {"localdatetime", "2016-01-01T12:30"},
    {"localtime", "12:30:45"},
    {"long", "100"},
    {"map", "{Wed Dec 14 21:14:36 UTC 2016=red, [1, 2, 3]=Wed Dec 14 21:14:36 UTC 2016, test=123}"},
    {"monthday", "--01-01"},
    {"offsetdatetime", "2007-12-03T10:15:30+01:00"},
    {"offsettime", "10:15:30+01:00"},
    {"operator", "sum"},
    {"order", "shuffle"},
    {"path", "path[v[1], v[10], v[11]]"},
    {"period", "P1Y6M15D"},
    {"pick", "any"},
    {"pop", "all"},
    {"property", "p[since->2009]"},
    {"scope", "local"},
    {"set", "[1, person, true]"},
    {"short", "100"},
    {"t", "label"},
    {"timestamp", "2016-12-14 21:14:36.295"},
    {"traverser", "v[1]"},
    {"uuid", "41d2e28a-20a4-4ab0-b379-d810dede3786"},
    {"vertex", "v[1]"},
    {"vertexproperty", "vp[name->marko]"},
    {"year", "2016"},
    {"yearmonth", "2016-06"},
    {"zoneddatetime", "2016-12-23T12:12:24.000000036+02:00"},
    {"zoneoffset", "+03:06:09"},
};

static bool read_vector(const char *name, struct slice *out)
{
    const char *shared = getenv("CARDEA_SHARED");
    const char *root = getenv("SOURCE_ROOT");
    uint8_t bytes[4096];

    if (shared == NULL) {
        shared = arena_format(&arena, "%s/../shared", root == NULL ? "." : root);
    }
    FILE *file =
        fopen(arena_format(&arena, "%s/tck/vectors/graphbinary/%s-v1.gbin", shared, name), "rb");
    if (file == NULL) {
        return false;
    }
    size_t size = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    *out = slice_of(arena_copy(&arena, bytes, size), size);
    return true;
}

START_TEST(official_vectors)
{
    size_t missing = 0;
    struct slice input;
    struct value value;

    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        if (!read_vector(vectors[i].file, &input)) {
            missing++;
            continue;
        }
        ck_assert_msg(decode(input, &value), "%s is not read", vectors[i].file);
        struct slice text = value_text(&arena, &value);
        ck_assert_msg(slice_equal(text, slice_text(vectors[i].text)), "%s prints %.*s",
                      vectors[i].file, (int)text.size, (const char *)text.data);
        /* Vertices come with empty lists of meta-properties, which are written as null. */
        bool is_same = slice_equal(encode(&value), input);
        ck_assert_msg(is_same || value.kind == VALUE_VERTEX || value.kind == VALUE_TRAVERSER,
                      "%s is written otherwise", vectors[i].file);
        struct value copy = value_copy(&arena, &value);
        ck_assert_msg(slice_equal(encode(&copy), encode(&value)),
                      "a copy of %s is written otherwise", vectors[i].file);
        ck_assert(value_equivalent(&copy, &value));
        ck_assert_uint_eq(value_hash(&copy), value_hash(&value));
        ck_assert_int_eq(value_order(&copy, &value), 0);
    }
    if (missing > 0) {
        printf("# skipped: %zu of TinkerPop's vectors are not there (CARDEA_SHARED)\n", missing);
    }
}
END_TEST

/* Of every kind: the bytes, and how it prints. */
static const struct {
    const char *bytes;
    const char *text;
} forms[] = {
    {"13000300000000086e6f726d5361636b", "normSack"},
    {"2300000000020100", "256"},
    {"2200000000020000000204d2", "12.34"},
    {"2a00000000020300000000016100000000000000020100000000070000000000000001", "{a=2, 7=1}"},
    {"240001", "1"},
    {"26000064", "100"},
    {"02000000000000000064", "100"},
    {"080042c80000", "100.0"},
    {"07004059000000000000", "100.0"},
    {"250000000003010203", "java.nio.HeapByteBuffer[pos=0 lim=3 cap=3]"},
    {"16000300000000046c697374", "list"},
    {"17000300000000046b657973", "keys"},
    {"18000300000000034f5554", "OUT"},
    {"190003000000000373756d", "sum"},
    {"1a00030000000003617363", "asc"},
    {"1b00030000000003616e79", "any"},
    {"1c00030000000003616c6c", "all"},
    {"1f000300000000056c6f63616c", "local"},
    {"20000300000000056c6162656c", "label"},
    {"800078", "x"},
    {"8000c3a9", "\xc3\xa9"},
    {"8000e282ac", "\xe2\x82\xac"},
    {"06000000000c6a6176612e696f2e46696c65", "class java.io.File"},
    {"040000000158ff2fdb87", "Wed Dec 14 21:14:36 UTC 2016"},
    {"050000000158ff2fdb87", "2016-12-14 21:14:36.295"},
    {"0c0041d2e28a20a44ab0b379d810dede3786", "41d2e28a-20a4-4ab0-b379-d810dede3786"},
    {"8200000000047f000001", "/127.0.0.1"},
    {"830000000000585175b714cd5140", "2016-12-14T16:39:19.349Z"},
    {"8400000007e00101", "2016-01-01"},
    {"8500000007e00101000028ed6103d000", "2016-01-01T12:30"},
    {"8600000028f7db395200", "12:30:45"},
    {"87000101", "--01-01"},
    {"8800000007d70c03000021966f88140000000e10", "2007-12-03T10:15:30+01:00"},
    {"8900000021966f88140000000e10", "10:15:30+01:00"},
    {"8a0000000001000000060000000f", "P1Y6M15D"},
    {"8b00000007e0", "2016"},
    {"8c00000007e006", "2016-06"},
    {"8d00000007e00c17000027f78282902400001c20", "2016-12-23T12:12:24.000000036+02:00"},
    {"8e0000002ba1", "+03:06:09"},
    {"0b000000000201000000000103000000000161", "[1, a]"},
    {"0a000000000103000000000161010000000001", "{a=1}"},
    {"2100000000000000000303000000000161", "a"},
    {"0d0001000000000d000000056b6e6f777301000000000a00000001780100000000010000000179fe0109"
     "00000000010f000000000573696e63650100000007d9fe01",
     "e[13][1-knows->10]"},
    {"0d0001000000000d000000056b6e6f777301000000000a00000001780100000000010000000179fe01fe"
     "01",
     "e[13][1-knows->10]"},
    {"120002000000000000000000000000046e616d650300000000056d61726b6ffe01fe01", "vp[name->marko]"},
    {"0f000000000573696e63650100000007d9fe01", "p[since->2009]"},
    {"0e000900000000010b000000000103000000000161090000000001010000000001", "path[1]"},
    {"11000100000000010000000161090000000001120002000000000000000005000000046e616d6503000000"
     "00056d61726b6ffe010900000000010f000000000573696e63650100000007d9fe01",
     "v[1]"},
    {"2b00000000010100000000010000000101000000000200000000", "{1={2={}}}"},
    {"8100ffffffffffffffff1dcd6500", "PT-0.5S"},
    {"00000000086361726465612e500000000009000101000000000100", "eq(1)"},
};

START_TEST(every_kind)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct slice input = hex(forms[i].bytes);
        struct value value;
        ck_assert_msg(decode(input, &value), "%s is not read", forms[i].text);
        struct slice text = value_text(&arena, &value);
        ck_assert_msg(slice_equal(text, slice_text(forms[i].text)), "%s prints %.*s", forms[i].text,
                      (int)text.size, (const char *)text.data);
        ck_assert_msg(slice_equal(encode(&value), input), "%s is written otherwise", forms[i].text);
        struct value copy = value_copy(&arena, &value);
        ck_assert_msg(slice_equal(encode(&copy), input), "a copy of %s is written otherwise",
                      forms[i].text);
        bool is_same = value_equivalent(&copy, &value) && value_equal(&copy, &value) &&
                       value_order(&copy, &value) == 0 && value_hash(&copy) == value_hash(&value);
        ck_assert_msg(is_same || value.kind == VALUE_PREDICATE, "a copy of %s differs",
                      forms[i].text);
        /* Cut anywhere, it is refused. */
        for (size_t cut = 0; cut < input.size; cut++) {
            ck_assert(!decode(slice_of(input.data, cut), &value));
        }
    }
}
END_TEST

static void check_round_trip(struct value value, const char *bytes)
{
    struct value back;

    ck_assert_msg(slice_equal(encode(&value), hex(bytes)), "not %s", bytes);
    ck_assert(decode(hex(bytes), &back));
    ck_assert_int_eq(back.kind, value.kind);
    ck_assert(value_equivalent(&back, &value));
}

START_TEST(golden)
{
    check_round_trip(value_null(), "fe01");
    check_round_trip(value_bool(true), "270001");
    check_round_trip(value_bool(false), "270000");
    check_round_trip(value_int(-1), "0100ffffffff");
    check_round_trip(value_long(1), "02000000000000000001");
    check_round_trip(value_integer(VALUE_BYTE, -128), "240080");
    check_round_trip(value_integer(VALUE_SHORT, -2), "2600fffe");
    check_round_trip(value_double(0.5), "07003fe0000000000000");
    check_round_trip(value_float(-0.0F), "080080000000");
    check_round_trip(value_cstring(""), "030000000000");
    check_round_trip(value_cstring("h\xc3\xa9"), "03000000000368c3a9");
    check_round_trip(value_integer(VALUE_CHAR, 0x20ac), "8000e282ac");
    check_round_trip(value_integer(VALUE_CHAR, 0x1f600), "8000f09f9880");
    check_round_trip(value_enumerator(MERGE_ON_CREATE), "2e000300000000"
                                                        "086f6e437265617465");
    check_round_trip(value_enumerator(DT_DAY), "2f000300000000"
                                               "03646179");
    check_round_trip(value_enumerator(GTYPE_INT), "30000300000000"
                                                  "03494e54");
    struct value pair[] = {value_cstring("a"), value_int(1)};
    check_round_trip(value_items(&arena, VALUE_MAP, pair, 1), "0a0000000001"
                                                              "03000000000161"
                                                              "010000000001");
    check_round_trip(value_items(&arena, VALUE_LIST, pair, 2), "090000000002"
                                                               "03000000000161"
                                                               "010000000001");
    check_round_trip((struct value){.kind = VALUE_GEO, .size = 10, .text = "POINT(1 2)"},
                     "000000000a6361726465612e47656f00"
                     "0000000a504f494e542831203229");
}
END_TEST

START_TEST(tree)
{
    struct value leaf = value_items(&arena, VALUE_TREE, NULL, 0);
    struct value branch[] = {value_int(2), leaf};
    struct value inner = value_items(&arena, VALUE_TREE, branch, 1);
    struct value root[] = {value_int(1), inner};

    check_round_trip(value_items(&arena, VALUE_TREE, root, 1), "2b0000000001"
                                                               "010000000001"
                                                               "00000001"
                                                               "010000000002"
                                                               "00000000");
}
END_TEST

START_TEST(first_byte_is_the_type)
{
    struct value one = value_int(1);
    struct value text = value_cstring("a");
    struct value null = value_null();

    ck_assert_int_eq(encode(&one).data[0], TYPE_INT);
    ck_assert_int_eq(encode(&one).data[1], FLAG_VALUE);
    ck_assert_int_eq(encode(&text).data[0], TYPE_STRING);
    ck_assert_int_eq(encode(&null).data[0], TYPE_NULL);
    ck_assert_int_eq(encode(&null).data[1], FLAG_NULL);
}
END_TEST

START_TEST(null_of_a_type)
{
    struct value value;

    ck_assert(decode(hex("0101"), &value));
    ck_assert_int_eq(value.kind, VALUE_NULL);
    ck_assert(decode(hex("0301"), &value));
    ck_assert_int_eq(value.kind, VALUE_NULL);
}
END_TEST

START_TEST(big_numbers_have_one_form)
{
    struct value long_form;
    struct value short_form;

    ck_assert(decode(hex("230000000003ffffff"), &long_form));
    ck_assert(decode(hex("230000000001ff"), &short_form));
    ck_assert_uint_eq(long_form.big->size, 1);
    ck_assert(value_equivalent(&long_form, &short_form));
    ck_assert_uint_eq(value_hash(&long_form), value_hash(&short_form));
    ck_assert(decode(hex("23000000000200ff"), &long_form));
    ck_assert_uint_eq(long_form.big->size, 2);
}
END_TEST

START_TEST(bad_bytes)
{
    static const char *const bad[] = {
        "",
        "01",
        "0100",
        "010000",
        "0102",
        "fe00",
        "ff00",
        "10000000",
        "01000000000100",
        "0300ffffffff",
        "030000000001",
        "030000000001ff",
        "09007fffffff",
        "0a0000000001010000000001",
        "270002",
        "8000ff",
        "8000c3",
        "230000000000",
        "22000000000100000000",
        "8800000007d70d03000021966f88140000000e10",
        "8800000007d70c037fffffffffffffff00000e10",
        "81000000000000000001ffffffff",
        "8400000007e1021d",
        "8200000000050102030405",
        "16000300000000036c6973",
        "16000300000000046c697378",
        "0e00090000000000090000000001fe01",
        "0e00fe01fe01",
        "1100fe0100000000090000000001fe01",
        "0000000001780000000000",
        "1500",
        "0301ff",
    };
    struct value value;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(!decode(hex(bad[i]), &value), "%s is read", bad[i]);
    }
}
END_TEST

/* A list in a list in a list: refused long before the stack is. */
START_TEST(depth_is_bounded)
{
    struct bytes out;
    struct value value;

    bytes_init(&out, 0);
    for (int i = 0; i < 10000; i++) {
        bytes_append(&out, "\x09\x00\x00\x00\x00\x01", 6);
    }
    bytes_append(&out, "\xfe\x01", 2);
    ck_assert(!decode(bytes_slice(&out), &value));
    ck_assert(decode(slice_of(out.data + out.size - 2 - 6 * 60, 2 + 6 * 60), &value));
    bytes_close(&out);
}
END_TEST

/* Counts that promise more than comes take no memory: lists in lists, each of "all the rest". */
START_TEST(memory_is_bounded)
{
    struct arena own = {0};
    struct bytes out;
    struct reader reader;
    struct value value;

    bytes_init(&out, 0);
    for (int i = 0; i < VALUE_DEPTH_MAX; i++) {
        bytes_append(&out, "\x09\x00", 2);
        bytes_u32(&out, 400000);
    }
    for (int i = 0; i < 400000; i++) {
        bytes_append(&out, "\xfe\x01", 2);
    }
    reader_init(&reader, bytes_slice(&out));
    codec_decode(&reader, &own, NULL, 0, &value);
    ck_assert(reader.is_bad);
    ck_assert_uint_lt(own.used_bytes, out.size * 40);
    arena_close(&own);
    arena_init(&own, 10000);
    reader_init(&reader, slice_of(out.data + 6 * (VALUE_DEPTH_MAX - 1), 6 + 800000));
    codec_decode(&reader, &own, NULL, 0, &value);
    ck_assert(reader.is_bad && own.is_exceeded);
    ck_assert_uint_lt(own.used_bytes, 40000);
    arena_close(&own);
    bytes_close(&out);
}
END_TEST

START_TEST(vertex_owns_its_properties)
{
    struct property meta = {SLICE("since"), value_int(1997), NULL};
    struct vproperty name = {.id = value_long(5),
                             .key = SLICE("name"),
                             .value = value_cstring("marko"),
                             .metas = &meta,
                             .meta_count = 1};
    struct vertex vertex = {.id = value_long(1),
                            .label = SLICE("person"),
                            .props = &name,
                            .prop_count = 1,
                            .has_props = true};
    struct value value = value_vertex(&vertex);
    struct value back;

    ck_assert(decode(encode(&value), &back));
    for (int i = 0; i < 2; i++) {
        const struct vertex *v = back.vertex;
        ck_assert(v->has_props);
        ck_assert_uint_eq(v->prop_count, 1);
        ck_assert_ptr_eq(v->props[0].owner, v);
        ck_assert_ptr_eq(v->props[0].metas[0].owner->vproperty, &v->props[0]);
        ck_assert_int_eq(v->props[0].metas[0].value.integer, 1997);
        back = value_copy(&arena, &back);
    }
    struct value detached = value_vproperty(&back.vertex->props[0]);
    detached = value_copy(&arena, &detached);
    ck_assert(!detached.vproperty->owner->has_props);
    ck_assert_int_eq(detached.vproperty->owner->id.integer, 1);
    struct value inner = value_property(&detached.vproperty->metas[0]);
    inner = value_copy(&arena, &inner);
    ck_assert_int_eq(inner.property->owner->vproperty->owner->id.integer, 1);
}
END_TEST

START_TEST(unread_properties_differ_from_none)
{
    struct vertex vertex = {.id = value_long(1), .label = SLICE("x")};
    struct value value = value_vertex(&vertex);
    struct value back;

    ck_assert(slice_equal(encode(&value), hex("1100"
                                              "02000000000000000001"
                                              "0000000178"
                                              "fe01")));
    ck_assert(decode(encode(&value), &back));
    ck_assert(!back.vertex->has_props);
    vertex.has_props = true;
    ck_assert(decode(encode(&value), &back));
    ck_assert(back.vertex->has_props);
}
END_TEST

static bool write_int_as_null(void *ctx, struct bytes *out, const struct value *value)
{
    if (value->kind != VALUE_INT) {
        return false;
    }
    (*(int *)ctx)++;
    bytes_append(out, "\xfe\x01", 2);
    return true;
}

static void read_bytecode_as_int(void *ctx, struct reader *reader, struct arena *memory,
                                 uint8_t type, int depth, struct value *out)
{
    (void)memory;
    (*(int *)ctx) += depth;
    ck_assert_int_eq(type, 0x15);
    *out = value_int(reader_u8(reader));
}

START_TEST(hooks)
{
    int calls = 0;
    struct codec codec = {read_bytecode_as_int, write_int_as_null, &calls};
    struct value items[] = {value_int(1), value_cstring("a"), value_int(2)};
    struct value list = value_items(&arena, VALUE_LIST, items, 3);
    struct bytes out;
    struct reader reader;

    bytes_init(&out, 0);
    codec_encode(&out, &codec, &list);
    ck_assert_int_eq(calls, 2);
    ck_assert(slice_equal(bytes_slice(&out), hex("090000000003"
                                                 "fe01"
                                                 "03000000000161"
                                                 "fe01")));
    bytes_close(&out);
    reader_init(&reader, hex("090000000001"
                             "150007"));
    codec_decode(&reader, &arena, &codec, 0, &list);
    ck_assert_int_eq(reader_finish(&reader, "list", NULL), E_OK);
    ck_assert_int_eq(calls, 3);
    ck_assert_int_eq(list.items[0].integer, 7);
}
END_TEST

RUN_SUITE("codec", official_vectors, every_kind, golden, tree, first_byte_is_the_type,
          null_of_a_type, big_numbers_have_one_form, bad_bytes, depth_is_bounded, memory_is_bounded,
          vertex_owns_its_properties, unread_properties_differ_from_none, hooks)
