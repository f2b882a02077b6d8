#include "tests/sim/vfs.h"

#include "common/mem.h"
#include "common/prng.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum { SECTOR = 512, ROOM_FIRST = 64 * 1024, FATES = 4, CALL_MAX = 65536 };

static const double A_DAY = 2460000.5; /* Julian. */

struct file {
    struct file *next;
    char name[VFS_NAME_MAX];
    uint8_t *now, *durable;
    uint8_t *dirty; /* A byte a sector. */
    size_t size, durable_size, room;
    bool is_there, is_durable;
    bool is_temporary;
};

struct vfs {
    sqlite3_vfs base; /* First: SQLite gives it back. */
    char name[VFS_NAME_MAX];
    struct prng prng;
    struct file *files;
    uint64_t die_at, fail_at; /* Numbers of calls; 0: never. */
    enum vfs_fault fault;
    bool is_dead, is_full;
    struct vfs_counters counters;
};

struct handle {
    sqlite3_file base; /* First. */
    struct file *file;
    struct vfs *vfs;
};

static struct handle *handle_of(sqlite3_file *base)
{
    return (struct handle *)(void *)base;
}

static struct vfs *vfs_of(sqlite3_vfs *base)
{
    return (struct vfs *)(void *)base;
}

/* ---- files ---- */

static void need(struct file *file, size_t size)
{
    size_t room = file->room == 0 ? ROOM_FIRST : file->room;

    if (size <= file->room) {
        return;
    }
    while (room < size) {
        room *= 2;
    }
    file->now = mem_resize(file->now, room);
    file->durable = mem_resize(file->durable, room);
    file->dirty = mem_resize(file->dirty, room / SECTOR);
    memset(file->now + file->room, 0, room - file->room);
    memset(file->durable + file->room, 0, room - file->room);
    memset(file->dirty + file->room / SECTOR, 0, (room - file->room) / SECTOR);
    file->room = room;
}

static struct file *find(const struct vfs *vfs, const char *name)
{
    for (struct file *file = vfs->files; file != NULL; file = file->next) {
        if (!file->is_temporary && strcmp(file->name, name) == 0) {
            return file;
        }
    }
    return NULL;
}

static struct file *make(struct vfs *vfs, const char *name)
{
    struct file *file = mem_alloc(sizeof *file);

    *file = (struct file){.next = vfs->files, .is_temporary = name == NULL};
    snprintf(file->name, sizeof file->name, "%s", name == NULL ? "" : name);
    vfs->files = file;
    return file;
}

static void free_file(struct file *file)
{
    mem_free(file->now);
    mem_free(file->durable);
    mem_free(file->dirty);
    mem_free(file);
}

static void forget(struct vfs *vfs, struct file *file)
{
    struct file **at = &vfs->files;

    while (*at != file) {
        at = &(*at)->next;
    }
    *at = file->next;
    free_file(file);
}

static void empty(struct file *file)
{
    file->is_there = file->is_durable = false;
    file->size = file->durable_size = 0;
    if (file->room > 0) {
        memset(file->now, 0, file->room);
        memset(file->durable, 0, file->room);
        memset(file->dirty, 0, file->room / SECTOR);
    }
}

/* ---- faults ---- */

enum fate { GOES_ON, DIES_NOW, IS_DEAD, FAILS_ONCE };

static enum fate count_call(struct vfs *vfs)
{
    uint64_t call = ++vfs->counters.calls;

    if (vfs->is_dead) {
        return IS_DEAD;
    }
    if (call == vfs->die_at) {
        vfs->is_dead = true;
        return DIES_NOW;
    }
    return call == vfs->fail_at ? FAILS_ONCE : GOES_ON;
}

static int fail_code(const struct vfs *vfs, int code)
{
    return !vfs->is_dead && vfs->fault == VFS_FULL ? SQLITE_FULL : code;
}

/* ---- methods of a file ---- */

static int close_file(sqlite3_file *base)
{
    struct handle *handle = handle_of(base);

    if (handle->file->is_temporary) {
        forget(handle->vfs, handle->file);
    }
    return SQLITE_OK;
}

static int read_file(sqlite3_file *base, void *data, int count, sqlite3_int64 offset)
{
    const struct handle *handle = handle_of(base);
    size_t size = handle->file->size;
    size_t at = (size_t)offset;
    size_t left = at < size ? size - at : 0;
    size_t taken = left < (size_t)count ? left : (size_t)count;

    if (handle->vfs->is_dead) {
        return SQLITE_IOERR_READ;
    }
    if (taken > 0) {
        memcpy(data, handle->file->now + at, taken);
    }
    memset((uint8_t *)data + taken, 0, (size_t)count - taken);
    return taken < (size_t)count ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

static void put(struct file *file, const void *data, size_t count, size_t at)
{
    if (count == 0) {
        return;
    }
    need(file, at + count);
    memcpy(file->now + at, data, count);
    memset(file->dirty + at / SECTOR, 1, (at + count - 1) / SECTOR - at / SECTOR + 1);
    file->size = at + count > file->size ? at + count : file->size;
}

static int write_file(sqlite3_file *base, const void *data, int count, sqlite3_int64 offset)
{
    struct handle *handle = handle_of(base);
    struct vfs *vfs = handle->vfs;
    assert(count > 0 && count <= CALL_MAX);
    enum fate fate = count_call(vfs);

    if (fate == GOES_ON && vfs->is_full && (size_t)offset + (size_t)count > handle->file->size) {
        return SQLITE_FULL;
    }
    if (fate == DIES_NOW) {
        put(handle->file, data, prng_below(&vfs->prng, (uint64_t)count + 1), (size_t)offset);
    } else if (fate == GOES_ON) {
        put(handle->file, data, (size_t)count, (size_t)offset);
    }
    return fate == GOES_ON ? SQLITE_OK : fail_code(vfs, SQLITE_IOERR_WRITE);
}

static int truncate_file(sqlite3_file *base, sqlite3_int64 size)
{
    struct handle *handle = handle_of(base);
    struct file *file = handle->file;
    size_t end = (size_t)size;

    if (count_call(handle->vfs) != GOES_ON) {
        return SQLITE_IOERR_TRUNCATE;
    }
    if (end < file->size) {
        memset(file->now + end, 0, file->size - end);
        memset(file->dirty + end / SECTOR, 1, (file->size - 1) / SECTOR - end / SECTOR + 1);
        file->size = end;
    }
    return SQLITE_OK;
}

static int sync_file(sqlite3_file *base, int flags)
{
    struct handle *handle = handle_of(base);
    struct file *file = handle->file;

    (void)flags;
    if (count_call(handle->vfs) != GOES_ON) {
        return SQLITE_IOERR_FSYNC;
    }
    handle->vfs->counters.syncs++;
    for (size_t i = 0; i < file->room / SECTOR; i++) {
        if (file->dirty[i] != 0) {
            memcpy(file->durable + i * SECTOR, file->now + i * SECTOR, SECTOR);
            file->dirty[i] = 0;
        }
    }
    file->durable_size = file->size;
    file->is_durable = true;
    return SQLITE_OK;
}

static int size_of_file(sqlite3_file *base, sqlite3_int64 *size)
{
    *size = (sqlite3_int64)handle_of(base)->file->size;
    return SQLITE_OK;
}

static int lock_file(sqlite3_file *base, int level)
{
    (void)base, (void)level;
    return SQLITE_OK;
}

static int check_lock(sqlite3_file *base, int *is_held)
{
    (void)base;
    *is_held = 0;
    return SQLITE_OK;
}

static int control_file(sqlite3_file *base, int code, void *arg)
{
    (void)base, (void)code, (void)arg;
    return SQLITE_NOTFOUND;
}

static int sector_size(sqlite3_file *base)
{
    (void)base;
    return SECTOR;
}

static int traits(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods file_methods = {.iVersion = 1,
                                                .xClose = close_file,
                                                .xRead = read_file,
                                                .xWrite = write_file,
                                                .xTruncate = truncate_file,
                                                .xSync = sync_file,
                                                .xFileSize = size_of_file,
                                                .xLock = lock_file,
                                                .xUnlock = lock_file,
                                                .xCheckReservedLock = check_lock,
                                                .xFileControl = control_file,
                                                .xSectorSize = sector_size,
                                                .xDeviceCharacteristics = traits};

/* ---- methods of the disk ---- */

static int open_file(sqlite3_vfs *base, sqlite3_filename name, sqlite3_file *out, int flags,
                     int *flags_out)
{
    struct vfs *vfs = vfs_of(base);
    struct handle *handle = handle_of(out);
    struct file *file = name == NULL ? NULL : find(vfs, name);

    handle->base.pMethods = NULL;
    if (vfs->is_dead) {
        return SQLITE_CANTOPEN;
    }
    if (file == NULL || !file->is_there) {
        if ((flags & SQLITE_OPEN_CREATE) == 0) {
            return SQLITE_CANTOPEN;
        }
        file = file == NULL ? make(vfs, name) : file;
        file->is_there = true;
    }
    *handle = (struct handle){.base.pMethods = &file_methods, .file = file, .vfs = vfs};
    if (flags_out != NULL) {
        *flags_out = flags;
    }
    return SQLITE_OK;
}

static int delete_file(sqlite3_vfs *base, const char *name, int is_synced)
{
    struct vfs *vfs = vfs_of(base);
    struct file *file = find(vfs, name);

    (void)is_synced;
    if (count_call(vfs) != GOES_ON) {
        return SQLITE_IOERR_DELETE;
    }
    if (file == NULL || !file->is_there) {
        return SQLITE_IOERR_DELETE_NOENT;
    }
    empty(file);
    return SQLITE_OK;
}

/* As SQLite's own for Unix: an empty file is none. */
static int access_file(sqlite3_vfs *base, const char *name, int flags, int *is_there)
{
    const struct file *file = find(vfs_of(base), name);

    (void)flags;
    *is_there = file != NULL && file->is_there && file->size > 0;
    return SQLITE_OK;
}

static int full_name(sqlite3_vfs *base, const char *name, int room, char *out)
{
    (void)base;
    snprintf(out, (size_t)room, "%s", name);
    return SQLITE_OK;
}

static int randomness(sqlite3_vfs *base, int count, char *out)
{
    for (int i = 0; i < count; i++) {
        out[i] = (char)prng_next(&vfs_of(base)->prng);
    }
    return count;
}

static int sleep_for(sqlite3_vfs *base, int microseconds)
{
    (void)base;
    return microseconds;
}

static int current_time(sqlite3_vfs *base, double *day)
{
    (void)base;
    *day = A_DAY;
    return SQLITE_OK;
}

static int last_error(sqlite3_vfs *base, int room, char *out)
{
    (void)base, (void)room, (void)out;
    return 0;
}

/* ---- life ---- */

struct vfs *vfs_open(const char *name, uint64_t seed, bool is_default)
{
    struct vfs *vfs = mem_alloc(sizeof *vfs);

    *vfs = (struct vfs){.base = {.iVersion = 1,
                                 .szOsFile = sizeof(struct handle),
                                 .mxPathname = VFS_NAME_MAX,
                                 .xOpen = open_file,
                                 .xDelete = delete_file,
                                 .xAccess = access_file,
                                 .xFullPathname = full_name,
                                 .xRandomness = randomness,
                                 .xSleep = sleep_for,
                                 .xCurrentTime = current_time,
                                 .xGetLastError = last_error}};
    snprintf(vfs->name, sizeof vfs->name, "%s", name);
    vfs->base.zName = vfs->name;
    prng_init(&vfs->prng, seed);
    sqlite3_vfs_register(&vfs->base, is_default);
    return vfs;
}

void vfs_close(struct vfs **vfs)
{
    struct vfs *closed = *vfs;

    if (closed == NULL) {
        return;
    }
    sqlite3_vfs_unregister(&closed->base);
    while (closed->files != NULL) {
        forget(closed, closed->files);
    }
    mem_free(closed);
    *vfs = NULL;
}

void vfs_doom(struct vfs *vfs, uint64_t calls)
{
    vfs->die_at = vfs->counters.calls + calls;
}

void vfs_kill(struct vfs *vfs)
{
    vfs->is_dead = true;
}

bool vfs_is_dead(const struct vfs *vfs)
{
    return vfs->is_dead;
}

void vfs_fail(struct vfs *vfs, uint64_t calls, enum vfs_fault fault)
{
    vfs->fail_at = vfs->counters.calls + calls;
    vfs->fault = fault;
}

/* One sector: dropped, torn, or kept. Returns how much of it there is. */
static size_t cut_sector(struct vfs *vfs, struct file *file, size_t sector)
{
    uint64_t fate = prng_below(&vfs->prng, FATES);
    size_t kept = fate == 0 ? 0 : fate == 1 ? prng_below(&vfs->prng, SECTOR + 1) : SECTOR;

    memcpy(file->durable + sector * SECTOR, file->now + sector * SECTOR, kept);
    vfs->counters.lost += kept < SECTOR;
    return kept;
}

static void cut_file(struct vfs *vfs, struct file *file)
{
    size_t size = file->durable_size;
    bool is_dirty = false;

    for (size_t i = 0; i < file->room / SECTOR; i++) {
        if (file->dirty[i] == 0) {
            continue;
        }
        size_t end = i * SECTOR + cut_sector(vfs, file, i);
        end = end > file->size ? file->size : end;
        size = end > size && i * SECTOR < file->size ? end : size;
        is_dirty = true;
    }
    if (is_dirty && file->size < size && prng_chance(&vfs->prng, 0.5)) {
        size = file->size;
        memset(file->durable + size, 0, file->room - size);
    }
    if (!file->is_durable && prng_chance(&vfs->prng, 0.5)) {
        empty(file);
        return;
    }
    file->size = file->durable_size = size;
    file->is_durable = file->is_there;
    if (file->room > 0) {
        memcpy(file->now, file->durable, file->room);
        memset(file->dirty, 0, file->room / SECTOR);
    }
}

void vfs_revive(struct vfs *vfs, bool is_cut)
{
    vfs->is_dead = false;
    vfs->die_at = vfs->fail_at = 0;
    if (!is_cut) {
        return;
    }
    vfs->counters.cuts++;
    for (struct file *file = vfs->files; file != NULL; file = file->next) {
        cut_file(vfs, file);
    }
}

void vfs_set_full(struct vfs *vfs, bool is_full)
{
    vfs->is_full = is_full;
}

/* ---- the folder ---- */

struct vfs_image {
    struct file *files;
};

void vfs_wipe(struct vfs *vfs)
{
    for (struct file *file = vfs->files; file != NULL; file = file->next) {
        empty(file);
    }
}

bool vfs_flip(struct vfs *vfs, const char *prefix)
{
    struct file *chosen = NULL;
    uint64_t seen = 0;

    for (struct file *file = vfs->files; file != NULL; file = file->next) {
        if (file->is_there && file->size > 0 && strncmp(file->name, prefix, strlen(prefix)) == 0 &&
            prng_below(&vfs->prng, ++seen) == 0) {
            chosen = file;
        }
    }
    if (chosen == NULL) {
        return false;
    }
    uint64_t bit = prng_below(&vfs->prng, (uint64_t)chosen->size * 8);
    chosen->now[bit / 8] ^= (uint8_t)(1U << bit % 8);
    chosen->durable[bit / 8] = chosen->now[bit / 8];
    return true;
}

struct vfs_image *vfs_copy(const struct vfs *vfs)
{
    struct vfs_image *image = mem_alloc(sizeof *image);

    *image = (struct vfs_image){0};
    for (const struct file *file = vfs->files; file != NULL; file = file->next) {
        if (!file->is_there || file->is_temporary) {
            continue;
        }
        struct file *copy = mem_alloc(sizeof *copy);
        *copy = (struct file){.next = image->files, .size = file->size};
        memcpy(copy->name, file->name, sizeof copy->name);
        copy->now = file->size == 0 ? NULL : mem_copy(file->now, file->size);
        image->files = copy;
    }
    return image;
}

void vfs_put_back(struct vfs *vfs, const struct vfs_image *image)
{
    vfs_wipe(vfs);
    for (const struct file *copy = image->files; copy != NULL; copy = copy->next) {
        struct file *file = find(vfs, copy->name);
        if (file == NULL) {
            file = make(vfs, copy->name);
        }
        need(file, copy->size);
        if (copy->size > 0) {
            memcpy(file->now, copy->now, copy->size);
            memcpy(file->durable, copy->now, copy->size);
        }
        file->size = file->durable_size = copy->size;
        file->is_there = file->is_durable = true;
    }
}

void vfs_image_close(struct vfs_image **image)
{
    while (*image != NULL && (*image)->files != NULL) {
        struct file *file = (*image)->files;
        (*image)->files = file->next;
        free_file(file);
    }
    mem_free(*image);
    *image = NULL;
}

struct vfs_counters vfs_counters(const struct vfs *vfs)
{
    return vfs->counters;
}
