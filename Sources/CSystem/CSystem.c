#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

void csystem_end_with_parent(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }

int csystem_claim(int descriptor) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int failed;
    do failed = fcntl(descriptor, F_OFD_SETLK, &whole);
    while (failed && errno == EINTR);
    return failed ? errno : 0;
}

int csystem_allowed_cores(void) {
    // Masks grow with the machine; the kernel refuses one that is too small.
    for (int cores = 1024; cores <= 1 << 20; cores *= 2) {
        cpu_set_t *set = CPU_ALLOC(cores);
        if (!set) return 0;
        size_t size = CPU_ALLOC_SIZE(cores);
        CPU_ZERO_S(size, set);
        int found = sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;
        CPU_FREE(set);
        if (found > 0) return found;
    }
    return 0;
}

void csystem_begin_writeback(int descriptor, int64_t offset, int64_t count) {
    // Small pieces are cheaper to write together. A failure is not lost: fsync reports it.
    if (count >= 1 << 20) sync_file_range(descriptor, offset, count, SYNC_FILE_RANGE_WRITE);
}
