#include "common/change.h"

#include "common/packed.h"

#include <assert.h>
#include <string.h>

enum {
    PROP_MIN_BYTES = 2,  /* A key's size, a value's tag. */
    VPROP_MIN_BYTES = 5, /* Also cardinality, id, count of metas. */
    HALF_OUT = 0,
    HALF_IN = 1
};

static bool is_edge_kind(enum change_kind kind)
{
    return kind >= CHANGE_EDGE_ADD;
}

int64_t change_prop_id(const struct value *id)
{
    assert(id->kind == VALUE_NULL || id->kind == VALUE_LONG);
    if (id->kind == VALUE_NULL) {
        return 0;
    }
    return id->integer == 0 ? CHANGE_PROP_ZERO : id->integer;
}

struct value change_prop_value(int64_t prop_id)
{
    if (prop_id == 0) {
        return value_null();
    }
    return value_long(prop_id == CHANGE_PROP_ZERO ? 0 : prop_id);
}

/* ---- encode ---- */

static void encode_props(struct bytes *out, const struct property *props, uint32_t count)
{
    bytes_varint(out, count);
    for (uint32_t i = 0; i < count; i++) {
        bytes_blob(out, props[i].key);
        packed_encode(out, &props[i].value);
    }
}

static void encode_vprops(struct bytes *out, const struct vproperty *vprops, uint32_t count)
{
    bytes_varint(out, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct vproperty *vprop = &vprops[i];

        bytes_blob(out, vprop->key);
        bytes_u8(out, vprop->cardinality);
        bytes_zigzag(out, change_prop_id(&vprop->id));
        packed_encode(out, &vprop->value);
        encode_props(out, vprop->metas, vprop->meta_count);
    }
}

static void encode_vertex_part(struct bytes *out, const struct change *change)
{
    if (change->kind == CHANGE_VERTEX_ADD) {
        bytes_blob(out, change->label);
        encode_vprops(out, change->vprops, change->vprop_count);
        return;
    }
    if (change->kind == CHANGE_VERTEX_DROP) {
        return;
    }
    bytes_blob(out, change->key);
    bytes_zigzag(out, change->prop_id);
    if (change->kind == CHANGE_VPROP_SET) {
        bytes_u8(out, change->cardinality);
        packed_encode(out, &change->value);
        encode_props(out, change->props, change->prop_count);
    } else if (change->kind != CHANGE_VPROP_DROP) {
        bytes_blob(out, change->meta_key);
        if (change->kind == CHANGE_META_SET) {
            packed_encode(out, &change->value);
        }
    }
}

static void encode_edge_part(struct bytes *out, const struct change *change)
{
    assert(change->direction == DIRECTION_OUT || change->direction == DIRECTION_IN);
    bytes_u8(out, change->direction == DIRECTION_OUT ? HALF_OUT : HALF_IN);
    vid_encode(out, &change->far);
    vid_encode(out, &change->edge);
    bytes_blob(out, change->label);
    if (change->kind == CHANGE_EDGE_ADD) {
        bytes_blob(out, change->far_label);
        encode_props(out, change->props, change->prop_count);
    } else if (change->kind != CHANGE_EDGE_DROP) {
        bytes_blob(out, change->key);
        if (change->kind == CHANGE_EPROP_SET) {
            packed_encode(out, &change->value);
        }
    }
}

bool change_is_claim(const struct change *change)
{
    return (change->kind == CHANGE_EDGE_ADD || change->kind == CHANGE_EDGE_DROP) &&
           change->direction == DIRECTION_OUT && change->label.size == 0;
}

void change_encode(struct bytes *out, const struct change *change)
{
    assert(change->kind >= CHANGE_VERTEX_ADD && change->kind <= CHANGE_EPROP_DROP);
    bytes_u8(out, (uint8_t)change->kind);
    vid_encode(out, &change->vertex);
    if (is_edge_kind(change->kind)) {
        encode_edge_part(out, change);
    } else {
        encode_vertex_part(out, change);
    }
}

/* ---- decode ---- */

static const struct property *decode_props(struct reader *reader, struct arena *arena,
                                           uint32_t *count)
{
    size_t n = reader_count(reader, PROP_MIN_BYTES);
    struct property *props = n == 0 ? NULL : arena_array(arena, n, sizeof *props);

    for (size_t i = 0; i < n; i++) {
        props[i].key = reader_blob(reader);
        packed_decode(reader, arena, &props[i].value);
    }
    *count = (uint32_t)n;
    return props;
}

static uint8_t decode_cardinality(struct reader *reader)
{
    uint8_t cardinality = reader_u8(reader);

    if (cardinality > CARDINALITY_SET - CARDINALITY_SINGLE) {
        reader_spoil(reader);
    }
    return cardinality;
}

static void decode_vprops(struct reader *reader, struct arena *arena, struct change *out)
{
    size_t n = reader_count(reader, VPROP_MIN_BYTES);
    struct vproperty *vprops = n == 0 ? NULL : arena_array(arena, n, sizeof *vprops);

    for (size_t i = 0; i < n; i++) {
        struct vproperty *vprop = &vprops[i];

        vprop->key = reader_blob(reader);
        vprop->cardinality = decode_cardinality(reader);
        vprop->id = change_prop_value(reader_zigzag(reader));
        packed_decode(reader, arena, &vprop->value);
        vprop->metas = decode_props(reader, arena, &vprop->meta_count);
    }
    out->vprops = vprops;
    out->vprop_count = (uint32_t)n;
}

static void decode_vertex_part(struct reader *reader, struct arena *arena, struct change *out)
{
    if (out->kind == CHANGE_VERTEX_ADD) {
        out->label = reader_blob(reader);
        decode_vprops(reader, arena, out);
        return;
    }
    if (out->kind == CHANGE_VERTEX_DROP) {
        return;
    }
    out->key = reader_blob(reader);
    out->prop_id = reader_zigzag(reader);
    if (out->kind == CHANGE_VPROP_SET) {
        out->cardinality = decode_cardinality(reader);
        packed_decode(reader, arena, &out->value);
        out->props = decode_props(reader, arena, &out->prop_count);
    } else if (out->kind != CHANGE_VPROP_DROP) {
        out->meta_key = reader_blob(reader);
        if (out->kind == CHANGE_META_SET) {
            packed_decode(reader, arena, &out->value);
        }
    }
}

static void decode_edge_part(struct reader *reader, struct arena *arena, struct change *out)
{
    uint8_t half = reader_u8(reader);

    if (half > HALF_IN) {
        reader_spoil(reader);
    }
    out->direction = half == HALF_OUT ? DIRECTION_OUT : DIRECTION_IN;
    out->far = vid_decode(reader);
    out->edge = vid_decode(reader);
    out->label = reader_blob(reader);
    if (out->kind == CHANGE_EDGE_ADD) {
        out->far_label = reader_blob(reader);
        out->props = decode_props(reader, arena, &out->prop_count);
    } else if (out->kind != CHANGE_EDGE_DROP) {
        out->key = reader_blob(reader);
        if (out->kind == CHANGE_EPROP_SET) {
            packed_decode(reader, arena, &out->value);
        }
    }
}

void change_decode(struct reader *reader, struct arena *arena, struct change *out)
{
    uint8_t kind = reader_u8(reader);

    *out = (struct change){0};
    if (kind < CHANGE_VERTEX_ADD || kind > CHANGE_EPROP_DROP) {
        reader_spoil(reader);
        return;
    }
    out->kind = (enum change_kind)kind;
    out->vertex = vid_decode(reader);
    if (is_edge_kind(out->kind)) {
        decode_edge_part(reader, arena, out);
    } else {
        decode_vertex_part(reader, arena, out);
    }
}

/* ---- copy ---- */

static struct slice copy_slice(struct arena *arena, struct slice slice)
{
    if (slice.data == NULL) {
        return slice;
    }
    return slice_of(arena_copy(arena, slice.data, slice.size), slice.size);
}

static const struct property *copy_props(struct arena *arena, const struct property *props,
                                         uint32_t count)
{
    struct property *copy = count == 0 ? NULL : arena_array(arena, count, sizeof *copy);

    for (uint32_t i = 0; i < count; i++) {
        copy[i].key = copy_slice(arena, props[i].key);
        copy[i].value = value_copy(arena, &props[i].value);
    }
    return copy;
}

struct change change_copy(struct arena *arena, const struct change *change)
{
    struct change copy = *change;
    struct vproperty *vprops = NULL;

    copy.vertex = vid_copy(arena, &change->vertex);
    copy.far = vid_copy(arena, &change->far);
    copy.edge = vid_copy(arena, &change->edge);
    copy.label = copy_slice(arena, change->label);
    copy.far_label = copy_slice(arena, change->far_label);
    copy.key = copy_slice(arena, change->key);
    copy.meta_key = copy_slice(arena, change->meta_key);
    copy.value = value_copy(arena, &change->value);
    copy.props = copy_props(arena, change->props, change->prop_count);
    if (change->vprop_count > 0) {
        vprops = arena_array(arena, change->vprop_count, sizeof *vprops);
    }
    for (uint32_t i = 0; i < change->vprop_count; i++) {
        vprops[i] = change->vprops[i];
        vprops[i].owner = NULL;
        vprops[i].key = copy_slice(arena, change->vprops[i].key);
        vprops[i].value = value_copy(arena, &change->vprops[i].value);
        vprops[i].metas = copy_props(arena, change->vprops[i].metas, change->vprops[i].meta_count);
    }
    copy.vprops = vprops;
    return copy;
}

/* ---- dump ---- */

static const char *kind_name(enum change_kind kind)
{
    static const char *const names[] = {
        "?",         "vertex-add", "vertex-drop", "vprop-set", "vprop-drop", "meta-set",
        "meta-drop", "edge-add",   "edge-drop",   "eprop-set", "eprop-drop",
    };

    return names[kind];
}

static void dump_vid(struct bytes *out, const char *what, const struct vid *vid)
{
    bytes_format(out, " %s=", what);
    if (vid->text.data == NULL) {
        bytes_format(out, "%lld", (long long)vid->num);
    } else {
        bytes_format(out, "\"%.*s\"", (int)vid->text.size, (const char *)vid->text.data);
    }
}

static void dump_slice(struct bytes *out, const char *what, struct slice slice)
{
    if (slice.size > 0) {
        bytes_format(out, " %s=%.*s", what, (int)slice.size, (const char *)slice.data);
    }
}

static void dump_props(struct bytes *out, const struct property *props, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        bytes_format(out, " %.*s:", (int)props[i].key.size, (const char *)props[i].key.data);
        value_print(out, &props[i].value);
    }
}

void change_dump(struct bytes *out, const struct change *change)
{
    bytes_format(out, "%s", kind_name(change->kind));
    dump_vid(out, "vertex", &change->vertex);
    if (is_edge_kind(change->kind)) {
        bytes_format(out, " %s", change->direction == DIRECTION_OUT ? "out" : "in");
        dump_vid(out, "far", &change->far);
        dump_vid(out, "edge", &change->edge);
    }
    dump_slice(out, "label", change->label);
    dump_slice(out, "far-label", change->far_label);
    dump_slice(out, "key", change->key);
    dump_slice(out, "meta", change->meta_key);
    if (change->prop_id != 0) {
        bytes_format(out, " prop-id=%lld", (long long)change_prop_value(change->prop_id).integer);
    }
    if (change->kind == CHANGE_VPROP_SET || change->kind == CHANGE_META_SET ||
        change->kind == CHANGE_EPROP_SET) {
        bytes_format(out, " value=");
        value_print(out, &change->value);
    }
    dump_props(out, change->props, change->prop_count);
    for (uint32_t i = 0; i < change->vprop_count; i++) {
        const struct vproperty *vprop = &change->vprops[i];

        bytes_format(out, " %.*s:", (int)vprop->key.size, (const char *)vprop->key.data);
        value_print(out, &vprop->value);
        dump_props(out, vprop->metas, vprop->meta_count);
    }
    bytes_u8(out, '\n');
}
