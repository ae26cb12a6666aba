// Layers of fewer than four units, whose Wᵀ is stored as D rows of F padded to whole panels: matrix–vector work, bound
// by the reading of x.
//
// Forward, a sum over F runs in PANEL lanes, element k in lane k mod PANEL, whatever the width of a register, and the
// lanes meet by halves: lane l takes lane l + PANEL/2, then l + PANEL/4, and so on.

/// The first n < LANES numbers at p, zeros behind them; nothing beyond them is read.
INLINE vec load_first(const REAL *p, size_t n) {
    vec v = {0};
    for (size_t l = 0; l < LANES; l++) v[l] = l < n ? p[l] : 0;
    return v;
}

INLINE REAL sum_lanes(const vec *sums) {
    vec v[PANEL_VECTORS];
    UNROLL for (size_t i = 0; i < PANEL_VECTORS; i++) v[i] = sums[i];
    UNROLL for (size_t half = PANEL_VECTORS / 2; half > 0; half /= 2) {
        UNROLL for (size_t i = 0; i < half; i++) v[i] += v[i + half];
    }
    REAL lanes[LANES];
    store(lanes, v[0]);
    UNROLL for (size_t half = LANES / 2; half > 0; half /= 2) {
        UNROLL for (size_t l = 0; l < half; l++) lanes[l] += lanes[l + half];
    }
    return lanes[0];
}

// The number of rows at once keeps 16 sums in the 32 registers of AVX-512, and 8 sums in the 16 registers of AVX2.
#define NARROW_ROWS ((CK_VECTOR_BYTES) == 64 ? 8 : 2)

// Rows lying anywhere in memory are fetched a block ahead: the first half of each while sums are made, the second half
// while gradients are, so that memory is never idle (measured on a linear model of 1,000 inputs over shuffled rows:
// 5.8 million rows a second became 6.8).
INLINE void narrow_dots(const size_t rows, const int fetches, size_t F, const REAL *const *x, size_t x_panel,
                        const REAL *w, REAL *out, size_t stride, REAL bias, int relu, const REAL *const *ahead) {
    vec sum[NARROW_ROWS][PANEL_VECTORS];
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < PANEL_VECTORS; v++) sum[r][v] = (vec){0};
    }
    size_t k = 0, place = 0;
    for (; k + PANEL <= F; k += PANEL, place += x_panel) {
        UNROLL for (size_t v = 0; v < PANEL_VECTORS; v++) {
            vec weights = load(w + k + v * LANES);
            UNROLL for (size_t r = 0; r < rows; r++)
                sum[r][v] = fmav(load(x[r] + place + v * LANES), weights, sum[r][v]);
        }
        if (fetches) {
            UNROLL for (size_t r = 0; r < rows; r++) __builtin_prefetch(ahead[r] + k / 2, 0, 2);
        }
    }
    if (k < F) {
        // All lanes take part, those past the end with zeros: an addition of zero turns −0 into 0.
        UNROLL for (size_t v = 0; v < PANEL_VECTORS; v++) {
            size_t at = k + v * LANES;
            vec weights = load(w + at);
            UNROLL for (size_t r = 0; r < rows; r++) {
                const REAL *numbers = x[r] + place + v * LANES;
                vec values = at + LANES <= F ? load(numbers) : load_first(numbers, at < F ? F - at : 0);
                sum[r][v] = fmav(values, weights, sum[r][v]);
            }
        }
    }
    UNROLL for (size_t r = 0; r < rows; r++) {
        REAL y = sum_lanes(sum[r]) + bias;
        out[r * stride] = relu && y < 0 ? 0 : y;
    }
}

/// Forward: y = x · W + b for D < 4, with relu where asked. Row r's numbers of panel p are at x[r][p · x_panel] and after.
/// `ahead` has `rows` rows to fetch meanwhile, or is null.
static void narrow_rows(size_t rows, size_t F, size_t D, const REAL *const *x, size_t x_panel, const REAL *w, size_t width,
                        const REAL *bias, int relu, REAL *out, size_t stride, const REAL *const *ahead) {
    for (size_t d = 0; d < D; d++) {
        REAL b = bias ? bias[d] : 0;
        const REAL *weights = w + d * width;
        REAL *y = out + d;
        size_t r = 0;
        for (; r + NARROW_ROWS <= rows; r += NARROW_ROWS) {
            if (ahead && d == 0)
                narrow_dots(NARROW_ROWS, 1, F, x + r, x_panel, weights, y + r * stride, stride, b, relu, ahead + r);
            else
                narrow_dots(NARROW_ROWS, 0, F, x + r, x_panel, weights, y + r * stride, stride, b, relu, 0);
        }
        for (; r < rows; r++) narrow_dots(1, 0, F, x + r, x_panel, weights, y + r * stride, stride, b, relu, 0);
    }
}

/// dX = dY · Wᵀ for D < 4 over panels from ..< to of the inputs; rows of dY are `stride` apart, panels of `out` and of
/// `positive`, which is as in `ending`, `out_panel`.
static void narrow_input_error(size_t rows, size_t D, const REAL *delta, size_t stride, const REAL *w, size_t width,
                               size_t from, size_t to, REAL *out, size_t out_panel, const REAL *positive) {
    for (size_t i = from * PANEL; i < to * PANEL; i += LANES) {
        size_t place = i / PANEL * out_panel + i % PANEL;
        for (size_t r = 0; r < rows; r++) {
            vec sum = {0};
            for (size_t d = 0; d < D; d++) sum = fmav(splat(delta[r * stride + d]), load(w + d * width + i), sum);
            if (positive) sum = zero_where(~(load(positive + place + r * PANEL) > (vec){0}), sum);
            store(out + place + r * PANEL, operand(sum));
        }
    }
}

// Up to four vectors of inputs of one unit's gradient; `delta` is at the unit.
INLINE void narrow_gradient_block(const size_t vectors, const int fetches, size_t rows, const REAL *const *x,
                                  size_t x_panel, size_t input, size_t last, const REAL *delta, size_t stride,
                                  const REAL *start, REAL *out, const REAL *const *ahead) {
    vec sum[4];
    size_t place[4];
    UNROLL for (size_t v = 0; v < vectors; v++) {
        size_t at = input + v * LANES;
        place[v] = at / PANEL * x_panel + at % PANEL;
        sum[v] = start ? load(start + v * LANES) : (vec){0};
    }
    for (size_t r = 0; r < rows; r++) {
        vec factor = splat(delta[r * stride]);
        if (fetches) {
            UNROLL for (size_t line = 0; line < 2 * CK_VECTOR_BYTES; line += 64)
                __builtin_prefetch((const char *)(ahead[r] + input / 2) + line, 0, 2);
        }
        UNROLL for (size_t v = 0; v < vectors; v++) {
            const REAL *numbers = x[r] + place[v];
            vec values = v + 1 < vectors || last == LANES ? load(numbers) : load_first(numbers, last);
            sum[v] = fmav(values, factor, sum[v]);
        }
    }
    UNROLL for (size_t v = 0; v < vectors; v++) store(out + v * LANES, sum[v]);
}

/// One unit's xᵀ · dY over `rows` rows for inputs from ..< to ≤ F, in out[0...]; `start` continues earlier chains.
/// `ahead` has the second halves of `rows` rows to fetch meanwhile, or is null.
static void narrow_gradient(size_t rows, size_t F, const REAL *const *x, size_t x_panel, size_t from, size_t to,
                            const REAL *delta, size_t stride, const REAL *start, REAL *out, const REAL *const *ahead) {
    if (to > F) to = F;
    for (size_t i = from; i < to;) {
        const REAL *begin = start ? start + (i - from) : 0;
        REAL *sums = out + (i - from);
        if (i + 4 * LANES <= to) {
            if (ahead) narrow_gradient_block(4, 1, rows, x, x_panel, i, LANES, delta, stride, begin, sums, ahead);
            else narrow_gradient_block(4, 0, rows, x, x_panel, i, LANES, delta, stride, begin, sums, 0);
            i += 4 * LANES;
        } else {
            size_t last = to - i < LANES ? to - i : LANES;
            narrow_gradient_block(1, 0, rows, x, x_panel, i, last, delta, stride, begin, sums, 0);
            i += LANES;
        }
    }
}
