/*
 * epochs.h -- which epoch each entry of a journal is of, without reading the journal.
 *
 *     base            last
 *      |  5  5  5  7  7  7  9 |        spans: (base, 5) (base + 4, 7) (last, 9)
 *
 * Epochs change seldom and never fall from one entry to the next, so a few pairs (first index,
 * epoch) say it for all. Entries up to and including base are trimmed; the epoch of base itself is
 * kept, so that the first entry after it has a predecessor that can be named.
 *
 * Pure. Ownership: close it. Limits: one pair per epoch that has an entry above base.
 */
#ifndef SHARDD_REPLICA_EPOCHS_H
#define SHARDD_REPLICA_EPOCHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct epochs_span {
    uint64_t first; /* Index. */
    uint64_t epoch;
};

struct epochs {
    uint64_t base;             /* Lowest index whose epoch is known; 0: before the first entry. */
    uint64_t last;             /* Highest index; base if there are no entries. */
    struct epochs_span *spans; /* Both ascend; the first one starts at base. */
    size_t count, room;
};

/* A journal without entries, whose last one was trimmed: index base of epoch (0, 0: a new one). */
void epochs_init(struct epochs *epochs, uint64_t base, uint64_t epoch);
void epochs_close(struct epochs *epochs);
/* Entries last + 1 to last + count are of epoch, which is not below the last one's. */
void epochs_append(struct epochs *epochs, uint64_t count, uint64_t epoch);
/* Entries from index on are gone; index > base. */
void epochs_truncate(struct epochs *epochs, uint64_t index);
/* Entries up to and including index are trimmed; base <= index <= last. */
void epochs_trim(struct epochs *epochs, uint64_t index);
/* base <= index <= last. */
uint64_t epochs_at(const struct epochs *epochs, uint64_t index);
/* The lowest index, not below base, from which on all up to index are of the same epoch. */
uint64_t epochs_first(const struct epochs *epochs, uint64_t index);

#endif
