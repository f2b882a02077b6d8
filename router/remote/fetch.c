#include "router/remote/fetch.h"

#include "common/bulk.h"
#include "common/map.h"
#include "common/mem.h"
#include "router/op/exec.h"
#include "router/remote/owner.h"
#include "router/remote/transaction.h"

#include <assert.h>
#include <string.h>

enum {
    EPOCH_WAIT_MS = 20,  /* For a newer map; then the old one is tried again. */
    BUSY_WAIT_MS = 20,   /* Before a shard that is not available is asked again; doubles. */
    BUSY_MS = 5000,      /* Not available for longer: the query is run again. */
    GATHER_MAX = 100000, /* Rows gathered before others have their turn. */
    QUEUE_MAX = 2        /* Replies of a shard not yet taken: one in use, one ahead. */
};

enum part_state {
    PART_WAITS, /* Not asked yet: scans one after the other. */
    PART_ASKED,
    PART_PAUSED, /* There is more to ask for when what has come is taken. */
    PART_DONE    /* All has come. */
};

struct queued {
    struct bytes body;
    struct arena arena; /* The reply's table of symbols. */
    struct read_reply reply;
};

/* One shard's share. */
struct fetch_part {
    struct fetch *fetch;
    struct remote_request request;
    enum part_state state;
    uint32_t input_count;
    struct read_input *inputs;
    uint32_t *ordinals; /* Of the spec's inputs. */
    struct bytes cursor;
    struct queued queue[QUEUE_MAX];
    uint32_t queued;
    uint32_t seen;    /* Changes that were staged with the request under way. */
    uint64_t busy_ms; /* Since when the shard is not available; 0: it is. */
    uint64_t wait_ms;
};

struct fetch {
    struct exec *exec;
    struct op *op;
    const struct read_request *spec;
    struct arena *rows; /* Where elements are put. */
    struct arena arena; /* Inputs by shard. */
    struct fetch_part *parts;
    uint32_t part_count;
    uint32_t done;    /* Parts of state DONE. */
    uint32_t *shards; /* Of the graph, when it began. */
    uint32_t shard_count;
    bool id_int;
    bool is_serial;  /* One shard after the other. */
    bool is_counted; /* In exec->waiting. */
    bool is_second;  /* EDGE_IDS: the other shards were asked. */
    bool *found;     /* EDGE_IDS: ordinals that gave rows. */
    uint32_t *homes; /* EDGE_IDS: index of the shard asked first. */
    uint64_t given;  /* Rows. */
    int code;        /* What went wrong; E_OK: nothing. */
    struct error error;
    /* MERGED, COUNT, LABEL_COUNTS: gathered before any is given. */
    struct read_row *gathered;
    uint32_t gathered_count, gathered_room, gathered_next;
    struct map by_num;
    struct map_text by_text;
};

static void send_part(struct fetch_part *part);
static void start_second(struct fetch *fetch);

/* ---- states ---- */

static void wake(struct fetch *fetch)
{
    fetch->exec->txn->is_woken = true;
}

static void set_counted(struct fetch *fetch, bool is_counted)
{
    if (is_counted && !fetch->is_counted) {
        fetch->exec->waiting++;
    } else if (!is_counted && fetch->is_counted) {
        assert(fetch->exec->waiting > 0);
        fetch->exec->waiting--;
    }
    fetch->is_counted = is_counted;
}

static void fail_with(struct fetch *fetch, int code, const char *text)
{
    if (fetch->code == E_OK) {
        fetch->code = code;
        error_set(&fetch->error, code, "%s", text);
    }
    set_counted(fetch, false);
    wake(fetch);
}

static void part_done(struct fetch_part *part)
{
    struct fetch *fetch = part->fetch;

    assert(part->state != PART_DONE);
    part->state = PART_DONE;
    fetch->done++;
    if (fetch->done < fetch->part_count) {
        return;
    }
    if (fetch->found == NULL || fetch->is_second) {
        set_counted(fetch, false);
    }
}

/* ---- answers ---- */

static bool is_gathering(const struct fetch *fetch)
{
    return fetch->spec->emit == READ_COUNT || fetch->spec->emit == READ_LABEL_COUNTS ||
           fetch->spec->emit == READ_MERGED;
}

static void count_reply(struct fetch *fetch, const struct read_head *head, size_t bytes)
{
    if (fetch->op != NULL) {
        fetch->op->stats.bytes += bytes;
        fetch->op->stats.scanned += head->scanned;
        fetch->op->stats.shard_micros += head->micros;
        if (!slice_equal(fetch->op->stats.access, head->access)) {
            const void *copy =
                arena_copy(&fetch->exec->arena, head->access.data, head->access.size);
            fetch->op->stats.access = slice_of(copy, head->access.size);
        }
    }
}

/* Rows have them after the reply is gone. */
static void keep_symbols(struct exec *exec, struct read_reply *reply)
{
    for (uint32_t i = 0; i < reply->symbol_count; i++) {
        reply->symbols[i] = exec_symbol(exec, reply->symbols[i]);
    }
}

static void take_reply(struct fetch_part *part, const struct message *message)
{
    struct fetch *fetch = part->fetch;
    struct queued *queued = &part->queue[part->queued];
    int rc;

    assert(part->queued < QUEUE_MAX);
    *queued = (struct queued){0};
    bytes_init(&queued->body, 0);
    bytes_append(&queued->body, message->body.data, message->body.size);
    rc = read_reply_open(bytes_slice(&queued->body), &queued->arena, fetch->id_int, &queued->reply,
                         &fetch->error);
    if (rc == E_OK) {
        keep_symbols(fetch->exec, &queued->reply);
    }
    if (rc == E_OK && queued->reply.emit != fetch->spec->emit) {
        rc = error_set(&fetch->error, E_MALFORMED, "the answer to READ is of another kind");
    }
    if (rc == E_OK) {
        rc = transaction_read(fetch->exec->txn, part->request.shard, &queued->reply.head,
                              &fetch->error);
    }
    part->queued++;
    if (rc != E_OK) {
        fetch->code = rc;
        fail_with(fetch, rc, fetch->error.text);
        return;
    }
    count_reply(fetch, &queued->reply.head, message->body.size);
    if (queued->reply.head.cursor.size == 0) {
        part_done(part);
        return;
    }
    bytes_clear(&part->cursor);
    bytes_append(&part->cursor, queued->reply.head.cursor.data, queued->reply.head.cursor.size);
    part->state = PART_PAUSED;
    if (part->queued < QUEUE_MAX) {
        send_part(part);
    }
}

static void on_refused(struct fetch_part *part, const struct error *err)
{
    struct fetch *fetch = part->fetch;
    struct remote *remote = fetch->exec->remote;
    uint64_t now_ms = remote_now(remote);

    if (error_retry(err->code) == ERROR_REFRESH) {
        remote_hold(remote, &part->request, EPOCH_WAIT_MS, true);
        return;
    }
    if (err->code != E_UNAVAILABLE) {
        fail_with(fetch, err->code, err->text);
        return;
    }
    if (part->busy_ms == 0) {
        part->busy_ms = now_ms;
        part->wait_ms = BUSY_WAIT_MS;
    } else if (now_ms - part->busy_ms > BUSY_MS) {
        fail_with(fetch, E_UNAVAILABLE, err->text);
        return;
    }
    remote_hold(remote, &part->request, part->wait_ms, true);
    part->wait_ms *= 2;
}

static void on_reply(struct remote *remote, struct remote_request *request,
                     const struct message *message, const struct error *err)
{
    struct fetch_part *part = request->owner;

    (void)remote;
    if (part->fetch->code != E_OK) {
        return;
    }
    if (message == NULL) {
        on_refused(part, err);
    } else if (message->type != MESSAGE_READ_REPLY) {
        fail_with(part->fetch, E_MALFORMED, "the answer to READ is another message");
    } else {
        part->busy_ms = 0;
        take_reply(part, message);
    }
    wake(part->fetch);
}

/* ---- requests ---- */

/* Whether the shards of the graph are still those that the inputs were grouped by. Epochs may have
 * grown. */
static bool is_same_layout(const struct fetch *fetch)
{
    const struct shardmap *map = remote_map(fetch->exec->remote);
    const struct shardmap_graph *graph = transaction_graph(fetch->exec->txn, fetch->exec);

    if (graph == NULL || graph->shard_count != fetch->shard_count) {
        return false;
    }
    for (uint32_t i = 0; i < graph->shard_count; i++) {
        if (map->shards[graph->shard_first + i].shard != fetch->shards[i]) {
            return false;
        }
    }
    return true;
}

static void on_again(struct remote *remote, struct remote_request *request)
{
    struct fetch_part *part = request->owner;

    (void)remote;
    if (is_same_layout(part->fetch)) {
        send_part(part);
    } else {
        fail_with(part->fetch, E_CONFLICT, "the shards of the graph have changed meanwhile");
    }
}

static void encode_part(struct fetch_part *part)
{
    const struct fetch *fetch = part->fetch;
    struct read_request read = *fetch->spec;
    struct bytes staged;

    bytes_init(&staged, 0);
    part->seen = transaction_change_count(fetch->exec->txn);
    read.id_int = fetch->id_int;
    read.input_count = part->input_count;
    read.inputs = part->inputs;
    transaction_staged(fetch->exec->txn, part->request.shard, &read, &staged);
    read.cursor = bytes_slice(&part->cursor);
    read.staged = bytes_slice(&staged);
    if (fetch->is_serial) {
        read.limit = fetch->spec->limit - fetch->given;
    }
    bytes_clear(&part->request.body);
    read_request_encode(&part->request.body, &read);
    bytes_close(&staged);
}

static void count_request(struct fetch *fetch, const struct remote_request *request)
{
    struct op_stats *stats = &fetch->op->stats;
    uint32_t at = 0;

    stats->requests++;
    stats->bytes += request->body.size;
    if (fetch->exec->plan == NULL || (!fetch->exec->plan->is_profile && !fetch->exec->is_timed)) {
        return;
    }
    while (at < stats->shard_count && stats->shards[at].shard != request->shard) {
        at++;
    }
    if (at == stats->shard_count) {
        struct op_shard *more = arena_array(&fetch->exec->arena, at + 1, sizeof *more);
        if (at > 0) {
            memcpy(more, stats->shards, at * sizeof *more);
        }
        more[at].shard = request->shard;
        stats->shards = more;
        stats->shard_count++;
    }
    stats->shards[at].requests++;
}

static void send_part(struct fetch_part *part)
{
    struct fetch *fetch = part->fetch;
    struct remote_request *request = &part->request;

    if (!remote_target(fetch->exec->remote, request->shard, request)) {
        fail_with(fetch, E_CONFLICT, "a shard of the graph is gone");
        return;
    }
    request->req_id = 0;
    request->deadline_ms = fetch->exec->deadline_ms;
    encode_part(part);
    part->state = PART_ASKED;
    remote_send(fetch->exec->remote, request);
    if (fetch->op != NULL) {
        count_request(fetch, request);
    }
}

/* ---- start ---- */

static void add_parts(struct fetch *fetch, const uint32_t *counts)
{
    uint32_t first = fetch->part_count;

    for (uint32_t i = 0; i < fetch->shard_count; i++) {
        fetch->part_count += counts[i] > 0;
    }
    struct fetch_part *parts = arena_array(&fetch->arena, fetch->part_count, sizeof *parts);
    assert(first == 0); /* Requests under way point to their parts. */
    fetch->parts = parts;
    for (uint32_t i = 0; i < fetch->shard_count; i++) {
        if (counts[i] == 0) {
            continue;
        }
        struct fetch_part *part = &parts[first++];
        part->fetch = fetch;
        part->request.type = MESSAGE_READ;
        part->request.shard = fetch->shards[i];
        part->request.owner = part;
        part->request.on_reply = on_reply;
        part->request.on_again = on_again;
        bytes_init(&part->request.body, 0);
        bytes_init(&part->cursor, 0);
    }
}

static void add_inputs(struct fetch *fetch, const uint32_t *homes, const uint32_t *counts)
{
    const struct read_request *spec = fetch->spec;
    struct fetch_part **parts =
        arena_array(&fetch->arena, fetch->shard_count, sizeof(struct fetch_part *));

    for (uint32_t i = 0, at = 0; i < fetch->shard_count; i++) {
        if (counts[i] == 0) {
            continue;
        }
        parts[i] = &fetch->parts[at++];
        parts[i]->inputs = arena_alloc(&fetch->arena, counts[i] * sizeof *parts[i]->inputs);
        parts[i]->ordinals = arena_alloc(&fetch->arena, counts[i] * sizeof *parts[i]->ordinals);
    }
    for (uint32_t i = 0; i < spec->input_count; i++) {
        struct fetch_part *part = parts[homes[i]];
        part->inputs[part->input_count] = spec->inputs[i];
        part->ordinals[part->input_count++] = i;
    }
}

/* Inputs to their owners. */
static void group_inputs(struct fetch *fetch, const struct shardmap_graph *graph)
{
    const struct read_request *spec = fetch->spec;
    uint32_t *homes = arena_alloc(&fetch->arena, (size_t)spec->input_count * sizeof *homes + 1);
    uint32_t *counts = arena_array(&fetch->arena, fetch->shard_count, sizeof *counts);
    struct owner owner;

    owner_init(&owner, remote_map(fetch->exec->remote), graph);
    for (uint32_t i = 0; i < spec->input_count; i++) {
        homes[i] = owner_find(&owner, &spec->inputs[i].id);
        counts[homes[i]]++;
    }
    owner_close(&owner);
    add_parts(fetch, counts);
    add_inputs(fetch, homes, counts);
    fetch->homes = homes;
}

/* All shards get the same: scans, and edges by id where only the sum matters. */
static void ask_all(struct fetch *fetch)
{
    const struct read_request *spec = fetch->spec;
    uint32_t *counts = arena_array(&fetch->arena, fetch->shard_count, sizeof *counts);
    struct read_input *inputs = NULL;
    uint32_t *ordinals = NULL;

    for (uint32_t i = 0; i < fetch->shard_count; i++) {
        counts[i] = 1;
    }
    add_parts(fetch, counts);
    if (spec->input_count > 0) {
        inputs = arena_copy(&fetch->arena, spec->inputs, spec->input_count * sizeof *inputs);
        ordinals = arena_alloc(&fetch->arena, spec->input_count * sizeof *ordinals);
    }
    for (uint32_t i = 0; i < spec->input_count; i++) {
        ordinals[i] = i;
    }
    for (uint32_t i = 0; i < fetch->part_count; i++) {
        fetch->parts[i].inputs = inputs;
        fetch->parts[i].ordinals = ordinals;
        fetch->parts[i].input_count = spec->input_count;
    }
}

static void layout(struct fetch *fetch, const struct shardmap *map,
                   const struct shardmap_graph *graph)
{
    const struct read_request *spec = fetch->spec;
    bool is_scan = spec->source == READ_VERTICES || spec->source == READ_EDGES;

    fetch->id_int = graph->ids == IDS_INT;
    fetch->shard_count = graph->shard_count;
    fetch->shards = arena_array(&fetch->arena, graph->shard_count, sizeof *fetch->shards);
    for (uint32_t i = 0; i < graph->shard_count; i++) {
        fetch->shards[i] = map->shards[graph->shard_first + i].shard;
    }
    if (is_scan || (spec->source == READ_EDGE_IDS && spec->emit != READ_ROWS)) {
        ask_all(fetch);
    } else {
        group_inputs(fetch, graph);
    }
    if (spec->source == READ_EDGE_IDS && spec->emit == READ_ROWS) {
        fetch->found = arena_array(&fetch->arena, spec->input_count, sizeof *fetch->found);
    }
    /* A few of everything: mostly the first shard has enough. */
    fetch->is_serial = is_scan && spec->emit == READ_ROWS && spec->limit > 0 &&
                       spec->limit <= OP_BATCH && spec->filter_count == 0 &&
                       spec->hop.direction == 0;
}

struct fetch *fetch_start(struct exec *exec, struct op *op, const struct read_request *spec)
{
    const struct shardmap_graph *graph = transaction_graph(exec->txn, exec);
    struct fetch *fetch;

    assert(spec->cursor.size == 0 && spec->staged.size == 0);
    if (graph == NULL) {
        error_set(&exec->error, E_NOT_FOUND, "the graph was dropped");
        return NULL;
    }
    fetch = mem_alloc(sizeof *fetch);
    fetch->exec = exec;
    fetch->op = op;
    fetch->spec = spec;
    fetch->rows = &exec->arena;
    arena_init(&fetch->arena, 0);
    map_init(&fetch->by_num, NULL);
    map_text_init(&fetch->by_text, NULL, true);
    layout(fetch, remote_map(exec->remote), graph);
    set_counted(fetch, fetch->part_count > 0);
    for (uint32_t i = 0; i < fetch->part_count && fetch->code == E_OK; i++) {
        if (i == 0 || !fetch->is_serial) {
            send_part(&fetch->parts[i]);
        }
    }
    return fetch;
}

struct fetch *fetch_stream(struct exec *exec, struct op *op, const struct read_request *spec)
{
    struct fetch *fetch = fetch_start(exec, op, spec);

    if (fetch != NULL) {
        fetch->rows = &exec->stream;
    }
    return fetch;
}

/* ---- edges whose ids lead nowhere ---- */

static void close_queued(struct queued *queued)
{
    read_reply_close(&queued->reply);
    bytes_close(&queued->body);
    arena_close(&queued->arena);
}

static void close_parts(struct fetch *fetch)
{
    for (uint32_t i = 0; i < fetch->part_count; i++) {
        struct fetch_part *part = &fetch->parts[i];
        remote_drop(fetch->exec->remote, &part->request);
        bytes_close(&part->cursor);
        for (uint32_t q = 0; q < part->queued; q++) {
            close_queued(&part->queue[q]);
        }
        part->queued = 0;
    }
    fetch->part_count = 0;
    fetch->done = 0;
}

static bool has_missing(const struct fetch *fetch)
{
    for (uint32_t i = 0; i < fetch->spec->input_count; i++) {
        if (!fetch->found[i]) {
            return true;
        }
    }
    return false;
}

/* Ids not found where a generated id leads: all other shards are asked. */
static void start_second(struct fetch *fetch)
{
    const struct read_request *spec = fetch->spec;
    uint32_t *counts = arena_array(&fetch->arena, fetch->shard_count, sizeof *counts);
    uint32_t missing = 0;

    fetch->is_second = true;
    close_parts(fetch);
    for (uint32_t i = 0; i < spec->input_count; i++) {
        missing += !fetch->found[i];
    }
    for (uint32_t s = 0; s < fetch->shard_count; s++) {
        counts[s] = missing;
    }
    for (uint32_t i = 0; i < spec->input_count; i++) {
        counts[fetch->homes[i]] -= !fetch->found[i];
    }
    add_parts(fetch, counts);
    for (uint32_t s = 0, at = 0; s < fetch->shard_count; s++) {
        if (counts[s] == 0) {
            continue;
        }
        struct fetch_part *part = &fetch->parts[at++];
        part->inputs = arena_alloc(&fetch->arena, counts[s] * sizeof *part->inputs);
        part->ordinals = arena_alloc(&fetch->arena, counts[s] * sizeof *part->ordinals);
        for (uint32_t i = 0; i < spec->input_count; i++) {
            if (!fetch->found[i] && fetch->homes[i] != s) {
                part->inputs[part->input_count] = spec->inputs[i];
                part->ordinals[part->input_count++] = i;
            }
        }
        send_part(part);
    }
    set_counted(fetch, fetch->done < fetch->part_count);
}

/* ---- rows ---- */

static void pop_reply(struct fetch_part *part)
{
    close_queued(&part->queue[0]);
    part->queued--;
    memmove(&part->queue[0], &part->queue[1], part->queued * sizeof part->queue[0]);
    if (part->state == PART_PAUSED && part->fetch->code == E_OK) {
        send_part(part);
    }
}

/* What the change count was when it was read: properties are stale after a later change. */
static void mark_seen(struct value *element, uint32_t seen)
{
    if (element->kind == VALUE_VERTEX) {
        ((struct vertex *)(uintptr_t)element->vertex)->seen = seen;
    } else if (element->kind == VALUE_EDGE) {
        ((struct edge *)(uintptr_t)element->edge)->seen = seen;
    }
}

/* The next row of any part: true; false: none now, or an error. */
static bool next_row(struct fetch *fetch, struct read_row *row)
{
    for (uint32_t i = 0; i < fetch->part_count; i++) {
        struct fetch_part *part = &fetch->parts[i];
        while (part->queued > 0) {
            int rc =
                read_reply_next(&part->queue[0].reply, fetch->rows, row, &fetch->error);
            if (rc == 0) {
                pop_reply(part);
                continue;
            }
            if (rc > 0 && part->inputs != NULL) {
                if (row->ordinal >= part->input_count) {
                    rc = error_set(&fetch->error, E_MALFORMED, "a row of an input never sent");
                } else {
                    row->ordinal = part->ordinals[row->ordinal];
                }
            }
            if (rc < 0) {
                fail_with(fetch, rc, fetch->error.text);
                return false;
            }
            if (part->seen != 0) {
                mark_seen(&row->element, part->seen);
            }
            return true;
        }
    }
    return false;
}

/* ---- gathering ---- */

static void gather(struct fetch *fetch, const struct read_row *row)
{
    if (fetch->gathered_count == fetch->gathered_room) {
        fetch->gathered_room = fetch->gathered_room == 0 ? 64 : fetch->gathered_room * 2;
        fetch->gathered =
            mem_resize(fetch->gathered, fetch->gathered_room * sizeof *fetch->gathered);
    }
    fetch->gathered[fetch->gathered_count++] = *row;
}

/* Place + 1 of the row with the same vertex or label; 0 if it is new. Its number is then set. */
static uint64_t *place_of_row(struct fetch *fetch, const struct read_row *row)
{
    if (fetch->spec->emit == READ_LABEL_COUNTS) {
        return map_text_at(&fetch->by_text, row->label, NULL);
    }
    if (fetch->spec->emit == READ_COUNT || row->element.kind != VALUE_VERTEX) {
        return map_at(&fetch->by_num, 0, NULL);
    }
    const struct value *id = &row->element.vertex->id;
    if (id->kind == VALUE_STRING) {
        return map_text_at(&fetch->by_text, value_slice(id), NULL);
    }
    return map_at(&fetch->by_num, (uint64_t)id->integer, NULL);
}

static void merge(struct fetch *fetch, const struct read_row *row)
{
    uint64_t *at = place_of_row(fetch, row);

    if (*at == 0) {
        *at = fetch->gathered_count + 1;
        gather(fetch, row);
        fetch->gathered[fetch->gathered_count - 1].ordinal = 0;
    } else {
        fetch->gathered[*at - 1].bulk = bulk_add(fetch->gathered[*at - 1].bulk, row->bulk);
    }
}

static bool is_all_taken(const struct fetch *fetch)
{
    if (fetch->done < fetch->part_count || (fetch->found != NULL && !fetch->is_second)) {
        return false;
    }
    for (uint32_t i = 0; i < fetch->part_count; i++) {
        if (fetch->parts[i].queued > 0) {
            return false;
        }
    }
    return true;
}

static enum pull next_gathered(struct fetch *fetch, struct read_row *rows, uint32_t max,
                               uint32_t *count)
{
    struct read_row row;
    uint32_t merged = 0;

    while (merged < GATHER_MAX && next_row(fetch, &row)) {
        merge(fetch, &row);
        merged++;
    }
    if (fetch->code != E_OK || !is_all_taken(fetch)) {
        fetch->exec->is_yielding |= merged == GATHER_MAX;
        return PULL_WAIT;
    }
    if (fetch->spec->emit == READ_COUNT && fetch->gathered_count == 0) {
        row = (struct read_row){0};
        merge(fetch, &row);
    }
    while (*count < max && fetch->gathered_next < fetch->gathered_count) {
        rows[(*count)++] = fetch->gathered[fetch->gathered_next++];
    }
    return *count > 0 ? PULL_BATCH : PULL_DONE;
}

/* ---- rows as they come ---- */

static bool is_limit_reached(const struct fetch *fetch)
{
    return fetch->spec->limit > 0 && fetch->given >= fetch->spec->limit;
}

static void start_waiting(struct fetch *fetch)
{
    uint32_t first = 0;

    while (first < fetch->part_count && fetch->parts[first].state == PART_DONE &&
           fetch->parts[first].queued == 0) {
        first++;
    }
    if (first < fetch->part_count && fetch->parts[first].state == PART_WAITS) {
        send_part(&fetch->parts[first]);
    }
}

static enum pull next_streamed(struct fetch *fetch, struct read_row *rows, uint32_t max,
                               uint32_t *count)
{
    while (*count < max && !is_limit_reached(fetch) && next_row(fetch, &rows[*count])) {
        if (fetch->found != NULL) {
            fetch->found[rows[*count].ordinal] = true;
        }
        fetch->given++;
        (*count)++;
    }
    if (is_limit_reached(fetch)) {
        close_parts(fetch);
        set_counted(fetch, false);
        fetch->is_second = true;
    } else if (fetch->is_serial) {
        start_waiting(fetch);
    }
    if (*count > 0) {
        return PULL_BATCH;
    }
    if (fetch->found != NULL && !fetch->is_second && fetch->done == fetch->part_count) {
        if (has_missing(fetch) && fetch->shard_count > 1) {
            start_second(fetch);
        } else {
            fetch->is_second = true;
            set_counted(fetch, false);
        }
    }
    return fetch->code == E_OK && is_all_taken(fetch) ? PULL_DONE : PULL_WAIT;
}

enum pull fetch_next(struct fetch *fetch, struct exec *exec, struct read_row *rows, uint32_t max,
                     uint32_t *count)
{
    enum pull pull = PULL_WAIT;

    assert(fetch->exec == exec && max > 0);
    *count = 0;
    if (fetch->code == E_OK) {
        pull = is_gathering(fetch) ? next_gathered(fetch, rows, max, count)
                                   : next_streamed(fetch, rows, max, count);
    }
    if (fetch->code != E_OK) {
        exec->error = fetch->error;
        exec->error.code = fetch->code;
        *count = 0;
        return PULL_ERROR;
    }
    return pull;
}

bool fetch_is_complete(const struct fetch *fetch)
{
    return fetch->code == E_OK && fetch->done == fetch->part_count &&
           (fetch->found == NULL || fetch->is_second);
}

void fetch_close(struct fetch **at, struct exec *exec)
{
    struct fetch *fetch = *at;

    if (fetch == NULL) {
        return;
    }
    assert(fetch->exec == exec);
    set_counted(fetch, false);
    close_parts(fetch);
    map_close(&fetch->by_num);
    map_text_close(&fetch->by_text);
    mem_free(fetch->gathered);
    arena_close(&fetch->arena);
    mem_free(fetch);
    *at = NULL;
}
