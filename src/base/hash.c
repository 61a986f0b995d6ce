/* SPDX-License-Identifier: Apache-2.0
 *
 * Two chains that mix each word differently, both a bijection of the state for a given word.
 */
#include "base/hash.h"

#include <string.h>

static inline uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void hash_word(uint64_t hash[2], uint64_t word)
{
    hash[0] = rotate(hash[0] ^ word, 29) * 0x9e3779b97f4a7c15u;
    hash[1] = (rotate(hash[1], 37) + word) * 0xd6e8feb86659fd93u;
}

void cvk_hash_bytes(uint64_t hash[2], const void *bytes, size_t count)
{
    const unsigned char *at = bytes;
    uint64_t word;
    for (; count >= sizeof word; count -= sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        hash_word(hash, word);
    }
    word = 0;
    if (count) memcpy(&word, at, count);
    hash_word(hash, word);
    for (int i = 0; i < 2; i++) {
        hash[i] ^= hash[i] >> 31;
        hash[i] *= 0xbf58476d1ce4e5b9u;
        hash[i] ^= hash[i] >> 29;
    }
}
