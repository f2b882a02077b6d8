#include "shardd/replica/participant.h"

#include "common/hash.h"
#include "common/mem.h"
#include "common/mutation.h"

#include <assert.h>
#include <string.h>

enum {
    ALONE_MS = 2000 /* Of a test build's rule breaker only. */
};

/* ---- effects ---- */

static struct participant_effect *effect(struct participant *p, enum participant_effect_kind kind,
                                         uint64_t token)
{
    struct participant_effects *out = p->out;

    assert(out != NULL);
    if (out->count == out->room) {
        out->room = out->room == 0 ? 16 : out->room * 2;
        out->items = mem_resize(out->items, out->room * sizeof *out->items);
    }
    struct participant_effect *item = &out->items[out->count++];
    *item = (struct participant_effect){.kind = kind, .token = token};
    return item;
}

static void answer_yes(struct participant *p, uint64_t token, uint64_t index)
{
    struct participant_effect *item = effect(p, PARTICIPANT_DO_ANSWER, token);

    item->outcome = TXN_COMMITTED;
    item->index = index;
}

static void answer_no(struct participant *p, uint64_t token, int code, struct slice text)
{
    struct participant_effect *item = effect(p, PARTICIPANT_DO_ANSWER, token);

    assert(code != E_OK);
    item->outcome = TXN_ABORTED;
    item->code = code;
    item->text = text;
}

static void queue(struct participant *p, uint64_t token)
{
    p->counters.queued++;
    effect(p, PARTICIPANT_DO_QUEUE, token);
}

void participant_effects_close(struct participant_effects *effects)
{
    assert(effects != NULL);
    mem_free(effects->items);
    *effects = (struct participant_effects){0};
}

/* ---- tables ---- */

void participant_init(struct participant *p, uint64_t epoch, uint64_t last)
{
    assert(p != NULL && epoch != 0);
    *p = (struct participant){.epoch = epoch, .next = last + 1, .applied = last};
    lock_init(&p->locks, last);
    outcome_init(&p->sessions);
    map_init(&p->by_gtid, NULL);
}

void participant_close(struct participant *p)
{
    assert(p != NULL);
    for (size_t i = 0; i < p->prepared_count; i++) {
        lock_set_close(&p->prepared[i].locks);
    }
    for (size_t i = 0; i < p->entry_count; i++) {
        lock_set_close(&p->entries[i].locks);
    }
    mem_free(p->prepared);
    mem_free(p->entries);
    mem_free(p->finished);
    lock_close(&p->locks);
    outcome_close(&p->sessions);
    map_close(&p->by_gtid);
    *p = (struct participant){0};
}

static uint64_t hash_of(struct txn_gtid gtid)
{
    return hash_join(hash_mix(gtid.term), gtid.counter);
}

static struct participant_prepared *prepared_of(const struct participant *p, struct txn_gtid gtid)
{
    const uint64_t *place = map_get(&p->by_gtid, hash_of(gtid));

    if (place != NULL && txn_gtid_order(p->prepared[*place].gtid, gtid) == 0) {
        return &p->prepared[*place];
    }
    for (size_t i = 0; i < p->prepared_count && p->is_crowded; i++) {
        if (txn_gtid_order(p->prepared[i].gtid, gtid) == 0) {
            return &p->prepared[i];
        }
    }
    return NULL;
}

/* The caller fills it, with this gtid. */
static struct participant_prepared *prepared_add(struct participant *p, struct txn_gtid gtid)
{
    bool is_new;

    *map_at(&p->by_gtid, hash_of(gtid), &is_new) = p->prepared_count;
    p->is_crowded |= !is_new;
    if (p->prepared_count == p->prepared_room) {
        p->prepared_room = p->prepared_room == 0 ? 16 : p->prepared_room * 2;
        p->prepared = mem_resize(p->prepared, p->prepared_room * sizeof *p->prepared);
    }
    return &p->prepared[p->prepared_count++];
}

static void prepared_remove(struct participant *p, struct participant_prepared *prepared)
{
    const struct participant_prepared *last = &p->prepared[p->prepared_count - 1];

    lock_set_close(&prepared->locks);
    map_remove(&p->by_gtid, hash_of(prepared->gtid));
    if (prepared != last) {
        map_put(&p->by_gtid, hash_of(last->gtid), (uint64_t)(prepared - p->prepared));
    }
    *prepared = *last;
    p->prepared_count--;
}

/* Place of the first that is not below gtid. */
static size_t finished_place(const struct participant *p, struct txn_gtid gtid)
{
    size_t low = 0;
    size_t high = p->finished_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (txn_gtid_order(p->finished[middle].gtid, gtid) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static const struct participant_finished *finished_of(const struct participant *p,
                                                      struct txn_gtid gtid)
{
    size_t at = finished_place(p, gtid);

    return at < p->finished_count && txn_gtid_order(p->finished[at].gtid, gtid) == 0
               ? &p->finished[at]
               : NULL;
}

static void finished_add(struct participant *p, struct txn_gtid gtid, bool is_commit)
{
    size_t at = finished_place(p, gtid);

    if (txn_gtid_order(gtid, p->watermark) < 0 || finished_of(p, gtid) != NULL) {
        return;
    }
    if (p->finished_count == p->finished_room) {
        p->finished_room = p->finished_room == 0 ? 64 : p->finished_room * 2;
        p->finished = mem_resize(p->finished, p->finished_room * sizeof *p->finished);
    }
    memmove(p->finished + at + 1, p->finished + at, (p->finished_count - at) * sizeof *p->finished);
    p->finished[at] = (struct participant_finished){gtid, is_commit};
    p->finished_count++;
}

static void watermark_raise(struct participant *p, struct txn_gtid watermark)
{
    if (txn_gtid_order(watermark, p->watermark) <= 0) {
        return;
    }
    size_t gone = finished_place(p, watermark);
    p->finished_count -= gone;
    if (p->finished_count > 0) {
        memmove(p->finished, p->finished + gone, p->finished_count * sizeof *p->finished);
    }
    p->watermark = watermark;
}

void participant_load_prepared(struct participant *p, uint64_t index, struct txn_gtid gtid,
                               struct lock_set *locks)
{
    struct participant_prepared *prepared;

    assert(p != NULL && locks != NULL && index < p->next);
    lock_set_finish(locks);
    lock_hold(&p->locks, locks);
    prepared = prepared_add(p, gtid);
    *prepared = (struct participant_prepared){
        .gtid = gtid, .index = index, .state = PREPARED_VOTED, .locks = *locks};
    *locks = (struct lock_set){0};
}

void participant_load_finished(struct participant *p, struct txn_gtid gtid, bool is_commit)
{
    finished_add(p, gtid, is_commit);
}

void participant_load_watermark(struct participant *p, struct txn_gtid watermark)
{
    watermark_raise(p, watermark);
}

void participant_load_session(struct participant *p, uint64_t sid, uint64_t seq, uint64_t index)
{
    outcome_put(&p->sessions, sid,
                &(struct outcome_entry){.seq = seq, .state = OUTCOME_COMMITTED, .index = index});
}

/* ---- entries ---- */

static struct participant_entry *entry_append(struct participant *p, enum store_entry_kind kind,
                                              const struct participant_event *event)
{
    struct participant_effect *item;

    if (p->entry_count == p->entry_room) {
        p->entry_room = p->entry_room == 0 ? 16 : p->entry_room * 2;
        p->entries = mem_resize(p->entries, p->entry_room * sizeof *p->entries);
    }
    struct participant_entry *entry = &p->entries[p->entry_count++];
    *entry = (struct participant_entry){.index = p->next++,
                                        .kind = kind,
                                        .token = event->token,
                                        .sid = event->sid,
                                        .seq = event->seq,
                                        .gtid = event->gtid};
    item = effect(p, PARTICIPANT_DO_APPEND, event->token);
    item->entry = kind;
    item->index = entry->index;
    item->gtid = event->gtid;
    return entry;
}

/* ---- admission ---- */

static const char *verdict_text(enum lock_verdict verdict)
{
    switch (verdict) {
    case LOCK_CHANGED:
        return "what was read has been changed by another transaction";
    case LOCK_HELD:
        return "another transaction is being committed on the same data";
    case LOCK_FREE:
    case LOCK_PENDING:
        break;
    }
    return "conflict";
}

static enum lock_verdict judge(const struct participant *p, const struct participant_event *event)
{
    enum lock_verdict verdict = lock_judge_reads(&p->locks, event->readset);

    if (verdict == LOCK_CHANGED || verdict == LOCK_HELD) {
        return verdict;
    }
    enum lock_verdict writes = lock_judge(&p->locks, event->locks);
    return writes == LOCK_FREE ? verdict : writes;
}

/* Says whether the event may be appended; if not, it is answered, queued or dropped. */
static bool admit(struct participant *p, const struct participant_event *event, int *code,
                  struct slice *text)
{
    *code = E_OK;
    if (event->epoch > p->epoch) {
        /* Not yet in force here. A refusal would be final, and this may still come true. */
        effect(p, PARTICIPANT_DO_DROP, event->token);
        return false;
    }
    if (event->epoch < p->epoch) {
        *code = E_WRONG_EPOCH;
        *text = SLICE("the shard has a newer epoch");
        return false;
    }
    enum lock_verdict verdict = judge(p, event);
    if (verdict == LOCK_PENDING) {
        queue(p, event->token);
        return false;
    }
    if (verdict != LOCK_FREE) {
        p->counters.conflicts++;
        *code = E_CONFLICT;
        *text = slice_text(verdict_text(verdict));
        return false;
    }
    if (event->check != E_OK) {
        *code = event->check;
        *text = event->check_text;
        return false;
    }
    return true;
}

static void on_commit1(struct participant *p, const struct participant_event *event)
{
    struct slice text = {0};
    int code;

    outcome_hear(&p->sessions, event->sid, event->now_ms);
    outcome_trim(&p->sessions, event->sid, event->low_seq);
    struct outcome_entry known = outcome_find(&p->sessions, event->sid, event->seq);
    switch (known.state) {
    case OUTCOME_PAST:
    case OUTCOME_RUNNING:
        effect(p, PARTICIPANT_DO_DROP, event->token);
        return;
    case OUTCOME_COMMITTED:
        answer_yes(p, event->token, known.index);
        return;
    case OUTCOME_REFUSED:
        answer_no(p, event->token, known.code, slice_text(error_text(known.code)));
        return;
    case OUTCOME_NEW:
        break;
    }
    lock_set_finish(event->locks);
    if (!admit(p, event, &code, &text)) {
        if (code != E_OK) {
            /* A copy that comes later must not commit what was reported as refused. */
            outcome_put(
                &p->sessions, event->sid,
                &(struct outcome_entry){.seq = event->seq, .state = OUTCOME_REFUSED, .code = code});
            p->counters.refused++;
            answer_no(p, event->token, code, text);
        }
        return;
    }
    struct participant_entry *entry = entry_append(p, STORE_TXN1, event);
    outcome_put(&p->sessions, event->sid,
                &(struct outcome_entry){.seq = event->seq, .state = OUTCOME_RUNNING});
    lock_pend(&p->locks, event->locks);
    entry->locks = *event->locks;
    *event->locks = (struct lock_set){0};
}

static void add_read_lock(void *ctx, uint16_t slot)
{
    lock_set_add(ctx, slot, ITEM_S);
}

static void on_known_prepare(struct participant *p, const struct participant_event *event,
                             struct participant_prepared *prepared)
{
    if (prepared->state == PREPARED_VOTED) {
        answer_yes(p, event->token, prepared->index);
    } else {
        effect(p, PARTICIPANT_DO_DROP, event->token);
    }
}

static void on_prepare(struct participant *p, const struct participant_event *event)
{
    struct participant_prepared *prepared = prepared_of(p, event->gtid);
    struct slice text = {0};
    int code;

    watermark_raise(p, event->watermark);
    if (prepared != NULL) {
        on_known_prepare(p, event, prepared);
        return;
    }
    if (!mutation_is(MUTATION_NO_FINISHED) &&
        (txn_gtid_order(event->gtid, p->watermark) < 0 || finished_of(p, event->gtid) != NULL)) {
        effect(p, PARTICIPANT_DO_DROP, event->token);
        return;
    }
    if (!mutation_is(MUTATION_PREPARE_LOCKS_NO_READS)) {
        txn_readset_each(event->readset, add_read_lock, event->locks);
    }
    lock_set_finish(event->locks);
    bool is_admitted = admit(p, event, &code, &text);
    if (is_admitted && lock_is_claimed(&p->locks, event->locks, event->now_ms)) {
        code = E_CONFLICT;
        text = SLICE("a reader has been waiting for the same data");
    } else if (is_admitted && p->prepared_count >= PARTICIPANT_PREPARED_MAX) {
        code = E_LIMIT;
        text = SLICE("too many transactions in doubt on the shard");
    }
    if (code != E_OK) {
        p->counters.refused++;
        answer_no(p, event->token, code, text);
        return;
    }
    if (!is_admitted) {
        return;
    }
    struct participant_entry *entry = entry_append(p, STORE_PREPARE, event);
    lock_hold(&p->locks, event->locks);
    prepared = prepared_add(p, event->gtid);
    *prepared = (struct participant_prepared){.gtid = event->gtid,
                                              .token = event->token,
                                              .index = entry->index,
                                              .since_ms = event->now_ms,
                                              .asked_ms = event->now_ms,
                                              .state = PREPARED_NOT_COMMITTED,
                                              .locks = *event->locks};
    *event->locks = (struct lock_set){0};
    p->counters.prepares++;
}

static void on_decide(struct participant *p, const struct participant_event *event)
{
    struct participant_prepared *prepared = prepared_of(p, event->gtid);

    watermark_raise(p, event->watermark);
    if (prepared == NULL) {
        const struct participant_finished *finished = finished_of(p, event->gtid);
        bool is_past = txn_gtid_order(event->gtid, p->watermark) < 0;
        if (finished == NULL && !is_past && event->is_commit) {
            /* All have voted yes, this shard too, or nobody may commit: its vote was lost. */
            p->counters.alarms++;
            answer_no(p, event->token, E_CORRUPT,
                      SLICE("it was never prepared on this shard, or its journal was lost"));
            return;
        }
        if (finished == NULL && !is_past && !event->is_commit) {
            finished_add(p, event->gtid, false);
        } else if (finished != NULL && finished->is_commit != event->is_commit && !event->is_told) {
            p->counters.contradictions++;
        }
        answer_yes(p, event->token, 0);
        return;
    }
    if (prepared->state == PREPARED_DECIDING) {
        effect(p, PARTICIPANT_DO_DROP, event->token);
        return;
    }
    /* From here the lock goes away by itself: who conflicts queues. */
    lock_decide(&p->locks, &prepared->locks);
    prepared->state = PREPARED_DECIDING;
    prepared->is_commit = event->is_commit;
    entry_append(p, event->is_commit ? STORE_COMMIT : STORE_ABORT, event);
}

static void on_validate(struct participant *p, const struct participant_event *event)
{
    if (event->epoch != p->epoch) {
        answer_no(p, event->token, E_WRONG_EPOCH, SLICE("the shard has another epoch"));
        return;
    }
    enum lock_verdict verdict = lock_judge_reads(&p->locks, event->readset);
    if (verdict == LOCK_FREE) {
        answer_yes(p, event->token, p->applied);
    } else if (verdict == LOCK_PENDING) {
        queue(p, event->token);
    } else {
        p->counters.conflicts++;
        answer_no(p, event->token, E_CONFLICT, slice_text(verdict_text(verdict)));
    }
}

static void on_read(struct participant *p, const struct participant_event *event)
{
    uint64_t until_ms = event->since_ms + PARTICIPANT_READ_WAIT_MS;

    if (mutation_is(MUTATION_READS_IGNORE_LOCKS) ||
        !lock_claim(&p->locks, event->readset, event->token, event->since_ms + PARTICIPANT_CLAIM_MS,
                    until_ms)) {
        answer_yes(p, event->token, p->applied);
        return;
    }
    if (event->now_ms >= until_ms) {
        lock_unclaim(&p->locks, event->token);
        p->counters.conflicts++;
        answer_no(p, event->token, E_CONFLICT, slice_text(verdict_text(LOCK_HELD)));
        return;
    }
    p->counters.waits++;
    effect(p, PARTICIPANT_DO_WAIT, event->token)->until_ms = until_ms;
}

/* ---- what became of entries ---- */

static void on_committed(struct participant *p, const struct participant_event *event)
{
    assert(event->index < p->next);
    for (size_t i = 0; i < p->entry_count && p->entries[i].index <= event->index; i++) {
        struct participant_entry *entry = &p->entries[i];
        struct participant_prepared *prepared;
        if (entry->kind != STORE_PREPARE) {
            continue;
        }
        prepared = prepared_of(p, entry->gtid);
        assert(prepared != NULL);
        if (prepared->state == PREPARED_NOT_COMMITTED) {
            prepared->state = PREPARED_VOTED;
            answer_yes(p, entry->token, entry->index);
        } else {
            effect(p, PARTICIPANT_DO_DROP, entry->token);
        }
    }
}

static void apply_decision(struct participant *p, const struct participant_entry *entry)
{
    struct participant_prepared *prepared = prepared_of(p, entry->gtid);
    bool is_commit = entry->kind == STORE_COMMIT;

    assert(prepared != NULL && prepared->state == PREPARED_DECIDING);
    if (is_commit) {
        lock_change(&p->locks, &prepared->locks, entry->index);
        p->counters.committed++;
    } else {
        p->counters.aborted++;
    }
    lock_settle_decided(&p->locks, &prepared->locks);
    prepared_remove(p, prepared);
    finished_add(p, entry->gtid, is_commit);
    if (entry->token != 0) {
        answer_yes(p, entry->token, entry->index);
    }
}

static void apply_entry(struct participant *p, struct participant_entry *entry)
{
    switch (entry->kind) {
    case STORE_TXN1:
        lock_change(&p->locks, &entry->locks, entry->index);
        lock_settle(&p->locks, &entry->locks);
        lock_set_close(&entry->locks);
        outcome_put(&p->sessions, entry->sid,
                    &(struct outcome_entry){
                        .seq = entry->seq, .state = OUTCOME_COMMITTED, .index = entry->index});
        p->counters.commits++;
        answer_yes(p, entry->token, entry->index);
        break;
    case STORE_COMMIT:
    case STORE_ABORT:
        apply_decision(p, entry);
        break;
    case STORE_NOOP: /* The replica's: before this core began. */
    case STORE_PREPARE:
    case STORE_SCHEMA:
        break;
    }
}

static void on_applied(struct participant *p, const struct participant_event *event)
{
    size_t done = 0;

    assert(event->index < p->next && event->index >= p->applied);
    while (done < p->entry_count && p->entries[done].index <= event->index) {
        apply_entry(p, &p->entries[done++]);
    }
    p->entry_count -= done;
    if (p->entry_count > 0) {
        memmove(p->entries, p->entries + done, p->entry_count * sizeof *p->entries);
    }
    p->applied = event->index;
}

static void lose_entry(struct participant *p, struct participant_entry *entry,
                       const struct participant_event *event)
{
    struct participant_prepared *prepared = prepared_of(p, entry->gtid);

    switch (entry->kind) {
    case STORE_TXN1:
        lock_settle(&p->locks, &entry->locks);
        lock_set_close(&entry->locks);
        outcome_put(&p->sessions, entry->sid,
                    &(struct outcome_entry){
                        .seq = entry->seq, .state = OUTCOME_REFUSED, .code = event->check});
        answer_no(p, entry->token, event->check, event->check_text);
        break;
    case STORE_PREPARE:
        assert(prepared != NULL && prepared->state == PREPARED_NOT_COMMITTED);
        lock_release(&p->locks, &prepared->locks);
        prepared_remove(p, prepared);
        answer_no(p, entry->token, event->check, event->check_text);
        break;
    case STORE_COMMIT:
    case STORE_ABORT:
        assert(prepared != NULL && prepared->state == PREPARED_DECIDING);
        lock_undecide(&p->locks, &prepared->locks);
        prepared->state = prepared->index > event->index ? PREPARED_NOT_COMMITTED : PREPARED_VOTED;
        effect(p, PARTICIPANT_DO_DROP, entry->token);
        break;
    case STORE_NOOP:
    case STORE_SCHEMA:
        break;
    }
}

static void on_lost(struct participant *p, const struct participant_event *event)
{
    assert(event->check != E_OK && event->index < p->next);
    while (p->entry_count > 0 && p->entries[p->entry_count - 1].index > event->index) {
        lose_entry(p, &p->entries[--p->entry_count], event);
    }
    p->next = event->index + 1;
}

/* ---- doubt ---- */

static void give_up_alone(struct participant *p, struct participant_prepared *prepared,
                          const struct participant_event *event)
{
    struct participant_event decide = {
        .kind = PARTICIPANT_DECIDE, .now_ms = event->now_ms, .gtid = prepared->gtid};

    on_decide(p, &decide);
}

static void on_timeout(struct participant *p, const struct participant_event *event)
{
    for (size_t i = 0; i < p->prepared_count; i++) {
        struct participant_prepared *prepared = &p->prepared[i];
        if (prepared->state != PREPARED_VOTED) {
            continue;
        }
        if (mutation_is(MUTATION_ABORT_ALONE) && event->now_ms >= prepared->since_ms + ALONE_MS) {
            give_up_alone(p, prepared, event);
        } else if (event->now_ms >= prepared->asked_ms + PARTICIPANT_DOUBT_MS) {
            prepared->asked_ms = event->now_ms;
            p->counters.inquiries++;
            effect(p, PARTICIPANT_DO_INQUIRE, 0)->gtid = prepared->gtid;
        }
    }
}

uint64_t participant_deadline(const struct participant *p)
{
    uint64_t deadline = UINT64_MAX;

    for (size_t i = 0; i < p->prepared_count; i++) {
        uint64_t at = p->prepared[i].asked_ms + PARTICIPANT_DOUBT_MS;
        if (p->prepared[i].state == PREPARED_VOTED && at < deadline) {
            deadline = at;
        }
    }
    return deadline;
}

bool participant_has_prepared(const struct participant *p)
{
    return lock_has_held(&p->locks);
}

bool participant_silent_session(struct participant *p, uint64_t now_ms, uint64_t silence_ms,
                                uint64_t *sid)
{
    return outcome_silent(&p->sessions, now_ms, silence_ms, sid);
}

void participant_end_session(struct participant *p, uint64_t sid)
{
    outcome_end(&p->sessions, sid);
}

bool participant_is_pending(const struct participant *p, const struct lock_set *locks)
{
    return locks->count > 0 && lock_judge(&p->locks, locks) == LOCK_PENDING;
}

bool participant_is_blocked(const struct participant *p, uint64_t token)
{
    return lock_is_blocked(&p->locks, token);
}

void participant_forget(struct participant *p, uint64_t token)
{
    lock_unclaim(&p->locks, token);
}

/* ---- the core ---- */

void participant_invariant(const struct participant *p)
{
    assert(p->applied < p->next);
    assert(p->entry_count <= p->next - 1 - p->applied);
    if (p->entry_count > 0) {
        assert(p->entries[0].index > p->applied);
        assert(p->entries[p->entry_count - 1].index == p->next - 1);
    }
    if (p->prepared_count == 0) {
        assert(!lock_has_held(&p->locks));
    }
    assert(p->finished_count == 0 || txn_gtid_order(p->finished[0].gtid, p->watermark) >= 0);
}

void participant_advance(struct participant *p, const struct participant_event *event,
                         struct participant_effects *effects)
{
    assert(p != NULL && event != NULL && effects != NULL);
    effects->count = 0;
    p->out = effects;
    switch (event->kind) {
    case PARTICIPANT_SCHEMA:
        entry_append(p, STORE_SCHEMA, event);
        break;
    case PARTICIPANT_COMMIT1:
        on_commit1(p, event);
        break;
    case PARTICIPANT_PREPARE:
        on_prepare(p, event);
        break;
    case PARTICIPANT_DECIDE:
        on_decide(p, event);
        break;
    case PARTICIPANT_VALIDATE:
        on_validate(p, event);
        break;
    case PARTICIPANT_READ:
        on_read(p, event);
        break;
    case PARTICIPANT_COMMITTED:
        on_committed(p, event);
        break;
    case PARTICIPANT_APPLIED:
        on_applied(p, event);
        break;
    case PARTICIPANT_LOST:
        on_lost(p, event);
        break;
    case PARTICIPANT_TIMEOUT:
        on_timeout(p, event);
        break;
    }
    p->out = NULL;
    participant_invariant(p);
}

void participant_dump(const struct participant *p, struct bytes *out)
{
    static const char *const states[] = {"not committed", "voted", "deciding"};

    bytes_format(out, "epoch %llu applied %llu next %llu watermark %llu.%llu finished %zu\n",
                 (unsigned long long)p->epoch, (unsigned long long)p->applied,
                 (unsigned long long)p->next, (unsigned long long)p->watermark.term,
                 (unsigned long long)p->watermark.counter, p->finished_count);
    for (size_t i = 0; i < p->prepared_count; i++) {
        const struct participant_prepared *prepared = &p->prepared[i];
        bytes_format(
            out, "  prepared %llu.%llu at %llu, %s, %u locks\n",
            (unsigned long long)prepared->gtid.term, (unsigned long long)prepared->gtid.counter,
            (unsigned long long)prepared->index, states[prepared->state], prepared->locks.count);
    }
}
