#include "router/op/exec.h"

#include "common/mem.h"

#include <assert.h>
#include <string.h>

enum {
    TURN_ROWS = 100000, /* Rows between operators in one turn: some ten milliseconds. */
    TURN_US = 2500,     /* A quarter of a turn of 10 ms: four heavy queries may share one. */
    NOTES_MAX = 8       /* Entries of a map of profile(). */
};

int exec_open(struct exec *exec, const struct plan *plan, struct transaction *txn,
              struct remote *remote, struct error *err)
{
    *exec = (struct exec){.plan = plan, .txn = txn, .remote = remote};
    arena_init(&exec->arena, 0);
    arena_init(&exec->stream, 0);
    for (uint32_t i = 0; i < plan->side_effect_count; i++) {
        struct side_effect *effect = exec_side_effect_make(exec, plan->side_effects[i].key);
        effect->value = plan->side_effects[i].initial;
        effect->reducer = plan->side_effects[i].reducer;
    }
    int rc = op_build(exec, plan->root, NULL, &exec->root);
    if (rc != E_OK) {
        if (err != NULL) {
            *err = exec->error;
        }
        exec_close(exec);
    }
    return rc;
}

enum pull exec_pull(struct exec *exec, uint64_t now_ms, struct batch *out)
{
    assert(exec->root.last != NULL);
    exec->now_ms = now_ms;
    exec->budget = TURN_ROWS;
    exec->turn_end_us = 0;
    if (exec->micros != NULL) {
        exec->turn_end_us = exec->micros() + (exec->turn_us != 0 ? exec->turn_us : TURN_US);
    }
    exec->has_moved = false;
    exec->is_yielding = false;
    exec->is_free = !exec->is_holding;
    exec->stream.limit_bytes = exec->arena.limit_bytes;
    return op_pull(exec->root.last, exec, out);
}

void exec_close(struct exec *exec)
{
    op_close_all(&exec->root);
    idset_close(&exec->loaded);
    mem_free(exec->loaded_values);
    arena_close(&exec->stream);
    arena_close(&exec->arena);
    *exec = (struct exec){0};
}

struct slice exec_symbol(struct exec *exec, struct slice text)
{
    if (exec->symbols.index.arena == NULL) {
        map_text_init(&exec->symbols, &exec->arena, true);
    }
    const uint64_t *at = map_text_get(&exec->symbols, text);
    if (at == NULL) {
        text = slice_of(arena_copy(&exec->arena, text.data, text.size), text.size);
        map_text_put(&exec->symbols, text, (uint64_t)(uintptr_t)text.data);
        return text;
    }
    return slice_of((const void *)(uintptr_t)*at, text.size);
}

size_t exec_memory(const struct exec *exec)
{
    return exec->arena.used_bytes + exec->stream.used_bytes;
}

/* ---- side effects ---- */

struct side_effect *exec_side_effect(struct exec *exec, struct slice key)
{
    for (uint32_t i = 0; i < exec->side_effect_count; i++) {
        if (slice_equal(exec->side_effects[i]->key, key)) {
            return exec->side_effects[i];
        }
    }
    return NULL;
}

struct side_effect *exec_side_effect_make(struct exec *exec, struct slice key)
{
    struct side_effect *effect = exec_side_effect(exec, key);

    if (effect != NULL) {
        return effect;
    }
    if (exec->side_effect_count == exec->side_effect_room) {
        uint32_t room = exec->side_effect_room == 0 ? 8 : 2 * exec->side_effect_room;
        struct side_effect **wider = arena_array(&exec->arena, room, sizeof(void *));
        if (exec->side_effect_count > 0) {
            memcpy(wider, exec->side_effects, exec->side_effect_count * sizeof(void *));
        }
        exec->side_effects = wider;
        exec->side_effect_room = room;
    }
    effect = ARENA_NEW(&exec->arena, struct side_effect);
    effect->key = key;
    effect->value = value_null();
    effect->reducer = ENUMERATOR_COUNT;
    exec->side_effects[exec->side_effect_count++] = effect;
    return effect;
}

/* ---- profile() ---- */

/* A map under construction: key and value in turn. */
struct pairs {
    struct value items[2 * NOTES_MAX];
    size_t count;
};

static void add(struct pairs *pairs, const char *key, struct value value)
{
    assert(pairs->count < NOTES_MAX);
    pairs->items[2 * pairs->count] = value_cstring(key);
    pairs->items[2 * pairs->count + 1] = value;
    pairs->count++;
}

static struct value map_of(struct arena *arena, const struct pairs *pairs)
{
    return value_items(arena, VALUE_MAP, pairs->items, pairs->count);
}

/* An operator's own time: its input is busy and waits within it. */
static uint64_t own_us(const struct op *op)
{
    uint64_t all = op->stats.busy_us + op->stats.wait_us;
    uint64_t inside = op->input == NULL ? 0 : op->input->stats.busy_us + op->input->stats.wait_us;

    return all > inside ? all - inside : 0;
}

/* Shard -> requests. */
static struct value shards_of(struct arena *arena, const struct op_stats *stats)
{
    struct value *items = arena_array(arena, 2 * (size_t)stats->shard_count, sizeof *items);

    for (uint32_t i = 0; i < stats->shard_count; i++) {
        items[2 * i] = value_cstring(arena_format(arena, "%u", stats->shards[i].shard));
        items[2 * i + 1] = value_long(stats->shards[i].requests);
    }
    return (struct value){.kind = VALUE_MAP, .size = stats->shard_count, .items = items};
}

static struct value annotations_of(struct arena *arena, const struct op *op, uint64_t total_us)
{
    struct pairs notes = {0};
    const struct op_stats *stats = &op->stats;

    if (total_us > 0) {
        add(&notes, "percentDur", value_double(100.0 * (double)own_us(op) / (double)total_us));
    }
    if (stats->requests > 0) {
        add(&notes, "requests", value_long((int64_t)stats->requests));
        if (stats->shard_count > 0) {
            add(&notes, "requestsByShard", shards_of(arena, stats));
        }
        add(&notes, "bytes", value_long((int64_t)stats->bytes));
        add(&notes, "scanned", value_long((int64_t)stats->scanned));
        add(&notes, "shardMicros", value_long((int64_t)stats->shard_micros));
        if (stats->access.size > 0) {
            add(&notes, "access", value_string(stats->access));
        }
    }
    return map_of(arena, &notes);
}

static struct value metric_of(struct arena *arena, const struct op *op, uint32_t number,
                              uint64_t total_us)
{
    struct pairs metric = {0};
    struct pairs counts = {0};
    const char *name = arena_format(arena, "%*s%s", (int)(2 * op->depth), "", op->class->name);

    add(&counts, "traverserCount", value_long((int64_t)op->stats.rows_out));
    add(&counts, "elementCount", value_long((int64_t)op->stats.bulk_out));
    add(&metric, "id", value_cstring(arena_format(arena, "%u", number)));
    add(&metric, "name", value_cstring(name));
    add(&metric, "dur", value_double((double)own_us(op) / 1000));
    add(&metric, "counts", map_of(arena, &counts));
    add(&metric, "annotations", annotations_of(arena, op, total_us));
    return map_of(arena, &metric);
}

struct value exec_profile(struct exec *exec, struct arena *arena)
{
    struct pairs whole = {0};
    uint32_t count = 0;
    uint64_t total_us = 0;

    for (const struct op *op = exec->ops; op != NULL; op = op->older) {
        total_us += op->depth == 0 ? own_us(op) : 0;
        count++;
    }
    struct value *metrics = arena_array(arena, count + 1, sizeof *metrics);
    uint32_t at = count;
    for (const struct op *op = exec->ops; op != NULL; op = op->older) {
        at--;
        metrics[at] = metric_of(arena, op, at, total_us);
    }
    add(&whole, "dur", value_double((double)total_us / 1000));
    add(&whole, "metrics", value_items(arena, VALUE_LIST, metrics, count));
    struct value *item = arena_array(arena, 1, sizeof *item);
    *item = map_of(arena, &whole);
    return (struct value){.kind = VALUE_METRICS, .size = 1, .items = item};
}
