// Where an open file and its chunks lie.

#include "CHDF5Shims.h"

#include <string.h>
#include <sys/file.h>

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

herr_t chdf5_close_file(hid_t file) {
    unsigned intent = H5F_ACC_RDWR;
    int is_read = H5Fget_intent(file, &intent) >= 0 && !(intent & H5F_ACC_RDWR);
    int descriptor = is_read && H5Fget_obj_count(file, H5F_OBJ_FILE) == 1 ? chdf5_descriptor(file) : -1;
    // A child on its way from fork to exec has this descriptor too, and the reader's lock with it: if it is not given up here,
    // who writes the file next finds it held.
    if (descriptor >= 0) flock(descriptor, LOCK_UN);
    return H5Fclose(file);
}

// The bytes of a file that libhdf5 keeps in memory, or NULL.
static const void *bytes_in_memory(hid_t file, size_t *size) {
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
    const char *bytes = bytes_in_memory(file, &size);
    if (bytes && address != HADDR_UNDEF && address + block + sizeof pattern <= size)
        known = memcmp(bytes + address, pattern, sizeof pattern) != 0 &&
                memcmp(bytes + address + block, pattern, sizeof pattern) == 0;
    H5Fclose(file);
    H5Pclose(creation);
    H5Pclose(access);
    return known > 0;
}
