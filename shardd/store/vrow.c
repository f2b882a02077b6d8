#include "shardd/store/vrow.h"

#include <assert.h>
#include <string.h>

#include "common/hash.h"
#include "common/packed.h"

enum { FLAG_CARDINALITY = 3, FLAG_HAS_ID = 4, FLAG_METAS = 8 };

/* ---- degrees ---- */

static struct vrow_degree *grow_degrees(struct vrow *row, struct arena *arena)
{
    if (row->degree_count == row->degree_room) {
        uint32_t room = row->degree_room * 2 + 4;
        struct vrow_degree *more = arena_array(arena, room, sizeof *more);

        if (row->degree_count > 0) {
            memcpy(more, row->degrees, row->degree_count * sizeof *more);
        }
        row->degrees = more;
        row->degree_room = room;
    }
    return &row->degrees[row->degree_count++];
}

void vrow_decode_degrees(struct slice blob, struct arena *arena, struct vrow *row,
                         struct reader *reader)
{
    reader_init(reader, blob);
    while (!reader->is_bad && reader_left(reader) > 0) {
        uint64_t head = reader_varint(reader);
        uint64_t count = reader_varint(reader);

        if (reader->is_bad || head >> 1 >= SYMBOL_MAX || count == 0) {
            reader_spoil(reader);
            return;
        }
        *grow_degrees(row, arena) = (struct vrow_degree){
            .label = (uint32_t)(head >> 1), .direction = (uint8_t)(head & 1), .count = count};
    }
}

void vrow_encode_degrees(struct bytes *out, const struct vrow *row)
{
    for (uint32_t i = 0; i < row->degree_count; i++) {
        if (row->degrees[i].count > 0) {
            bytes_varint(out, (uint64_t)row->degrees[i].label << 1 | row->degrees[i].direction);
            bytes_varint(out, row->degrees[i].count);
        }
    }
}

uint64_t vrow_degree(const struct vrow *row, uint8_t direction, uint32_t label)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < row->degree_count; i++) {
        if (row->degrees[i].direction == direction &&
            (label == SYMBOL_NONE || row->degrees[i].label == label)) {
            sum += row->degrees[i].count;
        }
    }
    return sum;
}

uint64_t vrow_degree_of(struct slice degrees, uint8_t direction, uint32_t label,
                        struct reader *reader)
{
    uint64_t sum = 0;

    reader_init(reader, degrees);
    while (!reader->is_bad && reader_left(reader) > 0) {
        uint64_t head = reader_varint(reader);
        uint64_t count = reader_varint(reader);

        if ((head & 1) == direction && (label == SYMBOL_NONE || head >> 1 == label)) {
            sum += count;
        }
    }
    return sum;
}

uint64_t vrow_degree_total(const struct vrow *row)
{
    return vrow_degree(row, VROW_OUT, SYMBOL_NONE) + vrow_degree(row, VROW_IN, SYMBOL_NONE);
}

bool vrow_degree_add(struct vrow *row, struct arena *arena, uint8_t direction, uint32_t label,
                     int64_t delta)
{
    struct vrow_degree *degree = NULL;
    uint32_t place = 0; /* They ascend, so equal rows have equal bytes in all replicas. */

    for (uint32_t i = 0; i < row->degree_count; i++) {
        const struct vrow_degree *other = &row->degrees[i];
        if (other->direction == direction && other->label == label) {
            degree = &row->degrees[i];
        }
        place += other->label < label || (other->label == label && other->direction < direction);
    }
    if (degree == NULL) {
        (void)grow_degrees(row, arena);
        degree = &row->degrees[place];
        memmove(degree + 1, degree, (row->degree_count - 1 - place) * sizeof *degree);
        *degree = (struct vrow_degree){.label = label, .direction = direction};
    }
    if (delta < 0 && degree->count < (uint64_t)-delta) {
        return false;
    }
    degree->count += (uint64_t)delta;
    return true;
}

/* ---- properties ---- */

static void decode_metas(struct reader *reader, struct arena *arena, struct vrow_prop *prop)
{
    size_t n = reader_count(reader, 2);
    struct edgerun_prop *metas = arena_array(arena, n + 1, sizeof *metas);

    for (size_t i = 0; i < n; i++) {
        metas[i].key = (uint32_t)reader_varint(reader);
        metas[i].packed = packed_skip(reader);
    }
    prop->metas = metas;
    prop->meta_count = (uint32_t)n;
}

static struct vrow_prop *grow_props(struct vrow *row, struct arena *arena)
{
    if (row->prop_count == row->prop_room) {
        uint32_t room = row->prop_room * 2 + 8;
        struct vrow_prop *more = arena_array(arena, room, sizeof *more);

        if (row->prop_count > 0) {
            memcpy(more, row->props, row->prop_count * sizeof *more);
        }
        row->props = more;
        row->prop_room = room;
    }
    return &row->props[row->prop_count++];
}

void vrow_decode_props(struct slice blob, struct arena *arena, struct vrow *row,
                       struct reader *reader)
{
    reader_init(reader, blob);
    if (blob.size == 0) {
        return;
    }
    row->next_sequence = reader_varint(reader);
    while (!reader->is_bad && reader_left(reader) > 0) {
        struct vrow_prop prop = {.key = (uint32_t)reader_varint(reader)};
        uint8_t flags = reader_u8(reader);

        prop.cardinality = flags & FLAG_CARDINALITY;
        prop.has_id = (flags & FLAG_HAS_ID) != 0;
        prop.id = prop.has_id ? reader_zigzag(reader) : (int64_t)reader_varint(reader);
        prop.packed = packed_skip(reader);
        if ((flags & FLAG_METAS) != 0) {
            decode_metas(reader, arena, &prop);
        }
        if (flags > 15) {
            reader_spoil(reader);
        }
        *grow_props(row, arena) = prop;
    }
}

void vrow_encode_props(struct bytes *out, const struct vrow *row)
{
    if (row->next_sequence == 0 && row->prop_count == 0) {
        return;
    }
    bytes_varint(out, row->next_sequence);
    for (uint32_t i = 0; i < row->prop_count; i++) {
        const struct vrow_prop *prop = &row->props[i];

        bytes_varint(out, prop->key);
        bytes_u8(out, (uint8_t)(prop->cardinality | (prop->has_id ? FLAG_HAS_ID : 0) |
                                (prop->meta_count > 0 ? FLAG_METAS : 0)));
        if (prop->has_id) {
            bytes_zigzag(out, prop->id);
        } else {
            bytes_varint(out, (uint64_t)prop->id);
        }
        bytes_append(out, prop->packed.data, prop->packed.size);
        if (prop->meta_count > 0) {
            bytes_varint(out, prop->meta_count);
        }
        for (uint32_t m = 0; m < prop->meta_count; m++) {
            bytes_varint(out, prop->metas[m].key);
            bytes_append(out, prop->metas[m].packed.data, prop->metas[m].packed.size);
        }
    }
}

int64_t vrow_prop_id(const struct vid *vertex, struct slice key, const struct vrow_prop *prop)
{
    return prop->has_id ? prop->id : vid_property(vertex, key, (uint64_t)prop->id);
}

/* ---- changes ---- */

struct edit {
    struct vrow *row;
    const struct change *change;
    struct vrow_names *names;
    struct arena *arena;
    struct error *err;
};

static int name_symbol(struct edit *edit, struct slice name, uint32_t *number)
{
    return symbol_make(edit->names->table, edit->names->stmt, name, number, edit->err);
}

static struct slice pack(struct arena *arena, const struct value *value)
{
    struct bytes form;
    struct slice packed;

    bytes_init(&form, 0);
    packed_encode(&form, value);
    packed = slice_of(arena_copy(arena, form.data, form.size), form.size);
    bytes_close(&form);
    return packed;
}

static int pack_metas(struct edit *edit, const struct property *metas, uint32_t count,
                      struct vrow_prop *prop)
{
    struct edgerun_prop *list = arena_array(edit->arena, count + 1, sizeof *list);

    for (uint32_t i = 0; i < count; i++) {
        int rc = name_symbol(edit, metas[i].key, &list[i].key);
        if (rc != E_OK) {
            return rc;
        }
        list[i].packed = pack(edit->arena, &metas[i].value);
    }
    prop->metas = list;
    prop->meta_count = count;
    return E_OK;
}

static void remove_prop(struct vrow *row, uint32_t at)
{
    row->prop_count--;
    memmove(&row->props[at], &row->props[at + 1], (row->prop_count - at) * sizeof *row->props);
}

static void remove_key(struct vrow *row, uint32_t key)
{
    for (uint32_t i = row->prop_count; i > 0; i--) {
        if (row->props[i - 1].key == key) {
            remove_prop(row, i - 1);
        }
    }
}

/* Of a set: the property of that key with an equal value, or null. */
static struct vrow_prop *find_equal(struct edit *edit, uint32_t key, struct slice packed,
                                    const struct value *value)
{
    for (uint32_t i = 0; i < edit->row->prop_count; i++) {
        struct vrow_prop *prop = &edit->row->props[i];
        struct reader reader;
        struct value other;

        if (prop->key != key) {
            continue;
        }
        if (slice_equal(prop->packed, packed)) {
            return prop;
        }
        reader_init(&reader, prop->packed);
        packed_decode(&reader, edit->arena, &other);
        if (value_equivalent(&other, value)) {
            return prop;
        }
    }
    return NULL;
}

static int set_prop(struct edit *edit, const struct vproperty *vprop)
{
    struct vrow *row = edit->row;
    struct vrow_prop fresh = {.cardinality = vprop->cardinality};
    struct vrow_prop *prop = NULL;
    int rc = name_symbol(edit, vprop->key, &fresh.key);

    if (rc != E_OK) {
        return rc;
    }
    fresh.packed = pack(edit->arena, &vprop->value);
    if (vprop->cardinality == CARDINALITY_SET - CARDINALITY_SINGLE) {
        prop = find_equal(edit, fresh.key, fresh.packed, &vprop->value);
    }
    if (prop != NULL) {
        return pack_metas(edit, vprop->metas, vprop->meta_count, prop);
    }
    if (vprop->cardinality == 0) {
        remove_key(row, fresh.key);
    }
    fresh.has_id = vprop->id.kind != VALUE_NULL;
    fresh.id = fresh.has_id ? vprop->id.integer : (int64_t)row->next_sequence++;
    rc = pack_metas(edit, vprop->metas, vprop->meta_count, &fresh);
    if (rc == E_OK) {
        *grow_props(row, edit->arena) = fresh;
    }
    return rc;
}

static int add_vertex(struct edit *edit)
{
    const struct change *change = edit->change;
    int rc = name_symbol(edit, change->label, &edit->row->label);

    edit->row->exists = true;
    edit->row->prop_count = 0;
    edit->row->next_sequence = 0;
    for (uint32_t i = 0; i < change->vprop_count && rc == E_OK; i++) {
        rc = set_prop(edit, &change->vprops[i]);
    }
    return rc;
}

static bool is_meant(const struct edit *edit, const struct vrow_prop *prop)
{
    const struct change *change = edit->change;
    struct slice key = symbol_name(edit->names->table, prop->key);

    if (change->key.size > 0 && !slice_equal(key, change->key)) {
        return false;
    }
    struct value id = change_prop_value(change->prop_id);
    return id.kind == VALUE_NULL || vrow_prop_id(&change->vertex, key, prop) == id.integer;
}

static void drop_props(struct edit *edit)
{
    for (uint32_t i = edit->row->prop_count; i > 0; i--) {
        if (is_meant(edit, &edit->row->props[i - 1])) {
            remove_prop(edit->row, i - 1);
        }
    }
}

/* The metas of a property with one set, or (packed null) dropped. */
static void replace_meta(struct edit *edit, struct vrow_prop *prop, uint32_t key,
                         struct slice packed)
{
    struct edgerun_prop *metas = arena_array(edit->arena, prop->meta_count + 1, sizeof *metas);
    uint32_t n = 0;

    for (uint32_t i = 0; i < prop->meta_count; i++) {
        if (prop->metas[i].key != key) {
            metas[n++] = prop->metas[i];
        }
    }
    if (packed.data != NULL) {
        metas[n++] = (struct edgerun_prop){key, packed};
    }
    prop->metas = metas;
    prop->meta_count = n;
}

static int change_meta(struct edit *edit)
{
    const struct change *change = edit->change;
    struct slice packed = {0};
    uint32_t key;
    int rc = name_symbol(edit, change->meta_key, &key);

    if (rc != E_OK) {
        return rc;
    }
    if (change->kind == CHANGE_META_SET) {
        packed = pack(edit->arena, &change->value);
    }
    for (uint32_t i = 0; i < edit->row->prop_count; i++) {
        if (is_meant(edit, &edit->row->props[i])) {
            replace_meta(edit, &edit->row->props[i], key, packed);
        }
    }
    return E_OK;
}

int vrow_apply(struct vrow *row, const struct change *change, struct vrow_names *names,
               struct arena *arena, struct error *err)
{
    struct edit edit = {row, change, names, arena, err};

    if (change->kind == CHANGE_VERTEX_ADD) {
        return add_vertex(&edit);
    }
    if (!row->exists) {
        return error_set(err, E_CORRUPT, "change %d of a vertex that is not there", change->kind);
    }
    if (change->kind == CHANGE_VERTEX_DROP) {
        row->exists = false;
        row->prop_count = 0;
        return E_OK;
    }
    if (change->kind == CHANGE_VPROP_SET) {
        struct vproperty vprop = {
            .id = change_prop_value(change->prop_id),
            .key = change->key,
            .value = change->value,
            .metas = change->props,
            .meta_count = change->prop_count,
            .cardinality = change->cardinality,
        };
        return set_prop(&edit, &vprop);
    }
    if (change->kind == CHANGE_VPROP_DROP) {
        drop_props(&edit);
        return E_OK;
    }
    return change_meta(&edit);
}

uint64_t vrow_digest(const struct vid *vertex, uint32_t label, struct slice props)
{
    const uint64_t words[3] = {vid_hash(vertex), label, hash_bytes(props.data, props.size)};
    uint8_t form[24];

    for (size_t i = 0; i < sizeof form; i++) {
        form[i] = (uint8_t)(words[i / 8] >> 8 * (i % 8));
    }
    uint64_t digest = hash_bytes(form, sizeof form);
    return digest == 0 ? 1 : digest;
}
