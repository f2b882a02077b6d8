#include "shardd/read/scan_emit.h"

#include "common/bulk.h"

#include <assert.h>
#include <stdlib.h>

uint64_t scan_emit_room(const struct scan *scan)
{
    const struct read_request *request = scan->request;
    uint64_t room = UINT64_MAX;

    if (request->limit > 0) {
        room = request->limit > scan->at.emitted ? request->limit - scan->at.emitted : 0;
    }
    if (request->limit_each > 0) {
        uint64_t each =
            request->limit_each > scan->at.each ? request->limit_each - scan->at.each : 0;
        room = each < room ? each : room;
    }
    return room;
}

static void take(struct scan *scan, uint64_t count)
{
    scan->at.emitted += count;
    scan->at.each += count;
    if (scan->request->limit > 0 && scan->at.emitted >= scan->request->limit) {
        scan->is_full = true;
    }
}

/* ---- vertices ---- */

static bool is_projected(const struct scan *scan, uint32_t key)
{
    if (scan->request->project == READ_ALL) {
        return true;
    }
    for (uint32_t i = 0; i < scan->key_count; i++) {
        if (scan->keys[i] == key) {
            return true;
        }
    }
    return false;
}

static uint8_t project_flags(const struct scan *scan)
{
    switch (scan->request->project) {
    case READ_NOTHING:
        return 0;
    case READ_ALL:
        return READ_ROW_PROPS | READ_ROW_WHOLE;
    case READ_KEYS:
        return READ_ROW_PROPS;
    }
    return 0;
}

static void write_vprops(struct scan *scan, const struct scan_vertex *vertex)
{
    const struct vrow *row = &vertex->row;
    uint32_t count = 0;

    for (uint32_t i = 0; i < row->prop_count; i++) {
        count += is_projected(scan, row->props[i].key);
    }
    read_write_count(&scan->writer, count);
    for (uint32_t i = 0; i < row->prop_count; i++) {
        const struct vrow_prop *prop = &row->props[i];

        if (!is_projected(scan, prop->key)) {
            continue;
        }
        read_write_vproperty(
            &scan->writer, scan_name(scan, prop->key), prop->packed, prop->cardinality,
            vrow_prop_id(&vertex->id, symbol_name(&scan->tables->symbols, prop->key), prop));
        read_write_count(&scan->writer, prop->meta_count);
        for (uint32_t m = 0; m < prop->meta_count; m++) {
            read_write_property(&scan->writer, scan_name(scan, prop->metas[m].key),
                                prop->metas[m].packed);
        }
    }
}

void scan_emit_vertex(struct scan *scan, const struct scan_vertex *vertex)
{
    struct read_write_row row = {.ordinal = vertex->ordinal,
                                 .bulk = vertex->bulk,
                                 .id = vertex->id,
                                 .flags = project_flags(scan)};

    if (scan->request->emit == READ_LABEL_COUNTS) {
        scan->label_counts[vertex->row.label] =
            bulk_add(scan->label_counts[vertex->row.label], vertex->bulk);
        return;
    }
    if (scan->request->emit != READ_ROWS) {
        (void)scan_emit_number(scan, vertex, 1);
        return;
    }
    if (scan_emit_room(scan) == 0) {
        return;
    }
    row.label = scan_name(scan, vertex->row.label);
    read_write_row(&scan->writer, &row);
    if (row.flags != 0) {
        write_vprops(scan, vertex);
    }
    take(scan, 1);
}

/* ---- far vertices ---- */

static void write_far(struct scan *scan, const struct scan_vertex *vertex,
                      const struct scan_emit_block *block, uint32_t count)
{
    struct read_write_row row = {.ordinal = vertex->ordinal, .bulk = vertex->bulk};
    uint32_t last = SYMBOL_NONE;

    for (uint32_t i = block->from; i < block->from + count; i++) {
        uint32_t label = scan_emit_label(block, i);

        if (label != last) {
            row.label = scan_name(scan, label);
            last = label;
        }
        row.id = vids_at(block->ids, i);
        read_write_row(&scan->writer, &row);
    }
}

static void merge_far(struct scan *scan, const struct scan_vertex *vertex,
                      const struct scan_emit_block *block, uint32_t count)
{
    if (block->labels == NULL && block->wide_labels == NULL && block->ids->nums != NULL) {
        bulkset_add(&scan->merge, block->ids->nums + block->from, count, vertex->bulk,
                    block->label);
        return;
    }
    for (uint32_t i = block->from; i < block->from + count; i++) {
        struct vid id = vids_at(block->ids, i);

        bulkset_add_one(&scan->merge, &id, vertex->bulk, scan_emit_label(block, i));
    }
}

uint32_t scan_emit_far(struct scan *scan, const struct scan_vertex *vertex,
                       const struct scan_emit_block *block)
{
    uint64_t room = scan_emit_room(scan);
    uint32_t count = block->to - block->from;

    count = count < room ? count : (uint32_t)room;
    if (scan->request->emit == READ_ROWS) {
        write_far(scan, vertex, block, count);
    } else if (scan->request->emit == READ_MERGED) {
        merge_far(scan, vertex, block, count);
    } else {
        return (uint32_t)scan_emit_number(scan, vertex, count);
    }
    take(scan, count);
    return count;
}

/* ---- edges ---- */

static void write_eprops(struct scan *scan, const struct edgerun_half *half)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < half->prop_count; i++) {
        count += is_projected(scan, half->props[i].key);
    }
    read_write_count(&scan->writer, count);
    for (uint32_t i = 0; i < half->prop_count; i++) {
        if (is_projected(scan, half->props[i].key)) {
            read_write_property(&scan->writer, scan_name(scan, half->props[i].key),
                                half->props[i].packed);
        }
    }
}

uint32_t scan_emit_edge(struct scan *scan, const struct scan_vertex *vertex,
                        const struct scan_emit_edge *edge)
{
    const struct edgerun_half *half = edge->half;
    bool is_out = edge->direction == VROW_OUT;
    struct read_write_row row = {.ordinal = vertex->ordinal,
                                 .bulk = vertex->bulk,
                                 .id = half->edge,
                                 .flags = READ_ROW_EDGE | project_flags(scan)};
    uint32_t near_label, far_label;

    if (scan->request->emit == READ_LABEL_COUNTS) {
        scan->label_counts[edge->label] = bulk_add(scan->label_counts[edge->label], vertex->bulk);
        return 1;
    }
    if (scan->request->emit != READ_ROWS) {
        return (uint32_t)scan_emit_number(scan, vertex, 1);
    }
    if (scan_emit_room(scan) == 0) {
        return 0;
    }
    row.label = scan_name(scan, edge->label);
    near_label = scan_name(scan, edge->near_label);
    far_label = scan_name(scan, half->far_label);
    read_write_row(&scan->writer, &row);
    if (is_out) {
        read_write_ends(&scan->writer, &edge->near, &half->far, near_label, far_label);
    } else {
        read_write_ends(&scan->writer, &half->far, &edge->near, far_label, near_label);
    }
    if ((row.flags & READ_ROW_PROPS) != 0) {
        write_eprops(scan, half);
    }
    take(scan, 1);
    return 1;
}

/* ---- numbers ---- */

uint64_t scan_emit_number(struct scan *scan, const struct scan_vertex *vertex, uint64_t count)
{
    uint64_t room = scan_emit_room(scan);

    count = count < room ? count : room;
    scan->count = bulk_add(scan->count, bulk_mul(count, vertex->bulk));
    take(scan, count);
    return count;
}

void scan_emit_input_end(struct scan *scan, uint32_t ordinal)
{
    if (scan->request->emit == READ_COUNT_EACH && scan->count > 0) {
        read_write_number(&scan->writer, ordinal, scan->count);
        scan->count = 0;
    }
}

static void write_merged(struct scan *scan)
{
    struct bulkset *merge = &scan->merge;
    size_t count;
    const struct bulkset_entry *list = bulkset_sorted(merge, &count);

    for (size_t i = 0; i < count; i++) {
        struct read_write_row row = {.bulk = list[i].bulk,
                                     .id = vid_num(list[i].id),
                                     .label = scan_name(scan, list[i].label)};
        read_write_row(&scan->writer, &row);
    }
    for (size_t i = 0; i < merge->texts.count; i++) {
        const struct bulkset_sum *text = &merge->text_list[merge->texts.entries[i].value];
        struct read_write_row row = {.bulk = text->bulk,
                                     .id = vid_text(merge->texts.entries[i].key),
                                     .label = scan_name(scan, text->label)};
        read_write_row(&scan->writer, &row);
    }
}

static void write_label_counts(struct scan *scan)
{
    for (uint32_t i = 0; i < symbol_count(&scan->tables->symbols); i++) {
        if (scan->label_counts[i] > 0) {
            read_write_number(&scan->writer, scan_name(scan, i), scan->label_counts[i]);
        }
    }
}

void scan_emit_finish(struct scan *scan)
{
    switch (scan->request->emit) {
    case READ_ROWS:
    case READ_COUNT_EACH:
        break;
    case READ_MERGED:
        write_merged(scan);
        break;
    case READ_COUNT:
        read_write_number(&scan->writer, 0, scan->count);
        break;
    case READ_LABEL_COUNTS:
        write_label_counts(scan);
        break;
    }
}
