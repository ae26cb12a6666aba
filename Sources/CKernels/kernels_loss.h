// The losses of a block of rows, each with its row's unscaled error, and the links that turn outputs into predictions.
//
// A row is summed in 16 stripes (output k goes to stripe k mod 16) that a fixed tree closes: the same bits
// whatever the vector's width.

#define CK_STRIPES 16
#define CK_PARTS (CK_STRIPES / LANES)


typedef struct wide {
    vec part[CK_STRIPES / (CK_VECTOR_BYTES / sizeof(REAL))];
} wide;

INLINE wide wide_splat(REAL x) {
    wide w;
    for (size_t i = 0; i < CK_PARTS; i++) w.part[i] = splat(x);
    return w;
}

static const REAL_INT stripe_numbers[CK_STRIPES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/// Set where a stripe's number is below `count`.
INLINE ivec stripes_below(size_t part, size_t count) {
    return *(const ivec *)(stripe_numbers + part * LANES) < (REAL_INT)count;
}

/// Up to 16 numbers; what is beyond `count` is `fill`.
INLINE wide wide_load(const REAL *p, size_t count, REAL fill) {
    wide w = wide_splat(fill);
    if (count >= CK_STRIPES) memcpy(&w, p, sizeof w);
    else copy_few((REAL *)&w, p, count);
    return w;
}

/// The same from a row that is `room` numbers long, padding included: where the padding allows, one load.
INLINE wide row_load(const REAL *p, size_t count, size_t room, REAL fill) {
    if (count >= CK_STRIPES || room < CK_STRIPES) return wide_load(p, count, fill);
    wide w;
    memcpy(&w, p, sizeof w);
    for (size_t i = 0; i < CK_PARTS; i++) {
        w.part[i] = select(stripes_below(i, count), w.part[i], splat(fill));
    }
    return w;
}

INLINE void wide_store(REAL *p, size_t count, wide w) {
    if (count >= CK_STRIPES) memcpy(p, &w, sizeof w);
    else copy_few(p, (const REAL *)&w, count);
}

/// The same into a row that is `room` numbers long; the padding keeps its numbers.
INLINE void row_store(REAL *p, size_t count, size_t room, wide w) {
    if (count < CK_STRIPES && room >= CK_STRIPES) {
        wide old;
        memcpy(&old, p, sizeof old);
        for (size_t i = 0; i < CK_PARTS; i++) {
            w.part[i] = select(stripes_below(i, count), w.part[i], old.part[i]);
        }
        count = CK_STRIPES;
    }
    wide_store(p, count, w);
}

INLINE REAL wide_sum(wide w) {
    REAL s[CK_STRIPES];
    memcpy(s, &w, sizeof s);
    for (size_t half = CK_STRIPES / 2; half > 0; half /= 2) {
        for (size_t i = 0; i < half; i++) s[i] += s[i + half];
    }
    return s[0];
}

INLINE REAL wide_max(wide w) {
    REAL s[CK_STRIPES];
    memcpy(s, &w, sizeof s);
    for (size_t half = CK_STRIPES / 2; half > 0; half /= 2) {
        for (size_t i = 0; i < half; i++) s[i] = s[i + half] > s[i] ? s[i + half] : s[i];
    }
    return s[0];
}

/// The largest of a row; NaNs are passed over.
INLINE REAL row_max(size_t outputs, size_t room, const REAL *y) {
    wide most = wide_splat(-CK_INFINITY);
    for (size_t k = 0; k < outputs; k += CK_STRIPES) {
        wide w = row_load(y + k, outputs - k, room - k, -CK_INFINITY);
        for (size_t i = 0; i < CK_PARTS; i++) {
            most.part[i] = select(w.part[i] > most.part[i], w.part[i], most.part[i]);
        }
    }
    return wide_max(most);
}

/// Stores exp(y − most) to `e`, unless it is NULL, and returns the sum.
INLINE REAL row_exp(size_t outputs, size_t room, const REAL *y, REAL most, REAL *e) {
    wide sum = wide_splat(0);
    for (size_t k = 0; k < outputs; k += CK_STRIPES) {
        wide w = row_load(y + k, outputs - k, room - k, -CK_INFINITY);
        for (size_t i = 0; i < CK_PARTS; i++) {
            // Beyond the row's end exp(−∞) is 0, which need not be computed.
            w.part[i] = i * LANES < outputs - k ? expv(w.part[i] - most) : splat(0);
            sum.part[i] += w.part[i];
        }
        if (e) row_store(e + k, outputs - k, room - k, w);
    }
    return wide_sum(sum);
}

INLINE REAL log_of(REAL x) { return logv(splat(x))[0]; }

/// Whether the cross-entropy of a row leaves its softmax in the outputs' place, whose exponentials it has anyway.
INLINE int leaves_softmax(const ck_loss *loss, ck_loss_result result) {
    return result == CK_PREDICTION && loss->type == CK_CROSS_ENTROPY && loss->link == CK_LINK_SOFTMAX;
}

INLINE void divide_row(size_t outputs, REAL *y, REAL sum) {
    for (size_t k = 0; k < outputs; k++) y[k] /= sum;
}

/// Cross-entropy of one row with a class. In the outputs' place it leaves their errors, their softmax, or themselves.
INLINE REAL class_cross_entropy(const ck_loss *loss, ck_loss_result result, size_t room, REAL *y, int32_t class,
                                REAL weight) {
    const size_t outputs = loss->outputs;
    const REAL smooth = (REAL)loss->smoothing, share = (REAL)(loss->smoothing / (double)outputs);
    const REAL most = row_max(outputs, room, y);
    REAL distance = (y[class] - most) * (1 - smooth);
    if (smooth > 0) {
        wide total = wide_splat(0);
        for (size_t k = 0; k < outputs; k += CK_STRIPES) {
            wide w = row_load(y + k, outputs - k, room - k, most);
            for (size_t i = 0; i < CK_PARTS; i++) total.part[i] += w.part[i] - most;
        }
        distance = fma1(share, wide_sum(total), distance);
    }
    const int errors = result == CK_OUTPUT_ERROR, softmax = leaves_softmax(loss, result);
    const REAL sum = row_exp(outputs, room, y, most, errors || softmax ? y : NULL);
    if (errors) {
        const REAL factor = weight / sum, rest = share * weight;
        for (size_t k = 0; k < outputs; k += CK_STRIPES) {
            wide w = row_load(y + k, outputs - k, room - k, 0);
            for (size_t i = 0; i < CK_PARTS; i++) {
                w.part[i] = fmav(w.part[i], splat(factor), splat(-rest));
            }
            row_store(y + k, outputs - k, room - k, w);
        }
        y[class] -= (1 - smooth) * weight;
    }
    if (softmax) divide_row(outputs, y, sum);
    return log_of(sum) - distance;
}

/// The same with a distribution over the classes.
INLINE REAL soft_cross_entropy(const ck_loss *loss, ck_loss_result result, size_t room, REAL *y, const REAL *t,
                               REAL weight) {
    const size_t outputs = loss->outputs;
    const REAL smooth = (REAL)loss->smoothing, share = (REAL)(loss->smoothing / (double)outputs);
    const REAL most = row_max(outputs, room, y);
    wide targets = wide_splat(0), hit = targets, all = targets;
    for (size_t k = 0; k < outputs; k += CK_STRIPES) {
        wide w = row_load(y + k, outputs - k, room - k, most), q = wide_load(t + k, outputs - k, 0);
        for (size_t i = 0; i < CK_PARTS; i++) {
            vec distance = w.part[i] - most;
            targets.part[i] += q.part[i];
            hit.part[i] = fmav(q.part[i], distance, hit.part[i]);
            all.part[i] += distance;
        }
    }
    const REAL total = fma1(wide_sum(targets), 1 - smooth, smooth);
    REAL distance = wide_sum(hit) * (1 - smooth);
    if (smooth > 0) distance = fma1(share, wide_sum(all), distance);
    const int errors = result == CK_OUTPUT_ERROR, softmax = leaves_softmax(loss, result);
    const REAL sum = row_exp(outputs, room, y, most, errors || softmax ? y : NULL);
    if (errors) {
        const REAL factor = total * weight / sum, rest = share * weight, keep = (1 - smooth) * weight;
        for (size_t k = 0; k < outputs; k += CK_STRIPES) {
            wide w = row_load(y + k, outputs - k, room - k, 0), q = wide_load(t + k, outputs - k, 0);
            for (size_t i = 0; i < CK_PARTS; i++) {
                vec d = fmav(w.part[i], splat(factor), splat(-rest));
                w.part[i] = fmav(q.part[i], splat(-keep), d);
            }
            row_store(y + k, outputs - k, room - k, w);
        }
    }
    if (softmax) divide_row(outputs, y, sum);
    return fma1(log_of(sum), total, -distance);
}

/// Crammer and Singer's hinge of one row: max(0, 1 + the largest other output − the class's own).
INLINE REAL class_hinge(const ck_loss *loss, const REAL *y, int32_t class, REAL weight, REAL *dy) {
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

// Each takes outputs y and targets t, and returns the loss ℓ(y, t) of each lane, with ∂ℓ/∂y in `error`.
INLINE vec bce_loss(const ck_loss *loss, vec y, vec t, vec *error) {
    const REAL smooth = (REAL)loss->smoothing;
    vec target = smooth > 0 ? fmav(t, splat(1 - smooth), splat(smooth / 2)) : t;
    vec e;
    vec probability = sigmoid_and_exp(y, &e);
    vec both = log1pv(e);
    *error = probability - target;
    // −t·log(sigmoid(y)) − (1 − t)·log(sigmoid(−y)): two terms of one sign, of which none cancels.
    return fmav(1 - target, at_least(y, 0) + both, target * (at_least(-y, 0) + both));
}

/// Of labels; a target of 1 is the side of outputs above 0.
INLINE vec hinge_loss(const ck_loss *loss, vec y, vec t, vec *error) {
    (void)loss;
    vec side = t * 2 - 1;
    vec margin = 1 - side * y;
    *error = select(margin <= 0, splat(0), -side);
    return select(margin <= 0, splat(0), margin);
}

INLINE vec mse_loss(const ck_loss *loss, vec y, vec t, vec *error) {
    (void)loss;
    vec d = y - t;
    *error = d * 2;
    return d * d;
}

INLINE vec mae_loss(const ck_loss *loss, vec y, vec t, vec *error) {
    (void)loss;
    vec d = y - t;
    *error = select(d > 0, splat(1), select(d < 0, splat(-1), d));
    return absolute(d);
}

INLINE vec huber_loss(const ck_loss *loss, vec y, vec t, vec *error) {
    const REAL delta = (REAL)loss->delta;
    vec d = y - t, size = absolute(d);
    *error = at_least(at_most(d, delta), -delta);
    return select(size > delta, (size - delta / 2) * delta, d * d * (REAL)0.5);
}

INLINE vec poisson_loss(const ck_loss *loss, vec y, vec t, vec *error) {
    (void)loss;
    vec mean = expv(y);
    *error = mean - t;
    return fmav(-t, y, mean);
}

INLINE vec quantile_loss(const ck_loss *loss, vec y, vec t, vec *error) {
    const REAL above = (REAL)loss->quantile, below = (REAL)(loss->quantile - 1);
    vec d = t - y;
    *error = select(d > 0, splat(-above), select(d < 0, splat(-below), d));
    return d * select(d > 0, splat(above), splat(below));
}

/// The losses that are means over outputs: ℓ(y, t) of each lane, and ∂ℓ/∂y in `error`.
INLINE vec element_loss(const ck_loss *loss, vec y, vec t, vec *error) {
#define ELEMENT_LOSS(name, function) case name: return function##_loss(loss, y, t, error);
    switch (loss->type) {
    // Cross-entropy over several classes is computed by row. With a single class the loss and its gradient are 0.
    case CK_CROSS_ENTROPY: break;
    CK_MEAN_LOSSES(ELEMENT_LOSS)
    }
    *error = splat(0);
    return splat(0);
}

/// One row of a loss that is the mean over its outputs: y may be the same memory as dy.
INLINE REAL mean_loss(const ck_loss *loss, size_t room, const REAL *y, const REAL *t, REAL weight, REAL *dy) {
    const size_t outputs = loss->outputs;
    const REAL share = (REAL)(1 / (double)outputs), scale = weight * share;
    wide sum = wide_splat(0);
    for (size_t k = 0; k < outputs; k += CK_STRIPES) {
        wide w = row_load(y + k, outputs - k, room - k, 0), target = wide_load(t + k, outputs - k, 0), losses;
        for (size_t i = 0; i < CK_PARTS; i++) {
            vec error;
            losses.part[i] = element_loss(loss, w.part[i], target.part[i], &error);
            w.part[i] = error * scale;
        }
        // A stripe beyond the row's end has a loss of its own, which must not count.
        losses = wide_load((const REAL *)&losses, outputs - k, 0);
        for (size_t i = 0; i < CK_PARTS; i++) sum.part[i] += losses.part[i];
        if (dy) row_store(dy + k, outputs - k, room - k, w);
    }
    return wide_sum(sum) * share;
}

/// Rows of a single output, a row a lane: the same numbers as row by row. Errors take the outputs' place if asked for.
static void single_output_losses(const ck_loss *loss, const REAL *targets, size_t rows, REAL *y, size_t stride,
                                       int errors, double *losses, const double *weights) {
    for (size_t row = 0; row < rows; row += LANES) {
        const size_t count = rows - row < LANES ? rows - row : LANES;
        // Through memory: single lanes are slow to reach.
        REAL outputs[CK_VECTOR_BYTES / sizeof(REAL)] = {0}, loss_of[CK_VECTOR_BYTES / sizeof(REAL)];
        for (size_t i = 0; i < count; i++) outputs[i] = y[(row + i) * stride];
        const vec wanted = count == LANES ? load(targets + row) : load_part(targets + row, count, 0);
        vec error;
        store(loss_of, element_loss(loss, load(outputs), wanted, &error));
        store(outputs, error);
        for (size_t i = 0; i < count; i++) {
            losses[row + i] = (double)loss_of[i] * weights[row + i];
            if (errors) y[(row + i) * stride] = outputs[i] * (REAL)weights[row + i];
        }
    }
}

/// Cross-entropy and softmax of rows of two classes, a row a lane: the same numbers as row by row.
static void two_class_losses_and_softmax(const int32_t *classes, size_t rows, REAL *y, size_t stride, double *losses,
                                         const double *weights) {
    for (size_t row = 0; row < rows; row += LANES) {
        const size_t count = rows - row < LANES ? rows - row : LANES;
        REAL first[CK_VECTOR_BYTES / sizeof(REAL)] = {0}, second[CK_VECTOR_BYTES / sizeof(REAL)] = {0};
        REAL own[CK_VECTOR_BYTES / sizeof(REAL)] = {0}, loss_of[CK_VECTOR_BYTES / sizeof(REAL)];
        for (size_t i = 0; i < count; i++) {
            first[i] = y[(row + i) * stride];
            second[i] = y[(row + i) * stride + 1];
            own[i] = classes[row + i] ? second[i] : first[i];
        }
        const vec a = load(first), b = load(second);
        // The larger, with NaNs passed over.
        vec most = select(a > -CK_INFINITY, a, splat(-CK_INFINITY));
        most = select(b > most, b, most);
        const vec of_a = expv(a - most), of_b = expv(b - most), sum = of_a + of_b;
        store(first, of_a / sum);
        store(second, of_b / sum);
        store(loss_of, logv(sum) - (load(own) - most));
        for (size_t i = 0; i < count; i++) {
            y[(row + i) * stride] = first[i];
            y[(row + i) * stride + 1] = second[i];
            losses[row + i] = (double)loss_of[i] * weights[row + i];
        }
    }
}

/// The weight that a row's loss has: its own times that of its class, or of its mixture of classes.
INLINE REAL row_weight(const ck_loss *loss, const ck_targets *targets, size_t row) {
    const REAL *own = targets->weights, *of_class = loss->class_weights;
    const REAL weight = own ? own[row] : 1;
    if (!of_class) return weight;
    if (targets->classes) return weight * of_class[targets->classes[row]];
    if (!targets->values || loss->type != CK_CROSS_ENTROPY) return weight;
    const REAL *t = (const REAL *)targets->values + row * loss->outputs;
    REAL sum = 0;
    for (size_t k = 0; k < loss->outputs; k++) sum = fma1(t[k], of_class[k], sum);
    return weight * sum;
}

INLINE void apply_link(const ck_loss *loss, size_t room, REAL *y) {
    const size_t outputs = loss->outputs;
    switch (loss->link) {
    case CK_LINK_IDENTITY: break;
    case CK_LINK_SIGMOID: CK_APPLY(outputs, y, y, sigmoid); break;
    case CK_LINK_EXP: CK_APPLY(outputs, y, y, expv); break;
    case CK_LINK_SOFTMAX: {
        divide_row(outputs, y, row_exp(outputs, room, y, row_max(outputs, room, y), y));
    }
    }
}

/// Turns the outputs `y` of rows first..<first+rows of a batch into `result`, in place, and sets losses[r] to the row's
/// loss times its weight and weights[r] to that weight (its own times its class's) for r < rows. `y` holds the rows from
/// `first` on, `stride` apart; only D numbers of each are touched. Without targets, only the link is applied.
static void loss_rows(const ck_loss *loss, ck_loss_result result, const ck_targets *targets, size_t first,
                            size_t rows, REAL *y, size_t stride, double *losses, double *weights) {
    const int errors = result == CK_OUTPUT_ERROR, known = targets->classes || targets->values;
    for (size_t r = 0; r < rows; r++) {
        weights[r] = (double)row_weight(loss, targets, first + r);
        losses[r] = 0;
    }
    int has_predictions = 0;
    if (targets->values && loss->outputs == 1) {
        single_output_losses(loss, (const REAL *)targets->values + first, rows, y, stride, errors, losses, weights);
    } else if (!targets->values && targets->classes && loss->outputs == 2 && loss->smoothing == 0
               && leaves_softmax(loss, result)) {
        two_class_losses_and_softmax(targets->classes + first, rows, y, stride, losses, weights);
        has_predictions = 1;
    } else if (known) {
        has_predictions = leaves_softmax(loss, result);
        for (size_t r = 0; r < rows; r++) {
            REAL *row = y + r * stride, *dy = errors ? row : NULL, weight = (REAL)weights[r], value;
            const REAL *values = targets->values, *t = values ? values + (first + r) * loss->outputs : NULL;
            const int32_t class = t ? 0 : targets->classes[first + r];
            if (loss->type == CK_CROSS_ENTROPY) {
                value = t ? soft_cross_entropy(loss, result, stride, row, t, weight)
                          : class_cross_entropy(loss, result, stride, row, class, weight);
            } else {
                value = t ? mean_loss(loss, stride, row, t, weight, dy) : class_hinge(loss, row, class, weight, dy);
            }
            losses[r] = (double)value * weights[r];
        }
    }
    if (errors || has_predictions) return;
    for (size_t r = 0; r < rows; r++) apply_link(loss, stride, y + r * stride);
}
