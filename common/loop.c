#include "common/loop.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

int loop_open(struct loop *loop, struct error *err)
{
    sigset_t set;
    int fd;

    *loop = (struct loop){0};
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    /* Before any thread of a library starts: they inherit the mask. */
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) {
        return error_set(err, E_IO, "blocking signals: %s", strerror(errno));
    }
    fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0) {
        return error_set(err, E_IO, "opening a signal descriptor: %s", strerror(errno));
    }
    loop->signal_fd = fd + 1;
    return E_OK;
}

void loop_close(struct loop *loop)
{
    if (loop->signal_fd > 0) {
        (void)close(loop->signal_fd - 1);
    }
    *loop = (struct loop){0};
}

uint64_t loop_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t loop_micros(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t loop_wall_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t loop_random(void)
{
    uint64_t number = 0;

    while (number == 0) {
        ssize_t size = getrandom(&number, sizeof number, 0);
        assert(size == (ssize_t)sizeof number);
    }
    return number;
}

int loop_fd(const struct loop *loop)
{
    assert(loop->signal_fd > 0);
    return loop->signal_fd - 1;
}

void loop_signal(struct loop *loop)
{
    struct signalfd_siginfo info;

    while (read(loop_fd(loop), &info, sizeof info) == (ssize_t)sizeof info) {
        loop->is_stopping = true;
        loop->signal = (int)info.ssi_signo;
        loop->signals++;
    }
}

static int wait_ms(uint64_t deadline_ms)
{
    uint64_t now = loop_now_ms();

    if (deadline_ms <= now) {
        return 0;
    }
    return deadline_ms - now > INT_MAX ? INT_MAX : (int)(deadline_ms - now);
}

void loop_wait(struct loop *loop, int fd, int other_fd, uint64_t deadline_ms)
{
    struct pollfd fds[3] = {{.fd = loop_fd(loop), .events = POLLIN},
                            {.fd = fd, .events = POLLIN},
                            {.fd = other_fd, .events = POLLIN}};

    if (poll(fds, 3, wait_ms(deadline_ms)) > 0 && (fds[0].revents & POLLIN) != 0) {
        loop_signal(loop);
    }
}
