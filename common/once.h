/*
 * once.h -- each commit takes effect once: outcomes by (session, sequence).
 *
 * A router has a session of the cluster (sid) and numbers its commits (seq). A shard keeps the
 * outcomes of its one-shard commits: those that committed come from its journal and outlive a
 * restart; refusals are remembered for the epoch, after which the request, which names its epoch,
 * is refused anyway. The coordinators' leader keeps what it aborted in its term. With each request
 * the router tells the lowest seq it has no answer for: what is below is forgotten, and a delayed
 * copy of it dropped.
 *
 * Pure. Limits: one entry for each commit that the router still waits for.
 * After: reference/replication.md 3.3 "Exactly once".
 */
#ifndef COMMON_ONCE_H
#define COMMON_ONCE_H

#include "common/map.h"

enum once_state {
    ONCE_NEW,
    ONCE_PAST,    /* Answered long ago. */
    ONCE_RUNNING, /* Appended, not yet applied. */
    ONCE_COMMITTED,
    ONCE_REFUSED
};

struct once_outcome {
    uint64_t seq;
    enum once_state state;
    uint64_t index; /* COMMITTED. */
    int code;       /* REFUSED. */
};

struct once_session {
    uint64_t sid;
    uint64_t low_seq;
    struct once_outcome *outcomes; /* By seq. */
    size_t count;
    size_t room;
};

struct once_table {
    struct once_session *sessions;
    size_t count;
    size_t room;
    struct map places; /* sid -> place + 1. */
};

void once_init(struct once_table *table);
void once_close(struct once_table *table);
/* Forgets what is below low_seq. */
void once_trim(struct once_table *table, uint64_t sid, uint64_t low_seq);
struct once_outcome once_find(const struct once_table *table, uint64_t sid, uint64_t seq);
void once_put(struct once_table *table, uint64_t sid, const struct once_outcome *outcome);
void once_forget(struct once_table *table, uint64_t sid, uint64_t seq);
/* Refusals of the epoch before are forgotten. */
void once_epoch(struct once_table *table);

#endif
