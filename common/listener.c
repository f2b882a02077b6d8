#include "common/listener.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int listen_on(const struct addrinfo *at, int *fd)
{
    int on = 1;
    int off = 0;
    int made = socket(at->ai_family, SOCK_STREAM, 0);

    if (made < 0) {
        return -1;
    }
    (void)setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (at->ai_family == AF_INET6) {
        /* "::" is all addresses of both kinds. */
        (void)setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    if (fcntl(made, F_SETFL, O_NONBLOCK) != 0 || fcntl(made, F_SETFD, FD_CLOEXEC) != 0 ||
        bind(made, at->ai_addr, at->ai_addrlen) != 0 || listen(made, SOMAXCONN) != 0) {
        int why = errno;
        (void)close(made);
        errno = why;
        return -1;
    }
    *fd = made;
    return 0;
}

/* IPv4 before IPv6, if a name stands for both. */
static int listen_on_first(const struct addrinfo *all, int *fd)
{
    static const int families[] = {AF_INET, AF_INET6};
    int why = EADDRNOTAVAIL;

    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        for (const struct addrinfo *at = all; at != NULL; at = at->ai_next) {
            if (at->ai_family != families[i]) {
                continue;
            }
            if (listen_on(at, fd) == 0) {
                return 0;
            }
            why = errno;
        }
    }
    errno = why;
    return -1;
}

int listener_open(int *fd, const char *address, int port, struct error *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char service[16];
    int rc;

    assert(address != NULL);
    (void)snprintf(service, sizeof service, "%d", port);
    rc = getaddrinfo(address, service, &hints, &found);
    if (rc != 0) {
        return error_set(err, E_IO, "cannot listen on %s:%d: %s", address, port, gai_strerror(rc));
    }
    rc = listen_on_first(found, fd);
    freeaddrinfo(found);
    if (rc != 0) {
        return error_set(err, E_IO, "cannot listen on %s:%d: %s", address, port,
                         errno == EADDRINUSE      ? "in use by another program"
                         : errno == EADDRNOTAVAIL ? "not an address of this machine"
                                                  : strerror(errno));
    }
    return E_OK;
}

int listener_port(int fd)
{
    struct sockaddr_storage at = {0};
    socklen_t size = sizeof at;
    int rc = getsockname(fd, (struct sockaddr *)&at, &size);

    assert(rc == 0);
    (void)rc;
    return at.ss_family == AF_INET6
               ? ntohs(((const struct sockaddr_in6 *)(const void *)&at)->sin6_port)
               : ntohs(((const struct sockaddr_in *)(const void *)&at)->sin_port);
}

int listener_accept(int fd)
{
    int made = accept(fd, NULL, NULL);

    if (made >= 0) {
        return made;
    }
    /* What else can fail is of one connection that is gone by now: the next event tells more. */
    return errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM
               ? LISTENER_FULL
               : LISTENER_NONE;
}
