#include "lab/java.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

static const char log4j_1_lines[] =
    "log4j.rootLogger=INFO, out\n"
    "log4j.appender.out=org.apache.log4j.ConsoleAppender\n"
    "log4j.appender.out.layout=org.apache.log4j.PatternLayout\n"
    "log4j.appender.out.layout.ConversionPattern=[%d] %p %m (%c:%L)%n\n";

static const char log4j_2_lines[] =
    "status = error\n"
    "appender.out.type = Console\n"
    "appender.out.name = out\n"
    "appender.out.layout.type = PatternLayout\n"
    "appender.out.layout.pattern = [%d{yyyy-MM-dd HH:mm:ss,SSS}] %p %m (%c:%L)%n\n"
    "rootLogger.level = INFO\n"
    "rootLogger.appenderRef.out.ref = out\n";

static const char *cache_dir(struct charm_arena *arena)
{
    const char *own = getenv("KCB_CACHE");
    if (!charmi_blank(own)) {
        return own;
    }
    const char *xdg = getenv("XDG_CACHE_HOME");
    if (!charmi_blank(xdg)) {
        return charm_arena_printf(arena, "%s/kafka-connect-base", xdg);
    }
    const char *home = getenv("HOME");
    return charm_arena_printf(arena, "%s/.cache/kafka-connect-base", home == NULL ? "/" : home);
}

/* Names in a directory that end so, sorted. */
static struct charmi_words list_dir(struct charm_arena *arena, const char *path, const char *end)
{
    struct charmi_words names = { 0 };
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return names;
    }
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (entry->d_name[0] != '.' && charmi_ends_with(entry->d_name, end)) {
            charmi_words_add(arena, &names, charm_arena_copy(arena, entry->d_name));
        }
    }
    closedir(dir);
    charmi_words_sort(&names);
    return names;
}

/* The newest version in the cache that has jars. */
static const char *find_home(struct charm_arena *arena)
{
    const char *base = charm_arena_printf(arena, "%s/kafka", cache_dir(arena));
    const struct charmi_words versions = list_dir(arena, base, "");
    for (size_t i = versions.size; i > 0; i--) {
        const char *home = charm_arena_printf(arena, "%s/%s", base, versions.at[i - 1]);
        if (access(charm_arena_printf(arena, "%s/libs", home), R_OK) == 0) {
            return home;
        }
    }
    return base;
}

static const char *class_path_of(struct charm_arena *arena, const char *home)
{
    const char *libs = charm_arena_printf(arena, "%s/libs", home);
    const struct charmi_words jars = list_dir(arena, libs, ".jar");
    struct charmi_words paths = { 0 };
    for (size_t i = 0; i < jars.size; i++) {
        charmi_words_add(arena, &paths, charm_arena_printf(arena, "%s/%s", libs, jars.at[i]));
    }
    return charmi_words_join(arena, &paths, ":");
}

static int write_log_config(const char *path, const char *lines, struct charm_error *reterr)
{
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        return charm_error_os(reterr, errno, "write %s", path);
    }
    const int put = fputs(lines, file);
    if (fclose(file) != 0 || put < 0) {
        return charm_error_os(reterr, errno, "write %s", path);
    }
    return 0;
}

int lab_java_find(struct charm_arena *arena, const char *home, const char *dir,
                  struct lab_java *ret_java, struct charm_error *reterr)
{
    struct lab_java java = { .home = home != NULL ? home : find_home(arena) };
    java.class_path = class_path_of(arena, java.home);
    java.plugins = charm_arena_printf(arena, "%s/plugins", java.home);
    const bool old_log = strstr(java.class_path, "/reload4j-") != NULL ||
                         strstr(java.class_path, "/log4j-1.") != NULL;
    java.log_config =
        charm_arena_printf(arena, "%s/%s.properties", dir, old_log ? "log4j" : "log4j2");
    java.log_option = charm_arena_printf(
        arena, old_log ? "-Dlog4j.configuration=file:%s" : "-Dlog4j2.configurationFile=%s",
        java.log_config);
    if (java.class_path[0] == '\0') {
        return charm_error_set(
            reterr, CHARM_ENOTFOUND,
            "find Kafka: no jars in %s/libs (tools/prerequisites puts them there)", java.home);
    }
    const int code =
        write_log_config(java.log_config, old_log ? log4j_1_lines : log4j_2_lines, reterr);
    if (code == 0) {
        *ret_java = java;
    }
    return code;
}

struct charmi_words lab_java_command(struct charm_arena *arena, const struct lab_java *java,
                                     const char *program, const struct charmi_words *options,
                                     const char *main_class)
{
    struct charmi_words words = { 0 };
    charmi_words_add(arena, &words, "java");
    charmi_words_add(arena, &words, "-XX:TieredStopAtLevel=1");
    charmi_words_add(arena, &words, "-XX:+UseSerialGC");
    const char *archive = charm_arena_printf(arena, "%s/cds/%s.jsa", java->home, program);
    if (access(archive, R_OK) == 0) {
        charmi_words_add(arena, &words,
                         charm_arena_printf(arena, "-XX:SharedArchiveFile=%s", archive));
    }
    charmi_words_add(arena, &words, java->log_option);
    for (size_t i = 0; options != NULL && i < options->size; i++) {
        charmi_words_add(arena, &words, options->at[i]);
    }
    charmi_words_add(arena, &words, "-cp");
    charmi_words_add(arena, &words, java->class_path);
    charmi_words_add(arena, &words, main_class);
    return words;
}

struct charmi_words lab_java_environment(struct charm_arena *arena)
{
    struct charmi_words env = { 0 };
    const char *path = getenv("PATH");
    charmi_words_add(arena, &env,
                     charm_arena_printf(arena, "PATH=%s", path == NULL ? "/usr/bin:/bin" : path));
    charmi_words_add(arena, &env, "HOME=/tmp");
    charmi_words_add(arena, &env, "LANG=C.UTF-8");
    return env;
}
