#if defined(__x86_64__)
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma,bmi2,prefer-256-bit"))), apply_to = function)
#define NAME(f) cd_avx512_##f
#include "convert_template.h"
#pragma clang attribute pop
#endif
