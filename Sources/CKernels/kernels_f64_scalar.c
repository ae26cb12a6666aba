#define CK_NUMBERS 64
#define CK_VECTOR_BYTES 16
#include "kernels.h"
