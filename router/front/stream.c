#include "router/front/stream.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    KEEPALIVE_IDLE_S = 60, /* Then TCP asks whether the other end still lives. */
    KEEPALIVE_INTERVAL_S = 10,
    KEEPALIVE_COUNT = 3
};

/* What fails here costs speed or patience, not correctness. */
static void set_option(int fd, int level, int name, int value)
{
    (void)setsockopt(fd, level, name, &value, sizeof value);
}

bool stream_open(struct stream *stream, int fd)
{
    assert(fd >= 0);
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        return false;
    }
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT);
    stream->fd = fd + 1;
    return true;
}

void stream_close(struct stream *stream)
{
    if (stream->fd > 0) {
        (void)close(stream->fd - 1);
    }
    stream->fd = 0;
}

int stream_fd(const struct stream *stream)
{
    assert(stream->fd > 0);
    return stream->fd - 1;
}

static ssize_t result_of(ssize_t count)
{
    if (count >= 0) {
        return count;
    }
    return errno == EAGAIN || errno == EINTR ? STREAM_AGAIN : STREAM_FAILED;
}

ssize_t stream_read(struct stream *stream, void *data, size_t size)
{
    assert(size > 0);
    return result_of(recv(stream_fd(stream), data, size, 0));
}

ssize_t stream_write(struct stream *stream, const struct iovec *parts, size_t count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = count};

    assert(count > 0);
    return result_of(sendmsg(stream_fd(stream), &message, MSG_NOSIGNAL));
}

void stream_shut(struct stream *stream)
{
    (void)shutdown(stream_fd(stream), SHUT_WR);
}
