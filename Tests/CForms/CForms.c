#include "CForms.h"

#include <CHDF5Shims.h>
#include <stdio.h>
#include <string.h>

static hid_t type_named(const char *name) {
    const struct {
        const char *name;
        hid_t type;
    } types[] = {{"i1", H5T_STD_I8LE},  {"<i2", H5T_STD_I16LE},  {">i2", H5T_STD_I16BE},  {"<i4", H5T_STD_I32LE},
                 {"<i8", H5T_STD_I64LE}, {"<f4", H5T_IEEE_F32LE}, {">f4", H5T_IEEE_F32BE}, {"<f8", H5T_IEEE_F64LE}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name) == 0) return types[i].type;
    }
    return -1;
}

static hid_t access_list(int newer) {
    hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    if (newer) H5Pset_libver_bounds(list, H5F_LIBVER_V110, H5F_LIBVER_V110);
    // A reader that a child on its way to exec still holds open must not keep this writer out.
    chdf5_without_locking(list);
    return list;
}

int cforms_create(const char *path, int newer, size_t user_block) {
    chdf5_enter();
    hid_t access = access_list(newer), creation = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_userblock(creation, user_block);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
    int status = file < 0 ? -1 : H5Fclose(file);
    H5Pclose(creation);
    H5Pclose(access);
    chdf5_leave();
    return status;
}

// What of the file's space the rows from..<to are.
static int select_rows(hid_t space, size_t from, size_t to, size_t columns) {
    hsize_t start[] = {from, 0}, count[] = {to - from, columns};
    return H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
}

static int lay_out(hid_t creation, const cforms_dataset *it) {
    hsize_t chunk[] = {it->chunk_rows, it->chunk_columns};
    switch (it->layout) {
    case CFORMS_CONTIGUOUS:
        return H5Pset_layout(creation, H5D_CONTIGUOUS);
    case CFORMS_COMPACT:
        return H5Pset_layout(creation, H5D_COMPACT);
    case CFORMS_CHUNKED:
        if (H5Pset_chunk(creation, 2, chunk) < 0) return -1;
        if (it->scales_offsets && H5Pset_scaleoffset(creation, H5Z_SO_INT, 0) < 0) return -1;
        if (it->deflate >= 0 && H5Pset_deflate(creation, (unsigned)it->deflate) < 0) return -1;
        if (it->unknown_filter && H5Pset_filter(creation, it->unknown_filter, H5Z_FLAG_OPTIONAL, 0, NULL) < 0) return -1;
        return 0;
    case CFORMS_EXTERNAL:
        return H5Pset_external(creation, it->other_file, 0, it->rows * it->columns * H5Tget_size(type_named(it->type)));
    case CFORMS_VIRTUAL: {
        hsize_t extents[] = {it->rows, it->columns};
        hid_t space = H5Screate_simple(2, extents, NULL);
        int status = H5Pset_virtual(creation, space, it->other_file, it->other_name, space);
        H5Sclose(space);
        return status;
    }
    }
    return -1;
}

int cforms_add(const char *path, int newer, const cforms_dataset *it) {
    chdf5_enter();
    hid_t access = access_list(newer), file = H5Fopen(path, H5F_ACC_RDWR, access);
    hid_t type = type_named(it->type), creation = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t extents[] = {it->rows, it->columns}, most[] = {it->grows ? H5S_UNLIMITED : it->rows, it->columns};
    hid_t space = H5Screate_simple(2, extents, most), written = H5Scopy(space);
    int status = file < 0 || type < 0 ? -1 : lay_out(creation, it);
    if (status >= 0 && it->fill != 0) status = H5Pset_fill_value(creation, H5T_NATIVE_DOUBLE, &it->fill);
    hid_t dataset = status < 0 ? -1 : H5Dcreate2(file, it->name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    if (dataset < 0) status = -1;
    if (status >= 0 && it->layout != CFORMS_VIRTUAL) {
        if (it->unknown_filter) {
            // One chunk of Float64 as it is in memory: the mask says that the filter was applied to it.
            hsize_t origin[] = {0, 0};
            size_t bytes = it->chunk_rows * it->chunk_columns * sizeof(double);
            status = H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, origin, bytes, it->values);
        } else if (it->first_row < it->end_row) {
            status = select_rows(written, it->first_row, it->end_row, it->columns);
            if (status >= 0) status = H5Dwrite(dataset, H5T_NATIVE_DOUBLE, written, written, H5P_DEFAULT, it->values);
        }
    }
    if (dataset >= 0) H5Dclose(dataset);
    H5Sclose(written);
    H5Sclose(space);
    H5Pclose(creation);
    if (file >= 0 && H5Fclose(file) < 0) status = -1;
    H5Pclose(access);
    chdf5_leave();
    return status;
}

int cforms_link(const char *path, const char *name, const char *other_file, const char *other_name) {
    chdf5_enter();
    hid_t access = access_list(0), file = H5Fopen(path, H5F_ACC_RDWR, access), links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    int status = file < 0 ? -1 : H5Lcreate_external(other_file, other_name, file, name, links, H5P_DEFAULT);
    H5Pclose(links);
    if (file >= 0 && H5Fclose(file) < 0) status = -1;
    H5Pclose(access);
    chdf5_leave();
    return status;
}
