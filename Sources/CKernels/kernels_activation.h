// Activations over n elements. The step calls them on whole rows, padding included, so f and f′ must be finite at 0.

/// Whether the derivative needs what `activate` leaves in `kept`.
__attribute__((unused)) INLINE int NAME(activation_keeps)(ck_activation f) { return f == CK_GELU || f == CK_SILU || f == CK_SOFTPLUS; }

/// a[i] = f(a[i]). `kept` receives what `derive` needs besides the result, and is null for those that need nothing.
static void NAME(activate)(ck_activation f, size_t n, REAL *a, REAL *kept) {
    (void)kept;
    if (f == CK_RELU) {
        for (size_t i = 0; i < n; i++) a[i] = a[i] < 0 ? 0 : a[i];
    }
}

/// d[i] *= f′ at the element that gave a[i].
static void NAME(derive)(ck_activation f, size_t n, const REAL *a, const REAL *kept, REAL *d) {
    (void)kept;
    if (f == CK_RELU) {
        for (size_t i = 0; i < n; i++) d[i] = a[i] <= 0 ? 0 : d[i];
    }
}
