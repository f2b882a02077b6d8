#include "router/gremlin/step.h"

#include <assert.h>
#include <string.h>

static const struct step_info steps[] = {
    {"", 0, 0, false, false, ""},
#define STEP(id, name, least, most, is_source, is_ready, what) \
    {name, least, most, is_source, is_ready, what},
#include "router/gremlin/step.def"
#undef STEP
};

_Static_assert(sizeof steps / sizeof steps[0] == STEP_ID_COUNT, "one row a step");

enum {
    GUESS_NAME_MAX = 24,   /* Longer names are not guessed. */
    GUESS_DISTANCE_MAX = 2 /* Letters that may be wrong. */
};

enum step_id step_find(struct slice name)
{
    size_t low = STEP_UNKNOWN + 1;
    size_t high = STEP_ID_COUNT;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = slice_compare(name, slice_text(steps[middle].name));
        if (order == 0) {
            return (enum step_id)middle;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return STEP_UNKNOWN;
}

const struct step_info *step_info(enum step_id step)
{
    assert(step < STEP_ID_COUNT);
    return &steps[step];
}

bool step_may_start(enum step_id step)
{
    static const enum step_id starts[] = {STEP_V,       STEP_E,       STEP_ADD_V,  STEP_ADD_E,
                                          STEP_MERGE_V, STEP_MERGE_E, STEP_INJECT, STEP_IO,
                                          STEP_CALL,    STEP_UNION};

    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        if (starts[i] == step) {
            return true;
        }
    }
    return false;
}

static uint8_t lower(uint8_t letter)
{
    return letter >= 'A' && letter <= 'Z' ? (uint8_t)(letter - 'A' + 'a') : letter;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to change, add or remove (Levenshtein), without regard to case. */
static size_t distance(struct slice a, struct slice b)
{
    size_t row[GUESS_NAME_MAX + 1];

    assert(b.size <= GUESS_NAME_MAX);
    for (size_t j = 0; j <= b.size; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.size; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            size_t change = corner + (lower(a.data[i - 1]) == lower(b.data[j - 1]) ? 0 : 1);
            corner = row[j];
            row[j] = least(change, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[b.size];
}

const char *step_guess(struct slice name)
{
    const char *best = NULL;
    size_t best_distance = GUESS_DISTANCE_MAX + 1;

    if (name.size < 3 || name.size > GUESS_NAME_MAX) {
        return NULL;
    }
    for (size_t i = STEP_UNKNOWN + 1; i < STEP_ID_COUNT; i++) {
        struct slice known = slice_text(steps[i].name);
        if (known.size > GUESS_NAME_MAX) {
            continue;
        }
        size_t found = distance(name, known);
        if (found < best_distance && found < name.size / 2 + 1) {
            best_distance = found;
            best = steps[i].name;
        }
    }
    return best;
}

int step_check_count(enum step_id step, uint32_t count, struct error *err)
{
    const struct step_info *info = step_info(step);
    const char *plural = info->least == 1 ? "" : "s";

    if (count < (uint32_t)info->least) {
        return error_set(err, E_SYNTAX, "%s() takes at least %d argument%s, not %u", info->name,
                         info->least, plural, count);
    }
    if (info->most >= 0 && count > (uint32_t)info->most) {
        return error_set(err, E_SYNTAX, "%s() takes at most %d argument%s, not %u", info->name,
                         info->most, info->most == 1 ? "" : "s", count);
    }
    return E_OK;
}
