/*
 * fake_shards.h -- a router's remote with a made-up cluster: what it sends is looked at, and
 * answered by hand.
 *
 *   fake_open --> registered, a map with one graph "g" (number 1) of `shards` shards, numbered 11,
 * 12, ...,
 *   each on a node of its own (1, 2, ...)
 */
#ifndef TESTS_LIB_FAKE_SHARDS_H
#define TESTS_LIB_FAKE_SHARDS_H

#include "common/read_write.h"
#include "router/op/exec.h"
#include "router/remote/remote.h"
#include "router/remote/transaction.h"

enum { FAKE_GRAPH = 1, FAKE_SHARD = 11, FAKE_SID = 77, FAKE_TERM = 5 };

struct fake {
    struct remote *remote;
    struct outbox out;
    uint64_t now_ms;
    struct exec exec; /* With txn and remote set. */
    struct arena arena;
};

void fake_open(struct fake *fake, uint32_t shards, enum shardmap_partitioner partitioner);
void fake_close(struct fake *fake);
/* A map of that version, in which all shards have that epoch. */
void fake_map(struct bytes *out, uint64_t version, uint64_t epoch, uint32_t shards,
              enum shardmap_partitioner partitioner);
/* The next of the outbox's messages of a kind, from *at on; null: none. */
const struct message *fake_sent(const struct fake *fake, size_t *at, enum message_type type);
size_t fake_count(const struct fake *fake, enum message_type type);
void fake_clear(struct fake *fake);
/* Answers a message that was sent (or a copy of it). */
void fake_answer(struct fake *fake, const struct message *sent, enum message_type type,
                 struct slice body);
void fake_refuse(struct fake *fake, const struct message *sent, int code);
/* COMMIT1_REPLY, TXN_REPLY, VALIDATE_REPLY. */
void fake_outcome(struct fake *fake, const struct message *sent, enum message_type type,
                  enum txn_outcome outcome, uint64_t term, int code);
/* Lets time pass: a turn of remote at now + ms. */
void fake_wait(struct fake *fake, uint64_t ms);

/* Decodes a READ that was sent; memory is fake->arena's. */
struct read_request fake_read(struct fake *fake, const struct message *sent);
/* The body of a READ_REPLY to the body of a READ: as fake_answer_read. A scan gives `fan` vertices
 * with ids shard * 100 + 0 .. */
void fake_read_reply(struct arena *arena, const struct message *sent, uint32_t fan,
                     struct slice cursor, struct bytes *out);
/* Answers a READ: each input gives `fan` rows of vertices id * 10 + 0 .. fan - 1 with the input's
 * bulk, read at journal index 100, read set {slot 1}. */
void fake_answer_read(struct fake *fake, const struct message *sent, uint32_t fan,
                      struct slice cursor);

#endif
