#include "peer/control_client.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_LEN 65536

struct reload_control_client {
    int fd;
    GByteArray *in;
    GArray *descriptors; /* that came and nobody has asked for, in order */
};

static int connect_error(const char *path, struct reload_cert_reason *reason)
{
    switch (errno) {
    case ENOENT:
        return reload_cert_refuse(reason, RELOAD_E_NOT_FOUND,
                                  "%s: no such control socket. Is the peer running, with "
                                  "--control %s?",
                                  path, path);
    case ECONNREFUSED:
        return reload_cert_refuse(reason, RELOAD_E_CLOSED,
                                  "%s: nobody listens there any more; start the peer again", path);
    case EACCES:
    case EPERM:
        return reload_cert_refuse(reason, RELOAD_E_FORBIDDEN,
                                  "%s: belongs to another user; run this as that user", path);
    default: return reload_cert_refuse(reason, RELOAD_E_IO, "%s: %s", path, strerror(errno));
    }
}

int reload_control_client_open(const char *path, struct reload_control_client **out,
                               struct reload_cert_reason *reason)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path)
        return reload_cert_refuse(reason, RELOAD_E_INVALID,
                                  "%s: longer than a socket's path can be", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) {
        int error = connect_error(path, reason);
        if (fd >= 0)
            close(fd);
        return error;
    }
    struct reload_control_client *client = g_new0(struct reload_control_client, 1);
    client->fd = fd;
    client->in = g_byte_array_new();
    client->descriptors = g_array_new(FALSE, FALSE, sizeof(int));
    *out = client;
    return 0;
}

void reload_control_client_close(struct reload_control_client *client)
{
    if (!client)
        return;
    close(client->fd);
    g_byte_array_unref(client->in);
    for (int fd; (fd = reload_control_client_descriptor(client)) >= 0;)
        close(fd);
    g_array_unref(client->descriptors);
    g_free(client);
}

int reload_control_client_send(struct reload_control_client *client, json_t *request)
{
    char *text = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    if (!text)
        return RELOAD_E_NOMEM;
    size_t len = strlen(text), done = 0;
    text[len++] = '\n'; /* in place of its end */
    while (done < len) {
        ssize_t n = send(client->fd, text + done, len - done, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    free(text);
    return done == len ? 0 : RELOAD_E_CLOSED;
}

/* What came along with bytes. */
static void take_descriptors(struct reload_control_client *client, struct msghdr *message)
{
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    for (; header; header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
            g_array_append_val(client->descriptors, fd);
        }
    }
}

static ssize_t receive(struct reload_control_client *client, void *buffer, size_t len)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(4 * sizeof(int))];
    } control;
    struct iovec piece = { .iov_base = buffer, .iov_len = len };
    struct msghdr message = { .msg_iov = &piece,
                              .msg_iovlen = 1,
                              .msg_control = control.space,
                              .msg_controllen = sizeof control.space };
    ssize_t n = recvmsg(client->fd, &message, MSG_CMSG_CLOEXEC);
    if (n > 0)
        take_descriptors(client, &message);
    return n;
}

int reload_control_client_descriptor(struct reload_control_client *client)
{
    if (!client->descriptors->len)
        return -1;
    int fd = g_array_index(client->descriptors, int, 0);
    g_array_remove_index(client->descriptors, 0);
    return fd;
}

static int fill(struct reload_control_client *client, gint64 deadline_us)
{
    guint8 buffer[READ_LEN];
    struct pollfd poll_fd = { .fd = client->fd, .events = POLLIN };
    int wait_ms = -1;
    if (deadline_us >= 0)
        wait_ms = (int)(MAX(deadline_us - g_get_monotonic_time(), 0) / 1000);
    int ready = poll(&poll_fd, 1, wait_ms);
    if (ready == 0)
        return RELOAD_E_TIMEOUT;
    if (ready < 0)
        return errno == EINTR ? 0 : RELOAD_E_IO;
    ssize_t n = receive(client, buffer, sizeof buffer);
    if (n <= 0)
        return n < 0 && errno == EINTR ? 0 : RELOAD_E_CLOSED;
    g_byte_array_append(client->in, buffer, (guint)n);
    return 0;
}

int reload_control_client_next(struct reload_control_client *client, int timeout_ms, json_t **out)
{
    gint64 deadline = timeout_ms < 0 ? -1 : g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    guint8 *end;
    while (!client->in->len || !(end = memchr(client->in->data, '\n', client->in->len))) {
        int error = fill(client, deadline);
        if (error)
            return error;
    }
    size_t len = (size_t)(end - client->in->data);
    *out = json_loadb((const char *)client->in->data, len, 0, NULL);
    g_byte_array_remove_range(client->in, 0, (guint)len + 1);
    return *out ? 0 : RELOAD_E_DECODE;
}

int reload_control_client_call(struct reload_control_client *client, json_t *request, json_t **out)
{
    int error = reload_control_client_send(client, request);
    while (!error) {
        error = reload_control_client_next(client, -1, out);
        if (error || !json_object_get(*out, "event"))
            return error;
        json_decref(*out);
    }
    return error;
}
