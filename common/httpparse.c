#include "common/httpparse.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    HEAD_KEPT = 4096, /* Memory of a head that stays for the next. */
    BLANK_MAX = 2,    /* RFC 9112 2.2: an empty line before a request is skipped. */
    TLS_HANDSHAKE = 0x16
};

static_assert(HTTPPARSE_HEAD_MAX <= UINT16_MAX, "offsets are 16 bits");

/* ---- letters ---- */

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(uint8_t c)
{
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}

/* tchar of RFC 9110 5.6.2. */
static bool is_token_char(uint8_t c)
{
    return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_host_char(uint8_t c)
{
    return is_alnum(c) || (c != '\0' && strchr("-._~:[]%!$&'()*+;=", c) != NULL);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static bool is_all(struct slice text, bool (*is)(uint8_t c))
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is(text.data[i])) {
            return false;
        }
    }
    return true;
}

/* name is in lower case. */
static bool is_named(struct slice text, const char *name)
{
    if (text.size != strlen(name)) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (lower(text.data[i]) != (uint8_t)name[i]) {
            return false;
        }
    }
    return true;
}

static struct slice trim(struct slice text)
{
    while (text.size > 0 && is_blank(text.data[0])) {
        text = slice_of(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && is_blank(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
}

/* ---- life ---- */

void httpparse_init(struct httpparse *parse, uint64_t body_max)
{
    *parse = (struct httpparse){.body_max = body_max};
    bytes_init(&parse->head, 0);
    bytes_init(&parse->line, 0);
}

void httpparse_close(struct httpparse *parse)
{
    bytes_close(&parse->head);
    bytes_close(&parse->line);
    *parse = (struct httpparse){0};
}

void httpparse_restart(struct httpparse *parse)
{
    struct bytes head = parse->head;
    struct bytes line = parse->line;

    assert(parse->state == HTTPPARSE_AT_END);
    if (head.room > HEAD_KEPT) {
        bytes_close(&head);
    }
    bytes_clear(&head);
    bytes_clear(&line);
    /* The fields need no clearing: their count does. */
    memset(&parse->method, 0, sizeof *parse - offsetof(struct httpparse, method));
    parse->state = HTTPPARSE_IN_START;
    parse->blank_count = 0;
    parse->head = head;
    parse->line_at = 0;
    parse->line = line;
    parse->trailer_bytes = 0;
    parse->body_left = 0;
    parse->body_size = 0;
    parse->field_count = 0;
}

bool httpparse_is_idle(const struct httpparse *parse)
{
    return parse->state == HTTPPARSE_IN_START && parse->head.size == 0;
}

static enum httpparse_event bad(struct httpparse *parse, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum httpparse_event bad(struct httpparse *parse, int status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(parse->text, sizeof parse->text, format, args);
    va_end(args);
    parse->status = status;
    parse->state = HTTPPARSE_IS_BAD;
    return HTTPPARSE_BAD;
}

/* ---- the head, when it is there ---- */

struct slice httpparse_text(const struct httpparse *parse, struct httpparse_span span)
{
    assert((size_t)span.at + span.size <= parse->head.size);
    return slice_of(parse->head.data + span.at, span.size);
}

static struct httpparse_span span_of(const struct httpparse *parse, struct slice text)
{
    assert(text.data >= parse->head.data);
    return (struct httpparse_span){(uint16_t)(text.data - parse->head.data), (uint16_t)text.size};
}

struct slice httpparse_field(const struct httpparse *parse, const char *name)
{
    for (size_t i = 0; i < parse->field_count; i++) {
        if (is_named(httpparse_text(parse, parse->fields[i].name), name)) {
            return httpparse_text(parse, parse->fields[i].value);
        }
    }
    return (struct slice){0};
}

size_t httpparse_count(const struct httpparse *parse, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < parse->field_count; i++) {
        count += is_named(httpparse_text(parse, parse->fields[i].name), name);
    }
    return count;
}

static bool list_has(struct slice list, const char *token)
{
    while (list.size > 0) {
        const uint8_t *comma = memchr(list.data, ',', list.size);
        size_t size = comma == NULL ? list.size : (size_t)(comma - list.data);
        if (is_named(trim(slice_of(list.data, size)), token)) {
            return true;
        }
        size += comma != NULL;
        list = slice_of(list.data + size, list.size - size);
    }
    return false;
}

bool httpparse_has_token(const struct httpparse *parse, const char *name, const char *token)
{
    for (size_t i = 0; i < parse->field_count; i++) {
        if (is_named(httpparse_text(parse, parse->fields[i].name), name) &&
            list_has(httpparse_text(parse, parse->fields[i].value), token)) {
            return true;
        }
    }
    return false;
}

struct slice httpparse_host(const struct httpparse *parse)
{
    return parse->has_authority ? httpparse_text(parse, parse->authority)
                                : httpparse_field(parse, "host");
}

/* ---- the request line ---- */

static enum httpparse_method method_of(struct slice name)
{
    static const struct {
        const char *name;
        enum httpparse_method method;
    } methods[] = {{"GET", HTTPPARSE_GET},
                   {"HEAD", HTTPPARSE_HEAD_ONLY},
                   {"POST", HTTPPARSE_POST},
                   {"OPTIONS", HTTPPARSE_OPTIONS}};

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (slice_equal(name, slice_text(methods[i].name))) {
            return methods[i].method;
        }
    }
    return HTTPPARSE_OTHER;
}

/* "http://host/path" (RFC 9112 3.2.2): cuts all before the path off. False: it is none. */
static bool take_authority(struct httpparse *parse, struct slice *target)
{
    static const char *const schemes[] = {"http://", "https://"};

    for (size_t i = 0; i < 2; i++) {
        size_t size = strlen(schemes[i]);
        if (target->size > size && is_named(slice_of(target->data, size), schemes[i])) {
            size_t end = size;
            while (end < target->size && is_host_char(target->data[end])) {
                end++;
            }
            parse->has_authority = true;
            parse->authority = span_of(parse, slice_of(target->data + size, end - size));
            *target = slice_of(target->data + end, target->size - end);
            return end > size;
        }
    }
    return false;
}

static bool take_target(struct httpparse *parse, struct slice target)
{
    const uint8_t *mark;

    for (size_t i = 0; i < target.size; i++) {
        /* Bytes of UTF-8 are let through: command lines send them as they are. */
        if (target.data[i] <= ' ' || target.data[i] == 0x7f || target.data[i] == '#') {
            return false;
        }
    }
    if (target.size == 0) {
        return false;
    }
    if (parse->method == HTTPPARSE_OTHER ||
        (parse->method == HTTPPARSE_OPTIONS && slice_equal(target, SLICE("*")))) {
        parse->path = span_of(parse, target);
        return true;
    }
    if (target.data[0] != '/' && !take_authority(parse, &target)) {
        return false;
    }
    mark = target.size == 0 ? NULL : memchr(target.data, '?', target.size);
    if (mark != NULL) {
        size_t size = (size_t)(mark - target.data);
        parse->query = span_of(parse, slice_of(mark + 1, target.size - size - 1));
        target.size = size;
    }
    parse->path = span_of(parse, target);
    return target.size == 0 || target.data[0] == '/';
}

static bool take_version(struct httpparse *parse, struct slice text, bool *is_other)
{
    *is_other = false;
    if (text.size != 8 || memcmp(text.data, "HTTP/", 5) != 0 || !is_digit(text.data[5]) ||
        text.data[6] != '.' || !is_digit(text.data[7])) {
        return false;
    }
    *is_other = text.data[5] != '1';
    parse->minor = text.data[7] > '0';
    return true;
}

static enum httpparse_event take_start(struct httpparse *parse, struct slice line)
{
    const uint8_t *first = memchr(line.data, ' ', line.size);
    size_t method_size = first == NULL ? line.size : (size_t)(first - line.data);
    struct slice rest = slice_of(line.data + method_size, line.size - method_size);
    size_t target_size;
    bool is_other;

    if (first == NULL || method_size == 0 ||
        !is_all(slice_of(line.data, method_size), is_token_char)) {
        return bad(parse, 400, "the request line is not 'METHOD /path HTTP/1.1'");
    }
    parse->method = method_of(slice_of(line.data, method_size));
    rest = slice_of(rest.data + 1, rest.size - 1);
    target_size = rest.size;
    while (target_size > 0 && rest.data[target_size - 1] != ' ') {
        target_size--;
    }
    if (target_size == 0 ||
        !take_version(parse, slice_of(rest.data + target_size, rest.size - target_size),
                      &is_other)) {
        return bad(parse, 400, "the request line does not end with ' HTTP/1.1'");
    }
    if (is_other) {
        return bad(parse, 505, "HTTP/1.1 is spoken here, not version %c",
                   rest.data[target_size + 5]);
    }
    if (!take_target(parse, slice_of(rest.data, target_size - 1))) {
        return bad(parse, 400, "the target of the request is not a path or a URL");
    }
    parse->state = HTTPPARSE_IN_FIELDS;
    return HTTPPARSE_MORE;
}

/* ---- fields ---- */

static bool is_value_char(uint8_t c)
{
    return (c >= ' ' && c != 0x7f) || c == '\t';
}

static enum httpparse_event take_field(struct httpparse *parse, struct slice line)
{
    const uint8_t *colon = memchr(line.data, ':', line.size);
    struct slice name = slice_of(line.data, colon == NULL ? 0 : (size_t)(colon - line.data));
    struct slice value;

    if (is_blank(line.data[0])) {
        return bad(parse, 400, "a field of the head is folded over two lines");
    }
    if (name.size > 0 && is_blank(name.data[name.size - 1])) {
        return bad(parse, 400, "a blank before the colon of a field");
    }
    if (name.size == 0 || !is_all(name, is_token_char)) {
        return bad(parse, 400, "a line of the head is not 'name: value'");
    }
    value = trim(slice_of(colon + 1, line.size - name.size - 1));
    if (!is_all(value, is_value_char)) {
        return bad(parse, 400, "a control character in the field %.*s",
                   (int)(name.size > 40 ? 40 : name.size), (const char *)name.data);
    }
    if (parse->field_count == HTTPPARSE_FIELDS_MAX) {
        return bad(parse, 431, "more than %d fields in the head", HTTPPARSE_FIELDS_MAX);
    }
    parse->fields[parse->field_count++] =
        (struct httpparse_field){span_of(parse, name), span_of(parse, value)};
    return HTTPPARSE_MORE;
}

/* RFC 9112 3.2. */
static enum httpparse_event check_host(struct httpparse *parse)
{
    size_t count = httpparse_count(parse, "host");

    if (count > 1) {
        return bad(parse, 400, "more than one Host");
    }
    if (count == 0 && parse->minor > 0) {
        return bad(parse, 400, "HTTP/1.1 needs a Host");
    }
    if (!is_all(httpparse_field(parse, "host"), is_host_char)) {
        return bad(parse, 400, "Host is not a name with a port");
    }
    return HTTPPARSE_MORE;
}

/* RFC 9112 6.1 and 6.3: what a proxy in front may read in another way is refused. */
static enum httpparse_event check_length(struct httpparse *parse)
{
    size_t codings = httpparse_count(parse, "transfer-encoding");
    size_t lengths = httpparse_count(parse, "content-length");
    struct slice text = httpparse_field(parse, "content-length");
    uint64_t size = 0;

    if (codings > 0) {
        if (lengths > 0 || parse->minor == 0) {
            return bad(parse, 400,
                       lengths > 0 ? "Transfer-Encoding beside Content-Length"
                                   : "HTTP/1.0 has no Transfer-Encoding");
        }
        if (codings > 1 || !is_named(httpparse_field(parse, "transfer-encoding"), "chunked")) {
            return bad(parse, 501, "of transfer codings only 'chunked' is known");
        }
        parse->has_body = parse->has_length = true;
        return HTTPPARSE_MORE;
    }
    if (lengths > 1) {
        return bad(parse, 400, "more than one Content-Length");
    }
    if (lengths == 1 && (text.size == 0 || !is_all(text, is_digit))) {
        return bad(parse, 400, "Content-Length is not a number");
    }
    for (size_t i = 0; i < text.size; i++) {
        size = size > parse->body_max ? size : size * 10 + (uint64_t)(text.data[i] - '0');
    }
    if (size > parse->body_max) {
        return bad(parse, 413, "a body of more than %llu bytes",
                   (unsigned long long)parse->body_max);
    }
    parse->has_length = lengths == 1;
    parse->has_body = size > 0;
    parse->body_left = size;
    return HTTPPARSE_MORE;
}

static enum httpparse_event end_head(struct httpparse *parse)
{
    struct slice expect = httpparse_field(parse, "expect");

    if (check_host(parse) == HTTPPARSE_BAD || check_length(parse) == HTTPPARSE_BAD) {
        return HTTPPARSE_BAD;
    }
    if (expect.data != NULL && parse->minor > 0) {
        if (!is_named(expect, "100-continue")) {
            return bad(parse, 417, "of expectations only '100-continue' is known");
        }
        parse->expects_continue = parse->has_body;
    }
    parse->is_last = httpparse_has_token(parse, "connection", "close") ||
                     (parse->minor == 0 && !httpparse_has_token(parse, "connection", "keep-alive"));
    parse->state = !parse->has_body       ? HTTPPARSE_AT_END
                   : parse->body_left > 0 ? HTTPPARSE_IN_BODY
                                          : HTTPPARSE_IN_CHUNK_LINE;
    return HTTPPARSE_HEAD;
}

/* ---- lines ---- */

/* Takes up to the end of a line into the buffer; false: it is not whole, or too much. */
static bool take_line(struct slice *in, struct bytes *buffer, size_t max, bool *is_over)
{
    const uint8_t *end = in->size == 0 ? NULL : memchr(in->data, '\n', in->size);
    size_t size = end == NULL ? in->size : (size_t)(end - in->data) + 1;

    *is_over = size > max - buffer->size;
    if (*is_over) {
        size = max - buffer->size;
    }
    bytes_append(buffer, in->data, size);
    *in = slice_of(in->data + size, in->size - size);
    return !*is_over && end != NULL;
}

/* Without its CR LF; false: it ends otherwise, or has a CR inside. */
static bool cut_line_end(struct slice *line)
{
    if (line->size < 2 || line->data[line->size - 2] != '\r') {
        return false;
    }
    line->size -= 2;
    return line->size == 0 || memchr(line->data, '\r', line->size) == NULL;
}

/* The first byte tells what is no HTTP, which may have no lines at all. */
static enum httpparse_event check_first(struct httpparse *parse, struct slice *in)
{
    while (in->size > 0 && parse->blank_count < BLANK_MAX &&
           (in->data[0] == '\r' || in->data[0] == '\n')) {
        parse->blank_count++;
        *in = slice_of(in->data + 1, in->size - 1);
    }
    if (in->size > 0 && !is_token_char(in->data[0])) {
        return bad(parse, 400,
                   in->data[0] == TLS_HANDSHAKE ? "this port takes plain HTTP, not TLS"
                                                : "a request does not begin with this");
    }
    return HTTPPARSE_MORE;
}

static enum httpparse_event next_in_head(struct httpparse *parse, struct slice *in)
{
    bool is_over;

    for (;;) {
        struct slice line;
        enum httpparse_event event;
        if (parse->head.size == 0 && check_first(parse, in) == HTTPPARSE_BAD) {
            return HTTPPARSE_BAD;
        }
        if (!take_line(in, &parse->head, HTTPPARSE_HEAD_MAX, &is_over)) {
            bool is_start = parse->state == HTTPPARSE_IN_START;
            return is_over ? bad(parse, is_start ? 414 : 431, "a head of more than %d bytes",
                                 HTTPPARSE_HEAD_MAX)
                           : HTTPPARSE_MORE;
        }
        line = slice_of(parse->head.data + parse->line_at, parse->head.size - parse->line_at);
        parse->line_at = parse->head.size;
        if (!cut_line_end(&line)) {
            return bad(parse, 400, "a line of the head does not end with CR LF");
        }
        if (parse->state == HTTPPARSE_IN_FIELDS && line.size == 0) {
            return end_head(parse);
        }
        event =
            parse->state == HTTPPARSE_IN_START ? take_start(parse, line) : take_field(parse, line);
        if (event != HTTPPARSE_MORE) {
            return event;
        }
    }
}

/* ---- bodies ---- */

/* "1a;extension" (RFC 9112 7.1). */
static enum httpparse_event take_chunk_line(struct httpparse *parse, struct slice line)
{
    uint64_t size = 0;
    size_t at = 0;

    for (; at < line.size; at++) {
        uint8_t c = lower(line.data[at]);
        if (!is_digit(c) && (c < 'a' || c > 'f')) {
            break;
        }
        size = size > parse->body_max
                   ? size
                   : size * 16 + (uint64_t)(is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    if (at == 0 || (at < line.size && line.data[at] != ';') || !is_all(line, is_value_char)) {
        return bad(parse, 400, "a chunk does not begin with its size");
    }
    if (size > parse->body_max - parse->body_size) {
        return bad(parse, 413, "a body of more than %llu bytes",
                   (unsigned long long)parse->body_max);
    }
    parse->body_size += size;
    parse->body_left = size;
    parse->state = size == 0 ? HTTPPARSE_IN_TRAILER : HTTPPARSE_IN_CHUNK;
    return HTTPPARSE_MORE;
}

/* Fields behind the chunks are dropped, as RFC 9110 6.5.1 allows. */
static enum httpparse_event take_trailer_line(struct httpparse *parse, struct slice line)
{
    if (line.size == 0) {
        parse->state = HTTPPARSE_AT_END;
        return HTTPPARSE_MORE;
    }
    parse->trailer_bytes += line.size;
    if (parse->trailer_bytes > HTTPPARSE_TRAILER_MAX) {
        return bad(parse, 431, "a trailer of more than %d bytes", HTTPPARSE_TRAILER_MAX);
    }
    return HTTPPARSE_MORE;
}

static enum httpparse_event next_line(struct httpparse *parse, struct slice *in)
{
    enum httpparse_event event = HTTPPARSE_MORE;
    struct slice line;
    bool is_over;

    if (!take_line(in, &parse->line, HTTPPARSE_LINE_MAX, &is_over)) {
        return is_over ? bad(parse, 400, "a line between chunks of more than %d bytes",
                             HTTPPARSE_LINE_MAX)
                       : HTTPPARSE_MORE;
    }
    line = bytes_slice(&parse->line);
    if (!cut_line_end(&line)) {
        return bad(parse, 400, "a line between chunks does not end with CR LF");
    }
    if (parse->state == HTTPPARSE_IN_CHUNK_LINE) {
        event = take_chunk_line(parse, line);
    } else if (parse->state == HTTPPARSE_IN_TRAILER) {
        event = take_trailer_line(parse, line);
    } else if (line.size > 0) {
        event = bad(parse, 400, "a chunk is longer than its size");
    } else {
        parse->state = HTTPPARSE_IN_CHUNK_LINE;
    }
    bytes_clear(&parse->line);
    return event;
}

static enum httpparse_event next_part(struct httpparse *parse, struct slice *in, struct slice *part)
{
    size_t size = in->size < parse->body_left ? in->size : (size_t)parse->body_left;

    if (size == 0) {
        return HTTPPARSE_MORE;
    }
    *part = slice_of(in->data, size);
    *in = slice_of(in->data + size, in->size - size);
    parse->body_left -= size;
    if (parse->body_left == 0) {
        parse->state =
            parse->state == HTTPPARSE_IN_BODY ? HTTPPARSE_AT_END : HTTPPARSE_IN_CHUNK_END;
    }
    return HTTPPARSE_BODY;
}

enum httpparse_event httpparse_next(struct httpparse *parse, struct slice *in, struct slice *part)
{
    enum httpparse_event event;

    assert(in != NULL);
    assert(part != NULL);
    for (;;) {
        enum httpparse_state before = parse->state;
        switch (parse->state) {
        case HTTPPARSE_IN_START:
        case HTTPPARSE_IN_FIELDS:
            return next_in_head(parse, in);
        case HTTPPARSE_IN_BODY:
        case HTTPPARSE_IN_CHUNK:
            return next_part(parse, in, part);
        case HTTPPARSE_IN_CHUNK_LINE:
        case HTTPPARSE_IN_CHUNK_END:
        case HTTPPARSE_IN_TRAILER:
            event = next_line(parse, in);
            if (event != HTTPPARSE_MORE || (parse->state == before && in->size == 0)) {
                return event;
            }
            break;
        case HTTPPARSE_AT_END:
            return HTTPPARSE_DONE;
        case HTTPPARSE_IS_BAD:
            return HTTPPARSE_BAD;
        }
    }
}

/* ---- answers ---- */

const char *httpparse_phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } phrases[] = {{200, "OK"},
                   {204, "No Content"},
                   {400, "Bad Request"},
                   {401, "Unauthorized"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {408, "Request Timeout"},
                   {411, "Length Required"},
                   {413, "Content Too Large"},
                   {414, "URI Too Long"},
                   {417, "Expectation Failed"},
                   {429, "Too Many Requests"},
                   {431, "Request Header Fields Too Large"},
                   {500, "Internal Server Error"},
                   {501, "Not Implemented"},
                   {503, "Service Unavailable"},
                   {505, "HTTP Version Not Supported"}};

    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
        if (phrases[i].status == status) {
            return phrases[i].phrase;
        }
    }
    return "Error";
}
