#include "shardd/store/snapshot.h"

#include "common/crc.h"
#include "common/mem.h"
#include "shardd/store/store_inner.h"
#include "shardd/store/storefile.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    NAME_ROOM = 4096,
    MARKER_SIZE = 16,
    CALL_MAX =
        65536 /* The machine's VFS writes a size modulo 128 KiB: as much as SQLite asks for. */
};

/* ---- files of a VFS ---- */

struct file {
    sqlite3_file *base; /* Null: not open. */
    char *name;         /* As SQLite wants it. */
};

static int fault(int rc, const char *what, const char *path, struct error *err)
{
    return error_set(err, (rc & 0xff) == SQLITE_FULL ? E_LIMIT : E_IO, "%s: cannot %s: %s", path,
                     what, sqlite3_errstr(rc));
}

static int file_read(const struct file *file, uint8_t *out, size_t size, uint64_t offset)
{
    int rc = SQLITE_OK;

    for (size_t at = 0; at < size && rc == SQLITE_OK; at += CALL_MAX) {
        size_t part = size - at < CALL_MAX ? size - at : CALL_MAX;
        rc = file->base->pMethods->xRead(file->base, out + at, (int)part,
                                         (sqlite3_int64)(offset + at));
    }
    return rc;
}

static int file_write(const struct file *file, struct slice data, uint64_t offset)
{
    int rc = SQLITE_OK;

    for (size_t at = 0; at < data.size && rc == SQLITE_OK; at += CALL_MAX) {
        size_t part = data.size - at < CALL_MAX ? data.size - at : CALL_MAX;
        rc = file->base->pMethods->xWrite(file->base, data.data + at, (int)part,
                                          (sqlite3_int64)(offset + at));
    }
    return rc;
}

static int file_open(struct file *file, const char *vfs, const char *path, int flags,
                     struct error *err)
{
    sqlite3_vfs *found = sqlite3_vfs_find(vfs);
    int given = 0;

    if (found == NULL) {
        return error_set(err, E_IO, "%s: no such file system", path);
    }
    file->name = (char *)(uintptr_t)sqlite3_create_filename(path, "", "", 0, NULL);
    file->base = mem_alloc((size_t)found->szOsFile);
    int rc = found->xOpen(found, file->name, file->base, flags | SQLITE_OPEN_MAIN_DB, &given);
    if (rc == SQLITE_OK) {
        return E_OK;
    }
    sqlite3_free_filename(file->name);
    mem_free(file->base);
    *file = (struct file){0};
    return fault(rc, "open", path, err);
}

static void file_close(struct file *file)
{
    if (file->base == NULL) {
        return;
    }
    (void)file->base->pMethods->xClose(file->base);
    mem_free(file->base);
    sqlite3_free_filename(file->name);
    *file = (struct file){0};
}

/* ---- the source ---- */

struct snapshot {
    char *path;
    const char *vfs;
    sqlite3 *copy;
    sqlite3_backup *backup; /* Null: done. */
    struct file file;       /* Once done. */
    uint64_t left, all, size;
};

static int start_copy(struct snapshot *snapshot, sqlite3 *source, struct error *err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int rc = sqlite3_open_v2(snapshot->path, &snapshot->copy, flags, snapshot->vfs);

    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(snapshot->copy,
                          "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF;"
                          " PRAGMA synchronous=OFF",
                          NULL, NULL, NULL);
    }
    if (rc != SQLITE_OK) {
        return fault(rc, "begin the copy", snapshot->path, err);
    }
    snapshot->backup = sqlite3_backup_init(snapshot->copy, "main", source, "main");
    if (snapshot->backup == NULL) {
        return fault(sqlite3_errcode(snapshot->copy), "begin the copy", snapshot->path, err);
    }
    return E_OK;
}

int snapshot_open(struct snapshot **snapshot, struct store *store, const char *path,
                  struct error *err)
{
    struct snapshot *made = mem_alloc(sizeof *made);
    sqlite3 *source = store->tables.stmt.db;
    sqlite3_vfs *vfs = NULL;

    assert(snapshot != NULL && path != NULL);
    sqlite3_file_control(source, "main", SQLITE_FCNTL_VFS_POINTER, &vfs);
    assert(vfs != NULL);
    made->path = mem_text(path);
    made->vfs = vfs->zName;
    int rc = storefile_delete(made->vfs, path, err);
    if (rc == E_OK) {
        rc = start_copy(made, source, err);
    }
    if (rc != E_OK) {
        snapshot_close(&made);
    }
    *snapshot = made;
    return rc;
}

static int finish_copy(struct snapshot *snapshot, struct error *err)
{
    sqlite3_int64 size = 0;
    int rc = sqlite3_backup_finish(snapshot->backup);

    snapshot->backup = NULL;
    if (rc == SQLITE_OK) {
        rc = sqlite3_close(snapshot->copy);
        snapshot->copy = NULL;
    }
    if (rc != SQLITE_OK) {
        return fault(rc, "end the copy", snapshot->path, err);
    }
    int opened =
        file_open(&snapshot->file, snapshot->vfs, snapshot->path, SQLITE_OPEN_READONLY, err);
    if (opened != E_OK) {
        return opened;
    }
    rc = snapshot->file.base->pMethods->xFileSize(snapshot->file.base, &size);
    snapshot->size = (uint64_t)size;
    return rc == SQLITE_OK ? E_OK : fault(rc, "measure", snapshot->path, err);
}

int snapshot_step(struct snapshot *snapshot, uint32_t pages, bool *is_done, struct error *err)
{
    assert(snapshot->backup != NULL && pages > 0);
    int rc = sqlite3_backup_step(snapshot->backup, (int)pages);

    snapshot->left = (uint64_t)sqlite3_backup_remaining(snapshot->backup);
    snapshot->all = (uint64_t)sqlite3_backup_pagecount(snapshot->backup);
    *is_done = rc == SQLITE_DONE;
    if (rc == SQLITE_DONE) {
        return finish_copy(snapshot, err);
    }
    return rc == SQLITE_OK ? E_OK : fault(rc, "copy", snapshot->path, err);
}

void snapshot_progress(const struct snapshot *snapshot, uint64_t *left, uint64_t *all)
{
    *left = snapshot->left;
    *all = snapshot->all;
}

uint64_t snapshot_size(const struct snapshot *snapshot)
{
    assert(snapshot->file.base != NULL);
    return snapshot->size;
}

int snapshot_read(struct snapshot *snapshot, uint64_t offset, size_t size, struct bytes *out,
                  struct error *err)
{
    assert(snapshot->file.base != NULL && size <= SNAPSHOT_CHUNK_MAX);
    if (offset >= snapshot->size) {
        return E_OK;
    }
    if (size > snapshot->size - offset) {
        size = (size_t)(snapshot->size - offset);
    }
    uint8_t *chunk = mem_alloc(size);
    int rc = file_read(&snapshot->file, chunk, size, offset);
    if (rc == SQLITE_OK) {
        bytes_append(out, chunk, size);
    }
    mem_free(chunk);
    return rc == SQLITE_OK ? E_OK : fault(rc, "read", snapshot->path, err);
}

void snapshot_close(struct snapshot **snapshot)
{
    struct snapshot *old = *snapshot;

    if (old == NULL) {
        return;
    }
    *snapshot = NULL;
    sqlite3_backup_finish(old->backup);
    sqlite3_close(old->copy);
    file_close(&old->file);
    (void)storefile_delete(old->vfs, old->path, NULL);
    mem_free(old->path);
    mem_free(old);
}

/* ---- the target ---- */

struct snapshot_target {
    char *path;
    char *vfs;
    struct file file;
    uint64_t size, offset;
};

static bool marker_name(const char *path, char name[NAME_ROOM])
{
    return snprintf(name, NAME_ROOM, "%s.incoming", path) < NAME_ROOM;
}

bool snapshot_is_half(const char *vfs, const char *path)
{
    char name[NAME_ROOM];

    return marker_name(path, name) && storefile_exists(vfs, name);
}

static int put_marker(const char *vfs, const char *path, struct error *err)
{
    static const char text[MARKER_SIZE] = "half a snapshot";
    struct file file = {0};
    char name[NAME_ROOM];

    if (!marker_name(path, name)) {
        return error_set(err, E_IO, "%s: path too long", path);
    }
    int rc = file_open(&file, vfs, name, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
    if (rc != E_OK) {
        return rc;
    }
    int wrote = file.base->pMethods->xWrite(file.base, text, MARKER_SIZE, 0);
    if (wrote == SQLITE_OK) {
        wrote = file.base->pMethods->xSync(file.base, SQLITE_SYNC_FULL);
    }
    file_close(&file);
    return wrote == SQLITE_OK ? E_OK : fault(wrote, "write", name, err);
}

static int remove_marker(const char *vfs, const char *path, struct error *err)
{
    sqlite3_vfs *found = sqlite3_vfs_find(vfs);
    char name[NAME_ROOM];

    if (!marker_name(path, name) || found == NULL) {
        return error_set(err, E_IO, "%s: path too long", path);
    }
    int rc = found->xDelete(found, name, 1);
    return rc == SQLITE_OK ? E_OK : fault(rc, "delete", name, err);
}

int snapshot_discard(const char *vfs, const char *path, struct error *err)
{
    int rc = storefile_delete(vfs, path, err);

    return rc == E_OK ? remove_marker(vfs, path, err) : rc;
}

int snapshot_target_open(struct snapshot_target **incoming, const char *vfs, const char *path,
                         uint64_t size, struct error *err)
{
    struct snapshot_target *made = mem_alloc(sizeof *made);

    assert(incoming != NULL && path != NULL && size > 0);
    assert(snapshot_is_half(vfs, path) || !storefile_exists(vfs, path));
    made->path = mem_text(path);
    made->vfs = vfs == NULL ? NULL : mem_text(vfs);
    made->size = size;
    int rc = put_marker(vfs, path, err);
    if (rc == E_OK) {
        rc = storefile_delete(vfs, path, err);
    }
    if (rc == E_OK) {
        rc = file_open(&made->file, vfs, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
    }
    if (rc != E_OK) {
        snapshot_target_close(&made);
    }
    *incoming = made;
    return rc;
}

uint64_t snapshot_target_offset(const struct snapshot_target *incoming)
{
    return incoming->offset;
}

int snapshot_target_write(struct snapshot_target *incoming, struct slice chunk, uint32_t crc,
                          struct error *err)
{
    if (chunk.size == 0 || chunk.size > SNAPSHOT_CHUNK_MAX ||
        chunk.size > incoming->size - incoming->offset ||
        crc_extend(0, chunk.data, chunk.size) != crc) {
        return error_set(err, E_CORRUPT, "%s: the chunk at %llu is damaged", incoming->path,
                         (unsigned long long)incoming->offset);
    }
    int rc = file_write(&incoming->file, chunk, incoming->offset);
    if (rc != SQLITE_OK) {
        return fault(rc, "write", incoming->path, err);
    }
    incoming->offset += chunk.size;
    return E_OK;
}

static void release(struct snapshot_target **incoming)
{
    file_close(&(*incoming)->file);
    mem_free((*incoming)->path);
    mem_free((*incoming)->vfs);
    mem_free(*incoming);
    *incoming = NULL;
}

int snapshot_target_finish(struct snapshot_target **incoming, struct error *err)
{
    struct snapshot_target *done = *incoming;

    if (done->offset != done->size) {
        return error_set(err, E_CORRUPT, "%s: %llu of %llu bytes came", done->path,
                         (unsigned long long)done->offset, (unsigned long long)done->size);
    }
    int synced = done->file.base->pMethods->xSync(done->file.base, SQLITE_SYNC_FULL);
    if (synced != SQLITE_OK) {
        return fault(synced, "sync", done->path, err);
    }
    int rc = remove_marker(done->vfs, done->path, err);
    if (rc == E_OK) {
        release(incoming);
    }
    return rc;
}

void snapshot_target_close(struct snapshot_target **incoming)
{
    struct snapshot_target *old = *incoming;

    if (old == NULL) {
        return;
    }
    file_close(&old->file);
    if (storefile_delete(old->vfs, old->path, NULL) == E_OK) {
        (void)remove_marker(old->vfs, old->path, NULL);
    }
    release(incoming);
}
