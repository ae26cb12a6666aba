#ifndef CSYSTEM_H
#define CSYSTEM_H

// What Linux offers and Swift's Glibc module does not: calls behind _GNU_SOURCE, macros, signal handlers,
// and the one digest that needs the CPU's own instructions.

#include <stddef.h>
#include <stdint.h>

/// The number of cores that this process's affinity mask allows, or 0 when the kernel does not say.
int csystem_allowed_cores(void);

/// Tells the CPU that this thread is spinning, so that the other hardware thread of the core gets its share.
static inline void csystem_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

/// Ends this process when the one that started it ends.
void csystem_end_with_parent(void);

/// Locks a whole file that is open for writing, without waiting, until the last copy of this descriptor is closed.
///
/// The lock is the open file description's own; libhdf5's flock does not collide with it. Returns 0, or an errno value.
int csystem_claim(int descriptor);

/// Lets the disk begin to write these bytes of a file, without waiting for it. A hint: where it is not understood nothing happens.
void csystem_begin_writeback(int descriptor, int64_t offset, int64_t count);

// SHA-256 (FIPS 180-4), with the CPU's SHA instructions where it has them.

typedef struct csystem_sha256 {
    uint32_t state[8];
    /// Bytes seen so far.
    uint64_t length;
    /// The last length % 64 of them.
    uint8_t pending[64];
} csystem_sha256;

void csystem_sha256_begin(csystem_sha256 *hash);
void csystem_sha256_add(csystem_sha256 *hash, const void *bytes, size_t count);
/// Adds `count` bytes to each of two, in less time than one after the other.
void csystem_sha256_add_to_two(csystem_sha256 *one, const void *bytes, csystem_sha256 *other, const void *more,
                               size_t count);
/// Writes the digest; the hash must begin anew before it is used again.
void csystem_sha256_end(csystem_sha256 *hash, uint8_t digest[32]);

/// What a digest has come to after a multiple of 64 bytes, and a digest that goes on from there after `length` bytes.
void csystem_sha256_state(const csystem_sha256 *hash, uint8_t state[32]);
void csystem_sha256_resume(csystem_sha256 *hash, const uint8_t state[32], uint64_t length);

/// Forbids (1) or allows (0) the CPU's own instructions, so that tests reach both paths. Not while digests run.
void csystem_sha256_use_portable(int portable);

// Signals, as flags that anyone may poll. All of these may be called at any time from any thread.

/// Installs the handlers: SIGTERM, SIGINT, SIGUSR2 and SIGXCPU ask for a stop, SIGHUP and SIGUSR1 for a checkpoint, SIGPIPE and
/// SIGXFSZ are ignored so that the failing call says why. A SIGINT more than 50 ms after a request to stop ends the
/// process. SIGXCPU comes some seconds of processor time before the limit at which the kernel kills.
/// Unblocks them on the calling thread, which should be the main one. Returns 0, or an errno value.
int csystem_watch_signals(void);

/// Lets SIGTERM, SIGINT, SIGUSR2, SIGXCPU, SIGHUP and SIGUSR1 wait on the calling thread, until there are handlers for them or
/// they are released. Returns 0, or an errno value.
int csystem_hold_requests(void);

/// Lets those signals come, with the handlers that there are. Returns 0, or an errno value.
int csystem_release_requests(void);

/// The signal that asked for a stop, or 0.
int csystem_stop_signal(void);

/// Whether a checkpoint was asked for since the last call.
int csystem_take_checkpoint_request(void);

#endif
