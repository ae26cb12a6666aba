// Rows times packed panels: the forward pass (x · W) and the input error (dY · Wᵀ).
//
// Each element is one chain of multiply-adds in increasing k that starts at zero. A tile is up to TILE_ROWS rows by two
// vectors of columns; its sums stay in registers from the first k to the last. On AVX-512 that is up to 12 × 32 floats:
// 24 sums, 2 vectors of the panel and one broadcast, 14 loads for 24 multiply-adds.

#define UNROLL _Pragma("clang loop unroll(full)")

// What is done to a product's rows as they leave the registers. Pointers are at the first of the tile's columns.
typedef struct NAME(ending) {
    const REAL *bias;      // added, or null
    int relu;              // negative numbers become zero; NaN stays
    const REAL *positive;  // rows `stride` apart: where an element is not above zero, zero; or null
    const REAL *next;      // weights that are needed soon, a line of each k fetched meanwhile; or null
} NAME(ending);

typedef void (*NAME(product_kernel))(size_t K, const REAL *const *a, const REAL *panel, REAL *out, size_t stride,
                                     const NAME(ending) *ending);

INLINE void NAME(product)(const size_t rows, const size_t vectors, size_t K, const REAL *const *a, const REAL *panel,
                          REAL *out, size_t stride, const NAME(ending) *ending) {
    vec sum[TILE_ROWS][2];
    const REAL *x[TILE_ROWS];
    UNROLL for (size_t r = 0; r < rows; r++) {
        x[r] = a[r];
        UNROLL for (size_t v = 0; v < vectors; v++) sum[r][v] = (vec){0};
    }
#define ADD_INPUT                                                                                              \
    vec w[2];                                                                                                  \
    UNROLL for (size_t v = 0; v < vectors; v++) w[v] = NAME(load)(panel + k * PANEL + v * LANES);              \
    UNROLL for (size_t r = 0; r < rows; r++) {                                                                 \
        vec factor = NAME(splat)(x[r][k]);                                                                     \
        UNROLL for (size_t v = 0; v < vectors; v++) sum[r][v] = NAME(fma)(factor, w[v], sum[r][v]);            \
    }
    const REAL *next = ending->next;
    if (next) {
        for (size_t k = 0; k < K; k++) {
            __builtin_prefetch(next + k * PANEL);
            ADD_INPUT
        }
    } else {
        for (size_t k = 0; k < K; k++) {
            ADD_INPUT
        }
    }
#undef ADD_INPUT
    vec zero = {0};
    if (ending->bias) {
        UNROLL for (size_t v = 0; v < vectors; v++) {
            vec bias = NAME(load)(ending->bias + v * LANES);
            UNROLL for (size_t r = 0; r < rows; r++) sum[r][v] += bias;
        }
    }
    if (ending->relu) {
        UNROLL for (size_t r = 0; r < rows; r++) {
            UNROLL for (size_t v = 0; v < vectors; v++) sum[r][v] = NAME(zero_where)(sum[r][v] < zero, sum[r][v]);
        }
    }
    if (ending->positive) {
        UNROLL for (size_t r = 0; r < rows; r++) {
            UNROLL for (size_t v = 0; v < vectors; v++) {
                vec below = NAME(load)(ending->positive + r * stride + v * LANES);
                sum[r][v] = NAME(zero_where)(~(below > zero), sum[r][v]);
            }
        }
    }
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++) NAME(store)(out + r * stride + v * LANES, sum[r][v]);
    }
}

#define PRODUCT_(rows, vectors)                                                                                \
    static void NAME(product_##rows##_##vectors)(size_t K, const REAL *const *a, const REAL *panel, REAL *out, \
                                                 size_t stride, const NAME(ending) *ending) {                  \
        NAME(product)(rows, vectors, K, a, panel, out, stride, ending);                                        \
    }
#define PRODUCT(rows) PRODUCT_(rows, 1) PRODUCT_(rows, 2)
PRODUCT(1) PRODUCT(2) PRODUCT(3) PRODUCT(4)
#if TILE_ROWS >= 6
PRODUCT(5) PRODUCT(6)
#endif
#if TILE_ROWS >= 8
PRODUCT(7) PRODUCT(8)
#endif
#if TILE_ROWS >= 12
PRODUCT(9) PRODUCT(10) PRODUCT(11) PRODUCT(12)
#endif

#define KERNELS(name, rows) {NAME(name##_##rows##_1), NAME(name##_##rows##_2)}
static const NAME(product_kernel) NAME(product_kernels)[TILE_ROWS][2] = {
    KERNELS(product, 1), KERNELS(product, 2), KERNELS(product, 3), KERNELS(product, 4),
#if TILE_ROWS >= 6
    KERNELS(product, 5), KERNELS(product, 6),
#endif
#if TILE_ROWS >= 8
    KERNELS(product, 7), KERNELS(product, 8),
#endif
#if TILE_ROWS >= 12
    KERNELS(product, 9), KERNELS(product, 10), KERNELS(product, 11), KERNELS(product, 12),
#endif
};

/// The product of `rows` rows of K numbers with all panels of `columns` columns; `out` and `positive` reach to the end of
/// the last panel.
static void NAME(multiply_rows)(size_t rows, size_t K, const REAL *const *a, const REAL *panels, size_t columns,
                                REAL *out, size_t stride, const NAME(ending) *ending) {
    // Tiles of nearly equal height: a last one of a single row would wait for its own chain.
    size_t tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
    for (size_t panel = 0; panel * PANEL < columns; panel++) {
        const REAL *weights = panels + panel * K * PANEL;
        for (size_t v = 0; v < PANEL_VECTORS && panel * PANEL + v * LANES < columns; v += 2) {
            size_t column = panel * PANEL + v * LANES;
            size_t vectors = v + 1 < PANEL_VECTORS && column + LANES < columns ? 2 : 1;
            NAME(ending) here = *ending;
            if (here.bias) here.bias += column;
            // Of weights that are in the last cache only, the next panel is fetched by two tiles, two lines a row of it.
            int is_far = K * columns * sizeof(REAL) > 2 << 20;
            const REAL *next = is_far && column + PANEL < columns ? weights + K * PANEL : 0;
            for (size_t tile = 0; tile < tiles; tile++) {
                size_t from = rows * tile / tiles, to = rows * (tile + 1) / tiles;
                here.next = next && tile < 2 ? next + tile * (PANEL / 2) : 0;
                if (ending->positive) here.positive = ending->positive + from * stride + column;
                NAME(product_kernels)[to - from - 1][vectors - 1](K, a + from, weights + v * LANES,
                                                                  out + from * stride + column, stride, &here);
            }
        }
    }
}
