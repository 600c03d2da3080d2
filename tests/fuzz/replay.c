/*
 * replay FILE|FOLDER...: gives a fuzz target each file, as libFuzzer would. A finding ends the process. It fails when
 * there is nothing to play.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "fuzz.h"

static size_t played;

static void play_file(const char *path, size_t size)
{
    /* Exactly as large as the input, so that ASan sees a read beyond it. */
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    FILE *file = fopen(path, "rb");
    MUST(file != NULL && bytes != NULL, "%s cannot be read", path);
    MUST(fread(bytes, 1, size, file) == size, "%s cannot be read", path);
    fclose(file);
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    played++;
}

static void play(const char *path)
{
    struct stat status;
    MUST(stat(path, &status) == 0, "there is no %s", path);
    if (!S_ISDIR(status.st_mode)) {
        play_file(path, (size_t)status.st_size);
        return;
    }
    struct dirent **entries = NULL;
    const int count = scandir(path, &entries, NULL, alphasort);
    MUST(count >= 0, "%s cannot be read", path);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            char inner[4096];
            snprintf(inner, sizeof(inner), "%s/%s", path, entries[i]->d_name);
            play(inner);
        }
        free(entries[i]);
    }
    free((void *)entries);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        play(argv[i]);
    }
    printf("%zu inputs\n", played);
    return played > 0 ? 0 : 1;
}
