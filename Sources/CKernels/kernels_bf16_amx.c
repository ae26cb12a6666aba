#define CK_OPERAND_PARTS 1
#include "amx_kernels.h"
