/*
 * log.h -- diagnostics for people: one line each, key=value.
 *
 *     2026-01-02T03:04:05.678Z info replica shard=2 term=7 msg="became leader"
 *
 * Lines below the level are not written, but the last ones of all levels stay in a ring in memory,
 * which daemon.h writes out when the process aborts.
 *
 * Ownership: keeps the descriptor, does not close it. One struct a process, given to who needs it.
 * Limits: LOG_LINE_MAX bytes a line (cut), LOG_RATE_MAX lines a second of one format text (the
 * rest are counted, and the count is told with the next line that is let through).
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include "common/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOG_LINE_MAX = 1024, LOG_RING_SIZE = 65536, LOG_RATE_MAX = 20, LOG_SITES = 64 };

enum log_level {
    LOG_LEVEL_ERROR, /* Someone must act. */
    LOG_LEVEL_WARN,
    LOG_LEVEL_INFO,  /* Changes of state. */
    LOG_LEVEL_DEBUG, /* Notes of cores. */
    LOG_LEVEL_TRACE  /* Each message. */
};

struct log_site {
    const char *format; /* Whose lines are counted. */
    int64_t second;
    uint32_t count;   /* In that second. */
    uint32_t dropped; /* Not yet told. */
};

struct log {
    int fd;
    enum log_level level;
    struct log_site sites[LOG_SITES];
    size_t ring_at; /* Bytes ever written to the ring. */
    char ring[LOG_RING_SIZE];
};

void log_init(struct log *log, int fd, enum log_level level);
bool log_is_on(const struct log *log, enum log_level level);
/* area: the part of the program. format gives the key=value pairs; texts of others go through
 * log_text. log may be null: nothing is written. */
void log_write(struct log *log, enum log_level level, const char *area, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Quotes a text of others for a line: no control characters, no quotes. Gives buffer. */
const char *log_text(char *buffer, size_t size, const char *text);
/* Writes the ring with write(2) only: safe in a signal handler. */
void log_dump(const struct log *log, int fd);
/* The same, appended. */
void log_recent(const struct log *log, struct bytes *out);

#define log_error(log, ...) log_write(log, LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(log, ...)  log_write(log, LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(log, ...)  log_write(log, LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_write(log, LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
