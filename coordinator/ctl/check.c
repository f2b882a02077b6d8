#include "coordinator/ctl/ctl.h"

#include "common/mem.h"

#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * fsck of a graph. Each shard recomputes its degrees, counters, indexes and edge places from its
 * rows. Then the sums of the halves of edges between each two shards are compared; where they
 * differ, the halves are listed and the difference is told edge by edge; and the same with the ids
 * of edges that are claimed in another shard (common/change.h). Sums are only
 * comparable while neither shard moved on between them: a pair that differs while writes go on
 * is looked at again.
 */

enum {
    SHARDS_MAX = 1024,
    TRIES_MAX = 10,
    TOLD_MAX = 100 /* Differences printed; all are counted. */
};

struct check {
    struct ctl *ctl;
    const char *graph;
    struct value shards[SHARDS_MAX]; /* Numbers. */
    struct value sums[SHARDS_MAX];   /* Replies to "symmetry". */
    size_t count;
    uint64_t differences;
    struct bytes lines; /* VALUE strings for JSON. */
    int code;
};

static const struct argp_option option_list[] = {{0}};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    const char **graph = state->input;

    if (key == ARGP_KEY_ARG && *graph == NULL) {
        *graph = arg;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp parser = {
    option_list,
    parse_option,
    "GRAPH",
    "Checks a graph: both halves of each edge are there and equal, their ends exist, degrees, "
    "counters and "
    "indexes agree with the data. What differs is listed.\vExample:\n"
    "  cardeactl check g\n\n"
    "Exit codes: 0 no differences, 1 differences, 2 wrong usage, 3 no connection.",
    NULL,
    NULL,
    NULL};

static void differ(struct check *check, const char *text)
{
    check->differences++;
    if (check->differences <= TOLD_MAX) {
        struct value line = value_cstring(arena_format(&check->ctl->arena, "%s", text));
        bytes_append(&check->lines, &line, sizeof(line));
        if (!check->ctl->is_json) {
            printf("%s\n", text);
        }
    }
}

static bool ask_shard(struct check *check, const char *verb, const struct value *shard,
                      struct value *reply)
{
    struct ctl_request request = {.count = 0};

    ctl_put(&request, "verb", value_cstring(verb));
    ctl_put(&request, "shard", *shard);
    return ctl_call(check->ctl, &request, reply, &check->code);
}

/* The shards of the graph, from the coordinators. */
static bool find_shards(struct check *check)
{
    struct ctl_request request = {.count = 0};
    const struct value *list;
    struct value reply;

    ctl_put(&request, "verb", value_cstring("status"));
    if (!ctl_call(check->ctl, &request, &reply, &check->code)) {
        return false;
    }
    list = ctl_list(&reply, "graphs");
    for (uint32_t i = 0; list != NULL && i < list->size; i++) {
        const struct value *name = value_get_text(&list->items[i], "name");
        const struct value *shards = ctl_list(&list->items[i], "shards");
        if (shards == NULL || name == NULL || !value_is_text(name, check->graph)) {
            continue;
        }
        for (uint32_t k = 0; k < shards->size && check->count < SHARDS_MAX; k++) {
            check->shards[check->count++] = value_long(ctl_number(&shards->items[k], "shard"));
        }
    }
    if (check->count == 0) {
        ctl_error("'cardeactl graph list' shows what there is", "there is no graph '%s'",
                  check->graph);
        check->code = CTL_FAILED;
        return false;
    }
    return true;
}

static bool verify_shards(struct check *check)
{
    for (size_t i = 0; i < check->count; i++) {
        const struct value *faults;
        struct value reply;

        if (!ask_shard(check, "verify", &check->shards[i], &reply)) {
            return false;
        }
        faults = ctl_list(&reply, "faults");
        for (uint32_t f = 0; faults != NULL && f < faults->size; f++) {
            struct slice text = value_slice(&faults->items[f]);
            differ(check,
                   arena_format(&check->ctl->arena, "shard %" PRId64 ": %.*s",
                                check->shards[i].integer, (int)text.size, (const char *)text.data));
        }
        check->differences +=
            (uint64_t)ctl_number(&reply, "fault_count") - (faults ? faults->size : 0);
    }
    return true;
}

static const struct value *towards(const struct value *sums, int64_t shard)
{
    const struct value *list = ctl_list(sums, "far");

    for (uint32_t i = 0; list != NULL && i < list->size; i++) {
        if (ctl_number(&list->items[i], "shard") == shard) {
            return &list->items[i];
        }
    }
    return NULL;
}

/* What is compared between each two shards. */
static const struct pair {
    const char *left, *left_count, *left_sum;    /* Of a, about b. */
    const char *right, *right_count, *right_sum; /* Of b, about a. */
    const char *no_right, *no_left, *differ;
} comparisons[] = {
    {"out", "out_count", "out_sum", "in", "in_count", "in_sum", "its out half has no in half",
     "its in half has no out half", "its halves differ in label or properties from the one"},
    {"needed", "needed_count", "needed_sum", "claims", "claim_count", "claim_sum",
     "its id is not claimed (made before ids were?); it ends",
     "its id is claimed, but there is no such edge; it would end",
     "its id is claimed for another edge; it ends"},
};

enum { PAIR_COUNT = sizeof comparisons / sizeof comparisons[0] };

/* Out halves of a towards b against in halves of b from a. */
static bool agrees_in(const struct check *check, const struct pair *pair, size_t a, size_t b)
{
    const struct value *out = towards(&check->sums[a], check->shards[b].integer);
    const struct value *in = towards(&check->sums[b], check->shards[a].integer);

    return out != NULL && in != NULL &&
           ctl_number(out, pair->left_count) == ctl_number(in, pair->right_count) &&
           value_equal(value_get_text(out, pair->left_sum), value_get_text(in, pair->right_sum));
}

static bool agrees(const struct check *check, size_t a, size_t b)
{
    for (size_t i = 0; i < PAIR_COUNT; i++) {
        if (!agrees_in(check, &comparisons[i], a, b)) {
            return false;
        }
    }
    return true;
}

/* ---- which edges ---- */

struct halves {
    struct value *items; /* edge, hash, vertex, far ... */
    size_t count;        /* Halves. */
};

static bool list_halves(struct check *check, const struct value *shard, const struct value *far,
                        const char *direction, struct halves *halves)
{
    struct bytes items = {0};
    bool more = true;

    bytes_init(&items, 0);
    while (more) {
        struct ctl_request request = {.count = 0};
        const struct value *list, *flag;
        struct value reply;

        ctl_put(&request, "verb", value_cstring("halves"));
        ctl_put(&request, "shard", *shard);
        ctl_put(&request, "far", *far);
        ctl_put(&request, "direction", value_cstring(direction));
        ctl_put(&request, "skip", value_long((int64_t)(items.size / sizeof(struct value) / 4)));
        if (!ctl_call(check->ctl, &request, &reply, &check->code)) {
            bytes_close(&items);
            return false;
        }
        list = ctl_list(&reply, "halves");
        flag = value_get_text(&reply, "more");
        more = list != NULL && list->size > 0 && flag != NULL && flag->boolean;
        if (list != NULL) {
            bytes_append(&items, list->items, list->size * sizeof(struct value));
        }
    }
    halves->count = items.size / sizeof(struct value) / 4;
    halves->items = arena_copy(&check->ctl->arena, items.data, items.size);
    bytes_close(&items);
    return true;
}

static int order_halves(const void *a, const void *b)
{
    const struct value *one = a, *two = b;
    int order = value_order(&one[0], &two[0]);

    return order != 0 ? order
                      : (one[1].integer > two[1].integer) - (one[1].integer < two[1].integer);
}

static void tell_half(struct check *check, const struct value *half, const char *what)
{
    struct arena *arena = &check->ctl->arena;
    struct slice edge = value_text(arena, &half[0]), vertex = value_text(arena, &half[2]),
                 far = value_text(arena, &half[3]);

    differ(check, arena_format(arena, "edge %.*s at vertex %.*s: %s at %.*s", (int)edge.size,
                               (const char *)edge.data, (int)vertex.size, (const char *)vertex.data,
                               what, (int)far.size, (const char *)far.data));
}

static bool compare_halves(struct check *check, const struct pair *pair, size_t a, size_t b)
{
    struct halves out, in;
    size_t i = 0, k = 0;

    if (!list_halves(check, &check->shards[a], &check->shards[b], pair->left, &out) ||
        !list_halves(check, &check->shards[b], &check->shards[a], pair->right, &in)) {
        return false;
    }
    qsort(out.items, out.count, 4 * sizeof(struct value), order_halves);
    qsort(in.items, in.count, 4 * sizeof(struct value), order_halves);
    while (i < out.count || k < in.count) {
        const struct value *left = &out.items[4 * i], *right = &in.items[4 * k];
        int order = i == out.count ? 1 : k == in.count ? -1 : value_order(&left[0], &right[0]);

        if (order < 0) {
            tell_half(check, left, pair->no_right);
            i++;
        } else if (order > 0) {
            tell_half(check, right, pair->no_left);
            k++;
        } else {
            if (left[1].integer != right[1].integer) {
                tell_half(check, left, pair->differ);
            }
            i++;
            k++;
        }
    }
    return true;
}

/* ---- all pairs ---- */

static bool read_sums(struct check *check, uint64_t *moves)
{
    uint64_t applied = 0;

    for (size_t i = 0; i < check->count; i++) {
        if (!ask_shard(check, "symmetry", &check->shards[i], &check->sums[i])) {
            return false;
        }
        applied += (uint64_t)ctl_number(&check->sums[i], "applied");
        applied += (uint64_t)ctl_number(&check->sums[i], "prepared") << 32;
    }
    *moves = applied;
    return true;
}

static bool all_agree(const struct check *check)
{
    for (size_t a = 0; a < check->count; a++) {
        for (size_t b = 0; b < check->count; b++) {
            if (!agrees(check, a, b)) {
                return false;
            }
        }
    }
    return true;
}

static bool check_symmetry(struct check *check)
{
    uint64_t before = 0, after = 0;

    for (int try = 0; try < TRIES_MAX; try++) {
        if (!read_sums(check, &after)) {
            return false;
        }
        if (all_agree(check)) {
            return true;
        }
        if (try > 0 && before == after) {
            break; /* Nothing moves, and they differ. */
        }
        before = after;
    }
    for (size_t a = 0; a < check->count; a++) {
        for (size_t b = 0; b < check->count; b++) {
            for (size_t i = 0; i < PAIR_COUNT; i++) {
                if (!agrees_in(check, &comparisons[i], a, b) &&
                    !compare_halves(check, &comparisons[i], a, b)) {
                    return false;
                }
            }
        }
    }
    return true;
}

static void show(struct check *check)
{
    if (check->ctl->is_json) {
        struct value pairs[8];
        struct value reply;
        pairs[0] = value_cstring("graph");
        pairs[1] = value_cstring(check->graph);
        pairs[2] = value_cstring("shards");
        pairs[3] = value_long((int64_t)check->count);
        pairs[4] = value_cstring("differences");
        pairs[5] = value_long((int64_t)check->differences);
        pairs[6] = value_cstring("list");
        pairs[7] = value_items(&check->ctl->arena, VALUE_LIST,
                               (const struct value *)(void *)check->lines.data,
                               check->lines.size / sizeof(struct value));
        reply = value_items(&check->ctl->arena, VALUE_MAP, pairs, 4);
        ctl_show(check->ctl, &reply);
        return;
    }
    if (check->differences > TOLD_MAX) {
        printf("... and %" PRIu64 " more\n", check->differences - TOLD_MAX);
    }
    printf("graph %s: %zu shards checked, %" PRIu64 " differences\n", check->graph, check->count,
           check->differences);
}

int ctl_check(struct ctl *ctl, int argc, char **argv)
{
    struct check *check = mem_alloc(sizeof(*check));
    int code;

    argp_parse(&parser, argc, argv, 0, NULL, &check->graph);
    check->ctl = ctl;
    bytes_init(&check->lines, 0);
    if (check->graph == NULL) {
        ctl_error("cardeactl check GRAPH", "which graph?");
        check->code = CTL_USAGE;
    } else if (find_shards(check) && verify_shards(check) && check_symmetry(check)) {
        show(check);
        check->code = check->differences > 0 ? CTL_FAILED : CTL_OK;
    }
    code = check->code;
    bytes_close(&check->lines);
    mem_free(check);
    return code;
}
