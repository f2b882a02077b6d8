#include "tests/lib/storefix.h"

#include "shardd/store/storefile.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void storefix_open(struct storefix *fix)
{
    *fix = (struct storefix){0};
    /* In memory, if the system has such a folder: syncs cost nothing there. */
    snprintf(fix->folder, sizeof fix->folder, "%s/cardea-test-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(fix->folder));
    snprintf(fix->path, sizeof fix->path, "%s/shard", fix->folder);
    fix->options = (struct store_options){
        .path = fix->path,
        .cluster_id = 7,
        .shard = 1,
        .graph = 1,
        .partitioner = PARTITION_HASH,
        .ids = IDS_LONG,
        .cache_bytes = 8 << 20,
        .adjacency_cache_bytes = 1 << 20,
        .is_sync = false,
    };
    ck_assert_msg(store_open(&fix->store, &fix->options, &fix->err) == E_OK, "%s", fix->err.text);
}

void storefix_reopen(struct storefix *fix)
{
    store_close(&fix->store);
    ck_assert_msg(store_open(&fix->store, &fix->options, &fix->err) == E_OK, "%s", fix->err.text);
    ck_assert_msg(store_apply(fix->store, store_state(fix->store).last, &fix->err) == E_OK, "%s",
                  fix->err.text);
}

void storefix_remove(struct storefix *fix)
{
    store_close(&fix->store);
    ck_assert_int_eq(storefile_delete(NULL, fix->path, &fix->err), E_OK);
}

void storefix_close(struct storefix *fix)
{
    read_reply_close(&fix->open);
    bytes_close(&fix->changes);
    bytes_close(&fix->reply);
    arena_close(&fix->arena);
    if (fix->store != NULL) {
        storefix_remove(fix);
    }
    ck_assert_int_eq(rmdir(fix->folder), 0);
}

/* ---- writing ---- */

void storefix_add(struct storefix *fix, const struct change *change)
{
    change_encode(&fix->changes, change);
    fix->change_count++;
}

void storefix_vertex(struct storefix *fix, int64_t id, const char *label)
{
    storefix_add(fix, &(struct change){.kind = CHANGE_VERTEX_ADD,
                                       .vertex = vid_num(id),
                                       .label = slice_text(label)});
}

void storefix_vertex_with(struct storefix *fix, struct vid id, const char *label, const char *key,
                          struct value value)
{
    const struct vproperty prop = {.key = slice_text(key), .value = value};

    storefix_add(fix, &(struct change){.kind = CHANGE_VERTEX_ADD,
                                       .vertex = id,
                                       .label = slice_text(label),
                                       .vprops = &prop,
                                       .vprop_count = 1});
}

void storefix_set(struct storefix *fix, int64_t id, const char *key, struct value value)
{
    storefix_add(fix, &(struct change){.kind = CHANGE_VPROP_SET,
                                       .vertex = vid_num(id),
                                       .key = slice_text(key),
                                       .value = value});
}

static void add_halves(struct storefix *fix, struct change half, struct vid from, struct vid to)
{
    half.direction = DIRECTION_OUT;
    half.vertex = from;
    half.far = to;
    storefix_add(fix, &half);
    half.direction = DIRECTION_IN;
    half.vertex = to;
    half.far = from;
    storefix_add(fix, &half);
}

void storefix_edge_of(struct storefix *fix, struct vid edge, struct vid from, struct vid to,
                      const char *label)
{
    struct change half = {.kind = CHANGE_EDGE_ADD,
                          .edge = edge,
                          .label = slice_text(label),
                          .far_label = SLICE("person")};

    add_halves(fix, half, from, to);
}

void storefix_edge(struct storefix *fix, int64_t edge, int64_t from, int64_t to, const char *label)
{
    storefix_edge_of(fix, vid_num(edge), vid_num(from), vid_num(to), label);
}

void storefix_drop_edge(struct storefix *fix, int64_t edge, int64_t from, int64_t to,
                        const char *label)
{
    struct change half = {
        .kind = CHANGE_EDGE_DROP, .edge = vid_num(edge), .label = slice_text(label)};

    add_halves(fix, half, vid_num(from), vid_num(to));
}

struct slice storefix_list(struct storefix *fix)
{
    struct bytes list;
    struct slice copy;

    bytes_init(&list, 0);
    bytes_varint(&list, fix->change_count);
    bytes_append(&list, fix->changes.data, fix->changes.size);
    copy = slice_of(arena_copy(&fix->arena, list.data, list.size), list.size);
    bytes_close(&list);
    return copy;
}

int storefix_check(struct storefix *fix)
{
    return store_check(fix->store, storefix_list(fix), &fix->err);
}

void storefix_entry(struct storefix *fix, enum store_entry_kind kind, struct slice body)
{
    const struct store_entry entry = {
        .index = store_state(fix->store).last + 1, .epoch = 1, .kind = kind, .body = body};

    ck_assert_msg(store_append(fix->store,
                               &(struct store_append){.entries = &entry, .count = 1, .promise = 1},
                               &fix->err) == E_OK,
                  "%s", fix->err.text);
    ck_assert_msg(store_apply(fix->store, entry.index, &fix->err) == E_OK, "%s", fix->err.text);
}

void storefix_forget(struct storefix *fix)
{
    bytes_clear(&fix->changes);
    fix->change_count = 0;
}

void storefix_commit(struct storefix *fix)
{
    struct slice list = storefix_list(fix);
    struct bytes body;

    bytes_init(&body, 0);
    fix->seq++;
    bytes_varint(&body, 5);
    bytes_varint(&body, fix->seq);
    bytes_varint(&body, fix->seq);
    bytes_append(&body, list.data, list.size);
    storefix_entry(fix, STORE_TXN1, bytes_slice(&body));
    bytes_close(&body);
    storefix_forget(fix);
}

/* ---- reading ---- */

int storefix_read(struct storefix *fix, const struct read_request *request)
{
    int rc;

    read_reply_close(&fix->open);
    bytes_clear(&fix->reply);
    rc = store_read(fix->store, request, NULL, &fix->reply, &fix->err);
    if (rc != E_OK) {
        return rc;
    }
    return read_reply_open(bytes_slice(&fix->reply), &fix->arena, request->id_int, &fix->open,
                           &fix->err);
}

bool storefix_next(struct storefix *fix, struct read_row *row)
{
    int rc = read_reply_next(&fix->open, &fix->arena, row, &fix->err);

    ck_assert_msg(rc >= 0, "%s", fix->err.text);
    return rc == 1;
}

static int order_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void print_props(struct bytes *out, const struct value *element)
{
    if (element->kind == VALUE_EDGE) {
        for (uint32_t i = 0; i < element->edge->prop_count; i++) {
            const struct property *prop = &element->edge->props[i];
            bytes_format(out, ",%.*s=", (int)prop->key.size, (const char *)prop->key.data);
            value_print(out, &prop->value);
        }
        return;
    }
    for (uint32_t i = 0; i < element->vertex->prop_count; i++) {
        const struct vproperty *prop = &element->vertex->props[i];
        bytes_format(out, ",%.*s=", (int)prop->key.size, (const char *)prop->key.data);
        value_print(out, &prop->value);
        for (uint32_t m = 0; m < prop->meta_count; m++) {
            bytes_format(out, "(%.*s=", (int)prop->metas[m].key.size,
                         (const char *)prop->metas[m].key.data);
            value_print(out, &prop->metas[m].value);
            bytes_u8(out, ')');
        }
    }
}

static void print_row(struct bytes *out, const struct read_reply *reply, const struct read_row *row)
{
    struct slice label;

    if (reply->emit == READ_COUNT_EACH) {
        bytes_format(out, "%u:%llu", row->ordinal, (unsigned long long)row->bulk);
        return;
    }
    if (reply->emit == READ_LABEL_COUNTS) {
        bytes_format(out, "%.*s:%llu", (int)row->label.size, (const char *)row->label.data,
                     (unsigned long long)row->bulk);
        return;
    }
    value_print(out, &row->element);
    label = row->element.kind == VALUE_EDGE ? row->element.edge->label : row->element.vertex->label;
    if (row->element.kind == VALUE_VERTEX) {
        bytes_format(out, ":%.*s", (int)label.size, (const char *)label.data);
    }
    print_props(out, &row->element);
    if (row->bulk != 1) {
        bytes_format(out, "*%llu", (unsigned long long)row->bulk);
    }
}

const char *storefix_text(struct storefix *fix, const struct read_request *request)
{
    struct read_request now = *request;
    const char **list = calloc(1 << 20, sizeof *list);
    struct bytes out;
    size_t count = 0;
    char *text;

    do {
        struct read_row row;

        ck_assert_msg(storefix_read(fix, &now) == E_OK, "%s", fix->err.text);
        while (storefix_next(fix, &row)) {
            bytes_init(&out, 0);
            print_row(&out, &fix->open, &row);
            ck_assert_uint_lt(count, 1 << 20);
            list[count++] =
                arena_format(&fix->arena, "%.*s", (int)out.size, (const char *)out.data);
            bytes_close(&out);
        }
        now.cursor = slice_of(
            arena_copy(&fix->arena, fix->open.head.cursor.data, fix->open.head.cursor.size),
            fix->open.head.cursor.size);
    } while (now.cursor.size > 0);
    qsort(list, count, sizeof *list, order_texts);
    bytes_init(&out, 0);
    for (size_t i = 0; i < count; i++) {
        bytes_format(&out, "%s%s", i == 0 ? "" : " ", list[i]);
    }
    text = arena_format(&fix->arena, "%.*s", (int)out.size, (const char *)out.data);
    bytes_close(&out);
    free(list);
    return text;
}

uint64_t storefix_count(struct storefix *fix, const struct read_request *request)
{
    struct read_request now = *request;
    uint64_t sum = 0;

    now.emit = READ_COUNT;
    do {
        struct read_row row;

        ck_assert_msg(storefix_read(fix, &now) == E_OK, "%s", fix->err.text);
        ck_assert(storefix_next(fix, &row));
        sum += row.bulk;
        now.cursor = slice_of(
            arena_copy(&fix->arena, fix->open.head.cursor.data, fix->open.head.cursor.size),
            fix->open.head.cursor.size);
    } while (now.cursor.size > 0);
    return sum;
}

const struct read_input *storefix_ids(struct storefix *fix, uint32_t count, const int64_t *ids)
{
    struct read_input *inputs = arena_array(&fix->arena, count, sizeof *inputs);

    for (uint32_t i = 0; i < count; i++) {
        inputs[i] = (struct read_input){vid_num(ids[i]), 1};
    }
    return inputs;
}

const struct predicate *storefix_test(struct storefix *fix, enum predicate_test test,
                                      struct value operand)
{
    struct predicate *predicate = ARENA_NEW(&fix->arena, struct predicate);
    struct value *copy = ARENA_NEW(&fix->arena, struct value);

    *copy = operand;
    predicate->test = test;
    predicate->operands = copy;
    predicate->operand_count = 1;
    return predicate;
}

const struct read_filter *storefix_filter(struct storefix *fix, enum read_filter_on on,
                                          const char *key, const struct predicate *predicate)
{
    struct read_filter *filter = ARENA_NEW(&fix->arena, struct read_filter);

    filter->on = on;
    filter->key = key == NULL ? (struct slice){0} : slice_text(key);
    filter->predicate = predicate;
    return filter;
}
