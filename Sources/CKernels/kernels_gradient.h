// xᵀ · dY over the rows of a shard, and the fixed tree that sums the shards.
//
// Each element is one chain of multiply-adds over the shard's rows. The shards meet as digits of a binary counter: shard s
// adds the levels below its trailing ones and becomes the level after them, so that S = 8 gives
// ((0+1)+(2+3))+((4+5)+(6+7)). A level is a block of weights that stays in L1.

// One shard's part of a block of weights. Pointers to sums are at the block's first element, rows PANEL apart.
typedef struct NAME(shard_block) {
    const REAL *const *x;  // the shard's rows
    const REAL *delta;     // dY of its first row, from the block's first column on
    size_t rows, stride;   // how many, and from one row of dY to the next
    const REAL *start;     // the chains so far, or null where they begin
    const REAL *levels;    // the tree's levels, `level_stride` apart
    size_t level_stride;
    size_t added_levels;   // a bit for each level to add, lowest first
    REAL *out;
    size_t x_ahead;        // how far ahead to fetch rows of x, or 0
    NAME(update_work) *beside;  // the update of the block before, `beside_step` of its weights after each shard
    size_t beside_step;
} NAME(shard_block);

/// The levels that shard `s` of `count` adds: those below its trailing ones, and for the last shard all there are.
INLINE size_t NAME(levels_added)(size_t s, size_t count) { return s + 1 == count ? s : s & ~(s + 1); }

/// The level that shard `s` becomes.
INLINE size_t NAME(level_of)(size_t s) { return (size_t)__builtin_ctzl(~s); }

typedef void (*NAME(gradient_kernel))(const NAME(shard_block) *block, size_t input, size_t offset);

INLINE void NAME(gradient)(const size_t inputs, const size_t vectors, const NAME(shard_block) *block, size_t input,
                           size_t offset) {
    vec sum[TILE_ROWS][2];
    UNROLL for (size_t i = 0; i < inputs; i++) {
        UNROLL for (size_t v = 0; v < vectors; v++) sum[i][v] = (vec){0};
    }
    if (block->start) {
        UNROLL for (size_t i = 0; i < inputs; i++) {
            UNROLL for (size_t v = 0; v < vectors; v++)
                sum[i][v] = NAME(load)(block->start + offset + i * PANEL + v * LANES);
        }
    }
    const REAL *delta = block->delta + offset % PANEL;
    size_t stride = block->stride, rows = block->rows;
    const REAL *const *x = block->x;
#define ADD_ROW                                                                                                     \
    const REAL *row = x[r] + input;                                                                                 \
    vec d[2];                                                                                                       \
    UNROLL for (size_t v = 0; v < vectors; v++) d[v] = NAME(load)(delta + v * LANES);                               \
    UNROLL for (size_t i = 0; i < inputs; i++) {                                                                    \
        vec factor = NAME(splat)(row[i]);                                                                           \
        UNROLL for (size_t v = 0; v < vectors; v++) sum[i][v] = NAME(fma)(factor, d[v], sum[i][v]);                 \
    }                                                                                                               \
    delta += stride
    // A fetch that is not needed costs 2–3 % of the loop: hence a loop for each case.
    if (block->x_ahead) {
        size_t ahead = input + block->x_ahead;
        for (size_t r = 0; r < rows; r++) {
            __builtin_prefetch(x[r] + ahead);
            ADD_ROW;
        }
    } else {
        for (size_t r = 0; r < rows; r++) {
            ADD_ROW;
        }
    }
#undef ADD_ROW
    for (size_t left = block->added_levels; left; left &= left - 1) {
        const REAL *level = block->levels + (size_t)__builtin_ctzl(left) * block->level_stride + offset;
        UNROLL for (size_t i = 0; i < inputs; i++) {
            UNROLL for (size_t v = 0; v < vectors; v++) sum[i][v] += NAME(load)(level + i * PANEL + v * LANES);
        }
    }
    UNROLL for (size_t i = 0; i < inputs; i++) {
        UNROLL for (size_t v = 0; v < vectors; v++) NAME(store)(block->out + offset + i * PANEL + v * LANES, sum[i][v]);
    }
}

#define GRADIENT_(inputs, vectors)                                                                                 \
    static void NAME(gradient_##inputs##_##vectors)(const NAME(shard_block) *block, size_t input, size_t offset) { \
        NAME(gradient)(inputs, vectors, block, input, offset);                                                     \
    }
#define GRADIENT(inputs) GRADIENT_(inputs, 1) GRADIENT_(inputs, 2)
GRADIENT(1) GRADIENT(2) GRADIENT(3) GRADIENT(4)
#if TILE_ROWS >= 6
GRADIENT(5) GRADIENT(6)
#endif
#if TILE_ROWS >= 8
GRADIENT(7) GRADIENT(8)
#endif
#if TILE_ROWS >= 12
GRADIENT(9) GRADIENT(10) GRADIENT(11) GRADIENT(12)
#endif

static const NAME(gradient_kernel) NAME(gradient_kernels)[TILE_ROWS][2] = {
    KERNELS(gradient, 1), KERNELS(gradient, 2), KERNELS(gradient, 3), KERNELS(gradient, 4),
#if TILE_ROWS >= 6
    KERNELS(gradient, 5), KERNELS(gradient, 6),
#endif
#if TILE_ROWS >= 8
    KERNELS(gradient, 7), KERNELS(gradient, 8),
#endif
#if TILE_ROWS >= 12
    KERNELS(gradient, 9), KERNELS(gradient, 10), KERNELS(gradient, 11), KERNELS(gradient, 12),
#endif
};

/// One shard's sums for `inputs` rows of a panel and `columns` used columns, from row `input` on.
static void NAME(add_shard)(const NAME(shard_block) *block, size_t inputs, size_t columns, size_t input) {
    size_t tiles = (inputs + TILE_ROWS - 1) / TILE_ROWS;
    for (size_t v = 0; v * LANES < columns; v += 2) {
        size_t vectors = v + 1 < PANEL_VECTORS && (v + 1) * LANES < columns ? 2 : 1;
        for (size_t tile = 0; tile < tiles; tile++) {
            size_t from = inputs * tile / tiles, to = inputs * (tile + 1) / tiles;
            NAME(gradient_kernels)[to - from - 1][vectors - 1](block, input + from, from * PANEL + v * LANES);
        }
    }
    if (block->beside) NAME(update)(block->beside, block->beside_step);
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
