#include "common/once.h"

#include "common/mem.h"

#include <assert.h>
#include <string.h>

void once_init(struct once_table *table)
{
    assert(table != NULL);
    *table = (struct once_table){0};
    map_init(&table->places, NULL);
}

void once_close(struct once_table *table)
{
    assert(table != NULL);
    for (size_t i = 0; i < table->count; i++) {
        mem_free(table->sessions[i].outcomes);
    }
    mem_free(table->sessions);
    map_close(&table->places);
    *table = (struct once_table){0};
}

static struct once_session *session_of(const struct once_table *table, uint64_t sid)
{
    const uint64_t *place = map_get(&table->places, sid);

    return place == NULL ? NULL : &table->sessions[*place - 1];
}

static struct once_session *session_new(struct once_table *table, uint64_t sid)
{
    struct once_session *session = session_of(table, sid);

    if (session != NULL) {
        return session;
    }
    if (table->count == table->room) {
        table->room = table->room == 0 ? 8 : table->room * 2;
        table->sessions = mem_resize(table->sessions, table->room * sizeof *table->sessions);
    }
    session = &table->sessions[table->count++];
    *session = (struct once_session){.sid = sid};
    map_put(&table->places, sid, table->count);
    return session;
}

/* The first outcome that is not below seq. */
static size_t place_of(const struct once_session *session, uint64_t seq)
{
    size_t at = session->count;

    while (at > 0 && session->outcomes[at - 1].seq >= seq) {
        at--;
    }
    return at;
}

void once_trim(struct once_table *table, uint64_t sid, uint64_t low_seq)
{
    struct once_session *session = session_new(table, sid);

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

struct once_outcome once_find(const struct once_table *table, uint64_t sid, uint64_t seq)
{
    const struct once_session *session = session_of(table, sid);
    struct once_outcome outcome = {.seq = seq, .state = ONCE_NEW};

    if (session == NULL) {
        return outcome;
    }
    if (seq < session->low_seq) {
        outcome.state = ONCE_PAST;
        return outcome;
    }
    size_t at = place_of(session, seq);
    return at < session->count && session->outcomes[at].seq == seq ? session->outcomes[at]
                                                                   : outcome;
}

void once_put(struct once_table *table, uint64_t sid, const struct once_outcome *outcome)
{
    struct once_session *session = session_new(table, sid);
    size_t at = place_of(session, outcome->seq);

    assert(outcome->state != ONCE_NEW && outcome->state != ONCE_PAST);
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

void once_forget(struct once_table *table, uint64_t sid, uint64_t seq)
{
    struct once_session *session = session_of(table, sid);

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

void once_epoch(struct once_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        struct once_session *session = &table->sessions[i];
        size_t kept = 0;
        for (size_t j = 0; j < session->count; j++) {
            if (session->outcomes[j].state != ONCE_REFUSED) {
                session->outcomes[kept++] = session->outcomes[j];
            }
        }
        session->count = kept;
    }
}
