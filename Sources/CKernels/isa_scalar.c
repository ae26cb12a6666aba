// What every CPU has: vectors of 16 bytes, which are NEON on arm64. On x86-64 without FMA each fma is a call.
#define CK_ISA_SUFFIX scalar
#define CK_VECTOR_BYTES 16
#include "instantiate.h"
