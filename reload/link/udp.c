#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "reload/alloc.h"
#include "reload/link/datagram_internal.h"

#define SOCKET_BUFFER (1024 * 1024) /* asked for on bare ports, which many links share */

static void lay_out(struct reload_udp_inbox *inbox)
{
    for (size_t i = 0; i < RELOAD_UDP_BATCH; i++) {
        inbox->parts[i] = (struct iovec){ inbox->bytes[i], RELOAD_UDP_JOINED };
        inbox->messages[i].msg_hdr =
            (struct msghdr){ .msg_iov = &inbox->parts[i], .msg_iovlen = 1 };
    }
}

struct reload_datagrams *reload_datagrams_of(struct reload_links *links)
{
    if (links->datagrams)
        return links->datagrams;
    struct reload_datagrams *d = reload_calloc(1, sizeof *d);
    if (!d)
        return NULL;
    if (reload_cookie_jar_new(&d->jar)) {
        reload_free(d);
        return NULL;
    }
    TAILQ_INIT(&d->ready);
    lay_out(&d->inbox);
    links->datagrams = d;
    return d;
}

void reload_datagrams_free(struct reload_links *links)
{
    struct reload_datagrams *d = links->datagrams;
    if (!d)
        return;
    for (size_t i = 0; i < RELOAD_UDP_ALL_PORTS; i++)
        if (d->bare[i])
            reload_udp_free_port(d->bare[i]);
    reload_cookie_jar_free(d->jar);
    reload_free(d);
    links->datagrams = NULL;
}

/* --- sockets --- */

void reload_udp_free_port(struct reload_udp_port *port)
{
    struct reload_datagrams *d = port->set->datagrams;
    if (port->is_ready)
        TAILQ_REMOVE(&d->ready, port, in_ready);
    if (d->inbox.port == port) { /* what it received goes with it */
        d->inbox.port = NULL;
        d->inbox.count = d->inbox.next = 0;
        d->inbox.reader = 0;
    }
    close(port->fd); /* leaves the epoll set by itself */
    reload_free(port);
}

/* Datagrams above the path's MTU are cut by IP, as s6.7 expects of those that the node could not
 * fragment: the system must not refuse them. */
static void allow_ip_fragments(int fd, uint8_t address_len)
{
    if (address_len == 4)
        setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &(int){ IP_PMTUDISC_DONT }, sizeof(int));
    else
        setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &(int){ IPV6_PMTUDISC_DONT }, sizeof(int));
}

static int learn_address(struct reload_udp_port *port)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    if (getsockname(port->fd, (struct sockaddr *)&at, &len) < 0)
        return -1;
    reload_link_from_sockaddr(&at, &port->at);
    return 0;
}

static int bind_bare(int fd, const struct reload_link_address *address)
{
    struct sockaddr_storage at;
    socklen_t len = reload_link_to_sockaddr(address, &at);
    if (address->len == 16)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){ 1 }, sizeof(int));
    /* Without it nobody learns whose datagram ICMP refused. */
    if (address->len == 4)
        setsockopt(fd, IPPROTO_IP, IP_RECVERR, &(int){ 1 }, sizeof(int));
    else
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &(int){ 1 }, sizeof(int));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){ SOCKET_BUFFER }, sizeof(int));
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){ SOCKET_BUFFER }, sizeof(int));
    return bind(fd, (struct sockaddr *)&at, len);
}

static bool is_any(const struct reload_link_address *address)
{
    static const uint8_t zeros[16];
    return memcmp(address->bytes, zeros, address->len) == 0;
}

static void tell_destinations(const struct reload_udp_port *port)
{
    if (port->at.len == 4)
        setsockopt(port->fd, IPPROTO_IP, IP_PKTINFO, &(int){ 1 }, sizeof(int));
    else
        setsockopt(port->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &(int){ 1 }, sizeof(int));
}

static int connect_to(int fd, const struct reload_link_address *address)
{
    struct sockaddr_storage to;
    socklen_t len = reload_link_to_sockaddr(address, &to);
    return connect(fd, (struct sockaddr *)&to, len);
}

/* A socket that is bound to the address, or for an owner connected to it; a door is not watched
 * yet. NULL with errno set. */
static struct reload_udp_port *open_port(struct reload_links *links, struct reload_link *owner,
                                         reload_invitation_id invitation,
                                         const struct reload_link_address *address, uint64_t key)
{
    struct reload_udp_port *port = reload_calloc(1, sizeof *port);
    if (!port) {
        errno = ENOMEM;
        return NULL;
    }
    *port = (struct reload_udp_port){
        .set = links, .owner = owner, .is_door = invitation != 0, .invitation = invitation
    };
    struct epoll_event event = { .events = invitation ? 0 : EPOLLIN, .data.u64 = key };
    port->fd = socket(address->len == 4 ? AF_INET : AF_INET6,
                      SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (port->fd >= 0) {
        allow_ip_fragments(port->fd, address->len);
        setsockopt(port->fd, SOL_UDP, UDP_GRO, &(int){ 1 }, sizeof(int)); /* where there is one */
        if ((owner ? connect_to(port->fd, address) : bind_bare(port->fd, address)) == 0 &&
            learn_address(port) == 0 &&
            epoll_ctl(links->epoll_fd, EPOLL_CTL_ADD, port->fd, &event) == 0) {
            port->any = is_any(&port->at);
            if (port->any)
                tell_destinations(port);
            return port;
        }
    }
    int error = errno;
    if (port->fd >= 0)
        close(port->fd);
    reload_free(port);
    errno = error;
    return NULL;
}

/* The first free one of `count` places from `from` on. */
static int open_bare(struct reload_links *links, size_t from, size_t count,
                     reload_invitation_id invitation, const struct reload_link_address *address,
                     struct reload_link_address *actual)
{
    struct reload_datagrams *d = reload_datagrams_of(links);
    if (!d)
        return RELOAD_E_NOMEM;
    size_t index = from;
    while (index < from + count && d->bare[index])
        index++;
    if (index == from + count)
        return RELOAD_E_LIMIT;
    if (address->len != 4 && address->len != 16)
        return RELOAD_E_INVALID;
    d->bare[index] = open_port(links, NULL, invitation, address, RELOAD_UDP_KEY + index);
    if (!d->bare[index])
        return errno == ENOMEM ? RELOAD_E_NOMEM : RELOAD_E_IO;
    *actual = d->bare[index]->at;
    return 0;
}

int reload_links_listen_datagrams(struct reload_links *links,
                                  const struct reload_link_address *address,
                                  struct reload_link_address *actual)
{
    return open_bare(links, 0, RELOAD_UDP_PORTS_MAX, 0, address, actual);
}

/* --- doors: ports of invitations --- */

int reload_datagrams_open_door(struct reload_links *links, reload_invitation_id id,
                               const struct reload_link_address *address,
                               struct reload_link_address *actual)
{
    return open_bare(links, RELOAD_UDP_PORTS_MAX, RELOAD_LINK_DOORS_MAX, id, address, actual);
}

int reload_datagrams_watch_doors(struct reload_links *links, reload_invitation_id id)
{
    struct reload_datagrams *d = links->datagrams;
    for (size_t i = RELOAD_UDP_PORTS_MAX; d && i < RELOAD_UDP_ALL_PORTS; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.u64 = RELOAD_UDP_KEY + i };
        if (d->bare[i] && d->bare[i]->invitation == id &&
            epoll_ctl(links->epoll_fd, EPOLL_CTL_MOD, d->bare[i]->fd, &event) < 0)
            return -1;
    }
    return 0;
}

void reload_udp_close_door(struct reload_udp_port *port)
{
    struct reload_datagrams *d = port->set->datagrams;
    struct reload_link *link;
    TAILQ_FOREACH(link, &port->set->all, in_all)
    {
        if (link->dtls && link->dtls->port == port)
            reload_link_enter(link, RELOAD_LINK_DEAD); /* over already, and lingering */
    }
    for (size_t i = RELOAD_UDP_PORTS_MAX; i < RELOAD_UDP_ALL_PORTS; i++)
        if (d->bare[i] == port)
            d->bare[i] = NULL;
    reload_udp_free_port(port);
}

void reload_datagrams_close_doors(struct reload_links *links, reload_invitation_id id,
                                  struct reload_link *guest)
{
    struct reload_datagrams *d = links->datagrams;
    for (size_t i = RELOAD_UDP_PORTS_MAX; d && i < RELOAD_UDP_ALL_PORTS; i++) {
        struct reload_udp_port *port = d->bare[i];
        if (!port || port->invitation != id)
            continue;
        if (guest && guest->dtls && guest->dtls->port == port) {
            port->invitation = 0;
            guest->raw->door = port;
        } else {
            reload_udp_close_door(port);
        }
    }
}

bool reload_datagram_dial(struct reload_link *link)
{
    if (!reload_datagrams_of(link->set)) {
        errno = ENOMEM;
        return false;
    }
    struct reload_udp_port *port = open_port(link->set, link, 0, &link->far, link->id);
    if (!port)
        return false;
    link->local = port->at;
    int status = reload_datagram_begin(link, port, link->set->config.path_mtu, false);
    if (status == 0)
        return true;
    reload_udp_free_port(port);
    reload_datagram_release(link);
    errno = status == RELOAD_E_NOMEM ? ENOMEM : EINVAL;
    return false;
}

/* --- what epoll says --- */

static uint64_t key_of(const struct reload_udp_port *port)
{
    if (port->owner)
        return port->owner->id;
    size_t index = 0;
    while (port->set->datagrams->bare[index] != port)
        index++;
    return RELOAD_UDP_KEY + index;
}

void reload_udp_set_blocked(struct reload_udp_port *port, bool blocked)
{
    if (port->blocked == blocked)
        return;
    struct epoll_event event = { .events = blocked ? EPOLLIN | EPOLLOUT : EPOLLIN,
                                 .data.u64 = key_of(port) };
    if (epoll_ctl(port->set->epoll_fd, EPOLL_CTL_MOD, port->fd, &event) == 0)
        port->blocked = blocked;
}

static void has_room(struct reload_udp_port *port)
{
    reload_udp_set_blocked(port, false);
    struct reload_link *link;
    TAILQ_FOREACH(link, &port->set->all, in_all)
    {
        if (link->dtls && link->dtls->port == port)
            reload_link_mark_dirty(link);
    }
}

static void look_at(struct reload_udp_port *port, uint32_t events)
{
    if (events & EPOLLOUT)
        has_room(port);
    if (events & EPOLLERR && !port->owner)
        reload_udp_read_errors(port);
    if (!(events & ~(uint32_t)EPOLLOUT) || port->is_ready)
        return;
    port->is_ready = true;
    port->budget = RELOAD_UDP_BUDGET;
    TAILQ_INSERT_TAIL(&port->set->datagrams->ready, port, in_ready);
}

bool reload_datagrams_ready(struct reload_links *links, uint64_t key, uint32_t events)
{
    if (key >= RELOAD_UDP_KEY) {
        look_at(links->datagrams->bare[key - RELOAD_UDP_KEY], events);
        return true;
    }
    if (key > UINT32_MAX)
        return false;
    struct reload_link *link = reload_links_find(links, (reload_link_id)key);
    if (!link || link->type == RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE)
        return false;
    if (link->dtls && link->dtls->port)
        look_at(link->dtls->port, events);
    return true;
}
