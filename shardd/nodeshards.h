/*
 * nodeshards.h -- which replicas a node holds: opened, admitted, told their configuration, dropped.
 *
 *   map --> replica of this node?  no: its file goes to dropped/
 *                                  yes: opened, if it is not; suspect, or told its configuration
 *
 * A file that is gone, damaged, or behind what the coordinators know that it had is suspect: not
 * served, told with each heartbeat, logged once. When its node is a learner it is rebuilt: what is
 * left of the file goes to dropped/, and the replica begins empty and is brought up by the primary.
 *
 * A replica that begins anew is *partial* until it is in sync, over all starts (shard-N.partial):
 * coordinators do not elect it, although they may count on what it held before (elr).
 *
 * Shell; a part of the node (node.h).
 */
#ifndef SHARDD_NODESHARDS_H
#define SHARDD_NODESHARDS_H

#include "common/roster.h"
#include "shardd/node.h"

/* A value of node->suspects: enum roster_suspect in the low bits, above them what was applied. */
enum { NODESHARDS_SUSPECT_BITS = 3 };

/* Takes the map of a configuration if it is newer than the one in force. Errors are fatal. */
int nodeshards_adopt(struct node *node, uint64_t now_ms, const struct roster_config *config,
                     struct error *err);
/* Opens the node's replica of one shard of the map, if there is to be one; is_received: its file
 * has just come as a snapshot. */
int nodeshards_open(struct node *node, uint64_t now_ms, uint32_t shard, bool is_received,
                    struct error *err);
/* Closes the replica and deletes its file: it is partial from then on. */
int nodeshards_clear(struct node *node, uint32_t shard, struct error *err);
/* The name of its file. */
void nodeshards_path(const struct node *node, uint32_t shard, char *path, size_t room);
/* Files that were found damaged while they were served: nothing more is read from them. Returns
 * whether there are any. */
bool nodeshards_check(struct node *node, struct outbox *out);
/* Learners with such a file begin anew. Errors are fatal. */
int nodeshards_renew(struct node *node, uint64_t now_ms, struct error *err);

#endif
