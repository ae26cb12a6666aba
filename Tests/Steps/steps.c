// Trains small networks through the C interface and prints a digest of each one's weights, one line a network.
//
// The lines must be the same on every CPU and with every instruction set: Tests/Steps/digests.txt holds them. Nothing here
// needs Swift or HDF5, so that it also runs where only a cross compiler and an emulator are at hand.
//
// Usage: steps [--columns | --fading | --instruction-set]
//
//   --columns          computes phase 1 panel by panel instead of block by block
//   --fading           lets inputs and moments fade away and units saturate; fails where a number becomes subnormal
//   --instruction-set  prints the name of the one in use

#include "CKernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { most_layers = 4, most_batch = 100, updates = 12, fading_updates = 300 };

typedef struct network {
    const char *name;
    ck_numbers numbers;
    size_t sizes[most_layers + 1];  // inputs, units of each layer, zeros
    size_t batch, shards;
    ck_activation activation;
    double dropout;
    ck_loss_type loss;
    ck_link link;
    ck_optimizer_type optimizer;
    double weight_decay, l1;
    int keeps_whole;  // sums first, then clips and updates
} network;

#define ALL_NUMBERS(name, ...) {name "-f32", CK_F32, __VA_ARGS__}, {name "-f64", CK_F64, __VA_ARGS__}, \
    {name "-bf16", CK_BF16, __VA_ARGS__}, {name "-bf16x3", CK_BF16X3, __VA_ARGS__}
#define CLASSES CK_CROSS_ENTROPY, CK_LINK_SOFTMAX

static const network networks[] = {
    ALL_NUMBERS("sgd-relu", {40, 70, 33, 10}, 64, 1, CK_RELU, 0, CLASSES, CK_SGD, 0, 0, 0),
    ALL_NUMBERS("momentum-leaky", {33, 65, 10}, 64, 2, CK_LEAKY_RELU, 0, CLASSES, CK_MOMENTUM, 1e-3, 0, 0),
    ALL_NUMBERS("nesterov-elu", {31, 64, 5}, 96, 1, CK_ELU, 0, CLASSES, CK_NESTEROV, 0, 1e-4, 0),
    ALL_NUMBERS("adam-gelu", {64, 32, 32, 7}, 64, 2, CK_GELU, 0, CLASSES, CK_ADAM, 0, 0, 0),
    ALL_NUMBERS("adamw-silu", {20, 48, 4}, 50, 1, CK_SILU, 0, CLASSES, CK_ADAMW, 1e-2, 0, 0),
    ALL_NUMBERS("rmsprop-tanh", {37, 41, 29, 3}, 100, 1, CK_TANH, 0, CLASSES, CK_RMSPROP, 0, 0, 0),
    ALL_NUMBERS("adagrad-sigmoid", {16, 24, 12}, 32, 1, CK_SIGMOID, 0, CLASSES, CK_ADAGRAD, 0, 0, 0),
    ALL_NUMBERS("adam-softplus", {12, 100, 45}, 33, 1, CK_SOFTPLUS, 0, CLASSES, CK_ADAM, 0, 0, 0),
    ALL_NUMBERS("dropout-relu", {40, 96, 64, 10}, 64, 2, CK_RELU, 0.25, CLASSES, CK_ADAM, 0, 0, 0),
    ALL_NUMBERS("dropout-tanh", {40, 80, 10}, 64, 1, CK_TANH, 0.5, CLASSES, CK_MOMENTUM, 0, 0, 0),
    ALL_NUMBERS("whole-clipped", {40, 70, 10}, 64, 2, CK_RELU, 0, CLASSES, CK_ADAM, 0, 0, 1),
    ALL_NUMBERS("mse-linear", {50, 1}, 64, 2, CK_IDENTITY, 0, CK_MSE, CK_LINK_IDENTITY, CK_SGD, 0, 0, 0),
    ALL_NUMBERS("bce-logistic", {75, 3}, 64, 1, CK_IDENTITY, 0, CK_BCE, CK_LINK_SIGMOID, CK_MOMENTUM, 0, 0, 0),
    ALL_NUMBERS("mae-deep", {9, 34, 2, 17, 2}, 40, 1, CK_TANH, 0, CK_MAE, CK_LINK_IDENTITY, CK_ADAM, 0, 0, 0),
    ALL_NUMBERS("huber-relu", {30, 40, 1}, 64, 2, CK_RELU, 0, CK_HUBER, CK_LINK_IDENTITY, CK_ADAM, 0, 0, 0),
    ALL_NUMBERS("poisson-relu", {30, 40, 2}, 64, 1, CK_RELU, 0, CK_POISSON, CK_LINK_EXP, CK_ADAM, 0, 0, 0),
    ALL_NUMBERS("quantile-gelu", {30, 40, 1}, 64, 1, CK_GELU, 0, CK_QUANTILE, CK_LINK_IDENTITY, CK_RMSPROP, 0, 0, 0),
    ALL_NUMBERS("hinge-wide", {30, 40, 70}, 64, 1, CK_RELU, 0, CK_HINGE, CK_LINK_IDENTITY, CK_SGD, 0, 0, 0),
};

// SplitMix64: the same numbers everywhere.
static uint64_t state;
static double uniform(void) {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static size_t round_up(size_t n, size_t unit) { return (n + unit - 1) / unit * unit; }

static void *zeros(size_t bytes) {
    bytes = round_up(bytes + 64, 64);
    void *memory = aligned_alloc(64, bytes);
    if (!memory) abort();
    return memset(memory, 0, bytes);
}

static void set(const ck_plan *plan, void *numbers, size_t place, double value) {
    if (plan->numbers == CK_F64) ((double *)numbers)[place] = value;
    else ((float *)numbers)[place] = (float)value;
}

static uint64_t digest = 0;
// FNV-1a over the bytes of one number.
static void take_in(const ck_plan *plan, const void *numbers, size_t place) {
    size_t size = plan->numbers == CK_F64 ? 8 : 4;
    const unsigned char *bytes = (const unsigned char *)numbers + place * size;
    for (size_t i = 0; i < size; i++) digest = (digest ^ bytes[i]) * 0x100000001b3u;
}

static size_t weight_place(const ck_plan *plan, const ck_layer *layer, size_t input, size_t unit) {
    size_t panel = plan->numbers == CK_F64 ? 16 : 32;
    if (!ck_rounds(plan) && layer->units < CK_NARROW_UNITS) return unit * round_up(layer->inputs, panel) + input;
    return (unit / panel * layer->inputs + input) * panel + unit % panel;
}

// Whether one of n numbers is subnormal.
static int has_subnormal(const ck_plan *plan, const void *numbers, size_t n) {
    if (!numbers) return 0;
    for (size_t i = 0; i < n; i++) {
        int class = plan->numbers == CK_F64 ? __builtin_fpclassify(0, 1, 2, 3, 4, ((const double *)numbers)[i])
                                            : __builtin_fpclassify(0, 1, 2, 3, 4, ((const float *)numbers)[i]);
        if (class == 3) return 1;
    }
    return 0;
}

// Says where subnormal numbers are among what the steps to come compute with; returns how many arrays have some.
static int report_subnormals(const ck_plan *plan, const network *network, int step) {
    int found = 0;
    size_t panel = plan->numbers == CK_F64 ? 16 : 32;
    for (size_t l = 0; l < plan->layer_count; l++) {
        const ck_layer *layer = &plan->layers[l];
        size_t weights = round_up(layer->inputs, panel) * round_up(layer->units, panel), units = round_up(layer->units, panel);
        size_t outputs = plan->capacity * units * ck_parts(plan);
        // The matrix unit's blocks hold the panels' numbers in another form.
        int is_last = l + 1 == plan->layer_count, has_panels = plan->unit == CK_NO_UNIT;
        const struct {
            const char *name;
            const void *numbers;
            size_t count;
        } all[] = {
            {"weights", layer->parameters.weight, weights},
            {"biases", layer->parameters.bias, units},
            {"first moments", layer->slots[0].weight, weights},
            {"second moments", layer->slots[1].weight, weights},
            {"first moments of biases", layer->slots[0].bias, units},
            {"second moments of biases", layer->slots[1].bias, units},
            {"inputs", has_panels ? layer->input : 0, plan->capacity * round_up(layer->inputs, panel) * ck_parts(plan)},
            {"outputs", is_last || !has_panels ? 0 : layer->output, outputs},
            {"errors", has_panels ? layer->delta : 0, outputs},
        };
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
            if (!has_subnormal(plan, all[i].numbers, all[i].count)) continue;
            printf("%s, update %d, layer %zu: subnormal %s\n", network->name, step + 1, l, all[i].name);
            found++;
        }
    }
    return found;
}

static void phase_one(const ck_plan *plan, int by_columns) {
    size_t panel = plan->numbers == CK_F64 ? 16 : 32, block = ck_rounds(plan) ? CK_BLOCK : 17;
    if (!by_columns) {
        for (size_t first = 0; first < plan->rows; first += block)
            ck_train_rows(plan, first, plan->rows - first < block ? plan->rows - first : block);
        return;
    }
    ck_pack_rows(plan, 0, plan->rows);
    for (size_t l = 0; l + 1 < plan->layer_count; l++) {
        for (size_t p = 0; p * panel < plan->layers[l].units; p++)
            ck_forward(plan, l, &(ck_part){.first = 0, .count = plan->rows, .from = p, .to = p + 1});
    }
    ck_finish_rows(plan, 0, plan->rows);
    for (size_t l = plan->layer_count - 1; l-- > 1;) {
        for (size_t p = 0; p * panel < plan->layers[l].inputs; p++)
            ck_backward(plan, l, &(ck_part){.first = 0, .count = plan->rows, .from = p, .to = p + 1});
    }
}

static void phase_two(const ck_plan *plan, const network *network, void *scratch) {
    ck_plan averaged = *plan;
    double squares = 0;
    for (int pass = 0; pass < (network->keeps_whole ? 3 : 1); pass++) {
        if (pass == 2) averaged.clip = 0.01 / __builtin_sqrt(squares);
        for (size_t l = 0; l < plan->layer_count; l++) {
            const ck_layer *layer = &plan->layers[l];
            size_t panel = plan->numbers == CK_F64 ? 16 : 32;
            int is_narrow = !ck_rounds(plan) && layer->units < CK_NARROW_UNITS;
            size_t panels = is_narrow ? 1 : round_up(layer->units, panel) / panel;
            for (size_t p = 0; p < panels; p++) {
                ck_tile tile = {.layer = (uint32_t)l, .panel = (uint32_t)p, .from = 0, .to = layer->inputs};
                if (!network->keeps_whole) ck_update_tile(plan, &tile, scratch);
                else if (pass == 0) ck_sum_tile(plan, &tile, 0, scratch);
                else if (pass == 1) squares += ck_squares_of_tile(plan, &tile);
                else ck_apply_tile(&averaged, &tile);
            }
        }
    }
}

// Trains one network and prints its digest; or lets it fade away, and returns how often something was subnormal.
static int train(const network *network, int by_columns, int fades) {
    int found = 0;
    ck_layer layers[most_layers] = {0};
    ck_plan plan = {.numbers = network->numbers, .layers = layers, .clip = 1};
    size_t number = plan.numbers == CK_F64 ? 8 : 4, panel = CK_PANEL_BYTES / number, batch = network->batch;
    double beta = fades ? 0.0625 : 0.9, beta2 = fades ? 0.0625 : 0.999;
    int steps = !fades ? updates : plan.numbers == CK_F64 ? fading_updates : fading_updates / 4;
    state = 42;
    for (size_t l = 0; l < most_layers && network->sizes[l + 1] > 0; l++, plan.layer_count++) {
        ck_layer *layer = &layers[l];
        int is_last = l + 1 == most_layers || network->sizes[l + 2] == 0;
        layer->inputs = network->sizes[l];
        layer->units = network->sizes[l + 1];
        layer->rates = (ck_rates){1, 1, 1};
        layer->activation = is_last ? CK_IDENTITY : network->activation;
        layer->dropout = (ck_dropout){.seed = 7, .layer = (uint32_t)l, .rate = is_last ? 0 : network->dropout};
        size_t weights = round_up(layer->inputs, panel) * round_up(layer->units, panel);
        ck_parameters *all[] = {&layer->parameters, &layer->slots[0], &layer->slots[1], &layer->gradient};
        for (size_t i = 0; i < (network->keeps_whole ? 4 : 3); i++) {
            all[i]->weight = zeros(weights * number);
            all[i]->bias = zeros(round_up(layer->units, panel) * number);
        }
        double spread = 2 / __builtin_sqrt((double)layer->inputs);
        for (size_t i = 0; i < layer->inputs; i++) {
            for (size_t u = 0; u < layer->units; u++)
                set(&plan, layer->parameters.weight, weight_place(&plan, layer, i, u), (uniform() - 0.5) * spread);
        }
    }
    size_t outputs = layers[plan.layer_count - 1].units, inputs = layers[0].inputs;
    plan.loss = (ck_loss){.type = network->loss, .outputs = outputs, .smoothing = network->loss == CK_CROSS_ENTROPY ? 0.1 : 0,
                          .delta = 0.5, .quantile = 0.3, .link = network->link};
    plan.optimizer = (ck_optimizer){.type = network->optimizer, .rate = network->optimizer >= CK_ADAM ? 0.01 : 0.1,
                                    .momentum = beta, .beta1 = beta, .beta2 = beta2, .rho = fades ? 0.0625 : 0.99,
                                    .eps = 1e-8,
                                    .weight_decay = network->weight_decay, .l1 = network->l1};
    void *memory = zeros(ck_arrange(&plan, batch, network->shards, 1, 0));
    ck_arrange(&plan, batch, network->shards, 1, memory);
    for (size_t l = 0; l < plan.layer_count; l++) ck_refresh_operands(&plan, l, 0, 1);
    void *scratch = zeros(ck_tile_scratch(network->shards));
    void *x = zeros(batch * inputs * number), *values = zeros(batch * outputs * number);
    const void *rows[most_batch];
    int32_t classes[most_batch];
    int takes_classes = network->loss == CK_CROSS_ENTROPY || network->loss == CK_HINGE;
    double power1 = 1, power2 = 1;
    for (int step = 0; step < steps; step++) {
        // Every third batch is short.
        plan.rows = step % 3 == 2 ? batch - 5 : batch;
        for (size_t i = 0; i < batch * inputs; i++) set(&plan, x, i, uniform() < 0.2 ? 0 : uniform() * 2 - 1);
        // Some inputs are zero from the fifth update on, some fade through all scales with the moments, to the end of all
        // numbers, and some saturate the units.
        for (size_t i = 0; fades && i < batch * inputs; i++) {
            double value = uniform() * 2 - 1;
            switch (i % inputs % 4) {
            case 0: set(&plan, x, i, step < 5 ? value : 0); break;
            case 1: set(&plan, x, i, __builtin_ldexp(value, -4 * step)); break;
            case 2: set(&plan, x, i, value * 100); break;
            }
        }
        for (size_t r = 0; r < batch; r++) {
            rows[r] = (char *)x + r * inputs * number;
            classes[r] = (int32_t)(uniform() * (double)outputs);
            for (size_t u = 0; u < outputs; u++) set(&plan, values, r * outputs + u, uniform() < 0.5 ? 0 : 1);
        }
        plan.x = rows;
        plan.targets = (ck_targets){.classes = takes_classes ? classes : 0, .values = takes_classes ? 0 : values};
        size_t unit = ck_rounds(&plan) ? CK_BLOCK : 1, units = (plan.rows + unit - 1) / unit;
        for (size_t s = 0; s <= network->shards; s++) {
            size_t start = s * units / network->shards * unit;
            plan.shard_starts[s] = start < plan.rows ? start : plan.rows;
        }
        for (size_t l = 0; l < plan.layer_count; l++) layers[l].dropout.step = (uint64_t)step;
        power1 *= beta;
        power2 *= beta2;
        plan.optimizer.correction1 = 1 - power1;
        plan.optimizer.correction2 = __builtin_sqrt(1 - power2);
        phase_one(&plan, by_columns);
        plan.scale = 1 / ck_sum_over_shards(&plan, plan.row_weights);
        phase_two(&plan, network, scratch);
        if (fades) found += report_subnormals(&plan, network, step);
    }
    digest = 0xcbf29ce484222325u;
    for (size_t l = 0; l < plan.layer_count; l++) {
        for (size_t i = 0; i < layers[l].inputs; i++) {
            for (size_t u = 0; u < layers[l].units; u++)
                take_in(&plan, layers[l].parameters.weight, weight_place(&plan, &layers[l], i, u));
        }
        for (size_t u = 0; u < layers[l].units; u++) take_in(&plan, layers[l].parameters.bias, u);
        ck_parameters *all[] = {&layers[l].parameters, &layers[l].slots[0], &layers[l].slots[1], &layers[l].gradient};
        for (size_t i = 0; i < 4; i++) {
            free(all[i]->weight);
            free(all[i]->bias);
        }
    }
    // The loss tells at a glance whether the network learns at all.
    if (!fades) {
        printf("%s %016llx %.4f\n", network->name, (unsigned long long)digest,
               ck_sum(plan.rows, plan.row_losses) * plan.scale);
    }
    free(memory);
    free(scratch);
    free(x);
    free(values);
    return found;
}

int main(int count, char **arguments) {
    const char *option = count > 1 ? arguments[1] : "";
    if (strcmp(option, "--instruction-set") == 0) {
        puts(ck_isa_name(ck_current_isa()));
        return 0;
    }
    if (!ck_unit_agrees()) {
        puts("what multiplies bfloat16 gives other bits than multiply-adds");
        return 1;
    }
    int by_columns = strcmp(option, "--columns") == 0, fades = strcmp(option, "--fading") == 0, found = 0;
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) found += train(&networks[i], by_columns, fades);
    return found > 0;
}
