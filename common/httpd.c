#include "common/httpd.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/httpparse.h"
#include "common/listener.h"
#include "common/mem.h"
#include "common/text.h"

enum { EVENTS_MAX = 32, READ_MAX = 4096, BODY_MAX = 65536 };

struct httpd_conn {
    struct httpd_conn *next;
    int fd; /* -1: closed, to be freed. */
    uint64_t begun_ms;
    struct httpparse parse;
    struct bytes out;
    size_t sent;
    bool is_answered;
};

/* ---- addresses ---- */

/* "host:port" or "[host]:port". */
static int split(const char *listen, char *host, size_t size, int *port, struct error *err)
{
    const char *colon = strrchr(listen, ':');
    size_t length = colon == NULL ? 0 : (size_t)(colon - listen);
    int64_t number = 0;

    if (length > 1 && listen[0] == '[' && listen[length - 1] == ']') {
        listen++;
        length -= 2;
    }
    if (length == 0 || length >= size || !text_to_i64(slice_text(colon + 1), &number) ||
        number < 0 || number > 65535) {
        return error_set(err, E_CONFIG,
                         "http_listen is an address and a port such as 127.0.0.1:7180, not '%s'",
                         listen);
    }
    memcpy(host, listen, length);
    host[length] = '\0';
    *port = (int)number;
    return E_OK;
}

bool httpd_is_local(const char *listen)
{
    return strncmp(listen, "127.", 4) == 0 || strncmp(listen, "localhost:", 10) == 0 ||
           strncmp(listen, "[::1]:", 6) == 0;
}

/* ---- life ---- */

static int add(struct httpd *httpd, int fd, void *tag)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = tag};

    return epoll_ctl(httpd->epoll - 1, EPOLL_CTL_ADD, fd, &event);
}

int httpd_open(struct httpd *httpd, const char *listen, httpd_page_fn page, void *ctx,
               struct error *err)
{
    char host[HTTPD_LISTEN_MAX];
    int port = 0;
    int fd = -1;
    int rc;

    assert(page != NULL);
    *httpd = (struct httpd){.page = page, .ctx = ctx, .is_local = httpd_is_local(listen)};
    rc = split(listen, host, sizeof host, &port, err);
    if (rc == E_OK) {
        rc = listener_open(&fd, host, port, err);
    }
    if (rc != E_OK) {
        return rc;
    }
    httpd->listener = fd + 1;
    httpd->epoll = epoll_create1(EPOLL_CLOEXEC) + 1;
    if (httpd->epoll == 0 || add(httpd, fd, NULL) != 0) {
        rc = error_set(err, E_IO, "waiting for connections: %s", strerror(errno));
        httpd_close(httpd);
    }
    return rc;
}

static void end(struct httpd *httpd, struct httpd_conn *conn)
{
    struct httpd_conn **at = &httpd->conns;

    assert(conn != NULL);
    if (conn->fd < 0) {
        return;
    }
    while (*at != NULL && *at != conn) {
        at = &(*at)->next;
    }
    assert(*at == conn);
    *at = conn->next;
    httpd->count--;
    (void)close(conn->fd); /* Which takes it out of the epoll set. */
    conn->fd = -1;
    conn->next = httpd->dead;
    httpd->dead = conn;
}

/* Not before the end of a turn: its events may name them. */
static void reap(struct httpd *httpd)
{
    while (httpd->dead != NULL) {
        struct httpd_conn *conn = httpd->dead;
        httpd->dead = conn->next;
        httpparse_close(&conn->parse);
        bytes_close(&conn->out);
        mem_free(conn);
    }
}

void httpd_close(struct httpd *httpd)
{
    while (httpd->conns != NULL) {
        end(httpd, httpd->conns);
    }
    reap(httpd);
    if (httpd->epoll > 0) {
        (void)close(httpd->epoll - 1);
    }
    if (httpd->listener > 0) {
        (void)close(httpd->listener - 1);
    }
    *httpd = (struct httpd){0};
}

int httpd_fd(const struct httpd *httpd)
{
    return httpd->epoll - 1;
}

int httpd_port(const struct httpd *httpd)
{
    return httpd->listener == 0 ? 0 : listener_port(httpd->listener - 1);
}

/* ---- answers ---- */

static void respond(struct httpd_conn *conn, struct httpd_page *page)
{
    bytes_format(&conn->out, "HTTP/1.1 %d %s\r\nserver: cardea\r\ncontent-type: %s\r\n",
                 page->status, httpparse_phrase(page->status), page->mime);
    if (page->status == 405) {
        bytes_format(&conn->out, "allow: GET, HEAD\r\n");
    }
    bytes_format(&conn->out,
                 "content-length: %zu\r\ncache-control: no-store\r\n"
                 "x-content-type-options: nosniff\r\nconnection: close\r\n\r\n",
                 page->body.size);
    if (conn->parse.method != HTTPPARSE_HEAD_ONLY) {
        bytes_append(&conn->out, page->body.data, page->body.size);
    }
    bytes_close(&page->body);
    conn->is_answered = true;
}

static void refuse(struct httpd_conn *conn, int status, const char *why)
{
    struct httpd_page page = {.status = status, .mime = "text/plain; charset=utf-8"};

    bytes_format(&page.body, "%s\n", why);
    respond(conn, &page);
}

/* A name with a dot that is no address could be any name server's. */
static bool is_foreign(const struct httpd *httpd, const struct httpparse *parse)
{
    struct slice host = httpparse_host(parse);
    bool has_dot = false;
    bool is_address = true;

    if (httpparse_count(parse, "origin") > 0) {
        return true;
    }
    if (!httpd->is_local || (host.size > 0 && host.data[0] == '[')) {
        return false;
    }
    for (size_t i = 0; i < host.size && host.data[i] != ':'; i++) {
        has_dot |= host.data[i] == '.';
        is_address &= host.data[i] == '.' || (host.data[i] >= '0' && host.data[i] <= '9');
    }
    return has_dot && !is_address;
}

static void answer(struct httpd *httpd, struct httpd_conn *conn)
{
    struct httpd_page page = {.status = 200, .mime = "text/plain; charset=utf-8"};

    httpd->requests++;
    if (conn->parse.method != HTTPPARSE_GET && conn->parse.method != HTTPPARSE_HEAD_ONLY) {
        refuse(conn, 405, "method not allowed");
    } else if (is_foreign(httpd, &conn->parse)) {
        refuse(conn, 403, "not for pages of other sites");
    } else {
        httpd->page(httpd->ctx, httpparse_text(&conn->parse, conn->parse.path), &page);
        respond(conn, &page);
    }
}

/* ---- events ---- */

static void take(struct httpd *httpd, struct httpd_conn *conn, struct slice in)
{
    struct slice part;

    while (!conn->is_answered) {
        switch (httpparse_next(&conn->parse, &in, &part)) {
        case HTTPPARSE_MORE:
            return;
        case HTTPPARSE_HEAD:
        case HTTPPARSE_BODY:
            break;
        case HTTPPARSE_DONE:
            answer(httpd, conn);
            break;
        case HTTPPARSE_BAD:
            refuse(conn, conn->parse.status, conn->parse.text);
            break;
        }
    }
}

static void flush(struct httpd *httpd, struct httpd_conn *conn)
{
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = conn};

    while (conn->sent < conn->out.size) {
        ssize_t size =
            send(conn->fd, conn->out.data + conn->sent, conn->out.size - conn->sent, MSG_NOSIGNAL);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (epoll_ctl(httpd->epoll - 1, EPOLL_CTL_MOD, conn->fd, &event) == 0) {
                return;
            }
        }
        if (size <= 0) {
            break;
        }
        conn->sent += (size_t)size;
    }
    (void)shutdown(conn->fd, SHUT_WR);
    end(httpd, conn);
}

static void on_event(struct httpd *httpd, struct httpd_conn *conn)
{
    uint8_t room[READ_MAX];
    ssize_t size;

    while (conn->fd >= 0 && !conn->is_answered) {
        size = recv(conn->fd, room, sizeof room, 0);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (size <= 0) {
            end(httpd, conn);
            return;
        }
        take(httpd, conn, slice_of(room, (size_t)size));
    }
    if (conn->fd >= 0) {
        flush(httpd, conn);
    }
}

static struct httpd_conn *oldest(const struct httpd *httpd)
{
    struct httpd_conn *conn = httpd->conns;

    while (conn != NULL && conn->next != NULL) {
        conn = conn->next;
    }
    return conn;
}

static void accept_some(struct httpd *httpd, uint64_t now_ms)
{
    for (int i = 0; i < HTTPD_CONNS_MAX; i++) {
        int fd = listener_accept(httpd->listener - 1);
        if (fd < 0) {
            return;
        }
        if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
            (void)close(fd);
            continue;
        }
        if (httpd->count >= HTTPD_CONNS_MAX) {
            end(httpd, oldest(httpd));
        }
        struct httpd_conn *conn = mem_alloc(sizeof *conn);
        conn->fd = fd;
        conn->begun_ms = now_ms;
        httpparse_init(&conn->parse, BODY_MAX);
        conn->next = httpd->conns;
        httpd->conns = conn;
        httpd->count++;
        if (add(httpd, fd, conn) != 0) {
            end(httpd, conn);
        }
    }
}

static void end_late(struct httpd *httpd, uint64_t now_ms)
{
    struct httpd_conn *conn;

    while ((conn = oldest(httpd)) != NULL && now_ms >= conn->begun_ms + HTTPD_REQUEST_MS) {
        end(httpd, conn);
    }
}

void httpd_turn(struct httpd *httpd, uint64_t now_ms)
{
    struct epoll_event events[EVENTS_MAX];
    bool has_new = false;
    int count;

    if (httpd->epoll == 0) {
        return;
    }
    count = epoll_wait(httpd->epoll - 1, events, EVENTS_MAX, 0);
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == NULL) {
            has_new = true;
        } else {
            on_event(httpd, events[i].data.ptr);
        }
    }
    if (has_new) {
        accept_some(httpd, now_ms);
    }
    end_late(httpd, now_ms);
    reap(httpd);
}
