#include "router/op/function.h"

#include <assert.h>

#include "router/gremlin/step.h"
#include "router/op/args.h"
#include "router/op/exec.h"

/* Run for a batch: arguments first (a request per shard and traversal), then value by value. */
struct function {
    struct op op;
    struct args args;
    struct batch in;
    function_fn fn;
    bool is_seeing; /* `in` waits for its arguments. */
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

int function_room(const struct function_call *call, uint64_t items)
{
    if (items > FUNCTION_ITEMS_MAX || call->arena->is_exceeded) {
        return error_set(call->err, E_LIMIT, "%s() would make %llu items, at most %d",
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
        .arena = &exec->arena, .plan = self->op.plan->params, .err = &exec->error};

    for (uint32_t i = 0; i < call.plan->arg_count; i++) {
        call.args[i] = args_need(&self->args, exec, i, row);
        if (call.args[i] == NULL) {
            return exec->error.code;
        }
    }
    return self->fn(&call, &self->in.items[row].value, out);
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct function *self = (struct function *)op;
    enum pull rc;

    if (!self->is_seeing) {
        rc = op_pull(op->input, exec, &self->in);
        if (rc != PULL_BATCH) {
            return rc;
        }
        self->is_seeing = true;
    }
    rc = args_run(&self->args, exec, self->in.items, self->in.count);
    if (rc != PULL_BATCH) {
        return rc;
    }
    self->is_seeing = false;
    for (uint32_t i = 0; i < self->in.count; i++) {
        struct value value = value_null();
        if (apply(self, exec, i, &value) != E_OK) {
            return PULL_ERROR;
        }
        struct traverser next = op_split(op, exec, &self->in.items[i], value);
        batch_push(out, &next);
    }
    return PULL_BATCH;
}

static void reset(struct op *op, struct exec *exec)
{
    struct function *self = (struct function *)op;

    (void)exec;
    args_reset(&self->args);
    self->is_seeing = false;
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
    .size = sizeof(struct function),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
