#define CK_NUMBERS 32
#define CK_VECTOR_BYTES 16
#include "kernels.h"
