#ifndef CK_AMX_H
#define CK_AMX_H

// The matrix unit of Intel's servers (AMX): whether there is one, and the step on it.

#include "arrange.h"
#include "table.h"

/// Blocks of k up to which a product is not cut into chunks, whose sums need memory.
enum { CK_WHOLE_BLOCKS = 32 };

/// Whether the CPU has the unit, the operating system saves its registers, and this process may use it; asks for that
/// permission. Where the kernel refuses, the answer is no.
int ck_has_amx(void);

/// Cuts the memory of all layers and of the outputs into blocks, as the step on the matrix unit reads them.
void ck_arrange_blocks(ck_plan *plan, int trains, ck_region *region);

#if defined(__x86_64__)
extern const ck_table_bf16 ck_table_bf16_amx, ck_table_bf16x3_amx;

/// `ck_matrix_unit_agrees` for either kind of operands.
int ck_amx_agrees_bf16(void);
int ck_amx_agrees_bf16x3(void);
#endif

#endif
