/*
 * zap.h -- answers ZeroMQ's question whether a key may connect.
 *
 * ZeroMQ's I/O threads ask over inproc during each CURVE handshake; the answer carries the role of
 * the key as User-Id, which each message of that connection then tells (zap_role). Asked and
 * answered between turns, without waiting.
 *
 * Shell. Ownership: keeps the keys.
 * After: ZeroMQ RFC 27.
 */
#ifndef COMMON_ZAP_H
#define COMMON_ZAP_H

#include "common/keys.h"

struct log;

struct zap {
    void *socket; /* Null: closed. */
    const struct keys *keys;
    struct log *log; /* May be null. */
};

/* Before any socket of the context is bound. Returns E_OK, E_IO. */
int zap_open(struct zap *zap, void *context, const struct keys *keys, struct error *err);
void zap_close(struct zap *zap);
/* Answers all that was asked. */
void zap_drain(struct zap *zap);
/* The role of the key that a received zmq_msg_t came under; 0: none. */
enum peer_role zap_role(void *message);

#endif
