/*
 * consensus.h -- one log that the coordinators agree upon: libraft behind our own door.
 *
 *   consensus_submit --+
 *   peers' messages ---+--> raft_step --> one commit of consensus_log --> PERSISTED --> committed
 *   entries time --------------+
 *
 * consensus_turn does all of it once: term and vote are durable before any message leaves; entries
 * are given by consensus_next only up to min(committed, durable). A leader may answer from what it
 * has applied only when consensus_is_ready: an entry of its own term is committed (libraft's
 * barrier), so whatever an older leader had committed has been applied before.
 *
 * One voter for now; the list of voters, terms and votes are the real ones. Settings and memory
 * rules: reference/replication.md 1.1: no pre-vote, install-snapshot time-out of 2 s, a batch a
 * submission, which we free when RAFT_UPDATE_ENTRIES is set.
 *
 * Shell: SQLite through consensus_log.h. No clock: now_ms is given.
 * Ownership: copies what is submitted. An entry given is valid until the next consensus_turn.
 * A full disk is no error: what is submitted waits in memory, tried again every half second, and
 * nothing is committed meanwhile (consensus_is_full).
 * Limits: CONSENSUS_ENTRY_MAX bytes an entry.
 */
#ifndef COORDINATOR_CONSENSUS_H
#define COORDINATOR_CONSENSUS_H

#include "common/bytes.h"
#include "common/error.h"

enum {
    CONSENSUS_ENTRY_MAX = 1 << 20,
    CONSENSUS_TRAILING = 1000 /* Entries kept behind a snapshot, for those that lag. */
};

struct consensus;
struct log;

struct consensus_options {
    uint32_t id;
    const uint32_t *voters;
    uint32_t voter_count;
    uint64_t cluster_id;
    uint64_t seed;
    const char *path;
    const char *vfs;
    bool is_sync;
    uint32_t election_ms;
    uint32_t heartbeat_ms;
    struct log *log;
};

struct consensus_entry {
    uint64_t index;
    uint64_t term;
    struct slice data;
};

/* snapshot: the state's bytes are appended; nothing if there is none. */
int consensus_open(struct consensus **consensus, const struct consensus_options *options,
                   struct bytes *snapshot, struct error *err);
void consensus_close(struct consensus **consensus);

/* The index it will have if this leader stays one; 0: does not lead, or too large. */
uint64_t consensus_submit(struct consensus *consensus, struct slice data);
/* An error is fatal. */
int consensus_turn(struct consensus *consensus, uint64_t now_ms, struct error *err);
/* The next committed command; false: none. */
bool consensus_next(struct consensus *consensus, struct consensus_entry *entry);
uint64_t consensus_deadline(const struct consensus *consensus);

/* The disk had no room when it was last written to. */
bool consensus_is_full(const struct consensus *consensus);
bool consensus_is_leader(const struct consensus *consensus);
/* Leads, and an entry of its term was given by consensus_next or passed over. */
bool consensus_is_ready(const struct consensus *consensus);
uint32_t consensus_leader(const struct consensus *consensus); /* 0: not known. */
uint64_t consensus_term(const struct consensus *consensus);
/* Commands given since the last snapshot. */
uint64_t consensus_since_snapshot(const struct consensus *consensus);
/* The state's bytes after all that consensus_next gave. */
int consensus_snapshot(struct consensus *consensus, uint64_t now_ms, struct slice state,
                       struct error *err);

#endif
