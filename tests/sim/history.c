#include "tests/sim/history.h"

#include "common/bytes.h"
#include "common/mem.h"

#include <assert.h>
#include <inttypes.h>

void history_init(struct history *history, uint32_t item_count, uint32_t list_count)
{
    assert(list_count <= item_count);
    *history = (struct history){.item_count = item_count, .list_count = list_count};
    arena_init(&history->arena, 0);
}

void history_close(struct history *history)
{
    arena_close(&history->arena);
    mem_free(history->txns);
    *history = (struct history){0};
}

uint32_t history_begin(struct history *history, uint64_t asked_us)
{
    if (history->count == history->room) {
        history->room = history->room == 0 ? 256 : history->room * 2;
        history->txns = mem_resize(history->txns, history->room * sizeof *history->txns);
    }
    history->txns[history->count] = (struct history_txn){.asked_us = asked_us};
    return history->count++;
}

static struct history_op *add(struct history *history, uint32_t txn, uint32_t item)
{
    struct history_txn *of = &history->txns[txn];

    assert(txn < history->count && item < history->item_count);
    assert(of->op_count < HISTORY_OPS_MAX);
    of->ops[of->op_count] = (struct history_op){.item = item};
    return &of->ops[of->op_count++];
}

void history_append(struct history *history, uint32_t txn, uint32_t item)
{
    add(history, txn, item)->is_append = true;
}

void history_read(struct history *history, uint32_t txn, uint32_t item, const uint32_t *values,
                  uint32_t count)
{
    struct history_op *op = add(history, txn, item);

    op->count = count;
    op->values = arena_copy(&history->arena, values, count * sizeof *values);
}

void history_end(struct history *history, uint32_t txn, enum history_outcome outcome,
                 uint64_t told_us)
{
    assert(txn < history->count);
    history->txns[txn].outcome = outcome;
    history->txns[txn].told_us = told_us;
}

void history_dump(const struct history *history, uint32_t txn, struct bytes *out)
{
    static const char *const outcomes[] = {"unknown", "ok", "failed"};
    const struct history_txn *of = &history->txns[txn];

    bytes_format(out, "T%" PRIu32 " %s [%" PRIu64 "..%" PRIu64 " us]", history_value(txn),
                 outcomes[of->outcome], of->asked_us, of->told_us);
    for (uint32_t i = 0; i < of->op_count; i++) {
        const struct history_op *op = &of->ops[i];
        if (op->is_append) {
            bytes_format(out, " append(%" PRIu32 ")", op->item);
            continue;
        }
        bytes_format(out, " read(%" PRIu32 ")=%" PRIu32 "[", op->item, op->count);
        for (uint32_t k = op->count > 3 ? op->count - 3 : 0; k < op->count; k++) {
            bytes_format(out, " %" PRIu32, op->values[k]);
        }
        bytes_format(out, " ]");
    }
    bytes_format(out, "\n");
}
