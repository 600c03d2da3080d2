#include "edge/juju/files.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"

struct fixture {
    struct charm_arena *arena;
    char folder[64];
    struct charm_error error;
    const char *bytes;
    size_t size;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->arena = charm_arena_new();
    strcpy(f->folder, "/tmp/charm-files-XXXXXX");
    *state = f;
    return mkdtemp(f->folder) != NULL ? 0 : -1;
}

static void remove_all(struct charm_arena *arena, const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        const char *path = charm_arena_printf(arena, "%s/%s", folder, entry->d_name);
        if (unlink(path) != 0) {
            remove_all(arena, path);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    rmdir(folder);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    remove_all(f->arena, f->folder);
    charm_arena_free(f->arena);
    free(f);
    return 0;
}

static const char *in(struct fixture *f, const char *name)
{
    return charm_arena_printf(f->arena, "%s/%s", f->folder, name);
}

static int read_up_to(struct fixture *f, const char *path, size_t max)
{
    return charmi_file_read(f->arena, path, max, CHARMI_LINKS_REFUSED, &f->bytes, &f->size,
                            &f->error);
}

static mode_t mode_of(const char *path)
{
    struct stat about;
    assert_int_equal(0, lstat(path, &about));
    return about.st_mode & 0777;
}

static int entries(const char *folder)
{
    int count = 0;
    DIR *dir = opendir(folder);
    while (readdir(dir) != NULL) {
        count++;
    }
    closedir(dir);
    return count - 2;
}

static void what_is_written_is_read(void **state)
{
    struct fixture *f = *state;
    const char *path = in(f, "records/last");
    assert_int_equal(0, charmi_file_write(path, "a\0b", 3, &f->error));
    assert_int_equal(0, read_up_to(f, path, 3));
    assert_int_equal(3, f->size);
    assert_memory_equal("a\0b", f->bytes, 4);
}

static void files_and_folders_are_for_the_owner_alone(void **state)
{
    struct fixture *f = *state;
    umask(0);
    assert_int_equal(0, charmi_file_write(in(f, "records/last"), "x", 1, &f->error));
    assert_int_equal(0600, mode_of(in(f, "records/last")));
    assert_int_equal(0700, mode_of(in(f, "records")));
}

static void a_file_is_replaced_and_nothing_else_is_left(void **state)
{
    struct fixture *f = *state;
    const char *path = in(f, "records/last");
    assert_int_equal(0, charmi_file_write(path, "longer", 6, &f->error));
    assert_int_equal(0, charmi_file_write(path, "new", 3, &f->error));
    assert_int_equal(0, read_up_to(f, path, 100));
    assert_string_equal("new", f->bytes);
    assert_int_equal(1, entries(in(f, "records")));
}

static void a_file_that_cannot_be_replaced_stays_and_nothing_is_left(void **state)
{
    struct fixture *f = *state;
    const char *path = in(f, "records/last");
    assert_int_equal(0, mkdir(in(f, "records"), 0700));
    assert_int_equal(0, mkdir(path, 0700));
    assert_int_equal(CHARM_EFAILED, charmi_file_write(path, "x", 1, &f->error));
    assert_true(charmi_ends_with(f->error.text, "records/last: Is a directory"));
    assert_int_equal(1, entries(in(f, "records")));
}

static void a_folder_that_is_a_link_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, mkdir(in(f, "elsewhere"), 0700));
    assert_int_equal(0, symlink("elsewhere", in(f, "records")));
    assert_int_equal(CHARM_EREFUSED, charmi_file_write(in(f, "records/last"), "x", 1, &f->error));
    assert_int_equal(0, entries(in(f, "elsewhere")));
}

static void a_link_in_the_files_place_is_replaced_and_not_followed(void **state)
{
    struct fixture *f = *state;
    const char *victim = in(f, "victim");
    assert_int_equal(0, charmi_file_write(victim, "safe", 4, &f->error));
    assert_int_equal(0, symlink("victim", in(f, "last")));
    assert_int_equal(0, charmi_file_write(in(f, "last"), "new", 3, &f->error));
    assert_int_equal(0, read_up_to(f, victim, 100));
    assert_string_equal("safe", f->bytes);
    assert_int_equal(0, read_up_to(f, in(f, "last"), 100));
    assert_string_equal("new", f->bytes);
}

static void a_link_is_read_only_where_that_is_wanted(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, charmi_file_write(in(f, "target"), "text", 4, &f->error));
    assert_int_equal(0, symlink("target", in(f, "link")));
    assert_int_equal(CHARM_EREFUSED, read_up_to(f, in(f, "link"), 100));
    assert_int_equal(0, charmi_file_read(f->arena, in(f, "link"), 100, CHARMI_LINKS_FOLLOWED,
                                         &f->bytes, &f->size, &f->error));
    assert_string_equal("text", f->bytes);
}

static void a_missing_file_is_not_found(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(CHARM_ENOTFOUND, read_up_to(f, in(f, "nothing"), 100));
    assert_int_equal(CHARM_ENOTFOUND, read_up_to(f, in(f, "no/folder"), 100));
}

static void a_file_beyond_the_ceiling_is_too_big(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, charmi_file_write(in(f, "four"), "1234", 4, &f->error));
    assert_int_equal(CHARM_ETOOBIG, read_up_to(f, in(f, "four"), 3));
    assert_int_equal(0, read_up_to(f, in(f, "four"), 4));
}

static void devices_pipes_and_folders_are_refused_without_waiting(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, mkfifo(in(f, "pipe"), 0600));
    assert_int_equal(CHARM_EREFUSED, read_up_to(f, in(f, "pipe"), 100));
    assert_int_equal(CHARM_EREFUSED, read_up_to(f, "/dev/zero", 100));
    assert_int_equal(CHARM_EREFUSED, read_up_to(f, f->folder, 100));
}

static void a_path_without_a_name_is_invalid(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(CHARM_EINVAL, charmi_file_write("", "x", 1, &f->error));
    assert_int_equal(CHARM_EINVAL, charmi_file_write("/tmp/", "x", 1, &f->error));
}

static void a_missing_parent_of_the_folder_is_an_error(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(CHARM_EFAILED, charmi_file_write(in(f, "a/b/c"), "x", 1, &f->error));
    assert_non_null(strstr(f->error.text, "make folder"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(what_is_written_is_read),
        TEST(files_and_folders_are_for_the_owner_alone),
        TEST(a_file_is_replaced_and_nothing_else_is_left),
        TEST(a_file_that_cannot_be_replaced_stays_and_nothing_is_left),
        TEST(a_folder_that_is_a_link_is_refused),
        TEST(a_link_in_the_files_place_is_replaced_and_not_followed),
        TEST(a_link_is_read_only_where_that_is_wanted),
        TEST(a_missing_file_is_not_found),
        TEST(a_file_beyond_the_ceiling_is_too_big),
        TEST(devices_pipes_and_folders_are_refused_without_waiting),
        TEST(a_path_without_a_name_is_invalid),
        TEST(a_missing_parent_of_the_folder_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
