#include "coordinator/ctl/ctl.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_TO = 0x100, KEY_ACCEPT, KEY_YES };

struct options {
    const char *verb;
    const char *place; /* GRAPH/SHARD. */
    int64_t to;        /* 0: not given. */
    bool is_loss_accepted;
    bool is_sure;
    size_t word_count;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;
    char *end = NULL;

    switch (key) {
    case KEY_TO:
        options->to = strtoll(arg, &end, 10);
        if (*end != '\0' || options->to < 1 || options->to > UINT32_MAX) {
            argp_error(state, "--to is the number of a node, not '%s'", arg);
        }
        break;
    case KEY_ACCEPT:
        options->is_loss_accepted = true;
        break;
    case KEY_YES:
        options->is_sure = true;
        break;
    case ARGP_KEY_ARG:
        if (options->word_count == 2) {
            argp_error(state, "'%s' is one word too many", arg);
        }
        *(options->word_count++ == 0 ? &options->verb : &options->place) = arg;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp_option option_list[] = {
    {"to", KEY_TO, "NODE", 0, "who is to lead (failover: default any that is in sync)", 0},
    {"accept-data-loss", KEY_ACCEPT, NULL, 0, "force-primary: what NODE lacks is lost", 0},
    {"yes", KEY_YES, NULL, 0, "force-primary: do not ask", 0},
    {0}};

static const struct argp parser = {
    option_list,
    parse_option,
    "failover GRAPH/SHARD\nforce-primary GRAPH/SHARD --to NODE --accept-data-loss",
    "Changes which replica of a shard leads."
    "\vfailover hands a shard over to another replica that is in sync: nothing is lost.\n"
    "force-primary lets a replica lead that is not in sync, when all that are in sync are lost for "
    "ever: acknowledged writes that it lacks are lost. Without --accept-data-loss it only says "
    "which.\n\n"
    "Examples:\n"
    "  cardeactl shard failover air/3\n"
    "  cardeactl shard failover air/3 --to 2\n"
    "  cardeactl shard force-primary air/3 --to 2 --accept-data-loss\n\n"
    "Exit codes: 0 ok, 1 the cluster said no, 2 wrong usage, 3 no connection.",
    NULL,
    NULL,
    NULL};

/* A person is asked, a script says --yes. */
static bool is_sure(const struct options *options)
{
    char answer[16];

    if (options->is_sure) {
        return true;
    }
    if (!isatty(STDIN_FILENO)) {
        ctl_error("--yes forces it without asking", "losing data needs to be confirmed");
        return false;
    }
    fprintf(stderr,
            "Node %lld leads shard %s from now on; acknowledged writes that it lacks are lost for "
            "ever. [y/N] ",
            (long long)options->to, options->place);
    return fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

static bool put_place(struct ctl *ctl, struct ctl_request *request, const char *place)
{
    const char *slash = strrchr(place, '/');
    char *end = NULL;
    long long shard = slash == NULL ? 0 : strtoll(slash + 1, &end, 10);

    if (shard < 1 || *end != '\0' || slash == place) {
        ctl_error("as in air/3: 'cardeactl graph list' shows the numbers", "'%s' is no GRAPH/SHARD",
                  place);
        return false;
    }
    ctl_put(request, "graph",
            value_cstring(arena_format(&ctl->arena, "%.*s", (int)(slash - place), place)));
    ctl_put(request, "graph_shard", value_long(shard));
    return true;
}

int ctl_shard(struct ctl *ctl, int argc, char **argv)
{
    struct options options = {.verb = ""};
    struct ctl_request request = {.count = 0};
    struct value reply;
    int code = CTL_OK;

    argp_parse(&parser, argc, argv, 0, NULL, &options);
    bool is_forced = strcmp(options.verb, "force-primary") == 0;
    if (options.word_count != 2 || (is_forced && options.to == 0) ||
        (!is_forced && strcmp(options.verb, "failover") != 0)) {
        ctl_error("cardeactl shard failover GRAPH/SHARD | force-primary GRAPH/SHARD --to NODE "
                  "--accept-data-loss",
                  "not understood");
        return CTL_USAGE;
    }
    if (!put_place(ctl, &request, options.place)) {
        return CTL_USAGE;
    }
    if (options.to != 0) {
        ctl_put(&request, "to", value_long(options.to));
    }
    ctl_put(&request, "verb", value_cstring(is_forced ? "shard.force-primary" : "shard.failover"));
    if (is_forced && options.is_loss_accepted) {
        if (!is_sure(&options)) {
            return CTL_USAGE;
        }
        ctl_put(&request, "accept_data_loss", value_bool(true));
    }
    if (ctl_call(ctl, &request, &reply, &code)) {
        ctl_show(ctl, &reply);
    }
    return code;
}
