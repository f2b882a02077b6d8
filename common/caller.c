#include "common/caller.h"

#include <assert.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/stats.h"

enum {
    FLUSH_MS = 5, /* A full pipe is tried again so often. */
    TICK_MS = 1000
};

void caller_close(struct callers *callers)
{
    for (size_t i = 0; i < callers->count; i++) {
        sendq_close(&callers->items[i]->queue);
        mem_free(callers->items[i]);
    }
    mem_free(callers->items);
    mem_free(callers->gone);
    map_close(&callers->by_route);
    map_close(&callers->by_handle);
    *callers = (struct callers){0};
}

/* Routes have 32 significant bits. */
static uint64_t route_key(size_t plane, uint64_t route)
{
    return (uint64_t)plane << 40 | route;
}

static struct caller *find_handle(const struct callers *callers, peer_id handle)
{
    uint64_t *place = map_get(&callers->by_handle, handle);

    return place == NULL ? NULL : callers->items[*place];
}

static struct caller *find_route(const struct callers *callers, size_t plane, uint64_t route)
{
    uint64_t *handle = map_get(&callers->by_route, route_key(plane, route));

    return handle == NULL ? NULL : find_handle(callers, *handle);
}

static struct caller *find_boot(const struct callers *callers, enum peer_role role, uint32_t node,
                                uint64_t boot)
{
    for (size_t i = 0; i < callers->count; i++) {
        struct caller *caller = callers->items[i];
        if (caller->boot == boot && caller->node == node && caller->role == role) {
            return caller;
        }
    }
    return NULL;
}

static struct caller *add(struct callers *callers)
{
    struct caller *caller = mem_alloc(sizeof *caller);

    if (callers->count == callers->room) {
        callers->room = callers->room == 0 ? 16 : callers->room * 2;
        callers->items =
            (struct caller **)mem_resize(callers->items, callers->room * sizeof *callers->items);
    }
    caller->handle = PEER_CALLER_BIT | ++callers->next_handle;
    (void)map_put(&callers->by_handle, caller->handle, callers->count);
    callers->items[callers->count++] = caller;
    return caller;
}

static void forget(struct callers *callers, size_t place)
{
    struct caller *caller = callers->items[place];

    if (callers->gone_count == callers->gone_room) {
        callers->gone_room = callers->gone_room == 0 ? 16 : callers->gone_room * 2;
        callers->gone =
            (peer_id *)mem_resize(callers->gone, callers->gone_room * sizeof *callers->gone);
    }
    callers->gone[callers->gone_count++] = caller->handle;
    if (find_route(callers, caller->plane, caller->route) == caller) {
        (void)map_remove(&callers->by_route, route_key(caller->plane, caller->route));
    }
    (void)map_remove(&callers->by_handle, caller->handle);
    callers->items[place] = callers->items[--callers->count];
    if (place < callers->count) {
        (void)map_put(&callers->by_handle, callers->items[place]->handle, place);
    }
    sendq_close(&caller->queue);
    mem_free(caller);
}

peer_id caller_gone(struct callers *callers)
{
    return callers->gone_count == 0 ? 0 : callers->gone[--callers->gone_count];
}

/* An answer of the transport itself: without a number. */
static void send_control(struct wire *wire, void *socket, uint64_t route,
                         const struct message *message)
{
    /* If it cannot be sent now the other side asks again. */
    (void)wire_send(wire, socket, route, message);
}

static void refuse(struct wire *wire, void *socket, uint64_t route, const struct message *request,
                   const struct error *err)
{
    struct bytes body = {0};

    stats_add(wire->stats, STATS_MESSAGES_REFUSED, 1);
    message_refuse(&body, err);
    send_control(wire, socket, route,
                 &(struct message){.type = MESSAGE_REFUSED,
                                   .flags = MESSAGE_LAST,
                                   .req_id = request->req_id,
                                   .shard = request->shard,
                                   .epoch = request->epoch,
                                   .body = bytes_slice(&body)});
    bytes_close(&body);
}

static void raise_credit(struct caller *caller)
{
    caller->messages_max = caller->messages + WIRE_WINDOW_MESSAGES;
    caller->bytes_max = caller->bytes + WIRE_WINDOW_BYTES;
}

static void send_pong(struct wire *wire, const struct caller_plane *planes, struct caller *caller)
{
    uint8_t room[32];
    struct bytes body = {.data = room, .room = sizeof room, .max = sizeof room};

    raise_credit(caller);
    bytes_varint(&body, caller->messages_max);
    bytes_varint(&body, caller->bytes_max);
    send_control(wire, planes[caller->plane].socket, caller->route,
                 &(struct message){.type = MESSAGE_PONG, .body = bytes_slice(&body)});
}

static int check_hello(const struct callers *callers, const struct wire *wire, unsigned roles,
                       const struct message *message, struct wire_hello *hello, struct error *err)
{
    int rc = wire_hello_decode(message->body, hello, err);

    if (rc != E_OK) {
        return error_set(err, E_CONFIG, "%s", err->text);
    }
    /* A tool need not know which cluster it looks at. */
    if (message->cluster_id != wire->cluster_id &&
        (hello->role != PEER_TOOL || message->cluster_id != 0)) {
        return error_set(err, E_CONFIG, "this is cluster %016llx, the caller's is %016llx",
                         (unsigned long long)wire->cluster_id,
                         (unsigned long long)message->cluster_id);
    }
    if (!wire_is_from(wire, hello->role)) {
        return error_set(err, E_CONFIG, "its key is not one of role %s",
                         keys_role_name(hello->role));
    }
    if ((roles & CALLER_ROLE(hello->role)) == 0) {
        return error_set(err, E_CONFIG, "role %d may not call this address", (int)hello->role);
    }
    if (callers->count >= CALLER_MAX) {
        return error_set(err, E_UNAVAILABLE, "%d callers already", CALLER_MAX);
    }
    return E_OK;
}

static void on_hello(struct callers *callers, struct wire *wire, const struct caller_plane *planes,
                     size_t plane, uint64_t route, const struct message *message)
{
    struct wire_hello hello = {0};
    struct error err = {0};
    uint8_t room[64];
    struct bytes body = {.data = room, .room = sizeof room, .max = sizeof room};
    struct caller *caller;

    if (check_hello(callers, wire, planes[plane].roles, message, &hello, &err) != E_OK) {
        log_warn(wire->log, "caller", "role=%d node=%u msg=\"refused\" reason=\"%s\"",
                 (int)hello.role, message->src_node, err.text);
        refuse(wire, planes[plane].socket, route, message, &err);
        return;
    }
    caller = find_boot(callers, hello.role, message->src_node, message->src_boot);
    if (caller == NULL) {
        caller = add(callers);
        caller->role = hello.role;
        caller->node = message->src_node;
        caller->boot = message->src_boot;
    } else if (find_route(callers, caller->plane, caller->route) == caller) {
        (void)map_remove(&callers->by_route, route_key(caller->plane, caller->route));
    }
    caller->plane = plane;
    caller->route = route;
    caller->messages = 0;
    caller->bytes = 0;
    (void)map_put(&callers->by_route, route_key(plane, route), caller->handle);
    raise_credit(caller);
    wire_hello_encode(wire, &body, caller->messages_max, caller->bytes_max);
    send_control(wire, planes[plane].socket, route,
                 &(struct message){.type = MESSAGE_WELCOME,
                                   .req_id = message->req_id,
                                   .body = bytes_slice(&body)});
}

/* Is this request one that may be carried out? Refused here, it never reaches the core. */
static int check_request(const struct wire *wire, const struct caller *caller,
                         const struct message *message, struct error *err)
{
    if (caller->messages > caller->messages_max) {
        return error_set(err, E_UNAVAILABLE, "busy: more than the %d messages allowed on the way",
                         WIRE_WINDOW_MESSAGES);
    }
    if (!message_allows(message->type, caller->role)) {
        return error_set(err, E_FORBIDDEN, "role %d may not send %s", (int)caller->role,
                         message_name(message->type));
    }
    if (message->dst_boot != 0 && message->dst_boot != wire->boot) {
        return error_set(err, E_WRONG_EPOCH, "meant for an earlier life of this process");
    }
    return E_OK;
}

/* Returns whether the message is for the core. */
static bool take(struct callers *callers, struct wire *wire, const struct caller_plane *planes,
                 struct caller *caller, struct message *message)
{
    struct error err = {0};

    if (message->type == MESSAGE_PING) {
        send_pong(wire, planes, caller);
        return false;
    }
    if (message->link_seq <= caller->seq_in) {
        stats_add(wire->stats, STATS_MESSAGES_STALE, 1);
        return false;
    }
    caller->seq_in = message->link_seq;
    caller->messages++;
    caller->bytes += MESSAGE_HEADER_SIZE + message->body.size;
    message->peer = caller->handle;
    if (check_request(wire, caller, message, &err) != E_OK) {
        struct outbox out;
        outbox_init(&out);
        stats_add(wire->stats, STATS_MESSAGES_REFUSED, 1);
        outbox_refuse(&out, message, &err);
        caller_send(callers, wire, caller->heard_ms, planes, &out.items[0]);
        outbox_close(&out);
        return false;
    }
    if (caller->messages + WIRE_WINDOW_MESSAGES / 2 >= caller->messages_max ||
        caller->bytes + WIRE_WINDOW_BYTES / 2 >= caller->bytes_max) {
        send_pong(wire, planes, caller);
    }
    return true;
}

bool caller_recv(struct callers *callers, struct wire *wire, uint64_t now_ms,
                 const struct caller_plane *planes, size_t plane, struct message *message)
{
    void *socket = planes[plane].socket;
    uint64_t route;

    while (wire_recv(wire, socket, &route, message)) {
        struct caller *caller = find_route(callers, plane, route);
        struct error err = {0};
        if (message->type == MESSAGE_HELLO) {
            on_hello(callers, wire, planes, plane, route, message);
            caller = find_route(callers, plane, route);
            if (caller != NULL) {
                caller->heard_ms = now_ms;
            }
            continue;
        }
        if (caller == NULL || caller->boot != message->src_boot ||
            caller->node != message->src_node) {
            (void)error_set(&err, E_UNAVAILABLE, "HELLO comes first");
            refuse(wire, socket, route, message, &err);
            continue;
        }
        caller->heard_ms = now_ms;
        if (take(callers, wire, planes, caller, message)) {
            return true;
        }
    }
    return false;
}

static int send_now(struct wire *wire, const struct caller_plane *planes, struct caller *caller,
                    const struct message *message)
{
    struct message numbered = *message;
    int rc;

    numbered.link_seq = wire->link_seq + 1;
    rc = wire_send(wire, planes[caller->plane].socket, caller->route, &numbered);
    if (rc == E_OK) {
        wire->link_seq++;
    }
    return rc;
}

void caller_send(struct callers *callers, struct wire *wire, uint64_t now_ms,
                 const struct caller_plane *planes, const struct message *message)
{
    struct caller *caller = find_handle(callers, message->peer);

    if (caller == NULL) {
        stats_add(wire->stats, STATS_MESSAGES_UNSENT, 1);
        return;
    }
    if (caller->queue.count == 0 && send_now(wire, planes, caller, message) == E_OK) {
        return;
    }
    /* The pipe is full, or the caller is connecting anew: it may still want the answer. */
    if (!sendq_push(&caller->queue, now_ms, message)) {
        stats_add(wire->stats, STATS_MESSAGES_UNSENT, 1);
        log_warn(wire->log, "caller", "role=%d node=%u msg=\"reply dropped: too much waits\"",
                 (int)caller->role, caller->node);
    }
}

static void flush(struct wire *wire, uint64_t now_ms, const struct caller_plane *planes,
                  struct caller *caller)
{
    struct sendq_item *item;

    while ((item = sendq_front(&caller->queue)) != NULL) {
        if (item->expires_ms + CALLER_SILENCE_MS <= now_ms) {
            stats_add(wire->stats, STATS_MESSAGES_UNSENT, 1);
        } else if (send_now(wire, planes, caller, &item->message) != E_OK) {
            return;
        }
        sendq_pop(&caller->queue);
    }
}

void caller_tick(struct callers *callers, struct wire *wire, uint64_t now_ms,
                 const struct caller_plane *planes)
{
    for (size_t i = 0; i < callers->count; i++) {
        struct caller *caller = callers->items[i];
        flush(wire, now_ms, planes, caller);
        if (now_ms - caller->heard_ms >= CALLER_SILENCE_MS) {
            forget(callers, i--);
        }
    }
    stats_set(wire->stats, STATS_CALLERS, callers->count);
}

uint64_t caller_deadline(const struct callers *callers, uint64_t now_ms)
{
    for (size_t i = 0; i < callers->count; i++) {
        if (callers->items[i]->queue.count > 0) {
            return now_ms + FLUSH_MS;
        }
    }
    return callers->count == 0 ? UINT64_MAX : now_ms + TICK_MS;
}
