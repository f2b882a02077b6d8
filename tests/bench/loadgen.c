/*
 * Sends a fixed number of requests to a router over WebSocket from a number of connections, each
 * with one request under way, and prints one JSON line: rate, p50 and p99 of the time of a request,
 * sum of the last numbers of the answers (a count is one number).
 *
 * Frames are encoded before the clock runs: GraphBinary 1, as text or as bytecode. In a query each
 * % stands for an id: the next of --list, or a random one of --ids. Bytecode is written as steps
 * divided by ';', their arguments by ' ': "V %;out;out;dedup;count".
 *
 * usage: bench_loadgen --port N [--graph G] [--clients N] [--requests N] [--warm N] [--bytecode]
 *                      [--ids LOW:HIGH | --list N,N...] [--seed N] QUERY
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/mem.h"
#include "common/prng.h"

enum {
    FRAMES_MAX = 8192,
    CLIENTS_MAX = 1024,
    LIST_MAX = 4096,
    PART_SIZE = 65536,
    ANSWER_MAX = 64 << 20
};

struct client {
    int socket;
    struct bytes in; /* Of the answer: raw bytes that came. */
    double sent;
    uint64_t request; /* Number of the one under way. */
    bool is_busy;
};

struct load {
    const char *graph, *query;
    uint16_t port;
    bool is_bytecode;
    uint32_t client_count, frame_count;
    uint64_t request_count, warm_count;
    uint64_t sent, done, failed;
    uint64_t list[LIST_MAX];
    uint32_t list_count, list_next;
    uint64_t low, high;
    struct prng prng;
    struct bytes *frames;
    struct client clients[CLIENTS_MAX];
    double *times;
    int64_t sum;
    double began;
};

static double now(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

static void die(const char *what)
{
    fprintf(stderr, "bench_loadgen: %s\n", what);
    exit(1);
}

/* ---- frames ---- */

static uint64_t next_id(struct load *load)
{
    if (load->list_count > 0) {
        return load->list[load->list_next++ % load->list_count];
    }
    return load->low + prng_below(&load->prng, load->high - load->low + 1);
}

static void put_u32(struct bytes *out, uint32_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        bytes_u8(out, (uint8_t)(number >> shift));
    }
}

static void put_text(struct bytes *out, const void *text, size_t size)
{
    put_u32(out, (uint32_t)size);
    bytes_append(out, text, size);
}

/* With type code and value flag. */
static void put_value_text(struct bytes *out, const char *text)
{
    bytes_append(out, "\x03", 2);
    put_text(out, text, strlen(text));
}

static void put_value_long(struct bytes *out, uint64_t number)
{
    bytes_append(out, "\x02", 2);
    put_u32(out, (uint32_t)(number >> 32));
    put_u32(out, (uint32_t)number);
}

/* The query with an id for each %. */
static void fill_in(struct load *load, struct bytes *out)
{
    for (const char *at = load->query; *at != '\0'; at++) {
        if (*at == '%') {
            bytes_format(out, "%llu", (unsigned long long)next_id(load));
        } else {
            bytes_u8(out, (uint8_t)*at);
        }
    }
}

static void put_step(struct bytes *out, char *step)
{
    struct bytes args = {0};
    uint32_t count = 0;
    char *rest = step;
    char *name = strtok_r(step, " ", &rest);

    for (char *word; (word = strtok_r(NULL, " ", &rest)) != NULL; count++) {
        char *end;
        uint64_t number = strtoull(word, &end, 10);
        if (*end == '\0') {
            put_value_long(&args, number);
        } else {
            put_value_text(&args, word);
        }
    }
    put_text(out, name, strlen(name));
    put_u32(out, count);
    bytes_append(out, args.data, args.size);
    bytes_close(&args);
}

static void put_bytecode(struct bytes *out, char *text)
{
    struct bytes steps = {0};
    uint32_t count = 0;
    char *rest = text;

    for (char *step; (step = strtok_r(count == 0 ? text : NULL, ";", &rest)) != NULL; count++) {
        put_step(&steps, step);
    }
    bytes_append(out, "\x15", 2);
    put_u32(out, count);
    bytes_append(out, steps.data, steps.size);
    put_u32(out, 0);
    bytes_close(&steps);
}

static void put_request(struct load *load, struct bytes *out, uint32_t number)
{
    static const char mime[] =
        " application/vnd.graphbinary-v1.0"; /* Its length, 32, is a blank. */
    const char *op = load->is_bytecode ? "bytecode" : "eval";
    const char *processor = load->is_bytecode ? "traversal" : "";
    struct bytes text = {0};

    fill_in(load, &text);
    bytes_u8(&text, 0);
    bytes_append(out, mime, sizeof(mime) - 1);
    bytes_u8(out, 0x81);
    put_u32(out, number);
    bytes_append(out, "\0\0\x40\0\x80\0\0\0\0\0\0", 12);
    put_text(out, op, strlen(op));
    put_text(out, processor, strlen(processor));
    put_u32(out, load->is_bytecode ? 2 : 3);
    put_value_text(out, "gremlin");
    if (load->is_bytecode) {
        put_bytecode(out, (char *)text.data);
    } else {
        put_value_text(out, (const char *)text.data);
        put_value_text(out, "language");
        put_value_text(out, "gremlin-lang");
    }
    put_value_text(out, "aliases");
    bytes_append(out, "\x0a", 2);
    put_u32(out, 1);
    put_value_text(out, "g");
    put_value_text(out, load->graph);
    bytes_close(&text);
}

static void encode_frame(struct load *load, struct bytes *out, uint32_t number)
{
    static const uint8_t mask[4] = {0x17, 0x2a, 0x93, 0x5c};
    struct bytes body = {0};

    put_request(load, &body, number);
    if (body.size > UINT16_MAX) {
        die("the query is too long");
    }
    bytes_u8(out, 0x82);
    if (body.size < 126) {
        bytes_u8(out, (uint8_t)(0x80 | body.size));
    } else {
        bytes_u8(out, 0x80 | 126);
        bytes_u8(out, (uint8_t)(body.size >> 8));
        bytes_u8(out, (uint8_t)body.size);
    }
    bytes_append(out, mask, sizeof(mask));
    for (size_t i = 0; i < body.size; i++) {
        bytes_u8(out, body.data[i] ^ mask[i % 4]);
    }
    bytes_close(&body);
}

/* ---- connections ---- */

static void send_all(int to, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t n = send(to, data, size, MSG_NOSIGNAL);
        if (n <= 0) {
            die("the connection broke");
        }
        data += n;
        size -= (size_t)n;
    }
}

static void receive_some(struct client *client)
{
    size_t before = client->in.size;
    ssize_t n = recv(client->socket, bytes_extend(&client->in, PART_SIZE), PART_SIZE, 0);

    if (n <= 0 || before > ANSWER_MAX) {
        die("the server ended the connection");
    }
    client->in.size = before + (size_t)n;
}

static void drop_front(struct bytes *in, size_t size)
{
    memmove(in->data, in->data + size, in->size - size);
    in->size -= size;
}

static void connect_client(const struct load *load, struct client *client)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(load->port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    static const char hello[] =
        "GET /gremlin HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n";
    int on = 1;
    const char *end;

    client->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(client->socket, (struct sockaddr *)&address, sizeof(address)) != 0) {
        die("no connection");
    }
    setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    send_all(client->socket, (const uint8_t *)hello, sizeof(hello) - 1);
    do {
        receive_some(client);
        bytes_u8(&client->in, 0);
        client->in.size--;
        end = strstr((const char *)client->in.data, "\r\n\r\n");
    } while (end == NULL);
    if (strncmp((const char *)client->in.data, "HTTP/1.1 101", 12) != 0) {
        die("the server refused WebSocket");
    }
    drop_front(&client->in, (size_t)(end + 4 - (const char *)client->in.data));
}

static void send_next(struct load *load, struct client *client)
{
    const struct bytes *frame = &load->frames[load->sent % load->frame_count];

    if (load->sent == load->warm_count) {
        load->began = now();
    }
    client->request = load->sent++;
    client->is_busy = true;
    client->sent = now();
    send_all(client->socket, frame->data, frame->size);
}

/* ---- answers ---- */

static int64_t last_long(const uint8_t *body, size_t size)
{
    uint64_t number = 0;

    for (size_t i = size - 8; i < size; i++) {
        number = number << 8 | body[i];
    }
    return (int64_t)number;
}

/* One response; true: it was the last of its request. */
static bool on_body(struct load *load, struct client *client, const uint8_t *body, size_t size)
{
    uint32_t status;

    if (size < 26) {
        die("an answer that is too short");
    }
    status = (uint32_t)body[18] << 24 | (uint32_t)body[19] << 16 | (uint32_t)body[20] << 8 |
             (uint32_t)body[21];
    if (status == 206) {
        return false;
    }
    if (status != 200 && status != 204) {
        if (load->failed++ == 0) {
            fprintf(stderr, "bench_loadgen: status %u: %.*s\n", status,
                    (int)(size - 27 < 200 ? size - 27 : 200), (const char *)body + 27);
        }
    } else if (status == 200 && client->request >= load->warm_count) {
        load->sum += last_long(body, size);
    }
    return true;
}

/* Takes one frame from the front; false: it is not whole yet. Servers do not mask. */
static bool take_frame(struct load *load, struct client *client, bool *is_done)
{
    const uint8_t *at = client->in.data;
    size_t head = 2, size;

    if (client->in.size < 2) {
        return false;
    }
    size = at[1] & 0x7f;
    if (size >= 126) {
        size_t wide = size == 126 ? 2 : 8;
        head += wide;
        if (client->in.size < head) {
            return false;
        }
        size = 0;
        for (size_t i = 2; i < head; i++) {
            size = size << 8 | at[i];
        }
    }
    if (client->in.size < head + size) {
        return false;
    }
    if ((at[0] & 0x0f) == 8) {
        die("the server closed the connection");
    }
    if ((at[0] & 0x8f) == 0x82) {
        *is_done = on_body(load, client, at + head, size);
    } else if ((at[0] & 0x0f) < 8) {
        die("an answer in pieces");
    }
    drop_front(&client->in, head + size);
    return true;
}

static void on_readable(struct load *load, struct client *client)
{
    bool is_done = false;

    receive_some(client);
    while (take_frame(load, client, &is_done)) {
        if (!is_done) {
            continue;
        }
        is_done = false;
        client->is_busy = false;
        load->done++;
        if (client->request >= load->warm_count) {
            load->times[client->request - load->warm_count] = now() - client->sent;
        }
        if (load->sent < load->request_count + load->warm_count) {
            send_next(load, client);
        }
    }
}

static void run(struct load *load)
{
    struct pollfd polls[CLIENTS_MAX];

    for (uint32_t i = 0; i < load->client_count; i++) {
        connect_client(load, &load->clients[i]);
        polls[i] = (struct pollfd){.fd = load->clients[i].socket, .events = POLLIN};
    }
    for (uint32_t i = 0; i < load->client_count && i < load->request_count; i++) {
        send_next(load, &load->clients[i]);
    }
    while (load->done < load->request_count + load->warm_count) {
        if (poll(polls, load->client_count, 60000) <= 0) {
            die("no answer for a minute");
        }
        for (uint32_t i = 0; i < load->client_count; i++) {
            if (polls[i].revents != 0) {
                on_readable(load, &load->clients[i]);
            }
        }
    }
}

static int order_times(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static void tell(struct load *load)
{
    double seconds = now() - load->began;
    uint64_t n = load->request_count;

    qsort(load->times, n, sizeof(*load->times), order_times);
    printf("{\"requests\":%llu,\"clients\":%u,\"rate\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,"
           "\"mean_us\":%.1f,\"failed\":%llu,\"sum\":%lld}\n",
           (unsigned long long)n, load->client_count, (double)n / seconds, load->times[n / 2] * 1e6,
           load->times[n * 99 / 100] * 1e6, seconds / (double)n * load->client_count * 1e6,
           (unsigned long long)load->failed, (long long)load->sum);
}

/* ---- options ---- */

static void read_list(struct load *load, char *text)
{
    char *rest = text;

    for (char *word = strtok_r(text, ",", &rest); word != NULL && load->list_count < LIST_MAX;
         word = strtok_r(NULL, ",", &rest)) {
        load->list[load->list_count++] = strtoull(word, NULL, 10);
    }
}

static void read_range(struct load *load, char *text)
{
    char *end;

    load->low = strtoull(text, &end, 10);
    load->high = *end == ':' ? strtoull(end + 1, NULL, 10) : load->low;
}

static void set_option(struct load *load, int option, char *value)
{
    switch (option) {
    case 'p':
        load->port = (uint16_t)strtoul(value, NULL, 10);
        break;
    case 'g':
        load->graph = value;
        break;
    case 'c':
        load->client_count = (uint32_t)strtoul(value, NULL, 10);
        break;
    case 'n':
        load->request_count = strtoull(value, NULL, 10);
        break;
    case 'w':
        load->warm_count = strtoull(value, NULL, 10);
        break;
    case 'b':
        load->is_bytecode = true;
        break;
    case 'i':
        read_range(load, value);
        break;
    case 'l':
        read_list(load, value);
        break;
    case 's':
        prng_init(&load->prng, strtoull(value, NULL, 10));
        break;
    default:
        die("see the head of tests/bench/loadgen.c for the options");
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"port", 1, NULL, 'p'},    {"graph", 1, NULL, 'g'},
                                            {"clients", 1, NULL, 'c'}, {"requests", 1, NULL, 'n'},
                                            {"warm", 1, NULL, 'w'},    {"bytecode", 0, NULL, 'b'},
                                            {"ids", 1, NULL, 'i'},     {"list", 1, NULL, 'l'},
                                            {"seed", 1, NULL, 's'},    {NULL, 0, NULL, 0}};
    struct load *load = mem_alloc(sizeof(*load));
    int option;

    *load =
        (struct load){.graph = "g", .client_count = 1, .request_count = 1000, .low = 1, .high = 1};
    prng_init(&load->prng, 1);
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        set_option(load, option, optarg);
    }
    if (optind + 1 != argc || load->port == 0 || load->client_count == 0 ||
        load->client_count > CLIENTS_MAX || load->request_count < load->client_count) {
        die("see the head of tests/bench/loadgen.c for the options");
    }
    load->query = argv[optind];
    load->frame_count =
        load->request_count < FRAMES_MAX ? (uint32_t)load->request_count : FRAMES_MAX;
    load->frames = mem_array(load->frame_count, sizeof(*load->frames));
    load->times = mem_array(load->request_count, sizeof(*load->times));
    for (uint32_t i = 0; i < load->frame_count; i++) {
        encode_frame(load, &load->frames[i], i);
    }
    run(load);
    tell(load);
    for (uint32_t i = 0; i < load->frame_count; i++) {
        bytes_close(&load->frames[i]);
    }
    for (uint32_t i = 0; i < load->client_count; i++) {
        close(load->clients[i].socket);
        bytes_close(&load->clients[i].in);
    }
    mem_free(load->frames);
    mem_free(load->times);
    mem_free(load);
    return 0;
}
