#include "certs/enroll/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 128

/* Splits at the last colon; brackets around an IPv6 address are taken off. */
static bool split(const char *text, char host[256], char port[6])
{
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text || strlen(colon + 1) == 0 || strlen(colon + 1) > 5 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1))
        return false;
    size_t n = (size_t)(colon - text);
    bool bracketed = text[0] == '[';
    if (bracketed ? text[n - 1] != ']' : memchr(text, ':', n) != NULL)
        return false;
    snprintf(host, 256, "%.*s", (int)(bracketed ? n - 2 : n), text + bracketed);
    snprintf(port, 6, "%s", colon + 1);
    return n < 256;
}

static int open_at(const struct addrinfo *a)
{
    int on = 1;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

int reload_enroll_listen(const char *text, int *fd, struct reload_cert_reason *reason)
{
    char host[256], port[6];
    *fd = -1;
    if (!text || !split(text, host, port))
        return reload_cert_refuse(reason, RELOAD_E_INVALID,
                                  "%s is not of the form ADDR:PORT or [V6]:PORT",
                                  text ? text : "the address to listen on");
    struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found;
    int code = getaddrinfo(host, port, &hints, &found);
    if (code)
        return reload_cert_refuse(reason, RELOAD_E_INVALID, "%s cannot be listened on: %s", text,
                                  gai_strerror(code));
    *fd = open_at(found);
    freeaddrinfo(found);
    if (*fd >= 0)
        return 0;
    const char *hint = errno == EADDRINUSE ? "; another program has this port"
                       : errno == EACCES   ? "; ports below 1024 need a privilege"
                                           : "";
    return reload_cert_refuse(reason, RELOAD_E_IO, "%s cannot be listened on: %s%s", text,
                              strerror(errno), hint);
}

int reload_enroll_listen_port(int fd, uint16_t *port, struct reload_cert_reason *reason)
{
    struct sockaddr_storage address = { 0 };
    socklen_t len = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return reload_cert_refuse(reason, RELOAD_E_IO, "the listening socket is none: %s",
                                  strerror(errno));
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    memcpy(&in, &address, sizeof in);
    memcpy(&in6, &address, sizeof in6);
    *port = ntohs(address.ss_family == AF_INET6 ? in6.sin6_port : in.sin_port);
    return 0;
}
