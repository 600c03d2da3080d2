/*
 * Plays a program for process_test.c and main_test.c: the first argument says how it behaves.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void sleep_seconds(int seconds)
{
    const struct timespec time = { .tv_sec = seconds };
    nanosleep(&time, NULL);
}

/* Copies standard input to standard output. */
static int echo(void)
{
    char bytes[4096];
    size_t size;
    while ((size = fread(bytes, 1, sizeof(bytes), stdin)) > 0) {
        fwrite(bytes, 1, size, stdout);
    }
    return 0;
}

static int many(FILE *to, long count)
{
    for (long i = 0; i < count; i++) {
        fputc('x', to);
    }
    return 0;
}

/* Prints the descriptors that are open, without the one that looks. */
static int descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    const int own = dirfd(folder);
    struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.' && strtol(entry->d_name, NULL, 10) != own) {
            printf("%s ", entry->d_name);
        }
    }
    closedir(folder);
    return 0;
}

/* Ends at once and leaves a child behind that holds the pipes. */
static int leave_child(void)
{
    puts("left");
    fflush(stdout);
    if (fork() == 0) {
        sleep_seconds(20);
    }
    return 0;
}

static int sigpipe_action(void)
{
    struct sigaction action;
    sigaction(SIGPIPE, NULL, &action);
    puts(action.sa_handler == SIG_DFL ? "default" : "other");
    return 0;
}

static int close_outputs_and_hang(void)
{
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    sleep_seconds(20);
    return 0;
}

static int print_arguments(char **argv)
{
    for (; *argv != NULL; argv++) {
        printf("[%s]", *argv);
    }
    return 0;
}

/* Becomes another program without any argument, not even its name, and without an environment. */
static int become(const char *program)
{
    char *const nothing[] = { NULL };
    execve(program, nothing, nothing);
    perror(program);
    return 1;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    const char *more = argc > 2 ? argv[2] : "";
    const long number = strtol(more, NULL, 10);
    if (strcmp(what, "exit") == 0) {
        fputs("ERROR first line\n\tsecond line\n", stderr);
        return (int)number;
    }
    if (strcmp(what, "echo") == 0) {
        return echo();
    }
    if (strcmp(what, "many") == 0) {
        return many(stdout, number);
    }
    if (strcmp(what, "many-err") == 0) {
        return many(stderr, number);
    }
    if (strcmp(what, "hang") == 0) {
        sleep_seconds(20);
        return 0;
    }
    if (strcmp(what, "kill") == 0) {
        return kill(getpid(), SIGKILL);
    }
    if (strcmp(what, "deaf") == 0) {
        puts("I did not listen");
        return 0;
    }
    if (strcmp(what, "env") == 0) {
        puts(getenv(more) != NULL ? getenv(more) : "(none)");
        return 0;
    }
    if (strcmp(what, "descriptors") == 0) {
        return descriptors();
    }
    if (strcmp(what, "leave-child") == 0) {
        return leave_child();
    }
    if (strcmp(what, "sigpipe") == 0) {
        return sigpipe_action();
    }
    if (strcmp(what, "close-outputs") == 0) {
        return close_outputs_and_hang();
    }
    if (strcmp(what, "bare") == 0) {
        return become(more);
    }
    return print_arguments(argv);
}
