#define CK_NUMBERS 64
#define CK_VECTOR_BYTES 64
#include "kernels.h"
