/*
 * memory.h -- messages between facades of one process: what transport.h does between processes.
 *
 *   memory_send(from router, {to PEER_NODE(SHARDD, 1), READ})
 *        -> inbox of that end:  {peer = handle of the router's end, READ}
 *   memory_send(from shardd, {to the handle, READ_REPLY})
 *        -> inbox of the router: {peer = PEER_NODE(SHARDD, 1), READ_REPLY}
 *
 * Keeps order between each two ends, loses nothing. Messages to an end that is not there are
 * dropped: as over a network, senders repeat what matters.
 *
 * Pure. Ownership: bodies are copied; a message received is valid until the next memory_recv of
 * its end. Limits: MEMORY_ENDS_MAX ends.
 */
#ifndef COMMON_MEMORY_H
#define COMMON_MEMORY_H

#include "common/outbox.h"

enum { MEMORY_ENDS_MAX = 1024 };

struct memory_end;

struct memory {
    uint64_t cluster_id;
    struct memory_end *ends;
    size_t count;
    size_t room;
};

void memory_init(struct memory *memory, uint64_t cluster_id);
void memory_close(struct memory *memory);
/* Gives the number of the new end. */
size_t memory_join(struct memory *memory, enum peer_role role, uint32_t node, uint64_t boot);
/* The process has ended: nothing reaches this end any more. */
void memory_leave(struct memory *memory, size_t end);
/* Delivers all of the outbox and clears it. */
void memory_send(struct memory *memory, size_t from, struct outbox *outbox);
/* The next message of an end; false: none now. */
bool memory_recv(struct memory *memory, size_t end, struct message *message);
bool memory_has_input(const struct memory *memory, size_t end);

#endif
