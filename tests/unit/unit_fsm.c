#include "common/fsm.h"

#include <string.h>

#include "common/trace.h"
#include "tests/lib/runner.h"

enum { IDLE, BUSY, CLOSED };

static const struct fsm_state states[] = {
    [IDLE] = {"idle", FSM_TO(BUSY) | FSM_TO(CLOSED)},
    [BUSY] = {"busy", FSM_TO(IDLE) | FSM_TO(BUSY)},
    [CLOSED] = {"closed", 0},
};

START_TEST(moves)
{
    struct fsm fsm;

    fsm_init(&fsm, states, 3, IDLE);
    ck_assert_str_eq(fsm_name(&fsm), "idle");
    fsm_move(&fsm, BUSY);
    fsm_move(&fsm, BUSY);
    ck_assert(!fsm_can_move(&fsm, CLOSED));
    fsm_move(&fsm, IDLE);
    fsm_move(&fsm, CLOSED);
    ck_assert_str_eq(fsm_name(&fsm), "closed");
    ck_assert(!fsm_can_move(&fsm, IDLE));
}
END_TEST

static struct trace trace;

START_TEST(notes_are_read_once)
{
    trace_note(NULL, "nobody listens");
    trace_note(&trace, "remote term is higher (%d vs %d) -> bump term", 2, 1);
    trace_note(&trace, "%0*d", 500, 1);
    ck_assert_str_eq(trace_next(&trace), "remote term is higher (2 vs 1) -> bump term");
    ck_assert_uint_eq(strlen(trace_next(&trace)), TRACE_TEXT_MAX - 1);
    ck_assert_ptr_null(trace_next(&trace));
}
END_TEST

static void count_notes(void *ctx, const char *text, size_t size)
{
    (void)text;
    ck_assert_uint_gt(size, 0);
    (*(int *)ctx)++;
}

START_TEST(old_notes_go)
{
    int count = 0;

    trace = (struct trace){0};
    for (int i = 0; i < TRACE_NOTES + 10; i++) {
        trace_note(&trace, "note %d", i);
    }
    trace_dump(&trace, count_notes, &count);
    ck_assert_int_eq(count, TRACE_NOTES);
    ck_assert_str_eq(trace_next(&trace), "note 10");
    trace_note(&trace, "one more");
    for (int i = 11; i < TRACE_NOTES + 10; i++) {
        ck_assert_ptr_nonnull(trace_next(&trace));
    }
    ck_assert_str_eq(trace_next(&trace), "one more");
    ck_assert_ptr_null(trace_next(&trace));
}
END_TEST

RUN_SUITE("fsm", moves, notes_are_read_once, old_notes_go)
