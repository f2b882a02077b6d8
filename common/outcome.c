#include "common/outcome.h"

#include "common/mem.h"

#include <assert.h>
#include <string.h>

void outcome_init(struct outcome_table *table)
{
    assert(table != NULL);
    *table = (struct outcome_table){0};
    map_init(&table->places, NULL);
}

void outcome_close(struct outcome_table *table)
{
    assert(table != NULL);
    for (size_t i = 0; i < table->count; i++) {
        mem_free(table->sessions[i].outcomes);
    }
    mem_free(table->sessions);
    map_close(&table->places);
    *table = (struct outcome_table){0};
}

static struct outcome_session *session_of(const struct outcome_table *table, uint64_t sid)
{
    const uint64_t *place = map_get(&table->places, sid);

    return place == NULL ? NULL : &table->sessions[*place - 1];
}

static struct outcome_session *session_new(struct outcome_table *table, uint64_t sid)
{
    struct outcome_session *session = session_of(table, sid);

    if (session != NULL) {
        return session;
    }
    if (table->count == table->room) {
        table->room = table->room == 0 ? 8 : table->room * 2;
        table->sessions = mem_resize(table->sessions, table->room * sizeof *table->sessions);
    }
    session = &table->sessions[table->count++];
    *session = (struct outcome_session){.sid = sid};
    map_put(&table->places, sid, table->count);
    return session;
}

/* The first outcome that is not below seq. */
static size_t place_of(const struct outcome_session *session, uint64_t seq)
{
    size_t at = session->count;

    while (at > 0 && session->outcomes[at - 1].seq >= seq) {
        at--;
    }
    return at;
}

void outcome_hear(struct outcome_table *table, uint64_t sid, uint64_t now_ms)
{
    session_new(table, sid)->heard_ms = now_ms;
}

static bool is_running(const struct outcome_session *session)
{
    for (size_t i = 0; i < session->count; i++) {
        if (session->outcomes[i].state == OUTCOME_RUNNING) {
            return true;
        }
    }
    return false;
}

bool outcome_silent(struct outcome_table *table, uint64_t now_ms, uint64_t silence_ms,
                    uint64_t *sid)
{
    for (size_t i = 0; i < table->count; i++) {
        struct outcome_session *session = &table->sessions[i];
        if (session->heard_ms == 0) {
            session->heard_ms = now_ms; /* Of before the start: its time begins now. */
        } else if (now_ms >= session->heard_ms + silence_ms && !is_running(session)) {
            *sid = session->sid;
            return true;
        }
    }
    return false;
}

void outcome_end(struct outcome_table *table, uint64_t sid)
{
    struct outcome_session *session = session_of(table, sid);

    if (session == NULL) {
        return;
    }
    mem_free(session->outcomes);
    map_remove(&table->places, sid);
    *session = table->sessions[--table->count];
    if (session != &table->sessions[table->count]) {
        map_put(&table->places, session->sid, (uint64_t)(session - table->sessions) + 1);
    }
}

void outcome_trim(struct outcome_table *table, uint64_t sid, uint64_t low_seq)
{
    struct outcome_session *session = session_new(table, sid);

    if (low_seq <= session->low_seq) {
        return;
    }
    size_t gone = place_of(session, low_seq);
    session->count -= gone;
    if (gone > 0 && session->count > 0) {
        memmove(session->outcomes, session->outcomes + gone,
                session->count * sizeof *session->outcomes);
    }
    session->low_seq = low_seq;
}

struct outcome_entry outcome_find(const struct outcome_table *table, uint64_t sid, uint64_t seq)
{
    const struct outcome_session *session = session_of(table, sid);
    struct outcome_entry outcome = {.seq = seq, .state = OUTCOME_NEW};

    if (session == NULL) {
        return outcome;
    }
    if (seq < session->low_seq) {
        outcome.state = OUTCOME_PAST;
        return outcome;
    }
    size_t at = place_of(session, seq);
    return at < session->count && session->outcomes[at].seq == seq ? session->outcomes[at]
                                                                   : outcome;
}

void outcome_put(struct outcome_table *table, uint64_t sid, const struct outcome_entry *outcome)
{
    struct outcome_session *session = session_new(table, sid);
    size_t at = place_of(session, outcome->seq);

    assert(outcome->state != OUTCOME_NEW && outcome->state != OUTCOME_PAST);
    if (outcome->seq < session->low_seq) {
        return;
    }
    if (at == session->count || session->outcomes[at].seq != outcome->seq) {
        if (session->count == session->room) {
            session->room = session->room == 0 ? 8 : session->room * 2;
            session->outcomes =
                mem_resize(session->outcomes, session->room * sizeof *session->outcomes);
        }
        memmove(session->outcomes + at + 1, session->outcomes + at,
                (session->count - at) * sizeof *session->outcomes);
        session->count++;
    }
    session->outcomes[at] = *outcome;
}

void outcome_forget(struct outcome_table *table, uint64_t sid, uint64_t seq)
{
    struct outcome_session *session = session_of(table, sid);

    if (session == NULL) {
        return;
    }
    size_t at = place_of(session, seq);
    if (at < session->count && session->outcomes[at].seq == seq) {
        session->count--;
        memmove(session->outcomes + at, session->outcomes + at + 1,
                (session->count - at) * sizeof *session->outcomes);
    }
}

void outcome_epoch(struct outcome_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        struct outcome_session *session = &table->sessions[i];
        size_t kept = 0;
        for (size_t j = 0; j < session->count; j++) {
            if (session->outcomes[j].state != OUTCOME_REFUSED) {
                session->outcomes[kept++] = session->outcomes[j];
            }
        }
        session->count = kept;
    }
}
