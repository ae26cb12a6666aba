#define CK_NUMBERS 16
#define CK_OPERAND_PARTS 2
#define CK_VECTOR_BYTES 16
#include "kernels.h"
