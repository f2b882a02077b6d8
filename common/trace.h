/*
 * trace.h -- what a core noticed and did: short notes in a ring, instead of a log.
 *
 * A note is a phrase "fact -> action". The shell prints new ones at debug level (trace_next),
 * golden tests compare them, and a crash dumps what is left (trace_dump takes no lock and no
 * memory).
 *
 * Pure. Limits: TRACE_NOTES notes are kept, the oldest goes first; a note is cut at TRACE_TEXT_MAX
 * bytes.
 */
#ifndef COMMON_TRACE_H
#define COMMON_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TRACE_NOTES = 256, /* A power of two. */
    TRACE_TEXT_MAX = 120
};

struct trace {
    uint64_t count; /* Notes ever written. */
    uint64_t read;  /* Notes given by trace_next, or lost before. */
    char notes[TRACE_NOTES][TRACE_TEXT_MAX];
};

/* Accepts null, so that a core can do without. */
void trace_note(struct trace *trace, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The next note that was not given yet, or null; notes that the ring lost are skipped. */
const char *trace_next(struct trace *trace);
/* Gives all notes that are still there, oldest first; for crashes: safe in a signal handler if
 * `write` is. */
void trace_dump(const struct trace *trace, void (*write)(void *ctx, const char *text, size_t size),
                void *ctx);

#endif
