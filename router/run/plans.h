/*
 * plans.h -- requests made ready to run: texts parsed, plans built, kept for the next request of
 * the same text.
 *
 *   key = text, bindings as bytes  -->  statements: plan, how it ends, options of with()
 *
 * Bytecode is planned anew each time: drivers seldom send the same bytes twice, and it needs no
 * parser.
 *
 * Pure. Ownership: the cache owns entries; plans_get gives one that plans_release gives back.
 * Limits: PLANS_MAX kept, the one used longest ago goes first.
 */
#ifndef ROUTER_RUN_PLANS_H
#define ROUTER_RUN_PLANS_H

#include "common/map.h"
#include "router/gremlin/gremlin.h"
#include "router/plan/plan.h"

enum {
    PLANS_MAX = 1024,
    PLANS_TEXT_MAX = 16384 /* Longer texts are not kept. */
};

/* What with() in the query itself says, as OptionsStrategy does. */
struct plans_options {
    bool has_timeout;
    uint32_t timeout_ms;
    uint32_t batch_size; /* 0: not given. */
};

struct plans_statement {
    struct plan *plan; /* Null: tx, or the empty query. */
    const struct bytecode *bytecode;
    enum gremlin_terminal terminal;
    uint64_t count;
    enum request_tx tx;
    bool is_text;
};

struct plans_entry {
    struct arena arena; /* Bytecode of texts. */
    uint32_t statement_count;
    struct plans_statement *statements;
    struct plans_options options;
    uint32_t users;
    bool is_kept; /* In the cache. */
    struct slice key;
    struct plans_entry *newer, *older;
};

struct plans {
    struct map_text by_key;
    struct plans_entry *newest, *oldest;
    uint64_t hits, misses;
};

void plans_init(struct plans *plans);
/* All entries must have been released. */
void plans_close(struct plans *plans);
/* The entry of a request (EVAL or BYTECODE); null with err. */
struct plans_entry *plans_get(struct plans *plans, const struct request *request, uint64_t wall_ms,
                              struct prng *prng, struct error *err);
void plans_release(struct plans *plans, struct plans_entry **entry);

#endif
