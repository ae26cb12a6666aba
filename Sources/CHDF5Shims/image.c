// Images: whole HDF5 files in memory, built by a driver of their own. All of this runs inside the lock.

#define _GNU_SOURCE
#include "CHDF5Shims.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// libhdf5's own driver writes zeros over all that a file sets aside, and so touches the memory of arrays that are never
// written to it. Memory that is mapped but not written takes nothing: here such arrays are free.
struct chdf5_image {
    int references; // the caller's and the open file's
    unsigned char *bytes;
    size_t capacity; // of whole pages
    size_t end;
};

typedef struct {
    H5FD_t base;
    chdf5_image *image;
    haddr_t allocated; // by libhdf5
} building;

static size_t whole_pages(size_t size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (size + page - 1) / page * page;
}

// Makes room for `size` bytes; what is new reads as zeros.
static int reserve(chdf5_image *image, size_t size) {
    if (size <= image->capacity) return 1;
    size_t wanted = whole_pages(size + size / 2);
    void *moved = image->bytes ? mremap(image->bytes, image->capacity, wanted, MREMAP_MAYMOVE)
                               : mmap(NULL, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (moved == MAP_FAILED) return 0;
    image->bytes = moved;
    image->capacity = wanted;
    return 1;
}

static H5FD_t *build_open(const char *name, unsigned flags, hid_t access, haddr_t limit) {
    (void)name, (void)limit;
    chdf5_image *const *image = H5Pget_driver_info(access);
    // libhdf5 looks for a file before it creates one.
    if (!image || !(flags & H5F_ACC_CREAT)) return NULL;
    building *file = calloc(1, sizeof *file);
    if (!file) return NULL;
    file->image = *image;
    file->image->references += 1;
    return &file->base;
}

static herr_t build_close(H5FD_t *base) {
    chdf5_image_release(((building *)base)->image);
    free(base);
    return 0;
}

static int build_compare(const H5FD_t *left, const H5FD_t *right) {
    uintptr_t a = (uintptr_t)((const building *)left)->image, b = (uintptr_t)((const building *)right)->image;
    return a < b ? -1 : a > b;
}

static herr_t build_query(const H5FD_t *base, unsigned long *flags) {
    (void)base;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA;
    return 0;
}

static haddr_t build_allocated(const H5FD_t *base, H5FD_mem_t type) {
    (void)type;
    return ((const building *)base)->allocated;
}

static herr_t build_allocate(H5FD_t *base, H5FD_mem_t type, haddr_t address) {
    (void)type;
    ((building *)base)->allocated = address;
    return 0;
}

static haddr_t build_end(const H5FD_t *base, H5FD_mem_t type) {
    (void)type;
    return ((const building *)base)->image->end;
}

static herr_t build_read(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size, void *buffer) {
    (void)type, (void)transfer;
    const chdf5_image *image = ((building *)base)->image;
    size_t there = address >= image->end ? 0 : image->end - address < size ? image->end - address : size;
    if (there > 0) memcpy(buffer, image->bytes + address, there);
    memset((unsigned char *)buffer + there, 0, size - there);
    return 0;
}

static herr_t build_write(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size,
                          const void *buffer) {
    (void)type, (void)transfer;
    chdf5_image *image = ((building *)base)->image;
    if (!reserve(image, address + size)) return -1;
    memcpy(image->bytes + address, buffer, size);
    if (address + size > image->end) image->end = address + size;
    return 0;
}

static herr_t build_truncate(H5FD_t *base, hid_t transfer, hbool_t closing) {
    (void)transfer, (void)closing;
    building *file = (building *)base;
    if (!reserve(file->image, file->allocated)) return -1;
    file->image->end = file->allocated;
    return 0;
}

static hid_t driver(void) {
    static hid_t registered = -1; // guarded by the lock
    static const H5FD_class_t class = {
#ifdef H5FD_CLASS_VERSION
        .version = H5FD_CLASS_VERSION,
        .value = (H5FD_class_value_t)701,
#endif
        .name = "image",
        .maxaddr = (haddr_t)INT64_MAX,
        .fc_degree = H5F_CLOSE_STRONG,
        .fapl_size = sizeof(chdf5_image *),
        .open = build_open,
        .close = build_close,
        .cmp = build_compare,
        .query = build_query,
        .get_eoa = build_allocated,
        .set_eoa = build_allocate,
        .get_eof = build_end,
        .read = build_read,
        .write = build_write,
        .truncate = build_truncate,
        .fl_map = H5FD_FLMAP_DICHOTOMY,
    };
    if (registered < 0) registered = H5FDregister(&class);
    return registered;
}

chdf5_image *chdf5_image_new(hid_t file_access) {
    chdf5_image *image = calloc(1, sizeof *image);
    if (!image) return NULL;
    image->references = 1;
    if (H5Pset_driver(file_access, driver(), &image) < 0) {
        free(image);
        return NULL;
    }
    return image;
}

void *chdf5_image_take(chdf5_image *image, size_t *size) {
    // An open file may still write.
    if (image->references > 1 || !image->bytes) return NULL;
    void *bytes = image->bytes;
    *size = image->end;
    size_t kept = whole_pages(image->end);
    if (kept < image->capacity) munmap(image->bytes + kept, image->capacity - kept);
    image->bytes = NULL;
    image->capacity = image->end = 0;
    return bytes;
}

void chdf5_image_discard(const void *bytes, size_t size) { munmap((void *)bytes, whole_pages(size)); }

void chdf5_image_release(chdf5_image *image) {
    image->references -= 1;
    if (image->references > 0) return;
    if (image->bytes) munmap(image->bytes, image->capacity);
    free(image);
}
