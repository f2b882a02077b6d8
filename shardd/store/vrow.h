/*
 * vrow.h -- the row of a vertex: label, exact degrees, properties.
 *
 *   degrees   (varint label * 2 + direction, varint count) ...
 *   props     varint next sequence | (varint key, flags, id, packed value, [metas]) ...
 *
 * A property without an id of its own has a sequence number, from which its id is derived: 53 bits
 * of a hash of vertex, key and number. It stays the same as long as the property lives.
 *
 * There are no versions in rows: what a transaction read is validated by slots (common/txn.h).
 *
 * Pure. Decoded rows are in the arena and point into their blobs. Stored: never change the form.
 */
#ifndef SHARDD_STORE_VROW_H
#define SHARDD_STORE_VROW_H

#include "common/change.h"
#include "shardd/store/edgerun.h"
#include "shardd/store/symbol.h"

enum {
    VROW_OUT = 0, /* Directions, as in the key of adjacency. */
    VROW_IN = 1
};

struct vrow_degree {
    uint32_t label;
    uint8_t direction;
    uint64_t count;
};

struct vrow_prop {
    uint32_t key;
    uint8_t cardinality; /* As in struct change. */
    bool has_id;         /* id was given; else it is the sequence number. */
    int64_t id;
    struct slice packed;
    uint32_t meta_count;
    const struct edgerun_prop *metas;
};

struct vrow {
    bool exists;
    uint32_t label;
    uint32_t degree_count;
    uint32_t degree_room;
    struct vrow_degree *degrees;
    uint64_t next_sequence;
    uint32_t prop_count;
    uint32_t prop_room;
    struct vrow_prop *props;
    uint64_t digest; /* As it was read with its properties: vrow_digest; else 0. */
};

/* Spoils the reader on bad form. */
void vrow_decode_degrees(struct slice blob, struct arena *arena, struct vrow *row,
                         struct reader *reader);
void vrow_decode_props(struct slice blob, struct arena *arena, struct vrow *row,
                       struct reader *reader);
void vrow_encode_degrees(struct bytes *out, const struct vrow *row);
void vrow_encode_props(struct bytes *out, const struct vrow *row);

/* Sum over directions and labels asked for: direction VROW_OUT or IN; label SYMBOL_NONE: all. */
uint64_t vrow_degree(const struct vrow *row, uint8_t direction, uint32_t label);
/* The same without decoding: for counts. Spoils the reader on bad form. */
uint64_t vrow_degree_of(struct slice degrees, uint8_t direction, uint32_t label,
                        struct reader *reader);
uint64_t vrow_degree_total(const struct vrow *row);
/* Adds to a degree, which may not fall below 0: false if it would. */
bool vrow_degree_add(struct vrow *row, struct arena *arena, uint8_t direction, uint32_t label,
                     int64_t delta);

/* The property's id as clients see it. */
int64_t vrow_prop_id(const struct vid *vertex, struct slice key, const struct vrow_prop *prop);

/* Who names symbols while changes are applied. */
struct vrow_names {
    struct symbol_table *table;
    struct stmt *stmt;
};

/* Carries out VERTEX_* VPROP_* META_*. What it keeps is in the arena, packed. */
int vrow_apply(struct vrow *row, const struct change *change, struct vrow_names *names,
               struct arena *arena, struct error *err);
/* Of a row as it is stored, without its degrees (those follow from its edges): never 0. */
uint64_t vrow_digest(const struct vid *vertex, uint32_t label, struct slice props);

#endif
