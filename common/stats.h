/*
 * stats.h -- counters of one process, as Prometheus reads them.
 *
 * One table, stats.def; one struct a process, given to who counts.
 *
 * Pure.
 */
#ifndef COMMON_STATS_H
#define COMMON_STATS_H

#include "common/bytes.h"

enum stats_id {
#define STATS(id, kind, name, help) STATS_##id,
#include "common/stats.def"
#undef STATS
    STATS_COUNT
};

struct stats {
    uint64_t values[STATS_COUNT];
};

/* stats may be null: not counted. */
static inline void stats_add(struct stats *stats, enum stats_id id, uint64_t count)
{
    if (stats != NULL) {
        stats->values[id] += count;
    }
}

static inline void stats_set(struct stats *stats, enum stats_id id, uint64_t value)
{
    if (stats != NULL) {
        stats->values[id] = value;
    }
}

/* Prometheus text format 0.0.4. */
void stats_encode(struct bytes *out, const struct stats *stats);

#endif
