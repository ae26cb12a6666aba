#include "CHDF5Shims.h"

unsigned chdf5_acc_rdonly(void) { return H5F_ACC_RDONLY; }
