#define CK_OPERAND_PARTS 2
#define CK_HAS_TILES 0
#include "block_kernels.h"
