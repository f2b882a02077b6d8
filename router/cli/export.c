#include "router/cli/cli.h"

#include "common/client.h"
#include "router/cli/writer.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { KEY_FORCE = 0x100 };

struct options {
    const char *router;
    const char *graph;
    const char *format;
    const char *target;
    bool may_overwrite;
};

static const struct argp_option option_list[] = {
    {"router", 'r', "HOST:PORT", 0, "a router (default: $CARDEA_ROUTER, else 127.0.0.1:8182)", 0},
    {"graph", 'g', "NAME", 0, "the graph (default: g)", 0},
    {"format", 'f', "FORMAT", 0, "csv, graphml or graphson (default: by the ending; a folder: csv)",
     0},
    {"force", KEY_FORCE, NULL, 0, "overwrite files that are there", 0},
    {0}};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case 'r':
        options->router = arg;
        break;
    case 'g':
        options->graph = arg;
        break;
    case 'f':
        if (strcmp(arg, "csv") != 0 && strcmp(arg, "graphml") != 0 &&
            strcmp(arg, "graphson") != 0) {
            argp_error(state, "--format is csv, graphml or graphson, not '%s'", arg);
        }
        options->format = arg;
        break;
    case KEY_FORCE:
        options->may_overwrite = true;
        break;
    case ARGP_KEY_ARG:
        if (options->target != NULL) {
            argp_error(state, "one target, not also '%s'", arg);
        }
        options->target = arg;
        break;
    case ARGP_KEY_END:
        if (options->target == NULL) {
            argp_error(state, "where to?");
        }
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp parser = {
    option_list,
    parse_option,
    "TARGET",
    "Writes a graph: csv into the folder TARGET (nodes.csv and edges.csv with Neptune's headers), "
    "graphml "
    "(.xml, .graphml) or graphson (.json) into the file TARGET. `cardea load` reads all three "
    "back; graphson alone keeps meta-properties and ids that are texts of numbers. What the "
    "format cannot keep is counted, and the exit code is 1. Files that are there stay, unless "
    "--force. Vertices "
    "and edges are read in one query each and held in memory."
    "\vExamples:\n"
    "  cardea export ./backup\n"
    "  cardea export --graph air air.graphml\n\n"
    "Exit codes: 0 ok, 1 the server or the disk said no, 2 wrong usage, 3 no connection.",
    NULL,
    NULL,
    NULL};

static const char *format_of(const struct options *options)
{
    const char *dot = strrchr(options->target, '.');

    if (options->format != NULL) {
        return options->format;
    }
    if (dot != NULL && (strcmp(dot, ".xml") == 0 || strcmp(dot, ".graphml") == 0)) {
        return "graphml";
    }
    return dot != NULL && strcmp(dot, ".json") == 0 ? "graphson" : "csv";
}

/* All vertices or all edges; exit code. */
static int read_all(struct client *client, const struct options *options, const char *text,
                    struct arena *arena, struct value *out)
{
    struct client_query query = {
        .text = slice_text(text), .source = options->graph, .timeout_ms = 3600000};
    struct client_answer answer;
    struct error err = {0};

    if (client_eval(client, &query, arena, &answer, &err) != E_OK) {
        cli_error(NULL, "%s", err.text);
        return CLI_NO_SERVER;
    }
    if (answer.status != 200 && answer.status != 204) {
        cli_error(NULL, "%.*s", (int)answer.message.size, (const char *)answer.message.data);
        return CLI_FAILED;
    }
    *out = answer.results;
    return CLI_OK;
}

static int write_file(const struct options *options, const char *path, writer_fn write,
                      const struct writer *writer)
{
    FILE *file = fopen(path, options->may_overwrite ? "wb" : "wbx");
    int bad;

    if (file == NULL) {
        cli_error(errno == EEXIST ? "--force overwrites it" : NULL, "cannot write %s: %s", path,
                  strerror(errno));
        return CLI_FAILED;
    }
    write(writer, file);
    bad = ferror(file);
    bad |= fclose(file) != 0;
    if (bad) {
        cli_error(NULL, "writing %s: %s", path, strerror(errno));
        return CLI_FAILED;
    }
    return CLI_OK;
}

static int write_all(const struct options *options, const struct writer *writer)
{
    const char *format = format_of(options);
    char path[4096];
    int code;

    if (strcmp(format, "graphml") == 0) {
        return write_file(options, options->target, writer_graphml, writer);
    }
    if (strcmp(format, "graphson") == 0) {
        return write_file(options, options->target, writer_graphson, writer);
    }
    if (mkdir(options->target, 0777) != 0 && errno != EEXIST) {
        cli_error(NULL, "cannot make the folder %s: %s", options->target, strerror(errno));
        return CLI_FAILED;
    }
    snprintf(path, sizeof(path), "%s/nodes.csv", options->target);
    code = write_file(options, path, writer_csv_nodes, writer);
    if (code != CLI_OK) {
        return code;
    }
    snprintf(path, sizeof(path), "%s/edges.csv", options->target);
    return write_file(options, path, writer_csv_edges, writer);
}

/* Exit code. */
static int tell_loss(const struct options *options, const struct writer *writer)
{
    struct writer_loss loss = writer_loss(writer, format_of(options));

    if (loss.metas + loss.values + loss.ids == 0) {
        return CLI_OK;
    }
    cli_error("--format graphson keeps them",
              "%s could not keep %" PRIu64 " meta-properties, %" PRIu64
              " further values of a key, %" PRIu64 " ids that are texts of numbers",
              format_of(options), loss.metas, loss.values, loss.ids);
    return CLI_FAILED;
}

int cli_export(int argc, char **argv)
{
    struct options options = {.graph = "g"};
    struct client client = {0};
    struct writer writer = {0};
    struct error err = {0};
    char host[256], port[256];
    int code;

    argp_parse(&parser, argc, argv, 0, NULL, &options);
    if (client_address(options.router, host, port, &err) != E_OK) {
        cli_error("--router 127.0.0.1:8182", "%s", err.text);
        return CLI_USAGE;
    }
    if (client_open(&client, host, port, &err) != E_OK) {
        cli_error("is a router running there?", "%s", err.text);
        return CLI_NO_SERVER;
    }
    arena_init(&writer.arena, 0);
    code = read_all(&client, &options, "g.V()", &writer.arena, &writer.vertices);
    if (code == CLI_OK) {
        code = read_all(&client, &options, "g.E()", &writer.arena, &writer.edges);
    }
    if (code == CLI_OK) {
        code = write_all(&options, &writer);
    }
    if (code == CLI_OK) {
        fprintf(stderr, "wrote %u vertices and %u edges\n", writer.vertices.size,
                writer.edges.size);
        code = tell_loss(&options, &writer);
    }
    arena_close(&writer.arena);
    client_close(&client);
    return code;
}
