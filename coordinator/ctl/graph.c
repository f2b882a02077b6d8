#include "coordinator/ctl/ctl.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    KEY_SHARDS = 0x100,
    KEY_PARTITIONER,
    KEY_IDS,
    KEY_SPLIT,
    KEY_YES,
    KEY_REPLICAS,
    KEY_MIN_INSYNC,
    KEY_LABEL,
    KEY_NAME,
    WORDS_MAX = 4,
    REPLICAS_MAX = 7,
    SPLITS_MAX = 1024
};

struct options {
    const char *words[WORDS_MAX]; /* The verb and what it is about. */
    size_t word_count;
    int64_t shards, replicas, min_insync; /* 0: not given. */
    const char *partitioner, *ids, *label, *name;
    struct value splits[SPLITS_MAX];
    size_t split_count;
    bool is_sure;
};

static void add_split(struct options *options, char *text, struct argp_state *state)
{
    for (char *save = NULL, *at = strtok_r(text, ",", &save); at != NULL;
         at = strtok_r(NULL, ",", &save)) {
        char *end = NULL;
        long long number = strtoll(at, &end, 10);

        if (options->split_count == SPLITS_MAX) {
            argp_error(state, "at most %d splits", SPLITS_MAX);
        }
        options->splits[options->split_count++] =
            *end == '\0' ? value_long(number) : value_cstring(at);
    }
}

static int64_t number_of(struct argp_state *state, const char *name, const char *text, int64_t max)
{
    char *end = NULL;
    long long number = strtoll(text, &end, 10);

    if (*text == '\0' || *end != '\0' || number < 1 || number > max) {
        argp_error(state, "%s is a number from 1 to %lld, not '%s'", name, (long long)max, text);
    }
    return number;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case KEY_SHARDS:
        options->shards = number_of(state, "--shards", arg, 1024);
        break;
    case KEY_REPLICAS:
        options->replicas = number_of(state, "--replicas", arg, REPLICAS_MAX);
        break;
    case KEY_MIN_INSYNC:
        options->min_insync = number_of(state, "--min-insync", arg, REPLICAS_MAX);
        break;
    case KEY_PARTITIONER:
        options->partitioner = arg;
        break;
    case KEY_IDS:
        options->ids = arg;
        break;
    case KEY_SPLIT:
        add_split(options, arg, state);
        break;
    case KEY_YES:
        options->is_sure = true;
        break;
    case KEY_LABEL:
        options->label = arg;
        break;
    case KEY_NAME:
        options->name = arg;
        break;
    case ARGP_KEY_ARG:
        if (options->word_count == WORDS_MAX) {
            argp_error(state, "'%s' is one word too many", arg);
        }
        options->words[options->word_count++] = arg;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp_option graph_options[] = {
    {"shards", KEY_SHARDS, "N", 0, "create: how many shards (default: 4)", 0},
    {"replicas", KEY_REPLICAS, "R", 0,
     "create, set: copies of each shard (default: 2 on two or more nodes)", 0},
    {"min-insync", KEY_MIN_INSYNC, "M", 0,
     "create, set: with fewer in sync nothing is written (default: 1 of 2, 2 of 3 or more)", 0},
    {"partitioner", KEY_PARTITIONER, "hash|range", 0, "create: how ids find shards (default: hash)",
     0},
    {"ids", KEY_IDS, "long|int", 0, "create: numeric ids come back as Int64 (default) or Int32", 0},
    {"split", KEY_SPLIT, "ID,...", 0, "create, range: first ids of the shards after the first", 0},
    {"yes", KEY_YES, NULL, 0, "drop: do not ask", 0},
    {0}};

static const struct argp graph_parser = {
    graph_options,
    parse_option,
    "list\ncreate NAME\nset NAME --replicas R\ndrop NAME",
    "Named graphs of the cluster."
    "\vExamples:\n"
    "  cardeactl graph create air --shards 8\n"
    "  cardeactl graph set air --replicas 3\n"
    "  cardeactl graph create time --partitioner range --split 1000,2000\n\n"
    "Exit codes: 0 ok, 1 the cluster said no, 2 wrong usage, 3 no "
    "connection.",
    NULL,
    NULL,
    NULL};

static bool is_word(const struct options *options, size_t at, const char *word)
{
    return at < options->word_count && strcmp(options->words[at], word) == 0;
}

/* Dropping is for ever: a person is asked, a script says --yes. */
static bool is_sure(const struct options *options)
{
    char answer[16];

    if (options->is_sure) {
        return true;
    }
    if (!isatty(STDIN_FILENO)) {
        ctl_error("--yes drops without asking", "dropping a graph needs to be confirmed");
        return false;
    }
    fprintf(stderr, "Drop graph '%s' with all its data? [y/N] ", options->words[1]);
    return fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

static int carry_out(struct ctl *ctl, const struct ctl_request *request)
{
    struct value reply;
    int code = CTL_OK;

    if (ctl_call(ctl, request, &reply, &code)) {
        ctl_show(ctl, &reply);
    }
    return code;
}

static void put_replicas(struct ctl_request *request, const struct options *options)
{
    if (options->replicas != 0) {
        ctl_put(request, "replicas", value_long(options->replicas));
    }
    if (options->min_insync != 0) {
        ctl_put(request, "min_insync", value_long(options->min_insync));
    }
}

int ctl_graph(struct ctl *ctl, int argc, char **argv)
{
    struct options *options = arena_array(&ctl->arena, 1, sizeof(*options));
    struct ctl_request request = {.count = 0};

    options->shards = 4;
    options->partitioner = "hash";
    options->ids = "long";
    argp_parse(&graph_parser, argc, argv, 0, NULL, options);
    if (is_word(options, 0, "list") && options->word_count == 1) {
        ctl_put(&request, "verb", value_cstring("graph.list"));
        return carry_out(ctl, &request);
    }
    if (is_word(options, 0, "create") && options->word_count == 2) {
        ctl_put(&request, "verb", value_cstring("graph.create"));
        ctl_put(&request, "name", value_cstring(options->words[1]));
        ctl_put(&request, "shards", value_long(options->shards));
        ctl_put(&request, "partitioner", value_cstring(options->partitioner));
        ctl_put(&request, "ids", value_cstring(options->ids));
        put_replicas(&request, options);
        if (options->split_count > 0) {
            ctl_put(&request, "split",
                    value_items(&ctl->arena, VALUE_LIST, options->splits, options->split_count));
        }
        return carry_out(ctl, &request);
    }
    if (is_word(options, 0, "set") && options->word_count == 2 && options->replicas != 0) {
        ctl_put(&request, "verb", value_cstring("graph.set"));
        ctl_put(&request, "name", value_cstring(options->words[1]));
        put_replicas(&request, options);
        return carry_out(ctl, &request);
    }
    if (is_word(options, 0, "drop") && options->word_count == 2) {
        if (!is_sure(options)) {
            return CTL_USAGE;
        }
        ctl_put(&request, "verb", value_cstring("graph.drop"));
        ctl_put(&request, "name", value_cstring(options->words[1]));
        return carry_out(ctl, &request);
    }
    ctl_error("cardeactl graph list | create NAME | set NAME --replicas R | drop NAME",
              "not understood");
    return CTL_USAGE;
}

static const struct argp_option index_options[] = {
    {"label", KEY_LABEL, "LABEL", 0, "create: only vertices with this label", 0},
    {"name", KEY_NAME, "NAME", 0, "create: its name (default: made of label and key)", 0},
    {0}};

static const struct argp index_parser = {
    index_options,
    parse_option,
    "list GRAPH\ncreate GRAPH KEY\ndrop GRAPH NAME",
    "Indexes on property keys of vertices: equality, ranges and prefixes."
    "\vExamples:\n"
    "  cardeactl index create g name\n"
    "  cardeactl index create g code --label airport\n\n"
    "Exit codes: 0 ok, 1 the "
    "cluster said no, 2 wrong usage, 3 no connection.",
    NULL,
    NULL,
    NULL};

int ctl_index(struct ctl *ctl, int argc, char **argv)
{
    struct options *options = arena_array(&ctl->arena, 1, sizeof(*options));
    struct ctl_request request = {.count = 0};
    const char *name;

    argp_parse(&index_parser, argc, argv, 0, NULL, options);
    if (options->word_count < 2) {
        ctl_error("cardeactl index list GRAPH | create GRAPH KEY | drop GRAPH NAME",
                  "not understood");
        return CTL_USAGE;
    }
    ctl_put(&request, "graph", value_cstring(options->words[1]));
    if (is_word(options, 0, "list") && options->word_count == 2) {
        ctl_put(&request, "verb", value_cstring("index.list"));
        return carry_out(ctl, &request);
    }
    if (is_word(options, 0, "create") && options->word_count == 3) {
        name = options->name
                   ? options->name
                   : arena_format(&ctl->arena, "%s%s%s", options->label ? options->label : "",
                                  options->label ? "_" : "", options->words[2]);
        ctl_put(&request, "verb", value_cstring("index.create"));
        ctl_put(&request, "key", value_cstring(options->words[2]));
        ctl_put(&request, "name", value_cstring(name));
        if (options->label != NULL) {
            ctl_put(&request, "label", value_cstring(options->label));
        }
        return carry_out(ctl, &request);
    }
    if (is_word(options, 0, "drop") && options->word_count == 3) {
        ctl_put(&request, "verb", value_cstring("index.drop"));
        ctl_put(&request, "name", value_cstring(options->words[2]));
        return carry_out(ctl, &request);
    }
    ctl_error("cardeactl index list GRAPH | create GRAPH KEY | drop GRAPH NAME", "not understood");
    return CTL_USAGE;
}
