#ifndef CKSTEP_H
#define CKSTEP_H

// The training step over blocks of rows and tiles of weights.
//
// A plan describes a network and the memory of its step. Rows and tiles are handed to threads from outside; a call
// here computes one of them from beginning to end. Nothing is allocated, and every number is a pure function of the
// plan's contents: how rows are cut into calls, and tiles among threads, changes no bit.
//
// Letters: B rows, F inputs, D units (outputs of a layer), S shards. PANEL is 32 float or 16 double: 128 bytes.
//
// Wide layers (D ≥ 4) keep W in ceil(D/PANEL) panels of F × PANEL numbers and Wᵀ in ceil(F/PANEL) panels of D × PANEL,
// zeros where a panel reaches past the matrix. Narrow layers (D < 4) keep Wᵀ as D rows of F, padded to whole panels.
// Biases are padded to whole panels. Optimizer slots, gradients and shard sums have the layout of the weights.

#include "CKRows.h"

#include <stddef.h>
#include <stdint.h>

enum { CK_PANEL_BYTES = 128, CK_NARROW_UNITS = 4, CK_MAX_SHARD_LEVELS = 24, CK_MAX_BLOCK_ROWS = 64 };

typedef enum ck_optimizer_type {
    CK_SGD, CK_MOMENTUM, CK_NESTEROV, CK_ADAM, CK_ADAMW, CK_RMSPROP, CK_ADAGRAD
} ck_optimizer_type;

/// An optimizer's scalars for one update, as PyTorch defines them.
typedef struct ck_optimizer {
    ck_optimizer_type type;
    double rate, momentum, beta1, beta2, rho, eps;
    double weight_decay;  // decoupled for adamw, added to the gradient otherwise; biases too, as in PyTorch
    double l1;            // sign(w) · l1 is added to the gradient
    double correction1;   // adam: 1 − β1ᵗ
    double correction2;   // adam: √(1 − β2ᵗ)
} ck_optimizer;

/// One layer's parameters or anything shaped like them.
typedef struct ck_parameters {
    void *weight;
    void *bias;  // null where the layer has none
} ck_parameters;

typedef struct ck_layer {
    size_t inputs, units;
    ck_activation activation;
    ck_dropout dropout;  // rate 0 for none; `step` is set before each run

    ck_parameters parameters;
    void *transposed;        // Wᵀ; null for the first layer and for narrow ones
    ck_parameters slots[2];  // the optimizer's, null where it needs fewer
    ck_parameters gradient;  // whole gradient; null where tiles update at once
    ck_parameters shards;    // S gradients, one after another; null where tiles compute their own sums
    size_t shard_stride;     // numbers from one shard's gradient to the next

    const void *const *input_rows;  // B pointers to F numbers
    void *const *delta_rows;        // B pointers to the rows of `delta`
    void *output;     // B rows, `stride` apart: what the next layer reads
    void *activated;  // the same before dropout; equal to `output` without it
    void *kept;       // what the derivative needs besides, or null
    void *mask;       // dropout's factors, or null
    void *delta;      // B rows, `stride` apart: dY. The last layer's takes the place of its output
    size_t stride;
} ck_layer;

/// The network and its step.
typedef struct ck_plan {
    int is_double;
    size_t layer_count;
    ck_layer *layers;
    ck_loss loss;
    ck_targets targets;
    size_t rows;          // B
    size_t first_row;     // the number of the first of them in the whole batch
    size_t shard_count;   // S
    size_t *shard_starts; // S + 1 row numbers
    double *row_losses, *row_weights;  // B each, set by phase 1
    ck_optimizer optimizer;
    double scale;         // 1 / Σw, set between the phases
    double clip;          // what clipping multiplies the averaged gradient by
} ck_plan;

/// Part of one layer's weights: inputs from ..< to of one panel; all units of a narrow layer.
typedef struct ck_tile {
    uint32_t layer, panel;
    size_t from, to;
} ck_tile;

/// Phase 1: takes rows first ..< first + count forward, through the loss, and back to every dY.
void ck_train_rows(const ck_plan *plan, size_t first, size_t count);

/// Phase 1 for one shard of a small network: as `ck_train_rows` in blocks of `block` rows, at most CK_MAX_BLOCK_ROWS, and adds each block's XᵀdY to
/// the shard's gradient while the rows are in cache.
void ck_train_shard(const ck_plan *plan, size_t shard, size_t block);

/// Phase 2: sums a tile's gradient over the shards, averages it, and updates the weights.
/// `scratch` holds `ck_tile_scratch` bytes for each thread, aligned to 64.
void ck_update_tile(const ck_plan *plan, const ck_tile *tile, void *scratch);
size_t ck_tile_scratch(size_t shard_count);

/// Phase 2 where the whole gradient is needed first: writes the tile's sum over the shards into `gradient`, or adds to it.
void ck_sum_tile(const ck_plan *plan, const ck_tile *tile, int adds, void *scratch);

/// The sum of squares of the averaged gradient over a tile, by a fixed number of stripes and a fixed tree.
double ck_squares_of_tile(const ck_plan *plan, const ck_tile *tile);

/// Phase 3 after `ck_sum_tile`: updates the weights from `gradient`, scaled and clipped.
void ck_apply_tile(const ck_plan *plan, const ck_tile *tile);

/// The forward pass alone over rows, through the loss's link: predictions into the last layer's output, and losses where
/// there are targets. Without dropout.
void ck_predict_rows(const ck_plan *plan, size_t first, size_t count);

/// Copies a layer's Wᵀ from its W.
void ck_refresh_transposed(const ck_plan *plan, size_t layer);

/// The sum of n numbers by eight stripes and a fixed tree.
double ck_sum(size_t n, const double *values);

/// The sum of one number a row: `ck_sum` over each shard, then the tree of shards that gradients take.
double ck_sum_over_shards(const ck_plan *plan, const double *values);

#endif
