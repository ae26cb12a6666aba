// A chunk's way back through its filters.

#include "decoder.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

cd_decoder *cd_decoder_new(void) { return calloc(1, sizeof(cd_decoder)); }

void cd_decoder_free(cd_decoder *decoder) {
    if (!decoder) return;
    if (decoder->deflate) libdeflate_free_decompressor(decoder->deflate);
    ZSTD_freeDCtx(decoder->zstandard);
    free(decoder->between[0].bytes);
    free(decoder->between[1].bytes);
    free(decoder->block.bytes);
    free(decoder);
}

unsigned char *cd_room_for(room *room, size_t size) {
    if (room->size < size || !room->bytes) {
        free(room->bytes);
        room->bytes = malloc(size ? size : 1);
        room->size = room->bytes ? size : 0;
    }
    return room->bytes;
}

int cd_describe(int id, const uint32_t *parameters, size_t count, cd_filter *filter) {
    *filter = (cd_filter){.id = id};
    switch (id) {
    case DEFLATE:
    case FLETCHER32:
    case LZF:
    case BLOSC:
    case LZ4:
    case ZSTANDARD: return 1;
    case SHUFFLE:
        if (count < 1 || parameters[0] == 0) return 0;
        filter->element = parameters[0];
        return 1;
    case BITSHUFFLE:
        // Parameters 0 and 1 are the version of the filter; parameter 2 is the size of an element.
        if (count < 3 || parameters[2] == 0) return 0;
        filter->element = parameters[2];
        filter->block = count > 3 ? parameters[3] : 0;
        filter->packing = count > 4 ? parameters[4] : BITSHUFFLE_ALONE;
        return filter->packing == BITSHUFFLE_ALONE || filter->packing == BITSHUFFLE_LZ4 ||
               filter->packing == BITSHUFFLE_ZSTANDARD;
    default: return 0;
    }
}

const char *cd_explain(cd_status status) {
    switch (status) {
    case CD_DECODED: return "is well";
    case CD_CUT: return "is cut short";
    case CD_DAMAGED: return "is damaged";
    case CD_TOO_SHORT: return "decodes to fewer bytes than the chunk has";
    case CD_TOO_LONG: return "decodes to more bytes than the chunk has";
    case CD_CHECKSUM: return "does not have the checksum that was written with it";
    case CD_NO_MEMORY: return "needs more memory than there is";
    }
    return "is damaged";
}

// Whether the filter gives back as many bytes as it is given.
static int keeps_length(const cd_filter *filter) {
    return filter->id == SHUFFLE || (filter->id == BITSHUFFLE && filter->packing == BITSHUFFLE_ALONE);
}

// How many bytes a filter hands on that is given from `*least` to `*most`.
static void follow(const cd_filter *filter, size_t *least, size_t *most) {
    if (keeps_length(filter)) return;
    if (filter->id == FLETCHER32) {
        *least += 4;
        *most += 4;
    } else {
        *least = 0;
        // Packing what cannot be packed makes it a little longer, in no format as much as this.
        *most += *most / 2 + 65536;
    }
}

void cd_bound(const cd_filter *filters, size_t place, size_t size, size_t *least, size_t *most) {
    *least = *most = size;
    for (size_t i = 0; i < place; i++) follow(&filters[i], least, most);
    // A hostile file can name many packing filters, each of which raises the bound. No honest file has more than two.
    size_t cap = 4 * size + (1 << 20);
    if (*most > cap) *most = cap;
}

cd_status cd_undo(
    cd_decoder *decoder, const cd_filter *filter, const void *source, size_t size, void *result, size_t least,
    size_t most, size_t *written) {
    cd_status status;
    *written = 0;
    switch (filter->id) {
    case DEFLATE: status = cd_undo_deflate(decoder, source, size, result, most, written); break;
    case LZF: status = cd_undo_lzf(source, size, result, most, written); break;
    case BLOSC: status = cd_undo_blosc(source, size, result, most, written); break;
    case LZ4: status = cd_undo_lz4(source, size, result, most, written); break;
    case BITSHUFFLE: status = cd_undo_bitshuffle(decoder, filter, source, size, result, most, written); break;
    case ZSTANDARD: status = cd_undo_zstandard(decoder, source, size, result, most, written); break;
    case SHUFFLE:
        if (size > most) return CD_TOO_LONG;
        cd_unshuffle(source, size, filter->element, result);
        *written = size;
        status = CD_DECODED;
        break;
    default: return CD_DAMAGED;
    }
    if (status == CD_DECODED && *written < least) return CD_TOO_SHORT;
    return status;
}

// The checksum of HDF5's filter fletcher32.
static uint32_t fletcher32(const void *bytes, size_t size) {
    const unsigned char *next = bytes;
    uint64_t first = 0, second = 0;
    size_t words = size / 2;
    while (words > 0) {
        // So many words cannot overflow the sum of sums in 64 bits.
        size_t some = words < 4096 ? words : 4096;
        for (size_t i = 0; i < some; i++, next += 2) {
            first += (uint64_t)next[0] << 8 | next[1];
            second += first;
        }
        words -= some;
        first %= 65535;
        second %= 65535;
        // HDF5 folds carries instead of dividing: a sum of something is 65535 there, never 0.
        if (first == 0) first = 65535;
        if (second == 0) second = 65535;
    }
    if (size % 2 == 1) {
        first += (uint64_t)*next << 8;
        second += first;
    }
    int any = 0;
    for (size_t i = 0; i < size && !any; i++) any = ((const unsigned char *)bytes)[i] != 0;
    if (!any) return 0;
    first %= 65535;
    second %= 65535;
    return (uint32_t)(second == 0 ? 65535 : second) << 16 | (uint32_t)(first == 0 ? 65535 : first);
}

static cd_status check_sum(const unsigned char *bytes, size_t *size) {
    if (*size < 4) return CD_CUT;
    *size -= 4;
    return fletcher32(bytes, *size) == little_endian_32(bytes + *size) ? CD_DECODED : CD_CHECKSUM;
}

cd_status cd_decode(
    cd_decoder *decoder, const cd_filter *filters, size_t count, uint32_t mask, const void *stored, size_t stored_size,
    void *result, size_t size, size_t *failed) {
    cd_filter used[CD_MOST_FILTERS];
    size_t places[CD_MOST_FILTERS], steps = 0;
    *failed = 0;
    if (count > CD_MOST_FILTERS) return CD_DAMAGED;
    for (size_t i = 0; i < count; i++) {
        if (mask >> i & 1) continue;
        places[steps] = i;
        used[steps++] = filters[i];
    }
    const unsigned char *source = stored;
    size_t source_size = stored_size;
    int turn = 0;
    for (size_t step = steps; step-- > 0;) {
        cd_status status;
        *failed = places[step];
        if (used[step].id == FLETCHER32) {
            status = check_sum(source, &source_size);
        } else {
            size_t least, most, written;
            cd_bound(used, step, size, &least, &most);
            // The last step writes where the result is wanted; before it, two buffers take turns.
            unsigned char *target = step == 0 ? result : cd_room_for(&decoder->between[turn ^= 1], most);
            if (!target) return CD_NO_MEMORY;
            status = cd_undo(decoder, &used[step], source, source_size, target, least, most, &written);
            source = target;
            source_size = written;
        }
        if (status != CD_DECODED) return status;
    }
    *failed = steps > 0 ? places[0] : 0;
    if (source_size != size) return source_size < size ? CD_TOO_SHORT : CD_TOO_LONG;
    if (source != result) memcpy(result, source, size);
    return CD_DECODED;
}
