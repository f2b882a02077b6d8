#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/runner.h"
#include "tests/lib/storefix.h"

/*
 * A file system that fails at the n-th write, size change or sync: with "full" or with "input or
 * output error". Whatever n is, what was acknowledged is there afterwards, and store_verify finds
 * nothing. It has no shared memory: a store needs none.
 */
struct fault {
    sqlite3_vfs vfs;
    sqlite3_vfs *base;
    int64_t left; /* Operations until one fails; below 0: none does. */
    int code;
    bool is_sticky; /* All after it fail too, as a file system that went read-only. */
};

struct fault_file {
    sqlite3_file file;
    struct fault *fault;
    sqlite3_file *real; /* Behind this struct. */
    bool is_spared;     /* The mark of a -wal: nothing depends on it. */
};

static struct fault fault;

static struct fault_file *of(sqlite3_file *file)
{
    return (struct fault_file *)(void *)file;
}

static int strike(struct fault_file *file)
{
    struct fault *f = file->fault;

    if (f->left < 0 || file->is_spared) {
        return SQLITE_OK;
    }
    if (f->left > 0) {
        f->left--;
        return SQLITE_OK;
    }
    if (!f->is_sticky) {
        f->left = -1;
    }
    return f->code;
}

static int on_close(sqlite3_file *file)
{
    return of(file)->real->pMethods->xClose(of(file)->real);
}

static int on_read(sqlite3_file *file, void *data, int size, sqlite3_int64 at)
{
    return of(file)->real->pMethods->xRead(of(file)->real, data, size, at);
}

static int on_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 at)
{
    int rc = strike(of(file));

    return rc != SQLITE_OK ? rc : of(file)->real->pMethods->xWrite(of(file)->real, data, size, at);
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int rc = strike(of(file));

    return rc != SQLITE_OK ? rc : of(file)->real->pMethods->xTruncate(of(file)->real, size);
}

/* Counted, but not carried out: nobody cuts the power here. */
static int on_sync(sqlite3_file *file, int flags)
{
    int rc = strike(of(file));

    (void)flags;
    return rc == SQLITE_IOERR ? SQLITE_IOERR_FSYNC : rc;
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
    if (op == SQLITE_FCNTL_VFS_POINTER) {
        return SQLITE_NOTFOUND;
    }
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
    .iVersion = 1,
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

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    struct fault *f = (struct fault *)(void *)vfs;
    struct fault_file *mine = of(file);
    int rc;

    mine->fault = f;
    mine->is_spared = (flags & SQLITE_OPEN_SUPER_JOURNAL) != 0;
    mine->real = (sqlite3_file *)(void *)(mine + 1);
    rc = f->base->xOpen(f->base, name, mine->real, flags, out);
    mine->file.pMethods = mine->real->pMethods == NULL ? NULL : &methods;
    return rc;
}

static void install(void)
{
    sqlite3_initialize();
    fault.base = sqlite3_vfs_find(NULL);
    fault.vfs = *fault.base;
    fault.vfs.zName = "fault";
    fault.vfs.pNext = NULL;
    fault.vfs.szOsFile = (int)sizeof(struct fault_file) + fault.base->szOsFile;
    fault.vfs.xOpen = on_open;
    fault.left = -1;
    ck_assert_int_eq(sqlite3_vfs_register(&fault.vfs, 0), SQLITE_OK);
}

/* ---- the workload ---- */

static void on_found(void *ctx, const char *what)
{
    (void)ctx;
    ck_abort_msg("verify: %s", what);
}

static uint64_t count(struct storefix *fix, enum read_source source)
{
    struct read_request request = {.source = source};

    return storefix_count(fix, &request);
}

/* One transaction: a vertex and an edge from 0 to it. Returns what append or apply said. */
static int commit(struct storefix *fix, int64_t vertex)
{
    struct store_entry entry = {
        .index = store_state(fix->store).last + 1, .epoch = 1, .kind = STORE_TXN1};
    struct slice list;
    struct bytes body;
    int rc;

    storefix_vertex_with(fix, vid_num(vertex), "v", "k", value_int((int32_t)vertex));
    if (vertex > 0) {
        storefix_edge(fix, 100 + vertex, 0, vertex, "e");
    }
    list = storefix_list(fix);
    storefix_forget(fix);
    bytes_init(&body, 0);
    bytes_varint(&body, 1);
    bytes_varint(&body, (uint64_t)vertex + 1);
    bytes_varint(&body, 0);
    bytes_append(&body, list.data, list.size);
    entry.body = bytes_slice(&body);
    rc = store_append(
        fix->store, &(struct store_append){.entries = &entry, .count = 1, .promise = 1}, &fix->err);
    if (rc == E_OK) {
        rc = store_apply(fix->store, entry.index, &fix->err);
    }
    bytes_close(&body);
    return rc;
}

static void reopen(struct storefix *fix)
{
    fault.left = -1;
    storefix_reopen(fix);
}

/* 20 transactions with a fault at operation n; returns true if it struck. */
static bool run(int64_t n, int code, bool is_sticky)
{
    struct storefix fix;
    int64_t acknowledged = 0;
    uint64_t found;
    bool has_struck = false;

    storefix_open(&fix);
    storefix_remove(&fix);
    fix.options.vfs = "fault";
    fix.options.is_sync = true;
    ck_assert_int_eq(store_open(&fix.store, &fix.options, &fix.err), E_OK);
    fault.left = n;
    fault.code = code;
    fault.is_sticky = is_sticky;
    for (int64_t v = 0; v < 20; v++) {
        uint64_t last = store_state(fix.store).last;
        int rc = commit(&fix, v);

        if (rc == E_OK) {
            acknowledged++;
            (void)store_tend(fix.store, 4, &fix.err);
            continue;
        }
        has_struck = true;
        ck_assert_int_eq(rc, code == SQLITE_FULL ? E_LIMIT : E_IO);
        if (code == SQLITE_FULL && !is_sticky && store_state(fix.store).last == last) {
            v--; /* Rolled back: tried again on the same connection. */
            continue;
        }
        reopen(&fix);
        break;
    }
    reopen(&fix);
    found = count(&fix, READ_VERTICES);
    ck_assert_uint_ge(found, (uint64_t)acknowledged);
    ck_assert_uint_le(found, (uint64_t)acknowledged + 1);
    ck_assert_uint_eq(count(&fix, READ_EDGES), found - (found > 0));
    ck_assert_msg(store_verify(fix.store, on_found, NULL, &fix.err) == E_OK, "%s", fix.err.text);
    storefix_close(&fix);
    return has_struck;
}

static void sweep(int code, bool is_sticky)
{
    int64_t n = 0;

    install();
    while (run(n, code, is_sticky)) {
        n += n < 40 ? 1 : 7;
    }
    ck_assert_int_gt(n, 50);
}

START_TEST(test_full_once)
{
    sweep(SQLITE_FULL, false);
}
END_TEST

START_TEST(test_full_for_good)
{
    sweep(SQLITE_FULL, true);
}
END_TEST

START_TEST(test_error_once)
{
    sweep(SQLITE_IOERR, false);
}
END_TEST

START_TEST(test_error_for_good)
{
    sweep(SQLITE_IOERR, true);
}
END_TEST

RUN_SUITE("store_fault", test_full_once, test_full_for_good, test_error_once, test_error_for_good)
