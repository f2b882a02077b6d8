/*
 * coord_inside.h -- what a coordinator is made of; coord.h is its facade.
 *
 *   request --> token --+--> decision core --> effects --> messages
 *                       +--> command --> consensus --> state_apply --> result --> answer
 *
 * A request that needs Raft waits under its token until its entry is applied. If this process stops
 * leading before that, it is refused with E_NOT_LEADER: whether it took effect is asked again.
 *
 * Shell.
 */
#ifndef COORDINATOR_COORD_INSIDE_H
#define COORDINATOR_COORD_INSIDE_H

#include "common/map.h"
#include "coordinator/consensus.h"
#include "coordinator/coord.h"
#include "coordinator/decision.h"
#include "coordinator/failover.h"
#include "coordinator/member.h"

/* A request that is not answered yet. */
struct coord_request {
    uint64_t token;
    uint64_t until_ms;
    uint32_t graph; /* graph.create: waits until it is ready; 0: not that. */
    uint32_t shard; /* shard.failover: waits for another epoch than this; 0: not that. */
    uint64_t epoch;
    struct message message; /* Without its body. */
};

/* An entry that is submitted and not applied. */
struct coord_waiting {
    uint64_t index;
    uint64_t term;
    uint64_t token; /* 0: nobody waits. */
    enum state_command_kind kind;
    struct txn_gtid gtid; /* DECIDE. */
};

struct coord {
    struct coord_options options;
    struct consensus *consensus;
    struct state state;
    struct decision decision;
    struct decision_effects effects;
    struct member member;
    struct failover failover;
    uint64_t lead_term; /* In which the cores lead; 0: they do not. */
    uint64_t now_ms;
    uint64_t token_last;
    struct coord_request *requests; /* By token. */
    size_t request_count, request_room;
    struct coord_waiting *waiting; /* By index. */
    size_t waiting_count, waiting_room;
    struct bytes map; /* As sent, of map_version. */
    uint64_t map_version;
    struct map routers;       /* Router -> when it was heard last: coord_map.h. */
    uint64_t routers_version; /* Of the map that they were told last. */
    struct map heard;         /* sid -> when its router was heard last. */
    uint64_t expire_ms;       /* When sessions are looked at next. */
    struct arena arena;
    struct bytes body;
    struct outbox *out;   /* During a call. */
    struct error failure; /* Fatal: told at the next turn. */
    char address[256];
};

/* The request under a token; null: it is answered. Valid until the next one is taken or ended. */
struct coord_request *coord_request(struct coord *coord, uint64_t token);
/* Keeps a request for an answer later. */
uint64_t coord_take(struct coord *coord, const struct message *message);
void coord_end(struct coord *coord, uint64_t token);
/* Answers and ends it. */
void coord_answer(struct coord *coord, uint64_t token, enum message_type type, struct slice body);
void coord_refuse(struct coord *coord, uint64_t token, const struct error *err);
/* Puts a command before Raft; token 0: nobody waits for it. */
void coord_submit(struct coord *coord, const struct state_command *command, uint64_t token);
/* A NODE_CONFIG for a node that has the map of version known. Valid until the next. */
struct slice coord_config(struct coord *coord, uint32_t node, uint64_t known);
/* The map as bytes. */
struct slice coord_map(struct coord *coord);

#endif
