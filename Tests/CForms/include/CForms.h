#ifndef CFORMS_H
#define CFORMS_H

// Forms of storage that the program reads and does not write, as libhdf5 itself writes them.

#include <stddef.h>

typedef enum { CFORMS_CONTIGUOUS, CFORMS_COMPACT, CFORMS_CHUNKED, CFORMS_EXTERNAL, CFORMS_VIRTUAL } cforms_layout;

/// A matrix of numbers and how it lies in its file.
typedef struct {
    const char *name;
    /// As NumPy spells it: "i1", "<i2", ">i2", "<i4", "<f4", "<f8".
    const char *type;
    cforms_layout layout;
    const double *values;
    size_t rows, columns;
    /// Of a chunked one.
    size_t chunk_rows, chunk_columns;
    /// The rows that are written at all; the others have the fill value.
    size_t first_row, end_row;
    double fill;
    /// Level of compression, or -1.
    int deflate;
    /// Integers are stored as their distance from the least in their chunk, in as few bits as these take.
    int scales_offsets;
    /// A filter that nobody has, and that is said to have been left out of no chunk; 0: none.
    int unknown_filter;
    /// Whether rows may be added without end.
    int grows;
    /// Of an external one: the file with its numbers, which is written, too. Of a virtual one: the file of the dataset that it
    /// shows, "." for its own, and that dataset's name.
    const char *other_file, *other_name;
} cforms_dataset;

/// Creates an empty file behind a user block of so many bytes, in the format of 1.10 where that is asked for.
int cforms_create(const char *path, int newer, size_t user_block);
/// Adds a dataset to the file; negative where libhdf5 refuses.
int cforms_add(const char *path, int newer, const cforms_dataset *dataset);
/// Adds a link to an object of another file.
int cforms_link(const char *path, const char *name, const char *other_file, const char *other_name);

#endif
