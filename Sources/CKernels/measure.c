#include "CKernels.h"

// Four cache lines a turn: more fetches under way than a core can have. How wide a register is does not
// matter to memory.
typedef uint64_t line __attribute__((vector_size(64), aligned(64)));

uint64_t ck_read_lines(size_t lines, const void *memory) {
    const line *from = memory;
    line sums[4] = {0};
    size_t i = 0;
    for (; i + 4 <= lines; i += 4) {
        for (size_t j = 0; j < 4; j++) sums[j] += from[i + j];
    }
    for (; i < lines; i++) sums[0] += from[i];
    line all = sums[0] + sums[1] + sums[2] + sums[3];
    uint64_t sum = 0;
    for (size_t j = 0; j < 8; j++) sum += all[j];
    return sum;
}
