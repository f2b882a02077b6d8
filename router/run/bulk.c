#include "router/run/bulk.h"

#include "router/remote/fetch.h"
#include "router/remote/transaction.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_BYTES = 24 /* Of an element, about: room for so many is made at once. */ };

enum bulk_state {
    BULK_LABELS, /* Labels of ends are being read. */
    BULK_IDS,    /* Edges get their ids. */
    BULK_FILL
};

struct element {
    struct change change; /* VERTEX_ADD, or the OUT half. */
    struct slice out_label;
    enum bulk_record record;
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
    *element = (struct element){.record = record};
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
    size_t room = records.size / RECORD_BYTES + 16;

    if (room > BULK_ELEMENTS_MAX) {
        room = BULK_ELEMENTS_MAX;
    }
    bulk->elements = arena_alloc(&exec->arena, room * sizeof(struct element));
    reader_init(&reader, records);
    while (reader_left(&reader) > 0 && !reader.is_bad) {
        int rc;

        if (bulk->count == BULK_ELEMENTS_MAX) {
            return error_set(err, E_LIMIT, "batch of more than %d elements", BULK_ELEMENTS_MAX);
        }
        if (bulk->count == room) {
            struct element *more = arena_alloc(&exec->arena, 2 * room * sizeof(*more));
            memcpy(more, bulk->elements, room * sizeof(*more));
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

enum way { WAY_VERTEX, WAY_OUT, WAY_IN, WAY_CLAIM }; /* In the order in which a shard wants them. */

/* A vertex, one half of an edge, or the claim of its id, on its way to a shard: what its order
 * depends on, close together, since there are many. */
struct half {
    const struct element *element;
    uint64_t vertex; /* Number of the id, the sign turned so that it orders; of a text: 2^64 - 1. */
    uint32_t shard;  /* Index in the map. */
    uint32_t label;  /* Of an edge: in the order of first use. */
    enum way way;
};

enum { LABELS_MAX = 64 };

/* Labels of edges in the order of first use; those beyond share the last number. */
struct labels {
    struct slice names[LABELS_MAX];
    uint32_t count, last;
};

static const struct vid *vertex_of(const struct half *half)
{
    const struct change *change = &half->element->change;

    return half->way == WAY_IN      ? &change->far
           : half->way == WAY_CLAIM ? &change->edge
                                    : &change->vertex;
}

static const struct vid *far_of(const struct half *half)
{
    const struct change *change = &half->element->change;

    return half->way == WAY_IN ? &change->vertex : &change->far;
}

static uint32_t number_of(struct labels *labels, struct slice name)
{
    if (labels->count > 0 && slice_equal(labels->names[labels->last], name)) {
        return labels->last;
    }
    for (uint32_t i = 0; i < labels->count; i++) {
        if (slice_equal(labels->names[i], name)) {
            return labels->last = i;
        }
    }
    if (labels->count == LABELS_MAX) {
        return LABELS_MAX;
    }
    labels->names[labels->count] = name;
    return labels->last = labels->count++;
}

/* Of halves whose shard and number are equal. */
static int order_tied(const void *a, const void *b)
{
    const struct half *one = a, *two = b;
    int order = vid_order(vertex_of(one), vertex_of(two));

    if (order == 0 && one->way != two->way) {
        order = one->way < two->way ? -1 : 1;
    }
    if (order == 0 && one->label != two->label) {
        order = one->label < two->label ? -1 : 1;
    }
    if (order == 0 && one->label == LABELS_MAX) {
        order = slice_compare(one->element->change.label, two->element->change.label);
    }
    if (order == 0 && one->way != WAY_VERTEX) {
        order = vid_order(far_of(one), far_of(two));
    }
    /* Elements lie in the order in which they came. */
    return order != 0 ? order : (one->element > two->element) - (one->element < two->element);
}

static uint32_t digit_of(const struct half *half, uint32_t digit)
{
    return digit < 8 ? half->vertex >> 8 * digit & 0xff : half->shard >> 8 * (digit - 8) & 0xff;
}

/* One pass of a radix sort, stable. False if all have the same digit: nothing was moved. */
static bool move_by_digit(const struct half *from, struct half *to, uint32_t count, uint32_t digit)
{
    uint32_t places[256] = {0};
    uint32_t place = 0;

    for (uint32_t i = 0; i < count; i++) {
        places[digit_of(&from[i], digit)]++;
    }
    if (count == 0 || places[digit_of(&from[0], digit)] == count) {
        return false;
    }
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t size = places[i];
        places[i] = place;
        place += size;
    }
    for (uint32_t i = 0; i < count; i++) {
        to[places[digit_of(&from[i], digit)]++] = from[i];
    }
    return true;
}

/* By shard, vertex, way, label, far end. `spare` is as large; the result is in either. */
static struct half *sort_halves(struct half *halves, struct half *spare, uint32_t count)
{
    for (uint32_t digit = 0; digit < 12; digit++) {
        if (move_by_digit(halves, spare, count, digit)) {
            struct half *swap = halves;
            halves = spare;
            spare = swap;
        }
    }
    for (uint32_t from = 0; from < count;) {
        uint32_t to = from + 1;
        while (to < count && halves[to].vertex == halves[from].vertex &&
               halves[to].shard == halves[from].shard) {
            to++;
        }
        if (to - from > 1) {
            qsort(halves + from, to - from, sizeof(*halves), order_tied);
        }
        from = to;
    }
    return halves;
}

static struct half make_half(const struct shardmap *map, const struct shardmap_graph *graph,
                             const struct element *element, enum way way)
{
    struct half half = {.element = element, .way = way};
    const struct vid *id = vertex_of(&half);

    half.vertex = id->text.data != NULL ? UINT64_MAX : (uint64_t)id->num ^ (uint64_t)1 << 63;
    half.shard = shardmap_lookup(map, graph, id);
    return half;
}

/* Behind all other changes of the shard, in order of the ids: 0 or 1 of them. */
static uint32_t make_claim(const struct shardmap *map, const struct shardmap_graph *graph,
                           const struct element *element, struct half *half)
{
    const struct vid *id = &element->change.edge;
    struct change claim;

    *half = (struct half){.element = element, .way = WAY_CLAIM};
    half->vertex = id->text.data != NULL ? UINT64_MAX : (uint64_t)id->num ^ (uint64_t)1 << 63;
    return transaction_claim(map, graph, &element->change, &claim, &half->shard) ? 1 : 0;
}

static int add_half(struct exec *exec, const struct half *half, uint32_t shard)
{
    const struct element *element = half->element;
    struct change in;

    if (half->way == WAY_CLAIM) {
        struct change claim;
        uint32_t place;
        (void)transaction_claim(remote_map(exec->remote), transaction_graph(exec->txn, exec),
                                &element->change, &claim, &place);
        return transaction_change_at(exec->txn, shard, &claim, &exec->error);
    }
    if (half->way != WAY_IN) {
        return transaction_change_at(exec->txn, shard, &element->change, &exec->error);
    }
    in = element->change;
    in.direction = DIRECTION_IN;
    in.vertex = element->change.far;
    in.far = element->change.vertex;
    in.far_label = element->out_label;
    return transaction_change_at(exec->txn, shard, &in, &exec->error);
}

static enum pull fill(struct bulk *bulk, struct exec *exec)
{
    const struct shardmap *map = remote_map(exec->remote);
    const struct shardmap_graph *graph = transaction_graph(exec->txn, exec);
    size_t most = 3 * (size_t)bulk->count;
    struct half *halves = arena_alloc(&exec->arena, (most + 1) * sizeof(*halves));
    struct half *spare = arena_alloc(&exec->arena, (most + 1) * sizeof(*spare));
    struct labels labels = {.count = 0};
    uint32_t count = 0;

    if (graph == NULL) {
        return op_fail(exec, E_NOT_FOUND, "the graph was dropped");
    }
    for (uint32_t i = 0; i < bulk->count; i++) {
        const struct element *element = &bulk->elements[i];
        if (element->record == BULK_VERTEX) {
            halves[count++] = make_half(map, graph, element, WAY_VERTEX);
        } else {
            halves[count] = make_half(map, graph, element, WAY_OUT);
            halves[count + 1] = make_half(map, graph, element, WAY_IN);
            halves[count].label = number_of(&labels, element->change.label);
            halves[count + 1].label = halves[count].label;
            count += 2;
            count += make_claim(map, graph, element, &halves[count]);
        }
    }
    halves = sort_halves(halves, spare, count);
    for (uint32_t i = 0; i < count; i++) {
        if (add_half(exec, &halves[i], map->shards[halves[i].shard].shard) != E_OK) {
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
