#include "common/sendq.h"

#include <assert.h>
#include <string.h>

#include "common/mem.h"

void sendq_close(struct sendq *queue)
{
    while (queue->count > 0) {
        sendq_pop(queue);
    }
    mem_free(queue->items);
    *queue = (struct sendq){0};
}

static void grow(struct sendq *queue)
{
    size_t room = queue->room == 0 ? 16 : queue->room * 2;
    struct sendq_item *items = mem_array(room, sizeof *items);

    for (size_t i = 0; i < queue->count; i++) {
        items[i] = queue->items[(queue->head + i) & (queue->room - 1)];
    }
    mem_free(queue->items);
    queue->items = items;
    queue->room = room;
    queue->head = 0;
}

bool sendq_push(struct sendq *queue, uint64_t now_ms, const struct message *message)
{
    struct sendq_item *item;
    uint32_t patience = message->deadline_ms == 0 ? SENDQ_PATIENCE_MS : message->deadline_ms;

    if (queue->count >= SENDQ_COUNT_MAX ||
        queue->size_bytes + message->body.size > SENDQ_BYTES_MAX) {
        return false;
    }
    if (queue->count == queue->room) {
        grow(queue);
    }
    item = &queue->items[(queue->head + queue->count++) & (queue->room - 1)];
    *item = (struct sendq_item){.message = *message, .expires_ms = now_ms + patience};
    item->message.body.data = mem_copy(message->body.data, message->body.size);
    queue->size_bytes += message->body.size;
    return true;
}

struct sendq_item *sendq_front(struct sendq *queue)
{
    return queue->count == 0 ? NULL : &queue->items[queue->head];
}

void sendq_pop(struct sendq *queue)
{
    struct sendq_item *item = sendq_front(queue);
    void *body;

    assert(item != NULL);
    assert(queue->size_bytes >= item->message.body.size);
    memcpy(&body, &item->message.body.data, sizeof body);
    queue->size_bytes -= item->message.body.size;
    mem_free(body);
    queue->head = (queue->head + 1) & (queue->room - 1);
    queue->count--;
}
