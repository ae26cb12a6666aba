// Measures the maximum error of the Float32 functions over all 2³² numbers, and that the instruction sets agree.
//
//   Scripts/exhaustive-math          (builds and runs this; some minutes on two cores)
//
// The reference is libm in Float64, whose own error is below 2⁻²⁸ ulp of a Float32. Functions of the gelu kind
// have no reference there; they are composed of erfc in Float64. Activations that multiply by a share that can be
// subnormal are measured in units of 2⁻¹¹⁹ below that number.

#include "CKernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double sigmoid(double x) { return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)); }
static double softplus(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }
static double gelu(double x) { return x * 0.5 * erfc(-x * M_SQRT1_2); }
static double silu(double x) { return x * sigmoid(x); }
static double elu(double x) { return x > 0 ? x : expm1(x); }

static struct {
    const char *name;
    int kind;
    double (*reference)(double);
} functions[] = {
    {"exp", CK_FUNCTION_EXP, exp},          {"expm1", CK_FUNCTION_EXPM1, expm1},
    {"log", CK_FUNCTION_LOG, log},          {"log1p", CK_FUNCTION_LOG1P, log1p},
    {"tanh", CK_FUNCTION_TANH, tanh},       {"sigmoid", CK_FUNCTION_SIGMOID, sigmoid},
    {"erf", CK_FUNCTION_ERF, erf},          {"softplus", CK_FUNCTION_SOFTPLUS, softplus},
    {"gelu", -CK_GELU, gelu},    {"silu", -CK_ACTIVATION_SILU, silu},
    {"elu", -CK_ELU, elu},
};

/// |got − exact| in units of the last place of the exact result; 0 for equal infinities and NaN for NaN.
/// Below 2^least, the unit is that of 2^least.
static double ulps(float got, double exact, int least) {
    float nearest = (float)exact;
    if (isnan(exact)) return isnan(got) ? 0 : INFINITY;
    if (got == nearest) {
        if (got == 0 && signbit(got) != signbit(nearest)) return INFINITY;
        if (isinf(nearest)) return 0;
    }
    if (isinf(got)) return isinf(nearest) ? 0 : exact > 0 && exact > 0x1.fffffcp127 ? 1 : INFINITY;
    if (isinf(nearest)) return got >= 0x1.fffffcp127f ? 1 : INFINITY;
    int exponent = exact == 0 ? least : ilogb(exact);
    if (exponent < least) exponent = least;
    return fabs((double)got - exact) / ldexp(1, exponent - 23);
}

enum { block = 1 << 16 };

static void activate(int kind, const float *x, float *y) {
    static float kept[block];
    memcpy(y, x, sizeof kept);
    ck_activate_f32((ck_activation)kind, block, y, kept);
}

int main(int argc, char **argv) {
    static float x[block], y[block], other[block];
    unsigned stride = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
    int failed = 0;
    for (size_t f = 0; f < sizeof functions / sizeof *functions; f++) {
        double worst = 0;
        float where = 0;
        long differing = 0;
        for (unsigned high = 0; high < 65536; high += stride) {
            for (unsigned low = 0; low < block; low++) {
                unsigned bits = high << 16 | low;
                memcpy(&x[low], &bits, 4);
            }
            int kind = functions[f].kind;
            ck_use_isa(ck_widest_isa());
            if (kind < 0) activate(-kind, x, y);
            else ck_map_f32((ck_function)kind, block, x, y);
            for (int isa = 0; isa < (int)ck_widest_isa(); isa++) {
                ck_use_isa((ck_isa)isa);
                if (kind < 0) activate(-kind, x, other);
                else ck_map_f32((ck_function)kind, block, x, other);
                if (memcmp(y, other, sizeof y) != 0) {
                    for (unsigned i = 0; i < block; i++) {
                        differing += memcmp(&y[i], &other[i], 4) != 0 && !(isnan(y[i]) && isnan(other[i]));
                    }
                }
            }
            for (unsigned i = 0; i < block; i++) {
                double error = ulps(y[i], functions[f].reference(x[i]), kind < 0 ? -119 : -126);
                // x·0 at an infinity is the definition's own NaN.
                if (isinf(x[i]) && kind < 0) continue;
                if (error > worst) {
                    worst = error;
                    where = x[i];
                }
            }
        }
        printf("%-9s %8.3f ulp at %a; %ld numbers differ between instruction sets\n", functions[f].name, worst, where,
               differing);
        fflush(stdout);
        failed |= differing != 0 || worst > 8;
    }
    return failed;
}
