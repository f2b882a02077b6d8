/*
 * read_write.h -- builds the body of a READ_REPLY, row by row (read.h has the reading half).
 *
 *   u32 place of the head | rows ... | head: numbers, access, cursor, symbols, read set
 *
 * A row: one byte that says what follows, then only what differs from the row before: ordinal,
 * bulk, label; ids of integers as differences. Labels and keys are numbers into the reply's symbol
 * table.
 *
 * Pure. The writer keeps `out`. Close it.
 */
#ifndef COMMON_READ_WRITE_H
#define COMMON_READ_WRITE_H

#include "common/map.h"
#include "common/read.h"

enum read_row_flag {
    READ_ROW_ORDINAL = 1, /* zigzag difference of ordinals. */
    READ_ROW_BULK = 2,    /* varint bulk; else 1. */
    READ_ROW_LABEL = 4,   /* varint symbol; else as before. */
    READ_ROW_TEXT = 8,    /* The id is a blob; else zigzag difference. */
    READ_ROW_EDGE = 16,   /* out id, in id, out label, in label follow. */
    READ_ROW_PROPS = 32,  /* varint count, properties. */
    READ_ROW_WHOLE = 64   /* These are all properties. */
};

struct read_writer {
    struct bytes *out;
    size_t start; /* Where the body starts in out. */
    uint64_t rows;
    uint32_t ordinal; /* Of the row before. */
    uint32_t label;
    int64_t id;
    struct map_text symbols;
};

/* What all rows of vertices and edges start with. */
struct read_write_row {
    uint32_t ordinal;
    uint64_t bulk;
    struct vid id;
    uint32_t label; /* Symbol of this reply. */
    uint8_t flags;  /* Of EDGE, PROPS, WHOLE: what the caller is going to write. */
};

void read_write_init(struct read_writer *writer, struct bytes *out);
void read_write_close(struct read_writer *writer);
/* Number of a label or key in this reply. */
uint32_t read_write_symbol(struct read_writer *writer, struct slice name);
void read_write_row(struct read_writer *writer, const struct read_write_row *row);
/* After a row with EDGE. */
void read_write_ends(struct read_writer *writer, const struct vid *out_id, const struct vid *in_id,
                     uint32_t out_label, uint32_t in_label);
/* After a row with PROPS (and ends): the count, then each property. packed: packed.h. */
void read_write_count(struct read_writer *writer, uint32_t count);
void read_write_property(struct read_writer *writer, uint32_t key, struct slice packed);
void read_write_vproperty(struct read_writer *writer, uint32_t key, struct slice packed,
                          uint8_t cardinality, int64_t id);
/* Rows of COUNT (ordinal 0), COUNT_EACH and LABEL_COUNTS (ordinal: the symbol). */
void read_write_number(struct read_writer *writer, uint32_t ordinal, uint64_t bulk);
/* Writes the head: head->rows is the writer's. */
void read_write_finish(struct read_writer *writer, enum read_emit emit,
                       const struct read_head *head);

#endif
