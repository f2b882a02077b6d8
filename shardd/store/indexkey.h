/*
 * indexkey.h -- the place of a property value in an ordered index.
 *
 *   numbers (all kinds)   SQLite INTEGER if integral in 64 bits, else REAL: SQLite orders both by
 * value
 *   all else              BLOB: one byte of class, then bytes that order as the values do
 *
 * a equals b  =>  same key;  a below b (value_compare)  =>  key(a) <= key(b). Not the other way
 * round: long texts are cut, lists and maps share one key. So an index gives candidates, and rows
 * are tested again. Text orders as Java's strings do, by UTF-16 units: lead bytes EE and EF move
 * above F4.
 *
 * Pure. Keys are stored, and their hashes are slots: never change what a value maps to.
 */
#ifndef SHARDD_STORE_INDEXKEY_H
#define SHARDD_STORE_INDEXKEY_H

#include "common/value.h"

enum { INDEXKEY_BYTES_MAX = 128 };

enum indexkey_kind {
    INDEXKEY_NONE, /* Not indexed, because equal to nothing: NaN. */
    INDEXKEY_INTEGER,
    INDEXKEY_REAL,
    INDEXKEY_BLOB
};

struct indexkey {
    enum indexkey_kind kind;
    int64_t integer;
    double real;
    uint32_t size; /* Of a blob. */
    uint8_t bytes[INDEXKEY_BYTES_MAX];
};

void indexkey_make(const struct value *value, struct indexkey *out);
bool indexkey_equal(const struct indexkey *a, const struct indexkey *b);
/* Hash of all of it, pinned. */
uint64_t indexkey_hash(const struct indexkey *key);
/* The bounds of all keys of the same class as key (numbers: INTEGER and REAL together): for ranges
 * that are open at one end. */
void indexkey_class_bounds(const struct indexkey *key, struct indexkey *low, struct indexkey *high);
/* The key above all texts that start with the text that key was made of. */
void indexkey_prefix_end(const struct indexkey *key, struct indexkey *end);
/* Moves a bound outwards where numbers are coarser than values (beyond 2^53). */
void indexkey_widen(struct indexkey *key, bool is_low);

#endif
