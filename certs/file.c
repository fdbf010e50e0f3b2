#include "certs/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

void reload_cert_bytes_wipe(struct reload_cert_bytes *bytes)
{
    if (bytes->p)
        OPENSSL_cleanse(bytes->p, bytes->n);
    reload_cert_bytes_fini(bytes);
}

static int read_all(int fd, struct reload_cert_bytes *out)
{
    while (out->n < RELOAD_CERT_FILE_MAX + 1) {
        ssize_t got = read(fd, out->p + out->n, RELOAD_CERT_FILE_MAX + 1 - out->n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return RELOAD_E_IO;
        if (got == 0)
            return 0;
        out->n += (size_t)got;
    }
    return RELOAD_E_LIMIT;
}

static int read_open(int fd, const char *path, bool secret, struct reload_cert_bytes *out,
                     struct reload_cert_reason *reason)
{
    struct stat about;
    if (fstat(fd, &about) != 0)
        return reload_cert_refuse(reason, RELOAD_E_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return reload_cert_refuse(reason, RELOAD_E_IO, "%s is not a regular file", path);
    if (secret && (about.st_mode & (S_IRWXG | S_IRWXO)))
        return reload_cert_refuse(reason, RELOAD_E_FORBIDDEN,
                                  "%s can be read by others (mode %03o): chmod 600 %s", path,
                                  (unsigned)about.st_mode & 0777, path);
    struct reload_cert_bytes bytes = { reload_alloc(RELOAD_CERT_FILE_MAX + 1), 0 };
    if (!bytes.p)
        return reload_cert_refuse(reason, RELOAD_E_NOMEM, "no memory to read %s", path);
    int error = read_all(fd, &bytes);
    uint8_t *fitted = error ? NULL : reload_memdup(bytes.p, bytes.n);
    if (!error && !fitted)
        error = RELOAD_E_NOMEM;
    *out = (struct reload_cert_bytes){ fitted, error ? 0 : bytes.n };
    if (secret)
        reload_cert_bytes_wipe(&bytes);
    else
        reload_cert_bytes_fini(&bytes);
    if (error == RELOAD_E_LIMIT)
        return reload_cert_refuse(reason, error, "%s is longer than %u bytes", path,
                                  RELOAD_CERT_FILE_MAX);
    return error ? reload_cert_refuse(reason, error, "%s: cannot be read", path) : 0;
}

static int read_path(const char *path, bool secret, struct reload_cert_bytes *out,
                     struct reload_cert_reason *reason)
{
    *out = (struct reload_cert_bytes){ 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a named pipe must not hang us */
    if (fd < 0)
        return reload_cert_refuse(reason, errno == ENOENT ? RELOAD_E_NOT_FOUND : RELOAD_E_IO,
                                  "%s: %s", path, strerror(errno));
    int error = read_open(fd, path, secret, out, reason);
    close(fd);
    return error;
}

int reload_cert_file_read(const char *path, struct reload_cert_bytes *out,
                          struct reload_cert_reason *reason)
{
    return read_path(path, false, out, reason);
}

int reload_cert_file_read_secret(const char *path, struct reload_cert_bytes *out,
                                 struct reload_cert_reason *reason)
{
    return read_path(path, true, out, reason);
}

static int write_all(int fd, struct reload_slice content)
{
    while (content.n) {
        ssize_t put = write(fd, content.p, content.n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return RELOAD_E_IO;
        content.p += put;
        content.n -= (size_t)put;
    }
    return fsync(fd) == 0 ? 0 : RELOAD_E_IO;
}

/* A rename is durable only once the folder that holds the name is. */
static void sync_folder_of(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    if (len >= sizeof folder)
        return;
    snprintf(folder, sizeof folder, "%.*s", (int)len, path);
    int fd = open(!slash ? "." : len ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd); /* some file systems cannot: the rename itself has succeeded */
    close(fd);
}

int reload_cert_file_write(const char *path, struct reload_slice content, bool secret,
                           struct reload_cert_reason *reason)
{
    char temporary[PATH_MAX];
    int len = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    if (len < 0 || (size_t)len >= sizeof temporary)
        return reload_cert_refuse(reason, RELOAD_E_IO, "%s: the path is too long", path);
    int fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 from the start */
    if (fd < 0)
        return reload_cert_refuse(reason, RELOAD_E_IO, "%s: %s", path, strerror(errno));
    int error = write_all(fd, content);
    if (!error && !secret && fchmod(fd, 0644) != 0)
        error = RELOAD_E_IO;
    if (close(fd) != 0 && !error)
        error = RELOAD_E_IO;
    if (!error && rename(temporary, path) != 0)
        error = RELOAD_E_IO;
    if (error) {
        error =
            reload_cert_refuse(reason, error, "%s cannot be written: %s", path, strerror(errno));
        unlink(temporary);
        return error;
    }
    sync_folder_of(path);
    return 0;
}

char *reload_cert_file_path(const char *directory, const char *name)
{
    size_t len = strlen(directory) + 1 + strlen(name) + 1;
    char *path = reload_alloc(len);
    if (path)
        snprintf(path, len, "%s/%s", directory, name);
    return path;
}
