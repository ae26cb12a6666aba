// Whether what multiplies blocks on this CPU computes what the contract says.

/// What is due for one number of a term, by plain multiply-adds.
INLINE float chained(const uint16_t *left, const uint16_t *right, size_t row, size_t column) {
    float chains[2] = {0, 0};
    for (size_t k = 0; k < CK_BLOCK; k++) {
        size_t pair = place_of(k) / 2, half = place_of(k) % 2;
        size_t place = column / 16 * (BLOCK_NUMBERS / 2) + pair * CK_BLOCK + column % 16 * 2 + half;
        uint32_t bits[2] = {(uint32_t)left[row * CK_BLOCK + place_of(k)] << 16, (uint32_t)right[place] << 16};
        float factors[2];
        memcpy(factors, bits, sizeof factors);
        chains[k % 2] = fma1(factors[0], factors[1], chains[k % 2]);
    }
    return chains[0] + chains[1];
}

/// Bits of a bfloat16: zero now and then, and otherwise from 2⁻⁵⁶ to 2⁵⁷, so that no sum becomes infinite; or, if
/// `narrow`, of three sizes in a row, so that sums cancel.
INLINE uint16_t any_operand(uint64_t *state, int narrow) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    uint32_t random = (uint32_t)(*state >> 33), exponent = narrow ? 126 + random % 3 : 71 + random % 113;
    if (random >> 8 & 63) return (uint16_t)((random >> 15 & 0x807f) | exponent << 7);
    return 0;
}

#define AGREES_(suffix, unit) ck_agrees_##suffix##_##unit
#define AGREES(suffix, unit) AGREES_(suffix, unit)

// A few blocks of random and extreme finite numbers; every bit counts.
int AGREES(REAL_SUFFIX, UNIT_SUFFIX)(void) {
    enum { rounds = 8, count = 3 };
    block left[count], right[count];
    REAL sums[BLOCK_NUMBERS] __attribute__((aligned(64)));
    uint64_t state = 1;
    for (size_t round = 0; round < rounds; round++) {
        for (size_t b = 0; b < count; b++) {
            for (size_t i = 0; i < PARTS * BLOCK_NUMBERS; i++) {
                size_t part = i / BLOCK_NUMBERS, place = i % BLOCK_NUMBERS;
                left[b].parts[part][place] = any_operand(&state, round % 2);
                right[b].parts[part][place] = any_operand(&state, round % 2);
            }
        }
        block_product product = {.left = left, .right = right, .count = count};
        side_work nothing = {0};
        take_unit();
        multiply_blocks(&product, sums, &nothing, 0, 0, 0);
        give_back_unit();
        for (size_t i = 0; i < BLOCK_NUMBERS; i++) {
            REAL sum = 0;
            for (size_t b = 0; b < count * TERMS; b++)
                sum += chained(left[b / TERMS].parts[left_part(b % TERMS)], right[b / TERMS].parts[right_part(b % TERMS)],
                               i / CK_BLOCK, i % CK_BLOCK);
            if (memcmp(&sum, &sums[i], sizeof sum) != 0) return 0;
        }
    }
    return 1;
}
