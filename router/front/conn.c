#include "router/front/conn.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/loop.h"
#include "common/mem.h"
#include "router/front/http.h"

struct conn *conn_new(struct front *front, struct lws *wsi, enum conn_kind kind)
{
    struct conn *conn = mem_alloc(sizeof *conn);

    conn->kind = kind;
    conn->front = front;
    conn->wsi = wsi;
    front->exchange_count += kind == CONN_HTTP;
    bytes_init(&conn->input, REQUEST_BYTES_MAX);
    return conn;
}

void conn_free(struct conn **conn)
{
    struct conn *freed = *conn;
    struct front *front;

    if (freed == NULL) {
        return;
    }
    front = freed->front;
    front->exchange_count -= freed->kind == CONN_HTTP;
    if (freed->client != 0) {
        (void)map_remove(&front->by_client, freed->client);
        router_client_close(front->options.router, loop_now_ms(), freed->client,
                            front->options.out);
    }
    while (freed->first != NULL) {
        struct conn_frame *next = freed->first->next;
        mem_free(freed->first->data);
        mem_free(freed->first);
        freed->first = next;
    }
    http_exchange_free(&freed->http);
    bytes_close(&freed->input);
    mem_free(freed);
    *conn = NULL;
}

void conn_register(struct conn *conn)
{
    struct front *front = conn->front;

    if (conn->client != 0) {
        return;
    }
    conn->client = router_client_open(front->options.router);
    assert(conn->client != 0);
    (void)map_put(&front->by_client, conn->client, (uint64_t)(uintptr_t)conn);
}

struct conn *conn_find(const struct front *front, uint64_t client)
{
    uint64_t *place = map_get(&front->by_client, client);

    return place == NULL ? NULL : (struct conn *)(uintptr_t)*place;
}

bool conn_allows(const struct front *front, const char *origin)
{
    for (size_t i = 0; i < front->options.cors_count; i++) {
        const char *allowed = front->options.cors_origins[i];
        if (strcmp(allowed, "*") == 0 || strcmp(allowed, origin) == 0) {
            return true;
        }
    }
    return false;
}

/* "a.example:80" -> "a.example"; in brackets: an IPv6 address. */
static void cut_port(char *host)
{
    char *colon = strrchr(host, ':');

    if (host[0] != '[' && colon != NULL) {
        *colon = '\0';
    }
}

/* Names without a dot, and addresses, come from no foreign name server. */
static bool is_local_name(const char *host)
{
    size_t size = strlen(host);
    static const char tail[] = ".localhost";

    return strchr(host, '.') == NULL || host[strspn(host, "0123456789.")] == '\0' ||
           (size > sizeof tail - 1 && strcmp(host + size - (sizeof tail - 1), tail) == 0);
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
           strcmp(address, "localhost") == 0;
}

bool conn_is_foreign(const struct front *front, struct lws *wsi)
{
    char origin[CONN_NAME_MAX] = "";
    char host[CONN_NAME_MAX] = "";
    const char *page;
    bool is_own;

    if (lws_hdr_copy(wsi, origin, sizeof origin, WSI_TOKEN_ORIGIN) < 0 ||
        lws_hdr_copy(wsi, host, sizeof host, WSI_TOKEN_HOST) < 0) {
        return true; /* Too long to be one of ours. */
    }
    if (origin[0] != '\0' && conn_allows(front, origin)) {
        return false;
    }
    page = strstr(origin, "://");
    is_own = page != NULL && strcmp(page + 3, host) == 0;
    cut_port(host);
    /* A page of the router's own, under a name that cannot be forged. */
    if (origin[0] != '\0') {
        return !is_own || !is_local_name(host);
    }
    return is_loopback(front->options.address) && !is_local_name(host);
}

void conn_path(struct lws *wsi, char *path, size_t size)
{
    static const enum lws_token_indexes uris[] = {WSI_TOKEN_GET_URI, WSI_TOKEN_POST_URI,
                                                  WSI_TOKEN_OPTIONS_URI, WSI_TOKEN_HEAD_URI};

    path[0] = '\0';
    for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
        if (lws_hdr_total_length(wsi, uris[i]) > 0) {
            if (lws_hdr_copy(wsi, path, (int)size, uris[i]) < 0) {
                path[0] = '\0';
            }
            return;
        }
    }
}
