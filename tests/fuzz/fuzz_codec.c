/*
 * fuzz_codec.c -- any bytes are a value or are refused; a value that was read is written, read
 * and written again to the same bytes, and every function of value.h takes it.
 */
#include <assert.h>

#include "common/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool decode(struct arena *arena, struct slice input, struct value *out)
{
    struct reader reader;

    reader_init(&reader, input);
    codec_decode(&reader, arena, NULL, 0, out);
    return reader_finish(&reader, "value", NULL) == E_OK;
}

static void check_value(struct arena *arena, const struct value *value)
{
    struct value copy = value_copy(arena, value);
    struct value back;
    struct bytes first;
    struct bytes second;
    int order;

    bytes_init(&first, 0);
    bytes_init(&second, 0);
    codec_encode(&first, NULL, value);
    bool is_read = decode(arena, bytes_slice(&first), &back);
    assert(is_read);
    codec_encode(&second, NULL, &back);
    assert(slice_equal(bytes_slice(&first), bytes_slice(&second)));
    bytes_clear(&second);
    codec_encode(&second, NULL, &copy);
    assert(slice_equal(bytes_slice(&first), bytes_slice(&second)));
    (void)value_text(arena, value);
    (void)value_equal(value, &back);
    (void)value_compare(value, &back, &order);
    assert(value_equivalent(value, value));
    assert(value_hash(value) == value_hash(value));
    assert(value_order(value, value) == 0);
    bytes_close(&first);
    bytes_close(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct value value;

    if (decode(&arena, slice_of(data, size), &value)) {
        check_value(&arena, &value);
    }
    arena_close(&arena);
    return 0;
}
