#include <stdio.h>
#include <string.h>

#include "common/change.h"
#include "common/packed.h"
#include "common/prng.h"
#include "common/read.h"
#include "common/read_write.h"
#include "tests/lib/runner.h"

/* What routers and shards say to each other: packed values, changes, read requests and replies. */

static struct slice keep(struct arena *arena, const struct bytes *bytes)
{
    return slice_of(arena_copy(arena, bytes->data, bytes->size), bytes->size);
}

/* ---- packed values ---- */

static size_t packed_trip(struct value value)
{
    struct arena arena = {0};
    struct reader reader;
    struct value back;
    struct bytes out;
    size_t size;

    bytes_init(&out, 0);
    packed_encode(&out, &value);
    bytes_u8(&out, 0xee);
    reader_init(&reader, bytes_slice(&out));
    packed_decode(&reader, &arena, &back);
    ck_assert_uint_eq(reader_left(&reader), 1);
    ck_assert_int_eq(back.kind, value.kind);
    ck_assert(value_equivalent(&back, &value) || value.kind == VALUE_NULL);
    reader_init(&reader, bytes_slice(&out));
    ck_assert_uint_eq(packed_skip(&reader).size, out.size - 1);
    ck_assert(packed_is_integer(bytes_slice(&out)) ==
              (value.kind == VALUE_INT || value.kind == VALUE_LONG));
    for (size_t cut = 0; cut + 1 < out.size; cut++) {
        reader_init(&reader, slice_of(out.data, cut));
        packed_decode(&reader, &arena, &back);
        ck_assert(reader.is_bad);
        reader_init(&reader, slice_of(out.data, cut));
        (void)packed_skip(&reader);
        ck_assert(reader.is_bad);
    }
    size = out.size - 1;
    bytes_close(&out);
    arena_close(&arena);
    return size;
}

START_TEST(test_packed)
{
    const struct value items[] = {value_int(1), value_cstring("x")};
    const struct value list = {.kind = VALUE_LIST, .size = 2, .items = items};

    ck_assert_uint_eq(packed_trip(value_int(0)), 1);
    ck_assert_uint_eq(packed_trip(value_int(63)), 1);
    ck_assert_uint_eq(packed_trip(value_int(64)), 3);
    ck_assert_uint_eq(packed_trip(value_int(-1)), 2);
    ck_assert_uint_eq(packed_trip(value_int(INT32_MIN)), 6);
    ck_assert_uint_eq(packed_trip(value_long(0)), 2);
    ck_assert_uint_eq(packed_trip(value_long(INT64_MIN)), 11);
    ck_assert_uint_eq(packed_trip(value_bool(true)), 1);
    ck_assert_uint_eq(packed_trip(value_null()), 1);
    ck_assert_uint_eq(packed_trip(value_double(-1.5)), 9);
    ck_assert_uint_eq(packed_trip(value_cstring("abc")), 5);
    packed_trip(value_float(2.5F));
    packed_trip(value_integer(VALUE_BYTE, -3));
    packed_trip(value_integer(VALUE_DATE, 12345));
    packed_trip(list);
}
END_TEST

START_TEST(test_packed_damage)
{
    static const char *const bad[] = {"\x08", "\xbf", "\x03\xff\xff\xff\xff\x7f",
                                      "\x07\x02\x01\x00"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct arena arena = {0};
        struct reader reader;
        struct value value;

        reader_init(&reader, slice_of(bad[i], i == 3 ? 4 : strlen(bad[i])));
        packed_decode(&reader, &arena, &value);
        ck_assert_msg(reader.is_bad, "%zu", i);
        arena_close(&arena);
    }
}
END_TEST

/* ---- changes ---- */

static const char *dump(struct arena *arena, const struct change *change)
{
    struct bytes out;
    const char *text;

    bytes_init(&out, 0);
    change_dump(&out, change);
    text = arena_format(arena, "%.*s", (int)out.size, (const char *)out.data);
    bytes_close(&out);
    return text;
}

static void change_trip(const struct change *change, const char *wanted)
{
    struct arena arena = {0};
    struct change back, copy;
    struct reader reader;
    struct bytes out, again;

    bytes_init(&out, 0);
    bytes_init(&again, 0);
    change_encode(&out, change);
    reader_init(&reader, bytes_slice(&out));
    change_decode(&reader, &arena, &back);
    ck_assert(!reader.is_bad);
    ck_assert_uint_eq(reader_left(&reader), 0);
    ck_assert_str_eq(dump(&arena, &back), wanted);
    copy = change_copy(&arena, &back);
    change_encode(&again, &copy);
    ck_assert(slice_equal(bytes_slice(&out), bytes_slice(&again)));
    for (size_t cut = 0; cut < out.size; cut++) {
        reader_init(&reader, slice_of(out.data, cut));
        change_decode(&reader, &arena, &back);
        ck_assert(reader.is_bad);
    }
    bytes_close(&out);
    bytes_close(&again);
    arena_close(&arena);
}

START_TEST(test_changes)
{
    const struct property props[] = {{.key = SLICE("w"), .value = value_double(0.5)}};
    const struct vproperty vprops[] = {{.id = value_long(99),
                                        .key = SLICE("name"),
                                        .value = value_cstring("marko"),
                                        .metas = props,
                                        .meta_count = 1}};
    struct change change = {.kind = CHANGE_VERTEX_ADD,
                            .vertex = vid_num(1),
                            .label = SLICE("person"),
                            .vprops = vprops,
                            .vprop_count = 1};

    change_trip(&change, "vertex-add vertex=1 label=person name:marko w:0.5\n");
    change = (struct change){.kind = CHANGE_VERTEX_DROP, .vertex = vid_text(SLICE("a b"))};
    change_trip(&change, "vertex-drop vertex=\"a b\"\n");
    change = (struct change){.kind = CHANGE_VPROP_SET,
                             .vertex = vid_num(1),
                             .key = SLICE("k"),
                             .value = value_int(5),
                             .cardinality = 2,
                             .prop_id = 8,
                             .props = props,
                             .prop_count = 1};
    change_trip(&change, "vprop-set vertex=1 key=k prop-id=8 value=5 w:0.5\n");
    change = (struct change){.kind = CHANGE_VPROP_DROP, .vertex = vid_num(1)};
    change_trip(&change, "vprop-drop vertex=1\n");
    change.prop_id = CHANGE_PROP_ZERO;
    change_trip(&change, "vprop-drop vertex=1 prop-id=0\n");
    change = (struct change){.kind = CHANGE_META_SET,
                             .vertex = vid_num(1),
                             .key = SLICE("k"),
                             .meta_key = SLICE("m"),
                             .prop_id = 3,
                             .value = value_bool(true)};
    change_trip(&change, "meta-set vertex=1 key=k meta=m prop-id=3 value=true\n");
    change.kind = CHANGE_META_DROP;
    change_trip(&change, "meta-drop vertex=1 key=k meta=m prop-id=3\n");
    change = (struct change){.kind = CHANGE_EDGE_ADD,
                             .direction = DIRECTION_OUT,
                             .vertex = vid_num(1),
                             .far = vid_num(2),
                             .edge = vid_num(7),
                             .label = SLICE("knows"),
                             .far_label = SLICE("person"),
                             .props = props,
                             .prop_count = 1};
    change_trip(&change, "edge-add vertex=1 out far=2 edge=7 label=knows far-label=person w:0.5\n");
    change.kind = CHANGE_EDGE_DROP;
    change.direction = DIRECTION_IN;
    change.props = NULL;
    change.prop_count = 0;
    change.far_label = (struct slice){0};
    change_trip(&change, "edge-drop vertex=1 in far=2 edge=7 label=knows\n");
    change.kind = CHANGE_EPROP_SET;
    change.key = SLICE("k");
    change.value = value_cstring("v");
    change_trip(&change, "eprop-set vertex=1 in far=2 edge=7 label=knows key=k value=v\n");
    change.kind = CHANGE_EPROP_DROP;
    change_trip(&change, "eprop-drop vertex=1 in far=2 edge=7 label=knows key=k\n");
}
END_TEST

/* ---- requests ---- */

static struct read_request big_request(struct arena *arena)
{
    static const struct read_input inputs[] = {{{.num = 5}, 3}, {{.num = -1}, 1}};
    static const struct slice labels[] = {{(const uint8_t *)"knows", 5}};
    struct read_filter *filters = arena_array(arena, 3, sizeof *filters);
    struct predicate *predicate = arena_array(arena, 1, sizeof *predicate);
    struct value *operand = arena_array(arena, 1, sizeof *operand);

    *operand = value_cstring("x");
    *predicate = (struct predicate){.test = PREDICATE_EQ, .operands = operand, .operand_count = 1};
    filters[0] = (struct read_filter){.on = READ_ON_LABEL, .predicate = predicate};
    filters[1] =
        (struct read_filter){.on = READ_ON_KEY, .key = SLICE("name"), .predicate = predicate};
    filters[2] = (struct read_filter){.on = READ_ON_ABSENT, .key = SLICE("gone")};
    return (struct read_request){
        .source = READ_IDS,
        .emit = READ_ROWS,
        .project = READ_KEYS,
        .id_int = true,
        .input_count = 2,
        .inputs = inputs,
        .filter_count = 3,
        .filters = filters,
        .hop = {.direction = DIRECTION_BOTH,
                .to_edges = true,
                .label_count = 1,
                .labels = labels,
                .edge_filter_count = 3,
                .edge_filters = filters,
                .far_filter_count = 1,
                .far_filters = filters},
        .key_count = 1,
        .keys = labels,
        .limit = 100,
        .limit_each = 7,
        .cursor = SLICE("cursor"),
        .staged = SLICE("staged"),
    };
}

START_TEST(test_request)
{
    struct arena arena = {0};
    struct read_request request = big_request(&arena);
    struct read_request back;
    struct error err = {0};
    struct bytes out, text;
    struct slice body;

    bytes_init(&out, 0);
    bytes_init(&text, 0);
    read_request_encode(&out, &request);
    body = keep(&arena, &out);
    ck_assert_msg(read_request_decode(body, &arena, &back, &err) == E_OK, "%s", err.text);
    read_request_dump(&text, &back);
    bytes_u8(&text, 0);
    ck_assert_str_eq((const char *)text.data,
                     "ids rows project keys knows inputs 2 limit 100 each 7 continued staged 6\n"
                     "source label eq(x)\nsource key name eq(x)\nsource absent gone\n"
                     "hop BOTH edges knows\n"
                     "edge label eq(x)\nedge key name eq(x)\nedge absent gone\n"
                     "far label eq(x)\n");
    ck_assert_int_eq(back.inputs[1].id.num, -1);
    ck_assert_uint_eq(back.inputs[0].bulk, 3);
    ck_assert(back.id_int);
    ck_assert(!back.skip_readset);
    bytes_clear(&out);
    read_request_encode(&out, &back);
    ck_assert(slice_equal(body, bytes_slice(&out)));
    read_request_close(&back);
    for (size_t cut = 0; cut < body.size; cut++) {
        ck_assert_int_eq(read_request_decode(slice_of(body.data, cut), &arena, &back, &err),
                         E_MALFORMED);
    }
    bytes_close(&out);
    bytes_close(&text);
    arena_close(&arena);
}
END_TEST

static int decode_code(const struct read_request *request)
{
    struct arena arena = {0};
    struct read_request back;
    struct bytes out;
    int rc;

    bytes_init(&out, 0);
    read_request_encode(&out, request);
    rc = read_request_decode(bytes_slice(&out), &arena, &back, NULL);
    if (rc == E_OK) {
        read_request_close(&back);
    }
    bytes_close(&out);
    arena_close(&arena);
    return rc;
}

/* Shards once kept the compiled pattern of every request with a regex. */
START_TEST(test_patterns_are_released)
{
    struct value operand = value_cstring("^a+$");
    struct predicate predicate = {
        .test = PREDICATE_REGEX, .operand_count = 1, .operands = &operand};
    struct read_filter filter = {.on = READ_ON_KEY, .key = SLICE("name"), .predicate = &predicate};
    struct read_request request = {
        .source = READ_VERTICES, .emit = READ_ROWS, .filter_count = 1, .filters = &filter};
    struct arena arena = {0};
    struct read_request back;
    struct bytes out;

    bytes_init(&out, 0);
    read_request_encode(&out, &request);
    ck_assert_int_eq(read_request_decode(bytes_slice(&out), &arena, &back, NULL), E_OK);
    const struct predicate *compiled = back.filters[0].predicate;
    ck_assert_ptr_nonnull(compiled->regex);
    read_request_close(&back);
    ck_assert_ptr_null(compiled->regex);
    bytes_close(&out);
    arena_close(&arena);
}
END_TEST

START_TEST(test_request_nonsense)
{
    static const struct read_filter key = {.on = READ_ON_EXISTS, .key = {(const uint8_t *)"k", 1}};
    static const struct read_input input = {{.num = 1}, 1};
    static const struct read_input nothing = {{.num = 1}, 0};
    struct read_request request = {.source = READ_VERTICES, .emit = READ_MERGED};

    ck_assert_int_eq(decode_code(&request), E_MALFORMED);
    request.hop.direction = DIRECTION_OUT;
    ck_assert_int_eq(decode_code(&request), E_OK);
    request.hop.far_filters = &key;
    request.hop.far_filter_count = 1;
    ck_assert_int_eq(decode_code(&request), E_MALFORMED);
    request.hop.far_filter_count = 0;
    request.input_count = 1;
    request.inputs = &input;
    ck_assert_int_eq(decode_code(&request), E_MALFORMED);
    request.source = READ_EDGE_IDS;
    request.emit = READ_ROWS;
    ck_assert_int_eq(decode_code(&request), E_MALFORMED);
    request.hop.direction = 0;
    ck_assert_int_eq(decode_code(&request), E_OK);
    request.emit = READ_LABEL_COUNTS;
    ck_assert_int_eq(decode_code(&request), E_MALFORMED);
    request.emit = READ_ROWS;
    request.inputs = &nothing;
    ck_assert_int_eq(decode_code(&request), E_MALFORMED);
}
END_TEST

/* ---- replies ---- */

static void write_reply(struct bytes *out)
{
    static const uint8_t name[] = {6, 5, 'm', 'a', 'r', 'k', 'o'};
    static const uint8_t small[] = {0xc0 + 9};
    struct read_head head = {.read_index = 77,
                             .scanned = 12,
                             .micros = 3,
                             .access = SLICE("index byName"),
                             .cursor = SLICE("more")};
    struct read_writer writer;
    struct read_write_row row = {
        .bulk = 1, .id = vid_num(1), .flags = READ_ROW_PROPS | READ_ROW_WHOLE};
    const struct vid from = vid_num(1), to = vid_text(SLICE("to"));

    read_write_init(&writer, out);
    row.label = read_write_symbol(&writer, SLICE("person"));
    read_write_row(&writer, &row);
    read_write_count(&writer, 1);
    read_write_vproperty(&writer, read_write_symbol(&writer, SLICE("name")),
                         slice_of(name, sizeof name), 1, 4242);
    read_write_count(&writer, 1);
    read_write_property(&writer, read_write_symbol(&writer, SLICE("since")), slice_of(small, 1));
    row = (struct read_write_row){
        .ordinal = 5, .bulk = 9, .id = vid_text(SLICE("text")), .label = row.label};
    read_write_row(&writer, &row);
    row = (struct read_write_row){.ordinal = 2,
                                  .bulk = 1,
                                  .id = vid_num(-8),
                                  .label = read_write_symbol(&writer, SLICE("knows")),
                                  .flags = READ_ROW_EDGE | READ_ROW_PROPS};
    read_write_row(&writer, &row);
    read_write_ends(&writer, &from, &to, read_write_symbol(&writer, SLICE("person")),
                    read_write_symbol(&writer, SLICE("software")));
    read_write_count(&writer, 1);
    read_write_property(&writer, read_write_symbol(&writer, SLICE("name")),
                        slice_of(name, sizeof name));
    txn_readset_add(&head.readset, 17);
    head.readset.first_index = 77;
    read_write_finish(&writer, READ_ROWS, &head);
    txn_readset_close(&head.readset);
    read_write_close(&writer);
}

START_TEST(test_reply)
{
    struct arena arena = {0};
    struct read_reply reply;
    struct read_row row;
    struct error err = {0};
    struct bytes out;

    bytes_init(&out, 0);
    write_reply(&out);
    ck_assert_int_eq(read_reply_open(bytes_slice(&out), &arena, true, &reply, &err), E_OK);
    ck_assert_uint_eq(reply.head.rows, 3);
    ck_assert_uint_eq(reply.head.read_index, 77);
    ck_assert(slice_equal(reply.head.access, SLICE("index byName")));
    ck_assert(slice_equal(reply.head.cursor, SLICE("more")));
    ck_assert(txn_readset_has(&reply.head.readset, 17));
    ck_assert_int_eq(read_reply_next(&reply, &arena, &row, &err), 1);
    ck_assert_int_eq(row.element.vertex->id.kind, VALUE_INT);
    ck_assert(slice_equal(row.element.vertex->label, SLICE("person")));
    ck_assert(row.element.vertex->has_props);
    ck_assert_int_eq(row.element.vertex->props[0].id.integer, 4242);
    ck_assert_uint_eq(row.element.vertex->props[0].cardinality, 1);
    ck_assert(value_is_text(&row.element.vertex->props[0].value, "marko"));
    ck_assert_int_eq(row.element.vertex->props[0].metas[0].value.integer, 9);
    ck_assert_ptr_eq(row.element.vertex->props[0].owner, row.element.vertex);
    ck_assert_int_eq(read_reply_next(&reply, &arena, &row, &err), 1);
    ck_assert_uint_eq(row.ordinal, 5);
    ck_assert_uint_eq(row.bulk, 9);
    ck_assert(value_is_text(&row.element.vertex->id, "text"));
    ck_assert(!row.element.vertex->has_props);
    ck_assert_int_eq(read_reply_next(&reply, &arena, &row, &err), 1);
    ck_assert_uint_eq(row.ordinal, 2);
    ck_assert_int_eq(row.element.edge->id.integer, -8);
    ck_assert(slice_equal(row.element.edge->label, SLICE("knows")));
    ck_assert(slice_equal(row.element.edge->out_label, SLICE("person")));
    ck_assert(slice_equal(row.element.edge->in_label, SLICE("software")));
    ck_assert_int_eq(row.element.edge->props[0].owner->kind, VALUE_EDGE);
    ck_assert_int_eq(read_reply_next(&reply, &arena, &row, &err), E_OK);
    read_reply_close(&reply);
    arena_close(&arena);
    bytes_close(&out);
}
END_TEST

/* Bytes changed at random: never more than an error (run under sanitizers). */
START_TEST(test_reply_damage)
{
    struct prng prng;
    struct bytes out;

    prng_init(&prng, 5);
    bytes_init(&out, 0);
    write_reply(&out);
    for (int round = 0; round < 4000; round++) {
        struct arena arena = {0};
        struct read_reply reply;
        struct read_row row;
        size_t size = prng_chance(&prng, 0.3) ? prng_below(&prng, out.size) : out.size;
        uint8_t *copy = arena_alloc(&arena, size + 1);

        memcpy(copy, out.data, size);
        for (uint64_t i = 0; i < 1 + prng_below(&prng, 4) && size > 0; i++) {
            copy[prng_below(&prng, size)] = (uint8_t)prng_next(&prng);
        }
        if (read_reply_open(slice_of(copy, size), &arena, false, &reply, NULL) == E_OK) {
            while (read_reply_next(&reply, &arena, &row, NULL) == 1) {
            }
        }
        read_reply_close(&reply);
        arena_close(&arena);
    }
    bytes_close(&out);
}
END_TEST

START_TEST(test_numbers)
{
    struct arena arena = {0};
    struct read_head head = {.read_index = 1};
    struct read_writer writer;
    struct read_reply reply;
    struct read_row row;
    struct error err = {0};
    struct bytes out;

    bytes_init(&out, 0);
    read_write_init(&writer, &out);
    read_write_number(&writer, read_write_symbol(&writer, SLICE("a")), 5);
    read_write_number(&writer, read_write_symbol(&writer, SLICE("b")), 6);
    read_write_finish(&writer, READ_LABEL_COUNTS, &head);
    read_write_close(&writer);
    ck_assert_int_eq(read_reply_open(bytes_slice(&out), &arena, true, &reply, &err), E_OK);
    ck_assert_int_eq(read_reply_next(&reply, &arena, &row, &err), 1);
    ck_assert(slice_equal(row.label, SLICE("a")));
    ck_assert_uint_eq(row.bulk, 5);
    ck_assert_int_eq(read_reply_next(&reply, &arena, &row, &err), 1);
    ck_assert(slice_equal(row.label, SLICE("b")));
    ck_assert_int_eq(read_reply_next(&reply, &arena, &row, &err), E_OK);
    read_reply_close(&reply);
    bytes_close(&out);
    arena_close(&arena);
}
END_TEST

RUN_SUITE("read", test_packed, test_packed_damage, test_changes, test_request,
          test_patterns_are_released, test_request_nonsense, test_reply, test_reply_damage,
          test_numbers)
