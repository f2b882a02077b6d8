#include "router/op/upsert.h"

#include "router/op/elem.h"
#include "router/op/exec.h"

#include <assert.h>
#include <string.h>

static const struct plan_merge *plan_of(const struct upsert *self)
{
    return self->op.plan->params;
}

/* ---- maps ---- */

static bool is_token(const struct value *key, enum enumerator token)
{
    return key->kind == VALUE_ENUM && key->integer == (int64_t)token;
}

const struct value *upsert_get(const struct value *map, enum enumerator key)
{
    for (uint32_t i = 0; map->kind == VALUE_MAP && i < map->size; i++) {
        if (is_token(&map->items[2 * i], key)) {
            return &map->items[2 * i + 1];
        }
    }
    return NULL;
}

static bool is_allowed(const struct upsert_rule *rule, const struct value *key)
{
    bool is_common = is_token(key, T_ID) || is_token(key, T_LABEL);

    return is_common ||
           (rule->is_edge && (is_token(key, DIRECTION_OUT) || is_token(key, DIRECTION_IN)));
}

static bool check_token(struct exec *exec, const struct upsert_rule *rule, const struct value *key,
                        const struct value *value)
{
    if (value->kind == VALUE_NULL) {
        op_fail(exec, E_INVALID, "%s() does not allow null Map values - check: %s", rule->name,
                value_enumerator_name((enum enumerator)key->integer));
        return false;
    }
    if (is_token(key, T_LABEL)) {
        if (value->kind != VALUE_STRING) {
            op_fail(
                exec, E_INVALID,
                "%s() and option(onCreate) args expect T.label value to be of String - found: %s",
                rule->name, value_kind_name((enum value_kind)value->kind));
            return false;
        }
        return mutate_check_label(exec, value);
    }
    bool is_merge = value->kind == VALUE_ENUM && value->flag == ENUM_MERGE;
    if (is_merge && (is_token(key, DIRECTION_OUT) != is_token(value, MERGE_OUT_V) ||
                     is_token(key, DIRECTION_IN) != is_token(value, MERGE_IN_V))) {
        op_fail(exec, E_INVALID,
                "Only Merge.outV and Merge.inV may stand for Direction.OUT and "
                "Direction.IN, each for its own");
        return false;
    }
    return true;
}

/* A map as merge() or onCreate take it, or with strings_only as onMatch does. */
static bool check_map(struct exec *exec, const struct upsert_rule *rule, const struct value *map,
                      bool strings_only)
{
    if (map->kind == VALUE_NULL) {
        return true;
    }
    if (map->kind != VALUE_MAP) {
        op_fail(exec, E_INVALID, "%s() and its options must resolve to a Map, not to a %s",
                rule->name, value_kind_name((enum value_kind)map->kind));
        return false;
    }
    for (uint32_t i = 0; i < map->size; i++) {
        const struct value *key = &map->items[2 * i];
        if (key->kind == VALUE_STRING) {
            if (!mutate_check_key(exec, key)) {
                return false;
            }
        } else if (strings_only) {
            op_fail(exec, E_INVALID, "option(onMatch) expects keys in Map to be of String");
            return false;
        } else if (!is_allowed(rule, key)) {
            op_fail(exec, E_INVALID,
                    "%s() and option(onCreate) args expect keys in Map to be either String or %s",
                    rule->name,
                    rule->is_edge ? "[T.id, T.label, Direction.OUT, Direction.IN]"
                                  : "[T.id, T.label]");
            return false;
        } else if (!check_token(exec, rule, key, &map->items[2 * i + 1])) {
            return false;
        }
    }
    return true;
}

static bool check_no_override(struct exec *exec, const struct value *map, const struct value *over)
{
    for (uint32_t i = 0; over->kind == VALUE_MAP && map->kind == VALUE_MAP && i < over->size; i++) {
        const struct value *old = value_get(map, &over->items[2 * i]);
        if (old != NULL && !value_equal(old, &over->items[2 * i + 1])) {
            struct slice key = value_text(&exec->arena, &over->items[2 * i]);
            op_fail(exec, E_INVALID,
                    "option(onCreate) cannot override values from merge() argument: %.*s",
                    (int)key.size, (const char *)key.data);
            return false;
        }
    }
    return true;
}

static struct value unite(struct exec *exec, const struct value *map, const struct value *over)
{
    uint32_t room =
        (map->kind == VALUE_MAP ? map->size : 0) + (over->kind == VALUE_MAP ? over->size : 0);
    struct value *items = arena_array(&exec->arena, 2 * (size_t)room + 1, sizeof *items);
    uint32_t count = 0;

    for (uint32_t i = 0; map->kind == VALUE_MAP && i < map->size; i++) {
        items[2 * count] = map->items[2 * i];
        items[2 * count++ + 1] = map->items[2 * i + 1];
    }
    for (uint32_t i = 0; over->kind == VALUE_MAP && i < over->size; i++) {
        if (map->kind != VALUE_MAP || value_get(map, &over->items[2 * i]) == NULL) {
            items[2 * count] = over->items[2 * i];
            items[2 * count++ + 1] = over->items[2 * i + 1];
        }
    }
    return (struct value){.kind = VALUE_MAP, .size = count, .items = items};
}

/* ---- filters ---- */

const struct predicate *upsert_equals(struct exec *exec, const struct value *value)
{
    struct predicate *predicate = ARENA_NEW(&exec->arena, struct predicate);

    predicate->test = PREDICATE_EQ;
    predicate->operand_count = 1;
    predicate->operands = arena_copy(&exec->arena, value, sizeof *value);
    return predicate;
}

const struct read_filter *upsert_filters(struct exec *exec, const struct value *map,
                                         bool with_label, uint32_t *count)
{
    struct read_filter *filters = arena_array(&exec->arena, map->size + 1, sizeof *filters);

    *count = 0;
    for (uint32_t i = 0; i < map->size; i++) {
        const struct value *key = &map->items[2 * i];
        struct value value = map->items[2 * i + 1];
        enum enumerator cardinality;
        mutate_unwrap(&value, &cardinality);
        if (key->kind == VALUE_STRING) {
            filters[(*count)++] = (struct read_filter){.on = READ_ON_KEY,
                                                       .key = value_slice(key),
                                                       .predicate = upsert_equals(exec, &value)};
        } else if (with_label && is_token(key, T_LABEL)) {
            filters[(*count)++] =
                (struct read_filter){.on = READ_ON_LABEL, .predicate = upsert_equals(exec, &value)};
        }
    }
    return filters;
}

/* ---- arguments ---- */

static int add_arg(struct upsert *self, struct exec *exec, struct args *args,
                   const struct plan_arg *arg)
{
    args_init(args, exec, 1);
    return args_add(args, exec, arg, self->op.plan->children);
}

/* Constant maps are refused before anything runs. */
static int check_constants(struct upsert *self, struct exec *exec)
{
    const struct plan_merge *plan = plan_of(self);
    bool has_map = !plan->from_traverser && plan->map.child == PLAN_NO_CHILD;
    bool has_create = plan->has_on_create && plan->on_create.child == PLAN_NO_CHILD;
    bool has_match = plan->has_on_match && plan->on_match.child == PLAN_NO_CHILD;
    bool is_right = (!has_map || check_map(exec, self->rule, &plan->map.value, false)) &&
                    (!has_create || check_map(exec, self->rule, &plan->on_create.value, false)) &&
                    (!has_match || check_map(exec, self->rule, &plan->on_match.value, true)) &&
                    (!has_map || !has_create ||
                     check_no_override(exec, &plan->map.value, &plan->on_create.value));

    return is_right ? E_OK : exec->error.code;
}

int upsert_open(struct op *op, struct exec *exec, const struct upsert_rule *rule)
{
    struct upsert *self = (struct upsert *)op;
    const struct plan_merge *plan = plan_of(self);
    int rc;

    self->exec = exec;
    self->rule = rule;
    self->load = (struct load_run){.want = LOAD_LABEL, .op = op};
    self->may_ahead = !rule->is_edge;
    for (uint32_t i = 0; i < op->plan->child_count; i++) {
        self->may_ahead = self->may_ahead && !child_is_write(op->plan->children[i]);
    }
    rc = check_constants(self, exec);
    if (rc == E_OK && !plan->from_traverser) {
        rc = add_arg(self, exec, &self->map_arg, &plan->map);
    }
    if (rc == E_OK && plan->has_on_match) {
        rc = add_arg(self, exec, &self->on_match_arg, &plan->on_match);
    }
    if (rc == E_OK && plan->has_on_create) {
        rc = add_arg(self, exec, &self->on_create_arg, &plan->on_create);
    }
    if (rc == E_OK) {
        args_init(&self->ends_arg, exec, 2);
        rc = plan->has_out_v ? args_add(&self->ends_arg, exec, &plan->out_v, op->plan->children)
                             : E_OK;
    }
    if (rc == E_OK && plan->has_in_v) {
        rc = args_add(&self->ends_arg, exec, &plan->in_v, op->plan->children);
    }
    return rc;
}

/* One argument for one traverser, checked as a map. NULL stands for nothing. */
static enum pull find_map(struct upsert *self, struct args *args, const struct traverser *at,
                          bool strings_only, struct value *map)
{
    enum pull rc = args_run(args, self->exec, at, 1);

    if (rc != PULL_BATCH) {
        return rc;
    }
    const struct value *value = args_get(args, 0, 0);
    *map = value == NULL ? value_null() : *value;
    return check_map(self->exec, self->rule, map, strings_only) ? PULL_BATCH : PULL_ERROR;
}

/* ---- mergeE: ends ---- */

/* The vertex that option(Merge.outV, ...) means: a vertex, a map with T.id, or an id. */
static enum pull option_end(struct upsert *self, bool is_out, struct value *end)
{
    const struct plan_merge *plan = plan_of(self);
    bool has = is_out ? plan->has_out_v : plan->has_in_v;
    const char *name = is_out ? "outV" : "inV";

    if (!has) {
        return op_fail(self->exec, E_INVALID, "option(%s) must be specified if it is used for %s",
                       name, is_out ? "OUT" : "IN");
    }
    const struct value *value = args_get(&self->ends_arg, is_out || !plan->has_out_v ? 0 : 1, 0);
    if (value != NULL && value->kind == VALUE_MAP) {
        value = upsert_get(value, T_ID);
    }
    if (value == NULL || value->kind == VALUE_NULL) {
        return op_fail(self->exec, E_INVALID,
                       "Vertex id could not be resolved from mergeE option(%s)", name);
    }
    *end = *value;
    return PULL_BATCH;
}

static enum pull find_end(struct upsert *self, const struct value *map, bool is_out)
{
    const struct value *given = upsert_get(map, is_out ? DIRECTION_OUT : DIRECTION_IN);
    struct value value;
    struct vid id;

    self->ends[is_out ? 0 : 1] = value_null();
    if (given == NULL) {
        return PULL_BATCH;
    }
    value = *given;
    if (given->kind == VALUE_ENUM && given->flag == ENUM_MERGE &&
        option_end(self, is_out, &value) != PULL_BATCH) {
        return PULL_ERROR;
    }
    if (value.kind == VALUE_EDGE || !elem_vid(self->exec, &value, &id)) {
        return op_fail(self->exec, E_INVALID, "Vertex id could not be resolved from mergeE: a %s",
                       value_kind_name((enum value_kind)value.kind));
    }
    struct value plain = elem_id(self->exec, &id);
    self->ends[is_out ? 0 : 1] = elem_vertex(self->exec, &plain, (struct slice){0});
    return PULL_BATCH;
}

static enum pull find_ends(struct upsert *self, const struct value *map)
{
    enum pull rc = PULL_BATCH;

    if (!self->rule->is_edge) {
        return PULL_BATCH;
    }
    if (self->ends_arg.count > 0) {
        rc = args_run(&self->ends_arg, self->exec, &self->input.all.items[self->at], 1);
    }
    if (rc == PULL_BATCH) {
        rc = find_end(self, map, true);
    }
    return rc == PULL_BATCH ? find_end(self, map, false) : rc;
}

/* ---- states: each gives BATCH to go on ---- */

/* The maps of the window, all at once. */
static enum pull find_maps(struct upsert *self)
{
    uint32_t count = self->window_end - self->window;
    const struct traverser *items = self->input.all.items + self->window;
    bool is_arg = !plan_of(self)->from_traverser;
    enum pull rc = is_arg ? args_run(&self->map_arg, self->exec, items, count) : PULL_BATCH;

    if (rc != PULL_BATCH) {
        return rc;
    }
    self->maps = arena_array(&self->exec->arena, count, sizeof *self->maps);
    for (uint32_t i = 0; i < count; i++) {
        const struct value *map = is_arg ? args_get(&self->map_arg, 0, i) : &items[i].value;
        self->maps[i] = map == NULL ? value_null() : *map;
        if (!check_map(self->exec, self->rule, &self->maps[i], false)) {
            return PULL_ERROR;
        }
        if (self->maps[i].kind == VALUE_NULL) {
            self->maps[i] = (struct value){.kind = VALUE_MAP};
        }
    }
    return PULL_BATCH;
}

static enum pull on_ahead(struct upsert *self)
{
    enum pull rc = PULL_BATCH;

    if (!self->is_reading) {
        uint32_t left = self->input.all.count - self->at;
        self->window = self->at;
        self->window_end = self->at + (left < AHEAD_WINDOW ? left : AHEAD_WINDOW);
        self->is_ahead = false;
        if (self->may_ahead && left > 1) {
            rc = find_maps(self);
            self->is_reading =
                rc == PULL_BATCH && ahead_start(&self->ahead, self->exec, &self->op, self->maps,
                                                self->window_end - self->window);
        }
        if (rc != PULL_BATCH || self->exec->error.code != E_OK) {
            return rc == PULL_WAIT ? rc : PULL_ERROR;
        }
    }
    if (self->is_reading) {
        rc = ahead_read(&self->ahead, self->exec);
        if (rc != PULL_BATCH) {
            return rc;
        }
        self->is_reading = false;
        self->is_ahead = true;
    }
    self->state = UPSERT_MAP;
    return PULL_BATCH;
}

static void found(struct upsert *self)
{
    self->row_at = 0;
    self->is_create_known = false;
    self->step = 0;
    self->state = self->rows.count > 0 ? UPSERT_MATCH : UPSERT_CREATE;
}

static enum pull on_map(struct upsert *self)
{
    const struct traverser *from = &self->input.all.items[self->at];
    enum pull rc = PULL_BATCH;

    if (self->at == self->window_end) {
        self->state = UPSERT_AHEAD;
        return PULL_BATCH;
    }
    if (self->is_ahead) {
        self->map = self->maps[self->at - self->window];
        ahead_find(&self->ahead, self->exec, &self->map, &self->rows);
        found(self);
        return PULL_BATCH;
    }
    if (plan_of(self)->from_traverser) {
        self->map = from->value;
        rc = check_map(self->exec, self->rule, &self->map, false) ? PULL_BATCH : PULL_ERROR;
    } else {
        rc = find_map(self, &self->map_arg, from, false, &self->map);
    }
    if (rc != PULL_BATCH) {
        return rc;
    }
    if (self->map.kind == VALUE_NULL) {
        self->map = (struct value){.kind = VALUE_MAP};
    }
    rc = find_ends(self, &self->map);
    if (rc != PULL_BATCH) {
        return rc;
    }
    self->spec = (struct read_request){.emit = READ_ROWS, .project = READ_ALL};
    self->rows.count = 0;
    if (!self->rule->search(self, self->exec)) {
        return PULL_ERROR;
    }
    self->fetch = fetch_start(self->exec, &self->op, &self->spec);
    self->state = UPSERT_SEARCH;
    return self->fetch == NULL ? PULL_ERROR : PULL_BATCH;
}

static enum pull on_search(struct upsert *self)
{
    enum pull rc = rowset_take(&self->rows, self->fetch, self->exec, UINT32_MAX);
    uint32_t kept = 0;

    if (rc != PULL_DONE) {
        return rc;
    }
    fetch_close(&self->fetch, self->exec);
    for (uint32_t i = 0; i < self->rows.count; i++) {
        if (self->rule->fits == NULL ||
            self->rule->fits(self, self->exec, &self->rows.rows[i].element)) {
            self->rows.rows[kept++] = self->rows.rows[i];
        }
    }
    self->rows.count = kept;
    found(self);
    return PULL_BATCH;
}

static bool set_matched(struct upsert *self, const struct value *element, const struct value *map)
{
    for (uint32_t i = 0; map->kind == VALUE_MAP && i < map->size; i++) {
        struct mutate_property property = {.key = map->items[2 * i],
                                           .value = map->items[2 * i + 1],
                                           .cardinality = plan_of(self)->match_cardinality};
        mutate_unwrap(&property.value, &property.cardinality);
        if (!mutate_set(self->exec, element, &property)) {
            return false;
        }
    }
    return true;
}

static void next_traverser(struct upsert *self)
{
    self->at++;
    self->state = UPSERT_MAP;
}

static enum pull on_match(struct upsert *self, struct batch *out)
{
    const struct traverser *from = &self->input.all.items[self->at];

    while (self->row_at < self->rows.count && out->count < OP_BATCH) {
        const struct value *element = &self->rows.rows[self->row_at].element;
        if (plan_of(self)->has_on_match) {
            struct value map;
            batch_clear(&self->matched);
            batch_push(&self->matched, from);
            self->matched.items[0].value = *element;
            enum pull rc = find_map(self, &self->on_match_arg, self->matched.items, true, &map);
            if (rc != PULL_BATCH) {
                return rc;
            }
            if (!set_matched(self, element, &map)) {
                return PULL_ERROR;
            }
            self->is_ahead = self->is_ahead && !ahead_is_touched(&self->map, &map);
        }
        struct traverser next = op_split(&self->op, self->exec, from, *element);
        batch_push(out, &next);
        self->row_at++;
    }
    if (self->row_at == self->rows.count) {
        next_traverser(self);
    }
    return PULL_BATCH;
}

static enum pull find_created(struct upsert *self)
{
    struct value over = value_null();

    if (plan_of(self)->has_on_create) {
        enum pull rc =
            find_map(self, &self->on_create_arg, &self->input.all.items[self->at], false, &over);
        if (rc != PULL_BATCH) {
            return rc;
        }
        if (!check_no_override(self->exec, &self->map, &over)) {
            return PULL_ERROR;
        }
    }
    self->created = unite(self->exec, &self->map, &over);
    self->is_create_known = true;
    return find_ends(self, &self->created);
}

static enum pull on_create(struct upsert *self, struct batch *out)
{
    struct value element;
    enum pull rc = PULL_BATCH;

    if (!self->is_create_known) {
        rc = find_created(self);
    }
    if (rc == PULL_BATCH) {
        rc = self->rule->create(self, self->exec, &element);
    }
    if (rc == PULL_BATCH) {
        struct traverser next =
            op_split(&self->op, self->exec, &self->input.all.items[self->at], element);
        batch_push(out, &next);
        if (self->is_ahead) {
            ahead_add(&self->ahead, self->exec, &element);
        }
        next_traverser(self);
    }
    return rc;
}

static enum pull advance(struct upsert *self, struct batch *out)
{
    enum pull rc = PULL_BATCH;

    switch (self->state) {
    case UPSERT_GATHER:
        rc = mutate_gather(&self->input, &self->op, self->exec, plan_of(self)->is_start);
        self->state = rc == PULL_BATCH ? UPSERT_AHEAD : UPSERT_GATHER;
        break;
    case UPSERT_AHEAD:
        rc = self->at < self->input.all.count ? on_ahead(self) : PULL_DONE;
        break;
    case UPSERT_MAP:
        rc = self->at < self->input.all.count ? on_map(self) : PULL_DONE;
        break;
    case UPSERT_SEARCH:
        rc = on_search(self);
        break;
    case UPSERT_MATCH:
        rc = on_match(self, out);
        break;
    case UPSERT_CREATE:
        rc = on_create(self, out);
        break;
    }
    return rc;
}

enum pull upsert_pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct upsert *self = (struct upsert *)op;

    (void)exec;
    while (out->count < OP_BATCH) {
        enum pull rc = advance(self, out);
        if (rc == PULL_ERROR) {
            batch_clear(out);
            return rc;
        }
        if (rc != PULL_BATCH) {
            return out->count > 0 ? PULL_BATCH : rc;
        }
    }
    return PULL_BATCH;
}

void upsert_reset(struct op *op, struct exec *exec)
{
    struct upsert *self = (struct upsert *)op;

    fetch_close(&self->fetch, exec);
    load_reset(&self->load);
    ahead_reset(&self->ahead, exec);
    self->is_reading = false;
    self->is_ahead = false;
    self->window_end = 0;
    mutate_reset(&self->input);
    args_reset(&self->map_arg);
    args_reset(&self->on_match_arg);
    args_reset(&self->on_create_arg);
    args_reset(&self->ends_arg);
    self->state = UPSERT_GATHER;
    self->at = 0;
}

void upsert_close(struct op *op)
{
    struct upsert *self = (struct upsert *)op;

    if (self->exec == NULL) {
        return;
    }
    fetch_close(&self->fetch, self->exec);
    load_close(&self->load);
    ahead_close(&self->ahead, self->exec);
    mutate_close(&self->input);
    args_close(&self->map_arg);
    args_close(&self->on_match_arg);
    args_close(&self->on_create_arg);
    args_close(&self->ends_arg);
    rowset_close(&self->rows);
    batch_close(&self->matched);
}
