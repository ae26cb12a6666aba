#define CK_NUMBERS 32
#define CK_VECTOR_BYTES 64
#include "kernels.h"
