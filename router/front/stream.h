/*
 * stream.h -- the bytes of one connection, in and out, never waiting.
 *
 * All that a connection reads and writes passes here, so this is where TLS belongs: a session per
 * stream over the same socket, with STREAM_AGAIN for what its handshake wants first. Who calls
 * does not change.
 *
 * Shell. Ownership: owns the socket; close it.
 */
#ifndef ROUTER_FRONT_STREAM_H
#define ROUTER_FRONT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

enum {
    STREAM_AGAIN = -1, /* Not now. */
    STREAM_FAILED = -2 /* The connection is broken. */
};

struct stream {
    int fd; /* Plus 1, so that all zero is closed. */
};

/* Takes a connected socket, which is made non-blocking. False: the system refuses. */
bool stream_open(struct stream *stream, int fd);
void stream_close(struct stream *stream);
int stream_fd(const struct stream *stream);
/* Bytes read, 0 at the end of what the client sends, STREAM_AGAIN or STREAM_FAILED. */
ssize_t stream_read(struct stream *stream, void *data, size_t size);
/* Bytes written, STREAM_AGAIN or STREAM_FAILED. */
ssize_t stream_write(struct stream *stream, const struct iovec *parts, size_t count);
/* Nothing more will be written: the client reads the end. */
void stream_shut(struct stream *stream);

#endif
