// Phase 1 of the step in blocks: what its products have in common, and the rows of x and of the loss.

/// From one column of blocks to the next, where columns of rows are what a product reads: an odd number of blocks, so
/// that neighbours do not share the sets of a cache.
INLINE size_t column_stride(size_t blocks) { return blocks | 1; }

INLINE size_t row_stride(const ck_plan *plan) { return column_stride(blocks_of(plan->capacity)); }

INLINE block *block_at(void *blocks, size_t stride, size_t row, size_t column) {
    return (block *)blocks + row * stride + column;
}

/// The block of FP32 numbers at a place, of what is kept in such blocks; null where it is not kept.
INLINE REAL *numbers_at(void *numbers, size_t place) { return numbers ? AT(numbers, place * BLOCK_NUMBERS) : 0; }

INLINE size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

// Blocks of rows times columns of blocks: x · W for some panels of units, or dY · Wᵀ for some of inputs.
typedef struct rows_product {
    const block *left;    // `count` blocks for each block of rows
    const block *right;   // `count` blocks for each panel, `right_stride` apart
    size_t count, right_stride;
    const ck_part *part;
} rows_product;

/// Sets what is to be done with the sums of one block: row block `row` and panel `panel`.
typedef void (*work_start)(void *work, size_t row, size_t panel, REAL *sums);

// A part is computed in bands of rows that fit the L2 cache. For each panel of weights, all rows of the band are
// multiplied before the next panel is loaded, so that the panel stays in L1 if it fits there.
//
// Where k is long, it is cut into chunks so that one chunk of a panel does fit L1. The sums of the band for a group of
// panels then wait in L2 for the next chunk. (Measured on Emerald Rapids, K = 4096: 1.4 times as fast; K = 1024:
// slower, because reading and writing the sums costs more than it saves.)
enum { CHUNK_BLOCKS = 16, BAND_OF_CHUNKS = 16, GROUP_OF_CHUNKS = 16, BAND_BYTES = 1 << 20 };

// What is cut evenly into pieces, none longer than a limit.
typedef struct cut {
    size_t start, count, pieces;
} cut;

INLINE cut cut_evenly(size_t start, size_t count, size_t limit) {
    return (cut){start, count, (count + limit - 1) / limit};
}

typedef struct block_range {
    size_t from, to;
} block_range;

INLINE block_range piece_of(cut cut, size_t piece) {
    return (block_range){cut.start + cut.count * piece / cut.pieces, cut.start + cut.count * (piece + 1) / cut.pieces};
}

// A walk over a part: its work beside the products, and the sums that this is done to.
typedef struct rows_walk {
    const ck_plan *plan;
    const rows_product *product;
    int left_stays, is_cut;
    size_t pieces;
    side_work side;
    size_t turn;
    two_blocks *buffer;
} rows_walk;

/// A band of rows times a group of panels, over one chunk of k. After the last chunk the sums are worked on.
INLINE void multiply_chunk(rows_walk *walk, block_range rows, block_range panels, block_range k, work_start start,
                           work_piece piece, void *work) {
    const rows_product *product = walk->product;
    const ck_plan *plan = walk->plan;
    int is_last = k.to == product->count;
    // While the rows pass one panel, the next one is fetched, a share of each of its blocks beside each product.
    size_t height = rows.to - rows.from, lines = walk->left_stays ? 0 : (BLOCK_LINES + height - 1) / height;
    block_product one = {.count = k.to - k.from, .left_stays = walk->left_stays, .continues = k.from > 0};
    for (size_t panel = panels.from; panel < panels.to; panel++) {
        one.right = product->right + panel * product->right_stride + k.from;
        one.lines_ahead = panel + 1 < panels.to ? lines : 0;
        one.ahead = (const char *)(one.right + product->right_stride);
        for (size_t row = rows.from; row < rows.to; row++) {
            one.left = product->left + row * product->count + k.from;
            REAL *sums = walk->is_cut ? numbers_at(plan->unfinished_sums, row * plan->unfinished_stride + panel)
                                      : walk->buffer->sums[walk->turn++ & 1];
            multiply_blocks(&one, sums, &walk->side, pieces_per_step(&walk->side, one.count), piece, work);
            one.ahead += one.lines_ahead * one.count * 64;
            if (!is_last) continue;
            start(work, row, panel, sums);
            walk->side = (side_work){.pieces = walk->pieces};
        }
    }
}

/// Multiplies a part. The sums of each block are worked on, in `pieces`, while the next block is multiplied.
INLINE void multiply_rows(const ck_plan *plan, const rows_product *product, work_start start, work_piece piece,
                          void *work, size_t pieces) {
    const ck_part *part = product->part;
    size_t K = product->count, first = part->first / CK_BLOCK, rows = blocks_of(part->first + part->count) - first;
    size_t width = part->to - part->from;
    two_blocks buffer;
    // With a single block of rows, the rows stay in L1 and the panels pass by; otherwise it is the other way round.
    rows_walk walk = {.plan = plan, .product = product, .left_stays = rows == 1, .pieces = pieces};
    walk.buffer = &buffer;
    walk.is_cut = rows > 1 && K > CK_WHOLE_BLOCKS;
    cut chunks = cut_evenly(0, K, walk.is_cut ? CHUNK_BLOCKS : K);
    cut bands = cut_evenly(first, rows, walk.is_cut ? BAND_OF_CHUNKS : BAND_BYTES / (K * sizeof(block)) + 1);
    cut groups = cut_evenly(part->from, width, walk.is_cut ? GROUP_OF_CHUNKS : width);
    take_unit();
    for (size_t band = 0; band < bands.pieces; band++) {
        for (size_t group = 0; group < groups.pieces; group++) {
            for (size_t chunk = 0; chunk < chunks.pieces; chunk++)
                multiply_chunk(&walk, piece_of(bands, band), piece_of(groups, group), piece_of(chunks, chunk), start,
                               piece, work);
        }
    }
    do_pieces(&walk.side, pieces, piece, work);
    give_back_unit();
}

/// Two rows of 32 numbers of a block, in registers.
typedef struct two_rows {
    vec even[2], odd[2];
} two_rows;

INLINE two_rows load_rows(const REAL *rows) {
    return (two_rows){{load(rows), load(rows + 16)}, {load(rows + 32), load(rows + 48)}};
}

INLINE void store_rows(REAL *rows, two_rows v) {
    store(rows, v.even[0]);
    store(rows + 16, v.even[1]);
    store(rows + 32, v.odd[0]);
    store(rows + 48, v.odd[1]);
}

INLINE two_rows rows_times(two_rows v, const REAL *factors) {
    two_rows f = load_rows(factors);
    return (two_rows){{v.even[0] * f.even[0], v.even[1] * f.even[1]}, {v.odd[0] * f.odd[0], v.odd[1] * f.odd[1]}};
}

/// dY of two rows, rounded once: for dX, unless `rows` is null, and for dW, unless `pairs` is.
INLINE void store_errors(size_t piece, two_rows d, block *rows, block *pairs) {
    row_of_block even = rounded_row(d.even[0], d.even[1]), odd = rounded_row(d.odd[0], d.odd[1]);
    if (rows) {
        store_row(rows, 2 * piece, even);
        store_row(rows, 2 * piece + 1, odd);
    }
    if (pairs) store_pairs(pairs, piece, even, odd);
}

/// The last numbers of a row of x, fewer than 32, and zeros.
INLINE row_of_block last_numbers(const REAL *x, size_t count) {
    __mmask32 mask = ((__mmask32)1 << count) - 1;
    return rounded_row((vec)_mm512_maskz_loadu_ps((__mmask16)mask, x),
                       (vec)_mm512_maskz_loadu_ps((__mmask16)(mask >> 16), x + 16));
}

/// What the first layer reads of a row, before it is rounded.
INLINE const REAL *first_input(const ck_plan *plan, size_t row) {
    return has_stem(plan) ? AT(plan->stem.scaled, row * plan->stem.row_stride) : (const REAL *)plan->x[row];
}

/// Rows of x for the first layer's products; rows past the end are zeros. Turned they are only read on the way back.
static void pack_part(const ck_plan *plan, size_t first, size_t count, int trains) {
    const ck_layer *layer = plan->layers;
    if (has_stem(plan)) scale_stem(plan, first, count);
    size_t F = layer->inputs, columns = blocks_of(F), whole = F / CK_BLOCK, end = first + count;
    for (size_t row = first; row < end; row += CK_BLOCK) {
        block *to = block_at(layer->input, columns, row / CK_BLOCK, 0);
        for (size_t r = 0; r < CK_BLOCK; r++) {
            if (row + r >= end) {
                for (size_t k = 0; k < columns; k++) store_row(to + k, r, (row_of_block){0});
                continue;
            }
            const REAL *from = first_input(plan, row + r), *ahead = first_input(plan, smaller(row + r + 2, end - 1));
            for (size_t k = 0; k < whole; k++) {
                __builtin_prefetch(ahead + k * CK_BLOCK);
                __builtin_prefetch(ahead + k * CK_BLOCK + 16);
                store_row(to + k, r, rounded_row(load(from + k * CK_BLOCK), load(from + k * CK_BLOCK + 16)));
            }
            if (whole < columns) store_row(to + whole, r, last_numbers(from + whole * CK_BLOCK, F % CK_BLOCK));
        }
        if (!trains) continue;
        for (size_t k = 0; k < columns; k++) {
            block *turned = block_at(layer->turned_input, row_stride(plan), k, row / CK_BLOCK);
            turn_half(to + k, 0, turned);
            turn_half(to + k, 1, turned);
        }
    }
}

static void pack_rows(const ck_plan *plan, size_t first, size_t count) { pack_part(plan, first, count, 1); }

/// The loss's errors of some rows, rounded to the last layer's dY; zeros for rows past the end.
static void round_errors(const ck_plan *plan, size_t first, size_t count) {
    size_t index = plan->layer_count - 1, end = first + count;
    const ck_layer *layer = &plan->layers[index];
    size_t panels = blocks_of(layer->units);
    for (size_t row = first; row < end; row += CK_BLOCK) {
        for (size_t panel = 0; panel < panels; panel++) {
            block *rows = layer->delta ? block_at(layer->delta, panels, row / CK_BLOCK, panel) : 0;
            block *pairs = block_at(layer->delta_pairs, row_stride(plan), panel, row / CK_BLOCK);
            for (size_t piece = 0; piece < PIECES; piece++) {
                size_t r = row + 2 * piece;
                const REAL *errors = AT(plan->outputs, r * plan->output_stride + panel * CK_BLOCK);
                two_rows d = {0};
                if (r < end) {
                    d.even[0] = load(errors);
                    d.even[1] = load(errors + 16);
                }
                if (r + 1 < end) {
                    d.odd[0] = load(errors + plan->output_stride);
                    d.odd[1] = load(errors + plan->output_stride + 16);
                }
                store_errors(piece, d, rows, pairs);
            }
        }
    }
}
