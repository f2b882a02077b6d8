#include "router/plan/build.h"

#include <assert.h>
#include <string.h>

/*
 * SubgraphStrategy and PartitionStrategy: the traversal sees a part of the graph only.
 *
 *   V()    ->  V() test            out() with a test of edges  ->  outE() test inV() test
 *   outE() ->  outE() test, and both its ends pass the test of vertices
 *
 * The tests themselves see the whole graph. Rules push them down again where they can.
 */

/* ---- what the strategies say ---- */

static int criterion_of(struct build *build, const struct value *options, const char *name,
                        const struct bytecode **out)
{
    const struct value *criterion = value_get_text(options, name);

    *out = NULL;
    if (criterion == NULL || criterion->kind == VALUE_NULL) {
        return E_OK;
    }
    if (criterion->kind != VALUE_TRAVERSAL) {
        return error_set(build->err, E_INVALID, "SubgraphStrategy: %s has to be a traversal", name);
    }
    *out = criterion->traversal;
    return E_OK;
}

int build_subgraph(struct build *build, const struct value *options)
{
    struct build_part *part = &build->part;
    const struct value *checks = value_get_text(options, "checkAdjacentVertices");
    int rc = criterion_of(build, options, "vertices", &part->vertices);

    if (rc == E_OK) {
        rc = criterion_of(build, options, "edges", &part->edges);
    }
    if (rc == E_OK) {
        rc = criterion_of(build, options, "vertexProperties", &part->properties);
    }
    part->ignores_ends = checks != NULL && checks->kind == VALUE_BOOL && !checks->boolean;
    return rc;
}

int build_subgraph_partition(struct build *build, const struct value *options)
{
    struct build_part *part = &build->part;
    const struct value *key = value_get_text(options, "partitionKey");
    const struct value *write = value_get_text(options, "writePartition");
    const struct value *read = value_get_text(options, "readPartitions");
    const struct value *meta = value_get_text(options, "includeMetaProperties");

    if (key == NULL || key->kind != VALUE_STRING) {
        return error_set(build->err, E_INVALID,
                         "PartitionStrategy: partitionKey has to be a string");
    }
    if (meta != NULL && meta->kind == VALUE_BOOL && meta->boolean) {
        return error_set(build->err, E_UNSUPPORTED,
                         "PartitionStrategy: includeMetaProperties is not supported yet");
    }
    part->key = build_arg_slice(build, value_slice(key));
    part->write = write == NULL ? value_null() : build_arg_value(build, write);
    part->read = build_arg_within(build, NULL, 0);
    if (read != NULL && (read->kind == VALUE_LIST || read->kind == VALUE_SET)) {
        part->read = build_arg_within(build, read->items, read->size);
    }
    return E_OK;
}

/* ---- tests ---- */

static bool is_whole(const struct frame *frame)
{
    return frame->build->part.is_testing;
}

/* A child that tests, made with the whole graph in view. */
static int add_test(struct build *build, struct plan_step *filter, struct plan_traversal *child,
                    const struct bytecode *criterion)
{
    struct plan_traversal *tests = NULL;
    int rc;

    assert(!build->part.is_testing);
    build->part.is_testing = true;
    rc = build_traversal(build, criterion, 0, &tests);
    build->part.is_testing = false;
    if (rc != E_OK) {
        return rc;
    }
    if (child == NULL) {
        build_adopt(build, filter, tests);
        return E_OK;
    }
    for (uint32_t i = 0; i < tests->step_count; i++) {
        build_append(build, child, &tests->steps[i]);
    }
    build_adopt(build, filter, child);
    return E_OK;
}

static struct plan_step new_filter(struct build *build, const struct call *call)
{
    struct plan_filter *params = ARENA_NEW(build->arena, struct plan_filter);

    params->which = FILTER_ALL_OF;
    return build_step(call, PLAN_FILTER, params);
}

static void push_partition(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_has *has = ARENA_NEW(build->arena, struct plan_has);
    struct read_filter *filter = ARENA_NEW(build->arena, struct read_filter);
    struct plan_step step = build_step(call, PLAN_HAS, has);

    *filter = (struct read_filter){
        .on = READ_ON_KEY, .key = build->part.key, .predicate = build->part.read};
    has->filter_count = 1;
    has->filters = filter;
    build_push(frame, &step);
}

int build_subgraph_vertices(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_step filter = new_filter(build, call);
    int rc = E_OK;

    if (is_whole(frame)) {
        return E_OK;
    }
    if (build->part.read != NULL) {
        push_partition(frame, call);
    }
    if (build->part.vertices != NULL) {
        rc = add_test(build, &filter, NULL, build->part.vertices);
        if (rc == E_OK) {
            build_push(frame, &filter);
        }
    }
    return rc;
}

/* One end of the edge passes the test of vertices. */
static int add_end_test(struct build *build, const struct call *call, struct plan_step *filter,
                        bool is_in)
{
    struct plan_edge_vertex *params = ARENA_NEW(build->arena, struct plan_edge_vertex);
    struct plan_step end = build_step(call, PLAN_EDGE_VERTEX, params);
    struct plan_traversal *child = build_empty(build);

    params->which = is_in ? EDGE_VERTEX_IN : EDGE_VERTEX_OUT;
    build_append(build, child, &end);
    return add_test(build, filter, child, build->part.vertices);
}

int build_subgraph_edges(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_step filter = new_filter(build, call);
    int rc = E_OK;

    if (is_whole(frame)) {
        return E_OK;
    }
    if (build->part.read != NULL) {
        push_partition(frame, call);
    }
    if (build->part.edges != NULL) {
        rc = add_test(build, &filter, NULL, build->part.edges);
    }
    if (rc == E_OK && build->part.vertices != NULL && !build->part.ignores_ends) {
        rc = add_end_test(build, call, &filter, true);
        if (rc == E_OK) {
            rc = add_end_test(build, call, &filter, false);
        }
    }
    if (rc == E_OK && filter.child_count > 0) {
        build_push(frame, &filter);
    }
    return rc;
}

bool build_subgraph_tests_edges(const struct frame *frame)
{
    const struct build_part *part = &frame->build->part;

    return !part->is_testing && (part->edges != NULL || part->read != NULL);
}

bool build_subgraph_tests_properties(const struct frame *frame)
{
    return !frame->build->part.is_testing && frame->build->part.properties != NULL;
}

/* not(typeOf(VPROPERTY)): properties of edges and of properties are not tested. */
static const struct predicate *is_no_vertex_property(struct build *build)
{
    struct value *operand = ARENA_NEW(build->arena, struct value);
    struct predicate *is = ARENA_NEW(build->arena, struct predicate);
    struct predicate *is_not = ARENA_NEW(build->arena, struct predicate);

    *operand = value_enumerator(GTYPE_VPROPERTY);
    *is = (struct predicate){.test = PREDICATE_TYPE_OF, .operand_count = 1, .operands = operand};
    *is_not = (struct predicate){.test = PREDICATE_NOT, .child_count = 1, .children = is};
    return is_not;
}

int build_subgraph_properties(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_filter *params = ARENA_NEW(build->arena, struct plan_filter);
    struct plan_step filter = build_step(call, PLAN_FILTER, params);
    struct plan_is *is = ARENA_NEW(build->arena, struct plan_is);
    struct plan_step other = build_step(call, PLAN_IS, is);
    struct plan_traversal *child = build_empty(build);
    int rc;

    params->which = FILTER_ANY_OF;
    is->predicate = is_no_vertex_property(build);
    build_append(build, child, &other);
    build_adopt(build, &filter, child);
    rc = add_test(build, &filter, NULL, build->part.properties);
    if (rc == E_OK) {
        build_push(frame, &filter);
    }
    return rc;
}

/* ---- writing ---- */

const struct plan_set_property_entry *build_subgraph_entry(struct build *build, uint32_t *count)
{
    struct plan_set_property_entry *entry;

    *count = 0;
    if (build->part.read == NULL || build->part.write.kind == VALUE_NULL) {
        return NULL;
    }
    entry = build_grow(build, NULL, 0, 1, sizeof *entry);
    entry->cardinality = ENUMERATOR_COUNT;
    entry->key = (struct plan_arg){.value = value_string(build->part.key), .child = PLAN_NO_CHILD};
    entry->value = (struct plan_arg){.value = build->part.write, .child = PLAN_NO_CHILD};
    *count = 1;
    return entry;
}

int build_subgraph_merge(struct build *build, struct plan_arg *map)
{
    struct value *pairs;

    if (build->part.read == NULL || build->part.write.kind == VALUE_NULL) {
        return E_OK;
    }
    if (map->child != PLAN_NO_CHILD ||
        (map->value.kind != VALUE_MAP && map->value.kind != VALUE_NULL)) {
        return error_set(build->err, E_UNSUPPORTED,
                         "PartitionStrategy: merge steps have to be given a map");
    }
    pairs = arena_array(build->arena, 2 * ((size_t)map->value.size + 1), sizeof *pairs);
    if (map->value.size > 0) {
        memcpy(pairs, map->value.items, 2 * (size_t)map->value.size * sizeof *pairs);
    }
    pairs[2 * map->value.size] = value_string(build->part.key);
    pairs[2 * map->value.size + 1] = build->part.write;
    map->value = value_items(build->arena, VALUE_MAP, pairs, map->value.size + 1);
    return E_OK;
}
