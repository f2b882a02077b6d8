/* coin(): each traverser stays with a probability. */
#include "router/op/chance.h"
#include "router/op/exec.h"
#include "router/plan/params.h"

#include <math.h>

/* Up to here each of a bulk is drawn by itself; more are drawn at once. */
enum { BULK_DRAWN = 100 };

struct coin {
    struct op op;
    struct chance chance;
};

static int open(struct op *op, struct exec *exec)
{
    chance_open(&((struct coin *)op)->chance, exec);
    return E_OK;
}

static double draw(struct coin *self, struct exec *exec)
{
    return chance_real(&self->chance, exec);
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
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct coin),
    .open = open,
    .pull = pull,
};
