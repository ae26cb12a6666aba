#include "CSystem.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

static const uint32_t round_constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotated(uint32_t x, int by) { return x >> by | x << (32 - by); }

static void add_blocks_portable(uint32_t state[8], const uint8_t *bytes, size_t blocks) {
    for (; blocks > 0; blocks--, bytes += 64) {
        uint32_t w[64];
        for (int t = 0; t < 16; t++) {
            const uint8_t *p = bytes + 4 * t;
            w[t] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
        }
        for (int t = 16; t < 64; t++) {
            uint32_t early = rotated(w[t - 15], 7) ^ rotated(w[t - 15], 18) ^ w[t - 15] >> 3;
            uint32_t late = rotated(w[t - 2], 17) ^ rotated(w[t - 2], 19) ^ w[t - 2] >> 10;
            w[t] = w[t - 16] + early + w[t - 7] + late;
        }
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
        uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
        for (int t = 0; t < 64; t++) {
            uint32_t choice = (e & f) ^ (~e & g);
            uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
            uint32_t first = h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + choice + round_constants[t] + w[t];
            uint32_t second = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + majority;
            h = g, g = f, f = e, e = d + first;
            d = c, c = b, b = a, a = first + second;
        }
        state[0] += a, state[1] += b, state[2] += c, state[3] += d;
        state[4] += e, state[5] += f, state[6] += g, state[7] += h;
    }
}

#if defined(__x86_64__)

static int has_sha_instructions(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & (1u << 29))) return 0;
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("ssse3");
}

// Each instruction waits for the one before, and so a second chain beside the first takes little more time than one.
enum { MOST_CHAINS = 2 };

__attribute__((target("sha,sse4.1,ssse3"), always_inline)) static inline void add_to_chains(
    int chains, uint32_t *states[], const uint8_t *bytes[], size_t blocks) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i abef[MOST_CHAINS], cdgh[MOST_CHAINS];
    for (int k = 0; k < chains; k++) {
        // The instructions want the eight words as ABEF and CDGH, highest first.
        __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)states[k]), 0xb1);
        __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(states[k] + 4)), 0x1b);
        abef[k] = _mm_alignr_epi8(low, high, 8);
        cdgh[k] = _mm_blend_epi16(high, low, 0xf0);
    }

    for (size_t block = 0; block < blocks; block++) {
        __m128i abef_before[MOST_CHAINS], cdgh_before[MOST_CHAINS], w[MOST_CHAINS][4];
        for (int k = 0; k < chains; k++) {
            abef_before[k] = abef[k], cdgh_before[k] = cdgh[k];
            for (int i = 0; i < 4; i++) {
                __m128i four = _mm_loadu_si128((const __m128i *)(bytes[k] + 64 * block + 16 * i));
                w[k][i] = _mm_shuffle_epi8(four, big_endian);
            }
        }
#pragma clang loop unroll(full)
        for (int group = 0; group < 16; group++) {
            __m128i constants = _mm_load_si128((const __m128i *)(round_constants + 4 * group));
            for (int k = 0; k < chains; k++) {
                __m128i now = w[k][group & 3], added = _mm_add_epi32(now, constants);
                cdgh[k] = _mm_sha256rnds2_epu32(cdgh[k], abef[k], added);
                abef[k] = _mm_sha256rnds2_epu32(abef[k], cdgh[k], _mm_shuffle_epi32(added, 0x0e));
                if (group < 12) {
                    __m128i next = w[k][(group + 1) & 3], third = w[k][(group + 2) & 3], last = w[k][(group + 3) & 3];
                    __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(now, next), _mm_alignr_epi8(last, third, 4));
                    w[k][group & 3] = _mm_sha256msg2_epu32(sum, last);
                }
            }
        }
        for (int k = 0; k < chains; k++) {
            abef[k] = _mm_add_epi32(abef[k], abef_before[k]);
            cdgh[k] = _mm_add_epi32(cdgh[k], cdgh_before[k]);
        }
    }

    for (int k = 0; k < chains; k++) {
        __m128i feba = _mm_shuffle_epi32(abef[k], 0x1b);
        __m128i dchg = _mm_shuffle_epi32(cdgh[k], 0xb1);
        _mm_storeu_si128((__m128i *)states[k], _mm_blend_epi16(feba, dchg, 0xf0));
        _mm_storeu_si128((__m128i *)(states[k] + 4), _mm_alignr_epi8(dchg, feba, 8));
    }
}

__attribute__((target("sha,sse4.1,ssse3"))) static void add_blocks_sha(
    uint32_t state[8], const uint8_t *bytes, size_t blocks) {
    add_to_chains(1, &state, &bytes, blocks);
}

__attribute__((target("sha,sse4.1,ssse3"))) static void add_blocks_to_two(
    uint32_t *states[2], const uint8_t *bytes[2], size_t blocks) {
    add_to_chains(2, states, bytes, blocks);
}

#else
static int has_sha_instructions(void) { return 0; }
#define add_blocks_sha add_blocks_portable
static void add_blocks_to_two(uint32_t *states[2], const uint8_t *bytes[2], size_t blocks) {
    for (int k = 0; k < 2; k++) add_blocks_portable(states[k], bytes[k], blocks);
}
#endif

// Chosen before main: no digest has to ask, and no lock is needed.
static int use_sha_instructions;
__attribute__((constructor)) static void choose(void) { use_sha_instructions = has_sha_instructions(); }

void csystem_sha256_use_portable(int portable) { use_sha_instructions = !portable && has_sha_instructions(); }

static void add_blocks(uint32_t state[8], const uint8_t *bytes, size_t blocks) {
    if (use_sha_instructions) add_blocks_sha(state, bytes, blocks);
    else add_blocks_portable(state, bytes, blocks);
}

void csystem_sha256_begin(csystem_sha256 *hash) {
    static const uint32_t initial[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    };
    memset(hash, 0, sizeof *hash);
    memcpy(hash->state, initial, sizeof initial);
}

void csystem_sha256_add(csystem_sha256 *hash, const void *bytes, size_t count) {
    const uint8_t *p = bytes;
    size_t held = hash->length % 64;
    hash->length += count;
    if (held > 0) {
        size_t taken = count < 64 - held ? count : 64 - held;
        if (taken > 0) memcpy(hash->pending + held, p, taken);
        if (held + taken < 64) return;
        add_blocks(hash->state, hash->pending, 1);
        p += taken;
        count -= taken;
    }
    add_blocks(hash->state, p, count / 64);
    if (count % 64 > 0) memcpy(hash->pending, p + count / 64 * 64, count % 64);
}

void csystem_sha256_add_to_two(csystem_sha256 *one, const void *bytes, csystem_sha256 *other, const void *more,
                               size_t count) {
    size_t whole = 0;
    if (use_sha_instructions && one->length % 64 == 0 && other->length % 64 == 0) {
        whole = count / 64 * 64;
        add_blocks_to_two((uint32_t *[]){one->state, other->state}, (const uint8_t *[]){bytes, more}, whole / 64);
        one->length += whole;
        other->length += whole;
    }
    csystem_sha256_add(one, (const uint8_t *)bytes + whole, count - whole);
    csystem_sha256_add(other, (const uint8_t *)more + whole, count - whole);
}

void csystem_sha256_end(csystem_sha256 *hash, uint8_t digest[32]) {
    uint64_t bits = hash->length * 8;
    size_t held = hash->length % 64;
    uint8_t tail[128] = {0};
    memcpy(tail, hash->pending, held);
    tail[held] = 0x80;
    size_t length = held < 56 ? 64 : 128;
    for (int i = 0; i < 8; i++) tail[length - 1 - i] = (uint8_t)(bits >> 8 * i);
    add_blocks(hash->state, tail, length / 64);
    csystem_sha256_state(hash, digest);
}

void csystem_sha256_state(const csystem_sha256 *hash, uint8_t state[32]) {
    for (int i = 0; i < 32; i++) state[i] = (uint8_t)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
}

void csystem_sha256_resume(csystem_sha256 *hash, const uint8_t state[32], uint64_t length) {
    memset(hash, 0, sizeof *hash);
    for (int i = 0; i < 32; i++) hash->state[i / 4] |= (uint32_t)state[i] << (24 - 8 * (i % 4));
    hash->length = length;
}
