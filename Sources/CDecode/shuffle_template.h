// Included once by each convert_*.c: putting together again what the filters shuffle and bitshuffle took apart.

#include "convert.h"

#include <string.h>

// A loop per size, so that the compiler interleaves whole vectors instead of single bytes.
#define UNSHUFFLE(ELEMENT)                                                                                   \
    for (size_t i = 0; i < count; i++) {                                                                     \
        for (size_t b = 0; b < ELEMENT; b++) out[i * ELEMENT + b] = in[b * count + i];                       \
    }

static void NAME(unshuffle)(const void *source, size_t size, size_t element, void *result) {
    const unsigned char *restrict in = source;
    unsigned char *restrict out = result;
    size_t count = element > 1 ? size / element : 0;
    switch (element) {
    case 2: UNSHUFFLE(2) break;
    case 4: UNSHUFFLE(4) break;
    case 8: UNSHUFFLE(8) break;
    default: UNSHUFFLE(element) break;
    }
    // What does not fill an element lies unshuffled at the end.
    memcpy(out + count * element, in + count * element, size - count * element);
}
#undef UNSHUFFLE

typedef unsigned char NAME(bytes64) __attribute__((vector_size(64)));
typedef uint64_t NAME(words8) __attribute__((vector_size(64)));

// Mirrors a word, or each of several, as a matrix of 8 × 8 bits whose rows are its bytes.
#define MIRROR(x)                                                                                            \
    do {                                                                                                     \
        __typeof__(x) t = ((x) ^ (x) >> 7) & 0x00AA00AA00AA00AA;                                             \
        (x) ^= t ^ t << 7;                                                                                   \
        t = ((x) ^ (x) >> 14) & 0x0000CCCC0000CCCC;                                                          \
        (x) ^= t ^ t << 14;                                                                                  \
        t = ((x) ^ (x) >> 28) & 0x00000000F0F0F0F0;                                                          \
        (x) ^= t ^ t << 28;                                                                                  \
    } while (0)

// One byte of 64 elements: eight bytes of each of its eight bit rows, which lie `row` bytes apart.
static void NAME(plane_of_64)(const unsigned char *source, size_t row, unsigned char *plane) {
    NAME(bytes64) rows;
    for (size_t bit = 0; bit < 8; bit++) memcpy((unsigned char *)&rows + 8 * bit, source + bit * row, 8);
    // The first bytes of all rows together, then the second ones: a word of eight rows for every eight elements.
    NAME(words8) groups = (NAME(words8))__builtin_shufflevector(
        rows, rows, 0, 8, 16, 24, 32, 40, 48, 56, 1, 9, 17, 25, 33, 41, 49, 57, 2, 10, 18, 26, 34, 42, 50, 58, 3, 11,
        19, 27, 35, 43, 51, 59, 4, 12, 20, 28, 36, 44, 52, 60, 5, 13, 21, 29, 37, 45, 53, 61, 6, 14, 22, 30, 38, 46, 54,
        62, 7, 15, 23, 31, 39, 47, 55, 63);
    MIRROR(groups);
    memcpy(plane, &groups, 64);
}

// One byte of eight elements, which lie `stride` bytes apart in the result.
static void NAME(byte_of_8)(const unsigned char *source, size_t row, unsigned char *result, size_t stride) {
    uint64_t group = 0;
    for (size_t bit = 0; bit < 8; bit++) group |= (uint64_t)source[bit * row] << 8 * bit;
    MIRROR(group);
    for (size_t e = 0; e < 8; e++) result[e * stride] = (unsigned char)(group >> 8 * e);
}
#undef MIRROR

// Elements are put together from their bytes a tile at a time, which stays in the first-level cache.
enum { TILE = 256, WIDEST = 16 };

// Bit 0 of all elements of a block comes first, then bit 1 of all of them, and so on. A bit row of n elements is n / 8
// bytes, in which bit e of byte k is of element 8·k + e.
static void NAME(bit_unshuffle)(const void *source, size_t count, size_t element, void *result) {
    const unsigned char *in = source;
    unsigned char *out = result;
    size_t row = count / 8, first = 0;
    if (element <= WIDEST) {
        unsigned char planes[TILE * WIDEST];
        while (count - first >= 64) {
            size_t some = count - first < TILE ? (count - first) / 64 * 64 : TILE;
            for (size_t byte = 0; byte < element; byte++) {
                for (size_t i = 0; i < some; i += 64)
                    NAME(plane_of_64)(in + byte * 8 * row + (first + i) / 8, row, planes + byte * some + i);
            }
            NAME(unshuffle)(planes, some * element, element, out + first * element);
            first += some;
        }
    }
    for (; first < count; first += 8) {
        for (size_t byte = 0; byte < element; byte++)
            NAME(byte_of_8)(in + byte * 8 * row + first / 8, row, out + first * element + byte, element);
    }
}
