#include "certs/enroll/identity_dir.h"

#include "certs/ca.h"
#include "certs/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OVERLAY "overlay.xml"
#define NODE    "node.pem"
#define KEY     "node.key"
#define CACHE   "peers.cache"

static int io(struct reload_cert_reason *reason, const char *path)
{
    return reload_cert_refuse(reason, RELOAD_E_IO, "%s cannot be written: %s", path,
                              strerror(errno));
}

static int write_file(const char *directory, const char *name, struct reload_slice content,
                      bool secret, struct reload_cert_reason *reason)
{
    char *path = reload_cert_file_path(directory, name);
    int error = path ? reload_cert_file_write(path, content, secret, reason) : RELOAD_E_NOMEM;
    reload_free(path);
    return error;
}

static int fill(const char *directory, const struct reload_enroll_identity_dir *content,
                struct reload_cert_reason *reason)
{
    struct reload_cert_bytes pem;
    int error = reload_cert_pem(&content->certificate, 1, &pem);
    if (error)
        return error;
    error = write_file(directory, OVERLAY, content->document, content->document_is_secret, reason);
    if (!error)
        error = write_file(directory, NODE, reload_cert_bytes_slice(&pem), false, reason);
    reload_cert_bytes_fini(&pem);
    char *key = reload_cert_file_path(directory, KEY);
    if (!error)
        error = key ? reload_cert_key_write(content->key, key, reason) : RELOAD_E_NOMEM;
    reload_free(key);
    return error;
}

static bool is_ours(const char *name)
{
    return strcmp(name, OVERLAY) == 0 || strcmp(name, NODE) == 0 || strcmp(name, KEY) == 0 ||
           strcmp(name, CACHE) == 0;
}

/* Empties a folder: our files are removed, those of others move to `keep` (NULL: nothing moves). */
static void clear(const char *path, const char *keep)
{
    int from = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int to = keep ? open(keep, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    DIR *entries = from >= 0 ? fdopendir(from) : NULL;
    struct dirent *entry;
    while (entries && (entry = readdir(entries)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (is_ours(entry->d_name))
            unlinkat(from, entry->d_name, 0);
        else if (to >= 0)
            renameat(from, entry->d_name, to, entry->d_name);
    }
    if (entries)
        closedir(entries);
    else if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    rmdir(path);
}

/* The rename is durable when the folder above is synced. */
static void sync_above(const char *path)
{
    char above[4096];
    snprintf(above, sizeof above, "%s/..", path);
    int fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

static int put_in_place(char *fresh, const char *path, struct reload_cert_reason *reason)
{
    struct stat st;
    if (lstat(path, &st) != 0) {
        if (rename(fresh, path) != 0)
            return io(reason, path);
    } else if (!S_ISDIR(st.st_mode)) {
        return reload_cert_refuse(reason, RELOAD_E_IO, "%s is there and is not a folder", path);
    } else if (renameat2(AT_FDCWD, fresh, AT_FDCWD, path, RENAME_EXCHANGE) != 0) {
        return io(reason, path);
    } else {
        clear(fresh, path); /* it is the former one now */
    }
    sync_above(path);
    return 0;
}

int reload_enroll_identity_write(const char *path, const struct reload_enroll_identity_dir *content,
                                 struct reload_cert_reason *reason)
{
    char fresh[4096], plain[4000];
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    if (n >= sizeof plain)
        return reload_cert_refuse(reason, RELOAD_E_IO, "the path of the identity is too long");
    snprintf(plain, sizeof plain, "%.*s", (int)n, path);
    snprintf(fresh, sizeof fresh, "%s.new-XXXXXX", plain);
    if (!mkdtemp(fresh)) /* mode 0700 */
        return io(reason, fresh);
    int error = fill(fresh, content, reason);
    if (!error)
        error = put_in_place(fresh, plain, reason);
    if (error)
        clear(fresh, NULL);
    return error;
}
