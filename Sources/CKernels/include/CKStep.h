#ifndef CKSTEP_H
#define CKSTEP_H

// The training step over blocks of rows, panels of columns and tiles of weights.
//
// A plan describes a network and the memory of its step. Parts of the work are handed to threads from outside; a call
// here computes one of them from beginning to end. Nothing is allocated, and every number is a pure function of the
// plan's contents: how the work is cut into calls, and which thread does which, changes no bit.
//
// Letters: B rows, F inputs, D units (outputs of a layer), S shards. PANEL is 32 float or 16 double: 128 bytes.
//
// Everything that products read lies in panels of 128 bytes of columns, so that a row of a panel is one pair of cache
// lines and the next row follows at once: activations and errors in ceil(D/PANEL) panels of `capacity` rows, W in
// ceil(D/PANEL) panels of F rows, Wᵀ in ceil(F/PANEL) panels of D rows, zeros where a panel reaches past the matrix.
// (Measured on Emerald Rapids: xᵀ·dY at 94–100 % of the peak, and at 67 % with rows of activations 3 KiB apart.)
// Narrow layers (D < 4, but for bf16) keep Wᵀ as D rows of F, padded to whole panels. Biases are padded to whole panels.
// Optimizer slots, gradients and shard sums have the layout of the weights.

#include "CKRows.h"

#include <stddef.h>
#include <stdint.h>

enum { CK_PANEL_BYTES = 128, CK_NARROW_UNITS = 4, CK_MAX_SHARD_LEVELS = 24, CK_MAX_BLOCK_ROWS = 64 };

/// Rows, and of W inputs, that a block of bf16 products has; its shards start at multiples of it.
enum { CK_BLOCK = 32 };

/// What a network computes in. CK_BF16 is FP32 whose products take operands rounded to bfloat16, and CK_BF16X3 FP32 whose
/// products take operands that are sums of two such numbers: see the article Numerics. "bf16" here means both.
typedef enum ck_numbers { CK_F32, CK_F64, CK_BF16, CK_BF16X3 } ck_numbers;

/// What a CPU may have to multiply bf16 with, besides multiply-adds: AVX512-BF16 or Intel's matrix unit. Both take operands in
/// blocks.
typedef enum ck_unit { CK_NO_UNIT, CK_DOTS, CK_TILES } ck_unit;

/// The optimizers: name, and which of the two slots each keeps (1: m, 2: v, 3: both). To add one, add a line here, and its
/// case to `updated` in kernels_update.h.
#define CK_OPTIMIZERS(f)  \
    f(CK_SGD, 0)          \
    f(CK_MOMENTUM, 1)     \
    f(CK_NESTEROV, 1)     \
    f(CK_ADAM, 3)         \
    f(CK_ADAMW, 3)        \
    f(CK_RMSPROP, 2)      \
    f(CK_ADAGRAD, 2)      \
    f(CK_LION, 1)

#define CK_OPTIMIZER_NAME(name, slots) name,
typedef enum ck_optimizer_type { CK_OPTIMIZERS(CK_OPTIMIZER_NAME) } ck_optimizer_type;

/// An optimizer's scalars for one update, as PyTorch defines them.
typedef struct ck_optimizer {
    ck_optimizer_type type;
    double rate, momentum, beta1, beta2, rho, eps;
    double weight_decay;  // decoupled for adamw and lion, added to the gradient otherwise; biases too, as in PyTorch
    double l1;            // sign(w) · l1 is added to the gradient
    double correction1;   // adam: 1 − β1ᵗ
    double correction2;   // adam: √(1 − β2ᵗ)
} ck_optimizer;

/// One layer's parameters or anything shaped like them.
typedef struct ck_parameters {
    void *weight;
    void *bias;  // null where the layer has none
} ck_parameters;

/// How one layer follows its gradients: factors on the optimizer's rate, 1 where all layers are alike.
typedef struct ck_rates {
    double weight, bias;
    // The stored weights are w / divisor for the w that the optimizer moves: √F where a network is parameterized so that
    // every w starts at the same size, 1 otherwise. See the article Mathematics.
    double divisor;
} ck_rates;

typedef struct ck_layer {
    size_t inputs, units;
    ck_activation activation;
    ck_dropout dropout;  // rate 0 for none; `step` is set before each run

    ck_parameters parameters;
    ck_parameters slots[2];  // the optimizer's, null where it needs fewer
    ck_parameters gradient;  // whole gradient; null where tiles update at once
    ck_parameters shards;    // S gradients, one after another; null where tiles compute their own sums
    size_t shard_stride;     // numbers from one shard's gradient to the next
    ck_rates rates;

    // The rest is set by `ck_arrange`.
    void *operand;     // bf16: W as products read it, rounded; the weights themselves otherwise
    void *transposed;  // Wᵀ as products read it; null for the first layer and for narrow ones
    void *input;       // what the layer reads, in panels: the output of the layer below, or packed rows of x
    void *output;      // what the next layer reads, in panels
    void *activated;   // the same before dropout and rounding; equal to `output` where there is neither
    void *kept;        // what the derivative needs besides, or null
    void *mask;        // dropout's factors, or null
    void *delta;       // dY, in panels
    const void *const *input_rows;  // narrow layers: B pointers to a row's first panel of inputs
    size_t input_panel;             // and the numbers from there to its next panel

    // With CK_BF16X3 each panel of what products read is followed by another one, of the same numbers' low parts.
    //
    // With a unit `operand`, `transposed`, `input`, `output` and `delta` are blocks of CK_BLOCK × CK_BLOCK
    // rounded numbers, and what xᵀ·dY reads is laid out a second time: see block_numbers.h.
    void *turned_input;   // the input, transposed in each block
    void *turned_output;  // the same of the output: the next layer's
    void *delta_pairs;    // dY in pairs of rows
} ck_layer;

/// The most outputs that an embedded column may have; and how many factors' gradients are a part of the work.
enum { CK_MAX_STEM_OUTPUTS = 32, CK_STEM_RUN = 256 };

/// What stands between a row of x, F numbers, and the first of a plan's layers: numerical embeddings, then a factor for each
/// number. See kernels_stem.h.
///
/// Its layers are, in this order and as far as there are any: `embedding` (1 × K·G, a frequency's G columns together),
/// `embedding_1` (K × O·G, an output's G columns together), and `input_scale` (1 × Z, without bias; Z = F + O·G). Their
/// weights lie row by row, each row padded to whole panels; `shards` is set for each.
typedef struct ck_stem {
    size_t layer_count;       // 0 where there is no stem
    ck_layer *layers;
    size_t inputs;            // F
    size_t embedded;          // G columns that are embedded
    const size_t *columns;    // which ones
    size_t frequencies, outputs;  // K and O
    int piecewise;            // whether the functions of a column are ramps, not waves
    int scales;               // whether there are factors

    // The rest is set by `ck_arrange`.
    void *numbers;            // of each row the columns that are embedded, `number_stride` apart
    void *rows;               // of each row the Z numbers before their factors, `row_stride` apart
    void *scaled;             // with a unit: the same after them
    void *errors;             // the loss's derivatives in what the first layer reads, laid out like `rows`
    size_t number_stride, row_stride;
} ck_stem;

/// The network and its step.
typedef struct ck_plan {
    ck_numbers numbers;
    size_t layer_count;
    ck_layer *layers;     // where there is a stem, the place before the first describes what the stem hands on
    ck_stem stem;
    ck_loss loss;
    ck_targets targets;
    size_t rows;          // B
    size_t first_row;     // the number of the first of them in the whole batch
    const void *const *x; // B pointers to the F inputs of a row
    ck_optimizer optimizer;
    double scale;         // 1 / Σw, set between the phases
    double clip;          // what clipping multiplies the averaged gradient by

    // The rest is set by `ck_arrange`.
    size_t capacity;      // rows in a panel of activations
    size_t shard_count;   // S
    size_t *shard_starts; // S + 1 row numbers, set before each run
    double *row_losses, *row_weights;  // B each, set by phase 1
    void *outputs;         // the last layer's outputs, then their errors or predictions: B rows, `output_stride` apart
    size_t output_stride;
    ck_unit unit;  // bf16: what memory is laid out for
    // With a unit and a long k: FP32 sums of each block of rows and of columns, the same blocks for all layers,
    // so that threads at different layers keep to their own rows; and the blocks from one block of rows to the next.
    void *unfinished_sums;
    size_t unfinished_stride;
} ck_plan;

/// Whether products take rounded operands, and how many numbers an operand is the sum of.
static inline int ck_rounds(const ck_plan *plan) { return plan->numbers == CK_BF16 || plan->numbers == CK_BF16X3; }
static inline size_t ck_parts(const ck_plan *plan) { return plan->numbers == CK_BF16X3 ? 2 : 1; }

/// Cuts `memory`, aligned to 64 bytes and full of zeros, into what a step for up to `capacity` rows in `shards` shards
/// needs besides the parameters and what has their form. Layers with their shapes, activations, dropout and parameters
/// are set before; `trains` says whether there is a way back. Returns the bytes; without memory it only counts them.
size_t ck_arrange(ck_plan *plan, size_t capacity, size_t shards, int trains, void *memory);

/// Makes the copies of a layer's weights that products read (Wᵀ, and rounded W) anew: one of the `parts` of them, which
/// several threads may do at once.
void ck_refresh_operands(const ck_plan *plan, size_t layer, size_t part, size_t parts);

// Phase 1 by rows: no block of rows depends on another.

/// Takes rows first ..< first + count forward, through the loss, and back to every dY. With bf16 `first` is a multiple
/// of CK_BLOCK, here and below, and so is `count` but for the last rows.
void ck_train_rows(const ck_plan *plan, size_t first, size_t count);

/// The same for one shard of a small network in blocks of `block` rows, at most CK_MAX_BLOCK_ROWS, and adds each block's
/// XᵀdY to the shard's gradient while the rows are in cache. Not with bf16.
void ck_train_shard(const ck_plan *plan, size_t shard, size_t block);

// Phase 1 by columns: weights stay with the core that updates them, and rows travel. Each call is complete before one of
// the next begins: packing; forward for all layers but the last; `ck_finish_rows`; backward down to the second.

/// Rows first ..< first + count, and panels from ..< to of a layer's units (forward) or inputs (backward).
typedef struct ck_part {
    size_t first, count, from, to;
} ck_part;

/// Packs rows of x for the first layer.
void ck_pack_rows(const ck_plan *plan, size_t first, size_t count);
/// One layer's x · W + b, its activation and dropout.
void ck_forward(const ck_plan *plan, size_t layer, const ck_part *part);
/// The last layer forward, the loss, and its input error back to the layer below.
void ck_finish_rows(const ck_plan *plan, size_t first, size_t count);
/// One layer's dY · Wᵀ and the derivative of the layer below, whose dY it is.
void ck_backward(const ck_plan *plan, size_t layer, const ck_part *part);

// Between the phases where there is a stem: each shard's gradients of the stem's parameters, in parts.

/// How many parts a shard's gradient of the stem has: one for each frequency, then some for the rest.
size_t ck_stem_parts(const ck_plan *plan);
/// Computes one part of one shard's gradient from the rows' errors; to be complete before a tile of the stem is summed.
void ck_stem_gradient(const ck_plan *plan, size_t shard, size_t part);

// Phase 2: tiles of weights.

/// Part of one layer's weights: inputs from ..< to of one panel; all units of a narrow layer. Of a layer of the stem, numbers
/// from ..< to as memory has them, whole panels.
typedef struct ck_tile {
    uint32_t layer, panel;  // those of the stem are counted first
    size_t from, to;
} ck_tile;

/// Sums a tile's gradient over the shards, averages it, and updates the weights and the copies that products read.
/// `scratch` holds `ck_tile_scratch` bytes for each thread, aligned to 64.
void ck_update_tile(const ck_plan *plan, const ck_tile *tile, void *scratch);
size_t ck_tile_scratch(size_t shard_count);

/// Where the whole gradient is needed first: writes the tile's sum over the shards into `gradient`, or adds to it.
void ck_sum_tile(const ck_plan *plan, const ck_tile *tile, int adds, void *scratch);

/// The sum of squares of the averaged gradient over a tile, by a fixed number of stripes and a fixed tree.
double ck_squares_of_tile(const ck_plan *plan, const ck_tile *tile);

/// Phase 3 after `ck_sum_tile`: updates the weights from `gradient`, scaled and clipped.
void ck_apply_tile(const ck_plan *plan, const ck_tile *tile);

// Prediction and sums.

/// The forward pass alone over rows, through the loss's link: predictions into `outputs`, and losses where there are
/// targets. Without dropout.
void ck_predict_rows(const ck_plan *plan, size_t first, size_t count);

/// The same from outputs that stand in `outputs` already, wherever they come from. Not with bf16.
void ck_conclude_rows(const ck_plan *plan, size_t first, size_t count);

/// The sum of n numbers by eight stripes and a fixed tree.
double ck_sum(size_t n, const double *values);

/// The sum of one number a row: `ck_sum` over each shard, then the tree of shards that gradients take.
double ck_sum_over_shards(const ck_plan *plan, const double *values);

#endif
