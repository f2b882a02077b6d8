#include "coordinator/ctl/ctl.h"

#include <argp.h>

static const struct argp parser = {
    NULL,
    NULL,
    NULL,
    "Shows nodes, graphs and shards as the coordinators know them."
    "\vExamples:\n"
    "  cardeactl status\n"
    "  cardeactl --output json status\n\n"
    "Exit codes: 0 ok, 1 the cluster said no, 2 wrong usage, 3 no connection.",
    NULL,
    NULL,
    NULL};

int ctl_status(struct ctl *ctl, int argc, char **argv)
{
    struct ctl_request request = {.count = 0};
    struct value reply;
    int code = CTL_OK;

    argp_parse(&parser, argc, argv, 0, NULL, NULL);
    ctl_put(&request, "verb", value_cstring("status"));
    if (ctl_call(ctl, &request, &reply, &code)) {
        ctl_show(ctl, &reply);
    }
    return code;
}
