// libhdf5's error stack, frame by frame.

#include "CHDF5Shims.h"

#include <string.h>

typedef struct {
    void *context;
    chdf5_frame_visitor visit;
} visitor;

static chdf5_error_class classify(const H5E_error2_t *frame) {
    if (frame->min_num == H5E_NOTFOUND) return CHDF5_NOT_FOUND;
    if (frame->min_num == H5E_NOFILTER) return CHDF5_NO_FILTER;
    if (frame->maj_num == H5E_RESOURCE && frame->min_num == H5E_NOSPACE) return CHDF5_NO_MEMORY;
    if (frame->min_num == H5E_TRUNCATED) return CHDF5_TRUNCATED;
    if (frame->min_num == H5E_NOTHDF5) return CHDF5_NOT_HDF5;
    if (frame->maj_num == H5E_PLINE && frame->min_num == H5E_READERROR) return CHDF5_DAMAGED;
    if (frame->min_num == H5E_UNSUPPORTED) return CHDF5_UNSUPPORTED;
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
