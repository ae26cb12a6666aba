#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma,bmi2"))), apply_to = function)
#define NAME(f) cd_avx2_##f
#include "convert_template.h"
#pragma clang attribute pop
#endif
