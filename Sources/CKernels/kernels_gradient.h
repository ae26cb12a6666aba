// xᵀ · dY over the rows of a shard, and the fixed tree that sums the shards.
//
// Each element is one chain of multiply-adds over the shard's rows. The shards meet as digits of a binary counter: shard s
// adds the levels below its trailing ones and becomes the level after them, so that S = 8 gives
// ((0+1)+(2+3))+((4+5)+(6+7)). A level is a block of weights that stays in L1.

// Where a tile's sums start and where they go. All pointers are at the tile's first element, rows PANEL apart.
typedef struct NAME(shard_sum) {
    const REAL *start;    // the chain so far, or null where it begins
    const REAL *levels;   // the tree's levels, `level_stride` apart
    size_t level_stride;
    size_t added_levels;  // a bit for each level to add, lowest first
    REAL *out;
} NAME(shard_sum);

typedef void (*NAME(gradient_kernel))(size_t rows, const REAL *const *x, size_t input, const REAL *delta, size_t stride,
                                      const NAME(shard_sum) *into);

INLINE void NAME(gradient)(const size_t inputs, const size_t vectors, size_t rows, const REAL *const *x, size_t input,
                           const REAL *delta, size_t stride, const NAME(shard_sum) *into) {
    vec sum[TILE_ROWS][2];
    UNROLL for (size_t i = 0; i < inputs; i++) {
        UNROLL for (size_t v = 0; v < vectors; v++) sum[i][v] = (vec){0};
    }
    if (into->start) {
        UNROLL for (size_t i = 0; i < inputs; i++) {
            UNROLL for (size_t v = 0; v < vectors; v++) sum[i][v] = NAME(load)(into->start + i * PANEL + v * LANES);
        }
    }
    for (size_t r = 0; r < rows; r++) {
        const REAL *row = x[r] + input;
        vec d[2];
        UNROLL for (size_t v = 0; v < vectors; v++) d[v] = NAME(load)(delta + r * stride + v * LANES);
        UNROLL for (size_t i = 0; i < inputs; i++) {
            vec factor = NAME(splat)(row[i]);
            UNROLL for (size_t v = 0; v < vectors; v++) sum[i][v] = NAME(fma)(factor, d[v], sum[i][v]);
        }
    }
    for (size_t left = into->added_levels; left; left &= left - 1) {
        const REAL *level = into->levels + (size_t)__builtin_ctzl(left) * into->level_stride;
        UNROLL for (size_t i = 0; i < inputs; i++) {
            UNROLL for (size_t v = 0; v < vectors; v++) sum[i][v] += NAME(load)(level + i * PANEL + v * LANES);
        }
    }
    UNROLL for (size_t i = 0; i < inputs; i++) {
        UNROLL for (size_t v = 0; v < vectors; v++) NAME(store)(into->out + i * PANEL + v * LANES, sum[i][v]);
    }
}

#define GRADIENT_(inputs, vectors)                                                                                 \
    static void NAME(gradient_##inputs##_##vectors)(size_t rows, const REAL *const *x, size_t input,               \
                                                    const REAL *delta, size_t stride, const NAME(shard_sum) *into) { \
        NAME(gradient)(inputs, vectors, rows, x, input, delta, stride, into);                                      \
    }
#define GRADIENT(inputs) GRADIENT_(inputs, 1) GRADIENT_(inputs, 2)
GRADIENT(1) GRADIENT(2) GRADIENT(3) GRADIENT(4)
#if TILE_ROWS >= 6
GRADIENT(5) GRADIENT(6)
#endif
#if TILE_ROWS >= 8
GRADIENT(7) GRADIENT(8)
#endif

static const NAME(gradient_kernel) NAME(gradient_kernels)[TILE_ROWS][2] = {
    KERNELS(gradient, 1), KERNELS(gradient, 2), KERNELS(gradient, 3), KERNELS(gradient, 4),
#if TILE_ROWS >= 6
    KERNELS(gradient, 5), KERNELS(gradient, 6),
#endif
#if TILE_ROWS >= 8
    KERNELS(gradient, 7), KERNELS(gradient, 8),
#endif
};

/// The levels that shard `s` of `count` adds: those below its trailing ones, and for the last shard all there are.
INLINE size_t NAME(levels_added)(size_t s, size_t count) { return s + 1 == count ? s : s & ~(s + 1); }

/// The level that shard `s` becomes.
INLINE size_t NAME(level_of)(size_t s) { return (size_t)__builtin_ctzl(~s); }

/// Part of a panel, `inputs` rows by `columns` used columns, of xᵀ · dY over `rows` rows.
static void NAME(gradient_rows)(size_t inputs, size_t columns, size_t rows, const REAL *const *x, size_t input,
                                const REAL *delta, size_t stride, const NAME(shard_sum) *into) {
    size_t tiles = (inputs + TILE_ROWS - 1) / TILE_ROWS;
    for (size_t v = 0; v * LANES < columns; v += 2) {
        size_t vectors = v + 1 < PANEL_VECTORS && (v + 1) * LANES < columns ? 2 : 1;
        for (size_t tile = 0; tile < tiles; tile++) {
            size_t from = inputs * tile / tiles, to = inputs * (tile + 1) / tiles;
            size_t offset = from * PANEL + v * LANES;
            NAME(shard_sum) here = *into;
            if (here.start) here.start += offset;
            here.levels += offset;
            here.out += offset;
            NAME(gradient_kernels)[to - from - 1][vectors - 1](rows, x, input + from, delta + v * LANES, stride, &here);
        }
    }
}

/// The sum of dY over `rows` rows: one vector of columns, one chain of additions.
INLINE vec NAME(sum_rows)(size_t rows, const REAL *delta, size_t stride, vec start) {
    for (size_t r = 0; r < rows; r++) start += NAME(load)(delta + r * stride);
    return start;
}

/// out[i] = the shards' tree over n numbers of each, `shard_stride` apart; n is a multiple of LANES.
static void NAME(sum_shards)(size_t n, size_t count, const REAL *shards, size_t shard_stride, REAL *out) {
    for (size_t i = 0; i < n; i += LANES) {
        vec levels[CK_MAX_SHARD_LEVELS];
        vec sum = {0};
        for (size_t s = 0; s < count; s++) {
            sum = NAME(load)(shards + s * shard_stride + i);
            for (size_t left = NAME(levels_added)(s, count); left; left &= left - 1) sum += levels[__builtin_ctzl(left)];
            if (s + 1 < count) levels[NAME(level_of)(s)] = sum;
        }
        NAME(store)(out + i, sum);
    }
}
