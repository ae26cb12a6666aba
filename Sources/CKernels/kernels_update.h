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

/// Updates n weights, a multiple of LANES, from the sums of their gradients over the batch.
static void NAME(update)(const ck_plan *plan, size_t n, const REAL *sums, REAL *w, REAL *m, REAL *v) {
    NAME(update_scalars) scalars = NAME(scalars)(plan);
    // One loop for each type: the choice is not made again for every vector.
#define UPDATE_LOOP(type)                                                                                             \
    case type:                                                                                                        \
        for (size_t i = 0; i < n; i += LANES)                                                                         \
            NAME(store)(w + i, NAME(updated)(type, &scalars, NAME(load)(sums + i), NAME(load)(w + i), m + i, v + i)); \
        return;
    switch (plan->optimizer.type) {
        UPDATE_LOOP(CK_SGD)
        UPDATE_LOOP(CK_MOMENTUM)
        UPDATE_LOOP(CK_NESTEROV)
        UPDATE_LOOP(CK_ADAM)
        UPDATE_LOOP(CK_ADAMW)
        UPDATE_LOOP(CK_RMSPROP)
        UPDATE_LOOP(CK_ADAGRAD)
    }
#undef UPDATE_LOOP
}
