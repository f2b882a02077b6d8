/*
 * vfs.h -- a disk in memory for SQLite that forgets what was not synced, as a power cut makes it.
 *
 *   write -> sectors of `now`, marked dirty -- sync --> `durable`
 *   power cut: each dirty sector is kept, dropped or torn, by the seed; so is the file's size
 *
 * One disk a process of the cluster, so that each can lose its power alone. It dies at a call
 * chosen beforehand (vfs_doom), in the midst of a write if it is one: every later call fails
 * until vfs_revive. A call may also fail once: disk full, or an input/output error; or it is full
 * for a while: no file can grow. While no file is open all can be removed, put back as they were,
 * or have a bit flipped.
 *
 * Deterministic: randomness and time that SQLite asks for come from the seed. One connection a
 * file, locking_mode = EXCLUSIVE: no shared memory. Deletes are durable at once.
 * Units: sectors of 512 bytes. Limits: VFS_NAME_MAX characters a name.
 */
#ifndef TESTS_SIM_VFS_H
#define TESTS_SIM_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VFS_NAME_MAX = 96 };

enum vfs_fault { VFS_FULL = 1, VFS_IOERR };

struct vfs_counters {
    uint64_t calls; /* Writes, truncations, syncs, deletes. */
    uint64_t syncs;
    uint64_t cuts;
    uint64_t lost; /* Dirty sectors dropped or torn by cuts. */
};

struct vfs;

/* Registers it under the name; is_default: SQLite's own randomness comes from it too. */
struct vfs *vfs_open(const char *name, uint64_t seed, bool is_default);
/* No file of it may be open. */
void vfs_close(struct vfs **vfs);
/* The disk dies at the n-th call from now, from 1. */
void vfs_doom(struct vfs *vfs, uint64_t calls);
/* Dies now. */
void vfs_kill(struct vfs *vfs);
bool vfs_is_dead(const struct vfs *vfs);
/* Lives again. is_cut: what was not synced meets its fate; else only the process died, and the
 * operating system has kept all. */
void vfs_revive(struct vfs *vfs, bool is_cut);
/* The n-th call from now fails once. */
void vfs_fail(struct vfs *vfs, uint64_t calls, enum vfs_fault fault);
/* No file grows any more, or they do again. */
void vfs_set_full(struct vfs *vfs, bool is_full);

/* While no file is open: */
/* The folder is removed. */
void vfs_wipe(struct vfs *vfs);
/* A bit of one of the files whose names begin so is another one. False: there is none. */
bool vfs_flip(struct vfs *vfs, const char *prefix);
struct vfs_image;
/* All files as they are now. */
struct vfs_image *vfs_copy(const struct vfs *vfs);
/* The files are those of the image, and no others. */
void vfs_put_back(struct vfs *vfs, const struct vfs_image *image);
void vfs_image_close(struct vfs_image **image);

struct vfs_counters vfs_counters(const struct vfs *vfs);

#endif
