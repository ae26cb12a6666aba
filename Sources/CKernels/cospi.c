#include "CKernels.h"
#include "math_coefficients.h"

#pragma STDC FP_CONTRACT OFF

double ck_cospi(double u) {
    // Mirrored to |u| ≤ ½, where cos(πu) = −cos(π(1 − |u|)) beyond.
    double a = __builtin_fabs(u), sign = 1;
    if (a > 0.5) {
        a = 1 - a;
        sign = -1;
    }
    double z = a * a, sum = 0;
    for (int i = (int)(sizeof ck_cospi_f64 / sizeof(double)) - 1; i >= 0; i--) {
        sum = __builtin_fma(sum, z, ck_cospi_f64[i]);
    }
    return sign * __builtin_fma(sum, z, 1);
}
