/*
 * visitor.h -- a client with a raw socket, the front it visits, and a router in place of the real
 * one: it echoes. All in one thread.
 */
#ifndef TESTS_LIB_VISITOR_H
#define TESTS_LIB_VISITOR_H

#include <stdbool.h>

#include "common/loop.h"
#include "router/front/front.h"

enum { VISITOR_PATIENCE_MS = 20000, VISITOR_ROOM = 24 << 20 };

/* WebSocket opcodes. */
enum { TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10, CONTINUATION = 0 };

struct router {
    const struct shardmap *map;
    uint64_t clients; /* Ever opened. */
    uint64_t closed;  /* Of them. */
    struct router_response waiting[256];
    size_t count;
    size_t requests;
    uint64_t front_bytes;
    bool is_ready;
    bool holds; /* Answers nothing for now. */
};

struct visitor {
    struct front *front;
    struct outbox out;
    struct stats stats;
    int socket; /* Of the client. */
    char *got;  /* All that has come, with a NUL. */
    size_t got_size;
};

extern struct router visitor_router;
extern struct visitor visitor;

/* A front on a free port, and an outside. */
void visitor_setup_with(uint32_t connections_max, size_t backlog_bytes);
void visitor_setup(void);
/* With a limit for the answers that wait for all clients. */
void visitor_setup_answers(size_t answers_bytes_max);
/* With times that a test can wait for. */
void visitor_setup_times(uint64_t request_timeout_ms, uint64_t idle_timeout_ms);
/* As configured if nobody says anything: no origins. */
void visitor_setup_default(void);
void visitor_disconnect(void);
void visitor_teardown(void);
void visitor_connect(void);
void visitor_turn(void);
bool visitor_read_some(void);
void visitor_send_bytes(const void *data, size_t size);
void visitor_send_text(const char *text);
void visitor_expect_size(size_t size);
void visitor_expect(const char *text);
void visitor_expect_closed(void);
void visitor_forget(void);
void visitor_run_turns(void);
void visitor_upgrade(const char *extra);
void visitor_send_frame(int opcode, bool is_final, const void *data, size_t size);

#endif
