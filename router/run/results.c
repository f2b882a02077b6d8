#include "router/run/results.h"

#include "common/element.h"
#include "common/map.h"
#include "common/mem.h"

#include <assert.h>

enum { STATUS_SUCCESS = 200, STATUS_NO_CONTENT = 204, STATUS_PARTIAL = 206 };

void results_init(struct results *results, const struct request *request)
{
    *results = (struct results){.request = request, .batch_size = 64};
}

void results_clear(struct results *results)
{
    for (uint32_t i = 0; i < results->frame_count; i++) {
        bytes_close(&results->frames[i].body);
    }
    results->frame_count = 0;
    results->frame_bytes = 0;
    bytes_close(&results->body);
    results->is_open = false;
    results->count = 0;
    results->total = 0;
}

void results_close(struct results *results)
{
    results_clear(results);
    mem_free(results->frames);
    mem_free(results->values);
    *results = (struct results){0};
}

bool results_is_holding(const struct results *results)
{
    return results->form != RESULTS_ALL;
}

/* ---- frames ---- */

static struct response head_of(const struct results *results, bool has_data)
{
    return (struct response){.format = results->request->format,
                             .request_id = results->request->id,
                             .status = has_data ? STATUS_SUCCESS : STATUS_NO_CONTENT,
                             .message = "",
                             .has_data = has_data};
}

static void add_frame(struct results *results, int status)
{
    if (results->frame_count == results->frame_room) {
        results->frame_room = results->frame_room == 0 ? 8 : results->frame_room * 2;
        results->frames =
            mem_resize(results->frames, results->frame_room * sizeof *results->frames);
    }
    results->frames[results->frame_count++] =
        (struct results_frame){.status = status, .body = results->body};
    results->frame_bytes += results->body.size;
    results->body = (struct bytes){0};
    results->is_open = false;
}

static void begin_frame(struct results *results)
{
    struct response head = head_of(results, true);

    if (!results->is_open) {
        bytes_init(&results->body, 0);
        response_begin(&results->writer, &results->body, &head);
        results->is_open = true;
    }
}

static void end_frame(struct results *results, int status)
{
    begin_frame(results);
    response_end(&results->writer, status);
    add_frame(results, status);
}

static int check_bytes(const struct results *results, struct error *err)
{
    if (results->bytes_max != 0 &&
        results->frame_bytes + results->body.size > results->bytes_max) {
        return error_set(err, E_LIMIT, "the results take more than %llu bytes",
                         (unsigned long long)results->bytes_max);
    }
    return E_OK;
}

static int put(struct results *results, const struct value *value, struct error *err)
{
    if (results->is_open && results->writer.count == results->batch_size &&
        !results->request->is_single) {
        end_frame(results, STATUS_PARTIAL);
    }
    begin_frame(results);
    response_add(&results->writer, value);
    return check_bytes(results, err);
}

static int push(struct results *results, const struct value *value, struct error *err)
{
    if (results->total == results->result_max) {
        return error_set(err, E_LIMIT, "more than %llu results",
                         (unsigned long long)results->result_max);
    }
    results->total++;
    if (!results_is_holding(results)) {
        return put(results, value, err);
    }
    if (results->count == results->room) {
        results->room = results->room == 0 ? 64 : results->room * 2;
        results->values = mem_resize(results->values, results->room * sizeof *results->values);
    }
    results->values[results->count++] = *value;
    return E_OK;
}

/* ---- elements without their properties ---- */

static struct value strip(struct arena *arena, const struct value *value, int depth);

static struct value strip_vertex(struct arena *arena, const struct vertex *from)
{
    struct vertex *vertex = arena_copy(arena, from, sizeof *from);

    vertex->props = NULL;
    vertex->prop_count = 0;
    vertex->has_props = false;
    return value_vertex(vertex);
}

static struct value strip_edge(struct arena *arena, const struct edge *from)
{
    struct edge *edge = arena_copy(arena, from, sizeof *from);

    edge->props = NULL;
    edge->prop_count = 0;
    edge->has_props = false;
    return value_edge(edge);
}

static const struct value *strip_items(struct arena *arena, const struct value *items, size_t count,
                                       int depth)
{
    struct value *stripped = arena_array(arena, count, sizeof *stripped);

    for (size_t i = 0; i < count; i++) {
        stripped[i] = strip(arena, &items[i], depth + 1);
    }
    return stripped;
}

static struct value strip_path(struct arena *arena, const struct value *value, int depth)
{
    struct path *path = arena_copy(arena, value->path, sizeof *path);
    struct value stripped = *value;

    path->objects = strip_items(arena, path->objects, path->size, depth);
    stripped.path = path;
    return stripped;
}

static struct value strip(struct arena *arena, const struct value *value, int depth)
{
    struct value stripped = *value;
    size_t width = 2;

    if (depth == VALUE_DEPTH_MAX) {
        return *value;
    }
    switch ((int)value->kind) {
    case VALUE_VERTEX:
        return strip_vertex(arena, value->vertex);
    case VALUE_EDGE:
        return strip_edge(arena, value->edge);
    case VALUE_PATH:
        return strip_path(arena, value, depth);
    case VALUE_LIST:
    case VALUE_SET:
        width = 1;
        break;
    case VALUE_MAP:
    case VALUE_BULKSET:
    case VALUE_TREE:
    case VALUE_ENTRY:
    case VALUE_GRAPH:
        break;
    default:
        return *value;
    }
    stripped.items = strip_items(arena, value->items, width * value->size, depth);
    return stripped;
}

static struct value traverser(struct arena *arena, const struct value *value, uint64_t bulk)
{
    struct value *items = arena_alloc(arena, 2 * sizeof *items);

    items[0] = *value;
    items[1] = value_long((int64_t)bulk);
    return (struct value){.kind = VALUE_TRAVERSER, .size = 1, .items = items};
}

int results_add(struct results *results, struct arena *arena, const struct value *value,
                uint64_t bulk, struct error *err)
{
    struct value stripped;
    int rc = E_OK;

    assert(bulk > 0);
    if (results->tokens_only) {
        stripped = strip(arena, value, 0);
        value = &stripped;
    }
    if (results->request->op == REQUEST_BYTECODE) {
        struct value wrapped = traverser(arena, value, bulk);
        return push(results, &wrapped, err);
    }
    if (results->form == RESULTS_SET) {
        bulk = 1;
    }
    for (uint64_t i = 0; i < bulk && rc == E_OK; i++) {
        rc = push(results, value, err);
    }
    return rc;
}

/* toSet(), toBulkSet(): distinct values in order of arrival, with how often they came. */
static struct value distinct(const struct results *results, struct arena *arena)
{
    bool is_set = results->form == RESULTS_SET;
    size_t width = is_set ? 1 : 2;
    struct value *items = arena_array(arena, results->count * width + 1, sizeof *items);
    struct map_index index;
    uint32_t count = 0;

    map_index_init(&index, arena);
    for (uint32_t i = 0; i < results->count; i++) {
        uint64_t hash = value_hash(&results->values[i]);
        struct map_probe probe = map_index_probe(&index, hash);
        uint32_t at;
        while ((at = map_index_next(&index, &probe)) != MAP_NONE &&
               !value_equivalent(&items[at * width], &results->values[i])) {
        }
        if (at == MAP_NONE) {
            at = count++;
            items[at * width] = results->values[i];
            map_index_add(&index, hash, at, count);
            if (!is_set) {
                items[at * width + 1] = value_long(0);
            }
        }
        if (!is_set) {
            items[at * width + 1].integer++;
        }
    }
    return value_items(arena, is_set ? VALUE_SET : VALUE_BULKSET, items, count);
}

int results_finish(struct results *results, struct arena *arena, struct error *err)
{
    int rc = E_OK;

    if (results_is_holding(results)) {
        struct value all = distinct(results, arena);
        results->count = 0;
        rc = put(results, &all, err);
    }
    /* HTTP clients get an empty list rather than no content. */
    if (rc == E_OK && !results->is_open && results->frame_count == 0 &&
        !results->request->is_single) {
        struct response head = head_of(results, false);
        bytes_init(&results->body, 0);
        response_encode(&results->body, &head);
        add_frame(results, STATUS_NO_CONTENT);
    } else if (rc == E_OK) {
        end_frame(results, STATUS_SUCCESS);
    }
    return rc == E_OK ? check_bytes(results, err) : rc;
}
