/*
 * storefile.h -- files of shards that are not open: are they there, away with them.
 *
 * Shell: SQLite's VFS, so that the simulator's disk is asked like the real one.
 */
#ifndef SHARDD_STORE_STOREFILE_H
#define SHARDD_STORE_STOREFILE_H

#include "common/error.h"

#include <stdbool.h>

/* vfs: name, null: the default. */
bool storefile_exists(const char *vfs, const char *path);
/* Deletes the file with its journal files. Returns E_OK or E_IO. */
int storefile_delete(const char *vfs, const char *path, struct error *err);

#endif
