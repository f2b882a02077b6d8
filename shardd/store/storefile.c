#include "shardd/store/storefile.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>

enum { PATH_ROOM = 4096 };

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
    static const char *const suffixes[] = {"-wal", "-shm", "-journal", ""};
    sqlite3_vfs *found = sqlite3_vfs_find(vfs);

    if (found == NULL) {
        return error_set(err, E_IO, "no such VFS");
    }
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
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
