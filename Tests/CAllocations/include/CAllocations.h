#ifndef CALLOCATIONS_H
#define CALLOCATIONS_H

#include <stddef.h>

/// Allocations that this thread has made since it started, counted in place of the C library's `malloc` and its kin;
/// always 0 where a sanitizer has taken their place.
size_t callocations_of_this_thread(void);

/// Whether allocations are counted.
int callocations_counts(void);

#endif
