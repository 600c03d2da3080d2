/*
 * Plays a hook tool that means no good, under whatever name it is called. In the folder FAKE_TOOLS it adds its command
 * line to `calls`; the file there that is named as its command line with each slash as %, or NAME-LAST (LAST: its last
 * word), or NAME, says what it does: a first line "print", "exit N", "signal N", "hang" or "flood", and behind it the
 * bytes that it prints (with "exit" on standard error).
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

static FILE *find_script(const char *folder, const char *name, int argc, char **argv)
{
    char line[512];
    size_t size = (size_t)snprintf(line, sizeof(line), "%s", name);
    for (int i = 1; i < argc && size < sizeof(line); i++) {
        size += (size_t)snprintf(line + size, sizeof(line) - size, " %s", argv[i]);
    }
    for (char *slash = strchr(line, '/'); slash != NULL; slash = strchr(slash, '/')) {
        *slash = '%';
    }
    FILE *script = open_in(folder, line, "r");
    if (script == NULL && strchr(argv[argc - 1], '/') == NULL) {
        snprintf(line, sizeof(line), "%s-%s", name, argv[argc - 1]);
        script = open_in(folder, line, "r");
    }
    return script == NULL ? open_in(folder, name, "r") : script;
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
    FILE *script = find_script(folder, name, argc, argv);
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
