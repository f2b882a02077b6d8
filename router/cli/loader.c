#include "router/cli/loader.h"

#include "common/codec.h"
#include "common/hash.h"
#include "common/mem.h"
#include "router/run/bulk.h"
#include "router/wire/graphson.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAR_MS = 100, LINE_MS = 10000, BAR_WIDTH = 24 };

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- state of a run that may be killed ---- */

static void read_state(struct loader *loader)
{
    FILE *file = *loader->state_path ? fopen(loader->state_path, "r") : NULL;
    char word[16] = "";

    if (file == NULL) {
        return;
    }
    loader->twins_before = -1;
    if (fscanf(file, "elements %" SCNu64 " %15s", &loader->resume_after, word) < 1) {
        loader->resume_after = 0;
    }
    if (strcmp(word, "before") == 0 && fscanf(file, "%" SCNd64, &loader->twins_before) != 1) {
        loader->twins_before = -1;
    }
    fclose(file);
    loader->is_doubtful = strcmp(word, "settled") != 0;
    if (loader->resume_after > 0 && !loader->is_quiet) {
        fprintf(stderr, "resuming: %" PRIu64 " elements were loaded before (%s)\n",
                loader->resume_after, loader->state_path);
    }
}

/* Written anew and renamed: a kill leaves the old or the new one. twins_before: -1 for none. */
static int write_state(struct loader *loader, int64_t twins_before, struct error *err)
{
    char path[4096];
    FILE *file;
    int bad;

    if (!*loader->state_path) {
        return E_OK;
    }
    snprintf(path, sizeof(path), "%s.new", loader->state_path);
    file = fopen(path, "w");
    if (file == NULL) {
        return error_set(err, E_IO, "cannot write %s", path);
    }
    bad = fprintf(file, "elements %" PRIu64 "\n", loader->sent) < 0;
    if (loader->is_settled) {
        bad |= fprintf(file, "settled\n") < 0;
    } else if (twins_before >= 0) {
        bad |= fprintf(file, "before %" PRId64 "\n", twins_before) < 0;
    }
    bad |= fclose(file) != 0;
    if (bad || rename(path, loader->state_path) != 0) {
        return error_set(err, E_IO, "cannot write %s", loader->state_path);
    }
    return E_OK;
}

int loader_open(struct loader *loader, struct error *err)
{
    bytes_init(&loader->batch, 0);
    bytes_init(&loader->window, 0);
    loader->records = mem_array(LOADER_WINDOW_ELEMENTS, sizeof(*loader->records));
    loader->started_ms = loader->shown_ms = now_ms();
    loader->is_terminal = isatty(STDERR_FILENO) && getenv("NO_COLOR") == NULL && !loader->is_quiet;
    read_state(loader);
    loader->is_settled = !loader->is_doubtful;
    return loader->is_settled && loader->resume_after == 0 ? write_state(loader, -1, err) : E_OK;
}

void loader_close(struct loader *loader)
{
    bytes_close(&loader->batch);
    bytes_close(&loader->window);
    mem_free(loader->records);
    map_close(&loader->numbers);
    map_text_close(&loader->texts);
    for (uint32_t i = 0; i < loader->label_count; i++) {
        bytes_close(&loader->label_names[i]);
    }
    memset(loader, 0, sizeof(*loader));
}

/* ---- progress ---- */

static void show(struct loader *loader, uint64_t now)
{
    double seconds = (double)(now - loader->started_ms) / 1000;
    uint64_t count = loader->vertices + loader->edges;
    double share =
        loader->bytes_total > 0 ? (double)loader->bytes_done / (double)loader->bytes_total : 0;
    double rate = seconds > 0 ? (double)count / seconds : 0;
    double left = share > 0.01 ? seconds / share - seconds : 0;

    share = share > 1 ? 1 : share;
    if (loader->is_terminal) {
        char bar[BAR_WIDTH + 1];
        memset(bar, '.', BAR_WIDTH);
        memset(bar, '#', (size_t)(share * (double)BAR_WIDTH));
        bar[BAR_WIDTH] = '\0';
        fprintf(stderr, "\r[%s] %3d %%  %" PRIu64 " elements  %.0f/s  %.0f s left  ", bar,
                (int)(share * 100), count, rate, left);
    } else {
        fprintf(stderr, "%3d %%  %" PRIu64 " vertices, %" PRIu64 " edges, %.0f/s\n",
                (int)(share * 100), loader->vertices, loader->edges, rate);
    }
    loader->shown_ms = now;
}

void loader_progress(struct loader *loader, uint64_t bytes)
{
    uint64_t now = now_ms();

    loader->bytes_done += bytes;
    if (!loader->is_quiet && now - loader->shown_ms >= (loader->is_terminal ? BAR_MS : LINE_MS)) {
        show(loader, now);
    }
}

int loader_bad(struct loader *loader, uint64_t line, struct error *err, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    loader->bad++;
    if (!loader->skip_bad) {
        return error_set(err, E_MALFORMED, "%s:%" PRIu64 ": %s", loader->file, line, text);
    }
    if (loader->bad <= LOADER_FAULTS_SHOWN) {
        fprintf(stderr, "%s%s:%" PRIu64 ": %s (skipped)\n", loader->is_terminal ? "\r" : "",
                loader->file, line, text);
    }
    return E_OK;
}

/* ---- batches ---- */

/* A batch that was refused is in no doubt: the next run must not take rows that were there before
 * for its own. What is not known stays in doubt. */
static int settle(struct loader *loader, const struct client_answer *answer)
{
    static const char unknown[] = "outcome of the commit is not known";
    bool is_unknown = answer->status == 598;

    for (size_t i = 0; !is_unknown && i + sizeof unknown - 1 <= answer->message.size; i++) {
        is_unknown = memcmp(answer->message.data + i, unknown, sizeof unknown - 1) == 0;
    }
    if (is_unknown || !*loader->state_path) {
        return E_OK;
    }
    loader->is_settled = true;
    if (loader->sent == 0) {
        return unlink(loader->state_path) == 0 ? E_OK : E_IO;
    }
    return write_state(loader, -1, NULL);
}

static int receive(struct loader *loader, struct error *err)
{
    struct client_answer answer;
    struct arena arena;
    int rc;

    if (!loader->is_waiting) {
        return E_OK;
    }
    arena_init(&arena, 0);
    loader->is_waiting = false;
    rc = client_receive(loader->client, &arena, &answer, err);
    if (rc == E_OK && answer.status != 200 && answer.status != 204) {
        (void)settle(loader, &answer);
        rc = error_set(err, E_EVALUATION, "the batch after element %" PRIu64 " was refused: %.*s",
                       loader->sent, (int)answer.message.size, (const char *)answer.message.data);
    }
    arena_close(&arena);
    if (rc == E_OK) {
        loader->sent += loader->waiting_count;
        rc = write_state(loader, -1, err);
    }
    return rc;
}

static int send_batch(struct loader *loader, struct error *err)
{
    struct value alias[2] = {value_cstring("g"), value_cstring(loader->graph)};
    struct value pairs[4];
    struct client_call call = {.op = "load", .processor = "cardea"};
    struct arena arena;
    int rc;

    arena_init(&arena, 0);
    pairs[0] = value_cstring("aliases");
    pairs[1] = value_items(&arena, VALUE_MAP, alias, 1);
    pairs[2] = value_cstring("batch");
    pairs[3] = (struct value){
        .kind = VALUE_BINARY, .size = (uint32_t)loader->batch.size, .bytes = loader->batch.data};
    call.arguments = value_items(&arena, VALUE_MAP, pairs, 2);
    rc = client_send(loader->client, &call, err);
    arena_close(&arena);
    if (rc == E_OK) {
        loader->is_waiting = true;
        loader->waiting_count = loader->batch_count;
    }
    return rc;
}

/* An id as Gremlin text. */
static void put_id(struct bytes *out, const struct vid *id)
{
    if (id->text.data == NULL) {
        bytes_format(out, "%" PRId64 "L", id->num);
        return;
    }
    graphson_put_text(out, id->text);
}

/* How many elements there are that are like the batch's first: of its id; or, if it is an edge
 * without one, of its ends and label. */
static int count_twins(struct loader *loader, int64_t *count, struct error *err)
{
    struct client_query query = {.source = loader->graph};
    struct client_answer answer;
    struct change change;
    struct reader reader;
    struct bytes text = {0};
    struct arena arena;
    uint8_t record;
    int rc;

    arena_init(&arena, 0);
    bytes_init(&text, 0);
    reader_init(&reader, loader->first);
    record = reader_u8(&reader);
    if (record != BULK_VERTEX) {
        (void)reader_blob(&reader);
    }
    change_decode(&reader, &arena, &change);
    assert(!reader.is_bad);
    bytes_format(&text, record == BULK_EDGE ? "g.E(" : "g.V(");
    put_id(&text, record == BULK_EDGE ? &change.edge : &change.vertex);
    if (record == BULK_EDGE_NO_ID) {
        bytes_format(&text, ").outE(");
        graphson_put_text(&text, change.label);
        bytes_format(&text, ").where(__.inV().hasId(");
        put_id(&text, &change.far);
        bytes_format(&text, ")");
    }
    bytes_format(&text, ").count()");
    query.text = bytes_slice(&text);
    rc = client_eval(loader->client, &query, &arena, &answer, err);
    if (rc == E_OK && (answer.status != 200 || answer.results.size != 1)) {
        rc = error_set(err, E_EVALUATION, "cannot tell whether a batch was loaded: %.*s",
                       (int)answer.message.size, (const char *)answer.message.data);
    }
    *count = rc == E_OK ? answer.results.items[0].integer : 0;
    bytes_close(&text);
    arena_close(&arena);
    return rc;
}

/* The first batch after a kill may have been committed without our knowing: batches are all or
   nothing, so its first element tells. */
static int is_there(struct loader *loader, bool *there, struct error *err)
{
    bool has_id = loader->first.data[0] != BULK_EDGE_NO_ID;
    int64_t count = 0;
    int rc;

    if (!has_id && loader->twins_before < 0) {
        *there = false;
        return E_OK;
    }
    rc = count_twins(loader, &count, err);
    *there = rc == E_OK && count > (has_id ? 0 : loader->twins_before);
    return rc;
}

static int flush_batch(struct loader *loader, struct error *err)
{
    bool there = false;
    int64_t twins = -1;
    int rc = receive(loader, err);

    loader->first = bytes_slice(&loader->batch);
    if (rc == E_OK && loader->batch_count > 0 && loader->is_doubtful) {
        loader->is_doubtful = false;
        rc = is_there(loader, &there, err);
    }
    if (rc == E_OK && there) {
        loader->sent += loader->batch_count;
        rc = write_state(loader, -1, err);
    } else if (rc == E_OK && loader->batch_count > 0) {
        if (loader->first.data[0] == BULK_EDGE_NO_ID && *loader->state_path) {
            rc = count_twins(loader, &twins, err);
        }
        if (rc == E_OK && (twins >= 0 || loader->is_settled)) {
            loader->is_settled = false;
            rc = write_state(loader, twins, err);
        }
        if (rc == E_OK) {
            rc = send_batch(loader, err);
        }
    }
    bytes_clear(&loader->batch);
    loader->batch_count = 0;
    return rc;
}

/* Counts an element; false if a run before has loaded it. */
static bool is_new(struct loader *loader)
{
    if (loader->resume_after > 0) {
        loader->resume_after--;
        loader->sent++;
        return false;
    }
    return true;
}

static int order_records(const void *a, const void *b)
{
    const struct loader_record *one = a, *two = b;

    if (one->key != two->key) {
        return one->key < two->key ? -1 : 1;
    }
    return (one->at > two->at) - (one->at < two->at);
}

static int flush_window(struct loader *loader, struct error *err)
{
    int rc = E_OK;

    qsort(loader->records, loader->record_count, sizeof(*loader->records), order_records);
    for (uint32_t i = 0; i < loader->record_count && rc == E_OK; i++) {
        const struct loader_record *record = &loader->records[i];
        if (!is_new(loader)) {
            continue;
        }
        loader->batch_count++;
        bytes_append(&loader->batch, loader->window.data + record->at, record->size);
        if (loader->batch_count >= LOADER_BATCH_ELEMENTS ||
            loader->batch.size >= LOADER_BATCH_BYTES) {
            rc = flush_batch(loader, err);
        }
    }
    loader->record_count = 0;
    bytes_clear(&loader->window);
    return rc;
}

int loader_flush(struct loader *loader, struct error *err)
{
    int rc = flush_window(loader, err);

    return rc == E_OK ? flush_batch(loader, err) : rc;
}

int loader_finish(struct loader *loader, struct error *err)
{
    int rc = loader_flush(loader, err);

    return rc == E_OK ? receive(loader, err) : rc;
}

/* An element was written to the window's end. */
static int added(struct loader *loader, size_t before, const struct vid *vertex, struct error *err)
{
    struct loader_record *record = &loader->records[loader->record_count++];

    record->key = vertex->text.data != NULL ? hash_bytes(vertex->text.data, vertex->text.size)
                                            : (uint64_t)vertex->num ^ (uint64_t)1 << 63;
    record->at = (uint32_t)before;
    record->size = (uint32_t)(loader->window.size - before);
    if (loader->record_count == LOADER_WINDOW_ELEMENTS ||
        loader->window.size >= LOADER_WINDOW_BYTES) {
        return flush_window(loader, err);
    }
    return E_OK;
}

/* ---- labels of the vertices in these files, which edges carry ---- */

static uint32_t label_number(struct loader *loader, struct slice label)
{
    for (uint32_t i = 0; i < loader->label_count; i++) {
        if (slice_equal(bytes_slice(&loader->label_names[i]), label)) {
            return i;
        }
    }
    if (loader->label_count == LOADER_LABELS_MAX) {
        return LOADER_LABELS_MAX;
    }
    bytes_init(&loader->label_names[loader->label_count], 0);
    bytes_append(&loader->label_names[loader->label_count], label.data, label.size);
    return loader->label_count++;
}

static void remember_label(struct loader *loader, const struct vid *id, struct slice label)
{
    uint32_t number = label_number(loader, label);

    if (number == LOADER_LABELS_MAX) {
        return; /* The router reads it. */
    }
    if (id->text.data != NULL) {
        *map_text_at(&loader->texts, id->text, NULL) = number;
    } else {
        map_put(&loader->numbers, (uint64_t)id->num, number);
    }
}

static struct slice label_of(const struct loader *loader, const struct vid *id)
{
    const uint64_t *number = id->text.data ? map_text_get(&loader->texts, id->text)
                                           : map_get(&loader->numbers, (uint64_t)id->num);

    return number ? bytes_slice(&loader->label_names[*number]) : SLICE("");
}

int loader_vertex(struct loader *loader, const struct change *vertex, struct error *err)
{
    size_t before = loader->window.size;

    assert(!loader->is_edges);
    loader->vertices++;
    remember_label(loader, &vertex->vertex, vertex->label);
    bulk_encode_vertex(&loader->window, vertex);
    return added(loader, before, &vertex->vertex, err);
}

int loader_edge(struct loader *loader, const struct change *edge, bool has_id, struct error *err)
{
    struct change half = *edge;
    size_t before = loader->window.size;

    assert(loader->is_edges);
    loader->edges++;
    half.far_label = label_of(loader, &edge->far);
    bulk_encode_edge(&loader->window, &half, label_of(loader, &edge->vertex), has_id);
    return added(loader, before, &edge->vertex, err);
}
