#include "common/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/log.h"

enum { IDENTITY_MAX = 512, PATH_SIZE = 4096 };

/* A handler has no parameter: the only state that is not in a struct. */
static const struct log *last_log;

static int join(char *path, const char *dir, const char *name, struct error *err)
{
    if (snprintf(path, PATH_SIZE, "%s/%s", dir, name) >= PATH_SIZE) {
        return error_set(err, E_CONFIG, "path of the data folder is too long");
    }
    return E_OK;
}

static int lock(struct daemon_folder *folder, const char *dir, struct error *err)
{
    char path[PATH_SIZE];
    int fd;
    int rc = join(path, dir, "LOCK", err);

    if (rc != E_OK) {
        return rc;
    }
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        return error_set(err, E_IO, "%s: %s", path, strerror(errno));
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)close(fd);
        return error_set(err, E_IO, "data folder %s is in use by another process", dir);
    }
    folder->lock_fd = fd + 1;
    return E_OK;
}

static int write_whole(int fd, const char *text)
{
    size_t size = strlen(text);

    return write(fd, text, size) == (ssize_t)size && fsync(fd) == 0 ? 0 : -1;
}

static int sync_folder(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);

    if (fd >= 0) {
        (void)close(fd);
    }
    return rc;
}

/* Whole or not at all: a crash leaves at most IDENTITY.new. */
static int write_identity(const char *dir, const char *path, const char *identity,
                          struct error *err)
{
    char path_new[PATH_SIZE];
    int rc = join(path_new, dir, "IDENTITY.new", err);
    int fd;
    int failed;

    if (rc != E_OK) {
        return rc;
    }
    fd = open(path_new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    failed = fd < 0 ? -1 : write_whole(fd, identity);
    if (fd >= 0) {
        (void)close(fd);
    }
    if (failed != 0 || rename(path_new, path) != 0 || sync_folder(dir) != 0) {
        return error_set(err, E_IO, "writing %s: %s", path, strerror(errno));
    }
    return E_OK;
}

static int check_identity(const char *dir, const char *identity, struct error *err)
{
    char path[PATH_SIZE];
    char found[IDENTITY_MAX] = "";
    ssize_t size;
    int fd;
    int rc = join(path, dir, "IDENTITY", err);

    if (rc != E_OK) {
        return rc;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        return write_identity(dir, path, identity, err);
    }
    size = fd < 0 ? -1 : read(fd, found, sizeof found - 1);
    if (fd >= 0) {
        (void)close(fd);
    }
    if (size < 0) {
        return error_set(err, E_IO, "reading %s: %s", path, strerror(errno));
    }
    if (strcmp(found, identity) != 0) {
        return error_set(err, E_CONFIG, "data folder %s belongs to %.*s, this is %.*s", dir,
                         (int)strcspn(found, "\n"), found, (int)strcspn(identity, "\n"), identity);
    }
    return E_OK;
}

int daemon_folder_make(const char *dir, struct error *err)
{
    char path[PATH_SIZE];
    int rc = join(path, dir, "", err);

    if (rc != E_OK) {
        return rc;
    }
    for (char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST) {
            return error_set(err, E_IO, "making the folder %s: %s", path, strerror(errno));
        }
        *at = '/';
    }
    return E_OK;
}

int daemon_folder_open(struct daemon_folder *folder, const char *dir, const char *identity,
                       struct error *err)
{
    int rc;

    *folder = (struct daemon_folder){0};
    rc = daemon_folder_make(dir, err);
    if (rc == E_OK) {
        rc = lock(folder, dir, err);
    }
    if (rc == E_OK) {
        rc = check_identity(dir, identity, err);
    }
    if (rc != E_OK) {
        daemon_folder_close(folder);
    }
    return rc;
}

void daemon_folder_close(struct daemon_folder *folder)
{
    if (folder->lock_fd > 0) {
        (void)close(folder->lock_fd - 1);
    }
    *folder = (struct daemon_folder){0};
}

/* After: sd_notify(3), "Notes": a datagram to the socket, @ stands for the abstract name space. */
void daemon_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size;
    int fd;

    if (path == NULL || (path[0] != '/' && path[0] != '@') ||
        strlen(path) >= sizeof address.sun_path) {
        return;
    }
    size = strlen(path);
    memcpy(address.sun_path, path, size);
    if (path[0] == '@') {
        address.sun_path[0] = '\0';
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
                     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size));
        (void)close(fd);
    }
}

void daemon_raise_limits(void)
{
    struct rlimit limit;

    /* The main thread's stack grows up to the limit: a query of BYTECODE_STEPS_MAX steps is as
     * many operators that pull each other. Linux keeps 128 MiB below the stack free. */
    if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        limit.rlim_cur < DAEMON_STACK_BYTES) {
        limit.rlim_cur = limit.rlim_max < DAEMON_STACK_BYTES ? limit.rlim_max : DAEMON_STACK_BYTES;
        (void)setrlimit(RLIMIT_STACK, &limit);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max > 65536 ? 65536 : limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void on_abort(int signal_number)
{
    static const char head[] = "\n---- last lines of the log, all levels ----\n";

    if (write(STDERR_FILENO, head, sizeof head - 1) > 0 && last_log != NULL) {
        log_dump(last_log, STDERR_FILENO);
    }
    (void)raise(signal_number);
}

void daemon_last_words(const struct log *log)
{
    struct sigaction action = {.sa_handler = on_abort, .sa_flags = (int)SA_RESETHAND};

    last_log = log;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGABRT, &action, NULL);
    (void)sigaction(SIGSEGV, &action, NULL);
}
