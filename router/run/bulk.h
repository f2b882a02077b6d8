/*
 * bulk.h -- a batch of a bulk load: many vertices and edges as one transaction.
 *
 * A client sends op "load", processor "cardea", args {aliases: {g: graph}, batch: binary}. The
 * batch is all or nothing. Records, one after the other:
 *
 *   1 change            a vertex: CHANGE_VERTEX_ADD
 *   2 label change      an edge with its id: label of the out vertex (empty: not known), then
 *   3 label change      CHANGE_EDGE_ADD of the OUT half (far_label empty: not known); 3: the id is
 * made here
 *
 * Labels that the client does not know are read, in one request a shard for the whole batch; an end
 * that is not there ends the batch with E_NOT_FOUND. Changes go to the shards sorted by shard and
 * key, so that a page is touched once.
 *
 * Limits: BULK_ELEMENTS_MAX elements.
 */
#ifndef ROUTER_RUN_BULK_H
#define ROUTER_RUN_BULK_H

#include "common/change.h"
#include "router/op/exec.h"

enum { BULK_ELEMENTS_MAX = CHANGE_COUNT_MAX / 3 };

enum bulk_record { BULK_VERTEX = 1, BULK_EDGE = 2, BULK_EDGE_NO_ID = 3 };

void bulk_encode_vertex(struct bytes *out, const struct change *vertex);
/* The OUT half, and the label of its vertex; has_id false: the router makes the edge's id. */
void bulk_encode_edge(struct bytes *out, const struct change *edge, struct slice out_label,
                      bool has_id);

struct bulk;

/* Reads the records (which must live as long as the run) into exec's arena. E_MALFORMED, E_LIMIT.
 * */
int bulk_open(struct exec *exec, struct slice records, struct bulk **bulk, struct error *err);
/* Fills exec's transaction. BATCH: all is buffered, commit; WAIT; ERROR: exec->error. */
enum pull bulk_advance(struct bulk *bulk, struct exec *exec);
void bulk_close(struct bulk **bulk, struct exec *exec);
/* Elements of the batch. */
uint32_t bulk_count(const struct bulk *bulk);

#endif
