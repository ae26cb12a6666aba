#define CK_OPERAND_PARTS 1
#define CK_HAS_TILES 1
#include "block_kernels.h"
