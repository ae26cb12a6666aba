#define CK_NUMBERS 64
#define CK_VECTOR_BYTES 32
#include "kernels.h"
