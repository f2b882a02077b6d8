/*
 * lab.h -- a small cluster in one thread for tests: a coordinator, shard nodes, and the test as
 * router.
 *
 * Time stands still while there are messages and jumps to the next deadline after that. `filter`
 * may drop messages; with `is_lossy` the network drops, repeats, delays and reorders them by its
 * seed. Files are in a folder of their own under /tmp.
 */
#ifndef TESTS_LIB_LAB_H
#define TESTS_LIB_LAB_H

#include "common/prng.h"
#include "common/shardmap.h"
#include "common/txn.h"
#include "coordinator/coord.h"
#include "shardd/shard.h"

enum {
    LAB_NODES_MAX = 4,
    LAB_COORD = 0, /* Places; nodes follow from 1. */
    LAB_CLIENT = LAB_NODES_MAX + 1,
    LAB_PLACES
};

/* A message on its way. */
struct lab_delayed {
    uint64_t at_ms;
    size_t to;
    struct message message; /* With a body of its own. */
};

struct lab {
    char folder[64];
    uint64_t now_ms;
    uint64_t boots; /* Last one given. */
    struct coord *coord;
    struct node *nodes[LAB_NODES_MAX + 1]; /* From 1; null: not running. */
    uint32_t node_count;
    uint32_t replicas; /* Of a shard, for lab_boot; 0: 1. */
    uint64_t boot_of[LAB_PLACES];
    struct outbox inbox[LAB_PLACES];
    struct outbox out;
    uint64_t req_id;
    struct shardmap map; /* As the client knows it. */
    uint64_t sid;
    uint64_t seq;
    uint64_t term;
    bool is_lossy;
    struct prng prng;
    struct lab_delayed *delayed;
    size_t delayed_count, delayed_room;
    bool (*filter)(struct lab *lab, size_t from, size_t to, const struct message *message);
    void *ctx; /* Of filter. */
};

void lab_open(struct lab *lab, uint32_t node_count);
void lab_close(struct lab *lab);
void lab_start_coord(struct lab *lab);
void lab_stop_coord(struct lab *lab);
void lab_start_node(struct lab *lab, uint32_t node);
void lab_stop_node(struct lab *lab, uint32_t node);
/* Runs until nothing more happens before the given time has passed. */
void lab_run(struct lab *lab, uint64_t ms);
/* Sends as the client and runs until the answer is there, at most 20 s. Gives body and type; the
 * text of a refusal in err. */
enum message_type lab_ask(struct lab *lab, struct message *request, struct bytes *reply,
                          struct error *err);
/* Sends as the client, and does not wait: answers come to inbox[LAB_CLIENT]. Gives the req_id. */
uint64_t lab_send(struct lab *lab, const struct message *request);
/* One round over all; time jumps at most to end_ms if nothing happened. */
void lab_step(struct lab *lab, uint64_t end_ms);
/* Waits until the coordinator leads, makes a graph with one replica of each shard, registers. */
void lab_boot(struct lab *lab, const char *graph, int shards);
void lab_refresh(struct lab *lab);
/* ADMIN with a MAP of texts and numbers: key, value, ... null. Numbers are texts of digits. */
enum message_type lab_admin(struct lab *lab, peer_id peer, struct bytes *reply, struct error *err,
                            const char *const *pairs);

#endif
