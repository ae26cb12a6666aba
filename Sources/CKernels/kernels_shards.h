// The fixed tree that sums shards, and the squares of a gradient.
//
// The shards meet as digits of a binary counter: shard s adds the levels below its trailing ones and becomes the level
// after them, so that S = 8 gives ((0+1)+(2+3))+((4+5)+(6+7)).

/// The levels that shard `s` of `count` adds, lowest first: those below its trailing ones, and for the last shard all
/// there are.
INLINE size_t levels_added(size_t s, size_t count) { return s + 1 == count ? s : s & ~(s + 1); }

/// The level that shard `s` becomes.
INLINE size_t level_of(size_t s) { return (size_t)__builtin_ctzl(~s); }

/// The squares of n averaged gradients, a multiple of PANEL, in double: PANEL stripes, which meet by halves.
INLINE double squares(const ck_plan *plan, size_t n, const REAL *sums) {
    REAL scale = (REAL)plan->scale;
    double stripes[PANEL] = {0};
    for (size_t i = 0; i < n; i += PANEL) {
        for (size_t l = 0; l < PANEL; l++) {
            double g = (double)(sums[i + l] * scale);
            stripes[l] = __builtin_elementwise_fma(g, g, stripes[l]);
        }
    }
    for (size_t half = PANEL / 2; half > 0; half /= 2) {
        for (size_t l = 0; l < half; l++) stripes[l] += stripes[l + half];
    }
    return stripes[0];
}
