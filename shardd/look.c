#include "shardd/look.h"

#include <assert.h>

#include "common/mem.h"

/* ---- set up ---- */

static const uint32_t *symbols_of(struct look *look, const struct slice *names, uint32_t count,
                                  uint32_t *found)
{
    uint32_t *symbols = arena_alloc(&look->arena, (count + 1) * sizeof *symbols);

    *found = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t symbol = symbol_find(&look->tables->symbols, names[i]);
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

static enum look_need need_of(const struct read_request *request)
{
    bool has_hop = request->hop.direction != 0;

    if (has_key_filter(request->filters, request->filter_count) ||
        (!has_hop && request->project != READ_NOTHING && request->emit == READ_ROWS)) {
        return LOOK_NEED_PROPS;
    }
    if (!has_hop || has_label_filter(request->filters, request->filter_count)) {
        return LOOK_NEED_HEAD;
    }
    return LOOK_NEED_NOTHING;
}

int look_init(struct look *look, struct tables *tables, const struct read_request *request,
              struct error *err)
{
    *look = (struct look){.tables = tables, .request = request, .err = err};
    arena_init(&look->arena, 0);
    arena_init(&look->row, 0);
    arena_init(&look->run, 0);
    farsum_init(&look->merge);
    look_walk_init(&look->walks[VROW_OUT], &tables->stmt, VROW_OUT);
    look_walk_init(&look->walks[VROW_IN], &tables->stmt, VROW_IN);
    look->is_walking = request->hop.label_count <= 1 &&
                       (request->source != READ_IDS || request->input_count >= LOOK_WALK_MIN);
    look->need = need_of(request);
    look->labels =
        symbols_of(look, request->hop.labels, request->hop.label_count, &look->label_count);
    look->keys = symbols_of(look, request->keys, request->key_count, &look->key_count);
    look->names = arena_array(&look->arena, symbol_count(&tables->symbols), sizeof *look->names);
    if (request->emit == READ_LABEL_COUNTS) {
        look->label_counts =
            arena_array(&look->arena, symbol_count(&tables->symbols), sizeof *look->label_counts);
    }
    return look_cursor_decode(request->cursor, &look->at, err);
}

void look_close(struct look *look)
{
    farsum_close(&look->merge);
    look_walk_close(&look->walks[VROW_OUT]);
    look_walk_close(&look->walks[VROW_IN]);
    txn_readset_close(&look->slots);
    arena_close(&look->arena);
    arena_close(&look->row);
    arena_close(&look->run);
}

uint32_t look_name(struct look *look, uint32_t symbol)
{
    if (symbol >= symbol_count(&look->tables->symbols)) {
        symbol = 0;
    }
    if (look->names[symbol] == 0) {
        look->names[symbol] =
            1 + read_write_symbol(&look->writer, symbol_name(&look->tables->symbols, symbol));
    }
    return look->names[symbol] - 1;
}

/* ---- read set and budget ---- */

void look_slot(struct look *look, uint16_t slot)
{
    if (!look->request->skip_readset) {
        txn_readset_add(&look->slots, slot);
    }
}

void look_slot_vertex(struct look *look, enum item_kind kind, const struct vid *id,
                      struct slice label)
{
    if (!look->request->skip_readset) {
        txn_readset_add(&look->slots, item_slot_vertex(kind, id, label));
    }
}

void look_slot_name(struct look *look, enum item_kind kind, struct slice name)
{
    look_slot(look, item_slot_name(kind, name));
}

void look_spend(struct look *look, uint64_t rows)
{
    uint64_t bytes_max = look->budget.bytes == 0 ? READ_REPLY_BYTES : look->budget.bytes;

    look->scanned += rows;
    if ((look->budget.rows > 0 && look->scanned >= look->budget.rows) ||
        look->reply->size - look->writer.start >= bytes_max ||
        farsum_count(&look->merge) >= LOOK_MERGED_MAX) {
        look->is_full = true;
    }
}

/* ---- cursor ---- */

void look_cursor_encode(struct bytes *out, const struct look_cursor *cursor)
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

int look_cursor_decode(struct slice input, struct look_cursor *cursor, struct error *err)
{
    struct reader reader;

    *cursor = (struct look_cursor){0};
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
