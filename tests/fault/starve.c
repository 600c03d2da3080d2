/*
 * starve.c: linked into a copy of the charm's program, it lets every allocation of a run fail once in turn.
 *
 * With STARVE=FILE in the environment, each allocation of the main thread forks: the child gets NULL, without any hook
 * tool in its reach, and ends as it ends; the parent waits for it, adds a line to FILE, and goes on with memory. So one
 * run tries all of them. Lines: number, module that asked, its offset, exit code (-N: signal N), bytes on standard
 * error, and their last 300, line ends as |.
 *
 * STARVE_FROM=N begins with the N-th, to look at one again; STARVE_EVERY=N takes every N-th.
 *
 * ASan's own functions stand behind, so it watches as always.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_SECONDS = 20, SHOWN_BYTES = 300 };

void *__interceptor_malloc(size_t size);
void *__interceptor_calloc(size_t count, size_t size);
void *__interceptor_realloc(void *old, size_t size);
int __interceptor_posix_memalign(void **ret, size_t alignment, size_t size);
char *__strdup(const char *text);

static bool starving;
static long count;
static long first;
static long every = 1;
static int report = -1;
static int words = -1; /* the child's standard error */

static long number(const char *variable, long fallback)
{
    const char *text = getenv(variable);
    return text == NULL ? fallback : strtol(text, NULL, 10);
}

/* From the first line of main() on. */
__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("STARVE");
    if (path != NULL) {
        first = number("STARVE_FROM", 0);
        every = number("STARVE_EVERY", 1);
        report = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        words = memfd_create("words", MFD_CLOEXEC);
        starving = report >= 0 && words >= 0;
        if (!starving) {
            _exit(99);
        }
    }
}

/* In the child: no hook tool is found any more, and it ends by itself. */
static void isolate(void)
{
    starving = false;
    const int nothing = open("/dev/null", O_WRONLY);
    dup2(nothing, STDOUT_FILENO);
    dup2(words, STDERR_FILENO);
    for (char **variable = environ; *variable != NULL; variable++) {
        if (strncmp(*variable, "PATH=", 5) == 0) {
            (*variable)[0] = 'X';
        }
    }
    alarm(MOST_SECONDS);
}

/* The part of a path behind the last slash. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static void note(const void *caller, int status)
{
    char shown[SHOWN_BYTES + 1];
    char line[1024];
    Dl_info where = { 0 };
    const bool known = dladdr(caller, &where) != 0;
    const long offset = known ? (const char *)caller - (const char *)where.dli_fbase : 0;
    const off_t size = lseek(words, 0, SEEK_END);
    const ssize_t got =
        pread(words, shown, SHOWN_BYTES, size > SHOWN_BYTES ? size - SHOWN_BYTES : 0);
    shown[got > 0 ? got : 0] = '\0';
    for (char *c = shown; *c != '\0'; c++) {
        *c = *c == '\n' ? '|' : *c;
    }
    const int code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    const int length = snprintf(line, sizeof(line), "%ld\t%s\t%lx\t%d\t%ld\t%s\n", count,
                                known ? base_name(where.dli_fname) : "?", (unsigned long)offset,
                                code, (long)size, shown);
    if (write(report, line, (size_t)length) != length || ftruncate(words, 0) != 0) {
        _exit(99);
    }
    lseek(words, 0, SEEK_SET);
}

/* True: this allocation is to fail, in the process that is asked now. */
static bool fails(const void *caller)
{
    if (!starving || gettid() != getpid()) {
        return false;
    }
    const int before = errno;
    if (++count < first || count % every != 0) {
        return false;
    }
    const pid_t child = fork();
    if (child == 0) {
        isolate();
        errno = ENOMEM;
        return true;
    }
    int status = 0;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (child < 0) {
        _exit(99);
    }
    note(caller, status);
    errno = before;
    return false;
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's begin with underscores */
#define TAKES_OVER __attribute__((visibility("default")))

TAKES_OVER void *malloc(size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __interceptor_malloc(size);
}

TAKES_OVER void *calloc(size_t number, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __interceptor_calloc(number, size);
}

TAKES_OVER void *realloc(void *old, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __interceptor_realloc(old, size);
}

TAKES_OVER int posix_memalign(void **ret, size_t alignment, size_t size)
{
    return fails(__builtin_return_address(0)) ? ENOMEM
                                              : __interceptor_posix_memalign(ret, alignment, size);
}

static char *copy(const char *text, const void *caller)
{
    const size_t size = strlen(text) + 1;
    char *fresh = fails(caller) ? NULL : __interceptor_malloc(size);
    return fresh == NULL ? NULL : memcpy(fresh, text, size);
}

TAKES_OVER char *strdup(const char *text)
{
    return copy(text, __builtin_return_address(0));
}

/* The name by which libraries built with optimisation know it. */
TAKES_OVER char *__strdup(const char *text)
{
    return copy(text, __builtin_return_address(0));
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
