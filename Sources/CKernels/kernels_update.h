// Optimizers: one update of n weights from their gradient sums. Formulas as in PyTorch 2, rounding by the order written here.

INLINE vec NAME(root)(vec v) { return __builtin_elementwise_sqrt(v); }

// One optimizer's scalars, rounded once.
typedef struct NAME(update_scalars) {
    vec scale, clip, rate, momentum, beta1, rest1, beta2, rest2, root2, eps, decay, kept, l1;
    int clips, decays, has_l1;
} NAME(update_scalars);

INLINE NAME(update_scalars) NAME(scalars)(const ck_plan *plan) {
    const ck_optimizer *o = &plan->optimizer;
    double beta2 = o->type == CK_RMSPROP ? o->rho : o->beta2;
    double rate = o->type == CK_ADAM || o->type == CK_ADAMW ? o->rate / o->correction1 : o->rate;
    return (NAME(update_scalars)){
        .scale = NAME(splat)((REAL)plan->scale),
        .clip = NAME(splat)((REAL)plan->clip),
        .rate = NAME(splat)((REAL)rate),
        .momentum = NAME(splat)((REAL)o->momentum),
        .beta1 = NAME(splat)((REAL)o->beta1),
        .rest1 = NAME(splat)((REAL)(1 - o->beta1)),
        .beta2 = NAME(splat)((REAL)beta2),
        .rest2 = NAME(splat)((REAL)(1 - beta2)),
        .root2 = NAME(splat)((REAL)(1 / o->correction2)),
        .eps = NAME(splat)((REAL)o->eps),
        .decay = NAME(splat)((REAL)o->weight_decay),
        .kept = NAME(splat)((REAL)(1 - o->rate * o->weight_decay)),
        .l1 = NAME(splat)((REAL)o->l1),
        .clips = plan->clip != 1,
        .decays = o->weight_decay != 0,
        .has_l1 = o->l1 != 0,
    };
}

/// The vector of weights after one update; `m` and `v` are the optimizer's slots.
INLINE vec NAME(updated)(ck_optimizer_type type, const NAME(update_scalars) *s, vec sum, vec w, REAL *m, REAL *v) {
    vec zero = {0};
    vec g = sum * s->scale;
    if (s->clips) g *= s->clip;
    if (s->has_l1) g += (vec)((ivec)s->l1 & (w > zero)) - (vec)((ivec)s->l1 & (w < zero));
    if (s->decays) {
        if (type == CK_ADAMW) w *= s->kept;
        else g = NAME(fma)(s->decay, w, g);
    }
    switch (type) {
    case CK_SGD:
        return NAME(fma)(-s->rate, g, w);
    case CK_MOMENTUM:
    case CK_NESTEROV: {
        vec velocity = NAME(fma)(s->momentum, NAME(load)(m), g);
        NAME(store)(m, velocity);
        return NAME(fma)(-s->rate, type == CK_NESTEROV ? NAME(fma)(s->momentum, velocity, g) : velocity, w);
    }
    case CK_ADAM:
    case CK_ADAMW: {
        vec mean = NAME(load)(m);
        mean = NAME(fma)(s->rest1, g - mean, mean);
        vec square = NAME(fma)(s->rest2 * g, g, s->beta2 * NAME(load)(v));
        NAME(store)(m, mean);
        NAME(store)(v, square);
        return NAME(fma)(-s->rate, mean / NAME(fma)(NAME(root)(square), s->root2, s->eps), w);
    }
    case CK_RMSPROP: {
        vec square = NAME(fma)(s->rest2 * g, g, s->beta2 * NAME(load)(v));
        NAME(store)(v, square);
        return NAME(fma)(-s->rate, g / (NAME(root)(square) + s->eps), w);
    }
    case CK_ADAGRAD: {
        vec square = NAME(fma)(g, g, NAME(load)(v));
        NAME(store)(v, square);
        return NAME(fma)(-s->rate, g / (NAME(root)(square) + s->eps), w);
    }
    }
    return w;
}

typedef void (*NAME(update_kernel))(const NAME(update_scalars) *scalars, size_t n, const REAL *sums, REAL *w, REAL *m,
                                    REAL *v);

// One loop for each type, with and without what few configurations ask for: nothing is chosen again for every vector.
// What lies a block further on is updated next, and fetched meanwhile.
#define UPDATE_(name, type, slots, is_plain)                                                                          \
    static void NAME(name)(const NAME(update_scalars) *scalars, size_t n, const REAL *sums, REAL *w, REAL *m,         \
                           REAL *v) {                                                                                 \
        NAME(update_scalars) s = *scalars;                                                                            \
        if (is_plain) s.clips = s.decays = s.has_l1 = 0;                                                              \
        for (size_t i = 0; i < n; i += LANES) {                                                                       \
            __builtin_prefetch(w + i + PANEL * PANEL, 1);                                                             \
            if (slots & 1) __builtin_prefetch(m + i + PANEL * PANEL, 1);                                              \
            if (slots & 2) __builtin_prefetch(v + i + PANEL * PANEL, 1);                                              \
            NAME(store)(w + i, NAME(updated)(type, &s, NAME(load)(sums + i), NAME(load)(w + i), m + i, v + i));       \
        }                                                                                                             \
    }
#define UPDATE(name, type, slots) UPDATE_(name, type, slots, 0) UPDATE_(name##_plain, type, slots, 1)
UPDATE(update_sgd, CK_SGD, 0)
UPDATE(update_momentum, CK_MOMENTUM, 1)
UPDATE(update_nesterov, CK_NESTEROV, 1)
UPDATE(update_adam, CK_ADAM, 3)
UPDATE(update_adamw, CK_ADAMW, 3)
UPDATE(update_rmsprop, CK_RMSPROP, 2)
UPDATE(update_adagrad, CK_ADAGRAD, 2)
#undef UPDATE
#undef UPDATE_

static NAME(update_kernel) NAME(update_kernel_of)(ck_optimizer_type type, const NAME(update_scalars) *s) {
    static const NAME(update_kernel) kernels[][2] = {
        [CK_SGD] = {NAME(update_sgd), NAME(update_sgd_plain)},
        [CK_MOMENTUM] = {NAME(update_momentum), NAME(update_momentum_plain)},
        [CK_NESTEROV] = {NAME(update_nesterov), NAME(update_nesterov_plain)},
        [CK_ADAM] = {NAME(update_adam), NAME(update_adam_plain)},
        [CK_ADAMW] = {NAME(update_adamw), NAME(update_adamw_plain)},
        [CK_RMSPROP] = {NAME(update_rmsprop), NAME(update_rmsprop_plain)},
        [CK_ADAGRAD] = {NAME(update_adagrad), NAME(update_adagrad_plain)},
    };
    return kernels[type][!s->clips && !s->decays && !s->has_l1];
}

// Weights to update from the sums of their gradients over the batch: `count` of them are left, a multiple of LANES.
typedef struct NAME(update_work) {
    NAME(update_kernel) kernel;
    const NAME(update_scalars) *scalars;
    size_t count;
    const REAL *sums;
    REAL *w, *m, *v;  // the optimizer's slots are null where it has none
} NAME(update_work);

/// Updates the first n of the weights that are left, or all where they are fewer.
INLINE void NAME(update)(NAME(update_work) *work, size_t n) {
    if (n > work->count) n = work->count;
    if (n == 0) return;
    work->kernel(work->scalars, n, work->sums, work->w, work->m, work->v);
    work->count -= n;
    work->sums += n;
    work->w += n;
    if (work->m) work->m += n;
    if (work->v) work->v += n;
}
