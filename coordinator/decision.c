#include "coordinator/decision.h"

#include "common/hash.h"
#include "common/mem.h"
#include "common/mutation.h"

#include <assert.h>
#include <string.h>

/* ---- effects ---- */

static struct decision_effect *effect(struct decision *d, enum decision_effect_kind kind)
{
    struct decision_effects *out = d->out;

    assert(out != NULL);
    if (out->count == out->room) {
        out->room = out->room == 0 ? 16 : out->room * 2;
        out->items = mem_resize(out->items, out->room * sizeof *out->items);
    }
    struct decision_effect *item = &out->items[out->count++];
    *item = (struct decision_effect){.kind = kind};
    return item;
}

static struct decision_effect *answer(struct decision *d, uint64_t token, enum txn_outcome outcome)
{
    struct decision_effect *item = effect(d, DECISION_ANSWER);

    item->token = token;
    item->outcome = outcome;
    return item;
}

static void refuse(struct decision *d, uint64_t token, int code, const char *text)
{
    struct decision_effect *item = effect(d, DECISION_REFUSE);

    item->token = token;
    item->code = code;
    item->text = slice_text(text);
}

static void drop(struct decision *d, uint64_t token)
{
    if (token != 0) {
        effect(d, DECISION_DROP)->token = token;
    }
}

static void send_decide(struct decision *d, struct txn_gtid gtid, uint32_t shard, bool is_commit)
{
    struct decision_effect *item = effect(d, DECISION_SEND_DECIDE);

    item->gtid = gtid;
    item->shard = shard;
    item->is_commit = is_commit;
}

void decision_effects_close(struct decision_effects *effects)
{
    assert(effects != NULL);
    mem_free(effects->items);
    *effects = (struct decision_effects){0};
}

/* ---- tables ---- */

void decision_init(struct decision *d, const struct state *state, uint32_t txn_ms)
{
    assert(d != NULL && state != NULL && txn_ms > 0);
    *d = (struct decision){.state = state, .txn_ms = txn_ms, .wake_ms = UINT64_MAX};
    outcome_init(&d->aborted);
    map_init(&d->by_seq, NULL);
    map_init(&d->by_gtid, NULL);
}

static void running_free(struct decision_running *running)
{
    if (running == NULL) {
        return;
    }
    txn_request_close(&running->txn);
    arena_close(&running->arena);
    mem_free(running->body);
    mem_free(running->is_yes);
    mem_free(running->shards);
    mem_free(running);
}

static void forget_all(struct decision *d)
{
    for (size_t i = 0; i < d->running_count; i++) {
        running_free(d->running[i]);
    }
    for (size_t i = 0; i < d->open_count; i++) {
        mem_free(d->open[i].shards);
    }
    running_free(d->ended);
    d->ended = NULL;
    d->running_count = 0;
    d->open_count = 0;
    d->done_count = 0;
    d->is_crowded = false;
    d->wake_ms = UINT64_MAX;
    map_clear(&d->by_seq);
    map_clear(&d->by_gtid);
    outcome_close(&d->aborted);
}

void decision_close(struct decision *d)
{
    assert(d != NULL);
    forget_all(d);
    map_close(&d->by_seq);
    map_close(&d->by_gtid);
    mem_free(d->running);
    mem_free(d->open);
    mem_free(d->done);
    *d = (struct decision){0};
}

static bool is_write(const struct txn_part *part)
{
    /* A list of changes starts with its count. */
    return part->changes.size > 0 && part->changes.data[0] != 0;
}

/* Place of the first whose counter is not below. */
static size_t running_place(const struct decision *d, uint64_t counter)
{
    size_t low = 0;
    size_t high = d->running_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (d->running[middle]->gtid.counter < counter) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct decision_running *running_of(const struct decision *d, uint64_t counter)
{
    size_t at = running_place(d, counter);

    return at < d->running_count && d->running[at]->gtid.counter == counter ? d->running[at] : NULL;
}

static uint64_t hash_pair(uint64_t a, uint64_t b)
{
    return hash_join(hash_mix(a), b);
}

static struct decision_running *running_by_seq(const struct decision *d, uint64_t sid, uint64_t seq)
{
    const uint64_t *counter = map_get(&d->by_seq, hash_pair(sid, seq));
    struct decision_running *running = counter == NULL ? NULL : running_of(d, *counter);

    if (running != NULL && running->txn.sid == sid && running->txn.seq == seq) {
        return running;
    }
    for (size_t i = 0; i < d->running_count && d->is_crowded; i++) {
        if (d->running[i]->txn.sid == sid && d->running[i]->txn.seq == seq) {
            return d->running[i];
        }
    }
    return NULL;
}

static void wake_at(struct decision *d, uint64_t at_ms)
{
    d->wake_ms = at_ms < d->wake_ms ? at_ms : d->wake_ms;
}

/* Effects of this event may still point into it: it is freed at the next one. */
static void running_end(struct decision *d, struct decision_running *running)
{
    size_t at = running_place(d, running->gtid.counter);
    uint64_t key = hash_pair(running->txn.sid, running->txn.seq);
    const uint64_t *counter = map_get(&d->by_seq, key);

    assert(at < d->running_count && d->running[at] == running);
    d->running_count--;
    memmove(d->running + at, d->running + at + 1, (d->running_count - at) * sizeof *d->running);
    if (counter != NULL && *counter == running->gtid.counter) {
        map_remove(&d->by_seq, key);
    }
    running_free(d->ended);
    d->ended = running;
}

static void open_add(struct decision *d, struct txn_gtid gtid, const uint32_t *shards,
                     uint32_t shard_count, uint64_t now_ms)
{
    bool is_new;

    if (d->open_count == d->open_room) {
        d->open_room = d->open_room == 0 ? 16 : d->open_room * 2;
        d->open = mem_resize(d->open, d->open_room * sizeof *d->open);
    }
    uint64_t *place = map_at(&d->by_gtid, hash_pair(gtid.term, gtid.counter), &is_new);
    *place = d->open_count;
    d->is_crowded |= !is_new;
    wake_at(d, now_ms + DECISION_REPEAT_MS);
    d->open[d->open_count++] =
        (struct decision_open){.gtid = gtid,
                               .repeat_ms = now_ms + DECISION_REPEAT_MS,
                               .shards = mem_copy(shards, shard_count * sizeof *shards),
                               .shard_count = shard_count};
    for (uint32_t i = 0; i < shard_count; i++) {
        send_decide(d, gtid, shards[i], true);
    }
}

static struct decision_open *open_of(const struct decision *d, struct txn_gtid gtid)
{
    const uint64_t *place = map_get(&d->by_gtid, hash_pair(gtid.term, gtid.counter));

    if (place != NULL && *place < d->open_count &&
        txn_gtid_order(d->open[*place].gtid, gtid) == 0) {
        return &d->open[*place];
    }
    for (size_t i = 0; i < d->open_count && d->is_crowded; i++) {
        if (txn_gtid_order(d->open[i].gtid, gtid) == 0) {
            return &d->open[i];
        }
    }
    return NULL;
}

static void open_remove(struct decision *d, struct decision_open *open)
{
    struct txn_gtid last = d->open[d->open_count - 1].gtid;

    mem_free(open->shards);
    map_remove(&d->by_gtid, hash_pair(open->gtid.term, open->gtid.counter));
    if (txn_gtid_order(open->gtid, last) != 0) {
        map_put(&d->by_gtid, hash_pair(last.term, last.counter), (uint64_t)(open - d->open));
    }
    *open = d->open[--d->open_count];
}

/* Returns true if that was the last one: then the decision is no more open. */
static bool open_done(struct decision *d, struct decision_open *open, uint32_t shard,
                      uint64_t now_ms)
{
    for (uint32_t i = 0; i < open->shard_count; i++) {
        if (open->shards[i] == shard) {
            open->shards[i] = open->shards[--open->shard_count];
            break;
        }
    }
    if (open->shard_count > 0) {
        return false;
    }
    if (d->done_count == d->done_room) {
        d->done_room = d->done_room == 0 ? 16 : d->done_room * 2;
        d->done = mem_resize(d->done, d->done_room * sizeof *d->done);
    }
    if (d->done_count == 0) {
        d->forget_ms = now_ms + DECISION_FORGET_MS;
    }
    d->done[d->done_count++] = open->gtid;
    open_remove(d, open);
    return true;
}

struct txn_gtid decision_watermark(const struct decision *d)
{
    struct txn_gtid low = {d->term, d->counter + 1};

    if (d->running_count > 0) {
        low = d->running[0]->gtid;
    }
    if (d->state->decision_count > 0 && txn_gtid_order(d->state->decisions[0].gtid, low) < 0) {
        low = d->state->decisions[0].gtid;
    }
    return low;
}

/* ---- phases ---- */

static void send_prepares(struct decision *d, const struct decision_running *running)
{
    struct txn_gtid watermark = decision_watermark(d);

    for (uint32_t i = 0; i < running->txn.part_count; i++) {
        if (is_write(&running->txn.parts[i]) && !running->is_yes[i]) {
            struct decision_effect *item = effect(d, DECISION_SEND_PREPARE);
            item->gtid = running->gtid;
            item->watermark = watermark;
            item->part = &running->txn.parts[i];
            item->sid = running->txn.sid;
            item->seq = running->txn.seq;
        }
    }
}

static void send_validates(struct decision *d, const struct decision_running *running)
{
    for (uint32_t i = 0; i < running->txn.part_count; i++) {
        if (!is_write(&running->txn.parts[i]) && !running->is_yes[i]) {
            struct decision_effect *item = effect(d, DECISION_SEND_VALIDATE);
            item->gtid = running->gtid;
            item->part = &running->txn.parts[i];
            item->sid = running->txn.sid;
            item->seq = running->txn.seq;
        }
    }
}

static bool has_all(const struct decision_running *running, bool of_writers)
{
    for (uint32_t i = 0; i < running->txn.part_count; i++) {
        if (is_write(&running->txn.parts[i]) == of_writers && !running->is_yes[i]) {
            return false;
        }
    }
    return true;
}

static void abort_one(struct decision *d, struct decision_running *running, int code,
                      struct slice text)
{
    /* Remembered before it is told: a copy of the TXN that comes later gets the same answer. */
    outcome_put(
        &d->aborted, running->txn.sid,
        &(struct outcome_entry){.seq = running->txn.seq, .state = OUTCOME_REFUSED, .code = code});
    for (uint32_t i = 0; i < running->shard_count; i++) {
        send_decide(d, running->gtid, running->shards[i], false);
    }
    if (running->token != 0) {
        struct decision_effect *item = answer(d, running->token, TXN_ABORTED);
        item->gtid = running->gtid;
        item->sid = running->txn.sid;
        item->seq = running->txn.seq;
        item->code = code;
        item->text = text;
    }
    d->counters.aborted++;
    running_end(d, running);
}

static void answer_committed(struct decision *d, struct decision_running *running)
{
    if (running->token == 0) {
        return;
    }
    struct decision_effect *item = answer(d, running->token, TXN_COMMITTED);
    item->gtid = running->gtid;
    item->sid = running->txn.sid;
    item->seq = running->txn.seq;
    running->token = 0;
}

static void decide(struct decision *d, struct decision_running *running)
{
    if (running->shard_count == 0) {
        /* Nothing is written: that all reads were current at once is all there is to say. */
        answer_committed(d, running);
        running_end(d, running);
        return;
    }
    running->phase = DECISION_DECIDING;
    struct decision_effect *item = effect(d, DECISION_SUBMIT);
    item->gtid = running->gtid;
    item->sid = running->txn.sid;
    item->seq = running->txn.seq;
    item->low_seq = running->txn.low_seq;
    item->shards = running->shards;
    item->count = running->shard_count;
    if (mutation_is(MUTATION_ANSWER_EARLY)) {
        answer_committed(d, running);
    }
}

static void go_on(struct decision *d, struct decision_running *running)
{
    if (running->phase == DECISION_PREPARING && has_all(running, true)) {
        running->phase = DECISION_VALIDATING;
        /* After the last yes: from here on nothing that was written can be read by others, and what
         * is read here was current at a moment when all locks were held. */
        if (!mutation_is(MUTATION_VALIDATE_EARLY)) {
            send_validates(d, running);
        }
    }
    if (running->phase == DECISION_VALIDATING && has_all(running, false)) {
        decide(d, running);
    }
}

/* ---- events ---- */

static void on_lead(struct decision *d, const struct decision_event *event)
{
    assert(event->term > d->term);
    forget_all(d);
    outcome_init(&d->aborted);
    d->term = event->term;
    d->counter = 0;
    for (uint32_t i = 0; i < d->state->decision_count; i++) {
        const struct state_decision *decision = &d->state->decisions[i];
        open_add(d, decision->gtid, decision->shards, decision->shard_count, event->now_ms);
    }
}

static bool is_sound(const struct decision *d, const struct txn_request *txn, const char **why)
{
    *why = NULL;
    if (txn->part_count == 0) {
        *why = "a transaction without parts";
    }
    for (uint32_t i = 0; i < txn->part_count && *why == NULL; i++) {
        if (state_shard(d->state, txn->parts[i].shard) == NULL) {
            *why = "a part for a shard that is not there";
        }
        for (uint32_t j = 0; j < i; j++) {
            if (txn->parts[i].shard == txn->parts[j].shard) {
                *why = "two parts for one shard";
            }
        }
    }
    return *why == NULL;
}

/* Known already? Then it is answered or dropped. */
static bool is_known(struct decision *d, const struct txn_request *txn, uint64_t token)
{
    const struct state_session *session = state_session(d->state, txn->sid);
    struct decision_running *running;

    if (session == NULL) {
        refuse(d, token, E_NOT_FOUND, "the router's session has expired");
        return true;
    }
    if (txn->term != d->term && !mutation_is(MUTATION_NO_TERM)) {
        answer(d, token, TXN_WRONG_TERM);
        return true;
    }
    outcome_trim(&d->aborted, txn->sid, txn->low_seq);
    struct outcome_entry outcome = outcome_find(&d->aborted, txn->sid, txn->seq);
    if (txn->seq < session->low_seq || outcome.state == OUTCOME_PAST) {
        drop(d, token);
        return true;
    }
    if (state_is_committed(session, txn->seq) && !mutation_is(MUTATION_TXN_NOT_REMEMBERED)) {
        answer(d, token, TXN_COMMITTED);
        return true;
    }
    running = running_by_seq(d, txn->sid, txn->seq);
    if (running != NULL) {
        /* The answer goes to whom asked last: its connection is the newest. */
        drop(d, running->token);
        running->token = token;
        return true;
    }
    if (outcome.state == OUTCOME_REFUSED && !mutation_is(MUTATION_NO_ABORT_MEMORY)) {
        struct decision_effect *item = answer(d, token, TXN_ABORTED);
        item->code = outcome.code;
        item->text = slice_text(error_text(outcome.code));
        return true;
    }
    return false;
}

static void running_add(struct decision *d, struct decision_running *running)
{
    if (d->running_count == d->running_room) {
        d->running_room = d->running_room == 0 ? 16 : d->running_room * 2;
        d->running = mem_resize(d->running, d->running_room * sizeof(struct decision_running *));
    }
    d->running[d->running_count++] = running;
    bool is_new;
    uint64_t *counter = map_at(&d->by_seq, hash_pair(running->txn.sid, running->txn.seq), &is_new);
    *counter = running->gtid.counter;
    d->is_crowded |= !is_new;
}

/* When it is repeated, or its time is over. */
static uint64_t wake_of(const struct decision *d, const struct decision_running *running)
{
    uint64_t end = running->since_ms + d->txn_ms;

    return running->repeat_ms < end ? running->repeat_ms : end;
}

static void start(struct decision *d, struct decision_running *running,
                  const struct decision_event *event)
{
    uint32_t count = running->txn.part_count;

    running->gtid = (struct txn_gtid){d->term, ++d->counter};
    running->token = event->token;
    running->since_ms = event->now_ms;
    running->repeat_ms = event->now_ms + DECISION_REPEAT_MS;
    running->is_yes = mem_array(count, sizeof *running->is_yes);
    running->shards = mem_array(count, sizeof *running->shards);
    for (uint32_t i = 0; i < count; i++) {
        if (is_write(&running->txn.parts[i])) {
            running->shards[running->shard_count++] = running->txn.parts[i].shard;
        }
    }
    running_add(d, running);
    wake_at(d, wake_of(d, running));
    d->counters.started++;
    send_prepares(d, running);
    if (mutation_is(MUTATION_VALIDATE_EARLY)) {
        send_validates(d, running);
    }
    go_on(d, running);
}

/* Remembered, for a copy of it may still come. */
static void abort_at_once(struct decision *d, uint64_t token, const struct txn_request *txn,
                          int code, const char *why)
{
    struct decision_effect *item = answer(d, token, TXN_ABORTED);

    item->sid = txn->sid;
    item->seq = txn->seq;
    item->code = code;
    item->text = slice_text(why);
    outcome_put(&d->aborted, txn->sid,
                &(struct outcome_entry){.seq = txn->seq, .state = OUTCOME_REFUSED, .code = code});
}

static void on_txn(struct decision *d, const struct decision_event *event)
{
    struct decision_running *running = mem_alloc(sizeof *running);
    struct error err = {0};
    const char *why;

    running->body = mem_copy(event->body.data, event->body.size);
    int rc = txn_request_decode(slice_of(running->body, event->body.size), &running->arena,
                                &running->txn, &err);
    if (rc != E_OK) {
        refuse(d, event->token, E_MALFORMED, "malformed transaction");
    } else if (is_known(d, &running->txn, event->token)) {
        rc = E_EXISTS;
    } else if (d->running_count >= DECISION_RUNNING_MAX) {
        refuse(d, event->token, E_UNAVAILABLE, "too many transactions are under way");
        rc = E_UNAVAILABLE;
    } else if (!is_sound(d, &running->txn, &why)) {
        abort_at_once(d, event->token, &running->txn, E_WRONG_EPOCH, why);
        rc = E_INVALID;
    } else if (d->is_full) {
        abort_at_once(d, event->token, &running->txn, E_LIMIT, "the coordinator's disk is full");
        rc = E_LIMIT;
    }
    if (rc != E_OK) {
        running_free(running);
        return;
    }
    start(d, running, event);
}

static void on_vote(struct decision *d, const struct decision_event *event)
{
    bool is_validation = event->kind == DECISION_VALIDATED;
    struct decision_running *running =
        event->gtid.term == d->term ? running_of(d, event->gtid.counter) : NULL;

    if (running == NULL || running->phase == DECISION_DECIDING) {
        return;
    }
    if (is_validation && running->phase != DECISION_VALIDATING &&
        !mutation_is(MUTATION_VALIDATE_EARLY)) {
        return;
    }
    for (uint32_t i = 0; i < running->txn.part_count; i++) {
        const struct txn_part *part = &running->txn.parts[i];
        if (part->shard != event->shard || is_write(part) == is_validation) {
            continue;
        }
        if (!event->is_yes) {
            abort_one(d, running, event->code, event->text);
            return;
        }
        running->is_yes[i] = true;
    }
    go_on(d, running);
}

static void on_applied(struct decision *d, const struct decision_event *event)
{
    struct decision_running *running =
        event->gtid.term == d->term ? running_of(d, event->gtid.counter) : NULL;

    if (running == NULL || running->phase != DECISION_DECIDING) {
        return;
    }
    if (event->code != E_OK) {
        abort_one(d, running, event->code, event->text);
        return;
    }
    d->counters.committed++;
    answer_committed(d, running);
    open_add(d, running->gtid, running->shards, running->shard_count, event->now_ms);
    running_end(d, running);
}

static void on_inquire(struct decision *d, const struct decision_event *event)
{
    enum txn_outcome outcome = TXN_ABORTED;

    d->counters.inquiries++;
    if (state_decision(d->state, event->gtid) != NULL) {
        outcome = TXN_COMMITTED;
    } else if (event->gtid.term > d->term) {
        /* Someone else leads by now: not ours to say. */
        drop(d, event->token);
        return;
    } else if (event->gtid.term == d->term && running_of(d, event->gtid.counter) != NULL) {
        outcome = TXN_WAIT;
    }
    answer(d, event->token, outcome)->gtid = event->gtid;
}

static void on_status(struct decision *d, const struct decision_event *event)
{
    const struct state_session *session = state_session(d->state, event->sid);
    struct outcome_entry outcome = outcome_find(&d->aborted, event->sid, event->seq);
    struct decision_effect *item;

    if (session != NULL && state_is_committed(session, event->seq)) {
        item = answer(d, event->token, TXN_COMMITTED);
    } else if (running_by_seq(d, event->sid, event->seq) != NULL) {
        item = answer(d, event->token, TXN_WAIT);
    } else if (outcome.state == OUTCOME_REFUSED) {
        item = answer(d, event->token, TXN_ABORTED);
        item->code = outcome.code;
    } else {
        refuse(d, event->token, E_UNKNOWN_OUTCOME, "nothing is known of that transaction");
        return;
    }
    item->sid = event->sid;
    item->seq = event->seq;
}

static void repeat_open(struct decision *d, uint64_t now_ms)
{
    for (size_t i = d->open_count; i > 0; i--) {
        struct decision_open *open = &d->open[i - 1];
        if (now_ms < open->repeat_ms) {
            continue;
        }
        open->repeat_ms = now_ms + DECISION_REPEAT_MS;
        d->counters.repeats++;
        for (uint32_t j = 0; j < open->shard_count; j++) {
            send_decide(d, open->gtid, open->shards[j], true);
        }
        /* A shard whose graph was dropped will not answer. */
        bool is_over = false;
        for (uint32_t j = open->shard_count; j > 0 && !is_over; j--) {
            uint32_t shard = open->shards[j - 1];
            is_over = state_shard(d->state, shard) == NULL && open_done(d, open, shard, now_ms);
        }
    }
}

static void repeat_all(struct decision *d, const struct decision_event *event)
{
    for (size_t i = 0; i < d->running_count; i++) {
        struct decision_running *running = d->running[i];
        if (running->phase == DECISION_DECIDING) {
            continue;
        }
        if (event->now_ms >= running->since_ms + d->txn_ms) {
            d->counters.timeouts++;
            abort_one(d, running, E_UNAVAILABLE, SLICE("a shard did not answer in time"));
            return; /* One an event: its memory is kept for the effects. */
        }
        if (event->now_ms >= running->repeat_ms) {
            running->repeat_ms = event->now_ms + DECISION_REPEAT_MS;
            d->counters.repeats++;
            if (running->phase == DECISION_PREPARING) {
                send_prepares(d, running);
            } else {
                send_validates(d, running);
            }
        }
    }
    repeat_open(d, event->now_ms);
}

static void on_timeout(struct decision *d, const struct decision_event *event)
{
    if (event->now_ms < d->wake_ms) {
        return;
    }
    repeat_all(d, event);
    d->wake_ms = UINT64_MAX;
    for (size_t i = 0; i < d->running_count; i++) {
        if (d->running[i]->phase != DECISION_DECIDING) {
            wake_at(d, wake_of(d, d->running[i]));
        }
    }
    for (size_t i = 0; i < d->open_count; i++) {
        wake_at(d, d->open[i].repeat_ms);
    }
}

static void on_flush(struct decision *d, uint64_t now_ms)
{
    if (d->done_count == 0 || (now_ms < d->forget_ms && d->done_count < DECISION_FORGET_SOON)) {
        return;
    }
    struct decision_effect *item = effect(d, DECISION_FORGET);
    item->count =
        (uint32_t)(d->done_count < DECISION_FORGET_MAX ? d->done_count : DECISION_FORGET_MAX);
    item->gtids = d->done;
    d->counters.forgotten += item->count;
}

/* What the last FLUSH gave has been taken. */
static void drop_flushed(struct decision *d, const struct decision_effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        if (effects->items[i].kind == DECISION_FORGET) {
            size_t count = effects->items[i].count;
            d->done_count -= count;
            memmove(d->done, d->done + count, d->done_count * sizeof *d->done);
        }
    }
}

static void on_done(struct decision *d, const struct decision_event *event)
{
    struct decision_open *open = open_of(d, event->gtid);

    if (open != NULL) {
        open_done(d, open, event->shard, event->now_ms);
    }
}

void decision_advance(struct decision *d, const struct decision_event *event,
                      struct decision_effects *effects)
{
    assert(d != NULL && event != NULL && effects != NULL);
    drop_flushed(d, effects);
    effects->count = 0;
    d->out = effects;
    running_free(d->ended);
    d->ended = NULL;
    switch (event->kind) {
    case DECISION_LEAD:
        on_lead(d, event);
        break;
    case DECISION_TXN:
        on_txn(d, event);
        break;
    case DECISION_VOTE:
    case DECISION_VALIDATED:
        on_vote(d, event);
        break;
    case DECISION_APPLIED:
        on_applied(d, event);
        break;
    case DECISION_DONE:
        on_done(d, event);
        break;
    case DECISION_INQUIRE:
        on_inquire(d, event);
        break;
    case DECISION_STATUS:
        on_status(d, event);
        break;
    case DECISION_TIMEOUT:
        on_timeout(d, event);
        break;
    case DECISION_FLUSH:
        on_flush(d, event->now_ms);
        break;
    }
    d->out = NULL;
}

uint64_t decision_deadline(const struct decision *d)
{
    bool is_idle = d->running_count == 0 && d->open_count == 0;
    uint64_t deadline = is_idle ? UINT64_MAX : d->wake_ms;

    if (d->done_count > 0) {
        deadline = d->forget_ms < deadline ? d->forget_ms : deadline;
    }
    return deadline;
}
