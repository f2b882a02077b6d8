#include "tests/sim/check_list.h"

#include "common/bytes.h"
#include "common/mem.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

enum edge_kind { EDGE_WW = 1, EDGE_WR = 2, EDGE_RW = 4, EDGE_TIME = 8, EDGE_ALL = 15 };

struct edge {
    uint32_t to;
    uint32_t next;
    enum edge_kind kind;
};

/* Nodes: the transactions, then one moment for each answered one: who was told before a moment
 * precedes who asked after it. */
struct check {
    const struct history *history;
    const struct history_op **longest; /* Of each item; null: never read. */
    bool *is_in;                       /* Took effect, as far as anyone can know. */
    struct edge *edges;
    uint32_t edge_count, edge_room;
    uint32_t *first; /* Of each node. */
    uint32_t node_count;
    struct bytes *why;
};

static bool bad(struct check *check, uint32_t txn, const char *what, uint32_t item)
{
    bytes_format(check->why, "%s (item %" PRIu32 "):\n  ", what, item);
    history_dump(check->history, txn, check->why);
    return false;
}

/* ---- versions ---- */

static bool is_own_last(const struct history_op *op, uint32_t txn)
{
    return op->count > 0 && op->values[op->count - 1] == history_value(txn);
}

/* What others wrote: a transaction that reads after its own append sees that too. */
static uint32_t seen_count(const struct history_op *op, uint32_t txn)
{
    return op->count - (is_own_last(op, txn) ? 1 : 0);
}

static bool counts(const struct history_txn *txn, const struct history_op *op)
{
    return txn->outcome == HISTORY_OK && !op->is_append;
}

static void find_longest(struct check *check)
{
    const struct history *history = check->history;

    for (uint32_t i = 0; i < history->count; i++) {
        const struct history_txn *txn = &history->txns[i];
        for (uint32_t k = 0; k < txn->op_count; k++) {
            const struct history_op *op = &txn->ops[k];
            const struct history_op **longest = &check->longest[op->item];
            if (counts(txn, op) && (*longest == NULL || op->count > (*longest)->count)) {
                *longest = op;
            }
        }
    }
}

static bool appends(const struct history_txn *txn, uint32_t item)
{
    for (uint32_t k = 0; k < txn->op_count; k++) {
        if (txn->ops[k].is_append && txn->ops[k].item == item) {
            return true;
        }
    }
    return false;
}

/* The final lists: each value once, from somebody who was not told that it failed. */
static bool check_values(struct check *check, uint32_t item)
{
    const struct history *history = check->history;
    const struct history_op *list = check->longest[item];
    uint8_t *seen = mem_alloc(history->count);
    bool is_good = true;

    for (uint32_t p = 0; list != NULL && p < list->count && is_good; p++) {
        uint32_t txn = list->values[p] - 1;
        if (list->values[p] == 0 || txn >= history->count || !appends(&history->txns[txn], item)) {
            bytes_format(check->why, "a value that nobody wrote: %" PRIu32 " in item %" PRIu32 "\n",
                         list->values[p], item);
            is_good = false;
        } else if (seen[txn]++ != 0) {
            is_good = bad(check, txn, "applied twice", item);
        } else if (history->txns[txn].outcome == HISTORY_FAILED) {
            is_good = bad(check, txn, "aborted but applied", item);
        } else {
            check->is_in[txn] = true;
        }
    }
    mem_free(seen);
    return is_good;
}

static bool has(const struct history_op *list, uint32_t value)
{
    for (uint32_t p = 0; list != NULL && p < list->count; p++) {
        if (list->values[p] == value) {
            return true;
        }
    }
    return false;
}

static bool check_whole(struct check *check, uint32_t txn)
{
    const struct history_txn *of = &check->history->txns[txn];

    for (uint32_t k = 0; k < of->op_count; k++) {
        uint32_t item = of->ops[k].item;
        if (!of->ops[k].is_append || has(check->longest[item], history_value(txn))) {
            continue;
        }
        if (check->is_in[txn]) {
            return bad(check, txn, "half applied", item);
        }
        if (of->outcome == HISTORY_OK) {
            return bad(check, txn, "acknowledged lost", item);
        }
    }
    return true;
}

static bool is_list(const struct check *check, uint32_t item)
{
    return item < check->history->list_count;
}

static bool check_subset(struct check *check, uint32_t txn, const struct history_op *op)
{
    for (uint32_t p = 0; p < op->count; p++) {
        if (op->values[p] != history_value(txn) && !has(check->longest[op->item], op->values[p])) {
            return bad(check, txn, "a value was seen and is gone", op->item);
        }
    }
    return true;
}

static bool check_prefixes(struct check *check, uint32_t txn)
{
    const struct history_txn *of = &check->history->txns[txn];

    for (uint32_t k = 0; k < of->op_count; k++) {
        const struct history_op *op = &of->ops[k];
        const struct history_op *list = check->longest[op->item];
        uint32_t count = seen_count(op, txn);
        if (counts(of, op) && !is_list(check, op->item)) {
            if (!check_subset(check, txn, op)) {
                return false;
            }
            continue;
        }
        if (counts(of, op) && count > 0 &&
            memcmp(op->values, list->values, count * sizeof *op->values) != 0) {
            return bad(check, txn, "reads in different orders", op->item);
        }
    }
    return true;
}

/* ---- edges ---- */

static void add_edge(struct check *check, uint32_t from, uint32_t to, enum edge_kind kind)
{
    if (from == to) {
        return;
    }
    if (check->edge_count == check->edge_room) {
        check->edge_room = check->edge_room == 0 ? 4096 : check->edge_room * 2;
        check->edges = mem_resize(check->edges, check->edge_room * sizeof *check->edges);
    }
    check->edges[check->edge_count] =
        (struct edge){.to = to, .next = check->first[from], .kind = kind};
    check->first[from] = check->edge_count++;
}

static void add_ww(struct check *check)
{
    for (uint32_t item = 0; item < check->history->list_count; item++) {
        const struct history_op *list = check->longest[item];
        for (uint32_t p = 1; list != NULL && p < list->count; p++) {
            add_edge(check, list->values[p - 1] - 1, list->values[p] - 1, EDGE_WW);
        }
    }
}

/* Who is seen comes before the reader, who is not comes after. */
static void add_set_read(struct check *check, uint32_t txn, const struct history_op *op)
{
    const struct history_op *all = check->longest[op->item];

    for (uint32_t p = 0; p < all->count; p++) {
        if (has(op, all->values[p])) {
            add_edge(check, all->values[p] - 1, txn, EDGE_WR);
        } else {
            add_edge(check, txn, all->values[p] - 1, EDGE_RW);
        }
    }
}

static void add_reads(struct check *check, uint32_t txn)
{
    const struct history_txn *of = &check->history->txns[txn];

    for (uint32_t k = 0; k < of->op_count; k++) {
        const struct history_op *op = &of->ops[k];
        const struct history_op *list = check->longest[op->item];
        if (op->is_append || of->outcome != HISTORY_OK) {
            continue;
        }
        if (!is_list(check, op->item)) {
            add_set_read(check, txn, op);
            continue;
        }
        uint32_t count = seen_count(op, txn);
        if (count > 0) {
            add_edge(check, list->values[count - 1] - 1, txn, EDGE_WR);
        }
        if (count < list->count) {
            add_edge(check, txn, list->values[count] - 1, EDGE_RW);
        }
    }
}

struct moment {
    uint64_t told_us;
    uint32_t txn;
};

static int by_told(const void *a, const void *b)
{
    const struct moment *x = a;
    const struct moment *y = b;

    return x->told_us != y->told_us ? (x->told_us < y->told_us ? -1 : 1)
                                    : (x->txn > y->txn) - (x->txn < y->txn);
}

static void add_time(struct check *check)
{
    const struct history *history = check->history;
    struct moment *moments = mem_array(history->count + 1, sizeof *moments);
    uint32_t count = 0;

    for (uint32_t i = 0; i < history->count; i++) {
        if (history->txns[i].outcome == HISTORY_OK) {
            moments[count++] = (struct moment){history->txns[i].told_us, i};
        }
    }
    qsort(moments, count, sizeof *moments, by_told);
    for (uint32_t i = 0; i < count; i++) {
        add_edge(check, moments[i].txn, history->count + i, EDGE_TIME);
        if (i > 0) {
            add_edge(check, history->count + i - 1, history->count + i, EDGE_TIME);
        }
    }
    for (uint32_t i = 0; i < history->count; i++) {
        uint32_t low = 0;
        uint32_t high = count;
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            if (moments[middle].told_us < history->txns[i].asked_us) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if (low > 0 && (check->is_in[i] || history->txns[i].outcome == HISTORY_OK)) {
            add_edge(check, history->count + low - 1, i, EDGE_TIME);
        }
    }
    mem_free(moments);
}

/* ---- cycles ---- */

struct tarjan {
    uint32_t *number, *low, *stack, *calls, *at; /* at: the next edge of a node. */
    bool *is_on;
    uint32_t next, stack_count, call_count;
};

static uint32_t next_edge(const struct check *check, uint32_t edge, unsigned kinds)
{
    while (edge != NONE && (check->edges[edge].kind & kinds) == 0) {
        edge = check->edges[edge].next;
    }
    return edge;
}

static void enter(struct tarjan *t, const struct check *check, uint32_t node)
{
    t->number[node] = t->low[node] = ++t->next;
    t->stack[t->stack_count++] = node;
    t->is_on[node] = true;
    t->at[node] = check->first[node];
    t->calls[t->call_count++] = node;
}

/* Takes a finished component off the stack; true if it has several nodes. */
static bool leave(struct tarjan *t, uint32_t node)
{
    uint32_t taken;
    uint32_t size = 0;

    if (t->low[node] != t->number[node]) {
        return false;
    }
    do {
        taken = t->stack[--t->stack_count];
        t->is_on[taken] = false;
        size++;
    } while (taken != node);
    return size > 1;
}

static uint32_t visit(struct tarjan *t, const struct check *check, uint32_t root, unsigned kinds)
{
    uint32_t found = NONE;

    enter(t, check, root);
    while (t->call_count > 0 && found == NONE) {
        uint32_t node = t->calls[t->call_count - 1];
        uint32_t edge = next_edge(check, t->at[node], kinds);
        if (edge == NONE) {
            t->call_count--;
            found = leave(t, node) ? node : NONE;
            if (t->call_count > 0) {
                uint32_t above = t->calls[t->call_count - 1];
                t->low[above] = t->low[node] < t->low[above] ? t->low[node] : t->low[above];
            }
            continue;
        }
        t->at[node] = check->edges[edge].next;
        uint32_t to = check->edges[edge].to;
        if (t->number[to] == 0) {
            enter(t, check, to);
        } else if (t->is_on[to] && t->number[to] < t->low[node]) {
            t->low[node] = t->number[to];
        }
    }
    return found;
}

/* A node of a cycle made of these kinds of edges, or NONE. */
static uint32_t find_cycle(const struct check *check, unsigned kinds)
{
    size_t n = check->node_count;
    struct tarjan t = {.number = mem_array(n, sizeof(uint32_t)),
                       .low = mem_array(n, sizeof(uint32_t)),
                       .stack = mem_array(n, sizeof(uint32_t)),
                       .calls = mem_array(n, sizeof(uint32_t)),
                       .at = mem_array(n, sizeof(uint32_t)),
                       .is_on = mem_array(n, sizeof(bool))};
    uint32_t found = NONE;

    for (uint32_t i = 0; i < check->node_count && found == NONE; i++) {
        if (t.number[i] == 0) {
            found = visit(&t, check, i, kinds);
        }
    }
    mem_free(t.number);
    mem_free(t.low);
    mem_free(t.stack);
    mem_free(t.calls);
    mem_free(t.at);
    mem_free(t.is_on);
    return found;
}

/* The shortest way from a node back to itself: parent[] holds the edge that led to each node. */
static uint32_t walk_back(const struct check *check, uint32_t start, unsigned kinds, uint32_t *from,
                          uint32_t *by)
{
    uint32_t *queue = mem_array(check->node_count + 1, sizeof *queue);
    uint32_t head = 0;
    uint32_t tail = 0;
    bool is_closed = false;

    memset(from, 0xff, check->node_count * sizeof *from);
    queue[tail++] = start;
    while (head < tail && !is_closed) {
        uint32_t node = queue[head++];
        for (uint32_t edge = next_edge(check, check->first[node], kinds); edge != NONE;
             edge = next_edge(check, check->edges[edge].next, kinds)) {
            uint32_t to = check->edges[edge].to;
            if (from[to] == NONE) {
                from[to] = node;
                by[to] = edge;
                queue[tail++] = to;
                is_closed = is_closed || to == start;
            }
        }
    }
    mem_free(queue);
    return is_closed ? from[start] : NONE;
}

/* Both ends of an rw edge read the same version of the item that both append to. */
static bool is_lost_update(const struct check *check, uint32_t a, uint32_t b)
{
    const struct history_txn *x = &check->history->txns[a];
    const struct history_txn *y = &check->history->txns[b];

    for (uint32_t i = 0; i < x->op_count; i++) {
        for (uint32_t k = 0; k < y->op_count; k++) {
            const struct history_op *p = &x->ops[i];
            const struct history_op *q = &y->ops[k];
            if (!p->is_append && !q->is_append && p->item == q->item && appends(x, p->item) &&
                appends(y, q->item) && seen_count(p, a) == seen_count(q, b)) {
                return true;
            }
        }
    }
    return false;
}

static const char *name_cycle(const struct check *check, uint32_t start, const uint32_t *from,
                              const uint32_t *by)
{
    unsigned kinds = 0;
    uint32_t rw_count = 0;
    uint32_t node = start;
    bool is_lost = false;

    do {
        enum edge_kind kind = check->edges[by[node]].kind;
        kinds |= kind;
        rw_count += kind == EDGE_RW;
        is_lost = is_lost || (kind == EDGE_RW && is_lost_update(check, from[node], node));
        node = from[node];
    } while (node != start);
    if ((kinds & EDGE_TIME) != 0) {
        return "stale: the order contradicts real time";
    }
    if (is_lost) {
        return "lost update";
    }
    if (rw_count > 0) {
        return rw_count == 1 ? "G-single (read skew)" : "G2 (write skew)";
    }
    return (kinds & EDGE_WR) != 0 ? "G1c (circular information flow)" : "G0 (write cycle)";
}

static void tell_cycle(struct check *check, uint32_t start, unsigned kinds)
{
    uint32_t *from = mem_array(check->node_count, sizeof *from);
    uint32_t *by = mem_array(check->node_count, sizeof *by);
    uint32_t node = walk_back(check, start, kinds, from, by);

    assert(node != NONE);
    bytes_format(check->why, "cycle, not strictly serializable: %s\n",
                 name_cycle(check, start, from, by));
    node = start;
    do {
        const char *kind = "real time";
        switch (check->edges[by[node]].kind) {
        case EDGE_WW:
            kind = "ww";
            break;
        case EDGE_WR:
            kind = "wr";
            break;
        case EDGE_RW:
            kind = "rw";
            break;
        case EDGE_TIME:
        case EDGE_ALL:
            break;
        }
        if (node < check->history->count) {
            bytes_format(check->why, "  -%s-> ", kind);
            history_dump(check->history, node, check->why);
        }
        node = from[node];
    } while (node != start);
    mem_free(from);
    mem_free(by);
}

static bool check_cycles(struct check *check)
{
    static const unsigned steps[] = {EDGE_WW, EDGE_WW | EDGE_WR, EDGE_WW | EDGE_WR | EDGE_RW,
                                     EDGE_ALL};

    if (find_cycle(check, EDGE_ALL) == NONE) {
        return true;
    }
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        uint32_t node = find_cycle(check, steps[i]);
        if (node != NONE) {
            tell_cycle(check, node, steps[i]);
            break;
        }
    }
    return false;
}

bool check_list(const struct history *history, struct bytes *why)
{
    uint32_t nodes = history->count * 2 + 1;
    struct check check = {.history = history,
                          .longest = mem_array(history->item_count, sizeof(struct history_op *)),
                          .is_in = mem_array(history->count, sizeof(bool)),
                          .first = mem_array(nodes, sizeof(uint32_t)),
                          .node_count = nodes,
                          .why = why};
    bool is_good = true;

    memset(check.first, 0xff, nodes * sizeof *check.first);
    find_longest(&check);
    for (uint32_t i = 0; i < history->item_count && is_good; i++) {
        is_good = check_values(&check, i);
    }
    for (uint32_t i = 0; i < history->count && is_good; i++) {
        is_good = check_whole(&check, i) && check_prefixes(&check, i);
    }
    if (is_good) {
        add_ww(&check);
        for (uint32_t i = 0; i < history->count; i++) {
            add_reads(&check, i);
        }
        add_time(&check);
        is_good = check_cycles(&check);
    }
    mem_free(check.longest);
    mem_free(check.is_in);
    mem_free(check.first);
    mem_free(check.edges);
    return is_good;
}
