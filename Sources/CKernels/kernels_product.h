// Rows times packed panels: the forward pass (x · W) and the input error (dY · Wᵀ).
//
// Each element is one chain of multiply-adds in increasing k that starts at zero (with bf16, the chains of its blocks of
// 32: see kernels_operand.h). A tile is up to TILE_ROWS rows by two vectors of columns, through a block of k at a time:
// between the blocks the sums wait where the result will be, which changes no bit, and all tiles read a block of weights
// from the L1 cache. On AVX-512 that is 12 × 32 floats: 24 sums that stay in registers, 2 vectors of the panel and one
// broadcast, 14 loads for 24 multiply-adds.

// What is done to a product's rows as they leave the registers. Pointers are at the first of the tile's columns.
typedef struct ending {
    const REAL *bias;      // added, or null
    int relu;              // negative numbers become zero; NaN stays
    const REAL *positive;  // rows PANEL apart: where an element is not above zero, zero; or null
    int is_operand;        // the next product reads the result as it is, low parts `low` numbers further on
    size_t low;
    size_t weights_low;    // from a number of the panel to its low part, where there are two
    int goes_on;           // an earlier block of k has begun the chains, and their sums wait in `out`
    const REAL *next;      // weights that are needed soon, a line of each k fetched meanwhile; or null
} ending;

// The rows of one operand of a product: row r's numbers k of panel p are at start[p · panel + r · PANEL + k], and their low
// parts, where there are two, `low` numbers further on.
typedef struct rows {
    const REAL *start;
    size_t panel, low;
} rows;

INLINE void end_product(const size_t count, const size_t vectors, vec sum[][2], REAL *out, const ending *ending) {
    vec zero = {0};
    if (ending->bias) {
        UNROLL for (size_t v = 0; v < vectors; v++) {
            vec bias = load(ending->bias + v * LANES);
            UNROLL for (size_t r = 0; r < count; r++) sum[r][v] += bias;
        }
    }
    if (ending->relu) {
        UNROLL for (size_t r = 0; r < count; r++) {
            UNROLL for (size_t v = 0; v < vectors; v++) sum[r][v] = zero_where(sum[r][v] < zero, sum[r][v]);
        }
    }
    if (ending->positive) {
        UNROLL for (size_t r = 0; r < count; r++) {
            UNROLL for (size_t v = 0; v < vectors; v++) {
                vec below = load(ending->positive + r * PANEL + v * LANES);
                sum[r][v] = zero_where(~(below > zero), sum[r][v]);
            }
        }
    }
    // The tile decides once: inside the loops it would decide for each vector, since each store might change the answer.
    if (ending->is_operand) {
        size_t low = ending->low;
        UNROLL for (size_t r = 0; r < count; r++) {
            UNROLL for (size_t v = 0; v < vectors; v++) store_operand(out + r * PANEL + v * LANES, low, sum[r][v]);
        }
    } else {
        UNROLL for (size_t r = 0; r < count; r++) {
            UNROLL for (size_t v = 0; v < vectors; v++) store(out + r * PANEL + v * LANES, sum[r][v]);
        }
    }
}

// Adds the products of number k of `count` rows of x with the vectors of row k of a panel.
INLINE void add_products(const size_t count, const size_t vectors, const REAL *x, const REAL *w, vec sum[][2]) {
    vec weights[2];
    UNROLL for (size_t v = 0; v < vectors; v++) weights[v] = load(w + v * LANES);
    UNROLL for (size_t r = 0; r < count; r++) {
        vec factor = splat(x[r * PANEL]);
        UNROLL for (size_t v = 0; v < vectors; v++) sum[r][v] = fmav(factor, weights[v], sum[r][v]);
    }
}

INLINE void clear_sums(const size_t count, const size_t vectors, vec sum[][2]) {
    UNROLL for (size_t r = 0; r < count; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++) sum[r][v] = (vec){0};
    }
}

INLINE void load_sums(const size_t count, const size_t vectors, const REAL *out, vec sum[][2]) {
    UNROLL for (size_t r = 0; r < count; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++) sum[r][v] = load(out + r * PANEL + v * LANES);
    }
}

INLINE void product(const size_t count, const size_t vectors, size_t K, const rows *a, const REAL *panel, REAL *out,
                    const ending *ending) {
    const REAL *x = a->start;
#if !IS_BF16
    const REAL *next = ending->next;
#endif
    vec sum[TILE_ROWS][2];
    if (ending->goes_on) {
        load_sums(count, vectors, out, sum);
    } else {
        clear_sums(count, vectors, sum);
    }
    for (size_t from = 0; from < K; from += PANEL, x += a->panel) {
        size_t n = K - from < PANEL ? K - from : PANEL;
#if IS_BF16
        for (size_t term = 0; term < TERMS; term++) {
            // The two chains of each sum take all registers, so the sums of earlier blocks wait in `out` meanwhile.
            vec even[TILE_ROWS][2], odd[TILE_ROWS][2];
            const REAL *left = x + left_part(term) * a->low, *right = panel + right_part(term) * ending->weights_low;
            clear_sums(count, vectors, even);
            clear_sums(count, vectors, odd);
            for (size_t k = 0; k + 1 < n; k += 2, right += 2 * PANEL) {
                add_products(count, vectors, left + k, right, even);
                add_products(count, vectors, left + k + 1, right + PANEL, odd);
            }
            if (n % 2) add_products(count, vectors, left + n - 1, right, even);
            int begins = from == 0 && term == 0 && !ending->goes_on, ends = from + PANEL >= K && term + 1 == TERMS;
            UNROLL for (size_t r = 0; r < count; r++) {
                UNROLL for (size_t v = 0; v < vectors; v++) {
                    REAL *place = out + r * PANEL + v * LANES;
                    sum[r][v] = (begins ? (vec){0} : load(place)) + (even[r][v] + odd[r][v]);
                    if (!ends) store(place, sum[r][v]);
                }
            }
        }
        panel += n * PANEL;
#else
        if (next) {
            for (size_t k = 0; k < n; k++, panel += PANEL, next += PANEL) {
                __builtin_prefetch(next);
                add_products(count, vectors, x + k, panel, sum);
            }
        } else {
            for (size_t k = 0; k < n; k++, panel += PANEL) add_products(count, vectors, x + k, panel, sum);
        }
#endif
    }
    end_product(count, vectors, sum, out, ending);
}

typedef void (*product_kernel)(size_t K, const rows *a, const REAL *panel, REAL *out, const ending *ending);

#define PRODUCT_(count, vectors)                                                                                       \
    KERNEL void product_##count##_##vectors(size_t K, const rows *a, const REAL *panel, REAL *out,                     \
                                            const ending *ending) {                                                    \
        product(count, vectors, K, a, panel, out, ending);                                                             \
    }
#define PRODUCT(count) PRODUCT_(count, 1) PRODUCT_(count, 2)
FOR_EACH_HEIGHT(PRODUCT)

#define PRODUCT_KERNELS(count) {product_##count##_1, product_##count##_2},
static const product_kernel product_kernels[TILE_ROWS][2] = {FOR_EACH_HEIGHT(PRODUCT_KERNELS)};

/// Numbers of k in a block, whole panels: 256 rows of a panel of weights, or 128 of both its parts, are 32 KiB.
INLINE size_t block_of_k(size_t K) {
    size_t most = 256 / PARTS, blocks = (K + most - 1) / most;
    return (K + blocks * PANEL - 1) / (blocks * PANEL) * PANEL;
}

/// The product of `count` rows of K numbers with panels from ..< to of a matrix of `columns` columns; where there are two
/// parts, each panel's low parts follow it. `out` and `positive` are at the rows' first number in panel 0, panels
/// `out_panel` apart.
static void multiply_rows(size_t count, size_t K, const rows *a, const REAL *panels, size_t columns, size_t from,
                          size_t to, REAL *out, size_t out_panel, const ending *ending) {
    // Tiles have nearly equal heights. A last tile of a single row would have too few chains to keep the multiply-add
    // units busy.
    size_t tiles = (count + TILE_ROWS - 1) / TILE_ROWS, block = tiles > 1 ? block_of_k(K) : K;
    // Where the weights do not fit L2, the next panel is prefetched: the first two tiles fetch half of each of its rows
    // each.
    int is_far = K * columns * sizeof(REAL) > 2 << 20;
    for (size_t panel = from; panel < to; panel++) {
        for (size_t v = 0; v < PANEL_VECTORS && panel * PANEL + v * LANES < columns; v += 2) {
            size_t vectors = v + 1 < PANEL_VECTORS && panel * PANEL + (v + 1) * LANES < columns ? 2 : 1;
            for (size_t k = 0; k < K; k += block) {
                size_t n = K - k < block ? K - k : block;
                const REAL *weights = panels + (panel * K * PARTS + k) * PANEL;
                const REAL *next = is_far && panel + 1 < to ? weights + K * PANEL : 0;
                struct ending here = {0};
                if (k + n == K) here = *ending;
                if (here.bias) here.bias += panel * PANEL + v * LANES;
                here.goes_on = k > 0;
                here.weights_low = K * PANEL;
                for (size_t tile = 0; tile < tiles; tile++) {
                    size_t first = count * tile / tiles, end = count * (tile + 1) / tiles;
                    size_t place = panel * out_panel + first * PANEL + v * LANES;
                    rows x = {.start = a->start + k / PANEL * a->panel + first * PANEL, .panel = a->panel, .low = a->low};
                    here.next = next && tile < 2 ? next + tile * (PANEL / 2) : 0;
                    if (here.positive) here.positive = ending->positive + place;
                    product_kernels[end - first - 1][vectors - 1](n, &x, weights + v * LANES, out + place, &here);
                }
            }
        }
    }
}
