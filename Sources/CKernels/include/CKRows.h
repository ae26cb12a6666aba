#ifndef CKROWS_H
#define CKROWS_H

// What is done to rows between the products: activations, dropout, loss.

#include <stddef.h>
#include <stdint.h>

/// The activations: name, function on a vector (its derivative is `function_gradient`), and whether the derivative is
/// computed from the number before the activation instead of the result. To add one, add a line here, and its two functions
/// to kernels_activation.h.
#define CK_ACTIVATIONS(f)              \
    f(CK_RELU, relu, 0)                \
    f(CK_LEAKY_RELU, leaky_relu, 0)    \
    f(CK_ELU, elu, 0)                  \
    f(CK_GELU, gelu, 1)                \
    f(CK_SILU, silu, 1)                \
    f(CK_SIGMOID, sigmoid, 0)          \
    f(CK_TANH, tanhv, 0)               \
    f(CK_SOFTPLUS, softplus, 0)        \
    f(CK_SELU, selu, 0)                \
    f(CK_MISH, mish, 1)

#define CK_ACTIVATION_NAME(name, function, keeps) name,
typedef enum ck_activation { CK_IDENTITY, CK_ACTIVATIONS(CK_ACTIVATION_NAME) } ck_activation;

/// Whether the number before the activation is kept for the way back.
static inline int ck_keeps_input(ck_activation activation) {
#define CK_ACTIVATION_KEEPS(name, function, keeps) [name] = keeps,
    static const char keeps[] = {CK_ACTIVATIONS(CK_ACTIVATION_KEEPS)};
    return keeps[activation];
}

/// The losses that are means over a row's outputs: name, and function of an output and its target, which also gives the
/// derivative. To add one, add a line here, and its function to kernels_loss.h.
#define CK_MEAN_LOSSES(f)      \
    f(CK_BCE, bce)             \
    f(CK_HINGE, hinge)         \
    f(CK_MSE, mse)             \
    f(CK_MAE, mae)             \
    f(CK_HUBER, huber)         \
    f(CK_POISSON, poisson)     \
    f(CK_QUANTILE, quantile)

/// Cross-entropy, and the hinge where targets are classes, look at all of a row's outputs at once.
#define CK_LOSS_NAME(name, function) name,
typedef enum ck_loss_type { CK_CROSS_ENTROPY, CK_MEAN_LOSSES(CK_LOSS_NAME) } ck_loss_type;

/// What turns outputs into predictions.
typedef enum ck_link { CK_LINK_IDENTITY, CK_LINK_SOFTMAX, CK_LINK_SIGMOID, CK_LINK_EXP } ck_link;

/// A loss with its parameters. All but cross-entropy and the hinge of classes are means over a row's outputs. Arrays hold numbers of the network's type.
typedef struct ck_loss {
    ck_loss_type type;
    size_t outputs;             // D of the output layer
    double smoothing;           // cross_entropy and bce: label smoothing
    double delta;               // huber
    double quantile;            // quantile
    // Numbers by which a row's weight is multiplied, one a class (a mixture's where targets are values); or null.
    const void *class_weights;
    ck_link link;
} ck_loss;

/// What a batch's rows should give. Exactly one of `classes` (for cross_entropy and
/// hinge) and `values` is set, or none where only predictions are asked for.
typedef struct ck_targets {
    const int32_t *classes;  // B class numbers
    const void *values;      // B×D numbers, row-major without gaps
    const void *weights;     // B weights of rows, or null
} ck_targets;

/// What becomes of the outputs: the error dY, not yet divided by the weights' sum, or the predictions after the link
/// of the loss.
typedef enum ck_loss_result { CK_OUTPUT_ERROR, CK_PREDICTION } ck_loss_result;

/// The random bits of a dropout layer: a pure function of these and of a row's number in the batch and a unit's number.
///
/// The key is words 0 and 1 of Philox under `seed`, counter (step, layer, 4). Unit u is dropped where, under that key,
/// word (u / 16) mod 4 of block 16·(u / 64) + u mod 16, counter (block, row, layer, 4), is below rate·2³².
typedef struct ck_dropout {
    uint64_t seed;
    uint64_t step;
    uint32_t layer;
    double rate;  // the share of units set to zero; the others are divided by 1 − rate
} ck_dropout;

/// a[i] = f(a[i]); `kept` receives what the derivative needs besides the result, for gelu and silu.
void ck_activate_f32(ck_activation f, size_t n, float *a, float *kept);
void ck_activate_f64(ck_activation f, size_t n, double *a, double *kept);

/// d[i] *= f′ at the element that gave a[i].
void ck_derive_f32(ck_activation f, size_t n, const float *a, const float *kept, float *d);
void ck_derive_f64(ck_activation f, size_t n, const double *a, const double *kept, double *d);

/// mask[i] = 0 or 1 / (1 − rate) for units i < n of the batch's row `row`.
void ck_dropout_mask_f32(const ck_dropout *dropout, size_t row, size_t n, float *mask);
void ck_dropout_mask_f64(const ck_dropout *dropout, size_t row, size_t n, double *mask);

/// Turns the outputs of rows first..<first+rows into `result` in place; see kernels_loss.h.
void ck_loss_rows_f32(const ck_loss *loss, ck_loss_result result, const ck_targets *targets, size_t first, size_t rows,
                      float *y, size_t stride, double *losses, double *weights);
void ck_loss_rows_f64(const ck_loss *loss, ck_loss_result result, const ck_targets *targets, size_t first, size_t rows,
                      double *y, size_t stride, double *losses, double *weights);

#endif
