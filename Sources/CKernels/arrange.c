#include "CKernels.h"

// Memory that is handed out from its start, in pieces on cache lines; counted only where there is none.
typedef struct region {
    char *start;
    size_t used;
} region;

static void *take(region *region, size_t bytes) {
    void *piece = region->start ? region->start + region->used : 0;
    region->used += (bytes + 63) / 64 * 64;
    return piece;
}

static size_t round_up(size_t n, size_t unit) { return (n + unit - 1) / unit * unit; }

static int keeps_input(ck_activation f) { return f == CK_GELU || f == CK_SILU; }

size_t ck_arrange(ck_plan *plan, size_t capacity, size_t shards, int trains, void *memory) {
    region region = {.start = memory};
    size_t number = plan->numbers == CK_F64 ? sizeof(double) : sizeof(float), panel = CK_PANEL_BYTES / number;
    int rounds = plan->numbers == CK_BF16;
    plan->capacity = capacity;
    plan->shard_count = shards;
    plan->shard_starts = take(&region, (shards + 1) * sizeof(size_t));
    plan->row_losses = take(&region, capacity * sizeof(double));
    plan->row_weights = take(&region, capacity * sizeof(double));
    for (size_t l = 0; l < plan->layer_count; l++) {
        ck_layer *layer = &plan->layers[l], *below = layer - 1;
        int is_last = l + 1 == plan->layer_count, is_narrow = !rounds && layer->units < CK_NARROW_UNITS;
        size_t units = round_up(layer->units, panel), rows = capacity * units * number;
        int is_plain = layer->activation == CK_RELU || layer->activation == CK_IDENTITY;
        int drops = layer->dropout.rate > 0 && trains;
        layer->activated = layer->output = take(&region, rows);
        if (drops) layer->mask = take(&region, rows);
        if (!is_last && (drops || (rounds && !is_plain))) layer->output = take(&region, rows);
        if (trains && keeps_input(layer->activation)) layer->kept = take(&region, rows);
        // The last layer's errors take the place of its outputs.
        if (trains) layer->delta = is_last ? layer->activated : take(&region, rows);
        if (rounds) layer->operand = take(&region, layer->inputs * units * number);
        if (trains && l > 0 && !is_narrow)
            layer->transposed = take(&region, round_up(layer->inputs, panel) * layer->units * number);
        layer->input_panel = panel;
        if (l > 0) {
            layer->input = below->output;
        } else if (!is_narrow) {
            layer->input = take(&region, capacity * round_up(layer->inputs, panel) * number);
        }
        if (l > 0 && is_narrow) {
            layer->input_panel = capacity * panel;
            const void **list = take(&region, capacity * sizeof(void *));
            layer->input_rows = list;
            for (size_t r = 0; list && r < capacity; r++) list[r] = (char *)layer->input + r * CK_PANEL_BYTES;
        }
        if (!is_last) continue;
        plan->outputs = layer->activated;
        plan->output_stride = panel;
        if (units > panel) {
            plan->output_stride = units % (512 / number) ? units : units + 64 / number;
            plan->outputs = take(&region, capacity * plan->output_stride * number);
        }
    }
    return region.used;
}
