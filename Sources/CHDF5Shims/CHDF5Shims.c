#include "CHDF5Shims.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static pthread_mutex_t lock;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int depth; // guarded by the lock
static int most_seconds;
static timer_t timer; // guarded by the lock
static int is_timed;  // guarded by the lock
static _Thread_local int silenced;
static _Thread_local int refused;

static void initialize(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    // Files are closed by their handles. The library's own clean-up at exit would race with threads
    // that still read.
    H5dont_atexit();
    H5open();
    H5PLset_loading_state(0);
}

void chdf5_limit_calls(int seconds) { most_seconds = seconds; }

// The processor's time of this thread, so that neither a busy machine nor other threads count.
static void begin_time(void) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGXCPU};
    struct itimerspec limit = {.it_value.tv_sec = most_seconds};
    is_timed = timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) == 0;
    if (is_timed) timer_settime(timer, 0, &limit, NULL);
}

void chdf5_enter(void) {
    pthread_once(&once, initialize);
    pthread_mutex_lock(&lock);
    depth += 1;
    if (depth == 1 && most_seconds > 0) begin_time();
    if (!silenced) {
        H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
        silenced = 1;
    }
}

void chdf5_leave(void) {
    depth -= 1;
    if (depth == 0) {
        H5Eclear2(H5E_DEFAULT);
        if (is_timed) timer_delete(timer);
        is_timed = 0;
    }
    pthread_mutex_unlock(&lock);
}

void chdf5_allow_plugins(int allowed) {
    static int state; // guarded by the lock
    if (state == allowed) return;
    state = allowed;
    H5PLset_loading_state(allowed ? H5PL_ALL_PLUGIN : 0);
}

unsigned chdf5_acc_rdonly(void) { return H5F_ACC_RDONLY; }
unsigned chdf5_acc_rdwr(void) { return H5F_ACC_RDWR; }
unsigned chdf5_acc_trunc(void) { return H5F_ACC_TRUNC; }
unsigned chdf5_acc_excl(void) { return H5F_ACC_EXCL; }

hid_t chdf5_property_file_access(void) { return H5P_FILE_ACCESS; }
hid_t chdf5_property_file_create(void) { return H5P_FILE_CREATE; }
hid_t chdf5_property_dataset_create(void) { return H5P_DATASET_CREATE; }
hid_t chdf5_property_dataset_access(void) { return H5P_DATASET_ACCESS; }
hid_t chdf5_property_dataset_transfer(void) { return H5P_DATASET_XFER; }
hid_t chdf5_property_group_create(void) { return H5P_GROUP_CREATE; }
hid_t chdf5_property_link_create(void) { return H5P_LINK_CREATE; }
hid_t chdf5_property_link_access(void) { return H5P_LINK_ACCESS; }
hid_t chdf5_default(void) { return H5P_DEFAULT; }

hid_t chdf5_space_all(void) { return H5S_ALL; }
hsize_t chdf5_unlimited(void) { return H5S_UNLIMITED; }
size_t chdf5_variable(void) { return H5T_VARIABLE; }
haddr_t chdf5_undefined_address(void) { return HADDR_UNDEF; }

hid_t chdf5_native_integer(int is_signed, size_t size) {
    switch (size) {
    case 1: return is_signed ? H5T_NATIVE_INT8 : H5T_NATIVE_UINT8;
    case 2: return is_signed ? H5T_NATIVE_INT16 : H5T_NATIVE_UINT16;
    case 4: return is_signed ? H5T_NATIVE_INT32 : H5T_NATIVE_UINT32;
    case 8: return is_signed ? H5T_NATIVE_INT64 : H5T_NATIVE_UINT64;
    default: return -1;
    }
}

hid_t chdf5_native_float(size_t size) { return size == 4 ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE; }
hid_t chdf5_c_string(void) { return H5T_C_S1; }
hid_t chdf5_object_reference(void) { return H5T_STD_REF_OBJ; }

static herr_t refuse(const char *parent_file, const char *parent_group, const char *child_file,
                     const char *child_object, unsigned *flags, hid_t access, void *data) {
    (void)parent_file, (void)parent_group, (void)child_file, (void)child_object;
    (void)flags, (void)access, (void)data;
    refused = 1;
    return -1;
}

herr_t chdf5_refuse_external_links(hid_t link_access) {
    return H5Pset_elink_cb(link_access, refuse, NULL);
}

int chdf5_took_refusal(void) {
    int taken = refused;
    refused = 0;
    return taken;
}

herr_t chdf5_without_locking(hid_t file_access) {
#if H5_VERSION_GE(1, 14, 0) || (H5_VERSION_GE(1, 12, 1) && !H5_VERSION_GE(1, 13, 0)) ||                  \
    (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 11, 0))
    return H5Pset_file_locking(file_access, 0, 1);
#else
    (void)file_access;
    return setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
#endif
}

void chdf5_with_locking(void) {
#if H5_VERSION_GE(1, 14, 0) || (H5_VERSION_GE(1, 12, 1) && !H5_VERSION_GE(1, 13, 0)) ||                  \
    (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 11, 0))
#else
    unsetenv("HDF5_USE_FILE_LOCKING");
#endif
}

typedef struct {
    void *context;
    chdf5_frame_visitor visit;
} visitor;

static chdf5_error_class classify(const H5E_error2_t *frame) {
    if (frame->min_num == H5E_NOTFOUND) return CHDF5_NOT_FOUND;
    if (frame->min_num == H5E_NOFILTER) return CHDF5_NO_FILTER;
    if (frame->min_num == H5E_NOSPACE || frame->min_num == H5E_CANTALLOC) return CHDF5_NO_SPACE;
    if (frame->min_num == H5E_TRUNCATED) return CHDF5_TRUNCATED;
    if (frame->min_num == H5E_NOTHDF5) return CHDF5_NOT_HDF5;
    if (frame->desc && strstr(frame->desc, "unable to lock file")) return CHDF5_CANNOT_LOCK;
    return CHDF5_OTHER;
}

static herr_t walk(unsigned index, const H5E_error2_t *frame, void *data) {
    const visitor *to = data;
    (void)index;
    to->visit(to->context, classify(frame), frame->func_name ? frame->func_name : "",
              frame->desc ? frame->desc : "");
    return 0;
}

void chdf5_visit_errors(void *context, chdf5_frame_visitor visit) {
    visitor to = {context, visit};
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, walk, &to);
    H5Eclear2(H5E_DEFAULT);
}

// Images. libhdf5 copies the user data with every copy of the property list, but the open file keeps it
// without copying: the file's own reference is counted from its opening to its closing. All of this runs
// inside the lock.

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
    if (moved) image->capacity = size;
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

static void *budget_allocate(size_t size, void *data) {
    chdf5_budget *budget = data;
    if (size > budget->left) {
        budget->exceeded = 1;
        return NULL;
    }
    budget->left -= size;
    return malloc(size);
}

static void budget_free(void *bytes, void *data) {
    (void)data;
    free(bytes);
}

herr_t chdf5_bound_strings(hid_t transfer, chdf5_budget *budget) {
    return H5Pset_vlen_mem_manager(transfer, budget_allocate, budget, budget_free, budget);
}

// The interfaces that changed with 1.12.

#if H5_VERSION_GE(1, 12, 0)
#define CHDF5_LINK_INFO H5L_info2_t
#define CHDF5_ITERATE H5Literate2
#define CHDF5_GET_LINK_INFO H5Lget_info2
#else
#define CHDF5_LINK_INFO H5L_info_t
#define CHDF5_ITERATE H5Literate
#define CHDF5_GET_LINK_INFO H5Lget_info
#endif

typedef struct {
    void *context;
    chdf5_link_visitor visit;
} link_visit;

static herr_t visit_link(hid_t group, const char *name, const CHDF5_LINK_INFO *info, void *data) {
    const link_visit *to = data;
    (void)group;
    chdf5_link_kind kind = CHDF5_LINK_UNKNOWN;
    if (info->type == H5L_TYPE_HARD) kind = CHDF5_LINK_HARD;
    if (info->type == H5L_TYPE_SOFT) kind = CHDF5_LINK_SOFT;
    if (info->type == H5L_TYPE_EXTERNAL) kind = CHDF5_LINK_EXTERNAL;
    return to->visit(to->context, name, kind);
}

herr_t chdf5_visit_links(hid_t group, void *context, chdf5_link_visitor visit) {
    link_visit to = {context, visit};
    hsize_t position = 0;
    return CHDF5_ITERATE(group, H5_INDEX_NAME, H5_ITER_INC, &position, visit_link, &to);
}

herr_t chdf5_link_target(hid_t group, const char *name, char *file, char *object, size_t size) {
    CHDF5_LINK_INFO info;
    *file = *object = 0;
    if (CHDF5_GET_LINK_INFO(group, name, &info, H5P_DEFAULT) < 0) return -1;
    // Both kinds fit into an object header's message.
    if (info.type == H5L_TYPE_HARD || info.u.val_size > 1 << 16) return -1;
    char *value = calloc(1, info.u.val_size + 1);
    if (!value) return -1;
    herr_t status = H5Lget_val(group, name, value, info.u.val_size, H5P_DEFAULT);
    if (status >= 0 && info.type == H5L_TYPE_SOFT) {
        strncat(object, value, size - 1);
    } else if (status >= 0 && info.type == H5L_TYPE_EXTERNAL) {
        const char *in_file = NULL, *in_object = NULL;
        status = H5Lunpack_elink_val(value, info.u.val_size, NULL, &in_file, &in_object);
        if (status >= 0) {
            strncat(file, in_file, size - 1);
            strncat(object, in_object, size - 1);
        }
    }
    free(value);
    return status;
}

typedef struct {
    void *context;
    chdf5_name_visitor visit;
} attribute_visit;

static herr_t visit_attribute(hid_t object, const char *name, const H5A_info_t *info, void *data) {
    const attribute_visit *to = data;
    (void)object, (void)info;
    return to->visit(to->context, name);
}

herr_t chdf5_visit_attributes(hid_t object, void *context, chdf5_name_visitor visit) {
    attribute_visit to = {context, visit};
    hsize_t position = 0;
    return H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, &position, visit_attribute, &to);
}

herr_t chdf5_identify(hid_t object, chdf5_identity *identity) {
#if H5_VERSION_GE(1, 12, 0)
    H5O_info2_t info;
    if (H5Oget_info3(object, &info, H5O_INFO_BASIC | H5O_INFO_NUM_ATTRS) < 0) return -1;
    memcpy(&identity->address, &info.token, sizeof identity->address);
#else
    H5O_info_t info;
    if (H5Oget_info2(object, &info, H5O_INFO_BASIC | H5O_INFO_NUM_ATTRS) < 0) return -1;
    identity->address = info.addr;
#endif
    identity->file = info.fileno;
    identity->links = info.rc;
    identity->attributes = info.num_attrs;
    return 0;
}

hsize_t chdf5_link_count(hid_t group) {
    H5G_info_t info;
    return H5Gget_info(group, &info) < 0 ? 0 : info.nlinks;
}

int chdf5_descriptor(hid_t file) {
    hid_t access = H5Fget_access_plist(file);
    if (access < 0) return -1;
    hid_t driver = H5Pget_driver(access);
    void *handle = NULL;
    int found = -1;
    if ((driver == H5FD_SEC2 || chdf5_is_careful(driver)) && H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) >= 0 && handle)
        found = *(int *)handle;
    H5Pclose(access);
    return found;
}

const void *chdf5_memory(hid_t file, size_t *size) {
    hid_t access = H5Fget_access_plist(file);
    if (access < 0) return NULL;
    hid_t driver = H5Pget_driver(access);
    void *handle = NULL;
    hsize_t bytes = 0;
    const void *found = NULL;
    if (driver == H5FD_CORE && H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) >= 0 && handle &&
        H5Fget_filesize(file, &bytes) >= 0) {
        found = *(void **)handle;
        *size = bytes;
    }
    H5Pclose(access);
    return found;
}

enum { block = 512 };

static haddr_t planted_chunk(hid_t file, const uint64_t *pattern) {
    hsize_t extent = 4, origin = 0, size = 0;
    unsigned mask = 0;
    haddr_t address = HADDR_UNDEF;
    hid_t space = H5Screate_simple(1, &extent, NULL);
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(creation, 1, &extent);
    hid_t dataset =
        H5Dcreate2(file, "x", H5T_NATIVE_UINT64, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    H5Dwrite(dataset, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, pattern);
    H5Fflush(file, H5F_SCOPE_GLOBAL);
    H5Dget_chunk_info(dataset, space, 0, &origin, &mask, &address, &size);
    H5Dclose(dataset);
    H5Pclose(creation);
    H5Sclose(space);
    return address;
}

int chdf5_chunk_addresses_are_relative(void) {
    static int known = -1; // guarded by the lock
    static const uint64_t pattern[4] = {0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb,
                                        0xd6e8feb86659fd93};
    if (known >= 0) return known;
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), creation = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_fapl_core(access, 1 << 12, 0);
    H5Pset_userblock(creation, block);
    hid_t file = H5Fcreate("chunk-addresses", H5F_ACC_TRUNC, creation, access);
    haddr_t address = planted_chunk(file, pattern);
    size_t size = 0;
    const char *bytes = chdf5_memory(file, &size);
    if (bytes && address != HADDR_UNDEF && address + block + sizeof pattern <= size)
        known = memcmp(bytes + address, pattern, sizeof pattern) != 0 &&
                memcmp(bytes + address + block, pattern, sizeof pattern) == 0;
    H5Fclose(file);
    H5Pclose(creation);
    H5Pclose(access);
    return known > 0;
}
