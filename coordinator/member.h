/*
 * member.h -- the leader's view of shard nodes: who is alive, what they hold.
 *
 *   REGISTER, STATUS --> hear --> propose NODE_UP | answer with the map if theirs is old | not
 *   known
 *   time             --> tick --> propose NODE_DOWN (silent), GRAPH_READY (all shards confirmed);
 *   push the map, propose APPLIED (how far each shard has come, once per second)
 *
 * A node is known by number and boot. One that starts again registers its new boot, and the state
 * gives each shard that it leads a new epoch: the process before it is fenced, even if nobody had
 * noticed its end. The map is pushed once at each change and then told again with each heartbeat
 * that shows an older one, so a lost push costs one heartbeat.
 *
 * A second process with the number of a living one is refused: TAKEN. Two processes cannot listen
 * at one address, so one that registers from the address that is known follows its predecessor.
 *
 * Pure; volatile: a new leader starts with nobody heard, and waits for a full silence before it
 * judges. After: reference/replication.md 2.4 (restart rule).
 */
#ifndef COORDINATOR_MEMBER_H
#define COORDINATOR_MEMBER_H

#include "common/roster.h"
#include "coordinator/state.h"

struct member_node {
    uint32_t node;
    uint64_t boot;
    uint64_t heard_ms;
    uint64_t map_version;            /* In force there. */
    uint64_t proposed_ms;            /* NODE_UP or NODE_DOWN is under way since; 0: no. */
    uint64_t noted_ms;               /* When APPLIED was proposed last. */
    bool is_fresh;                   /* Heard since then. */
    bool is_leaving;                 /* It is about to end. */
    struct roster_replica *replicas; /* By shard. */
    uint32_t replica_count;
};

struct member {
    const struct state *state;
    struct member_node *nodes;
    uint32_t count, room;
    uint32_t silence_ms;
    uint64_t lead_ms;        /* Leader since. */
    uint64_t pushed_version; /* Of the map. */
    uint32_t ready_graph;    /* GRAPH_READY proposed last, and when. */
    uint64_t ready_ms;
};

enum member_answer {
    MEMBER_PROPOSE, /* NODE_UP; answer when it is applied. */
    MEMBER_CONFIG,  /* Answer with the map, or that theirs is the newest. */
    MEMBER_UNKNOWN, /* It has to register. */
    MEMBER_TAKEN    /* Another process has its number, and lives. */
};

enum member_effect_kind {
    MEMBER_PUSH,      /* The map to node. */
    MEMBER_NODE_DOWN, /* Propose. */
    MEMBER_GRAPH_READY,
    MEMBER_APPLIED /* Propose, of the replicas of node that member_is_ahead. */
};

struct member_effect {
    enum member_effect_kind kind;
    uint32_t node;
    uint64_t boot;
    uint32_t graph;
};

/* Keeps the state. */
void member_init(struct member *member, const struct state *state, uint32_t silence_ms);
void member_close(struct member *member);
void member_lead(struct member *member, uint64_t now_ms);
enum member_answer member_hear(struct member *member, uint64_t now_ms,
                               const struct roster_status *status, bool is_register);
/* Calls carry for each thing to do. */
void member_tick(struct member *member, uint64_t now_ms,
                 void (*carry)(void *ctx, const struct member_effect *effect), void *ctx);
uint64_t member_deadline(const struct member *member);
/* The replica is served by the boot that leads it, and has applied more, or less, than the state
 * knows. */
bool member_is_ahead(const struct member *member, const struct member_node *node,
                     const struct roster_replica *replica);
/* Null: never heard of. */
const struct member_node *member_node(const struct member *member, uint32_t node);
/* What a node said of its replica; null: nothing. */
const struct roster_replica *member_replica(const struct member_node *node, uint32_t shard);

#endif
