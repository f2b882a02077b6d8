/*
 * What clients may send, as far as it ends processes: every kind of value in every place of every
 * step, random traversals, and what did end one. Whole frames in all forms (text, GraphBinary,
 * GraphSON), a whole cluster in memory, the real formats.
 *
 *   unit_inputs                    the short version
 *   INPUTS_RANDOM=100000 unit_inputs   so many random queries; INPUTS_SEED for others;
 *                                  INPUTS_TRACE=1 prints each before it runs
 */
#include "common/codec.h"
#include "common/daemon.h"
#include "router/gremlin/place.h"
#include "router/wire/graphbinary.h"
#include "router/wire/graphson.h"
#include "tests/lib/memory_cluster.h"
#include "tests/lib/runner.h"
#include "tests/lib/traversals.h"

#include <stdio.h>
#include <string.h>

enum {
    SHARDS = 4,
    TIMEOUT_MS = 40,   /* Of a query that finds no end; a step of the cluster is 1 ms. */
    PATIENCE = 40000,  /* Steps. */
    FRESH_EVERY = 400, /* Queries on one graph. */
    PLACES_STRIDE = 7, /* The short version takes every so many-th; all take turns by the seed. */
    RANDOM_SHORT = 1500
};

enum form { FORM_TEXT, FORM_GRAPHBINARY, FORM_GRAPHSON3, FORM_GRAPHSON2, FORM_COUNT };

static struct memory_cluster cluster;
static struct bytes last; /* The answer. */
static uint8_t last_id;

static const char modern[] =
    "g.addV('person').property(id,1).property('name','marko').property('age',29).as('a')."
    "addV('person').property(id,2).property('name','vadas').property('age',27).as('b')."
    "addV('software').property(id,3).property('name','lop').property('lang','java').as('c')."
    "addV('person').property(id,4).property('name','josh').property('age',32).as('d')."
    "addV('software').property(id,5).property('name','ripple').property('lang','java').as('e')."
    "addV('person').property(id,6).property('name','peter').property('age',35).as('f')."
    "addE('knows').from('a').to('b').property('weight',0.5d)."
    "addE('knows').from('a').to('d').property('weight',1.0d)."
    "addE('created').from('a').to('c').property('weight',0.4d)."
    "addE('created').from('d').to('e').property('weight',1.0d)."
    "addE('created').from('d').to('c').property('weight',0.4d)."
    "addE('created').from('f').to('c').property('weight',0.2d).iterate()";

/* ---- asking ---- */

static bool take_answers(void)
{
    struct router_response response;
    bool is_last = false;

    while (router_next_response(cluster.router, &response)) {
        if (response.request_id[15] == last_id) {
            bytes_append(&last, response.body.data, response.body.size);
            is_last = is_last || response.is_last;
        }
        bytes_close(&response.body);
    }
    return is_last;
}

/* Takes the request; time passes with each step, so that what finds no end ends. */
static const char *ask(struct request *request)
{
    bytes_clear(&last);
    last_id = memory_cluster_request(&cluster, request);
    for (int i = 0; i < PATIENCE; i++) {
        if (take_answers()) {
            bytes_u8(&last, 0);
            return (const char *)last.data;
        }
        (void)memory_cluster_step(&cluster);
        cluster.now_ms++;
    }
    ck_abort_msg("no answer");
    return NULL;
}

static const char *ask_text_for(const char *text, uint32_t timeout_ms)
{
    struct request request = {.op = REQUEST_EVAL,
                              .op_name = SLICE("eval"),
                              .format = FORMAT_GRAPHSON3,
                              .has_timeout = true,
                              .timeout_ms = timeout_ms};

    arena_init(&request.arena, 0);
    request.gremlin = slice_of(arena_copy(&request.arena, text, strlen(text)), strlen(text));
    return ask(&request);
}

static const char *ask_text(const char *text)
{
    return ask_text_for(text, 100000);
}

static void expect(const char *text, const char *part)
{
    const char *got = ask_text(text);

    ck_assert_msg(strstr(got, part) != NULL, "%.200s\n  gave   %.600s\n  wanted %s", text, got,
                  part);
}

/* {"requestId":..,"op":"bytecode","args":{"gremlin":..}} */
static void put_graphson(struct bytes *out, enum format format, const struct value *traversal)
{
    const char *mime = format == FORMAT_GRAPHSON3 ? "application/vnd.gremlin-v3.0+json"
                                                  : "application/vnd.gremlin-v2.0+json";
    const char *head = format == FORMAT_GRAPHSON3 ? "{\"@type\":\"g:Map\",\"@value\":[\"gremlin\","
                                                  : "{\"gremlin\":";
    const char *tail =
        format == FORMAT_GRAPHSON3
            ? ",\"aliases\",{\"@type\":\"g:Map\",\"@value\":[\"g\",\"g\"]},\"evaluationTimeout\","
            : ",\"aliases\":{\"g\":\"g\"},\"evaluationTimeout\":";

    bytes_u8(out, (uint8_t)strlen(mime));
    bytes_format(out, "%s", mime);
    bytes_format(out,
                 "{\"requestId\":\"00000000-0000-0000-0000-000000000001\",\"op\":\"bytecode\","
                 "\"processor\":\"traversal\",\"args\":%s",
                 head);
    graphson_write(out, format, traversal);
    bytes_format(out, "%s%d%s", tail, TIMEOUT_MS, format == FORMAT_GRAPHSON3 ? "]}}" : "}}");
}

static void put_graphbinary(struct bytes *out, const struct value *traversal)
{
    static const char mime[] = "application/vnd.graphbinary-v1.0";
    static const uint8_t id[16] = {0};
    struct graphbinary graphbinary;
    struct value names[] = {value_cstring("gremlin"), value_cstring("aliases"),
                            value_cstring("evaluationTimeout")};
    struct value pair[] = {value_cstring("g"), value_cstring("g")};
    struct value alias = {.kind = VALUE_MAP, .size = 1, .items = pair};
    struct value timeout = value_int(TIMEOUT_MS);

    graphbinary_init(&graphbinary);
    bytes_u8(out, sizeof mime - 1);
    bytes_append(out, mime, sizeof mime - 1);
    bytes_u8(out, GRAPHBINARY_VERSION);
    bytes_append(out, id, sizeof id);
    graphbinary_put_text(out, SLICE("bytecode"));
    graphbinary_put_text(out, SLICE("traversal"));
    bytes_u32(out, 3);
    codec_encode(out, &graphbinary.codec, &names[0]);
    codec_encode(out, &graphbinary.codec, traversal);
    codec_encode(out, &graphbinary.codec, &names[1]);
    codec_encode(out, &graphbinary.codec, &alias);
    codec_encode(out, &graphbinary.codec, &names[2]);
    codec_encode(out, &graphbinary.codec, &timeout);
}

/* As a driver would send it. What cannot be decoded is refused there: no process ends. */
static void run(const struct bytecode *bytecode, enum form form)
{
    struct value traversal = {.kind = VALUE_TRAVERSAL, .traversal = bytecode};
    struct request request = {0};
    struct error err = {0};
    struct bytes frame;

    bytes_init(&frame, 0);
    if (getenv("INPUTS_TRACE") != NULL) {
        bytecode_print(&frame, bytecode, "g");
        (void)fprintf(stderr, "%d %.*s\n", (int)form, (int)frame.size, (const char *)frame.data);
        bytes_clear(&frame);
    }
    if (form == FORM_TEXT) {
        bytecode_print(&frame, bytecode, "g");
        bytes_u8(&frame, 0);
        (void)ask_text_for((const char *)frame.data, TIMEOUT_MS);
    } else {
        if (form == FORM_GRAPHBINARY) {
            put_graphbinary(&frame, &traversal);
        } else {
            put_graphson(&frame, form == FORM_GRAPHSON3 ? FORMAT_GRAPHSON3 : FORMAT_GRAPHSON2,
                         &traversal);
        }
        if (request_decode(bytes_slice(&frame), false, &request, &err) == E_OK) {
            (void)ask(&request);
        } else {
            request_close(&request);
        }
    }
    bytes_close(&frame);
}

static void fresh(void)
{
    expect("g.V().drop().iterate()", "\"code\":204");
    expect(modern, "\"code\":204");
}

static void open_cluster(void)
{
    daemon_raise_limits();
    memory_cluster_open(&cluster, SHARDS, "hash");
    bytes_init(&last, 0);
    fresh();
}

static void close_cluster(void)
{
    bytes_close(&last);
    memory_cluster_close(&cluster);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

/* ---- every value in every place ---- */

START_TEST(every_kind_of_value_in_every_place)
{
    uint64_t stride = getenv("INPUTS_RANDOM") != NULL ? 1 : PLACES_STRIDE;
    struct traversals_place place;
    const struct value *values;
    struct arena arena = {0};
    uint64_t turn = setting("INPUTS_SEED", 0), asked = 0;
    size_t count = traversals_values(&arena, &values);

    open_cluster();
    for (size_t number = 0; traversals_place(number, &place); number++) {
        for (size_t i = 0; i < 2 * count; i++) {
            struct value filler = value_cstring("name");
            struct arena query = {0};
            if (turn++ % stride != 0) {
                continue;
            }
            if (i % 2 == 1) {
                filler = (struct value){.kind = VALUE_TRAVERSAL};
                filler.traversal = ARENA_NEW(&query, struct bytecode);
            }
            const struct bytecode *bytecode =
                traversals_at(&query, &place, &values[i / 2], &filler);
            if (stride == 1) {
                for (int form = 0; form < FORM_COUNT; form++) {
                    run(bytecode, (enum form)form);
                }
            } else {
                run(bytecode, (enum form)(asked % FORM_COUNT));
            }
            arena_close(&query);
            if (++asked % FRESH_EVERY == 0) {
                fresh();
            }
        }
    }
    ck_assert_uint_gt(asked, 1000);
    ck_assert_uint_eq(place_of(STEP_INJECT), PLACE_PLAIN);
    arena_close(&arena);
    close_cluster();
}
END_TEST

START_TEST(random_traversals)
{
    uint64_t seed = setting("INPUTS_SEED", 1);
    uint64_t count = setting("INPUTS_RANDOM", RANDOM_SHORT);
    struct prng prng;

    printf("# seed %llu, %llu queries\n", (unsigned long long)seed, (unsigned long long)count);
    prng_init(&prng, seed);
    open_cluster();
    for (uint64_t i = 0; i < count; i++) {
        struct arena arena = {0};
        run(traversals_random(&arena, &prng), (enum form)(i % FORM_COUNT));
        arena_close(&arena);
        if (i % FRESH_EVERY == 0) {
            fresh();
        }
    }
    close_cluster();
}
END_TEST

/* ---- what ended a router ---- */

START_TEST(a_traversal_in_a_predicate_aborted_in_the_codec)
{
    open_cluster();
    expect("g.V().has('name', P.eq(__.out()))", "argument 2 of has(): a traversal in eq() is not");
    expect("g.V().has('name', P.eq(__.out()))", "1:7: ");
    close_cluster();
}
END_TEST

START_TEST(a_side_effect_that_is_a_traversal_was_answered)
{
    open_cluster();
    expect("g.withSideEffect('x',__.out()).V().select('x')",
           "argument 2 of withSideEffect(): a traversal cannot stand here");
    close_cluster();
}
END_TEST

/* Allowed before a value of a map of properties, it was let through at any depth, and stored. */
START_TEST(a_cardinality_inside_a_value_aborted_in_the_codec)
{
    static const char *const queries[] = {
        "g.V().property('name', {Cardinality.set('y')})",
        "g.V().property('name', ['k': Cardinality.set('y')])",
        "g.addV('x').property('name', 'y', 'meta', Cardinality.single('z'))",
        "g.addV('x').property(['name': [Cardinality.list('y')]])",
        "g.mergeV(['name': [Cardinality.list('y')]])",
    };

    open_cluster();
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        expect(queries[i], "cannot stand");
    }
    expect("g.addV('x').property(['k': Cardinality.list('y')]).values('k')", "y");
    close_cluster();
}
END_TEST

START_TEST(add_all_of_what_is_no_collection_was_a_null_pointer)
{
    open_cluster();
    expect("g.V().values('name').fold([], Operator.addAll).count(local)", "\"@value\":6");
    expect("g.V().hasLabel('person').values('name').fold().fold([], addAll).count(local)",
           "\"@value\":4");
    expect("g.withSack([]).V().sack(addAll).by('name').sack()", "addAll needs a collection");
    close_cluster();
}
END_TEST

START_TEST(five_thousand_rollbacks_overflowed_the_stack)
{
    struct bytes text;

    open_cluster();
    bytes_init(&text, 0);
    for (int i = 0; i < 5000; i++) {
        bytes_format(&text, "g.tx().rollback();");
    }
    bytes_format(&text, "g.inject(7)");
    bytes_u8(&text, 0);
    expect((const char *)text.data, "\"@value\":7");
    bytes_close(&text);
    close_cluster();
}
END_TEST

START_TEST(a_chain_of_9900_steps_overflowed_the_stack)
{
    struct bytes text;

    open_cluster();
    bytes_init(&text, 0);
    bytes_format(&text, "g.V()");
    for (int i = 0; i < 9900; i++) {
        bytes_format(&text, ".out()");
    }
    bytes_format(&text, ".count()");
    bytes_u8(&text, 0);
    expect((const char *)text.data, "\"@value\":0");
    bytes_close(&text);
    close_cluster();
}
END_TEST

START_TEST(lists_in_lists_overflowed_the_stack)
{
    open_cluster();
    expect("g.inject(1).repeat(__.fold()).times(100000).dedup().count()", "nest deeper than");
    expect("g.inject(1).repeat(__.group().by().unfold()).times(1000).dedup()", "a value of more");
    expect("g.inject(1).repeat(__.project('a').by()).times(1000).dedup()", "nest deeper than");
    expect("g.inject(1).repeat(__.path()).times(1000).dedup()", "a value of more than 20000000");
    expect("g.inject(1).repeat(__.union(__.identity(),__.identity()).fold()).times(60).dedup()",
           "a value of more than 20000000");
    expect("g.inject(1).repeat(__.fold()).times(60).dedup().count()", "\"@value\":1");
    close_cluster();
}
END_TEST

/* CardinalityValueTraversal as gremlin-driver for Java sends it: the cardinality is a string. */
START_TEST(a_cardinality_as_the_java_driver_sends_it)
{
    struct value name = value_cstring("name");
    struct value search[] = {name, value_cstring("marko")};
    struct value single[] = {value_cstring("set"), value_cstring("mike")};
    struct instruction carried = {.step = STEP_CARDINALITY_VALUE,
                                  .name = SLICE("CardinalityValueTraversal"),
                                  .arg_count = 2,
                                  .args = single};
    struct bytecode inner = {.source_count = 1, .sources = &carried};
    struct value update[] = {name, {.kind = VALUE_TRAVERSAL, .traversal = &inner}};
    struct value map = {.kind = VALUE_MAP, .size = 1, .items = search};
    struct value option[] = {value_enumerator(MERGE_ON_MATCH),
                             {.kind = VALUE_MAP, .size = 1, .items = update}};
    struct instruction steps[] = {
        {.step = STEP_MERGE_V, .name = SLICE("mergeV"), .arg_count = 1, .args = &map},
        {.step = STEP_OPTION, .name = SLICE("option"), .arg_count = 2, .args = option}};
    struct bytecode merge = {.step_count = 2, .steps = steps};

    open_cluster();
    for (int form = 0; form < FORM_COUNT; form++) {
        fresh();
        run(&merge, (enum form)form);
        expect("g.V(1).values('name').order().fold()", "\"marko\",\"mike\"");
    }
    close_cluster();
}
END_TEST

/* Lists beside other ids are ids themselves, also when they are empty: each needs a place. */
START_TEST(empty_lists_as_ids_wrote_behind_an_array)
{
    open_cluster();
    expect("g.V().hasId([], [], {}, [], [], []).count()", "\"@value\":0");
    close_cluster();
}
END_TEST

START_TEST(a_timeout_of_0_is_the_default)
{
    open_cluster();
    expect(
        "g.with('evaluationTimeout', 0).V().repeat(__.both()).until(__.constant(1).is(2)).count()",
        "threshold of 30000 ms");
    close_cluster();
}
END_TEST
RUN_SUITE("inputs", a_traversal_in_a_predicate_aborted_in_the_codec,
          a_side_effect_that_is_a_traversal_was_answered,
          a_cardinality_inside_a_value_aborted_in_the_codec,
          add_all_of_what_is_no_collection_was_a_null_pointer,
          five_thousand_rollbacks_overflowed_the_stack, a_chain_of_9900_steps_overflowed_the_stack,
          lists_in_lists_overflowed_the_stack, a_cardinality_as_the_java_driver_sends_it,
          empty_lists_as_ids_wrote_behind_an_array, a_timeout_of_0_is_the_default,
          every_kind_of_value_in_every_place, random_traversals)
