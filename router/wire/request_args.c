#include "router/wire/request_args.h"

#include "common/number.h"
#include "router/gremlin/token.h"

#include <assert.h>

#define TEXT(slice) (slice).size > 60 ? 60 : (int)(slice).size, (const char *)(slice).data

static struct slice text_arg(const struct value *args, const char *key)
{
    const struct value *value = value_get_text(args, key);

    return value != NULL && value->kind == VALUE_STRING ? value_slice(value) : (struct slice){0};
}

static bool flag_arg(const struct value *args, const char *key)
{
    const struct value *value = value_get_text(args, key);

    return value != NULL && value->kind == VALUE_BOOL && value->boolean;
}

static bool count_arg(const struct value *args, const char *key, uint32_t *out)
{
    const struct value *value = value_get_text(args, key);
    int64_t v;

    if (value == NULL || !value_is_number(value) || !number_int64(value, &v) || v < 0) {
        return false;
    }
    *out = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
    return true;
}

/* ---- options ---- */

static void take_options(struct request *request, const struct value *options)
{
    static const char *const timeouts[] = {"scriptEvaluationTimeout", "evaluationTimeout"};
    struct slice properties = text_arg(options, "materializeProperties");
    struct slice user_agent = text_arg(options, "userAgent");

    for (size_t i = 0; i < 2; i++) {
        if (count_arg(options, timeouts[i], &request->timeout_ms)) {
            request->has_timeout = true;
        }
    }
    (void)count_arg(options, "batchSize", &request->batch_size);
    if (properties.data != NULL) {
        request->tokens_only = slice_equal(properties, SLICE("tokens"));
    }
    if (user_agent.data != NULL) {
        request->user_agent = user_agent;
    }
}

void request_take_options(struct request *request, const struct bytecode *bytecode)
{
    for (uint32_t i = 0; bytecode != NULL && i < bytecode->source_count; i++) {
        const struct instruction *source = &bytecode->sources[i];
        for (uint32_t j = 0; source->step == STEP_WITH_STRATEGIES && j < source->arg_count; j++) {
            const struct value *strategy = &source->args[j];
            if (strategy->kind == VALUE_STRATEGY &&
                value_is_text(&strategy->items[0], "OptionsStrategy")) {
                take_options(request, &strategy->items[1]);
            }
        }
    }
}

/* ---- eval ---- */

static int check_bindings(const struct value *bindings, struct error *err)
{
    if (bindings->kind != VALUE_MAP) {
        return error_set(err, E_INVALID, "The [bindings] argument must be a Map");
    }
    if (bindings->size > REQUEST_BINDINGS_MAX) {
        return error_set(err, E_INVALID,
                         "The [eval] message contains %u bindings which is more than is allowed by "
                         "the server maxParameters configuration",
                         bindings->size);
    }
    for (size_t i = 0; i < bindings->size; i++) {
        const struct value *key = &bindings->items[2 * i];
        if (key->kind != VALUE_STRING || key->size == 0) {
            return error_set(err, E_INVALID,
                             "The [eval] message is using one or more invalid binding keys - they "
                             "must be of type String and cannot be null");
        }
        enum enumerator id = token_short(value_slice(key));
        if (id != ENUMERATOR_COUNT &&
            slice_equal(value_slice(key), slice_text(value_enumerator_name(id)))) {
            return error_set(err, E_INVALID,
                             "The [eval] message supplies one or more invalid parameters key of "
                             "[%.*s] - these are reserved names.",
                             TEXT(value_slice(key)));
        }
    }
    return E_OK;
}

static void take_source(struct request *request, const struct value *args)
{
    const struct value *aliases = value_get_text(args, "aliases");
    const struct value *source =
        aliases != NULL && aliases->kind == VALUE_MAP ? value_get_text(aliases, "g") : NULL;

    if (source != NULL && source->kind == VALUE_STRING && source->size > 0) {
        request->source = value_slice(source);
    }
}

static int take_eval(struct request *request, const struct value *args, struct error *err)
{
    const struct value *bindings = value_get_text(args, "bindings");

    request->gremlin = text_arg(args, "gremlin");
    if (request->gremlin.data == NULL) {
        request->gremlin = text_arg(args, "query");
    }
    if (request->gremlin.data == NULL) {
        return error_set(err, E_INVALID,
                         "A message with an [eval] op code requires a [gremlin] argument.");
    }
    take_source(request, args);
    if (bindings == NULL || bindings->kind == VALUE_NULL) {
        return E_OK;
    }
    request->bindings = *bindings;
    return check_bindings(bindings, err);
}

/* ---- bytecode ---- */

static int take_tx(struct request *request, const struct instruction *tx, struct error *err)
{
    static const struct {
        const char *name;
        enum request_tx tx;
    } commands[] = {{"begin", REQUEST_TX_BEGIN},
                    {"commit", REQUEST_TX_COMMIT},
                    {"rollback", REQUEST_TX_ROLLBACK}};

    for (size_t i = 0; tx->arg_count == 1 && i < sizeof commands / sizeof commands[0]; i++) {
        if (value_is_text(&tx->args[0], commands[i].name)) {
            request->tx = commands[i].tx;
            return E_OK;
        }
    }
    return error_set(err, E_INVALID, "tx takes one argument: begin, commit or rollback");
}

static int take_bytecode(struct request *request, const struct value *args, struct error *err)
{
    const struct value *gremlin = value_get_text(args, "gremlin");
    const struct value *aliases = value_get_text(args, "aliases");

    if (gremlin == NULL) {
        return error_set(err, E_INVALID,
                         "A message with [bytecode] op code requires a [gremlin] argument.");
    }
    if (gremlin->kind != VALUE_TRAVERSAL) {
        return error_set(
            err, E_INVALID,
            "A message with [bytecode] op code requires the [gremlin] argument to be of "
            "type Bytecode.");
    }
    if (aliases == NULL || aliases->kind != VALUE_MAP || aliases->size != 1) {
        return error_set(
            err, E_INVALID,
            "A message with [bytecode] op code requires the [aliases] argument to be a "
            "Map containing one alias assignment.");
    }
    take_source(request, args);
    request->bytecode = gremlin->traversal;
    const struct bytecode *bytecode = request->bytecode;
    if (bytecode->source_count > 0 && bytecode->sources[0].step == STEP_TX) {
        return take_tx(request, &bytecode->sources[0], err);
    }
    return E_OK;
}

/* ---- all ---- */

/* "cardea" is that of our own tools. */
static bool is_processor(struct slice name)
{
    static const char *const known[] = {"", "traversal", "session", "cardea"};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (slice_equal(name, slice_text(known[i]))) {
            return true;
        }
    }
    return false;
}

static int take_op(struct request *request, struct error *err)
{
    static const struct {
        const char *name;
        enum request_op op;
    } ops[] = {{"eval", REQUEST_EVAL},
               {"bytecode", REQUEST_BYTECODE},
               {"authentication", REQUEST_AUTHENTICATION},
               {"close", REQUEST_CLOSE}};

    if (!is_processor(request->processor)) {
        return error_set(err, E_INVALID, "Invalid OpProcessor requested [%.*s]",
                         TEXT(request->processor));
    }
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (slice_equal(request->op_name, slice_text(ops[i].name))) {
            request->op = ops[i].op;
            return E_OK;
        }
    }
    request->op = REQUEST_UNKNOWN;
    return E_OK;
}

static int take_session(struct request *request, const struct value *args, struct error *err)
{
    request->session = text_arg(args, "session");
    request->manage_transaction = flag_arg(args, "manageTransaction");
    if (request->session.size == 0) {
        return error_set(err, E_INVALID,
                         "A message with an [%.*s] op code requires a [session] argument",
                         TEXT(request->op_name));
    }
    return E_OK;
}

int request_args_take(struct request *request, const struct value *args, struct error *err)
{
    assert(request != NULL);
    assert(args->kind == VALUE_MAP);
    int rc = take_op(request, err);

    if (rc == E_OK &&
        (slice_equal(request->processor, SLICE("session")) || request->op == REQUEST_CLOSE)) {
        rc = take_session(request, args, err);
    }
    if (rc == E_OK && request->op == REQUEST_EVAL) {
        rc = take_eval(request, args, err);
    } else if (rc == E_OK && request->op == REQUEST_BYTECODE) {
        rc = take_bytecode(request, args, err);
        request_take_options(request, request->bytecode);
    } else if (rc == E_OK && request->op == REQUEST_AUTHENTICATION) {
        request->sasl = text_arg(args, "sasl");
    } else if (rc == E_OK && request->op == REQUEST_UNKNOWN) {
        request->args = *args;
        take_source(request, args);
    }
    take_options(request, args);
    return rc;
}
