/*
 * caller.h -- the processes that call us: who they are, by their HELLO, and the way back to them.
 *
 *   socket, route -> caller {role, node, boot} -> handle for the core
 *
 * A handle stands for one boot of a process, not for a connection: after a reconnection replies
 * take the new one. Before HELLO everything is refused. A caller that is silent for
 * CALLER_SILENCE_MS is forgotten; caller_gone tells.
 *
 * Shell. Limits: CALLER_MAX callers at a time; further ones are refused.
 */
#ifndef COMMON_CALLER_H
#define COMMON_CALLER_H

#include "common/map.h"
#include "common/sendq.h"
#include "common/wire.h"

enum { CALLER_MAX = 4096, CALLER_SILENCE_MS = 10000 };

/* Which roles may call: bits by enum peer_role. */
#define CALLER_ROLE(role) (1U << (role))

/* One socket that we listen on. */
struct caller_plane {
    void *socket;
    unsigned roles; /* CALLER_ROLE of those that may call. */
};

struct caller {
    peer_id handle;
    size_t plane;
    uint64_t route;
    enum peer_role role;
    uint32_t node;
    uint64_t boot;
    uint64_t seq_in;
    uint64_t heard_ms;
    uint64_t messages; /* Taken since HELLO. */
    uint64_t bytes;
    uint64_t messages_max; /* Credit told. */
    uint64_t bytes_max;
    struct sendq queue; /* Replies that a full pipe did not take. */
};

struct callers {
    struct caller **items;
    size_t count;
    size_t room;
    struct map by_route;  /* Plane and route -> handle. */
    struct map by_handle; /* -> place in items. */
    uint64_t next_handle;
    peer_id *gone; /* Not yet told. */
    size_t gone_count;
    size_t gone_room;
};

void caller_close(struct callers *callers);
/* The next message for the core from one plane. */
bool caller_recv(struct callers *callers, struct wire *wire, uint64_t now_ms,
                 const struct caller_plane *planes, size_t plane, struct message *message);
/* A reply. To who is gone: dropped. */
void caller_send(struct callers *callers, struct wire *wire, uint64_t now_ms,
                 const struct caller_plane *planes, const struct message *message);
/* Sends what waits, forgets who is silent. */
void caller_tick(struct callers *callers, struct wire *wire, uint64_t now_ms,
                 const struct caller_plane *planes);
/* A handle that will not be heard of again; 0: none. */
peer_id caller_gone(struct callers *callers);
uint64_t caller_deadline(const struct callers *callers, uint64_t now_ms);

#endif
