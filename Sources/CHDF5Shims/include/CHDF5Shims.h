#ifndef CHDF5SHIMS_H
#define CHDF5SHIMS_H

// The macros of libhdf5 that Swift cannot import, as functions.

#include <hdf5.h>

unsigned chdf5_acc_rdonly(void);

#endif
