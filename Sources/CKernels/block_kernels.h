// bfloat16 on CPUs that multiply it: the step of CKStep.h with operands in blocks. Products are by Intel's matrix unit (AMX)
// where CK_HAS_TILES is 1, and by AVX512-BF16 where it is 0; all else is the same templates as on other CPUs, in vectors of 64
// bytes. A translation unit for each of both and each CK_OPERAND_PARTS.

#if defined(__x86_64__)

#define CK_NUMBERS 16
#define CK_VECTOR_BYTES 64
#if CK_HAS_TILES
#define CK_MORE_TARGETS ",avx512bf16,amx-tile,amx-bf16,prfchw"
#define UNIT_SUFFIX amx
#else
#define CK_MORE_TARGETS ",avx512bf16,prfchw"
#define UNIT_SUFFIX avx512bf16
#endif

#include "units.h"
#include "math_coefficients.h"
#include "philox.h"

// The intrinsics bring the system's select() with them, a name that the kernels' vectors use for themselves.
#define select system_select
#include <immintrin.h>
#undef select

#include "kernels_vectors.h"

#include "kernels_operand.h"
#include "kernels_elementwise.h"
#include "kernels_math.h"
#include "kernels_activation.h"
#include "kernels_dropout.h"
#include "kernels_loss.h"
#include "kernels_shards.h"
#include "kernels_update.h"
#include "kernels_stem.h"

#include "block_numbers.h"
#include "block_product.h"
#include "block_rows.h"
#include "block_forward.h"
#include "block_backward.h"
#include "block_update.h"
#include "kernels_stem_gradient.h"
#include "block_check.h"

#define TABLE_OF_(suffix, unit) ck_table_##suffix##_##unit
#define TABLE_OF(suffix, unit) TABLE_OF_(suffix, unit)

const ck_table_bf16 TABLE_OF(REAL_SUFFIX, UNIT_SUFFIX) = {
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
    .predict_rows = predict_rows,
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

#pragma clang attribute pop

#endif
