/*
 * metrics.h -- the text that Prometheus reads (exposition format 0.0.4), and histograms of times.
 *
 *   family: # HELP, # TYPE, then its samples, one line each: name{labels} value
 *
 * All samples of a family follow each other, and a family is written once a page. Labels are given
 * as they are written, `graph="g",shard="3"`; metrics_label quotes what is not ours.
 *
 * Pure. Units: histograms take microseconds and are written in seconds.
 * Limits: METRICS_BUCKETS bounds, from 100 us to 60 s; the one above them has no bound.
 */
#ifndef COMMON_METRICS_H
#define COMMON_METRICS_H

#include "common/bytes.h"

enum { METRICS_BUCKETS = 18 };

struct metrics_histogram {
    uint64_t counts[METRICS_BUCKETS + 1]; /* Each of its own bucket alone. */
    uint64_t count;
    uint64_t sum_us;
};

void metrics_observe(struct metrics_histogram *histogram, uint64_t us);

/* kind: counter, gauge, histogram. */
void metrics_family(struct bytes *out, const char *kind, const char *name, const char *help);
/* labels: null or empty if there are none. */
void metrics_sample(struct bytes *out, const char *name, const char *labels, uint64_t value);
/* A family with one sample, without labels. */
void metrics_single(struct bytes *out, const char *kind, const char *name, const char *help,
                    uint64_t value);
/* Microseconds, as seconds. */
void metrics_seconds(struct bytes *out, const char *name, const char *labels, uint64_t us);
/* The samples of one histogram: _bucket, _sum, _count. */
void metrics_times(struct bytes *out, const char *name, const char *labels,
                   const struct metrics_histogram *histogram);
/* Appends `name="value"`, quoted; behind a comma if something is there already. The text is not
 * terminated. */
void metrics_label(struct bytes *labels, const char *name, struct slice value);

#endif
