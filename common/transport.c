#include "common/transport.h"

#include <assert.h>
#include <string.h>
#include <zmq.h>

#include "common/caller.h"
#include "common/link.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/stats.h"

struct transport {
    struct wire wire;
    struct caller_plane planes[TRANSPORT_PLANES_MAX];
    size_t plane_count;
    struct callers callers;
    struct link **links;
    size_t link_count;
    size_t link_room;
    struct map link_places; /* Peer -> place in links. */
    size_t cursor;          /* Socket that is read next: planes, then links. */
    const char *(*address)(void *ctx, peer_id peer);
    void *ctx;
};

static int open_planes(struct transport *transport, const struct transport_options *options,
                       struct error *err)
{
    for (size_t i = 0; i < options->plane_count; i++) {
        struct caller_plane *plane = &transport->planes[i];
        int rc = wire_socket(&transport->wire, (enum peer_role)0, options->planes[i].bind,
                             &plane->socket, err);
        if (rc != E_OK) {
            return rc;
        }
        plane->roles = options->planes[i].roles == 0 ? ~0U : options->planes[i].roles;
        transport->plane_count++;
    }
    return E_OK;
}

int transport_open(struct transport **transport, const struct transport_options *options,
                   struct error *err)
{
    struct transport *opened = mem_alloc(sizeof *opened);
    int rc;

    assert(options->plane_count <= TRANSPORT_PLANES_MAX);
    assert(options->boot != 0);
    opened->wire = (struct wire){
        .role = options->role,
        .node = options->node,
        .boot = options->boot,
        .cluster_id = options->cluster_id,
        .ping_ms = options->ping_ms == 0 ? 500 : options->ping_ms,
        .silence_ms = options->silence_ms == 0 ? 3000 : options->silence_ms,
        .keys = options->keys,
        .log = options->log,
        .stats = options->stats,
    };
    opened->address = options->address;
    opened->ctx = options->ctx;
    rc = wire_open(&opened->wire, err);
    if (rc == E_OK) {
        rc = open_planes(opened, options, err);
    }
    if (rc != E_OK) {
        transport_close(&opened);
        return rc;
    }
    *transport = opened;
    return E_OK;
}

void transport_close(struct transport **transport)
{
    struct transport *closed = *transport;

    if (closed == NULL) {
        return;
    }
    for (size_t i = 0; i < closed->link_count; i++) {
        link_close(closed->links[i], &closed->wire);
        mem_free(closed->links[i]);
    }
    mem_free(closed->links);
    map_close(&closed->link_places);
    caller_close(&closed->callers);
    for (size_t i = 0; i < closed->plane_count; i++) {
        wire_socket_close(&closed->wire, &closed->planes[i].socket);
    }
    wire_close(&closed->wire);
    mem_free(closed);
    *transport = NULL;
}

static struct link *find_link(const struct transport *transport, peer_id peer)
{
    uint64_t *place = map_get(&transport->link_places, peer);

    return place == NULL ? NULL : transport->links[*place];
}

static struct link *add_link(struct transport *transport, peer_id peer)
{
    struct link *link = mem_alloc(sizeof *link);

    if (transport->link_count == transport->link_room) {
        transport->link_room = transport->link_room == 0 ? 16 : transport->link_room * 2;
        transport->links = (struct link **)mem_resize(
            transport->links, transport->link_room * sizeof *transport->links);
    }
    (void)map_put(&transport->link_places, peer, transport->link_count);
    transport->links[transport->link_count++] = link;
    return link;
}

/* Gives a link that is open, or null and why not. */
static struct link *reach(struct transport *transport, uint64_t now_ms, peer_id peer,
                          struct error *err)
{
    struct link *link = find_link(transport, peer);
    const char *address;

    if (link != NULL && link->state != LINK_CLOSED) {
        return link;
    }
    address = transport->address == NULL ? NULL : transport->address(transport->ctx, peer);
    if (address == NULL) {
        (void)error_set(err, E_UNAVAILABLE, "address of node %u is not known", (uint32_t)peer);
        return NULL;
    }
    if (link == NULL && transport->link_count >= TRANSPORT_LINKS_MAX) {
        (void)error_set(err, E_LIMIT, "more than %d processes to call", TRANSPORT_LINKS_MAX);
        return NULL;
    }
    if (link == NULL) {
        link = add_link(transport, peer);
    }
    if (link_open(link, &transport->wire, now_ms, peer, address, err) != E_OK) {
        return NULL;
    }
    (void)link_tick(link, &transport->wire, now_ms);
    return link;
}

void transport_send(struct transport *transport, uint64_t now_ms, struct outbox *outbox)
{
    for (size_t i = 0; i < outbox->count; i++) {
        const struct message *message = &outbox->items[i];
        struct error err = {0};
        struct link *link;
        if ((message->peer & PEER_CALLER_BIT) != 0) {
            caller_send(&transport->callers, &transport->wire, now_ms, transport->planes, message);
            continue;
        }
        link = reach(transport, now_ms, message->peer, &err);
        if (link == NULL) {
            wire_refuse_local(&transport->wire, message, &err);
        } else {
            link_send(link, &transport->wire, now_ms, message);
        }
    }
    outbox_clear(outbox);
}

static bool recv_local(struct wire *wire, struct message *message)
{
    if (wire->local_taken < wire->local.count) {
        *message = wire->local.items[wire->local_taken++];
        return true;
    }
    if (wire->local.count > 0) {
        outbox_clear(&wire->local);
        wire->local_taken = 0;
    }
    return false;
}

static bool recv_from(struct transport *transport, uint64_t now_ms, size_t socket,
                      struct message *message)
{
    if (socket < transport->plane_count) {
        return caller_recv(&transport->callers, &transport->wire, now_ms, transport->planes, socket,
                           message);
    }
    return link_recv(transport->links[socket - transport->plane_count], &transport->wire, now_ms,
                     message);
}

bool transport_recv(struct transport *transport, uint64_t now_ms, struct message *message)
{
    size_t count = transport->plane_count + transport->link_count;

    zap_drain(&transport->wire.zap);
    if (recv_local(&transport->wire, message)) {
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        size_t socket = transport->cursor % count;
        transport->cursor = socket + 1;
        if (recv_from(transport, now_ms, socket, message)) {
            return true;
        }
    }
    return recv_local(&transport->wire, message);
}

/* The address may have changed: asked for again. */
static void reopen(struct transport *transport, uint64_t now_ms, struct link *link)
{
    peer_id peer = link->peer;
    struct link old = *link;
    struct error err = {0};
    const char *address =
        transport->address == NULL ? NULL : transport->address(transport->ctx, peer);

    if (old.state == LINK_UP) {
        stats_add(transport->wire.stats, STATS_LINKS_REOPENED, 1);
        log_warn(transport->wire.log, "transport", "address=%s msg=\"silent, connecting anew\"",
                 old.address);
    }
    if (address == NULL) {
        link_close(link, &transport->wire);
        return;
    }
    wire_socket_close(&transport->wire, &link->socket);
    link->state = LINK_CLOSED;
    if (link_open(link, &transport->wire, now_ms, peer, address, &err) != E_OK) {
        log_error(transport->wire.log, "transport", "address=%s msg=\"%s\"", address, err.text);
        *link = old;
        link->socket = NULL;
        link_close(link, &transport->wire);
    }
}

void transport_tick(struct transport *transport, uint64_t now_ms)
{
    uint64_t up = 0;

    for (size_t i = 0; i < transport->link_count; i++) {
        struct link *link = transport->links[i];
        if (link->state == LINK_CLOSED) {
            continue;
        }
        if (!link_tick(link, &transport->wire, now_ms)) {
            reopen(transport, now_ms, link);
        }
        up += link->state == LINK_UP;
    }
    stats_set(transport->wire.stats, STATS_LINKS_UP, up);
    caller_tick(&transport->callers, &transport->wire, now_ms, transport->planes);
}

uint64_t transport_deadline(const struct transport *transport, uint64_t now_ms)
{
    uint64_t at = caller_deadline(&transport->callers, now_ms);

    if (transport->wire.local_taken < transport->wire.local.count) {
        return now_ms;
    }
    for (size_t i = 0; i < transport->link_count; i++) {
        const struct link *link = transport->links[i];
        if (link->state != LINK_CLOSED && link_deadline(link, &transport->wire) < at) {
            at = link_deadline(link, &transport->wire);
        }
    }
    return at;
}

int transport_fd(const struct transport *transport)
{
    return transport->wire.epoll_fd;
}

bool transport_has_input(struct transport *transport)
{
    bool has_input = transport->wire.local_taken < transport->wire.local.count;

    zap_drain(&transport->wire.zap);
    for (size_t i = 0; i < transport->plane_count; i++) {
        bool has_message;
        bool has_room;
        wire_refresh(transport->planes[i].socket, &has_message, &has_room);
        has_input |= has_message;
    }
    for (size_t i = 0; i < transport->link_count; i++) {
        has_input |= link_has_input(transport->links[i]);
    }
    return has_input;
}

peer_id transport_gone(struct transport *transport)
{
    return caller_gone(&transport->callers);
}

int transport_bound(const struct transport *transport, size_t plane, char *buffer, size_t size)
{
    assert(plane < transport->plane_count);
    if (zmq_getsockopt(transport->planes[plane].socket, ZMQ_LAST_ENDPOINT, buffer, &size) != 0) {
        return E_IO;
    }
    return E_OK;
}

bool transport_is_up(const struct transport *transport, peer_id peer)
{
    struct link *link = find_link(transport, peer);

    return link != NULL && link->state == LINK_UP;
}
