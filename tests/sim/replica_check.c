#include "tests/sim/replica_check.h"

#include "common/mem.h"

#include <inttypes.h>
#include <stdlib.h>

static int compare_return(const void *left, const void *right)
{
    const struct world_op *a = *(const struct world_op *const *)left;
    const struct world_op *b = *(const struct world_op *const *)right;

    if (a->returned != b->returned) {
        return a->returned < b->returned ? -1 : 1;
    }
    return (a->position > b->position) - (a->position < b->position);
}

static void check_alone(struct world *world, const struct world_op *op)
{
    if (op->position > world->final_last) {
        world_fault(world, "an answer of index %" PRIu64 ", beyond what is committed",
                    op->position);
    } else if (op->is_write && world->final[op->position].value != op->value) {
        world_fault(world, "acknowledged write lost: index %" PRIu64, op->position);
    } else if (!op->is_write && op->hash != world->final_hash[op->position]) {
        world_fault(world, "a read saw what was never committed, index %" PRIu64, op->position);
    }
}

/* best[i]: the highest position among the first i + 1 in the order of returning. */
static void check_time(struct world *world, const struct world_op *op,
                       struct world_op *const *by_return, const uint64_t *best, size_t count)
{
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_return[middle]->returned < op->invoked) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    /* A write comes after all that was returned before it began; a read saw it. */
    if (low > 0 && best[low - 1] + (op->is_write ? 1 : 0) > op->position) {
        world_fault(world, op->is_write ? "write in an order against real time"
                                        : "stale read: not linearizable");
    }
}

void replica_check_history(struct world *world)
{
    struct world_op **by_return = mem_array(world->op_count + 1, sizeof(struct world_op *));
    uint64_t *best = mem_array(world->op_count + 1, sizeof *best);
    size_t count = 0;

    for (uint32_t i = 0; i < world->op_count; i++) {
        if (world->ops[i].is_done) {
            by_return[count++] = &world->ops[i];
            check_alone(world, &world->ops[i]);
        }
    }
    qsort(by_return, count, sizeof(struct world_op *), compare_return);
    for (size_t i = 0; i < count; i++) {
        uint64_t before = i == 0 ? 0 : best[i - 1];
        best[i] = by_return[i]->position > before ? by_return[i]->position : before;
    }
    for (size_t i = 0; i < count; i++) {
        check_time(world, by_return[i], by_return, best, count);
    }
    mem_free(by_return);
    mem_free(best);
}

void replica_check_end(struct world *world)
{
    const struct replication_config *config = &world->coord.config;
    const struct world_host *primary = &world->hosts[config->primary];
    uint64_t now = (uint64_t)((double)world->now * primary->rate);
    uint64_t acknowledged = 0;

    if (primary->core.config.epoch != config->epoch ||
        !replication_may_write(&primary->core, now) || !replication_may_read(&primary->core, now)) {
        world_fault(world, "no primary serves after healing");
        return;
    }
    if (!nodeset_equal(&config->isr, &config->replicas)) {
        world_fault(world, "not all replicas are in sync after healing");
        return;
    }
    for (uint32_t i = 0; i < world->op_count; i++) {
        const struct world_op *op = &world->ops[i];
        if (op->is_done && op->position > acknowledged) {
            acknowledged = op->position;
        }
    }
    for (uint32_t i = 0; i < config->isr.count; i++) {
        const struct world_host *host = &world->hosts[config->isr.nodes[i]];
        if (host->applied < acknowledged) {
            world_fault(world, "node %u has applied %" PRIu64 " of %" PRIu64, host->node,
                        host->applied, acknowledged);
        } else if (host->hash != world->final_hash[host->applied]) {
            world_fault(world, "node %u has other contents", host->node); /* I7 */
        }
    }
}
