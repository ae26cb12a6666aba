#ifndef CK_UNITS_H
#define CK_UNITS_H

// What CPUs multiply bfloat16 with: the matrix unit of Intel's servers (AMX), or AVX512-BF16. Whether there is one, and the step
// on it.

#include "arrange.h"
#include "table.h"

/// Blocks of k up to which a product is not cut into chunks, whose sums need memory.
enum { CK_WHOLE_BLOCKS = 32 };

/// Whether the CPU has AVX512-BF16, and that is faster than multiply-adds of Float32.
int ck_has_fast_dots(void);

/// Whether the CPU has the matrix unit, the operating system saves its registers, and this process may use it; asks for that
/// permission. Where the kernel refuses, the answer is no.
int ck_has_amx(void);

/// Cuts the memory of all layers and of the outputs into blocks, as the step on either of them reads them.
void ck_arrange_blocks(ck_plan *plan, int trains, ck_region *region);

#if defined(__x86_64__)
extern const ck_table_bf16 ck_table_bf16_amx, ck_table_bf16x3_amx, ck_table_bf16_avx512bf16, ck_table_bf16x3_avx512bf16;

/// `ck_unit_agrees` for each of them and each kind of operands.
int ck_agrees_bf16_amx(void);
int ck_agrees_bf16x3_amx(void);
int ck_agrees_bf16_avx512bf16(void);
int ck_agrees_bf16x3_avx512bf16(void);
#endif

#endif
