/*
 * link.h -- one process that we call: a connection, its greeting, heartbeat, credit and what waits
 * for it.
 *
 *             link_open           WELCOME                   no sign of life for silence_ms
 *   CLOSED ----------> GREETING ----------> UP -----------------------------------> GREETING
 *                         ^  |               |  could not be sent; "HELLO first"    (new socket)
 *                         |  | REFUSED       `----> GREETING
 *                         |  v
 *                        REFUSED (another cluster, version, node): tried again each ping_ms * 4
 *
 * Until UP messages wait in a queue, each until its deadline. Sent: in order, numbered by
 * link_seq, as far as the other side gives credit (messages and bytes since HELLO). What is lost
 * with a connection is not repeated here: cores do that.
 *
 * Shell.
 */
#ifndef COMMON_LINK_H
#define COMMON_LINK_H

#include "common/sendq.h"
#include "common/wire.h"

enum { LINK_ADDRESS_MAX = 256 };

enum link_state { LINK_CLOSED, LINK_GREETING, LINK_UP, LINK_REFUSED };

struct link {
    peer_id peer; /* PEER_NODE. */
    enum link_state state;
    void *socket;
    bool is_hello_sent; /* In GREETING. */
    uint64_t boot;      /* Of the other side, from WELCOME. */
    uint64_t seq_in;
    uint64_t heard_ms;
    uint64_t pinged_ms;
    uint64_t sent_messages; /* Since HELLO. */
    uint64_t sent_bytes;
    uint64_t messages_max; /* Credit, since HELLO. */
    uint64_t bytes_max;
    struct sendq queue;
    char address[LINK_ADDRESS_MAX];
    struct error refusal;
};

/* Connects; the greeting follows by link_tick. */
int link_open(struct link *link, struct wire *wire, uint64_t now_ms, peer_id peer,
              const char *address, struct error *err);
/* What waits is refused to our own core. */
void link_close(struct link *link, struct wire *wire);
void link_send(struct link *link, struct wire *wire, uint64_t now_ms,
               const struct message *message);
/* The next message for the core. */
bool link_recv(struct link *link, struct wire *wire, uint64_t now_ms, struct message *message);
/* Greets, pings, sends what waits, gives up what is late. Returns false if silent for too long:
 * close and open it. */
bool link_tick(struct link *link, struct wire *wire, uint64_t now_ms);
/* There is something to receive, or the greeting can be sent now. */
bool link_has_input(const struct link *link);
uint64_t link_deadline(const struct link *link, const struct wire *wire);

#endif
