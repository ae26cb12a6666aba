#ifndef CDECODE_H
#define CDECODE_H

// From bytes as HDF5 stores them to the numbers that the network wants: filters undone, elements converted,
// rows put in order, memory and mapped files looked after.

#include <stddef.h>
#include <stdint.h>

// Elements ----------------------------------------------------------------------------------------

/// How one stored element is laid out, apart from its byte order.
typedef enum cd_kind {
    CD_I8, CD_U8, CD_I16, CD_U16, CD_I32, CD_U32, CD_I64, CD_U64, CD_F16, CD_BF16, CD_F32, CD_F64
} cd_kind;

/// The bytes of one element.
size_t cd_size(cd_kind kind);

/// What is done to each column's value; a null pointer leaves that part out.
typedef struct cd_columns {
    /// `(value − shift) · factor`, both of them or neither.
    const double *shift, *factor;
    /// What takes the place of a value that is not finite, before the shift.
    const double *imputation;
    /// One over each column's bound c, with which a value z becomes z/√(1+(z/c)²) after the factor; 0 leaves it as it is.
    const double *inverse_clip;
} cd_columns;

/// Converts one row of `n` elements: to double (exactly, but for 64-bit integers beyond 2^53, which round to
/// the nearest, ties to even), then imputation, shift, factor and clip in double, then one rounding to the result.
///
/// The same numbers give the same bits in whatever kind, byte order and instruction set. `swapped` says that
/// the bytes are in the order this machine does not use. Returns 1 when some result is not finite, 0 otherwise.
int cd_convert_f32(cd_kind kind, int swapped, const void *source, size_t n, const cd_columns *columns, float *result);
int cd_convert_f64(cd_kind kind, int swapped, const void *source, size_t n, const cd_columns *columns, double *result);

/// How the inputs of a network are made from a stored row, whose numbers may have another order and other meanings.
///
/// `from` counts the numbers of the stored row, `to` the inputs. What is stored is trusted to have as many numbers as
/// `from` names; what they are is not.
typedef struct cd_reading {
    /// How many inputs there are in all.
    size_t inputs;
    /// Inputs that are stored numbers, in ascending order; `number_to` null: all inputs are, one after the other.
    /// `cd_columns` has one entry for each of these numbers. `offset` is added to each before anything else; null: nothing.
    size_t numbers;
    const uint32_t *number_from, *number_to;
    const double *offset;
    /// Inputs that are 1 where a stored number is not finite, and 0 elsewhere.
    size_t indicators;
    const uint32_t *indicator_from, *indicator_to;
    /// Stored codes, each of which makes one input 1 among others that are 0: `code_inputs[code_first[i] + code]`, or none
    /// where that is CD_NO_INPUT. `code_base` is added to what is stored; what is not finite is code 1. There are `code_count` codes.
    size_t categories;
    const uint32_t *code_from, *code_base, *code_count, *code_first, *code_inputs;
} cd_reading;

#define CD_NO_INPUT UINT32_MAX

/// Makes the inputs of one row as `reading` says, each number converted as `cd_convert_f32` does it.
///
/// Returns 2 when something stored is no code, otherwise 1 when some result is not finite, and 0 when all is well.
int cd_expand_f32(
    const cd_reading *reading, cd_kind kind, int swapped, const void *source, const cd_columns *columns, float *result);
int cd_expand_f64(
    const cd_reading *reading, cd_kind kind, int swapped, const void *source, const cd_columns *columns,
    double *result);

/// Running sums over rows, one entry a column. Values that are not finite are left out.
typedef struct cd_sums {
    /// Subtracted before summing, so that squares do not cancel.
    const double *origin;
    double *count, *sum, *square, *low, *high;
} cd_sums;

/// Adds one row of `n` values to the sums.
void cd_accumulate(const double *row, size_t n, const cd_sums *sums);

/// One pass of a radix search for quantiles. Each number is taken as a 64-bit key that sorts as the numbers do. Earlier
/// passes have found the leading bits of the wanted keys, their beginnings. This pass counts, for each column and
/// beginning, how many keys with that beginning have which next digit.
typedef struct cd_digits {
    /// The bits behind the digit, and those of the digit.
    unsigned shift, bits;
    /// Places for beginnings in each column, and how many of them are taken; the same beginning is not there twice.
    size_t most;
    const size_t *taken;
    const uint64_t *beginnings;
    /// Column after column, beginning after beginning, 2^bits counts each.
    uint64_t *counts;
    /// All bits that are set in some number, as it is stored: those that no number has need no digit.
    uint64_t *used;
} cd_digits;

/// Counts one row of `n` values. Values that are not finite are left out.
void cd_count_digits(const double *row, size_t n, const cd_digits *digits);

// Filters -----------------------------------------------------------------------------------------

/// One step that chunks went through when they were written.
typedef struct cd_filter {
    /// Its number in The HDF Group's register.
    int id;
    /// Bytes of the elements that it rearranges.
    uint32_t element;
    /// Of bitshuffle: how many elements are rearranged together (0: the usual number), and what packs them then
    /// (0: nothing).
    uint32_t block, packing;
} cd_filter;

/// No dataset has more filters: libhdf5 allows no more.
#define CD_MOST_FILTERS 32

/// Takes from `count` parameters, as the file keeps them, what undoing the filter needs. Returns whether it is
/// undone here: deflate, shuffle, fletcher32, LZF, Blosc, LZ4, bitshuffle and Zstandard are.
int cd_describe(int id, const uint32_t *parameters, size_t count, cd_filter *filter);

/// Why a chunk is not decoded.
typedef enum cd_status {
    CD_DECODED,
    /// It ends before it is complete.
    CD_CUT,
    /// Its bytes are nothing that the filter writes.
    CD_DAMAGED,
    /// It decodes to fewer bytes, or to more, than the chunk has.
    CD_TOO_SHORT, CD_TOO_LONG,
    /// Its checksum is another one.
    CD_CHECKSUM,
    CD_NO_MEMORY
} cd_status;

/// The status in words, which follow the name of the filter: "is cut short".
const char *cd_explain(cd_status status);

/// What one thread keeps between chunks: tables of the libraries, and memory for what lies between two steps.
typedef struct cd_decoder cd_decoder;
/// Null where there is no memory.
cd_decoder *cd_decoder_new(void);
void cd_decoder_free(cd_decoder *decoder);

/// Undoes all filters of a chunk, which are given in the order of writing: exactly `size` bytes must come out.
///
/// Bit n of `mask` says that filter n was left out when this chunk was written. Nothing is believed of what the
/// chunk says of its own lengths: no byte is read outside of `stored` or written outside of `result`, and the memory
/// taken is a small multiple of `size`. On failure `failed` is the place of the filter that could not be undone.
cd_status cd_decode(
    cd_decoder *decoder, const cd_filter *filters, size_t count, uint32_t mask, const void *stored, size_t stored_size,
    void *result, size_t size, size_t *failed);

/// How many bytes filter `place` was given, at least and at most, in a chunk that has `size`. Behind a filter that
/// packs, nothing says that exactly.
void cd_bound(const cd_filter *filters, size_t place, size_t size, size_t *least, size_t *most);

/// Undoes one filter: between `least` and `most` bytes must come out, and `*written` says how many did.
cd_status cd_undo(
    cd_decoder *decoder, const cd_filter *filter, const void *source, size_t source_size, void *result, size_t least,
    size_t most, size_t *written);

// Order -------------------------------------------------------------------------------------------

#define CD_PERMUTATION_ROUNDS 8

/// A permutation of 0..<count that is computed, not stored: an alternating Feistel network over the next
/// power of two, walked until it comes back below count.
typedef struct cd_permutation {
    uint64_t count;
    uint32_t left_bits, right_bits;
    uint32_t keys[CD_PERMUTATION_ROUNDS];
} cd_permutation;

/// result[i] is the image of first + i, for n indices below count.
void cd_permute(const cd_permutation *permutation, uint64_t first, size_t n, uint64_t *result);

/// The index whose image is `image`.
uint64_t cd_permute_inverse(const cd_permutation *permutation, uint64_t image);

/// The bits of a row set: counts[b] is the number of ones before bit 512·b, with one entry more for the total.
typedef struct cd_bits {
    const uint64_t *words;
    const uint64_t *counts;
    size_t blocks;
} cd_bits;

/// Replaces each of n ordinals by the position of that one bit among the ones, counted from 0.
void cd_select(const cd_bits *bits, size_t n, uint64_t *ordinals);

// Memory and files --------------------------------------------------------------------------------

/// Zeroed memory from the kernel, in huge pages where it has them; null when there is none.
void *cd_allocate(size_t bytes);
void cd_release(void *memory, size_t bytes);

/// Reads `size` bytes at `offset`. Returns 0, the errno of a failure, or -1 where the file ends before.
int cd_read(int file, uint64_t offset, void *result, size_t size);

/// What tells whether a file is still the same.
typedef struct cd_identity {
    uint64_t device, inode, size;
    /// When its contents last changed, which anyone may set, and when anything about it did, which only the kernel does.
    int64_t seconds, nanoseconds, touched_seconds, touched_nanoseconds;
} cd_identity;

/// The identity of an open file, or where `path` is not null of the file under that name. Returns 0 or the errno.
int cd_identify(int file, const char *path, cd_identity *identity);

/// Lets this process survive the truncation of files that it maps: installs a handler for SIGBUS, once, which leaves
/// other memory to the handler before it. Returns whether it is there; `cd_guards_mappings` asks without installing it.
int cd_guard_mappings(void);
int cd_guards_mappings(void);

/// Part of a file in memory that, with that handler, survives the file's truncation: pages that are gone read as zeros, and
/// `cd_mapping_broken` tells from then on.
typedef struct cd_mapping cd_mapping;

/// Maps `size` bytes from `offset`, wherever that lies; null with errno when it cannot be done.
cd_mapping *cd_map(int file, uint64_t offset, size_t size);
const void *cd_mapping_bytes(const cd_mapping *mapping);
int cd_mapping_broken(const cd_mapping *mapping);
void cd_unmap(cd_mapping *mapping);

#endif
