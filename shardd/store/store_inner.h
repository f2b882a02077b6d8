/*
 * store_inner.h -- what the store's own files share.
 */
#ifndef SHARDD_STORE_STORE_INNER_H
#define SHARDD_STORE_STORE_INNER_H

#include "shardd/store/changeset.h"
#include "shardd/store/store.h"

struct store {
    struct tables tables;
    char *path;
    char *vfs; /* Null: the default. */
    uint32_t shard;
    enum shardmap_partitioner partitioner;
    enum shardmap_ids ids;
    struct bytes lo;
    struct bytes hi;
    bool is_sync;
    struct store_state state;
    struct store_counters counters;
    uint64_t journal_bytes; /* Of the bodies in the journal. */
    uint64_t hold;          /* Of store_hold; 0: never said. */
    struct bytes key;       /* Scratch of store_inner_owns. */
    struct vid last_owned;  /* An integer id just seen to be in the range. */
    bool has_last_owned;
};

/* Begins an SQLite transaction: level 1 NORMAL, 2 FULL. */
int store_inner_begin(struct store *store, int level, struct error *err);
/* Many reads together: each alone would open and close a transaction. End it with commit. */
int store_inner_begin_read(struct store *store, struct error *err);
int store_inner_commit(struct store *store, struct error *err);
/* Resets all statements and rolls back; what is in memory is read again if it could have changed.
 * */
void store_inner_rollback(struct store *store, bool reload);
int store_inner_meta_put(struct store *store, const char *key, uint64_t value, struct error *err);
/* The vertex's key is in [lo, hi). */
bool store_inner_owns(struct store *store, const struct vid *vertex);
/* store_check within a transaction that is open. */
int store_inner_check(struct store *store, struct slice changes, struct error *err);
/* A journal row as an entry, body in the arena. */
int store_inner_entry(struct store *store, uint64_t index, struct arena *arena,
                      struct store_entry *out, struct error *err);

#endif
