/*
 * listener.h -- the socket that new connections come from.
 *
 * Shell.
 */
#ifndef COMMON_LISTENER_H
#define COMMON_LISTENER_H

#include "common/error.h"

enum {
    LISTENER_NONE = -1, /* No connection waits. */
    LISTENER_FULL = -2  /* The system has no descriptor or memory for one now. */
};

/* Gives a non-blocking socket. address: an address of this machine or its name; port 0: any free
 * one. Returns E_OK, E_IO (in use, or not of this machine). */
int listener_open(int *fd, const char *address, int port, struct error *err);
/* The port listened on. */
int listener_port(int fd);
/* A connection, LISTENER_NONE or LISTENER_FULL. */
int listener_accept(int fd);

#endif
