/*
 * nodeset.h -- a few node numbers: the replicas of a shard, and those of them that are in sync.
 *
 * Always ascending, each once, none 0: equal sets have equal bytes.
 *
 * bytes: varint count, varint node ...
 *
 * Pure. Limits: NODESET_MAX nodes.
 */
#ifndef COMMON_NODESET_H
#define COMMON_NODESET_H

#include "common/reader.h"

enum { NODESET_MAX = 7 };

struct nodeset {
    uint32_t count;
    uint32_t nodes[NODESET_MAX];
};

/* The set of one node. */
struct nodeset nodeset_of(uint32_t node);
bool nodeset_has(const struct nodeset *set, uint32_t node);
/* Whether each of part is in set. */
bool nodeset_holds(const struct nodeset *set, const struct nodeset *part);
bool nodeset_equal(const struct nodeset *a, const struct nodeset *b);
/* Returns false if it is full. One that is there already changes nothing. */
bool nodeset_add(struct nodeset *set, uint32_t node);
void nodeset_remove(struct nodeset *set, uint32_t node);
/* What is in a and not in b. */
struct nodeset nodeset_minus(const struct nodeset *a, const struct nodeset *b);
/* What is in a or in b: together at most NODESET_MAX. */
struct nodeset nodeset_union(const struct nodeset *a, const struct nodeset *b);

void nodeset_encode(struct bytes *out, const struct nodeset *set);
/* Spoils the reader at what is no set. */
void nodeset_decode(struct reader *reader, struct nodeset *set);
/* For people: "1 4 9"; "-" if it is empty. */
void nodeset_dump(struct bytes *out, const struct nodeset *set);

#endif
