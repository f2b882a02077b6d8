/*
 * exec.h -- one run of a plan: memory, transaction, side effects, deadline, and its place in the
 * router.
 *
 * Memory. `arena` holds what lives as long as the run, operators included. `stream` holds what
 * traversers carry (paths, elements of hops, values made of them): an operator that makes many of
 * one input marks it and releases behind itself, once nobody behind it needs what it gave before
 * (op.h, "Holding"). So a query without barriers needs memory for the batches under way only,
 * whatever the number of its results.
 *
 * Pure but for the outbox it fills. Ownership: exec_close closes operators and fetches.
 * Limits: deadline, memory (arena limit), results; E_TIMEOUT, E_LIMIT.
 */
#ifndef ROUTER_OP_EXEC_H
#define ROUTER_OP_EXEC_H

#include "common/map.h"
#include "common/prng.h"
#include "router/op/idset.h"
#include "router/op/op.h"
#include "router/remote/remote.h"

enum { EXEC_SHARE = 4 /* Queries that share a turn, when they have much to do. */ };

struct side_effect {
    struct slice key;
    struct value value;      /* As cap() gives it: LIST, BULKSET, MAP ... */
    enum enumerator reducer; /* withSideEffect(key, v, operator); ENUMERATOR_COUNT: none. */
    void *state; /* Of the operators that fill it (aggregate, group): see op/effect.h. */
};

struct exec {
    struct arena arena;  /* Whole query; limit query_memory_max, the stream's bytes included. */
    struct arena stream; /* What traversers carry. */
    struct map_text symbols;  /* Labels and keys that shards have told, one copy of each. */
    const struct plan *plan;
    struct pipeline root;
    struct transaction *txn;  /* Buffered changes, read sets, graph. Not owned. */
    struct remote *remote;    /* Map, sending, waiting fetches. Not owned. */
    uint64_t now_ms;          /* Of this turn. */
    uint64_t deadline_ms;     /* 0: none. */
    uint64_t (*micros)(void); /* The host's clock; null: none. */
    bool is_timed; /* Operators are timed and their requests counted, as for profile(). */
    uint64_t turn_us;         /* Of `micros` in one pull at the root; 0: 2,500. */
    uint64_t held_bytes;      /* Most that one operator held on the heap: op/quota.h. */
    bool is_cancelled;
    bool is_yielding; /* WAIT was for time, not for a shard: pull again in the next turn. */
    struct error error;
    int status_hint; /* Client status for fail() and the like; 0: by code. */
    struct slice fail_message;
    struct prng prng;
    uint32_t side_effect_count;
    uint32_t side_effect_room;
    struct side_effect **side_effects;
    uint32_t waiting;    /* Fetches without their answer. */
    struct idset loaded; /* Vertices whose properties were read (load.c), and their values: */
    struct value *loaded_values;
    uint32_t loaded_room;
    struct op *ops;       /* All operators, newest first. */
    uint32_t depth;       /* Of the children being built. */
    uint32_t budget;      /* Rows that may still be worked on before this turn yields. */
    uint64_t turn_end_us; /* By `micros`: when this turn yields; 0: by rows alone. */
    bool is_holding; /* Whoever pulls the root still looks at batches given before. */
    bool is_free;    /* In a pull: what the operator gave before is not needed any more. */
    bool has_moved;       /* A batch was given in this turn, so yielding cannot stand still. */
};

/* The caller seeds prng and sets arena.limit_bytes and deadline_ms afterwards. Keeps plan, txn,
 * remote. Returns E_LIMIT for children nested too deep, and what operators say when they are
 * opened. */
int exec_open(struct exec *exec, const struct plan *plan, struct transaction *txn,
              struct remote *remote, struct error *err);
/* One copy of a text that shards tell again and again, valid as long as the exec. */
struct slice exec_symbol(struct exec *exec, struct slice text);
/* Bytes that the run holds in its arenas. */
size_t exec_memory(const struct exec *exec);
/* One pull at the root, as much work as a turn may do. WAIT: pull again when `waiting` has
 * changed, or, if is_yielding, in the next turn. */
enum pull exec_pull(struct exec *exec, uint64_t now_ms, struct batch *out);
void exec_close(struct exec *exec);
/* Null if there is none of that key. */
struct side_effect *exec_side_effect(struct exec *exec, struct slice key);
/* Made with a NULL value if there is none. Valid as long as the exec. */
struct side_effect *exec_side_effect_make(struct exec *exec, struct slice key);
/* Metrics of the run for profile(): a METRICS value in the arena. */
struct value exec_profile(struct exec *exec, struct arena *arena);

#endif
