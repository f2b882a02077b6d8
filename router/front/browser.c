#include "router/front/browser.h"

#include <string.h>

bool browser_allows(const struct front_options *options, struct slice origin)
{
    for (size_t i = 0; i < options->cors_count; i++) {
        struct slice allowed = slice_text(options->cors_origins[i]);
        if (slice_equal(allowed, SLICE("*")) || slice_equal(allowed, origin)) {
            return true;
        }
    }
    return false;
}

/* "a.example:80" -> "a.example"; in brackets: an IPv6 address, which stays as it is. */
static struct slice cut_port(struct slice host)
{
    size_t size = host.size;

    if (size > 0 && host.data[0] == '[') {
        return host;
    }
    while (size > 0 && host.data[size - 1] != ':') {
        size--;
    }
    return size == 0 ? host : slice_of(host.data, size - 1);
}

static bool ends_with(struct slice text, struct slice end)
{
    return text.size > end.size &&
           slice_equal(slice_of(text.data + text.size - end.size, end.size), end);
}

/* Names without a dot, and addresses, come from no foreign name server. */
static bool is_local_name(struct slice host)
{
    bool has_dot = false;
    bool is_address = true;

    for (size_t i = 0; i < host.size; i++) {
        uint8_t c = host.data[i];
        has_dot |= c == '.';
        is_address &= c == '.' || (c >= '0' && c <= '9');
    }
    return !has_dot || is_address || ends_with(host, SLICE(".localhost"));
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
           strcmp(address, "localhost") == 0;
}

/* What follows "://"; data null: it is not there. */
static struct slice behind_scheme(struct slice origin)
{
    for (size_t i = 0; i + 3 <= origin.size; i++) {
        if (memcmp(origin.data + i, "://", 3) == 0) {
            return slice_of(origin.data + i + 3, origin.size - i - 3);
        }
    }
    return (struct slice){0};
}

bool browser_is_foreign(const struct front_options *options, const struct httpparse *parse)
{
    struct slice origin = httpparse_field(parse, "origin");
    struct slice host = httpparse_host(parse);
    bool is_local = is_local_name(cut_port(host));

    if (httpparse_count(parse, "origin") > 1) {
        return true;
    }
    if (origin.size > 0) {
        struct slice page = behind_scheme(origin);
        bool is_own = page.data != NULL && slice_equal(page, host);
        /* A page of the router's own, under a name that cannot be forged. */
        return !browser_allows(options, origin) && (!is_own || !is_local);
    }
    return is_loopback(options->address) && !is_local;
}
