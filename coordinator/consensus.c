#include "coordinator/consensus.h"

#include "common/log.h"
#include "common/mem.h"
#include "coordinator/consensus_log.h"

#include <assert.h>
#include <inttypes.h>
#include <raft.h>
#include <stdio.h>
#include <string.h>

enum {
    ADDRESS_ROOM = 16,
    INFLIGHT_MAX = 4096,
    SNAPSHOT_MS = 2000,
    FIRST_TERM = 1,
    FULL_RETRY_MS = 500
};

/* Our copy of an entry; entries[0] has index first. */
struct held {
    raft_term term;
    int type;
    struct slice data;
};

struct consensus {
    struct raft raft;
    struct raft_tracer tracer;
    struct consensus_log store;
    uint32_t id;
    const uint32_t *voters;
    uint32_t voter_count;
    struct held *entries;
    size_t entry_count, entry_room;
    uint64_t first;   /* Index of entries[0]. */
    uint64_t durable; /* All up to here are on disk. */
    uint64_t given;   /* All up to here were passed to the state machine. */
    uint64_t snapshot_index;
    uint64_t dirty; /* First entry that is not written; 0: none. */
    bool is_vote_dirty;
    bool is_full;         /* The disk, when it was last written to. */
    uint64_t retry_ms;    /* When it is tried again. */
    uint64_t own_term;    /* Which one. */
    struct held *waiting; /* Submitted, not yet stepped. */
    size_t waiting_count, waiting_room;
    struct log *log;
};

/* ---- our copy of the log ---- */

static void held_push(struct consensus *c, raft_term term, int type, const void *data, size_t size)
{
    if (c->entry_count == c->entry_room) {
        c->entry_room = c->entry_room == 0 ? 64 : c->entry_room * 2;
        c->entries = mem_resize(c->entries, c->entry_room * sizeof *c->entries);
    }
    c->entries[c->entry_count++] =
        (struct held){term, type, slice_of(size == 0 ? NULL : mem_copy(data, size), size)};
}

static void held_cut(struct consensus *c, size_t keep)
{
    while (c->entry_count > keep) {
        mem_free((void *)(uintptr_t)c->entries[--c->entry_count].data.data);
    }
}

static void held_trim(struct consensus *c, uint64_t upto)
{
    size_t gone = upto < c->first ? 0 : (size_t)(upto - c->first + 1);

    assert(gone <= c->entry_count);
    for (size_t i = 0; i < gone; i++) {
        mem_free((void *)(uintptr_t)c->entries[i].data.data);
    }
    c->entry_count -= gone;
    memmove(c->entries, c->entries + gone, c->entry_count * sizeof *c->entries);
    c->first += gone;
}

static uint64_t last_of(const struct consensus *c)
{
    return c->first + c->entry_count - 1;
}

/* ---- steps ---- */

static void check(const struct consensus *c)
{
    assert(raft_commit_index(&c->raft) <= last_of(c));
    assert(c->given <= last_of(c));
    assert(c->durable <= last_of(c));
    assert(raft_current_term(&c->raft) >= FIRST_TERM);
}

static void take_entries(struct consensus *c, const struct raft_update *update)
{
    uint64_t index = update->entries.index;

    assert(index >= c->first && index <= last_of(c) + 1);
    assert(index > c->given);
    held_cut(c, (size_t)(index - c->first));
    for (unsigned i = 0; i < update->entries.n; i++) {
        const struct raft_entry *entry = &update->entries.batch[i];
        held_push(c, entry->term, (int)entry->type, entry->buf.base, entry->buf.len);
    }
    if (update->entries.n > 0) {
        /* Ours to free, all entries share it (1.1, rule 5). */
        raft_free(update->entries.batch[0].batch);
    }
    c->dirty = c->dirty == 0 || index < c->dirty ? index : c->dirty;
    c->durable = c->durable < index ? c->durable : index - 1;
}

static int step(struct consensus *c, struct raft_event *event, struct error *err)
{
    struct raft_update update = {0};
    raft_term term = raft_current_term(&c->raft);

    event->capacity = UINT16_MAX;
    int rc = raft_step(&c->raft, event, &update);
    if (rc != 0) {
        return error_set(err, rc == RAFT_NOTLEADER ? E_NOT_LEADER : E_IO, "raft: %s",
                         raft_errmsg(&c->raft));
    }
    assert(raft_current_term(&c->raft) >= term);
    if ((update.flags & (RAFT_UPDATE_CURRENT_TERM)) != 0 ||
        (update.flags & (RAFT_UPDATE_VOTED_FOR)) != 0) {
        c->is_vote_dirty = true;
    }
    if ((update.flags & (RAFT_UPDATE_ENTRIES)) != 0) {
        take_entries(c, &update);
    }
    /* A single voter has nobody to write to, and nobody sends it a snapshot. */
    assert((update.flags & (RAFT_UPDATE_MESSAGES)) == 0 || update.messages.n == 0);
    assert((update.flags & (RAFT_UPDATE_SNAPSHOT)) == 0);
    if ((update.flags & (RAFT_UPDATE_STATE)) != 0) {
        log_info(c->log, "raft", "term=%llu state=%s", raft_current_term(&c->raft),
                 raft_state_name((int)raft_state(&c->raft)));
    }
    check(c);
    return E_OK;
}

static int persist(struct consensus *c, struct error *err)
{
    int rc = E_OK;

    if (c->is_vote_dirty) {
        rc = consensus_log_vote(&c->store, raft_current_term(&c->raft), raft_voted_for(&c->raft),
                                err);
    }
    if (rc == E_OK && c->dirty != 0) {
        rc = consensus_log_truncate(&c->store, c->dirty, err);
    }
    for (uint64_t i = c->dirty; i != 0 && i <= last_of(c) && rc == E_OK; i++) {
        const struct held *entry = &c->entries[i - c->first];
        rc = consensus_log_append(&c->store, i, entry->term, entry->type, entry->data, err);
    }
    if (rc == E_OK) {
        rc = consensus_log_commit(&c->store, err);
    }
    if (rc == E_OK) {
        c->is_vote_dirty = false;
        c->dirty = 0;
    }
    return rc;
}

/* Whether the disk has room as far as we know. What is not written stays dirty, and Raft is not
 * told that it is durable: so nothing is committed, answered or lost meanwhile. */
static bool has_room(struct consensus *c, uint64_t now_ms)
{
    return !c->is_full || now_ms >= c->retry_ms;
}

static int note_full(struct consensus *c, uint64_t now_ms, int rc, struct error *err)
{
    if (rc != E_LIMIT) {
        if (rc == E_OK && c->is_full) {
            log_info(c->log, "raft", "msg=\"there is room on the disk again\"");
            c->is_full = false;
        }
        return rc;
    }
    consensus_log_rollback(&c->store);
    if (!c->is_full) {
        log_error(c->log, "raft",
                  "msg=\"the disk is full: nothing is decided until there is room\" reason=\"%s\"",
                  err == NULL ? "" : err->text);
    }
    c->is_full = true;
    c->retry_ms = now_ms + FULL_RETRY_MS;
    return E_OK;
}

static void wait_push(struct consensus *c, int type, struct slice data)
{
    if (c->waiting_count == c->waiting_room) {
        c->waiting_room = c->waiting_room == 0 ? 16 : c->waiting_room * 2;
        c->waiting = mem_resize(c->waiting, c->waiting_room * sizeof *c->waiting);
    }
    c->waiting[c->waiting_count++] = (struct held){
        raft_current_term(&c->raft), type, slice_of(mem_copy(data.data, data.size), data.size)};
}

/* The first entry of a leader: when it is committed, so is all that its predecessors had
 * committed. A voter that is alone leads from its start on, without an election and without
 * libraft's own barrier. */
static void open_term(struct consensus *c)
{
    static const uint8_t nothing[8];

    if (consensus_is_leader(c) && c->waiting_count == 0 &&
        (c->entry_count == 0 ||
         c->entries[c->entry_count - 1].term != raft_current_term(&c->raft))) {
        wait_push(c, RAFT_BARRIER, slice_of(nothing, sizeof nothing));
    }
}

/* Writes and reports until there is nothing left to write. */
static int settle(struct consensus *c, uint64_t now_ms, struct error *err)
{
    while ((c->is_vote_dirty || c->dirty != 0) && has_room(c, now_ms)) {
        bool has_entries = c->dirty != 0;
        int rc = note_full(c, now_ms, persist(c, err), err);
        if (rc != E_OK || c->is_full) {
            return rc;
        }
        c->durable = last_of(c);
        if (has_entries) {
            struct raft_event event = {.time = now_ms, .type = RAFT_PERSISTED_ENTRIES};
            event.persisted_entries.index = c->durable;
            rc = step(c, &event, err);
            if (rc != E_OK) {
                return rc;
            }
        }
    }
    return E_OK;
}

/* ---- open ---- */

static void make_configuration(const struct consensus *c, struct raft_configuration *configuration)
{
    char address[ADDRESS_ROOM];

    raft_configuration_init(configuration);
    for (uint32_t i = 0; i < c->voter_count; i++) {
        snprintf(address, sizeof address, "%u", c->voters[i]);
        int rc = raft_configuration_add(configuration, c->voters[i], address, RAFT_VOTER);
        assert(rc == 0);
    }
}

/* The first entry of every log is the list of voters. */
static int bootstrap(struct consensus *c, struct error *err)
{
    struct raft_configuration configuration;
    struct raft_buffer buffer;

    make_configuration(c, &configuration);
    int rc = raft_configuration_encode(&configuration, &buffer);
    raft_configuration_close(&configuration);
    assert(rc == 0);
    rc = consensus_log_vote(&c->store, FIRST_TERM, 0, err);
    if (rc == E_OK) {
        rc = consensus_log_append(&c->store, 1, FIRST_TERM, RAFT_CHANGE,
                                  slice_of(buffer.base, buffer.len), err);
    }
    raft_free(buffer.base);
    return rc != E_OK ? rc : consensus_log_commit(&c->store, err);
}

static void load_entry(void *ctx, uint64_t index, uint64_t term, int type, struct slice data)
{
    struct consensus *c = ctx;

    if (c->entry_count == 0) {
        c->first = index;
    }
    held_push(c, term, type, data.data, data.size);
}

static struct raft_entry *entries_for_start(const struct consensus *c)
{
    struct raft_entry *entries = raft_malloc((c->entry_count + 1) * sizeof *entries);
    size_t size = 8;

    for (size_t i = 0; i < c->entry_count; i++) {
        size += (c->entries[i].data.size + 7) & ~(size_t)7;
    }
    uint8_t *batch = raft_malloc(size);
    uint8_t *at = batch;
    assert(entries != NULL && batch != NULL);
    for (size_t i = 0; i < c->entry_count; i++) {
        const struct held *held = &c->entries[i];
        entries[i] = (struct raft_entry){.term = held->term,
                                         .type = (enum raft_entry_type)held->type,
                                         .buf = {at, held->data.size},
                                         .batch = batch};
        if (held->data.size > 0) {
            memcpy(at, held->data.data, held->data.size);
        }
        at += (held->data.size + 7) & ~(size_t)7;
    }
    if (c->entry_count == 0) {
        raft_free(batch);
    }
    return entries;
}

static int start(struct consensus *c, uint64_t now_ms, const struct consensus_log_start *from,
                 struct error *err)
{
    struct raft_event event = {.time = now_ms, .type = RAFT_START};
    struct raft_snapshot_metadata metadata = {
        .index = from->snapshot_index, .term = from->snapshot_term, .configuration_index = 1};
    struct raft_entry *entries = entries_for_start(c);

    event.start.term = from->term;
    event.start.voted_for = from->vote;
    event.start.start_index = c->first;
    event.start.entries = entries;
    event.start.n_entries = (unsigned)c->entry_count;
    if (from->snapshot_index != 0) {
        make_configuration(c, &metadata.configuration);
        event.start.metadata = &metadata;
    }
    size_t count = c->entry_count;
    int rc = step(c, &event, err);
    if (count > 0) {
        raft_free(entries[0].batch);
    }
    raft_free(entries);
    return rc;
}

static void set_up_raft(struct consensus *c, const struct consensus_options *options)
{
    char address[ADDRESS_ROOM];

    snprintf(address, sizeof address, "%u", options->id);
    int rc = raft_init(&c->raft, NULL, NULL, options->id, address);
    assert(rc == 0);
    raft_seed(&c->raft, (unsigned)options->seed);
    raft_set_election_timeout(&c->raft, options->election_ms);
    raft_set_heartbeat_timeout(&c->raft, options->heartbeat_ms);
    raft_set_install_snapshot_timeout(&c->raft, SNAPSHOT_MS);
    raft_set_pre_vote(&c->raft, false);
    raft_set_max_inflight_entries(&c->raft, INFLIGHT_MAX);
}

static int load(struct consensus *c, struct bytes *snapshot, struct consensus_log_start *from,
                struct error *err)
{
    int rc = consensus_log_start(&c->store, from, err);

    if (rc == E_OK && from->entry_count == 0 && from->snapshot_index == 0) {
        rc = bootstrap(c, err);
        rc = rc != E_OK ? rc : consensus_log_start(&c->store, from, err);
    }
    c->first = from->snapshot_index + 1;
    rc = rc != E_OK ? rc : consensus_log_each(&c->store, load_entry, c, err);
    if (rc == E_OK && from->snapshot_index != 0) {
        rc = consensus_log_snapshot(&c->store, snapshot, err);
    }
    if (rc == E_OK && (c->first > from->snapshot_index + 1 || last_of(c) < from->snapshot_index)) {
        rc = error_set(err, E_CORRUPT, "the Raft log has a gap behind its snapshot");
    }
    c->snapshot_index = from->snapshot_index;
    c->given = from->snapshot_index;
    c->durable = last_of(c);
    return rc;
}

int consensus_open(struct consensus **consensus, const struct consensus_options *options,
                   struct bytes *snapshot, struct error *err)
{
    struct consensus *c = mem_alloc(sizeof *c);
    struct consensus_log_start from;

    assert(consensus != NULL && options != NULL && snapshot != NULL);
    assert(options->voter_count > 0);
    c->id = options->id;
    c->voters = options->voters;
    c->voter_count = options->voter_count;
    c->log = options->log;
    set_up_raft(c, options);
    int rc = consensus_log_open(&c->store, options->path, options->vfs, options->cluster_id,
                                options->is_sync, err);
    rc = rc != E_OK ? rc : load(c, snapshot, &from, err);
    if (rc == E_OK && c->voter_count == 1) {
        /* libraft would lead again in the same term. Each start is an election won by our own vote,
         * so that what was promised in a term ends with the process that promised it. */
        from.term++;
        from.vote = c->id;
        rc = consensus_log_vote(&c->store, from.term, from.vote, err);
        rc = rc != E_OK ? rc : consensus_log_commit(&c->store, err);
    }
    rc = rc != E_OK ? rc : start(c, 0, &from, err);
    if (rc != E_OK) {
        consensus_close(&c);
        return rc;
    }
    open_term(c);
    *consensus = c;
    return E_OK;
}

void consensus_close(struct consensus **consensus)
{
    assert(consensus != NULL);
    struct consensus *c = *consensus;
    if (c == NULL) {
        return;
    }
    raft_close(&c->raft, NULL);
    consensus_log_close(&c->store);
    held_cut(c, 0);
    for (size_t i = 0; i < c->waiting_count; i++) {
        mem_free((void *)(uintptr_t)c->waiting[i].data.data);
    }
    mem_free(c->waiting);
    mem_free(c->entries);
    mem_free(c);
    *consensus = NULL;
}

/* ---- use ---- */

uint64_t consensus_submit(struct consensus *c, struct slice data)
{
    assert(c != NULL && data.size > 0);
    if (!consensus_is_leader(c) || data.size > CONSENSUS_ENTRY_MAX) {
        return 0;
    }
    wait_push(c, RAFT_COMMAND, data);
    return last_of(c) + c->waiting_count;
}

static int submit_waiting(struct consensus *c, uint64_t now_ms, struct error *err)
{
    struct raft_event event = {.time = now_ms, .type = RAFT_SUBMIT};
    size_t count = c->waiting_count;
    size_t size = 8;
    size_t at = 0;

    if (count == 0) {
        return E_OK;
    }
    struct raft_entry *entries = mem_array(count, sizeof *entries);
    for (size_t i = 0; i < count; i++) {
        size += (c->waiting[i].data.size + 7) & ~(size_t)7;
    }
    uint8_t *batch = raft_malloc(size);
    assert(batch != NULL);
    for (size_t i = 0; i < count; i++) {
        struct held *held = &c->waiting[i];
        memcpy(batch + at, held->data.data, held->data.size);
        entries[i] = (struct raft_entry){.term = raft_current_term(&c->raft),
                                         .type = (enum raft_entry_type)held->type,
                                         .buf = {batch + at, held->data.size},
                                         .batch = batch};
        at += (held->data.size + 7) & ~(size_t)7;
        mem_free((void *)(uintptr_t)held->data.data);
    }
    c->waiting_count = 0;
    event.submit.entries = entries;
    event.submit.n = (unsigned)count;
    int rc = step(c, &event, err);
    if (rc != E_OK) {
        raft_free(batch); /* On failure it stays ours. */
    }
    mem_free(entries);
    return rc == E_NOT_LEADER ? E_OK : rc;
}

int consensus_turn(struct consensus *c, uint64_t now_ms, struct error *err)
{
    assert(c != NULL);
    if (c->is_full && c->dirty == 0 && !c->is_vote_dirty && has_room(c, now_ms)) {
        c->is_full = false; /* It was a snapshot that did not fit. */
    }
    int rc = settle(c, now_ms, err);
    if (rc == E_OK && now_ms >= raft_timeout(&c->raft)) {
        struct raft_event event = {.time = now_ms, .type = RAFT_TIMEOUT};
        rc = step(c, &event, err);
    }
    open_term(c);
    rc = rc != E_OK ? rc : submit_waiting(c, now_ms, err);
    return rc != E_OK ? rc : settle(c, now_ms, err);
}

bool consensus_next(struct consensus *c, struct consensus_entry *entry)
{
    uint64_t commit = raft_commit_index(&c->raft);
    uint64_t limit = commit < c->durable ? commit : c->durable;

    while (c->given < limit) {
        const struct held *held = &c->entries[++c->given - c->first];
        if (held->term == raft_current_term(&c->raft)) {
            c->own_term = held->term;
        }
        if (held->type == RAFT_COMMAND) {
            *entry = (struct consensus_entry){c->given, held->term, held->data};
            return true;
        }
    }
    return false;
}

uint64_t consensus_deadline(const struct consensus *c)
{
    uint64_t timeout = raft_timeout(&c->raft);

    if (c->is_full) {
        return c->retry_ms < timeout ? c->retry_ms : timeout;
    }
    return c->is_vote_dirty || c->dirty != 0 || c->waiting_count > 0 ? 0 : timeout;
}

bool consensus_is_full(const struct consensus *c)
{
    return c->is_full;
}

bool consensus_is_leader(const struct consensus *c)
{
    return c->raft.state == RAFT_LEADER;
}

bool consensus_is_ready(const struct consensus *c)
{
    return consensus_is_leader(c) && c->own_term == raft_current_term(&c->raft);
}

uint32_t consensus_leader(const struct consensus *c)
{
    if (consensus_is_leader(c)) {
        return c->id;
    }
    return c->raft.state == RAFT_FOLLOWER ? (uint32_t)c->raft.follower_state.current_leader.id : 0;
}

uint64_t consensus_term(const struct consensus *c)
{
    return raft_current_term(&c->raft);
}

uint64_t consensus_since_snapshot(const struct consensus *c)
{
    return c->given - c->snapshot_index;
}

int consensus_snapshot(struct consensus *c, uint64_t now_ms, struct slice state, struct error *err)
{
    struct raft_event event = {.time = now_ms, .type = RAFT_SNAPSHOT};
    uint64_t keep = c->given > CONSENSUS_TRAILING ? c->given - CONSENSUS_TRAILING : 0;

    assert(c->given >= c->first);
    if (c->is_full) {
        return E_OK; /* Later: it takes room of its own. */
    }
    assert(c->dirty == 0);
    raft_term term = c->entries[c->given - c->first].term;
    int rc = consensus_log_save(&c->store, c->given, term, state, keep, err);
    rc = note_full(c, now_ms, rc != E_OK ? rc : consensus_log_commit(&c->store, err), err);
    if (rc != E_OK || c->is_full) {
        return rc;
    }
    event.snapshot.metadata.index = c->given;
    event.snapshot.metadata.term = term;
    event.snapshot.metadata.configuration_index = 1;
    make_configuration(c, &event.snapshot.metadata.configuration); /* Taken over. */
    event.snapshot.trailing = CONSENSUS_TRAILING;
    c->snapshot_index = c->given;
    rc = step(c, &event, err);
    if (rc == E_OK && keep >= c->first) {
        held_trim(c, keep);
    }
    return rc;
}
