#include "router/front/conn.h"

#include <assert.h>
#include <string.h>
#include <sys/epoll.h>

#include "common/mem.h"
#include "router/front/front_private.h"
#include "router/front/http.h"
#include "router/front/websocket.h"

enum { PARTS_MAX = 64 /* Of one write. */ };

/* ---- life ---- */

struct conn *conn_new(struct front *front, int fd)
{
    struct stream stream = {0};
    struct conn *conn;

    if (!stream_open(&stream, fd)) {
        return NULL;
    }
    conn = mem_alloc(sizeof *conn);
    conn->front = front;
    conn->stream = stream;
    conn->heard_ms = front->now_ms;
    conn->begun_ms = front->now_ms;
    httpparse_init(&conn->parse, REQUEST_BYTES_MAX);
    conn->next = front->conns;
    if (conn->next != NULL) {
        conn->next->previous = conn;
    }
    front->conns = conn;
    front->count++;
    stats_set(front->options.stats, STATS_CONNECTIONS, front->count);
    return conn;
}

void conn_free(struct conn **conn)
{
    struct conn *freed = *conn;

    assert(freed->state == CONN_DEAD);
    outq_close(&freed->out);
    bytes_close(&freed->pending);
    bytes_close(&freed->http.body);
    httpparse_close(&freed->parse);
    wsframe_close(&freed->frame);
    mem_free(freed);
    *conn = NULL;
}

void conn_register(struct conn *conn)
{
    struct front *front = conn->front;

    if (conn->client != 0) {
        return;
    }
    conn->client = router_client_open(front->options.router);
    assert(conn->client != 0);
    (void)map_put(&front->by_client, conn->client, (uint64_t)(uintptr_t)conn);
}

void conn_unregister(struct conn *conn)
{
    struct front *front = conn->front;

    if (conn->client != 0) {
        (void)map_remove(&front->by_client, conn->client);
        router_client_close(front->options.router, front->now_ms, conn->client, front->options.out);
    }
    conn->client = 0;
}

struct conn *conn_find(const struct front *front, uint64_t client)
{
    const uint64_t *place = map_get(&front->by_client, client);

    return place == NULL ? NULL : (struct conn *)(uintptr_t)*place;
}

void conn_wake(struct conn *conn)
{
    if (!conn->is_woken && conn->state != CONN_DEAD) {
        struct front *front = conn->front;
        conn->is_woken = true;
        conn->next_woken = NULL;
        *(front->woken_last == NULL ? &front->woken : &front->woken_last->next_woken) = conn;
        front->woken_last = conn;
    }
}

/* What waits of its answers, counted. */
static void count_out(struct conn *conn)
{
    struct front *front = conn->front;
    size_t bytes = conn->state == CONN_DEAD ? 0 : conn->out.bytes;

    front->out_bytes = front->out_bytes - conn->counted_bytes + bytes;
    conn->counted_bytes = bytes;
}

/* What it holds of requests, counted. */
static void count_held(struct conn *conn)
{
    struct front *front = conn->front;
    size_t held = conn->pending.size + conn->http.body.size + conn->frame.message.size;

    front->held_bytes = front->held_bytes - conn->held_bytes + held;
    conn->held_bytes = held;
}

/* Of what it asked nothing is wanted any more. */
static void leave(struct conn *conn)
{
    struct front *front = conn->front;

    if (conn->state == CONN_WEBSOCKET) {
        assert(front->websocket_count > 0);
        front->websocket_count--;
        stats_set(front->options.stats, STATS_CLIENTS, front->websocket_count);
    }
    conn_unregister(conn);
    conn->http.is_running = false;
    conn->open_count = 0;
    bytes_close(&conn->pending);
    bytes_close(&conn->http.body);
    httpparse_close(&conn->parse);
    wsframe_close(&conn->frame);
    count_held(conn);
}

void conn_end(struct conn *conn)
{
    if (conn->state == CONN_HTTP || conn->state == CONN_WEBSOCKET) {
        leave(conn);
        conn->state = CONN_ENDING;
        conn_wake(conn);
    }
}

void conn_drop(struct conn *conn)
{
    struct front *front = conn->front;

    if (conn->state == CONN_DEAD) {
        return;
    }
    if (conn->state == CONN_HTTP || conn->state == CONN_WEBSOCKET) {
        leave(conn);
    }
    *(conn->state == CONN_LINGERING ? &front->lingering_count : &front->count) -= 1;
    stats_set(front->options.stats, STATS_CONNECTIONS, front->count);
    conn->state = CONN_DEAD;
    count_out(conn);
    stream_close(&conn->stream); /* Which takes it out of the epoll set. */
    *(conn->previous == NULL ? &front->conns : &conn->previous->next) = conn->next;
    if (conn->next != NULL) {
        conn->next->previous = conn->previous;
    }
    conn->next = front->dead;
    front->dead = conn;
}

/* ---- writing ---- */

size_t conn_waiting_bytes(const struct conn *conn)
{
    size_t queued =
        conn->client == 0 ? 0 : router_backlog(conn->front->options.router, conn->client);

    return conn->out.bytes + queued;
}

/* All of the last answer is out: the client reads it and then the end. */
static void shut(struct conn *conn)
{
    struct front *front = conn->front;

    if (conn->is_ended || front->lingering_count >= CONN_LINGERING_MAX) {
        conn_drop(conn);
        return;
    }
    stream_shut(&conn->stream);
    conn->state = CONN_LINGERING;
    conn->end_ms = front->now_ms + CONN_LINGER_MS;
    front->count--;
    front->lingering_count++;
    stats_set(front->options.stats, STATS_CONNECTIONS, front->count);
}

static void flush(struct conn *conn)
{
    struct iovec parts[PARTS_MAX];
    size_t written = 0;

    if (conn->state == CONN_DEAD || conn->state == CONN_LINGERING) {
        return;
    }
    if (conn->out.bytes > 0 && conn->out_ms == 0) {
        conn->out_ms = conn->front->now_ms;
        conn->out_bytes = 0;
    }
    while (conn->out.bytes > 0 && written < CONN_WRITES_BYTES) {
        size_t count = outq_parts(&conn->out, parts, PARTS_MAX);
        ssize_t size = stream_write(&conn->stream, parts, count);
        if (size == STREAM_FAILED) {
            conn_drop(conn);
            return;
        }
        if (size == STREAM_AGAIN) {
            break;
        }
        outq_sent(&conn->out, (size_t)size);
        written += (size_t)size;
    }
    if (written > 0) {
        conn->heard_ms = conn->front->now_ms;
        conn->out_bytes += written;
    }
    if (conn->out.bytes == 0) {
        conn->out_ms = 0;
    }
    if (conn->state == CONN_ENDING && conn->out.bytes == 0) {
        shut(conn);
    }
}

/* ---- reading ---- */

/* Whether it may ask something now. */
static bool is_taking(const struct conn *conn)
{
    if (conn->state == CONN_HTTP) {
        return !conn->http.is_running && conn->out.bytes <= conn->front->options.backlog_bytes;
    }
    return conn->state == CONN_WEBSOCKET && !conn->is_choked;
}

static bool is_between_requests(const struct conn *conn)
{
    return conn->state == CONN_HTTP ? httpparse_is_idle(&conn->parse) && !conn->http.is_running
                                    : wsframe_is_idle(&conn->frame);
}

/* Bytes of requests that are not whole have one limit for all, too. */
static void check_held(struct conn *conn)
{
    struct front *front = conn->front;

    count_held(conn);
    if (conn->held_bytes <= CONN_READ_MAX || front->held_bytes <= front->options.held_bytes_max) {
        return;
    }
    stats_add(front->options.stats, STATS_CONNECTIONS_REFUSED, 1);
    if (conn->state == CONN_HTTP) {
        http_refuse(conn, 503, "requests of all clients are too large together: try again later");
    } else if (conn->state == CONN_WEBSOCKET) {
        websocket_close(conn, WSFRAME_TRY_LATER, "requests are too large together");
    }
}

static void take(struct conn *conn, struct slice *in)
{
    size_t size = in->size;
    int budget = CONN_TAKES_MAX;

    while (in->size > 0 && is_taking(conn) && budget-- > 0 && conn->front->takes_left > 0) {
        conn->front->takes_left--;
        if (conn->state == CONN_HTTP) {
            http_take(conn, in);
        } else {
            websocket_take(conn, in);
        }
    }
    if (conn->state != CONN_HTTP && conn->state != CONN_WEBSOCKET) {
        *in = (struct slice){0};
        return;
    }
    if (is_between_requests(conn)) {
        conn->begun_ms = 0;
    } else if (conn->begun_ms == 0) {
        conn->begun_ms = conn->front->now_ms;
        conn->begun_bytes = 0;
    } else {
        conn->begun_bytes += size - in->size;
    }
    check_held(conn);
}

static void take_pending(struct conn *conn)
{
    struct slice in = bytes_slice(&conn->pending);
    size_t before = in.size;

    take(conn, &in);
    if (conn->pending.size == 0) {
        return; /* It has ended meanwhile. */
    }
    if (in.size == 0) {
        bytes_close(&conn->pending);
    } else if (in.size < before) {
        memmove(conn->pending.data, in.data, in.size);
        conn->pending.size = in.size;
    }
    count_held(conn);
}

static void read_some(struct conn *conn)
{
    struct front *front = conn->front;
    ssize_t size = stream_read(&conn->stream, front->room, sizeof front->room);
    struct slice in;

    if (size == STREAM_AGAIN) {
        return;
    }
    if (size == STREAM_FAILED || (size == 0 && conn->state != CONN_HTTP)) {
        conn_drop(conn);
        return;
    }
    if (size == 0) {
        /* What was answered goes out; the rest of a request will not come. */
        conn->is_ended = true;
        if (conn->out.bytes == 0) {
            conn_drop(conn);
        } else {
            conn_end(conn);
        }
        return;
    }
    if (conn->state == CONN_LINGERING) {
        return;
    }
    conn->heard_ms = front->now_ms;
    conn->is_pinged = false;
    in = slice_of(front->room, (size_t)size);
    take(conn, &in);
    if (in.size > 0) {
        bytes_append(&conn->pending, in.data, in.size);
        count_held(conn);
        conn_wake(conn);
    }
}

/* ---- events ---- */

static bool is_reading(const struct conn *conn)
{
    return conn->state == CONN_LINGERING || (is_taking(conn) && conn->pending.size == 0);
}

/* A connection that is answered is not read from, but that its client has left is seen. */
static bool is_listening_for_end(const struct conn *conn)
{
    return is_reading(conn) || conn->state == CONN_WEBSOCKET ||
           (conn->state == CONN_HTTP && conn->http.is_running);
}

static void watch(struct conn *conn)
{
    uint32_t wanted = (is_reading(conn) ? EPOLLIN : 0U) |
                      (is_listening_for_end(conn) ? EPOLLRDHUP : 0U) |
                      (conn->out.bytes > 0 ? EPOLLOUT : 0U);
    struct epoll_event event = {.events = wanted, .data.ptr = conn};

    if (wanted != conn->watched || !conn->is_watched) {
        int how = conn->is_watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
        if (epoll_ctl(conn->front->epoll - 1, how, stream_fd(&conn->stream), &event) != 0) {
            conn_drop(conn);
            return;
        }
        conn->watched = wanted;
        conn->is_watched = true;
    }
}

void conn_advance(struct conn *conn)
{
    assert(conn->is_woken);
    flush(conn);
    if (conn->state == CONN_WEBSOCKET) {
        websocket_set_flow(conn);
    }
    if (conn->pending.size > 0 && is_taking(conn)) {
        take_pending(conn);
        flush(conn);
    }
    if (conn->state != CONN_DEAD) {
        watch(conn);
    }
    count_out(conn);
    conn->is_woken = false;
    if (conn->pending.size > 0 && is_taking(conn)) {
        conn_wake(conn); /* Others first. */
    }
}

void conn_event(struct conn *conn, uint32_t events)
{
    if (conn->state == CONN_DEAD) {
        return;
    }
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        conn_drop(conn);
        return;
    }
    if ((events & (EPOLLIN | EPOLLRDHUP)) != 0) {
        if (is_reading(conn)) {
            if (conn->front->takes_left == 0) {
                return; /* epoll says it again. */
            }
            read_some(conn);
        } else if ((events & EPOLLRDHUP) != 0 && is_listening_for_end(conn)) {
            conn_drop(conn);
        }
    }
    conn_wake(conn);
}

/* ---- times ---- */

static void end_late_request(struct conn *conn)
{
    if (conn->state == CONN_WEBSOCKET) {
        websocket_close(conn, WSFRAME_POLICY, "a message took too long to come");
    } else if (httpparse_is_idle(&conn->parse)) {
        conn_drop(conn); /* It has said nothing at all. */
    } else {
        http_refuse(conn, 408, "the request took too long to come");
    }
}

static bool is_late(uint64_t now_ms, uint64_t since_ms, uint64_t span_ms, uint64_t bytes)
{
    return now_ms - since_ms > span_ms + bytes / CONN_RATE_MIN;
}

/* Nothing under way and nothing heard for long. Clients that answer a ping are there. */
static void check_idle(struct conn *conn)
{
    const struct front_options *options = &conn->front->options;
    uint64_t silent_ms = conn->front->now_ms - conn->heard_ms;
    uint64_t keepalive_ms =
        options->idle_timeout_ms < CONN_KEEPALIVE_MS ? options->idle_timeout_ms : CONN_KEEPALIVE_MS;

    if (silent_ms > (conn->state == CONN_HTTP ? keepalive_ms : options->idle_timeout_ms)) {
        stats_add(options->stats, STATS_CONNECTIONS_TIMED_OUT, 1);
        if (conn->state == CONN_HTTP) {
            conn_drop(conn);
        } else {
            websocket_close(conn, WSFRAME_GOING_AWAY, "idle for too long");
        }
    } else if (conn->state == CONN_WEBSOCKET && !conn->is_pinged &&
               silent_ms > options->idle_timeout_ms / 2) {
        conn->is_pinged = true;
        websocket_ping(conn);
    }
}

void conn_check_time(struct conn *conn)
{
    struct front *front = conn->front;
    bool is_choked = conn->state == CONN_WEBSOCKET && conn->is_choked;
    bool is_busy = conn->http.is_running || conn->open_count > 0;

    if (conn->state == CONN_LINGERING) {
        if (front->now_ms >= conn->end_ms) {
            conn_drop(conn);
        }
    } else if (conn->out_ms != 0) {
        if (is_late(front->now_ms, conn->out_ms, CONN_STALL_MS, conn->out_bytes)) {
            stats_add(front->options.stats, STATS_CONNECTIONS_TIMED_OUT, 1);
            conn_drop(conn);
        }
    } else if (conn->state == CONN_HTTP && conn->http.is_running) {
        return;
    } else if (conn->begun_ms != 0 && !is_choked) {
        if (is_late(front->now_ms, conn->begun_ms, front->options.request_timeout_ms,
                    conn->begun_bytes)) {
            stats_add(front->options.stats, STATS_CONNECTIONS_TIMED_OUT, 1);
            end_late_request(conn);
        }
    } else if (!is_busy) {
        check_idle(conn);
    }
}
