#include "common/trace.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

_Static_assert((TRACE_NOTES & (TRACE_NOTES - 1)) == 0, "places come from counts by a mask");

static size_t place_of(uint64_t number)
{
    return (size_t)(number & (TRACE_NOTES - 1));
}

void trace_note(struct trace *trace, const char *format, ...)
{
    va_list args;

    if (trace == NULL) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf(trace->notes[place_of(trace->count)], TRACE_TEXT_MAX, format, args);
    va_end(args);
    trace->count++;
}

static uint64_t oldest(const struct trace *trace)
{
    return trace->count > TRACE_NOTES ? trace->count - TRACE_NOTES : 0;
}

const char *trace_next(struct trace *trace)
{
    assert(trace->read <= trace->count);
    if (trace->read < oldest(trace)) {
        trace->read = oldest(trace);
    }
    return trace->read == trace->count ? NULL : trace->notes[place_of(trace->read++)];
}

void trace_dump(const struct trace *trace, void (*write)(void *ctx, const char *text, size_t size),
                void *ctx)
{
    assert(write != NULL);
    for (uint64_t i = oldest(trace); i < trace->count; i++) {
        const char *note = trace->notes[place_of(i)];
        write(ctx, note, strnlen(note, TRACE_TEXT_MAX));
    }
}
