#include "router/front/native.h"

#include <assert.h>
#include <string.h>

#include "common/mem.h"
#include "router/wire/response.h"

/* A request whose last frame has not gone out. */
struct native_open {
    uint8_t request_id[16];
    uint64_t req_id;
};

struct native_peer {
    peer_id peer;
    uint64_t client;
    size_t open_count;
    struct native_open open[NATIVE_OPEN_MAX];
};

void native_init(struct native *native, struct router *router)
{
    *native = (struct native){.router = router};
}

void native_close(struct native *native)
{
    map_close(&native->by_peer);
    map_close(&native->by_client);
    mem_free(native->peers);
    *native = (struct native){0};
}

static size_t free_place(struct native *native)
{
    for (size_t i = 0; i < native->count; i++) {
        if (native->peers[i].peer == 0) {
            return i;
        }
    }
    if (native->count == native->room) {
        native->room = native->room == 0 ? 4 : native->room * 2;
        native->peers = mem_resize(native->peers, native->room * sizeof *native->peers);
    }
    return native->count++;
}

static struct native_peer *peer_of(struct native *native, peer_id peer)
{
    uint64_t *found = map_get(&native->by_peer, peer);
    size_t place;

    if (found != NULL) {
        return &native->peers[*found];
    }
    place = free_place(native);
    native->peers[place].peer = peer;
    native->peers[place].open_count = 0;
    native->peers[place].client = router_client_open(native->router);
    (void)map_put(&native->by_peer, peer, place);
    (void)map_put(&native->by_client, native->peers[place].client, place);
    return &native->peers[place];
}

static void answer_malformed(const struct message *message, const struct request *request,
                             const struct error *err, struct outbox *out)
{
    struct bytes body = {0};
    struct response response = {
        .format = request->format,
        .request_id = request->has_id ? request->id : NULL,
        .status = error_status(err->code),
        .message = err->text,
    };

    response_encode(&body, &response);
    outbox_reply(out, message, MESSAGE_QUERY_REPLY, bytes_slice(&body));
    bytes_close(&body);
}

void native_query(struct native *native, uint64_t now_ms, const struct message *message,
                  struct outbox *out)
{
    struct native_peer *peer = peer_of(native, message->peer);
    struct request request = {0};
    struct error err = {0};

    assert(message->type == MESSAGE_QUERY);
    if (peer->open_count == NATIVE_OPEN_MAX) {
        (void)error_set(&err, E_LIMIT, "%d requests are open already", NATIVE_OPEN_MAX);
        outbox_refuse(out, message, &err);
        return;
    }
    if (message->body.size > REQUEST_BYTES_MAX) {
        (void)error_set(&err, E_LIMIT, "request of more than %d bytes", REQUEST_BYTES_MAX);
        outbox_refuse(out, message, &err);
        return;
    }
    if (request_decode(message->body, false, &request, &err) != E_OK) {
        answer_malformed(message, &request, &err, out);
        request_close(&request);
        return;
    }
    peer->open[peer->open_count].req_id = message->req_id;
    memcpy(peer->open[peer->open_count].request_id, request.id, sizeof request.id);
    peer->open_count++;
    router_request(native->router, now_ms, peer->client, &request, out);
}

bool native_response(struct native *native, struct router_response *response, struct outbox *out)
{
    uint64_t *place = map_get(&native->by_client, response->client);
    struct native_peer *peer;

    if (place == NULL) {
        return false;
    }
    peer = &native->peers[*place];
    for (size_t i = 0; i < peer->open_count; i++) {
        if (memcmp(peer->open[i].request_id, response->request_id, 16) == 0) {
            struct message *message =
                outbox_send(out, peer->peer, MESSAGE_QUERY_REPLY, bytes_slice(&response->body));
            message->req_id = peer->open[i].req_id;
            message->flags = response->is_last ? MESSAGE_LAST : 0;
            if (response->is_last) {
                /* Order matters: of two with the same id the older is answered first. */
                memmove(&peer->open[i], &peer->open[i + 1],
                        (peer->open_count - i - 1) * sizeof peer->open[0]);
                peer->open_count--;
            }
            break;
        }
    }
    bytes_close(&response->body);
    return true;
}

void native_gone(struct native *native, uint64_t now_ms, peer_id peer, struct outbox *out)
{
    uint64_t *place = map_get(&native->by_peer, peer);
    struct native_peer *gone;

    if (place == NULL) {
        return;
    }
    gone = &native->peers[*place];
    router_client_close(native->router, now_ms, gone->client, out);
    (void)map_remove(&native->by_client, gone->client);
    (void)map_remove(&native->by_peer, peer);
    gone->peer = 0;
}
