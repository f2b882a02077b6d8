/*
 * ctl.h -- what the commands of cardeactl share: the call to the cluster, output, exit codes.
 *
 * All goes through a router (router/run/admin.h), which passes it on to the
 * coordinators' leader, or
 * to a shard.
 */
#ifndef COORDINATOR_CTL_CTL_H
#define COORDINATOR_CTL_CTL_H

#include "common/client.h"

enum {
    CTL_OK = 0,
    CTL_FAILED = 1, /* The cluster or a check said no. */
    CTL_USAGE = 2,
    CTL_NO_SERVER = 3, /* Cannot connect, or no answer in time. */
    CTL_PAIRS_MAX = 16
};

struct ctl {
    struct client client;
    struct arena arena; /* Of the command. */
    bool is_json;
};

/* A request being put together. */
struct ctl_request {
    struct value pairs[2 * CTL_PAIRS_MAX];
    size_t count;
};

void ctl_put(struct ctl_request *request, const char *key, struct value value);
/* Sends it; the reply's MAP is in ctl's arena. False when it failed: told on stderr, *code set. */
bool ctl_call(struct ctl *ctl, const struct ctl_request *request, struct value *reply, int *code);
/* The LIST at key in a MAP; null if there is none. */
const struct value *ctl_list(const struct value *map, const char *key);
int64_t ctl_number(const struct value *map, const char *key);
/* Prints a reply: JSON, or each list of maps as a table under its name, and the rest as name:
   value. */
void ctl_show(struct ctl *ctl, const struct value *reply);
void ctl_error(const char *hint, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Commands: argv[0] is the command's name. Each gives an exit code. */
int ctl_status(struct ctl *ctl, int argc, char **argv);
int ctl_graph(struct ctl *ctl, int argc, char **argv);
int ctl_index(struct ctl *ctl, int argc, char **argv);
int ctl_node(struct ctl *ctl, int argc, char **argv);
int ctl_shard(struct ctl *ctl, int argc, char **argv);
int ctl_check(struct ctl *ctl, int argc, char **argv);
int ctl_queries(struct ctl *ctl, int argc, char **argv);
int ctl_kill(struct ctl *ctl, int argc, char **argv);
int ctl_keys(struct ctl *ctl, int argc, char **argv);

#endif
