// The stem's gradients, and the update of its parameters.
//
// For each row, e = dZ · s is the error of v. From it come ds = dZ · v, dc = e, dl = f · e, and dt = f′ · Σₒ e · l,
// which gives dw = dt · x and db = dt. The derivative f′ is −2π · sin for a wave; for a ramp it is 1 where the ramp
// rises and 0 elsewhere. The gradient of each parameter is one chain over the rows of a shard. The embedding is
// computed again for each chain, in registers, because that costs less than storing it.

/// A shard's gradient of a stem layer's weights or biases.
INLINE REAL *stem_shard(const ck_layer *layer, int is_bias, size_t shard) {
    return AT(is_bias ? layer->shards.bias : layer->shards.weight, shard * layer->shard_stride);
}

/// e of output o and the columns from g on, of one row.
INLINE vec embedding_error(const ck_stem *stem, const REAL *errors, const REAL *factors, size_t o, size_t g) {
    size_t i = stem->inputs + o * stem->embedded + g;
    vec e = load(errors + i);
    return factors ? e * load(factors + i) : e;
}

/// A wave or a ramp at t, and its derivative.
INLINE vec stem_function_and_slope(const int piecewise, vec t, vec *slope) {
    if (piecewise) {
        *slope = select(t > 0, select(t < 1, splat(1), splat(0)), splat(0));
        return stem_function(1, t);
    }
    vec sine, wave = cos_and_sin_turns(t, &sine);
    *slope = sine * (REAL)-0x1.921fb54442d18p2;
    return wave;
}

INLINE void function_gradient(const ck_plan *plan, const int piecewise, const size_t O, size_t shard, size_t k) {
    const ck_stem *stem = &plan->stem;
    const ck_layer *functions = &stem->layers[0], *outputs = &stem->layers[1];
    const REAL *factors = stem_factors(stem);
    size_t G = stem->embedded, stride = stem_stride(outputs);
    for (size_t g = 0; g < G; g += LANES) {
        size_t left = G - g, at = k * G + g;
        vec w = load(AT(functions->parameters.weight, at)), b = load(AT(functions->parameters.bias, at));
        vec dw = {0}, db = {0}, l[CK_MAX_STEM_OUTPUTS], dl[CK_MAX_STEM_OUTPUTS];
        for (size_t o = 0; o < O; o++) {
            l[o] = load(AT(outputs->parameters.weight, k * stride + o * G + g));
            dl[o] = (vec){0};
        }
        for (size_t r = plan->shard_starts[shard]; r < plan->shard_starts[shard + 1]; r++) {
            const REAL *errors = AT(stem->errors, r * stem->row_stride);
            vec x = load(AT(stem->numbers, r * stem->number_stride + g)), slope, error = {0};
            vec value = stem_function_and_slope(piecewise, fmav(x, w, b), &slope);
            for (size_t o = 0; o < O; o++) {
                vec e = embedding_error(stem, errors, factors, o, g);
                dl[o] = fmav(value, e, dl[o]);
                error = fmav(e, l[o], error);
            }
            vec dt = error * slope;
            dw = fmav(dt, x, dw);
            db += dt;
        }
        store_up_to(stem_shard(functions, 0, shard) + at, left, dw);
        store_up_to(stem_shard(functions, 1, shard) + at, left, db);
        for (size_t o = 0; o < O; o++)
            store_up_to(stem_shard(outputs, 0, shard) + k * stride + o * G + g, left, dl[o]);
    }
}

static void embedding_bias_gradient(const ck_plan *plan, size_t shard) {
    const ck_stem *stem = &plan->stem;
    const REAL *factors = stem_factors(stem);
    for (size_t o = 0; o < stem->outputs; o++) {
        for (size_t g = 0; g < stem->embedded; g += LANES) {
            vec sum = {0};
            for (size_t r = plan->shard_starts[shard]; r < plan->shard_starts[shard + 1]; r++)
                sum += embedding_error(stem, AT(stem->errors, r * stem->row_stride), factors, o, g);
            store_up_to(stem_shard(&stem->layers[1], 1, shard) + o * stem->embedded + g, stem->embedded - g, sum);
        }
    }
}

static void factor_gradient(const ck_plan *plan, size_t shard, size_t run) {
    const ck_stem *stem = &plan->stem;
    const ck_layer *layer = &stem->layers[stem->layer_count - 1];
    size_t Z = stem_width(stem), end = (run + 1) * CK_STEM_RUN < Z ? (run + 1) * CK_STEM_RUN : Z;
    for (size_t i = run * CK_STEM_RUN; i < end; i += LANES) {
        vec sum = {0};
        for (size_t r = plan->shard_starts[shard]; r < plan->shard_starts[shard + 1]; r++) {
            size_t place = r * stem->row_stride + i;
            sum = fmav(load(AT(stem->errors, place)), load(AT(stem->rows, place)), sum);
        }
        store_up_to(stem_shard(layer, 0, shard) + i, Z - i, sum);
    }
}

static void stem_gradient(const ck_plan *plan, size_t shard, size_t part) {
    size_t embeds = plan->stem.embedded ? plan->stem.frequencies + 1 : 0;
    if (part >= embeds) factor_gradient(plan, shard, part - embeds);
    else if (part + 1 == embeds) embedding_bias_gradient(plan, shard);
    else if (plan->stem.piecewise && plan->stem.outputs == 3) function_gradient(plan, 1, 3, shard, part);
    else if (plan->stem.piecewise) function_gradient(plan, 1, plan->stem.outputs, shard, part);
    else if (plan->stem.outputs == 3) function_gradient(plan, 0, 3, shard, part);
    else function_gradient(plan, 0, plan->stem.outputs, shard, part);
}

// `from` ..< `to` of a stem layer's weights, or all of its biases: their sums over the shards are kept in `gradient`, or
// used for the update.
INLINE void walk_stem(const ck_plan *plan, const ck_layer *layer, ck_tile_work work, int is_bias, size_t from, size_t to,
                      REAL *scratch) {
    ck_parameters shards = layer->shards, gradients = layer->gradient;
    update_scalars scalars = scalars_of(plan, layer, is_bias);
    for (size_t at = from; at < to; at += PANEL) {
        REAL *gradient = gradients.weight ? AT(is_bias ? gradients.bias : gradients.weight, at) : 0;
        const REAL *sums = gradient;
        if (work != CK_APPLIES) {
            const REAL *of_shards = AT(is_bias ? shards.bias : shards.weight, at);
            sum_shards(PANEL, plan->shard_count, of_shards, layer->shard_stride, scratch);
            sums = scratch;
        }
        if (work == CK_SUMS || work == CK_ADDS) {
            keep_sums(gradient, PANEL, sums, work == CK_ADDS);
        } else {
            update_work all = update_of(plan, &scalars, layer, is_bias, at, PANEL, sums);
            update(&all, PANEL);
        }
    }
}

static void stem_tile(const ck_plan *plan, const ck_tile *tile, ck_tile_work work, void *scratch) {
    const ck_layer *layer = &plan->stem.layers[tile->layer];
    walk_stem(plan, layer, work, 0, tile->from, tile->to, scratch);
    if (tile->from == 0 && layer->parameters.bias) walk_stem(plan, layer, work, 1, 0, stem_stride(layer), scratch);
}

static double stem_squares(const ck_plan *plan, const ck_tile *tile) {
    const ck_layer *layer = &plan->stem.layers[tile->layer];
    double sum = squares(plan, tile->to - tile->from, AT(layer->gradient.weight, tile->from));
    if (tile->from == 0 && layer->parameters.bias) sum += squares(plan, stem_stride(layer), layer->gradient.bias);
    return sum;
}
