// Phase 2: tiles of weights, summed over the shards and updated.

// The shards' sums of `inputs` rows of a panel, from row `from` on, into `out`, rows PANEL apart. The update of the
// block before is done beside, a part after each shard: divisions, roots and memory's answers overlap with multiply-adds.
static void sum_block(const ck_plan *plan, const ck_layer *layer, size_t panel, size_t from, size_t inputs, REAL *out,
                      REAL *levels, update_work *beside) {
    size_t column = panel * PANEL, S = plan->shard_count, size = panel_size(plan);
    if (layer->shards.weight) {
        const REAL *shards = AT(layer->shards.weight, column * layer->inputs + from * PANEL);
        sum_shards(inputs * PANEL, S, shards, layer->shard_stride, out);
        return;
    }
    size_t columns = layer->units - column < PANEL ? layer->units - column : PANEL;
    if (columns < PANEL) memset(out, 0, inputs * PANEL * sizeof(REAL));
    size_t step = (beside->count / LANES + S - 1) / S * LANES;
    for (size_t s = 0; s < S; s++) {
        size_t first = plan->shard_starts[s];
        shard_block block = {
            .x = AT(layer->input, from / PANEL * size + first * PANEL),
            .delta = AT(layer->delta, panel * size + first * PANEL),
            .low = part_size(plan),
            .rows = plan->shard_starts[s + 1] - first,
            .levels = levels,
            .added_levels = levels_added(s, S),
            .out = s + 1 == S ? out : levels + level_of(s) * PANEL * PANEL,
            .beside = beside,
            .beside_step = step,
        };
        add_shard(&block, inputs, columns);
    }
}

// The same for inputs from ..< from + PANEL of one unit of a narrow layer.
static void sum_narrow(const ck_plan *plan, const ck_layer *layer, size_t unit, size_t from, REAL *out, REAL *levels) {
    size_t S = plan->shard_count;
    if (layer->shards.weight) {
        const REAL *shards = AT(layer->shards.weight, unit * padded(layer->inputs) + from);
        sum_shards(PANEL, S, shards, layer->shard_stride, out);
        return;
    }
    size_t to = layer->inputs < from + PANEL ? layer->inputs : from + PANEL;
    memset(levels, 0, S * PANEL * sizeof(REAL));
    for (size_t s = 0; s < S; s++) {
        size_t first = plan->shard_starts[s];
        narrow_gradient(plan->shard_starts[s + 1] - first, layer->inputs, input_rows(plan, layer) + first,
                        layer->input_panel, from, to, AT(layer->delta, first * PANEL + unit), PANEL, 0,
                        levels + s * PANEL, 0);
    }
    sum_shards(PANEL, S, levels, PANEL, out);
}

// The shards' sums of dY over one panel of units.
static void sum_bias(const ck_plan *plan, const ck_layer *layer, size_t panel, REAL *out) {
    size_t S = plan->shard_count;
    if (layer->shards.weight) {
        sum_shards(PANEL, S, AT(layer->shards.bias, panel * PANEL), layer->shard_stride, out);
        return;
    }
    for (size_t j = 0; j < PANEL; j += LANES) {
        vec levels[CK_MAX_SHARD_LEVELS];
        vec sum = {0};
        for (size_t s = 0; s < S; s++) {
            size_t first = plan->shard_starts[s];
            const REAL *delta = AT(layer->delta, panel * panel_size(plan) + first * PANEL + j);
            sum = sum_rows(plan->shard_starts[s + 1] - first, delta, part_size(plan), (vec){0});
            for (size_t left = levels_added(s, S); left; left &= left - 1) sum += levels[__builtin_ctzl(left)];
            if (s + 1 < S) levels[level_of(s)] = sum;
        }
        store(out + j, sum);
    }
}

// The update of one piece of a parameter: `count` numbers, a multiple of LANES, from their gradients' sums.
INLINE update_work update_of(const ck_plan *plan, const update_scalars *scalars, const ck_layer *layer, int is_bias,
                             size_t offset, size_t count, const REAL *sums) {
    void *m = is_bias ? layer->slots[0].bias : layer->slots[0].weight;
    void *v = is_bias ? layer->slots[1].bias : layer->slots[1].weight;
    return (update_work){
        .kernel = update_kernel_of(plan->optimizer.type, scalars),
        .scalars = scalars,
        .count = count,
        .sums = sums,
        .w = AT(is_bias ? layer->parameters.bias : layer->parameters.weight, offset),
        .m = m ? AT(m, offset) : 0,
        .v = v ? AT(v, offset) : 0,
    };
}

// Makes what products read of `inputs` rows of a panel, from row `from` on, anew.
INLINE void refresh_block(const ck_layer *layer, size_t panel, size_t from, size_t inputs) {
    size_t column = panel * PANEL, F = layer->inputs, D = layer->units;
    const REAL *weights = AT(layer->parameters.weight, column * F + from * PANEL);
    if (IS_BF16) {
        REAL *operand = AT(layer->operand, column * F * PARTS + from * PANEL);
        make_operands(inputs * PANEL, weights, operand, F * PANEL);
        weights = operand;
    }
    for (size_t part = 0; layer->transposed && part < PARTS; part++)
        transpose_block(inputs, D - column < PANEL ? D - column : PANEL, weights + part * F * PANEL,
                        AT(layer->transposed, (from / PANEL * PARTS + part) * D * PANEL + column * PANEL));
}

INLINE int has_operands(const ck_layer *layer) { return IS_BF16 || layer->transposed; }

static void refresh_operands(const ck_plan *plan, size_t index, size_t part, size_t parts) {
    const ck_layer *layer = &plan->layers[index];
    if (!has_operands(layer)) return;
    for (size_t panel = part; panel * PANEL < layer->units; panel += parts) {
        for (size_t from = 0; from < layer->inputs; from += PANEL)
            refresh_block(layer, panel, from, layer->inputs - from < PANEL ? layer->inputs - from : PANEL);
    }
}

INLINE void keep_sums(REAL *gradient, size_t n, const REAL *sums, int adds) {
    for (size_t i = 0; i < n; i += LANES)
        store(gradient + i, adds ? load(gradient + i) + load(sums + i) : load(sums + i));
}

/// Walks a tile piece by piece: sums over the shards unless they are in `gradient`, then keeps them or updates. A piece
/// is updated while the next one is summed.
INLINE void walk_tile(const ck_plan *plan, const ck_tile *tile, ck_tile_work work, REAL *scratch) {
    const ck_layer *layer = &plan->layers[tile->layer];
    REAL *sums = scratch, *other = scratch + PANEL * PANEL, *levels = other + PANEL * PANEL;
    int narrow = is_narrow(layer), updates = work == CK_UPDATES || work == CK_APPLIES;
    size_t F = layer->inputs, pieces = narrow ? layer->units : 1;
    update_scalars scalars = scalars_of(plan, layer, 0);
    update_work pending = {0};
    for (size_t from = tile->from; from < tile->to; from += PANEL) {
        for (size_t piece = 0; piece < pieces; piece++) {
            size_t inputs = tile->to - from < PANEL ? tile->to - from : PANEL;
            size_t offset = narrow ? piece * padded(F) + from : tile->panel * F * PANEL + from * PANEL;
            size_t count = narrow ? PANEL : inputs * PANEL;
            if (work == CK_APPLIES) {
                sums = AT(layer->gradient.weight, offset);
            } else if (narrow) {
                sum_narrow(plan, layer, piece, from, sums, levels);
            } else {
                sum_block(plan, layer, tile->panel, from, inputs, sums, levels, &pending);
            }
            if (!updates) {
                keep_sums(AT(layer->gradient.weight, offset), count, sums, work == CK_ADDS);
                continue;
            }
            update(&pending, pending.count);
            if (has_operands(layer) && from > tile->from) refresh_block(layer, tile->panel, from - PANEL, PANEL);
            pending = update_of(plan, &scalars, layer, 0, offset, count, sums);
            REAL *done = sums;
            sums = other;
            other = done;
        }
    }
    if (updates) {
        update(&pending, pending.count);
        size_t last = (tile->to - tile->from - 1) / PANEL * PANEL + tile->from;
        if (has_operands(layer)) refresh_block(layer, tile->panel, last, tile->to - last);
    }
    if (tile->from == 0 && layer->parameters.bias) {
        size_t column = tile->panel * PANEL;
        if (work == CK_APPLIES) sums = AT(layer->gradient.bias, column);
        else sum_bias(plan, layer, tile->panel, sums);
        if (updates) {
            if (moves_bias_apart(layer)) scalars = scalars_of(plan, layer, 1);
            pending = update_of(plan, &scalars, layer, 1, column, PANEL, sums);
            update(&pending, PANEL);
        } else {
            keep_sums(AT(layer->gradient.bias, column), PANEL, sums, work == CK_ADDS);
        }
    }
}

static void update_tile(const ck_plan *plan, const ck_tile *tile, void *scratch) {
    walk_tile(plan, tile, CK_UPDATES, scratch);
}

static void sum_tile(const ck_plan *plan, const ck_tile *tile, int adds, void *scratch) {
    walk_tile(plan, tile, adds ? CK_ADDS : CK_SUMS, scratch);
}

static void apply_tile(const ck_plan *plan, const ck_tile *tile) {
    walk_tile(plan, tile, CK_APPLIES, 0);
}

static double squares_of_tile(const ck_plan *plan, const ck_tile *tile) {
    const ck_layer *layer = &plan->layers[tile->layer];
    size_t F = layer->inputs;
    double sum = 0;
    if (is_narrow(layer)) {
        for (size_t d = 0; d < layer->units; d++)
            sum += squares(plan, padded(tile->to - tile->from),
                                 AT(layer->gradient.weight, d * padded(F) + tile->from));
    } else {
        sum += squares(plan, (tile->to - tile->from) * PANEL,
                             AT(layer->gradient.weight, tile->panel * F * PANEL + tile->from * PANEL));
    }
    sum /= square_of_divisor(layer);
    if (tile->from == 0 && layer->parameters.bias)
        sum += squares(plan, PANEL, AT(layer->gradient.bias, tile->panel * PANEL));
    return sum;
}
