// Measures the maximum error of the elementary functions, and that the instruction sets agree on every bit: in Float32
// over all 2³² numbers against libm in Float64, in Float64 over a sample of as many numbers of each exponent against
// libm in 80 bits. libm's own error there is below 2⁻²⁷ and 2⁻¹⁰ of the units measured.
//
//   Scripts/exhaustive-math          (builds and runs this; half an hour on one core)
//
// Functions of the gelu kind are composed from erfc. Activations that multiply by a share that can be
// subnormal are measured in units of 2⁻¹¹⁹ below that number.

#include "CKernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef long double wide;

static wide wide_sigmoid(wide x) { return x >= 0 ? 1 / (1 + expl(-x)) : expl(x) / (1 + expl(x)); }
static wide wide_softplus(wide x) { return x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x)); }
static wide wide_gelu(wide x) { return x * erfcl(-x * 0.70710678118654752440084436210485L) / 2; }
static wide wide_silu(wide x) { return x * wide_sigmoid(x); }
static wide wide_elu(wide x) { return x > 0 ? x : expm1l(x); }
static double sigmoid(double x) { return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)); }
static double softplus(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }
static double gelu(double x) { return x * 0.5 * erfc(-x * M_SQRT1_2); }
static double silu(double x) { return x * sigmoid(x); }
static double elu(double x) { return x > 0 ? x : expm1(x); }

static struct {
    const char *name;
    int kind;
    double (*reference)(double);
    wide (*wide_reference)(wide);
} functions[] = {
    {"exp", CK_FUNCTION_EXP, exp, expl},          {"expm1", CK_FUNCTION_EXPM1, expm1, expm1l},
    {"log", CK_FUNCTION_LOG, log, logl},          {"log1p", CK_FUNCTION_LOG1P, log1p, log1pl},
    {"tanh", CK_FUNCTION_TANH, tanh, tanhl},       {"sigmoid", CK_FUNCTION_SIGMOID, sigmoid, wide_sigmoid},
    {"erf", CK_FUNCTION_ERF, erf, erfl},          {"softplus", CK_FUNCTION_SOFTPLUS, softplus, wide_softplus},
    {"gelu", -CK_GELU, gelu, wide_gelu},    {"silu", -CK_SILU, silu, wide_silu},
    {"elu", -CK_ELU, elu, wide_elu},
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

static void evaluate_wide(int kind, const double *x, double *y) {
    static double kept[block];
    memcpy(y, x, sizeof kept);
    if (kind < 0) ck_activate_f64((ck_activation)-kind, block, y, kept);
    else ck_map_f64((ck_function)kind, block, x, y);
}

/// The same in Float64, over blocks that take every exponent in turn with random significands.
static int measure_wide(size_t f, unsigned stride) {
    static double x[block], y[block], other[block];
    unsigned long long random = 1;
    double worst = 0, where = 0;
    long differing = 0;
    int kind = functions[f].kind, least = kind < 0 ? -1010 : -1022;
    for (unsigned round = 0; round < 2048; round += stride) {
        for (unsigned i = 0; i < block; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            // Half of them near the numbers where functions bend, half over all exponents and both signs.
            unsigned long long exponent = i & 1 ? i / 2 % 2048 : 1023 - 40 + i / 2 % 51;
            unsigned long long bits = (random >> 63) << 63 | exponent << 52 | (random & 0x7ffffffffffff) * 2 | (i >> 12 & 1);
            memcpy(&x[i], &bits, 8);
        }
        ck_use_isa(ck_widest_isa());
        evaluate_wide(kind, x, y);
        for (int isa = 0; isa < (int)ck_widest_isa(); isa++) {
            ck_use_isa((ck_isa)isa);
            evaluate_wide(kind, x, other);
            for (unsigned i = 0; i < block; i++) {
                differing += memcmp(&y[i], &other[i], 8) != 0 && !(isnan(y[i]) && isnan(other[i]));
            }
        }
        for (unsigned i = 0; i < block; i++) {
            wide exact = functions[f].wide_reference(x[i]);
            double nearest = (double)exact;
            if (isnan(nearest) && isnan(y[i])) continue;
            if ((isinf(x[i]) || isinf(nearest)) && (kind < 0 || y[i] == nearest)) continue;
            int exponent = exact == 0 ? least : ilogbl(exact);
            if (exponent < least) exponent = least;
            double error = (double)(fabsl(y[i] - exact) / ldexpl(1, exponent - 52));
            if (error > worst || isnan(error)) {
                worst = isnan(error) ? INFINITY : error;
                where = x[i];
            }
        }
    }
    printf("%-9s %8.3f ulp at %a in Float64; %ld numbers differ between instruction sets\n", functions[f].name, worst,
           where, differing);
    fflush(stdout);
    return differing != 0 || worst > 8;
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
        failed |= differing != 0 || worst > 8 || measure_wide(f, stride);
    }
    return failed;
}
