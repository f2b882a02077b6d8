/*
 * changeset.h -- applies a list of changes to the tables, ordered so that each row is read and
 * written once.
 *
 *   changes -> names become symbols, in the order given (so all replicas number them alike)
 *           -> vertex changes by vertex; halves by (vertex, direction, label, far, edge); both keep
 * their order
 *           -> vertex by vertex: row, degrees, runs, label index, property indexes
 *           -> edge places, by edge id; counters
 *
 * What is on different rows commutes, so the order between rows does not matter; how runs are cut
 * does depend on how changes were grouped, and nothing else does.
 *
 * Shell: within the caller's open SQLite transaction.
 */
#ifndef SHARDD_STORE_CHANGESET_H
#define SHARDD_STORE_CHANGESET_H

#include "common/change.h"
#include "shardd/store/adjacency.h"
#include "shardd/store/tables.h"

struct changeset {
    struct arena *arena;
    struct change *list;
    size_t count;
    size_t room;
};

/* The arena keeps all until the batch is applied. */
void changeset_init(struct changeset *batch, struct arena *arena);
void changeset_close(struct changeset *batch);
/* A list as in entries: varint count, then changes. The slice must outlive the batch. E_MALFORMED.
 * */
int changeset_add(struct changeset *batch, struct slice changes, struct error *err);
int changeset_apply(struct changeset *batch, struct tables *tables, struct error *err);

#endif
