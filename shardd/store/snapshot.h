/*
 * snapshot.h -- a shard's file as a copy that another node can take, and the taking of one.
 *
 *   source: snapshot_open -> snapshot_step (some pages a call) ... done -> snapshot_read (chunks)
 *   target: snapshot_target_open -> snapshot_target_write (chunks, in order) ...
 *           -> snapshot_target_finish -> store_open
 *
 * The copy is made page by page over the store's own connection, between its transactions: SQLite
 * carries each later change of a page that was copied over to the copy, so writing goes on and the
 * copy is the state of the moment at which the last page came. It holds its journal, too, entries
 * that are not committed included: the receiver's replication judges them like its own.
 *
 * A target has a marker file beside it, PATH.incoming, from before the first byte until all is
 * synced: what a crash leaves is half a file with a marker, and is begun anew. There is no rename:
 * SQLite's VFS has none, and the simulator's disk is one.
 *
 * Shell: SQLite and its VFS. Errors: E_IO, E_LIMIT (disk full), E_CORRUPT (a chunk whose sum is
 * wrong, the copy is not the file that was offered).
 * Limits: SNAPSHOT_CHUNK_MAX bytes of a chunk.
 */
#ifndef SHARDD_STORE_SNAPSHOT_H
#define SHARDD_STORE_SNAPSHOT_H

#include "shardd/store/store.h"

enum { SNAPSHOT_CHUNK_MAX = 1 << 20 };

struct snapshot;

/* Begins a copy at path; what is there is deleted first. */
int snapshot_open(struct snapshot **snapshot, struct store *store, const char *path,
                  struct error *err);
/* Copies so many pages. Not within a transaction of the store. */
int snapshot_step(struct snapshot *snapshot, uint32_t pages, bool *is_done, struct error *err);
/* Pages to do and in all, as of the last step. */
void snapshot_progress(const struct snapshot *snapshot, uint64_t *left, uint64_t *all);
/* Once done: bytes of the copy. */
uint64_t snapshot_size(const struct snapshot *snapshot);
/* Appends up to size bytes from offset; fewer only at the end. */
int snapshot_read(struct snapshot *snapshot, uint64_t offset, size_t size, struct bytes *out,
                  struct error *err);
/* Deletes the copy. The store must still be open if the copy was not done. */
void snapshot_close(struct snapshot **snapshot);

struct snapshot_target;

/* A crash came between snapshot_target_open and snapshot_target_finish: not to be opened. */
bool snapshot_is_half(const char *vfs, const char *path);
/* Deletes it. */
int snapshot_discard(const char *vfs, const char *path, struct error *err);
/* Begins to receive a file of size bytes at path; nothing may be there but half a file. */
int snapshot_target_open(struct snapshot_target **incoming, const char *vfs, const char *path,
                         uint64_t size, struct error *err);
/* Where the next chunk has to start. */
uint64_t snapshot_target_offset(const struct snapshot_target *incoming);
int snapshot_target_write(struct snapshot_target *incoming, struct slice chunk, uint32_t crc,
                          struct error *err);
/* All is there: synced, and the marker gone. E_CORRUPT if it is not all. */
int snapshot_target_finish(struct snapshot_target **incoming, struct error *err);
/* Gives up; deletes what came. */
void snapshot_target_close(struct snapshot_target **incoming);

#endif
