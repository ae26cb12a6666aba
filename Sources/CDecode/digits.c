#include "CDecode.h"

#include <string.h>

void cd_count_digits(const double *row, size_t n, const cd_digits *digits) {
    const size_t counters = (size_t)1 << digits->bits;
    const unsigned above = digits->shift + digits->bits;
    uint64_t used = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, row + i, 8);
        if ((bits & 0x7fffffffffffffffu) >= 0x7ff0000000000000u) continue;
        used |= bits;
        // Negative numbers are in the opposite order of their bits, and below all others.
        uint64_t key = bits ^ (bits >> 63 ? ~(uint64_t)0 : (uint64_t)1 << 63);
        uint64_t beginning = above < 64 ? key >> above : 0;
        const uint64_t *wanted = digits->beginnings + i * digits->most;
        for (size_t place = 0; place < digits->taken[i]; place++) {
            if (wanted[place] != beginning) continue;
            digits->counts[(i * digits->most + place) * counters + (key >> digits->shift & (counters - 1))]++;
            break;
        }
    }
    *digits->used |= used;
}
