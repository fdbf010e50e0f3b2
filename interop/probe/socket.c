#include "interop/probe/socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

socklen_t probe_sockaddr(const struct reload_link_address *address, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (address->len == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(address->port);
        memcpy(&in->sin_addr, address->bytes, 4);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(address->port);
    memcpy(&in6->sin6_addr, address->bytes, 16);
    return sizeof *in6;
}

void probe_sockaddr_read(const struct sockaddr_storage *from, struct reload_link_address *out)
{
    *out = (struct reload_link_address){ 0 };
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)from;
        out->len = 4;
        out->port = ntohs(in->sin_port);
        memcpy(out->bytes, &in->sin_addr, 4);
        return;
    }
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
    out->len = 16;
    out->port = ntohs(in6->sin6_port);
    memcpy(out->bytes, &in6->sin6_addr, 16);
}

int probe_address_read(const char *text, struct reload_link_address *out)
{
    char literal[RELOAD_LINK_ADDRESS_TEXT];
    const char *colon = strrchr(text, ':');
    bool bracketed = text[0] == '[';
    if (!colon || (size_t)(colon - text) >= sizeof literal || (bracketed && colon[-1] != ']'))
        return RELOAD_E_INVALID;
    long port = strtol(colon + 1, NULL, 10);
    snprintf(literal, sizeof literal, "%.*s", (int)(colon - text) - 2 * bracketed,
             text + bracketed);
    if (port < 1 || port > 65535)
        return RELOAD_E_INVALID;
    return reload_link_address_parse(literal, (uint16_t)port, out);
}

static int make(const struct reload_link_address *far, bool datagrams)
{
    int family = far->len == 4 ? AF_INET : AF_INET6, yes = 1;
    int fd = socket(family, (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    if (fd >= 0 && !datagrams)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}

static int ready(int fd, bool ok)
{
    if (fd >= 0 && ok && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

int probe_socket_dial(const struct reload_link_address *far, bool datagrams)
{
    struct sockaddr_storage to;
    socklen_t len = probe_sockaddr(far, &to);
    int fd = make(far, datagrams);
    return ready(fd, fd >= 0 && connect(fd, (struct sockaddr *)&to, len) == 0);
}

static bool own_address(const struct reload_link_address *far, struct sockaddr_storage *out)
{
    socklen_t len = sizeof *out;
    int fd = probe_socket_dial(far, true); /* sends nothing: it asks the routing table */
    bool ok = fd >= 0 && getsockname(fd, (struct sockaddr *)out, &len) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

int probe_socket_listen(const struct reload_link_address *far, bool datagrams,
                        struct reload_link_address *local)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    if (!own_address(far, &at))
        return -1;
    probe_sockaddr_read(&at, local);
    local->port = 0;
    len = probe_sockaddr(local, &at);
    int fd = make(far, datagrams);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&at, len) == 0 &&
              (datagrams || listen(fd, 16) == 0) &&
              getsockname(fd, (struct sockaddr *)&at, &len) == 0;
    if (ok)
        probe_sockaddr_read(&at, local);
    return ready(fd, ok);
}
