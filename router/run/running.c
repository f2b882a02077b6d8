#include "router/run/running.h"

#include "router/run/query.h"
#include "router/run/router_session.h"

enum { TEXT_MAX = 200 /* Of a query, in the dump. */ };

static uint64_t now_us(const struct router *router)
{
    return router->options.micros != NULL ? router->options.micros() : router->now_ms * 1000;
}

void running_begin(struct query *query)
{
    uint64_t waited_ms = query->router->now_ms - query->arrived_ms;

    query->began_us = now_us(query->router) - waited_ms * 1000;
}

static enum router_kind kind_of(const struct query *query)
{
    enum router_kind kind = query->request.op == REQUEST_UNKNOWN ? ROUTER_LOAD : ROUTER_READ;

    if (query->is_failed) {
        return ROUTER_FAILED;
    }
    for (uint32_t i = 0; query->entry != NULL && i < query->entry->statement_count; i++) {
        const struct plan *plan = query->entry->statements[i].plan;
        kind = plan != NULL && plan->is_write ? ROUTER_WRITE : kind;
    }
    return kind;
}

void running_end(struct query *query)
{
    uint64_t now = now_us(query->router);

    metrics_observe(&query->router->times[kind_of(query)],
                    now > query->began_us ? now - query->began_us : 0);
}

void running_dump(const struct router *router, struct bytes *out)
{
    static const char *const states[] = {"waiting", "running", "committing", "over"};

    bytes_format(out, "router %u: %u queries, %u waiting, %u sessions, %zu clients\n",
                 router->options.node, router->query_count, router->admission.waiting,
                 router->session_count, router->clients.count);
    for (const struct query *query = router->queries; query != NULL; query = query->next) {
        struct slice text = query->request.gremlin;
        bytes_format(out, "query of client %llu, %s for %llu ms, attempt %u: %.*s\n",
                     (unsigned long long)query->client, states[query->state],
                     (unsigned long long)(router->now_ms - query->arrived_ms), query->attempts + 1,
                     (int)(text.size < TEXT_MAX ? text.size : TEXT_MAX),
                     text.size == 0 ? "(bytecode)" : (const char *)text.data);
    }
}
