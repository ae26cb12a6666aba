// Phase 1: rows through all layers and back to every dY. See CKStep.h for the plan.

/// Numbers up to the end of the last panel.
INLINE size_t padded(size_t n) { return (n + PANEL - 1) / PANEL * PANEL; }
INLINE size_t panels_of(size_t n) { return (n + PANEL - 1) / PANEL; }

INLINE int is_narrow(const ck_layer *layer) { return !IS_BF16 && layer->units < CK_NARROW_UNITS; }

/// The weights as the forward product reads them.
INLINE const REAL *weights_read(const ck_layer *layer) {
    return (const REAL *)(IS_BF16 ? layer->operand : layer->parameters.weight);
}

INLINE const REAL *const *input_rows(const ck_plan *plan, const ck_layer *layer) {
    return (const REAL *const *)(layer->input_rows ? layer->input_rows : plan->x);
}

static void pack_rows(const ck_plan *plan, size_t first, size_t count) {
    const ck_layer *layer = plan->layers;
    if (has_stem(plan)) return pack_stem(plan, first, count);
    if (!layer->input) return;
    size_t F = layer->inputs, size = panel_size(plan), low = part_size(plan);
    const REAL *const *x = (const REAL *const *)plan->x;
    for (size_t r = first; r < first + count; r++) {
        REAL *to = AT(layer->input, r * PANEL);
        size_t i = 0;
        for (; i + PANEL <= F; i += PANEL, to += size) {
            for (size_t v = 0; v < PANEL; v += LANES) store_operand(to + v, low, load(x[r] + i + v));
        }
        if (i == F) continue;
        REAL last[PANEL] = {0};
        memcpy(last, x[r] + i, (F - i) * sizeof(REAL));
        make_operands(PANEL, last, to, low);
    }
}

// Applies dropout to some panels of activations. The random factors come in groups of 64 units, which is two panels of
// floats or four of doubles.
INLINE void drop(const ck_plan *plan, const ck_layer *layer, const ck_part *part, int trains) {
    enum { group = 64 };
    size_t size = panel_size(plan), from = part->from * PANEL, to = part->to * PANEL;
    for (size_t start = from / group * group; start < to; start += group) {
        for (size_t r = part->first; r < part->first + part->count; r++) {
            REAL factors[group];
            if (trains) dropout_mask_group(&layer->dropout, plan->first_row + r, start, factors);
            for (size_t i = start < from ? from : start; i < start + group && i < to; i += LANES) {
                size_t place = i / PANEL * size + r * PANEL + i % PANEL;
                vec a = load(AT(layer->activated, place));
                if (trains) {
                    vec factor = load(factors + (i - start));
                    store(AT(layer->mask, place), factor);
                    a *= factor;
                }
                store_operand(AT(layer->output, place), part_size(plan), a);
            }
        }
    }
}

/// x · W + b, the activation and dropout. `ahead`, where not null, has rows of x that will be needed next.
static void forward_part(const ck_plan *plan, size_t l, const ck_part *part, int trains, const REAL *const *ahead) {
    const ck_layer *layer = &plan->layers[l];
    size_t size = panel_size(plan), low = part_size(plan), row = part->first * PANEL, first = part->first;
    int relu = layer->activation == CK_RELU, is_plain = relu || layer->activation == CK_IDENTITY;
    // Where no later pass changes the result, the product itself stores it in the form that the next product reads.
    int is_operand = is_plain && layer->output == layer->activated && l + 1 < plan->layer_count;
    if (is_narrow(layer)) {
        narrow_rows(part->count, layer->inputs, layer->units, input_rows(plan, layer) + first, layer->input_panel,
                    layer->parameters.weight, padded(layer->inputs), layer->parameters.bias, relu,
                    AT(layer->activated, row), PANEL, ahead);
    } else {
        ending ending = {.bias = layer->parameters.bias, .relu = relu, .is_operand = is_operand, .low = low};
        rows x = {.start = AT(layer->input, row), .panel = size, .low = low};
        multiply_rows(part->count, layer->inputs, &x, weights_read(layer), layer->units, part->from, part->to,
                      AT(layer->activated, row), size, &ending);
    }
    for (size_t panel = part->from; !is_plain && panel < part->to; panel++) {
        size_t place = panel * size + row, n = part->count * PANEL;
        activate(layer->activation, n, AT(layer->activated, place), layer->kept ? AT(layer->kept, place) : 0);
        if (!layer->mask) make_operands(n, AT(layer->activated, place), AT(layer->output, place), low);
    }
    if (layer->mask) drop(plan, layer, part, trains);
}

/// The lowest layer whose dX is needed: the first one's where there is a stem.
INLINE size_t lowest_backward(const ck_plan *plan) { return has_stem(plan) ? 0 : 1; }

/// dY · Wᵀ over panels of the layer's inputs, times what dropout and the activation of the layer below ask for.
static void backward_part(const ck_plan *plan, size_t l, const ck_part *part) {
    const ck_layer *layer = &plan->layers[l], *below = layer - 1;
    size_t size = panel_size(plan), low = part_size(plan), row = part->first * PANEL;
    REAL *out = AT(below->delta, row);
    int relu = below->activation == CK_RELU, is_plain = relu || below->activation == CK_IDENTITY;
    // Dropout's factors come before the derivative; for relu the order changes no bit.
    const REAL *positive = relu ? AT(below->activated, row) : 0;
    if (is_narrow(layer)) {
        narrow_input_error(part->count, layer->units, AT(layer->delta, row), PANEL, layer->parameters.weight,
                           padded(layer->inputs), part->from, part->to, out, size, positive);
    } else {
        ending ending = {.positive = positive, .is_operand = is_plain && !below->mask, .low = low};
        rows delta = {.start = AT(layer->delta, row), .panel = size, .low = low};
        multiply_rows(part->count, layer->units, &delta, layer->transposed, layer->inputs, part->from, part->to, out,
                      size, &ending);
    }
    if (l == 0) take_stem_errors(plan, part);
    if (!below->mask && is_plain) return;
    size_t n = part->count * PANEL;
    for (size_t panel = part->from; panel < part->to; panel++) {
        size_t place = panel * size;
        if (below->mask) {
            const REAL *mask = AT(below->mask, place + row);
            for (size_t i = 0; i < n; i += LANES) store(out + place + i, load(out + place + i) * load(mask + i));
        }
        if (!is_plain)
            derive(below->activation, n, AT(below->activated, place + row),
                   below->kept ? AT(below->kept, place + row) : 0, out + place);
        make_operands(n, out + place, out + place, low);
    }
}

// Copies the outputs from panels to plain rows, as the loss reads them. Outputs of one panel are such rows already.
INLINE void unpack_outputs(const ck_plan *plan, size_t first, size_t count) {
    const ck_layer *last = &plan->layers[plan->layer_count - 1];
    if (plan->outputs == last->activated) return;
    for (size_t panel = 0; panel < panels_of(last->units); panel++) {
        for (size_t r = first; r < first + count; r++)
            memcpy(AT(plan->outputs, r * plan->output_stride + panel * PANEL),
                   AT(last->activated, panel * panel_size(plan) + r * PANEL), CK_PANEL_BYTES);
    }
}

INLINE void pack_errors(const ck_plan *plan, size_t first, size_t count) {
    const ck_layer *last = &plan->layers[plan->layer_count - 1];
    for (size_t panel = 0; panel < panels_of(last->units); panel++) {
        for (size_t r = first; r < first + count; r++)
            make_operands(PANEL, AT(plan->outputs, r * plan->output_stride + panel * PANEL),
                          AT(last->delta, panel * panel_size(plan) + r * PANEL), part_size(plan));
    }
}

INLINE void take_loss(const ck_plan *plan, size_t first, size_t count, ck_loss_result result) {
    unpack_outputs(plan, first, count);
    loss_rows(&plan->loss, result, &plan->targets, first, count, AT(plan->outputs, first * plan->output_stride),
              plan->output_stride, plan->row_losses + first, plan->row_weights + first);
}

INLINE ck_part all_units(const ck_layer *layer, size_t first, size_t count) {
    return (ck_part){.first = first, .count = count, .from = 0, .to = panels_of(layer->units)};
}

INLINE ck_part all_inputs(const ck_layer *layer, size_t first, size_t count) {
    return (ck_part){.first = first, .count = count, .from = 0, .to = panels_of(layer->inputs)};
}

INLINE void finish_block(const ck_plan *plan, size_t first, size_t count, const REAL *const *ahead) {
    size_t l = plan->layer_count - 1;
    ck_part units = all_units(&plan->layers[l], first, count), inputs = all_inputs(&plan->layers[l], first, count);
    forward_part(plan, l, &units, 1, ahead);
    take_loss(plan, first, count, CK_OUTPUT_ERROR);
    pack_errors(plan, first, count);
    if (l >= lowest_backward(plan)) backward_part(plan, l, &inputs);
}

INLINE void train_block(const ck_plan *plan, size_t first, size_t count, const REAL *const *ahead) {
    size_t last = plan->layer_count - 1;
    pack_rows(plan, first, count);
    for (size_t l = 0; l < last; l++) {
        ck_part part = all_units(&plan->layers[l], first, count);
        forward_part(plan, l, &part, 1, l == 0 ? ahead : 0);
    }
    finish_block(plan, first, count, last == 0 ? ahead : 0);
    for (size_t l = last; l-- > lowest_backward(plan);) {
        ck_part part = all_inputs(&plan->layers[l], first, count);
        backward_part(plan, l, &part);
    }
}

static void train_rows(const ck_plan *plan, size_t first, size_t count) { train_block(plan, first, count, 0); }

static void forward(const ck_plan *plan, size_t layer, const ck_part *part) { forward_part(plan, layer, part, 1, 0); }

static void finish_rows(const ck_plan *plan, size_t first, size_t count) { finish_block(plan, first, count, 0); }

static void backward(const ck_plan *plan, size_t layer, const ck_part *part) { backward_part(plan, layer, part); }

static void predict_rows(const ck_plan *plan, size_t first, size_t count) {
    pack_rows(plan, first, count);
    for (size_t l = 0; l < plan->layer_count; l++) {
        ck_part part = all_units(&plan->layers[l], first, count);
        forward_part(plan, l, &part, 0, 0);
    }
    take_loss(plan, first, count, CK_PREDICTION);
}

static void conclude_rows(const ck_plan *plan, size_t first, size_t count) {
    loss_rows(&plan->loss, CK_PREDICTION, &plan->targets, first, count, AT(plan->outputs, first * plan->output_stride),
              plan->output_stride, plan->row_losses + first, plan->row_weights + first);
}

// Adds the rows' xᵀ · dY to a shard's gradient of one layer; the first rows of a shard begin its chains.
static void add_gradient(const ck_plan *plan, const ck_layer *layer, size_t shard, size_t first, size_t count,
                         int begins, const REAL *const *ahead) {
    REAL *sums = AT(layer->shards.weight, shard * layer->shard_stride);
    const REAL *delta = AT(layer->delta, first * PANEL);
    size_t F = layer->inputs, D = layer->units, size = panel_size(plan);
    if (is_narrow(layer)) {
        const REAL *const *x = input_rows(plan, layer) + first;
        size_t width = padded(F);
        for (size_t d = 0; d < D; d++) {
            REAL *out = sums + d * width;
            narrow_gradient(count, F, x, layer->input_panel, 0, F, delta + d, PANEL, begins ? 0 : out, out,
                            d == 0 ? ahead : 0);
        }
    } else {
        for (size_t j = 0; j < panels_of(D); j++) {
            for (size_t i = 0; i < panels_of(F); i++) {
                REAL *out = sums + j * F * PANEL + i * PANEL * PANEL;
                shard_block block = {.x = AT(layer->input, i * size + first * PANEL), .delta = delta + j * size,
                                     .low = part_size(plan), .rows = count, .start = begins ? 0 : out, .out = out};
                size_t inputs = F - i * PANEL < PANEL ? F - i * PANEL : PANEL;
                add_shard(&block, inputs, D - j * PANEL < PANEL ? D - j * PANEL : PANEL);
            }
        }
    }
    if (layer->shards.bias) {
        REAL *bias = AT(layer->shards.bias, shard * layer->shard_stride);
        for (size_t j = 0; j < padded(D); j += LANES) {
            vec start = begins ? (vec){0} : load(bias + j);
            store(bias + j, sum_rows(count, delta + j / PANEL * size + j % PANEL, part_size(plan), start));
        }
    }
}

static void train_shard(const ck_plan *plan, size_t shard, size_t block) {
    size_t start = plan->shard_starts[shard], end = plan->shard_starts[shard + 1];
    const REAL *ahead[CK_MAX_BLOCK_ROWS];
    size_t first = start, half = plan->layers[0].inputs / 2;
    do {
        size_t count = end - first < block ? end - first : block;
        // The next block of rows, to be prefetched; at the end of this shard it belongs to the next shard. The last
        // block has no successor and prefetches itself, which does no harm.
        const REAL *const *next = (const REAL *const *)plan->x + (first + 2 * count <= plan->rows ? first + count : first);
        if (count > 0) train_block(plan, first, count, next);
        for (size_t r = 0; r < count; r++) ahead[r] = next[r] + half;
        for (size_t l = 0; l < plan->layer_count; l++)
            add_gradient(plan, &plan->layers[l], shard, first, count, first == start, l == 0 ? ahead : 0);
        first += count;
    } while (first < end);
}
