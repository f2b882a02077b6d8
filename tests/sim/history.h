/*
 * history.h -- what clients asked for and were told: the input of the checkers.
 *
 * Items are lists and sets that only grow. A transaction appends its own value (its number + 1) to
 * an item at most once, so a value tells who wrote it.
 *
 * Ownership: the history copies the lists. Units: microseconds of simulated time.
 * Limits: HISTORY_OPS_MAX operations a transaction.
 */
#ifndef TESTS_SIM_HISTORY_H
#define TESTS_SIM_HISTORY_H

#include "common/arena.h"
#include "common/bytes.h"

enum { HISTORY_OPS_MAX = 40 };

enum history_outcome {
    HISTORY_UNKNOWN, /* Asked, and no answer that says. */
    HISTORY_OK,
    HISTORY_FAILED /* Told that it has not taken effect. */
};

struct history_op {
    bool is_append;
    uint32_t item;
    uint32_t count; /* Of a read. */
    const uint32_t *values;
};

struct history_txn {
    enum history_outcome outcome;
    uint64_t asked_us;
    uint64_t told_us; /* When the outcome is not UNKNOWN. */
    uint32_t op_count;
    struct history_op ops[HISTORY_OPS_MAX];
};

struct history {
    struct arena arena;
    struct history_txn *txns;
    uint32_t count, room;
    uint32_t item_count;
    uint32_t list_count; /* Items from here on are sets: reads are in no order. */
};

void history_init(struct history *history, uint32_t item_count, uint32_t list_count);
void history_close(struct history *history);
/* Gives the number of the new transaction. */
uint32_t history_begin(struct history *history, uint64_t asked_us);
void history_append(struct history *history, uint32_t txn, uint32_t item);
void history_read(struct history *history, uint32_t txn, uint32_t item, const uint32_t *values,
                  uint32_t count);
void history_end(struct history *history, uint32_t txn, enum history_outcome outcome,
                 uint64_t told_us);
static inline uint32_t history_value(uint32_t txn)
{
    return txn + 1;
}
void history_dump(const struct history *history, uint32_t txn, struct bytes *out);

#endif
