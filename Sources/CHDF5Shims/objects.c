// Links, attributes and identities: the interfaces that changed with 1.12.

#include "CHDF5Shims.h"

#include <stdlib.h>
#include <string.h>

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
