#include "router/op/elem.h"

#include "common/shardmap.h"
#include "router/op/exec.h"
#include "router/remote/transaction.h"

#include <assert.h>
#include <string.h>

static bool has_int_ids(const struct exec *exec)
{
    const struct shardmap_graph *graph = transaction_graph(exec->txn, exec);

    return graph != NULL && graph->ids == IDS_INT;
}

static bool parse_num(struct slice text, int64_t *out)
{
    bool is_negative = text.size > 0 && text.data[0] == '-';
    size_t at = is_negative ? 1 : 0;
    uint64_t num = 0;

    if (text.size == at || text.size - at > 18) {
        return false;
    }
    for (; at < text.size; at++) {
        if (text.data[at] < '0' || text.data[at] > '9') {
            return false;
        }
        num = num * 10 + (uint64_t)(text.data[at] - '0');
    }
    *out = is_negative ? -(int64_t)num : (int64_t)num;
    return true;
}

/* The value that stands for the id: of an element its id, a numeric text a number where ids are
 * INT. */
static struct value plain_id(struct exec *exec, const struct value *value)
{
    struct value id = *value;
    int64_t num;

    if (value->kind == VALUE_VERTEX) {
        id = value->vertex->id;
    } else if (value->kind == VALUE_EDGE) {
        id = value->edge->id;
    } else if (value->kind == VALUE_VPROPERTY) {
        id = value->vproperty->id;
    }
    if (id.kind == VALUE_STRING && has_int_ids(exec) && parse_num(value_slice(&id), &num)) {
        return value_long(num);
    }
    return id;
}

bool elem_vid(struct exec *exec, const struct value *value, struct vid *out)
{
    struct value id = plain_id(exec, value);

    return vid_from_value(&exec->arena, &id, out);
}

struct value elem_id(struct exec *exec, const struct vid *vid)
{
    if (vid->text.data != NULL) {
        return value_string(vid_copy(&exec->arena, vid).text);
    }
    if (has_int_ids(exec) && vid->num >= INT32_MIN && vid->num <= INT32_MAX) {
        return value_int((int32_t)vid->num);
    }
    return value_long(vid->num);
}

static void coerce(struct exec *exec, struct value *value)
{
    if (value->kind != VALUE_LIST && value->kind != VALUE_SET) {
        *value = plain_id(exec, value);
        return;
    }
    struct value *items = arena_array(&exec->arena, value->size + 1, sizeof *items);
    for (uint32_t i = 0; i < value->size; i++) {
        items[i] = plain_id(exec, &value->items[i]);
    }
    value->items = items;
}

static void coerce_all(struct exec *exec, struct predicate *predicate, int depth)
{
    assert(depth <= VALUE_DEPTH_MAX);
    if (predicate->operand_count > 0) {
        struct value *operands = arena_copy(&exec->arena, predicate->operands,
                                            predicate->operand_count * sizeof *operands);
        for (uint32_t i = 0; i < predicate->operand_count; i++) {
            coerce(exec, &operands[i]);
        }
        predicate->operands = operands;
    }
    if (predicate->child_count > 0) {
        struct predicate *children = arena_copy(&exec->arena, predicate->children,
                                                predicate->child_count * sizeof *children);
        for (uint32_t i = 0; i < predicate->child_count; i++) {
            coerce_all(exec, &children[i], depth + 1);
        }
        predicate->children = children;
    }
}

static const struct predicate *id_predicate(struct exec *exec, const struct predicate *predicate)
{
    struct predicate *copy = arena_copy(&exec->arena, predicate, sizeof *predicate);

    coerce_all(exec, copy, 0);
    return copy;
}

const struct read_filter *elem_filters(struct exec *exec, const struct read_filter *filters,
                                       uint32_t count)
{
    struct read_filter *read = arena_array(&exec->arena, (size_t)count + 1, sizeof *read);

    for (uint32_t i = 0; i < count; i++) {
        read[i] = filters[i];
        if (filters[i].on == READ_ON_ID) {
            read[i].predicate = id_predicate(exec, filters[i].predicate);
        }
    }
    return read;
}

struct value elem_vertex(struct exec *exec, const struct value *id, struct slice label)
{
    struct vertex *vertex = ARENA_NEW(&exec->stream, struct vertex);

    vertex->id = *id;
    vertex->label = label;
    return value_vertex(vertex);
}
