// What every kernel is written in: one type of numbers, and vectors of it as wide as one instruction set has them.
// See kernels.h for the two macros that choose. Two more may be defined:
//
//   CK_OPERAND_PARTS  2 where an operand of bf16 is split into two (bf16x3), 1 otherwise
//   CK_MORE_TARGETS   "," and features of the CPU besides those of the vectors, or nothing

#include <stdint.h>
#include <string.h>

// A multiply-add is written where one is meant; the compiler must not make others.
#pragma STDC FP_CONTRACT OFF

#if CK_NUMBERS == 64
#define REAL double
#define REAL_INT int64_t
#define REAL_UINT uint64_t
#define REAL_SUFFIX f64
#define REAL_IS_FLOAT 0
#define REAL_BYTES 8
#else
#define REAL float
#define REAL_INT int32_t
#define REAL_UINT uint32_t
#define REAL_IS_FLOAT 1
#define REAL_BYTES 4
#if CK_NUMBERS != 16
#define REAL_SUFFIX f32
#elif CK_OPERAND_PARTS == 2
#define REAL_SUFFIX bf16x3
#else
#define REAL_SUFFIX bf16
#endif
#endif

#ifndef CK_OPERAND_PARTS
#define CK_OPERAND_PARTS 1
#endif

#ifndef CK_MORE_TARGETS
#define CK_MORE_TARGETS ""
#endif

#if CK_VECTOR_BYTES == 64 && defined(CK_EMULATED)
// Scripts/portability: AVX2 stands in for what is wider.
#define ISA_SUFFIX avx512
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi2"))), apply_to = function)
#elif CK_VECTOR_BYTES == 64
#define ISA_SUFFIX avx512
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma,f16c,bmi2" CK_MORE_TARGETS))), \
    apply_to = function)
#elif CK_VECTOR_BYTES == 32
#define ISA_SUFFIX avx2
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi2" CK_MORE_TARGETS))), apply_to = function)
#else
#define ISA_SUFFIX scalar
#endif

#define INLINE static inline __attribute__((always_inline))
/// A function that starts at a cache line: otherwise what stands before it decides where its loops lie, and so its speed.
#define KERNEL static __attribute__((aligned(64)))
#define UNROLL _Pragma("clang loop unroll(full)")
#define LANES ((size_t)(CK_VECTOR_BYTES / sizeof(REAL)))
#define PANEL ((size_t)CK_PANEL_BYTES / sizeof(REAL))
#define PARTS ((size_t)CK_OPERAND_PARTS)
#define PANEL_VECTORS ((size_t)(CK_PANEL_BYTES / CK_VECTOR_BYTES))
/// `pointer` moved by a number of REALs.
#define AT(pointer, offset) ((REAL *)(pointer) + (offset))

typedef REAL vec __attribute__((vector_size(CK_VECTOR_BYTES), aligned(sizeof(REAL))));
#define SIGN_BIT ((ivec){0} + (REAL_INT)((REAL_UINT)1 << (sizeof(REAL) * 8 - 1)))
typedef REAL_INT ivec __attribute__((vector_size(CK_VECTOR_BYTES), aligned(sizeof(REAL))));

INLINE vec load(const REAL *p) { return *(const vec *)p; }
INLINE void store(REAL *p, vec v) { *(vec *)p = v; }
// x − 0 is x, also for −0; the compiler makes it one broadcast.
INLINE vec splat(REAL x) { return x - (vec){0}; }
INLINE vec fmav(vec a, vec b, vec c) { return __builtin_elementwise_fma(a, b, c); }
INLINE vec absolute(vec x) { return (vec)((ivec)x & ~SIGN_BIT); }
INLINE vec zero_where(ivec condition, vec v) { return (vec)((ivec)v & ~condition); }
INLINE REAL fma1(REAL a, REAL b, REAL c) { return __builtin_elementwise_fma(a, b, c); }
