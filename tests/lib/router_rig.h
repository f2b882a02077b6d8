/*
 * router_rig.h -- the router's facade against a coordinator and shards that answer by a script.
 * Frames are text (fake_wire.c).
 */
#ifndef TESTS_LIB_ROUTER_RIG_H
#define TESTS_LIB_ROUTER_RIG_H

#include "router/router.h"

enum { RIG_SHARDS = 2 };

struct rig {
    struct router *router;
    struct outbox out;
    struct arena arena;
    uint64_t now_ms;
    uint64_t client;
    uint32_t fan;        /* Rows of each input or scan. */
    uint32_t conflicts;  /* So many commits and validations are refused. */
    uint32_t busy_reads; /* So many reads meet a lock. */
    bool answers_admin;  /* ADMIN is answered with null, after so many that could not be sent: */
    uint32_t unsent;
    bool is_mute;        /* Commits get no answer. */
    int abort_code;      /* Commits are refused with this; E_OK: they are not. */
    uint32_t reads, validates, commits, txns, cancels;
    struct bytes answers; /* "<last byte of the request id>: frame", a line each. */
};

/* Ready to be asked. */
void rig_open(struct rig *rig);
/* memory_max: as router_options; 0: its default. */
void rig_open_with(struct rig *rig, uint64_t memory_max);
void rig_close(struct rig *rig);
/* Until nothing moves but time, or for so many milliseconds. */
void rig_run(struct rig *rig, uint64_t span_ms);
/* Answers what was sent, takes what was answered. */
void rig_deliver(struct rig *rig);
void rig_ask(struct rig *rig, struct request request);
/* All answers so far, as text; valid until the next call. */
const char *rig_answers(struct rig *rig);
struct request rig_request(uint8_t id, const char *text);
struct request rig_session(struct request request, const char *session);
struct request rig_bytecode(uint8_t id, const struct bytecode *bytecode);

#endif
