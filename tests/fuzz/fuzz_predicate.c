/*
 * fuzz_predicate.c -- any bytes are a predicate or are refused; one that was read compiles or
 * says why not, matches, prints and negates, and is written back to bytes that are read as the
 * same.
 */
#include <assert.h>

#include "common/predicate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void match_all(struct predicate *predicate)
{
    const struct value values[] = {value_null(), value_int(1), value_double(0.5),
                                   value_cstring("marko"), value_bool(true)};

    if (predicate_compile(predicate, NULL) != E_OK) {
        return;
    }
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        (void)predicate_matches(predicate, &values[i]);
    }
    predicate_release(predicate);
}

static void check(struct arena *arena, const struct predicate *predicate)
{
    struct predicate *copy = predicate_copy(arena, predicate);
    struct bytes first;
    struct bytes second;
    struct reader reader;

    bytes_init(&first, 0);
    bytes_init(&second, 0);
    predicate_encode(&first, copy);
    reader_init(&reader, bytes_slice(&first));
    const struct predicate *back = predicate_decode(&reader, arena);
    assert(reader_finish(&reader, "predicate", NULL) == E_OK);
    predicate_encode(&second, back);
    assert(slice_equal(bytes_slice(&first), bytes_slice(&second)));
    bytes_clear(&first);
    predicate_print(&first, predicate);
    match_all(copy);
    match_all(predicate_copy(arena, predicate_negate(arena, predicate)));
    bytes_close(&first);
    bytes_close(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct reader reader;

    reader_init(&reader, slice_of(data, size));
    const struct predicate *predicate = predicate_decode(&reader, &arena);
    if (reader_finish(&reader, "predicate", NULL) == E_OK) {
        check(&arena, predicate);
    }
    arena_close(&arena);
    return 0;
}
