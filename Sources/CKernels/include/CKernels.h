#ifndef CKERNELS_H
#define CKERNELS_H

// Micro-kernels and vector math, one source compiled per instruction set and dispatched at run time.
//
// Every function computes the same bits on every instruction set: vectors are lanes of independent
// chains of fused multiply-adds, never a reason to reorder one.

#include "CKMath.h"
#include "CKRows.h"
#include "CKStep.h"

#include <stddef.h>
#include <stdint.h>

/// The instruction sets, from the plainest to the widest.
/// The last two are AVX-512 with something that multiplies bf16: AVX512-BF16, and a matrix unit.
typedef enum ck_isa {
    CK_ISA_SCALAR = 0, CK_ISA_AVX2 = 1, CK_ISA_AVX512 = 2, CK_ISA_AVX512_BF16 = 3, CK_ISA_AMX = 4
} ck_isa;

/// The widest instruction set that this CPU has.
ck_isa ck_widest_isa(void);

/// The instruction set in use: the widest, unless TREADLE_ISA or `ck_use_isa` asks for a plainer one.
ck_isa ck_current_isa(void);

/// Switches to `isa`, or to the widest that the CPU has where that is plainer. Not while kernels run.
void ck_use_isa(ck_isa isa);

/// "amx", "avx512bf16", "avx512", "avx2" or "scalar".
const char *ck_isa_name(ck_isa isa);

/// Multiplies a few blocks of random and extreme numbers by what the instruction set in use has for bf16, and by plain
/// multiply-adds: 1 if every bit agrees, or if it has nothing.
int ck_unit_agrees(void);

/// Does `rounds` of sixteen independent vector multiply-adds and returns how many operations that is, an addition and a
/// multiplication for each lane: timed, it gives the peak of one core.
double ck_multiply_adds_f32(size_t rounds);
double ck_multiply_adds_f64(size_t rounds);

/// Reads as many cache lines of 64 bytes, from an address that is a multiple of 64: timed, it gives the bandwidth.
uint64_t ck_read_lines(size_t lines, const void *memory);

/// a[i] = fma(x[i], s, a[i]).
void ck_axpy_f32(size_t n, float s, const float *x, float *a);
void ck_axpy_f64(size_t n, double s, const double *x, double *a);

#endif
