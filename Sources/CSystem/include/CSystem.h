#ifndef CSYSTEM_H
#define CSYSTEM_H

// What Linux offers and Swift's Glibc module does not: calls behind _GNU_SOURCE, and macros.

/// The number of cores that this process's affinity mask allows, or 0 when the kernel does not say.
int csystem_allowed_cores(void);

#endif
