// Images. libhdf5 copies the user data with every copy of the property list, but the open file keeps it
// without copying: the file's own reference is counted from its opening to its closing. All of this runs
// inside the lock.

#include "CHDF5Shims.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct chdf5_image {
    int references;
    const void *borrowed; // an image to read in place, or NULL
    void *owner;          // of the borrowed image
    void (*release)(void *owner);
    void *buffer;         // what the closed file left
    size_t capacity;
};

static void *image_malloc(size_t size, H5FD_file_image_op_t operation, void *data) {
    chdf5_image *image = data;
    if (!image->borrowed) return malloc(size);
    if (operation == H5FD_FILE_IMAGE_OP_FILE_OPEN) image->references += 1;
    return (void *)image->borrowed;
}

static void *image_memcpy(void *to, const void *from, size_t size, H5FD_file_image_op_t operation,
                          void *data) {
    (void)operation, (void)data;
    return to == from ? to : memcpy(to, from, size);
}

static void *image_realloc(void *bytes, size_t size, H5FD_file_image_op_t operation, void *data) {
    chdf5_image *image = data;
    (void)operation;
    if (image->borrowed) return NULL;
    void *moved = realloc(bytes, size);
    if (!moved) return NULL;
    image->capacity = size;
    // Large pages for what is written next: touching new memory takes most of the time that an image takes.
    const uintptr_t huge = 1 << 21;
    uintptr_t first = ((uintptr_t)moved + huge - 1) / huge * huge, end = ((uintptr_t)moved + size) / huge * huge;
    if (end > first) madvise((void *)first, end - first, MADV_HUGEPAGE);
    return moved;
}

static herr_t image_free(void *bytes, H5FD_file_image_op_t operation, void *data) {
    chdf5_image *image = data;
    int closing = operation == H5FD_FILE_IMAGE_OP_FILE_CLOSE;
    if (!image->borrowed) {
        if (closing && image->buffer == NULL)
            image->buffer = bytes;
        else
            free(bytes);
    }
    if (closing) chdf5_image_release(image);
    return 0;
}

static void *image_retain(void *data) {
    chdf5_image *image = data;
    image->references += 1;
    return image;
}

static herr_t image_drop(void *data) {
    chdf5_image_release(data);
    return 0;
}

static herr_t attach(hid_t file_access, chdf5_image *image) {
    H5FD_file_image_callbacks_t callbacks = {image_malloc, image_memcpy, image_realloc, image_free,
                                             image_retain, image_drop,   image};
    return H5Pset_file_image_callbacks(file_access, &callbacks);
}

chdf5_image *chdf5_image_new(hid_t file_access, size_t increment) {
    chdf5_image *image = calloc(1, sizeof *image);
    if (!image) return NULL;
    image->references = 2; // the caller's and the file's
    if (H5Pset_fapl_core(file_access, increment, 0) < 0 || attach(file_access, image) < 0) {
        chdf5_image_release(image);
        chdf5_image_release(image);
        return NULL;
    }
    return image;
}

herr_t chdf5_image_borrow(hid_t file_access, const void *bytes, size_t size, void *owner,
                          void (*release)(void *owner)) {
    chdf5_image *image = calloc(1, sizeof *image);
    if (!image) {
        release(owner);
        return -1;
    }
    image->references = 1;
    image->owner = owner;
    image->release = release;
    image->borrowed = bytes;
    herr_t status = -1;
    if (H5Pset_fapl_core(file_access, 1 << 16, 0) >= 0 && attach(file_access, image) >= 0)
        status = H5Pset_file_image(file_access, (void *)bytes, size);
    chdf5_image_release(image);
    return status;
}

void *chdf5_image_take(chdf5_image *image, size_t *capacity) {
    void *bytes = image->buffer;
    *capacity = image->capacity;
    image->buffer = NULL;
    return bytes;
}

void chdf5_image_release(chdf5_image *image) {
    image->references -= 1;
    if (image->references > 0) return;
    if (image->release) image->release(image->owner);
    free(image->buffer);
    free(image);
}
