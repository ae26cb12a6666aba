// The step: rows through all layers and back, then tiles of weights. See CKStep.h for the plan.

#define ROWS(pointer) ((const REAL *const *)(pointer))
#define AT(pointer, offset) ((REAL *)(pointer) + (offset))

INLINE int NAME(is_narrow)(const ck_layer *layer) { return layer->units < CK_NARROW_UNITS; }

/// Numbers up to the end of the last panel.
INLINE size_t NAME(padded)(size_t n) { return (n + PANEL - 1) / PANEL * PANEL; }

/// `ahead`, where not null, has `count` rows of x that will be needed next.
static void NAME(forward)(const ck_plan *plan, size_t first, size_t count, int trains, const REAL *const *ahead) {
    for (size_t l = 0; l < plan->layer_count; l++) {
        const ck_layer *layer = &plan->layers[l];
        const REAL *const *x = ROWS(layer->input_rows) + first;
        size_t stride = layer->stride;
        REAL *a = AT(layer->activated, first * stride);
        int relu = layer->activation == CK_RELU;
        if (NAME(is_narrow)(layer)) {
            NAME(narrow_rows)(count, layer->inputs, layer->units, x, layer->parameters.weight, NAME(padded)(layer->inputs),
                              layer->parameters.bias, relu, a, stride, l == 0 ? ahead : 0);
        } else {
            NAME(ending) ending = {.bias = layer->parameters.bias, .relu = relu};
            NAME(multiply_rows)(count, layer->inputs, x, layer->parameters.weight, layer->units, a, stride, &ending);
        }
        if (layer->activation != CK_IDENTITY && !relu)
            NAME(activate)(layer->activation, count * stride, a, layer->kept ? AT(layer->kept, first * stride) : 0);
        if (layer->output == layer->activated) continue;
        REAL *out = AT(layer->output, first * stride);
        if (trains) {
            REAL *mask = AT(layer->mask, first * stride);
            for (size_t r = 0; r < count; r++)
                NAME(dropout_mask)(&layer->dropout, plan->first_row + first + r, layer->units, mask + r * stride);
            for (size_t i = 0; i < count * stride; i += LANES)
                NAME(store)(out + i, NAME(load)(a + i) * NAME(load)(mask + i));
        } else {
            memcpy(out, a, count * stride * sizeof(REAL));
        }
    }
}

static void NAME(backward)(const ck_plan *plan, size_t first, size_t count) {
    for (size_t l = plan->layer_count - 1; l > 0; l--) {
        const ck_layer *layer = &plan->layers[l], *below = layer - 1;
        const REAL *const *delta = ROWS(layer->delta_rows) + first;
        size_t stride = below->stride;
        REAL *out = AT(below->delta, first * stride);
        REAL *a = AT(below->activated, first * stride);
        int drops = below->output != below->activated, relu = below->activation == CK_RELU;
        // Dropout's factors come before the derivative; for relu the order changes no bit.
        const REAL *positive = relu ? a : 0;
        if (NAME(is_narrow)(layer)) {
            NAME(narrow_input_error)(count, layer->units, delta, layer->parameters.weight, NAME(padded)(layer->inputs),
                                     out, stride, positive);
        } else {
            NAME(ending) ending = {.positive = positive};
            NAME(multiply_rows)(count, layer->units, delta, layer->transposed, layer->inputs, out, stride, &ending);
        }
        if (drops) {
            REAL *mask = AT(below->mask, first * stride);
            for (size_t i = 0; i < count * stride; i += LANES)
                NAME(store)(out + i, NAME(load)(out + i) * NAME(load)(mask + i));
        }
        if (below->activation != CK_IDENTITY && !relu)
            NAME(derive)(below->activation, count * stride, a, below->kept ? AT(below->kept, first * stride) : 0, out);
    }
}

INLINE void NAME(train_block)(const ck_plan *plan, size_t first, size_t count, const REAL *const *ahead) {
    const ck_layer *last = &plan->layers[plan->layer_count - 1];
    NAME(forward)(plan, first, count, 1, ahead);
    NAME(loss_rows)(&plan->loss, CK_OUTPUT_ERROR, &plan->targets, first, count, AT(last->output, first * last->stride),
                    last->stride, plan->row_losses + first, plan->row_weights + first);
    NAME(backward)(plan, first, count);
}

static void NAME(train_rows)(const ck_plan *plan, size_t first, size_t count) {
    NAME(train_block)(plan, first, count, 0);
}

static void NAME(predict_rows)(const ck_plan *plan, size_t first, size_t count) {
    const ck_layer *last = &plan->layers[plan->layer_count - 1];
    NAME(forward)(plan, first, count, 0, 0);
    NAME(loss_rows)(&plan->loss, CK_PREDICTION, &plan->targets, first, count, AT(last->output, first * last->stride),
                    last->stride, plan->row_losses + first, plan->row_weights + first);
}

// Adds the rows' xᵀ · dY to a shard's gradient of one layer; the first rows of a shard begin its chains.
static void NAME(add_gradient)(const ck_layer *layer, size_t shard, size_t first, size_t count, int begins,
                               const REAL *const *ahead) {
    const REAL *const *x = ROWS(layer->input_rows) + first;
    REAL *sums = AT(layer->shards.weight, shard * layer->shard_stride);
    const REAL *delta = AT(layer->delta, first * layer->stride);
    size_t F = layer->inputs, D = layer->units;
    if (NAME(is_narrow)(layer)) {
        size_t width = NAME(padded)(F);
        for (size_t d = 0; d < D; d++) {
            REAL *out = sums + d * width;
            const REAL *const *fetched = d == 0 ? ahead : 0;
            NAME(narrow_gradient)(count, F, x, 0, F, ROWS(layer->delta_rows) + first, d, begins ? 0 : out, out, fetched);
        }
    } else {
        for (size_t j = 0; j < D; j += PANEL) {
            REAL *panel = sums + j * F;
            NAME(shard_block) block = {.x = x, .delta = delta + j, .rows = count, .stride = layer->stride,
                                       .start = begins ? 0 : panel, .out = panel};
            NAME(add_shard)(&block, F, D - j < PANEL ? D - j : PANEL, 0);
        }
    }
    if (layer->shards.bias) {
        REAL *bias = AT(layer->shards.bias, shard * layer->shard_stride);
        for (size_t j = 0; j < NAME(padded)(D); j += LANES) {
            vec start = begins ? (vec){0} : NAME(load)(bias + j);
            NAME(store)(bias + j, NAME(sum_rows)(count, delta + j, layer->stride, start));
        }
    }
}

static void NAME(train_shard)(const ck_plan *plan, size_t shard, size_t block) {
    size_t start = plan->shard_starts[shard], end = plan->shard_starts[shard + 1];
    const REAL *ahead[CK_MAX_BLOCK_ROWS];
    size_t first = start, half = plan->layers[0].inputs / 2;
    do {
        size_t count = end - first < block ? end - first : block;
        // The rows of the next block, of another shard at this one's end; the last ones fetch themselves again.
        const REAL *const *next = ROWS(plan->layers[0].input_rows) + (first + 2 * count <= plan->rows ? first + count : first);
        if (count > 0) NAME(train_block)(plan, first, count, next);
        for (size_t r = 0; r < count; r++) ahead[r] = next[r] + half;
        for (size_t l = 0; l < plan->layer_count; l++)
            NAME(add_gradient)(&plan->layers[l], shard, first, count, first == start, l == 0 ? ahead : 0);
        first += count;
    } while (first < end);
}

// The shards' sums of `inputs` rows of a panel, from row `from` on, into `out`, rows PANEL apart. The update of the
// block before is done beside, a part after each shard: divisions, roots and memory's answers overlap with multiply-adds.
static void NAME(sum_block)(const ck_plan *plan, const ck_layer *layer, size_t panel, size_t from, size_t inputs,
                            REAL *out, REAL *levels, NAME(update_work) *beside) {
    size_t column = panel * PANEL, S = plan->shard_count;
    if (layer->shards.weight) {
        const REAL *shards = AT(layer->shards.weight, panel * layer->inputs * PANEL + from * PANEL);
        NAME(sum_shards)(inputs * PANEL, S, shards, layer->shard_stride, out);
        return;
    }
    size_t columns = layer->units - column < PANEL ? layer->units - column : PANEL;
    if (columns < PANEL) memset(out, 0, inputs * PANEL * sizeof(REAL));
    size_t step = (beside->count / LANES + S - 1) / S * LANES;
    for (size_t s = 0; s < S; s++) {
        size_t first = plan->shard_starts[s], rows = plan->shard_starts[s + 1] - first;
        NAME(shard_block) block = {
            .x = ROWS(layer->input_rows) + first,
            .delta = AT(layer->delta, first * layer->stride + column),
            .rows = rows,
            .stride = layer->stride,
            .levels = levels,
            .level_stride = PANEL * PANEL,
            .added_levels = NAME(levels_added)(s, S),
            .out = s + 1 == S ? out : levels + NAME(level_of)(s) * PANEL * PANEL,
            .x_ahead = plan->rows * layer->inputs * sizeof(REAL) > 1 << 20 ? PANEL : 0,
            .beside = beside,
            .beside_step = step,
        };
        NAME(add_shard)(&block, inputs, columns, from);
    }
}

// The same for inputs from ..< from + PANEL of one unit of a narrow layer.
static void NAME(sum_narrow)(const ck_plan *plan, const ck_layer *layer, size_t unit, size_t from, REAL *out,
                             REAL *levels) {
    size_t S = plan->shard_count;
    if (layer->shards.weight) {
        const REAL *shards = AT(layer->shards.weight, unit * NAME(padded)(layer->inputs) + from);
        NAME(sum_shards)(PANEL, S, shards, layer->shard_stride, out);
        return;
    }
    size_t to = layer->inputs < from + PANEL ? layer->inputs : from + PANEL;
    memset(levels, 0, S * PANEL * sizeof(REAL));
    for (size_t s = 0; s < S; s++) {
        size_t first = plan->shard_starts[s];
        NAME(narrow_gradient)(plan->shard_starts[s + 1] - first, layer->inputs, ROWS(layer->input_rows) + first, from, to,
                              ROWS(layer->delta_rows) + first, unit, 0, levels + s * PANEL, 0);
    }
    NAME(sum_shards)(PANEL, S, levels, PANEL, out);
}

// The shards' sums of dY over `columns` units, a multiple of LANES.
static void NAME(sum_bias)(const ck_plan *plan, const ck_layer *layer, size_t column, size_t columns, REAL *out) {
    size_t S = plan->shard_count;
    if (layer->shards.weight) {
        NAME(sum_shards)(columns, S, AT(layer->shards.bias, column), layer->shard_stride, out);
        return;
    }
    for (size_t j = 0; j < columns; j += LANES) {
        vec levels[CK_MAX_SHARD_LEVELS];
        vec sum = {0};
        for (size_t s = 0; s < S; s++) {
            size_t first = plan->shard_starts[s];
            sum = NAME(sum_rows)(plan->shard_starts[s + 1] - first, AT(layer->delta, first * layer->stride + column + j),
                                 layer->stride, (vec){0});
            for (size_t left = NAME(levels_added)(s, S); left; left &= left - 1) sum += levels[__builtin_ctzl(left)];
            if (s + 1 < S) levels[NAME(level_of)(s)] = sum;
        }
        NAME(store)(out + j, sum);
    }
}

// The update of one piece of a parameter: `count` numbers, a multiple of LANES, from their gradients' sums.
INLINE NAME(update_work) NAME(update_of)(const ck_plan *plan, const NAME(update_scalars) *scalars, const ck_layer *layer,
                                         int is_bias, size_t offset, size_t count, const REAL *sums) {
    void *m = is_bias ? layer->slots[0].bias : layer->slots[0].weight;
    void *v = is_bias ? layer->slots[1].bias : layer->slots[1].weight;
    return (NAME(update_work)){
        .kernel = NAME(update_kernel_of)(plan->optimizer.type, scalars),
        .scalars = scalars,
        .count = count,
        .sums = sums,
        .w = AT(is_bias ? layer->parameters.bias : layer->parameters.weight, offset),
        .m = m ? AT(m, offset) : 0,
        .v = v ? AT(v, offset) : 0,
    };
}

// Refreshes Wᵀ where `inputs` rows of a panel have changed, from row `from` on.
INLINE void NAME(refresh_block)(const ck_layer *layer, size_t panel, size_t from, size_t inputs) {
    size_t column = panel * PANEL, F = layer->inputs, D = layer->units;
    NAME(transpose_block)(inputs, D - column < PANEL ? D - column : PANEL,
                          AT(layer->parameters.weight, panel * F * PANEL + from * PANEL),
                          AT(layer->transposed, from / PANEL * D * PANEL + column * PANEL));
}

// What is done with each piece of a tile.
typedef enum NAME(tile_work) { NAME(UPDATES), NAME(SUMS), NAME(ADDS), NAME(APPLIES) } NAME(tile_work);

INLINE void NAME(keep_sums)(REAL *gradient, size_t n, const REAL *sums, int adds) {
    for (size_t i = 0; i < n; i += LANES)
        NAME(store)(gradient + i, adds ? NAME(load)(gradient + i) + NAME(load)(sums + i) : NAME(load)(sums + i));
}

/// Walks a tile piece by piece: sums over the shards unless they are in `gradient`, then keeps them or updates. A piece
/// is updated while the next one is summed.
INLINE void NAME(walk_tile)(const ck_plan *plan, const ck_tile *tile, NAME(tile_work) work, REAL *scratch) {
    const ck_layer *layer = &plan->layers[tile->layer];
    REAL *sums = scratch, *other = scratch + PANEL * PANEL, *levels = other + PANEL * PANEL;
    int narrow = NAME(is_narrow)(layer), updates = work == NAME(UPDATES) || work == NAME(APPLIES);
    size_t F = layer->inputs, pieces = narrow ? layer->units : 1;
    NAME(update_scalars) scalars = NAME(scalars)(plan);
    NAME(update_work) pending = {0};
    for (size_t from = tile->from; from < tile->to; from += PANEL) {
        for (size_t piece = 0; piece < pieces; piece++) {
            size_t inputs = tile->to - from < PANEL ? tile->to - from : PANEL;
            size_t offset = narrow ? piece * NAME(padded)(F) + from : tile->panel * F * PANEL + from * PANEL;
            size_t count = narrow ? PANEL : inputs * PANEL;
            if (work == NAME(APPLIES)) {
                sums = AT(layer->gradient.weight, offset);
            } else if (narrow) {
                NAME(sum_narrow)(plan, layer, piece, from, sums, levels);
            } else {
                NAME(sum_block)(plan, layer, tile->panel, from, inputs, sums, levels, &pending);
            }
            if (!updates) {
                NAME(keep_sums)(AT(layer->gradient.weight, offset), count, sums, work == NAME(ADDS));
                continue;
            }
            NAME(update)(&pending, pending.count);
            if (layer->transposed && from > tile->from) NAME(refresh_block)(layer, tile->panel, from - PANEL, PANEL);
            pending = NAME(update_of)(plan, &scalars, layer, 0, offset, count, sums);
            REAL *done = sums;
            sums = other;
            other = done;
        }
    }
    if (updates) {
        NAME(update)(&pending, pending.count);
        size_t last = (tile->to - tile->from - 1) / PANEL * PANEL + tile->from;
        if (layer->transposed) NAME(refresh_block)(layer, tile->panel, last, tile->to - last);
    }
    if (tile->from == 0 && layer->parameters.bias) {
        size_t column = tile->panel * PANEL;
        if (work == NAME(APPLIES)) sums = AT(layer->gradient.bias, column);
        else NAME(sum_bias)(plan, layer, column, PANEL, sums);
        if (updates) {
            pending = NAME(update_of)(plan, &scalars, layer, 1, column, PANEL, sums);
            NAME(update)(&pending, PANEL);
        } else {
            NAME(keep_sums)(AT(layer->gradient.bias, column), PANEL, sums, work == NAME(ADDS));
        }
    }
}

static void NAME(update_tile)(const ck_plan *plan, const ck_tile *tile, void *scratch) {
    NAME(walk_tile)(plan, tile, NAME(UPDATES), scratch);
}

static void NAME(sum_tile)(const ck_plan *plan, const ck_tile *tile, int adds, void *scratch) {
    NAME(walk_tile)(plan, tile, adds ? NAME(ADDS) : NAME(SUMS), scratch);
}

static void NAME(apply_tile)(const ck_plan *plan, const ck_tile *tile) {
    NAME(walk_tile)(plan, tile, NAME(APPLIES), 0);
}

// Squares of n averaged gradients, a multiple of PANEL, in double: PANEL stripes, which meet by halves.
INLINE double NAME(squares)(const ck_plan *plan, size_t n, const REAL *sums) {
    REAL scale = (REAL)plan->scale;
    double stripes[PANEL] = {0};
    for (size_t i = 0; i < n; i += PANEL) {
        for (size_t l = 0; l < PANEL; l++) {
            double g = (double)(sums[i + l] * scale);
            stripes[l] = __builtin_elementwise_fma(g, g, stripes[l]);
        }
    }
    for (size_t half = PANEL / 2; half > 0; half /= 2) {
        for (size_t l = 0; l < half; l++) stripes[l] += stripes[l + half];
    }
    return stripes[0];
}

static double NAME(squares_of_tile)(const ck_plan *plan, const ck_tile *tile) {
    const ck_layer *layer = &plan->layers[tile->layer];
    size_t F = layer->inputs;
    double sum = 0;
    if (NAME(is_narrow)(layer)) {
        for (size_t d = 0; d < layer->units; d++)
            sum += NAME(squares)(plan, NAME(padded)(tile->to - tile->from),
                                 AT(layer->gradient.weight, d * NAME(padded)(F) + tile->from));
    } else {
        sum += NAME(squares)(plan, (tile->to - tile->from) * PANEL,
                             AT(layer->gradient.weight, tile->panel * F * PANEL + tile->from * PANEL));
    }
    if (tile->from == 0 && layer->parameters.bias)
        sum += NAME(squares)(plan, PANEL, AT(layer->gradient.bias, tile->panel * PANEL));
    return sum;
}

static void NAME(refresh_transposed)(const ck_plan *plan, size_t index) {
    const ck_layer *layer = &plan->layers[index];
    if (!layer->transposed) return;
    for (size_t panel = 0; panel * PANEL < layer->units; panel++) {
        for (size_t from = 0; from < layer->inputs; from += PANEL)
            NAME(refresh_block)(layer, panel, from, layer->inputs - from < PANEL ? layer->inputs - from : PANEL);
    }
}

#undef ROWS
#undef AT
