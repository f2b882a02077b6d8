#include "router/run/plans.h"

#include "common/codec.h"
#include "common/mem.h"
#include "common/number.h"

#include <assert.h>
#include <string.h>

void plans_init(struct plans *plans)
{
    *plans = (struct plans){0};
    map_text_init(&plans->by_key, NULL, true);
}

/* ---- entries ---- */

static void free_entry(struct plans_entry *entry)
{
    for (uint32_t i = 0; i < entry->statement_count; i++) {
        plan_free(&entry->statements[i].plan);
    }
    arena_close(&entry->arena);
    mem_free(entry);
}

static void unlink_entry(struct plans *plans, struct plans_entry *entry)
{
    *(entry->newer == NULL ? &plans->newest : &entry->newer->older) = entry->older;
    *(entry->older == NULL ? &plans->oldest : &entry->older->newer) = entry->newer;
    entry->newer = entry->older = NULL;
}

static void link_newest(struct plans *plans, struct plans_entry *entry)
{
    entry->older = plans->newest;
    *(plans->newest == NULL ? &plans->oldest : &plans->newest->newer) = entry;
    plans->newest = entry;
}

static void forget(struct plans *plans, struct plans_entry *entry)
{
    assert(entry->is_kept);
    map_text_remove(&plans->by_key, entry->key);
    unlink_entry(plans, entry);
    entry->is_kept = false;
    if (entry->users == 0) {
        free_entry(entry);
    }
}

static void keep(struct plans *plans, struct plans_entry *entry, struct slice key)
{
    if (plans->by_key.count == PLANS_MAX) {
        forget(plans, plans->oldest);
    }
    entry->key = slice_of(arena_copy(&entry->arena, key.data, key.size), key.size);
    entry->is_kept = true;
    map_text_put(&plans->by_key, entry->key, (uint64_t)(uintptr_t)entry);
    link_newest(plans, entry);
}

void plans_close(struct plans *plans)
{
    while (plans->oldest != NULL) {
        assert(plans->oldest->users == 0);
        forget(plans, plans->oldest);
    }
    map_text_close(&plans->by_key);
    *plans = (struct plans){0};
}

void plans_release(struct plans *plans, struct plans_entry **at)
{
    struct plans_entry *entry = *at;

    (void)plans;
    if (entry == NULL) {
        return;
    }
    assert(entry->users > 0);
    entry->users--;
    if (entry->users == 0 && !entry->is_kept) {
        free_entry(entry);
    }
    *at = NULL;
}

/* ---- options ---- */

static void take_option(struct plans_options *options, const struct value *key,
                        const struct value *value)
{
    int64_t number;

    if (!value_is_number(value) || !number_int64(value, &number) || number < 0 ||
        number > UINT32_MAX) {
        return;
    }
    if (value_is_text(key, "evaluationTimeout") || value_is_text(key, "scriptEvaluationTimeout")) {
        options->has_timeout = true;
        options->timeout_ms = (uint32_t)number;
    } else if (value_is_text(key, "batchSize")) {
        options->batch_size = (uint32_t)number;
    }
}

/* With or without its Java package. */
static bool is_options(const struct value *name)
{
    static const char tail[] = "OptionsStrategy";
    size_t size = sizeof tail - 1;

    return (name->kind == VALUE_STRING || name->kind == VALUE_CLASS) && name->size >= size &&
           memcmp(name->text + name->size - size, tail, size) == 0;
}

static void take_strategy(struct plans_options *options, const struct value *strategy)
{
    if (strategy->kind != VALUE_STRATEGY || !is_options(&strategy->items[0]) ||
        strategy->items[1].kind != VALUE_MAP) {
        return;
    }
    const struct value *map = &strategy->items[1];
    for (uint32_t i = 0; i < map->size; i++) {
        take_option(options, &map->items[2 * (size_t)i], &map->items[2 * (size_t)i + 1]);
    }
}

static void take_options(struct plans_options *options, const struct bytecode *bytecode)
{
    for (uint32_t i = 0; i < bytecode->source_count; i++) {
        const struct instruction *source = &bytecode->sources[i];
        if (source->step == STEP_WITH && source->arg_count == 2) {
            take_option(options, &source->args[0], &source->args[1]);
        } else if (source->step == STEP_WITH_STRATEGIES) {
            for (uint32_t a = 0; a < source->arg_count; a++) {
                take_strategy(options, &source->args[a]);
            }
        }
    }
}

/* ---- making ---- */

static enum request_tx tx_of(const struct bytecode *bytecode)
{
    if (bytecode->step_count > 0 || bytecode->source_count != 1 ||
        bytecode->sources[0].step != STEP_TX || bytecode->sources[0].arg_count != 1) {
        return REQUEST_TX_NONE;
    }
    const struct value *verb = &bytecode->sources[0].args[0];
    if (value_is_text(verb, "commit")) {
        return REQUEST_TX_COMMIT;
    }
    return value_is_text(verb, "rollback") ? REQUEST_TX_ROLLBACK : REQUEST_TX_NONE;
}

static int add_statement(struct plans_entry *entry, const struct gremlin_query *query,
                         struct error *err)
{
    struct plans_statement *statement = &entry->statements[entry->statement_count++];

    *statement = (struct plans_statement){.bytecode = query->bytecode,
                                          .terminal = query->terminal,
                                          .count = query->count,
                                          .tx = query->tx,
                                          .is_text = query->is_text};
    if (query->bytecode == NULL || query->tx != REQUEST_TX_NONE || query->is_text) {
        return E_OK;
    }
    statement->tx = tx_of(query->bytecode);
    if (statement->tx != REQUEST_TX_NONE) {
        return E_OK;
    }
    take_options(&entry->options, query->bytecode);
    return plan_build(query->bytecode, &statement->plan, err);
}

static int make_text(struct plans_entry *entry, const struct gremlin_input *input,
                     bool *is_volatile, struct error *err)
{
    struct gremlin_script script;
    int rc;

    rc = gremlin_parse(&entry->arena, input, &script, err);
    if (rc != E_OK) {
        return rc;
    }
    *is_volatile = script.is_volatile;
    entry->statements = arena_array(&entry->arena, script.count, sizeof *entry->statements);
    for (uint32_t i = 0; i < script.count && rc == E_OK; i++) {
        rc = add_statement(entry, &script.queries[i], err);
    }
    return rc;
}

static int make_bytecode(struct plans_entry *entry, const struct request *request,
                         struct error *err)
{
    struct gremlin_query query = {
        .bytecode = request->bytecode, .terminal = GREMLIN_RESULTS, .tx = request->tx};

    entry->statements = arena_array(&entry->arena, 1, sizeof *entry->statements);
    return add_statement(entry, &query, err);
}

static struct plans_entry *make(const struct request *request, const struct gremlin_input *input,
                                bool *is_volatile, struct error *err)
{
    struct plans_entry *entry = mem_alloc(sizeof *entry);
    int rc;

    arena_init(&entry->arena, 0);
    rc = request->op == REQUEST_EVAL ? make_text(entry, input, is_volatile, err)
                                     : make_bytecode(entry, request, err);
    if (rc != E_OK) {
        free_entry(entry);
        return NULL;
    }
    entry->users = 1;
    return entry;
}

static bool is_plain(const struct value *value)
{
    return value->kind < VALUE_LIST;
}

/* Empty: the request is not one to keep. */
static void key_of(const struct request *request, struct bytes *key)
{
    const struct value *bindings = &request->bindings;

    if (request->op != REQUEST_EVAL || request->gremlin.size > PLANS_TEXT_MAX) {
        return;
    }
    for (uint32_t i = 0; bindings->kind == VALUE_MAP && i < 2 * bindings->size; i++) {
        if (!is_plain(&bindings->items[i])) {
            return;
        }
    }
    bytes_blob(key, request->gremlin);
    codec_encode(key, NULL, bindings);
}

struct plans_entry *plans_get(struct plans *plans, const struct request *request, uint64_t wall_ms,
                              struct prng *prng, struct error *err)
{
    struct gremlin_input input = {
        .text = request->gremlin,
        .bindings = request->bindings.kind == VALUE_MAP ? &request->bindings : NULL,
        .now_ms = wall_ms,
        .prng = prng};
    struct plans_entry *entry;
    bool is_volatile = false;
    struct bytes key;
    uint64_t *at;

    bytes_init(&key, 0);
    key_of(request, &key);
    at = key.size == 0 ? NULL : map_text_get(&plans->by_key, bytes_slice(&key));
    if (at != NULL) {
        entry = (struct plans_entry *)(uintptr_t)*at;
        unlink_entry(plans, entry);
        link_newest(plans, entry);
        entry->users++;
        plans->hits++;
    } else {
        entry = make(request, &input, &is_volatile, err);
        plans->misses++;
        if (entry != NULL && key.size > 0 && !is_volatile) {
            keep(plans, entry, bytes_slice(&key));
        }
    }
    bytes_close(&key);
    return entry;
}
