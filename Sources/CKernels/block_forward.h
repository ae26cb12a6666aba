// x · W + b, the activation and dropout, in blocks of 32 rows by 32 units.

// What is done to a block of sums of the forward pass.
typedef struct forward_work {
    const ck_plan *plan;
    const ck_layer *layer;
    int trains;
    size_t end;                     // the row after the part's last
    size_t rows;                    // rows of the block that count
    REAL *sums;
    const REAL *bias;               // of the block's units, or null
    block *output, *turned;
    REAL *activated, *kept, *mask;  // numbers of the block; null for what is not kept
    REAL *outputs;                  // the last layer: the block's first row and unit in the plan's outputs
} forward_work;

INLINE void start_forward(void *context, size_t row, size_t panel, REAL *sums) {
    forward_work *work = context;
    const ck_layer *layer = work->layer;
    size_t place = row * blocks_of(layer->units) + panel, units = panel * CK_BLOCK;
    work->rows = smaller(work->end - row * CK_BLOCK, CK_BLOCK);
    work->sums = sums;
    work->bias = layer->parameters.bias ? AT(layer->parameters.bias, units) : 0;
    if (!layer->output) {
        work->outputs = AT(work->plan->outputs, row * CK_BLOCK * work->plan->output_stride + units);
        return;
    }
    work->output = (block *)layer->output + place;
    if (!work->trains) return;
    work->turned = block_at(layer->turned_output, row_stride(work->plan), panel, row);
    work->activated = numbers_at(layer->activated, place);
    work->kept = numbers_at(layer->kept, place);
    work->mask = numbers_at(layer->mask, place);
}

INLINE two_rows biased_rows(const forward_work *work, size_t piece) {
    two_rows y = load_rows(work->sums + piece * 2 * CK_BLOCK);
    if (work->bias) {
        vec low = load(work->bias), high = load(work->bias + 16);
        y = (two_rows){{y.even[0] + low, y.even[1] + high}, {y.odd[0] + low, y.odd[1] + high}};
    }
    return y;
}

/// Two rows of a hidden layer's output, rounded once.
INLINE void store_output(const forward_work *work, size_t piece, two_rows output) {
    store_row(work->output, 2 * piece, rounded_row(output.even[0], output.even[1]));
    store_row(work->output, 2 * piece + 1, rounded_row(output.odd[0], output.odd[1]));
}

/// The last two pieces of work on a block: they store the output a second time, transposed, as dW reads it.
INLINE void turn_output(const forward_work *work, size_t half) {
    // Rows past the end of the batch are zeros for dW, whatever the activation makes of the bias.
    for (size_t row = work->rows; half == 0 && row < CK_BLOCK; row++) store_row(work->output, row, (row_of_block){0});
    turn_half(work->output, half, work->turned);
}

INLINE vec positive_part(vec x) { return (vec)_mm512_max_ps(_mm512_setzero_ps(), (__m512)x); }

INLINE void relu_piece(void *context, size_t piece) {
    forward_work *work = context;
    if (piece >= PIECES) return turn_output(work, piece - PIECES);
    two_rows y = biased_rows(work, piece);
    UNROLL for (size_t v = 0; v < 2; v++) {
        y.even[v] = positive_part(y.even[v]);
        y.odd[v] = positive_part(y.odd[v]);
    }
    store_output(work, piece, y);
}

/// Any activation, any dropout: f is computed in place of the sums, and what the way back needs is kept before it is
/// rounded.
INLINE void activation_piece(void *context, size_t piece) {
    forward_work *work = context;
    if (piece >= PIECES) return turn_output(work, piece - PIECES);
    size_t start = piece * 2 * CK_BLOCK;
    REAL *sums = work->sums + start;
    store_rows(sums, biased_rows(work, piece));
    activate(work->layer->activation, 2 * CK_BLOCK, sums, work->kept ? work->kept + start : 0);
    two_rows a = load_rows(sums);
    if (work->activated) store_rows(work->activated + start, a);
    store_output(work, piece, work->mask ? rows_times(a, work->mask + start) : a);
}

INLINE void output_piece(void *context, size_t piece) {
    forward_work *work = context;
    size_t row = 2 * piece, stride = work->plan->output_stride;
    two_rows y = biased_rows(work, piece);
    REAL *to = work->outputs + row * stride;
    if (row < work->rows) {
        store(to, y.even[0]);
        store(to + 16, y.even[1]);
    }
    if (row + 1 < work->rows) {
        store(to + stride, y.odd[0]);
        store(to + stride + 16, y.odd[1]);
    }
}

/// Dropout's factors for a part; they come for two panels of a row at a time.
static void make_masks(const ck_plan *plan, const ck_layer *layer, const ck_part *part) {
    enum { group = 2 * CK_BLOCK };
    size_t panels = blocks_of(layer->units);
    for (size_t row = part->first; row < part->first + part->count; row++) {
        for (size_t pair = part->from / 2 * 2; pair < part->to; pair += 2) {
            REAL factors[group];
            dropout_mask_group(&layer->dropout, plan->first_row + row, pair * CK_BLOCK, factors);
            for (size_t panel = pair < part->from ? pair + 1 : pair; panel < pair + 2 && panel < part->to; panel++) {
                REAL *mask = numbers_at(layer->mask, row / CK_BLOCK * panels + panel);
                memcpy(mask + row % CK_BLOCK * CK_BLOCK, factors + (panel - pair) * CK_BLOCK, CK_PANEL_BYTES);
            }
        }
    }
}

static void forward_part(const ck_plan *plan, size_t index, const ck_part *part, int trains) {
    const ck_layer *layer = &plan->layers[index];
    forward_work work = {.plan = plan, .layer = layer, .trains = trains, .end = part->first + part->count};
    size_t K = blocks_of(layer->inputs), pieces = trains ? PIECES + 2 : PIECES;
    rows_product product = {.left = layer->input, .right = layer->operand, .count = K, .right_stride = K, .part = part};
    int drops = trains && layer->mask;
    if (drops) make_masks(plan, layer, part);
    if (!layer->output) multiply_rows(plan, &product, start_forward, output_piece, &work, PIECES);
    else if (layer->activation == CK_RELU && !drops)
        multiply_rows(plan, &product, start_forward, relu_piece, &work, pieces);
    else multiply_rows(plan, &product, start_forward, activation_piece, &work, pieces);
}

static void forward(const ck_plan *plan, size_t layer, const ck_part *part) { forward_part(plan, layer, part, 1); }

INLINE ck_part all_panels(size_t first, size_t count, size_t numbers) {
    return (ck_part){.first = first, .count = count, .from = 0, .to = blocks_of(numbers)};
}

/// All layers forward, from packed rows or from the output of the layer before.
static void forward_from(const ck_plan *plan, size_t layer, size_t end, size_t first, size_t count, int trains) {
    for (; layer < end; layer++) {
        ck_part part = all_panels(first, count, plan->layers[layer].units);
        forward_part(plan, layer, &part, trains);
    }
}

static void take_loss(const ck_plan *plan, size_t first, size_t count, ck_loss_result result) {
    loss_rows(&plan->loss, result, &plan->targets, first, count, AT(plan->outputs, first * plan->output_stride),
              plan->output_stride, plan->row_losses + first, plan->row_weights + first);
}

static void predict_rows(const ck_plan *plan, size_t first, size_t count) {
    pack_part(plan, first, count, 0);
    forward_from(plan, 0, plan->layer_count, first, count, 0);
    take_loss(plan, first, count, CK_PREDICTION);
}
