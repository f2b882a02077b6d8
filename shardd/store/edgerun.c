#include "shardd/store/edgerun.h"

#include <assert.h>
#include <string.h>

#include "common/packed.h"
#include "shardd/store/pack.h"

enum {
    HEAD_FAR_INT = 1,
    HEAD_EDGE_INT = 2,
    HEAD_LABELS = 4,
    HEAD_PROPS = 8,
    HEAD_COUNT_SHIFT = 4,
    HEAD_COUNT_MAX = 15,
    FORM_SOME = 0,  /* Bit map, packed values. */
    FORM_EVERY = 1, /* Packed values. */
    FORM_INT = 2,   /* pack.h, all are INT. */
    FORM_LONG = 3   /* pack.h, all are LONG. */
};

int edgerun_order(const struct vid *far_a, const struct vid *edge_a, const struct vid *far_b,
                  const struct vid *edge_b)
{
    int order = vid_order(far_a, far_b);

    return order != 0 ? order : vid_order(edge_a, edge_b);
}

/* ---- encode ---- */

static struct vids column_of(struct arena *scratch, const struct edgerun_half *halves,
                             uint32_t count, bool is_far)
{
    struct vid *list = arena_alloc(scratch, (count + 1) * sizeof *list);

    for (uint32_t i = 0; i < count; i++) {
        list[i] = is_far ? halves[i].far : halves[i].edge;
    }
    return vids_make(scratch, list, count);
}

static bool is_one_label(const struct edgerun_half *halves, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        if (halves[i].far_label != halves[0].far_label) {
            return false;
        }
    }
    return true;
}

static void encode_labels(struct bytes *out, struct arena *scratch,
                          const struct edgerun_half *halves, uint32_t count)
{
    int64_t *labels = arena_alloc(scratch, count * sizeof *labels);

    for (uint32_t i = 0; i < count; i++) {
        labels[i] = halves[i].far_label;
    }
    pack_encode(out, labels, count);
}

static const struct edgerun_prop *find_prop(const struct edgerun_half *half, uint32_t key)
{
    for (uint32_t i = 0; i < half->prop_count; i++) {
        if (half->props[i].key == key) {
            return &half->props[i];
        }
    }
    return NULL;
}

/* True if all values are of one integer kind; they are in nums then. */
static bool column_ints(const struct slice *values, uint32_t count, int64_t *nums, bool *is_long)
{
    for (uint32_t i = 0; i < count; i++) {
        struct reader reader;
        struct value value;

        /* Strings and the rest start with other tags: only numbers are decoded. */
        reader_init(&reader, values[i]);
        if (values[i].data == NULL || !packed_is_integer(values[i])) {
            return false;
        }
        packed_decode(&reader, NULL, &value);
        if (i == 0) {
            *is_long = value.kind == VALUE_LONG;
        } else if (*is_long != (value.kind == VALUE_LONG)) {
            return false;
        }
        nums[i] = value.integer;
    }
    return true;
}

static void encode_values(struct bytes *out, const struct slice *values, uint32_t count)
{
    uint32_t present = 0;

    for (uint32_t i = 0; i < count; i++) {
        present += values[i].data != NULL;
    }
    bytes_u8(out, present == count ? FORM_EVERY : FORM_SOME);
    if (present < count) {
        uint8_t *map = bytes_extend(out, (count + 7) / 8);
        if (map == NULL) {
            return;
        }
        memset(map, 0, (count + 7) / 8);
        for (uint32_t i = 0; i < count; i++) {
            map[i / 8] |= (uint8_t)((values[i].data != NULL) << i % 8);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        bytes_append(out, values[i].data, values[i].size);
    }
}

static void encode_column(struct bytes *out, struct arena *scratch,
                          const struct edgerun_half *halves, uint32_t count, uint32_t key)
{
    struct slice *values = arena_array(scratch, count, sizeof *values);
    int64_t *nums = arena_alloc(scratch, count * sizeof *nums);
    struct bytes body;
    bool is_long = false;

    for (uint32_t i = 0; i < count; i++) {
        const struct edgerun_prop *prop = find_prop(&halves[i], key);
        if (prop != NULL) {
            values[i] = prop->packed;
        }
    }
    bytes_init(&body, 0);
    if (column_ints(values, count, nums, &is_long)) {
        bytes_u8(&body, is_long ? FORM_LONG : FORM_INT);
        pack_encode(&body, nums, count);
    } else {
        encode_values(&body, values, count);
    }
    bytes_varint(out, key);
    bytes_blob(out, bytes_slice(&body));
    bytes_close(&body);
}

/* The distinct keys of all halves, in order of first use. */
static uint32_t collect_keys(const struct edgerun_half *halves, uint32_t count, uint32_t **keys,
                             struct arena *scratch)
{
    uint32_t room = 0;
    uint32_t n = 0;

    for (uint32_t i = 0; i < count; i++) {
        room += halves[i].prop_count;
    }
    *keys = arena_alloc(scratch, (room + 1) * sizeof **keys);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t p = 0; p < halves[i].prop_count; p++) {
            uint32_t at = 0;
            while (at < n && (*keys)[at] != halves[i].props[p].key) {
                at++;
            }
            if (at == n) {
                (*keys)[n++] = halves[i].props[p].key;
            }
        }
    }
    return n;
}

void edgerun_encode(struct bytes *out, struct arena *scratch, const struct edgerun_half *halves,
                    uint32_t count)
{
    struct vids far = column_of(scratch, halves, count, true);
    struct vids edge = column_of(scratch, halves, count, false);
    bool has_labels = !is_one_label(halves, count);
    uint32_t *keys;
    uint32_t key_count = collect_keys(halves, count, &keys, scratch);
    uint32_t head = (far.nums != NULL ? HEAD_FAR_INT : 0) |
                    (edge.nums != NULL ? HEAD_EDGE_INT : 0) | (has_labels ? HEAD_LABELS : 0) |
                    (key_count > 0 ? HEAD_PROPS : 0);

    assert(count >= 1 && count <= EDGERUN_COUNT_LIMIT);
    if (count <= HEAD_COUNT_MAX) {
        bytes_u8(out, (uint8_t)(head | count << HEAD_COUNT_SHIFT));
    } else {
        bytes_u8(out, (uint8_t)head);
        bytes_varint(out, count);
    }
    vids_encode(out, &far, count);
    if (has_labels) {
        encode_labels(out, scratch, halves, count);
    } else {
        bytes_varint(out, halves[0].far_label);
    }
    vids_encode(out, &edge, count);
    if (key_count > 0) {
        bytes_varint(out, key_count);
        for (uint32_t i = 0; i < key_count; i++) {
            encode_column(out, scratch, halves, count, keys[i]);
        }
    }
}

/* ---- decode ---- */

static void decode_ints(struct reader *reader, struct arena *arena, struct slice *values,
                        uint32_t count, bool is_long)
{
    int64_t *nums = arena_array(arena, count, sizeof *nums);
    struct bytes form;

    pack_decode(reader, nums, count);
    bytes_init(&form, 0);
    for (uint32_t i = 0; i < count; i++) {
        struct value value = is_long ? value_long(nums[i]) : value_int((int32_t)nums[i]);

        bytes_clear(&form);
        packed_encode(&form, &value);
        values[i] = slice_of(arena_copy(arena, form.data, form.size), form.size);
    }
    bytes_close(&form);
}

static void decode_column(struct reader *reader, struct arena *arena, uint32_t count,
                          struct edgerun_column *column)
{
    struct slice *values = arena_array(arena, count, sizeof *values);
    struct slice map = {0};
    struct reader body;
    uint8_t form;

    column->key = (uint32_t)reader_varint(reader);
    column->values = values;
    reader_init(&body, reader_blob(reader));
    form = reader_u8(&body);
    if (form == FORM_INT || form == FORM_LONG) {
        decode_ints(&body, arena, values, count, form == FORM_LONG);
    } else if (form == FORM_SOME || form == FORM_EVERY) {
        if (form == FORM_SOME) {
            map = reader_take(&body, (count + 7) / 8);
        }
        for (uint32_t i = 0; i < count && !body.is_bad; i++) {
            if (map.data == NULL || (map.data[i / 8] >> i % 8 & 1) != 0) {
                values[i] = packed_skip(&body);
            }
        }
    } else {
        reader_spoil(reader);
    }
    if (body.is_bad || reader_left(&body) > 0) {
        reader_spoil(reader);
    }
}

static void decode_columns(struct reader *reader, struct arena *arena, struct edgerun *run)
{
    size_t n = reader_count(reader, 2);
    struct edgerun_column *columns = arena_array(arena, n + 1, sizeof *columns);

    for (size_t i = 0; i < n && !reader->is_bad; i++) {
        decode_column(reader, arena, run->count, &columns[i]);
    }
    run->columns = columns;
    run->column_count = (uint32_t)n;
}

static void decode_far_labels(struct reader *reader, struct arena *arena, bool is_column,
                              struct edgerun *run)
{
    int64_t *labels;

    if (!is_column) {
        run->far_label = (uint32_t)reader_varint(reader);
        return;
    }
    labels = arena_array(arena, run->count, sizeof *labels);
    pack_decode(reader, labels, run->count);
    run->far_labels = labels;
}

int edgerun_decode(struct slice blob, enum edgerun_want want, struct arena *arena,
                   struct edgerun *run, struct error *err)
{
    struct reader reader;
    uint8_t head;
    uint64_t count;

    *run = (struct edgerun){0};
    reader_init(&reader, blob);
    head = reader_u8(&reader);
    count = head >> HEAD_COUNT_SHIFT;
    if (count == 0) {
        count = reader_varint(&reader);
    }
    if (reader.is_bad || count == 0 || count > EDGERUN_COUNT_LIMIT) {
        return error_set(err, E_CORRUPT, "run of %zu bytes with %llu halves", blob.size,
                         (unsigned long long)count);
    }
    run->count = (uint32_t)count;
    run->far = vids_decode(&reader, arena, (head & HEAD_FAR_INT) != 0, count);
    decode_far_labels(&reader, arena, (head & HEAD_LABELS) != 0, run);
    if (want >= EDGERUN_EDGE) {
        run->edge = vids_decode(&reader, arena, (head & HEAD_EDGE_INT) != 0, count);
    }
    if (want == EDGERUN_ALL && (head & HEAD_PROPS) != 0) {
        decode_columns(&reader, arena, run);
    }
    if (reader.is_bad || (want == EDGERUN_ALL && reader_left(&reader) > 0)) {
        return error_set(err, E_CORRUPT, "run of %zu bytes is damaged at byte %zu", blob.size,
                         (size_t)(reader.at - reader.start));
    }
    return E_OK;
}

struct edgerun_half *edgerun_halves(const struct edgerun *run, struct arena *arena)
{
    struct edgerun_half *halves = arena_array(arena, run->count, sizeof *halves);
    struct edgerun_prop *props =
        arena_array(arena, (size_t)run->count * run->column_count + 1, sizeof *props);

    for (uint32_t i = 0; i < run->count; i++) {
        halves[i].far = vids_at(&run->far, i);
        halves[i].edge = vids_at(&run->edge, i);
        halves[i].far_label = edgerun_far_label(run, i);
        halves[i].props = props;
        for (uint32_t c = 0; c < run->column_count; c++) {
            if (run->columns[c].values[i].data != NULL) {
                *props++ = (struct edgerun_prop){run->columns[c].key, run->columns[c].values[i]};
                halves[i].prop_count++;
            }
        }
    }
    return halves;
}

uint32_t edgerun_find(const struct edgerun *run, const struct vid *far, const struct vid *edge)
{
    uint32_t low = 0;
    uint32_t high = run->count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        struct vid far_at = vids_at(&run->far, middle);
        struct vid edge_at = vids_at(&run->edge, middle);
        int order = edgerun_order(&far_at, &edge_at, far, edge);

        if (order == 0) {
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return run->count;
}
