/*
 * outbox.h -- the messages that a core wants sent, in order. The host sends them after the core
 * returns.
 *
 * Cores fill it; hosts (processes over ZeroMQ, one process in memory, the simulator) drain it. The
 * host sets cluster_id, src_node, src_boot and link_seq.
 *
 * Ownership: the outbox owns all bodies until outbox_clear.
 */
#ifndef COMMON_OUTBOX_H
#define COMMON_OUTBOX_H

#include "common/arena.h"
#include "common/message.h"

struct outbox {
    struct message *items;
    size_t count;
    size_t room;
    struct arena arena; /* Bodies. */
};

void outbox_init(struct outbox *outbox);
void outbox_close(struct outbox *outbox);
void outbox_clear(struct outbox *outbox);
/* Copies the body. Gives the queued message, whose fields may still be changed before the next
 * call. */
struct message *outbox_send(struct outbox *outbox, peer_id to, enum message_type type,
                            struct slice body);
/* Answers a request: its peer, req_id, shard, epoch. */
struct message *outbox_reply(struct outbox *outbox, const struct message *request,
                             enum message_type type, struct slice body);
/* Answers with REFUSED. */
void outbox_refuse(struct outbox *outbox, const struct message *request, const struct error *err);

#endif
