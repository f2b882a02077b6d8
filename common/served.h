/*
 * served.h -- how long requests between processes take, by their verb.
 *
 *   received request ... sent reply      time in this process: "served"
 *   sent request ... received reply      time until others have answered: "asked"
 *
 * A reply has the peer and req_id of its request. A request that is sent again counts from its
 * first sending; one that is never answered is forgotten when another takes its slot, so nothing
 * grows: with more than SERVED_SLOTS open at a time some times are not counted.
 *
 * Pure. Units: microseconds of one clock.
 * Limits: SERVED_SLOTS requests open in each direction; verbs are those of message.def.
 */
#ifndef COMMON_SERVED_H
#define COMMON_SERVED_H

#include "common/message.h"
#include "common/metrics.h"

enum { SERVED_SLOTS = 4096, SERVED_VERBS = 128 };

struct served_slot {
    peer_id peer; /* 0: free. */
    uint64_t req_id;
    uint64_t since_us;
    enum message_type verb;
};

struct served_way {
    struct served_slot slots[SERVED_SLOTS];
    struct metrics_histogram verbs[SERVED_VERBS];
};

struct served {
    struct served_way in;  /* Requests of others. */
    struct served_way out; /* Our own. */
};

void served_received(struct served *served, uint64_t now_us, const struct message *message);
void served_sent(struct served *served, uint64_t now_us, const struct message *message);
/* Two histograms by verb; verbs that never came are left out. */
void served_encode(struct bytes *out, const struct served *served);

#endif
