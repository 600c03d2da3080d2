/*
 * Plays a hook tool that means no good, under whatever name it is called. In the folder FAKE_TOOLS it adds its command
 * line to `calls`; the file NAME-LAST there (LAST: its last word), or NAME, says what it does: a first line "print", "exit N", "signal N", "hang" or
 * "flood", and behind it the bytes that it prints (with "exit" on standard error).
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static FILE *open_in(const char *folder, const char *name, const char *mode)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return fopen(path, mode);
}

static void note(const char *folder, const char *name, char **words)
{
    FILE *calls = open_in(folder, "calls", "a");
    if (calls == NULL) {
        _exit(9);
    }
    fputs(name, calls);
    for (; *words != NULL; words++) {
        fprintf(calls, " %s", *words);
    }
    fputc('\n', calls);
    fclose(calls);
}

static void copy(FILE *from, FILE *to)
{
    char bytes[4096];
    size_t size;
    while ((size = fread(bytes, 1, sizeof(bytes), from)) > 0) {
        fwrite(bytes, 1, size, to);
    }
}

/* Gigabytes, unless somebody stops it. */
static void flood(void)
{
    char bytes[64 * 1024];
    memset(bytes, '[', sizeof(bytes));
    for (long i = 0; i < 64 * 1024; i++) {
        fwrite(bytes, 1, sizeof(bytes), stdout);
    }
}

int main(int argc, char **argv)
{
    const char *folder = getenv("FAKE_TOOLS");
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash == NULL ? argv[0] : slash + 1;
    char verb[64] = "";
    note(folder, name, argv + (argc > 0 ? 1 : 0));
    char special[512];
    snprintf(special, sizeof(special), "%s-%s", name, argv[argc - 1]);
    FILE *script = strchr(argv[argc - 1], '/') == NULL ? open_in(folder, special, "r") : NULL;
    script = script == NULL ? open_in(folder, name, "r") : script;
    if (script == NULL || fgets(verb, sizeof(verb), script) == NULL) {
        return 0;
    }
    char *number = strchr(verb, ' ');
    const int value = number == NULL ? 0 : (int)strtol(number, NULL, 10);
    if (strncmp(verb, "signal", 6) == 0) {
        raise(value);
    } else if (strncmp(verb, "hang", 4) == 0) {
        sleep(600);
    } else if (strncmp(verb, "flood", 5) == 0) {
        flood();
    }
    copy(script, strncmp(verb, "exit", 4) == 0 ? stderr : stdout);
    fclose(script);
    return strncmp(verb, "exit", 4) == 0 ? value : 0;
}
