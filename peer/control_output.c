#include "peer/control_output.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct passed {
    size_t at; /* offset in `bytes` */
    int fd;
};

static void close_passed(void *p)
{
    close(((struct passed *)p)->fd);
}

void reload_control_output_init(struct reload_control_output *output)
{
    output->bytes = g_byte_array_new();
    output->passed = g_array_new(FALSE, FALSE, sizeof(struct passed));
    g_array_set_clear_func(output->passed, close_passed);
}

void reload_control_output_fini(struct reload_control_output *output)
{
    g_byte_array_unref(output->bytes);
    g_array_unref(output->passed);
}

void reload_control_output_add(struct reload_control_output *output, const char *line, size_t len,
                               int descriptor)
{
    const struct passed passed = { output->bytes->len, descriptor };
    if (descriptor >= 0)
        g_array_append_val(output->passed, passed);
    g_byte_array_append(output->bytes, (const guint8 *)line, (guint)len);
}

/* The descriptor is that of the first of these bytes; -1: it has none. */
static ssize_t write_some(int fd, const guint8 *bytes, size_t len, int descriptor)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = { .space = { 0 } };
    struct iovec piece = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };
    struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
    if (descriptor >= 0) {
        message.msg_control = control.space;
        message.msg_controllen = sizeof control.space;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof descriptor);
        memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void consume(struct reload_control_output *output, size_t n, bool with_descriptor)
{
    g_byte_array_remove_range(output->bytes, 0, (guint)n);
    if (with_descriptor)
        g_array_remove_index(output->passed, 0);
    for (guint i = 0; i < output->passed->len; i++)
        g_array_index(output->passed, struct passed, i).at -= n;
}

int reload_control_output_write(struct reload_control_output *output, int fd)
{
    while (output->bytes->len) {
        const struct passed *passed = (const struct passed *)(const void *)output->passed->data;
        guint count = output->passed->len;
        bool with = count && passed[0].at == 0;
        guint next = with ? 1 : 0; /* bytes up to the next descriptor's */
        size_t len = next < count ? passed[next].at : output->bytes->len;
        ssize_t n = write_some(fd, output->bytes->data, len, with ? passed[0].fd : -1);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : RELOAD_E_IO;
        consume(output, (size_t)n, with);
        if ((size_t)n < len)
            return 0;
    }
    return 0;
}
