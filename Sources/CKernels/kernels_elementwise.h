static void NAME(axpy)(size_t n, REAL s, const REAL *x, REAL *a) {
    size_t i = 0;
    vec factor = NAME(splat)(s);
    for (; i + LANES <= n; i += LANES) NAME(store)(a + i, NAME(fma)(NAME(load)(x + i), factor, NAME(load)(a + i)));
    for (; i < n; i++) a[i] = NAME(fma1)(x[i], s, a[i]);
}
