#include "units.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const ck_table_f32 *_Atomic table_f32;
static const ck_table_f64 *_Atomic table_f64;
static const ck_table_bf16 *_Atomic table_bf16, *_Atomic table_bf16x3;
static _Atomic int current = -1;

ck_isa ck_widest_isa(void) {
#if defined(CK_EMULATED)
    return CK_ISA_AMX;
#elif defined(__x86_64__)
    __builtin_cpu_init();
    int has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    if (has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")) {
        return ck_has_amx() ? CK_ISA_AMX : ck_has_fast_dots() ? CK_ISA_AVX512_BF16 : CK_ISA_AVX512;
    }
    if (has_avx2) return CK_ISA_AVX2;
#endif
    return CK_ISA_SCALAR;
}

static const char *const names[] = {"scalar", "avx2", "avx512", "avx512bf16", "amx"};

const char *ck_isa_name(ck_isa isa) { return names[isa]; }

void ck_use_isa(ck_isa isa) {
    ck_isa widest = ck_widest_isa();
    if (isa > widest) isa = widest;
    switch (isa) {
#if defined(__x86_64__)
    case CK_ISA_AMX:
    case CK_ISA_AVX512_BF16:
    case CK_ISA_AVX512:
        table_f32 = &ck_table_f32_avx512;
        table_f64 = &ck_table_f64_avx512;
        table_bf16 = &ck_table_bf16_avx512;
        table_bf16x3 = &ck_table_bf16x3_avx512;
        break;
    case CK_ISA_AVX2:
        table_f32 = &ck_table_f32_avx2;
        table_f64 = &ck_table_f64_avx2;
        table_bf16 = &ck_table_bf16_avx2;
        table_bf16x3 = &ck_table_bf16x3_avx2;
        break;
#endif
    default:
        table_f32 = &ck_table_f32_scalar;
        table_f64 = &ck_table_f64_scalar;
        table_bf16 = &ck_table_bf16_scalar;
        table_bf16x3 = &ck_table_bf16x3_scalar;
    }
    current = isa;
}

// Before main, so that no kernel call has to ask whether the choice is made.
__attribute__((constructor)) static void choose(void) {
    const char *asked = getenv("TREADLE_ISA");
    ck_isa isa = ck_widest_isa();
    for (int set = CK_ISA_SCALAR; asked && set <= CK_ISA_AMX; set++) {
        if (strcmp(asked, names[set]) == 0) isa = (ck_isa)set;
    }
    ck_use_isa(isa);
}

ck_isa ck_current_isa(void) { return (ck_isa)current; }

#define TABLE(table) atomic_load_explicit(&table, memory_order_relaxed)

void ck_axpy_f32(size_t n, float s, const float *x, float *a) { TABLE(table_f32)->axpy(n, s, x, a); }
void ck_axpy_f64(size_t n, double s, const double *x, double *a) { TABLE(table_f64)->axpy(n, s, x, a); }

// The entries of one number type: what the step calls in its templates directly, reached from outside for tests.
#define ENTRIES(REAL, SUFFIX)                                                                                         \
    void ck_map_##SUFFIX(ck_function function, size_t n, const REAL *x, REAL *out) {                                  \
        TABLE(table_##SUFFIX)->map(function, n, x, out);                                                              \
    }                                                                                                                 \
    void ck_activate_##SUFFIX(ck_activation f, size_t n, REAL *a, REAL *kept) {                                       \
        TABLE(table_##SUFFIX)->activate(f, n, a, kept);                                                               \
    }                                                                                                                 \
    void ck_derive_##SUFFIX(ck_activation f, size_t n, const REAL *a, const REAL *kept, REAL *d) {                    \
        TABLE(table_##SUFFIX)->derive(f, n, a, kept, d);                                                              \
    }                                                                                                                 \
    void ck_dropout_mask_##SUFFIX(const ck_dropout *dropout, size_t row, size_t n, REAL *mask) {                      \
        TABLE(table_##SUFFIX)->dropout_mask(dropout, row, n, mask);                                                   \
    }                                                                                                                 \
    void ck_loss_rows_##SUFFIX(const ck_loss *loss, ck_loss_result result, const ck_targets *targets, size_t first,   \
                               size_t rows, REAL *y, size_t stride, double *losses, double *weights) {                \
        TABLE(table_##SUFFIX)->loss_rows(loss, result, targets, first, rows, y, stride, losses, weights);             \
    }

ENTRIES(float, f32)
ENTRIES(double, f64)

/// The memory of a plan is laid out for what multiplies, so a later change of instruction set must not change that.
static const ck_table_bf16 *bf16_table_of(const ck_plan *plan) {
#if defined(__x86_64__)
    int has_two_parts = plan->numbers == CK_BF16X3;
    if (plan->unit == CK_TILES) return has_two_parts ? &ck_table_bf16x3_amx : &ck_table_bf16_amx;
    if (plan->unit == CK_DOTS) return has_two_parts ? &ck_table_bf16x3_avx512bf16 : &ck_table_bf16_avx512bf16;
#endif
    return plan->numbers == CK_BF16X3 ? TABLE(table_bf16x3) : TABLE(table_bf16);
}

// The step's entries take the number type from the plan.
#define STEP(plan, entry, ...)                                                         \
    ((plan)->numbers == CK_F64   ? TABLE(table_f64)->entry(plan, __VA_ARGS__)          \
     : (plan)->numbers == CK_F32 ? TABLE(table_f32)->entry(plan, __VA_ARGS__)          \
                                 : bf16_table_of(plan)->entry(plan, __VA_ARGS__))

void ck_pack_rows(const ck_plan *plan, size_t first, size_t count) { STEP(plan, pack_rows, first, count); }
void ck_forward(const ck_plan *plan, size_t layer, const ck_part *part) { STEP(plan, forward, layer, part); }
void ck_finish_rows(const ck_plan *plan, size_t first, size_t count) { STEP(plan, finish_rows, first, count); }
void ck_backward(const ck_plan *plan, size_t layer, const ck_part *part) { STEP(plan, backward, layer, part); }
void ck_train_rows(const ck_plan *plan, size_t first, size_t count) { STEP(plan, train_rows, first, count); }
void ck_train_shard(const ck_plan *plan, size_t shard, size_t block) { STEP(plan, train_shard, shard, block); }
void ck_predict_rows(const ck_plan *plan, size_t first, size_t count) { STEP(plan, predict_rows, first, count); }
void ck_conclude_rows(const ck_plan *plan, size_t first, size_t count) { STEP(plan, conclude_rows, first, count); }
void ck_stem_gradient(const ck_plan *plan, size_t shard, size_t part) { STEP(plan, stem_gradient, shard, part); }

static int is_of_stem(const ck_plan *plan, const ck_tile *tile) { return tile->layer < plan->stem.layer_count; }

/// The same tile with its layer counted from the first layer after the stem, as the kernels of dense layers expect it.
static ck_tile after_stem(const ck_plan *plan, const ck_tile *tile) {
    ck_tile own = *tile;
    own.layer -= (uint32_t)plan->stem.layer_count;
    return own;
}

void ck_update_tile(const ck_plan *plan, const ck_tile *tile, void *scratch) {
    ck_tile own = after_stem(plan, tile);
    if (is_of_stem(plan, tile)) STEP(plan, stem_tile, tile, CK_UPDATES, scratch);
    else STEP(plan, update_tile, &own, scratch);
}

void ck_sum_tile(const ck_plan *plan, const ck_tile *tile, int adds, void *scratch) {
    ck_tile own = after_stem(plan, tile);
    if (is_of_stem(plan, tile)) STEP(plan, stem_tile, tile, adds ? CK_ADDS : CK_SUMS, scratch);
    else STEP(plan, sum_tile, &own, adds, scratch);
}

void ck_apply_tile(const ck_plan *plan, const ck_tile *tile) {
    ck_tile own = after_stem(plan, tile);
    if (is_of_stem(plan, tile)) STEP(plan, stem_tile, tile, CK_APPLIES, 0);
    else STEP(plan, apply_tile, &own);
}

double ck_squares_of_tile(const ck_plan *plan, const ck_tile *tile) {
    ck_tile own = after_stem(plan, tile);
    return is_of_stem(plan, tile) ? STEP(plan, stem_squares, tile) : STEP(plan, squares_of_tile, &own);
}

size_t ck_stem_parts(const ck_plan *plan) {
    const ck_stem *stem = &plan->stem;
    size_t factors = stem->scales ? stem->inputs + stem->outputs * stem->embedded : 0;
    return (stem->embedded ? stem->frequencies + 1 : 0) + (factors + CK_STEM_RUN - 1) / CK_STEM_RUN;
}

void ck_refresh_operands(const ck_plan *plan, size_t layer, size_t part, size_t parts) {
    STEP(plan, refresh_operands, layer, part, parts);
}

size_t ck_tile_scratch(size_t shard_count) {
    size_t levels = 1;
    while (((size_t)1 << levels) <= shard_count) levels++;
    // Two blocks of sums and the tree's levels; narrow layers keep a panel of each shard instead of levels.
    size_t numbers = CK_PANEL_BYTES / sizeof(float);
    size_t blocks = (2 + levels) * numbers, panels = 2 * numbers + shard_count;
    return (blocks > panels ? blocks : panels) * CK_PANEL_BYTES;
}

double ck_sum(size_t n, const double *values) {
    double stripes[8] = {0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        for (size_t l = 0; l < 8; l++) stripes[l] += values[i + l];
    }
    for (; i < n; i++) stripes[i % 8] += values[i];
    for (size_t half = 4; half > 0; half /= 2) {
        for (size_t l = 0; l < half; l++) stripes[l] += stripes[l + half];
    }
    return stripes[0];
}

double ck_multiply_adds_f32(size_t rounds) {
    float kept = 0.5f;
    return TABLE(table_f32)->multiply_adds(rounds, &kept);
}

double ck_multiply_adds_f64(size_t rounds) {
    double kept = 0.5;
    return TABLE(table_f64)->multiply_adds(rounds, &kept);
}

double ck_sum_over_shards(const ck_plan *plan, const double *values) {
    double levels[CK_MAX_SHARD_LEVELS], sum = 0;
    for (size_t s = 0; s < plan->shard_count; s++) {
        int is_last = s + 1 == plan->shard_count;
        size_t start = plan->shard_starts[s];
        sum = ck_sum(plan->shard_starts[s + 1] - start, values + start);
        for (size_t left = is_last ? s : s & ~(s + 1); left; left &= left - 1) sum += levels[__builtin_ctzl(left)];
        if (!is_last) levels[__builtin_ctzl(~s)] = sum;
    }
    return sum;
}
