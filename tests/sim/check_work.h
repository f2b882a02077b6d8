/*
 * check_work.h -- counters and edges: what was acknowledged is there, what failed is not,
 * nothing twice.
 */
#ifndef TESTS_SIM_CHECK_WORK_H
#define TESTS_SIM_CHECK_WORK_H

#include "tests/sim/check_store.h"
#include "tests/sim/workload.h"

/* last: the value read after healing. */
bool check_work_counter(const struct workload *workload, uint32_t counter, uint32_t last,
                        struct bytes *why);
bool check_work_edges(const struct workload *workload, const struct check_store *store,
                      struct bytes *why);

#endif
