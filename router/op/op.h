/*
 * op.h -- operators: the running form of plan steps, pulled in batches.
 *
 * A pipeline is a chain of operators; op_pull(last) asks its input in turn. All that survives a
 * WAIT is in the operator's struct. A pull that gives WAIT has asked the shards for something
 * (remote/fetch.h) and is called again after exec_wake().
 *
 *        +--------+   pull   +-------+   pull   +------+
 * exec ->| values |--------->|  has  |--------->| hop  |---> fetch ---> outbox
 *        +--------+  <-batch +-------+  <-batch +------+
 *
 * Tags. Operators that keep state over traversers (count, limit, order, dedup, group, fold ...)
 * keep it per tag, 0 <= tag < op->tags. The root has one tag, 0. child.h runs a local child for a
 * batch: tags are positions in that batch. A global child (body of repeat(), branch of union())
 * keeps the tags of the operator that runs it, and is entered by some of them only.
 *
 * Reducing operators (count, fold, sum, group, cap ...) drain their input to DONE, then give, in
 * the order of tags, one result for each tag with op_is_asked(op, tag), even if no traverser of
 * that tag arrived (count 0, an empty list; sum, min, max and mean give nothing). Asked are the
 * tags that *entered* the pipeline, whatever was filtered on the way: all of a local child and of
 * the root, those of the traversers that entered a global child. Results are made by op_start: no
 * path before them.
 *
 * Restarts. op_reset_all is for the next run of a child (all state goes; op->tags may have changed
 * before). In a body of repeat(), operators see class->round between rounds instead of reset: null
 * means reset, as limit and count want it; dedup keeps what it has seen and forgets only that it
 * was done.
 *
 * Holding. What traversers carry is in exec->stream, which grows and is released like a stack:
 * operators of the root take a mark before they give (op_mark) and release to it when they are
 * pulled again (op_release), if nobody behind them holds what they gave. Who that is, is told by
 * exec->is_free: op_pull passes it down through operators that give before they ask for more
 * (HOLDS_NOTHING), sets it below those that keep nothing of a traverser but a number (HOLDS_SUMS),
 * and clears it below all others. An operator that gathers several batches clears it itself once
 * it has something (op_pull_more).
 *
 * Labels. op_pull attaches the as() labels of the step to all that comes out; operators need not.
 *
 * One file an operator; it exports one symbol, <name>_class, and has one row in ops.def.
 * Pure. Ownership: operators are in the exec's arena; what they hold beyond (batches, maps) is
 * given back in close.
 */
#ifndef ROUTER_OP_OP_H
#define ROUTER_OP_OP_H

#include "common/element.h"
#include "router/plan/plan.h"

struct exec;
struct op;

enum {
    OP_BATCH = 1024,   /* Rows that a batch has usually. */
    OP_WIDE = 16384,   /* Rows that op_gather puts together. */
    OP_GATHER = 65536, /* Traversers that a hop gathers before it asks the shards. */
    OP_LOOPS_MAX = 8   /* Nesting of repeat(). */
};

enum pull {
    PULL_BATCH, /* `*out` holds at least one traverser. */
    PULL_DONE,  /* No more, ever (until reset). */
    PULL_WAIT,  /* Nothing now; pull again after exec_wake(). */
    PULL_ERROR  /* exec->error says why; the query is over. */
};

/* Where a traverser has been, newest first; shared between traversers, never changed once shared.
 * */
struct path_node {
    const struct path_node *previous;
    struct value value;
    uint32_t label_count; /* All labels of this position. */
    const struct slice *labels;
    uint32_t depth; /* Positions up to and with this one. */
};

/* Loop counters of the repeat()s around: innermost first. Shared, never changed once shared. */
struct loop_node {
    const struct loop_node *outer;
    uint32_t loops;
    struct slice name; /* repeat('name', ...); empty: none. */
};

struct traverser {
    struct value value;
    uint64_t bulk;                 /* At least 1. */
    const struct path_node *path;  /* Null when paths are not needed. */
    const struct loop_node *loops; /* Null outside repeat(). */
    const struct value *sack;      /* Null: none. */
    uint32_t tag;                  /* Which traverser of the enclosing step it comes from. */
    uint32_t mark;                 /* For the operator that holds it. */
    bool is_placed;                /* The head of path is this value. */
};

struct batch {
    struct traverser *items;
    uint32_t count;
    uint32_t room;
};

/* What an operator keeps of its input when it asks for more: see Holding. */
enum op_holds {
    HOLDS_ALL,     /* Anything, for as long as the query runs: side effects, changes. */
    HOLDS_RUN,     /* Anything, until it is reset: order, dedup, fold, barrier. */
    HOLDS_NOTHING, /* All is given before the next batch is asked for. */
    HOLDS_SUMS     /* Nothing of what is in exec->stream. */
};

struct op_class {
    const char *name; /* As in profile() and explain output. */
    enum op_holds holds;
    size_t size;      /* Of the operator's struct, which starts with `struct op`. */
    /* Prepares a zeroed struct after op->plan and op->input are set. May be null. */
    int (*open)(struct op *op, struct exec *exec);
    enum pull (*pull)(struct op *op, struct exec *exec, struct batch *out);
    /* Back to the start, for the next run of a child. May be null. */
    void (*reset)(struct op *op, struct exec *exec);
    /* The next round of a loop begins. Null: reset is called. */
    void (*round)(struct op *op, struct exec *exec);
    void (*close)(struct op *op); /* May be null. */
};

/* Requests to one shard, for profile(). */
struct op_shard {
    uint32_t shard;
    uint32_t requests;
};

struct op_stats {
    uint64_t pulls, rows_out, bulk_out;
    /* For profile(): */
    uint64_t busy_us;       /* In pulls, those of its input included. */
    uint64_t wait_us;       /* Between a WAIT and what came of it. */
    uint64_t wait_since_us; /* 0: does not wait. */
    /* Filled by fetch.h: */
    uint64_t requests, bytes, scanned, shard_micros;
    struct op_shard *shards; /* Only of a plan with profile(). In the exec's arena. */
    uint32_t shard_count;
    struct slice access; /* As the last shard told: "label index". In the exec's arena. */
};

struct op {
    const struct op_class *class;
    const struct plan_step *plan;
    struct op *input; /* Null for sources. */
    uint32_t tags;    /* Number of tags of this run; set on the whole pipeline by op_set_tags. */
    const uint8_t *asked;  /* A byte a tag: it entered. Null: all did. */
    bool is_done;          /* pull has returned DONE. */
    struct op_stats stats; /* For profile(). */
    struct op *older;      /* All of the exec, newest first: for profile(). */
    uint32_t depth;        /* Of children: 0 for the root. */
    enum op_holds holds;   /* As the class says; HOLDS_ALL too if a child's operators may. */
};

/* ---- pipelines ---- */

struct pipeline {
    struct op *first; /* Its input: op_entry for children, or a source. */
    struct op *last;
    uint32_t count;
};

/* Operators for all steps of a traversal, chained behind `input` (null for the root). */
int op_build(struct exec *exec, const struct plan_traversal *traversal, struct op *input,
             struct pipeline *out);
void op_reset_all(struct pipeline *pipeline, struct exec *exec);
/* class->round for all: see Restarts. */
void op_round_all(struct pipeline *pipeline, struct exec *exec);
/* Before op_reset_all. Keeps `asked` (may be null: all). */
void op_set_tags(struct pipeline *pipeline, uint32_t tags, const uint8_t *asked);
void op_close_all(struct pipeline *pipeline);

static inline bool op_is_asked(const struct op *op, uint32_t tag)
{
    return op->asked == NULL || op->asked[tag] != 0;
}

/* Every pull goes through here: clears `out`, counts rows, checks deadline, cancel and memory,
 * asserts that a BATCH is not empty, attaches as() labels to what comes out. DONE stays DONE until
 * reset. */
enum pull op_pull(struct op *op, struct exec *exec, struct batch *out);
/* For work that no rows show: takes it off what this turn may do, as if so many rows had passed.
 * Once nothing is left, the next op_pull gives WAIT until the next turn. */
void op_charge(struct exec *exec, uint64_t rows);

/* op_pull of the input by an operator that gathers: has_some, it holds what came before. */
enum pull op_pull_more(struct op *op, struct exec *exec, struct batch *out, bool has_some);
/* What is in exec->stream now stays as long as the operator gives of it. */
struct arena_mark op_mark(const struct exec *exec);
/* Releases what came after the mark, if nobody needs it. */
void op_release(const struct op *op, struct exec *exec, const struct arena_mark *mark);
/* Releases what came after the mark and is known not to be needed: of children that have run. */
void op_forget(const struct op *op, struct exec *exec, const struct arena_mark *mark);
/* Bytes of exec->stream that an operator may gather before it goes on with what it has. */
size_t op_stream_max(const struct exec *exec);
/* Whether it has, since the stream had so many bytes. */
bool op_has_gathered(const struct exec *exec, size_t since);

/* For operators that run children or ask the shards for each of their batches: gathers the input
 * into ever larger ones, so that the requests of a long input stay few and a limit() is served
 * early. */
struct op_gather {
    struct batch pulled;
    uint32_t goal; /* Traversers wanted; doubles. */
    bool is_open;  /* A WAIT came while gathering. */
    size_t since;  /* Bytes of the stream when it had nothing. */
};

/* Like op_pull of the operator's input: BATCH with `in` filled, DONE, WAIT, ERROR. Gives one batch
 * at a time if the plan bounds the rows. */
enum pull op_gather(struct op *op, struct exec *exec, struct op_gather *gather, struct batch *in);
void op_gather_reset(struct op_gather *gather);
void op_gather_close(struct op_gather *gather);

/* ---- batches ---- */

void batch_clear(struct batch *batch);
void batch_close(struct batch *batch);
/* Gives the next free slot, zeroed but for bulk 1. */
struct traverser *batch_add(struct batch *batch);
void batch_push(struct batch *batch, const struct traverser *traverser);

/* ---- what operators do to traversers ---- */

/* A successor of `from` with a new value: path extended as the plan needs; bulk, loops, sack and
 * tag kept. */
struct traverser op_split(struct op *op, struct exec *exec, const struct traverser *from,
                          struct value value);
/* A traverser out of nothing: results of reducing operators, start steps. */
struct traverser op_start(struct op *op, struct exec *exec, uint32_t tag, struct value value);
/* Adds labels to the traverser's place in its path. op_pull does it for the step's own as(). */
void op_label(struct exec *exec, struct traverser *traverser, const struct slice *labels,
              uint32_t label_count);
/* Reports an error and returns PULL_ERROR. */
enum pull op_fail(struct exec *exec, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
