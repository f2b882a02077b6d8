/*
 * json.h -- JSON text to a tree. The only door to simdjson, whose side of it (json.cc) is the only
 * C++ here.
 *
 *   {"a": [1.50]}   OBJECT [ ARRAY key "a" [ NUMBER "1.50" ] ]
 *
 * Numbers keep their text: GraphSON carries BigInteger and BigDecimal as bare numbers. Every token
 * is looked at, so what is skipped elsewhere is still checked.
 *
 * Pure. Ownership: the tree and its texts are in the arena; nothing of the input is kept.
 * Limits: JSON_DEPTH_MAX; the arena's own.
 */
#ifndef ROUTER_WIRE_JSON_H
#define ROUTER_WIRE_JSON_H

#ifdef __cplusplus
extern "C" {
#endif

#include "common/arena.h"
#include "common/bytes.h"
#include "common/error.h"

enum {
    JSON_DEPTH_MAX = 256 /* GraphSON takes two and more for one of a value's. */
};

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
    enum json_kind kind;
    bool boolean;
    uint32_t count;            /* Children. */
    struct slice key;          /* In an object. */
    struct slice text;         /* NUMBER as written; STRING without escapes, UTF-8. */
    struct json *first, *last; /* Children in order. */
    struct json *next;
};

/* Returns E_OK or E_MALFORMED, saying what is wrong. */
int json_parse(struct arena *arena, struct slice text, struct json **out, struct error *err);
/* The child of an object with that key; the last one if there are several; null if none. */
const struct json *json_get(const struct json *object, const char *key);
bool json_is_text(const struct json *json, const char *text);

/* ---- between json.c and json.cc ---- */

struct json_builder;

/* Walks an array or object (64 readable bytes follow it) and calls the functions below; null or
 * what is wrong. */
const char *json_walk(struct json_builder *builder, const char *text, size_t size);

/* True when the arena's limit is passed: the walk ends. */
bool json_is_full(const struct json_builder *builder);
void json_open(struct json_builder *builder, bool is_object);
void json_close(struct json_builder *builder);
void json_key(struct json_builder *builder, const char *text, size_t size);
void json_string(struct json_builder *builder, const char *text, size_t size);
/* False if it is not a number of JSON. */
bool json_number(struct json_builder *builder, const char *text, size_t size);
void json_bool(struct json_builder *builder, bool value);
void json_null(struct json_builder *builder);

#ifdef __cplusplus
}
#endif

#endif
