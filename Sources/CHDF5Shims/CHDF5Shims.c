// libhdf5's macros as functions, and what is set on property lists.

#include "CHDF5Shims.h"

#include <stdlib.h>

unsigned chdf5_acc_rdonly(void) { return H5F_ACC_RDONLY; }
unsigned chdf5_acc_trunc(void) { return H5F_ACC_TRUNC; }
unsigned chdf5_acc_excl(void) { return H5F_ACC_EXCL; }

hid_t chdf5_property_file_access(void) { return H5P_FILE_ACCESS; }
hid_t chdf5_property_dataset_create(void) { return H5P_DATASET_CREATE; }
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

static _Thread_local int refused;

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
