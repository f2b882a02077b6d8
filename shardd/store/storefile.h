/*
 * storefile.h -- files of shards that are not open: are they there, out of the way with them.
 *
 *   DIR/shard-5.db (-wal) --storefile_drop--> DIR/dropped/shard-5.db (-wal) --a day--> gone
 *
 * A dropped shard's file is moved, not deleted: whoever drops by mistake, or has lost the
 * coordinators' folder, has a day to put it back.
 *
 * Shell: SQLite's VFS, so that the simulator's disk is asked like the real one.
 */
#ifndef SHARDD_STORE_STOREFILE_H
#define SHARDD_STORE_STOREFILE_H

#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

enum { STOREFILE_KEEP_S = 24 * 3600 };

/* A number in a small file of its own, with a checksum. read: 0 if there is none, or a damaged one.
 * write: durably, E_OK or E_IO; never 0. */
uint64_t storefile_number_read(const char *vfs, const char *path);
int storefile_number_write(const char *vfs, const char *path, uint64_t number, struct error *err);
/* vfs: name, null: the default. */
bool storefile_exists(const char *vfs, const char *path);
/* Moves the file with its journal files to the folder `dropped` beside it; where the VFS is not the
 * machine's own, deletes them. Returns E_OK or E_IO. */
int storefile_drop(const char *vfs, const char *path, struct error *err);
/* Deletes what was dropped in this folder more than STOREFILE_KEEP_S ago. */
void storefile_sweep(const char *dir);
/* Deletes the file with its journal files. Returns E_OK or E_IO. */
int storefile_delete(const char *vfs, const char *path, struct error *err);
/* Renames the file `made`, which is closed and synced, to the path, durably. Returns E_OK, or E_IO
 * if the path has journal files still, or the system refuses. */
int storefile_replace(const char *path, const char *made, struct error *err);

#endif
