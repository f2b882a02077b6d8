#include "router/cli/cli.h"

#include "common/client.h"

#include "common/hash.h"
#include "common/mem.h"
#include "router/cli/loader.h"
#include "router/cli/local.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FILES_MAX = 1024 };

enum file_kind { FILE_CSV_VERTICES, FILE_CSV_EDGES, FILE_GRAPHML, FILE_GRAPHSON };

struct options {
    const char *router;
    const char *data;
    const char *graph;
    const char *files[FILES_MAX];
    enum file_kind kinds[FILES_MAX];
    size_t file_count;
    bool skip_bad, is_quiet, restart;
};

static volatile sig_atomic_t is_interrupted;

static void interrupt(int number)
{
    (void)number;
    is_interrupted = 1;
}

static const struct argp_option option_list[] = {
    {"router", 'r', "HOST:PORT", 0, "a router (default: $CARDEA_ROUTER, else 127.0.0.1:8182)", 0},
    {"data", 'd', "DIR", 0, "no router: start a cluster on this folder, load, end it", 0},
    {"graph", 'g', "NAME", 0, "into this graph (default: g)", 0},
    {"on-error", 'e', "stop|skip", 0, "what to do with a bad row (default: stop)", 0},
    {"restart", 'R', NULL, 0, "forget how far a load of these files was that did not end", 0},
    {"quiet", 'q', NULL, 0, "no progress", 0},
    {0}};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case 'r':
        options->router = arg;
        break;
    case 'd':
        options->data = arg;
        break;
    case 'g':
        options->graph = arg;
        break;
    case 'e':
        if (strcmp(arg, "skip") != 0 && strcmp(arg, "stop") != 0) {
            argp_error(state, "--on-error is stop or skip, not '%s'", arg);
        }
        options->skip_bad = strcmp(arg, "skip") == 0;
        break;
    case 'R':
        options->restart = true;
        break;
    case 'q':
        options->is_quiet = true;
        break;
    case ARGP_KEY_ARG:
        if (options->file_count == FILES_MAX) {
            argp_error(state, "at most %d files", FILES_MAX);
        }
        options->files[options->file_count++] = arg;
        break;
    case ARGP_KEY_END:
        if (options->file_count == 0) {
            argp_error(state, "which files?");
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
    "FILE...",
    "Loads files into a graph: CSV with ~id,~label,name:type... or ~id,~from,~to,~label,... "
    "headers "
    "(.csv), GraphML (.xml, .graphml), GraphSON 3 adjacency lines (.json). Vertices of all files "
    "come "
    "first, then edges. A load that was killed goes on where it was when it is started again."
    "\vExamples:\n"
    "  cardea load nodes.csv edges.csv\n"
    "  cardea load --data ./mydata --on-error skip graph.xml\n\n"
    "Exit codes: 0 ok, 1 a row or the server said no, 2 wrong usage, 3 no connection.",
    NULL,
    NULL,
    NULL};

static bool ends_with(const char *text, const char *suffix)
{
    size_t size = strlen(text), end = strlen(suffix);

    return size >= end && strcmp(text + size - end, suffix) == 0;
}

/* Kinds of all files, and how many bytes both passes read. */
static int look_at_files(struct options *options, uint64_t *bytes, struct error *err)
{
    for (size_t i = 0; i < options->file_count; i++) {
        const char *path = options->files[i];
        bool is_edges = false;
        struct stat info;
        int rc;

        if (stat(path, &info) != 0) {
            return error_set(err, E_IO, "cannot open %s: %s", path, strerror(errno));
        }
        if (ends_with(path, ".csv")) {
            rc = csv_kind(path, &is_edges, err);
            if (rc != E_OK) {
                return rc;
            }
            options->kinds[i] = is_edges ? FILE_CSV_EDGES : FILE_CSV_VERTICES;
        } else if (ends_with(path, ".xml") || ends_with(path, ".graphml")) {
            options->kinds[i] = FILE_GRAPHML;
        } else if (ends_with(path, ".json")) {
            options->kinds[i] = FILE_GRAPHSON;
        } else {
            return error_set(err, E_INVALID,
                             "%s: the ending tells the format: .csv, .xml, .graphml or .json",
                             path);
        }
        *bytes += (uint64_t)info.st_size * (ends_with(path, ".csv") ? 1 : 2);
    }
    return E_OK;
}

static int load_pass(struct loader *loader, const struct options *options, struct error *err)
{
    int rc = E_OK;

    for (size_t i = 0; rc == E_OK && i < options->file_count; i++) {
        const char *path = options->files[i];
        switch (options->kinds[i]) {
        case FILE_CSV_VERTICES:
            rc = loader->is_edges ? E_OK : csv_load(loader, path, err);
            break;
        case FILE_CSV_EDGES:
            rc = loader->is_edges ? csv_load(loader, path, err) : E_OK;
            break;
        case FILE_GRAPHML:
            rc = graphml_load(loader, path, err);
            break;
        case FILE_GRAPHSON:
            rc = graphson_load(loader, path, err);
            break;
        }
    }
    return rc;
}

/* Where the state of this load is kept: by what is loaded, and where to. */
static void name_state(const struct options *options, const char *target, char *path, size_t size)
{
    const char *base = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    char folder[2048], full[4096];
    struct bytes key = {0};
    struct stat info;

    if (base && *base) {
        snprintf(folder, sizeof(folder), "%s/cardea", base);
    } else if (home && *home) {
        snprintf(folder, sizeof(folder), "%s/.local/state/cardea", home);
    } else {
        *path = '\0';
        return;
    }
    for (char *at = folder + 1; *at != '\0'; at++) {
        if (*at == '/') {
            *at = '\0';
            (void)mkdir(folder, 0700);
            *at = '/';
        }
    }
    (void)mkdir(folder, 0700);
    bytes_init(&key, 0);
    bytes_format(&key, "%s\n%s\n", target, options->graph);
    for (size_t i = 0; i < options->file_count; i++) {
        if (realpath(options->files[i], full) != NULL && stat(full, &info) == 0) {
            bytes_format(&key, "%s %lld %lld\n", full, (long long)info.st_size,
                         (long long)info.st_mtime);
        }
    }
    snprintf(path, size, "%s/load-%016" PRIx64 ".state", folder, hash_bytes(key.data, key.size));
    bytes_close(&key);
}

static uint64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void tell(const struct loader *loader)
{
    double seconds = (double)(clock_ms() - loader->started_ms) / 1000;

    fprintf(stderr, "%sloaded %" PRIu64 " vertices and %" PRIu64 " edges in %.2f s (%.0f/s)",
            loader->is_terminal ? "\r\x1b[K" : "", loader->vertices, loader->edges, seconds,
            seconds > 0 ? (double)(loader->vertices + loader->edges) / seconds : 0);
    if (loader->bad > 0) {
        fprintf(stderr, ", %" PRIu64 " bad rows skipped", loader->bad);
    }
    fputc('\n', stderr);
}

static int load(struct options *options, struct client *client, const char *target,
                struct error *err)
{
    struct loader *loader = mem_alloc(sizeof(*loader));
    char state[4096];
    int rc;

    name_state(options, target, state, sizeof(state));
    loader->client = client;
    loader->graph = options->graph;
    loader->state_path = state;
    loader->skip_bad = options->skip_bad;
    loader->is_quiet = options->is_quiet;
    if (options->restart && *state) {
        unlink(state);
    }
    rc = look_at_files(options, &loader->bytes_total, err);
    if (rc == E_OK) {
        rc = loader_open(loader, err);
    }
    if (rc == E_OK) {
        rc = load_pass(loader, options, err);
    }
    if (rc == E_OK) {
        rc = loader_flush(loader, err);
    }
    if (rc == E_OK) {
        loader->is_edges = true;
        rc = load_pass(loader, options, err);
    }
    if (rc == E_OK) {
        rc = loader_finish(loader, err);
    }
    if (rc == E_OK) {
        tell(loader);
        unlink(state);
    } else if (loader->is_terminal) {
        fputc('\n', stderr);
    }
    if ((rc == E_MALFORMED || rc == E_IO) && loader->sent == 0 && loader->resume_after == 0 &&
        !loader->is_waiting) {
        unlink(state); /* Nothing was sent. */
    }
    loader_close(loader);
    mem_free(loader);
    return rc;
}

static int exit_code(int rc)
{
    switch (rc) {
    case E_OK:
        return CLI_OK;
    case E_CANCELLED:
        return CLI_INTERRUPTED;
    case E_UNAVAILABLE:
    case E_TIMEOUT:
        return CLI_NO_SERVER;
    default:
        return CLI_FAILED;
    }
}

static const char *hint_of(int rc)
{
    switch (rc) {
    case E_UNAVAILABLE:
    case E_TIMEOUT:
    case E_CANCELLED:
        return "start the same command again: it goes on where it was";
    case E_MALFORMED:
        return "--on-error skip leaves out what cannot be read";
    default:
        return NULL;
    }
}

int cli_load(int argc, char **argv)
{
    struct options *options = mem_alloc(sizeof(*options));
    struct sigaction action = {.sa_handler = interrupt};
    struct client client = {.stop = &is_interrupted};
    struct local local = {0};
    struct error err = {0};
    char host[256], port[256];
    int rc;

    options->graph = "g";
    argp_parse(&parser, argc, argv, 0, NULL, options);
    if (options->data == NULL) {
        if (client_address(options->router, host, port, &err) != E_OK) {
            cli_error("--router 127.0.0.1:8182", "%s", err.text);
            return CLI_USAGE;
        }
        rc = E_OK;
    } else {
        rc = local_open(&local, options->data, host, port, &err);
    }
    sigaction(SIGINT, &action, NULL);
    if (rc == E_OK) {
        rc = client_open(&client, host, port, &err);
    }
    if (rc == E_OK) {
        char target[4096];
        if (options->data == NULL) {
            snprintf(target, sizeof(target), "%s:%s", host, port);
        } else if (realpath(options->data, target) == NULL) {
            snprintf(target, sizeof(target), "%s", options->data);
        }
        rc = load(options, &client, target, &err);
    }
    if (rc != E_OK) {
        cli_error(hint_of(rc), "%s", err.text);
    }
    client_close(&client);
    local_close(&local);
    mem_free(options);
    return exit_code(rc);
}
