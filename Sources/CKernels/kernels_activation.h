// The nine activations and their derivatives over n numbers. The step calls them on whole rows, padding included,
// so f and f′ are finite at 0.

/// Whether the derivative is computed from the numbers before the activation, which `activate` leaves in `kept`.
INLINE int activation_keeps(ck_activation f) { return f == CK_GELU || f == CK_SILU; }

INLINE vec relu(vec x) { return select(x < 0, splat(0), x); }
INLINE vec leaky_relu(vec x) { return select(x < 0, x * (REAL)0.01, x); }
INLINE vec elu(vec x) { return select(x > 0, x, expm1v(x)); }
INLINE vec silu(vec x) { return x * sigmoid(x); }
INLINE vec gelu(vec x) {
    vec density;
    return x * normal_share(x, &density);
}

/// a[i] = f(a[i]). `kept` receives what `derive` needs besides the result, and may be null for those that need nothing.
static void activate(ck_activation f, size_t n, REAL *a, REAL *kept) {
    if (activation_keeps(f) && kept) memcpy(kept, a, n * sizeof(REAL));
    switch (f) {
    case CK_IDENTITY: break;
    case CK_RELU: CK_APPLY(n, a, a, relu); break;
    case CK_LEAKY_RELU: CK_APPLY(n, a, a, leaky_relu); break;
    case CK_ELU: CK_APPLY(n, a, a, elu); break;
    case CK_GELU: CK_APPLY(n, a, a, gelu); break;
    case CK_SILU: CK_APPLY(n, a, a, silu); break;
    case CK_SIGMOID: CK_APPLY(n, a, a, sigmoid); break;
    case CK_TANH: CK_APPLY(n, a, a, tanhv); break;
    case CK_SOFTPLUS: CK_APPLY(n, a, a, softplus); break;
    }
}

// Each takes what the forward pass left behind (`past`: the result, or the number before the activation where that is
// kept) and the error d behind the activation, and returns the error before it.
INLINE vec relu_gradient(vec past, vec d) { return select(past > 0, d, splat(0)); }
INLINE vec leaky_relu_gradient(vec past, vec d) { return select(past > 0, d, d * (REAL)0.01); }
INLINE vec elu_gradient(vec past, vec d) { return select(past > 0, d, fmav(d, past, d)); }
INLINE vec gelu_gradient(vec past, vec d) {
    vec density;
    vec share = normal_share(past, &density);
    return d * fmav(past, density, share);
}
INLINE vec silu_gradient(vec past, vec d) {
    vec s = sigmoid(past);
    return d * fmav(past * s, 1 - s, s);
}
INLINE vec sigmoid_gradient(vec past, vec d) { return d * (past * (1 - past)); }
INLINE vec tanh_gradient(vec past, vec d) { return d * fmav(-past, past, splat(1)); }
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
    const REAL *past = activation_keeps(f) ? kept : a;
    switch (f) {
    case CK_IDENTITY: break;
    case CK_RELU: CK_APPLY_GRADIENT(relu_gradient); break;
    case CK_LEAKY_RELU: CK_APPLY_GRADIENT(leaky_relu_gradient); break;
    case CK_ELU: CK_APPLY_GRADIENT(elu_gradient); break;
    case CK_GELU: CK_APPLY_GRADIENT(gelu_gradient); break;
    case CK_SILU: CK_APPLY_GRADIENT(silu_gradient); break;
    case CK_SIGMOID: CK_APPLY_GRADIENT(sigmoid_gradient); break;
    case CK_TANH: CK_APPLY_GRADIENT(tanh_gradient); break;
    case CK_SOFTPLUS: CK_APPLY_GRADIENT(softplus_gradient); break;
    }
}
