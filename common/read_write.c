#include "common/read_write.h"

#include <assert.h>
#include <string.h>

void read_write_init(struct read_writer *writer, struct bytes *out)
{
    *writer = (struct read_writer){.out = out, .start = out->size};
    map_text_init(&writer->symbols, NULL, false);
    bytes_u32(out, 0);
}

void read_write_close(struct read_writer *writer)
{
    map_text_close(&writer->symbols);
    *writer = (struct read_writer){0};
}

uint32_t read_write_symbol(struct read_writer *writer, struct slice name)
{
    bool is_new;
    uint64_t *number = map_text_at(&writer->symbols, name, &is_new);

    if (is_new) {
        *number = writer->symbols.count - 1;
    }
    return (uint32_t)*number;
}

void read_write_row(struct read_writer *writer, const struct read_write_row *row)
{
    struct bytes *out = writer->out;
    bool is_text = row->id.text.data != NULL;
    uint8_t flags = row->flags;

    flags |= row->ordinal != writer->ordinal ? READ_ROW_ORDINAL : 0;
    flags |= row->bulk != 1 ? READ_ROW_BULK : 0;
    flags |= row->label != writer->label || writer->rows == 0 ? READ_ROW_LABEL : 0;
    flags |= is_text ? READ_ROW_TEXT : 0;
    bytes_u8(out, flags);
    if ((flags & READ_ROW_ORDINAL) != 0) {
        bytes_zigzag(out, (int64_t)row->ordinal - (int64_t)writer->ordinal);
        writer->ordinal = row->ordinal;
    }
    if ((flags & READ_ROW_BULK) != 0) {
        bytes_varint(out, row->bulk);
    }
    if ((flags & READ_ROW_LABEL) != 0) {
        bytes_varint(out, row->label);
        writer->label = row->label;
    }
    if (is_text) {
        bytes_blob(out, row->id.text);
    } else {
        bytes_zigzag(out, (int64_t)((uint64_t)row->id.num - (uint64_t)writer->id));
        writer->id = row->id.num;
    }
    writer->rows++;
}

void read_write_ends(struct read_writer *writer, const struct vid *out_id, const struct vid *in_id,
                     uint32_t out_label, uint32_t in_label)
{
    vid_encode(writer->out, out_id);
    vid_encode(writer->out, in_id);
    bytes_varint(writer->out, out_label);
    bytes_varint(writer->out, in_label);
}

void read_write_count(struct read_writer *writer, uint32_t count)
{
    bytes_varint(writer->out, count);
}

void read_write_property(struct read_writer *writer, uint32_t key, struct slice packed)
{
    bytes_varint(writer->out, key);
    bytes_append(writer->out, packed.data, packed.size);
}

void read_write_vproperty(struct read_writer *writer, uint32_t key, struct slice packed,
                          uint8_t cardinality, int64_t id)
{
    bytes_varint(writer->out, key);
    bytes_u8(writer->out, cardinality);
    bytes_zigzag(writer->out, id);
    bytes_append(writer->out, packed.data, packed.size);
}

void read_write_number(struct read_writer *writer, uint32_t ordinal, uint64_t bulk)
{
    bytes_zigzag(writer->out, (int64_t)ordinal - (int64_t)writer->ordinal);
    bytes_varint(writer->out, bulk);
    writer->ordinal = ordinal;
    writer->rows++;
}

void read_write_finish(struct read_writer *writer, enum read_emit emit,
                       const struct read_head *head)
{
    struct bytes *out = writer->out;

    bytes_patch_u32(out, writer->start, (uint32_t)(out->size - writer->start));
    bytes_u8(out, (uint8_t)emit);
    bytes_varint(out, head->read_index);
    bytes_varint(out, writer->rows);
    bytes_varint(out, head->scanned);
    bytes_varint(out, head->micros);
    bytes_blob(out, head->access);
    bytes_blob(out, head->cursor);
    bytes_varint(out, writer->symbols.count);
    for (size_t i = 0; i < writer->symbols.count; i++) {
        bytes_blob(out, writer->symbols.entries[i].key);
    }
    txn_readset_encode(out, &head->readset);
}
