/*
 * query.h -- one request from its arrival to its last frame.
 *
 *              parse, plan        all results          ok
 *   WAITING ---------------> RUNNING ---------> COMMITTING ----> frames sent
 *    ^  ^  its session's turn,  |  conflict        |  conflict
 *    |  |  its graph in the map |                  |
 *    |  +------ back-off -------+------------------+        anything else: one error frame
 *
 * Results are held until the commit (of a read: the validation) is through, so a run that met a
 * conflict is repeated from the start and nobody has seen it. Within a session only g.tx().commit()
 * commits; there a conflict of the commit is told (596), and only a read that was refused is
 * repeated.
 *
 * Pure. Limits: deadline, query_memory_max, result_max, retry_max.
 */
#ifndef ROUTER_RUN_QUERY_H
#define ROUTER_RUN_QUERY_H

#include "router/core.h"
#include "router/op/exec.h"
#include "router/remote/transaction.h"
#include "router/run/bulk.h"
#include "router/run/results.h"

enum query_state { QUERY_WAITING, QUERY_RUNNING, QUERY_COMMITTING, QUERY_OVER };

struct query {
    struct router *router;
    struct query *next, *previous;
    enum query_state state;
    uint64_t client;
    struct router_session *session; /* Null: none. */
    struct request request;
    struct plans_entry *entry;
    uint32_t statement;
    struct exec exec;
    bool is_exec_open;
    bool is_between;  /* A statement is over, the next one has not begun. */
    bool is_fresh;    /* Pull although nothing has come. */
    bool owns_txn;    /* The transaction is this request's alone. */
    bool is_explicit; /* COMMITTING because the query says so; more statements may follow. */
    bool is_orphan;   /* Its client has gone: no frames. */
    bool is_marked;
    struct transaction *txn; /* Its own, or the session's. */
    struct transaction_mark mark;
    struct bulk *bulk; /* A batch of a bulk load, instead of statements. */
    struct batch batch;
    struct results results;
    uint64_t began_us; /* By options.micros, or now_ms; without the time it waited for a place. */
    uint64_t number;   /* In this router, from 1: the id that people see. */
    struct bytes slow; /* Of a slow one: its operators, when the run was over. */
    bool is_failed;
    bool is_killed; /* By an operator: it fails in the next turn, unless it is committing. */
    uint64_t arrived_ms, deadline_ms; /* deadline 0: none. */
    uint64_t again_ms;                /* WAITING: not before. */
    uint64_t map_until_ms;            /* WAITING for its graph to be in the map. */
    uint32_t attempts;
};

/* Takes the request. arrived_ms: its deadline counts from then. */
void query_start(struct router *router, uint64_t client, struct request *request,
                 struct router_session *session, uint64_t arrived_ms);
/* Goes on as far as it can in this turn. */
void query_advance(struct query *query);
/* It used up its share of the turn. */
bool query_is_yielding(const struct query *query);
/* Behind all others. */
void query_move_last(struct query *query);
/* When it wants query_advance, if nothing comes before; 0: at once. */
uint64_t query_due(const struct query *query);
/* Fails it, whatever it does, with that error; not one that is COMMITTING. */
void query_end(struct query *query, const struct error *err);
/* The client has gone. A commit under way goes on. */
void query_abandon(struct query *query);
/* Unlinks and frees; one that is COMMITTING leaves its outcome open. */
void query_free(struct query *query);

#endif
