#include "common/memory.h"

#include <assert.h>

#include "common/mem.h"

/* Messages are taken from one outbox while the other fills. */
struct memory_end {
    uint64_t boot;
    uint64_t link_seq; /* Of the last message sent. */
    peer_id peer;      /* PEER_NODE of it. */
    struct outbox filling;
    struct outbox draining;
    size_t taken; /* Of draining. */
};

void memory_init(struct memory *memory, uint64_t cluster_id)
{
    *memory = (struct memory){.cluster_id = cluster_id};
}

void memory_close(struct memory *memory)
{
    for (size_t i = 0; i < memory->count; i++) {
        outbox_close(&memory->ends[i].filling);
        outbox_close(&memory->ends[i].draining);
    }
    mem_free(memory->ends);
    *memory = (struct memory){0};
}

size_t memory_join(struct memory *memory, enum peer_role role, uint32_t node, uint64_t boot)
{
    struct memory_end *end;

    assert(memory->count < MEMORY_ENDS_MAX);
    if (memory->count == memory->room) {
        memory->room = memory->room == 0 ? 8 : memory->room * 2;
        memory->ends = mem_resize(memory->ends, memory->room * sizeof *memory->ends);
    }
    end = &memory->ends[memory->count];
    *end = (struct memory_end){.boot = boot, .peer = PEER_NODE(role, node)};
    outbox_init(&end->filling);
    outbox_init(&end->draining);
    return memory->count++;
}

void memory_leave(struct memory *memory, size_t end)
{
    assert(end < memory->count);
    memory->ends[end].peer = 0;
    outbox_clear(&memory->ends[end].filling);
    outbox_clear(&memory->ends[end].draining);
    memory->ends[end].taken = 0;
}

static struct memory_end *find(struct memory *memory, peer_id peer)
{
    for (size_t i = 0; i < memory->count; i++) {
        if (memory->ends[i].peer == peer) {
            return &memory->ends[i];
        }
    }
    return NULL;
}

static void deliver(struct memory *memory, size_t from, const struct message *message)
{
    struct memory_end *sender = &memory->ends[from];
    struct memory_end *receiver;
    struct message *copy;
    peer_id peer;

    if ((message->peer & PEER_CALLER_BIT) != 0) {
        size_t place = (size_t)(message->peer & ~PEER_CALLER_BIT);
        receiver = place < memory->count ? &memory->ends[place] : NULL;
        peer = sender->peer;
    } else {
        receiver = find(memory, message->peer);
        peer = PEER_CALLER_BIT | from;
    }
    if (receiver == NULL || receiver->peer == 0 ||
        (message->dst_boot != 0 && message->dst_boot != receiver->boot)) {
        return;
    }
    copy = outbox_send(&receiver->filling, peer, message->type, message->body);
    struct slice body = copy->body;
    *copy = *message;
    copy->body = body;
    copy->peer = peer;
    copy->cluster_id = memory->cluster_id;
    copy->src_node = (uint32_t)sender->peer;
    copy->src_boot = sender->boot;
    copy->link_seq = ++sender->link_seq;
}

void memory_send(struct memory *memory, size_t from, struct outbox *outbox)
{
    assert(from < memory->count);
    for (size_t i = 0; i < outbox->count; i++) {
        deliver(memory, from, &outbox->items[i]);
    }
    outbox_clear(outbox);
}

bool memory_recv(struct memory *memory, size_t end, struct message *message)
{
    struct memory_end *receiver;

    assert(end < memory->count);
    receiver = &memory->ends[end];
    if (receiver->taken == receiver->draining.count) {
        struct outbox drained = receiver->draining;
        outbox_clear(&drained);
        receiver->draining = receiver->filling;
        receiver->filling = drained;
        receiver->taken = 0;
        if (receiver->draining.count == 0) {
            return false;
        }
    }
    *message = receiver->draining.items[receiver->taken++];
    return true;
}

bool memory_has_input(const struct memory *memory, size_t end)
{
    assert(end < memory->count);
    return memory->ends[end].filling.count > 0 ||
           memory->ends[end].taken < memory->ends[end].draining.count;
}
