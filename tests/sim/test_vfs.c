/* The disk in memory: SQLite on it keeps what it synced, whatever happens. */
#include "tests/lib/runner.h"
#include "tests/sim/net.h"
#include "tests/sim/vfs.h"

#include <sqlite3.h>
#include <stdio.h>

enum { SEEDS = 60, ROWS = 200, DOOM_MAX = 400, VALUE_BYTES = 700 };

static sqlite3 *open_db(void)
{
    sqlite3 *db = NULL;
    int rc =
        sqlite3_open_v2("disk/t.db", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "sim-test");

    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(db,
                          "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
                          "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=20;"
                          "CREATE TABLE IF NOT EXISTS t(i INTEGER PRIMARY KEY, b BLOB)",
                          NULL, NULL, NULL);
    }
    if (rc != SQLITE_OK) {
        sqlite3_close(db);
        return NULL;
    }
    return db;
}

static int insert(sqlite3 *db, int number)
{
    char sql[96];

    snprintf(sql, sizeof sql, "INSERT INTO t VALUES(%d, randomblob(%d))", number, VALUE_BYTES);
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int value = -1;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        value = sqlite3_column_int(statement, 0);
    }
    sqlite3_finalize(statement);
    return value;
}

/* Writes until the disk dies; gives the last row that was acknowledged. */
static int write_until_death(struct vfs *vfs)
{
    sqlite3 *db = open_db();
    int last = 0;

    while (db != NULL && last < ROWS && insert(db, last + 1) == SQLITE_OK) {
        last++;
    }
    vfs_kill(vfs);
    sqlite3_close(db);
    return last;
}

static void check_after(int acknowledged)
{
    sqlite3 *db = open_db();

    ck_assert_ptr_nonnull(db);
    ck_assert_int_ge(number(db, "SELECT count(*) FROM t"), acknowledged);
    ck_assert_int_eq(number(db, "SELECT count(*) = coalesce(max(i), 0) FROM t"), 1);
    ck_assert_int_eq(number(db, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
    sqlite3_close(db);
}

START_TEST(power_cuts_lose_nothing_that_was_synced)
{
    uint64_t lost = 0;

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct vfs *vfs = vfs_open("sim-test", seed, true);
        struct prng prng;
        prng_init(&prng, seed);
        vfs_doom(vfs, 1 + prng_below(&prng, DOOM_MAX));
        int acknowledged = write_until_death(vfs);
        vfs_revive(vfs, true);
        check_after(acknowledged);
        lost += vfs_counters(vfs).lost;
        vfs_close(&vfs);
    }
    ck_assert_uint_gt(lost, 0);
}
END_TEST

START_TEST(a_kill_loses_nothing_that_was_written)
{
    struct vfs *vfs = vfs_open("sim-test", 1, true);
    sqlite3 *db = open_db();

    ck_assert_int_eq(sqlite3_exec(db, "PRAGMA synchronous=OFF", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(insert(db, 1), SQLITE_OK);
    vfs_kill(vfs);
    ck_assert_int_ne(insert(db, 2), SQLITE_OK);
    sqlite3_close(db);
    vfs_revive(vfs, false);
    check_after(1);
    vfs_close(&vfs);
}
END_TEST

START_TEST(without_syncs_a_power_cut_loses_rows)
{
    uint64_t lost = 0;

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct vfs *vfs = vfs_open("sim-test", seed, true);
        sqlite3 *db = open_db();
        ck_assert_int_eq(sqlite3_exec(db, "PRAGMA synchronous=NORMAL", NULL, NULL, NULL),
                         SQLITE_OK);
        ck_assert_int_eq(insert(db, 1), SQLITE_OK);
        vfs_kill(vfs);
        sqlite3_close(db);
        vfs_revive(vfs, true);
        db = open_db();
        lost += db == NULL || number(db, "SELECT count(*) FROM t") < 1;
        sqlite3_close(db);
        vfs_close(&vfs);
    }
    ck_assert_uint_gt(lost, 0);
}
END_TEST

START_TEST(a_full_disk_fails_once)
{
    struct vfs *vfs = vfs_open("sim-test", 1, true);
    sqlite3 *db = open_db();

    vfs_fail(vfs, 1, VFS_FULL);
    ck_assert_int_eq(insert(db, 1) & 0xff, SQLITE_FULL);
    ck_assert_int_eq(insert(db, 1), SQLITE_OK);
    vfs_fail(vfs, 1, VFS_IOERR);
    ck_assert_int_eq(insert(db, 2) & 0xff, SQLITE_IOERR);
    ck_assert(!vfs_is_dead(vfs));
    sqlite3_close(db);
    vfs_close(&vfs);
}
END_TEST

START_TEST(the_same_seed_meets_the_same_fate)
{
    uint64_t lost[2];

    for (int i = 0; i < 2; i++) {
        struct vfs *vfs = vfs_open("sim-test", 5, true);
        sqlite3_randomness(0, NULL);
        vfs_doom(vfs, 100);
        write_until_death(vfs);
        vfs_revive(vfs, true);
        lost[i] = vfs_counters(vfs).lost;
        vfs_close(&vfs);
    }
    ck_assert_uint_eq(lost[0], lost[1]);
}
END_TEST

START_TEST(a_network_that_is_cut_carries_nothing)
{
    uint64_t delays_us[NET_COPIES_MAX];
    struct net net;

    net_init(&net, 3);
    net_cut(&net, 1, 2, true);
    for (int i = 0; i < 100; i++) {
        ck_assert_uint_eq(net_send(&net, 1, 2, delays_us), 0);
    }
    net_heal(&net);
    ck_assert_uint_eq(net_send(&net, 1, 2, delays_us), 1);
    net_cut(&net, 1, 2, false);
    ck_assert_uint_eq(net_send(&net, 2, 1, delays_us), 0);
    net_join(&net, 1, 2);
    ck_assert_uint_eq(net_send(&net, 2, 1, delays_us), 1);
}
END_TEST

START_TEST(networks_lose_and_double)
{
    uint64_t delays_us[NET_COPIES_MAX];
    uint64_t lost = 0;
    uint64_t copied = 0;

    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct net net;
        net_init(&net, seed);
        for (int i = 0; i < 200; i++) {
            ck_assert_uint_le(net_send(&net, 0, 1, delays_us), NET_COPIES_MAX);
        }
        lost += net.lost;
        copied += net.copied;
    }
    ck_assert_uint_gt(lost, 0);
    ck_assert_uint_gt(copied, 0);
}
END_TEST

RUN_SUITE("vfs", power_cuts_lose_nothing_that_was_synced, a_kill_loses_nothing_that_was_written,
          without_syncs_a_power_cut_loses_rows, a_full_disk_fails_once,
          the_same_seed_meets_the_same_fate, a_network_that_is_cut_carries_nothing,
          networks_lose_and_double)
