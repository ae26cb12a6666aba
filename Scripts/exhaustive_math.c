// Measures the maximum error of the elementary functions, and that the instruction sets agree on every bit; fails where an
// error is above what Numerics.md states.
//
//   Scripts/exhaustive-math          (builds and runs this; some minutes on one core)
//
// Float64 goes first: some 10⁸ numbers of all exponents, against libm in 80 bits, whose own error is below 2⁻¹⁰ of the
// units measured. Then Float32: all 2³² numbers, against the Float64 functions so measured, whose error is below 2⁻²⁵ of
// a Float32's unit. AVX-512 and AVX2 are compared everywhere; the path of plain CPUs, where each fused multiply-add is a
// call, on one block of 65,536 numbers in 64.
//
// gelu, silu and elu are composed from erfc and exp. Activations that multiply by a share that can be subnormal are
// measured in units of 2⁻¹¹⁹ (2⁻¹⁰¹⁰) below that number; at an infinity, where they are ∞·0, not at all.

#include "CKernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 16 };

static long double sigmoid(long double x) { return x >= 0 ? 1 / (1 + expl(-x)) : expl(x) / (1 + expl(x)); }
static long double softplus(long double x) { return x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x)); }
static long double gelu(long double x) { return x * erfcl(-x * 0.70710678118654752440084436210485L) / 2; }
static long double silu(long double x) { return x * sigmoid(x); }
static long double elu(long double x) { return x > 0 ? x : expm1l(x); }

static const struct {
    const char *name;
    int is_activation, number;
    long double (*reference)(long double);
    // The largest error that is stated for Float32 and Float64, in units in the last place: as in Numerics.md.
    double single_bound, double_bound;
} functions[] = {
    {"exp", 0, CK_FUNCTION_EXP, expl, 1, 1},
    {"expm1", 0, CK_FUNCTION_EXPM1, expm1l, 1.5, 2},
    {"log", 0, CK_FUNCTION_LOG, logl, 1, 1},
    {"log1p", 0, CK_FUNCTION_LOG1P, log1pl, 1.5, 1.5},
    {"tanh", 0, CK_FUNCTION_TANH, tanhl, 1.5, 2},
    {"sigmoid", 0, CK_FUNCTION_SIGMOID, sigmoid, 2.5, 2.5},
    {"erf", 0, CK_FUNCTION_ERF, erfl, 1.5, 1.5},
    {"softplus", 0, CK_FUNCTION_SOFTPLUS, softplus, 2, 2},
    {"gelu", 1, CK_GELU, gelu, 8, 8},
    {"silu", 1, CK_SILU, silu, 3.5, 3.5},
    {"elu", 1, CK_ELU, elu, 1, 1.5},
};

typedef struct {
    double error, where;
    long differing;
} worst;

static void evaluate_double(size_t f, ck_isa isa, const double *x, double *y) {
    static double kept[BLOCK];
    ck_use_isa(isa);
    memcpy(y, x, sizeof kept);
    if (functions[f].is_activation) ck_activate_f64((ck_activation)functions[f].number, BLOCK, y, kept);
    else ck_map_f64((ck_function)functions[f].number, BLOCK, x, y);
}

static void evaluate_single(size_t f, ck_isa isa, const float *x, float *y) {
    static float kept[BLOCK];
    ck_use_isa(isa);
    memcpy(y, x, sizeof kept);
    if (functions[f].is_activation) ck_activate_f32((ck_activation)functions[f].number, BLOCK, y, kept);
    else ck_map_f32((ck_function)functions[f].number, BLOCK, x, y);
}

static void note(worst *w, double error, double where) {
    if (isnan(error)) error = INFINITY;
    if (error <= w->error) return;
    w->error = error;
    w->where = where;
}

static int report(const char *name, const char *type, double bound, worst w) {
    printf("%-9s %s: %6.3f ulp of %.1f at %a%s; %ld numbers differ between instruction sets\n", name, type, w.error, bound,
           w.where, w.error > bound ? ", TOO MUCH" : "", w.differing);
    fflush(stdout);
    return w.differing != 0 || w.error > bound;
}

static worst measure_double(size_t f, unsigned stride) {
    static double x[BLOCK], y[BLOCK], other[BLOCK];
    const int least = functions[f].is_activation ? -1010 : -1022;
    unsigned long long random = 1;
    worst w = {0};
    for (unsigned round = 0; round < 1536; round += stride) {
        for (unsigned i = 0; i < BLOCK; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            // Half of them where the functions bend, half over all exponents; both signs.
            unsigned long long exponent = i & 1 ? i / 2 % 2048 : 1023 - 40 + i / 2 % 51;
            unsigned long long bits = (random >> 63) << 63 | exponent << 52 | (random >> 11 & 0xfffffffffffff);
            memcpy(&x[i], &bits, 8);
        }
        evaluate_double(f, ck_widest_isa(), x, y);
        for (int isa = 0; isa < (int)ck_widest_isa(); isa++) {
            evaluate_double(f, (ck_isa)isa, x, other);
            for (unsigned i = 0; i < BLOCK; i++) {
                w.differing += memcmp(&y[i], &other[i], 8) != 0 && !(isnan(y[i]) && isnan(other[i]));
            }
        }
        for (unsigned i = 0; i < BLOCK; i++) {
            const long double exact = functions[f].reference(x[i]);
            const double nearest = (double)exact;
            if (functions[f].is_activation && isinf(x[i])) continue;
            if (isnan(nearest) || isinf(nearest) || isinf(y[i])) {
                const int agree = isnan(nearest) ? isnan(y[i]) : y[i] == nearest;
                // One unit from the largest number, infinity is as near.
                note(&w, agree ? 0 : fabsl(exact) > 0x1.ffffffffffffep1023L ? 1 : INFINITY, x[i]);
                continue;
            }
            int exponent = exact == 0 ? least : ilogbl(exact);
            if (exponent < least) exponent = least;
            note(&w, (double)(fabsl(y[i] - exact) / ldexpl(1, exponent - 52)), x[i]);
            if (x[i] == 0 && exact == 0 && signbit(y[i]) != signbit(nearest)) note(&w, INFINITY, x[i]);
        }
    }
    return w;
}

static worst measure_single(size_t f, unsigned stride) {
    static float x[BLOCK], y[BLOCK], other[BLOCK];
    static double wide[BLOCK], exact[BLOCK];
    const long long least = functions[f].is_activation ? -119 : -126;
    worst w = {0};
    for (unsigned high = 0; high < 65536; high += stride) {
        for (unsigned low = 0; low < BLOCK; low++) {
            const unsigned bits = high << 16 | low;
            memcpy(&x[low], &bits, 4);
            wide[low] = x[low];
        }
        evaluate_double(f, ck_widest_isa(), wide, exact);
        evaluate_single(f, ck_widest_isa(), x, y);
        for (int isa = 0; isa < (int)ck_widest_isa(); isa++) {
            if (isa == CK_ISA_SCALAR && high / stride % 64 != 5) continue;
            evaluate_single(f, (ck_isa)isa, x, other);
            if (memcmp(y, other, sizeof y) == 0) continue;
            for (unsigned i = 0; i < BLOCK; i++) {
                w.differing += memcmp(&y[i], &other[i], 4) != 0 && !(isnan(y[i]) && isnan(other[i]));
            }
        }
        for (unsigned i = 0; i < BLOCK; i++) {
            const float nearest = (float)exact[i];
            if (functions[f].is_activation && isinf(x[i])) continue;
            if (isnan(nearest) || isinf(nearest) || isinf(y[i])) {
                const int agree = isnan(nearest) ? isnan(y[i]) : y[i] == nearest;
                note(&w, agree ? 0 : fabs(exact[i]) > 0x1.fffffcp127 ? 1 : INFINITY, x[i]);
                continue;
            }
            // The exponent of the unit, and its reciprocal, out of the bits: this runs 2³² times a function.
            long long bits, exponent;
            memcpy(&bits, &exact[i], 8);
            exponent = (bits >> 52 & 0x7ff) - 1023;
            if (exponent < least) exponent = least;
            const long long reciprocal_bits = (1023 + 23 - exponent) << 52;
            double reciprocal;
            memcpy(&reciprocal, &reciprocal_bits, 8);
            note(&w, fabs((double)y[i] - exact[i]) * reciprocal, x[i]);
            if (x[i] == 0 && exact[i] == 0 && signbit(y[i]) != signbit(nearest)) note(&w, INFINITY, x[i]);
        }
    }
    return w;
}

int main(int argc, char **argv) {
    const unsigned stride = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
    int failed = 0;
    for (size_t f = 0; f < sizeof functions / sizeof *functions; f++) {
        failed |= report(functions[f].name, "Float64", functions[f].double_bound, measure_double(f, stride));
        failed |= report(functions[f].name, "Float32", functions[f].single_bound, measure_single(f, stride));
    }
    return failed;
}
