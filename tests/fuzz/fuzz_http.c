/*
 * fuzz_http.c -- requests of HTTP out of any bytes: how they are cut changes nothing.
 *
 * The first byte chooses the cuts.
 */
#include <assert.h>
#include <string.h>

#include "common/httpparse.h"

enum { BODY_MAX = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void note(struct bytes *log, struct slice text)
{
    bytes_blob(log, text);
}

static void note_head(struct bytes *log, const struct httpparse *parse)
{
    assert(parse->head.size <= HTTPPARSE_HEAD_MAX);
    assert(parse->field_count <= HTTPPARSE_FIELDS_MAX);
    assert(parse->has_length || !parse->has_body);
    bytes_format(log, "head %d %d %d %d %d ", (int)parse->method, (int)parse->minor,
                 parse->has_body, parse->expects_continue, parse->is_last);
    note(log, httpparse_text(parse, parse->path));
    note(log, httpparse_text(parse, parse->query));
    note(log, httpparse_host(parse));
    for (size_t i = 0; i < parse->field_count; i++) {
        struct slice name = httpparse_text(parse, parse->fields[i].name);
        assert(name.size > 0);
        note(log, name);
        note(log, httpparse_text(parse, parse->fields[i].value));
    }
    bytes_u8(log, httpparse_has_token(parse, "connection", "upgrade"));
}

/* Takes one piece; false: nothing more is read. */
static bool feed(struct httpparse *parse, struct bytes *log, struct bytes *body, struct slice in)
{
    for (;;) {
        struct slice part = {0};
        size_t before = in.size;
        switch (httpparse_next(parse, &in, &part)) {
        case HTTPPARSE_MORE:
            assert(in.size == 0);
            return true;
        case HTTPPARSE_HEAD:
            note_head(log, parse);
            break;
        case HTTPPARSE_BODY:
            assert(part.size > 0);
            assert(in.size < before);
            bytes_append(body, part.data, part.size);
            assert(body->size <= BODY_MAX);
            break;
        case HTTPPARSE_DONE:
            bytes_format(log, "done ");
            note(log, bytes_slice(body));
            bytes_clear(body);
            httpparse_restart(parse);
            break;
        case HTTPPARSE_BAD:
            assert(parse->status >= 400 && parse->status < 600);
            assert(strlen(parse->text) > 0);
            bytes_format(log, "bad %d %s", parse->status, parse->text);
            return false;
        }
    }
}

/* step 0: in one piece; else pieces of 1 to step bytes. */
static void run(struct slice in, size_t step, uint32_t seed, struct bytes *log)
{
    struct httpparse parse;
    struct bytes body = {0};
    bool goes_on = true;

    httpparse_init(&parse, BODY_MAX);
    while (goes_on && in.size > 0) {
        size_t size = step == 0 ? in.size : 1 + (seed >> 16) % step;
        size = size > in.size ? in.size : size;
        goes_on = feed(&parse, log, &body, slice_of(in.data, size));
        in = slice_of(in.data + size, in.size - size);
        seed = seed * 1664525 + 1013904223;
    }
    /* What has come of a request without an end is no matter of the cuts either. */
    note(log, bytes_slice(&body));
    bytes_u8(log, httpparse_is_idle(&parse));
    bytes_close(&body);
    httpparse_close(&parse);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t steps[] = {1, 3, 40};
    struct bytes whole = {0};

    if (size == 0) {
        return 0;
    }
    run(slice_of(data + 1, size - 1), 0, 0, &whole);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct bytes cut = {0};
        run(slice_of(data + 1, size - 1), steps[i], data[0] * 2654435761U, &cut);
        assert(slice_equal(bytes_slice(&whole), bytes_slice(&cut)));
        bytes_close(&cut);
    }
    bytes_close(&whole);
    return 0;
}
