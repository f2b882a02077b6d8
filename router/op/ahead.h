/*
 * ahead.h -- what mergeV() looks for, read for many traversers in one request a shard.
 *
 * If the maps of a window of traversers have the same keys, one read finds all vertices that any of
 * them may match: by the ids, or by key within(values). Each map is then matched here, against what
 * was read and what the operator itself has made since; so each traverser still sees what those
 * before it did, and no read has to carry the changes that pile up.
 *
 * Pure. Ownership: values in the exec's arena, tables on the heap; close it.
 * Limits: AHEAD_WINDOW maps at a time.
 */
#ifndef ROUTER_OP_AHEAD_H
#define ROUTER_OP_AHEAD_H

#include "router/op/idset.h"
#include "router/op/rowset.h"

enum { AHEAD_WINDOW = 4096 };

struct ahead {
    struct value key; /* What candidates are found by: T.id or a string. */
    struct read_request spec;
    struct fetch *fetch;
    struct rowset rows;
    struct idset ids;
    struct read_input *inputs;
    struct value *candidates; /* Vertices. */
    uint32_t count;
    uint32_t room;
    struct map_index index; /* Hash of the key's value -> place in `entries`. */
    uint32_t *entries;      /* Candidates. */
    uint32_t entry_count;
    uint32_t entry_room;
    uint32_t *places; /* Of one search. */
    uint32_t place_room;
};

/* Starts the read for these maps. False: they are not alike enough, or the exec has an error. */
bool ahead_start(struct ahead *ahead, struct exec *exec, struct op *op, const struct value *maps,
                 uint32_t count);
/* BATCH when all is read. */
enum pull ahead_read(struct ahead *ahead, struct exec *exec);
/* One more candidate: what was made meanwhile. */
void ahead_add(struct ahead *ahead, struct exec *exec, const struct value *vertex);
/* Sets out->rows to those that the map matches, in the order in which they were read or made. */
void ahead_find(struct ahead *ahead, struct exec *exec, const struct value *map,
                struct rowset *out);
/* Whether one of the map's keys is among those that are looked for. */
bool ahead_is_touched(const struct value *looked_for, const struct value *changed);
void ahead_reset(struct ahead *ahead, struct exec *exec);
void ahead_close(struct ahead *ahead, struct exec *exec);

#endif
