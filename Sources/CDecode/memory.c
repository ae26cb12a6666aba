#define _GNU_SOURCE
#include "CDecode.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void *cd_allocate(size_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    // Rows in random order touch a new page each: with 4 KiB pages that is a miss in the TLB every time.
    madvise(memory, bytes, MADV_HUGEPAGE);
    return memory;
}

void cd_release(void *memory, size_t bytes) { munmap(memory, bytes); }

int cd_read(int file, uint64_t offset, void *result, size_t size) {
    unsigned char *next = result;
    while (size > 0) {
        ssize_t got = pread(file, next, size, (off_t)offset);
        if (got == 0) return -1;
        if (got < 0) {
            if (errno == EINTR) continue;
            return errno;
        }
        next += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return 0;
}

int cd_identify(int file, const char *path, cd_identity *identity) {
    struct stat status;
    if ((path ? stat(path, &status) : fstat(file, &status)) != 0) return errno;
    *identity = (cd_identity){
        .device = status.st_dev, .inode = status.st_ino, .size = (uint64_t)status.st_size,
        .seconds = status.st_mtim.tv_sec, .nanoseconds = status.st_mtim.tv_nsec,
        .touched_seconds = status.st_ctim.tv_sec, .touched_nanoseconds = status.st_ctim.tv_nsec};
    return 0;
}

struct cd_mapping {
    unsigned char *pages;
    size_t length;
    size_t lead;
    _Atomic int broken;
    cd_mapping *_Atomic next;
};

// The mappings, newest first. The handler walks the list without a lock: entries are unlinked but never freed,
// and a later mapping takes a free one over.
static cd_mapping *_Atomic mappings;
static pthread_mutex_t mappings_lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction previous;
static atomic_int is_guarded;

// A page beyond the end of a file that has shrunk: zeros take its place and the mapping says so, instead of
// ending the process. A mapping that is not ours gets what it would have got without us.
static void on_bus_error(int signal, siginfo_t *info, void *context) {
    int error = errno;
    unsigned char *address = info->si_addr;
    for (cd_mapping *m = atomic_load(&mappings); m; m = atomic_load(&m->next)) {
        if (!m->pages || address < m->pages || address >= m->pages + m->length) continue;
        void *zeros = mmap(m->pages, m->length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        if (zeros == MAP_FAILED) break;
        atomic_store(&m->broken, 1);
        errno = error;
        return;
    }
    if (previous.sa_flags & SA_SIGINFO) {
        previous.sa_sigaction(signal, info, context);
    } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
        previous.sa_handler(signal);
    } else {
        // The same access fails again right after, and now ends the process as it should.
        sigaction(SIGBUS, &previous, NULL);
    }
    errno = error;
}

int cd_guard_mappings(void) {
    pthread_mutex_lock(&mappings_lock);
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    sigemptyset(&action.sa_mask);
    if (!atomic_load(&is_guarded)) atomic_store(&is_guarded, sigaction(SIGBUS, &action, &previous) == 0);
    pthread_mutex_unlock(&mappings_lock);
    return atomic_load(&is_guarded);
}

int cd_guards_mappings(void) { return atomic_load(&is_guarded); }

cd_mapping *cd_map(int file, uint64_t offset, size_t size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t lead = (size_t)(offset % page);
    size_t length = size + lead;
    void *pages = mmap(NULL, length, PROT_READ, MAP_SHARED, file, (off_t)(offset - lead));
    if (pages == MAP_FAILED) return NULL;

    pthread_mutex_lock(&mappings_lock);
    cd_mapping *mapping = atomic_load(&mappings);
    while (mapping && mapping->length != 0) mapping = atomic_load(&mapping->next);
    int fresh = mapping == NULL;
    if (fresh) mapping = calloc(1, sizeof *mapping);
    if (mapping) {
        mapping->lead = lead;
        atomic_store(&mapping->broken, 0);
        mapping->pages = pages;
        mapping->length = length;
        if (fresh) {
            atomic_store(&mapping->next, atomic_load(&mappings));
            atomic_store(&mappings, mapping);
        }
    }
    pthread_mutex_unlock(&mappings_lock);
    if (!mapping) munmap(pages, length);
    return mapping;
}

const void *cd_mapping_bytes(const cd_mapping *mapping) { return mapping->pages + mapping->lead; }
int cd_mapping_broken(const cd_mapping *mapping) { return atomic_load(&mapping->broken); }

void cd_unmap(cd_mapping *mapping) {
    pthread_mutex_lock(&mappings_lock);
    munmap(mapping->pages, mapping->length);
    mapping->pages = NULL;
    mapping->length = 0;
    pthread_mutex_unlock(&mappings_lock);
}
