#include "shardd/replica/lock.h"

#include "common/mem.h"
#include "common/mutation.h"

#include <assert.h>
#include <string.h>

enum { COUNT_BITS = 21, SORT_SMALL = 24, SPREAD_AT = 4096 };

/* ---- sets ---- */

static uint16_t join(uint16_t a, uint16_t b)
{
    return a == b ? a : ITEM_X;
}

/* Few: insertion sort. */
static void merge_few(struct lock_set *set)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < set->count; i++) {
        struct lock lock = set->items[i];
        uint32_t at = count;
        while (at > 0 && set->items[at - 1].slot > lock.slot) {
            at--;
        }
        if (at > 0 && set->items[at - 1].slot == lock.slot) {
            set->items[at - 1].mode = join(set->items[at - 1].mode, lock.mode);
            continue;
        }
        memmove(set->items + at + 1, set->items + at, (count - at) * sizeof *set->items);
        set->items[at] = lock;
        count++;
    }
    set->count = count;
}

static void add_mode(struct lock_set *set, uint16_t slot, uint16_t mode)
{
    uint8_t *at = &set->modes[slot];

    *at = (uint8_t)(*at == 0 ? mode : join(*at, mode));
}

/* From here on a byte a slot. */
static void spread(struct lock_set *set)
{
    set->modes = mem_alloc(TXN_SLOTS);
    for (uint32_t i = 0; i < set->count; i++) {
        add_mode(set, set->items[i].slot, set->items[i].mode);
    }
    set->count = 0;
}

static void gather(struct lock_set *set)
{
    uint32_t count = 0;

    for (uint32_t slot = 0; slot < TXN_SLOTS; slot++) {
        count += set->modes[slot] != 0;
    }
    if (count > set->room) {
        set->room = count;
        set->items = mem_resize(set->items, set->room * sizeof *set->items);
    }
    for (uint32_t slot = 0; slot < TXN_SLOTS; slot++) {
        if (set->modes[slot] != 0) {
            set->items[set->count++] = (struct lock){(uint16_t)slot, set->modes[slot]};
        }
    }
    mem_free(set->modes);
    set->modes = NULL;
}

void lock_set_add(struct lock_set *set, uint16_t slot, enum item_mode mode)
{
    assert(set != NULL);
    assert(mode >= ITEM_S && mode <= ITEM_X);
    if (set->count == SPREAD_AT && set->modes == NULL) {
        spread(set);
    }
    if (set->modes != NULL) {
        add_mode(set, slot, (uint16_t)mode);
        return;
    }
    if (set->count == set->room) {
        set->room = set->room == 0 ? 16 : set->room * 2;
        set->items = mem_resize(set->items, set->room * sizeof *set->items);
    }
    set->items[set->count++] = (struct lock){slot, (uint16_t)mode};
}

void lock_set_finish(struct lock_set *set)
{
    assert(set != NULL);
    if (set->modes == NULL && set->count <= SORT_SMALL) {
        merge_few(set);
        return;
    }
    if (set->modes == NULL) {
        spread(set);
    }
    gather(set);
}

void lock_set_close(struct lock_set *set)
{
    assert(set != NULL);
    mem_free(set->items);
    mem_free(set->modes);
    *set = (struct lock_set){0};
}

/* ---- table ---- */

static void counts_init(struct lock_counts *counts)
{
    *counts = (struct lock_counts){0};
    counts->counts = mem_array(TXN_SLOTS, sizeof *counts->counts);
    counts->changing = mem_array(TXN_SLOTS / 64, sizeof *counts->changing);
}

static void counts_close(struct lock_counts *counts)
{
    mem_free(counts->counts);
    mem_free(counts->changing);
}

void lock_init(struct lock_table *table, uint64_t last)
{
    assert(table != NULL);
    *table = (struct lock_table){.base = last};
    table->changed = mem_array(TXN_SLOTS, sizeof *table->changed);
    counts_init(&table->held);
    counts_init(&table->pending);
    counts_init(&table->decided);
}

void lock_close(struct lock_table *table)
{
    assert(table != NULL);
    mem_free(table->changed);
    mem_free(table->claims);
    counts_close(&table->held);
    counts_close(&table->pending);
    counts_close(&table->decided);
    *table = (struct lock_table){0};
}

static uint64_t one_of(uint16_t mode)
{
    return (uint64_t)1 << (COUNT_BITS * (mode - ITEM_S));
}

static uint64_t count_of(uint64_t counts, enum item_mode mode)
{
    return counts >> (COUNT_BITS * (mode - ITEM_S)) & (((uint64_t)1 << COUNT_BITS) - 1);
}

static bool is_changing(uint64_t counts)
{
    return count_of(counts, ITEM_U) + count_of(counts, ITEM_X) > 0;
}

static void note_changing(struct lock_counts *counts, uint16_t slot)
{
    uint64_t bit = (uint64_t)1 << (slot % 64);

    if (is_changing(counts->counts[slot])) {
        counts->changing[slot / 64] |= bit;
    } else {
        counts->changing[slot / 64] &= ~bit;
    }
}

static void count_up(struct lock_counts *counts, const struct lock_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        uint64_t *count = &counts->counts[set->items[i].slot];
        counts->slot_count += *count == 0;
        *count += one_of(set->items[i].mode);
        note_changing(counts, set->items[i].slot);
    }
}

static void count_down(struct lock_counts *counts, const struct lock_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        uint64_t *count = &counts->counts[set->items[i].slot];
        assert(count_of(*count, (enum item_mode)set->items[i].mode) > 0);
        *count -= one_of(set->items[i].mode);
        counts->slot_count -= *count == 0;
        note_changing(counts, set->items[i].slot);
    }
}

void lock_hold(struct lock_table *table, const struct lock_set *set)
{
    count_up(&table->held, set);
}

void lock_release(struct lock_table *table, const struct lock_set *set)
{
    count_down(&table->held, set);
}

void lock_pend(struct lock_table *table, const struct lock_set *set)
{
    count_up(&table->pending, set);
}

void lock_settle(struct lock_table *table, const struct lock_set *set)
{
    count_down(&table->pending, set);
}

void lock_decide(struct lock_table *table, const struct lock_set *set)
{
    count_down(&table->held, set);
    count_up(&table->pending, set);
    count_up(&table->decided, set);
}

void lock_undecide(struct lock_table *table, const struct lock_set *set)
{
    count_down(&table->decided, set);
    count_down(&table->pending, set);
    count_up(&table->held, set);
}

void lock_settle_decided(struct lock_table *table, const struct lock_set *set)
{
    count_down(&table->decided, set);
    count_down(&table->pending, set);
}

void lock_change(struct lock_table *table, const struct lock_set *set, uint64_t index)
{
    assert(index > table->base);
    if (index - table->base > UINT32_MAX) {
        /* As after a start: everything counts as changed just before. */
        memset(table->changed, 0, TXN_SLOTS * sizeof *table->changed);
        table->base = index - 1;
    }
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->items[i].mode != ITEM_S) {
            table->changed[set->items[i].slot] = (uint32_t)(index - table->base);
        }
    }
}

/* ---- verdicts ---- */

struct reads_judge {
    const struct lock_table *table;
    uint64_t first_index;
    bool is_changed;
};

static void judge_change(void *ctx, uint16_t slot)
{
    struct reads_judge *judge = ctx;

    if (judge->table->base + judge->table->changed[slot] > judge->first_index) {
        judge->is_changed = true;
    }
}

struct locked_search {
    const struct lock_counts *counts;
    uint16_t *slots; /* Null: whether there is one is enough. */
    uint32_t room;
    uint32_t found;
};

static void scan_at_slot(void *ctx, uint16_t slot)
{
    struct locked_search *search = ctx;

    if (search->found < search->room &&
        (search->counts->changing[slot / 64] >> (slot % 64) & 1) != 0) {
        if (search->slots != NULL) {
            search->slots[search->found] = slot;
        }
        search->found++;
    }
}

static bool is_read_locked(const struct lock_counts *counts, const struct txn_readset *readset)
{
    struct locked_search search = {.counts = counts, .room = 1};

    if (counts->slot_count > 0) {
        txn_readset_each(readset, scan_at_slot, &search);
    }
    return search.found > 0;
}

enum lock_verdict lock_judge_reads(const struct lock_table *table,
                                   const struct txn_readset *readset)
{
    struct reads_judge judge = {.table = table, .first_index = readset->first_index};

    txn_readset_each(readset, judge_change, &judge);
    if (judge.is_changed) {
        return LOCK_CHANGED;
    }
    if (is_read_locked(&table->held, readset)) {
        return LOCK_HELD;
    }
    return is_read_locked(&table->pending, readset) ? LOCK_PENDING : LOCK_FREE;
}

static bool is_in_the_way(const struct lock_counts *table, struct lock lock)
{
    uint64_t counts = table->counts[lock.slot];

    switch ((enum item_mode)lock.mode) {
    case ITEM_S:
        return is_changing(counts);
    case ITEM_U:
        return count_of(counts, ITEM_S) + count_of(counts, ITEM_X) > 0;
    case ITEM_X:
        return counts != 0;
    }
    return true;
}

enum lock_verdict lock_judge(const struct lock_table *table, const struct lock_set *set)
{
    enum lock_verdict verdict = LOCK_FREE;

    for (uint32_t i = 0; i < set->count; i++) {
        if (is_in_the_way(&table->held, set->items[i])) {
            return LOCK_HELD;
        }
        if (is_in_the_way(&table->pending, set->items[i])) {
            verdict = LOCK_PENDING;
        }
    }
    return verdict;
}

bool lock_has_held(const struct lock_table *table)
{
    return table->held.slot_count > 0 || table->decided.slot_count > 0;
}

/* ---- claims ---- */

static struct lock_claim *claim_of(const struct lock_table *table, uint64_t token)
{
    for (size_t i = 0; i < table->claim_count; i++) {
        if (table->claims[i].token == token) {
            return &table->claims[i];
        }
    }
    return NULL;
}

static struct lock_claim *claim_new(struct lock_table *table, uint64_t token)
{
    struct lock_claim *claim = claim_of(table, token);

    if (claim != NULL) {
        return claim;
    }
    if (table->claim_count == table->claim_room) {
        table->claim_room = table->claim_room == 0 ? 8 : table->claim_room * 2;
        table->claims = mem_resize(table->claims, table->claim_room * sizeof *table->claims);
    }
    return &table->claims[table->claim_count++];
}

bool lock_claim(struct lock_table *table, const struct txn_readset *readset, uint64_t token,
                uint64_t from_ms, uint64_t until_ms)
{
    struct lock_claim claim = {.token = token, .from_ms = from_ms, .until_ms = until_ms};

    assert(token != 0);
    struct locked_search search = {
        .counts = &table->held, .slots = claim.slots, .room = LOCK_CLAIM_SLOTS};

    if (table->held.slot_count > 0) {
        txn_readset_each(readset, scan_at_slot, &search);
    }
    search.counts = &table->decided;
    if (table->decided.slot_count > 0 && !mutation_is(MUTATION_READS_IGNORE_DECIDED)) {
        txn_readset_each(readset, scan_at_slot, &search);
    }
    claim.slot_count = search.found;
    if (claim.slot_count == 0) {
        lock_unclaim(table, token);
        return false;
    }
    *claim_new(table, token) = claim;
    return true;
}

bool lock_is_blocked(const struct lock_table *table, uint64_t token)
{
    const struct lock_claim *claim = claim_of(table, token);

    for (uint32_t i = 0; claim != NULL && i < claim->slot_count; i++) {
        if (is_changing(table->held.counts[claim->slots[i]]) ||
            is_changing(table->decided.counts[claim->slots[i]])) {
            return true;
        }
    }
    return false;
}

void lock_unclaim(struct lock_table *table, uint64_t token)
{
    struct lock_claim *claim = claim_of(table, token);

    if (claim != NULL) {
        *claim = table->claims[--table->claim_count];
    }
}

static bool claims_one(const struct lock_claim *claim, const struct lock_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        for (uint32_t j = 0; set->items[i].mode != ITEM_S && j < claim->slot_count; j++) {
            if (claim->slots[j] == set->items[i].slot) {
                return true;
            }
        }
    }
    return false;
}

bool lock_is_claimed(struct lock_table *table, const struct lock_set *set, uint64_t now_ms)
{
    for (size_t i = table->claim_count; i > 0; i--) {
        const struct lock_claim *claim = &table->claims[i - 1];
        if (now_ms >= claim->until_ms) {
            lock_unclaim(table, claim->token);
        } else if (now_ms >= claim->from_ms && claims_one(claim, set)) {
            return true;
        }
    }
    return false;
}
