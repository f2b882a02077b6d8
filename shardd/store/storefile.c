#include "shardd/store/storefile.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/crc.h"
#include "common/mem.h"

enum { PATH_ROOM = 2048, NAMES_MAX = 1000, NUMBER_SIZE = 26 };

static const char *const suffixes[] = {"-wal", "-shm", "-journal", "-end", ""};

enum { SUFFIX_COUNT = sizeof suffixes / sizeof suffixes[0] };

bool storefile_exists(const char *vfs, const char *path)
{
    sqlite3_vfs *found = sqlite3_vfs_find(vfs);
    int is_there = 0;

    assert(path != NULL);
    return found != NULL &&
           found->xAccess(found, path, SQLITE_ACCESS_EXISTS, &is_there) == SQLITE_OK &&
           is_there != 0;
}

int storefile_delete(const char *vfs, const char *path, struct error *err)
{
    sqlite3_vfs *found = sqlite3_vfs_find(vfs);

    if (found == NULL) {
        return error_set(err, E_IO, "no such VFS");
    }
    for (size_t i = 0; i < SUFFIX_COUNT; i++) {
        char name[PATH_ROOM];
        if (snprintf(name, sizeof name, "%s%s", path, suffixes[i]) >= (int)sizeof name) {
            return error_set(err, E_IO, "path too long");
        }
        int rc = found->xDelete(found, name, 1);
        if (rc != SQLITE_OK && rc != SQLITE_IOERR_DELETE_NOENT) {
            return error_set(err, E_IO, "cannot delete %s", name);
        }
    }
    return E_OK;
}

/* A name in the folder that is free; numbers are not given twice, but folders are put back. */
static bool free_name(const char *folder, const char *name, char target[PATH_ROOM])
{
    for (int i = 0; i < NAMES_MAX; i++) {
        int size = i == 0 ? snprintf(target, PATH_ROOM, "%s/%s", folder, name)
                          : snprintf(target, PATH_ROOM, "%s/%s.%d", folder, name, i);
        if (size >= PATH_ROOM) {
            return false;
        }
        if (access(target, F_OK) != 0) {
            return true;
        }
    }
    return false;
}

int storefile_drop(const char *vfs, const char *path, struct error *err)
{
    const sqlite3_vfs *found = sqlite3_vfs_find(vfs);
    const char *slash = strrchr(path, '/');
    char folder[PATH_ROOM], target[PATH_ROOM];

    if (found == NULL || strcmp(found->zName, "unix") != 0 || slash == NULL) {
        return storefile_delete(vfs, path, err);
    }
    if (snprintf(folder, sizeof folder, "%.*s/dropped", (int)(slash - path), path) >= PATH_ROOM ||
        (mkdir(folder, 0700) != 0 && errno != EEXIST)) {
        return error_set(err, E_IO, "cannot make the folder %s: %s", folder, strerror(errno));
    }
    if (!free_name(folder, slash + 1, target)) {
        return error_set(err, E_IO, "%s: no free name in %s", path, folder);
    }
    for (size_t i = 0; i < SUFFIX_COUNT; i++) {
        char from[PATH_ROOM + 16], to[PATH_ROOM + 16];
        (void)snprintf(from, sizeof from, "%s%s", path, suffixes[i]);
        (void)snprintf(to, sizeof to, "%s%s", target, suffixes[i]);
        if (rename(from, to) != 0 && errno != ENOENT) {
            return error_set(err, E_IO, "cannot move %s to %s: %s", from, to, strerror(errno));
        }
    }
    return E_OK;
}

void storefile_sweep(const char *dir)
{
    char folder[PATH_ROOM];
    struct dirent *entry;
    DIR *opened;

    if (snprintf(folder, sizeof folder, "%s/dropped", dir) >= PATH_ROOM) {
        return;
    }
    opened = opendir(folder);
    if (opened == NULL) {
        return; /* Nothing was ever dropped. */
    }
    while ((entry = readdir(opened)) != NULL) {
        char path[PATH_ROOM + 260];
        struct stat info;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        /* A rename sets the time of the inode's change: when it was dropped. */
        if (stat(path, &info) == 0 && S_ISREG(info.st_mode) &&
            info.st_ctime + STOREFILE_KEEP_S < time(NULL)) {
            (void)unlink(path);
        }
    }
    (void)closedir(opened);
}

int storefile_replace(const char *path, const char *made, struct error *err)
{
    const char *slash = strrchr(path, '/');
    char name[PATH_ROOM];

    (void)snprintf(name, sizeof name, "%s-wal", path);
    if (access(name, F_OK) == 0) {
        return error_set(err, E_IO, "%s is there still", name);
    }
    if (rename(made, path) != 0) {
        return error_set(err, E_IO, "cannot rename %s to %s: %s", made, path, strerror(errno));
    }
    (void)snprintf(name, sizeof name, "%.*s", slash == NULL ? 1 : (int)(slash - path + 1),
                   slash == NULL ? "." : path);
    int folder = open(name, O_RDONLY);
    bool is_synced = folder >= 0 && fsync(folder) == 0;
    if (folder >= 0) {
        (void)close(folder);
    }
    return is_synced ? E_OK : error_set(err, E_IO, "cannot sync the folder %s", name);
}

/* ---- a number ---- */

static int number_open(const char *vfs, const char *path, int flags, sqlite3_file **file)
{
    sqlite3_vfs *found = sqlite3_vfs_find(vfs);

    *file = NULL;
    if (found == NULL) {
        return SQLITE_CANTOPEN;
    }
    *file = mem_alloc((size_t)found->szOsFile);
    return found->xOpen(found, path, *file, flags | SQLITE_OPEN_SUPER_JOURNAL, NULL);
}

static void number_close(sqlite3_file *file)
{
    if (file != NULL && file->pMethods != NULL) {
        (void)file->pMethods->xClose(file);
    }
    mem_free(file);
}

static void number_print(char text[NUMBER_SIZE + 1], uint64_t number)
{
    (void)snprintf(text, NUMBER_SIZE + 1, "%016llx %08lx\n", (unsigned long long)number,
                   (unsigned long)crc_extend(0, &number, sizeof number));
}

uint64_t storefile_number_read(const char *vfs, const char *path)
{
    char found[NUMBER_SIZE + 1] = "", wanted[NUMBER_SIZE + 1];
    unsigned long long number = 0;
    sqlite3_file *file;

    assert(path != NULL);
    if (!storefile_exists(vfs, path)) {
        return 0;
    }
    if (number_open(vfs, path, SQLITE_OPEN_READWRITE, &file) == SQLITE_OK &&
        file->pMethods->xRead(file, found, NUMBER_SIZE, 0) == SQLITE_OK) {
        number = strtoull(found, NULL, 16);
    }
    number_close(file);
    number_print(wanted, number);
    return strcmp(found, wanted) == 0 ? number : 0;
}

int storefile_number_write(const char *vfs, const char *path, uint64_t number, struct error *err)
{
    char text[NUMBER_SIZE + 1];
    sqlite3_file *file;
    int rc = number_open(vfs, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &file);

    assert(number != 0);
    number_print(text, number);
    if (rc == SQLITE_OK) {
        rc = file->pMethods->xWrite(file, text, NUMBER_SIZE, 0);
    }
    if (rc == SQLITE_OK) {
        rc = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
    }
    number_close(file);
    return rc == SQLITE_OK ? E_OK
                           : error_set(err, (rc & 0xff) == SQLITE_FULL ? E_LIMIT : E_IO,
                                       "cannot write %s", path);
}
