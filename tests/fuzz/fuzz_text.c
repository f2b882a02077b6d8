/*
 * fuzz_text.c -- what people type: numbers, sizes, dates, spans, and Unicode. What is taken is
 * printed in a form that is taken again and means the same.
 */
#include <assert.h>

#include "common/datetime.h"
#include "common/number.h"
#include "common/text.h"
#include "common/unicode.h"
#include "common/vid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_numbers(struct arena *arena, struct slice text)
{
    struct value value;
    struct value back;
    struct bytes out = {0};

    if (number_parse_decimal(arena, text, &value)) {
        number_print(&out, &value);
        bool is_taken = number_parse_decimal(arena, bytes_slice(&out), &back);
        assert(is_taken);
        assert(number_order(&value, &back) == 0);
    }
    bytes_clear(&out);
    if (number_parse_bigint(arena, text, 10, &value)) {
        number_print(&out, &value);
        bool is_taken = number_parse_bigint(arena, bytes_slice(&out), 10, &back);
        assert(is_taken);
        assert(value_equivalent(&value, &back));
    }
    bytes_clear(&out);
    double v;
    double again;
    if (text_to_double(text, &v)) {
        value = value_double(v);
        number_print(&out, &value);
        bool is_taken = text_to_double(bytes_slice(&out), &again);
        assert(is_taken);
        back = value_double(again);
        assert(value_equivalent(&value, &back));
    }
    bytes_close(&out);
}

static void check_dates(struct slice text)
{
    struct value_time time;
    struct value_time back;
    struct bytes out = {0};

    if (datetime_parse(text, &time)) {
        datetime_print(&out, &time);
        bool is_taken = datetime_parse(bytes_slice(&out), &back);
        assert(is_taken);
        assert(time.seconds == back.seconds && time.nanos == back.nanos &&
               time.offset == back.offset);
    }
    bytes_clear(&out);
    if (datetime_parse_span(text, &time)) {
        datetime_print_span(&out, &time);
        bool is_taken = datetime_parse_span(bytes_slice(&out), &back);
        assert(is_taken);
        assert(time.seconds == back.seconds && time.nanos == back.nanos);
    }
    bytes_close(&out);
}

static void check_unicode(struct arena *arena, struct slice text)
{
    static const char *const names[] = {"out", "values", "hasLabel"};

    (void)text_nearest(text, names, 3);
    if (!text_is_utf8(text)) {
        return;
    }
    assert(text_is_utf8(unicode_upper(arena, text)));
    assert(text_is_utf8(unicode_lower(arena, text)));
    assert(text_is_utf8(unicode_trim_left(text)));
    assert(text_is_utf8(unicode_trim_right(text)));
    struct slice back = unicode_reverse(arena, unicode_reverse(arena, text));
    assert(slice_equal(back, text));
    size_t length = text_utf16_length(text);
    for (size_t i = 0; i <= length && i < 50; i++) {
        assert(text_is_utf8(unicode_substring(text, i, length)));
    }
}

static void check_id(struct slice text)
{
    struct bytes out = {0};
    struct reader reader;
    struct vid vid;
    struct vid back;

    if (vid_from_key(text, &vid)) {
        vid_key(&out, &vid);
        assert(slice_equal(bytes_slice(&out), text));
    }
    bytes_clear(&out);
    reader_init(&reader, text);
    vid = vid_decode(&reader);
    if (!reader.is_bad) {
        vid_encode(&out, &vid);
        reader_init(&reader, bytes_slice(&out));
        back = vid_decode(&reader);
        assert(vid_equal(&vid, &back));
    }
    bytes_close(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct slice text = slice_of(data, size);
    uint64_t v;

    check_numbers(&arena, text);
    check_dates(text);
    check_unicode(&arena, text);
    check_id(text);
    (void)text_to_size(text, &v);
    (void)text_to_duration(text, &v);
    arena_close(&arena);
    return 0;
}
