#include "common/metrics.h"

#include <string.h>

#include "common/mem.h"
#include "common/served.h"
#include "tests/lib/runner.h"

static void expect(struct bytes *out, const char *text)
{
    bytes_u8(out, 0);
    ck_assert_str_eq((const char *)out->data, text);
    bytes_close(out);
}

START_TEST(families)
{
    struct bytes out = {0};

    metrics_single(&out, "gauge", "a", "Words", 7);
    metrics_family(&out, "counter", "b_total", "More");
    metrics_sample(&out, "b_total", "x=\"1\"", 8);
    metrics_seconds(&out, "b_total", "x=\"2\"", 1500001);
    expect(&out,
           "# HELP a Words\n# TYPE a gauge\na 7\n# HELP b_total More\n# TYPE b_total counter\n"
           "b_total{x=\"1\"} 8\nb_total{x=\"2\"} 1.500001\n");
}
END_TEST

START_TEST(labels_are_quoted)
{
    struct bytes out = {0};

    metrics_label(&out, "graph", SLICE("a\"b\\c\nd"));
    metrics_label(&out, "shard", SLICE("1"));
    expect(&out, "graph=\"a\\\"b\\\\c\\nd\",shard=\"1\"");
}
END_TEST

START_TEST(times_fall_into_buckets)
{
    struct metrics_histogram histogram = {0};
    struct bytes out = {0};

    metrics_observe(&histogram, 100);
    metrics_observe(&histogram, 101);
    metrics_observe(&histogram, 60000001);
    ck_assert_uint_eq(histogram.counts[0], 1);
    ck_assert_uint_eq(histogram.counts[1], 1);
    ck_assert_uint_eq(histogram.counts[METRICS_BUCKETS], 1);
    metrics_times(&out, "t", "v=\"X\"", &histogram);
    bytes_u8(&out, 0);
    const char *text = (const char *)out.data;
    ck_assert_ptr_nonnull(strstr(text, "t_bucket{v=\"X\",le=\"0.000100\"} 1\n"));
    ck_assert_ptr_nonnull(strstr(text, "t_bucket{v=\"X\",le=\"60.000000\"} 2\n"));
    ck_assert_ptr_nonnull(strstr(text, "t_bucket{v=\"X\",le=\"+Inf\"} 3\n"));
    ck_assert_ptr_nonnull(strstr(text, "t_sum{v=\"X\"} 60.000202\nt_count{v=\"X\"} 3\n"));
    bytes_close(&out);
}
END_TEST

static struct message about(enum message_type type, peer_id peer, uint64_t req_id)
{
    return (struct message){.type = type, .peer = peer, .req_id = req_id};
}

START_TEST(a_request_counts_from_its_first_sending)
{
    struct served *served = mem_alloc(sizeof *served);
    struct message read = about(MESSAGE_READ, 5, 1);
    struct message reply = about(MESSAGE_READ_REPLY, 5, 1);

    served_sent(served, 1000, &read);
    served_sent(served, 5000, &read);
    served_received(served, 9000, &reply);
    served_received(served, 9500, &reply); /* Once more: nothing. */
    ck_assert_uint_eq(served->out.verbs[MESSAGE_READ].count, 1);
    ck_assert_uint_eq(served->out.verbs[MESSAGE_READ].sum_us, 8000);
    ck_assert_uint_eq(served->in.verbs[MESSAGE_READ].count, 0);
    mem_free(served);
}
END_TEST

START_TEST(a_query_ends_with_its_last_frame)
{
    struct served *served = mem_alloc(sizeof *served);
    struct message query = about(MESSAGE_QUERY, PEER_CALLER_BIT | 3, 9);
    struct message frame = about(MESSAGE_QUERY_REPLY, PEER_CALLER_BIT | 3, 9);
    struct bytes out = {0};

    served_received(served, 10, &query);
    served_sent(served, 20, &frame);
    ck_assert_uint_eq(served->in.verbs[MESSAGE_QUERY].count, 0);
    frame.flags = MESSAGE_LAST;
    served_sent(served, 40, &frame);
    ck_assert_uint_eq(served->in.verbs[MESSAGE_QUERY].sum_us, 30);
    served_encode(&out, served);
    bytes_u8(&out, 0);
    ck_assert_ptr_nonnull(
        strstr((const char *)out.data, "cardea_served_seconds_count{verb=\"QUERY\"} 1\n"));
    ck_assert_ptr_null(strstr((const char *)out.data, "verb=\"READ\""));
    bytes_close(&out);
    mem_free(served);
}
END_TEST

/* Requests that are never answered take no memory and end nothing of others. */
START_TEST(what_is_never_answered)
{
    struct served *served = mem_alloc(sizeof *served);

    for (uint64_t i = 1; i < 100000; i++) {
        struct message status = about(MESSAGE_NODE_STATUS, 7, i);
        served_sent(served, i, &status);
    }
    struct message read = about(MESSAGE_READ, 8, 1);
    struct message refused = about(MESSAGE_REFUSED, 8, 1);
    served_received(served, 100, &read);
    served_sent(served, 300, &refused);
    ck_assert_uint_eq(served->in.verbs[MESSAGE_READ].sum_us, 200);
    mem_free(served);
}
END_TEST

RUN_SUITE("metrics", families, labels_are_quoted, times_fall_into_buckets,
          a_request_counts_from_its_first_sending, a_query_ends_with_its_last_frame,
          what_is_never_answered)
