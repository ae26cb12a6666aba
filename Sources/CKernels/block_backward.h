// dY · Wᵀ, dropout's factors and the derivative, in blocks of 32 rows by 32 inputs: the dY of the layer below.

// What is done to a block of sums on the way back. Pointers are to the layer below, whose dY it becomes.
typedef struct backward_work {
    const ck_plan *plan;
    const ck_layer *below;
    REAL *sums;
    const block *output;                  // relu: what the layer put out
    const REAL *activated, *kept, *mask;  // otherwise: what it kept before rounding
    block *rows, *pairs;                  // dY for dX and for dW; null where nothing reads it
} backward_work;

INLINE void start_backward(void *context, size_t row, size_t panel, REAL *sums) {
    backward_work *work = context;
    const ck_layer *below = work->below;
    size_t place = row * blocks_of(below->units) + panel;
    work->sums = sums;
    work->output = (const block *)below->output + place;
    work->activated = numbers_at(below->activated, place);
    work->kept = numbers_at(below->kept, place);
    work->mask = numbers_at(below->mask, place);
    work->rows = below->delta ? (block *)below->delta + place : 0;
    work->pairs = below->delta_pairs ? block_at(below->delta_pairs, row_stride(work->plan), panel, row) : 0;
}

/// A bit for each number of a row that is above zero: neither zero nor NaN, since relu leaves nothing below.
INLINE __mmask32 positive_numbers(const block *from, size_t row) {
    __m512i one = _mm512_set1_epi16(1), infinity = _mm512_set1_epi16(0x7f80);
    __m512i bits = load_part_of_row(from, 0, row);
    return _mm512_cmplt_epu16_mask(_mm512_sub_epi16(bits, one), infinity);
}

INLINE void keep_where(vec v[2], __mmask32 mask) {
    v[0] = (vec)_mm512_maskz_mov_ps((__mmask16)mask, (__m512)v[0]);
    v[1] = (vec)_mm512_maskz_mov_ps((__mmask16)(mask >> 16), (__m512)v[1]);
}

INLINE void relu_error_piece(void *context, size_t piece) {
    const backward_work *work = context;
    two_rows d = load_rows(work->sums + piece * 2 * CK_BLOCK);
    keep_where(d.even, positive_numbers(work->output, 2 * piece));
    keep_where(d.odd, positive_numbers(work->output, 2 * piece + 1));
    store_errors(piece, d, work->rows, work->pairs);
}

INLINE void activation_error_piece(void *context, size_t piece) {
    const backward_work *work = context;
    size_t start = piece * 2 * CK_BLOCK;
    REAL *d = work->sums + start;
    if (work->mask) store_rows(d, rows_times(load_rows(d), work->mask + start));
    derive(work->below->activation, 2 * CK_BLOCK, work->activated ? work->activated + start : 0,
           work->kept ? work->kept + start : 0, d);
    store_errors(piece, load_rows(d), work->rows, work->pairs);
}

/// Copies the errors of the stem's output, for panels from ..< to, out of their blocks into plain rows of FP32.
static void take_stem_blocks(const ck_plan *plan, const ck_part *part) {
    const ck_stem *stem = &plan->stem;
    size_t panels = blocks_of(plan->layers[-1].units);
    for (size_t row = part->first; row < part->first + part->count; row++) {
        for (size_t panel = part->from; panel < part->to; panel++) {
            const block *from = block_at(plan->layers[-1].delta, panels, row / CK_BLOCK, panel);
            REAL *to = AT(stem->errors, row * stem->row_stride + panel * CK_BLOCK);
            vec sum[2], low[2];
            widen(load_part_of_row(from, 0, row % CK_BLOCK), sum);
            if (PARTS == 2) {
                widen(load_part_of_row(from, PARTS - 1, row % CK_BLOCK), low);
                UNROLL for (size_t v = 0; v < 2; v++) sum[v] += low[v];
            }
            store(to, sum[0]);
            store(to + 16, sum[1]);
        }
    }
}

static void backward(const ck_plan *plan, size_t index, const ck_part *part) {
    const ck_layer *layer = &plan->layers[index], *below = layer - 1;
    backward_work work = {.plan = plan, .below = below};
    size_t K = blocks_of(layer->units);
    rows_product product = {
        .left = layer->delta, .right = layer->transposed, .count = K, .right_stride = column_stride(K), .part = part};
    if (below->activation == CK_RELU && !below->mask)
        multiply_rows(plan, &product, start_backward, relu_error_piece, &work, PIECES);
    else multiply_rows(plan, &product, start_backward, activation_error_piece, &work, PIECES);
    if (index == 0) take_stem_blocks(plan, part);
}

static void finish_rows(const ck_plan *plan, size_t first, size_t count) {
    size_t last = plan->layer_count - 1;
    forward_from(plan, last, last + 1, first, count, 1);
    take_loss(plan, first, count, CK_OUTPUT_ERROR);
    round_errors(plan, first, count);
    if (last == 0 && !has_stem(plan)) return;
    ck_part part = all_panels(first, count, plan->layers[last].inputs);
    backward(plan, last, &part);
}

static void train_rows(const ck_plan *plan, size_t first, size_t count) {
    size_t last = plan->layer_count - 1;
    pack_rows(plan, first, count);
    forward_from(plan, 0, last, first, count, 1);
    finish_rows(plan, first, count);
    for (size_t layer = last, lowest = has_stem(plan) ? 0 : 1; layer-- > lowest;) {
        ck_part part = all_panels(first, count, plan->layers[layer].inputs);
        backward(plan, layer, &part);
    }
}
