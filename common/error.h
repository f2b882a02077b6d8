/*
 * error.h -- how an operating error is told: a code, and a text for people.
 *
 * Functions return E_OK (0) or one of the negative codes below. Where a person must understand the
 * failure, the last parameter is a struct error (may be null) which the detector fills once.
 * Programming errors assert instead.
 *
 * Pure. No allocation.
 * Limits: the text is cut at ERROR_TEXT_MAX bytes.
 */
#ifndef COMMON_ERROR_H
#define COMMON_ERROR_H

#include <stddef.h>
#include <stdint.h>

enum { ERROR_TEXT_MAX = 480 };

/* Wire numbers; the codes that functions return are their negatives. */
enum {
    E_OK = 0,
#define ERROR(name, number, retry, status, text) name = -(number),
#include "common/error.def"
#undef ERROR
};

/* What a caller may do about an error without asking a person. */
enum error_retry {
    ERROR_NEVER,  /* Repeating gives the same. */
    ERROR_RETRY,  /* Run the whole transaction again, reading afresh. */
    ERROR_REFRESH /* Fetch the shard map or find the leader, then repeat. */
};

struct error {
    int code;                  /* E_OK while nothing is set. */
    int line;                  /* Where it was detected. */
    const char *file;          /* Static. */
    char text[ERROR_TEXT_MAX]; /* For people, one line, NUL terminated. */
};

/* Fills err (may be null) and returns code: `return error_set(...)` cannot forget either. */
#define error_set(err, code, ...) error_format(err, code, __FILE__, __LINE__, __VA_ARGS__)

int error_format(struct error *err, int code, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Puts "<formatted>: " before the text; callers do this at most once. */
void error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The fixed text of a code; "unknown error" for a code that is not in the table. */
const char *error_text(int code);

/* The name of a code as in the table, such as "E_CONFLICT". */
const char *error_name(int code);

/* Status for Gremlin clients: error.def, column four. */
int error_status(int code);

enum error_retry error_retry(int code);

/* True if the number is that of a row: for codes that come from the network. */
int error_is_known(int code);

#endif
