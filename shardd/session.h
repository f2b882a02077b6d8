/*
 * session.h -- each one-shard commit takes effect once: outcomes by (session, sequence).
 *
 * A router has a session of the cluster (sid) and numbers its commits (seq). Committed outcomes come from
 * the journal and outlive a restart; refusals are remembered for the epoch, after which the request, which
 * names its epoch, is refused anyway. With each request the router tells the lowest seq it has no answer
 * for: what is below is forgotten, and a delayed copy of it dropped.
 *
 * Pure. Limits: one entry for each commit that the router still waits for.
 * After: reference/replication.md 3.3 "Exactly once".
 */
#ifndef SHARDD_SESSION_H
#define SHARDD_SESSION_H

#include "common/map.h"

enum session_state {
    SESSION_NEW,
    SESSION_PAST,    /* Answered long ago. */
    SESSION_RUNNING, /* Appended, not yet applied. */
    SESSION_COMMITTED,
    SESSION_REFUSED
};

struct session_outcome {
    uint64_t seq;
    enum session_state state;
    uint64_t index; /* COMMITTED. */
    int code;       /* REFUSED. */
};

struct session {
    uint64_t sid;
    uint64_t low_seq;
    struct session_outcome *outcomes; /* By seq. */
    size_t count;
    size_t room;
};

struct session_table {
    struct session *sessions;
    size_t count;
    size_t room;
    struct map places; /* sid -> place + 1. */
};

void session_init(struct session_table *table);
void session_close(struct session_table *table);
/* Forgets what is below low_seq. */
void session_trim(struct session_table *table, uint64_t sid, uint64_t low_seq);
struct session_outcome session_find(const struct session_table *table, uint64_t sid, uint64_t seq);
void session_put(struct session_table *table, uint64_t sid, const struct session_outcome *outcome);
void session_forget(struct session_table *table, uint64_t sid, uint64_t seq);
/* Refusals of the epoch before are forgotten. */
void session_epoch(struct session_table *table);

#endif
