#include "router/cli/cli.h"

#include "common/client.h"
#include "common/mem.h"
#include "router/cli/show.h"
#include "router/gremlin/step.h"

#include <argp.h>
#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <editline/readline.h>

enum { WORDS_MAX = 4096, HISTORY_MAX = 2000, CONTROL_C = 3 };

struct console {
    const char *router;
    const char *graph;
    enum cli_output output;
    bool is_timing;
    bool in_session;
    char host[256], port[256];
    char session[40];
    char history_path[2048];
    struct client client;
    struct arena words_arena;
    const char *words[WORDS_MAX]; /* Steps, tokens, predicates, property keys. */
    size_t word_count;
};

/* libedit's completion has no context argument: this is the one console of the process. */
static struct console *active;
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
    {0}};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct console *console = state->input;

    switch (key) {
    case 'r':
        console->router = arg;
        break;
    case 'g':
        console->graph = arg;
        break;
    case 'o':
        if (!cli_output_parse(arg, &console->output)) {
            argp_error(state, "--output is gremlin, table, json or graphson, not '%s'", arg);
        }
        break;
    case ARGP_KEY_ARG:
        argp_error(state, "the console takes no query: type it, or use 'cardea query'");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp parser = {
    option_list,
    parse_option,
    NULL,
    "Asks a cluster by hand: Gremlin on one or more lines, :help for the rest."
    "\vExamples:\n"
    "  cardea console\n"
    "  cardea console --router db1:8182 --output table\n\n"
    "Exit codes: 0 ok, 2 wrong usage, 3 no connection.",
    NULL,
    NULL,
    NULL};

static const char help[] =
    "Gremlin, on as many lines as the brackets need. Tab completes steps, tokens and property "
    "keys.\n"
    "  :graph NAME              g is this graph from now on\n"
    "  :output FORMAT           gremlin, table, json, graphson\n"
    "  :timing                  show how long each query took, or stop that\n"
    "  :begin :commit :rollback one transaction over several queries\n"
    "  :help :quit              Ctrl-C cancels a query, Ctrl-D leaves\n";

/* ---- completion ---- */

/* What ends a word: a step begins after a dot, a key after a quote. */
static char word_breaks[] = " \t\n.,()[]{}'\"";

static void add_word(struct console *console, const char *word)
{
    if (console->word_count < WORDS_MAX) {
        console->words[console->word_count++] = word;
    }
}

static void load_words(struct console *console)
{
    static const char *const more[] = {
        "within(",       "without(",    "between(", "inside(", "outside(", "containing(",
        "gt(",           "gte(",        "lt(",      "lte(",    "eq(",      "neq(",
        "startingWith(", "endingWith(", "regex(",   "id",      "label",    "asc",
        "desc",          "local",       "tokens",   "__"};
    struct client_query query = {.text = SLICE("g.V().limit(2000).properties().key().dedup()"),
                                 .source = console->graph};
    struct client_answer answer;
    struct error err = {0};

    for (int step = 1; step < STEP_ID_COUNT; step++) {
        const struct step_info *row = step_info((enum step_id)step);
        if (row->is_ready && !row->is_source) {
            add_word(console, arena_format(&console->words_arena, "%s(", row->name));
        }
    }
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
        add_word(console, more[i]);
    }
    if (client_eval(&console->client, &query, &console->words_arena, &answer, &err) != E_OK ||
        answer.status != 200) {
        return; /* Keys are a help, not a need. */
    }
    for (uint32_t i = 0; i < answer.results.size; i++) {
        struct slice key = value_slice(&answer.results.items[i]);
        add_word(console, arena_format(&console->words_arena, "%.*s", (int)key.size,
                                       (const char *)key.data));
    }
}

static char *complete(const char *text, int state)
{
    static size_t at; /* readline's interface: state 0 begins. */
    size_t size = strlen(text);

    at = state == 0 ? 0 : at;
    while (at < active->word_count) {
        const char *word = active->words[at++];
        if (strncmp(word, text, size) == 0) {
            /* The library frees it with free(): the heap of mem.h is that heap. */
            return mem_text(word);
        }
    }
    return NULL;
}

static char **completions(const char *text, int start, int end)
{
    (void)start, (void)end;
    return rl_completion_matches(text, complete);
}

/* ---- lines ---- */

/* Brackets that are still open, outside of strings; a query goes on while there are some. */
static int open_brackets(struct slice text)
{
    int depth = 0;
    uint8_t quote = 0;

    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (quote) {
            i += c == '\\';
            quote = c == quote ? 0 : quote;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '(' || c == '[' || c == '{') {
            depth++;
        } else if (c == ')' || c == ']' || c == '}') {
            depth--;
        }
    }
    return quote ? 1 : depth;
}

static bool ends_open(struct slice text)
{
    while (text.size > 0 && isspace(text.data[text.size - 1])) {
        text.size--;
    }
    return text.size > 0 && (text.data[text.size - 1] == '.' || text.data[text.size - 1] == ',');
}

/* Ctrl-C while a line is typed: readline() ends without one. */
static int cancel_line(int count, int key)
{
    (void)count, (void)key;
    is_interrupted = 1;
    rl_done = 1;
    return 0;
}

/* One query or command (nothing after Ctrl-C), or false at the end of input. */
static bool read_text(struct bytes *text)
{
    const char *prompt = "gremlin> ";

    bytes_clear(text);
    do {
        char *line = readline(prompt);
        if (is_interrupted) {
            is_interrupted = 0;
            rl_done = 0;
            bytes_clear(text);
            fputs("^C\n", stdout);
            free(line);
            return true;
        }
        if (line == NULL) {
            return false;
        }
        bytes_append(text, line, strlen(line));
        bytes_u8(text, '\n');
        free(line);
        prompt = ".......> ";
    } while (text->data[0] != ':' &&
             (open_brackets(bytes_slice(text)) > 0 || ends_open(bytes_slice(text))));
    return true;
}

static void remember(struct console *console, struct slice text)
{
    char *line = mem_alloc(text.size + 1);

    for (size_t i = 0; i < text.size; i++) {
        line[i] = text.data[i] == '\n' ? ' ' : (char)text.data[i];
    }
    for (size_t i = text.size; i > 0 && line[i - 1] == ' '; i--) {
        line[i - 1] = '\0';
    }
    if (*line != '\0' && *line != ' ' && strstr(line, "password") == NULL) {
        add_history(line);
        if (*console->history_path) {
            write_history(console->history_path);
        }
    }
    mem_free(line);
}

static void open_history(struct console *console)
{
    const char *base = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char *path = console->history_path;
    size_t size = sizeof(console->history_path);

    if (base && *base) {
        snprintf(path, size, "%s/cardea", base);
    } else if (home && *home) {
        snprintf(path, size, "%s/.local/state/cardea", home);
    } else {
        return;
    }
    for (char *at = path + 1; *at != '\0'; at++) {
        if (*at == '/') {
            *at = '\0';
            (void)mkdir(path, 0700);
            *at = '/';
        }
    }
    (void)mkdir(path, 0700);
    snprintf(path + strlen(path), size - strlen(path), "/history");
    using_history();
    stifle_history(HISTORY_MAX);
    (void)umask(077);
    read_history(path);
}

/* ---- queries and commands ---- */

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool reconnect(struct console *console)
{
    struct error err = {0};

    client_close(&console->client);
    if (client_open(&console->client, console->host, console->port, &err) != E_OK) {
        cli_error(NULL, "%s", err.text);
        return false;
    }
    if (console->in_session) {
        console->in_session = false;
        fputs("the transaction was rolled back\n", stderr);
    }
    return true;
}

/* Ctrl-C is a signal only while a query runs. At the prompt it and Ctrl-D are characters, also when
 * they are typed before the prompt has taken the terminal: they would be lost there. */
static void take_signals(bool is_on)
{
    struct termios mode;

    if (tcgetattr(STDIN_FILENO, &mode) != 0) {
        return; /* No terminal. */
    }
    mode.c_lflag &= ~(tcflag_t)(ICANON | ISIG);
    mode.c_lflag |= is_on ? ISIG : 0;
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &mode);
}

static void ask_server(struct console *console, struct slice text)
{
    struct client_query query = {.text = text,
                                 .source = console->graph,
                                 .session = console->in_session ? console->session : NULL};
    struct client_answer answer;
    struct error err = {0};
    struct arena arena;
    double started = seconds_now();

    arena_init(&arena, 0);
    if (client_eval(&console->client, &query, &arena, &answer, &err) != E_OK) {
        /* A closed connection cancels what runs on it. */
        cli_error(NULL, "%s", err.text);
        is_interrupted = 0;
        reconnect(console);
    } else if (answer.status != 200 && answer.status != 204) {
        cli_error(NULL, "%.*s", (int)answer.message.size, (const char *)answer.message.data);
    } else {
        show_results(stdout, console->output, &answer.results, &arena);
    }
    if (console->is_timing) {
        fprintf(stderr, "%.1f ms\n", (seconds_now() - started) * 1000);
    }
    arena_close(&arena);
}

static void ask(struct console *console, struct slice text)
{
    take_signals(true);
    ask_server(console, text);
    take_signals(false);
}

static void transact(struct console *console, const char *command)
{
    if (strcmp(command, "begin") == 0) {
        if (console->in_session) {
            cli_error(":commit or :rollback ends it", "a transaction is open");
            return;
        }
        snprintf(console->session, sizeof(console->session), "console-%ld-%.0f", (long)getpid(),
                 seconds_now() * 1e6);
        console->in_session = true;
        return;
    }
    if (!console->in_session) {
        cli_error(":begin opens one", "no transaction is open");
        return;
    }
    ask(console,
        slice_text(strcmp(command, "commit") == 0 ? "g.tx().commit()" : "g.tx().rollback()"));
    console->in_session = false;
}

/* False: leave. */
static bool obey(struct console *console, char *command)
{
    char *save = NULL;
    const char *word = strtok_r(command, " \n", &save);
    const char *argument = strtok_r(NULL, " \n", &save);

    if (word == NULL) {
        return true;
    }
    if (strcmp(word, "quit") == 0 || strcmp(word, "exit") == 0 || strcmp(word, "x") == 0) {
        return false;
    }
    if (strcmp(word, "help") == 0) {
        fputs(help, stdout);
    } else if (strcmp(word, "graph") == 0 && argument != NULL) {
        console->graph = arena_format(&console->words_arena, "%s", argument);
    } else if (strcmp(word, "output") == 0 && argument != NULL &&
               cli_output_parse(argument, &console->output)) {
        return true;
    } else if (strcmp(word, "timing") == 0) {
        console->is_timing = !console->is_timing;
    } else if (strcmp(word, "begin") == 0 || strcmp(word, "commit") == 0 ||
               strcmp(word, "rollback") == 0) {
        transact(console, word);
    } else {
        cli_error(":help lists what there is", "not understood: :%s%s%s", word, argument ? " " : "",
                  argument ? argument : "");
    }
    return true;
}

static void converse(struct console *console)
{
    struct bytes text = {0};
    bool go_on = true;

    bytes_init(&text, 0);
    while (go_on && read_text(&text)) {
        struct slice slice = bytes_slice(&text);
        size_t start = 0;

        while (start < slice.size && isspace(slice.data[start])) {
            start++;
        }
        if (start == slice.size) {
            continue;
        }
        remember(console, slice);
        if (slice.data[start] == ':') {
            bytes_u8(&text, '\0');
            go_on = obey(console, (char *)text.data + start + 1);
        } else {
            ask(console, slice);
        }
        fflush(stdout);
    }
    bytes_close(&text);
}

int cli_console(int argc, char **argv)
{
    struct console *console = mem_alloc(sizeof(*console));
    struct sigaction action = {.sa_handler = interrupt};
    struct termios mode; /* As it was. */
    struct error err = {0};
    bool is_terminal;
    int code = CLI_OK;

    console->graph = "g";
    console->output = CLI_OUTPUT_GREMLIN;
    argp_parse(&parser, argc, argv, 0, NULL, console);
    console->client.stop = &is_interrupted;
    if (client_address(console->router, console->host, console->port, &err) != E_OK) {
        cli_error("--router 127.0.0.1:8182", "%s", err.text);
        code = CLI_USAGE;
    } else if (client_open(&console->client, console->host, console->port, &err) != E_OK) {
        cli_error("is a router running there? 'cardea dev --data DIR' starts a cluster", "%s",
                  err.text);
        code = CLI_NO_SERVER;
    } else {
        active = console;
        arena_init(&console->words_arena, 0);
        open_history(console);
        rl_attempted_completion_function = completions;
        rl_completion_append_character = '\0';
        rl_basic_word_break_characters = word_breaks;
        rl_completer_word_break_characters = word_breaks;
        is_terminal = tcgetattr(STDIN_FILENO, &mode) == 0;
        take_signals(false);
        rl_initialize();
        (void)rl_parse_and_bind("setty -d -isig");
        (void)rl_add_defun("cancel-line", cancel_line, CONTROL_C);
        load_words(console);
        sigaction(SIGINT, &action, NULL);
        if (isatty(STDIN_FILENO)) {
            printf("connected to %s:%s, graph %s; :help for help\n", console->host, console->port,
                   console->graph);
        }
        converse(console);
        if (is_terminal) {
            (void)tcsetattr(STDIN_FILENO, TCSANOW, &mode);
        }
        arena_close(&console->words_arena);
    }
    client_close(&console->client);
    mem_free(console);
    return code;
}
