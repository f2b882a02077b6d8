#include "coordinator/ctl/ctl.h"

#include <argp.h>

static const char list_doc[] = "Lists the queries that run on the router asked (--router).\v"
                               "Columns: id, state, time so far in ms, attempts (more than one: "
                               "there were conflicts), client, "
                               "the requestId that the client gave, text.\n\n"
                               "Examples:\n"
                               "  cardeactl queries\n"
                               "  cardeactl --router db2:8182 --output json queries\n\n"
                               "Exit codes: 0 ok, 2 wrong usage, 3 no connection.";
static const char kill_doc[] =
    "Ends a query on the router asked (--router); its client is told with status 598. One that is "
    "committing cannot be stopped.\v"
    "ID: of 'cardeactl queries', or the requestId of the client.\n\n"
    "Example: cardeactl kill 1-57\n\n"
    "Exit codes: 0 it ends, 1 there is none, or it is committing, 2 wrong usage, 3 no connection.";

int ctl_queries(struct ctl *ctl, int argc, char **argv)
{
    static const struct argp argp = {.doc = list_doc};
    struct ctl_request request = {.count = 0};
    struct value reply;
    int code = CTL_OK;

    argp_parse(&argp, argc, argv, 0, NULL, NULL);
    ctl_put(&request, "verb", value_cstring("query.list"));
    if (ctl_call(ctl, &request, &reply, &code)) {
        ctl_show(ctl, &reply);
    }
    return code;
}

int ctl_kill(struct ctl *ctl, int argc, char **argv)
{
    static const struct argp argp = {.args_doc = "ID", .doc = kill_doc};
    struct ctl_request request = {.count = 0};
    struct value reply;
    int code = CTL_OK;
    int next = 0;

    if (argp_parse(&argp, argc, argv, 0, &next, NULL) != 0 || argc - next != 1) {
        ctl_error("'cardeactl queries' lists them", "expected the id of one query");
        return CTL_USAGE;
    }
    ctl_put(&request, "verb", value_cstring("query.kill"));
    ctl_put(&request, "id", value_cstring(argv[next]));
    if (ctl_call(ctl, &request, &reply, &code)) {
        ctl_show(ctl, &reply);
    }
    return code;
}
