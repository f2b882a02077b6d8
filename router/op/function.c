#include "router/op/function.h"

#include <assert.h>

#include "router/gremlin/step.h"
#include "router/op/args.h"
#include "router/op/exec.h"

enum { WEIGHT_BYTES = 64 /* Of text, as long to work on as a row. */ };

/* Run for a batch: arguments first (a request per shard and traversal), then value by value. */
struct function {
    struct op op;
    struct args args;
    struct batch in;
    function_fn fn;
    bool is_seeing; /* `in` waits for its arguments. */
    bool is_giving; /* They are there; rows before `at` are done. */
    uint32_t at;
};

static function_fn function_of(enum step_id step)
{
    switch ((int)step) {
#define FUNCTION(id, fn) \
    case STEP_##id:      \
        return fn;
#include "router/op/function.def"
#undef FUNCTION
    default:
        return NULL;
    }
}

const char *function_class_name(const struct value *value)
{
    static const char *const names[VALUE_KIND_COUNT] = {
        [VALUE_NULL] = "null",           [VALUE_BOOL] = "Boolean",
        [VALUE_BYTE] = "Byte",           [VALUE_SHORT] = "Short",
        [VALUE_INT] = "Integer",         [VALUE_LONG] = "Long",
        [VALUE_BIGINT] = "BigInteger",   [VALUE_FLOAT] = "Float",
        [VALUE_DOUBLE] = "Double",       [VALUE_DECIMAL] = "BigDecimal",
        [VALUE_STRING] = "String",       [VALUE_CHAR] = "Character",
        [VALUE_UUID] = "UUID",           [VALUE_DATE] = "Date",
        [VALUE_TIMESTAMP] = "Timestamp", [VALUE_DATETIME] = "OffsetDateTime",
        [VALUE_DURATION] = "Duration",   [VALUE_LIST] = "ArrayList",
        [VALUE_SET] = "LinkedHashSet",   [VALUE_MAP] = "LinkedHashMap",
        [VALUE_BULKSET] = "BulkSet",     [VALUE_VERTEX] = "Vertex",
        [VALUE_EDGE] = "Edge",           [VALUE_VPROPERTY] = "VertexProperty",
        [VALUE_PROPERTY] = "Property",   [VALUE_PATH] = "Path",
        [VALUE_TREE] = "Tree",
    };
    const char *name = names[value->kind];

    return name != NULL ? name : value_kind_name((enum value_kind)value->kind);
}

const char *function_step_name(const struct function_call *call)
{
    return step_info(call->plan->step)->name;
}

size_t function_text_room(const struct arena *arena)
{
    return arena->limit_bytes != 0 && arena->limit_bytes < FUNCTION_TEXT_MAX ? arena->limit_bytes
                                                                             : FUNCTION_TEXT_MAX;
}

uint64_t function_weight(const struct value *value)
{
    return value->kind == VALUE_STRING ? value->size / WEIGHT_BYTES : value_item_count(value);
}

int function_room(const struct function_call *call, uint64_t items)
{
    if (call->arena->is_exceeded) {
        return error_set(call->err, E_LIMIT, "%s(): the query needs more than %zu bytes of memory",
                         function_step_name(call), call->arena->limit_bytes);
    }
    if (items > FUNCTION_ITEMS_MAX) {
        return error_set(call->err, E_LIMIT, "%s() would see or make %llu items, at most %d",
                         function_step_name(call), (unsigned long long)items, FUNCTION_ITEMS_MAX);
    }
    return E_OK;
}

static int open(struct op *op, struct exec *exec)
{
    struct function *self = (struct function *)op;
    const struct plan_function *plan = op->plan->params;
    int rc = E_OK;

    self->fn = function_of(plan->step);
    assert(self->fn != NULL);
    assert(plan->arg_count <= PLAN_ARGS_MAX);
    args_init(&self->args, exec, plan->arg_count);
    for (uint32_t i = 0; rc == E_OK && i < plan->arg_count; i++) {
        rc = args_add(&self->args, exec, &plan->args[i], op->plan->children);
    }
    return rc;
}

static int apply(struct function *self, struct exec *exec, uint32_t row, struct value *out)
{
    struct function_call call = {
        .arena = &exec->stream, .plan = self->op.plan->params, .err = &exec->error};

    for (uint32_t i = 0; i < call.plan->arg_count; i++) {
        call.args[i] = args_need(&self->args, exec, i, row);
        if (call.args[i] == NULL) {
            return exec->error.code;
        }
    }
    int rc = function_room(&call, 0);
    if (rc != E_OK) {
        return rc;
    }
    return self->fn(&call, &self->in.items[row].value, out);
}

/* The next batch with its arguments. */
static enum pull prepare(struct function *self, struct exec *exec)
{
    enum pull rc;

    if (!self->is_seeing) {
        rc = op_pull(self->op.input, exec, &self->in);
        if (rc != PULL_BATCH) {
            return rc;
        }
        self->is_seeing = true;
    }
    rc = args_run(&self->args, exec, self->in.items, self->in.count);
    if (rc == PULL_BATCH) {
        self->is_seeing = false;
        self->is_giving = true;
        self->at = 0;
    }
    return rc;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct function *self = (struct function *)op;
    enum pull rc = self->is_giving ? PULL_BATCH : prepare(self, exec);

    if (rc != PULL_BATCH) {
        return rc;
    }
    /* A few rows may be a turn's work: the others follow in the next one. */
    while (self->at < self->in.count && (out->count == 0 || exec->budget > 0)) {
        const struct traverser *from = &self->in.items[self->at];
        struct value value = value_null();
        if (apply(self, exec, self->at, &value) != E_OK) {
            return PULL_ERROR;
        }
        op_charge(exec, function_weight(&from->value) + function_weight(&value));
        struct traverser next = op_split(op, exec, from, value);
        batch_push(out, &next);
        self->at++;
    }
    self->is_giving = self->at < self->in.count;
    return PULL_BATCH;
}

static void reset(struct op *op, struct exec *exec)
{
    struct function *self = (struct function *)op;

    (void)exec;
    args_reset(&self->args);
    self->is_seeing = false;
    self->is_giving = false;
    self->at = 0;
}

static void close(struct op *op)
{
    struct function *self = (struct function *)op;

    args_close(&self->args);
    batch_close(&self->in);
}

extern const struct op_class function_class;

const struct op_class function_class = {
    .name = "function",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct function),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
