// xᵀ · dY over the rows of a shard, added into the tree of kernels_shards.h.
//
// Each element is one chain of multiply-adds over the shard's rows (with bf16, the chains of its blocks of 32 rows). A level
// of the tree is a block of weights that stays in L1.

// One shard's part of a block of weights, PANEL inputs by one panel of units.
typedef struct shard_block {
    const REAL *x;         // the shard's first row in the panel of inputs
    const REAL *delta;     // and in the panel of dY
    size_t low;            // numbers from an operand to its low part, where there are two parts
    size_t rows;
    const REAL *start;     // the chains so far, or null where they begin
    const REAL *levels;    // the tree's levels, PANEL · PANEL apart
    size_t added_levels;   // a bit for each level to add, lowest first
    REAL *out;
    update_work *beside;   // the update of the block before, `beside_step` of its weights after each shard
    size_t beside_step;
} shard_block;

// Adds one row's products: `inputs` numbers of x by the vectors of dY.
INLINE void add_row(const size_t inputs, const size_t vectors, const REAL *x, const REAL *delta, vec sum[][2]) {
    vec d[2];
    UNROLL for (size_t v = 0; v < vectors; v++) d[v] = load(delta + v * LANES);
    UNROLL for (size_t i = 0; i < inputs; i++) {
        vec factor = splat(x[i]);
        UNROLL for (size_t v = 0; v < vectors; v++) sum[i][v] = fmav(factor, d[v], sum[i][v]);
    }
}

// A tile of `inputs` by `vectors`, from the block's input `input` and column `column` on.
INLINE void gradient(const size_t inputs, const size_t vectors, const shard_block *block, size_t input, size_t column) {
    size_t offset = input * PANEL + column, rows = block->rows;
    const REAL *x = block->x + input, *delta = block->delta + column;
    REAL *out = block->out + offset;
    vec sum[TILE_ROWS][2];
    clear_sums(inputs, vectors, sum);
    if (block->start) {
        UNROLL for (size_t i = 0; i < inputs; i++) {
            UNROLL for (size_t v = 0; v < vectors; v++) sum[i][v] = load(block->start + offset + i * PANEL + v * LANES);
        }
    }
#if IS_BF16
    for (size_t from = 0; from < rows; from += CK_BLOCK, x += CK_BLOCK * PANEL, delta += CK_BLOCK * PANEL) {
        size_t n = rows - from < CK_BLOCK ? rows - from : CK_BLOCK;
        for (size_t term = 0; term < TERMS; term++) {
            // The two chains of each sum take all registers, so the sums of earlier blocks wait in `out` meanwhile.
            vec even[TILE_ROWS][2], odd[TILE_ROWS][2];
            const REAL *left = x + left_part(term) * block->low, *right = delta + right_part(term) * block->low;
            clear_sums(inputs, vectors, even);
            clear_sums(inputs, vectors, odd);
            for (size_t r = 0; r + 1 < n; r += 2, left += 2 * PANEL, right += 2 * PANEL) {
                add_row(inputs, vectors, left, right, even);
                add_row(inputs, vectors, left + PANEL, right + PANEL, odd);
            }
            if (n % 2) add_row(inputs, vectors, left, right, even);
            int begins = from == 0 && term == 0 && !block->start, ends = from + CK_BLOCK >= rows && term + 1 == TERMS;
            UNROLL for (size_t i = 0; i < inputs; i++) {
                UNROLL for (size_t v = 0; v < vectors; v++) {
                    REAL *place = out + i * PANEL + v * LANES;
                    sum[i][v] = (begins ? (vec){0} : load(place)) + (even[i][v] + odd[i][v]);
                    if (!ends) store(place, sum[i][v]);
                }
            }
        }
    }
#else
    for (size_t r = 0; r < rows; r++, x += PANEL, delta += PANEL) add_row(inputs, vectors, x, delta, sum);
#endif
    for (size_t left = block->added_levels; left; left &= left - 1) {
        const REAL *level = block->levels + (size_t)__builtin_ctzl(left) * PANEL * PANEL + offset;
        UNROLL for (size_t i = 0; i < inputs; i++) {
            UNROLL for (size_t v = 0; v < vectors; v++) sum[i][v] += load(level + i * PANEL + v * LANES);
        }
    }
    UNROLL for (size_t i = 0; i < inputs; i++) {
        UNROLL for (size_t v = 0; v < vectors; v++) store(out + i * PANEL + v * LANES, sum[i][v]);
    }
}

typedef void (*gradient_kernel)(const shard_block *block, size_t input, size_t column);

#define GRADIENT_(inputs, vectors)                                                                    \
    KERNEL void gradient_##inputs##_##vectors(const shard_block *block, size_t input, size_t column) { \
        gradient(inputs, vectors, block, input, column);                                              \
    }
#define GRADIENT(inputs) GRADIENT_(inputs, 1) GRADIENT_(inputs, 2)
FOR_EACH_HEIGHT(GRADIENT)

#define GRADIENT_KERNELS(inputs) {gradient_##inputs##_1, gradient_##inputs##_2},
static const gradient_kernel gradient_kernels[TILE_ROWS][2] = {FOR_EACH_HEIGHT(GRADIENT_KERNELS)};

/// Adds a block's rows to its sums, tile by tile.
static void add_rows(const shard_block *block, size_t inputs, size_t columns) {
    size_t tiles = (inputs + TILE_ROWS - 1) / TILE_ROWS;
    for (size_t v = 0; v * LANES < columns; v += 2) {
        size_t vectors = v + 1 < PANEL_VECTORS && (v + 1) * LANES < columns ? 2 : 1;
        for (size_t tile = 0; tile < tiles; tile++) {
            size_t from = inputs * tile / tiles, to = inputs * (tile + 1) / tiles;
            gradient_kernels[to - from - 1][vectors - 1](block, from, v * LANES);
        }
    }
}

/// Rows of a panel of x and of one of dY that stay in the L1 cache while a block's tiles pass, with bf16: a shard is the
/// whole batch there, and sums wait in `out` anyway.
enum { ROWS_AT_A_TIME = 128 / CK_OPERAND_PARTS };

/// Adds a block's rows as add_rows does, but so many at a time that all tiles find them in the L1 cache.
static void add_rows_by_blocks(const shard_block *block, size_t inputs, size_t columns) {
    shard_block some = *block;
    some.added_levels = 0;
    for (size_t left = block->rows; left > ROWS_AT_A_TIME; left = some.rows) {
        some.rows = ROWS_AT_A_TIME;
        add_rows(&some, inputs, columns);
        some.start = some.out;
        some.x += ROWS_AT_A_TIME * PANEL;
        some.delta += ROWS_AT_A_TIME * PANEL;
        some.rows = left - ROWS_AT_A_TIME;
    }
    some.added_levels = block->added_levels;
    add_rows(&some, inputs, columns);
}

/// One shard's sums for a block's first `inputs` inputs and `columns` units.
static void add_shard(const shard_block *block, size_t inputs, size_t columns) {
    if (IS_BF16) add_rows_by_blocks(block, inputs, columns);
    else add_rows(block, inputs, columns);
    if (block->beside) update(block->beside, block->beside_step);
}

/// The sum of dY over `rows` rows of a panel: one vector of columns, one chain of additions (with bf16, the chains that a
/// product with ones would have; the low part of 1 is zero, and adds nothing). Low parts are `low` numbers further on.
INLINE vec sum_rows(size_t rows, const REAL *delta, size_t low, vec start) {
#if IS_BF16
    for (size_t from = 0; from < rows; from += CK_BLOCK) {
        size_t end = rows - from < CK_BLOCK ? rows : from + CK_BLOCK;
        for (size_t part = 0; part < PARTS; part++) {
            const REAL *d = delta + part * low;
            vec even = {0}, odd = {0};
            for (size_t r = from; r < end; r += 2) {
                even += load(d + r * PANEL);
                if (r + 1 < end) odd += load(d + (r + 1) * PANEL);
            }
            start += even + odd;
        }
    }
#else
    for (size_t r = 0; r < rows; r++) start += load(delta + r * PANEL);
#endif
    return start;
}
