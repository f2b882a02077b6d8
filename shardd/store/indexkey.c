#include "shardd/store/indexkey.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "common/hash.h"
#include "common/number.h"

enum {
    CLASS_NULL = 1,
    CLASS_BOOL = 2,
    CLASS_TEXT = 3,
    CLASS_UUID = 4,
    CLASS_INSTANT = 5,
    CLASS_DURATION = 6,
    CLASS_OTHER = 7,
    CLASS_END = 0xff
};

/* Doubles above this have gaps. */
static const double exact_max = 9007199254740992.0;

static void put_u64(struct indexkey *out, uint64_t v)
{
    for (int shift = 56; shift >= 0; shift -= 8) {
        out->bytes[out->size++] = (uint8_t)(v >> shift);
    }
}

static void put_signed(struct indexkey *out, int64_t v)
{
    put_u64(out, (uint64_t)v ^ 1ULL << 63);
}

static void make_number(const struct value *value, struct indexkey *out)
{
    double real;

    if (number_int64(value, &out->integer)) {
        out->kind = INDEXKEY_INTEGER;
        return;
    }
    real = number_double(value);
    if (isnan(real)) {
        out->kind = INDEXKEY_NONE;
        return;
    }
    out->kind = INDEXKEY_REAL;
    out->real = real;
}

static void put_text(struct indexkey *out, struct slice text)
{
    for (size_t i = 0; i < text.size && out->size < INDEXKEY_BYTES_MAX; i++) {
        uint8_t byte = text.data[i];

        out->bytes[out->size++] = byte == 0xee || byte == 0xef ? (uint8_t)(byte + 7) : byte;
    }
}

static void put_char(struct indexkey *out, uint32_t point)
{
    uint8_t utf8[4];
    size_t size = 0;

    if (point < 0x80) {
        utf8[size++] = (uint8_t)point;
    } else if (point < 0x800) {
        utf8[size++] = (uint8_t)(0xc0 | point >> 6);
        utf8[size++] = (uint8_t)(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        utf8[size++] = (uint8_t)(0xe0 | point >> 12);
        utf8[size++] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        utf8[size++] = (uint8_t)(0x80 | (point & 0x3f));
    } else {
        utf8[size++] = (uint8_t)(0xf0 | (point >> 18 & 7));
        utf8[size++] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
        utf8[size++] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        utf8[size++] = (uint8_t)(0x80 | (point & 0x3f));
    }
    put_text(out, slice_of(utf8, size));
}

static void put_instant(struct indexkey *out, int64_t millis)
{
    int64_t seconds = millis / 1000;
    int64_t rest = millis % 1000;

    if (rest < 0) {
        rest += 1000;
        seconds--;
    }
    put_signed(out, seconds);
    put_u64(out, (uint64_t)rest * 1000000);
}

static void make_blob(const struct value *value, struct indexkey *out)
{
    out->kind = INDEXKEY_BLOB;
    out->size = 1;
    if (value->kind == VALUE_NULL) {
        out->bytes[0] = CLASS_NULL;
    } else if (value->kind == VALUE_BOOL) {
        out->bytes[0] = CLASS_BOOL;
        out->bytes[out->size++] = value->boolean;
    } else if (value->kind == VALUE_STRING) {
        out->bytes[0] = CLASS_TEXT;
        put_text(out, value_slice(value));
    } else if (value->kind == VALUE_CHAR) {
        out->bytes[0] = CLASS_TEXT;
        put_char(out, (uint32_t)value->integer);
    } else if (value->kind == VALUE_UUID) {
        out->bytes[0] = CLASS_UUID;
        memcpy(out->bytes + 1, value->bytes, 16);
        out->size = 17;
    } else if (value->kind == VALUE_DATE || value->kind == VALUE_TIMESTAMP) {
        out->bytes[0] = CLASS_INSTANT;
        put_instant(out, value->integer);
    } else if (value->kind == VALUE_DATETIME || value->kind == VALUE_DURATION) {
        out->bytes[0] = value->kind == VALUE_DATETIME ? CLASS_INSTANT : CLASS_DURATION;
        put_signed(out, value->time->seconds);
        put_u64(out, (uint64_t)value->time->nanos);
    } else {
        out->bytes[0] = CLASS_OTHER;
    }
}

void indexkey_make(const struct value *value, struct indexkey *out)
{
    out->size = 0;
    if (value_is_number(value)) {
        make_number(value, out);
    } else {
        make_blob(value, out);
    }
}

bool indexkey_equal(const struct indexkey *a, const struct indexkey *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case INDEXKEY_NONE:
        return true;
    case INDEXKEY_INTEGER:
        return a->integer == b->integer;
    case INDEXKEY_REAL:
        return !(a->real < b->real) && !(a->real > b->real);
    case INDEXKEY_BLOB:
        return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
    }
    return false;
}

uint64_t indexkey_hash(const struct indexkey *key)
{
    uint64_t bits = 0;

    switch (key->kind) {
    case INDEXKEY_NONE:
        break;
    case INDEXKEY_INTEGER:
        return hash_u64((uint64_t)key->integer);
    case INDEXKEY_REAL:
        memcpy(&bits, &key->real, sizeof bits);
        return hash_u64(~bits);
    case INDEXKEY_BLOB:
        return hash_bytes(key->bytes, key->size);
    }
    return 0;
}

void indexkey_class_bounds(const struct indexkey *key, struct indexkey *low, struct indexkey *high)
{
    low->size = 0;
    high->size = 0;
    if (key->kind != INDEXKEY_BLOB) {
        low->kind = INDEXKEY_REAL;
        low->real = -HUGE_VAL;
        high->kind = INDEXKEY_REAL;
        high->real = HUGE_VAL;
        return;
    }
    low->kind = INDEXKEY_BLOB;
    low->bytes[low->size++] = key->bytes[0];
    high->kind = INDEXKEY_BLOB;
    high->bytes[high->size++] = key->bytes[0];
    high->bytes[high->size++] = CLASS_END;
    for (int i = 0; i < 8; i++) {
        high->bytes[high->size++] = 0xff;
    }
}

void indexkey_prefix_end(const struct indexkey *key, struct indexkey *end)
{
    assert(key->kind == INDEXKEY_BLOB);
    *end = *key;
    /* 0xff is no byte of a text: above all that go on after the prefix. A cut one is inclusive. */
    if (end->size < INDEXKEY_BYTES_MAX) {
        end->bytes[end->size++] = CLASS_END;
    }
}

void indexkey_widen(struct indexkey *key, bool is_low)
{
    double real;

    if (key->kind != INDEXKEY_INTEGER && key->kind != INDEXKEY_REAL) {
        return;
    }
    real = key->kind == INDEXKEY_INTEGER ? (double)key->integer : key->real;
    if (real < exact_max && real > -exact_max) {
        return;
    }
    key->kind = INDEXKEY_REAL;
    key->real = nextafter(real, is_low ? -HUGE_VAL : HUGE_VAL);
}
