// Elementary functions over `vec`, free of branches: made of IEEE operations and fused multiply-adds alone,
// so a lane has the same bits on every instruction set. Maximum errors stand in Numerics.md.

#if REAL_IS_FLOAT
#define CK_POLYNOMIAL(name) ck_##name##_f32
#define CK_PICK(single, twofold) single
#define CK_MANTISSA_BITS 23
#define CK_EXPONENT_BIAS 127
#define CK_ROUNDER 0x1.8p23f
#define CK_MIN_NORMAL 0x1p-126f
#define CK_LN2_HIGH CK_LN2_HIGH_F32
#define CK_LN2_LOW CK_LN2_LOW_F32
#else
#define CK_POLYNOMIAL(name) ck_##name##_f64
#define CK_PICK(single, twofold) twofold
#define CK_MANTISSA_BITS 52
#define CK_EXPONENT_BIAS 1023
#define CK_ROUNDER 0x1.8p52
#define CK_MIN_NORMAL 0x1p-1022
#define CK_LN2_HIGH CK_LN2_HIGH_F64
#define CK_LN2_LOW CK_LN2_LOW_F64
#endif

#define CK_INFINITY ((REAL)__builtin_inf())
#define CK_NAN ((REAL)__builtin_nan(""))
// The coefficients of a fitted polynomial and their number, as the arguments of `horner`.
#define CK_TERMS(name) CK_POLYNOMIAL(name), sizeof CK_POLYNOMIAL(name) / sizeof(REAL)

/// `yes` where the mask (a comparison's result) is set, `no` elsewhere.
INLINE vec select(ivec mask, vec yes, vec no) { return (vec)((mask & (ivec)yes) | (~mask & (ivec)no)); }
/// The smaller and the larger; a NaN in `x` stays.
INLINE vec at_most(vec x, REAL limit) { return select(x > limit, splat(limit), x); }
INLINE vec at_least(vec x, REAL limit) { return select(x < limit, splat(limit), x); }
/// 2ⁿ for n that gives a normal number.
INLINE vec power_of_two(ivec n) { return (vec)((n + CK_EXPONENT_BIAS) << CK_MANTISSA_BITS); }

/// Copies fewer than 32 numbers by moves of fixed sizes, which cost less than a call of memcpy.
INLINE void copy_few(REAL *to, const REAL *from, size_t count) {
#pragma unroll
    for (size_t size = 16; size > 0; size /= 2) {
        if (!(count & size)) continue;
        memcpy(to, from, size * sizeof(REAL));
        to += size;
        from += size;
    }
}

/// Loads `count` < LANES numbers; the other lanes are `fill`.
INLINE vec load_part(const REAL *p, size_t count, REAL fill) {
    vec v = splat(fill);
    copy_few((REAL *)&v, p, count);
    return v;
}
INLINE void store_part(REAL *p, size_t count, vec v) { copy_few(p, (const REAL *)&v, count); }

INLINE vec horner(const REAL *coefficients, size_t count, vec x) {
    vec sum = splat(coefficients[count - 1]);
#pragma unroll
    for (size_t i = count - 1; i > 0; i--) sum = fmav(sum, x, splat(coefficients[i - 1]));
    return sum;
}

/// p and n with exp(x) = 2ⁿ·(1 + p) and |p| < 0.42, for |x| small enough that n fits an exponent.
INLINE vec exp_reduced(vec x, ivec *n) {
    vec rounder = splat(CK_ROUNDER);
    // Adding the rounder leaves the nearest integer in the low bits, whatever the number.
    vec shifted = fmav(x, splat((REAL)0x1.71547652b82fep0), rounder);
    *n = (ivec)shifted - (ivec)rounder;
    vec whole = shifted - rounder;
    vec r = fmav(whole, splat(-CK_LN2_HIGH), x);
    r = fmav(whole, splat(-CK_LN2_LOW), r);
    return fmav(r * r, horner(CK_TERMS(exp), r), r);
}

INLINE vec expv(vec x) {
    ivec n;
    x = at_least(at_most(x, CK_PICK(90, 720)), CK_PICK(-105, -750));
    vec p = exp_reduced(x, &n);
    // Two steps, so that results below the normal range are rounded once and those above it become infinite.
    ivec half = n >> 1;
    return (p + 1) * power_of_two(half) * power_of_two(n - half);
}

INLINE vec expm1v(vec x) {
    ivec n;
    vec bounded = at_least(at_most(x, CK_PICK(89, 710)), CK_PICK(-20, -40));
    vec p = exp_reduced(bounded, &n);
    // Half of the scale, because 2ⁿ itself can be out of range where the result is not.
    vec half = power_of_two(n - 1);
    vec result = fmav(p, half, half - (REAL)0.5) * 2;
    return select(absolute(x) < CK_PICK(0x1p-26f, 0x1p-55), x, result);
}

/// A polynomial for |x| below 0.55, 1 − 2E/(1 + E) with E = exp(−2|x|) from there on.
INLINE vec tanhv(vec x) {
    ivec n;
    vec a = absolute(x), square = x * x;
    vec p = exp_reduced(at_least(a * -2, CK_PICK(-20, -40)), &n);
    vec scale = power_of_two(n);
    vec e = fmav(p, scale, scale);
    vec inner = fmav(a * square, horner(CK_TERMS(tanh), square), a);
    vec size = select(a < (REAL)0.55, inner, 1 - (e + e) / (e + 1));
    return (vec)((ivec)size | ((ivec)x & SIGN_BIT));
}

/// 1 / (1 + exp(−x)) without overflow; `e` receives exp(−|x|).
INLINE vec sigmoid_and_exp(vec x, vec *e) {
    *e = expv(-absolute(x));
    return select(x < 0, *e, splat(1)) / (*e + 1);
}

INLINE vec sigmoid(vec x) {
    vec e;
    return sigmoid_and_exp(x, &e);
}

/// x = m·2ᵏ with m from √½ to √2, for normal x; k as a whole number of the type.
INLINE vec split_exponent(vec x, ivec *k) {
    ivec bits = (ivec)x;
    *k = (bits - (ivec)splat((REAL)0x1.6a09e667f3bcdp-1)) >> CK_MANTISSA_BITS;
    return (vec)(bits - (*k << CK_MANTISSA_BITS));
}

/// log(1 + f) + k·log 2, for f from √½ − 1 to √2 − 1.
INLINE vec log_reduced(vec f, ivec k) {
    vec rounder = splat(CK_ROUNDER);
    vec exponent = (vec)(k + (ivec)rounder) - rounder;
    vec s = f / (f + 2);
    vec z = s * s;
    vec series = z * horner(CK_TERMS(log), z);
    vec half_square = f * f * (REAL)0.5;
    vec low = fmav(s, half_square + series, exponent * CK_LN2_LOW);
    return fmav(exponent, splat(CK_LN2_HIGH), f - (half_square - low));
}

INLINE vec logv(vec x) {
    ivec k;
    ivec tiny = x < CK_MIN_NORMAL;
    vec m = split_exponent(select(tiny, x * (REAL)((REAL_UINT)1 << CK_MANTISSA_BITS), x), &k);
    vec result = log_reduced(m - 1, k - (tiny & CK_MANTISSA_BITS));
    result = select(x == CK_INFINITY, x, result);
    result = select(x == 0, splat(-CK_INFINITY), result);
    return select(x >= 0, result, splat(CK_NAN));
}

INLINE vec log1pv(vec x) {
    ivec k;
    vec u = x + 1;
    // What the sum 1 + x lost: exact, whichever of the two is larger.
    vec back = u - 1;
    vec lost = (1 - (u - back)) + (x - back);
    vec m = split_exponent(u, &k);
    // The loss no longer counts where the scale would leave the exponent's range.
    vec scale = power_of_two((-k & (k < 60)) | (-60 & ~(k < 60)));
    vec result = log_reduced(fmav(lost, scale, m - 1), k);
    result = select(x == CK_INFINITY, x, result);
    result = select(x == -1, splat(-CK_INFINITY), result);
    result = select(x >= -1, result, splat(CK_NAN));
    return select(absolute(x) < CK_PICK(0x1p-26f, 0x1p-55), x, result);
}

INLINE vec softplus(vec x) {
    return at_least(x, 0) + log1pv(expv(-absolute(x)));
}

/// erfc(a)·exp(a²) for a from 1 on.
INLINE vec scaled_erfc(vec a) {
    vec t = (a - 4) / (a + 4);
    return horner(CK_TERMS(erfcx), t) / fmav(a, splat(2), splat(1));
}

/// exp(−square) where `square` = high + low with a small low.
INLINE vec exp_of_minus(vec high, vec low) {
    vec e = expv(-high);
    return fmav(-low, e, e);
}

INLINE vec erfv(vec x) {
    vec a = at_most(absolute(x), 30);
    vec square = a * a;
    vec low = fmav(a, a, -square);
    vec inner = fmav(x, horner(CK_TERMS(erf), square), x);
    vec outer = 1 - exp_of_minus(square, low) * scaled_erfc(a);
    outer = (vec)(((ivec)outer & ~SIGN_BIT) | ((ivec)x & SIGN_BIT));
    return select(a < 1, inner, outer);
}

/// The normal distribution's share below x, with small relative error in both tails; `density` receives its density.
INLINE vec normal_share(vec x, vec *density) {
    vec bounded = at_least(at_most(x, 40), -40);
    vec half = bounded * (REAL)0.5;
    vec exponent = half * bounded;
    vec bell = exp_of_minus(exponent, fmav(half, bounded, -exponent));
    vec u = bounded * (REAL)0x1.6a09e667f3bcdp-1;
    vec a = absolute(u);
    vec square = u * u;
    vec inner_half = fmav(u, horner(CK_TERMS(erf), square), u) * (REAL)0.5;
    vec tail = bell * scaled_erfc(a) * (REAL)0.5;
    *density = bell * (REAL)0x1.9884533d43651p-2;
    return select(a < 1, inner_half + (REAL)0.5, select(x < 0, tail, 1 - tail));
}

/// cos(2πt) and sin(2πt). From 2²² (2⁵¹ in double) on, where neighbouring numbers are half a turn apart, t counts as whole.
INLINE vec cos_and_sin_turns(vec t, vec *sine) {
    vec rounder = splat(CK_ROUNDER);
    vec rest = t - ((t + rounder) - rounder);
    rest = zero_where(absolute(t) >= CK_PICK(0x1p22f, 0x1p51), rest);
    // In half turns, |u| ≤ 1, mirrored to at most ½: both steps are exact.
    vec a = absolute(rest) * 2, u = select(a > (REAL)0.5, 1 - a, a), z = u * u;
    vec cosine = fmav(horner(CK_TERMS(cospi), z), z, splat(1));
    vec size = u * horner(CK_TERMS(sinpi), z);
    *sine = (vec)((ivec)size ^ ((ivec)rest & SIGN_BIT));
    return (vec)((ivec)cosine ^ ((a > (REAL)0.5) & SIGN_BIT));
}

INLINE vec cos_turns(vec t) {
    vec sine;
    return cos_and_sin_turns(t, &sine);
}

INLINE vec sin_turns(vec t) {
    vec sine;
    cos_and_sin_turns(t, &sine);
    return sine;
}

/// Applies FUNCTION, from vec to vec, to n numbers; a tail goes through the same lanes.
#define CK_APPLY(n, x, out, FUNCTION)                                                       \
    do {                                                                                    \
        size_t i_ = 0;                                                                      \
        for (; i_ + LANES <= (n); i_ += LANES) store((out) + i_, FUNCTION(load((x) + i_))); \
        if (i_ < (n)) {                                                                     \
            vec part_ = FUNCTION(load_part((x) + i_, (n) - i_, 0));                   \
            store_part((out) + i_, (n) - i_, part_);                                  \
        }                                                                                   \
    } while (0)

static void map(ck_function function, size_t n, const REAL *x, REAL *out) {
    switch (function) {
    case CK_FUNCTION_EXP: CK_APPLY(n, x, out, expv); break;
    case CK_FUNCTION_EXPM1: CK_APPLY(n, x, out, expm1v); break;
    case CK_FUNCTION_LOG: CK_APPLY(n, x, out, logv); break;
    case CK_FUNCTION_LOG1P: CK_APPLY(n, x, out, log1pv); break;
    case CK_FUNCTION_TANH: CK_APPLY(n, x, out, tanhv); break;
    case CK_FUNCTION_SIGMOID: CK_APPLY(n, x, out, sigmoid); break;
    case CK_FUNCTION_ERF: CK_APPLY(n, x, out, erfv); break;
    case CK_FUNCTION_SOFTPLUS: CK_APPLY(n, x, out, softplus); break;
    case CK_FUNCTION_COS_TURNS: CK_APPLY(n, x, out, cos_turns); break;
    case CK_FUNCTION_SIN_TURNS: CK_APPLY(n, x, out, sin_turns); break;
    }
}
