#include "common/host.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/hash.h"
#include "common/hostpage.h"
#include "common/mem.h"

uint64_t host_cluster_id(const char *cluster)
{
    uint64_t id = hash_bytes(cluster, strlen(cluster));

    return id == 0 ? 1 : id;
}

const char *host_coordinator(const struct conf_list *coordinators, peer_id peer)
{
    uint32_t number = (uint32_t)peer;

    if (peer >> 32 != PEER_COORDINATOR || number == 0 || number > coordinators->count) {
        return NULL;
    }
    return coordinators->items[number - 1];
}

const uint32_t *host_coordinator_numbers(void)
{
    static const uint32_t numbers[] = {1, 2, 3, 4, 5, 6, 7};

    return numbers;
}

static const char *address_of(void *ctx, peer_id peer)
{
    const struct host *host = ctx;

    return host->address == NULL ? NULL : host->address(host->address_ctx, peer);
}

static int open_folder(struct host *host, const struct host_options *options, struct error *err)
{
    char identity[256];

    if (options->data_dir == NULL) {
        return E_OK;
    }
    (void)snprintf(identity, sizeof identity, "cluster \"%s\" %s %u\n", options->cluster,
                   options->program, options->node);
    return daemon_folder_open(&host->folder, options->data_dir, identity, err);
}

/* Plain text beyond this machine is refused unless it was asked for by name. */
static int open_keys(struct host *host, const struct host_options *options, struct error *err)
{
    if (options->keys_dir != NULL && options->keys_dir[0] != '\0') {
        return keys_read(&host->keys, options->keys_dir, options->role, err);
    }
    for (size_t i = 0; i < options->plane_count && !options->is_insecure; i++) {
        if (!keys_is_local(options->planes[i].bind)) {
            return error_set(err, E_CONFIG,
                             "%s can be reached from other machines and there are no keys: set "
                             "keys_dir ('cardeactl keys init DIR' makes keys), or insecure = true",
                             options->planes[i].bind);
        }
    }
    return E_OK;
}

static int open_pages(struct host *host, const struct host_options *options, struct error *err)
{
    if (options->http_listen == NULL || options->http_listen[0] == '\0') {
        return E_OK;
    }
    if (!options->is_insecure && !httpd_is_local(options->http_listen)) {
        return error_set(err, E_CONFIG,
                         "http_listen = %s can be reached from other machines and is plain text "
                         "without a password: listen on loopback, or set insecure = true",
                         options->http_listen);
    }
    return httpd_open(&host->httpd, options->http_listen, hostpage_write, host, err);
}

static int open_transport(struct host *host, const struct host_options *options, struct error *err)
{
    struct transport_options transport = {
        .role = options->role,
        .node = options->node,
        .boot = host->boot,
        .cluster_id = host->cluster_id,
        .plane_count = options->plane_count,
        .planes = options->planes,
        .address = address_of,
        .ctx = host,
        .keys = host->keys.role == 0 ? NULL : &host->keys,
        .log = &host->log,
        .stats = &host->stats,
    };

    return transport_open(&host->transport, &transport, err);
}

int host_new(struct host **host, const struct host_options *options, struct error *err)
{
    struct host *made = mem_alloc(sizeof *made);
    int rc;

    made->program = options->program;
    made->boot = loop_random();
    made->cluster_id = host_cluster_id(options->cluster);
    log_init(&made->log, STDERR_FILENO, options->log_level);
    outbox_init(&made->out);
    daemon_raise_limits();
    daemon_last_words(&made->log);
    rc = loop_open(&made->loop, err);
    if (rc == E_OK) {
        rc = open_folder(made, options, err);
    }
    if (rc == E_OK) {
        rc = open_keys(made, options, err);
    }
    if (rc == E_OK) {
        rc = open_transport(made, options, err);
    }
    if (rc == E_OK) {
        rc = open_pages(made, options, err);
    }
    if (rc != E_OK) {
        host_free(&made);
        return rc;
    }
    *host = made;
    return E_OK;
}

void host_free(struct host **host)
{
    struct host *freed = *host;

    if (freed == NULL) {
        return;
    }
    httpd_close(&freed->httpd);
    transport_close(&freed->transport);
    keys_close(&freed->keys);
    daemon_folder_close(&freed->folder);
    loop_close(&freed->loop);
    outbox_close(&freed->out);
    daemon_last_words(NULL);
    mem_free(freed);
    *host = NULL;
}

static void tell_ready(struct host *host)
{
    bool is_ready = host->core.is_ready(host->core.core);

    if (is_ready && !host->was_ready) {
        log_info(&host->log, host->program, "msg=\"ready\"");
        daemon_notify("STATUS=ready");
    } else if (!is_ready && host->was_ready) {
        log_warn(&host->log, host->program, "msg=\"not ready\"");
        daemon_notify("STATUS=not ready");
    }
    host->was_ready = is_ready;
}

static void tell_gone(struct host *host, uint64_t now_ms)
{
    peer_id peer;

    while ((peer = transport_gone(host->transport)) != 0) {
        if (host->core.gone != NULL) {
            host->core.gone(host->core.core, now_ms, peer, &host->out);
        }
    }
}

void host_send(struct host *host, uint64_t now_ms)
{
    uint64_t now_us = host->out.count == 0 ? 0 : loop_micros();

    for (size_t i = 0; i < host->out.count; i++) {
        served_sent(&host->served, now_us, &host->out.items[i]);
    }
    transport_send(host->transport, now_ms, &host->out);
}

int host_turn(struct host *host, uint64_t now_ms, struct error *err)
{
    struct message message;
    uint64_t now_us = loop_micros();
    uint64_t took_ms;
    int rc;

    assert(host->core.core != NULL);
    transport_tick(host->transport, now_ms);
    for (int i = 0; i < HOST_DRAIN && transport_recv(host->transport, now_ms, &message); i++) {
        served_received(&host->served, now_us, &message);
        host->core.message(host->core.core, now_ms, &message, &host->out);
    }
    tell_gone(host, now_ms);
    rc = host->core.turn(host->core.core, now_ms, &host->out, err);
    host_send(host, now_ms);
    tell_ready(host);
    httpd_turn(&host->httpd, now_ms);
    stats_add(&host->stats, STATS_TURNS, 1);
    took_ms = loop_now_ms() - now_ms;
    if (took_ms > HOST_SLOW_MS) {
        stats_add(&host->stats, STATS_TURNS_SLOW, 1);
        log_debug(&host->log, host->program, "took_ms=%llu msg=\"slow turn\"",
                  (unsigned long long)took_ms);
    }
    return rc;
}

static uint64_t next_deadline(struct host *host, uint64_t now_ms)
{
    uint64_t core = host->core.deadline(host->core.core);
    uint64_t transport = transport_deadline(host->transport, now_ms);

    return core < transport ? core : transport;
}

/* leave_ms: until when it may take to leave. */
static bool has_ended(struct host *host, uint64_t *leave_ms)
{
    if (!host->loop.is_stopping) {
        return false;
    }
    if (*leave_ms == UINT64_MAX) {
        *leave_ms = loop_now_ms() + HOST_LEAVE_MS;
        daemon_notify("STOPPING=1");
    }
    return host->core.leave == NULL || host->core.leave(host->core.core) ||
           host->loop.signals > 1 || loop_now_ms() >= *leave_ms;
}

int host_run(struct host *host, struct error *err)
{
    uint64_t leave_ms = UINT64_MAX;
    int rc = E_OK;

    log_info(&host->log, host->program, "boot=%016llx http=%d msg=\"started\"",
             (unsigned long long)host->boot, httpd_port(&host->httpd));
    daemon_notify("READY=1");
    while (!has_ended(host, &leave_ms)) {
        uint64_t deadline;
        rc = host_turn(host, loop_now_ms(), err);
        if (rc != E_OK) {
            break;
        }
        deadline = transport_has_input(host->transport) ? 0 : next_deadline(host, loop_now_ms());
        deadline = leave_ms < deadline ? leave_ms : deadline;
        loop_wait(&host->loop, transport_fd(host->transport), httpd_fd(&host->httpd), deadline);
    }
    log_info(&host->log, host->program, "signal=%d msg=\"stopped\"", host->loop.signal);
    return rc;
}

int host_status(const char *program, const struct error *err)
{
    if (err->code == E_OK) {
        return 0;
    }
    (void)fprintf(stderr, "%s: %s\n", program, err->text);
    return err->code == E_CONFIG ? 2 : 1;
}
