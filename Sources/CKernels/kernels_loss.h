// The losses of a block of rows, each with its row's unscaled error, and the links that turn outputs into predictions.
//
// A row is summed in 16 stripes (output k goes to stripe k mod 16) that a fixed tree closes: the same bits
// whatever the vector's width.

#define CK_STRIPES 16
#define CK_PARTS (CK_STRIPES / LANES)
#define wide NAME(wide)

typedef struct wide {
    vec part[CK_STRIPES / (CK_VECTOR_BYTES / sizeof(REAL))];
} wide;

INLINE wide NAME(wide_splat)(REAL x) {
    wide w;
    for (size_t i = 0; i < CK_PARTS; i++) w.part[i] = NAME(splat)(x);
    return w;
}

static const REAL_INT NAME(stripe_numbers)[CK_STRIPES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/// Set where a stripe's number is below `count`.
INLINE ivec NAME(stripes_below)(size_t part, size_t count) {
    return *(const ivec *)(NAME(stripe_numbers) + part * LANES) < (REAL_INT)count;
}

/// Up to 16 numbers; what is beyond `count` is `fill`.
INLINE wide NAME(wide_load)(const REAL *p, size_t count, REAL fill) {
    wide w = NAME(wide_splat)(fill);
    if (count >= CK_STRIPES) memcpy(&w, p, sizeof w);
    else NAME(copy_few)((REAL *)&w, p, count);
    return w;
}

/// The same from a row that is `room` numbers long, padding included: where the padding allows, one load.
INLINE wide NAME(row_load)(const REAL *p, size_t count, size_t room, REAL fill) {
    if (count >= CK_STRIPES || room < CK_STRIPES) return NAME(wide_load)(p, count, fill);
    wide w;
    memcpy(&w, p, sizeof w);
    for (size_t i = 0; i < CK_PARTS; i++) {
        w.part[i] = NAME(select)(NAME(stripes_below)(i, count), w.part[i], NAME(splat)(fill));
    }
    return w;
}

INLINE void NAME(wide_store)(REAL *p, size_t count, wide w) {
    if (count >= CK_STRIPES) memcpy(p, &w, sizeof w);
    else NAME(copy_few)(p, (const REAL *)&w, count);
}

/// The same into a row that is `room` numbers long; the padding keeps its numbers.
INLINE void NAME(row_store)(REAL *p, size_t count, size_t room, wide w) {
    if (count < CK_STRIPES && room >= CK_STRIPES) {
        wide old;
        memcpy(&old, p, sizeof old);
        for (size_t i = 0; i < CK_PARTS; i++) {
            w.part[i] = NAME(select)(NAME(stripes_below)(i, count), w.part[i], old.part[i]);
        }
        count = CK_STRIPES;
    }
    NAME(wide_store)(p, count, w);
}

INLINE REAL NAME(wide_sum)(wide w) {
    REAL s[CK_STRIPES];
    memcpy(s, &w, sizeof s);
    for (size_t half = CK_STRIPES / 2; half > 0; half /= 2) {
        for (size_t i = 0; i < half; i++) s[i] += s[i + half];
    }
    return s[0];
}

INLINE REAL NAME(wide_max)(wide w) {
    REAL s[CK_STRIPES];
    memcpy(s, &w, sizeof s);
    for (size_t half = CK_STRIPES / 2; half > 0; half /= 2) {
        for (size_t i = 0; i < half; i++) s[i] = s[i + half] > s[i] ? s[i + half] : s[i];
    }
    return s[0];
}

/// The largest of a row; NaNs are passed over.
INLINE REAL NAME(row_max)(size_t outputs, size_t room, const REAL *y) {
    wide most = NAME(wide_splat)(-CK_INFINITY);
    for (size_t k = 0; k < outputs; k += CK_STRIPES) {
        wide w = NAME(row_load)(y + k, outputs - k, room - k, -CK_INFINITY);
        for (size_t i = 0; i < CK_PARTS; i++) {
            most.part[i] = NAME(select)(w.part[i] > most.part[i], w.part[i], most.part[i]);
        }
    }
    return NAME(wide_max)(most);
}

/// Stores exp(y − most) to `e`, unless it is NULL, and returns the sum.
INLINE REAL NAME(row_exp)(size_t outputs, size_t room, const REAL *y, REAL most, REAL *e) {
    wide sum = NAME(wide_splat)(0);
    for (size_t k = 0; k < outputs; k += CK_STRIPES) {
        wide w = NAME(row_load)(y + k, outputs - k, room - k, -CK_INFINITY);
        for (size_t i = 0; i < CK_PARTS; i++) {
            w.part[i] = NAME(exp)(w.part[i] - most);
            sum.part[i] += w.part[i];
        }
        if (e) NAME(row_store)(e + k, outputs - k, room - k, w);
    }
    return NAME(wide_sum)(sum);
}

INLINE REAL NAME(log_of)(REAL x) { return NAME(log)(NAME(splat)(x))[0]; }

/// Cross-entropy of one row with a class: y may be the same memory as dy.
INLINE REAL NAME(class_cross_entropy)(const ck_loss *loss, size_t room, const REAL *y, int32_t class, REAL weight,
                                       REAL *dy) {
    const size_t outputs = loss->outputs;
    const REAL smooth = (REAL)loss->smoothing, share = (REAL)(loss->smoothing / (double)outputs);
    const REAL most = NAME(row_max)(outputs, room, y);
    REAL distance = (y[class] - most) * (1 - smooth);
    if (smooth > 0) {
        wide total = NAME(wide_splat)(0);
        for (size_t k = 0; k < outputs; k += CK_STRIPES) {
            wide w = NAME(row_load)(y + k, outputs - k, room - k, most);
            for (size_t i = 0; i < CK_PARTS; i++) total.part[i] += w.part[i] - most;
        }
        distance = NAME(fma1)(share, NAME(wide_sum)(total), distance);
    }
    const REAL sum = NAME(row_exp)(outputs, room, y, most, dy);
    if (dy) {
        const REAL factor = weight / sum, rest = share * weight;
        for (size_t k = 0; k < outputs; k += CK_STRIPES) {
            wide w = NAME(row_load)(dy + k, outputs - k, room - k, 0);
            for (size_t i = 0; i < CK_PARTS; i++) {
                w.part[i] = NAME(fma)(w.part[i], NAME(splat)(factor), NAME(splat)(-rest));
            }
            NAME(row_store)(dy + k, outputs - k, room - k, w);
        }
        dy[class] -= (1 - smooth) * weight;
    }
    return NAME(log_of)(sum) - distance;
}

/// Cross-entropy of one row with a distribution over the classes: y may be the same memory as dy.
INLINE REAL NAME(soft_cross_entropy)(const ck_loss *loss, size_t room, const REAL *y, const REAL *t, REAL weight,
                                      REAL *dy) {
    const size_t outputs = loss->outputs;
    const REAL smooth = (REAL)loss->smoothing, share = (REAL)(loss->smoothing / (double)outputs);
    const REAL most = NAME(row_max)(outputs, room, y);
    wide targets = NAME(wide_splat)(0), hit = targets, all = targets;
    for (size_t k = 0; k < outputs; k += CK_STRIPES) {
        wide w = NAME(row_load)(y + k, outputs - k, room - k, most), q = NAME(wide_load)(t + k, outputs - k, 0);
        for (size_t i = 0; i < CK_PARTS; i++) {
            vec distance = w.part[i] - most;
            targets.part[i] += q.part[i];
            hit.part[i] = NAME(fma)(q.part[i], distance, hit.part[i]);
            all.part[i] += distance;
        }
    }
    const REAL total = NAME(fma1)(NAME(wide_sum)(targets), 1 - smooth, smooth);
    REAL distance = NAME(wide_sum)(hit) * (1 - smooth);
    if (smooth > 0) distance = NAME(fma1)(share, NAME(wide_sum)(all), distance);
    const REAL sum = NAME(row_exp)(outputs, room, y, most, dy);
    if (dy) {
        const REAL factor = total * weight / sum, rest = share * weight, keep = (1 - smooth) * weight;
        for (size_t k = 0; k < outputs; k += CK_STRIPES) {
            wide w = NAME(row_load)(dy + k, outputs - k, room - k, 0), q = NAME(wide_load)(t + k, outputs - k, 0);
            for (size_t i = 0; i < CK_PARTS; i++) {
                vec d = NAME(fma)(w.part[i], NAME(splat)(factor), NAME(splat)(-rest));
                w.part[i] = NAME(fma)(q.part[i], NAME(splat)(-keep), d);
            }
            NAME(row_store)(dy + k, outputs - k, room - k, w);
        }
    }
    return NAME(fma1)(NAME(log_of)(sum), total, -distance);
}

/// Crammer and Singer's hinge of one row: max(0, 1 + the largest other output − the class's own).
INLINE REAL NAME(class_hinge)(const ck_loss *loss, const REAL *y, int32_t class, REAL weight, REAL *dy) {
    size_t rival = class == 0;
    for (size_t k = 0; k < loss->outputs; k++) {
        if (k != (size_t)class && y[k] > y[rival]) rival = k;
    }
    const REAL margin = 1 + y[rival] - y[class];
    if (dy) {
        memset(dy, 0, loss->outputs * sizeof(REAL));
        if (!(margin <= 0)) {
            dy[rival] = weight;
            dy[class] = -weight;
        }
    }
    return margin <= 0 ? 0 : margin;
}

/// The losses that are sums over outputs: ℓ(y, t) of each lane, and ∂ℓ/∂y in `error`.
INLINE vec NAME(element_loss)(const ck_loss *loss, vec y, vec t, vec *error) {
    const vec zero = NAME(splat)(0);
    switch (loss->type) {
    case CK_BCE: {
        const REAL smooth = (REAL)loss->smoothing;
        vec target = smooth > 0 ? NAME(fma)(t, NAME(splat)(1 - smooth), NAME(splat)(smooth / 2)) : t;
        vec e;
        vec probability = NAME(sigmoid_and_exp)(y, &e);
        vec both = NAME(log1p)(e);
        *error = probability - target;
        // −t·log(sigmoid(y)) − (1 − t)·log(sigmoid(−y)): two terms of one sign, of which none cancels.
        return NAME(fma)(1 - target, NAME(at_least)(y, 0) + both, target * (NAME(at_least)(-y, 0) + both));
    }
    case CK_HINGE: {
        vec side = t * 2 - 1;
        vec margin = 1 - side * y;
        *error = NAME(select)(margin <= 0, zero, -side);
        return NAME(select)(margin <= 0, zero, margin);
    }
    case CK_MAE: {
        vec d = y - t;
        *error = NAME(select)(d > 0, NAME(splat)(1), NAME(select)(d < 0, NAME(splat)(-1), d));
        return NAME(absolute)(d);
    }
    case CK_HUBER: {
        const REAL delta = (REAL)loss->delta;
        vec d = y - t, size = NAME(absolute)(d);
        *error = NAME(at_least)(NAME(at_most)(d, delta), -delta);
        return NAME(select)(size > delta, (size - delta / 2) * delta, d * d * (REAL)0.5);
    }
    case CK_POISSON: {
        vec mean = NAME(exp)(y);
        *error = mean - t;
        return NAME(fma)(-t, y, mean);
    }
    case CK_QUANTILE: {
        const REAL above = (REAL)loss->quantile, below = (REAL)(loss->quantile - 1);
        vec d = t - y;
        *error = NAME(select)(d > 0, NAME(splat)(-above), NAME(select)(d < 0, NAME(splat)(-below), d));
        return d * NAME(select)(d > 0, NAME(splat)(above), NAME(splat)(below));
    }
    default: {
        vec d = y - t;
        *error = d * 2;
        return d * d;
    }
    }
}

/// One row of a loss that is the mean over its outputs: y may be the same memory as dy.
INLINE REAL NAME(mean_loss)(const ck_loss *loss, size_t room, const REAL *y, const REAL *t, REAL weight, REAL *dy) {
    const size_t outputs = loss->outputs;
    const REAL share = (REAL)(1 / (double)outputs), scale = weight * share;
    wide sum = NAME(wide_splat)(0);
    for (size_t k = 0; k < outputs; k += CK_STRIPES) {
        wide w = NAME(row_load)(y + k, outputs - k, room - k, 0), target = NAME(wide_load)(t + k, outputs - k, 0), losses;
        for (size_t i = 0; i < CK_PARTS; i++) {
            vec error;
            losses.part[i] = NAME(element_loss)(loss, w.part[i], target.part[i], &error);
            w.part[i] = error * scale;
        }
        // A stripe beyond the row's end has a loss of its own, which must not count.
        losses = NAME(wide_load)((const REAL *)&losses, outputs - k, 0);
        for (size_t i = 0; i < CK_PARTS; i++) sum.part[i] += losses.part[i];
        if (dy) NAME(row_store)(dy + k, outputs - k, room - k, w);
    }
    return NAME(wide_sum)(sum) * share;
}

/// Rows of a single output, a row a lane: the same numbers as row by row. Errors take the outputs' place if asked for.
static void NAME(single_output_losses)(const ck_loss *loss, const REAL *targets, size_t rows, REAL *y, size_t stride,
                                       int errors, double *losses, const double *weights) {
    for (size_t row = 0; row < rows; row += LANES) {
        const size_t count = rows - row < LANES ? rows - row : LANES;
        // Through memory: single lanes are slow to reach.
        REAL outputs[CK_VECTOR_BYTES / sizeof(REAL)] = {0}, loss_of[CK_VECTOR_BYTES / sizeof(REAL)];
        for (size_t i = 0; i < count; i++) outputs[i] = y[(row + i) * stride];
        const vec wanted = count == LANES ? NAME(load)(targets + row) : NAME(load_part)(targets + row, count, 0);
        vec error;
        NAME(store)(loss_of, NAME(element_loss)(loss, NAME(load)(outputs), wanted, &error));
        NAME(store)(outputs, error);
        for (size_t i = 0; i < count; i++) {
            losses[row + i] = (double)loss_of[i] * weights[row + i];
            if (errors) y[(row + i) * stride] = outputs[i] * (REAL)weights[row + i];
        }
    }
}

/// The weight that a row's loss has: its own times that of its class, or of its mixture of classes.
INLINE REAL NAME(row_weight)(const ck_loss *loss, const ck_targets *targets, size_t row) {
    const REAL *own = targets->weights, *of_class = loss->class_weights;
    const REAL weight = own ? own[row] : 1;
    if (!of_class) return weight;
    if (targets->classes) return weight * of_class[targets->classes[row]];
    if (!targets->values || loss->type != CK_CROSS_ENTROPY) return weight;
    const REAL *t = (const REAL *)targets->values + row * loss->outputs;
    REAL sum = 0;
    for (size_t k = 0; k < loss->outputs; k++) sum = NAME(fma1)(t[k], of_class[k], sum);
    return weight * sum;
}

INLINE void NAME(apply_link)(const ck_loss *loss, size_t room, REAL *y) {
    const size_t outputs = loss->outputs;
    switch (loss->link) {
    case CK_LINK_IDENTITY: break;
    case CK_LINK_SIGMOID: CK_APPLY(outputs, y, y, NAME(sigmoid)); break;
    case CK_LINK_EXP: CK_APPLY(outputs, y, y, NAME(exp)); break;
    case CK_LINK_SOFTMAX: {
        const REAL sum = NAME(row_exp)(outputs, room, y, NAME(row_max)(outputs, room, y), y);
        for (size_t k = 0; k < outputs; k++) y[k] /= sum;
    }
    }
}

/// Turns the outputs `y` of rows first..<first+rows of a batch into `result`, in place, and sets losses[r] to the row's
/// loss times its weight and weights[r] to that weight (its own times its class's) for r < rows. `y` holds the rows from
/// `first` on, `stride` apart; only D numbers of each are touched. Without targets, only the link is applied.
static void NAME(loss_rows)(const ck_loss *loss, ck_loss_result result, const ck_targets *targets, size_t first,
                            size_t rows, REAL *y, size_t stride, double *losses, double *weights) {
    const int errors = result == CK_OUTPUT_ERROR, known = targets->classes || targets->values;
    for (size_t r = 0; r < rows; r++) {
        weights[r] = (double)NAME(row_weight)(loss, targets, first + r);
        losses[r] = 0;
    }
    if (targets->values && loss->outputs == 1) {
        NAME(single_output_losses)(loss, (const REAL *)targets->values + first, rows, y, stride, errors, losses, weights);
    } else if (known) {
        for (size_t r = 0; r < rows; r++) {
            REAL *row = y + r * stride, *dy = errors ? row : NULL, weight = (REAL)weights[r], value;
            const REAL *values = targets->values, *t = values ? values + (first + r) * loss->outputs : NULL;
            const int32_t class = t ? 0 : targets->classes[first + r];
            if (loss->type == CK_CROSS_ENTROPY) {
                value = t ? NAME(soft_cross_entropy)(loss, stride, row, t, weight, dy)
                          : NAME(class_cross_entropy)(loss, stride, row, class, weight, dy);
            } else {
                value = t ? NAME(mean_loss)(loss, stride, row, t, weight, dy) : NAME(class_hinge)(loss, row, class, weight, dy);
            }
            losses[r] = (double)value * weights[r];
        }
    }
    if (errors) return;
    for (size_t r = 0; r < rows; r++) NAME(apply_link)(loss, stride, y + r * stride);
}

#undef wide
#undef CK_STRIPES
#undef CK_PARTS

// Those of kernels_math.h and kernels_activation.h, which this header is the last to use.
#undef CK_POLYNOMIAL
#undef CK_PICK
#undef CK_MANTISSA_BITS
#undef CK_EXPONENT_BIAS
#undef CK_ROUNDER
#undef CK_MIN_NORMAL
#undef CK_LN2_HIGH
#undef CK_LN2_LOW
#undef CK_SIGN_BIT
#undef CK_INFINITY
#undef CK_NAN
#undef CK_TERMS
#undef CK_APPLY
#undef CK_APPLY_GRADIENT
