/*
 * message.h -- the messages between processes: one table, one fixed header.
 *
 * header, 80 bytes, big endian:
 *   u32 magic 'GRD1' | u8 version | u8 type | u16 flags | u64 cluster_id | u32 src_node | u64
 * src_boot
 *   u64 dst_boot (0 = any) | u64 req_id | u64 link_seq | u32 shard | u64 epoch | u32 deadline_ms
 *   u32 body_size | u32 crc32c(header with crc 0, then body)
 *   (4 bytes 0 to fill)
 *
 * A reply has the req_id of its request. Requests are repeated by whoever sent them; every handler
 * is idempotent by its own key (sid and seq, gtid, config version).
 *
 * Pure. A decoded message borrows its body from the input.
 * Limits: MESSAGE_BODY_MAX bytes of body.
 */
#ifndef COMMON_MESSAGE_H
#define COMMON_MESSAGE_H

#include "common/reader.h"

enum {
    MESSAGE_MAGIC = 0x47524431,
    MESSAGE_VERSION = 1,
    MESSAGE_HEADER_SIZE = 80,
    MESSAGE_BODY_MAX = 16 << 20,
    MESSAGE_LAST = 1 /* flag: no more replies to this request. */
};

enum message_type {
#define MESSAGE(name, number, from, to, what) MESSAGE_##name = (number),
#include "common/message.def"
#undef MESSAGE
};

/* Who is at the other end. A peer we call is named by role and node; one that called us by a handle
 * that its host's transport gave (top bit set): replies go back to it. */
typedef uint64_t peer_id;

enum peer_role { PEER_ROUTER = 1, PEER_SHARDD = 2, PEER_COORDINATOR = 3, PEER_TOOL = 4 };

#define PEER_NODE(role, node) (((uint64_t)(role) << 32) | (uint32_t)(node))
#define PEER_CALLER_BIT       ((uint64_t)1 << 63)

struct message {
    enum message_type type;
    uint16_t flags;
    uint32_t deadline_ms; /* Remaining; 0: none. */
    uint64_t cluster_id;
    uint64_t src_boot;
    uint64_t dst_boot;
    uint64_t req_id;
    uint64_t link_seq;
    uint64_t epoch;
    uint32_t src_node;
    uint32_t shard;
    peer_id peer; /* Not on the wire: where it came from, or is to go. */
    struct slice body;
};

const char *message_name(enum message_type type); /* "?" for an unknown one. */
bool message_is_known(unsigned number);
/* Whether message.def lets this role send it. */
bool message_allows(enum message_type type, enum peer_role from);
/* Writes header and body. */
void message_encode(struct bytes *out, const struct message *message);
/* Returns E_OK or E_MALFORMED (magic, version, size, crc, unknown type). */
int message_decode(struct slice input, struct message *message, struct error *err);
/* For golden tests and traces. */
void message_dump(struct bytes *out, const struct message *message);

/* REFUSED's body. */
void message_refuse(struct bytes *body, const struct error *err);
int message_refusal(struct slice body, struct error *err); /* Returns the code told. */

#endif
