/*
 * nemesis.h -- what goes wrong in a run, and what operators do meanwhile.
 *
 *   fault alarms --> crash, power cut | cut pairs, one way too, clogged links, a process cut off
 *                    pause | failing calls and full disks | planned ends | hand-overs, other R
 *                    folders removed, older copies put back, flipped bits
 *
 * What destroys the files of a node is done only while, for each shard that it is known to hold
 * whole, another replica holds it whole: more failures than that lose data by design. Who does is
 * read from the coordinators' state; a node whose files were spoilt holds nothing again until it
 * was seen outside of the in-sync sets. Nor are replicas taken away by an operator meanwhile.
 *
 * Also watches, after each turn of a node, that no two processes would answer strong reads of one
 * shard at the same time, by their own clocks.
 */
#ifndef TESTS_SIM_NEMESIS_H
#define TESTS_SIM_NEMESIS_H

#include "common/nodeset.h"
#include "tests/sim/cluster.h"

enum {
    NEMESIS_ALARM = 1000, /* Alarms of the cluster, from here on: */
    NEMESIS_START = 2000, /* + process. */
    NEMESIS_UNFULL = 2100,
    NEMESIS_JOIN = 3000, /* + a pair of places. */
    NEMESIS_SHARDS = 8
};

struct state;
struct state_shard;

/* A node's folder as it was once. */
struct nemesis_copy {
    struct vfs_image *image; /* Null: none. */
    uint64_t last[NEMESIS_SHARDS];
};

struct nemesis_counters {
    uint64_t wipes, put_backs, flips, clogs, resizes, handovers_asked, full_disks;
};

struct nemesis {
    struct cluster *cluster;
    struct prng *prng;
    uint64_t fault_us, down_us; /* Means. */
    bool is_calm;               /* No new faults. */
    bool is_storm;              /* The coordinator alone fails, again and again. */
    struct nemesis_copy copies[CLUSTER_NODES_MAX];
    struct nodeset hollow[NEMESIS_SHARDS]; /* By shard - 1: counted in sync, files spoilt. */
    bool is_hollow;                        /* Some are. */
    uint64_t resized_us;                   /* When another R was asked for last. */
    uint64_t quiet_us;                     /* Nothing more goes wrong until then. */
    uint64_t told[NEMESIS_SHARDS];         /* cfgver, when verbose. */
    struct nemesis_counters counters;
};

void nemesis_init(struct nemesis *nemesis, struct cluster *cluster, struct prng *prng);
void nemesis_close(struct nemesis *nemesis);
/* Plans the next fault. */
void nemesis_next(struct nemesis *nemesis);
/* Carries out an alarm from NEMESIS_ALARM on. Returns true if clients are to lose patience. */
bool nemesis_alarm(struct nemesis *nemesis, uint32_t alarm);
/* A process has ended: it is started again some time later. */
void nemesis_down(struct nemesis *nemesis, uint32_t proc);
/* After a turn of a node or coordinator: sets the cluster's failure. */
void nemesis_watch(struct nemesis *nemesis, uint32_t proc);
/* What the coordinators agree upon; null: nobody can say now. */
const struct state *nemesis_state(const struct nemesis *nemesis);
/* Reads all files of the nodes that are up: what is damaged is found. */
void nemesis_scrub(struct nemesis *nemesis);
/* Configurations and replicas, for people. */
void nemesis_tell(const struct nemesis *nemesis, struct bytes *out);

#endif
