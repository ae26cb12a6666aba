// What Swift's Glibc module does not show to the readers.

#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/// A new file in memory, which programs that are started do not get; -1 where there is none.
static inline int fuzzer_memory_file(void) {
    const unsigned close_on_exec = 1;
    return (int)syscall(SYS_memfd_create, "fuzz", close_on_exec);
}

// libFuzzer's own entry, from the part of it that has no main.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*body)(const uint8_t *bytes, size_t count));
