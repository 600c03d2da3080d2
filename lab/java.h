/*
 * lab/java.h: how the lab starts Kafka's programs.
 *
 * One folder of jars serves broker, worker and command line; the file connectors lie apart, as plugins:
 *
 *     HOME/libs/NAME.jar      the class path
 *     HOME/plugins/NAME/      one folder a plugin
 *     HOME/cds/PROGRAM.jsa    class data archives (lab/make-archives makes them); they halve the start-up
 *
 * May include: charm/arena.h, base/text.h.
 */
#ifndef LAB_JAVA_H
#define LAB_JAVA_H

#include "base/text.h"
#include "charm/arena.h"

struct lab_java {
    const char *home;       /* the folder */
    const char *class_path; /* all jars of HOME/libs, sorted: an archive is bound to the order */
    const char *plugins;    /* HOME/plugins */
    const char *log_config; /* a file that has the program log to standard output */
    const char *log_option; /* the JVM option that names it: log4j 2, or log4j 1 before Kafka 4.0 */
};

/*
 * Looks where Kafka is: `home`, or when NULL the newest version in the project's cache. Writes the log configuration
 * into `dir`. Everything that is returned is owned by the arena.
 */
CHARM_MUST_CHECK int lab_java_find(struct charm_arena *arena, const char *home, const char *dir,
                                   struct lab_java *ret_java, struct charm_error *reterr);
/* java with its options: `program` names the archive ("broker", "worker"), `options` follow ours. */
struct charmi_words lab_java_command(struct charm_arena *arena, const struct lab_java *java,
                                     const char *program, const struct charmi_words *options,
                                     const char *main_class);
/* The environment of such a process: a PATH, a HOME, nothing of ours. */
struct charmi_words lab_java_environment(struct charm_arena *arena);

#endif
