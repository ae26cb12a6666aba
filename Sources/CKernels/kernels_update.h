// Optimizers: one update of n weights from their gradient sums. Formulas as in PyTorch 2, rounding by the order written here.

INLINE vec root(vec v) { return __builtin_elementwise_sqrt(v); }

// One optimizer's scalars, rounded once.
typedef struct update_scalars {
    vec scale, clip, rate, momentum, beta1, rest1, beta2, rest2, root2, eps, decay, kept, l1;
    int clips, decays, has_l1;
} update_scalars;

INLINE update_scalars scalars_of(const ck_plan *plan, const ck_layer *layer, int is_bias) {
    const ck_optimizer *o = &plan->optimizer;
    double beta2 = o->type == CK_RMSPROP ? o->rho : o->beta2;
    // What moves is w = divisor · stored weight, whose gradient is the stored one's / divisor. An update that does not
    // depend on the gradient's size is divided once on its way to the stored weight, another one twice.
    double divisor = is_bias ? 1 : layer->rates.divisor, of_w = o->rate * (is_bias ? layer->rates.bias : layer->rates.weight);
    int follows_size = o->type == CK_SGD || o->type == CK_MOMENTUM || o->type == CK_NESTEROV;
    double rate = of_w / (follows_size ? divisor * divisor : divisor);
    if (o->type == CK_ADAM || o->type == CK_ADAMW) rate /= o->correction1;
    return (update_scalars){
        .scale = splat((REAL)plan->scale),
        .clip = splat((REAL)plan->clip),
        .rate = splat((REAL)rate),
        .momentum = splat((REAL)o->momentum),
        .beta1 = splat((REAL)o->beta1),
        .rest1 = splat((REAL)(1 - o->beta1)),
        .beta2 = splat((REAL)beta2),
        .rest2 = splat((REAL)(1 - beta2)),
        .root2 = splat((REAL)(1 / o->correction2)),
        .eps = splat((REAL)(o->eps * divisor)),
        .decay = splat((REAL)(o->weight_decay * (divisor * divisor))),
        .kept = splat((REAL)(1 - of_w * o->weight_decay)),
        .l1 = splat((REAL)(o->l1 * divisor)),
        .clips = plan->clip != 1,
        .decays = o->weight_decay != 0,
        .has_l1 = o->l1 != 0,
    };
}

/// Whether a layer's biases have scalars of their own.
INLINE int moves_bias_apart(const ck_layer *layer) {
    return layer->rates.bias != layer->rates.weight || layer->rates.divisor != 1;
}

/// The square of what a layer's weights are divided by.
INLINE double square_of_divisor(const ck_layer *layer) { return layer->rates.divisor * layer->rates.divisor; }

/// The vector of weights after one update; `m` and `v` are the optimizer's slots.
INLINE vec updated(ck_optimizer_type type, const update_scalars *s, vec sum, vec w, REAL *m, REAL *v) {
    vec zero = {0};
    vec g = sum * s->scale;
    if (s->clips) g *= s->clip;
    if (s->has_l1) g += (vec)((ivec)s->l1 & (w > zero)) - (vec)((ivec)s->l1 & (w < zero));
    if (s->decays) {
        if (type == CK_ADAMW || type == CK_LION) w *= s->kept;
        else g = fmav(s->decay, w, g);
    }
    g = at_least_or_zero(g, LEAST_GRADIENT);
    switch (type) {
    case CK_SGD:
        return fmav(-s->rate, g, w);
    case CK_MOMENTUM:
    case CK_NESTEROV: {
        vec velocity = at_least_or_zero(fmav(s->momentum, load(m), g), LEAST_NUMBER);
        store(m, velocity);
        return fmav(-s->rate, type == CK_NESTEROV ? fmav(s->momentum, velocity, g) : velocity, w);
    }
    case CK_ADAM:
    case CK_ADAMW: {
        vec mean = load(m);
        mean = at_least_or_zero(fmav(s->rest1, g - mean, mean), LEAST_NUMBER);
        vec square = at_least_or_zero(fmav(s->rest2 * g, g, s->beta2 * load(v)), LEAST_SQUARE);
        store(m, mean);
        store(v, square);
        return fmav(-s->rate, mean / fmav(root(square), s->root2, s->eps), w);
    }
    case CK_LION: {
        vec mean = load(m), blend = fmav(s->rest1, g - mean, mean);
        store(m, at_least_or_zero(fmav(s->rest2, g - mean, mean), LEAST_NUMBER));
        vec sign = (vec)((ivec)splat(1) & (blend > zero)) - (vec)((ivec)splat(1) & (blend < zero));
        return fmav(-s->rate, sign, w);
    }
    case CK_RMSPROP: {
        vec square = at_least_or_zero(fmav(s->rest2 * g, g, s->beta2 * load(v)), LEAST_SQUARE);
        store(v, square);
        return fmav(-s->rate, g / (root(square) + s->eps), w);
    }
    case CK_ADAGRAD: {
        vec square = at_least_or_zero(fmav(g, g, load(v)), LEAST_SQUARE);
        store(v, square);
        return fmav(-s->rate, g / (root(square) + s->eps), w);
    }
    }
    return w;
}

typedef void (*update_kernel)(const update_scalars *scalars, size_t n, const REAL *sums, REAL *w, REAL *m,
                                    REAL *v);

// One loop for each type, with and without what few configurations ask for: nothing is chosen again for every vector.
// What lies a block further on is updated next, and fetched meanwhile.
#define UPDATE_(name, type, slots, is_plain)                                                                          \
    static void name(const update_scalars *scalars, size_t n, const REAL *sums, REAL *w, REAL *m,         \
                           REAL *v) {                                                                                 \
        update_scalars s = *scalars;                                                                            \
        if (is_plain) s.clips = s.decays = s.has_l1 = 0;                                                              \
        for (size_t i = 0; i < n; i += LANES) {                                                                       \
            __builtin_prefetch(w + i + PANEL * PANEL, 1);                                                             \
            if (slots & 1) __builtin_prefetch(m + i + PANEL * PANEL, 1);                                              \
            if (slots & 2) __builtin_prefetch(v + i + PANEL * PANEL, 1);                                              \
            store(w + i, at_least_or_zero(updated(type, &s, load(sums + i), load(w + i), slots & 1 ? m + i : m, slots & 2 ? v + i : v), LEAST_NUMBER)); \
        }                                                                                                             \
    }
#define UPDATE(name, slots) UPDATE_(update_##name, name, slots, 0) UPDATE_(update_plain_##name, name, slots, 1)
CK_OPTIMIZERS(UPDATE)

static update_kernel update_kernel_of(ck_optimizer_type type, const update_scalars *s) {
#define UPDATE_KERNELS(name, slots) [name] = {update_##name, update_plain_##name},
    static const update_kernel kernels[][2] = {
        CK_OPTIMIZERS(UPDATE_KERNELS)
    };
    return kernels[type][!s->clips && !s->decays && !s->has_l1];
}

// Weights to update from the sums of their gradients over the batch: `count` of them are left, a multiple of LANES.
typedef struct update_work {
    update_kernel kernel;
    const update_scalars *scalars;
    size_t count;
    const REAL *sums;
    REAL *w, *m, *v;  // the optimizer's slots are null where it has none
} update_work;

/// Updates the first n of the weights that are left, or all where they are fewer.
INLINE void update(update_work *work, size_t n) {
    if (n > work->count) n = work->count;
    if (n == 0) return;
    work->kernel(work->scalars, n, work->sums, work->w, work->m, work->v);
    work->count -= n;
    work->sums += n;
    work->w += n;
    if (work->m) work->m += n;
    if (work->v) work->v += n;
}
