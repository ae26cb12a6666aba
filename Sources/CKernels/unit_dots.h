// Products of blocks by AVX512-BF16, which AMD's Zen 4 computes at twice the speed of Float32's multiply-adds.
//
// VDPBF16PS adds two products to each lane of its sum: that of the word's high halves, and then that of its low halves,
// each by a fused multiply-add. The contract has an even and an odd chain, so a word holds two neighbours of one chain:
// see `place_of` in block_numbers.h.

// Nothing is in use between these two: there are registers alone.
INLINE void take_unit(void) {}
INLINE void give_back_unit(void) {}

INLINE void start_sums(REAL *sums, int continues) {
    if (!continues) memset(sums, 0, BLOCK_NUMBERS * sizeof(REAL));
}

INLINE void finish_sums(REAL *sums) { (void)sums; }

INLINE vec add_two_products(vec sum, __m512i left, __m512i right) {
    return (vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)left, (__m512bh)right);
}

/// A word of a row of the left operand in all lanes.
INLINE __m512i word_of_row(const uint16_t *row, size_t word) {
    int bits;
    memcpy(&bits, row + 2 * word, sizeof bits);
    return _mm512_set1_epi32(bits);
}

/// Rows of sums that are made at once: with both chains of both halves of the columns they take half of the registers.
enum { DOT_ROWS = 4 };

/// Adds one term of a block's product to DOT_ROWS rows of sums.
INLINE void add_dots(const uint16_t *left, const uint16_t *right, REAL *sums) {
    vec even[DOT_ROWS][2], odd[DOT_ROWS][2];
    UNROLL for (size_t r = 0; r < DOT_ROWS; r++) {
        UNROLL for (size_t half = 0; half < 2; half++) even[r][half] = odd[r][half] = (vec){0};
    }
    for (size_t word = 0; word < PIECES; word += 2) {
        const uint16_t *pairs = right + word * CK_BLOCK;
        UNROLL for (size_t r = 0; r < DOT_ROWS; r++) {
            __m512i x = word_of_row(left + r * CK_BLOCK, word), y = word_of_row(left + r * CK_BLOCK, word + 1);
            UNROLL for (size_t half = 0; half < 2; half++) {
                const uint16_t *columns = pairs + half * (BLOCK_NUMBERS / 2);
                even[r][half] = add_two_products(even[r][half], x, _mm512_load_si512(columns));
                odd[r][half] = add_two_products(odd[r][half], y, _mm512_load_si512(columns + CK_BLOCK));
            }
        }
    }
    UNROLL for (size_t r = 0; r < DOT_ROWS; r++) {
        UNROLL for (size_t half = 0; half < 2; half++) {
            REAL *place = sums + r * CK_BLOCK + half * 16;
            store(place, load(place) + (even[r][half] + odd[r][half]));
        }
    }
}

/// Adds the product of two blocks to the sums. A function of its own, so that its loops start at a cache line wherever it is
/// used.
KERNEL __attribute__((noinline)) void add_product(const block *left, const block *right, REAL *sums) {
    for (size_t row = 0; row < CK_BLOCK; row += DOT_ROWS) {
        UNROLL for (size_t term = 0; term < TERMS; term++)
            add_dots(left->parts[left_part(term)] + row * CK_BLOCK, right->parts[right_part(term)], sums + row * CK_BLOCK);
    }
}

INLINE void add_block_product(const block_product *product, const block *left, const block *right, REAL *sums) {
    (void)product;
    add_product(left, right, sums);
}

/// sums = the sums over all k of `count` right blocks, as the product with ones has them: a row.
INLINE void sum_pairs(const block *right, size_t count, REAL *sums) {
    __m512i ones = _mm512_set1_epi16(0x3f80);
    vec sum[2] = {{0}, {0}};
    for (size_t k = 0; k < count; k++) {
        // The low part of 1 is zero, and adds nothing.
        for (size_t part = 0; part < PARTS; part++) {
            UNROLL for (size_t half = 0; half < 2; half++) {
                vec even = {0}, odd = {0};
                for (size_t word = 0; word < PIECES; word += 2) {
                    const uint16_t *columns = right[k].parts[part] + half * (BLOCK_NUMBERS / 2) + word * CK_BLOCK;
                    even = add_two_products(even, ones, _mm512_load_si512(columns));
                    odd = add_two_products(odd, ones, _mm512_load_si512(columns + CK_BLOCK));
                }
                sum[half] += even + odd;
            }
        }
    }
    store(sums, sum[0]);
    store(sums + 16, sum[1]);
}
