/*
 * staging.h -- the changes of a transaction to one shard, and which of them a read can see.
 *
 * A READ carries the changes that are not committed, and the shard applies them before it reads and
 * takes them back after. If each read carried all of them, a transaction of n changes and n reads
 * would cost n * n. So a read by ids carries only what concerns its inputs: changes of those
 * vertices, and of their edges if it looks at edges in that direction; or of those edges and the
 * vertices that they leave. Other reads carry all.
 *
 * Changes keep their order. An edge that is dropped and added again concerns several vertices at
 * once: then all reads carry all changes.
 *
 * Pure. Ownership: copies changes; an all-zero staging is an empty one. Limits: the caller's.
 */
#ifndef ROUTER_REMOTE_STAGING_H
#define ROUTER_REMOTE_STAGING_H

#include "common/change.h"
#include "common/map.h"
#include "common/read.h"

/* Of each change: where it is, and the change before that concerns the same. */
struct staging_note {
    size_t offset;
    uint64_t group;       /* Key in heads: of the vertex, or of its edges in a direction. */
    uint64_t edge;        /* The same of the edge; 0: none. */
    uint64_t vertex;      /* Hash of the vertex. */
    uint32_t group_older; /* 1 + place; 0: none. */
    uint32_t edge_older;
    uint8_t kind; /* enum change_kind. */
};

struct staging {
    struct bytes changes; /* change_encode each. */
    struct staging_note *notes;
    uint32_t count, room;
    struct map heads; /* Key -> 1 + place of the newest. */
    bool is_tangled;  /* An edge was dropped and added again. */
};

void staging_close(struct staging *staging);
/* Gives the bytes that it took. */
size_t staging_add(struct staging *staging, const struct change *change);
/* Forgets all but the first `count`. */
void staging_cut(struct staging *staging, uint32_t count);
/* All, as a list of changes: varint count, then each. Nothing if there are none. */
void staging_write(const struct staging *staging, struct bytes *out);
/* Those that the read can see. */
void staging_write_for(const struct staging *staging, const struct read_request *read,
                       struct bytes *out);

#endif
