/*
 * Plays every hook tool for main_test.c, by the name it is called with. In the folder FAKE_TOOLS it adds its command
 * line to `calls`, and prints the file NAME.out, if there is one; with a file NAME.err it prints that on standard
 * error, and fails.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *open_in(const char *folder, const char *name, const char *ending, const char *mode)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s%s", folder, name, ending);
    return fopen(path, mode);
}

static bool print_file(const char *folder, const char *name, const char *ending, FILE *to)
{
    char text[4096];
    FILE *from = open_in(folder, name, ending, "r");
    if (from == NULL) {
        return false;
    }
    text[fread(text, 1, sizeof(text) - 1, from)] = '\0';
    fputs(text, to);
    fclose(from);
    return true;
}

int main(int argc, char **argv)
{
    const char *folder = getenv("FAKE_TOOLS");
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash != NULL ? slash + 1 : argv[0];
    FILE *calls = open_in(folder, "calls", "", "a");
    if (calls == NULL) {
        return 9;
    }
    fputs(name, calls);
    for (int i = 1; i < argc; i++) {
        fprintf(calls, " %s", argv[i]);
    }
    fputc('\n', calls);
    fclose(calls);
    if (print_file(folder, name, ".err", stderr)) {
        return 1;
    }
    print_file(folder, name, ".out", stdout);
    return 0;
}
