// Included once by each convert_*.c, which defines NAME: the same loops for another instruction set.
//
// Blocks of BLOCK elements go through the stages (byte order, double, imputation, scaling and clip, result) in L1,
// so memory is read once and written once.

#include "convert.h"
#include "shuffle_template.h"

#include <string.h>

#pragma STDC FP_CONTRACT OFF

enum { BLOCK = 256 };

#define DEFINE_SWAP(BITS)                                                                                    \
    static void NAME(swap##BITS)(const unsigned char *source, size_t n, void *result) {                      \
        uint##BITS##_t *out = result;                                                                        \
        for (size_t i = 0; i < n; i++) {                                                                     \
            uint##BITS##_t bits;                                                                             \
            memcpy(&bits, source + i * sizeof bits, sizeof bits);                                            \
            out[i] = __builtin_bswap##BITS(bits);                                                            \
        }                                                                                                    \
    }
DEFINE_SWAP(16)
DEFINE_SWAP(32)
DEFINE_SWAP(64)
#undef DEFINE_SWAP

#define DEFINE_WIDEN(TYPE)                                                                                   \
    static void NAME(widen_##TYPE)(const unsigned char *source, size_t n, double *result) {                  \
        for (size_t i = 0; i < n; i++) {                                                                     \
            TYPE value;                                                                                      \
            memcpy(&value, source + i * sizeof value, sizeof value);                                         \
            result[i] = (double)value;                                                                       \
        }                                                                                                    \
    }
DEFINE_WIDEN(int8_t)
DEFINE_WIDEN(uint8_t)
DEFINE_WIDEN(int16_t)
DEFINE_WIDEN(uint16_t)
DEFINE_WIDEN(int32_t)
DEFINE_WIDEN(uint32_t)
DEFINE_WIDEN(int64_t)
DEFINE_WIDEN(uint64_t)
DEFINE_WIDEN(float)
DEFINE_WIDEN(double)
#undef DEFINE_WIDEN

// Half precision by exact integer moves and one exact product: exponents 5 bits wide, biased by 15, become
// 8 bits biased by 127, so 2^112 is missing; infinities and NaN keep all their exponent bits set.
static void NAME(widen_half)(const unsigned char *source, size_t n, double *result) {
    for (size_t i = 0; i < n; i++) {
        uint16_t half;
        memcpy(&half, source + 2 * i, 2);
        uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13;
        float scaled;
        memcpy(&scaled, &magnitude, 4);
        scaled *= 0x1p112f;
        uint32_t bits;
        memcpy(&bits, &scaled, 4);
        bits |= (half & 0x7c00) == 0x7c00 ? 0x7f800000u : 0u;
        bits |= (uint32_t)(half & 0x8000) << 16;
        float value;
        memcpy(&value, &bits, 4);
        result[i] = (double)value;
    }
}

static void NAME(widen_bfloat)(const unsigned char *source, size_t n, double *result) {
    for (size_t i = 0; i < n; i++) {
        uint16_t upper;
        memcpy(&upper, source + 2 * i, 2);
        uint32_t bits = (uint32_t)upper << 16;
        float value;
        memcpy(&value, &bits, 4);
        result[i] = (double)value;
    }
}

static void NAME(widen)(cd_kind kind, int swapped, const unsigned char *source, size_t n, double *result) {
    uint64_t ordered[BLOCK];
    if (swapped && cd_size(kind) > 1) {
        switch (cd_size(kind)) {
        case 2: NAME(swap16)(source, n, ordered); break;
        case 4: NAME(swap32)(source, n, ordered); break;
        default: NAME(swap64)(source, n, ordered); break;
        }
        source = (const unsigned char *)ordered;
    }
    switch (kind) {
    case CD_I8: NAME(widen_int8_t)(source, n, result); break;
    case CD_U8: NAME(widen_uint8_t)(source, n, result); break;
    case CD_I16: NAME(widen_int16_t)(source, n, result); break;
    case CD_U16: NAME(widen_uint16_t)(source, n, result); break;
    case CD_I32: NAME(widen_int32_t)(source, n, result); break;
    case CD_U32: NAME(widen_uint32_t)(source, n, result); break;
    case CD_I64: NAME(widen_int64_t)(source, n, result); break;
    case CD_U64: NAME(widen_uint64_t)(source, n, result); break;
    case CD_F16: NAME(widen_half)(source, n, result); break;
    case CD_BF16: NAME(widen_bfloat)(source, n, result); break;
    case CD_F32: NAME(widen_float)(source, n, result); break;
    case CD_F64: NAME(widen_double)(source, n, result); break;
    }
}

static void NAME(impute)(double *values, size_t n, const double *imputation) {
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, values + i, 8);
        int finite = (bits & 0x7fffffffffffffffu) < 0x7ff0000000000000u;
        values[i] = finite ? values[i] : imputation[i];
    }
}

static void NAME(scale)(double *values, size_t n, const double *shift, const double *factor) {
    for (size_t i = 0; i < n; i++) values[i] = (values[i] - shift[i]) * factor[i];
}

// Computes t/√(1 + t²). Where t² overflows, √(1 + t²) equals |t| to the last digit, so |t| replaces it. A value that is
// not finite becomes NaN.
static void NAME(clip)(double *values, size_t n, const double *inverse) {
    for (size_t i = 0; i < n; i++) {
        double t = values[i] * inverse[i];
        double square = 1.0 + t * t;
        double root = square < __builtin_inf() ? __builtin_elementwise_sqrt(square) : __builtin_fabs(t);
        values[i] = values[i] / root;
    }
}

// The largest magnitude by its bits: not finite exactly when that is at least infinity's.
#define DEFINE_LARGER(TYPE, UINT)                                                                            \
    static inline UINT NAME(larger_##TYPE)(UINT largest, TYPE value) {                                       \
        UINT bits;                                                                                           \
        memcpy(&bits, &value, sizeof bits);                                                                  \
        bits &= (UINT)~(UINT)0 >> 1;                                                                         \
        return bits > largest ? bits : largest;                                                              \
    }
DEFINE_LARGER(float, uint32_t)
DEFINE_LARGER(double, uint64_t)
#undef DEFINE_LARGER

#define DEFINE_ROUND(TYPE, UINT, INFINITY_BITS)                                                              \
    static int NAME(round_##TYPE)(const double *values, size_t n, TYPE *result) {                            \
        UINT largest = 0;                                                                                    \
        for (size_t i = 0; i < n; i++) {                                                                     \
            TYPE value = (TYPE)values[i];                                                                    \
            result[i] = value;                                                                               \
            largest = NAME(larger_##TYPE)(largest, value);                                                   \
        }                                                                                                    \
        return largest >= INFINITY_BITS;                                                                     \
    }                                                                                                        \
    static int NAME(copy_##TYPE)(const unsigned char *source, size_t n, TYPE *result) {                      \
        UINT largest = 0;                                                                                    \
        for (size_t i = 0; i < n; i++) {                                                                     \
            TYPE value;                                                                                      \
            memcpy(&value, source + i * sizeof value, sizeof value);                                         \
            memcpy(result + i, &value, sizeof value);                                                        \
            largest = NAME(larger_##TYPE)(largest, value);                                                   \
        }                                                                                                    \
        return largest >= INFINITY_BITS;                                                                     \
    }                                                                                                        \
    /* What widen and finish do to floats that are only shifted and scaled, in one pass: most inputs are. */ \
    static int NAME(scale_floats_##TYPE)(                                                                    \
        const unsigned char *source, size_t n, const double *shift, const double *factor, TYPE *result) {    \
        UINT largest = 0;                                                                                    \
        for (size_t i = 0; i < n; i++) {                                                                     \
            float number;                                                                                    \
            memcpy(&number, source + i * sizeof number, sizeof number);                                      \
            TYPE value = (TYPE)(((double)number - shift[i]) * factor[i]);                                    \
            result[i] = value;                                                                               \
            largest = NAME(larger_##TYPE)(largest, value);                                                   \
        }                                                                                                    \
        return largest >= INFINITY_BITS;                                                                     \
    }
DEFINE_ROUND(float, uint32_t, 0x7f800000u)
DEFINE_ROUND(double, uint64_t, 0x7ff0000000000000u)
#undef DEFINE_ROUND

// The numbers of one block: a missing value filled in, shifted and scaled, rounded. Returns whether some is not finite.
#define DEFINE_FINISH(TYPE)                                                                                  \
    static int NAME(finish_##TYPE)(                                                                          \
        double *values, size_t n, const cd_columns *columns, size_t first, TYPE *result) {                   \
        if (columns->imputation) NAME(impute)(values, n, columns->imputation + first);                       \
        if (columns->shift) NAME(scale)(values, n, columns->shift + first, columns->factor + first);         \
        if (columns->inverse_clip) NAME(clip)(values, n, columns->inverse_clip + first);                     \
        return NAME(round_##TYPE)(values, n, result);                                                        \
    }
DEFINE_FINISH(float)
DEFINE_FINISH(double)
#undef DEFINE_FINISH

#define DEFINE_CONVERT(SUFFIX, TYPE, SAME)                                                                   \
    static int NAME(convert_##SUFFIX)(                                                                       \
        cd_kind kind, int swapped, const void *source, size_t n, const cd_columns *columns, TYPE *result) {  \
        if (kind == SAME && !swapped && !columns->shift && !columns->imputation && !columns->inverse_clip) { \
            return NAME(copy_##TYPE)(source, n, result);                                                     \
        }                                                                                                    \
        if (kind == CD_F32 && !swapped && columns->shift && !columns->imputation && !columns->inverse_clip) { \
            return NAME(scale_floats_##TYPE)(source, n, columns->shift, columns->factor, result);            \
        }                                                                                                    \
        const unsigned char *bytes = source;                                                                 \
        double values[BLOCK];                                                                                \
        int bad = 0;                                                                                         \
        for (size_t start = 0; start < n; start += BLOCK) {                                                  \
            size_t length = n - start < BLOCK ? n - start : BLOCK;                                           \
            NAME(widen)(kind, swapped, bytes + start * cd_size(kind), length, values);                       \
            bad |= NAME(finish_##TYPE)(values, length, columns, start, result + start);                      \
        }                                                                                                    \
        return bad;                                                                                          \
    }
DEFINE_CONVERT(f32, float, CD_F32)
DEFINE_CONVERT(f64, double, CD_F64)
#undef DEFINE_CONVERT

// The elements at `from`, side by side, as doubles.
static void NAME(pick)(
    cd_kind kind, int swapped, const unsigned char *source, const uint32_t *from, size_t n, double *result) {
    unsigned char picked[8 * BLOCK];
    switch (cd_size(kind)) {
    case 1:
        for (size_t i = 0; i < n; i++) picked[i] = source[from[i]];
        break;
    case 2:
        for (size_t i = 0; i < n; i++) memcpy(picked + 2 * i, source + 2 * (size_t)from[i], 2);
        break;
    case 4:
        for (size_t i = 0; i < n; i++) memcpy(picked + 4 * i, source + 4 * (size_t)from[i], 4);
        break;
    default:
        for (size_t i = 0; i < n; i++) memcpy(picked + 8 * i, source + 8 * (size_t)from[i], 8);
    }
    NAME(widen)(kind, swapped, picked, n, result);
}

static int NAME(is_finite)(double value) {
    uint64_t bits;
    memcpy(&bits, &value, 8);
    return (bits & 0x7fffffffffffffffu) < 0x7ff0000000000000u;
}

#define DEFINE_EXPAND(SUFFIX, TYPE)                                                                          \
    static int NAME(expand_##SUFFIX)(                                                                        \
        const cd_reading *reading, cd_kind kind, int swapped, const void *source, const cd_columns *columns, \
        TYPE *result) {                                                                                      \
        double values[BLOCK];                                                                                \
        TYPE finished[BLOCK];                                                                                \
        int bad = 0, unknown = 0;                                                                            \
        if (reading->categories) memset(result, 0, reading->inputs * sizeof *result);                        \
        for (size_t start = 0; start < reading->numbers; start += BLOCK) {                                   \
            size_t length = reading->numbers - start < BLOCK ? reading->numbers - start : BLOCK;             \
            NAME(pick)(kind, swapped, source, reading->number_from + start, length, values);                 \
            if (reading->offset) {                                                                           \
                for (size_t i = 0; i < length; i++) values[i] += reading->offset[start + i];                 \
            }                                                                                                \
            if (!reading->number_to) {                                                                       \
                bad |= NAME(finish_##TYPE)(values, length, columns, start, result + start);                  \
                continue;                                                                                    \
            }                                                                                                \
            bad |= NAME(finish_##TYPE)(values, length, columns, start, finished);                            \
            for (size_t i = 0; i < length; i++) result[reading->number_to[start + i]] = finished[i];         \
        }                                                                                                    \
        for (size_t start = 0; start < reading->indicators; start += BLOCK) {                                \
            size_t length = reading->indicators - start < BLOCK ? reading->indicators - start : BLOCK;       \
            NAME(pick)(kind, swapped, source, reading->indicator_from + start, length, values);              \
            for (size_t i = 0; i < length; i++) {                                                            \
                result[reading->indicator_to[start + i]] = NAME(is_finite)(values[i]) ? 0 : 1;               \
            }                                                                                                \
        }                                                                                                    \
        for (size_t start = 0; start < reading->categories; start += BLOCK) {                                \
            size_t length = reading->categories - start < BLOCK ? reading->categories - start : BLOCK;       \
            NAME(pick)(kind, swapped, source, reading->code_from + start, length, values);                   \
            for (size_t i = 0; i < length; i++) {                                                            \
                size_t column = start + i;                                                                   \
                double code = NAME(is_finite)(values[i]) ? values[i] + reading->code_base[column] : 1;       \
                if (!(code >= 0 && code < reading->code_count[column]) || code != (double)(uint32_t)code) {  \
                    unknown = 1;                                                                             \
                    continue;                                                                                \
                }                                                                                            \
                uint32_t input = reading->code_inputs[reading->code_first[column] + (uint32_t)code];         \
                if (input != CD_NO_INPUT) result[input] = 1;                                                 \
            }                                                                                                \
        }                                                                                                    \
        return unknown ? 2 : bad;                                                                            \
    }
DEFINE_EXPAND(f32, float)
DEFINE_EXPAND(f64, double)
#undef DEFINE_EXPAND

static void NAME(accumulate)(const double *row, size_t n, const cd_sums *sums) {
    const double *restrict origin = sums->origin;
    double *restrict count = sums->count, *restrict sum = sums->sum, *restrict square = sums->square;
    double *restrict low = sums->low, *restrict high = sums->high;
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, row + i, 8);
        int finite = (bits & 0x7fffffffffffffffu) < 0x7ff0000000000000u;
        double distance = finite ? row[i] - origin[i] : 0.0;
        count[i] += finite ? 1.0 : 0.0;
        sum[i] += distance;
        square[i] += distance * distance;
        low[i] = finite && row[i] < low[i] ? row[i] : low[i];
        high[i] = finite && row[i] > high[i] ? row[i] : high[i];
    }
}

const cd_table NAME(table) = {
    .convert_f32 = NAME(convert_f32),
    .convert_f64 = NAME(convert_f64),
    .expand_f32 = NAME(expand_f32),
    .expand_f64 = NAME(expand_f64),
    .accumulate = NAME(accumulate),
    .unshuffle = NAME(unshuffle),
    .bit_unshuffle = NAME(bit_unshuffle),
};
