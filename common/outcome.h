/*
 * outcome.h -- each commit takes effect once: outcomes by (session, sequence).
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
#ifndef COMMON_OUTCOME_H
#define COMMON_OUTCOME_H

#include "common/map.h"

enum outcome_state {
    OUTCOME_NEW,
    OUTCOME_PAST,    /* Answered long ago. */
    OUTCOME_RUNNING, /* Appended, not yet applied. */
    OUTCOME_COMMITTED,
    OUTCOME_REFUSED
};

struct outcome_entry {
    uint64_t seq;
    enum outcome_state state;
    uint64_t index; /* COMMITTED. */
    int code;       /* REFUSED. */
};

struct outcome_session {
    uint64_t sid;
    uint64_t low_seq;
    uint64_t heard_ms;              /* When it was asked for last; 0: not since the start. */
    struct outcome_entry *outcomes; /* By seq. */
    size_t count;
    size_t room;
};

struct outcome_table {
    struct outcome_session *sessions;
    size_t count;
    size_t room;
    struct map places; /* sid -> place + 1. */
};

void outcome_init(struct outcome_table *table);
void outcome_close(struct outcome_table *table);
/* Forgets what is below low_seq. */
void outcome_trim(struct outcome_table *table, uint64_t sid, uint64_t low_seq);
struct outcome_entry outcome_find(const struct outcome_table *table, uint64_t sid, uint64_t seq);
void outcome_put(struct outcome_table *table, uint64_t sid, const struct outcome_entry *outcome);
/* It is asked for now. */
void outcome_hear(struct outcome_table *table, uint64_t sid, uint64_t now_ms);
/* A session that was not asked for during silence_ms, and has nothing under way: its router is
 * gone, or has nothing left to repeat. False: none. */
bool outcome_silent(struct outcome_table *table, uint64_t now_ms, uint64_t silence_ms,
                    uint64_t *sid);
/* Forgets the session. */
void outcome_end(struct outcome_table *table, uint64_t sid);
void outcome_forget(struct outcome_table *table, uint64_t sid, uint64_t seq);
/* Refusals of the epoch before are forgotten. */
void outcome_epoch(struct outcome_table *table);

#endif
