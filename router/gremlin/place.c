#include "router/gremlin/place.h"

#include "common/element.h"
#include "common/predicate.h"

#include <assert.h>

/* misc-no-recursion: every level counts against VALUE_DEPTH_MAX. */

static int check_inside(const struct value *value, unsigned kinds, int depth, struct error *err);

unsigned place_of(enum step_id step)
{
    static const uint8_t kinds[STEP_ID_COUNT] = {
#define PLACE(step, kinds) [STEP_##step] = (kinds),
#include "router/gremlin/place.def"
#undef PLACE
    };

    assert(step < STEP_ID_COUNT);
    return kinds[step];
}

static int misplaced(const struct value *value, const char *where, struct error *err)
{
    return error_set(err, E_INVALID, "a %s cannot stand %s",
                     value_kind_name((enum value_kind)value->kind), where);
}

static int check_items(const struct value *items, size_t count, unsigned kinds, int depth,
                       struct error *err)
{
    int rc = E_OK;

    for (size_t i = 0; rc == E_OK && i < count; i++) {
        rc = check_inside(&items[i], kinds, depth, err);
    }
    return rc;
}

static int check_predicate(const struct predicate *predicate, int depth, struct error *err)
{
    int rc = E_OK;

    if (depth > VALUE_DEPTH_MAX) {
        return error_set(err, E_LIMIT, "nested deeper than %d", VALUE_DEPTH_MAX);
    }
    for (uint32_t i = 0; i < predicate->operand_count; i++) {
        if (predicate->operands[i].kind == VALUE_TRAVERSAL) {
            return error_set(err, E_UNSUPPORTED,
                             "a traversal in %s() is not supported: compare in where(), such as "
                             "where(__.values('a').is(1)), or with a named place, "
                             "as('a') and where(%s('a'))",
                             predicate_name(predicate->test), predicate_name(predicate->test));
        }
        rc = check_inside(&predicate->operands[i], 0, depth + 1, err);
        if (rc != E_OK) {
            return rc;
        }
    }
    for (uint32_t i = 0; rc == E_OK && i < predicate->child_count; i++) {
        rc = check_predicate(&predicate->children[i], depth + 1, err);
    }
    return rc;
}

static int check_properties(const struct property *props, uint32_t count, int depth,
                            struct error *err)
{
    int rc = E_OK;

    for (uint32_t i = 0; rc == E_OK && i < count; i++) {
        rc = check_inside(&props[i].value, 0, depth, err);
    }
    return rc;
}

static int check_vproperty(const struct vproperty *property, int depth, struct error *err)
{
    int rc = check_inside(&property->id, 0, depth, err);

    if (rc == E_OK) {
        rc = check_inside(&property->value, 0, depth, err);
    }
    return rc != E_OK ? rc : check_properties(property->metas, property->meta_count, depth, err);
}

static int check_edge(const struct edge *edge, int depth, struct error *err)
{
    const struct value *ids[] = {&edge->id, &edge->in_id, &edge->out_id};
    int rc = E_OK;

    for (size_t i = 0; rc == E_OK && i < sizeof ids / sizeof ids[0]; i++) {
        rc = check_inside(ids[i], 0, depth, err);
    }
    return rc != E_OK ? rc : check_properties(edge->props, edge->prop_count, depth, err);
}

static int check_vertex(const struct vertex *vertex, int depth, struct error *err)
{
    int rc = check_inside(&vertex->id, 0, depth, err);

    for (uint32_t i = 0; rc == E_OK && i < vertex->prop_count; i++) {
        rc = check_vproperty(&vertex->props[i], depth, err);
    }
    return rc;
}

static int check_path(const struct path *path, int depth, struct error *err)
{
    int rc = check_items(path->labels, path->size, 0, depth, err);

    return rc != E_OK ? rc : check_items(path->objects, path->size, 0, depth, err);
}

static int check_inside(const struct value *value, unsigned kinds, int depth, struct error *err)
{
    if (depth > VALUE_DEPTH_MAX) {
        return error_set(err, E_LIMIT, "nested deeper than %d", VALUE_DEPTH_MAX);
    }
    switch ((int)value->kind) {
    case VALUE_LIST:
    case VALUE_SET:
    case VALUE_ENTRY:
    case VALUE_MAP:
    case VALUE_BULKSET:
    case VALUE_TREE:
        /* A cardinality stands before a value of a map of properties, not anywhere in it. */
        return check_items(value->items, value_item_count(value),
                           value->kind == VALUE_MAP && depth == 1 ? kinds & PLACE_CARDINALITY : 0,
                           depth + 1, err);
    case VALUE_VERTEX:
        return check_vertex(value->vertex, depth + 1, err);
    case VALUE_EDGE:
        return check_edge(value->edge, depth + 1, err);
    case VALUE_VPROPERTY:
        return check_vproperty(value->vproperty, depth + 1, err);
    case VALUE_PROPERTY:
        return check_inside(&value->property->value, 0, depth + 1, err);
    case VALUE_PATH:
        return check_path(value->path, depth + 1, err);
    case VALUE_TRAVERSAL:
        return (kinds & PLACE_CARDINALITY) != 0 && bytecode_cardinality(value, NULL) != NULL
                   ? E_OK
                   : misplaced(value, "inside a value or as one", err);
    case VALUE_LAMBDA:
        return error_set(err, E_UNSUPPORTED, "lambdas are not supported: use a traversal instead");
    case VALUE_PREDICATE:
    case VALUE_STRATEGY:
    case VALUE_CLASS:
    case VALUE_TRAVERSER:
    case VALUE_METRICS:
    case VALUE_GRAPH:
        return misplaced(value, "inside a value or as one", err);
    default:
        return E_OK;
    }
}

/* Options of a strategy: traversals, values, and lists of names. */
static int check_strategy(const struct value *strategy, struct error *err)
{
    const struct value *map = &strategy->items[1];
    int rc = E_OK;

    for (uint32_t i = 0; rc == E_OK && i < 2 * map->size; i++) {
        if (map->items[i].kind != VALUE_TRAVERSAL || i % 2 == 0) {
            rc = check_inside(&map->items[i], 0, 1, err);
        }
    }
    return rc;
}

int place_check(unsigned kinds, const struct value *value, struct error *err)
{
    assert(value != NULL);
    switch ((int)value->kind) {
    case VALUE_TRAVERSAL:
        if (bytecode_cardinality(value, NULL) != NULL) {
            return (kinds & PLACE_CARDINALITY) != 0
                       ? E_OK
                       : error_set(err, E_INVALID, "a cardinality cannot stand here");
        }
        return (kinds & PLACE_TRAVERSAL) != 0 ? E_OK : misplaced(value, "here", err);
    case VALUE_PREDICATE:
        return (kinds & PLACE_PREDICATE) != 0 ? check_predicate(value->predicate, 1, err)
                                              : misplaced(value, "here", err);
    case VALUE_STRATEGY:
        return (kinds & PLACE_STRATEGY) != 0 ? check_strategy(value, err)
                                             : misplaced(value, "here", err);
    case VALUE_CLASS:
        return (kinds & PLACE_CLASS) != 0 ? E_OK : misplaced(value, "here", err);
    default:
        return check_inside(value, kinds, 1, err);
    }
}
