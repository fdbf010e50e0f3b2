#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

/* Runs a target over every file of the folders given, without libFuzzer: so that each build, with
 * any compiler, keeps what fuzzing once found. */

/* From a heap block of exactly the file's size, for a sanitizer to see reads beyond it. */
static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    static uint8_t buffer[1 << 20];
    size_t size = fread(buffer, 1, sizeof buffer, file);
    (void)fclose(file);
    uint8_t *data = malloc(size != 0 ? size : 1);
    if (data == NULL)
        return -1;
    for (size_t i = 0; i < size; i++)
        data[i] = buffer[i];
    (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

/* Returns how many files were run, or -1. */
static int replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        perror(folder);
        return -1;
    }
    int count = 0;
    for (const struct dirent *entry = readdir(dir); entry != NULL && count >= 0;
         entry = readdir(dir)) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        count = replay_file(path) == 0 ? count + 1 : -1;
    }
    (void)closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int count = replay_folder(argv[i]);
        if (count <= 0) {
            fprintf(stderr, "%s: nothing to replay\n", argv[i]);
            return 1;
        }
        printf("%s: %d inputs\n", argv[i], count);
    }
    return 0;
}
