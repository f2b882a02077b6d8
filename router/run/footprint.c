#include "router/run/footprint.h"

#include "router/run/query.h"

uint64_t footprint_query(const struct query *query)
{
    uint64_t bytes = query->request.arena.used_bytes + query->results.frame_bytes +
                     query->results.body.size;

    return query->is_exec_open ? bytes + exec_memory(&query->exec) + query->exec.held_bytes : bytes;
}

static uint64_t queries_total(const struct router *router)
{
    uint64_t total = 0;

    for (const struct query *query = router->queries; query != NULL; query = query->next) {
        total += footprint_query(query);
    }
    return total;
}

uint64_t footprint_total(const struct router *router)
{
    return queries_total(router) + router->admission.bytes + router->backlog_bytes +
           router->front_bytes;
}

static bool may_end(const struct query *query)
{
    return (query->state == QUERY_WAITING || query->state == QUERY_RUNNING) &&
           footprint_query(query) >= FOOTPRINT_SMALL_BYTES;
}

static uint64_t client_total(const struct router *router, uint64_t client)
{
    uint64_t total = 0;

    for (const struct query *query = router->queries; query != NULL; query = query->next) {
        total += query->client == client ? footprint_query(query) : 0;
    }
    return total;
}

/* The largest query of the client that has most; null: none that may be ended. */
static struct query *largest(const struct router *router)
{
    struct query *found = NULL;
    uint64_t most = 0;

    for (struct query *query = router->queries; query != NULL; query = query->next) {
        uint64_t total = may_end(query) ? client_total(router, query->client) : 0;
        bool is_larger = found != NULL && total == most &&
                         footprint_query(query) > footprint_query(found);
        if (total > most || is_larger) {
            most = total;
            found = query;
        }
    }
    return found;
}

void footprint_bound(struct router *router)
{
    uint64_t max = router->options.memory_max;
    struct query *query;

    while (footprint_total(router) > max && (query = largest(router)) != NULL) {
        struct error err = {0};
        error_set(&err, E_LIMIT,
                  "the queries of all clients need more memory than memory_max, %llu bytes; this "
                  "one held %llu",
                  (unsigned long long)max, (unsigned long long)footprint_query(query));
        router->counters.ended_for_memory++;
        query_end(query, &err);
        query_free(query);
    }
}
