#include "common/outbox.h"

#include "common/mem.h"

#include <assert.h>

void outbox_init(struct outbox *outbox)
{
    assert(outbox != NULL);
    *outbox = (struct outbox){0};
    arena_init(&outbox->arena, 0);
}

void outbox_close(struct outbox *outbox)
{
    assert(outbox != NULL);
    arena_close(&outbox->arena);
    mem_free(outbox->items);
    *outbox = (struct outbox){0};
}

void outbox_clear(struct outbox *outbox)
{
    assert(outbox != NULL);
    arena_reset(&outbox->arena);
    outbox->count = 0;
}

struct message *outbox_send(struct outbox *outbox, peer_id to, enum message_type type,
                            struct slice body)
{
    assert(outbox != NULL);
    assert(to != 0);
    if (outbox->count == outbox->room) {
        outbox->room = outbox->room == 0 ? 64 : outbox->room * 2;
        outbox->items = mem_resize(outbox->items, outbox->room * sizeof *outbox->items);
    }
    struct message *message = &outbox->items[outbox->count++];
    *message = (struct message){.type = type, .peer = to};
    if (body.size > 0) {
        message->body = slice_of(arena_copy(&outbox->arena, body.data, body.size), body.size);
    }
    return message;
}

struct message *outbox_reply(struct outbox *outbox, const struct message *request,
                             enum message_type type, struct slice body)
{
    assert(request != NULL);
    struct message *message = outbox_send(outbox, request->peer, type, body);
    message->flags = MESSAGE_LAST;
    message->req_id = request->req_id;
    message->shard = request->shard;
    message->epoch = request->epoch;
    return message;
}

void outbox_refuse(struct outbox *outbox, const struct message *request, const struct error *err)
{
    struct bytes body;

    assert(err != NULL && err->code != E_OK);
    bytes_init(&body, 0);
    message_refuse(&body, err);
    outbox_reply(outbox, request, MESSAGE_REFUSED, bytes_slice(&body));
    bytes_close(&body);
}
