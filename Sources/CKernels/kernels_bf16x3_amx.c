#define CK_OPERAND_PARTS 2
#include "amx_kernels.h"
