#include "CDecode.h"

// The round's function: two multiplications by odd constants with a fold between them; the upper bits are mixed best.
static inline uint32_t mix(uint32_t half, uint32_t key, uint32_t bits) {
    uint32_t x = (half ^ key) * 0x9E3779B1u;
    x ^= x >> 15;
    x = (x + key) * 0x85EBCA6Bu;
    x ^= x >> 13;
    x *= 0xC2B2AE35u;
    return x >> (32 - bits);
}

static inline uint64_t forward(const cd_permutation *p, uint64_t index) {
    uint32_t right = (uint32_t)(index & (((uint64_t)1 << p->right_bits) - 1));
    uint32_t left = (uint32_t)(index >> p->right_bits);
    for (int round = 0; round < CD_PERMUTATION_ROUNDS; round += 2) {
        left ^= mix(right, p->keys[round], p->left_bits);
        right ^= mix(left, p->keys[round + 1], p->right_bits);
    }
    return (uint64_t)left << p->right_bits | right;
}

static inline uint64_t backward(const cd_permutation *p, uint64_t index) {
    uint32_t right = (uint32_t)(index & (((uint64_t)1 << p->right_bits) - 1));
    uint32_t left = (uint32_t)(index >> p->right_bits);
    for (int round = CD_PERMUTATION_ROUNDS - 2; round >= 0; round -= 2) {
        right ^= mix(left, p->keys[round + 1], p->right_bits);
        left ^= mix(right, p->keys[round], p->left_bits);
    }
    return (uint64_t)left << p->right_bits | right;
}

// Rounds over a block of indices at a time: the multiplications of one index wait for each other, those of
// neighbours do not.
enum { PERMUTED_AT_ONCE = 64 };

void cd_permute(const cd_permutation *permutation, uint64_t first, size_t n, uint64_t *result) {
    cd_permutation p = *permutation;
    uint32_t right_mask = (uint32_t)(((uint64_t)1 << p.right_bits) - 1);
    if (n < 8) {
        for (size_t i = 0; i < n; i++) {
            result[i] = forward(&p, first + i);
            while (result[i] >= p.count) result[i] = forward(&p, result[i]);
        }
        return;
    }
    for (size_t start = 0; start < n; start += PERMUTED_AT_ONCE) {
        size_t count = n - start < PERMUTED_AT_ONCE ? n - start : PERMUTED_AT_ONCE;
        uint32_t left[PERMUTED_AT_ONCE], right[PERMUTED_AT_ONCE];
        for (size_t i = 0; i < PERMUTED_AT_ONCE; i++) {
            uint64_t index = first + start + i;
            left[i] = (uint32_t)(index >> p.right_bits);
            right[i] = (uint32_t)index & right_mask;
        }
        for (int round = 0; round < CD_PERMUTATION_ROUNDS; round += 2) {
            for (size_t i = 0; i < PERMUTED_AT_ONCE; i++) left[i] ^= mix(right[i], p.keys[round], p.left_bits);
            for (size_t i = 0; i < PERMUTED_AT_ONCE; i++) right[i] ^= mix(left[i], p.keys[round + 1], p.right_bits);
        }
        for (size_t i = 0; i < count; i++) {
            uint64_t image = (uint64_t)left[i] << p.right_bits | right[i];
            while (image >= p.count) image = forward(&p, image);
            result[start + i] = image;
        }
    }
}

uint64_t cd_permute_inverse(const cd_permutation *permutation, uint64_t image) {
    uint64_t index = backward(permutation, image);
    while (index >= permutation->count) index = backward(permutation, index);
    return index;
}

static inline unsigned select_in_word(uint64_t word, unsigned ordinal) {
    unsigned position = 0;
    for (unsigned width = 32; width > 0; width /= 2) {
        unsigned ones = (unsigned)__builtin_popcountll(word & (((uint64_t)1 << width) - 1));
        if (ordinal >= ones) {
            ordinal -= ones;
            word >>= width;
            position += width;
        } else {
            word &= ((uint64_t)1 << width) - 1;
        }
    }
    return position;
}

void cd_select(const cd_bits *bits, size_t n, uint64_t *ordinals) {
    uint64_t total = bits->counts[bits->blocks];
    for (size_t i = 0; i < n; i++) {
        uint64_t ordinal = ordinals[i];
        // A hash usually selects the rows, so they are spread evenly and the block is near this estimate. Steps that
        // double in size lead from there to the exact block.
        size_t guess = (size_t)((__uint128_t)ordinal * bits->blocks / total);
        size_t low = guess, high = guess + 1, step = 1;
        while (bits->counts[low] > ordinal) {
            high = low;
            low = low > step ? low - step : 0;
            step *= 2;
        }
        step = 1;
        while (bits->counts[high] <= ordinal) {
            low = high;
            high = bits->blocks - high > step ? high + step : bits->blocks;
            step *= 2;
        }
        while (high - low > 1) {
            size_t middle = low + (high - low) / 2;
            if (bits->counts[middle] <= ordinal) low = middle;
            else high = middle;
        }
        uint64_t left = ordinal - bits->counts[low];
        const uint64_t *word = bits->words + low * 8;
        for (;; word++) {
            unsigned ones = (unsigned)__builtin_popcountll(*word);
            if (left < ones) break;
            left -= ones;
        }
        ordinals[i] = (uint64_t)(word - bits->words) * 64 + select_in_word(*word, (unsigned)left);
    }
}
