#ifndef CK_EMULATED_IMMINTRIN_H
#define CK_EMULATED_IMMINTRIN_H

// The intrinsics that the kernels for blocks of bfloat16 use, in plain C: Scripts/portability compiles those kernels with
// this header in place of the compiler's, and CK_EMULATED defined, so that machines without those instructions can look at
// every bit that they make, but for what the silicon itself does. The product of two tiles is what Intel's manual says of
// TDPBF16PS.

#include <stdint.h>
#include <string.h>

typedef float __m512 __attribute__((vector_size(64)));
typedef long long __m512i __attribute__((vector_size(64)));
typedef uint16_t __mmask16;
typedef uint32_t __mmask32;

typedef __m512i __m512bh;
typedef uint8_t bytes __attribute__((vector_size(64)));
typedef uint16_t words __attribute__((vector_size(64)));
typedef uint32_t doubles __attribute__((vector_size(64)));
typedef struct half_of_register {
    long long numbers[4];
} half_of_register;

#define EMULATED static inline __attribute__((always_inline))

EMULATED __m512 _mm512_setzero_ps(void) { return (__m512){0}; }
EMULATED __m512 _mm512_max_ps(__m512 a, __m512 b) {
    for (int i = 0; i < 16; i++) a[i] = a[i] > b[i] ? a[i] : b[i];
    return a;
}
EMULATED __m512 _mm512_maskz_mov_ps(__mmask16 mask, __m512 a) {
    for (int i = 0; i < 16; i++) a[i] = mask >> i & 1 ? a[i] : 0;
    return a;
}
EMULATED __m512 _mm512_maskz_loadu_ps(__mmask16 mask, const void *from) {
    __m512 v = {0};
    for (int i = 0; i < 16; i++) {
        if (mask >> i & 1) v[i] = ((const float *)from)[i];
    }
    return v;
}
EMULATED __m512i _mm512_load_si512(const void *from) { return *(const __m512i *)from; }
EMULATED void _mm512_store_si512(void *to, __m512i v) { *(__m512i *)to = v; }
EMULATED __m512i _mm512_set1_epi16(short x) { return (__m512i)((words){0} + (uint16_t)x); }
EMULATED __m512i _mm512_setr_epi64(long long a, long long b, long long c, long long d, long long e, long long f,
                                   long long g, long long h) {
    return (__m512i){a, b, c, d, e, f, g, h};
}
EMULATED __m512i _mm512_add_epi16(__m512i a, __m512i b) { return (__m512i)((words)a + (words)b); }
EMULATED __m512i _mm512_sub_epi16(__m512i a, __m512i b) { return (__m512i)((words)a - (words)b); }
EMULATED __m512i _mm512_mask_mov_epi16(__m512i a, __mmask32 mask, __m512i b) {
    words v = (words)a;
    for (int i = 0; i < 32; i++) v[i] = mask >> i & 1 ? ((words)b)[i] : v[i];
    return (__m512i)v;
}
EMULATED __m512i _mm512_set1_epi32(int x) { return (__m512i)((doubles){0} + (uint32_t)x); }
EMULATED __m512i _mm512_srli_epi32(__m512i a, unsigned bits) { return (__m512i)((doubles)a >> bits); }
EMULATED __m512i _mm512_slli_epi32(__m512i a, unsigned bits) { return (__m512i)((doubles)a << bits); }
EMULATED __mmask32 _mm512_cmpge_epu16_mask(__m512i a, __m512i b) {
    __mmask32 mask = 0;
    for (int i = 0; i < 32; i++) mask |= (__mmask32)(((words)a)[i] >= ((words)b)[i]) << i;
    return mask;
}
EMULATED __mmask32 _mm512_cmplt_epu16_mask(__m512i a, __m512i b) { return ~_mm512_cmpge_epu16_mask(a, b); }
EMULATED __m512i _mm512_maskz_mov_epi16(__mmask32 mask, __m512i a) {
    words v = (words)a;
    for (int i = 0; i < 32; i++) v[i] = mask >> i & 1 ? v[i] : 0;
    return (__m512i)v;
}
EMULATED half_of_register _mm512_extracti64x4_epi64(__m512i a, int half) {
    return (half_of_register){{a[half * 4], a[half * 4 + 1], a[half * 4 + 2], a[half * 4 + 3]}};
}
EMULATED half_of_register _mm512_castsi512_si256(__m512i a) { return _mm512_extracti64x4_epi64(a, 0); }
EMULATED __m512i _mm512_cvtepu16_epi32(half_of_register a) {
    uint16_t numbers[16];
    doubles v;
    memcpy(numbers, &a, sizeof numbers);
    for (int i = 0; i < 16; i++) v[i] = numbers[i];
    return (__m512i)v;
}

// The upper 16 bits, to nearest even; subnormal numbers count as zero, and NaN becomes quiet.
EMULATED uint16_t nearest_bfloat16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (x != x) return (uint16_t)(bits >> 16 | 0x40);
    if ((bits & 0x7f800000) == 0) return (uint16_t)(bits >> 16 & 0x8000);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
EMULATED __m512i _mm512_cvtne2ps_pbh(__m512 high, __m512 low) {
    words v;
    for (int i = 0; i < 16; i++) {
        v[i] = nearest_bfloat16(low[i]);
        v[i + 16] = nearest_bfloat16(high[i]);
    }
    return (__m512i)v;
}

// Interleaves the low or the high numbers of each 128 bits of a and b: `T` numbers of `each` to 128 bits.
#define EMULATED_UNPACK(name, T, each, start)                                       \
    EMULATED __m512i name(__m512i a, __m512i b) {                                   \
        T v;                                                                        \
        for (int i = 0; i < 4 * each; i++) {                                        \
            int place = i / each * each + start + i % each / 2;                     \
            v[i] = i % 2 ? ((T)b)[place] : ((T)a)[place];                           \
        }                                                                           \
        return (__m512i)v;                                                          \
    }
EMULATED_UNPACK(_mm512_unpacklo_epi16, words, 8, 0)
EMULATED_UNPACK(_mm512_unpackhi_epi16, words, 8, 4)
EMULATED_UNPACK(_mm512_unpacklo_epi32, doubles, 4, 0)
EMULATED_UNPACK(_mm512_unpackhi_epi32, doubles, 4, 2)
EMULATED_UNPACK(_mm512_unpacklo_epi64, __m512i, 2, 0)
EMULATED_UNPACK(_mm512_unpackhi_epi64, __m512i, 2, 1)

// Within each 128 bits.
EMULATED __m512i _mm512_shuffle_epi8(__m512i a, __m512i which) {
    bytes v, from = (bytes)a, place = (bytes)which;
    for (int i = 0; i < 64; i++) v[i] = place[i] & 0x80 ? 0 : from[i / 16 * 16 + (place[i] & 15)];
    return (__m512i)v;
}
EMULATED __m512i _mm512_permutex2var_epi64(__m512i a, __m512i which, __m512i b) {
    __m512i v;
    for (int i = 0; i < 8; i++) v[i] = which[i] & 8 ? b[which[i] & 7] : a[which[i] & 7];
    return v;
}
// 128 bits at a time: two of a, then two of b, each chosen by two bits.
EMULATED __m512i _mm512_shuffle_i32x4(__m512i a, __m512i b, int which) {
    __m512i v;
    for (int i = 0; i < 8; i++) {
        int place = (which >> i / 2 * 2 & 3) * 2 + i % 2;
        v[i] = i < 4 ? a[place] : b[place];
    }
    return v;
}

// VDPBF16PS adds the product of the high halves first, as Zen 4 was seen to do it.
EMULATED float emulated_half(uint32_t word, int is_high) {
    uint32_t bits = is_high ? word & 0xffff0000 : word << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}
EMULATED __m512 _mm512_dpbf16_ps(__m512 sum, __m512bh a, __m512bh b) {
    for (int i = 0; i < 16; i++) {
        uint32_t left = ((doubles)a)[i], right = ((doubles)b)[i];
        sum[i] = __builtin_fmaf(emulated_half(left, 1), emulated_half(right, 1), sum[i]);
        sum[i] = __builtin_fmaf(emulated_half(left, 0), emulated_half(right, 0), sum[i]);
    }
    return sum;
}

enum { _MM_HINT_T1 = 2 };
#define _mm_prefetch(address, hint) __builtin_prefetch(address, 0, 2)

// Eight tiles of 16 rows of 64 bytes.
static _Thread_local uint8_t emulated_tiles[8][16][64] __attribute__((aligned(64)));

#define _tile_loadconfig(configuration) ((void)(configuration))
#define _tile_release() memset(emulated_tiles, 0xff, sizeof emulated_tiles)
#define _tile_zero(tile) memset(emulated_tiles[tile], 0, sizeof emulated_tiles[tile])

EMULATED void _tile_loadd(int tile, const void *from, size_t stride) {
    for (size_t row = 0; row < 16; row++) memcpy(emulated_tiles[tile][row], (const char *)from + row * stride, 64);
}
#define _tile_stream_loadd _tile_loadd
EMULATED void _tile_stored(int tile, void *to, size_t stride) {
    for (size_t row = 0; row < 16; row++) memcpy((char *)to + row * stride, emulated_tiles[tile][row], 64);
}

EMULATED float emulated_number(const uint8_t *row, size_t place) {
    uint16_t number;
    memcpy(&number, row + 2 * place, sizeof number);
    uint32_t bits = (uint32_t)number << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

// An even and an odd chain of multiply-adds over the 16 pairs, which meet, and then the sum takes them.
static __attribute__((noinline, unused)) void _tile_dpbf16ps(int sums, int left, int right) {
    for (size_t row = 0; row < 16; row++) {
        float *sum = (float *)emulated_tiles[sums][row];
        for (size_t column = 0; column < 16; column++) {
            float chains[2] = {0, 0};
            for (size_t k = 0; k < 32; k++) {
                float a = emulated_number(emulated_tiles[left][row], k);
                float b = emulated_number(emulated_tiles[right][k / 2], 2 * column + k % 2);
                chains[k % 2] = __builtin_fmaf(a, b, chains[k % 2]);
            }
            sum[column] += chains[0] + chains[1];
        }
    }
}

#endif
