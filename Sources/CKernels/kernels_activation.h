// The activations and their derivatives over n numbers. The step calls them on whole rows, padding included,
// so f and f′ are finite at 0.

INLINE vec relu(vec x) { return select(x < 0, splat(0), x); }
INLINE vec leaky_relu(vec x) { return select(x < 0, x * (REAL)0.01, x); }
INLINE vec elu(vec x) { return select(x > 0, x, expm1v(x)); }
// The constants λ and λ·α of SELU (Klambauer et al., 2017), chosen so that outputs keep mean 0 and variance 1.
#define SELU_SCALE ((REAL)1.0507009873554804934)
#define SELU_FALL ((REAL)1.7580993408473768600)
INLINE vec selu(vec x) { return select(x > 0, x * SELU_SCALE, expm1v(x) * SELU_FALL); }
INLINE vec silu(vec x) { return x * sigmoid(x); }
// x · tanh(log(1 + eˣ)): with n = eˣ·(eˣ + 2) that is x · n / (n + 2). From 20 on it is x to the last bit.
INLINE vec mish(vec x) {
    vec e = expv(at_most(x, 20));
    vec n = e * (e + 2);
    return x * (n / (n + 2));
}
INLINE vec gelu(vec x) {
    vec density;
    return x * normal_share(x, &density);
}

/// a[i] = f(a[i]). `kept` receives what `derive` needs besides the result, and may be null for those that need nothing.
static void activate(ck_activation f, size_t n, REAL *a, REAL *kept) {
    if (ck_keeps_input(f) && kept) memcpy(kept, a, n * sizeof(REAL));
#define APPLY(name, function, keeps) case name: CK_APPLY(n, a, a, function); break;
    switch (f) {
    case CK_IDENTITY: break;
    CK_ACTIVATIONS(APPLY)
    }
}

// Each takes what the forward pass left behind (`past`: the result, or the number before the activation where that is
// kept) and the error d behind the activation, and returns the error before it.
INLINE vec relu_gradient(vec past, vec d) { return select(past > 0, d, splat(0)); }
INLINE vec leaky_relu_gradient(vec past, vec d) { return select(past > 0, d, d * (REAL)0.01); }
INLINE vec elu_gradient(vec past, vec d) { return select(past > 0, d, fmav(d, past, d)); }
INLINE vec selu_gradient(vec past, vec d) { return d * select(past > 0, splat(SELU_SCALE), past + SELU_FALL); }
INLINE vec gelu_gradient(vec past, vec d) {
    vec density;
    vec share = normal_share(past, &density);
    return d * fmav(past, density, share);
}
INLINE vec silu_gradient(vec past, vec d) {
    vec s = sigmoid(past);
    return d * fmav(past * s, 1 - s, s);
}
INLINE vec mish_gradient(vec past, vec d) {
    vec e = expv(at_most(past, 20));
    vec n = e * (e + 2), m = n + 2;
    return d * fmav(past, 4 * e * (1 + e) / (m * m), n / m);
}
INLINE vec sigmoid_gradient(vec past, vec d) { return d * (past * (1 - past)); }
INLINE vec tanhv_gradient(vec past, vec d) { return d * fmav(-past, past, splat(1)); }
INLINE vec softplus_gradient(vec past, vec d) { return d * -expm1v(-past); }

/// Applies FUNCTION(past, d) to n pairs, in place of d.
#define CK_APPLY_GRADIENT(FUNCTION)                                                                             \
    do {                                                                                                        \
        size_t i = 0;                                                                                           \
        for (; i + LANES <= n; i += LANES) store(d + i, FUNCTION(load(past + i), load(d + i))); \
        if (i < n) {                                                                                            \
            vec part = FUNCTION(load_part(past + i, n - i, 0), load_part(d + i, n - i, 0));         \
            store_part(d + i, n - i, part);                                                               \
        }                                                                                                       \
    } while (0)

/// d[i] *= f′ at the element that gave a[i].
static void derive(ck_activation f, size_t n, const REAL *a, const REAL *kept, REAL *d) {
    const REAL *past = ck_keeps_input(f) ? kept : a;
#define APPLY_GRADIENT(name, function, keeps) case name: CK_APPLY_GRADIENT(function##_gradient); break;
    switch (f) {
    case CK_IDENTITY: break;
    CK_ACTIVATIONS(APPLY_GRADIENT)
    }
}
