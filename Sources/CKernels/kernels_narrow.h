// Layers of fewer than four units, whose Wᵀ is stored as D rows of F padded to whole panels: matrix–vector work, bound
// by the reading of x.
//
// Forward, a sum over F runs in PANEL lanes, element k in lane k mod PANEL, whatever the width of a register, and the
// lanes meet by halves: lane l takes lane l + PANEL/2, then l + PANEL/4, and so on.

/// The first n < LANES numbers at p, zeros behind them; nothing beyond them is read.
INLINE vec NAME(load_first)(const REAL *p, size_t n) {
    vec v = {0};
    for (size_t l = 0; l < LANES; l++) v[l] = l < n ? p[l] : 0;
    return v;
}

INLINE REAL NAME(sum_lanes)(const vec *sums) {
    vec v[PANEL_VECTORS];
    UNROLL for (size_t i = 0; i < PANEL_VECTORS; i++) v[i] = sums[i];
    UNROLL for (size_t half = PANEL_VECTORS / 2; half > 0; half /= 2) {
        UNROLL for (size_t i = 0; i < half; i++) v[i] += v[i + half];
    }
    REAL lanes[LANES];
    NAME(store)(lanes, v[0]);
    UNROLL for (size_t half = LANES / 2; half > 0; half /= 2) {
        UNROLL for (size_t l = 0; l < half; l++) lanes[l] += lanes[l + half];
    }
    return lanes[0];
}

// Sixteen sums in registers where there are thirty-two, eight where there are sixteen.
#define NARROW_ROWS ((CK_VECTOR_BYTES) == 64 ? 8 : 2)

// Rows lying anywhere in memory are fetched a block ahead: the first half of each while sums are made, the second half
// while gradients are, so that memory is never idle (measured on a linear model of 1,000 inputs over shuffled rows:
// 5.8 million rows a second became 6.8).
INLINE void NAME(narrow_dots)(const size_t rows, const int fetches, size_t F, const REAL *const *x, const REAL *w,
                              REAL *out, size_t stride, REAL bias, int relu, const REAL *const *ahead) {
    vec sum[NARROW_ROWS][PANEL_VECTORS];
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < PANEL_VECTORS; v++) sum[r][v] = (vec){0};
    }
    size_t k = 0;
    for (; k + PANEL <= F; k += PANEL) {
        UNROLL for (size_t v = 0; v < PANEL_VECTORS; v++) {
            vec weights = NAME(load)(w + k + v * LANES);
            UNROLL for (size_t r = 0; r < rows; r++)
                sum[r][v] = NAME(fma)(NAME(load)(x[r] + k + v * LANES), weights, sum[r][v]);
        }
        if (fetches) {
            UNROLL for (size_t r = 0; r < rows; r++) __builtin_prefetch(ahead[r] + k / 2, 0, 2);
        }
    }
    if (k < F) {
        // All lanes take part, those past the end with zeros: an addition of zero turns −0 into 0.
        UNROLL for (size_t v = 0; v < PANEL_VECTORS; v++) {
            size_t at = k + v * LANES;
            vec weights = NAME(load)(w + at);
            UNROLL for (size_t r = 0; r < rows; r++) {
                vec values = at + LANES <= F ? NAME(load)(x[r] + at) : NAME(load_first)(x[r] + at, at < F ? F - at : 0);
                sum[r][v] = NAME(fma)(values, weights, sum[r][v]);
            }
        }
    }
    UNROLL for (size_t r = 0; r < rows; r++) {
        REAL y = NAME(sum_lanes)(sum[r]) + bias;
        out[r * stride] = relu && y < 0 ? 0 : y;
    }
}

/// Forward: y = x · W + b for D < 4, with relu where asked. `ahead` has `rows` rows to fetch meanwhile, or is null.
static void NAME(narrow_rows)(size_t rows, size_t F, size_t D, const REAL *const *x, const REAL *w, size_t width,
                              const REAL *bias, int relu, REAL *out, size_t stride, const REAL *const *ahead) {
    for (size_t d = 0; d < D; d++) {
        REAL b = bias ? bias[d] : 0;
        size_t r = 0;
        for (; r + NARROW_ROWS <= rows; r += NARROW_ROWS) {
            const REAL *const *some = x + r;
            REAL *y = out + r * stride + d;
            if (ahead && d == 0)
                NAME(narrow_dots)(NARROW_ROWS, 1, F, some, w + d * width, y, stride, b, relu, ahead + r);
            else
                NAME(narrow_dots)(NARROW_ROWS, 0, F, some, w + d * width, y, stride, b, relu, 0);
        }
        for (; r < rows; r++) NAME(narrow_dots)(1, 0, F, x + r, w + d * width, out + r * stride + d, stride, b, relu, 0);
    }
}

/// dX = dY · Wᵀ for D < 4 over whole panels of F; `positive` as in `ending`.
static void NAME(narrow_input_error)(size_t rows, size_t D, const REAL *const *delta, const REAL *w, size_t width,
                                     REAL *out, size_t stride, const REAL *positive) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < width; i += LANES) {
            vec sum = {0};
            for (size_t d = 0; d < D; d++) sum = NAME(fma)(NAME(splat)(delta[r][d]), NAME(load)(w + d * width + i), sum);
            if (positive) sum = NAME(zero_where)(~(NAME(load)(positive + r * stride + i) > (vec){0}), sum);
            NAME(store)(out + r * stride + i, sum);
        }
    }
}

// Up to four vectors of inputs of one unit's gradient.
INLINE void NAME(narrow_gradient_block)(const size_t vectors, const int fetches, size_t rows, const REAL *const *x,
                                        size_t input, size_t last, const REAL *const *delta, size_t d,
                                        const REAL *start, REAL *out, const REAL *const *ahead) {
    vec sum[4];
    UNROLL for (size_t v = 0; v < vectors; v++) sum[v] = start ? NAME(load)(start + v * LANES) : (vec){0};
    for (size_t r = 0; r < rows; r++) {
        vec factor = NAME(splat)(delta[r][d]);
        const REAL *row = x[r] + input;
        if (fetches) {
            UNROLL for (size_t line = 0; line < 2 * CK_VECTOR_BYTES; line += 64)
                __builtin_prefetch((const char *)(ahead[r] + input / 2) + line, 0, 2);
        }
        UNROLL for (size_t v = 0; v < vectors; v++) {
            vec values = v + 1 < vectors || last == LANES ? NAME(load)(row + v * LANES)
                                                          : NAME(load_first)(row + v * LANES, last);
            sum[v] = NAME(fma)(values, factor, sum[v]);
        }
    }
    UNROLL for (size_t v = 0; v < vectors; v++) NAME(store)(out + v * LANES, sum[v]);
}

/// One unit's xᵀ · dY over `rows` rows for inputs from ..< to ≤ F, in out[0...]; `start` continues earlier chains.
/// `ahead` has the second halves of `rows` rows to fetch meanwhile, or is null.
static void NAME(narrow_gradient)(size_t rows, size_t F, const REAL *const *x, size_t from, size_t to,
                                  const REAL *const *delta, size_t d, const REAL *start, REAL *out,
                                  const REAL *const *ahead) {
    if (to > F) to = F;
    for (size_t i = from; i < to;) {
        const REAL *begin = start ? start + (i - from) : 0;
        if (i + 4 * LANES <= to) {
            if (ahead) NAME(narrow_gradient_block)(4, 1, rows, x, i, LANES, delta, d, begin, out + (i - from), ahead);
            else NAME(narrow_gradient_block)(4, 0, rows, x, i, LANES, delta, d, begin, out + (i - from), 0);
            i += 4 * LANES;
        } else {
            size_t last = to - i < LANES ? to - i : LANES;
            NAME(narrow_gradient_block)(1, 0, rows, x, i, last, delta, d, begin, out + (i - from), 0);
            i += LANES;
        }
    }
}
