#include "shardd/read/scan.h"

#include <assert.h>

#include "common/mem.h"

enum { CLOCK_ROWS = 64 }; /* Between looks at the clock. */

/* ---- set up ---- */

static const uint32_t *symbols_of(struct scan *scan, const struct slice *names, uint32_t count,
                                  uint32_t *found)
{
    uint32_t *symbols = arena_alloc(&scan->arena, (count + 1) * sizeof *symbols);

    *found = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t symbol = symbol_find(&scan->tables->symbols, names[i]);
        bool is_new = symbol != SYMBOL_NONE;

        for (uint32_t s = 0; s < *found; s++) {
            is_new &= symbols[s] != symbol;
        }
        if (is_new) {
            symbols[(*found)++] = symbol;
        }
    }
    return symbols;
}

static bool has_key_filter(const struct read_filter *filters, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (filters[i].on >= READ_ON_KEY) {
            return true;
        }
    }
    return false;
}

static bool has_label_filter(const struct read_filter *filters, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (filters[i].on == READ_ON_LABEL) {
            return true;
        }
    }
    return false;
}

static enum scan_need need_of(const struct read_request *request)
{
    bool has_hop = request->hop.direction != 0;

    if (has_key_filter(request->filters, request->filter_count) ||
        (!has_hop && request->project != READ_NOTHING && request->emit == READ_ROWS)) {
        return SCAN_NEED_PROPS;
    }
    if (!has_hop || has_label_filter(request->filters, request->filter_count)) {
        return SCAN_NEED_HEAD;
    }
    return SCAN_NEED_NOTHING;
}

int scan_init(struct scan *scan, struct tables *tables, const struct read_request *request,
              struct error *err)
{
    *scan = (struct scan){.tables = tables, .request = request, .err = err};
    arena_init(&scan->arena, 0);
    arena_init(&scan->row, 0);
    arena_init(&scan->run, 0);
    bulkset_init(&scan->merge);
    scan_walk_init(&scan->walks[VROW_OUT], &tables->stmt, VROW_OUT);
    scan_walk_init(&scan->walks[VROW_IN], &tables->stmt, VROW_IN);
    scan->is_walking = request->hop.label_count <= 1 &&
                       (request->source != READ_IDS || request->input_count >= SCAN_WALK_MIN);
    scan->need = need_of(request);
    scan->labels =
        symbols_of(scan, request->hop.labels, request->hop.label_count, &scan->label_count);
    scan->keys = symbols_of(scan, request->keys, request->key_count, &scan->key_count);
    scan->names = arena_array(&scan->arena, symbol_count(&tables->symbols), sizeof *scan->names);
    if (request->emit == READ_LABEL_COUNTS) {
        scan->label_counts =
            arena_array(&scan->arena, symbol_count(&tables->symbols), sizeof *scan->label_counts);
    }
    return scan_cursor_decode(request->cursor, &scan->at, err);
}

void scan_close(struct scan *scan)
{
    bulkset_close(&scan->merge);
    scan_walk_close(&scan->walks[VROW_OUT]);
    scan_walk_close(&scan->walks[VROW_IN]);
    txn_readset_close(&scan->slots);
    arena_close(&scan->arena);
    arena_close(&scan->row);
    arena_close(&scan->run);
}

uint32_t scan_name(struct scan *scan, uint32_t symbol)
{
    if (symbol >= symbol_count(&scan->tables->symbols)) {
        symbol = 0;
    }
    if (scan->names[symbol] == 0) {
        scan->names[symbol] =
            1 + read_write_symbol(&scan->writer, symbol_name(&scan->tables->symbols, symbol));
    }
    return scan->names[symbol] - 1;
}

/* ---- read set and budget ---- */

void scan_slot(struct scan *scan, uint16_t slot)
{
    if (!scan->request->skip_readset) {
        txn_readset_add(&scan->slots, slot);
    }
}

void scan_slot_vertex(struct scan *scan, enum item_kind kind, const struct vid *id,
                      struct slice label)
{
    if (!scan->request->skip_readset) {
        txn_readset_add(&scan->slots, item_slot_vertex(kind, id, label));
    }
}

void scan_slot_name(struct scan *scan, enum item_kind kind, struct slice name)
{
    scan_slot(scan, item_slot_name(kind, name));
}

/* A look at the clock costs as much as a row of the cache. */
static bool is_time_up(struct scan *scan)
{
    if (scan->budget.micros == NULL || scan->scanned - scan->clocked < CLOCK_ROWS) {
        return false;
    }
    scan->clocked = scan->scanned;
    return scan->budget.micros() >= scan->budget.end_us;
}

void scan_spend(struct scan *scan, uint64_t rows)
{
    uint64_t bytes_max = scan->budget.bytes == 0 ? READ_REPLY_BYTES : scan->budget.bytes;

    scan->scanned += rows;
    if ((scan->budget.rows > 0 && scan->scanned >= scan->budget.rows) ||
        scan->reply->size - scan->writer.start >= bytes_max ||
        bulkset_count(&scan->merge) >= SCAN_MERGED_MAX || is_time_up(scan)) {
        scan->is_full = true;
    }
}

/* ---- cursor ---- */

void scan_cursor_encode(struct bytes *out, const struct scan_cursor *cursor)
{
    bytes_varint(out, cursor->emitted);
    bytes_varint(out, cursor->each);
    bytes_varint(out, cursor->position);
    bytes_varint(out, cursor->passed);
    bytes_u8(out, cursor->has_vertex);
    if (cursor->has_vertex) {
        vid_encode(out, &cursor->vertex);
    }
    bytes_blob(out, cursor->key);
}

int scan_cursor_decode(struct slice input, struct scan_cursor *cursor, struct error *err)
{
    struct reader reader;

    *cursor = (struct scan_cursor){0};
    if (input.size == 0) {
        return E_OK;
    }
    reader_init(&reader, input);
    cursor->emitted = reader_varint(&reader);
    cursor->each = reader_varint(&reader);
    cursor->position = reader_varint(&reader);
    cursor->passed = reader_varint(&reader);
    cursor->has_vertex = reader_u8(&reader) == 1;
    if (cursor->has_vertex) {
        cursor->vertex = vid_decode(&reader);
    }
    cursor->key = reader_blob(&reader);
    return reader_finish(&reader, "cursor", err);
}
