/*
 * fetch.h -- one read of a query over all shards it concerns: scatter, gather, in at most one
 * request a shard (and more only to continue answers that were cut).
 *
 * The spec is a read_request over ids of any shard. Rows come back with the ordinal of the spec's
 * input. For READ_MERGED, rows of different shards that are the same vertex are merged here. With
 * READ_COUNT one row.
 *
 * The transaction adds the changes of this shard that are not committed (staged) and takes the read
 * sets.
 */
#ifndef ROUTER_REMOTE_FETCH_H
#define ROUTER_REMOTE_FETCH_H

#include "common/read.h"
#include "router/op/op.h"

struct fetch;

/* Starts it. The spec and all it points to must live until fetch_close. inputs of READ_IDS go to
 * their owners; READ_EDGE_IDS go to the shard of the id first (generated ids), then to all others
 * for those not found; scans go to all shards of the graph (in key order, with limits one after the
 * other if `limit` is small). Gives null with exec->error set if the map has no such graph. op (may
 * be null) gets the counts of requests, bytes and scanned rows for profile(). */
struct fetch *fetch_start(struct exec *exec, struct op *op, const struct read_request *spec);
/* The same with its elements in exec->stream instead of exec->arena. */
struct fetch *fetch_stream(struct exec *exec, struct op *op, const struct read_request *spec);
/* Appends up to max rows. BATCH: there were some; DONE; WAIT; ERROR (exec->error). Rows arrive in
 * the order of shards' answers, not of ordinals. */
enum pull fetch_next(struct fetch *fetch, struct exec *exec, struct read_row *rows, uint32_t max,
                     uint32_t *count);
/* True when every answer has arrived: the caller may then sort by ordinal. */
bool fetch_is_complete(const struct fetch *fetch);
/* Cancels what is under way. Nulls the pointer, accepts null. */
void fetch_close(struct fetch **fetch, struct exec *exec);

#endif
