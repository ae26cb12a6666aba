// Included once per number type and instruction set; no include guard for that reason.
//
// NAME(f) is f for this type and instruction set. `vec` is LANES numbers, `ivec` as many integers of the
// same width; both may lie anywhere in memory.

#define NAME(f) CK_JOIN(f, REAL_SUFFIX, CK_ISA_SUFFIX)
#define INLINE static inline __attribute__((always_inline))
#define LANES ((size_t)(CK_VECTOR_BYTES / sizeof(REAL)))
#define PANEL ((size_t)CK_PANEL_BYTES / sizeof(REAL))
#define PANEL_VECTORS ((size_t)(CK_PANEL_BYTES / CK_VECTOR_BYTES))
// What sixteen (AVX2) or thirty-two (AVX-512) registers hold: a tile's sums, two vectors and a broadcast.
#define TILE_ROWS ((CK_VECTOR_BYTES) == 64 ? 12 : (CK_VECTOR_BYTES) == 32 ? 6 : 4)
#define vec NAME(vec)
#define ivec NAME(ivec)

typedef REAL vec __attribute__((vector_size(CK_VECTOR_BYTES), aligned(sizeof(REAL))));
typedef REAL_INT ivec __attribute__((vector_size(CK_VECTOR_BYTES), aligned(sizeof(REAL))));

INLINE vec NAME(load)(const REAL *p) { return *(const vec *)p; }
INLINE void NAME(store)(REAL *p, vec v) { *(vec *)p = v; }
// x − 0 is x, also for −0; the compiler makes it one broadcast.
INLINE vec NAME(splat)(REAL x) { return x - (vec){0}; }
INLINE vec NAME(fma)(vec a, vec b, vec c) { return __builtin_elementwise_fma(a, b, c); }
INLINE vec NAME(zero_where)(ivec condition, vec v) { return (vec)((ivec)v & ~condition); }
INLINE REAL NAME(fma1)(REAL a, REAL b, REAL c) { return __builtin_elementwise_fma(a, b, c); }

#include "kernels_elementwise.h"
#include "kernels_math.h"
#include "kernels_activation.h"
#include "kernels_dropout.h"
#include "kernels_loss.h"
#include "kernels_product.h"
#include "kernels_update.h"
#include "kernels_gradient.h"
#include "kernels_narrow.h"
#include "kernels_transpose.h"
#include "kernels_step.h"

#define CK_TABLE_(s, i) ck_table_##s##_##i
#define CK_TABLE(s, i) CK_TABLE_(s, i)
#define CK_TABLE_TYPE_(s) ck_table_##s
#define CK_TABLE_TYPE(s) CK_TABLE_TYPE_(s)

const CK_TABLE_TYPE(REAL_SUFFIX) CK_TABLE(REAL_SUFFIX, CK_ISA_SUFFIX) = {
    .axpy = NAME(axpy),
    .map = NAME(map),
    .activate = NAME(activate),
    .derive = NAME(derive),
    .dropout_mask = NAME(dropout_mask),
    .loss_rows = NAME(loss_rows),
    .train_rows = NAME(train_rows),
    .train_shard = NAME(train_shard),
    .predict_rows = NAME(predict_rows),
    .update_tile = NAME(update_tile),
    .sum_tile = NAME(sum_tile),
    .apply_tile = NAME(apply_tile),
    .squares_of_tile = NAME(squares_of_tile),
    .refresh_transposed = NAME(refresh_transposed),
    .multiply_adds = NAME(multiply_adds),
};

#undef NAME
#undef INLINE
#undef LANES
#undef PANEL
#undef PANEL_VECTORS
#undef TILE_ROWS
#undef UNROLL
#undef PRODUCT_
#undef PRODUCT
#undef KERNELS
#undef GRADIENT_
#undef GRADIENT
#undef NARROW_ROWS
#undef vec
#undef ivec
