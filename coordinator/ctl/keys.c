#include "common/keys.h"
#include "coordinator/ctl/ctl.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>

static const char doc[] =
    "Makes a cluster's keys for the encryption between its processes.\v"
    "Example: cardeactl keys init /etc/cardea/keys\n\n"
    "The folder gets cluster.pub, which every machine needs, and one file per role: router.key, "
    "shardd.key, coordinator.key, tool.key. Copy to each machine cluster.pub and the files of the "
    "roles that run there, owned by the service's user, mode 0600, and set keys_dir in the "
    "configuration of all processes. Who has no key gets no answer. Keys that are there are never "
    "replaced.";

int ctl_keys(struct ctl *ctl, int argc, char **argv)
{
    static const struct argp argp = {.args_doc = "init DIR", .doc = doc};
    struct error err = {0};
    int next = 0;

    (void)ctl;
    if (argp_parse(&argp, argc, argv, 0, &next, NULL) != 0 || argc - next != 2 ||
        strcmp(argv[next], "init") != 0) {
        ctl_error("cardeactl keys init DIR", "expected init and a folder");
        return CTL_USAGE;
    }
    if (keys_make(argv[next + 1], &err) != E_OK) {
        ctl_error("name a new folder", "%s", err.text);
        return CTL_FAILED;
    }
    printf(
        "keys of four roles are in %s\n"
        "next: set keys_dir = \"%s\" in the configuration of every process, and start them anew\n",
        argv[next + 1], argv[next + 1]);
    return CTL_OK;
}
