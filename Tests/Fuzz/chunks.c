// Chunks that anyone may have written, through the filters that are undone here: a libFuzzer target, run by Scripts/fuzz.
//
// The input is an order and then a chunk:
//
//     1 byte    how many filters there are, less one, modulo 3
//     each      1 byte: which filter; 1 byte: how many parameters, modulo 9; 1 byte for each of these
//     1 byte    which filters this chunk was written without
//     2 bytes   how many bytes must come out
//     the rest  the chunk

#include "CDecode.h"
#include "CKernels.h"

#include <stdlib.h>
#include <string.h>

// Deflate, shuffle, fletcher32, LZF, Blosc, LZ4, bitshuffle, Zstandard, and one that nobody knows.
static const int filters_known[] = {1, 2, 3, 32000, 32001, 32004, 32008, 32015, 77};

// In the place of the one in CKernels, which all kernels would come with.
static ck_isa isa = CK_ISA_SCALAR;
ck_isa ck_current_isa(void) { return isa; }

static ck_isa best_isa(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512bw")) return CK_ISA_AVX512;
    if (__builtin_cpu_supports("avx2")) return CK_ISA_AVX2;
#endif
    return CK_ISA_SCALAR;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    const uint8_t *end = bytes + size;
    if (size < 8) return 0;
    size_t count = *bytes++ % 3 + 1;
    cd_filter filters[3];
    for (size_t place = 0; place < count; place++) {
        if (end - bytes < 2) return 0;
        int id = filters_known[*bytes++ % (sizeof filters_known / sizeof *filters_known)];
        size_t wanted = *bytes++ % 9;
        uint32_t parameters[9] = {0};
        if ((size_t)(end - bytes) < wanted) return 0;
        // Small numbers, and large ones for the last byte's values.
        for (size_t i = 0; i < wanted; i++) parameters[i] = bytes[i] < 250 ? bytes[i] : UINT32_MAX - (255u - bytes[i]);
        bytes += wanted;
        if (!cd_describe(id, parameters, wanted, &filters[place])) return 0;
    }
    if (end - bytes < 3) return 0;
    uint32_t mask = *bytes++;
    size_t due = (size_t)bytes[0] | (size_t)bytes[1] << 8;
    bytes += 2;

    // Of exactly these sizes, so that the sanitizer sees a byte too many.
    size_t stored_size = (size_t)(end - bytes);
    uint8_t *stored = malloc(stored_size ? stored_size : 1), *result = malloc(due ? due : 1), *again = malloc(due ? due : 1);
    memcpy(stored, bytes, stored_size);
    memset(result, 1, due);
    memset(again, 2, due);
    cd_decoder *decoder = cd_decoder_new();
    size_t failed = 0;
    isa = CK_ISA_SCALAR;
    cd_status status = cd_decode(decoder, filters, count, mask, stored, stored_size, result, due, &failed);
    if (status != CD_DECODED && failed >= count) abort();
    if (!*cd_explain(status) && status != CD_DECODED) abort();
    // What comes out is decided by the chunk alone: all of the result is written, a decoder keeps nothing between chunks, and
    // the instruction set changes nothing.
    isa = best_isa();
    cd_status second = cd_decode(decoder, filters, count, mask, stored, stored_size, again, due, &failed);
    if (second != status || (status == CD_DECODED && memcmp(result, again, due) != 0)) abort();
    cd_decoder_free(decoder);
    free(stored);
    free(result);
    free(again);
    return 0;
}
