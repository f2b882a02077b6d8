#include "tests/sim/check_work.h"

#include <inttypes.h>
#include <string.h>

enum { EDGE_ID = 1000 };

static uint32_t counted(const struct workload *workload, uint32_t counter, size_t place)
{
    uint32_t value;

    memcpy(&value, workload->counted[counter].data + place * sizeof value, sizeof value);
    return value;
}

bool check_work_counter(const struct workload *workload, uint32_t counter, uint32_t last,
                        struct bytes *why)
{
    uint32_t ok = workload->counted_ok[counter];
    uint32_t unknown = workload->counted_unknown[counter];
    size_t count = workload->counted[counter].size / sizeof(uint32_t);

    if (last < ok || last > ok + unknown) {
        bytes_format(why,
                     "%s: counter %" PRIu32 " is %" PRIu32 ", acknowledged %" PRIu32
                     ", unknown %" PRIu32 "\n",
                     last < ok ? "lost update" : "applied twice, or aborted but applied", counter,
                     last, ok, unknown);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (counted(workload, counter, i) == counted(workload, counter, k)) {
                bytes_format(why, "lost update: counter %" PRIu32 " gave %" PRIu32 " twice\n",
                             counter, counted(workload, counter, i));
                return false;
            }
        }
    }
    return true;
}

static bool concerns(const struct workload *workload, const struct workload_drop *drop,
                     uint32_t edge)
{
    const struct workload_edge *of = &workload->edges[edge];

    return drop->is_vertex ? drop->number == of->a || drop->number == of->b : drop->number == edge;
}

static bool check_edge(const struct workload *workload, uint32_t edge, bool is_there,
                       struct bytes *why)
{
    const struct workload_edge *of = &workload->edges[edge];
    bool may_go = false;
    bool must_go = false;

    for (uint32_t i = 0; i < workload->drop_count; i++) {
        const struct workload_drop *drop = &workload->drops[i];
        if (!concerns(workload, drop, edge) || drop->outcome == HISTORY_FAILED) {
            continue;
        }
        may_go = true;
        must_go = must_go || (drop->outcome == HISTORY_OK && of->insert == HISTORY_OK &&
                              drop->asked_us > of->told_us);
    }
    const char *what = is_there && of->insert == HISTORY_FAILED           ? "aborted but applied"
                       : is_there && must_go                              ? "dropped, but there"
                       : !is_there && of->insert == HISTORY_OK && !may_go ? "acknowledged lost"
                                                                          : NULL;
    if (what != NULL) {
        bytes_format(why, "%s: edge %" PRIu32 "\n", what, EDGE_ID + edge);
    }
    return what == NULL;
}

bool check_work_edges(const struct workload *workload, const struct check_store *store,
                      struct bytes *why)
{
    bool is_good = true;

    for (uint32_t i = 0; i < workload->edge_count; i++) {
        is_good = check_edge(workload, i, check_store_has(store, EDGE_ID + i), why) && is_good;
    }
    for (uint32_t i = 1; i < store->out_count; i++) {
        if (store->out[i].edge == store->out[i - 1].edge) {
            bytes_format(why, "applied twice: edge %" PRId64 "\n", store->out[i].edge);
            is_good = false;
        }
    }
    return is_good;
}
