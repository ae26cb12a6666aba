#ifndef CDECODE_DECODER_H
#define CDECODE_DECODER_H

// What the parts of the decoder share.

#include "CDecode.h"

// The filters that are undone here, by their numbers in The HDF Group's register.
enum {
    DEFLATE = 1, SHUFFLE = 2, FLETCHER32 = 3, LZF = 32000, BLOSC = 32001, LZ4 = 32004, BITSHUFFLE = 32008,
    ZSTANDARD = 32015
};

// What follows bitshuffle's rearranging.
enum { BITSHUFFLE_ALONE = 0, BITSHUFFLE_LZ4 = 2, BITSHUFFLE_ZSTANDARD = 3 };

struct libdeflate_decompressor;
struct ZSTD_DCtx_s;

// Memory that grows to what was asked for most.
typedef struct room {
    unsigned char *bytes;
    size_t size;
} room;

struct cd_decoder {
    struct libdeflate_decompressor *deflate;
    struct ZSTD_DCtx_s *zstandard;
    // What a step leaves for the next one; two, because a step reads from one and writes to the other.
    room between[2];
    // A block that bitshuffle has yet to rearrange.
    room block;
};

// At least `size` bytes, not initialized; null where there is no memory.
unsigned char *cd_room_for(room *room, size_t size);

// Each undoes its format: at most `most` bytes come out, and `*written` says how many did.
cd_status cd_undo_deflate(
    cd_decoder *decoder, const unsigned char *source, size_t size, unsigned char *result, size_t most,
    size_t *written);
cd_status cd_undo_lzf(const unsigned char *source, size_t size, unsigned char *result, size_t most, size_t *written);
cd_status cd_undo_blosc(const unsigned char *source, size_t size, unsigned char *result, size_t most, size_t *written);
cd_status cd_undo_lz4(const unsigned char *source, size_t size, unsigned char *result, size_t most, size_t *written);
cd_status cd_undo_zstandard(
    cd_decoder *decoder, const unsigned char *source, size_t size, unsigned char *result, size_t most,
    size_t *written);
cd_status cd_undo_bitshuffle(
    cd_decoder *decoder, const cd_filter *filter, const unsigned char *source, size_t size, unsigned char *result,
    size_t most, size_t *written);

// Undoes HDF5's shuffle of `size` bytes that are elements of `element` bytes.
void cd_unshuffle(const void *source, size_t size, size_t element, void *result);

// Undoes bitshuffle of `count` elements of `element` bytes that were rearranged together; `count` is a multiple of 8.
void cd_bit_unshuffle(const void *source, size_t count, size_t element, void *result);

static inline uint32_t little_endian_32(const unsigned char *bytes) {
    return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

static inline uint32_t big_endian_32(const unsigned char *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline uint64_t big_endian_64(const unsigned char *bytes) {
    return (uint64_t)big_endian_32(bytes) << 32 | big_endian_32(bytes + 4);
}

#endif
