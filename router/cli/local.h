/*
 * local.h -- a cluster for the length of one command: `cardea dev` on a folder, as a child process.
 *
 * Shell: processes.
 */
#ifndef ROUTER_CLI_LOCAL_H
#define ROUTER_CLI_LOCAL_H

#include <sys/types.h>

#include "common/error.h"

struct local {
    pid_t process; /* 0: closed. */
    int output;    /* Its stdout: closing it tells nothing, but keeps it from filling. */
};

/* Starts it on any free port and waits until it is ready; fills host and port (256 bytes each).
   Its messages go to our stderr. E_IO, E_UNAVAILABLE. */
int local_open(struct local *local, const char *data, char *host, char *port, struct error *err);
/* Ends it and waits: all that was acknowledged is on disk. */
void local_close(struct local *local);

#endif
