// The stem, by rows: what is done to a row of x before the first layer reads it.
//
//   embedding    for each embedded column g and output o, all of them after the F inputs themselves:
//                v[F + o·G + g] = Σₖ f(x_g · w[k][g] + b[k][g]) · l[k][o][g] + c[o][g]
//                f(t) is the wave cos(2πt), or the ramp that is t between 0 and 1, and goes on level on both sides
//   input_scale  z[i] = s[i] · v[i]
//
// Columns are what vectors run over, so every number is one chain in increasing k that starts at zero, as in a product.
// A vector at the end reads past the columns, where memory goes on, and what it makes of that is not stored.
// All of it is computed in the numbers that parameters are stored in; z is rounded where the first layer reads it.

INLINE int has_stem(const ck_plan *plan) { return plan->stem.layer_count > 0; }
/// Z, the numbers that the first layer reads.
INLINE size_t stem_width(const ck_stem *stem) { return stem->inputs + stem->outputs * stem->embedded; }

/// The factors, or null.
INLINE const REAL *stem_factors(const ck_stem *stem) {
    return stem->scales ? stem->layers[stem->layer_count - 1].parameters.weight : 0;
}

/// Numbers from one row of a stem layer's weights to the next.
INLINE size_t stem_stride(const ck_layer *layer) { return (layer->units + PANEL - 1) / PANEL * PANEL; }

INLINE void store_up_to(REAL *to, size_t count, vec v) {
    if (count >= LANES) store(to, v);
    else store_part(to, count, v);
}

/// A wave or a ramp at t.
INLINE vec stem_function(const int piecewise, vec t) {
    if (!piecewise) return cos_turns(t);
    return select(t > 0, select(t < 1, t, splat(1)), splat(0));
}

// Some columns' outputs of a row, from column g on, added up function by function where `v` will have them.
INLINE void embed_columns(const ck_stem *stem, const int piecewise, const size_t O, size_t g, const REAL *numbers,
                          REAL *v) {
    size_t G = stem->embedded, left = G - g, stride = stem_stride(&stem->layers[1]);
    const REAL *w = stem->layers[0].parameters.weight, *b = stem->layers[0].parameters.bias;
    const REAL *l = stem->layers[1].parameters.weight, *c = stem->layers[1].parameters.bias;
    vec x = load(numbers + g), sums[CK_MAX_STEM_OUTPUTS];
    for (size_t o = 0; o < O; o++) sums[o] = (vec){0};
    for (size_t k = 0; k < stem->frequencies; k++) {
        size_t at = k * G + g;
        vec value = stem_function(piecewise, fmav(x, load(w + at), load(b + at)));
        for (size_t o = 0; o < O; o++)
            sums[o] = fmav(value, load(l + k * stride + o * G + g), sums[o]);
    }
    for (size_t o = 0; o < O; o++)
        store_up_to(v + o * G + g, left, sums[o] + load(c + o * G + g));
}

/// v of some rows.
INLINE void embed_rows(const ck_plan *plan, size_t first, size_t count) {
    const ck_stem *stem = &plan->stem;
    const REAL *const *x = (const REAL *const *)plan->x;
    for (size_t r = first; r < first + count; r++) {
        REAL *v = AT(stem->rows, r * stem->row_stride), *numbers = AT(stem->numbers, r * stem->number_stride);
        memcpy(v, x[r], stem->inputs * sizeof(REAL));
        for (size_t g = 0; g < stem->embedded; g++) numbers[g] = v[stem->columns[g]];
        // The usual number of outputs has its sums in registers.
        for (size_t g = 0; g < stem->embedded; g += LANES) {
            REAL *to = v + stem->inputs;
            if (stem->piecewise && stem->outputs == 3) embed_columns(stem, 1, 3, g, numbers, to);
            else if (stem->piecewise) embed_columns(stem, 1, stem->outputs, g, numbers, to);
            else if (stem->outputs == 3) embed_columns(stem, 0, 3, g, numbers, to);
            else embed_columns(stem, 0, stem->outputs, g, numbers, to);
        }
    }
}

/// z of one row from number i on: v times the factors.
INLINE vec scaled_numbers(const ck_stem *stem, size_t r, size_t i) {
    const REAL *v = AT(stem->rows, r * stem->row_stride + i), *factors = stem_factors(stem);
    return factors ? load(v) * load(factors + i) : load(v);
}

/// z of some rows, in panels.
INLINE void pack_stem(const ck_plan *plan, size_t first, size_t count) {
    const ck_stem *stem = &plan->stem;
    embed_rows(plan, first, count);
    for (size_t r = first; r < first + count; r++) {
        for (size_t i = 0; i < stem->row_stride; i += LANES)
            store_operand(AT(plan->layers->input, i / PANEL * panel_size(plan) + r * PANEL + i % PANEL), part_size(plan),
                          scaled_numbers(stem, r, i));
    }
}

/// Takes the errors of z from panels from ..< to.
INLINE void take_stem_errors(const ck_plan *plan, const ck_part *part) {
    const ck_stem *stem = &plan->stem;
    for (size_t panel = part->from; panel < part->to; panel++) {
        for (size_t r = part->first; r < part->first + part->count; r++) {
            const REAL *from = AT(plan->layers[-1].delta, panel * panel_size(plan) + r * PANEL);
            REAL *to = AT(stem->errors, r * stem->row_stride + panel * PANEL);
            for (size_t i = 0; i < PANEL; i += LANES) store(to + i, load_operand(from + i, part_size(plan)));
        }
    }
}

/// z of some rows, row by row: what operands in blocks are made from.
INLINE void scale_stem(const ck_plan *plan, size_t first, size_t count) {
    const ck_stem *stem = &plan->stem;
    embed_rows(plan, first, count);
    for (size_t r = first; r < first + count; r++) {
        for (size_t i = 0; i < stem->row_stride; i += LANES)
            store(AT(stem->scaled, r * stem->row_stride + i), scaled_numbers(stem, r, i));
    }
}
