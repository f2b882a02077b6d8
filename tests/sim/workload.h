/*
 * workload.h -- clients that send Gremlin to the routers, and what they remember for the checkers.
 *
 *   lists        vertices 1.., property l (list): append, read, both in one statement, sessions
 *   sets         edges of a hub, read at either end; vertices by label and by property
 *   counters     vertices 101..: n = n + 1, the new value is returned
 *   edges        between vertices 201..: insert with an id of its own, drop, drop a vertex, add
 * one;
 *                reads of both ends of a pair must agree
 *
 * A client asks one thing at a time, at either router; when its router dies, or it hangs up, it
 * goes to another. Ownership: texts are the request's.
 */
#ifndef TESTS_SIM_WORKLOAD_H
#define TESTS_SIM_WORKLOAD_H

#include "tests/sim/cluster.h"
#include "tests/sim/history.h"

enum {
    WORKLOAD_LISTS = 6,
    WORKLOAD_OUT =
        WORKLOAD_LISTS, /* Sets: edges of a hub; edges into two vertices; vertices by label, */
    WORKLOAD_IN,        /* and by a property that has an index in every other seed. */
    WORKLOAD_LABEL = WORKLOAD_IN + 2,
    WORKLOAD_INDEX,
    WORKLOAD_ITEMS = WORKLOAD_INDEX + 2,
    WORKLOAD_COUNTERS = 2,
    WORKLOAD_ENDS = 5,
    WORKLOAD_CLIENTS = 8,
    WORKLOAD_STEPS_MAX = 5,
    WORKLOAD_TEXT_MAX = 1024,
    WORKLOAD_COUNTER_ID = 101,
    WORKLOAD_END_ID = 201,
    WORKLOAD_HUB_ID = 301,   /* Then two that its edges go to. */
    WORKLOAD_SET_ID = 100000 /* + value: ids of the elements of sets. */
};

enum workload_kind {
    WORKLOAD_LIST, /* One statement. */
    WORKLOAD_SESSION,
    WORKLOAD_COUNT,
    WORKLOAD_EDGE_ADD,
    WORKLOAD_EDGE_DROP,
    WORKLOAD_VERTEX_ADD,
    WORKLOAD_VERTEX_DROP,
    WORKLOAD_PAIR
};

struct workload_step {
    bool is_end; /* Commit or rollback. */
    bool is_commit;
    uint32_t read_mask, append_mask; /* Items. */
};

struct workload_client {
    uint32_t proc;   /* Its router's; 0: none. */
    uint64_t handle; /* The router's name for it. */
    uint32_t connections;
    bool is_waiting;
    bool is_broken; /* The session met an error: only the rollback is left. */
    uint64_t request;
    uint64_t asked_us;
    enum workload_kind kind;
    uint32_t txn; /* Of the history; or the number of the edge, counter or vertex. */
    uint32_t a, b;
    uint32_t step, step_count;
    struct workload_step steps[WORKLOAD_STEPS_MAX];
};

/* An edge of the workload: inserted once, under its own id. */
struct workload_edge {
    uint32_t a, b;
    enum history_outcome insert;
    uint64_t told_us;
    bool may_be_dropped, must_be_dropped;
};

struct workload_drop {
    bool is_vertex;
    uint32_t number; /* Of the edge, or of the vertex. */
    uint64_t asked_us;
    enum history_outcome outcome;
};

struct workload {
    struct cluster *cluster;
    struct prng prng;
    struct history history;
    struct workload_client clients[WORKLOAD_CLIENTS];
    struct workload_edge *edges;
    uint32_t edge_count, edge_room;
    struct workload_drop *drops;
    uint32_t drop_count, drop_room;
    uint32_t counted_ok[WORKLOAD_COUNTERS], counted_unknown[WORKLOAD_COUNTERS];
    struct bytes counted[WORKLOAD_COUNTERS]; /* u32 each: values returned. */
    uint64_t requests;
    uint64_t think_us;
    double sets;  /* How often sets are in a step. */
    bool is_over; /* Nothing new is asked. */
    uint32_t commits, aborts, unknowns, session_commits;
    struct bytes why; /* A violation seen at once. */
    /* A question of the host's own, asked by client 0 while is_over. */
    bool is_asking;
    bool has_answer;
    char answer[16384];
};

void workload_init(struct workload *workload, struct cluster *cluster);
void workload_close(struct workload *workload);
/* Hooks of the cluster. */
void workload_answers(struct workload *workload, uint32_t proc);
void workload_down(struct workload *workload, uint32_t proc);
/* Clients lose patience: those that have waited since before the time given may hang up. */
void workload_hang_up(struct workload *workload, uint64_t before_us);
/* A client's time to think is over. */
void workload_next(struct workload *workload, uint32_t client);
bool workload_is_idle(const struct workload *workload);
/* Asks at a router; the answer sets has_answer. False: no router is up. */
bool workload_ask(struct workload *workload, const char *text);
/* What reads one item as a list. */
void workload_item_text(uint32_t item, char *out, size_t room);
/* The lists of numbers in an answer, one after the other: gives the next, or null. */
const char *workload_next_list(const char *at, uint32_t *out, uint32_t room, uint32_t *count);
/* Numbers of a list "[1, 2]" after `from` in an answer. */
uint32_t workload_numbers(const char *text, const char *from, uint32_t *out, uint32_t room);

#endif
