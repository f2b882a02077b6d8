#include "shardd/look_emit.h"

#include "common/bulk.h"

#include <assert.h>
#include <stdlib.h>

uint64_t look_emit_room(const struct look *look)
{
    const struct read_request *request = look->request;
    uint64_t room = UINT64_MAX;

    if (request->limit > 0) {
        room = request->limit > look->at.emitted ? request->limit - look->at.emitted : 0;
    }
    if (request->limit_each > 0) {
        uint64_t each =
            request->limit_each > look->at.each ? request->limit_each - look->at.each : 0;
        room = each < room ? each : room;
    }
    return room;
}

static void take(struct look *look, uint64_t count)
{
    look->at.emitted += count;
    look->at.each += count;
    if (look->request->limit > 0 && look->at.emitted >= look->request->limit) {
        look->is_full = true;
    }
}

/* ---- vertices ---- */

static bool is_projected(const struct look *look, uint32_t key)
{
    if (look->request->project == READ_ALL) {
        return true;
    }
    for (uint32_t i = 0; i < look->key_count; i++) {
        if (look->keys[i] == key) {
            return true;
        }
    }
    return false;
}

static uint8_t project_flags(const struct look *look)
{
    switch (look->request->project) {
    case READ_NOTHING:
        return 0;
    case READ_ALL:
        return READ_ROW_PROPS | READ_ROW_WHOLE;
    case READ_KEYS:
        return READ_ROW_PROPS;
    }
    return 0;
}

static void write_vprops(struct look *look, const struct look_vertex *vertex)
{
    const struct vrow *row = &vertex->row;
    uint32_t count = 0;

    for (uint32_t i = 0; i < row->prop_count; i++) {
        count += is_projected(look, row->props[i].key);
    }
    read_write_count(&look->writer, count);
    for (uint32_t i = 0; i < row->prop_count; i++) {
        const struct vrow_prop *prop = &row->props[i];

        if (!is_projected(look, prop->key)) {
            continue;
        }
        read_write_vproperty(
            &look->writer, look_name(look, prop->key), prop->packed, prop->cardinality,
            vrow_prop_id(&vertex->id, symbol_name(&look->tables->symbols, prop->key), prop));
        read_write_count(&look->writer, prop->meta_count);
        for (uint32_t m = 0; m < prop->meta_count; m++) {
            read_write_property(&look->writer, look_name(look, prop->metas[m].key),
                                prop->metas[m].packed);
        }
    }
}

void look_emit_vertex(struct look *look, const struct look_vertex *vertex)
{
    struct read_write_row row = {.ordinal = vertex->ordinal,
                                 .bulk = vertex->bulk,
                                 .id = vertex->id,
                                 .flags = project_flags(look)};

    if (look->request->emit == READ_LABEL_COUNTS) {
        look->label_counts[vertex->row.label] =
            bulk_add(look->label_counts[vertex->row.label], vertex->bulk);
        return;
    }
    if (look->request->emit != READ_ROWS) {
        (void)look_emit_number(look, vertex, 1);
        return;
    }
    if (look_emit_room(look) == 0) {
        return;
    }
    row.label = look_name(look, vertex->row.label);
    read_write_row(&look->writer, &row);
    if (row.flags != 0) {
        write_vprops(look, vertex);
    }
    take(look, 1);
}

/* ---- far vertices ---- */

static void write_far(struct look *look, const struct look_vertex *vertex,
                      const struct look_emit_block *block, uint32_t count)
{
    struct read_write_row row = {.ordinal = vertex->ordinal, .bulk = vertex->bulk};
    uint32_t last = SYMBOL_NONE;

    for (uint32_t i = block->from; i < block->from + count; i++) {
        uint32_t label = look_emit_label(block, i);

        if (label != last) {
            row.label = look_name(look, label);
            last = label;
        }
        row.id = vids_at(block->ids, i);
        read_write_row(&look->writer, &row);
    }
}

static void merge_far(struct look *look, const struct look_vertex *vertex,
                      const struct look_emit_block *block, uint32_t count)
{
    if (block->labels == NULL && block->wide_labels == NULL && block->ids->nums != NULL) {
        farsum_add(&look->merge, block->ids->nums + block->from, count, vertex->bulk, block->label);
        return;
    }
    for (uint32_t i = block->from; i < block->from + count; i++) {
        struct vid id = vids_at(block->ids, i);

        farsum_add_one(&look->merge, &id, vertex->bulk, look_emit_label(block, i));
    }
}

uint32_t look_emit_far(struct look *look, const struct look_vertex *vertex,
                       const struct look_emit_block *block)
{
    uint64_t room = look_emit_room(look);
    uint32_t count = block->to - block->from;

    count = count < room ? count : (uint32_t)room;
    if (look->request->emit == READ_ROWS) {
        write_far(look, vertex, block, count);
    } else if (look->request->emit == READ_MERGED) {
        merge_far(look, vertex, block, count);
    } else {
        return (uint32_t)look_emit_number(look, vertex, count);
    }
    take(look, count);
    return count;
}

/* ---- edges ---- */

static void write_eprops(struct look *look, const struct run_half *half)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < half->prop_count; i++) {
        count += is_projected(look, half->props[i].key);
    }
    read_write_count(&look->writer, count);
    for (uint32_t i = 0; i < half->prop_count; i++) {
        if (is_projected(look, half->props[i].key)) {
            read_write_property(&look->writer, look_name(look, half->props[i].key),
                                half->props[i].packed);
        }
    }
}

uint32_t look_emit_edge(struct look *look, const struct look_vertex *vertex,
                        const struct look_emit_edge *edge)
{
    const struct run_half *half = edge->half;
    bool is_out = edge->direction == VROW_OUT;
    struct read_write_row row = {.ordinal = vertex->ordinal,
                                 .bulk = vertex->bulk,
                                 .id = half->edge,
                                 .flags = READ_ROW_EDGE | project_flags(look)};
    uint32_t near_label, far_label;

    if (look->request->emit == READ_LABEL_COUNTS) {
        look->label_counts[edge->label] = bulk_add(look->label_counts[edge->label], vertex->bulk);
        return 1;
    }
    if (look->request->emit != READ_ROWS) {
        return (uint32_t)look_emit_number(look, vertex, 1);
    }
    if (look_emit_room(look) == 0) {
        return 0;
    }
    row.label = look_name(look, edge->label);
    near_label = look_name(look, edge->near_label);
    far_label = look_name(look, half->far_label);
    read_write_row(&look->writer, &row);
    if (is_out) {
        read_write_ends(&look->writer, &edge->near, &half->far, near_label, far_label);
    } else {
        read_write_ends(&look->writer, &half->far, &edge->near, far_label, near_label);
    }
    if ((row.flags & READ_ROW_PROPS) != 0) {
        write_eprops(look, half);
    }
    take(look, 1);
    return 1;
}

/* ---- numbers ---- */

uint64_t look_emit_number(struct look *look, const struct look_vertex *vertex, uint64_t count)
{
    uint64_t room = look_emit_room(look);

    count = count < room ? count : room;
    look->count = bulk_add(look->count, bulk_mul(count, vertex->bulk));
    take(look, count);
    return count;
}

void look_emit_input_end(struct look *look, uint32_t ordinal)
{
    if (look->request->emit == READ_COUNT_EACH && look->count > 0) {
        read_write_number(&look->writer, ordinal, look->count);
        look->count = 0;
    }
}

static void write_merged(struct look *look)
{
    struct farsum *merge = &look->merge;
    size_t count;
    const struct farsum_entry *list = farsum_sorted(merge, &count);

    for (size_t i = 0; i < count; i++) {
        struct read_write_row row = {.bulk = list[i].bulk,
                                     .id = vid_num(list[i].id),
                                     .label = look_name(look, list[i].label)};
        read_write_row(&look->writer, &row);
    }
    for (size_t i = 0; i < merge->texts.count; i++) {
        const struct farsum_sum *text = &merge->text_list[merge->texts.entries[i].value];
        struct read_write_row row = {.bulk = text->bulk,
                                     .id = vid_text(merge->texts.entries[i].key),
                                     .label = look_name(look, text->label)};
        read_write_row(&look->writer, &row);
    }
}

static void write_label_counts(struct look *look)
{
    for (uint32_t i = 0; i < symbol_count(&look->tables->symbols); i++) {
        if (look->label_counts[i] > 0) {
            read_write_number(&look->writer, look_name(look, i), look->label_counts[i]);
        }
    }
}

void look_emit_finish(struct look *look)
{
    switch (look->request->emit) {
    case READ_ROWS:
    case READ_COUNT_EACH:
        break;
    case READ_MERGED:
        write_merged(look);
        break;
    case READ_COUNT:
        read_write_number(&look->writer, 0, look->count);
        break;
    case READ_LABEL_COUNTS:
        write_label_counts(look);
        break;
    }
}
