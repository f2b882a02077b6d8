#include "common/log.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = {"error", "warn", "info", "debug", "trace"};

void log_init(struct log *log, int fd, enum log_level level)
{
    memset(log, 0, sizeof *log);
    log->fd = fd;
    log->level = level;
}

bool log_is_on(const struct log *log, enum log_level level)
{
    return log != NULL && level <= log->level;
}

static void ring_write(struct log *log, const char *line, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        log->ring[log->ring_at++ % LOG_RING_SIZE] = line[i];
    }
}

/* Gives how many lines of this format were dropped before, or -1 if this one is to be dropped. */
static int admit(struct log *log, const char *format, int64_t second)
{
    struct log_site *site = &log->sites[((uintptr_t)format >> 3) % LOG_SITES];
    int dropped;

    if (site->format != format) {
        *site = (struct log_site){.format = format, .second = second};
    }
    if (site->second != second) {
        site->second = second;
        site->count = 0;
    }
    if (site->count >= LOG_RATE_MAX) {
        site->dropped++;
        return -1;
    }
    site->count++;
    dropped = (int)site->dropped;
    site->dropped = 0;
    return dropped;
}

static size_t write_prefix(char *line, size_t size, const struct timespec *now,
                           const char *const names[2])
{
    struct tm tm;
    int count;

    (void)gmtime_r(&now->tv_sec, &tm);
    count = snprintf(line, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s %s ", tm.tm_year + 1900,
                     tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                     (int)(now->tv_nsec / 1000000), names[0], names[1]);
    return count < 0 ? 0 : (size_t)count;
}

void log_write(struct log *log, enum log_level level, const char *area, const char *format, ...)
{
    char line[LOG_LINE_MAX];
    struct timespec now;
    size_t at;
    int dropped;
    int count;
    va_list args;

    if (log == NULL) {
        return;
    }
    (void)clock_gettime(CLOCK_REALTIME, &now);
    dropped = log_is_on(log, level) ? admit(log, format, (int64_t)now.tv_sec) : 0;
    if (dropped < 0) {
        return;
    }
    at = write_prefix(line, sizeof line, &now, (const char *const[]){level_names[level], area});
    assert(at < sizeof line / 2);
    va_start(args, format);
    count = vsnprintf(line + at, sizeof line - at, format, args);
    va_end(args);
    at += count < 0 ? 0 : (size_t)count;
    if (dropped > 0 && at < sizeof line) {
        at += (size_t)snprintf(line + at, sizeof line - at, " dropped=%d", dropped);
    }
    if (at > sizeof line - 1) {
        at = sizeof line - 1;
    }
    line[at++] = '\n';
    ring_write(log, line, at);
    if (log_is_on(log, level) && write(log->fd, line, at) < 0) {
        /* Nobody reads: the line is in the ring. */
        return;
    }
}

const char *log_text(char *buffer, size_t size, const char *text)
{
    size_t at = 0;

    assert(size > 0);
    for (; text[at] != '\0' && at + 1 < size; at++) {
        unsigned char c = (unsigned char)text[at];
        buffer[at] = c < 0x20 || c == 0x7f ? ' ' : c == '"' ? '\'' : text[at];
    }
    buffer[at] = '\0';
    return buffer;
}

static void write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t count = write(fd, data, size);
        if (count <= 0) {
            return;
        }
        data += count;
        size -= (size_t)count;
    }
}

void log_dump(const struct log *log, int fd)
{
    size_t at = log->ring_at % LOG_RING_SIZE;

    if (log->ring_at > LOG_RING_SIZE) {
        write_all(fd, log->ring + at, LOG_RING_SIZE - at);
    }
    write_all(fd, log->ring, at);
}

void log_recent(const struct log *log, struct bytes *out)
{
    size_t at = log->ring_at % LOG_RING_SIZE;

    if (log->ring_at > LOG_RING_SIZE) {
        bytes_append(out, log->ring + at, LOG_RING_SIZE - at);
    }
    bytes_append(out, log->ring, at);
}
