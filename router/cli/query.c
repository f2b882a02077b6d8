#include "router/cli/cli.h"

#include "common/client.h"
#include "router/cli/show.h"

#include <argp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *router;
    const char *graph;
    const char *text;
    uint32_t timeout_ms;
    enum cli_output output;
};

static volatile sig_atomic_t is_interrupted;

static void interrupt(int number)
{
    (void)number;
    is_interrupted = 1;
}

static const struct argp_option option_list[] = {
    {"router", 'r', "HOST:PORT", 0, "a router (default: $CARDEA_ROUTER, else 127.0.0.1:8182)", 0},
    {"graph", 'g', "NAME", 0, "the graph that g stands for (default: g)", 0},
    {"output", 'o', "FORMAT", 0, "gremlin, table, json or graphson (default: gremlin)", 0},
    {"timeout", 't', "SECONDS", 0, "deadline of the query (default: the server's, 30)", 0},
    {0}};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;
    char *end = NULL;
    double seconds;

    switch (key) {
    case 'r':
        options->router = arg;
        break;
    case 'g':
        options->graph = arg;
        break;
    case 'o':
        if (!cli_output_parse(arg, &options->output)) {
            argp_error(state, "--output is gremlin, table, json or graphson, not '%s'", arg);
        }
        break;
    case 't':
        seconds = strtod(arg, &end);
        if (*end != '\0' || !(seconds > 0 && seconds <= 86400)) {
            argp_error(state, "--timeout is a number of seconds up to 86400, not '%s'", arg);
        }
        options->timeout_ms = (uint32_t)(seconds * 1000);
        break;
    case ARGP_KEY_ARG:
        if (options->text != NULL) {
            argp_error(state, "one query at a time: put it in quotes");
        }
        options->text = arg;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp parser = {
    option_list,
    parse_option,
    "[QUERY]",
    "Runs one query and prints its results; without QUERY, reads it from stdin."
    "\vExamples:\n"
    "  cardea query 'g.V().count()'\n"
    "  echo \"g.V().has('code','DFW').out().values('city')\" | cardea query -o json\n\n"
    "Exit codes: 0 ok, 1 the query failed, 2 wrong usage, 3 no connection.",
    NULL,
    NULL,
    NULL};

static void read_stdin(struct bytes *text)
{
    char piece[4096];
    size_t size;

    while ((size = fread(piece, 1, sizeof(piece), stdin)) > 0) {
        bytes_append(text, piece, size);
    }
}

/* "1:5: ..." of a message, shown as a caret below the line. */
static void show_caret(struct slice text, const char *message)
{
    unsigned line = 0, column = 0, number = 1;
    size_t start = 0, end;

    if (sscanf(message, "%u:%u:", &line, &column) != 2 || column == 0) {
        return;
    }
    for (size_t i = 0; i < text.size && number < line; i++) {
        if (text.data[i] == '\n') {
            number++;
            start = i + 1;
        }
    }
    for (end = start; end < text.size && text.data[end] != '\n'; end++) {
    }
    fprintf(stderr, "  %.*s\n  %*s^\n", (int)(end - start), (const char *)text.data + start,
            (int)column - 1, "");
}

static int run(const struct options *options, struct slice text, struct client *client)
{
    struct client_query query = {
        .text = text, .source = options->graph, .timeout_ms = options->timeout_ms};
    struct client_answer answer;
    struct arena arena;
    struct error err = {0};
    int code = CLI_OK;

    arena_init(&arena, 0);
    if (client_eval(client, &query, &arena, &answer, &err) != E_OK) {
        cli_error(NULL, "%s", err.text);
        code = err.code == E_CANCELLED ? CLI_INTERRUPTED : CLI_NO_SERVER;
    } else if (answer.status != 200 && answer.status != 204) {
        const char *message = arena_format(&arena, "%.*s", (int)answer.message.size,
                                           (const char *)answer.message.data);
        cli_error(NULL, "%s", message);
        show_caret(text, message);
        code = CLI_FAILED;
    } else {
        show_results(stdout, options->output, &answer.results, &arena);
    }
    arena_close(&arena);
    return code;
}

int cli_query(int argc, char **argv)
{
    struct options options = {.graph = "g", .output = CLI_OUTPUT_GREMLIN};
    struct sigaction action = {.sa_handler = interrupt};
    struct client client = {.stop = &is_interrupted};
    struct bytes text = {0};
    struct error err = {0};
    char host[256], port[256];
    int code;

    argp_parse(&parser, argc, argv, 0, NULL, &options);
    if (client_address(options.router, host, port, &err) != E_OK) {
        cli_error("--router 127.0.0.1:8182", "%s", err.text);
        return CLI_USAGE;
    }
    sigaction(SIGINT, &action, NULL);
    bytes_init(&text, 0);
    if (options.text != NULL) {
        bytes_append(&text, options.text, strlen(options.text));
    } else {
        read_stdin(&text);
    }
    if (text.size == 0) {
        cli_error("cardea query 'g.V().count()'", "the query is empty");
        code = CLI_USAGE;
    } else if (client_open(&client, host, port, &err) != E_OK) {
        cli_error("is a router running there? 'cardea dev --data DIR' starts a cluster", "%s",
                  err.text);
        code = CLI_NO_SERVER;
    } else {
        code = run(&options, bytes_slice(&text), &client);
    }
    client_close(&client);
    bytes_close(&text);
    return fflush(stdout) == 0 ? code : CLI_FAILED;
}
