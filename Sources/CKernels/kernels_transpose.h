// Blocks of W to blocks of Wᵀ, in registers.

// Lanes of two vectors in turn: a₀ b₀ a₁ b₁ …, the first and the second half.
INLINE vec interleave_low(vec a, vec b) {
#if CK_VECTOR_BYTES / REAL_BYTES == 16
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
#elif CK_VECTOR_BYTES / REAL_BYTES == 8
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
#elif CK_VECTOR_BYTES / REAL_BYTES == 4
    return __builtin_shufflevector(a, b, 0, 4, 1, 5);
#else
    return __builtin_shufflevector(a, b, 0, 2);
#endif
}

INLINE vec interleave_high(vec a, vec b) {
#if CK_VECTOR_BYTES / REAL_BYTES == 16
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#elif CK_VECTOR_BYTES / REAL_BYTES == 8
    return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#elif CK_VECTOR_BYTES / REAL_BYTES == 4
    return __builtin_shufflevector(a, b, 2, 6, 3, 7);
#else
    return __builtin_shufflevector(a, b, 1, 3);
#endif
}

// LANES × LANES numbers; rows of both PANEL apart. log₂ LANES rounds of interleaving turn rows into columns.
INLINE void transpose_square(const REAL *from, REAL *to) {
    vec rows[LANES], turned[LANES];
    UNROLL for (size_t i = 0; i < LANES; i++) rows[i] = load(from + i * PANEL);
    UNROLL for (size_t round = 1; round < LANES; round *= 2) {
        UNROLL for (size_t i = 0; i < LANES / 2; i++) {
            turned[2 * i] = interleave_low(rows[i], rows[i + LANES / 2]);
            turned[2 * i + 1] = interleave_high(rows[i], rows[i + LANES / 2]);
        }
        UNROLL for (size_t i = 0; i < LANES; i++) rows[i] = turned[i];
    }
    UNROLL for (size_t i = 0; i < LANES; i++) store(to + i * PANEL, rows[i]);
}

/// to[j][i] = from[i][j] for i < rows and j < columns, both at most PANEL and stored PANEL apart; zeros for i from `rows`
/// on. Rows of `to` from `columns` on are not touched.
static void transpose_block(size_t rows, size_t columns, const REAL *from, REAL *to) {
    if (rows == PANEL && columns == PANEL) {
        for (size_t i = 0; i < PANEL; i += LANES) {
            for (size_t j = 0; j < PANEL; j += LANES) transpose_square(from + i * PANEL + j, to + j * PANEL + i);
        }
        return;
    }
    for (size_t j = 0; j < columns; j++) {
        for (size_t i = 0; i < PANEL; i++) to[j * PANEL + i] = i < rows ? from[i * PANEL + j] : 0;
    }
}
