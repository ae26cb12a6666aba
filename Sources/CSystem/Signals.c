#include "CSystem.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>

static atomic_int stop_signal;
// In nanoseconds of the monotonic clock; 0 while nothing has asked.
static atomic_llong stop_time;
static atomic_int checkpoint_requested;

// One request may come twice: timeout(1) sends its signal to the process and to its group, and a terminal's or a
// batch system's reaches a child both by itself and through its parent.
static const long long same_request = 50000000;

// Only what POSIX allows in a handler: lock-free atomics, clock_gettime, sigaction and raise.
_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2, "signal handlers need atomics without locks");

// Asks for a stop unless something has, and returns how long ago that was.
static long long ask_for_stop(int number) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long long time = now.tv_sec * 1000000000LL + now.tv_nsec, first = 0;
    if (atomic_compare_exchange_strong(&stop_time, &first, time)) {
        atomic_store(&stop_signal, number);
        return 0;
    }
    return time - first;
}

static void stop(int number) {
    int saved = errno;
    if (ask_for_stop(number) > same_request && number == SIGINT) {
        // The second Ctrl-C: end as if there were no handler, so that the shell sees a death by SIGINT.
        struct sigaction plain = {.sa_handler = SIG_DFL};
        sigaction(SIGINT, &plain, NULL);
        raise(SIGINT);
    }
    errno = saved;
}

static void ask_for_checkpoint(int number) {
    (void)number;
    atomic_store(&checkpoint_requested, 1);
}

static int handle(int number, void (*handler)(int)) {
    // SA_RESTART: a request must never look like a failed read or write to code that knows nothing of it.
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    return sigaction(number, &action, NULL) == 0 ? 0 : errno;
}

// `ulimit -t` sets the processor time after which SIGXCPU comes and that after which the kernel kills to the same second:
// a stop needs some seconds between them.
static void leave_time_to_stop(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_CPU, &limit) != 0 || limit.rlim_max == RLIM_INFINITY) return;
    rlim_t share = limit.rlim_max / 20, reserve = share > 2 ? share : 2;
    rlim_t latest = limit.rlim_max > reserve ? limit.rlim_max - reserve : 1;
    if (limit.rlim_cur <= latest) return;
    limit.rlim_cur = latest;
    setrlimit(RLIMIT_CPU, &limit);
}

int csystem_watch_signals(void) {
    int failure = 0;
    if (!failure) failure = handle(SIGTERM, stop);
    if (!failure) failure = handle(SIGINT, stop);
    // The limit on processor time is near.
    if (!failure) failure = handle(SIGXCPU, stop);
    leave_time_to_stop();
    // Launchers such as mpirun forward SIGUSR2 to the ranks without ending them, so it can ask for a stop.
    if (!failure) failure = handle(SIGUSR2, stop);
    if (!failure) failure = handle(SIGHUP, ask_for_checkpoint);
    if (!failure) failure = handle(SIGUSR1, ask_for_checkpoint);
    if (!failure) failure = handle(SIGPIPE, SIG_IGN);
    if (!failure) failure = handle(SIGXFSZ, SIG_IGN);
    // A parent that blocks signals on the thread that starts programs hands its mask down.
    if (!failure) failure = csystem_release_requests();
    return failure;
}

static int change_mask(int how) {
    sigset_t requests;
    sigemptyset(&requests);
    sigaddset(&requests, SIGTERM);
    sigaddset(&requests, SIGINT);
    sigaddset(&requests, SIGHUP);
    sigaddset(&requests, SIGUSR1);
    sigaddset(&requests, SIGUSR2);
    sigaddset(&requests, SIGXCPU);
    return pthread_sigmask(how, &requests, NULL);
}

int csystem_hold_requests(void) { return change_mask(SIG_BLOCK); }

int csystem_release_requests(void) { return change_mask(SIG_UNBLOCK); }

int csystem_stop_signal(void) { return atomic_load_explicit(&stop_signal, memory_order_relaxed); }

int csystem_take_checkpoint_request(void) {
    // A plain load first: this is polled every batch, and an exchange would own the cache line each time.
    return atomic_load_explicit(&checkpoint_requested, memory_order_relaxed) && atomic_exchange(&checkpoint_requested, 0);
}
