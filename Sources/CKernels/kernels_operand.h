// What products read: numbers that are never subnormal, and with bf16 rounded to bfloat16, with bf16x3 split into two such
// numbers.
//
// Inputs that are always zero, saturated units and decaying moments let numbers fall through the subnormal range, where
// Intel's arithmetic takes some 150 cycles an operation. A mode bit of the CPU would avoid that, but not with the same bits
// everywhere. So what is stored is zero where it is too small to matter, by the same rule on every CPU.

#define IS_BF16 (CK_NUMBERS == 16)

#if REAL_IS_FLOAT
#define LEAST_NUMBER 0x1p-60f     // of activations, errors, weights and moments
#define LEAST_GRADIENT 0x1p-50f   // what is less counts as zero in an update
#define LEAST_SQUARE 0x1p-100f    // of second moments
#else
#define LEAST_NUMBER 0x1p-500
#define LEAST_GRADIENT 0x1p-500
#define LEAST_SQUARE 0x1p-1000
#endif

/// x, or +0 where |x| < least; NaN stays.
INLINE vec at_least_or_zero(vec x, REAL least) {
    return zero_where(absolute(x) < least, x);
}

#if IS_BF16
/// Rounded to nearest even with eight bits of mantissa; below 2⁻⁵⁶, +0. Every product of two such numbers and every sum
/// of products is a multiple of 2⁻¹²⁶, so no subnormal arises and CPUs that flush them agree with those that do not.
///
/// A product's k runs in blocks of 32, each an even and an odd chain of multiply-adds from +0 that are added to each other
/// and then to the sum: the order of Intel's matrix unit, which every other CPU follows with FP32 multiply-adds.
///
/// With two parts a number is its operand, the high part, and the operand of what that leaves, the low part. Each block of
/// 32 k then is three terms, one after another: high · high, high · low, low · high of the left and the right operand.
INLINE vec operand(vec x) {
    ivec bits = (ivec)x;
    ivec nearest = (bits + 0x7fff + ((bits >> 16) & 1)) & (REAL_INT)0xffff0000;
    ivec is_nan = x != x;
    // A NaN keeps what fits of its bits; one of them is set, so that it does not become an infinity.
    ivec kept = (bits & (REAL_INT)0xffff0000) | 0x400000;
    vec result = (vec)((nearest & ~is_nan) | (kept & is_nan));
    return at_least_or_zero(result, 0x1p-56f);
}
#else
/// A number as the next product reads it.
INLINE vec operand(vec x) { return at_least_or_zero(x, LEAST_NUMBER); }
#endif

enum { TERMS = CK_OPERAND_PARTS == 2 ? 3 : 1 };

/// Which part of its left operand and of its right one a term takes: 0 the high one, 1 the low one.
INLINE size_t left_part(size_t term) { return term == 2; }
INLINE size_t right_part(size_t term) { return term == 1; }

/// Stores x as the next product reads it; `low` numbers further on its low part, where there are two parts.
INLINE void store_operand(REAL *to, size_t low, vec x) {
    vec high = operand(x);
    store(to, high);
    if (PARTS == 2) store(to + low, operand(x - high));
}

/// The same for n numbers, a multiple of LANES; `out` may be `x`.
INLINE void make_operands(size_t n, const REAL *x, REAL *out, size_t low) {
    for (size_t i = 0; i < n; i += LANES) store_operand(out + i, low, load(x + i));
}

/// The number that an operand stands for.
INLINE vec load_operand(const REAL *from, size_t low) { return PARTS == 2 ? load(from) + load(from + low) : load(from); }

// Of activations and errors in panels, each panel's low parts follow its rows.

/// Numbers from an operand to its low part.
INLINE size_t part_size(const ck_plan *plan) { return plan->capacity * PANEL; }

/// Numbers from one panel of activations to the next.
INLINE size_t panel_size(const ck_plan *plan) { return PARTS * part_size(plan); }
