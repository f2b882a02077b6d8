/*
 * control.h -- bodies of the small messages between routers and coordinators.
 *
 * ROUTER_REGISTER    empty
 * ROUTER_REGISTERED  varint sid, varint term, blob map (shardmap_encode)
 * MAP_GET            varint version: the newest that the asker has; 0: none
 * MAP                the map (shardmap_encode); empty: there is none newer
 * IDS_LEASE          varint graph, varint count wanted
 * IDS_LEASED         varint graph, varint first, varint count: ids first .. first + count - 1
 *
 * A coordinator that does not lead refuses with E_NOT_LEADER; the text ends with the number of the
 * leader if it knows one: "the leader is 2". control_leader reads it back.
 *
 * Pure. Decoded bodies borrow from their input.
 * Limits: ids below CONTROL_ID_MAX, at most CONTROL_IDS_MAX a block.
 */
#ifndef COMMON_CONTROL_H
#define COMMON_CONTROL_H

#include "common/reader.h"

#define CONTROL_ID_MAX ((uint64_t)1 << 53)

enum { CONTROL_IDS_MAX = 1 << 24 };

struct control_registered {
    uint64_t sid; /* Never 0. */
    uint64_t term;
    struct slice map;
};

struct control_lease {
    uint32_t graph;
    uint64_t first; /* 0 in IDS_LEASE. */
    uint64_t count;
};

void control_registered_encode(struct bytes *out, const struct control_registered *registered);
int control_registered_decode(struct slice body, struct control_registered *registered,
                              struct error *err);
void control_map_get_encode(struct bytes *out, uint64_t version);
int control_map_get_decode(struct slice body, uint64_t *version, struct error *err);
/* IDS_LEASE. */
void control_lease_encode(struct bytes *out, uint32_t graph, uint64_t count);
int control_lease_decode(struct slice body, struct control_lease *lease, struct error *err);
/* IDS_LEASED. */
void control_leased_encode(struct bytes *out, const struct control_lease *lease);
int control_leased_decode(struct slice body, struct control_lease *lease, struct error *err);

/* Fills err with E_NOT_LEADER; leader 0: not known. */
int control_not_leader(struct error *err, uint32_t leader);
/* The leader told by such an error; 0: none. */
uint32_t control_leader(const struct error *err);

#endif
