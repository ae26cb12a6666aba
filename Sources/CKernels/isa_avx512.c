#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma,f16c,bmi2"))), \
                             apply_to = function)
#define CK_ISA_SUFFIX avx512
#define CK_VECTOR_BYTES 64
#include "instantiate.h"
#pragma clang attribute pop
#endif
