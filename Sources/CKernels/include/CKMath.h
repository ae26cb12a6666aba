#ifndef CKMATH_H
#define CKMATH_H

#include <stddef.h>

/// Elementary functions; their maximum errors stand in the article Numerics.
typedef enum ck_function {
    CK_FUNCTION_EXP,
    CK_FUNCTION_EXPM1,
    CK_FUNCTION_LOG,
    CK_FUNCTION_LOG1P,
    CK_FUNCTION_TANH,
    CK_FUNCTION_SIGMOID,
    CK_FUNCTION_ERF,
    CK_FUNCTION_SOFTPLUS,
    CK_FUNCTION_COS_TURNS,  // cos(2πx)
    CK_FUNCTION_SIN_TURNS   // sin(2πx)
} ck_function;

/// out[i] = function(x[i]); out may be x.
void ck_map_f32(ck_function function, size_t n, const float *x, float *out);
void ck_map_f64(ck_function function, size_t n, const double *x, double *out);

/// cos(πu) for |u| ≤ 1, with an absolute error below 2⁻⁵².
double ck_cospi(double u);

#endif
