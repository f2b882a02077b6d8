/*
 * loop.h -- clock, signals and waiting, for a process of one thread.
 *
 * SIGTERM and SIGINT are blocked and read from a descriptor, so that they end a turn, never cut it.
 *
 * Shell. Units: milliseconds of the monotonic clock.
 */
#ifndef COMMON_LOOP_H
#define COMMON_LOOP_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop {
    int signal_fd;    /* Plus 1, so that all zero is closed. */
    bool is_stopping; /* A signal to end has come. */
    int signal;       /* Which. */
    unsigned signals; /* How many. */
};

int loop_open(struct loop *loop, struct error *err);
void loop_close(struct loop *loop);
uint64_t loop_now_ms(void);
/* The same clock in microseconds. */
uint64_t loop_micros(void);
/* Since 1970. */
uint64_t loop_wall_ms(void);
/* Random, not 0: a boot id or a seed. */
uint64_t loop_random(void);
/* The descriptor of the signals, for another poller; it calls loop_signal when it is readable. */
int loop_fd(const struct loop *loop);
void loop_signal(struct loop *loop);
/* Waits until a descriptor (-1: none) is readable, a signal comes or the deadline is reached. */
void loop_wait(struct loop *loop, int fd, int other_fd, uint64_t deadline_ms);

#endif
