#include "common/conf.h"

#include <assert.h>
#include <ctype.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_MAX_BYTES = 64,
    WHERE_MAX = 200,
    NEAR_MAX = 3 /* Changed letters of a name that is still suggested. */
};

/* ---- values ---- */

static void *member(const struct conf *conf, const struct conf_option *option)
{
    return (char *)conf->values + option->offset;
}

static size_t choice_size(const char *choice)
{
    return strcspn(choice, "|");
}

/* What is allowed, for people. */
static void allowed(const struct conf_option *option, char *out, size_t size)
{
    switch (option->type) {
    case CONF_TYPE_INT:
        (void)snprintf(out, size, "a whole number from %lld to %lld%s%s is allowed",
                       (long long)option->low, (long long)option->high,
                       option->unit[0] == '\0' ? "" : " ", option->unit);
        return;
    case CONF_TYPE_BOOL:
        (void)snprintf(out, size, "true or false is allowed");
        return;
    case CONF_TYPE_TEXT:
        (void)snprintf(out, size, "a text of %lld to %lld bytes is allowed", (long long)option->low,
                       (long long)option->high);
        return;
    case CONF_TYPE_CHOICE:
        (void)snprintf(out, size, "one of %s is allowed", option->choices);
        return;
    case CONF_TYPE_LIST:
        (void)snprintf(out, size, "a list of %lld to %lld texts is allowed", (long long)option->low,
                       (long long)option->high);
        return;
    }
}

static int refuse(const struct conf_option *option, const char *where, const char *what,
                  struct error *err)
{
    char text[WHERE_MAX];

    allowed(option, text, sizeof text);
    return error_set(err, E_CONFIG, "%s: %s %s: %s", where, option->name, what, text);
}

static int set_number(const struct conf *conf, const struct conf_option *option, int64_t value,
                      const char *where, struct error *err)
{
    char what[64];

    assert(option->type == CONF_TYPE_INT);
    if (value < option->low || value > option->high) {
        (void)snprintf(what, sizeof what, "= %lld is out of range", (long long)value);
        return refuse(option, where, what, err);
    }
    memcpy(member(conf, option), &value, sizeof value);
    return E_OK;
}

static int set_bool(const struct conf *conf, const struct conf_option *option, bool value)
{
    assert(option->type == CONF_TYPE_BOOL);
    memcpy(member(conf, option), &value, sizeof value);
    return E_OK;
}

static int set_choice(const struct conf *conf, const struct conf_option *option, const char *value,
                      const char *where, struct error *err)
{
    const char *at = option->choices;
    char what[WHERE_MAX];

    for (int place = 0;; place++) {
        size_t size = choice_size(at);
        if (strlen(value) == size && memcmp(value, at, size) == 0) {
            memcpy(member(conf, option), &place, sizeof place);
            return E_OK;
        }
        if (at[size] == '\0') {
            break;
        }
        at += size + 1;
    }
    (void)snprintf(what, sizeof what, "= \"%.100s\" is not known", value);
    return refuse(option, where, what, err);
}

static int set_text(struct conf *conf, const struct conf_option *option, const char *value,
                    const char *where, struct error *err)
{
    const char *copy;
    int64_t size = (int64_t)strlen(value);

    if (option->type == CONF_TYPE_CHOICE) {
        return set_choice(conf, option, value, where, err);
    }
    assert(option->type == CONF_TYPE_TEXT);
    if (size < option->low || size > option->high) {
        return refuse(option, where, size < option->low ? "is too short" : "is too long", err);
    }
    copy = arena_copy(&conf->arena, value, (size_t)size + 1);
    memcpy(member(conf, option), &copy, sizeof copy);
    return E_OK;
}

static int set_list(const struct conf *conf, const struct conf_option *option,
                    const struct conf_list *list, const char *where, struct error *err)
{
    char what[64];

    assert(option->type == CONF_TYPE_LIST);
    if ((int64_t)list->count < option->low || (int64_t)list->count > option->high) {
        (void)snprintf(what, sizeof what, "has %zu items", list->count);
        return refuse(option, where, what, err);
    }
    memcpy(member(conf, option), list, sizeof *list);
    return E_OK;
}

/* "a,b" of a default, the environment or a flag. */
static int set_list_text(struct conf *conf, const struct conf_option *option, const char *value,
                         const char *where, struct error *err)
{
    struct conf_list list = {0};
    const char *at = value;

    list.items = arena_array(&conf->arena, strlen(value) + 1, sizeof *list.items);
    while (*at != '\0') {
        size_t size = strcspn(at, ",");
        if (size > 0) {
            list.items[list.count++] = arena_format(&conf->arena, "%.*s", (int)size, at);
        }
        at += size + (at[size] == ',');
    }
    return set_list(conf, option, &list, where, err);
}

/* A value as text, from the environment or a flag. */
static int set_any(struct conf *conf, const struct conf_option *option, const char *value,
                   const char *where, struct error *err)
{
    char *end;
    long long number;

    switch (option->type) {
    case CONF_TYPE_INT:
        number = strtoll(value, &end, 0);
        if (end == value || *end != '\0') {
            return refuse(option, where, "is not a number", err);
        }
        return set_number(conf, option, number, where, err);
    case CONF_TYPE_BOOL:
        if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0) {
            return refuse(option, where, "is not true or false", err);
        }
        return set_bool(conf, option, value[0] == 't');
    case CONF_TYPE_TEXT:
    case CONF_TYPE_CHOICE:
        return set_text(conf, option, value, where, err);
    case CONF_TYPE_LIST:
        return set_list_text(conf, option, value, where, err);
    }
    return E_CONFIG;
}

static int set_defaults(struct conf *conf, struct error *err)
{
    for (size_t i = 0; i < conf->table->count; i++) {
        const struct conf_option *option = &conf->table->options[i];
        int rc;
        if (option->type == CONF_TYPE_BOOL) {
            rc = set_bool(conf, option, option->initial != 0);
        } else if (option->type == CONF_TYPE_INT) {
            rc = set_number(conf, option, option->initial, "default", err);
        } else {
            rc = set_any(conf, option, option->text, "default", err);
        }
        if (rc != E_OK) {
            return rc;
        }
    }
    return E_OK;
}

/* ---- names ---- */

/* A flag may have - for _. */
static bool name_equal(const char *name, const char *given, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char c = given[i] == '-' ? '_' : given[i];
        if (name[i] == '\0' || name[i] != c) {
            return false;
        }
    }
    return name[size] == '\0';
}

static const struct conf_option *find(const struct conf_table *table, const char *name, size_t size)
{
    for (size_t i = 0; i < table->count; i++) {
        if (name_equal(table->options[i].name, name, size)) {
            return &table->options[i];
        }
    }
    return NULL;
}

/* Levenshtein's distance, one row at a time. */
static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_BYTES + 1];
    size_t b_size = strnlen(b, NAME_MAX_BYTES);

    for (size_t j = 0; j <= b_size; j++) {
        row[j] = j;
    }
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b_size; j++) {
            size_t change = diagonal + (a[i] != b[j]);
            size_t least = row[j] < row[j + 1] ? row[j] + 1 : row[j + 1] + 1;
            diagonal = row[j + 1];
            row[j + 1] = change < least ? change : least;
        }
    }
    return row[b_size];
}

static int unknown(const struct conf_table *table, const char *where, const char *given,
                   struct error *err)
{
    char name[NAME_MAX_BYTES];
    const char *nearest = NULL;
    size_t best = NEAR_MAX + 1;

    (void)snprintf(name, sizeof name, "%s", given);
    for (char *at = name; *at != '\0'; at++) {
        *at = *at == '-' ? '_' : *at;
    }
    for (size_t i = 0; i < table->count; i++) {
        size_t apart = distance(name, table->options[i].name);
        if (apart < best) {
            best = apart;
            nearest = table->options[i].name;
        }
    }
    if (nearest == NULL) {
        return error_set(err, E_CONFIG, "%s: unknown option \"%s\"; %s --help lists all", where,
                         given, table->program);
    }
    return error_set(err, E_CONFIG, "%s: unknown option \"%s\"; did you mean \"%s\"?", where, given,
                     nearest);
}

/* ---- the file ---- */

static int read_list(struct conf *conf, const struct conf_option *option,
                     const config_setting_t *setting, const char *where, struct error *err)
{
    int count = config_setting_length(setting);
    struct conf_list list = {0};

    list.items = arena_array(&conf->arena, (size_t)count + 1, sizeof *list.items);
    for (int i = 0; i < count; i++) {
        const char *item = config_setting_get_string_elem(setting, i);
        if (item == NULL) {
            return refuse(option, where, "holds something that is not a text", err);
        }
        list.items[list.count++] = arena_copy(&conf->arena, item, strlen(item) + 1);
    }
    return set_list(conf, option, &list, where, err);
}

static int read_setting(struct conf *conf, const struct conf_option *option,
                        const config_setting_t *setting, const char *where, struct error *err)
{
    int type = config_setting_type(setting);
    bool is_number = type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
    bool is_list = type == CONFIG_TYPE_LIST || type == CONFIG_TYPE_ARRAY;

    switch (option->type) {
    case CONF_TYPE_INT:
        return is_number ? set_number(conf, option, config_setting_get_int64(setting), where, err)
                         : refuse(option, where, "is not a whole number", err);
    case CONF_TYPE_BOOL:
        return type == CONFIG_TYPE_BOOL
                   ? set_bool(conf, option, config_setting_get_bool(setting) != 0)
                   : refuse(option, where, "is not true or false", err);
    case CONF_TYPE_TEXT:
    case CONF_TYPE_CHOICE:
        return type == CONFIG_TYPE_STRING
                   ? set_text(conf, option, config_setting_get_string(setting), where, err)
                   : refuse(option, where, "is not a text in quotes", err);
    case CONF_TYPE_LIST:
        return is_list ? read_list(conf, option, setting, where, err)
                       : refuse(option, where, "is not a list such as (\"a\", \"b\")", err);
    }
    return E_CONFIG;
}

static int read_settings(struct conf *conf, const char *path, const config_t *config,
                         struct error *err)
{
    const config_setting_t *root = config_root_setting(config);

    for (int i = 0; i < config_setting_length(root); i++) {
        const config_setting_t *setting = config_setting_get_elem(root, (unsigned)i);
        const char *name = config_setting_name(setting);
        const char *file = config_setting_source_file(setting);
        const struct conf_option *option = find(conf->table, name, strlen(name));
        char where[WHERE_MAX];
        (void)snprintf(where, sizeof where, "%s:%u", file == NULL ? path : file,
                       config_setting_source_line(setting));
        if (option == NULL) {
            return unknown(conf->table, where, name, err);
        }
        int rc = read_setting(conf, option, setting, where, err);
        if (rc != E_OK) {
            return rc;
        }
    }
    return E_OK;
}

int conf_file(struct conf *conf, const char *path, struct error *err)
{
    config_t config;
    int rc;

    config_init(&config);
    if (config_read_file(&config, path) == CONFIG_TRUE) {
        rc = read_settings(conf, path, &config, err);
    } else if (config_error_type(&config) == CONFIG_ERR_FILE_IO) {
        rc = error_set(err, E_CONFIG, "%s cannot be read", path);
    } else {
        rc = error_set(err, E_CONFIG, "%s:%d: %s",
                       config_error_file(&config) == NULL ? path : config_error_file(&config),
                       config_error_line(&config), config_error_text(&config));
    }
    config_destroy(&config);
    return rc;
}

/* ---- environment and flags ---- */

static int read_environment(struct conf *conf, struct error *err)
{
    for (size_t i = 0; i < conf->table->count; i++) {
        const struct conf_option *option = &conf->table->options[i];
        char name[NAME_MAX_BYTES];
        const char *value;
        int rc;
        (void)snprintf(name, sizeof name, "CARDEA_%s", option->name);
        for (char *at = name; *at != '\0'; at++) {
            *at = (char)toupper((unsigned char)*at);
        }
        value = getenv(name);
        rc = value == NULL ? E_OK : set_any(conf, option, value, name, err);
        if (rc != E_OK) {
            return rc;
        }
    }
    return E_OK;
}

/* One flag, --name=value or --name value. */
static int read_flag(struct conf *conf, char *const *argv, int *at, struct error *err)
{
    const char *flag = argv[*at] + 2;
    size_t size = strcspn(flag, "=");
    const struct conf_option *option = find(conf->table, flag, size);
    const char *value = flag[size] == '=' ? flag + size + 1 : NULL;
    char name[NAME_MAX_BYTES];

    if (option == NULL) {
        (void)snprintf(name, sizeof name, "%.*s", (int)size, flag);
        return unknown(conf->table, "command line", name, err);
    }
    if (value == NULL) {
        (*at)++;
        value = argv[*at];
    }
    if (value == NULL) {
        return refuse(option, "command line", "has no value", err);
    }
    return set_any(conf, option, value, "command line", err);
}

static int read_arguments(struct conf *conf, int argc, char *const *argv, struct error *err)
{
    for (int i = 1; i < argc; i++) {
        int rc = E_OK;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            conf->action = CONF_HELP;
        } else if (strcmp(argv[i], "--sample") == 0) {
            conf->action = CONF_SAMPLE;
        } else if (strcmp(argv[i], "--version") == 0) {
            conf->action = CONF_VERSION;
        } else if (strncmp(argv[i], "--", 2) == 0) {
            rc = read_flag(conf, argv, &i, err);
        } else if (argv[i][0] == '-') {
            rc = unknown(conf->table, "command line", argv[i], err);
        }
        if (rc != E_OK) {
            return rc;
        }
    }
    return E_OK;
}

/* The argument that is neither a flag nor a flag's value; null: none. */
static int find_path(const struct conf *conf, int argc, char *const *argv, const char **path,
                     struct error *err)
{
    *path = NULL;
    for (int i = 1; i < argc; i++) {
        size_t size = strcspn(argv[i], "=");
        if (argv[i][0] != '-') {
            if (*path != NULL) {
                return error_set(err, E_CONFIG, "two files are given: %s and %s", *path, argv[i]);
            }
            *path = argv[i];
        } else if (size > 2 && argv[i][size] == '\0' &&
                   find(conf->table, argv[i] + 2, size - 2) != NULL) {
            i++;
        }
    }
    return E_OK;
}

int conf_open(struct conf *conf, const struct conf_table *table, void *values, int argc,
              char *const *argv, struct error *err)
{
    const char *path;
    int rc;

    *conf = (struct conf){.table = table, .values = values};
    arena_init(&conf->arena, 0);
    rc = set_defaults(conf, err);
    assert(rc == E_OK);
    rc = find_path(conf, argc, argv, &path, err);
    if (rc == E_OK && path != NULL) {
        rc = conf_file(conf, path, err);
    }
    if (rc == E_OK) {
        rc = read_environment(conf, err);
    }
    if (rc == E_OK) {
        rc = read_arguments(conf, argc, argv, err);
    }
    if (rc != E_OK) {
        conf_close(conf);
    }
    return rc;
}

void conf_close(struct conf *conf)
{
    arena_close(&conf->arena);
    *conf = (struct conf){0};
}

/* ---- for people ---- */

static void write_default(const struct conf_option *option, struct bytes *out)
{
    const char *at = option->text;

    switch (option->type) {
    case CONF_TYPE_INT:
        bytes_format(out, "%lld", (long long)option->initial);
        /* Without L libconfig 1.5 reads 32 bits. */
        bytes_format(out, "%s", option->initial > INT32_MAX ? "L" : "");
        return;
    case CONF_TYPE_BOOL:
        bytes_format(out, "%s", option->initial != 0 ? "true" : "false");
        return;
    case CONF_TYPE_TEXT:
    case CONF_TYPE_CHOICE:
        bytes_format(out, "\"%s\"", option->text);
        return;
    case CONF_TYPE_LIST:
        bytes_format(out, "(");
        while (*at != '\0') {
            size_t size = strcspn(at, ",");
            bytes_format(out, "%s\"%.*s\"", at == option->text ? "" : ", ", (int)size, at);
            at += size + (at[size] == ',');
        }
        bytes_format(out, ")");
        return;
    }
}

static void write_range(const struct conf_option *option, struct bytes *out)
{
    switch (option->type) {
    case CONF_TYPE_INT:
        bytes_format(out, "%lld to %lld%s%s", (long long)option->low, (long long)option->high,
                     option->unit[0] == '\0' ? "" : " ", option->unit);
        return;
    case CONF_TYPE_BOOL:
        bytes_format(out, "true or false");
        return;
    case CONF_TYPE_TEXT:
        bytes_format(out, "a text");
        return;
    case CONF_TYPE_CHOICE:
        bytes_format(out, "%s", option->choices);
        return;
    case CONF_TYPE_LIST:
        bytes_format(out, "%lld to %lld texts", (long long)option->low, (long long)option->high);
        return;
    }
}

void conf_help(const struct conf_table *table, struct bytes *out)
{
    bytes_format(out,
                 "usage: %s [FILE] [--OPTION=VALUE ...]\n\n"
                 "Options, in FILE as name = value; in the environment as CARDEA_NAME:\n\n",
                 table->program);
    for (size_t i = 0; i < table->count; i++) {
        const struct conf_option *option = &table->options[i];
        bytes_format(out, "  --%s  (", option->name);
        write_range(option, out);
        bytes_format(out, "; ");
        write_default(option, out);
        bytes_format(out, ")\n      %s\n", option->help);
    }
    bytes_format(out,
                 "  --help\n  --sample\n      Prints a file with every option at its default.\n"
                 "  --version\n");
}

void conf_sample(const struct conf_table *table, struct bytes *out)
{
    bytes_format(out,
                 "# %s: every option at its default.\n"
                 "# The environment (CARDEA_ and the name in capitals) and flags (--name=value) "
                 "override this file.\n",
                 table->program);
    for (size_t i = 0; i < table->count; i++) {
        const struct conf_option *option = &table->options[i];
        bytes_format(out, "\n# %s\n# ", option->help);
        write_range(option, out);
        bytes_format(out, ".\n%s = ", option->name);
        write_default(option, out);
        bytes_format(out, ";\n");
    }
}

void conf_markdown(const struct conf_table *table, struct bytes *out)
{
    bytes_format(out, "| `%s` | default | allowed | |\n|---|---|---|---|\n", table->program);
    for (size_t i = 0; i < table->count; i++) {
        const struct conf_option *option = &table->options[i];
        size_t start;
        bytes_format(out, "| `%s` | `", option->name);
        write_default(option, out);
        bytes_format(out, "` | ");
        start = out->size;
        write_range(option, out);
        for (size_t at = start; at < out->size; at++) {
            out->data[at] = out->data[at] == '|' ? '/' : out->data[at];
        }
        bytes_format(out, " | %s |\n", option->help);
    }
}

bool conf_answer(const struct conf *conf)
{
    struct bytes out = {0};

    switch (conf->action) {
    case CONF_RUN:
        return false;
    case CONF_HELP:
        conf_help(conf->table, &out);
        break;
    case CONF_SAMPLE:
        conf_sample(conf->table, &out);
        break;
    case CONF_VERSION:
        bytes_format(&out, "%s %s\n", conf->table->program, CARDEA_VERSION);
        break;
    }
    (void)fwrite(out.data, 1, out.size, stdout);
    bytes_close(&out);
    return true;
}
