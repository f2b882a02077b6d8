#include "shardd/store/pagesum.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/crc.h"
#include "common/mem.h"
#include "shardd/store/walmark.h"

enum {
    USED = PAGESUM_PAGE - PAGESUM_RESERVED,
    WAL_HEAD = WALMARK_HEAD,
    FRAME_HEAD = WALMARK_FRAME_HEAD,
    PAGES_AT = 4, /* In a frame's head: not 0 in the last one of a commit. */
    FRAME = FRAME_HEAD + PAGESUM_PAGE,
    HEAD_SIZE_AT = 16,     /* Of the file: page size, two bytes. */
    HEAD_RESERVED_AT = 20, /* Bytes kept at the end of each page. */
    HEAD_ROOM = 100,
    PATH_ROOM = 2048,
    PENDING_PAGE = 0x40000000 / PAGESUM_PAGE + 1 /* SQLite locks bytes of it and never uses it. */
};

enum kind { KIND_OTHER, KIND_FILE, KIND_WAL };

/* One word per frame: its sum, with a bit that it is known. */
static const uint64_t KNOWN = 1ull << 32;

struct layer {
    sqlite3_vfs vfs;
    char *below; /* Name: found anew each time, for the simulator takes its disks away. */
};

struct sum_file {
    sqlite3_file base;
    sqlite3_file *real;
    enum kind kind;
    enum pagesum_state state;
    uint32_t fault;
    uint64_t *frames; /* Of a -wal. */
    size_t frame_room;
    bool is_cut; /* A -wal that is damaged before its mark. */
    struct walmark mark;
    uint64_t commit_end; /* Behind the frame whose head was written last, if it ends a commit. */
    uint64_t synced;     /* In the mark file. */
    sqlite3_file *mark_file; /* Null: cannot be written. */
};

static struct sum_file *of(sqlite3_file *file)
{
    return (struct sum_file *)(void *)file;
}

static sqlite3_vfs *below(sqlite3_vfs *vfs)
{
    return sqlite3_vfs_find(((struct layer *)(void *)vfs)->below);
}

/* ---- sums ---- */

static uint32_t sum_of(const uint8_t *page, uint32_t number)
{
    uint8_t text[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                       (uint8_t)number};

    /* The number goes in, so that a page that was written to another's place is found. */
    return crc_extend(crc_extend(0, text, sizeof text), page, USED);
}

static void put_sum(uint8_t *page, uint32_t sum)
{
    for (int i = 0; i < PAGESUM_RESERVED; i++) {
        page[USED + i] = (uint8_t)(sum >> (24 - 8 * i));
    }
}

static bool is_sum(const uint8_t *page, uint32_t number)
{
    uint8_t wanted[PAGESUM_PAGE];

    put_sum(wanted, sum_of(page, number));
    return memcmp(wanted + USED, page + USED, PAGESUM_RESERVED) == 0;
}

/* ---- the file ---- */

/* These bytes are the same in all versions of page 1: so they are whole even if it is torn. */
static enum pagesum_state state_of(const uint8_t *head)
{
    if (head[HEAD_SIZE_AT] != PAGESUM_PAGE >> 8 || head[HEAD_SIZE_AT + 1] != 0) {
        return PAGESUM_BAD;
    }
    return head[HEAD_RESERVED_AT] == PAGESUM_RESERVED ? PAGESUM_ON
           : head[HEAD_RESERVED_AT] == 0              ? PAGESUM_OFF
                                                      : PAGESUM_BAD;
}

/* A file that says that it has no sums, but would match if it said so, is a damaged one. */
static enum pagesum_state look_closer(struct sum_file *file)
{
    uint8_t page[PAGESUM_PAGE];

    if (file->real->pMethods->xRead(file->real, page, PAGESUM_PAGE, 0) != SQLITE_OK) {
        return PAGESUM_OFF;
    }
    page[HEAD_RESERVED_AT] = PAGESUM_RESERVED;
    return is_sum(page, 1) ? PAGESUM_BAD : PAGESUM_OFF;
}

static void find_state(struct sum_file *file)
{
    uint8_t head[HEAD_ROOM];

    if (file->state != PAGESUM_UNKNOWN ||
        file->real->pMethods->xRead(file->real, head, HEAD_ROOM, 0) != SQLITE_OK) {
        return; /* Empty: decided by the first page that is written. */
    }
    file->state = state_of(head);
    if (file->state == PAGESUM_OFF) {
        file->state = look_closer(file);
    }
}

static bool is_page(int size, sqlite3_int64 at)
{
    return size == PAGESUM_PAGE && at % PAGESUM_PAGE == 0;
}

static int read_page(struct sum_file *file, const uint8_t *data, sqlite3_int64 at)
{
    uint32_t number = (uint32_t)(at / PAGESUM_PAGE) + 1;

    find_state(file);
    if (file->state == PAGESUM_BAD || (file->state == PAGESUM_ON && !is_sum(data, number))) {
        file->fault = number;
        return SQLITE_IOERR_DATA;
    }
    return SQLITE_OK;
}

static int write_page(struct sum_file *file, const uint8_t *data, sqlite3_int64 at)
{
    uint8_t page[PAGESUM_PAGE];

    find_state(file);
    if (file->state == PAGESUM_UNKNOWN) {
        /* A file in the making: those of this version all have sums. */
        file->state = at == 0 ? state_of(data) : PAGESUM_ON;
    }
    if (file->state != PAGESUM_ON) {
        return file->real->pMethods->xWrite(file->real, data, PAGESUM_PAGE, at);
    }
    memcpy(page, data, USED);
    put_sum(page, sum_of(page, (uint32_t)(at / PAGESUM_PAGE) + 1));
    return file->real->pMethods->xWrite(file->real, page, PAGESUM_PAGE, at);
}

/* ---- the -wal ---- */

static uint64_t *frame_at(struct sum_file *file, sqlite3_int64 at)
{
    size_t place = (size_t)((at - WAL_HEAD) / FRAME);

    if (place >= file->frame_room) {
        size_t room = place + 1024;
        file->frames = mem_resize(file->frames, room * sizeof *file->frames);
        memset(file->frames + file->frame_room, 0,
               (room - file->frame_room) * sizeof *file->frames);
        file->frame_room = room;
    }
    return &file->frames[place];
}

/* Known from now on, or as it is known. */
static int read_frame(struct sum_file *file, const uint8_t *page, sqlite3_int64 at)
{
    uint64_t *frame = frame_at(file, at);
    uint64_t found = KNOWN | crc_extend(0, page, PAGESUM_PAGE);

    if (*frame != 0 && *frame != found) {
        file->fault = (uint32_t)((at - WAL_HEAD) / FRAME) + 1;
        return SQLITE_IOERR_DATA;
    }
    *frame = found;
    return SQLITE_OK;
}

static int read_wal(struct sum_file *file, const uint8_t *data, int size, sqlite3_int64 at)
{
    sqlite3_int64 into = (at - WAL_HEAD) % FRAME;

    if (file->is_cut) {
        return SQLITE_IOERR_DATA;
    }
    if (at == 0 && size >= WAL_HEAD && file->mark.size == 0) {
        walmark_begin(&file->mark, data);
    }
    if (at >= WAL_HEAD && size == FRAME && into == 0) {
        return read_frame(file, data + FRAME_HEAD, at);
    }
    if (at >= WAL_HEAD && size == PAGESUM_PAGE && into == FRAME_HEAD) {
        return read_frame(file, data, at);
    }
    return SQLITE_OK;
}

static void wrote_wal(struct sum_file *file, const uint8_t *data, int size, sqlite3_int64 at)
{
    if (at < WAL_HEAD) {
        if (at == 0 && size == WAL_HEAD) {
            walmark_begin(&file->mark, data); /* It begins anew. */
        }
        return;
    }
    sqlite3_int64 into = (at - WAL_HEAD) % FRAME;
    uint64_t *frame = frame_at(file, at);

    if (into == 0 && size == FRAME_HEAD) {
        bool is_commit = memcmp(data + PAGES_AT, "\0\0\0\0", 4) != 0;
        file->commit_end = is_commit ? (uint64_t)at + FRAME : 0;
    } else if ((uint64_t)(at + size) == file->commit_end) {
        file->mark.size = file->commit_end;
    }

    if (size == PAGESUM_PAGE && into == FRAME_HEAD) {
        *frame = KNOWN | crc_extend(0, data, PAGESUM_PAGE);
    } else if (into + size > FRAME_HEAD) {
        *frame = 0; /* A page in parts, where sectors may tear: not known. */
    }
}

/* ---- methods of files ---- */

static int on_close(sqlite3_file *base)
{
    struct sum_file *file = of(base);
    int rc = file->real->pMethods == NULL ? SQLITE_OK : file->real->pMethods->xClose(file->real);

    if (file->mark_file != NULL) {
        (void)file->mark_file->pMethods->xClose(file->mark_file);
    }
    mem_free(file->real);
    mem_free(file->mark_file);
    mem_free(file->frames);
    file->real = NULL;
    file->mark_file = NULL;
    file->frames = NULL;
    return rc;
}

static int on_read(sqlite3_file *base, void *data, int size, sqlite3_int64 at)
{
    struct sum_file *file = of(base);
    int rc = file->real->pMethods->xRead(file->real, data, size, at);

    if (rc != SQLITE_OK) {
        return rc;
    }
    if (file->kind == KIND_FILE && is_page(size, at)) {
        return read_page(file, data, at);
    }
    return file->kind == KIND_WAL ? read_wal(file, data, size, at) : SQLITE_OK;
}

static int on_write(sqlite3_file *base, const void *data, int size, sqlite3_int64 at)
{
    struct sum_file *file = of(base);

    if (file->kind == KIND_FILE && is_page(size, at)) {
        return write_page(file, data, at);
    }
    int rc = file->real->pMethods->xWrite(file->real, data, size, at);
    if (file->kind == KIND_WAL && rc == SQLITE_OK) {
        wrote_wal(file, data, size, at);
    }
    return rc;
}

static int on_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct sum_file *file = of(base);

    if (file->kind == KIND_WAL && size == 0 && file->frame_room > 0) {
        memset(file->frames, 0, file->frame_room * sizeof *file->frames);
    }
    return file->real->pMethods->xTruncate(file->real, size);
}

/* Not synced itself: see walmark.h. Without it, less is noticed. */
static void write_mark(struct sum_file *file)
{
    uint8_t data[WALMARK_SIZE];

    walmark_encode(&file->mark, data);
    if (file->mark_file != NULL &&
        file->mark_file->pMethods->xWrite(file->mark_file, data, WALMARK_SIZE, 0) == SQLITE_OK) {
        file->synced = file->mark.size;
    }
}

static int on_sync(sqlite3_file *base, int flags)
{
    struct sum_file *file = of(base);
    int rc = file->real->pMethods->xSync(file->real, flags);

    if (rc == SQLITE_OK && file->kind == KIND_WAL && file->mark.size != file->synced &&
        file->mark.size != 0) {
        write_mark(file);
    }
    return rc;
}

static int on_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return of(file)->real->pMethods->xFileSize(of(file)->real, size);
}

static int on_lock(sqlite3_file *file, int level)
{
    return of(file)->real->pMethods->xLock(of(file)->real, level);
}

static int on_unlock(sqlite3_file *file, int level)
{
    return of(file)->real->pMethods->xUnlock(of(file)->real, level);
}

static int on_check(sqlite3_file *file, int *result)
{
    return of(file)->real->pMethods->xCheckReservedLock(of(file)->real, result);
}

static int on_control(sqlite3_file *file, int op, void *arg)
{
    return of(file)->real->pMethods->xFileControl(of(file)->real, op, arg);
}

static int on_sector(sqlite3_file *file)
{
    return of(file)->real->pMethods->xSectorSize(of(file)->real);
}

static int on_device(sqlite3_file *file)
{
    return of(file)->real->pMethods->xDeviceCharacteristics(of(file)->real);
}

static const sqlite3_io_methods methods = {
    .iVersion = 1, /* No shared memory, no mmap. */
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_check,
    .xFileControl = on_control,
    .xSectorSize = on_sector,
    .xDeviceCharacteristics = on_device,
};

/* ---- methods of the VFS ---- */

/* Opens the mark beside a -wal and compares the two. */
static void open_mark(struct sum_file *file, sqlite3_vfs *real, const char *name)
{
    uint8_t data[WALMARK_SIZE];
    char path[PATH_ROOM];
    size_t size = strlen(name);

    if (size < 4 || strcmp(name + size - 4, "-wal") != 0 ||
        snprintf(path, sizeof path, "%.*s-end", (int)(size - 4), name) >= PATH_ROOM) {
        return;
    }
    file->mark_file = mem_alloc((size_t)real->szOsFile);
    if (real->xOpen(real, path, file->mark_file,
                    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_SUPER_JOURNAL,
                    NULL) != SQLITE_OK) {
        if (file->mark_file->pMethods != NULL) {
            (void)file->mark_file->pMethods->xClose(file->mark_file);
        }
        mem_free(file->mark_file);
        file->mark_file = NULL;
        return;
    }
    if (file->mark_file->pMethods->xRead(file->mark_file, data, WALMARK_SIZE, 0) == SQLITE_OK) {
        struct walmark mark = walmark_decode(data);
        file->is_cut = !walmark_holds(&mark, file->real, PAGESUM_PAGE, &file->fault);
        file->fault += file->is_cut && file->fault == 0 ? 1 : 0;
        file->fault = file->is_cut ? file->fault : 0;
    }
}

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out)
{
    struct sum_file *file = of(base);
    sqlite3_vfs *real = below(vfs);

    *file = (struct sum_file){0};
    if (real == NULL) {
        return SQLITE_CANTOPEN;
    }
    file->real = mem_alloc((size_t)real->szOsFile);
    file->kind = (flags & SQLITE_OPEN_MAIN_DB) != 0 ? KIND_FILE
                 : (flags & SQLITE_OPEN_WAL) != 0   ? KIND_WAL
                                                    : KIND_OTHER;
    int rc = real->xOpen(real, name, file->real, flags, out);
    if (rc != SQLITE_OK) {
        if (file->real->pMethods != NULL) {
            (void)file->real->pMethods->xClose(file->real);
        }
        mem_free(file->real);
        file->real = NULL;
        return rc;
    }
    file->base.pMethods = &methods;
    if (file->kind == KIND_WAL && name != NULL) {
        open_mark(file, real, name);
    }
    return SQLITE_OK;
}

static int on_delete(sqlite3_vfs *vfs, const char *name, int is_synced)
{
    sqlite3_vfs *real = below(vfs);

    return real->xDelete(real, name, is_synced);
}

static int on_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    sqlite3_vfs *real = below(vfs);

    return real->xAccess(real, name, flags, out);
}

static int on_path(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
    sqlite3_vfs *real = below(vfs);

    return real->xFullPathname(real, name, size, out);
}

static int on_random(sqlite3_vfs *vfs, int size, char *out)
{
    sqlite3_vfs *real = below(vfs);

    return real->xRandomness(real, size, out);
}

static int on_sleep(sqlite3_vfs *vfs, int microseconds)
{
    sqlite3_vfs *real = below(vfs);

    return real->xSleep(real, microseconds);
}

static int on_time(sqlite3_vfs *vfs, double *now)
{
    sqlite3_vfs *real = below(vfs);

    return real->xCurrentTime(real, now);
}

static int on_last_error(sqlite3_vfs *vfs, int size, char *text)
{
    sqlite3_vfs *real = below(vfs);

    return real->xGetLastError == NULL ? 0 : real->xGetLastError(real, size, text);
}

const char *pagesum_vfs(const char *name)
{
    const sqlite3_vfs *real = sqlite3_vfs_find(name);
    struct layer *layer;
    char full[128];

    if (real == NULL ||
        snprintf(full, sizeof full, "pagesum-%s", real->zName) >= (int)sizeof full) {
        return NULL;
    }
    const sqlite3_vfs *there = sqlite3_vfs_find(full);
    if (there != NULL) {
        return there->zName;
    }
    layer = mem_alloc(sizeof *layer);
    layer->below = mem_text(real->zName);
    layer->vfs = (sqlite3_vfs){.iVersion = 1,
                               .szOsFile = sizeof(struct sum_file),
                               .mxPathname = real->mxPathname,
                               .zName = mem_text(full),
                               .xOpen = on_open,
                               .xDelete = on_delete,
                               .xAccess = on_access,
                               .xFullPathname = on_path,
                               .xRandomness = on_random,
                               .xSleep = on_sleep,
                               .xCurrentTime = on_time,
                               .xGetLastError = on_last_error};
    return sqlite3_vfs_register(&layer->vfs, 0) == SQLITE_OK ? layer->vfs.zName : NULL;
}

/* ---- what is asked of an open file ---- */

static struct sum_file *file_of(sqlite3 *db, int what)
{
    sqlite3_file *file = NULL;

    sqlite3_file_control(db, "main", what, (void *)&file);
    return file == NULL || file->pMethods != &methods ? NULL : of(file);
}

int pagesum_reserve(sqlite3 *db)
{
    int size = PAGESUM_RESERVED;

    return sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &size);
}

enum pagesum_state pagesum_state(sqlite3 *db)
{
    struct sum_file *file = file_of(db, SQLITE_FCNTL_FILE_POINTER);

    if (file == NULL) {
        return PAGESUM_UNKNOWN;
    }
    find_state(file);
    return file->state;
}

uint32_t pagesum_fault(sqlite3 *db, bool *is_wal)
{
    const struct sum_file *file = file_of(db, SQLITE_FCNTL_FILE_POINTER);
    const struct sum_file *wal = file_of(db, SQLITE_FCNTL_JOURNAL_POINTER);

    *is_wal = wal != NULL && wal->fault != 0;
    return *is_wal ? wal->fault : file == NULL ? 0 : file->fault;
}

uint32_t pagesum_scan(sqlite3 *db, uint32_t *page, uint32_t count)
{
    struct sum_file *file = file_of(db, SQLITE_FCNTL_FILE_POINTER);
    uint8_t data[PAGESUM_PAGE];

    assert(*page > 0);
    for (uint32_t i = 0; file != NULL && i < count; i++) {
        sqlite3_int64 at = ((sqlite3_int64)*page - 1) * PAGESUM_PAGE;
        if (file->real->pMethods->xRead(file->real, data, PAGESUM_PAGE, at) != SQLITE_OK) {
            *page = 0;
            return 0;
        }
        uint32_t number = (*page)++;
        if (number != PENDING_PAGE && file->state == PAGESUM_ON && !is_sum(data, number)) {
            file->fault = number;
            return number;
        }
    }
    if (file == NULL) {
        *page = 0;
    }
    return 0;
}
