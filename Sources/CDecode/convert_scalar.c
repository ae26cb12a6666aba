#define NAME(f) cd_scalar_##f
#include "convert_template.h"
