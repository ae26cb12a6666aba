#ifndef CKERNELS_H
#define CKERNELS_H

// Micro-kernels and vector math, compiled once per instruction set and dispatched at run time.

#include <stddef.h>
#include <stdint.h>

#endif
