#include "router/cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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

int cli_address(const char *flag, char *host, char *port, struct error *err)
{
    const char *text = flag ? flag : getenv("CARDEA_ROUTER");
    const char *colon, *end;
    size_t size;

    text = text && *text ? text : "127.0.0.1:8182";
    if (strncmp(text, "ws://", 5) == 0) {
        text += 5;
    }
    end = strchr(text, '/');
    size = end ? (size_t)(end - text) : strlen(text);
    colon = memchr(text, ':', size);
    /* The last colon: IPv6 addresses hold more of them. */
    for (const char *at = colon; at != NULL; at = memchr(at, ':', (size_t)(text + size - at))) {
        colon = at++;
    }
    if (colon == NULL || colon == text || colon + 1 == text + size || size > 250) {
        return error_set(err, E_INVALID, "'%s' is not HOST:PORT", flag ? flag : text);
    }
    if (*text == '[' && colon[-1] == ']') {
        snprintf(host, 256, "%.*s", (int)(colon - text - 2), text + 1);
    } else {
        snprintf(host, 256, "%.*s", (int)(colon - text), text);
    }
    snprintf(port, 256, "%.*s", (int)(text + size - colon - 1), colon + 1);
    return E_OK;
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
