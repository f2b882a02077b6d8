#include "router/cli/local.h"

#include "common/client.h"
#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The first line, which tells the address; E_UNAVAILABLE if the child ends before it. */
static int read_ready(int fd, char *line, size_t size, struct error *err)
{
    size_t used = 0;

    while (used + 1 < size) {
        ssize_t got = read(fd, line + used, 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return error_set(err, E_UNAVAILABLE, "the cluster did not start");
        }
        if (line[used] == '\n') {
            break;
        }
        used++;
    }
    line[used] = '\0';
    return E_OK;
}

static void become_cluster(const char *data, int output)
{
    char name[] = "cardea", dev[] = "dev", flag[] = "--data", port[] = "--port", any[] = "0";
    char *folder = mem_text(data);
    char *const arguments[] = {name, dev, flag, folder, port, any, NULL};

    dup2(output, STDOUT_FILENO);
    execv("/proc/self/exe", arguments);
    _exit(127);
}

int local_open(struct local *local, const char *data, char *host, char *port, struct error *err)
{
    char line[1024];
    char *address, *end;
    int ends[2];
    int rc;

    if (pipe(ends) != 0) {
        return error_set(err, E_IO, "pipe: %s", strerror(errno));
    }
    (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    local->process = fork();
    if (local->process == 0) {
        become_cluster(data, ends[1]);
    }
    close(ends[1]);
    local->output = ends[0];
    if (local->process < 0) {
        close(ends[0]);
        local->process = 0;
        return error_set(err, E_IO, "fork: %s", strerror(errno));
    }
    rc = read_ready(local->output, line, sizeof(line), err);
    if (rc == E_OK) {
        address = strstr(line, "ws://");
        end = address ? strstr(address, "/gremlin") : NULL;
        if (end == NULL) {
            rc = error_set(err, E_UNAVAILABLE, "the cluster said '%s'", line);
        } else {
            *end = '\0';
            rc = client_address(address, host, port, err);
        }
    }
    if (rc != E_OK) {
        local_close(local);
    }
    return rc;
}

void local_close(struct local *local)
{
    int status;

    if (local->process > 0) {
        kill(local->process, SIGTERM);
        while (waitpid(local->process, &status, 0) < 0 && errno == EINTR) {
        }
        close(local->output);
    }
    *local = (struct local){0};
}
