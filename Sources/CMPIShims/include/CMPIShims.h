#ifndef CMPISHIMS_H
#define CMPISHIMS_H

// What the ranks of one job say to each other, through MPI where the program is built with it (package trait MPI).
//
// MPI's names are macros, and they differ between Open MPI and MPICH: Swift sees the functions below alone. Without
// the trait `cmpi_is_built` is 0 and every other call fails.
//
// One thread makes all the calls. What communicates only starts here: `cmpi_test` tells when it is done, so that the
// caller decides how long to wait and what to do meanwhile. Buffers must stay as they are until then.
// Calls give 0 (and `cmpi_test` also 1), or a number that `cmpi_error_text` explains.

#include <stddef.h>
#include <stdint.h>

/// Whether the program was built with MPI.
int cmpi_is_built(void);

/// Forks. The call returns in the child, which does the work. The parent forwards signals, waits, and exits with the
/// child's exit code. If a signal ends the child, the parent reports that as `rank` and exits with `code`. Call it
/// while this process has only one thread.
void cmpi_guard(const char *rank, int code);

/// Joins the job that the launcher has started. Only once in a process.
int cmpi_start(int *rank, int *count);

/// Leaves the job; returns when every rank does.
int cmpi_finish(void);

/// Ends every rank of the job, and this process with `code`.
void cmpi_abort(int code);

void cmpi_error_text(int error, char *text, size_t capacity);

/// A communication under way.
typedef struct cmpi_request {
    uint64_t handle;
} cmpi_request;

/// The bytes of rank `from` to every rank.
int cmpi_broadcast(void *bytes, int count, int from, cmpi_request *request);

/// Every rank's part of `bytes`, `counts[r]` from `starts[r]` on, to every rank.
int cmpi_all_gather(void *bytes, const int *counts, const int *starts, cmpi_request *request);

/// Every rank's part of `bytes` to rank 0.
int cmpi_gather(void *bytes, const int *counts, const int *starts, cmpi_request *request);

/// Bytes from every rank to every rank: part r of `sent` goes to rank r, and its bytes come to part r of `received`.
int cmpi_all_to_all(const void *sent, const int *sent_counts, const int *sent_starts, void *received,
                    const int *received_counts, const int *received_starts, cmpi_request *request);

/// Done when every rank has begun one; independent of everything above.
int cmpi_meet(cmpi_request *request);

/// 1 once it is done, 0 before. The only call in which communication moves on.
int cmpi_test(cmpi_request *request);

/// A word to one rank, which hears it whenever it listens; independent of everything above.
int cmpi_call(int rank, int word);

/// 1 and who said what, or 0 when there is nothing to hear.
int cmpi_listen(int *rank, int *word);

/// a[i] += b[i].
void cmpi_add_floats(float *a, const float *b, size_t count);
void cmpi_add_doubles(double *a, const double *b, size_t count);

#endif
