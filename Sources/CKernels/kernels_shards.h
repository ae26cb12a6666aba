// The fixed tree that sums shards, and the squares of a gradient.
//
// The shards meet as digits of a binary counter: shard s adds the levels below its trailing ones and becomes the level
// after them, so that S = 8 gives ((0+1)+(2+3))+((4+5)+(6+7)).

/// The levels that shard `s` of `count` adds, lowest first: those below its trailing ones, and for the last shard all
/// there are.
INLINE size_t levels_added(size_t s, size_t count) { return s + 1 == count ? s : s & ~(s + 1); }

/// The level that shard `s` becomes.
INLINE size_t level_of(size_t s) { return (size_t)__builtin_ctzl(~s); }

/// out[i] = the shards' tree over n numbers of each, `shard_stride` apart; n is a multiple of LANES.
static void sum_shards(size_t n, size_t count, const REAL *shards, size_t shard_stride, REAL *out) {
    for (size_t i = 0; i < n; i += LANES) {
        vec levels[CK_MAX_SHARD_LEVELS];
        vec sum = {0};
        for (size_t s = 0; s < count; s++) {
            sum = load(shards + s * shard_stride + i);
            for (size_t left = levels_added(s, count); left; left &= left - 1) sum += levels[__builtin_ctzl(left)];
            if (s + 1 < count) levels[level_of(s)] = sum;
        }
        store(out + i, sum);
    }
}

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
