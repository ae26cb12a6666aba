// All kernels for one type of numbers and one instruction set: a translation unit each, `kernels_f32_avx512.c` and its
// like, which define
//
//   CK_NUMBERS        32 (f32), 64 (f64), or 16 (bf16: FP32 whose products take operands rounded to bfloat16; with
//                     CK_OPERAND_PARTS 2, bf16x3: operands are sums of two such numbers)
//   CK_VECTOR_BYTES   64 (avx512), 32 (avx2), or 16 (scalar: what every CPU has; NEON on arm64)
//
// `vec` is LANES numbers, `ivec` as many integers of the same width; both may lie anywhere in memory.

#if CK_VECTOR_BYTES == 16 || defined(__x86_64__)

#include "math_coefficients.h"
#include "philox.h"
#include "table.h"

#include "kernels_vectors.h"

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

#include "kernels_operand.h"
#include "kernels_elementwise.h"
#include "kernels_math.h"
#include "kernels_activation.h"
#include "kernels_dropout.h"
#include "kernels_loss.h"
#include "kernels_shards.h"
#include "kernels_product.h"
#include "kernels_update.h"
#include "kernels_gradient.h"
#include "kernels_narrow.h"
#include "kernels_transpose.h"
#include "kernels_stem.h"
#include "kernels_rows.h"
#include "kernels_tiles.h"
#include "kernels_stem_gradient.h"

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
    .conclude_rows = conclude_rows,
    .update_tile = update_tile,
    .sum_tile = sum_tile,
    .apply_tile = apply_tile,
    .squares_of_tile = squares_of_tile,
    .stem_gradient = stem_gradient,
    .stem_tile = stem_tile,
    .stem_squares = stem_squares,
    .refresh_operands = refresh_operands,
    .multiply_adds = multiply_adds,
};

#if CK_VECTOR_BYTES > 16
#pragma clang attribute pop
#endif

#endif
