#include "router/bulk.h"

#include "router/remote/fetch.h"
#include "router/remote/transaction.h"

#include <assert.h>
#include <stdlib.h>

enum bulk_state {
    BULK_LABELS, /* Labels of ends are being read. */
    BULK_IDS,    /* Edges get their ids. */
    BULK_FILL
};

struct element {
    struct change change; /* VERTEX_ADD, or the OUT half. */
    struct slice out_label;
    enum bulk_record record;
    bool is_in; /* Of a half: it is the IN half of the same edge. */
};

struct bulk {
    enum bulk_state state;
    struct element *elements;
    uint32_t count;
    uint32_t next; /* BULK_IDS: the first element without. */
    struct fetch *fetch;
    struct read_request spec;
    struct read_input *unknown; /* Ends whose labels are to be read. */
    uint32_t unknown_count;
    struct slice *labels; /* Of unknown; data null: not found (yet). */
};

void bulk_encode_vertex(struct bytes *out, const struct change *vertex)
{
    assert(vertex->kind == CHANGE_VERTEX_ADD);
    bytes_u8(out, BULK_VERTEX);
    change_encode(out, vertex);
}

void bulk_encode_edge(struct bytes *out, const struct change *edge, struct slice out_label,
                      bool has_id)
{
    assert(edge->kind == CHANGE_EDGE_ADD && edge->direction == DIRECTION_OUT);
    bytes_u8(out, has_id ? BULK_EDGE : BULK_EDGE_NO_ID);
    bytes_blob(out, out_label);
    change_encode(out, edge);
}

static int read_record(struct reader *reader, struct exec *exec, struct element *element,
                       struct error *err)
{
    uint8_t record = reader_u8(reader);

    if (record < BULK_VERTEX || record > BULK_EDGE_NO_ID) {
        return error_set(err, E_MALFORMED, "batch: record of kind %u", record);
    }
    element->record = record;
    if (record != BULK_VERTEX) {
        element->out_label = reader_blob(reader);
    }
    change_decode(reader, &exec->arena, &element->change);
    if (!reader->is_bad &&
        (record == BULK_VERTEX ? element->change.kind != CHANGE_VERTEX_ADD
                               : element->change.kind != CHANGE_EDGE_ADD ||
                                     element->change.direction != DIRECTION_OUT)) {
        return error_set(err, E_MALFORMED, "batch: a change that is no vertex and no edge");
    }
    return E_OK;
}

/* Ends of edges whose labels the client did not know, each once. */
static void collect_unknown(struct bulk *bulk, struct exec *exec)
{
    bulk->unknown = arena_array(&exec->arena, 2 * (size_t)bulk->count, sizeof(struct read_input));
    for (uint32_t i = 0; i < bulk->count; i++) {
        const struct element *element = &bulk->elements[i];
        if (element->record == BULK_VERTEX) {
            continue;
        }
        if (element->out_label.size == 0) {
            bulk->unknown[bulk->unknown_count++] =
                (struct read_input){.id = element->change.vertex, .bulk = 1};
        }
        if (element->change.far_label.size == 0) {
            bulk->unknown[bulk->unknown_count++] =
                (struct read_input){.id = element->change.far, .bulk = 1};
        }
    }
    bulk->labels = arena_array(&exec->arena, bulk->unknown_count, sizeof(struct slice));
}

int bulk_open(struct exec *exec, struct slice records, struct bulk **out, struct error *err)
{
    struct bulk *bulk = ARENA_NEW(&exec->arena, struct bulk);
    struct reader reader;
    uint32_t room = 1024;

    bulk->elements = arena_array(&exec->arena, room, sizeof(struct element));
    reader_init(&reader, records);
    while (reader_left(&reader) > 0 && !reader.is_bad) {
        int rc;

        if (bulk->count == BULK_ELEMENTS_MAX) {
            return error_set(err, E_LIMIT, "batch of more than %d elements", BULK_ELEMENTS_MAX);
        }
        if (bulk->count == room) {
            struct element *more = arena_array(&exec->arena, 2 * (size_t)room, sizeof(*more));
            for (uint32_t i = 0; i < room; i++) {
                more[i] = bulk->elements[i];
            }
            bulk->elements = more;
            room *= 2;
        }
        rc = read_record(&reader, exec, &bulk->elements[bulk->count], err);
        if (rc != E_OK) {
            return rc;
        }
        bulk->count++;
    }
    if (reader_finish(&reader, "batch", err) != E_OK) {
        return E_MALFORMED;
    }
    collect_unknown(bulk, exec);
    bulk->state = bulk->unknown_count > 0 ? BULK_LABELS : BULK_IDS;
    *out = bulk;
    return E_OK;
}

/* Puts the labels read into the edges, in the order in which collect_unknown found them. */
static enum pull place_labels(struct bulk *bulk, struct exec *exec)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < bulk->count; i++) {
        struct element *element = &bulk->elements[i];
        struct slice *places[2] = {&element->out_label, &element->change.far_label};
        for (int end = 0; end < 2 && element->record != BULK_VERTEX; end++) {
            if (places[end]->size > 0) {
                continue;
            }
            if (bulk->labels[at].size == 0) {
                const struct vid *end_id = &bulk->unknown[at].id;
                const char *name =
                    end_id->text.data ? arena_format(&exec->arena, "'%.*s'", (int)end_id->text.size,
                                                     (const char *)end_id->text.data)
                                      : arena_format(&exec->arena, "%lld", (long long)end_id->num);
                return op_fail(exec, E_NOT_FOUND, "edge %u of the batch: there is no vertex %s", i,
                               name);
            }
            *places[end] = bulk->labels[at++];
        }
    }
    return PULL_BATCH;
}

static enum pull read_labels(struct bulk *bulk, struct exec *exec)
{
    struct read_row rows[256];
    uint32_t count = 0;
    enum pull pull;

    if (bulk->fetch == NULL) {
        bulk->spec = (struct read_request){.source = READ_IDS,
                                           .emit = READ_ROWS,
                                           .inputs = bulk->unknown,
                                           .input_count = bulk->unknown_count};
        bulk->fetch = fetch_start(exec, NULL, &bulk->spec);
        if (bulk->fetch == NULL) {
            return PULL_ERROR;
        }
    }
    while ((pull = fetch_next(bulk->fetch, exec, rows, 256, &count)) == PULL_BATCH) {
        for (uint32_t i = 0; i < count; i++) {
            bulk->labels[rows[i].ordinal] = rows[i].element.vertex->label;
        }
    }
    if (pull != PULL_DONE) {
        return pull;
    }
    fetch_close(&bulk->fetch, exec);
    return place_labels(bulk, exec);
}

static enum pull make_ids(struct bulk *bulk, struct exec *exec)
{
    for (; bulk->next < bulk->count; bulk->next++) {
        struct element *element = &bulk->elements[bulk->next];
        if (element->record == BULK_EDGE_NO_ID) {
            int64_t id = 0;
            enum pull pull = transaction_new_id(exec->txn, exec, &element->change.vertex, &id);
            if (pull != PULL_BATCH) {
                return pull;
            }
            element->change.edge = vid_num(id);
        }
    }
    return PULL_BATCH;
}

/* One half of an edge, or a vertex, on its way to a shard. */
struct half {
    struct change change;
    uint32_t shard; /* Index in the map. */
    uint32_t order; /* Vertices before edges of the same vertex. */
};

static int order_halves(const void *a, const void *b)
{
    const struct half *one = a, *two = b;
    int order;

    if (one->shard != two->shard) {
        return one->shard < two->shard ? -1 : 1;
    }
    order = vid_order(&one->change.vertex, &two->change.vertex);
    if (order == 0 && one->change.kind != two->change.kind) {
        order = one->change.kind < two->change.kind ? -1 : 1;
    }
    if (order == 0) {
        order = (one->change.direction > two->change.direction) -
                (one->change.direction < two->change.direction);
    }
    if (order == 0) {
        order = slice_compare(one->change.label, two->change.label);
    }
    if (order == 0 && one->change.kind == CHANGE_EDGE_ADD) {
        order = vid_order(&one->change.far, &two->change.far);
    }
    return order != 0 ? order : (one->order > two->order) - (one->order < two->order);
}

static uint32_t split_halves(const struct bulk *bulk, struct half *halves)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < bulk->count; i++) {
        const struct element *element = &bulk->elements[i];
        halves[count] = (struct half){.change = element->change, .order = count};
        count++;
        if (element->record != BULK_VERTEX) {
            struct change in = element->change;
            in.direction = DIRECTION_IN;
            in.vertex = element->change.far;
            in.far = element->change.vertex;
            in.far_label = element->out_label;
            halves[count] = (struct half){.change = in, .order = count};
            count++;
        }
    }
    return count;
}

static enum pull fill(struct bulk *bulk, struct exec *exec)
{
    const struct shardmap *map = remote_map(exec->remote);
    const struct shardmap_graph *graph = transaction_graph(exec->txn, exec);
    struct half *halves = arena_array(&exec->arena, 2 * (size_t)bulk->count, sizeof(*halves));
    uint32_t count = split_halves(bulk, halves);

    if (graph == NULL) {
        return op_fail(exec, E_NOT_FOUND, "the graph was dropped");
    }
    for (uint32_t i = 0; i < count; i++) {
        halves[i].shard = shardmap_lookup(map, graph, &halves[i].change.vertex);
    }
    qsort(halves, count, sizeof(*halves), order_halves);
    for (uint32_t i = 0; i < count; i++) {
        int rc = transaction_change(exec->txn, exec, &halves[i].change, &exec->error);
        if (rc != E_OK) {
            return PULL_ERROR;
        }
    }
    return PULL_BATCH;
}

enum pull bulk_advance(struct bulk *bulk, struct exec *exec)
{
    enum pull pull = PULL_BATCH;

    if (bulk->state == BULK_LABELS) {
        pull = read_labels(bulk, exec);
        if (pull == PULL_BATCH) {
            bulk->state = BULK_IDS;
        }
    }
    if (pull == PULL_BATCH && bulk->state == BULK_IDS) {
        pull = make_ids(bulk, exec);
        if (pull == PULL_BATCH) {
            bulk->state = BULK_FILL;
        }
    }
    return pull == PULL_BATCH ? fill(bulk, exec) : pull;
}

void bulk_close(struct bulk **bulk, struct exec *exec)
{
    if (*bulk != NULL) {
        fetch_close(&(*bulk)->fetch, exec);
        *bulk = NULL;
    }
}

uint32_t bulk_count(const struct bulk *bulk)
{
    return bulk->count;
}
