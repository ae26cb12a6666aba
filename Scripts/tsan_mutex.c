// Shows the thread sanitizer what Swift's Mutex orders; Scripts/sanitize preloads it.
//
// A Mutex that is free is taken and given back by atomic operations that are compiled into its user, and the
// sanitizer sees those. Where two threads meet, the kernel hands the lock over, called from a library of Swift's that
// was not built with the sanitizer, which then reports what the lock protects as a race. Here the two calls into that
// library are told to the sanitizer and passed on.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MUTEX __attribute__((swift_context)) void *mutex
#define SWIFT __attribute__((swiftcall))
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

// Absent in the programs that start the tests, which are built without the sanitizer.
__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);

typedef SWIFT void Lock(uint32_t thread, MUTEX);
typedef SWIFT void Unlock(MUTEX);

Lock lock __asm__(LOCK);
Unlock unlock __asm__(UNLOCK);

static void *next(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) {
        fprintf(stderr, "tsan_mutex.c: Swift's library has no %s any more: see how its Mutex waits now\n", name);
        abort();
    }
    return found;
}

SWIFT void lock(uint32_t thread, MUTEX) {
    ((Lock *)next(LOCK))(thread, mutex);
    if (__tsan_acquire) __tsan_acquire(mutex);
}

SWIFT void unlock(MUTEX) {
    if (__tsan_release) __tsan_release(mutex);
    ((Unlock *)next(UNLOCK))(mutex);
}
