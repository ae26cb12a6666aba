// All kernels for one type of numbers and one instruction set: a translation unit each, `kernels_f32_avx512.c` and its
// like, which define
//
//   CK_NUMBERS        32 (f32), 64 (f64), or 16 (bf16: FP32 whose products take operands rounded to bfloat16)
//   CK_VECTOR_BYTES   64 (avx512), 32 (avx2), or 16 (scalar: what every CPU has; NEON on arm64)
//
// `vec` is LANES numbers, `ivec` as many integers of the same width; both may lie anywhere in memory.

#if CK_VECTOR_BYTES == 16 || defined(__x86_64__)

#include "math_coefficients.h"
#include "philox.h"
#include "table.h"

#include <string.h>

// A multiply-add is written where one is meant; the compiler must not make others.
#pragma STDC FP_CONTRACT OFF

#if CK_NUMBERS == 64
#define REAL double
#define REAL_INT int64_t
#define REAL_UINT uint64_t
#define REAL_SUFFIX f64
#define REAL_IS_FLOAT 0
#define REAL_BYTES 8
#else
#define REAL float
#define REAL_INT int32_t
#define REAL_UINT uint32_t
#define REAL_IS_FLOAT 1
#define REAL_BYTES 4
#if CK_NUMBERS == 16
#define REAL_SUFFIX bf16
#else
#define REAL_SUFFIX f32
#endif
#endif

#if CK_VECTOR_BYTES == 64
#define ISA_SUFFIX avx512
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma,f16c,bmi2"))), \
                             apply_to = function)
#elif CK_VECTOR_BYTES == 32
#define ISA_SUFFIX avx2
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi2"))), apply_to = function)
#else
#define ISA_SUFFIX scalar
#endif

#define INLINE static inline __attribute__((always_inline))
#define LANES ((size_t)(CK_VECTOR_BYTES / sizeof(REAL)))
#define PANEL ((size_t)CK_PANEL_BYTES / sizeof(REAL))
#define PANEL_VECTORS ((size_t)(CK_PANEL_BYTES / CK_VECTOR_BYTES))
// What sixteen (AVX2) or thirty-two (AVX-512) registers hold: a tile's sums, two vectors and a broadcast. With bf16 every
// sum is two chains. FOR_EACH_HEIGHT(f) is f(1) … f(TILE_ROWS).
#if CK_VECTOR_BYTES == 64 && CK_NUMBERS != 16
#define TILE_ROWS 12
#define FOR_EACH_HEIGHT(f) f(1) f(2) f(3) f(4) f(5) f(6) f(7) f(8) f(9) f(10) f(11) f(12)
#elif CK_VECTOR_BYTES == 64 || (CK_VECTOR_BYTES == 32 && CK_NUMBERS != 16)
#define TILE_ROWS 6
#define FOR_EACH_HEIGHT(f) f(1) f(2) f(3) f(4) f(5) f(6)
#elif CK_NUMBERS != 16
#define TILE_ROWS 4
#define FOR_EACH_HEIGHT(f) f(1) f(2) f(3) f(4)
#else
#define TILE_ROWS 3
#define FOR_EACH_HEIGHT(f) f(1) f(2) f(3)
#endif

typedef REAL vec __attribute__((vector_size(CK_VECTOR_BYTES), aligned(sizeof(REAL))));
#define SIGN_BIT ((ivec){0} + (REAL_INT)((REAL_UINT)1 << (sizeof(REAL) * 8 - 1)))
typedef REAL_INT ivec __attribute__((vector_size(CK_VECTOR_BYTES), aligned(sizeof(REAL))));

INLINE vec load(const REAL *p) { return *(const vec *)p; }
INLINE void store(REAL *p, vec v) { *(vec *)p = v; }
// x − 0 is x, also for −0; the compiler makes it one broadcast.
INLINE vec splat(REAL x) { return x - (vec){0}; }
INLINE vec fmav(vec a, vec b, vec c) { return __builtin_elementwise_fma(a, b, c); }
INLINE vec absolute(vec x) { return (vec)((ivec)x & ~SIGN_BIT); }
INLINE vec zero_where(ivec condition, vec v) { return (vec)((ivec)v & ~condition); }
INLINE REAL fma1(REAL a, REAL b, REAL c) { return __builtin_elementwise_fma(a, b, c); }

#include "kernels_operand.h"
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
#include "kernels_rows.h"
#include "kernels_tiles.h"

#define TABLE_OF_(suffix, isa) ck_table_##suffix##_##isa
#define TABLE_OF(suffix, isa) TABLE_OF_(suffix, isa)
#define TABLE_TYPE_(suffix) ck_table_##suffix
#define TABLE_TYPE(suffix) TABLE_TYPE_(suffix)

const TABLE_TYPE(REAL_SUFFIX) TABLE_OF(REAL_SUFFIX, ISA_SUFFIX) = {
    .axpy = axpy,
    .map = map,
    .activate = activate,
    .derive = derive,
    .dropout_mask = dropout_mask,
    .loss_rows = loss_rows,
    .pack_rows = pack_rows,
    .forward = forward,
    .finish_rows = finish_rows,
    .backward = backward,
    .train_rows = train_rows,
    .train_shard = train_shard,
    .predict_rows = predict_rows,
    .update_tile = update_tile,
    .sum_tile = sum_tile,
    .apply_tile = apply_tile,
    .squares_of_tile = squares_of_tile,
    .refresh_operands = refresh_operands,
    .multiply_adds = multiply_adds,
};

#if CK_VECTOR_BYTES > 16
#pragma clang attribute pop
#endif

#endif
