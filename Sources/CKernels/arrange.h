#ifndef CK_ARRANGE_H
#define CK_ARRANGE_H

#include <stddef.h>

// Memory that is handed out from its start, in pieces on cache lines; counted only where there is none.
typedef struct ck_region {
    char *start;
    size_t used;
} ck_region;

static inline void *ck_take(ck_region *region, size_t bytes) {
    void *piece = region->start ? region->start + region->used : 0;
    region->used += (bytes + 63) / 64 * 64;
    return piece;
}

#endif
