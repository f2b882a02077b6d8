#include "tests/sim/net.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { DELAY_MIN_US = 50, DELAY_HEALED_US = 300 };

uint64_t net_exponential(struct prng *prng, uint64_t mean)
{
    return (uint64_t)(-log(1.0 - prng_real(prng)) * (double)mean);
}

void net_init(struct net *net, uint64_t seed)
{
    static const uint64_t delays_us[] = {200, 500, 2000, 8000};
    static const uint64_t lates_us[] = {20000, 600000, 3000000};

    *net = (struct net){0};
    prng_init(&net->prng, seed);
    net->delay_us = delays_us[prng_below(&net->prng, 4)];
    net->loss = prng_chance(&net->prng, 0.7) ? prng_real(&net->prng) * 0.06 : 0.0;
    net->copies = prng_chance(&net->prng, 0.7) ? prng_real(&net->prng) * 0.3 : 0.0;
    net->late_us = lates_us[prng_below(&net->prng, 3)];
}

uint32_t net_send(struct net *net, uint32_t from, uint32_t to, uint64_t delays_us[NET_COPIES_MAX])
{
    uint32_t count = 0;

    assert(from < NET_PLACES_MAX && to < NET_PLACES_MAX);
    net->sent++;
    if (net->is_cut[from][to] || prng_chance(&net->prng, net->loss)) {
        net->lost++;
        return 0;
    }
    delays_us[count] = DELAY_MIN_US + net_exponential(&net->prng, net->delay_us);
    if (net->clog_us[from][to] > 0) {
        delays_us[count] += prng_below(&net->prng, net->clog_us[from][to]);
    }
    count++;
    if (prng_chance(&net->prng, net->copies)) {
        delays_us[count++] = DELAY_MIN_US + prng_below(&net->prng, net->late_us);
        net->copied++;
    }
    return count;
}

void net_cut(struct net *net, uint32_t a, uint32_t b, bool is_one_way)
{
    net->is_cut[a][b] = true;
    net->is_cut[b][a] = net->is_cut[b][a] || !is_one_way;
}

void net_clog(struct net *net, uint32_t a, uint32_t b, uint64_t us)
{
    net->clog_us[a][b] = net->clog_us[b][a] = us;
}

void net_join(struct net *net, uint32_t a, uint32_t b)
{
    net->is_cut[a][b] = net->is_cut[b][a] = false;
    net->clog_us[a][b] = net->clog_us[b][a] = 0;
}

bool net_is_whole(const struct net *net)
{
    for (uint32_t a = 0; a < NET_PLACES_MAX; a++) {
        for (uint32_t b = 0; b < NET_PLACES_MAX; b++) {
            if (net->is_cut[a][b] || net->clog_us[a][b] > 0) {
                return false;
            }
        }
    }
    return true;
}

void net_heal(struct net *net)
{
    net->loss = net->copies = 0.0;
    net->delay_us = DELAY_HEALED_US;
    memset(net->is_cut, 0, sizeof net->is_cut);
    memset(net->clog_us, 0, sizeof net->clog_us);
}
