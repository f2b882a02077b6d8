/*
 * conf.h -- options of a program: one table gives defaults, checks, help and the sample file.
 *
 *   default  <  file (libconfig)  <  environment CARDEA_DATA_DIR  <  flag --data-dir=...
 *
 * A table is a .def file of rows
 *   CONF_INT(name, default, low, high, unit, help)     int64_t
 *   CONF_BOOL(name, default, help)                     bool
 *   CONF_TEXT(name, default, low, high, help)          const char *, low to high bytes
 *   CONF_CHOICE(name, default, "a|b|c", help)          int, the place among the choices
 *   CONF_LIST(name, "a,b", low, high, help)            struct conf_list, low to high texts
 * included as the members of a struct through conf_fields.def and as rows through conf_rows.def.
 * What is not in the table, of the wrong type or out of range is refused with file and line, what
 * is allowed, and the nearest name.
 *
 * Ownership: texts live in the struct conf until conf_close.
 * Limits: a file of 1 MiB.
 */
#ifndef COMMON_CONF_H
#define COMMON_CONF_H

#include "common/arena.h"
#include "common/bytes.h"
#include "common/error.h"

struct conf_list {
    size_t count;
    const char **items;
};

enum conf_type { CONF_TYPE_INT, CONF_TYPE_BOOL, CONF_TYPE_TEXT, CONF_TYPE_CHOICE, CONF_TYPE_LIST };

struct conf_option {
    const char *name;
    enum conf_type type;
    size_t offset;   /* In the struct of values. */
    int64_t initial; /* INT, BOOL. */
    int64_t low;     /* INT: range; TEXT: bytes; LIST: items. */
    int64_t high;
    const char *text;    /* The default of the others. */
    const char *choices; /* CHOICE. */
    const char *unit;
    const char *help;
};

struct conf_table {
    const char *program; /* "cardea-shardd". */
    const struct conf_option *options;
    size_t count;
};

enum conf_action {
    CONF_RUN,
    CONF_HELP,   /* --help */
    CONF_SAMPLE, /* --sample: a file with every option at its default. */
    CONF_VERSION /* --version */
};

struct conf {
    const struct conf_table *table;
    void *values; /* The struct that is filled. */
    enum conf_action action;
    struct arena arena;
};

/* Sets the defaults; reads the file named by the argument without dashes, if there is one, the
 * environment and the flags. Keeps values and table. Returns E_OK, E_CONFIG. */
int conf_open(struct conf *conf, const struct conf_table *table, void *values, int argc,
              char *const *argv, struct error *err);
void conf_close(struct conf *conf);
/* Carries out --help, --sample and --version; false: there is nothing but to run. */
bool conf_answer(const struct conf *conf);
/* One file over what is set so far. */
int conf_file(struct conf *conf, const char *path, struct error *err);
/* The text of --help. */
void conf_help(const struct conf_table *table, struct bytes *out);
/* A file with every option at its default. */
void conf_sample(const struct conf_table *table, struct bytes *out);
/* The options as a Markdown table. */
void conf_markdown(const struct conf_table *table, struct bytes *out);

#endif
