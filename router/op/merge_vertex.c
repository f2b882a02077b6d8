#include "router/op/elem.h"
#include "router/op/exec.h"
#include "router/op/upsert.h"
#include "router/remote/transaction.h"

#include <assert.h>

static bool search(struct upsert *self, struct exec *exec)
{
    const struct value *id = upsert_get(&self->map, T_ID);
    struct read_request *spec = &self->spec;

    spec->source = READ_VERTICES;
    spec->filters = upsert_filters(exec, &self->map, true, &spec->filter_count);
    if (id != NULL) {
        struct read_input *input = ARENA_NEW(&exec->arena, struct read_input);
        input->bulk = 1;
        if (!elem_vid(exec, id, &input->id)) {
            op_fail(exec, E_INVALID, "a %s cannot be the id of a vertex",
                    value_kind_name((enum value_kind)id->kind));
            return false;
        }
        spec->source = READ_IDS;
        spec->inputs = input;
        spec->input_count = 1;
    }
    return true;
}

static enum pull create(struct upsert *self, struct exec *exec, struct value *out)
{
    const struct plan_merge *plan = self->op.plan->params;
    const struct value *map = &self->created;
    const struct value *id = upsert_get(map, T_ID);
    const struct value *label = upsert_get(map, T_LABEL);
    struct mutate_property *properties =
        arena_array(&exec->arena, map->size + 1, sizeof *properties);
    uint32_t count = 0;
    struct vid vid = vid_num(0);

    for (uint32_t i = 0; i < map->size; i++) {
        if (map->items[2 * i].kind == VALUE_STRING) {
            properties[count] = (struct mutate_property){.key = map->items[2 * i],
                                                         .value = map->items[2 * i + 1],
                                                         .cardinality = plan->create_cardinality};
            mutate_unwrap(&properties[count].value, &properties[count].cardinality);
            count++;
        }
    }
    if (id == NULL) {
        enum pull rc = transaction_new_id(exec->txn, exec, NULL, &vid.num);
        if (rc != PULL_BATCH) {
            return rc;
        }
    } else if (!elem_vid(exec, id, &vid)) {
        return op_fail(exec, E_INVALID, "a %s cannot be the id of a vertex",
                       value_kind_name((enum value_kind)id->kind));
    }
    struct slice name = label == NULL ? SLICE("vertex") : value_slice(label);
    return mutate_add_vertex(exec, &vid, name, properties, count, out) ? PULL_BATCH : PULL_ERROR;
}

static int open(struct op *op, struct exec *exec)
{
    static const struct upsert_rule rule = {.name = "mergeV", .search = search, .create = create};

    return upsert_open(op, exec, &rule);
}

extern const struct op_class merge_vertex_class;

const struct op_class merge_vertex_class = {
    .name = "merge vertex",
    .size = sizeof(struct upsert),
    .open = open,
    .pull = upsert_pull,
    .reset = upsert_reset,
    .close = upsert_close,
};
