#include "philox.h"

uint64_t ck_dropout_key(uint64_t seed, uint64_t step, uint32_t layer) {
    uint32_t c[4] = {(uint32_t)step, (uint32_t)(step >> 32), layer, CK_PHILOX_DROPOUT};
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t first = (uint64_t)c[0] * 0xd2511f53u, second = (uint64_t)c[2] * 0xcd9e8d57u;
        uint32_t c1 = c[1], c3 = c[3];
        c[0] = (uint32_t)(second >> 32) ^ c1 ^ k0;
        c[1] = (uint32_t)second;
        c[2] = (uint32_t)(first >> 32) ^ c3 ^ k1;
        c[3] = (uint32_t)first;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    return (uint64_t)c[1] << 32 | c[0];
}
