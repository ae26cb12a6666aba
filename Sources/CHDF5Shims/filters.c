// Registers filters with libhdf5 that it lacks. libhdf5 reads some chunks by itself (texts, parts of an array, the
// listing of a file), and these functions let it decode them as the loader does, without a plug-in.

#include "CHDF5Shims.h"

#include <string.h>

// What the read that is going on expects of the chunks; guarded by the lock.
static cd_filter expected[CD_MOST_FILTERS];
static size_t expected_count, expected_size;
static cd_decoder *decoder; // guarded by the lock

void chdf5_expect_chunks(const cd_filter *filters, size_t count, size_t size) {
    expected_count = count < CD_MOST_FILTERS ? count : CD_MOST_FILTERS;
    expected_size = size;
    if (expected_count > 0) memcpy(expected, filters, expected_count * sizeof *expected);
}

static size_t fail(const char *name, const char *reason, hid_t minor) {
    H5Epush2(H5E_DEFAULT, __FILE__, __func__, __LINE__, H5E_ERR_CLS, H5E_PLINE, minor, "the %s data of a chunk %s",
             name, reason);
    return 0;
}

static size_t undo(int id, const char *name, unsigned flags, size_t count, const unsigned *parameters, size_t size,
                   size_t *room, void **buffer) {
    cd_filter filter;
    size_t place = 0, least, most, written;
    if (!(flags & H5Z_FLAG_REVERSE)) return fail(name, "is only read here, not written", H5E_UNSUPPORTED);
    // A virtual dataset can make libhdf5 read chunks of other datasets. Their size is not known here, and libhdf5 would
    // read beyond the end of a result that is too short. So only filters of the announced dataset are undone.
    while (place < expected_count && expected[place].id != id) place++;
    if (place == expected_count) {
        return fail(
            name, "belongs to another dataset, from which this one is put together: read that one", H5E_UNSUPPORTED);
    }
    if (!cd_describe(id, parameters, count, &filter))
        return fail(name, "is in a form that is not known here", H5E_UNSUPPORTED);
    cd_bound(expected, place, expected_size, &least, &most);
    if (!decoder) decoder = cd_decoder_new();
    // The buffer always holds a whole chunk, even where an intermediate filter gives fewer bytes, because libhdf5
    // trusts the size.
    size_t taken = most > expected_size ? most : expected_size;
    void *result = decoder ? H5allocate_memory(taken, 0) : NULL;
    if (!result) return fail(name, cd_explain(CD_NO_MEMORY), H5E_NOSPACE);
    cd_status status = cd_undo(decoder, &filter, *buffer, size, result, least, most, &written);
    if (status == CD_DECODED && written == 0) status = CD_TOO_SHORT;
    if (status != CD_DECODED) {
        H5free_memory(result);
        return fail(name, cd_explain(status), status == CD_NO_MEMORY ? H5E_NOSPACE : H5E_READERROR);
    }
    memset((unsigned char *)result + written, 0, taken - written);
    H5free_memory(*buffer);
    *buffer = result;
    *room = taken;
    return written;
}

#define FILTERS(EACH)                                                                                                \
    EACH(32000, "LZF", undo_lzf)                                                                                     \
    EACH(32001, "Blosc", undo_blosc)                                                                                 \
    EACH(32004, "LZ4", undo_lz4)                                                                                     \
    EACH(32008, "bitshuffle", undo_bitshuffle)                                                                       \
    EACH(32015, "Zstandard", undo_zstandard)

#define DEFINE(ID, NAME, FUNCTION)                                                                                   \
    static size_t FUNCTION(unsigned flags, size_t count, const unsigned *parameters, size_t size, size_t *room,      \
                           void **buffer) {                                                                          \
        return undo(ID, NAME, flags, count, parameters, size, room, buffer);                                         \
    }
FILTERS(DEFINE)

void chdf5_register_filters(void) {
#define CLASS(ID, NAME, FUNCTION) {H5Z_CLASS_T_VERS, ID, 0, 1, NAME, NULL, NULL, FUNCTION},
    static const H5Z_class2_t classes[] = {FILTERS(CLASS)};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) H5Zregister(&classes[i]);
}
