/// As many multiply-adds as the CPU can start, in sixteen independent chains: what `rounds` of them come to in operations.
static double multiply_adds(size_t rounds, REAL *kept) {
    vec sums[16], factor = splat((REAL)0.5), one = splat(kept[0]);
    for (size_t i = 0; i < 16; i++) sums[i] = splat((REAL)i);
    for (size_t round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
        for (size_t i = 0; i < 16; i++) sums[i] = fmav(sums[i], factor, one);
    }
    for (size_t i = 1; i < 16; i++) sums[0] += sums[i];
    kept[0] = sums[0][0];
    return (double)rounds * 16 * 2 * (double)LANES;
}

static void axpy(size_t n, REAL s, const REAL *x, REAL *a) {
    size_t i = 0;
    vec factor = splat(s);
    for (; i + LANES <= n; i += LANES) store(a + i, fmav(load(x + i), factor, load(a + i)));
    for (; i < n; i++) a[i] = fma1(x[i], s, a[i]);
}
