#include <assert.h>
#include <string.h>

#include "common/codec.h"
#include "common/codec_type.h"
#include "common/datetime.h"
#include "common/element.h"
#include "common/extended.h"
#include "common/number.h"
#include "common/predicate.h"
#include "common/text.h"

enum {
    ROOM_MIN = 8,         /* Items of a container that is begun. */
    ITEM_MIN = 2,         /* Bytes of the shortest value: type and null flag. */
    BIG_BYTES_MAX = 41525 /* 100,000 decimal digits. */
};

/* What every function here needs. */
struct decode {
    struct reader *reader;
    struct arena *arena;
    const struct codec *codec;
};

static void take_value(const struct decode *d, int depth, struct value *out)
{
    codec_decode(d->reader, d->arena, d->codec, depth + 1, out);
}

/* Four bytes of length, bounded by what is left. */
static size_t take_count(const struct decode *d, size_t item_bytes)
{
    uint32_t count = reader_u32(d->reader);

    if (count > reader_left(d->reader) / item_bytes) {
        reader_spoil(d->reader);
    }
    return d->reader->is_bad ? 0 : count;
}

static struct slice take_blob(const struct decode *d)
{
    return reader_take(d->reader, take_count(d, 1));
}

static struct slice take_text(const struct decode *d)
{
    struct slice text = take_blob(d);

    if (!text_is_utf8(text)) {
        reader_spoil(d->reader);
    }
    return text;
}

static struct value bytes_value(enum value_kind kind, struct slice s)
{
    return (struct value){.kind = (uint8_t)kind, .size = (uint32_t)s.size, .bytes = s.data};
}

/* Cuts bytes that only repeat the sign: one number has one form. */
static struct value take_big(const struct decode *d, enum value_kind kind)
{
    struct value_big *big = ARENA_NEW(d->arena, struct value_big);

    big->scale = kind == VALUE_DECIMAL ? (int32_t)reader_u32(d->reader) : 0;
    struct slice s = take_blob(d);
    if (s.size == 0 || s.size > BIG_BYTES_MAX) {
        reader_spoil(d->reader);
        return value_null();
    }
    while (s.size > 1 &&
           ((s.data[0] == 0 && s.data[1] < 0x80) || (s.data[0] == 0xff && s.data[1] >= 0x80))) {
        s.data++;
        s.size--;
    }
    big->size = (uint32_t)s.size;
    big->bytes = s.data;
    return (struct value){.kind = (uint8_t)kind, .big = big};
}

static struct value take_char(const struct decode *d)
{
    struct reader *r = d->reader;
    uint8_t lead = reader_left(r) > 0 ? *r->at : 0;
    size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    struct slice text = reader_take(r, size);
    size_t at = 0;

    if (r->is_bad || !text_is_utf8(text)) {
        reader_spoil(r);
        return value_null();
    }
    return value_integer(VALUE_CHAR, text_utf8_next(text, &at));
}

static struct value take_datetime(const struct decode *d)
{
    struct value_time *time = ARENA_NEW(d->arena, struct value_time);
    struct datetime_date date;

    date.year = (int32_t)reader_u32(d->reader);
    date.month = reader_u8(d->reader);
    date.day = reader_u8(d->reader);
    int64_t nano_of_day = (int64_t)reader_u64(d->reader);
    int32_t offset = (int32_t)reader_u32(d->reader);
    if (!datetime_from_local(date, nano_of_day, offset, time)) {
        reader_spoil(d->reader);
    }
    return (struct value){.kind = VALUE_DATETIME, .time = time};
}

static struct value take_duration(const struct decode *d)
{
    struct value_time *time = ARENA_NEW(d->arena, struct value_time);

    time->seconds = (int64_t)reader_u64(d->reader);
    time->nanos = (int32_t)reader_u32(d->reader);
    if (time->nanos < 0 || time->nanos > 999999999) {
        reader_spoil(d->reader);
    }
    return (struct value){.kind = VALUE_DURATION, .time = time};
}

static enum value_enum enum_of_type(uint8_t type)
{
    switch (type) {
    case TYPE_BARRIER:
        return ENUM_BARRIER;
    case TYPE_CARDINALITY:
        return ENUM_CARDINALITY;
    case TYPE_COLUMN:
        return ENUM_COLUMN;
    case TYPE_DIRECTION:
        return ENUM_DIRECTION;
    case TYPE_DT:
        return ENUM_DT;
    case TYPE_GTYPE:
        return ENUM_GTYPE;
    case TYPE_MERGE:
        return ENUM_MERGE;
    case TYPE_OPERATOR:
        return ENUM_OPERATOR;
    case TYPE_ORDER:
        return ENUM_ORDER;
    case TYPE_PICK:
        return ENUM_PICK;
    case TYPE_POP:
        return ENUM_POP;
    case TYPE_SCOPE:
        return ENUM_SCOPE;
    case TYPE_T:
        return ENUM_T;
    default:
        return ENUM_COUNT;
    }
}

/* A string, with its head. */
static struct value take_enum(const struct decode *d, enum value_enum type)
{
    bool has_head = reader_u8(d->reader) == TYPE_STRING && reader_u8(d->reader) == FLAG_VALUE;
    struct slice name = take_text(d);
    enum enumerator id = value_enumerator_find(type, name);

    if (!has_head || d->reader->is_bad || id == ENUMERATOR_COUNT) {
        reader_spoil(d->reader);
        return value_null();
    }
    return value_enumerator(id);
}

static struct value take_predicate(const struct decode *d, int depth)
{
    struct slice body = take_blob(d);
    struct value value = {.kind = VALUE_PREDICATE};
    struct reader inner;

    reader_init(&inner, body);
    value.predicate = predicate_decode_deep(&inner, d->arena, depth + 1);
    if (reader_finish(&inner, "predicate", NULL) != E_OK) {
        reader_spoil(d->reader);
    }
    return value;
}

/* ---- containers ---- */

/* Items of a container while they are read. Room grows with what is there, not with what a count
 * promises: else a few nested counts would take the memory of the machine. */
struct growing {
    struct value *items;
    size_t count;
    size_t room;
};

static struct value *push(const struct decode *d, struct growing *list, size_t promised)
{
    if (list->count == list->room) {
        size_t room = list->room == 0 ? ROOM_MIN : list->room * 2;
        room = room > promised ? promised : room;
        struct value *items = (struct value *)arena_alloc(d->arena, room * sizeof *items);
        if (list->count > 0) {
            memcpy(items, list->items, list->count * sizeof *items);
        }
        list->items = items;
        list->room = room;
        if (d->arena->is_exceeded) {
            reader_spoil(d->reader);
        }
    }
    list->items[list->count] = value_null();
    return &list->items[list->count++];
}

static struct value finish(enum value_kind kind, const struct growing *list, size_t count)
{
    return (struct value){.kind = (uint8_t)kind, .size = (uint32_t)count, .items = list->items};
}

static struct value take_items(const struct decode *d, enum value_kind kind, size_t count,
                               size_t stride, int depth)
{
    struct growing list = {0};

    for (size_t i = 0; i < count * stride && !d->reader->is_bad; i++) {
        struct value item;
        take_value(d, depth, &item);
        *push(d, &list, count * stride) = item;
    }
    return finish(kind, &list, count);
}

static struct value take_bulkset(const struct decode *d, int depth)
{
    size_t count = take_count(d, ITEM_MIN + 8);
    struct growing list = {0};

    for (size_t i = 0; i < count && !d->reader->is_bad; i++) {
        struct value item;
        take_value(d, depth, &item);
        *push(d, &list, count * 2) = item;
        *push(d, &list, count * 2) = value_long((int64_t)reader_u64(d->reader));
    }
    return finish(VALUE_BULKSET, &list, count);
}

static struct value take_tree(const struct decode *d, int depth)
{
    size_t count = take_count(d, ITEM_MIN + 4);
    struct growing list = {0};

    if (depth >= VALUE_DEPTH_MAX) {
        reader_spoil(d->reader);
    }
    for (size_t i = 0; i < count && !d->reader->is_bad; i++) {
        struct value item;
        take_value(d, depth, &item);
        *push(d, &list, count * 2) = item;
        item = take_tree(d, depth + 1);
        *push(d, &list, count * 2) = item;
    }
    return finish(VALUE_TREE, &list, count);
}

static struct value take_traverser(const struct decode *d, int depth)
{
    struct value *items = (struct value *)arena_array(d->arena, 2, sizeof *items);

    items[1] = value_long((int64_t)reader_u64(d->reader));
    take_value(d, depth, &items[0]);
    return (struct value){.kind = VALUE_TRAVERSER, .items = items};
}

static struct value take_path(const struct decode *d, int depth)
{
    struct path *path = ARENA_NEW(d->arena, struct path);
    struct value labels;
    struct value objects;

    take_value(d, depth, &labels);
    take_value(d, depth, &objects);
    if (labels.kind != VALUE_LIST || objects.kind != VALUE_LIST || labels.size != objects.size) {
        reader_spoil(d->reader);
        return value_null();
    }
    for (uint32_t i = 0; i < labels.size; i++) {
        if (labels.items[i].kind != VALUE_SET && labels.items[i].kind != VALUE_LIST) {
            reader_spoil(d->reader);
        }
    }
    *path = (struct path){labels.size, objects.items, labels.items};
    return (struct value){.kind = VALUE_PATH, .path = path};
}

/* ---- elements ---- */

/* A list of values of one kind, or null. */
static struct value take_list_of(const struct decode *d, enum value_kind kind, int depth)
{
    struct value list;

    take_value(d, depth, &list);
    if (list.kind == VALUE_NULL) {
        return list;
    }
    if (list.kind != VALUE_LIST) {
        reader_spoil(d->reader);
        return value_null();
    }
    for (uint32_t i = 0; i < list.size; i++) {
        if (list.items[i].kind != kind) {
            reader_spoil(d->reader);
            return value_null();
        }
    }
    return list;
}

static void take_parent(const struct decode *d, int depth)
{
    struct value parent;

    take_value(d, depth, &parent); /* Always null, or an element that is said elsewhere already. */
}

static const struct property *collect(const struct decode *d, const struct value *list,
                                      const struct value *owner)
{
    struct property *props = (struct property *)arena_array(d->arena, list->size, sizeof *props);

    for (uint32_t i = 0; i < list->size; i++) {
        props[i] = *list->items[i].property;
        props[i].owner = owner;
    }
    return props;
}

static const struct property *own(const struct decode *d, const struct property *props,
                                  uint32_t count, const struct value *owner)
{
    struct property *owned = (struct property *)arena_copy(d->arena, props, count * sizeof *owned);

    for (uint32_t i = 0; i < count; i++) {
        owned[i].owner = owner;
    }
    return owned;
}

static const struct value *keep(const struct decode *d, struct value value)
{
    return (const struct value *)arena_copy(d->arena, &value, sizeof value);
}

static struct value take_property(const struct decode *d, int depth)
{
    struct property *property = ARENA_NEW(d->arena, struct property);

    property->key = take_text(d);
    take_value(d, depth, &property->value);
    take_parent(d, depth);
    return value_property(property);
}

static struct value take_vproperty(const struct decode *d, int depth)
{
    struct vproperty *vproperty = ARENA_NEW(d->arena, struct vproperty);

    take_value(d, depth, &vproperty->id);
    vproperty->key = take_text(d);
    take_value(d, depth, &vproperty->value);
    take_parent(d, depth);
    struct value metas = take_list_of(d, VALUE_PROPERTY, depth);
    if (metas.kind == VALUE_LIST && metas.size > 0) {
        vproperty->metas = collect(d, &metas, keep(d, value_vproperty(vproperty)));
        vproperty->meta_count = metas.size;
    }
    return value_vproperty(vproperty);
}

static struct slice take_label(const struct decode *d)
{
    struct slice label = take_text(d);

    return label.size == 0 ? (struct slice){0} : label;
}

static struct value take_vertex(const struct decode *d, int depth)
{
    struct vertex *vertex = ARENA_NEW(d->arena, struct vertex);

    take_value(d, depth, &vertex->id);
    vertex->label = take_label(d);
    struct value list = take_list_of(d, VALUE_VPROPERTY, depth);
    if (list.kind == VALUE_LIST) {
        struct vproperty *props =
            (struct vproperty *)arena_array(d->arena, list.size, sizeof *props);
        for (uint32_t i = 0; i < list.size; i++) {
            props[i] = *list.items[i].vproperty;
            props[i].owner = vertex;
            if (props[i].meta_count > 0) {
                props[i].metas = own(d, props[i].metas, props[i].meta_count,
                                     keep(d, value_vproperty(&props[i])));
            }
        }
        vertex->props = props;
        vertex->prop_count = list.size;
        vertex->has_props = true;
    }
    return value_vertex(vertex);
}

static struct value take_edge(const struct decode *d, int depth)
{
    struct edge *edge = ARENA_NEW(d->arena, struct edge);

    take_value(d, depth, &edge->id);
    edge->label = take_label(d);
    take_value(d, depth, &edge->in_id);
    edge->in_label = take_label(d);
    take_value(d, depth, &edge->out_id);
    edge->out_label = take_label(d);
    take_parent(d, depth);
    struct value list = take_list_of(d, VALUE_PROPERTY, depth);
    if (list.kind == VALUE_LIST) {
        edge->props = collect(d, &list, keep(d, value_edge(edge)));
        edge->prop_count = list.size;
        edge->has_props = true;
    }
    return value_edge(edge);
}

/* ---- dispatch ---- */

static bool take_number(const struct decode *d, uint8_t type, struct value *out)
{
    switch (type) {
    case TYPE_INT:
        *out = value_int((int32_t)reader_u32(d->reader));
        return true;
    case TYPE_LONG:
        *out = value_long((int64_t)reader_u64(d->reader));
        return true;
    case TYPE_DOUBLE:
        *out = value_double(reader_double(d->reader));
        return true;
    case TYPE_FLOAT:
        *out = value_float(reader_float(d->reader));
        return true;
    case TYPE_BYTE:
        *out = value_integer(VALUE_BYTE, (int8_t)reader_u8(d->reader));
        return true;
    case TYPE_SHORT:
        *out = value_integer(VALUE_SHORT, (int16_t)reader_u16(d->reader));
        return true;
    case TYPE_BIGINT:
        *out = take_big(d, VALUE_BIGINT);
        return true;
    case TYPE_DECIMAL:
        *out = take_big(d, VALUE_DECIMAL);
        return true;
    default:
        return false;
    }
}

static bool take_bool(struct reader *reader)
{
    uint8_t v = reader_u8(reader);

    if (v > 1) {
        reader_spoil(reader);
    }
    return v == 1;
}

static bool take_small(const struct decode *d, uint8_t type, struct value *out)
{
    switch (type) {
    case TYPE_STRING:
        *out = bytes_value(VALUE_STRING, take_text(d));
        return true;
    case TYPE_CLASS:
        *out = bytes_value(VALUE_CLASS, take_text(d));
        return true;
    case TYPE_BINARY:
        *out = bytes_value(VALUE_BINARY, take_blob(d));
        return true;
    case TYPE_BOOL:
        *out = value_bool(take_bool(d->reader));
        return true;
    case TYPE_UUID:
        *out = bytes_value(VALUE_UUID, reader_take(d->reader, 16));
        return true;
    case TYPE_CHAR:
        *out = take_char(d);
        return true;
    case TYPE_DATE:
        *out = value_integer(VALUE_DATE, (int64_t)reader_u64(d->reader));
        return true;
    case TYPE_TIMESTAMP:
        *out = value_integer(VALUE_TIMESTAMP, (int64_t)reader_u64(d->reader));
        return true;
    case TYPE_DATETIME:
        *out = take_datetime(d);
        return true;
    case TYPE_DURATION:
        *out = take_duration(d);
        return true;
    default:
        return false;
    }
}

static bool take_large(const struct decode *d, uint8_t type, int depth, struct value *out)
{
    switch (type) {
    case TYPE_LIST:
        *out = take_items(d, VALUE_LIST, take_count(d, ITEM_MIN), 1, depth);
        return true;
    case TYPE_SET:
        *out = take_items(d, VALUE_SET, take_count(d, ITEM_MIN), 1, depth);
        return true;
    case TYPE_MAP:
        *out = take_items(d, VALUE_MAP, take_count(d, 2 * (size_t)ITEM_MIN), 2, depth);
        return true;
    case TYPE_BULKSET:
        *out = take_bulkset(d, depth);
        return true;
    case TYPE_TREE:
        *out = take_tree(d, depth);
        return true;
    case TYPE_TRAVERSER:
        *out = take_traverser(d, depth);
        return true;
    case TYPE_PATH:
        *out = take_path(d, depth);
        return true;
    case TYPE_VERTEX:
        *out = take_vertex(d, depth);
        return true;
    case TYPE_EDGE:
        *out = take_edge(d, depth);
        return true;
    case TYPE_VPROPERTY:
        *out = take_vproperty(d, depth);
        return true;
    case TYPE_PROPERTY:
        *out = take_property(d, depth);
        return true;
    default:
        return false;
    }
}

/* After an error nothing half read is shown. */
static void settle(struct reader *reader, struct value *out)
{
    if (reader->is_bad) {
        *out = value_null();
    }
}

void codec_decode_body(struct reader *reader, struct arena *arena, const struct codec *codec,
                       uint8_t type, int depth, struct value *out)
{
    const struct decode d = {reader, arena, codec};

    *out = value_null();
    if (depth > VALUE_DEPTH_MAX) {
        reader_spoil(reader);
        return;
    }
    if (take_number(&d, type, out) || take_small(&d, type, out) ||
        take_large(&d, type, depth, out)) {
        settle(reader, out);
        return;
    }
    if (enum_of_type(type) != ENUM_COUNT) {
        *out = take_enum(&d, enum_of_type(type));
    } else if (extended_is_known(type)) {
        *out = bytes_value(VALUE_EXTENDED, extended_take(reader, type));
        out->flag = type;
    } else if (codec != NULL && codec->read != NULL) {
        codec->read(codec->ctx, reader, arena, type, depth, out);
    } else {
        reader_spoil(reader);
    }
    settle(reader, out);
}

/* Type code, name, flag, body: our own types only. */
static void decode_custom(const struct decode *d, int depth, struct value *out)
{
    struct slice name = take_text(d);

    if (reader_u8(d->reader) != FLAG_VALUE) {
        reader_spoil(d->reader);
    } else if (slice_equal(name, slice_text(CUSTOM_GEO))) {
        *out = bytes_value(VALUE_GEO, take_text(d));
    } else if (slice_equal(name, slice_text(CUSTOM_PREDICATE))) {
        *out = take_predicate(d, depth);
    } else {
        reader_spoil(d->reader);
    }
    settle(d->reader, out);
}

void codec_decode(struct reader *reader, struct arena *arena, const struct codec *codec, int depth,
                  struct value *out)
{
    const struct decode d = {reader, arena, codec};
    uint8_t type = reader_u8(reader);
    uint8_t flag;

    *out = value_null();
    if (type == TYPE_CUSTOM && !reader->is_bad) {
        decode_custom(&d, depth, out);
        return;
    }
    flag = reader_u8(reader);
    if (flag == FLAG_NULL || reader->is_bad) {
        return;
    }
    if (type == TYPE_NULL || (flag != FLAG_VALUE && !(flag == FLAG_ORDERED && type == TYPE_MAP))) {
        reader_spoil(reader);
        return;
    }
    codec_decode_body(reader, arena, codec, type, depth, out);
}
