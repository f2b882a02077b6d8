#include "shardd/replica/epochs.h"

#include "common/mem.h"

#include <assert.h>
#include <string.h>

static void span_add(struct epochs *epochs, uint64_t first, uint64_t epoch)
{
    if (epochs->count == epochs->room) {
        epochs->room = epochs->room == 0 ? 8 : epochs->room * 2;
        epochs->spans = mem_resize(epochs->spans, epochs->room * sizeof *epochs->spans);
    }
    epochs->spans[epochs->count++] = (struct epochs_span){first, epoch};
}

void epochs_init(struct epochs *epochs, uint64_t base, uint64_t epoch)
{
    assert(epochs != NULL);
    assert((base == 0) == (epoch == 0));
    *epochs = (struct epochs){.base = base, .last = base};
    span_add(epochs, base, epoch);
}

void epochs_close(struct epochs *epochs)
{
    assert(epochs != NULL);
    mem_free(epochs->spans);
    *epochs = (struct epochs){0};
}

void epochs_append(struct epochs *epochs, uint64_t count, uint64_t epoch)
{
    assert(epochs != NULL && epochs->count > 0);
    assert(epoch != 0 && epoch >= epochs->spans[epochs->count - 1].epoch);
    if (count == 0) {
        return;
    }
    if (epoch > epochs->spans[epochs->count - 1].epoch) {
        span_add(epochs, epochs->last + 1, epoch);
    }
    epochs->last += count;
}

void epochs_truncate(struct epochs *epochs, uint64_t index)
{
    assert(epochs != NULL && index > epochs->base);
    if (index > epochs->last) {
        return;
    }
    while (epochs->spans[epochs->count - 1].first >= index) {
        epochs->count--;
    }
    assert(epochs->count > 0);
    epochs->last = index - 1;
}

/* Place of the span that has the index. */
static size_t place_of(const struct epochs *epochs, uint64_t index)
{
    size_t low = 0;
    size_t high = epochs->count;

    assert(index >= epochs->base && index <= epochs->last);
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (epochs->spans[middle].first <= index) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

void epochs_trim(struct epochs *epochs, uint64_t index)
{
    assert(epochs != NULL);
    size_t place = place_of(epochs, index);

    memmove(epochs->spans, epochs->spans + place, (epochs->count - place) * sizeof *epochs->spans);
    epochs->count -= place;
    epochs->spans[0].first = index;
    epochs->base = index;
}

uint64_t epochs_at(const struct epochs *epochs, uint64_t index)
{
    assert(epochs != NULL);
    return epochs->spans[place_of(epochs, index)].epoch;
}

uint64_t epochs_first(const struct epochs *epochs, uint64_t index)
{
    assert(epochs != NULL);
    return epochs->spans[place_of(epochs, index)].first;
}
