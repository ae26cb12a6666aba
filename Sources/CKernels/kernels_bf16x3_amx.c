#define CK_OPERAND_PARTS 2
#define CK_HAS_TILES 1
#include "block_kernels.h"
