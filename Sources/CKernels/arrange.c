#include "units.h"

static size_t round_up(size_t n, size_t unit) { return (n + unit - 1) / unit * unit; }

// Sets aside the memory of the stem. The place before the first layer describes what the stem hands on to that layer.
// Vectors may read past the last column, so one panel is added.
static void arrange_stem(ck_plan *plan, int trains, size_t number, ck_region *region) {
    ck_stem *stem = &plan->stem;
    ck_layer *handed_on = plan->layers - 1;
    size_t panel = CK_PANEL_BYTES / number, capacity = plan->capacity;
    handed_on->units = stem->inputs + stem->outputs * stem->embedded;
    stem->number_stride = round_up(stem->embedded, panel);
    stem->row_stride = round_up(handed_on->units, panel);
    size_t rows = capacity * stem->row_stride * number, parts = ck_parts(plan);
    stem->numbers = ck_take(region, (capacity * stem->number_stride + panel) * number);
    stem->rows = ck_take(region, rows + CK_PANEL_BYTES);
    if (plan->unit) stem->scaled = ck_take(region, rows);
    else handed_on->output = ck_take(region, rows * parts);
    if (!trains) return;
    stem->errors = ck_take(region, rows + CK_PANEL_BYTES);
    // With a unit, blocks of rounded numbers in whole blocks of rows.
    handed_on->delta = ck_take(region, round_up(capacity, CK_BLOCK) * stem->row_stride * number * parts);
}

size_t ck_arrange(ck_plan *plan, size_t capacity, size_t shards, int trains, void *memory) {
    ck_region region = {.start = memory};
    size_t number = plan->numbers == CK_F64 ? sizeof(double) : sizeof(float), panel = CK_PANEL_BYTES / number;
    int rounds = ck_rounds(plan);
    size_t parts = ck_parts(plan);
    plan->capacity = capacity;
    plan->shard_count = shards;
    plan->shard_starts = ck_take(&region, (shards + 1) * sizeof(size_t));
    plan->row_losses = ck_take(&region, capacity * sizeof(double));
    plan->row_weights = ck_take(&region, capacity * sizeof(double));
    ck_isa isa = ck_current_isa();
    plan->unit = !rounds ? CK_NO_UNIT : isa == CK_ISA_AMX ? CK_TILES : isa == CK_ISA_AVX512_BF16 ? CK_DOTS : CK_NO_UNIT;
    int has_stem = plan->stem.layer_count > 0;
    if (has_stem) arrange_stem(plan, trains, number, &region);
    if (plan->unit) {
        ck_arrange_blocks(plan, trains, &region);
        return region.used;
    }
    for (size_t l = 0; l < plan->layer_count; l++) {
        ck_layer *layer = &plan->layers[l], *below = layer - 1;
        int is_last = l + 1 == plan->layer_count, is_narrow = !rounds && layer->units < CK_NARROW_UNITS;
        size_t units = round_up(layer->units, panel), rows = capacity * units * number * parts;
        int is_plain = layer->activation == CK_RELU || layer->activation == CK_IDENTITY;
        int drops = layer->dropout.rate > 0 && trains;
        layer->activated = layer->output = ck_take(&region, rows);
        if (drops) layer->mask = ck_take(&region, rows);
        if (!is_last && (drops || (rounds && !is_plain))) layer->output = ck_take(&region, rows);
        if (trains && ck_keeps_input(layer->activation)) layer->kept = ck_take(&region, rows);
        // The last layer's errors take the place of its outputs.
        if (trains) layer->delta = is_last ? layer->activated : ck_take(&region, rows);
        if (rounds) layer->operand = ck_take(&region, layer->inputs * units * number * parts);
        int has_below = l > 0 || has_stem;
        if (trains && has_below && !is_narrow)
            layer->transposed = ck_take(&region, round_up(layer->inputs, panel) * layer->units * number * parts);
        layer->input_panel = panel;
        if (has_below) {
            layer->input = below->output;
        } else if (!is_narrow) {
            layer->input = ck_take(&region, capacity * round_up(layer->inputs, panel) * number * parts);
        }
        if (has_below && is_narrow) {
            layer->input_panel = capacity * panel;
            const void **list = ck_take(&region, capacity * sizeof(void *));
            layer->input_rows = list;
            for (size_t r = 0; list && r < capacity; r++) list[r] = (char *)layer->input + r * CK_PANEL_BYTES;
        }
        if (!is_last) continue;
        plan->outputs = layer->activated;
        plan->output_stride = panel;
        if (units > panel) {
            plan->output_stride = units % (512 / number) ? units : units + 64 / number;
            plan->outputs = ck_take(&region, capacity * plan->output_stride * number);
        }
    }
    return region.used;
}
