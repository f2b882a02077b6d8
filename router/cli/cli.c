#include "router/cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool cli_output_parse(const char *name, enum cli_output *out)
{
    static const struct {
        const char *name;
        enum cli_output output;
    } names[] = {{"gremlin", CLI_OUTPUT_GREMLIN},
                 {"table", CLI_OUTPUT_TABLE},
                 {"json", CLI_OUTPUT_JSON},
                 {"graphson", CLI_OUTPUT_GRAPHSON}};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i].name) == 0) {
            *out = names[i].output;
            return true;
        }
    }
    return false;
}

void cli_error(const char *hint, const char *format, ...)
{
    va_list args;

    fputs("cardea: error: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    if (hint) {
        fprintf(stderr, "hint: %s\n", hint);
    }
}
