/*
 * fakecheck.h -- a query over the modern graph and the lines it must give, with and without
 * waiting for shards.
 */
#ifndef TESTS_LIB_FAKECHECK_H
#define TESTS_LIB_FAKECHECK_H

#include <check.h>

#include "tests/lib/fakegraph.h"

enum { FAKECHECK_WAITS = 3 };

struct fakecheck {
    const char *query;
    const char *lines; /* In order. */
};

/* Each query on a fresh graph. */
static inline void fakecheck_all(const struct fakecheck *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (uint32_t waits = 0; waits < FAKECHECK_WAITS; waits++) {
            struct fakegraph graph;
            fakegraph_init(&graph);
            fakegraph_modern(&graph);
            graph.waits = waits;
            const char *lines = fakegraph_query(&graph, cases[i].query, true);
            ck_assert_msg(strcmp(lines, cases[i].lines) == 0, "%s\n(%u waits) gave:\n%snot:\n%s",
                          cases[i].query, waits, lines, cases[i].lines);
            fakegraph_close(&graph);
        }
    }
}

#define FAKECHECK_ALL(cases) fakecheck_all(cases, sizeof(cases) / sizeof(cases)[0])

#endif
