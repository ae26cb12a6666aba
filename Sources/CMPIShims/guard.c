#include "CMPIShims.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t child;

static void pass_on(int number) {
    if (child > 0) kill((pid_t)child, number);
}

// A launcher gives a killed rank's job a code of its own, such as 137, and schedulers start again at 75 alone. Only a
// parent sees the death and still has a code to give.
void cmpi_guard(const char *rank, int code) {
    static const int passed[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid(), process = fork();
    if (process <= 0) {
        if (process == 0) {
            // A group of its own: what is sent to the launcher's group would come twice, and a second SIGINT kills.
            setpgid(0, 0);
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() != parent) _exit(code);
        }
        sigprocmask(SIG_SETMASK, &before, NULL);
        return;
    }
    child = process;
    struct sigaction action = {.sa_handler = pass_on};
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++) sigaction(passed[i], &action, NULL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    int status = 0;
    while (waitpid(process, &status, 0) < 0) {
        if (errno != EINTR) _exit(code);
    }
    if (!WIFSIGNALED(status)) _exit(WEXITSTATUS(status));
    char host[256] = "an unknown host";
    gethostname(host, sizeof host - 1);
    int number = WTERMSIG(status);
    dprintf(STDERR_FILENO,
            "error: rank %s on %s was ended by signal %d (%s); the last checkpoint is intact: start the same command "
            "again\n",
            rank, host, number, strsignal(number));
    _exit(code);
}
