#ifndef CK_PHILOX_H
#define CK_PHILOX_H

#include <stdint.h>

/// The word in the counter of Philox that dropout has to itself: Swift's `Philox.Purpose.dropout`.
#define CK_PHILOX_DROPOUT 4u

/// The key of one layer's masks in one step: words 0 and 1 of Philox under `seed`, counter (step, layer, dropout).
uint64_t ck_dropout_key(uint64_t seed, uint64_t step, uint32_t layer);

#endif
