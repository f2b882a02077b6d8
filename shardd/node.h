/*
 * node.h -- what a node is made of; shard.h is its facade.
 *
 *   coordinator --NODE_CONFIG--> map --> replicas opened, led under their epochs, dropped
 *   node --NODE_REGISTER (until answered), NODE_STATUS (each heartbeat)--> coordinator
 *
 * Rules: only a map newer than the one in force is taken, of a term not older. A shard is led only
 * if the map names this very boot of this node. A file that held data and is gone is not replaced
 * by an empty one. A file that is gone, damaged, or behind what the coordinators know that it had
 * applied is suspect: not served, told with each heartbeat and logged once; the others are served.
 * A folder belongs to the incarnation of the cluster whose coordinators configured it first (the
 * file DIR/incarnation): those of another configure nothing here, so they drop nothing either.
 * Only an answer over this node's own link to a configured coordinator configures it: a map pushed
 * to it makes it ask.
 *
 * Shell.
 */
#ifndef SHARDD_NODE_H
#define SHARDD_NODE_H

#include "common/map.h"
#include "common/shardmap.h"
#include "shardd/incoming.h"
#include "shardd/replica/replica.h"
#include "shardd/shard.h"

struct node {
    struct node_options options;
    struct replica **replicas;
    size_t replica_count, replica_room;
    struct map places;    /* shard -> place. */
    struct map suspects;  /* shard -> struct roster_replica's suspect and applied: see node.c. */
    struct map opened;    /* shard -> 1: opened by this boot. */
    struct map partial;   /* shard -> 1: built anew, not in sync since; remembered in a file. */
    uint64_t taken_ms;    /* When it was last logged that it was refused. */
    uint64_t incarnation; /* Of the cluster that the folder belongs to; 0: none yet. */
    struct shardmap map;
    uint64_t term; /* Of the coordinator heard last. */
    bool is_swept; /* Files of shards dropped before the start are gone. */
    bool is_registered;
    bool is_status_due;
    bool is_leaving;      /* About to end. */
    bool must_restart;    /* See node_must_restart. */
    uint64_t renew_ms;    /* When learners with files of no use are looked at again. */
    uint64_t started_ms;  /* Its first turn. */
    uint64_t restart_ms;  /* Then it does not wait any longer for others to take over. */
    uint32_t coordinator; /* Which of the list is asked. */
    uint32_t refusals;    /* In a row. */
    uint64_t req_id;      /* Last one used. */
    uint64_t register_id; /* The first NODE_REGISTER since this process is not registered. */
    uint64_t status_ms;   /* When the next heartbeat is due. */
    uint64_t heard_ms;    /* Of the coordinator. */
    uint64_t counted_ms;
    struct incoming incoming;
    uint64_t turn_ms; /* Of the last turn. */
    size_t turn_next;
    size_t tend_next;
    unsigned busy_turns;
    struct message *admin; /* Requests not yet carried out, with bodies of our own. */
    size_t admin_count, admin_room;
    struct error failure; /* Fatal: told at the next turn. */
    struct arena arena;
    struct bytes body;
    struct bytes address; /* As node_address gave it last. */
};

/* Null if the shard is not here. */
struct replica *node_replica(const struct node *node, uint32_t shard);

#endif
