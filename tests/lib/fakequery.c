#include "common/mem.h"
#include "router/gremlin/gremlin.h"
#include "tests/lib/fakegraph.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1 << 20, LINES_MAX = 65536 };

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_lines(char *text)
{
    char **lines = mem_array(LINES_MAX, sizeof *lines);
    char *copy = mem_text(text);
    size_t count = 0;
    char *at = text;

    for (char *line = strtok(copy, "\n"); line != NULL && count < LINES_MAX;
         line = strtok(NULL, "\n")) {
        lines[count++] = line;
    }
    qsort(lines, count, sizeof *lines, by_text);
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(lines[i]);
        memcpy(at, lines[i], size);
        at[size] = '\n';
        at += size + 1;
    }
    mem_free(copy);
    mem_free(lines);
}

struct plan *fakegraph_plan(const char *text, struct error *err)
{
    struct arena arena = {0};
    struct gremlin_script script;
    struct plan *plan = NULL;
    struct gremlin_input input = {.text = slice_text(text)};

    arena_init(&arena, 0);
    if (gremlin_parse(&arena, &input, &script, err) != E_OK ||
        plan_build(script.queries[script.count - 1].bytecode, &plan, err) != E_OK) {
        plan_free(&plan);
    }
    arena_close(&arena);
    return plan;
}

static void run_text(struct fakegraph *graph, const char *text, struct bytes *out)
{
    struct error err = {0};
    struct plan *plan = fakegraph_plan(text, &err);

    if (plan == NULL) {
        bytes_format(out, "error: %s\n", err.text);
    } else {
        fakegraph_run(graph, plan, out);
    }
    plan_free(&plan);
}

const char *fakegraph_query(struct fakegraph *graph, const char *text, bool keep_order)
{
    static char result[TEXT_MAX];
    struct bytes out;

    bytes_init(&out, TEXT_MAX - 1);
    run_text(graph, text, &out);
    memcpy(result, out.data == NULL ? (const uint8_t *)"" : out.data, out.size);
    result[out.size] = '\0';
    bytes_close(&out);
    if (!keep_order) {
        sort_lines(result);
    }
    return result;
}
