/*
 * keys.h -- the cluster's CURVE keys: one pair per role, and which public keys are the cluster's.
 *
 *   DIR/cluster.pub   one line per role: ROLE PUBLIC      the same on every machine
 *   DIR/ROLE.key      one line: ROLE PUBLIC SECRET        only where that role runs; mode 0600
 *
 * ROLE is router, shardd, coordinator or tool; keys are 40 characters of Z85 (ZeroMQ RFC 32).
 * Who listens asks for a public key of the list and learns the caller's role from it; who calls
 * asks for the key of the role that it wants to reach. So a router's machine cannot pass for a
 * coordinator, and who has no key learns nothing, not even the cluster's name.
 *
 * Shell: files. Ownership: keys hold their texts; close them, which also wipes the secret.
 * Limits: KEYS_MAX public keys.
 * After: ZeroMQ RFC 26 (CurveZMQ), RFC 27 (ZAP).
 */
#ifndef COMMON_KEYS_H
#define COMMON_KEYS_H

#include "common/error.h"
#include "common/message.h"

enum {
    KEYS_TEXT = 41, /* Z85 of 32 bytes, and a zero. */
    KEYS_MAX = 16   /* Lines of cluster.pub: several per role while keys are replaced. */
};

struct keys_public {
    enum peer_role role;
    char text[KEYS_TEXT];
};

struct keys {
    enum peer_role role; /* 0: no keys, everything in plain text. */
    char public_text[KEYS_TEXT];
    char secret_text[KEYS_TEXT];
    size_t count;
    struct keys_public list[KEYS_MAX];
};

/* Makes the folder, if need be, and new keys of all roles in it. Returns E_OK, E_EXISTS (there are
 * keys: nothing was changed), E_IO. */
int keys_make(const char *dir, struct error *err);
/* The keys that a process of the role needs. Returns E_OK, E_CONFIG (missing, damaged, readable by
 * others; not of the list). */
int keys_read(struct keys *keys, const char *dir, enum peer_role role, struct error *err);
void keys_close(struct keys *keys);
/* The key that a process of the role proves when it is called; null: none is listed. */
const char *keys_of_role(const struct keys *keys, enum peer_role role);
/* Whose key this is, as its 32 bytes; 0: not the cluster's. */
enum peer_role keys_role(const struct keys *keys, const uint8_t public_key[32]);
/* "router", "shardd", "coordinator", "tool". */
const char *keys_role_name(enum peer_role role);
/* Whether a ZeroMQ address can be reached from this machine alone. */
bool keys_is_local(const char *address);

#endif
