#include "router/front/front.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/loop.h"
#include "common/mem.h"
#include "router/front/front_private.h"
#include "router/front/http.h"
#include "common/listener.h"
#include "router/front/native.h"
#include "router/front/websocket.h"

enum {
    EVENTS_MAX = 128, /* Of one turn. */
    SWEEP_MIN_MS = 5,
    SWEEP_MAX_MS = 1000,
    SWEEPS = 8,             /* So often within the shortest time is looked for who is late. */
    DESCRIPTORS_LEFT = 256, /* For files and links of the process. */
    LOG_PAUSE_MS = 1000
};

/* ---- life ---- */

static void set_defaults(struct front_options *options)
{
    options->held_bytes_max =
        options->held_bytes_max != 0 ? options->held_bytes_max : (size_t)256 << 20;
    options->answers_bytes_max =
        options->answers_bytes_max != 0 ? options->answers_bytes_max : (size_t)1 << 30;
    options->request_timeout_ms =
        options->request_timeout_ms != 0 ? options->request_timeout_ms : 20000;
    options->idle_timeout_ms = options->idle_timeout_ms != 0 ? options->idle_timeout_ms : 1200000;
}

/* Descriptors run out for files of the process, too: connections leave some. */
static void cap_connections(struct front_options *options)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > (rlim_t)2 * DESCRIPTORS_LEFT &&
        limit.rlim_cur - DESCRIPTORS_LEFT - CONN_LINGERING_MAX < options->connections_max) {
        options->connections_max =
            (uint32_t)(limit.rlim_cur - DESCRIPTORS_LEFT - CONN_LINGERING_MAX);
        log_warn(options->log, "front", "connections_max=%u msg=\"fewer: ulimit -n is too low\"",
                 options->connections_max);
    }
}

static int add(struct front *front, int fd, void *tag)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = tag};

    return epoll_ctl(front->epoll - 1, EPOLL_CTL_ADD, fd, &event);
}

int front_open(struct front **front, const struct front_options *options, struct error *err)
{
    struct front *opened = mem_alloc(sizeof *opened);
    int fd = -1;
    int rc;

    opened->options = *options;
    set_defaults(&opened->options);
    cap_connections(&opened->options);
    opened->now_ms = loop_now_ms();
    rc = listener_open(&fd, options->address, options->port, err);
    if (rc == E_OK) {
        opened->listener = fd + 1;
        opened->epoll = epoll_create1(EPOLL_CLOEXEC) + 1;
        if (opened->epoll == 0 || add(opened, fd, &opened->listener) != 0) {
            rc = error_set(err, E_IO, "waiting for connections: %s", strerror(errno));
        }
    }
    if (rc != E_OK) {
        front_close(&opened);
        return rc;
    }
    opened->is_listening = true;
    *front = opened;
    return E_OK;
}

static void reap(struct front *front)
{
    struct conn **at = &front->dead;

    while (*at != NULL) {
        struct conn *conn = *at;
        if (conn->is_woken) {
            at = &conn->next; /* It is still among those that have their turn. */
        } else {
            *at = conn->next;
            conn_free(&conn);
        }
    }
}

/* Those who do not read what they asked for hold memory that others need. */
static void bound_answers(struct front *front)
{
    while (front->out_bytes > front->options.answers_bytes_max) {
        struct conn *most = front->conns;
        for (struct conn *conn = most; conn != NULL; conn = conn->next) {
            most = conn->counted_bytes > most->counted_bytes ? conn : most;
        }
        assert(most != NULL && most->counted_bytes > 0);
        log_warn(front->options.log, "front", "queued_bytes=%zu msg=\"closed: answers_bytes_max\"",
                 most->counted_bytes);
        stats_add(front->options.stats, STATS_CONNECTIONS_REFUSED, 1);
        conn_drop(most);
    }
}

/* Each that was woken has its turn, as far as this one's budget goes; who is woken meanwhile has
 * the next one. */
static void advance_woken(struct front *front)
{
    struct conn *last = front->woken_last;
    bool is_over = last == NULL;

    while (!is_over) {
        struct conn *conn = front->woken;
        is_over = conn == last || front->takes_left == 0;
        front->woken = conn->next_woken;
        if (front->woken == NULL) {
            front->woken_last = NULL;
        }
        if (conn->state == CONN_DEAD) {
            conn->is_woken = false;
        } else {
            conn_advance(conn);
        }
    }
    bound_answers(front);
    router_front_holds(front->options.router, front->out_bytes + front->held_bytes);
    reap(front);
}

void front_close(struct front **front)
{
    struct front *closing = *front;

    if (closing == NULL) {
        return;
    }
    for (struct conn *conn = closing->conns; conn != NULL; conn = conn->next) {
        if (conn->state == CONN_WEBSOCKET) {
            websocket_close(conn, WSFRAME_GOING_AWAY, "the router ends");
        }
    }
    closing->takes_left = INT_MAX;
    advance_woken(closing);
    while (closing->conns != NULL) {
        conn_drop(closing->conns);
    }
    advance_woken(closing);
    assert(closing->out_bytes == 0 && closing->woken == NULL);
    assert(closing->count == 0 && closing->lingering_count == 0 && closing->held_bytes == 0);
    if (closing->epoll > 0) {
        (void)close(closing->epoll - 1);
    }
    if (closing->listener > 0) {
        (void)close(closing->listener - 1);
    }
    map_close(&closing->by_client);
    mem_free(closing);
    *front = NULL;
}

int front_port(const struct front *front)
{
    return listener_port(front->listener - 1);
}

int front_watch(struct front *front, int fd, struct error *err)
{
    if (add(front, fd, NULL) != 0) {
        return error_set(err, E_IO, "watching a descriptor: %s", strerror(errno));
    }
    return E_OK;
}

/* ---- new connections ---- */

/* A full system would tell of the same connection for ever. */
static void pause_listening(struct front *front)
{
    (void)epoll_ctl(front->epoll - 1, EPOLL_CTL_DEL, front->listener - 1, NULL);
    front->is_listening = false;
    front->listen_ms = front->now_ms + FRONT_PAUSE_MS;
    log_warn(front->options.log, "front", "connections=%u msg=\"no descriptors for more\"",
             front->count);
}

static void listen_again(struct front *front)
{
    if (!front->is_listening && front->now_ms >= front->listen_ms) {
        front->is_listening = add(front, front->listener - 1, &front->listener) == 0;
        front->listen_ms = front->now_ms + FRONT_PAUSE_MS;
    }
}

static void welcome(struct front *front, int fd)
{
    bool is_one_too_many = front->count >= front->options.connections_max;
    struct conn *conn = conn_new(front, fd);

    if (conn == NULL) {
        (void)close(fd);
        return;
    }
    if (is_one_too_many) {
        stats_add(front->options.stats, STATS_CONNECTIONS_REFUSED, 1);
        if (front->refused_ms == 0 || front->now_ms - front->refused_ms > LOG_PAUSE_MS) {
            front->refused_ms = front->now_ms;
            log_warn(front->options.log, "front", "connections=%u msg=\"refused: too many\"",
                     front->options.connections_max);
        }
        http_refuse(conn, 503, "too many connections: connections_max");
    }
    conn_wake(conn);
}

static void accept_some(struct front *front)
{
    for (int i = 0; i < FRONT_ACCEPTS_MAX; i++) {
        int fd = listener_accept(front->listener - 1);
        if (fd == LISTENER_FULL) {
            pause_listening(front);
        }
        if (fd < 0) {
            return;
        }
        welcome(front, fd);
    }
}

/* ---- turns ---- */

void front_deliver(struct front *front, uint64_t now_ms)
{
    struct router_response response;

    front->now_ms = now_ms;
    front->takes_left = FRONT_TAKES_MAX;
    while (router_next_response(front->options.router, &response)) {
        struct conn *conn = conn_find(front, response.client);
        if (conn == NULL) {
            if (front->options.native == NULL ||
                !native_response(front->options.native, &response, front->options.out)) {
                bytes_close(&response.body);
            }
        } else if (conn->state == CONN_WEBSOCKET) {
            websocket_send(conn, &response);
        } else {
            http_answer(conn, &response);
        }
    }
    advance_woken(front);
}

static uint64_t sweep_span_ms(const struct front *front)
{
    const struct front_options *options = &front->options;
    uint64_t span = options->request_timeout_ms < options->idle_timeout_ms
                        ? options->request_timeout_ms
                        : options->idle_timeout_ms;

    span /= SWEEPS;
    return span < SWEEP_MIN_MS ? SWEEP_MIN_MS : span > SWEEP_MAX_MS ? SWEEP_MAX_MS : span;
}

static void sweep(struct front *front)
{
    struct conn *next;

    if (front->now_ms < front->sweep_ms) {
        return;
    }
    front->sweep_ms = front->now_ms + sweep_span_ms(front);
    for (struct conn *conn = front->conns; conn != NULL; conn = next) {
        next = conn->next;
        conn_check_time(conn);
    }
}

static int wait_ms(const struct front *front, uint64_t deadline_ms)
{
    uint64_t now_ms = loop_now_ms();

    if (front->woken != NULL || deadline_ms <= now_ms) {
        return 0;
    }
    if (front->conns != NULL && front->sweep_ms < deadline_ms) {
        deadline_ms = front->sweep_ms;
    }
    if (!front->is_listening && front->listen_ms < deadline_ms) {
        deadline_ms = front->listen_ms;
    }
    return deadline_ms <= now_ms             ? 0
           : deadline_ms - now_ms >= INT_MAX ? INT_MAX
                                             : (int)(deadline_ms - now_ms);
}

void front_wait(struct front *front, uint64_t deadline_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(front->epoll - 1, events, EVENTS_MAX, wait_ms(front, deadline_ms));
    bool has_new = false;

    front->now_ms = loop_now_ms();
    front->takes_left = FRONT_TAKES_MAX;
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == &front->listener) {
            has_new = true;
        } else if (events[i].data.ptr != NULL) {
            conn_event(events[i].data.ptr, events[i].events);
        }
    }
    /* After those that go: a client that comes again finds its place free. */
    if (has_new) {
        accept_some(front);
    }
    listen_again(front);
    sweep(front);
    advance_woken(front);
}
