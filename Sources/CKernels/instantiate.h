// Included once by each isa_*.c, which defines CK_ISA_SUFFIX and CK_VECTOR_BYTES: all kernels for float, then for double.

#include "math_coefficients.h"
#include "philox.h"
#include "table.h"

#include <string.h>

#pragma STDC FP_CONTRACT OFF

#define CK_JOIN_(a, b, c) a##_##b##_##c
#define CK_JOIN(a, b, c) CK_JOIN_(a, b, c)

#define REAL float
#define REAL_SUFFIX f32
#define REAL_INT int32_t
#define REAL_UINT uint32_t
#define REAL_IS_FLOAT 1
#define REAL_BYTES 4
#include "templates.h"
#undef REAL
#undef REAL_SUFFIX
#undef REAL_INT
#undef REAL_UINT
#undef REAL_IS_FLOAT
#undef REAL_BYTES

#define REAL double
#define REAL_SUFFIX f64
#define REAL_INT int64_t
#define REAL_UINT uint64_t
#define REAL_IS_FLOAT 0
#define REAL_BYTES 8
#include "templates.h"
