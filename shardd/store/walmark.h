/*
 * walmark.h -- how much of a -wal was on the disk for good: so that a damaged frame is not taken
 * for the end.
 *
 * At a start SQLite takes the frames of a -wal until one does not match its checksum. After a power
 * cut that is right: what follows was never synced. But a byte that changed on the disk looks the
 * same, and what was committed behind it would be lost without a word. So after each sync the
 * length that is safe is written to a small file beside it (shard-5.db-end):
 *
 *   sequence number and salts of the -wal, length to the end of the last commit, CRC-32C
 *
 * That file is never synced: after a power cut it may be old, which claims less, or torn, which
 * claims nothing. Its word is never false, for a -wal with these salts only grows.
 *
 * Shell: files of SQLite's VFS. After: "The WAL File Format" (sqlite.org/walformat.html).
 */
#ifndef SHARDD_STORE_WALMARK_H
#define SHARDD_STORE_WALMARK_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum { WALMARK_HEAD = 32, WALMARK_FRAME_HEAD = 24, WALMARK_SIZE = 24 };

struct walmark {
    uint32_t sequence; /* Times that this -wal began anew. */
    uint32_t salts[2];
    uint64_t size; /* Bytes from its beginning; 0: nothing is known. */
};

void walmark_encode(const struct walmark *mark, uint8_t out[WALMARK_SIZE]);
/* All zero if it is damaged. */
struct walmark walmark_decode(const uint8_t in[WALMARK_SIZE]);
/* Sequence number and salts from the head of a -wal that is written. */
void walmark_begin(struct walmark *mark, const uint8_t head[WALMARK_HEAD]);
/* True if the -wal is whole up to the mark, or is one that the mark does not tell of. Else *frame
 * is the first one that is damaged, from 1; 0: its head. page_size: of the database. */
bool walmark_holds(const struct walmark *mark, sqlite3_file *wal, int page_size, uint32_t *frame);

#endif
