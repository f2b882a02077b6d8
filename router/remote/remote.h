/*
 * remote.h -- the router's view of the cluster: map, session with the coordinator, requests under way.
 *
 * fetch.h scatters a read over shards and gathers rows; transaction.h buffers changes, collects read sets
 * and commits. Both send through here: requests are repeated after silence, redirected after E_WRONG_EPOCH
 * (with a new map), and fail at their deadline.
 *
 * Pure: messages in, outbox out. Ownership: the router owns one remote.
 */
#ifndef ROUTER_REMOTE_REMOTE_H
#define ROUTER_REMOTE_REMOTE_H

#include "common/outbox.h"
#include "common/shardmap.h"

struct remote;

const struct shardmap *remote_map(const struct remote *remote); /* Null before the first. */

#endif
