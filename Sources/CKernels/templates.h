// Included once per number type and instruction set; no include guard for that reason.
//
// NAME(f) is f for this type and instruction set. `vec` is LANES numbers, `ivec` as many integers of the
// same width; both may lie anywhere in memory.

#define NAME(f) CK_JOIN(f, REAL_SUFFIX, CK_ISA_SUFFIX)
#define INLINE static inline __attribute__((always_inline))
#define LANES ((size_t)(CK_VECTOR_BYTES / sizeof(REAL)))
#define vec NAME(vec)
#define ivec NAME(ivec)

typedef REAL vec __attribute__((vector_size(CK_VECTOR_BYTES), aligned(sizeof(REAL))));
typedef REAL_INT ivec __attribute__((vector_size(CK_VECTOR_BYTES), aligned(sizeof(REAL))));

INLINE vec NAME(load)(const REAL *p) { return *(const vec *)p; }
INLINE void NAME(store)(REAL *p, vec v) { *(vec *)p = v; }
INLINE vec NAME(splat)(REAL x) { return (vec){0} + x; }
INLINE vec NAME(fma)(vec a, vec b, vec c) { return __builtin_elementwise_fma(a, b, c); }
INLINE REAL NAME(fma1)(REAL a, REAL b, REAL c) { return __builtin_elementwise_fma(a, b, c); }

#include "kernels_elementwise.h"
#include "kernels_math.h"
#include "kernels_activation.h"
#include "kernels_dropout.h"
#include "kernels_loss.h"

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
};

#undef NAME
#undef INLINE
#undef LANES
#undef vec
#undef ivec
