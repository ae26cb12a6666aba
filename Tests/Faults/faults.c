// Makes one system call of a program go wrong: loaded into it with LD_PRELOAD, it stands between the program and the C
// library.
//
// FAULTS=WHICH,WHAT,NUMBER says what happens at the call of that number, counted from 1 in every process:
//
//   WHICH   changes   calls that change files: creating, writing, syncing, renaming, linking, removing
//           reads     calls that look at files: opening, reading, asking for their state
//           bytes     NUMBER counts the bytes written to files instead of calls
//   WHAT    kill      the process ends by SIGKILL before the call
//           term      it gets SIGTERM before the call, which then takes place
//           crash     the process ends by SIGSEGV before the call, as libhdf5 does on some files
//           hang      the process computes without end instead of the call, as libhdf5 does on others
//           a number  the call fails with this errno value; with "bytes", so does every later one, as on a full disk
//
// FAULTS_FILE is a name, with which the paths of the files end that count; all files do without it. FAULTS_CALLER is a part
// of a library's name, whose calls alone count.
// FAULTS_REACHED names a file that is created when it happens, so that whoever counts upwards knows when to stop. To
// FAULTS_COUNT each process that ends by itself adds a line: how many calls or bytes there were.

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum class { nothing, changes, reads, bytes };
enum { kill_it = -1, stop_it = -2, crash_it = -3, hang_it = -4 };

static enum class wanted;
static int what;
static long long number;
static atomic_llong count;
static const char *reached;
static const char *file_name;
static const char *caller_name;

__attribute__((constructor)) static void begin(void) {
    const char *order = getenv("FAULTS");
    char which[16], how[16];
    if (!order || sscanf(order, "%15[a-z],%15[a-z0-9],%lld", which, how, &number) != 3) return;
    wanted = !strcmp(which, "changes") ? changes : !strcmp(which, "reads") ? reads : !strcmp(which, "bytes") ? bytes : nothing;
    what = !strcmp(how, "kill")    ? kill_it
           : !strcmp(how, "term")  ? stop_it
           : !strcmp(how, "crash") ? crash_it
           : !strcmp(how, "hang")  ? hang_it
                                   : atoi(how);
    reached = getenv("FAULTS_REACHED");
    file_name = getenv("FAULTS_FILE");
    caller_name = getenv("FAULTS_CALLER");
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("FAULTS_COUNT");
    if (!path || wanted == nothing) return;
    // A process that may write no file, as one that looks at files for another, ends well and without a line.
    signal(SIGXFSZ, SIG_IGN);
    char line[32];
    int length = snprintf(line, sizeof line, "%lld\n", (long long)atomic_load(&count));
    long descriptor = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (descriptor < 0) return;
    syscall(SYS_write, descriptor, line, (size_t)length);
    syscall(SYS_close, descriptor);
}

static void mark(void) {
    if (!reached) return;
    // Past the functions below, which would count it.
    long descriptor = syscall(SYS_openat, AT_FDCWD, reached, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor >= 0) syscall(SYS_close, descriptor);
}

// Whether this call of its class is to fail; errno then says how.
static int fails(enum class class) {
    if (class != wanted || atomic_fetch_add(&count, 1) + 1 != number) return 0;
    mark();
    if (what == kill_it) kill(getpid(), SIGKILL);
    if (what == stop_it) kill(getpid(), SIGTERM);
    if (what == crash_it) raise(SIGSEGV);
    volatile int goes_on = what == hang_it;
    while (goes_on) {}
    if (what < 0) return 0;
    errno = what;
    return 1;
}

static int has_name(const char *path) {
    if (!file_name) return 1;
    size_t length = strlen(path), due = strlen(file_name);
    return length >= due && !strcmp(path + length - due, file_name);
}

static int is_called_by(void *address) {
    Dl_info info;
    return !caller_name || (dladdr(address, &info) && info.dli_fname && strstr(info.dli_fname, caller_name));
}
#define IS_CALLED is_called_by(__builtin_return_address(0))

static int is_named(int descriptor) {
    if (!file_name) return 1;
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
    return has_name(path);
}

static int is_file(int descriptor) {
    struct stat status;
    return descriptor > 2 && syscall(SYS_fstat, descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

// How many of `size` bytes may still be written; -1 where none may, and errno says why.
static ssize_t room(int descriptor, size_t size) {
    if (!is_file(descriptor)) return (ssize_t)size;
    if (wanted == changes) return fails(changes) ? -1 : (ssize_t)size;
    if (wanted != bytes || size == 0) return (ssize_t)size;
    long long before = atomic_fetch_add(&count, (long long)size);
    if (before + (long long)size <= number) return (ssize_t)size;
    mark();
    if (what == kill_it) kill(getpid(), SIGKILL);
    if (before < number) return (ssize_t)(number - before);
    errno = what;
    return -1;
}

#define REAL(name) ((__typeof__(&name))real_##name())
#define FIND(name)                                                                                     \
    static void *real_##name(void) {                                                                   \
        static _Atomic(void *) found;                                                                  \
        void *function = atomic_load(&found);                                                          \
        if (!function) atomic_store(&found, function = dlsym(RTLD_NEXT, #name));                       \
        return function;                                                                               \
    }

// Opening with the right to create or cut is a change; any other is a look.
#define OPEN(name, arguments, call)                                                                    \
    FIND(name)                                                                                         \
    int name arguments {                                                                               \
        mode_t mode = 0;                                                                               \
        if (flags & (O_CREAT | O_TMPFILE)) {                                                           \
            va_list rest;                                                                              \
            va_start(rest, flags);                                                                     \
            mode = va_arg(rest, mode_t);                                                               \
            va_end(rest);                                                                              \
        }                                                                                              \
        if (has_name(path) && IS_CALLED && fails(flags & (O_CREAT | O_TRUNC) ? changes : reads)) return -1; \
        return call;                                                                                   \
    }

OPEN(open, (const char *path, int flags, ...), REAL(open)(path, flags, mode))
OPEN(open64, (const char *path, int flags, ...), REAL(open64)(path, flags, mode))
OPEN(openat, (int place, const char *path, int flags, ...), REAL(openat)(place, path, flags, mode))
OPEN(openat64, (int place, const char *path, int flags, ...), REAL(openat64)(place, path, flags, mode))

// Calls that change files count whatever their files' names.
#define PASS(class, result, failure, name, arguments, names)                                           \
    FIND(name)                                                                                         \
    result name arguments { return !file_name && IS_CALLED && fails(class) ? (failure) : REAL(name) names; }

PASS(changes, int, -1, rename, (const char *old, const char *new), (old, new))
PASS(changes, int, -1, renameat, (int a, const char *old, int b, const char *new), (a, old, b, new))
PASS(changes, int, -1, renameat2, (int a, const char *old, int b, const char *new, unsigned flags), (a, old, b, new, flags))
PASS(changes, int, -1, link, (const char *old, const char *new), (old, new))
PASS(changes, int, -1, unlink, (const char *path), (path))
PASS(changes, int, -1, unlinkat, (int place, const char *path, int flags), (place, path, flags))
PASS(changes, int, -1, rmdir, (const char *path), (path))
PASS(changes, int, -1, mkdir, (const char *path, mode_t mode), (path, mode))
PASS(changes, int, -1, ftruncate, (int descriptor, off_t size), (descriptor, size))
PASS(changes, int, -1, ftruncate64, (int descriptor, off64_t size), (descriptor, size))
PASS(changes, int, -1, fsync, (int descriptor), (descriptor))
PASS(changes, int, -1, fdatasync, (int descriptor), (descriptor))
PASS(changes, int, -1, fchmod, (int descriptor, mode_t mode), (descriptor, mode))

#define LOOK(named, result, failure, name, arguments, names)                                           \
    FIND(name)                                                                                         \
    result name arguments { return named && IS_CALLED && fails(reads) ? (failure) : REAL(name) names; }

LOOK(has_name(path), int, -1, stat, (const char *path, struct stat *status), (path, status))
LOOK(is_named(descriptor), int, -1, fstat, (int descriptor, struct stat *status), (descriptor, status))
LOOK(has_name(path), int, -1, lstat, (const char *path, struct stat *status), (path, status))
LOOK(has_name(path), int, -1, stat64, (const char *path, struct stat64 *status), (path, status))
LOOK(is_named(descriptor), int, -1, fstat64, (int descriptor, struct stat64 *status), (descriptor, status))
LOOK(has_name(path), DIR *, NULL, opendir, (const char *path), (path))
LOOK(is_named(dirfd(directory)), struct dirent *, NULL, readdir, (DIR *directory), (directory))
LOOK(has_name(path), int, -1, access, (const char *path, int mode), (path, mode))
PASS(reads, void *, (void *)-1, mmap, (void *at, size_t size, int protection, int flags, int descriptor, off_t offset),
     (at, size, protection, flags, descriptor, offset))

// These give the number of the error instead of setting errno.
FIND(posix_fallocate)
int posix_fallocate(int descriptor, off_t offset, off_t size) {
    return fails(changes) ? errno : REAL(posix_fallocate)(descriptor, offset, size);
}
FIND(posix_fallocate64)
int posix_fallocate64(int descriptor, off64_t offset, off64_t size) {
    return fails(changes) ? errno : REAL(posix_fallocate64)(descriptor, offset, size);
}

#define WRITE(name, arguments, names)                                                                  \
    FIND(name)                                                                                         \
    ssize_t name arguments {                                                                           \
        ssize_t left = room(descriptor, size);                                                         \
        if (left < 0) return -1;                                                                       \
        size = (size_t)left;                                                                           \
        return REAL(name) names;                                                                       \
    }

WRITE(write, (int descriptor, const void *buffer, size_t size), (descriptor, buffer, size))
WRITE(pwrite, (int descriptor, const void *buffer, size_t size, off_t at), (descriptor, buffer, size, at))
WRITE(pwrite64, (int descriptor, const void *buffer, size_t size, off64_t at), (descriptor, buffer, size, at))

#define READ(name, arguments, names)                                                                   \
    FIND(name)                                                                                         \
    ssize_t name arguments {                                                                           \
        return is_file(descriptor) && is_named(descriptor) && IS_CALLED && fails(reads) ? -1                \
                                                                                        : REAL(name) names; \
    }

READ(read, (int descriptor, void *buffer, size_t size), (descriptor, buffer, size))
READ(pread, (int descriptor, void *buffer, size_t size, off_t at), (descriptor, buffer, size, at))
READ(pread64, (int descriptor, void *buffer, size_t size, off64_t at), (descriptor, buffer, size, at))
