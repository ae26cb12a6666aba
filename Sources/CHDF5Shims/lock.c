// The one lock around libhdf5, and what is done whenever it is taken.

#include "CHDF5Shims.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int depth; // guarded by the lock
static int most_seconds; // 0: calls have no limits
static size_t most_bytes;
static struct rlimit usual; // between calls
static timer_t timer; // guarded by the lock
static int is_timed;  // guarded by the lock
static _Thread_local int silenced;

static void initialize(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    // Files are closed by their handles. The library's own clean-up at exit would race with threads
    // that still read.
    H5dont_atexit();
    H5open();
    H5PLset_loading_state(0);
    chdf5_register_filters();
}

void chdf5_limit_calls(int seconds, size_t bytes) {
    most_seconds = seconds;
    most_bytes = getrlimit(RLIMIT_DATA, &usual) == 0 ? bytes : 0;
}

// What the process has of its own, in bytes; 0 where that cannot be told.
static size_t data_in_use(void) {
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file) return 0;
    if (fscanf(file, "%*u %*u %*u %*u %*u %zu", &pages) != 1) pages = 0;
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

// libhdf5 allocates whatever lengths a file states. With this limit an absurd allocation fails, and the call returns an
// error.
static void limit_memory(void) {
    size_t in_use = data_in_use();
    struct rlimit limit = usual;
    if (in_use > 0 && in_use + most_bytes < usual.rlim_cur) limit.rlim_cur = in_use + most_bytes;
    setrlimit(RLIMIT_DATA, &limit);
}

// The processor's time of this thread, so that neither a busy machine nor other threads count. Not SIGXCPU: that says that the
// whole process has used what the system allows it.
static void begin_time(void) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGVTALRM};
    struct itimerspec limit = {.it_value.tv_sec = most_seconds};
    is_timed = timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) == 0;
    if (is_timed) timer_settime(timer, 0, &limit, NULL);
}

void chdf5_enter(void) {
    pthread_once(&once, initialize);
    pthread_mutex_lock(&lock);
    depth += 1;
    if (depth == 1 && most_seconds > 0) begin_time();
    if (depth == 1 && most_bytes > 0) limit_memory();
    if (!silenced) {
        H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
        silenced = 1;
    }
}

void chdf5_leave(void) {
    depth -= 1;
    if (depth == 0) {
        H5Eclear2(H5E_DEFAULT);
        if (most_bytes > 0) setrlimit(RLIMIT_DATA, &usual);
        if (is_timed) timer_delete(timer);
        is_timed = 0;
    }
    pthread_mutex_unlock(&lock);
}

void chdf5_allow_plugins(int allowed) {
    static int state; // guarded by the lock
    if (state == allowed) return;
    state = allowed;
    H5PLset_loading_state(allowed ? H5PL_ALL_PLUGIN : 0);
}
