#include "common/keys.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "common/daemon.h"

enum { PATH_SIZE = 1200, FILE_SIZE_MAX = 4096 };

static const enum peer_role roles[] = {PEER_ROUTER, PEER_SHARDD, PEER_COORDINATOR, PEER_TOOL};

enum { ROLE_COUNT = sizeof roles / sizeof roles[0] };

const char *keys_role_name(enum peer_role role)
{
    switch (role) {
    case PEER_ROUTER:
        return "router";
    case PEER_SHARDD:
        return "shardd";
    case PEER_COORDINATOR:
        return "coordinator";
    case PEER_TOOL:
        return "tool";
    }
    return "?";
}

static enum peer_role role_named(const char *name)
{
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        if (strcmp(keys_role_name(roles[i]), name) == 0) {
            return roles[i];
        }
    }
    return (enum peer_role)0;
}

/* memset alone could be left out by the compiler. */
static void wipe(void *data, size_t size)
{
    volatile uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++) {
        bytes[i] = 0;
    }
}

static int write_file(const char *path, mode_t mode, const char *text, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    size_t size = strlen(text);
    bool is_written;

    if (fd < 0) {
        return error_set(err, errno == EEXIST ? E_EXISTS : E_IO, "%s: %s", path, strerror(errno));
    }
    is_written = write(fd, text, size) == (ssize_t)size && fsync(fd) == 0;
    if (close(fd) != 0 || !is_written) {
        return error_set(err, E_IO, "writing %s: %s", path, strerror(errno));
    }
    return E_OK;
}

/* One role's pair to its file, its public key to the list. */
static int make_role(const char *dir, enum peer_role role, char *list, size_t room,
                     struct error *err)
{
    char path[PATH_SIZE], line[256], public_text[KEYS_TEXT], secret_text[KEYS_TEXT];
    size_t used = strlen(list);
    int rc;

    if (zmq_curve_keypair(public_text, secret_text) != 0) {
        return error_set(err, E_IO, "making a key: %s", zmq_strerror(zmq_errno()));
    }
    (void)snprintf(path, sizeof path, "%s/%s.key", dir, keys_role_name(role));
    (void)snprintf(line, sizeof line, "%s %s %s\n", keys_role_name(role), public_text, secret_text);
    (void)snprintf(list + used, room - used, "%s %s\n", keys_role_name(role), public_text);
    rc = write_file(path, 0600, line, err);
    wipe(line, sizeof line);
    wipe(secret_text, sizeof secret_text);
    return rc;
}

int keys_make(const char *dir, struct error *err)
{
    char list[ROLE_COUNT * 64] = "", path[PATH_SIZE];
    int rc;

    if (strlen(dir) > PATH_SIZE - 32) {
        return error_set(err, E_INVALID, "a folder's name of %zu bytes", strlen(dir));
    }
    rc = daemon_folder_make(dir, err);
    (void)snprintf(path, sizeof path, "%s/cluster.pub", dir);
    if (rc == E_OK && access(path, F_OK) == 0) {
        return error_set(err, E_EXISTS, "%s is there: a cluster keeps its keys", path);
    }
    for (size_t i = 0; rc == E_OK && i < ROLE_COUNT; i++) {
        rc = make_role(dir, roles[i], list, sizeof list, err);
    }
    /* Last: the folder counts as made when the list is there. */
    return rc == E_OK ? write_file(path, 0644, list, err) : rc;
}

static int read_file(const char *path, bool is_secret, char text[FILE_SIZE_MAX], struct error *err)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size;

    if (fd < 0) {
        return error_set(err, E_CONFIG, "%s: %s ('cardeactl keys init DIR' makes keys)", path,
                         strerror(errno));
    }
    if (fstat(fd, &info) == 0 && is_secret && (info.st_mode & 077) != 0) {
        (void)close(fd);
        return error_set(err, E_CONFIG, "%s can be read by others: chmod 600 it", path);
    }
    size = read(fd, text, FILE_SIZE_MAX - 1);
    (void)close(fd);
    if (size < 0 || size == FILE_SIZE_MAX - 1) {
        return error_set(err, E_CONFIG, "%s is not a file of keys", path);
    }
    text[size] = '\0';
    return E_OK;
}

static bool is_key(const char *text)
{
    uint8_t key[32];

    return strlen(text) == KEYS_TEXT - 1 && zmq_z85_decode(key, text) != NULL;
}

static int parse_list(struct keys *keys, const char *path, char *text, struct error *err)
{
    char *rest = NULL;
    char *line = strtok_r(text, "\n", &rest);

    for (int number = 1; line != NULL; number++, line = strtok_r(NULL, "\n", &rest)) {
        char role[16] = "", key[64] = "";
        if (line[0] == '#') {
            continue;
        }
        if (sscanf(line, "%15s %63s", role, key) != 2 || role_named(role) == 0 || !is_key(key)) {
            return error_set(err, E_CONFIG, "%s:%d: expected ROLE and a key of 40 characters", path,
                             number);
        }
        if (keys->count == KEYS_MAX) {
            return error_set(err, E_CONFIG, "%s: more than %d keys", path, KEYS_MAX);
        }
        keys->list[keys->count].role = role_named(role);
        memcpy(keys->list[keys->count++].text, key, KEYS_TEXT);
    }
    return E_OK;
}

static int parse_pair(struct keys *keys, const char *path, const char *text, struct error *err)
{
    char name[16] = "", public_text[64] = "", secret_text[64] = "", derived[KEYS_TEXT];
    int count = sscanf(text, "%15s %63s %63s", name, public_text, secret_text);
    bool is_good = count == 3 && role_named(name) == keys->role && is_key(public_text) &&
                   is_key(secret_text) && zmq_curve_public(derived, secret_text) == 0 &&
                   strcmp(derived, public_text) == 0;

    if (is_good) {
        memcpy(keys->public_text, public_text, KEYS_TEXT);
        memcpy(keys->secret_text, secret_text, KEYS_TEXT);
    }
    wipe(secret_text, sizeof secret_text);
    if (!is_good) {
        return error_set(err, E_CONFIG, "%s is not a pair of keys of role %s", path,
                         keys_role_name(keys->role));
    }
    return E_OK;
}

static bool is_listed(const struct keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->list[i].role == keys->role &&
            strcmp(keys->list[i].text, keys->public_text) == 0) {
            return true;
        }
    }
    return false;
}

int keys_read(struct keys *keys, const char *dir, enum peer_role role, struct error *err)
{
    char path[PATH_SIZE], text[FILE_SIZE_MAX];
    int rc;

    *keys = (struct keys){.role = role};
    (void)snprintf(path, sizeof path, "%s/cluster.pub", dir);
    rc = read_file(path, false, text, err);
    if (rc == E_OK) {
        rc = parse_list(keys, path, text, err);
    }
    (void)snprintf(path, sizeof path, "%s/%s.key", dir, keys_role_name(role));
    if (rc == E_OK) {
        rc = read_file(path, true, text, err);
    }
    if (rc == E_OK) {
        rc = parse_pair(keys, path, text, err);
    }
    wipe(text, sizeof text);
    if (rc == E_OK && !is_listed(keys)) {
        rc = error_set(err, E_CONFIG, "%s is not among the keys of %s/cluster.pub", path, dir);
    }
    if (rc != E_OK) {
        keys_close(keys);
    }
    return rc;
}

void keys_close(struct keys *keys)
{
    wipe(keys, sizeof *keys);
}

const char *keys_of_role(const struct keys *keys, enum peer_role role)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->list[i].role == role) {
            return keys->list[i].text;
        }
    }
    return NULL;
}

enum peer_role keys_role(const struct keys *keys, const uint8_t public_key[32])
{
    uint8_t listed[32];

    assert(keys->count <= KEYS_MAX);
    for (size_t i = 0; i < keys->count; i++) {
        if (zmq_z85_decode(listed, keys->list[i].text) != NULL &&
            memcmp(listed, public_key, sizeof listed) == 0) {
            return keys->list[i].role;
        }
    }
    return (enum peer_role)0;
}

bool keys_is_local(const char *address)
{
    static const char *const local[] = {"ipc://", "inproc://", "tcp://127.",
                                        "tcp://localhost:", "tcp://[::1]:"};

    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++) {
        if (strncmp(address, local[i], strlen(local[i])) == 0) {
            return true;
        }
    }
    return false;
}
