#include "units.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

// What the kernel's headers call ARCH_REQ_XCOMP_PERM and XFEATURE_XTILEDATA, and what the second stands for.
enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };

static uint64_t saved_registers(void) {
    uint32_t low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static int has_dots(void) {
    enum { avx512_bf16 = 1 << 5 };
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & avx512_bf16);
}

// Measured: AMD's Zen 4 does twice the operations of its multiply-adds, Intel's Emerald Rapids half of them.
int ck_has_fast_dots(void) { return has_dots() && __builtin_cpu_is("amd"); }

static int cpu_has_amx(void) {
    enum { os_saves_registers = 1 << 27, amx_bf16 = 1 << 22, amx_tile = 1 << 24 };
    const uint64_t tile_state = (uint64_t)3 << 17;
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & os_saves_registers)) return 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & amx_bf16) || !(d & amx_tile)) return 0;
    return has_dots() && (saved_registers() & tile_state) == tile_state;
}

int ck_unit_agrees(void) {
    if (ck_current_isa() == CK_ISA_AMX) return ck_agrees_bf16_amx() && ck_agrees_bf16x3_amx();
    return ck_current_isa() != CK_ISA_AVX512_BF16 || (ck_agrees_bf16_avx512bf16() && ck_agrees_bf16x3_avx512bf16());
}

int ck_has_amx(void) { return cpu_has_amx() && syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0; }

#else

int ck_has_fast_dots(void) { return 0; }
int ck_has_amx(void) { return 0; }
int ck_unit_agrees(void) { return 1; }

#endif

/// The bytes of one block of operands: two for each number and part.
static size_t block_bytes(const ck_plan *plan) { return CK_BLOCK * CK_BLOCK * 2 * ck_parts(plan); }

static size_t blocks_of(size_t n) { return (n + CK_BLOCK - 1) / CK_BLOCK; }

// As `column_stride` in block_rows.h: an odd number of blocks, so that columns do not share the sets of a cache.
static size_t column_blocks(size_t blocks) { return blocks | 1; }

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

void ck_arrange_blocks(ck_plan *plan, int trains, ck_region *region) {
    size_t rows = blocks_of(plan->capacity), turned_rows = column_blocks(rows), widest = 0, deepest = 0;
    size_t block = block_bytes(plan);
    for (size_t l = 0; l < plan->layer_count; l++) {
        ck_layer *layer = &plan->layers[l];
        int is_last = l + 1 == plan->layer_count, drops = layer->dropout.rate > 0;
        size_t inputs = blocks_of(layer->inputs), units = blocks_of(layer->units);
        int has_below = l > 0 || plan->stem.layer_count > 0;
        widest = larger(widest, has_below ? larger(inputs, units) : units);
        deepest = larger(deepest, larger(inputs, units));
        // Pointers that the layer does not need must be null. An earlier arrangement may have left others.
        layer->transposed = layer->output = layer->activated = layer->kept = layer->mask = layer->delta = 0;
        layer->turned_output = layer->delta_pairs = 0;
        layer->operand = ck_take(region, inputs * units * block);
        if (trains) layer->delta_pairs = ck_take(region, units * turned_rows * block);
        // Only dX reads these two operands, and the first layer computes no dX unless a stem lies below it.
        if (trains && has_below) {
            layer->transposed = ck_take(region, inputs * column_blocks(units) * block);
            layer->delta = ck_take(region, rows * units * block);
        }
        if (l == 0) {
            layer->input = ck_take(region, rows * inputs * block);
            layer->turned_input = trains ? ck_take(region, inputs * turned_rows * block) : 0;
        } else {
            layer->input = layer[-1].output;
            layer->turned_input = layer[-1].turned_output;
        }
        if (is_last) {
            // Rows one after another, as the loss reads them, a distance apart that is no multiple of 512 bytes.
            plan->output_stride = units * CK_BLOCK;
            if (plan->output_stride % 128 == 0) plan->output_stride += 16;
            plan->outputs = ck_take(region, plan->capacity * plan->output_stride * sizeof(float));
            continue;
        }
        layer->output = ck_take(region, rows * units * block);
        if (!trains) continue;
        layer->turned_output = ck_take(region, units * turned_rows * block);
        // Numbers before rounding, in blocks too: of 32 × 32 floats. Relu's derivative takes the rounded output.
        size_t numbers = rows * units * CK_BLOCK * CK_BLOCK * sizeof(float);
        int is_plain = layer->activation == CK_IDENTITY || (layer->activation == CK_RELU && !drops);
        if (ck_keeps_input(layer->activation)) layer->kept = ck_take(region, numbers);
        else if (!is_plain) layer->activated = ck_take(region, numbers);
        if (drops) layer->mask = ck_take(region, numbers);
    }
    plan->unfinished_sums = 0;
    plan->unfinished_stride = widest;
    if (deepest > CK_WHOLE_BLOCKS)
        plan->unfinished_sums = ck_take(region, rows * widest * CK_BLOCK * CK_BLOCK * sizeof(float));
}
