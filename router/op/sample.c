/*
 * sample(n): a random choice of n traversers, by weight where a by() gives one, or of n items of a
 * collection.
 *
 * Of all that come, n are wanted without putting any back. Each unit of bulk gets a key, the time
 * at which it would happen first if it happened at random with its weight as rate; the n smallest
 * keys are the sample, so no more than about twice n are held. After: Efraimidis and Spirakis,
 * "Weighted random sampling with a reservoir".
 *
 * With SeedStrategy all are held, and each choice takes one number of java.util.Random as
 * TinkerPop's SampleGlobalStep does.
 */
#include "common/mem.h"
#include "common/number.h"
#include "router/op/by_set.h"
#include "router/op/chance.h"
#include "router/op/exec.h"
#include "router/op/items.h"
#include "router/op/quota.h"
#include "router/op/slots.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PRUNE_MIN = 8192 };

/* A traverser that may be among the sample. */
struct entry {
    struct traverser traverser;
    double key; /* With a seed: the weight. */
    uint64_t serial;
};

/* Sums of weights: a binary indexed tree (Fenwick). */
struct sums {
    double *nodes; /* From 1. */
    uint32_t count;
};

struct sample {
    struct op op;
    struct chance chance;
    struct by_set bys;
    struct batch in;
    bool is_seeing; /* The by() of the batch in `in` is being run. */
    bool is_drained;
    struct entry *entries; /* On the heap. */
    uint32_t count, room;
    uint32_t limit;  /* Entries at which they are pruned. */
    uint64_t serial; /* Of the next traverser. */
    uint32_t at;     /* Entries given. */
    /* With a seed: of the tag whose entries begin at `at`. */
    struct sums sums;
    double total;
    uint64_t wanted; /* Still to choose; 0: the tag has not begun. */
};

static const struct plan_sample *plan_of(const struct sample *self)
{
    return self->op.plan->params;
}

static int open(struct op *op, struct exec *exec)
{
    struct sample *self = (struct sample *)op;
    const struct plan_sample *plan = plan_of(self);

    chance_open(&self->chance, exec);
    self->limit = PRUNE_MIN;
    return by_set_open(&self->bys, exec, op->plan, plan->by.kind == BY_IDENTITY ? 0 : 1, &plan->by);
}

/* ---- sums of weights ---- */

static void sums_init(struct sums *sums, struct arena *arena, uint32_t count)
{
    sums->nodes = arena_array(arena, (size_t)count + 1, sizeof *sums->nodes);
    sums->count = count;
}

static void sums_add(struct sums *sums, uint32_t place, double weight)
{
    for (uint32_t i = place + 1; i <= sums->count; i += i & (~i + 1)) {
        sums->nodes[i] += weight;
    }
}

/* The first place up to which the weights come to `wanted`; the last if rounding left less. */
static uint32_t sums_find(const struct sums *sums, double wanted)
{
    uint32_t step = 1, at = 0;

    while (step <= sums->count / 2) {
        step *= 2;
    }
    for (; step > 0; step /= 2) {
        if (at + step <= sums->count && sums->nodes[at + step] < wanted) {
            at += step;
            wanted -= sums->nodes[at];
        }
    }
    return at < sums->count ? at : sums->count - 1;
}

/* ---- local ---- */

static struct value choose_items(struct sample *self, struct exec *exec, const struct value *value)
{
    uint64_t amount = plan_of(self)->amount;
    struct items items;
    const struct value *flat;
    struct value *chosen;
    struct sums sums;
    uint32_t count;

    if (!items_of(&exec->arena, value, &items) || items_total(&items) <= amount) {
        return *value;
    }
    flat = items_flat(&exec->arena, &items, &count);
    chosen = arena_array(&exec->arena, amount + 1, sizeof *chosen);
    sums_init(&sums, &exec->arena, count);
    for (uint32_t i = 0; i < count; i++) {
        sums_add(&sums, i, 1.0);
    }
    for (uint32_t i = 0; i < amount; i++) {
        uint32_t place =
            sums_find(&sums, 1.0 + (double)chance_below(&self->chance, exec, count - i));
        chosen[i] = flat[place];
        sums_add(&sums, place, -1.0);
    }
    op_charge(exec, count);
    return items_collect(&exec->arena, value, chosen, (uint32_t)amount);
}

static enum pull pull_local(struct sample *self, struct exec *exec, struct batch *out)
{
    enum pull rc = op_pull(self->op.input, exec, &self->in);

    for (uint32_t i = 0; rc == PULL_BATCH && i < self->in.count; i++) {
        struct traverser next = op_split(&self->op, exec, &self->in.items[i],
                                         choose_items(self, exec, &self->in.items[i].value));
        batch_push(out, &next);
    }
    return rc;
}

/* ---- what is held ---- */

static int by_key(const void *a, const void *b)
{
    const struct entry *first = a, *second = b;

    if (first->traverser.tag != second->traverser.tag) {
        return first->traverser.tag < second->traverser.tag ? -1 : 1;
    }
    return first->key < second->key ? -1 : first->key > second->key ? 1 : 0;
}

static int by_serial(const void *a, const void *b)
{
    const struct entry *first = a, *second = b;

    if (first->traverser.tag != second->traverser.tag) {
        return first->traverser.tag < second->traverser.tag ? -1 : 1;
    }
    return first->serial < second->serial ? -1 : first->serial > second->serial ? 1 : 0;
}

/* There is no array yet if nothing was held. */
static void sort(struct sample *self, int (*compare)(const void *, const void *))
{
    if (self->count > 1) {
        qsort(self->entries, self->count, sizeof *self->entries, compare);
    }
}

/* Keeps the smallest keys of each tag. */
static void prune(struct sample *self)
{
    uint64_t amount = plan_of(self)->amount, of_tag = 0;
    uint32_t kept = 0;

    sort(self, by_key);
    for (uint32_t i = 0; i < self->count; i++) {
        if (kept == 0 || self->entries[i].traverser.tag != self->entries[kept - 1].traverser.tag) {
            of_tag = 0;
        }
        if (of_tag++ < amount) {
            self->entries[kept++] = self->entries[i];
        }
    }
    self->count = kept;
    self->limit = kept < PRUNE_MIN / 2 ? PRUNE_MIN : 2 * kept;
}

static void hold(struct sample *self, const struct traverser *from, uint64_t bulk, double key)
{
    if (self->count == self->room) {
        self->room = self->room == 0 ? OP_BATCH : 2 * self->room;
        self->entries = mem_resize(self->entries, self->room * sizeof *self->entries);
    }
    struct entry *entry = &self->entries[self->count++];
    entry->traverser = *from;
    entry->traverser.bulk = bulk;
    entry->key = key;
    entry->serial = self->serial;
}

/* Times of the first units of its bulk, one after the other. */
static enum pull draw(struct sample *self, struct exec *exec, const struct traverser *from,
                      double weight)
{
    uint64_t amount = plan_of(self)->amount;
    double key = 0.0;

    for (uint64_t left = from->bulk; left > 0 && from->bulk - left < amount; left--) {
        double rate = weight * (double)left;
        key += rate > 0.0 ? -log(1.0 - chance_real(&self->chance, exec)) / rate : (double)INFINITY;
        hold(self, from, 1, key);
        if (self->count >= self->limit) {
            prune(self);
        }
        if (self->count % OP_BATCH == 0 &&
            quota_check(exec, self->room, sizeof *self->entries) != PULL_BATCH) {
            return PULL_ERROR;
        }
        op_charge(exec, 1);
    }
    return PULL_BATCH;
}

static enum pull take(struct sample *self, struct exec *exec)
{
    for (uint32_t i = 0; i < self->in.count; i++) {
        const struct traverser *from = &self->in.items[i];
        const struct value *weight = by_set_get(&self->bys, 0, i);
        double number = 1.0;
        if (weight == NULL || plan_of(self)->amount == 0) {
            continue;
        }
        if (plan_of(self)->by.kind != BY_IDENTITY) {
            if (!value_is_number(weight)) {
                return op_fail(exec, E_EVALUATION, "by() of sample() has to give numbers, not a %s",
                               value_kind_name((enum value_kind)weight->kind));
            }
            number = number_double(weight);
        }
        if (self->chance.is_seeded) {
            hold(self, from, from->bulk, number > 0.0 ? number : 0.0);
        } else if (draw(self, exec, from, number) != PULL_BATCH) {
            return PULL_ERROR;
        }
        self->serial++;
    }
    return quota_check(exec, self->room, sizeof *self->entries);
}

/* All of the input. */
static enum pull drain(struct sample *self, struct exec *exec)
{
    for (;;) {
        enum pull rc;
        if (!self->is_seeing) {
            rc = op_pull(self->op.input, exec, &self->in);
            if (rc != PULL_BATCH) {
                return rc;
            }
            by_set_clear(&self->bys);
            for (uint32_t i = 0; i < self->in.count; i++) {
                by_set_add(&self->bys, 0, &self->in.items[i], &self->in.items[i].value);
            }
            self->is_seeing = true;
        }
        rc = by_set_run(&self->bys, exec);
        if (rc != PULL_BATCH) {
            return rc;
        }
        self->is_seeing = false;
        if (take(self, exec) != PULL_BATCH) {
            return PULL_ERROR;
        }
    }
}

/* ---- giving ---- */

/* Units of one traverser go on together. */
static void give_drawn(struct sample *self, struct batch *out)
{
    while (self->at < self->count && out->count < OP_BATCH) {
        const struct entry *entry = &self->entries[self->at++];
        batch_push(out, &entry->traverser);
        while (self->at < self->count && self->entries[self->at].serial == entry->serial) {
            out->items[out->count - 1].bulk += self->entries[self->at++].traverser.bulk;
        }
    }
}

static uint32_t end_of_tag(const struct sample *self)
{
    uint32_t end = self->at;

    while (end < self->count &&
           self->entries[end].traverser.tag == self->entries[self->at].traverser.tag) {
        end++;
    }
    return end;
}

/* True: all of the tag go on. */
static bool begin_tag(struct sample *self, struct exec *exec, uint32_t end)
{
    uint64_t bulk = 0;

    for (uint32_t i = self->at; i < end; i++) {
        bulk += self->entries[i].traverser.bulk;
    }
    if (bulk <= plan_of(self)->amount) {
        return true;
    }
    sums_init(&self->sums, &exec->arena, end - self->at);
    self->total = 0.0;
    for (uint32_t i = self->at; i < end; i++) {
        const struct entry *entry = &self->entries[i];
        double weight = entry->key * (double)entry->traverser.bulk;
        sums_add(&self->sums, i - self->at, weight);
        self->total += weight;
    }
    self->wanted = plan_of(self)->amount;
    return false;
}

/* Where weights have run out, the first that is left. */
static struct entry *choose_entry(struct sample *self, struct exec *exec, uint32_t end)
{
    double real = chance_real(&self->chance, exec);
    struct entry *entry = &self->entries[self->at + sums_find(&self->sums, real * self->total)];

    for (uint32_t i = self->at; entry->traverser.bulk == 0 && i < end; i++) {
        entry = &self->entries[i];
    }
    sums_add(&self->sums, (uint32_t)(entry - self->entries) - self->at, -entry->key);
    self->total -= entry->key;
    return entry;
}

static void give_seeded(struct sample *self, struct exec *exec, struct batch *out)
{
    while (self->at < self->count && out->count < OP_BATCH) {
        uint32_t end = end_of_tag(self);
        if (self->wanted == 0 && begin_tag(self, exec, end)) {
            for (; self->at < end; self->at++) {
                batch_push(out, &self->entries[self->at].traverser);
            }
            continue;
        }
        while (self->wanted > 0 && out->count < OP_BATCH) {
            struct entry *entry = choose_entry(self, exec, end);
            batch_push(out, &entry->traverser);
            out->items[out->count - 1].bulk = 1;
            entry->traverser.bulk--;
            self->wanted--;
        }
        if (self->wanted == 0) {
            self->at = end;
        }
    }
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct sample *self = (struct sample *)op;

    if (plan_of(self)->scope == SCOPE_LOCAL) {
        return pull_local(self, exec, out);
    }
    if (!self->is_drained) {
        enum pull rc = drain(self, exec);
        if (rc != PULL_DONE) {
            return rc;
        }
        if (!self->chance.is_seeded) {
            prune(self);
        }
        sort(self, by_serial);
        self->is_drained = true;
    }
    if (self->chance.is_seeded) {
        give_seeded(self, exec, out);
    } else {
        give_drawn(self, out);
    }
    return out->count > 0 ? PULL_BATCH : PULL_DONE;
}

static void reset(struct op *op, struct exec *exec)
{
    struct sample *self = (struct sample *)op;

    (void)exec;
    by_set_clear(&self->bys);
    self->is_seeing = false;
    self->is_drained = false;
    self->count = 0;
    self->at = 0;
    self->serial = 0;
    self->wanted = 0;
    self->limit = PRUNE_MIN;
}

static void close(struct op *op)
{
    struct sample *self = (struct sample *)op;

    by_set_close(&self->bys);
    batch_close(&self->in);
    mem_free(self->entries);
}

extern const struct op_class sample_class;

const struct op_class sample_class = {
    .name = "sample",
    .size = sizeof(struct sample),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
