#include "router/remote/staging.h"

#include "common/hash.h"
#include "common/mem.h"

#include <assert.h>
#include <stdlib.h>

/* What a change concerns besides an edge. */
enum group { GROUP_VERTEX = 1, GROUP_OUT, GROUP_IN, GROUP_EDGE };

static uint64_t key_of(enum group group, uint64_t hash)
{
    uint64_t key = hash_join((uint64_t)group, hash);

    return key == 0 ? 1 : key;
}

void staging_close(struct staging *staging)
{
    assert(staging != NULL);
    bytes_close(&staging->changes);
    mem_free(staging->notes);
    map_close(&staging->heads);
    *staging = (struct staging){0};
}

static const struct staging_note *note_at(const struct staging *staging, uint32_t place)
{
    assert(place > 0 && place <= staging->count);
    return &staging->notes[place - 1];
}

static uint32_t head_of(const struct staging *staging, uint64_t key)
{
    const uint64_t *head = map_get(&staging->heads, key);

    return head == NULL ? 0 : (uint32_t)*head;
}

static bool has_edge_drop(const struct staging *staging, uint64_t edge)
{
    for (uint32_t at = head_of(staging, edge); at != 0; at = note_at(staging, at)->edge_older) {
        if (note_at(staging, at)->kind == CHANGE_EDGE_DROP) {
            return true;
        }
    }
    return false;
}

/* Puts the place at the front of its list. Gives the one that was there. */
static uint32_t push(struct staging *staging, uint64_t key, uint32_t place)
{
    uint64_t *head = map_at(&staging->heads, key, NULL);
    uint32_t older = (uint32_t)*head;

    *head = place;
    return older;
}

size_t staging_add(struct staging *staging, const struct change *change)
{
    uint64_t vertex = vid_hash(&change->vertex);
    bool is_edge = change->kind >= CHANGE_EDGE_ADD;
    enum group group = !is_edge                             ? GROUP_VERTEX
                       : change->direction == DIRECTION_OUT ? GROUP_OUT
                                                            : GROUP_IN;
    struct staging_note note = {.offset = staging->changes.size,
                                .group = key_of(group, vertex),
                                .edge = is_edge ? key_of(GROUP_EDGE, vid_hash(&change->edge)) : 0,
                                .vertex = vertex,
                                .kind = (uint8_t)change->kind};

    if (staging->count == staging->room) {
        staging->room = staging->room == 0 ? 16 : staging->room * 2;
        staging->notes = mem_resize(staging->notes, staging->room * sizeof *staging->notes);
    }
    if (change->kind == CHANGE_EDGE_ADD && has_edge_drop(staging, note.edge)) {
        staging->is_tangled = true;
    }
    change_encode(&staging->changes, change);
    note.group_older = push(staging, note.group, staging->count + 1);
    note.edge_older = note.edge == 0 ? 0 : push(staging, note.edge, staging->count + 1);
    staging->notes[staging->count++] = note;
    return staging->changes.size - note.offset;
}

void staging_cut(struct staging *staging, uint32_t count)
{
    assert(count <= staging->count);
    while (staging->count > count) {
        const struct staging_note *note = note_at(staging, staging->count);
        map_put(&staging->heads, note->group, note->group_older);
        if (note->edge != 0) {
            map_put(&staging->heads, note->edge, note->edge_older);
        }
        staging->changes.size = note->offset;
        staging->count--;
    }
}

void staging_write(const struct staging *staging, struct bytes *out)
{
    if (staging->count > 0) {
        bytes_varint(out, staging->count);
        bytes_append(out, staging->changes.data, staging->changes.size);
    }
}

/* ---- what a read can see ---- */

struct chosen {
    const struct staging *staging;
    uint32_t *places;
    size_t count, room;
};

static void choose(struct chosen *chosen, uint32_t place)
{
    if (chosen->count == chosen->room) {
        chosen->room = chosen->room * 2 + 64;
        chosen->places = mem_resize(chosen->places, chosen->room * sizeof *chosen->places);
    }
    chosen->places[chosen->count++] = place;
}

static void choose_group(struct chosen *chosen, enum group group, uint64_t vertex)
{
    uint32_t at = head_of(chosen->staging, key_of(group, vertex));

    for (; at != 0; at = note_at(chosen->staging, at)->group_older) {
        choose(chosen, at);
    }
}

/* direction: of the edges that are looked at; 0: none. */
static void choose_vertex(struct chosen *chosen, uint64_t vertex, uint8_t direction)
{
    size_t first = chosen->count;
    bool is_dropped = false;

    choose_group(chosen, GROUP_VERTEX, vertex);
    for (size_t i = first; i < chosen->count; i++) {
        is_dropped |= note_at(chosen->staging, chosen->places[i])->kind == CHANGE_VERTEX_DROP;
    }
    /* A vertex can be dropped only with all its edges. */
    if (is_dropped || direction == DIRECTION_OUT || direction == DIRECTION_BOTH) {
        choose_group(chosen, GROUP_OUT, vertex);
    }
    if (is_dropped || direction == DIRECTION_IN || direction == DIRECTION_BOTH) {
        choose_group(chosen, GROUP_IN, vertex);
    }
}

static void choose_edge(struct chosen *chosen, const struct vid *edge)
{
    uint32_t at = head_of(chosen->staging, key_of(GROUP_EDGE, vid_hash(edge)));

    for (; at != 0; at = note_at(chosen->staging, at)->edge_older) {
        choose(chosen, at);
        choose_vertex(chosen, note_at(chosen->staging, at)->vertex, 0);
    }
}

static int order_places(const void *a, const void *b)
{
    const uint32_t *x = a;
    const uint32_t *y = b;

    return (*x > *y) - (*x < *y);
}

static void write_chosen(struct chosen *chosen, struct bytes *out)
{
    const struct staging *staging = chosen->staging;
    size_t count = 0;

    if (chosen->count == 0) {
        return;
    }
    qsort(chosen->places, chosen->count, sizeof *chosen->places, order_places);
    for (size_t i = 0; i < chosen->count; i++) {
        if (i == 0 || chosen->places[i] != chosen->places[i - 1]) {
            chosen->places[count++] = chosen->places[i];
        }
    }
    bytes_varint(out, count);
    for (size_t i = 0; i < count; i++) {
        uint32_t place = chosen->places[i];
        size_t start = note_at(staging, place)->offset;
        size_t end =
            place == staging->count ? staging->changes.size : note_at(staging, place + 1)->offset;
        bytes_append(out, staging->changes.data + start, end - start);
    }
}

void staging_write_for(const struct staging *staging, const struct read_request *read,
                       struct bytes *out)
{
    struct chosen chosen = {.staging = staging};

    if (staging->is_tangled || (read->source != READ_IDS && read->source != READ_EDGE_IDS)) {
        staging_write(staging, out);
        return;
    }
    for (uint32_t i = 0; i < read->input_count && staging->count > 0; i++) {
        if (read->source == READ_IDS) {
            choose_vertex(&chosen, vid_hash(&read->inputs[i].id), read->hop.direction);
        } else {
            choose_edge(&chosen, &read->inputs[i].id);
        }
    }
    write_chosen(&chosen, out);
    mem_free(chosen.places);
}
