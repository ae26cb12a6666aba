#include "convert.h"
#include "decoder.h"

#include <CKernels.h>

static const cd_table *table(void) {
    switch (ck_current_isa()) {
#if defined(__x86_64__)
    case CK_ISA_AMX:
    case CK_ISA_AVX512_BF16:
    case CK_ISA_AVX512: return &cd_avx512_table;
    case CK_ISA_AVX2: return &cd_avx2_table;
#endif
    default: return &cd_scalar_table;
    }
}

size_t cd_size(cd_kind kind) {
    static const unsigned char sizes[] = {1, 1, 2, 2, 4, 4, 8, 8, 2, 2, 4, 8};
    return sizes[kind];
}

int cd_convert_f32(cd_kind kind, int swapped, const void *source, size_t n, const cd_columns *columns, float *result) {
    return table()->convert_f32(kind, swapped, source, n, columns, result);
}

int cd_convert_f64(cd_kind kind, int swapped, const void *source, size_t n, const cd_columns *columns, double *result) {
    return table()->convert_f64(kind, swapped, source, n, columns, result);
}

int cd_expand_f32(
    const cd_reading *reading, cd_kind kind, int swapped, const void *source, const cd_columns *columns,
    float *result) {
    return table()->expand_f32(reading, kind, swapped, source, columns, result);
}

int cd_expand_f64(
    const cd_reading *reading, cd_kind kind, int swapped, const void *source, const cd_columns *columns,
    double *result) {
    return table()->expand_f64(reading, kind, swapped, source, columns, result);
}

void cd_accumulate(const double *row, size_t n, const cd_sums *sums) { table()->accumulate(row, n, sums); }

void cd_unshuffle(const void *source, size_t size, size_t element, void *result) {
    table()->unshuffle(source, size, element, result);
}

void cd_bit_unshuffle(const void *source, size_t count, size_t element, void *result) {
    table()->bit_unshuffle(source, count, element, result);
}
