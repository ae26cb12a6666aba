// Dropout from Philox4x32-10, a group of 64 units at a time: 16 blocks of four words, where unit u takes
// word (u / 16) mod 4 of block 16·(u / 64) + u mod 16, so that no word has to change lanes.

#define CK_GROUP 64
#define CK_BLOCKS 16

typedef uint64_t lane_words __attribute__((vector_size(CK_VECTOR_BYTES), aligned(8)));
typedef uint32_t halves __attribute__((vector_size(CK_VECTOR_BYTES / 2), aligned(4)));

/// The 64 words of group `group`, in unit order: each block's counter is (block, row, layer, purpose).
INLINE void philox_group(uint64_t key, uint32_t layer, uint32_t row, uint32_t group, uint32_t *words) {
    enum { width = CK_VECTOR_BYTES / sizeof(uint64_t) };
    const uint64_t low_half = 0xffffffff;
    for (size_t first = 0; first < CK_BLOCKS; first += width) {
        lane_words c0, c1 = {0}, c2 = {0}, c3 = {0};
        for (size_t lane = 0; lane < width; lane++) c0[lane] = (uint32_t)(group * CK_BLOCKS + first + lane);
        c1 += row;
        c2 += layer;
        c3 += CK_PHILOX_DROPOUT;
        uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
#pragma unroll
        for (int round = 0; round < 10; round++) {
            lane_words p0 = c0 * 0xd2511f53u, p1 = c2 * 0xcd9e8d57u;
            c0 = (p1 >> 32) ^ c1 ^ k0;
            c2 = (p0 >> 32) ^ c3 ^ k1;
            c1 = p1 & low_half;
            c3 = p0 & low_half;
            k0 += 0x9e3779b9u;
            k1 += 0xbb67ae85u;
        }
        *(halves *)(words + first) = __builtin_convertvector(c0, halves);
        *(halves *)(words + CK_BLOCKS + first) = __builtin_convertvector(c1, halves);
        *(halves *)(words + 2 * CK_BLOCKS + first) = __builtin_convertvector(c2, halves);
        *(halves *)(words + 3 * CK_BLOCKS + first) = __builtin_convertvector(c3, halves);
    }
}

/// factors[i] = 0 or 1 / (1 − rate) for units start ..< start + 64 of the batch's row `row`; start is a multiple of 64.
INLINE void dropout_mask_group(const ck_dropout *dropout, size_t row, size_t start, REAL *factors) {
    const uint32_t threshold = (uint32_t)(dropout->rate * 0x1p32);
    const REAL kept = (REAL)(1 / (1 - dropout->rate));
    const uint64_t key = ck_dropout_key(dropout->seed, dropout->step, dropout->layer);
    uint32_t words[CK_GROUP];
    philox_group(key, dropout->layer, (uint32_t)row, (uint32_t)(start / CK_GROUP), words);
    for (size_t i = 0; i < CK_GROUP; i++) factors[i] = words[i] >= threshold ? kept : 0;
}

/// The same for units i < n.
static void dropout_mask(const ck_dropout *dropout, size_t row, size_t n, REAL *mask) {
    for (size_t start = 0; start < n; start += CK_GROUP) {
        REAL factors[CK_GROUP];
        dropout_mask_group(dropout, row, start, factors);
        memcpy(mask + start, factors, (n - start < CK_GROUP ? n - start : CK_GROUP) * sizeof(REAL));
    }
}
