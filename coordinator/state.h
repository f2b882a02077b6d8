/*
 * state.h -- what the coordinators agree upon: nodes, graphs, shards, sessions, decisions.
 *
 *   Raft entry -> state_apply -> result          deterministic: the same entries give the same
 *   bytes
 *   state_encode / state_decode                  the snapshot
 *   state_map                                    what everybody else sees of it
 *
 * Commands are compared and set here, when they are applied, never before they are submitted: two
 * of them may have been under way at the same time.
 *
 * command           changes
 * NODE_UP           a node's boot, address, zone; each shard it leads gets a new epoch for the new
 *                   boot
 * NODE_DOWN         a node that has been silent; its shards keep their primary until FAILOVER
 * GRAPH_CREATE      a graph with its replicas on the nodes given; not ready until all confirmed
 * GRAPH_READY       all shards have confirmed
 * GRAPH_DROP        the graph, its shards, their part in decisions
 * INDEX_CREATE/DROP the schema's version
 * SESSION_NEW       a session id for a router
 * SESSION_EXPIRE    sessions that were idle for an hour
 * IDS               a block of vertex and edge ids of a graph
 * DECIDE            a transaction is committed: from here on it is
 * FORGET            all participants have carried out these decisions
 * APPLIED           how far the shards led by a node's boot have applied: a floor for their files
 * FOUND             the cluster's incarnation, once: tells it from one that begins anew
 * ALTER             a primary's isr; the rules of this and the next three: replicaset.h
 * FAILOVER          another primary, because the one before is silent
 * HANDOVER          another primary, because the one before steps aside
 * REPLICAS          the nodes that are to hold a shard
 * GRAPH_SET         how many replicas a graph is to have, and how many must be in sync
 *
 * Pure. Ownership: the state owns all it holds.
 * Limits: shardmap.h; STATE_SESSIONS_MAX sessions.
 * After: reference/replication.md 1.2, 3.3.
 */
#ifndef COORDINATOR_STATE_H
#define COORDINATOR_STATE_H

#include "common/map.h"
#include "common/shardmap.h"
#include "common/txn.h"

enum {
    STATE_SESSIONS_MAX = 100000,
    STATE_NAME_MAX = 128,   /* Bytes of a graph's or index's name. */
    STATE_SHARDS_MAX = 1024 /* Of one graph. */
};

enum state_command_kind {
    STATE_NODE_UP = 1,
    STATE_NODE_DOWN = 2,
    STATE_GRAPH_CREATE = 3,
    STATE_GRAPH_READY = 4,
    STATE_GRAPH_DROP = 5,
    STATE_INDEX_CREATE = 6,
    STATE_INDEX_DROP = 7,
    STATE_SESSION_NEW = 8,
    STATE_SESSION_EXPIRE = 9,
    STATE_IDS = 10,
    STATE_DECIDE = 11,
    STATE_FORGET = 12,
    STATE_APPLIED = 13,
    STATE_FOUND = 14,
    STATE_ALTER = 15,
    STATE_FAILOVER = 16,
    STATE_HANDOVER = 17,
    STATE_REPLICAS = 18,
    STATE_GRAPH_SET = 19
};

/* One command: the fields of its kind. Borrows. */
struct state_command {
    enum state_command_kind kind;
    uint32_t node;     /* NODE_UP, NODE_DOWN, APPLIED; ALTER, HANDOVER: the primary. */
    uint64_t boot;     /* Of node. */
    struct slice name; /* NODE_UP: the address; GRAPH_CREATE, _DROP, _SET, INDEX_*: the graph. */
    struct slice zone; /* NODE_UP. */
    uint32_t weight;   /* NODE_UP: not 0. */
    enum shardmap_partitioner partitioner; /* GRAPH_CREATE. */
    enum shardmap_ids ids;
    uint32_t shard_count;           /* GRAPH_CREATE, DECIDE, APPLIED. */
    const uint32_t *shards;         /* GRAPH_CREATE: the primary of each; DECIDE: participants. */
    const uint64_t *applied;        /* APPLIED: of each of the shards. */
    const struct slice *splits;     /* GRAPH_CREATE: shard_count - 1 keys, ascending. */
    const struct nodeset *replicas; /* GRAPH_CREATE: of each shard, its primary among them. */
    uint32_t replica_count;         /* GRAPH_CREATE, GRAPH_SET: wanted of each shard. */
    uint32_t min_insync;            /* GRAPH_CREATE, GRAPH_SET. */
    uint32_t graph;                 /* GRAPH_READY, IDS. */
    struct shardmap_index index;    /* INDEX_CREATE; INDEX_DROP: the name. */
    uint64_t count;                 /* IDS. */
    uint32_t sid_count;             /* SESSION_EXPIRE. */
    const uint64_t *sids;
    struct txn_gtid gtid; /* DECIDE. */
    uint64_t sid;
    uint64_t seq;
    uint64_t low_seq;
    uint32_t shard; /* ALTER, FAILOVER, HANDOVER, REPLICAS; epoch and cfgver: known there. */
    uint64_t epoch;
    uint64_t cfgver;
    struct nodeset set;          /* ALTER: the isr; REPLICAS: the replicas. */
    uint64_t boots[NODESET_MAX]; /* ALTER: of each of the isr. */
    uint32_t target;             /* FAILOVER, HANDOVER: who is to lead; FAILOVER: its boot. */
    uint64_t target_boot;
    bool is_forced;      /* FAILOVER: what was acknowledged may be lost. */
    uint32_t gtid_count; /* FORGET. */
    const struct txn_gtid *gtids;
    uint64_t incarnation; /* FOUND: random. */
};

/* What a command came to. */
struct state_result {
    int code; /* E_OK, E_EXISTS, E_NOT_FOUND, E_INVALID, E_UNAVAILABLE, E_LIMIT, E_WRONG_EPOCH. */
    uint64_t number; /* SESSION_NEW: sid; IDS: the first; GRAPH_CREATE: the graph. */
    uint64_t count;  /* IDS. */
    char text[160];
};

struct state_shard {
    uint32_t shard;
    uint64_t epoch;
    uint64_t cfgver;
    uint32_t primary;
    uint64_t primary_boot;   /* 0: that process has ended, and another is not chosen yet. */
    uint64_t applied;        /* By its primary, as far as it was told. */
    struct nodeset replicas; /* Who is who: shardmap.h. */
    struct nodeset isr;
    struct nodeset elr;
    struct slice lo;
    struct slice hi;
};

struct state_graph {
    uint32_t graph;
    struct slice name;
    enum shardmap_partitioner partitioner;
    enum shardmap_ids ids;
    bool is_ready;
    uint64_t schema_version;
    uint64_t id_next;
    uint32_t replica_count; /* Wanted of each shard. */
    uint32_t min_insync;
    struct shardmap_index *indexes;
    uint32_t index_count;
    struct state_shard *shards;
    uint32_t shard_count;
};

struct state_node {
    uint32_t node;
    uint64_t boot;
    struct slice address;
    struct slice zone;
    uint32_t weight; /* Share of the replicas that it is given, relative to other nodes. */
    bool is_up;
};

struct state_session {
    uint64_t sid;
    uint64_t low_seq;
    uint64_t *committed; /* Ascending; none below low_seq. */
    uint32_t count;
    uint32_t room;
};

struct state_decision {
    struct txn_gtid gtid;
    uint64_t sid;
    uint64_t seq;
    uint32_t *shards;
    uint32_t shard_count;
};

struct state {
    uint64_t cluster_id;
    uint64_t incarnation; /* 0: not founded yet. */
    uint64_t version;     /* Of the map. */
    uint32_t graph_next;
    uint32_t shard_next;
    uint64_t sid_next;
    struct state_node *nodes; /* By number. */
    uint32_t node_count, node_room;
    struct state_graph *graphs; /* By number. */
    uint32_t graph_count, graph_room;
    struct map places;              /* shard -> place of its graph << 32 | place in the graph. */
    struct state_session *sessions; /* By sid. */
    uint32_t session_count, session_room;
    struct state_decision *decisions; /* By gtid: committed, and not yet carried out by all. */
    uint32_t decision_count, decision_room;
};

void state_init(struct state *state, uint64_t cluster_id);
void state_close(struct state *state);

void state_command_encode(struct bytes *out, const struct state_command *command);
int state_command_decode(struct slice body, struct arena *arena, struct state_command *command,
                         struct error *err);
void state_apply(struct state *state, const struct state_command *command,
                 struct state_result *result);

void state_encode(struct bytes *out, const struct state *state);
int state_decode(struct slice input, struct state *state, struct error *err);
/* Finds the places of all shards again, after graphs or their shards have changed. */
void state_index(struct state *state);
/* The map as bytes (shardmap_encode). */
void state_map(const struct state *state, struct bytes *out);

/* Null: none. */
struct state_node *state_node(const struct state *state, uint32_t node);
struct state_graph *state_graph(const struct state *state, struct slice name);
struct state_graph *state_graph_by_id(const struct state *state, uint32_t graph);
struct state_shard *state_shard(const struct state *state, uint32_t shard);
/* The graph of a shard that state_shard finds. */
struct state_graph *state_shard_graph(const struct state *state, uint32_t shard);
struct state_session *state_session(const struct state *state, uint64_t sid);
struct state_decision *state_decision(const struct state *state, struct txn_gtid gtid);
bool state_is_committed(const struct state_session *session, uint64_t seq);
void state_dump(const struct state *state, struct bytes *out);

#endif
