#include "router/run/admission.h"

#include "common/mem.h"
#include "router/core.h"

#include <assert.h>

struct admission_entry {
    struct admission_entry *next;
    struct request request;
    uint64_t arrived_ms;
    uint64_t due_ms;
    size_t bytes;
};

static struct core_client *find(const struct router *router, uint64_t client)
{
    const uint64_t *at = map_get(&router->clients, client);

    return at == NULL ? NULL : (struct core_client *)(uintptr_t)*at;
}

/* ---- the ring ---- */

static bool may_run(const struct router *router, const struct core_client *client)
{
    uint32_t share = router->options.client_queries_max;

    return client->admission.running < share && router->query_count < router->options.queries_max;
}

/* Behind the others, if it waits and may have one more. */
static void enter_ring(struct router *router, struct core_client *client)
{
    struct admission *admission = &router->admission;
    struct admission_client *own = &client->admission;

    if (own->is_in_ring || own->waiting == 0 ||
        own->running >= router->options.client_queries_max) {
        return;
    }
    own->is_in_ring = true;
    own->next = NULL;
    *(admission->last == NULL ? &admission->first : &admission->last->admission.next) = client;
    admission->last = client;
}

static struct core_client *leave_ring(struct router *router)
{
    struct admission *admission = &router->admission;
    struct core_client *client = admission->first;

    admission->first = client->admission.next;
    if (admission->first == NULL) {
        admission->last = NULL;
    }
    client->admission.is_in_ring = false;
    client->admission.next = NULL;
    return client;
}

/* ---- requests that wait ---- */

static void push(struct router *router, struct core_client *client, struct request *request)
{
    struct admission *admission = &router->admission;
    struct admission_client *own = &client->admission;
    struct admission_entry *entry = mem_alloc(sizeof *entry);
    bool is_default = !request->has_timeout || request->timeout_ms == 0;

    entry->arrived_ms = router->now_ms;
    entry->due_ms =
        router->now_ms + (is_default ? router->options.deadline_ms : request->timeout_ms);
    entry->bytes = sizeof *entry + request->arena.used_bytes;
    entry->request = *request;
    *request = (struct request){0};
    *(own->last == NULL ? &own->first : &own->last->next) = entry;
    own->last = entry;
    own->waiting++;
    admission->waiting++;
    admission->bytes += entry->bytes;
    if (admission->due_ms == 0 || entry->due_ms < admission->due_ms) {
        admission->due_ms = entry->due_ms;
    }
    enter_ring(router, client);
}

/* Takes the one at *at out of the client's; previous: the one before it, or null. */
static struct admission_entry *take_out(struct router *router, struct core_client *client,
                                        struct admission_entry **at,
                                        struct admission_entry *previous)
{
    struct admission *admission = &router->admission;
    struct admission_client *own = &client->admission;
    struct admission_entry *entry = *at;

    assert(own->waiting > 0 && admission->waiting > 0 && admission->bytes >= entry->bytes);
    *at = entry->next;
    if (own->last == entry) {
        own->last = previous;
    }
    own->waiting--;
    admission->waiting--;
    admission->bytes -= entry->bytes;
    if (admission->waiting == 0) {
        admission->due_ms = 0;
    }
    return entry;
}

int admission_request(struct router *router, struct core_client *client, struct request *request,
                      struct error *err)
{
    struct admission *admission = &router->admission;

    if (client->admission.waiting == 0 && admission->first == NULL && may_run(router, client)) {
        router_begin(router, client->client, request, router->now_ms);
        return E_OK;
    }
    if (client->admission.waiting >= ADMISSION_WAITING_MAX) {
        return error_set(err, E_LIMIT, "%u requests of this connection wait already",
                         client->admission.waiting);
    }
    if (admission->bytes + request->arena.used_bytes > router->options.query_memory_max) {
        return error_set(err, E_LIMIT, "%u requests that wait hold %llu bytes already",
                         admission->waiting, (unsigned long long)admission->bytes);
    }
    push(router, client, request);
    return E_OK;
}

/* ---- turns ---- */

static void fail_late(struct router *router, struct core_client *client,
                      struct admission_entry *entry)
{
    struct error err = {0};

    (void)error_set(&err, E_TIMEOUT, "no place for the query within %llu ms: %u queries run",
                    (unsigned long long)(entry->due_ms - entry->arrived_ms), router->query_count);
    router_fail(router, &entry->request, client->client, error_status(E_TIMEOUT), &err,
                (struct slice){0});
    request_close(&entry->request);
    mem_free(entry);
}

/* Looks at all that wait, when one of them is late. */
static void end_late(struct router *router)
{
    struct admission *admission = &router->admission;
    uint64_t due_ms = UINT64_MAX;

    if (admission->due_ms == 0 || router->now_ms < admission->due_ms) {
        return;
    }
    for (size_t i = 0; i < router->clients.count; i++) {
        struct core_client *client =
            (struct core_client *)(uintptr_t)router->clients.entries[i].value;
        struct admission_entry **at = &client->admission.first, *previous = NULL;
        while (*at != NULL) {
            if ((*at)->due_ms <= router->now_ms) {
                fail_late(router, client, take_out(router, client, at, previous));
            } else {
                due_ms = (*at)->due_ms < due_ms ? (*at)->due_ms : due_ms;
                previous = *at;
                at = &previous->next;
            }
        }
    }
    admission->due_ms = admission->waiting == 0 ? 0 : due_ms;
}

void admission_turn(struct router *router)
{
    struct admission *admission = &router->admission;

    end_late(router);
    while (admission->first != NULL && router->query_count < router->options.queries_max) {
        struct core_client *client = leave_ring(router);
        struct admission_entry *entry;
        if (client->admission.waiting == 0 || !may_run(router, client)) {
            continue; /* Its requests were late; or it comes back when one of its queries ends. */
        }
        entry = take_out(router, client, &client->admission.first, NULL);
        router_begin(router, client->client, &entry->request, entry->arrived_ms);
        mem_free(entry);
        enter_ring(router, client);
    }
}

uint64_t admission_deadline(const struct router *router)
{
    const struct admission *admission = &router->admission;

    if (admission->first != NULL && router->query_count < router->options.queries_max) {
        return 0;
    }
    return admission->due_ms == 0 ? UINT64_MAX : admission->due_ms;
}

void admission_began(struct router *router, uint64_t client)
{
    struct core_client *found = find(router, client);

    if (found != NULL) {
        found->admission.running++;
    }
}

void admission_ended(struct router *router, uint64_t client)
{
    struct core_client *found = find(router, client);

    if (found != NULL) {
        assert(found->admission.running > 0);
        found->admission.running--;
        enter_ring(router, found);
    }
}

void admission_client_close(struct router *router, struct core_client *client)
{
    struct admission *admission = &router->admission;
    struct core_client *last = NULL;

    while (client->admission.first != NULL) {
        struct admission_entry *entry = take_out(router, client, &client->admission.first, NULL);
        request_close(&entry->request);
        mem_free(entry);
    }
    if (!client->admission.is_in_ring) {
        return;
    }
    for (struct core_client **at = &admission->first; *at != NULL;) {
        if (*at == client) {
            *at = client->admission.next;
        } else {
            last = *at;
            at = &last->admission.next;
        }
    }
    admission->last = last;
    client->admission.is_in_ring = false;
}
