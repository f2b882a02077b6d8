/*
 * net.h -- a bad network: how often and how late each copy of a message arrives.
 *
 * Delays are exponential, so messages overtake each other; some get lost, some come twice, the
 * second copy much later; pairs of processes are cut off from each other, both ways or one way, or
 * the link between them is clogged.
 *
 * Pure. Units: microseconds.
 */
#ifndef TESTS_SIM_NET_H
#define TESTS_SIM_NET_H

#include "common/prng.h"

enum { NET_PLACES_MAX = 16, NET_COPIES_MAX = 2 };

struct net {
    struct prng prng;
    double loss, copies;                              /* Probabilities. */
    uint64_t delay_us;                                /* Mean. */
    uint64_t late_us;                                 /* Second copies come up to so much later. */
    bool is_cut[NET_PLACES_MAX][NET_PLACES_MAX];      /* [from][to] */
    uint64_t clog_us[NET_PLACES_MAX][NET_PLACES_MAX]; /* So much later, each message. */
    uint64_t sent, lost, copied;
};

/* Draws a character of the network from the seed. */
void net_init(struct net *net, uint64_t seed);
/* Gives the delays of the copies that arrive: 0 to NET_COPIES_MAX. */
uint32_t net_send(struct net *net, uint32_t from, uint32_t to, uint64_t delays_us[NET_COPIES_MAX]);
void net_cut(struct net *net, uint32_t a, uint32_t b, bool is_one_way);
/* Messages between them are late by up to us from now on. */
void net_clog(struct net *net, uint32_t a, uint32_t b, uint64_t us);
void net_join(struct net *net, uint32_t a, uint32_t b);
/* No pair is cut off or clogged. */
bool net_is_whole(const struct net *net);
/* No losses, copies or cuts any more. */
void net_heal(struct net *net);
/* With the given mean. */
uint64_t net_exponential(struct prng *prng, uint64_t mean);

#endif
