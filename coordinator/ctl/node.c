#include "coordinator/ctl/ctl.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *verb;
    int64_t node;
    size_t word_count;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;
    char *end = NULL;

    if (key != ARGP_KEY_ARG) {
        return ARGP_ERR_UNKNOWN;
    }
    if (options->word_count == 2) {
        argp_error(state, "'%s' is one word too many", arg);
    }
    if (options->word_count++ == 0) {
        options->verb = arg;
        return 0;
    }
    options->node = strtoll(arg, &end, 10);
    if (*end != '\0' || options->node < 1 || options->node > UINT32_MAX) {
        argp_error(state, "a node is a number, not '%s'", arg);
    }
    return 0;
}

static const struct argp parser = {
    NULL,
    parse_option,
    "kill N\npause N\nrestart N",
    "Plays a fault in a 'cardea dev' cluster, to watch what happens: 'cardeactl status' shows who "
    "leads which shard.\v"
    "kill: the process ends at once, as after kill -9; its files stay.\n"
    "pause: it does nothing until it is restarted, while time goes on.\n"
    "restart: goes on after a pause; starts again after a kill.\n\n"
    "Examples:\n"
    "  cardea dev --data ./three --nodes 3 &\n"
    "  cardeactl node kill 1\n"
    "  cardeactl node restart 1\n\n"
    "Exit codes: 0 ok, 1 the cluster said no, 2 wrong usage, 3 no connection.",
    NULL,
    NULL,
    NULL};

int ctl_node(struct ctl *ctl, int argc, char **argv)
{
    struct options options = {.verb = ""};
    struct ctl_request request = {.count = 0};
    struct value reply;
    int code = CTL_OK;

    argp_parse(&parser, argc, argv, 0, NULL, &options);
    bool is_known = strcmp(options.verb, "kill") == 0 || strcmp(options.verb, "pause") == 0 ||
                    strcmp(options.verb, "restart") == 0;
    if (options.word_count != 2 || !is_known) {
        ctl_error("cardeactl node kill N | pause N | restart N", "not understood");
        return CTL_USAGE;
    }
    ctl_put(&request, "verb", value_cstring(arena_format(&ctl->arena, "node.%s", options.verb)));
    ctl_put(&request, "node", value_long(options.node));
    if (ctl_call(ctl, &request, &reply, &code)) {
        ctl_show(ctl, &reply);
    }
    return code;
}
