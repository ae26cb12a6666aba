#include "CMPIShims.h"

#include <stdio.h>
#include <string.h>

void cmpi_add_floats(float *a, const float *b, size_t count) {
    for (size_t i = 0; i < count; i++) a[i] += b[i];
}

void cmpi_add_doubles(double *a, const double *b, size_t count) {
    for (size_t i = 0; i < count; i++) a[i] += b[i];
}

#ifdef TREADLE_MPI

#include <mpi.h>

_Static_assert(sizeof(MPI_Request) <= sizeof(cmpi_request), "a request must fit into its place");

// Collective data, the final barrier, and messages to single ranks each have a communicator, so that MPI cannot match a
// message of one kind with a call of another.
static MPI_Comm data, meetings, words;

static MPI_Request load(const cmpi_request *request) {
    MPI_Request handle;
    memcpy(&handle, request, sizeof handle);
    return handle;
}

static int store(int error, MPI_Request handle, cmpi_request *request) {
    memcpy(request, &handle, sizeof handle);
    return error;
}

int cmpi_is_built(void) { return 1; }

int cmpi_start(int *rank, int *count) {
    int provided = 0;
    int error = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm *all[] = {&data, &meetings, &words};
    for (size_t i = 0; !error && i < sizeof all / sizeof *all; i++) {
        error = MPI_Comm_dup(MPI_COMM_WORLD, all[i]);
        if (!error) error = MPI_Comm_set_errhandler(*all[i], MPI_ERRORS_RETURN);
    }
    if (!error) error = MPI_Comm_rank(data, rank);
    if (!error) error = MPI_Comm_size(data, count);
    return error;
}

int cmpi_finish(void) { return MPI_Finalize(); }

void cmpi_abort(int code) { MPI_Abort(MPI_COMM_WORLD, code); }

void cmpi_error_text(int error, char *text, size_t capacity) {
    char own[MPI_MAX_ERROR_STRING + 1];
    int length = 0;
    if (MPI_Error_string(error, own, &length)) length = 0;
    snprintf(text, capacity, "%.*s", length, own);
}

int cmpi_broadcast(void *bytes, int count, int from, cmpi_request *request) {
    MPI_Request handle = MPI_REQUEST_NULL;
    return store(MPI_Ibcast(bytes, count, MPI_BYTE, from, data, &handle), handle, request);
}

int cmpi_all_gather(void *bytes, const int *counts, const int *starts, cmpi_request *request) {
    MPI_Request handle = MPI_REQUEST_NULL;
    return store(MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_BYTE, bytes, counts, starts, MPI_BYTE, data, &handle), handle,
                 request);
}

int cmpi_gather(void *bytes, const int *counts, const int *starts, cmpi_request *request) {
    MPI_Request handle = MPI_REQUEST_NULL;
    int rank = 0, error = MPI_Comm_rank(data, &rank);
    if (error) return error;
    const void *own = rank == 0 ? MPI_IN_PLACE : (const char *)bytes + starts[rank];
    int count = rank == 0 ? 0 : counts[rank];
    return store(MPI_Igatherv(own, count, MPI_BYTE, bytes, counts, starts, MPI_BYTE, 0, data, &handle), handle, request);
}

int cmpi_all_to_all(const void *sent, const int *sent_counts, const int *sent_starts, void *received,
                    const int *received_counts, const int *received_starts, cmpi_request *request) {
    MPI_Request handle = MPI_REQUEST_NULL;
    return store(MPI_Ialltoallv(sent, sent_counts, sent_starts, MPI_BYTE, received, received_counts, received_starts,
                                MPI_BYTE, data, &handle),
                 handle, request);
}

int cmpi_meet(cmpi_request *request) {
    MPI_Request handle = MPI_REQUEST_NULL;
    return store(MPI_Ibarrier(meetings, &handle), handle, request);
}

int cmpi_test(cmpi_request *request) {
    MPI_Request handle = load(request);
    int done = 0;
    int error = MPI_Test(&handle, &done, MPI_STATUS_IGNORE);
    store(0, handle, request);
    // MPI's error classes begin above 1, which means done.
    return error ? (error == 1 ? -1 : error) : done;
}

int cmpi_call(int rank, int word) {
    MPI_Request handle = MPI_REQUEST_NULL;
    // MPI sends a message this small without waiting for a receiver, so a rank that never listens does not block this
    // one. MPI may still read the word after this call returns, hence the buffer of recent words.
    static int kept[64];
    static unsigned next = 0;
    int *place = &kept[next++ % 64];
    *place = word;
    int error = MPI_Isend(place, 1, MPI_INT, rank, 0, words, &handle);
    if (!error) error = MPI_Request_free(&handle);
    return error;
}

int cmpi_listen(int *rank, int *word) {
    MPI_Status status;
    int found = 0;
    if (MPI_Iprobe(MPI_ANY_SOURCE, 0, words, &found, &status) || !found) return 0;
    *rank = status.MPI_SOURCE;
    return MPI_Recv(word, 1, MPI_INT, *rank, 0, words, MPI_STATUS_IGNORE) ? 0 : 1;
}

#else

int cmpi_is_built(void) { return 0; }
int cmpi_start(int *rank, int *count) {
    *rank = 0;
    *count = 1;
    return -1;
}
int cmpi_finish(void) { return -1; }
void cmpi_abort(int code) { (void)code; }
void cmpi_error_text(int error, char *text, size_t capacity) {
    (void)error;
    snprintf(text, capacity, "%s", "this program was built without MPI");
}
int cmpi_broadcast(void *bytes, int count, int from, cmpi_request *request) {
    (void)bytes, (void)count, (void)from, (void)request;
    return -1;
}
int cmpi_all_gather(void *bytes, const int *counts, const int *starts, cmpi_request *request) {
    (void)bytes, (void)counts, (void)starts, (void)request;
    return -1;
}
int cmpi_gather(void *bytes, const int *counts, const int *starts, cmpi_request *request) {
    (void)bytes, (void)counts, (void)starts, (void)request;
    return -1;
}
int cmpi_all_to_all(const void *sent, const int *sent_counts, const int *sent_starts, void *received,
                    const int *received_counts, const int *received_starts, cmpi_request *request) {
    (void)sent, (void)sent_counts, (void)sent_starts, (void)received, (void)received_counts, (void)received_starts;
    (void)request;
    return -1;
}
int cmpi_meet(cmpi_request *request) {
    (void)request;
    return -1;
}
int cmpi_test(cmpi_request *request) {
    (void)request;
    return -1;
}
int cmpi_call(int rank, int word) {
    (void)rank, (void)word;
    return -1;
}
int cmpi_listen(int *rank, int *word) {
    (void)rank, (void)word;
    return 0;
}

#endif
