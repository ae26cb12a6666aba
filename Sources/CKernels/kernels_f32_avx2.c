#define CK_NUMBERS 32
#define CK_VECTOR_BYTES 32
#include "kernels.h"
