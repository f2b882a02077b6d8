/*
 * pagesum.h -- a checksum in each page of a shard's file: a byte that changed on the disk is found
 * by the read that meets it.
 *
 *   SQLite --xRead, xWrite--> this VFS --> the VFS below (the machine's, or the simulator's)
 *
 *   page of the file  | what SQLite uses: 4,092 bytes | CRC-32C of these and of the page's number |
 *   page in the -wal  | the sum of each frame is kept in memory from when it was written, or was
 *                     | read, and checked by SQLite, at the start; how many there have to be is
 *                     | told by a file of its own (walmark.h)
 *
 * Sums are written when a checkpoint writes a page, so nothing else of SQLite's format changes: the
 * file opens in the sqlite3 shell (which must not write to it: its pages would have no sums). A
 * page that does not match gives SQLITE_IOERR_DATA, and pagesum_fault tells which. Pages that are
 * never read (free ones) do no harm. Nothing is assumed about a file before a page of it is asked
 * for: what a power cut left torn is covered by the -wal.
 *
 * Shell: SQLite. One connection a file, without shared memory and without mmap. One thread.
 */
#ifndef SHARDD_STORE_PAGESUM_H
#define SHARDD_STORE_PAGESUM_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum { PAGESUM_PAGE = 4096, PAGESUM_RESERVED = 4 };

enum pagesum_state {
    PAGESUM_UNKNOWN, /* Nothing was read or written. */
    PAGESUM_ON,
    PAGESUM_OFF, /* A file of an earlier format: no page of it has a sum. */
    PAGESUM_BAD  /* The head of the file is not one that was ever written. */
};

/* The name of the VFS with sums over the named one (null: the default). Registered when first asked
 * for, for the life of the process. Null if there is none below. */
const char *pagesum_vfs(const char *below);
/* Before the first page of a new file is made, or before VACUUM INTO makes one. */
int pagesum_reserve(sqlite3 *db);
enum pagesum_state pagesum_state(sqlite3 *db);
/* What did not match when last read, from 1; 0: all did. *is_wal: it is a frame of the -wal. */
uint32_t pagesum_fault(sqlite3 *db, bool *is_wal);
/* Reads up to `count` pages of the file from *page on (from 1), past SQLite's cache, and sets
 * *page behind the last one read. Returns the number of a page that does not match, 0 if all do or
 * the file ended (then *page is 0). Exact only behind a checkpoint. */
uint32_t pagesum_scan(sqlite3 *db, uint32_t *page, uint32_t count);

#endif
