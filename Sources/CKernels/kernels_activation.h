// The nine activations and their derivatives over n numbers. The step calls them on whole rows, padding included,
// so f and f′ are finite at 0.

/// Whether the derivative is computed from the numbers before the activation, which `activate` leaves in `kept`.
INLINE int NAME(activation_keeps)(ck_activation f) { return f == CK_GELU || f == CK_SILU; }

INLINE vec NAME(relu)(vec x) { return NAME(select)(x < 0, NAME(splat)(0), x); }
INLINE vec NAME(leaky_relu)(vec x) { return NAME(select)(x < 0, x * (REAL)0.01, x); }
INLINE vec NAME(elu)(vec x) { return NAME(select)(x > 0, x, NAME(expm1)(x)); }
INLINE vec NAME(silu)(vec x) { return x * NAME(sigmoid)(x); }
INLINE vec NAME(gelu)(vec x) {
    vec density;
    return x * NAME(normal_share)(x, &density);
}

/// a[i] = f(a[i]). `kept` receives what `derive` needs besides the result, and may be null for those that need nothing.
static void NAME(activate)(ck_activation f, size_t n, REAL *a, REAL *kept) {
    if (NAME(activation_keeps)(f) && kept) memcpy(kept, a, n * sizeof(REAL));
    switch (f) {
    case CK_IDENTITY: break;
    case CK_RELU: CK_APPLY(n, a, a, NAME(relu)); break;
    case CK_LEAKY_RELU: CK_APPLY(n, a, a, NAME(leaky_relu)); break;
    case CK_ELU: CK_APPLY(n, a, a, NAME(elu)); break;
    case CK_GELU: CK_APPLY(n, a, a, NAME(gelu)); break;
    case CK_SILU: CK_APPLY(n, a, a, NAME(silu)); break;
    case CK_SIGMOID: CK_APPLY(n, a, a, NAME(sigmoid)); break;
    case CK_TANH: CK_APPLY(n, a, a, NAME(tanh)); break;
    case CK_SOFTPLUS: CK_APPLY(n, a, a, NAME(softplus)); break;
    }
}

// Each takes what the forward pass left behind (`past`: the result, or the number before the activation where that is
// kept) and the error d behind the activation, and returns the error before it.
INLINE vec NAME(relu_gradient)(vec past, vec d) { return NAME(select)(past > 0, d, NAME(splat)(0)); }
INLINE vec NAME(leaky_relu_gradient)(vec past, vec d) { return NAME(select)(past > 0, d, d * (REAL)0.01); }
INLINE vec NAME(elu_gradient)(vec past, vec d) { return NAME(select)(past > 0, d, NAME(fma)(d, past, d)); }
INLINE vec NAME(gelu_gradient)(vec past, vec d) {
    vec density;
    vec share = NAME(normal_share)(past, &density);
    return d * NAME(fma)(past, density, share);
}
INLINE vec NAME(silu_gradient)(vec past, vec d) {
    vec s = NAME(sigmoid)(past);
    return d * NAME(fma)(past * s, 1 - s, s);
}
INLINE vec NAME(sigmoid_gradient)(vec past, vec d) { return d * (past * (1 - past)); }
INLINE vec NAME(tanh_gradient)(vec past, vec d) { return d * NAME(fma)(-past, past, NAME(splat)(1)); }
INLINE vec NAME(softplus_gradient)(vec past, vec d) { return d * -NAME(expm1)(-past); }

/// Applies FUNCTION(past, d) to n pairs, in place of d.
#define CK_APPLY_GRADIENT(FUNCTION)                                                                             \
    do {                                                                                                        \
        size_t i = 0;                                                                                           \
        for (; i + LANES <= n; i += LANES) NAME(store)(d + i, FUNCTION(NAME(load)(past + i), NAME(load)(d + i))); \
        if (i < n) {                                                                                            \
            vec part = FUNCTION(NAME(load_part)(past + i, n - i, 0), NAME(load_part)(d + i, n - i, 0));         \
            NAME(store_part)(d + i, n - i, part);                                                               \
        }                                                                                                       \
    } while (0)

/// d[i] *= f′ at the element that gave a[i].
static void NAME(derive)(ck_activation f, size_t n, const REAL *a, const REAL *kept, REAL *d) {
    const REAL *past = NAME(activation_keeps)(f) ? kept : a;
    switch (f) {
    case CK_IDENTITY: break;
    case CK_RELU: CK_APPLY_GRADIENT(NAME(relu_gradient)); break;
    case CK_LEAKY_RELU: CK_APPLY_GRADIENT(NAME(leaky_relu_gradient)); break;
    case CK_ELU: CK_APPLY_GRADIENT(NAME(elu_gradient)); break;
    case CK_GELU: CK_APPLY_GRADIENT(NAME(gelu_gradient)); break;
    case CK_SILU: CK_APPLY_GRADIENT(NAME(silu_gradient)); break;
    case CK_SIGMOID: CK_APPLY_GRADIENT(NAME(sigmoid_gradient)); break;
    case CK_TANH: CK_APPLY_GRADIENT(NAME(tanh_gradient)); break;
    case CK_SOFTPLUS: CK_APPLY_GRADIENT(NAME(softplus_gradient)); break;
    }
}
