#include "media/udp_transport.h"
#include "reload/alloc.h"
#include <netinet/in.h>
#include <netinet/ip.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXPEDITED    0xb8 /* DSCP EF, RFC 8837 s5 for voice */
#define DATAGRAM_LEN 2048

union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct reload_media_udp {
    int fd;
    struct reload_link_address local;
    pthread_mutex_t lock; /* of what follows: the media thread sends while the host moves it */
    struct reload_link_address far;
    uint64_t token;
};

static socklen_t to_socket(const struct reload_link_address *address, union socket_address *out)
{
    *out = (union socket_address){ 0 };
    if (address->len == 4) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(address->port);
        memcpy(&out->v4.sin_addr, address->bytes, 4);
        return sizeof out->v4;
    }
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(address->port);
    memcpy(&out->v6.sin6_addr, address->bytes, 16);
    return sizeof out->v6;
}

static struct reload_link_address from_socket(const union socket_address *from)
{
    struct reload_link_address address = { .len = from->any.sa_family == AF_INET ? 4 : 16 };
    bool v4 = address.len == 4;
    memcpy(address.bytes, v4 ? (const void *)&from->v4.sin_addr : &from->v6.sin6_addr, address.len);
    address.port = ntohs(v4 ? from->v4.sin_port : from->v6.sin6_port);
    return address;
}

/* A mark that the system refuses is no reason not to talk. */
static void mark(int fd, uint8_t address_len)
{
    const int tos = EXPEDITED;
    if (address_len == 4)
        (void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
    else
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
}

static int open_socket(struct reload_media_udp *udp, const struct reload_link_address *local)
{
    union socket_address address;
    socklen_t len = to_socket(local, &address);
    udp->fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (udp->fd < 0 || bind(udp->fd, &address.any, len) != 0 ||
        getsockname(udp->fd, &address.any, &len) != 0)
        return RELOAD_E_IO;
    udp->local = from_socket(&address);
    mark(udp->fd, local->len);
    return 0;
}

int reload_media_udp_new(const struct reload_link_address *local, struct reload_media_udp **out)
{
    *out = NULL;
    if (local->len != 4 && local->len != 16)
        return RELOAD_E_INVALID;
    struct reload_media_udp *udp = reload_calloc(1, sizeof *udp);
    if (!udp)
        return RELOAD_E_NOMEM;
    pthread_mutex_init(&udp->lock, NULL);
    int error = open_socket(udp, local);
    if (error != 0) {
        reload_media_udp_free(udp);
        return error;
    }
    *out = udp;
    return 0;
}

void reload_media_udp_free(struct reload_media_udp *udp)
{
    if (!udp)
        return;
    if (udp->fd >= 0)
        close(udp->fd);
    pthread_mutex_destroy(&udp->lock);
    reload_free(udp);
}

struct reload_link_address reload_media_udp_local(const struct reload_media_udp *udp)
{
    return udp->local;
}

int reload_media_udp_descriptor(const struct reload_media_udp *udp)
{
    return udp->fd;
}

uint64_t reload_media_udp_far(struct reload_media_udp *udp,
                              const struct reload_link_address *address)
{
    pthread_mutex_lock(&udp->lock);
    udp->far = *address;
    uint64_t token = ++udp->token;
    pthread_mutex_unlock(&udp->lock);
    return token;
}

static int send_datagram(void *context, const uint8_t *bytes, size_t len)
{
    struct reload_media_udp *udp = context;
    union socket_address to;
    pthread_mutex_lock(&udp->lock);
    bool known = udp->far.len != 0;
    socklen_t to_len = to_socket(&udp->far, &to);
    pthread_mutex_unlock(&udp->lock);
    if (!known)
        return RELOAD_E_STATE;
    return sendto(udp->fd, bytes, len, 0, &to.any, to_len) == (ssize_t)len ? 0 : RELOAD_E_IO;
}

const struct reload_media_transport_ops reload_media_udp_ops = { send_datagram };

size_t reload_media_udp_read(struct reload_media_udp *udp, struct reload_media_session *session,
                             struct reload_time now)
{
    size_t count = 0;
    for (; count < RELOAD_MEDIA_UDP_BATCH; count++) {
        uint8_t bytes[DATAGRAM_LEN];
        union socket_address from;
        socklen_t from_len = sizeof from;
        ssize_t n = recvfrom(udp->fd, bytes, sizeof bytes, MSG_TRUNC, &from.any, &from_len);
        if (n < 0)
            break; /* nothing there, or an ICMP error that belongs to a datagram sent */
        struct reload_link_address address = from_socket(&from);
        bool fits = (size_t)n <= sizeof bytes;
        reload_media_session_receive(
            session, reload_link_address_equal(&address, &udp->far) ? udp->token : 0, bytes,
            fits ? (size_t)n : 0, now);
    }
    return count;
}
