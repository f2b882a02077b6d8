#include "router/run/router_session.h"

#include "common/mem.h"

#include <assert.h>

static void free_session(struct router_session *session)
{
    transaction_free(&session->txn);
    mem_free((void *)(uintptr_t)session->name.data);
    session->router->session_count--;
    mem_free(session);
}

struct router_session *router_session_of(struct router *router, uint64_t client, struct slice name,
                                         struct error *err)
{
    struct router_session *session = router->sessions;

    while (session != NULL && (session->is_closed || !slice_equal(session->name, name))) {
        session = session->next;
    }
    if (session != NULL && session->client != client) {
        error_set(err, E_EVALUATION, "the session belongs to another connection");
        return NULL;
    }
    if (session == NULL) {
        if (router->session_count == router->options.sessions_max) {
            error_set(err, E_LIMIT, "there are %u sessions already", router->session_count);
            return NULL;
        }
        session = mem_alloc(sizeof *session);
        session->router = router;
        session->name = slice_of(mem_copy(name.data, name.size), name.size);
        session->client = client;
        session->next = router->sessions;
        router->sessions = session;
        router->session_count++;
    }
    session->used_ms = router->now_ms;
    return session;
}

void router_session_end(struct router_session *session)
{
    session->is_closed = true;
    if (session->running == NULL) {
        transaction_free(&session->txn);
    }
}

static bool is_idle(const struct router_session *session)
{
    const struct router *router = session->router;

    return session->waiting == 0 &&
           router->now_ms - session->used_ms >= router->options.session_idle_ms;
}

void router_session_sweep(struct router *router)
{
    struct router_session **at = &router->sessions;

    while (*at != NULL) {
        struct router_session *session = *at;
        if (session->waiting == 0 && (session->is_closed || is_idle(session))) {
            *at = session->next;
            free_session(session);
        } else {
            at = &session->next;
        }
    }
}

uint64_t router_session_deadline(const struct router *router)
{
    uint64_t first = UINT64_MAX;

    for (const struct router_session *session = router->sessions; session != NULL;
         session = session->next) {
        uint64_t end = session->used_ms + router->options.session_idle_ms;
        if (session->waiting == 0) {
            first = session->is_closed ? 0 : end < first ? end : first;
        }
    }
    return first;
}

void router_session_end_client(struct router *router, uint64_t client)
{
    for (struct router_session *session = router->sessions; session != NULL;
         session = session->next) {
        if (session->client == client && !session->is_closed) {
            router_session_end(session);
        }
    }
}
