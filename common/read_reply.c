#include "common/packed.h"
#include "common/read.h"
#include "common/read_write.h"

#include <assert.h>

static void decode_symbols(struct reader *reader, struct arena *arena, struct read_reply *reply)
{
    size_t count = reader_count(reader, 1);
    struct slice *symbols = count == 0 ? NULL : arena_array(arena, count, sizeof *symbols);

    for (size_t i = 0; i < count; i++) {
        struct slice name = reader_blob(reader);
        symbols[i] = slice_of(arena_copy(arena, name.data, name.size), name.size);
    }
    reply->symbols = symbols;
    reply->symbol_count = (uint32_t)count;
}

static int decode_head(struct reader *reader, struct arena *arena, struct read_reply *reply,
                       struct error *err)
{
    struct read_head *head = &reply->head;
    uint8_t emit = reader_u8(reader);

    if (emit < READ_ROWS || emit > READ_LABEL_COUNTS) {
        return error_set(err, E_MALFORMED, "read reply: emit %u", emit);
    }
    reply->emit = (enum read_emit)emit;
    head->read_index = reader_varint(reader);
    head->rows = reader_varint(reader);
    head->scanned = reader_varint(reader);
    head->micros = reader_varint(reader);
    head->access = reader_blob(reader);
    head->cursor = reader_blob(reader);
    decode_symbols(reader, arena, reply);
    txn_readset_decode(reader, &head->readset);
    return reader_finish(reader, "read reply", err);
}

int read_reply_open(struct slice body, struct arena *arena, bool id_int, struct read_reply *reply,
                    struct error *err)
{
    struct reader reader;
    uint32_t head_at;
    int rc;

    *reply = (struct read_reply){.id_int = id_int};
    reader_init(&reader, body);
    head_at = reader_u32(&reader);
    if (reader.is_bad || head_at < 4 || head_at > body.size) {
        return error_set(err, E_MALFORMED, "read reply: head at %u of %zu bytes", head_at,
                         body.size);
    }
    reader_init(&reply->reader, slice_of(body.data + 4, head_at - 4));
    reader_init(&reader, slice_of(body.data + head_at, body.size - head_at));
    rc = decode_head(&reader, arena, reply, err);
    if (rc != E_OK) {
        read_reply_close(reply);
        return rc;
    }
    reply->rows_left = reply->head.rows;
    return E_OK;
}

void read_reply_close(struct read_reply *reply)
{
    txn_readset_close(&reply->head.readset);
    *reply = (struct read_reply){0};
}

/* ---- rows ---- */

static struct slice symbol(struct read_reply *reply)
{
    uint64_t number = reader_varint(&reply->reader);

    if (number >= reply->symbol_count) {
        reader_spoil(&reply->reader);
        return (struct slice){0};
    }
    return reply->symbols[number];
}

static struct value id_value(const struct read_reply *reply, struct arena *arena,
                             const struct vid *id)
{
    if (id->text.data != NULL) {
        return value_string(
            slice_of(arena_copy(arena, id->text.data, id->text.size), id->text.size));
    }
    if (reply->id_int && id->num >= INT32_MIN && id->num <= INT32_MAX) {
        return value_int((int32_t)id->num);
    }
    return value_long(id->num);
}

static struct value decode_value(struct read_reply *reply, struct arena *arena)
{
    struct value value;

    packed_decode(&reply->reader, arena, &value);
    return value_copy(arena, &value);
}

static const struct property *decode_props(struct read_reply *reply, struct arena *arena,
                                           const struct value *owner, uint32_t *count)
{
    size_t n = reader_count(&reply->reader, 2);
    struct property *props = n == 0 ? NULL : arena_array(arena, n, sizeof *props);

    for (size_t i = 0; i < n; i++) {
        props[i].key = symbol(reply);
        props[i].value = decode_value(reply, arena);
        props[i].owner = owner;
    }
    *count = (uint32_t)n;
    return props;
}

static void decode_vprops(struct read_reply *reply, struct arena *arena, struct vertex *vertex)
{
    size_t n = reader_count(&reply->reader, 5);
    struct vproperty *vprops = arena_array(arena, n + 1, sizeof *vprops);

    for (size_t i = 0; i < n; i++) {
        struct vproperty *vprop = &vprops[i];
        struct value *owner = ARENA_NEW(arena, struct value);

        vprop->key = symbol(reply);
        vprop->cardinality = reader_u8(&reply->reader);
        vprop->id = value_long(reader_zigzag(&reply->reader));
        vprop->value = decode_value(reply, arena);
        vprop->owner = vertex;
        *owner = value_vproperty(vprop);
        vprop->metas = decode_props(reply, arena, owner, &vprop->meta_count);
        if (vprop->cardinality > CARDINALITY_SET - CARDINALITY_SINGLE) {
            reader_spoil(&reply->reader);
        }
    }
    vertex->props = vprops;
    vertex->prop_count = (uint32_t)n;
}

static struct vid decode_id(struct read_reply *reply, uint8_t flags)
{
    if ((flags & READ_ROW_TEXT) != 0) {
        struct slice text = reader_blob(&reply->reader);
        if (text.size > VID_TEXT_MAX) {
            reader_spoil(&reply->reader);
            text.size = 0;
        }
        return vid_text(text);
    }
    reply->last_id = (int64_t)((uint64_t)reply->last_id + (uint64_t)reader_zigzag(&reply->reader));
    return vid_num(reply->last_id);
}

static struct value decode_edge(struct read_reply *reply, struct arena *arena, uint8_t flags)
{
    struct vid id = decode_id(reply, flags);
    struct vid out_id = vid_decode(&reply->reader);
    struct vid in_id = vid_decode(&reply->reader);
    struct edge *edge = ARENA_NEW(arena, struct edge);
    struct value *owner = ARENA_NEW(arena, struct value);

    edge->id = id_value(reply, arena, &id);
    edge->label = reply->last_label;
    edge->out_id = id_value(reply, arena, &out_id);
    edge->in_id = id_value(reply, arena, &in_id);
    edge->out_label = symbol(reply);
    edge->in_label = symbol(reply);
    edge->has_props = (flags & READ_ROW_WHOLE) != 0;
    *owner = value_edge(edge);
    if ((flags & READ_ROW_PROPS) != 0) {
        edge->props = decode_props(reply, arena, owner, &edge->prop_count);
    }
    return *owner;
}

static struct value decode_vertex(struct read_reply *reply, struct arena *arena, uint8_t flags)
{
    struct vid id = decode_id(reply, flags);
    struct vertex *vertex = ARENA_NEW(arena, struct vertex);

    vertex->id = id_value(reply, arena, &id);
    vertex->label = reply->last_label;
    vertex->has_props = (flags & READ_ROW_WHOLE) != 0;
    if ((flags & READ_ROW_PROPS) != 0) {
        decode_vprops(reply, arena, vertex);
    }
    return value_vertex(vertex);
}

static void add_ordinal(struct read_reply *reply)
{
    int64_t step = reader_zigzag(&reply->reader);
    bool is_near = step >= -(int64_t)UINT32_MAX && step <= (int64_t)UINT32_MAX;
    int64_t ordinal = is_near ? (int64_t)reply->last_ordinal + step : -1;

    if (ordinal < 0 || ordinal > (int64_t)UINT32_MAX) {
        reader_spoil(&reply->reader);
        ordinal = 0;
    }
    reply->last_ordinal = (uint32_t)ordinal;
}

static void decode_element(struct read_reply *reply, struct arena *arena, struct read_row *row)
{
    uint8_t flags = reader_u8(&reply->reader);

    if ((flags & READ_ROW_ORDINAL) != 0) {
        add_ordinal(reply);
    }
    row->ordinal = reply->last_ordinal;
    row->bulk = (flags & READ_ROW_BULK) != 0 ? reader_varint(&reply->reader) : 1;
    if ((flags & READ_ROW_LABEL) != 0) {
        reply->last_label = symbol(reply);
    }
    row->element = (flags & READ_ROW_EDGE) != 0 ? decode_edge(reply, arena, flags)
                                                : decode_vertex(reply, arena, flags);
}

int read_reply_next(struct read_reply *reply, struct arena *arena, struct read_row *row,
                    struct error *err)
{
    *row = (struct read_row){0};
    if (reply->rows_left == 0) {
        return reader_finish(&reply->reader, "read reply rows", err);
    }
    reply->rows_left--;
    if (reply->emit == READ_ROWS || reply->emit == READ_MERGED) {
        decode_element(reply, arena, row);
    } else {
        add_ordinal(reply);
        row->bulk = reader_varint(&reply->reader);
        if (reply->emit == READ_COUNT_EACH) {
            row->ordinal = reply->last_ordinal;
        } else if (reply->emit == READ_LABEL_COUNTS) {
            if (reply->last_ordinal >= reply->symbol_count) {
                reader_spoil(&reply->reader);
            } else {
                row->label = reply->symbols[reply->last_ordinal];
            }
        }
    }
    if (reply->reader.is_bad) {
        reply->rows_left = 0;
        return error_set(err, E_MALFORMED, "read reply: bad row at byte %zu",
                         (size_t)(reply->reader.at - reply->reader.start));
    }
    return 1;
}
