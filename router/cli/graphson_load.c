#include "router/cli/loader.h"

#include "common/element.h"
#include "common/mem.h"
#include "router/wire/graphson.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/*
 * GraphSON 3 adjacency lines, as TinkerPop's io() writes them: one vertex a line, with its
 * properties and its edges. Edges are taken from outE; inE says the same again. The file is read
 * once for vertices and once for edges.
 */

enum { LINE_MAX_BYTES = 1 << 30 };

struct file {
    struct loader *loader;
    struct arena arena; /* Of the line. */
    uint64_t line;
    struct error *err;
};

static int bad(struct file *file, const char *what)
{
    return loader_bad(file->loader, file->line, file->err, "%s", what);
}

static bool read_value(struct file *file, const struct json *json, struct value *out)
{
    struct error ignored;
    struct graphson graphson = {.arena = &file->arena, .err = &ignored};

    return json != NULL && graphson_read(&graphson, json, out) == E_OK;
}

static bool read_id(struct file *file, const struct json *json, struct vid *out)
{
    struct value value;

    return read_value(file, json, &value) && vid_from_value(&file->arena, &value, out);
}

/* {"key": value, ...}; false when one cannot be read. */
static bool read_properties(struct file *file, const struct json *json, struct property **out,
                            uint32_t *count)
{
    *count = 0;
    *out = arena_array(&file->arena, json ? json->count : 0, sizeof(**out));
    for (const struct json *at = json ? json->first : NULL; at != NULL; at = at->next) {
        /* Some writers give {"key": k, "value": v} as in g:Property. */
        const struct json *value = at->kind == JSON_OBJECT && json_get(at, "@type") == NULL &&
                                           json_get(at, "value") != NULL
                                       ? json_get(at, "value")
                                       : at;
        (*out)[*count].key = at->key;
        if (!read_value(file, value, &(*out)[*count].value)) {
            return false;
        }
        (*count)++;
    }
    return true;
}

static bool read_vproperty(struct file *file, const struct json *json, struct vproperty *prop)
{
    struct property *metas = NULL;
    struct value id;

    if (json->kind != JSON_OBJECT || !read_value(file, json_get(json, "value"), &prop->value) ||
        !read_properties(file, json_get(json, "properties"), &metas, &prop->meta_count)) {
        return false;
    }
    prop->metas = metas;
    if (json_get(json, "id") != NULL && read_value(file, json_get(json, "id"), &id) &&
        (id.kind == VALUE_LONG || id.kind == VALUE_INT)) {
        prop->id = value_long(id.integer);
    }
    return true;
}

static uint32_t count_values(const struct json *json)
{
    uint32_t count = 0;

    for (const struct json *key = json ? json->first : NULL; key != NULL; key = key->next) {
        count += key->count;
    }
    return count;
}

static int give_vertex(struct file *file, const struct json *json)
{
    const struct json *keys = json_get(json, "properties"), *label = json_get(json, "label");
    struct vproperty *props = arena_array(&file->arena, count_values(keys), sizeof(*props));
    struct change vertex = {.kind = CHANGE_VERTEX_ADD, .vprops = props};

    if (!read_id(file, json_get(json, "id"), &vertex.vertex)) {
        return bad(file, "a vertex without a usable id");
    }
    for (const struct json *key = keys ? keys->first : NULL; key != NULL; key = key->next) {
        for (const struct json *at = key->first; at != NULL; at = at->next) {
            struct vproperty *prop = &props[vertex.vprop_count++];
            prop->key = key->key;
            prop->cardinality = key->count > 1 ? CARDINALITY_LIST - CARDINALITY_SINGLE : 0;
            if (!read_vproperty(file, at, prop)) {
                return bad(file, "a property that is not GraphSON 3");
            }
        }
    }
    vertex.label = label && label->kind == JSON_STRING ? label->text : SLICE("vertex");
    return loader_vertex(file->loader, &vertex, file->err);
}

static int give_edge(struct file *file, const struct vid *out, struct slice label,
                     const struct json *json)
{
    struct change edge = {
        .kind = CHANGE_EDGE_ADD, .direction = DIRECTION_OUT, .vertex = *out, .label = label};
    const struct json *id = json_get(json, "id");
    struct property *props = NULL;

    if (!read_id(file, json_get(json, "inV"), &edge.far) ||
        (id != NULL && !read_id(file, id, &edge.edge)) ||
        !read_properties(file, json_get(json, "properties"), &props, &edge.prop_count)) {
        return bad(file, "an edge that is not GraphSON 3");
    }
    edge.props = props;
    return loader_edge(file->loader, &edge, id != NULL, file->err);
}

static int give_edges(struct file *file, const struct json *json)
{
    const struct json *labels = json_get(json, "outE");
    struct vid out;
    int rc = E_OK;

    if (!read_id(file, json_get(json, "id"), &out)) {
        return E_OK; /* Told in the first pass. */
    }
    for (const struct json *label = labels ? labels->first : NULL; label != NULL && rc == E_OK;
         label = label->next) {
        for (const struct json *at = label->first; at != NULL && rc == E_OK; at = at->next) {
            rc = give_edge(file, &out, label->key, at);
        }
    }
    return rc;
}

static int give_line(struct file *file, struct slice text)
{
    struct json *json = NULL;
    struct error err = {0};

    if (json_parse(&file->arena, text, &json, &err) != E_OK) {
        return bad(file, err.text);
    }
    if (json->kind != JSON_OBJECT) {
        return bad(file, "a line is one vertex: a JSON object");
    }
    if (json_is_text(json_get(json, "@type"), "tinker:graph")) {
        return bad(file, "a whole graph in one object: write it as adjacency lines");
    }
    return file->loader->is_edges ? give_edges(file, json) : give_vertex(file, json);
}

int graphson_load(struct loader *loader, const char *path, struct error *err)
{
    struct file file = {.loader = loader, .err = err};
    FILE *input = fopen(path, "rb");
    char *text = NULL;
    size_t room = 0;
    ssize_t size;
    int rc = E_OK;

    loader->file = path;
    if (input == NULL) {
        return error_set(err, E_IO, "cannot open %s: %s", path, strerror(errno));
    }
    arena_init(&file.arena, 0);
    while (rc == E_OK && (size = getline(&text, &room, input)) > 0) {
        file.line++;
        loader_progress(loader, (uint64_t)size);
        while (size > 0 && strchr("\r\n \t", text[size - 1]) != NULL) {
            size--;
        }
        if (size > LINE_MAX_BYTES) {
            rc = error_set(err, E_LIMIT, "%s:%" PRIu64 ": a line of %zd bytes", path, file.line,
                           size);
        } else if (size > 0) {
            rc = give_line(&file, slice_of(text, (size_t)size));
        }
        arena_reset(&file.arena);
    }
    if (rc == E_OK && ferror(input)) {
        rc = error_set(err, E_IO, "reading %s: %s", path, strerror(errno));
    }
    free(text);
    arena_close(&file.arena);
    fclose(input);
    return rc;
}
