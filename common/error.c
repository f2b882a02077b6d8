#include "common/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct row {
    int code;
    enum error_retry retry;
    int status;
    const char *name;
    const char *text;
};

static const struct row rows[] = {
#define ERROR(name, number, retry, status, text) {name, ERROR_##retry, status, #name, text},
#include "common/error.def"
#undef ERROR
};

static const struct row *row_of(int code)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].code == code) {
            return &rows[i];
        }
    }
    return NULL;
}

int error_format(struct error *err, int code, const char *file, int line, const char *format, ...)
{
    va_list args;

    assert(code != E_OK);
    assert(file != NULL);
    if (err == NULL) {
        return code;
    }
    err->code = code;
    err->line = line;
    err->file = file;
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return code;
}

void error_prefix(struct error *err, const char *format, ...)
{
    char old[ERROR_TEXT_MAX];
    va_list args;
    int size;

    if (err == NULL) {
        return;
    }
    assert(err->code != E_OK);
    memcpy(old, err->text, sizeof old);
    va_start(args, format);
    size = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    assert(size >= 0);
    if ((size_t)size < sizeof err->text) {
        (void)snprintf(err->text + size, sizeof err->text - (size_t)size, ": %s", old);
    }
}

const char *error_text(int code)
{
    const struct row *row = row_of(code);

    if (code == E_OK) {
        return "ok";
    }
    return row == NULL ? "unknown error" : row->text;
}

const char *error_name(int code)
{
    const struct row *row = row_of(code);

    if (code == E_OK) {
        return "E_OK";
    }
    return row == NULL ? "E_UNKNOWN" : row->name;
}

int error_status(int code)
{
    const struct row *row = row_of(code);

    if (code == E_OK) {
        return 200;
    }
    return row == NULL ? 500 : row->status;
}

enum error_retry error_retry(int code)
{
    const struct row *row = row_of(code);

    return row == NULL ? ERROR_NEVER : row->retry;
}

int error_is_known(int code)
{
    return code == E_OK || row_of(code) != NULL;
}
