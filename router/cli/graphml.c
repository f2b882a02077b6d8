#include "router/cli/loader.h"

#include "common/element.h"
#include "common/mem.h"

#include <assert.h>
#include <errno.h>
#include <expat.h>
#include <string.h>

/*
 * GraphML in TinkerPop's dialect: <key id for attr.name attr.type>, labels in the data of keys
 * labelV and labelE. The file is read once for vertices and once for edges.
 */

enum {
    KEYS_MAX = 1024,
    DATA_MAX = 1024,    /* Properties of one element. */
    TEXT_MAX = 8 << 20, /* Bytes of one <data>. */
    READ_SIZE = 1 << 16
};

struct key {
    struct slice id, name, type;
};

struct file {
    struct loader *loader;
    XML_Parser parser;
    struct arena head; /* Keys. */
    struct arena item; /* The element being read. */
    struct key keys[KEYS_MAX];
    size_t key_count;
    bool in_item;
    bool in_data;
    const struct key *key; /* Of the <data>; null: not known. */
    struct bytes text;
    struct slice id, source, target, label;
    struct property data[DATA_MAX];
    uint32_t data_count;
    bool is_bad;
    int rc;
    struct error *err;
};

static uint64_t line_of(const struct file *file)
{
#if XML_MAJOR_VERSION * 1000 + XML_MINOR_VERSION >= 2009 /* Older ones have no other. */
    return XML_GetCurrentLineNumber64(file->parser);
#else
    return (uint64_t)XML_GetCurrentLineNumber(file->parser);
#endif
}

static struct slice keep(struct arena *arena, const char *text)
{
    size_t size = text ? strlen(text) : 0;

    return slice_of(arena_copy(arena, text ? text : "", size), size);
}

static const char *attribute(const XML_Char **attributes, const char *name)
{
    for (; attributes[0] != NULL; attributes += 2) {
        if (strcmp(attributes[0], name) == 0) {
            return attributes[1];
        }
    }
    return NULL;
}

static void add_key(struct file *file, const XML_Char **attributes)
{
    const char *type = attribute(attributes, "attr.type");
    const char *name = attribute(attributes, "attr.name");
    struct key key = {.id = keep(&file->head, attribute(attributes, "id")),
                      .name = keep(&file->head, name ? name : attribute(attributes, "id")),
                      .type = keep(&file->head, type ? type : "string")};

    if (!loader_type_is_known(key.type)) {
        file->rc = error_set(file->err, E_MALFORMED, "%s:%llu: attr.type '%s' is not known",
                             file->loader->file, (unsigned long long)line_of(file), type);
    } else if (file->key_count == KEYS_MAX) {
        file->rc =
            error_set(file->err, E_LIMIT, "%s: more than %d keys", file->loader->file, KEYS_MAX);
    } else {
        file->keys[file->key_count++] = key;
    }
}

static const struct key *find_key(const struct file *file, const char *id)
{
    for (size_t i = 0; id != NULL && i < file->key_count; i++) {
        if (slice_equal(file->keys[i].id, slice_text(id))) {
            return &file->keys[i];
        }
    }
    return NULL;
}

static void XMLCALL on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    struct file *file = ctx;
    const char *wanted = file->loader->is_edges ? "edge" : "node";

    if (file->rc != E_OK) {
        return;
    }
    if (strcmp(name, "key") == 0) {
        add_key(file, attributes);
    } else if (strcmp(name, wanted) == 0) {
        arena_reset(&file->item);
        file->in_item = true;
        file->is_bad = false;
        file->data_count = 0;
        file->label = (struct slice){0};
        file->id = keep(&file->item, attribute(attributes, "id"));
        file->source = keep(&file->item, attribute(attributes, "source"));
        file->target = keep(&file->item, attribute(attributes, "target"));
    } else if (strcmp(name, "data") == 0 && file->in_item) {
        file->in_data = true;
        file->key = find_key(file, attribute(attributes, "key"));
        bytes_clear(&file->text);
    }
}

static void XMLCALL on_text(void *ctx, const XML_Char *text, int size)
{
    struct file *file = ctx;

    if (file->in_data) {
        bytes_append(&file->text, text, (size_t)size);
    }
}

static void end_data(struct file *file)
{
    struct slice text = bytes_slice(&file->text);

    file->in_data = false;
    text.data = arena_copy(&file->item, text.data, text.size);
    if (file->text.is_overflown || file->key == NULL || file->data_count == DATA_MAX) {
        file->is_bad = true;
        file->rc = loader_bad(file->loader, line_of(file), file->err,
                              "<data>: its key is not declared, it is too long or one too many");
        bytes_clear(&file->text);
        return;
    }
    if (slice_equal(file->key->id, SLICE("labelV")) ||
        slice_equal(file->key->id, SLICE("labelE"))) {
        file->label = text;
        return;
    }
    file->data[file->data_count].key = file->key->name;
    if (!loader_value(&file->item, file->key->type, text, &file->data[file->data_count].value)) {
        file->is_bad = true;
        file->rc = loader_bad(file->loader, line_of(file), file->err, "%.*s: '%.*s' is no %.*s",
                              (int)file->key->name.size, (const char *)file->key->name.data,
                              (int)(text.size < 40 ? text.size : 40), (const char *)text.data,
                              (int)file->key->type.size, (const char *)file->key->type.data);
        return;
    }
    file->data_count++;
}

static int give_vertex(struct file *file)
{
    struct vproperty *props = arena_array(&file->item, file->data_count, sizeof(*props));
    struct change vertex = {
        .kind = CHANGE_VERTEX_ADD, .vprops = props, .vprop_count = file->data_count};

    if (!loader_is_id(file->id)) {
        return loader_bad(file->loader, line_of(file), file->err, "<node> without a usable id");
    }
    for (uint32_t i = 0; i < file->data_count; i++) {
        props[i].key = file->data[i].key;
        props[i].value = file->data[i].value;
    }
    vertex.vertex = loader_id(file->id);
    vertex.label = file->label.size > 0 ? file->label : SLICE("vertex");
    return loader_vertex(file->loader, &vertex, file->err);
}

static int give_edge(struct file *file)
{
    struct change edge = {.kind = CHANGE_EDGE_ADD, .direction = DIRECTION_OUT};

    if (!loader_is_id(file->source) || !loader_is_id(file->target) ||
        (file->id.size > 0 && !loader_is_id(file->id))) {
        return loader_bad(file->loader, line_of(file), file->err,
                          "<edge> without a usable id, source or target");
    }
    edge.vertex = loader_id(file->source);
    edge.far = loader_id(file->target);
    edge.edge = file->id.size > 0 ? loader_id(file->id) : vid_num(0);
    edge.label = file->label.size > 0 ? file->label : SLICE("edge");
    edge.props = file->data;
    edge.prop_count = file->data_count;
    return loader_edge(file->loader, &edge, file->id.size > 0, file->err);
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
    struct file *file = ctx;
    const char *wanted = file->loader->is_edges ? "edge" : "node";

    if (file->rc == E_OK && file->in_data && strcmp(name, "data") == 0) {
        end_data(file);
    } else if (file->rc == E_OK && file->in_item && strcmp(name, wanted) == 0) {
        file->in_item = false;
        if (!file->is_bad) {
            file->rc = file->loader->is_edges ? give_edge(file) : give_vertex(file);
        }
    }
    if (file->rc != E_OK) {
        XML_StopParser(file->parser, XML_FALSE);
    }
}

/* Entities of the document's own are not needed and may grow without end. */
static void XMLCALL on_entity(void *ctx, const XML_Char *name, int is_parameter,
                              const XML_Char *value, int size, const XML_Char *base,
                              const XML_Char *system, const XML_Char *public,
                              const XML_Char *notation)
{
    struct file *file = ctx;

    (void)name, (void)is_parameter, (void)value, (void)size;
    (void)base, (void)system, (void)public, (void)notation;
    file->rc = error_set(file->err, E_MALFORMED, "%s: declares entities", file->loader->file);
    XML_StopParser(file->parser, XML_FALSE);
}

static int parse(struct file *file, FILE *input)
{
    size_t size;
    bool is_last = false;

    while (file->rc == E_OK && !is_last) {
        void *room = XML_GetBuffer(file->parser, READ_SIZE);
        size = fread(room, 1, READ_SIZE, input);
        is_last = size < READ_SIZE;
        if (ferror(input)) {
            return error_set(file->err, E_IO, "reading %s: %s", file->loader->file,
                             strerror(errno));
        }
        if (XML_ParseBuffer(file->parser, (int)size, is_last) == XML_STATUS_ERROR &&
            file->rc == E_OK) {
            file->rc = error_set(file->err, E_MALFORMED, "%s:%llu: %s", file->loader->file,
                                 (unsigned long long)line_of(file),
                                 XML_ErrorString(XML_GetErrorCode(file->parser)));
        }
        loader_progress(file->loader, size);
    }
    return file->rc;
}

int graphml_load(struct loader *loader, const char *path, struct error *err)
{
    struct file *file = mem_alloc(sizeof(*file));
    FILE *input = fopen(path, "rb");
    int rc;

    loader->file = path;
    file->loader = loader;
    file->err = err;
    arena_init(&file->head, 0);
    arena_init(&file->item, 0);
    bytes_init(&file->text, TEXT_MAX);
    file->parser = XML_ParserCreate(NULL);
    assert(file->parser != NULL);
    XML_SetUserData(file->parser, file);
    XML_SetElementHandler(file->parser, on_start, on_end);
    XML_SetCharacterDataHandler(file->parser, on_text);
    XML_SetEntityDeclHandler(file->parser, on_entity);
    if (input == NULL) {
        rc = error_set(err, E_IO, "cannot open %s: %s", path, strerror(errno));
    } else {
        rc = parse(file, input);
        fclose(input);
    }
    XML_ParserFree(file->parser);
    bytes_close(&file->text);
    arena_close(&file->item);
    arena_close(&file->head);
    mem_free(file);
    return rc;
}
