/*
 * graphson.h -- GraphSON 3 and 2, typed and untyped, to values and back.
 *
 *   {"@type": "g:Int32", "@value": 1}   bare strings, booleans, null; bare numbers are read, and
 * written in
 *                                       the untyped forms
 *
 * Version 3 has g:List, g:Set, g:Map; version 2 has JSON's own arrays and objects in their place.
 * Both are read whatever the version. A Binding gives its value.
 *
 * After: TinkerPop docs/src/dev/io/graphson.asciidoc.
 * Pure. Ownership: values read are in the arena and keep texts of the tree.
 * Limits: VALUE_DEPTH_MAX, BYTECODE_STEPS_MAX instructions.
 */
#ifndef ROUTER_WIRE_GRAPHSON_H
#define ROUTER_WIRE_GRAPHSON_H

#include "router/wire/json.h"
#include "router/wire/request.h"

struct graphson {
    struct arena *arena;
    struct error *err;
    bool has_long_numbers; /* Bare whole numbers are longs (HTTP), else ints if they fit. */
    uint32_t instruction_count;
};

/* Returns E_OK or E_MALFORMED. */
int graphson_read(struct graphson *graphson, const struct json *json, struct value *out);
/* format: one of FORMAT_GRAPHSON*. */
void graphson_write(struct bytes *out, enum format format, const struct value *value);
/* What stands before and behind the values of a list, with commas between them. */
void graphson_open_list(struct bytes *out, enum format format);
void graphson_close_list(struct bytes *out, enum format format);
/* A JSON string with its quotes. */
void graphson_put_text(struct bytes *out, struct slice text);

#endif
