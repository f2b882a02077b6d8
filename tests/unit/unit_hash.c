#include "common/hash.h"
#include "common/prng.h"
#include "tests/lib/runner.h"

/* These place data on shards: if one of them changes, every stored graph is lost. */
START_TEST(xxh64_is_pinned)
{
    ck_assert_uint_eq(hash_bytes(NULL, 0), 0xef46db3751d8e999ULL);
    ck_assert_uint_eq(hash_bytes("a", 1), 0xd24ec4f1a98c6e5bULL);
    ck_assert_uint_eq(hash_bytes("abc", 3), 0x44bc2cf5ad770999ULL);
    ck_assert_uint_eq(hash_bytes("Nobody inspects the spammish repetition", 39),
                      0xfbcea83c8a378bf1ULL);
    ck_assert_uint_eq(hash_u64(0), hash_bytes("\0\0\0\0\0\0\0\0", 8));
    ck_assert_uint_eq(hash_u64(0x0102030405060708ULL), hash_bytes("\1\2\3\4\5\6\7\10", 8));
    ck_assert_uint_eq(hash_u64(0), 0x34c96acdcadb1bbbULL);
}
END_TEST

START_TEST(mix_is_one_to_one_on_small_numbers)
{
    for (uint64_t i = 0; i < 1000; i++) {
        ck_assert_uint_ne(hash_mix(i), hash_mix(i + 1));
        ck_assert_uint_ne(hash_join(i, 1), hash_join(1, i + 2));
    }
}
END_TEST

START_TEST(prng_repeats)
{
    struct prng a;
    struct prng b;

    prng_init(&a, 42);
    prng_init(&b, 42);
    for (int i = 0; i < 1000; i++) {
        ck_assert_uint_eq(prng_next(&a), prng_next(&b));
        ck_assert_uint_lt(prng_below(&a, 10), 10);
        double r = prng_real(&a);
        ck_assert(r >= 0 && r < 1);
        b = a;
    }
    prng_init(&b, 43);
    ck_assert_uint_ne(prng_next(&a), prng_next(&b));
    ck_assert(prng_chance(&a, 1));
    ck_assert(!prng_chance(&a, 0));
    ck_assert_uint_eq(prng_below(&a, 1), 0);
}
END_TEST

/* The reference: seed 0 through splitmix64, first outputs of xoshiro256**. */
START_TEST(prng_is_pinned)
{
    struct prng prng;

    prng_init(&prng, 0);
    ck_assert_uint_eq(prng.state[0], 0xe220a8397b1dcdafULL);
    ck_assert_uint_eq(prng_next(&prng), 0x99ec5f36cb75f2b4ULL);
    ck_assert_uint_eq(prng_next(&prng), 0xbf6e1f784956452aULL);
}
END_TEST

RUN_SUITE("hash", xxh64_is_pinned, mix_is_one_to_one_on_small_numbers, prng_repeats, prng_is_pinned)
