/* coin(): each traverser stays with a probability. With SeedStrategy the numbers are those of the
 * Java platform's java.util.Random, so that a seed gives what it gives in the reference. */
#include "router/op/exec.h"
#include "router/plan/params.h"

#include <math.h>

/* Knuth's linear congruential generator as java.util.Random's documentation states it. */
static const uint64_t LCG_FACTOR = 0x5DEECE66Du;
static const uint64_t LCG_ADD = 0xBu;
static const uint64_t LCG_MASK = (UINT64_C(1) << 48) - 1;

/* Up to here each of a bulk is drawn by itself; more are drawn at once. */
enum { BULK_DRAWN = 100 };

struct coin {
    struct op op;
    uint64_t lcg; /* With a seed. */
};

static bool is_seeded(const struct exec *exec)
{
    return exec->plan->seed.kind == VALUE_INT || exec->plan->seed.kind == VALUE_LONG;
}

static int open(struct op *op, struct exec *exec)
{
    if (is_seeded(exec)) {
        ((struct coin *)op)->lcg = ((uint64_t)exec->plan->seed.integer ^ LCG_FACTOR) & LCG_MASK;
    }
    return E_OK;
}

static uint64_t lcg_bits(struct coin *self, uint32_t bits)
{
    self->lcg = (self->lcg * LCG_FACTOR + LCG_ADD) & LCG_MASK;
    return self->lcg >> (48 - bits);
}

/* Uniform in [0, 1). */
static double draw(struct coin *self, struct exec *exec)
{
    uint64_t high;

    if (!is_seeded(exec)) {
        return prng_real(&exec->prng);
    }
    high = lcg_bits(self, 26) << 27;
    return (double)(high + lcg_bits(self, 27)) * 0x1p-53;
}

/* How many of a large bulk stay: the binomial distribution by its normal approximation, with
 * Box and Muller's transform. */
static uint64_t draw_many(struct coin *self, struct exec *exec, uint64_t bulk, double probability)
{
    double mean = (double)bulk * probability;
    double radius = sqrt(-2.0 * log(1.0 - draw(self, exec)));
    double normal = radius * cos(2.0 * 3.14159265358979323846 * draw(self, exec));
    double kept = floor(mean + normal * sqrt(mean * (1.0 - probability)) + 0.5);

    if (kept <= 0.0) {
        return 0;
    }
    return kept >= (double)bulk ? bulk : (uint64_t)kept;
}

static uint64_t kept_of(struct coin *self, struct exec *exec, uint64_t bulk)
{
    double probability = ((const struct plan_coin *)self->op.plan->params)->probability;
    uint64_t kept = 0;

    if (bulk >= BULK_DRAWN) {
        return draw_many(self, exec, bulk, probability);
    }
    for (uint64_t i = 0; i < bulk; i++) {
        kept += probability >= draw(self, exec) ? 1 : 0;
    }
    return kept;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    enum pull rc;

    while ((rc = op_pull(op->input, exec, out)) == PULL_BATCH) {
        uint32_t kept = 0;
        for (uint32_t i = 0; i < out->count; i++) {
            uint64_t bulk = kept_of((struct coin *)op, exec, out->items[i].bulk);
            if (bulk > 0) {
                out->items[kept] = out->items[i];
                out->items[kept++].bulk = bulk;
            }
        }
        out->count = kept;
        if (kept > 0) {
            break;
        }
    }
    return rc;
}

extern const struct op_class coin_class;

const struct op_class coin_class = {
    .name = "coin",
    .size = sizeof(struct coin),
    .open = open,
    .pull = pull,
};
