/*
 * sendq.h -- messages that cannot be sent now, in order, each until its time is over.
 *
 * Pure. Ownership: copies bodies, owns them.
 * Limits: SENDQ_BYTES_MAX of bodies, SENDQ_COUNT_MAX messages.
 */
#ifndef COMMON_SENDQ_H
#define COMMON_SENDQ_H

#include "common/message.h"

enum {
    SENDQ_BYTES_MAX = 64 << 20,
    SENDQ_COUNT_MAX = 65536,
    SENDQ_PATIENCE_MS = 1000 /* Of a message without a deadline. */
};

struct sendq_item {
    struct message message;
    uint64_t expires_ms;
};

struct sendq {
    struct sendq_item *items; /* A ring. */
    size_t room;              /* A power of two or 0. */
    size_t head;
    size_t count;
    size_t size_bytes;
};

void sendq_close(struct sendq *queue);
/* Returns false if it is full. */
bool sendq_push(struct sendq *queue, uint64_t now_ms, const struct message *message);
/* The oldest; null: empty. Valid until the next call. */
struct sendq_item *sendq_front(struct sendq *queue);
void sendq_pop(struct sendq *queue);

#endif
