#include "base/digest.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { CHUNK = 64 };

typedef void chunk_fn(uint32_t *state, const unsigned char *chunk);

static uint32_t rotate_left(uint32_t word, unsigned int by)
{
    return word << by | word >> (32 - by);
}

static uint32_t rotate_right(uint32_t word, unsigned int by)
{
    return word >> by | word << (32 - by);
}

static char *hex(struct charm_arena *arena, const unsigned char *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char *text = charm_arena_alloc(arena, 2 * size + 1);
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    return text;
}

enum length_order { LENGTH_LITTLE_ENDIAN, LENGTH_BIG_ENDIAN };

/* Both digests pad alike: 0x80, zeros, then the length in bits (RFC 1321 3.1, RFC 6234 4.1). */
static void digest(uint32_t *state, const unsigned char *bytes, size_t size, chunk_fn *chunk,
                   enum length_order order)
{
    const size_t whole = size / CHUNK * CHUNK;
    for (size_t i = 0; i < whole; i += CHUNK) {
        chunk(state, bytes + i);
    }
    unsigned char tail[2 * CHUNK] = { 0 };
    const size_t rest = size - whole;
    if (rest > 0) {
        memcpy(tail, bytes + whole, rest);
    }
    tail[rest] = 0x80;
    const size_t tail_size = rest + 9 <= CHUNK ? CHUNK : 2 * CHUNK;
    const uint64_t bits = (uint64_t)size * 8;
    for (unsigned int i = 0; i < 8; i++) {
        const unsigned int shift = order == LENGTH_BIG_ENDIAN ? 56 - 8 * i : 8 * i;
        tail[tail_size - 8 + i] = (unsigned char)(bits >> shift);
    }
    for (size_t i = 0; i < tail_size; i += CHUNK) {
        chunk(state, tail + i);
    }
}

/* RFC 1321, 3.4. The table of sines is made as the RFC defines it. */
static void md5_chunk(uint32_t *state, const unsigned char *chunk)
{
    static const unsigned char shifts[4][4] = {
        { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 }
    };
    uint32_t word[16];
    for (unsigned int i = 0; i < 16; i++) {
        word[i] = (uint32_t)chunk[4 * i] | (uint32_t)chunk[4 * i + 1] << 8 |
                  (uint32_t)chunk[4 * i + 2] << 16 | (uint32_t)chunk[4 * i + 3] << 24;
    }
    uint32_t a = state[0];
    uint32_t b = state[1];
    uint32_t c = state[2];
    uint32_t d = state[3];
    for (unsigned int i = 0; i < 64; i++) {
        const unsigned int round = i / 16;
        const uint32_t mixed[4] = { (b & c) | (~b & d), (b & d) | (c & ~d), b ^ c ^ d,
                                    c ^ (b | ~d) };
        const unsigned int index[4] = { i, 5 * i + 1, 3 * i + 5, 7 * i };
        const uint32_t sine = (uint32_t)(int64_t)floor(fabs(sin(i + 1.0)) * 4294967296.0);
        const uint32_t sum = a + mixed[round] + sine + word[index[round] % 16];
        a = d;
        d = c;
        c = b;
        b += rotate_left(sum, shifts[round][i % 4]);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

char *charmi_md5(struct charm_arena *arena, const void *bytes, size_t size)
{
    uint32_t state[4] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 };
    digest(state, bytes, size, md5_chunk, LENGTH_LITTLE_ENDIAN);
    unsigned char out[16];
    for (unsigned int i = 0; i < 16; i++) {
        out[i] = (unsigned char)(state[i / 4] >> (8 * (i % 4)));
    }
    return hex(arena, out, sizeof(out));
}

/* RFC 6234, 5.1. */
static const uint32_t sha256_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
};

/* One round: of the eight words only d and h change; the caller gives them each round one place further on. */
#define SHA256_ROUND(a, b, c, d, e, f, g, h, i)                                                    \
    do {                                                                                           \
        (h) += (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25)) +                  \
               ((g) ^ ((e) & ((f) ^ (g)))) + sha256_k[i] + w[i];                                   \
        (d) += (h);                                                                                \
        (h) += (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22)) +                  \
               (((a) & (b)) | ((c) & ((a) | (b))));                                                \
    } while (false)

static void sha256_chunk(uint32_t *state, const unsigned char *chunk)
{
    uint32_t w[64];
    for (unsigned int i = 0; i < 16; i++) {
        w[i] = (uint32_t)chunk[4 * i] << 24 | (uint32_t)chunk[4 * i + 1] << 16 |
               (uint32_t)chunk[4 * i + 2] << 8 | (uint32_t)chunk[4 * i + 3];
    }
    for (unsigned int i = 16; i < 64; i++) {
        const uint32_t s0 =
            rotate_right(w[i - 15], 7) ^ rotate_right(w[i - 15], 18) ^ w[i - 15] >> 3;
        const uint32_t s1 =
            rotate_right(w[i - 2], 17) ^ rotate_right(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    uint32_t a = state[0];
    uint32_t b = state[1];
    uint32_t c = state[2];
    uint32_t d = state[3];
    uint32_t e = state[4];
    uint32_t f = state[5];
    uint32_t g = state[6];
    uint32_t h = state[7];
    for (unsigned int i = 0; i < 64; i += 8) {
        SHA256_ROUND(a, b, c, d, e, f, g, h, i);
        SHA256_ROUND(h, a, b, c, d, e, f, g, i + 1);
        SHA256_ROUND(g, h, a, b, c, d, e, f, i + 2);
        SHA256_ROUND(f, g, h, a, b, c, d, e, i + 3);
        SHA256_ROUND(e, f, g, h, a, b, c, d, i + 4);
        SHA256_ROUND(d, e, f, g, h, a, b, c, i + 5);
        SHA256_ROUND(c, d, e, f, g, h, a, b, i + 6);
        SHA256_ROUND(b, c, d, e, f, g, h, a, i + 7);
    }
    const uint32_t sum[8] = { a, b, c, d, e, f, g, h };
    for (unsigned int i = 0; i < 8; i++) {
        state[i] += sum[i];
    }
}

char *charmi_sha256(struct charm_arena *arena, const void *bytes, size_t size)
{
    uint32_t state[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                          0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    digest(state, bytes, size, sha256_chunk, LENGTH_BIG_ENDIAN);
    unsigned char out[32];
    for (unsigned int i = 0; i < 32; i++) {
        out[i] = (unsigned char)(state[i / 4] >> (24 - 8 * (i % 4)));
    }
    return hex(arena, out, sizeof(out));
}
