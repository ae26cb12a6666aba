// Blocks of 32 × 32 numbers in bfloat16, 2 KiB for each part of an operand, and what is done to them in vector registers.
//
// What multiplies takes two k at a time. A block that stands on the left is 32 rows of 32 k. One that stands on the right is
// 16 pairs of k, each of 16 columns of two numbers, for columns 0–15, and then for 16–31; here such a block has `pairs`. For
// the matrix unit these are two tiles each, of 16 rows of 64 bytes.
//
//   product             left operand                   right operand
//   x · W               rows of x         [row][k]     W in pairs of inputs
//   dY · Wᵀ             rows of dY        [row][unit]  Wᵀ in pairs of units
//   xᵀ · dY             x turned          [input][row] dY in pairs of rows
//
// So everything is written twice where it is made, once for each product that reads it, and no product packs anything.

enum { BLOCK_NUMBERS = CK_BLOCK * CK_BLOCK };

typedef struct block {
    uint16_t parts[CK_OPERAND_PARTS][BLOCK_NUMBERS];  // the high one, and the low one where there are two
} __attribute__((aligned(64))) block;

enum { BLOCK_LINES = sizeof(block) / 64, PIECES = CK_BLOCK / 2 };

/// Blocks that n numbers take.
INLINE size_t blocks_of(size_t n) { return (n + CK_BLOCK - 1) / CK_BLOCK; }

/// A row of a block, or the two rows that a pair has: 32 numbers in a register, each part in its own.
typedef struct row_of_block {
    __m512i parts[CK_OPERAND_PARTS];
} row_of_block;

INLINE void store_places(block *to, size_t part, size_t row, __m512i v) {
    _mm512_store_si512(to->parts[part] + row * CK_BLOCK, v);
}

INLINE __m512i load_places(const block *from, size_t part, size_t row) {
    return _mm512_load_si512(from->parts[part] + row * CK_BLOCK);
}

// Which k meet in a pair depends on what multiplies. The matrix unit makes a chain of the even k and one of the odd k by
// itself, and a pair is an even k and the next one. AVX512-BF16 adds both products of a pair to one sum, that of the high half
// first, so a pair is two k of one chain, the later one in the low half: 2, 0, 3, 1, 6, 4, 7, 5, …
#if CK_HAS_TILES

/// Where k's number is in a row of a left block: half `place_of(k) % 2` of pair `place_of(k) / 2`.
INLINE size_t place_of(size_t k) { return k; }
INLINE size_t k_of_place(size_t place) { return place; }
INLINE __m512i in_places(__m512i row) { return row; }
INLINE __m512i out_of_places(__m512i row) { return row; }

INLINE void store_part_of_pairs(block *to, size_t part, size_t pair, __m512i first, __m512i second) {
    store_places(to, part, pair, first);
    store_places(to, part, PIECES + pair, second);
}

#else

/// Where k's number is in a row of a left block: half `place_of(k) % 2` of pair `place_of(k) / 2`.
INLINE size_t place_of(size_t k) { return k / 4 * 4 + k % 2 * 2 + (k % 4 < 2); }
INLINE size_t k_of_place(size_t place) { return place / 4 * 4 + place % 4 / 2 + (place % 2 ? 0 : 2); }

/// A row of numbers in the order of k as one in the order of their places.
INLINE __m512i in_places(__m512i row) {
    long long low = 0x0302070601000504, high = 0x0b0a0f0e09080d0c;
    return _mm512_shuffle_epi8(row, _mm512_setr_epi64(low, high, low, high, low, high, low, high));
}

/// The other way round.
INLINE __m512i out_of_places(__m512i row) {
    long long low = 0x0504010007060302, high = 0x0d0c09080f0e0b0a;
    return _mm512_shuffle_epi8(row, _mm512_setr_epi64(low, high, low, high, low, high, low, high));
}

/// Makes of two rows of pairs of neighbouring k, which follow each other, the pairs of the even k and those of the odd k.
INLINE void store_chains(block *to, size_t part, size_t row, __m512i earlier, __m512i later) {
    const __mmask32 low_halves = 0x55555555;
    store_places(to, part, row, _mm512_mask_mov_epi16(_mm512_slli_epi32(earlier, 16), low_halves, later));
    store_places(to, part, row + 1, _mm512_mask_mov_epi16(earlier, low_halves, _mm512_srli_epi32(later, 16)));
}

/// Stores the pairs of a pair of k for columns 0–15 and for 16–31. Pairs come in their order: the first of two waits in its
/// place for the second.
INLINE void store_part_of_pairs(block *to, size_t part, size_t pair, __m512i first, __m512i second) {
    if (pair % 2 == 0) {
        store_places(to, part, pair, first);
        store_places(to, part, PIECES + pair, second);
        return;
    }
    store_chains(to, part, pair - 1, load_places(to, part, pair - 1), first);
    store_chains(to, part, PIECES + pair - 1, load_places(to, part, PIECES + pair - 1), second);
}

#endif

/// One part of a row of a left block, in the order of k.
INLINE void store_part_of_row(block *to, size_t part, size_t row, __m512i v) { store_places(to, part, row, in_places(v)); }

INLINE __m512i load_part_of_row(const block *from, size_t part, size_t row) {
    return out_of_places(load_places(from, part, row));
}

INLINE void store_row(block *to, size_t row, row_of_block v) {
    UNROLL for (size_t part = 0; part < PARTS; part++) store_part_of_row(to, part, row, v.parts[part]);
}

INLINE row_of_block load_row(const block *from, size_t row) {
    row_of_block v;
    UNROLL for (size_t part = 0; part < PARTS; part++) v.parts[part] = load_part_of_row(from, part, row);
    return v;
}

/// 32 numbers rounded to the nearest bfloat16, ties to even; what is below 2⁻⁵⁶ then is +0, and NaN stays NaN.
INLINE __m512i nearest_numbers(const vec x[2]) {
    __m512i nearest = (__m512i)_mm512_cvtne2ps_pbh((__m512)x[1], (__m512)x[0]);
    // Twice the bits is without the sign: 2⁻⁵⁶ has 0x2380.
    __m512i magnitude = _mm512_add_epi16(nearest, nearest);
    return _mm512_maskz_mov_epi16(_mm512_cmpge_epu16_mask(magnitude, _mm512_set1_epi16(2 * 0x2380)), nearest);
}

/// 32 numbers in 32 bits each.
INLINE void widen(__m512i numbers, vec x[2]) {
    __m512i first = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(numbers));
    __m512i second = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(numbers, 1));
    x[0] = (vec)_mm512_slli_epi32(first, 16);
    x[1] = (vec)_mm512_slli_epi32(second, 16);
}

/// 32 numbers as operands: see kernels_operand.h.
INLINE row_of_block rounded_row(vec low, vec high) {
    vec x[2] = {low, high}, taken[2];
    row_of_block row;
    UNROLL for (size_t part = 0; part < PARTS; part++) {
        row.parts[part] = nearest_numbers(x);
        widen(row.parts[part], taken);
        UNROLL for (size_t v = 0; v < 2; v++) x[v] -= taken[v];
    }
    return row;
}

/// Two rows of 32 numbers as a pair of each of their columns.
INLINE void store_pairs(block *to, size_t pair, row_of_block even, row_of_block odd) {
    // Interleaving works within quarters of a register: columns 0–3, 8–11, 16–19, 24–27, and those between.
    __m512i left = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), right = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    UNROLL for (size_t part = 0; part < PARTS; part++) {
        __m512i first = _mm512_unpacklo_epi16(even.parts[part], odd.parts[part]);
        __m512i second = _mm512_unpackhi_epi16(even.parts[part], odd.parts[part]);
        store_part_of_pairs(to, part, pair, _mm512_permutex2var_epi64(first, left, second),
                            _mm512_permutex2var_epi64(first, right, second));
    }
}

/// Transposes 16 × 16 words of 32 bits.
INLINE void transpose_words(__m512i rows[16]) {
    __m512i t[16];
    UNROLL for (size_t i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
    }
    UNROLL for (size_t i = 0; i < 16; i += 4) {
        rows[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        rows[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        rows[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        rows[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    UNROLL for (size_t i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_i32x4(rows[i], rows[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_i32x4(rows[i], rows[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_i32x4(rows[i + 8], rows[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_i32x4(rows[i + 8], rows[i + 12], 0xdd);
    }
    UNROLL for (size_t i = 0; i < 8; i++) {
        rows[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
        rows[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
    }
}

/// to[j][i] = from[i][j], for the j of one half: those whose place has `half` for its bit 2.
static __attribute__((noinline)) void turn_half(const block *from, size_t half, block *to) {
    for (size_t part = 0; part < PARTS; part++) {
        __m512i pairs[16];
        for (size_t i = 0; i < 16; i++) {
            __m512i even = load_places(from, part, 2 * i), odd = load_places(from, part, 2 * i + 1);
            pairs[i] = half ? _mm512_unpackhi_epi16(even, odd) : _mm512_unpacklo_epi16(even, odd);
        }
        transpose_words(pairs);
        UNROLL for (size_t j = 0; j < 16; j++)
            store_part_of_row(to, part, k_of_place(j / 4 * 8 + half * 4 + j % 4), pairs[j]);
    }
}

/// The pairs of columns of rows half·16 ..< half·16 + 16, as the pairs that have these rows for columns: W to Wᵀ.
static __attribute__((noinline)) void pair_columns(const block *from, size_t half, block *to) {
    for (size_t part = 0; part < PARTS; part++) {
        __m512i words[16];
        for (size_t i = 0; i < 16; i++) words[i] = load_places(from, part, half * 16 + i);
        transpose_words(words);
        UNROLL for (size_t j = 0; j < 16; j++) store_places(to, part, half * 16 + j, words[j]);
    }
}
