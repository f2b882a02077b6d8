#include "common/hostpage.h"

#include "common/host.h"

static void write_ready(const struct host *host, struct httpd_page *page)
{
    const struct host_core *core = &host->core;
    struct bytes reasons = {0};
    bool is_ready =
        core->core != NULL && (core->readiness != NULL ? core->readiness(core->core, &reasons)
                                                       : core->is_ready(core->core));

    page->status = is_ready ? 200 : 503;
    bytes_format(&page->body, is_ready ? "ready\n" : "not ready\n");
    bytes_append(&page->body, reasons.data, reasons.size);
    bytes_close(&reasons);
}

static void write_metrics(const struct host *host, struct httpd_page *page)
{
    struct bytes *out = &page->body;

    page->mime = "text/plain; version=0.0.4; charset=utf-8";
    metrics_family(out, "gauge", "cardea_build_info", "1, with the version");
    metrics_sample(out, "cardea_build_info", "version=\"" CARDEA_VERSION "\"", 1);
    stats_encode(out, &host->stats);
    served_encode(out, &host->served);
    metrics_single(out, "counter", "cardea_pages_total", "Requests for pages such as this one",
                   host->httpd.requests);
    metrics_single(out, "gauge", "cardea_ready", "1 if the process serves", host->was_ready);
    if (host->core.metrics != NULL) {
        host->core.metrics(host->core.core, out);
    }
}

static bool is_path(struct slice path, const char *name)
{
    return slice_equal(path, slice_text(name));
}

void hostpage_write(void *ctx, struct slice path, struct httpd_page *page)
{
    const struct host *host = ctx;

    if (is_path(path, "/healthz")) {
        bytes_format(&page->body, "ok\n");
    } else if (is_path(path, "/readyz")) {
        write_ready(host, page);
    } else if (is_path(path, "/metrics")) {
        write_metrics(host, page);
    } else if (is_path(path, "/debug/log")) {
        log_recent(&host->log, &page->body);
    } else if (is_path(path, "/debug/dump") && host->core.dump != NULL) {
        host->core.dump(host->core.core, &page->body);
    } else if (is_path(path, "/debug") || is_path(path, "/debug/")) {
        bytes_format(&page->body, "/debug/dump  the inside of this process\n"
                                  "/debug/log   the last lines of the log, of all levels\n");
    } else {
        page->status = 404;
        bytes_format(&page->body, "not found: /healthz, /readyz, /metrics, /debug/\n");
    }
}
