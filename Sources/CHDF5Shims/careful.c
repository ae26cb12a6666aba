// A file driver for writing that tells libhdf5 of no failure.
//
// libhdf5 1.10 does not survive a failing write: with its own driver, a disk that filled up at one of 111 places
// ended the process with SIGSEGV at 105 of them, most often while it closed the file. So the first failure is kept
// here, for the caller to find after the call, and what was to be written afterwards is kept in memory instead, as
// far as libhdf5 will want to read it again: the metadata.

#include "CHDF5Shims.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

// What could not be written, newest first.
typedef struct unwritten {
    struct unwritten *next;
    haddr_t address;
    size_t size;
    unsigned char bytes[];
} unwritten;

typedef struct {
    H5FD_t base;
    int descriptor;
    haddr_t allocated; // by libhdf5
    haddr_t end;       // as libhdf5 believes it
    struct stat identity;
    chdf5_health *health;
    unwritten *kept;
} careful;

struct chdf5_health {
    int references;
    int error;
};

static void fail(careful *file, int error) {
    if (file->health->error == 0) file->health->error = error ? error : EIO;
}

static H5FD_t *careful_open(const char *name, unsigned flags, hid_t access, haddr_t limit) {
    (void)limit;
    chdf5_health *const *health = H5Pget_driver_info(access);
    int mode = O_RDWR | O_CLOEXEC | (flags & H5F_ACC_CREAT ? O_CREAT : 0) | (flags & H5F_ACC_EXCL ? O_EXCL : 0);
    careful *file = calloc(1, sizeof *file);
    if (!health || !file) {
        free(file);
        return NULL;
    }
    file->health = *health;
    file->descriptor = open(name, mode, 0666);
    // The lock comes before the truncation: a file that somebody holds is left as it is.
    int held = file->descriptor >= 0 && flock(file->descriptor, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
    int truncated = flags & H5F_ACC_TRUNC && !held && file->descriptor >= 0 ? ftruncate(file->descriptor, 0) : 0;
    if (file->descriptor < 0 || held || fstat(file->descriptor, &file->identity) < 0 ||
        (truncated < 0 && S_ISREG(file->identity.st_mode))) {
        // libhdf5 tries once before it creates: the last attempt counts.
        file->health->error = held ? EWOULDBLOCK : errno;
        if (file->descriptor >= 0) close(file->descriptor);
        free(file);
        return NULL;
    }
    file->health->error = 0;
    file->end = flags & H5F_ACC_TRUNC ? 0 : file->identity.st_size;
    file->health->references += 1;
    return &file->base;
}

static herr_t careful_close(H5FD_t *base) {
    careful *file = (careful *)base;
    // A child on its way from fork to exec has this descriptor too, and the lock with it, if it is not given up here.
    flock(file->descriptor, LOCK_UN);
    if (close(file->descriptor) < 0 && errno != EINTR) fail(file, errno);
    while (file->kept) {
        unwritten *next = file->kept->next;
        free(file->kept);
        file->kept = next;
    }
    chdf5_health_release(file->health);
    free(file);
    return 0;
}

static int careful_compare(const H5FD_t *left, const H5FD_t *right) {
    const struct stat *a = &((const careful *)left)->identity, *b = &((const careful *)right)->identity;
    if (a->st_dev != b->st_dev) return a->st_dev < b->st_dev ? -1 : 1;
    if (a->st_ino != b->st_ino) return a->st_ino < b->st_ino ? -1 : 1;
    return 0;
}

static herr_t careful_query(const H5FD_t *base, unsigned long *flags) {
    (void)base;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_POSIX_COMPAT_HANDLE | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static haddr_t careful_allocated(const H5FD_t *base, H5FD_mem_t type) {
    (void)type;
    return ((const careful *)base)->allocated;
}

static herr_t careful_allocate(H5FD_t *base, H5FD_mem_t type, haddr_t address) {
    (void)type;
    ((careful *)base)->allocated = address;
    return 0;
}

static haddr_t careful_end(const H5FD_t *base, H5FD_mem_t type) {
    (void)type;
    return ((const careful *)base)->end;
}

static herr_t careful_handle(H5FD_t *base, hid_t access, void **handle) {
    (void)access;
    *handle = &((careful *)base)->descriptor;
    return 0;
}

// Lays what was kept over what was read, the oldest first.
static void overlay(const unwritten *kept, haddr_t address, size_t size, unsigned char *bytes) {
    if (!kept) return;
    overlay(kept->next, address, size, bytes);
    haddr_t from = kept->address > address ? kept->address : address;
    haddr_t kept_end = kept->address + kept->size, end = address + size;
    if (kept_end < end) end = kept_end;
    if (from < end) memcpy(bytes + (from - address), kept->bytes + (from - kept->address), end - from);
}

static herr_t careful_read(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size,
                           void *buffer) {
    careful *file = (careful *)base;
    unsigned char *bytes = buffer;
    (void)type, (void)transfer;
    size_t done = 0;
    while (done < size) {
        ssize_t count = pread(file->descriptor, bytes + done, size - done, (off_t)(address + done));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -1;
        if (count == 0) break;
        done += (size_t)count;
    }
    // Beyond the end there are zeros, as for libhdf5's own driver.
    memset(bytes + done, 0, size - done);
    overlay(file->kept, address, size, bytes);
    return 0;
}

static void keep(careful *file, haddr_t address, size_t size, const void *bytes) {
    unwritten *entry = malloc(sizeof *entry + size);
    if (!entry) return;
    entry->next = file->kept;
    entry->address = address;
    entry->size = size;
    memcpy(entry->bytes, bytes, size);
    file->kept = entry;
}

static herr_t careful_write(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size,
                            const void *buffer) {
    careful *file = (careful *)base;
    const unsigned char *bytes = buffer;
    (void)transfer;
    size_t done = 0;
    while (done < size && file->health->error == 0) {
        ssize_t count = pwrite(file->descriptor, bytes + done, size - done, (off_t)(address + done));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0)
            fail(file, count < 0 ? errno : EIO);
        else
            done += (size_t)count;
    }
    if (done < size && type != H5FD_MEM_DRAW) keep(file, address + done, size - done, bytes + done);
    if (address + size > file->end) file->end = address + size;
    return 0;
}

static herr_t careful_truncate(H5FD_t *base, hid_t transfer, hbool_t closing) {
    careful *file = (careful *)base;
    (void)transfer, (void)closing;
    if (file->health->error == 0 && ftruncate(file->descriptor, (off_t)file->allocated) < 0) fail(file, errno);
    file->end = file->allocated;
    return 0;
}

static hid_t driver(void) {
    static hid_t registered = -1; // guarded by the lock
    static const H5FD_class_t class = {
#ifdef H5FD_CLASS_VERSION
        .version = H5FD_CLASS_VERSION,
        .value = (H5FD_class_value_t)700,
#endif
        .name = "careful",
        .maxaddr = (haddr_t)INT64_MAX,
        .fc_degree = H5F_CLOSE_STRONG,
        .fapl_size = sizeof(chdf5_health *),
        .open = careful_open,
        .close = careful_close,
        .cmp = careful_compare,
        .query = careful_query,
        .get_eoa = careful_allocated,
        .set_eoa = careful_allocate,
        .get_eof = careful_end,
        .get_handle = careful_handle,
        .read = careful_read,
        .write = careful_write,
        .truncate = careful_truncate,
        .fl_map = H5FD_FLMAP_DICHOTOMY,
    };
    if (registered < 0) registered = H5FDregister(&class);
    return registered;
}

chdf5_health *chdf5_health_new(hid_t file_access) {
    chdf5_health *health = calloc(1, sizeof *health);
    if (!health) return NULL;
    health->references = 1;
    if (H5Pset_driver(file_access, driver(), &health) < 0) {
        free(health);
        return NULL;
    }
    return health;
}

int chdf5_health_error(const chdf5_health *health) { return health->error; }

void chdf5_health_release(chdf5_health *health) {
    health->references -= 1;
    if (health->references == 0) free(health);
}

int chdf5_is_careful(hid_t driver_id) { return driver_id == driver(); }
