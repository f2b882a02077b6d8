#include "router/wire/json.h"

#include <assert.h>
#include <string.h>

enum {
    PADDING = 64 /* Bytes that simdjson may read past the end. */
};

struct json_builder {
    struct arena *arena;
    struct json *root;
    struct json *open[JSON_DEPTH_MAX]; /* Arrays and objects around what comes next. */
    size_t depth;
    struct slice key; /* Of what comes next. */
};

static struct slice keep(struct json_builder *builder, const char *text, size_t size)
{
    return slice_of(arena_copy(builder->arena, text, size), size);
}

static struct json *add(struct json_builder *builder, enum json_kind kind)
{
    struct json *node = ARENA_NEW(builder->arena, struct json);

    node->kind = kind;
    node->key = builder->key;
    builder->key = (struct slice){0};
    if (builder->depth == 0) {
        builder->root = node;
        return node;
    }
    struct json *parent = builder->open[builder->depth - 1];
    if (parent->last == NULL) {
        parent->first = node;
    } else {
        parent->last->next = node;
    }
    parent->last = node;
    parent->count++;
    return node;
}

bool json_is_full(const struct json_builder *builder)
{
    return builder->arena->is_exceeded;
}

void json_open(struct json_builder *builder, bool is_object)
{
    struct json *node = add(builder, is_object ? JSON_OBJECT : JSON_ARRAY);

    assert(builder->depth < JSON_DEPTH_MAX);
    builder->open[builder->depth++] = node;
}

void json_close(struct json_builder *builder)
{
    assert(builder->depth > 0);
    builder->depth--;
}

void json_key(struct json_builder *builder, const char *text, size_t size)
{
    builder->key = keep(builder, text, size);
}

void json_string(struct json_builder *builder, const char *text, size_t size)
{
    struct json *node = add(builder, JSON_STRING);

    node->text = keep(builder, text, size);
}

static size_t skip_digits(const char *text, size_t size, size_t at)
{
    while (at < size && text[at] >= '0' && text[at] <= '9') {
        at++;
    }
    return at;
}

/* RFC 8259 section 6. */
static bool is_number(const char *text, size_t size)
{
    size_t at = size > 0 && text[0] == '-' ? 1 : 0;
    size_t start = at;

    at = skip_digits(text, size, at);
    if (at == start || (at > start + 1 && text[start] == '0')) {
        return false;
    }
    if (at < size && text[at] == '.') {
        start = ++at;
        at = skip_digits(text, size, at);
        if (at == start) {
            return false;
        }
    }
    if (at < size && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        at += at < size && (text[at] == '+' || text[at] == '-');
        start = at;
        at = skip_digits(text, size, at);
        if (at == start) {
            return false;
        }
    }
    return at == size;
}

bool json_number(struct json_builder *builder, const char *text, size_t size)
{
    while (size > 0 && strchr(" \t\r\n", text[size - 1]) != NULL) {
        size--;
    }
    if (!is_number(text, size)) {
        return false;
    }
    struct json *node = add(builder, JSON_NUMBER);
    node->text = keep(builder, text, size);
    return true;
}

void json_bool(struct json_builder *builder, bool value)
{
    struct json *node = add(builder, JSON_BOOL);

    node->boolean = value;
}

void json_null(struct json_builder *builder)
{
    (void)add(builder, JSON_NULL);
}

static bool is_container(struct slice text)
{
    size_t at = 0;

    while (at < text.size && strchr(" \t\r\n", text.data[at]) != NULL && text.data[at] != 0) {
        at++;
    }
    return at < text.size && (text.data[at] == '[' || text.data[at] == '{');
}

int json_parse(struct arena *arena, struct slice text, struct json **out, struct error *err)
{
    struct json_builder builder = {.arena = arena};
    char *padded = arena_alloc(arena, text.size + 2 + PADDING);
    bool is_whole = is_container(text);
    size_t size = is_whole ? text.size : text.size + 2;

    assert(out != NULL);
    *out = NULL;
    /* A scalar is walked as the only item of an array. */
    padded[0] = '[';
    if (text.size > 0) {
        memcpy(padded + (is_whole ? 0 : 1), text.data, text.size);
    }
    memset(padded + size, 0, PADDING);
    if (!is_whole) {
        padded[size - 1] = ']';
    }
    const char *wrong = json_walk(&builder, padded, size);
    if (wrong == NULL && !is_whole && builder.root->count != 1) {
        wrong = "not one value";
    }
    if (wrong != NULL) {
        return error_set(err, E_MALFORMED, "JSON: %s", wrong);
    }
    *out = is_whole ? builder.root : builder.root->first;
    return E_OK;
}

const struct json *json_get(const struct json *object, const char *key)
{
    const struct json *found = NULL;

    if (object == NULL || object->kind != JSON_OBJECT) {
        return NULL;
    }
    for (const struct json *child = object->first; child != NULL; child = child->next) {
        if (slice_equal(child->key, slice_text(key))) {
            found = child;
        }
    }
    return found;
}

bool json_is_text(const struct json *json, const char *text)
{
    return json != NULL && json->kind == JSON_STRING && slice_equal(json->text, slice_text(text));
}
