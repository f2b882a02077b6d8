/*
 * hash.h -- hashes of bytes and numbers.
 *
 * hash_bytes and hash_u64 are XXH64 with seed 0, pinned for ever by test vectors: they place
 * vertices on shards and are stored. hash_mix is for tables in memory and may change.
 *
 * Pure. After: xxHash specification, XXH64; hash_mix: the finaliser of MurmurHash3.
 */
#ifndef COMMON_HASH_H
#define COMMON_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *data, size_t size);

/* hash_bytes of the eight bytes, big endian. */
uint64_t hash_u64(uint64_t v);

static inline uint64_t hash_mix(uint64_t v)
{
    v ^= v >> 33;
    v *= 0xff51afd7ed558ccdULL;
    v ^= v >> 33;
    v *= 0xc4ceb9fe1a85ec53ULL;
    return v ^ v >> 33;
}

/* For keys of several parts: hash = hash_join(hash, hash of the next part). */
static inline uint64_t hash_join(uint64_t hash, uint64_t next)
{
    return hash_mix(hash * 0x9e3779b97f4a7c15ULL + next);
}

#endif
