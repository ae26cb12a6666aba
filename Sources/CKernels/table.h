#ifndef CK_TABLE_H
#define CK_TABLE_H

// The functions that each instruction set provides, once per number type.
// A new kernel is a line here, its code in kernels_*.h, a line in kernels.h, and its entry in dispatch.c.

#include "CKernels.h"

/// What a pass over a tile does: sum the gradient and update at once, sum it into `gradient`, add it to `gradient`, or
/// update the weights from `gradient`.
typedef enum ck_tile_work { CK_UPDATES, CK_SUMS, CK_ADDS, CK_APPLIES } ck_tile_work;

#define CK_DECLARE_TABLE(REAL, SUFFIX)                                   \
    typedef struct ck_table_##SUFFIX {                                   \
        void (*axpy)(size_t n, REAL s, const REAL *x, REAL *a);          \
        void (*map)(ck_function function, size_t n, const REAL *x, REAL *out); \
        void (*activate)(ck_activation f, size_t n, REAL *a, REAL *kept); \
        void (*derive)(ck_activation f, size_t n, const REAL *a, const REAL *kept, REAL *d); \
        void (*dropout_mask)(const ck_dropout *dropout, size_t row, size_t n, REAL *mask); \
        void (*loss_rows)(const ck_loss *loss, ck_loss_result result, const ck_targets *targets, size_t first, \
                          size_t rows, REAL *y, size_t stride, double *losses, double *weights); \
        void (*pack_rows)(const ck_plan *plan, size_t first, size_t count); \
        void (*forward)(const ck_plan *plan, size_t layer, const ck_part *part); \
        void (*finish_rows)(const ck_plan *plan, size_t first, size_t count); \
        void (*backward)(const ck_plan *plan, size_t layer, const ck_part *part); \
        void (*train_rows)(const ck_plan *plan, size_t first, size_t count); \
        void (*train_shard)(const ck_plan *plan, size_t shard, size_t block); \
        void (*predict_rows)(const ck_plan *plan, size_t first, size_t count); \
        void (*conclude_rows)(const ck_plan *plan, size_t first, size_t count); \
        void (*update_tile)(const ck_plan *plan, const ck_tile *tile, void *scratch); \
        void (*sum_tile)(const ck_plan *plan, const ck_tile *tile, int adds, void *scratch); \
        void (*apply_tile)(const ck_plan *plan, const ck_tile *tile); \
        double (*squares_of_tile)(const ck_plan *plan, const ck_tile *tile); \
        void (*stem_gradient)(const ck_plan *plan, size_t shard, size_t part); \
        void (*stem_tile)(const ck_plan *plan, const ck_tile *tile, ck_tile_work work, void *scratch); \
        double (*stem_squares)(const ck_plan *plan, const ck_tile *tile); \
        void (*refresh_operands)(const ck_plan *plan, size_t layer, size_t part, size_t parts); \
        double (*multiply_adds)(size_t rounds, REAL *kept); \
    } ck_table_##SUFFIX;

CK_DECLARE_TABLE(float, f32)
CK_DECLARE_TABLE(double, f64)
CK_DECLARE_TABLE(float, bf16)
typedef ck_table_bf16 ck_table_bf16x3;

extern const ck_table_f32 ck_table_f32_scalar;
extern const ck_table_f64 ck_table_f64_scalar;
extern const ck_table_bf16 ck_table_bf16_scalar, ck_table_bf16x3_scalar;
#if defined(__x86_64__)
extern const ck_table_f32 ck_table_f32_avx2, ck_table_f32_avx512;
extern const ck_table_f64 ck_table_f64_avx2, ck_table_f64_avx512;
extern const ck_table_bf16 ck_table_bf16_avx2, ck_table_bf16_avx512;
extern const ck_table_bf16 ck_table_bf16x3_avx2, ck_table_bf16x3_avx512;
#endif

#endif
