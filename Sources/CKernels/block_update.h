// Phase 2 in blocks: tiles of weights, 32 inputs of a panel at a time. A block is updated, rounded and laid
// out for the products while the next one is multiplied.

// What is done to a block of weights: the update, where there are sums, and then its operands.
typedef struct weight_work {
    update_work update;
    const REAL *weights;  // of the block's first input
    size_t inputs;        // rows of the block that count
    block *operand, *transposed;
    size_t transposed_stride;  // from one block of inputs to the next
    block rounded;
} weight_work;

enum { WEIGHT_PIECES = PIECES + 2 };

INLINE row_of_block weight_row(const weight_work *work, size_t row) {
    if (row >= work->inputs) return (row_of_block){0};
    const REAL *w = work->weights + row * CK_BLOCK;
    return rounded_row(load(w), load(w + 16));
}

INLINE void fetch_pair(const block *to_write, size_t pair) {
    UNROLL for (size_t part = 0; part < PARTS; part++) {
        __builtin_prefetch(to_write->parts[part] + pair * 2 * CK_BLOCK, 1);
        __builtin_prefetch(to_write->parts[part] + (pair * 2 + 1) * CK_BLOCK, 1);
    }
}

INLINE void weight_piece(void *context, size_t piece) {
    weight_work *work = context;
    if (piece >= PIECES) {
        if (work->transposed) pair_columns(&work->rounded, piece - PIECES, work->transposed);
        return;
    }
    // The operands of the next block are fetched to be written: waiting for these lines was a tenth of the update.
    fetch_pair(work->operand + 1, piece);
    if (work->transposed) fetch_pair(work->transposed + work->transposed_stride, piece);
    update(&work->update, 2 * CK_BLOCK);
    row_of_block even = weight_row(work, 2 * piece), odd = weight_row(work, 2 * piece + 1);
    store_row(&work->rounded, 2 * piece, even);
    store_row(&work->rounded, 2 * piece + 1, odd);
    store_pairs(work->operand, piece, even, odd);
}

/// The place in a layer's weights of one block: the numbers before it.
INLINE size_t block_offset(const ck_layer *layer, size_t panel, size_t from) {
    return (panel * layer->inputs + from) * CK_BLOCK;
}

INLINE void start_weights(weight_work *work, const ck_layer *layer, size_t panel, size_t from, update_work update) {
    work->update = update;
    work->weights = AT(layer->parameters.weight, block_offset(layer, panel, from));
    work->inputs = smaller(layer->inputs - from, CK_BLOCK);
    work->operand = block_at(layer->operand, blocks_of(layer->inputs), panel, from / CK_BLOCK);
    work->transposed_stride = column_stride(blocks_of(layer->units));
    work->transposed =
        layer->transposed ? block_at(layer->transposed, work->transposed_stride, from / CK_BLOCK, panel) : 0;
}

/// Does all pieces of the work at once, for callers that have no product to interleave them with.
INLINE void finish_weights(weight_work *work) {
    for (size_t piece = 0; piece < WEIGHT_PIECES; piece++) weight_piece(work, piece);
}

static void refresh_operands(const ck_plan *plan, size_t index, size_t part, size_t parts) {
    const ck_layer *layer = &plan->layers[index];
    weight_work work;
    for (size_t panel = part; panel < blocks_of(layer->units); panel += parts) {
        for (size_t from = 0; from < layer->inputs; from += CK_BLOCK) {
            start_weights(&work, layer, panel, from, (update_work){0});
            finish_weights(&work);
        }
    }
}

/// Blocks of a shard's rows: shards start at whole blocks.
INLINE size_t shard_blocks(const ck_plan *plan, size_t s) {
    return blocks_of(plan->shard_starts[s + 1] - plan->shard_starts[s]);
}

INLINE void add_levels(REAL *sums, size_t n, const REAL *levels, size_t added) {
    for (; added; added &= added - 1) {
        const REAL *level = levels + (size_t)__builtin_ctzl(added) * BLOCK_NUMBERS;
        for (size_t i = 0; i < n; i += LANES) store(sums + i, load(sums + i) + load(level + i));
    }
}

/// out = xᵀ · dY of all shards for one block of weights; `left` and `right` are the blocks of the first rows.
INLINE void sum_block(const ck_plan *plan, const block *left, const block *right, REAL *out, REAL *levels,
                      side_work *side, weight_work *beside) {
    size_t S = plan->shard_count, steps = 0;
    for (size_t s = 0; s < S; s++) steps += shard_blocks(plan, s);
    size_t pieces = pieces_per_step(side, steps);
    for (size_t s = 0; s < S; s++) {
        size_t start = plan->shard_starts[s] / CK_BLOCK;
        block_product product = {.left = left + start, .right = right + start, .count = shard_blocks(plan, s)};
        REAL *sums = s + 1 == S ? out : levels + level_of(s) * BLOCK_NUMBERS;
        multiply_blocks(&product, sums, side, pieces, weight_piece, beside);
        add_levels(sums, BLOCK_NUMBERS, levels, levels_added(s, S));
    }
}

/// out = the sum of dY over the rows, for one panel of units: the product of ones with dY, so in the same order.
INLINE void sum_bias(const ck_plan *plan, const block *right, REAL *out, REAL *levels) {
    size_t S = plan->shard_count;
    for (size_t s = 0; s < S; s++) {
        // A level is as large as a block; these sums are its first row.
        REAL *sums = s + 1 == S ? out : levels + level_of(s) * BLOCK_NUMBERS;
        sum_pairs(right + plan->shard_starts[s] / CK_BLOCK, shard_blocks(plan, s), sums);
        add_levels(sums, CK_BLOCK, levels, levels_added(s, S));
    }
}

/// The update of `count` numbers of a parameter, from their gradients' sums.
INLINE update_work update_of(const ck_plan *plan, const update_scalars *scalars, const ck_layer *layer, int is_bias,
                             size_t offset, size_t count, const REAL *sums) {
    REAL *parameters[3];
    const ck_parameters *from[3] = {&layer->parameters, &layer->slots[0], &layer->slots[1]};
    for (size_t i = 0; i < 3; i++) {
        void *start = is_bias ? from[i]->bias : from[i]->weight;
        parameters[i] = start ? AT(start, offset) : 0;
    }
    return (update_work){
        .kernel = update_kernel_of(plan->optimizer.type, scalars),
        .scalars = scalars,
        .count = count,
        .sums = sums,
        .w = parameters[0],
        .m = parameters[1],
        .v = parameters[2],
    };
}

INLINE void keep_sums(REAL *gradient, size_t n, const REAL *sums, int adds) {
    for (size_t i = 0; i < n; i += LANES)
        store(gradient + i, adds ? load(gradient + i) + load(sums + i) : load(sums + i));
}

INLINE void update_bias(const ck_plan *plan, update_scalars *scalars, const ck_layer *layer, size_t panel,
                        const REAL *sums) {
    if (moves_bias_apart(layer)) *scalars = scalars_of(plan, layer, 1);
    update_work work = update_of(plan, scalars, layer, 1, panel * CK_BLOCK, CK_BLOCK, sums);
    update(&work, CK_BLOCK);
}

/// Walks a tile block by block: sums over the shards, then keeps them in `gradient` or updates the weights.
INLINE void walk_tile(const ck_plan *plan, const ck_tile *tile, const ck_tile_work what, REAL *scratch) {
    const ck_layer *layer = &plan->layers[tile->layer];
    size_t panel = tile->panel, stride = row_stride(plan);
    const block *right = block_at(layer->delta_pairs, stride, panel, 0);
    REAL *sums = scratch, *other = scratch + BLOCK_NUMBERS, *levels = other + BLOCK_NUMBERS;
    update_scalars scalars = scalars_of(plan, layer, 0);
    weight_work work;
    side_work side = {0};
    take_unit();
    for (size_t from = tile->from; from < tile->to; from += CK_BLOCK) {
        size_t offset = block_offset(layer, panel, from), count = smaller(tile->to - from, CK_BLOCK) * CK_BLOCK;
        const block *left = block_at(layer->turned_input, stride, from / CK_BLOCK, 0);
        sum_block(plan, left, right, sums, levels, &side, &work);
        do_pieces(&side, WEIGHT_PIECES, weight_piece, &work);
        if (what != CK_UPDATES) {
            keep_sums(AT(layer->gradient.weight, offset), count, sums, what == CK_ADDS);
            continue;
        }
        start_weights(&work, layer, panel, from, update_of(plan, &scalars, layer, 0, offset, count, sums));
        side = (side_work){.pieces = WEIGHT_PIECES};
        REAL *done = sums;
        sums = other;
        other = done;
    }
    do_pieces(&side, WEIGHT_PIECES, weight_piece, &work);
    if (tile->from == 0 && layer->parameters.bias) {
        sum_bias(plan, right, sums, levels);
        if (what == CK_UPDATES) update_bias(plan, &scalars, layer, panel, sums);
        else keep_sums(AT(layer->gradient.bias, panel * CK_BLOCK), CK_BLOCK, sums, what == CK_ADDS);
    }
    give_back_unit();
}

static void update_tile(const ck_plan *plan, const ck_tile *tile, void *scratch) {
    walk_tile(plan, tile, CK_UPDATES, scratch);
}

static void sum_tile(const ck_plan *plan, const ck_tile *tile, int adds, void *scratch) {
    walk_tile(plan, tile, adds ? CK_ADDS : CK_SUMS, scratch);
}

static void apply_tile(const ck_plan *plan, const ck_tile *tile) {
    const ck_layer *layer = &plan->layers[tile->layer];
    size_t panel = tile->panel;
    update_scalars scalars = scalars_of(plan, layer, 0);
    for (size_t from = tile->from; from < tile->to; from += CK_BLOCK) {
        size_t offset = block_offset(layer, panel, from), count = smaller(tile->to - from, CK_BLOCK) * CK_BLOCK;
        const REAL *sums = AT(layer->gradient.weight, offset);
        weight_work work;
        start_weights(&work, layer, panel, from, update_of(plan, &scalars, layer, 0, offset, count, sums));
        finish_weights(&work);
    }
    if (tile->from == 0 && layer->parameters.bias)
        update_bias(plan, &scalars, layer, panel, AT(layer->gradient.bias, panel * CK_BLOCK));
}

static double squares_of_tile(const ck_plan *plan, const ck_tile *tile) {
    const ck_layer *layer = &plan->layers[tile->layer];
    size_t offset = block_offset(layer, tile->panel, tile->from);
    double sum = squares(plan, (tile->to - tile->from) * CK_BLOCK, AT(layer->gradient.weight, offset));
    sum /= square_of_divisor(layer);
    if (tile->from == 0 && layer->parameters.bias)
        sum += squares(plan, CK_BLOCK, AT(layer->gradient.bias, tile->panel * CK_BLOCK));
    return sum;
}
