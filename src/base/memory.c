#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Noreturn void charmi_no_memory(void)
{
    static const char line[] = "out of memory; nothing was committed\n";
    CHARMI_IGNORE(write(STDERR_FILENO, line, sizeof(line) - 1) < 0, "the process ends anyway");
    _exit(CHARM_EXIT_NO_MEMORY);
}

_Noreturn void charmi_bug(const char *what)
{
    static const char line[] = "bug: ";
    CHARMI_IGNORE(write(STDERR_FILENO, line, sizeof(line) - 1) < 0, "the process ends anyway");
    CHARMI_IGNORE(write(STDERR_FILENO, what, strlen(what)) < 0, "the process ends anyway");
    CHARMI_IGNORE(write(STDERR_FILENO, "\n", 1) < 0, "the process ends anyway");
    abort();
}

void *charmi_malloc(size_t size)
{
    void *memory = malloc(size > 0 ? size : 1);
    if (memory == NULL) {
        charmi_no_memory();
    }
    return memory;
}

void *charmi_realloc(void *old, size_t size)
{
    void *memory = realloc(old, size > 0 ? size : 1);
    if (memory == NULL) {
        charmi_no_memory();
    }
    return memory;
}

size_t charmi_multiply(size_t a, size_t b)
{
    if (b != 0 && a > SIZE_MAX / b) {
        charmi_no_memory();
    }
    return a * b;
}
