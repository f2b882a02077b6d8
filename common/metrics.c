#include "common/metrics.h"

#include <assert.h>

static const uint64_t bounds[] = {100,     250,     500,     1000,     2500,     5000,
                                  10000,   25000,   50000,   100000,   250000,   500000,
                                  1000000, 2500000, 5000000, 10000000, 30000000, 60000000};

_Static_assert(sizeof bounds / sizeof bounds[0] == METRICS_BUCKETS, "one bound a bucket");

void metrics_observe(struct metrics_histogram *histogram, uint64_t us)
{
    size_t at = 0;

    assert(histogram != NULL);
    while (at < METRICS_BUCKETS && us > bounds[at]) {
        at++;
    }
    histogram->counts[at]++;
    histogram->count++;
    histogram->sum_us += us;
}

void metrics_family(struct bytes *out, const char *kind, const char *name, const char *help)
{
    bytes_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void write_name(struct bytes *out, const char *name, const char *labels)
{
    bool has_labels = labels != NULL && labels[0] != '\0';

    bytes_format(out, "%s%s%s%s ", name, has_labels ? "{" : "", has_labels ? labels : "",
                 has_labels ? "}" : "");
}

void metrics_sample(struct bytes *out, const char *name, const char *labels, uint64_t value)
{
    write_name(out, name, labels);
    bytes_format(out, "%llu\n", (unsigned long long)value);
}

void metrics_single(struct bytes *out, const char *kind, const char *name, const char *help,
                    uint64_t value)
{
    metrics_family(out, kind, name, help);
    metrics_sample(out, name, NULL, value);
}

static void write_seconds(struct bytes *out, uint64_t us)
{
    bytes_format(out, "%llu.%06llu", (unsigned long long)(us / 1000000),
                 (unsigned long long)(us % 1000000));
}

void metrics_seconds(struct bytes *out, const char *name, const char *labels, uint64_t us)
{
    write_name(out, name, labels);
    write_seconds(out, us);
    bytes_u8(out, '\n');
}

void metrics_times(struct bytes *out, const char *name, const char *labels,
                   const struct metrics_histogram *histogram)
{
    bool has_labels = labels != NULL && labels[0] != '\0';
    uint64_t sum = 0;

    for (size_t i = 0; i <= METRICS_BUCKETS; i++) {
        sum += histogram->counts[i];
        bytes_format(out, "%s_bucket{%s%sle=\"", name, has_labels ? labels : "",
                     has_labels ? "," : "");
        if (i == METRICS_BUCKETS) {
            bytes_format(out, "+Inf");
        } else {
            write_seconds(out, bounds[i]);
        }
        bytes_format(out, "\"} %llu\n", (unsigned long long)sum);
    }
    assert(sum == histogram->count);
    bytes_format(out, "%s_sum%s%s%s ", name, has_labels ? "{" : "", has_labels ? labels : "",
                 has_labels ? "}" : "");
    write_seconds(out, histogram->sum_us);
    bytes_format(out, "\n%s_count%s%s%s %llu\n", name, has_labels ? "{" : "",
                 has_labels ? labels : "", has_labels ? "}" : "", (unsigned long long)sum);
}

void metrics_label(struct bytes *labels, const char *name, struct slice value)
{
    bytes_format(labels, "%s%s=\"", labels->size > 0 ? "," : "", name);
    for (size_t i = 0; i < value.size; i++) {
        uint8_t c = value.data[i];
        if (c == '\n') {
            bytes_format(labels, "\\n");
        } else {
            if (c == '"' || c == '\\') {
                bytes_u8(labels, '\\');
            }
            bytes_u8(labels, c);
        }
    }
    bytes_u8(labels, '"');
}
