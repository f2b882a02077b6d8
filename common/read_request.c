#include "common/read.h"

#include <assert.h>

enum {
    FLAG_ID_INT = 1,
    FLAG_SKIP_READSET = 2,
    HOP_NONE = 0,
    HOP_OUT = 1,
    HOP_IN = 2,
    HOP_BOTH = 3,
    HOP_TO_EDGES = 4
};

/* ---- encode ---- */

static void encode_filters(struct bytes *out, const struct read_filter *filters, uint32_t count)
{
    bytes_varint(out, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct read_filter *filter = &filters[i];

        bytes_u8(out, (uint8_t)filter->on);
        if (filter->on >= READ_ON_KEY) {
            bytes_blob(out, filter->key);
        }
        if (filter->on <= READ_ON_KEY) {
            predicate_encode(out, filter->predicate);
        }
    }
}

static void encode_slices(struct bytes *out, const struct slice *slices, uint32_t count)
{
    bytes_varint(out, count);
    for (uint32_t i = 0; i < count; i++) {
        bytes_blob(out, slices[i]);
    }
}

static void encode_hop(struct bytes *out, const struct read_hop *hop)
{
    uint8_t head = HOP_NONE;

    if (hop->direction != 0) {
        head = hop->direction == DIRECTION_OUT  ? HOP_OUT
               : hop->direction == DIRECTION_IN ? HOP_IN
                                                : HOP_BOTH;
        if (hop->to_edges) {
            head |= HOP_TO_EDGES;
        }
    }
    bytes_u8(out, head);
    if (head == HOP_NONE) {
        return;
    }
    encode_slices(out, hop->labels, hop->label_count);
    encode_filters(out, hop->edge_filters, hop->edge_filter_count);
    encode_filters(out, hop->far_filters, hop->far_filter_count);
}

void read_request_encode(struct bytes *out, const struct read_request *request)
{
    assert(request->input_count <= READ_IDS_MAX);
    bytes_u8(out, (uint8_t)request->source);
    bytes_u8(out, (uint8_t)request->emit);
    bytes_u8(out, (uint8_t)request->project);
    bytes_u8(out, (uint8_t)((request->id_int ? FLAG_ID_INT : 0) |
                            (request->skip_readset ? FLAG_SKIP_READSET : 0)));
    bytes_varint(out, request->input_count);
    for (uint32_t i = 0; i < request->input_count; i++) {
        vid_encode(out, &request->inputs[i].id);
        bytes_varint(out, request->inputs[i].bulk);
    }
    encode_filters(out, request->filters, request->filter_count);
    encode_hop(out, &request->hop);
    encode_slices(out, request->keys, request->key_count);
    bytes_varint(out, request->limit);
    bytes_varint(out, request->limit_each);
    bytes_blob(out, request->cursor);
    bytes_blob(out, request->staged);
}

/* ---- decode ---- */

/* A count that is also bounded by what the design allows. */
static uint32_t decode_count(struct reader *reader, size_t item_bytes, size_t max)
{
    size_t count = reader_count(reader, item_bytes);

    if (count > max) {
        reader_spoil(reader);
        return 0;
    }
    return (uint32_t)count;
}

static const struct read_filter *decode_filters(struct reader *reader, struct arena *arena,
                                                uint32_t *count)
{
    uint32_t n = decode_count(reader, 2, READ_FILTERS_MAX);
    struct read_filter *filters = n == 0 ? NULL : arena_array(arena, n, sizeof *filters);

    for (uint32_t i = 0; i < n && !reader->is_bad; i++) {
        uint8_t on = reader_u8(reader);

        if (on < READ_ON_ID || on > READ_ON_ABSENT) {
            reader_spoil(reader);
            return NULL;
        }
        filters[i].on = (enum read_filter_on)on;
        if (on >= READ_ON_KEY) {
            filters[i].key = reader_blob(reader);
        }
        if (on <= READ_ON_KEY) {
            filters[i].predicate = predicate_decode(reader, arena);
        }
    }
    *count = n;
    return filters;
}

static const struct slice *decode_slices(struct reader *reader, struct arena *arena, size_t max,
                                         uint32_t *count)
{
    uint32_t n = decode_count(reader, 1, max);
    struct slice *slices = n == 0 ? NULL : arena_array(arena, n, sizeof *slices);

    for (uint32_t i = 0; i < n; i++) {
        slices[i] = reader_blob(reader);
    }
    *count = n;
    return slices;
}

static void decode_hop(struct reader *reader, struct arena *arena, struct read_hop *hop)
{
    static const uint8_t directions[] = {0, DIRECTION_OUT, DIRECTION_IN, DIRECTION_BOTH};
    uint8_t head = reader_u8(reader);

    if (head > (HOP_BOTH | HOP_TO_EDGES) || head == HOP_TO_EDGES) {
        reader_spoil(reader);
        return;
    }
    hop->direction = directions[head & HOP_BOTH];
    hop->to_edges = (head & HOP_TO_EDGES) != 0;
    if (hop->direction == 0) {
        return;
    }
    hop->labels = decode_slices(reader, arena, READ_LABELS_MAX, &hop->label_count);
    hop->edge_filters = decode_filters(reader, arena, &hop->edge_filter_count);
    hop->far_filters = decode_filters(reader, arena, &hop->far_filter_count);
}

static void decode_inputs(struct reader *reader, struct arena *arena, struct read_request *request)
{
    uint32_t n = decode_count(reader, 2, READ_IDS_MAX);
    struct read_input *inputs = n == 0 ? NULL : arena_array(arena, n, sizeof *inputs);

    for (uint32_t i = 0; i < n; i++) {
        inputs[i].id = vid_decode(reader);
        inputs[i].bulk = reader_varint(reader);
        if (inputs[i].bulk == 0) {
            reader_spoil(reader);
        }
    }
    request->inputs = inputs;
    request->input_count = n;
}

/* Compiles all patterns below, so that matching cannot fail. */
static int compile_filters(const struct read_filter *filters, uint32_t count, struct error *err)
{
    for (uint32_t i = 0; i < count; i++) {
        if (filters[i].predicate != NULL) {
            int rc = predicate_compile((struct predicate *)(uintptr_t)filters[i].predicate, err);
            if (rc != E_OK) {
                return rc;
            }
        }
    }
    return E_OK;
}

static int compile(const struct read_request *request, struct error *err)
{
    const struct read_hop *hop = &request->hop;
    int rc = compile_filters(request->filters, request->filter_count, err);

    if (rc == E_OK) {
        rc = compile_filters(hop->edge_filters, hop->edge_filter_count, err);
    }
    if (rc == E_OK) {
        rc = compile_filters(hop->far_filters, hop->far_filter_count, err);
    }
    return rc;
}

static void release_filters(const struct read_filter *filters, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (filters[i].predicate != NULL) {
            predicate_release((struct predicate *)(uintptr_t)filters[i].predicate);
        }
    }
}

void read_request_close(struct read_request *request)
{
    release_filters(request->filters, request->filter_count);
    release_filters(request->hop.edge_filters, request->hop.edge_filter_count);
    release_filters(request->hop.far_filters, request->hop.far_filter_count);
    *request = (struct read_request){0};
}

/* What goes together: merged and each-counts need inputs or a hop, label counts a scan. */
static int check(const struct read_request *request, struct error *err)
{
    bool has_inputs = request->source == READ_IDS || request->source == READ_EDGE_IDS;
    bool is_edges = request->source == READ_EDGES || request->source == READ_EDGE_IDS;

    if (!has_inputs && request->input_count > 0) {
        return error_set(err, E_MALFORMED, "read: a scan with ids");
    }
    if (is_edges && request->hop.direction != 0) {
        return error_set(err, E_MALFORMED, "read: a hop from edges");
    }
    if (request->emit == READ_MERGED && (request->hop.direction == 0 || request->hop.to_edges)) {
        return error_set(err, E_MALFORMED, "read: merged without a hop to vertices");
    }
    for (uint32_t i = 0; i < request->hop.far_filter_count; i++) {
        if (request->hop.far_filters[i].on > READ_ON_LABEL) {
            return error_set(err, E_MALFORMED, "read: a far filter on a property");
        }
    }
    if (request->emit == READ_LABEL_COUNTS && (has_inputs || request->hop.direction != 0)) {
        return error_set(err, E_MALFORMED, "read: label counts of something other than a scan");
    }
    return E_OK;
}

int read_request_decode(struct slice body, struct arena *arena, struct read_request *request,
                        struct error *err)
{
    struct reader reader;
    uint8_t source, emit, project, flags;
    int rc;

    *request = (struct read_request){0};
    reader_init(&reader, body);
    source = reader_u8(&reader);
    emit = reader_u8(&reader);
    project = reader_u8(&reader);
    flags = reader_u8(&reader);
    if (source < READ_IDS || source > READ_EDGE_IDS || emit < READ_ROWS ||
        emit > READ_LABEL_COUNTS || project > READ_KEYS ||
        flags > (FLAG_ID_INT | FLAG_SKIP_READSET)) {
        return error_set(err, E_MALFORMED, "read: source %u, emit %u, project %u, flags %u", source,
                         emit, project, flags);
    }
    request->source = (enum read_source)source;
    request->emit = (enum read_emit)emit;
    request->project = (enum read_project)project;
    request->id_int = (flags & FLAG_ID_INT) != 0;
    request->skip_readset = (flags & FLAG_SKIP_READSET) != 0;
    decode_inputs(&reader, arena, request);
    request->filters = decode_filters(&reader, arena, &request->filter_count);
    decode_hop(&reader, arena, &request->hop);
    request->keys = decode_slices(&reader, arena, READ_KEYS_MAX, &request->key_count);
    request->limit = reader_varint(&reader);
    request->limit_each = reader_varint(&reader);
    request->cursor = reader_blob(&reader);
    request->staged = reader_blob(&reader);
    rc = reader_finish(&reader, "read request", err);
    if (rc == E_OK) {
        rc = check(request, err);
    }
    if (rc == E_OK) {
        rc = compile(request, err);
        if (rc != E_OK) {
            read_request_close(request);
        }
    }
    return rc;
}

/* ---- dump ---- */

static void dump_slice(struct bytes *out, struct slice slice)
{
    bytes_format(out, " %.*s", (int)slice.size, (const char *)slice.data);
}

static void dump_filters(struct bytes *out, const char *what, const struct read_filter *filters,
                         uint32_t count)
{
    static const char *const names[] = {"?", "id", "label", "key", "exists", "absent"};

    for (uint32_t i = 0; i < count; i++) {
        bytes_format(out, "%s %s", what, names[filters[i].on]);
        if (filters[i].on >= READ_ON_KEY) {
            dump_slice(out, filters[i].key);
        }
        if (filters[i].predicate != NULL) {
            bytes_u8(out, ' ');
            predicate_print(out, filters[i].predicate);
        }
        bytes_u8(out, '\n');
    }
}

static void dump_hop(struct bytes *out, const struct read_hop *hop)
{
    if (hop->direction == 0) {
        return;
    }
    bytes_format(out, "hop %s%s", value_enumerator_name((enum enumerator)hop->direction),
                 hop->to_edges ? " edges" : "");
    for (uint32_t i = 0; i < hop->label_count; i++) {
        dump_slice(out, hop->labels[i]);
    }
    bytes_u8(out, '\n');
    dump_filters(out, "edge", hop->edge_filters, hop->edge_filter_count);
    dump_filters(out, "far", hop->far_filters, hop->far_filter_count);
}

void read_request_dump(struct bytes *out, const struct read_request *request)
{
    static const char *const sources[] = {"?", "ids", "vertices", "edges", "edge-ids"};
    static const char *const emits[] = {"?", "rows", "merged", "count", "count-each", "labels"};
    static const char *const projects[] = {"nothing", "all", "keys"};

    bytes_format(out, "%s %s project %s", sources[request->source], emits[request->emit],
                 projects[request->project]);
    for (uint32_t i = 0; i < request->key_count; i++) {
        dump_slice(out, request->keys[i]);
    }
    bytes_format(out, " inputs %u limit %llu each %llu%s%s staged %zu\n", request->input_count,
                 (unsigned long long)request->limit, (unsigned long long)request->limit_each,
                 request->cursor.size > 0 ? " continued" : "",
                 request->skip_readset ? " unvalidated" : "", request->staged.size);
    dump_filters(out, "source", request->filters, request->filter_count);
    dump_hop(out, &request->hop);
}
