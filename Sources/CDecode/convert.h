#ifndef CD_CONVERT_H
#define CD_CONVERT_H

#include "CDecode.h"

// The loops over elements of one instruction set.
typedef struct cd_table {
    int (*convert_f32)(cd_kind, int, const void *, size_t, const cd_columns *, float *);
    int (*convert_f64)(cd_kind, int, const void *, size_t, const cd_columns *, double *);
    int (*expand_f32)(const cd_reading *, cd_kind, int, const void *, const cd_columns *, float *);
    int (*expand_f64)(const cd_reading *, cd_kind, int, const void *, const cd_columns *, double *);
    void (*accumulate)(const double *, size_t, const cd_sums *);
    void (*unshuffle)(const void *, size_t, size_t, void *);
    void (*bit_unshuffle)(const void *, size_t, size_t, void *);
} cd_table;

extern const cd_table cd_scalar_table, cd_avx2_table, cd_avx512_table;

#endif
