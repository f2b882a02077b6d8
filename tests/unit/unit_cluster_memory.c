/* Gremlin text end to end: router, coordinator and shard nodes in one process, real files. */
#include "router/run/bulk.h"
#include "tests/lib/memory_cluster.h"
#include "tests/lib/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HASH_SHARDS = 4 };

static struct memory_cluster cluster;

static void open_cluster(void)
{
    memory_cluster_open(&cluster, HASH_SHARDS, "hash");
}

static void check(const char *text, const char *answer)
{
    const char *got = memory_cluster_query(&cluster, text);

    ck_assert_msg(strcmp(got, answer) == 0, "%s\n  gave   %s\n  wanted %s", text, got, answer);
}

static void starts_with(const char *text, const char *answer)
{
    const char *got = memory_cluster_query(&cluster, text);

    ck_assert_msg(strncmp(got, answer, strlen(answer)) == 0, "%s\n  gave   %s\n  wanted %s...",
                  text, got, answer);
}

static void load_modern(void)
{
    check("g.addV('person').property(id,1).property('name','marko').property('age',29).as('marko')."
          "addV('person').property(id,2).property('name','vadas').property('age',27).as('vadas')."
          "addV('software').property(id,3).property('name','lop').property('lang','java')"
          ".as('lop').addV('person').property(id,4).property('name','josh').property('age',32).as('"
          "josh')."
          "addV('software').property(id,5).property('name','ripple').property('lang','java')"
          ".as('ripple').addV('person').property(id,6).property('name','peter')"
          ".property('age',35).as('peter')"
          ".addE('knows').from('marko').to('vadas').property(id,7).property('weight',0.5d)"
          ".addE('knows').from('marko').to('josh').property(id,8).property('weight',1.0d)"
          ".addE('created').from('marko').to('lop').property(id,9).property('weight',0.4d)"
          ".addE('created').from('josh').to('ripple').property(id,10).property('weight',1.0d)"
          ".addE('created').from('josh').to('lop').property(id,11).property('weight',0.4d)"
          ".addE('created').from('peter').to('lop').property(id,12).property('weight',0.2d)"
          ".iterate()",
          "204 ");
}

START_TEST(an_empty_graph_has_nothing)
{
    open_cluster();
    check("g.V().count()", "200 [0]");
    check("g.E().count()", "200 [0]");
    check("g.V()", "204 ");
    memory_cluster_close(&cluster);
}
END_TEST

START_TEST(the_modern_graph_is_written_and_read)
{
    open_cluster();
    load_modern();
    check("g.V().count()", "200 [6]");
    check("g.E().count()", "200 [6]");
    check("g.V(1).out('knows').values('name').order()", "200 [josh, vadas]");
    check("g.V(1).out().out().values('name').order()", "200 [lop, ripple]");
    check("g.V().has('name','lop').in('created').values('name').order()",
          "200 [josh, marko, peter]");
    check("g.V().hasLabel('person').values('age').sum()", "200 [123]");
    check("g.V(1).outE('created').values('weight')", "200 [0.4]");
    check("g.E(9).inV().values('name')", "200 [lop]");
    check("g.V().out().count()", "200 [6]");
    check("g.V().both().dedup().count()", "200 [6]");
    memory_cluster_close(&cluster);
}
END_TEST

START_TEST(changes_and_drops_take_effect)
{
    open_cluster();
    load_modern();
    check("g.V(1).property('age',30).values('age')", "200 [30]");
    check("g.V(1).values('age')", "200 [30]");
    check("g.V(4).drop()", "204 ");
    check("g.V().count()", "200 [5]");
    check("g.E().count()", "200 [3]");
    check("g.V(1).out('knows').values('name')", "200 [vadas]");
    check("g.E(9).drop()", "204 ");
    check("g.V(3).in().values('name')", "200 [peter]");
    memory_cluster_close(&cluster);
}
END_TEST

START_TEST(an_id_is_given_once)
{
    open_cluster();
    check("g.addV('a').property(id,1).id()", "200 [1]");
    starts_with("g.addV('a').property(id,1).id()", "500 ");
    check("g.V().count()", "200 [1]");
    memory_cluster_close(&cluster);
}
END_TEST

START_TEST(a_session_sees_its_own_changes_and_others_do_not)
{
    open_cluster();
    ck_assert_str_eq(memory_cluster_session(&cluster, "s", "g.addV('a').property(id,1).id()"),
                     "200 [1]");
    ck_assert_str_eq(memory_cluster_session(&cluster, "s", "g.V().count()"), "200 [1]");
    check("g.V().count()", "200 [0]");
    ck_assert_str_eq(memory_cluster_session(&cluster, "s", "g.tx().commit()"), "204 ");
    check("g.V().count()", "200 [1]");
    ck_assert_str_eq(memory_cluster_session(&cluster, "s", "g.addV('a').property(id,2).id()"),
                     "200 [2]");
    ck_assert_str_eq(memory_cluster_session(&cluster, "s", "g.tx().rollback()"), "204 ");
    check("g.V().count()", "200 [1]");
    memory_cluster_close(&cluster);
}
END_TEST

START_TEST(the_second_of_two_sessions_that_read_and_wrote_the_same_is_refused)
{
    open_cluster();
    check("g.addV('a').property(id,1).property('n',1).id()", "200 [1]");
    memory_cluster_session(&cluster, "s", "g.V(1).values('n')");
    memory_cluster_session(&cluster, "t", "g.V(1).values('n')");
    memory_cluster_session(&cluster, "s", "g.V(1).property('n',2)");
    memory_cluster_session(&cluster, "t", "g.V(1).property('n',3)");
    ck_assert_str_eq(memory_cluster_session(&cluster, "s", "g.tx().commit()"), "204 ");
    const char *second = memory_cluster_session(&cluster, "t", "g.tx().commit()");
    ck_assert_msg(strncmp(second, "596 ", 4) == 0, "%s", second);
    check("g.V(1).values('n')", "200 [2]");
    memory_cluster_close(&cluster);
}
END_TEST

/* Asks the same of many clients at once; gives how many were told that it was done. */
static int ask_at_once(const char *text, int count)
{
    struct router_response response;
    int done = 0, answered = 0;

    for (int i = 0; i < count; i++) {
        memory_cluster_ask(&cluster, NULL, text);
    }
    for (int i = 0; i < 20000 && answered < count; i++) {
        while (router_next_response(cluster.router, &response)) {
            ck_assert(response.status == 200 || response.status == 204 || response.status == 596);
            done += response.status < 300;
            answered++;
            bytes_close(&response.body);
        }
        memory_cluster_step(&cluster);
    }
    ck_assert_int_eq(answered, count);
    return done;
}

START_TEST(edges_added_at_once_do_not_conflict)
{
    open_cluster();
    check("g.addV('a').property(id,1).id()", "200 [1]");
    check("g.addV('a').property(id,2).id()", "200 [2]");
    ck_assert_int_eq(ask_at_once("g.V(1).addE('e').to(V(2)).iterate()", 20), 20);
    check("g.V(1).outE('e').count()", "200 [20]");
    check("g.V(2).inE('e').count()", "200 [20]");
    memory_cluster_close(&cluster);
}
END_TEST

START_TEST(a_counter_incremented_at_once_loses_nothing)
{
    char text[32];

    open_cluster();
    check("g.addV('a').property(id,1).property('n',0).id()", "200 [1]");
    int done =
        ask_at_once("g.V(1).property('n', union(values('n'), constant(1)).sum()).values('n')", 20);
    ck_assert_int_gt(done, 0);
    snprintf(text, sizeof text, "200 [%d]", done);
    check("g.V(1).values('n')", text);
    memory_cluster_close(&cluster);
}
END_TEST

START_TEST(what_was_acknowledged_is_there_after_a_restart_of_every_node)
{
    open_cluster();
    load_modern();
    for (uint32_t i = 0; i < MEMORY_CLUSTER_NODES; i++) {
        memory_cluster_restart_node(&cluster, i);
    }
    check("g.V().count()", "200 [6]");
    check("g.V(1).out().out().values('name').order()", "200 [lop, ripple]");
    check("g.addV('a').property(id,100).id()", "200 [100]");
    memory_cluster_close(&cluster);
}
END_TEST

/* Vertices 0 .. count - 1, each with an edge to the next. */
static void load_ring(uint32_t count)
{
    struct bytes batch;

    bytes_init(&batch, 0);
    for (uint32_t i = 0; i < count; i++) {
        struct change vertex = {
            .kind = CHANGE_VERTEX_ADD, .vertex = vid_num(i), .label = SLICE("v")};
        bulk_encode_vertex(&batch, &vertex);
    }
    ck_assert_str_eq(memory_cluster_load(&cluster, bytes_slice(&batch)), "204 ");
    bytes_clear(&batch);
    for (uint32_t i = 0; i < count; i++) {
        struct change edge = {.kind = CHANGE_EDGE_ADD,
                              .direction = DIRECTION_OUT,
                              .vertex = vid_num(i),
                              .far = vid_num((i + 1) % count),
                              .label = SLICE("next"),
                              .far_label = SLICE("v")};
        bulk_encode_edge(&batch, &edge, SLICE("v"), false);
    }
    ck_assert_str_eq(memory_cluster_load(&cluster, bytes_slice(&batch)), "204 ");
    bytes_close(&batch);
}

START_TEST(a_hop_over_10000_vertices_costs_a_request_a_shard)
{
    open_cluster();
    load_ring(10000);
    check("g.V().out('next').count()", "200 [10000]");
    check("g.V().out('next').out('next').dedup().count()", "200 [10000]");
    const char *text =
        memory_cluster_query(&cluster, "g.V().out().out().id().dedup().count().profile()");
    int hops = 0;
    for (const char *at = text; (at = strstr(at, "name=hop")) != NULL; at++) {
        const char *requests = strstr(at, "requests=");
        ck_assert_msg(requests != NULL, "%s", text);
        ck_assert_msg(strtol(requests + strlen("requests="), NULL, 10) <= HASH_SHARDS, "%s", text);
        hops++;
    }
    ck_assert_msg(hops >= 2, "%s", text);
    memory_cluster_close(&cluster);
}
END_TEST

/* property(T.id,70) on two edges of different shards both succeeded, and E(70) gave two. Whatever
 * the sources, the first one has the id until it is dropped, with its vertex too. */
START_TEST(an_edge_id_is_given_once_in_all_shards)
{
    char text[160];

    open_cluster();
    for (int i = 1; i <= 12; i++) {
        snprintf(text, sizeof text, "g.addV('a').property(id,%d).iterate()", i);
        check(text, "204 ");
    }
    for (int from = 1; from <= 12; from++) {
        snprintf(text, sizeof text, "g.addE('e').from(V(%d)).to(V(1)).property(id,70).iterate()",
                 from);
        check(text, "204 ");
        for (int other = 1; other <= 12; other++) {
            snprintf(text, sizeof text,
                     "g.addE('f').from(V(%d)).to(V(2)).property(id,70).iterate()", other);
            starts_with(text, "500 ");
        }
        check("g.E(70).count()", "200 [1]");
        check("g.E().count()", "200 [1]");
        if (from % 2 == 0) {
            check("g.E(70).drop()", "204 ");
            continue;
        }
        snprintf(text, sizeof text, "g.V(%d).drop()", from);
        check(text, "204 ");
        snprintf(text, sizeof text, "g.addV('a').property(id,%d).iterate()", from);
        check(text, "204 ");
    }
    /* Twice in one transaction; a text; dropped and given again in one. */
    starts_with("g.V(1,2,3,4).addE('e').to(V(5)).property(id,71)", "500 ");
    check("g.E().count()", "200 [0]");
    check("g.addE('e').from(V(1)).to(V(2)).property(id,'x').iterate()", "204 ");
    starts_with("g.addE('e').from(V(3)).to(V(2)).property(id,'x').iterate()", "500 ");
    starts_with("g.addE('e').from(V(4)).to(V(2)).property(id,'x').iterate()", "500 ");
    memory_cluster_session(&cluster, "s", "g.E('x').drop()");
    memory_cluster_session(&cluster, "s", "g.addE('e').from(V(3)).to(V(4)).property(id,'x')");
    ck_assert_str_eq(memory_cluster_session(&cluster, "s", "g.tx().commit()"), "204 ");
    check("g.E('x').outV().id()", "200 [3]");
    memory_cluster_close(&cluster);
}
END_TEST

/* Many at once: one has it. */
START_TEST(an_edge_id_that_many_want_at_once_is_given_once)
{
    char text[160];

    open_cluster();
    for (int i = 1; i <= 8; i++) {
        snprintf(text, sizeof text, "g.addV('a').property(id,%d).iterate()", i);
        check(text, "204 ");
    }
    for (int edge = 70; edge < 90; edge++) {
        struct router_response response;
        int answered = 0, done = 0;
        for (int i = 1; i <= 8; i++) {
            snprintf(text, sizeof text,
                     "g.addE('e').from(V(%d)).to(V(1)).property(id,%d).iterate()", i, edge);
            memory_cluster_ask(&cluster, NULL, text);
        }
        for (int i = 0; i < 20000 && answered < 8; i++) {
            while (router_next_response(cluster.router, &response)) {
                done += response.status < 300;
                answered++;
                bytes_close(&response.body);
            }
            memory_cluster_step(&cluster);
        }
        ck_assert_int_eq(answered, 8);
        ck_assert_int_eq(done, 1);
        snprintf(text, sizeof text, "g.E(%d).count()", edge);
        check(text, "200 [1]");
    }
    check("g.E().count()", "200 [20]");
    memory_cluster_close(&cluster);
}
END_TEST

START_TEST(an_edge_id_is_given_once_among_ranges)
{
    memory_cluster_open(&cluster, 3, "range");
    check("g.addV('a').property(id,1).iterate()", "204 ");
    check("g.addV('a').property(id,6000000000000000).iterate()", "204 ");
    check("g.addE('e').from(V(1)).to(V(1)).property(id,70).iterate()", "204 ");
    starts_with("g.addE('e').from(V(6000000000000000)).to(V(1)).property(id,70)", "500 ");
    check("g.E(70).drop()", "204 ");
    check("g.addE('e').from(V(6000000000000000)).to(V(1)).property(id,70).iterate()", "204 ");
    starts_with("g.addE('e').from(V(1)).to(V(1)).property(id,70)", "500 ");
    check("g.addE('e').from(V(6000000000000000)).to(V(1)).iterate()", "204 ");
    check("g.E().count()", "200 [2]");
    memory_cluster_close(&cluster);
}
END_TEST

START_TEST(ranges_give_the_same_answers)
{
    memory_cluster_open(&cluster, 1, "range");
    load_modern();
    check("g.V().count()", "200 [6]");
    check("g.V(1).out().out().values('name').order()", "200 [lop, ripple]");
    check("g.E(9).inV().values('name')", "200 [lop]");
    memory_cluster_close(&cluster);
}
END_TEST

RUN_SUITE("cluster_memory", an_edge_id_is_given_once_in_all_shards,
          an_edge_id_that_many_want_at_once_is_given_once, an_edge_id_is_given_once_among_ranges,
          an_empty_graph_has_nothing, the_modern_graph_is_written_and_read,
          changes_and_drops_take_effect, an_id_is_given_once,
          a_session_sees_its_own_changes_and_others_do_not,
          the_second_of_two_sessions_that_read_and_wrote_the_same_is_refused,
          edges_added_at_once_do_not_conflict, a_counter_incremented_at_once_loses_nothing,
          what_was_acknowledged_is_there_after_a_restart_of_every_node,
          a_hop_over_10000_vertices_costs_a_request_a_shard, ranges_give_the_same_answers)
