#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <linux/errqueue.h> /* relies on <time.h> */

#include "reload/alloc.h"
#include "reload/link/datagram_internal.h"

#define SOCKET_BUFFER  (1024 * 1024) /* asked for on bare ports, which many links share */
#define ERRORS_AT_ONCE 64

static void lay_out(struct reload_udp_inbox *inbox)
{
    for (size_t i = 0; i < RELOAD_UDP_BATCH; i++) {
        inbox->parts[i] = (struct iovec){ inbox->bytes[i], RELOAD_UDP_LEN };
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
    for (size_t i = 0; i < RELOAD_UDP_PORTS_MAX; i++)
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

/* A socket that is bound to the address, or for an owner connected to it. NULL with errno set. */
static struct reload_udp_port *open_port(struct reload_links *links, struct reload_link *owner,
                                         const struct reload_link_address *address, uint64_t key)
{
    struct reload_udp_port *port = reload_calloc(1, sizeof *port);
    if (!port) {
        errno = ENOMEM;
        return NULL;
    }
    *port = (struct reload_udp_port){ .set = links, .owner = owner };
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = key };
    port->fd = socket(address->len == 4 ? AF_INET : AF_INET6,
                      SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (port->fd >= 0) {
        allow_ip_fragments(port->fd, address->len);
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

int reload_links_listen_datagrams(struct reload_links *links,
                                  const struct reload_link_address *address,
                                  struct reload_link_address *actual)
{
    struct reload_datagrams *d = reload_datagrams_of(links);
    if (!d)
        return RELOAD_E_NOMEM;
    size_t index = 0;
    while (index < RELOAD_UDP_PORTS_MAX && d->bare[index])
        index++;
    if (index == RELOAD_UDP_PORTS_MAX)
        return RELOAD_E_LIMIT;
    if (address->len != 4 && address->len != 16)
        return RELOAD_E_INVALID;
    d->bare[index] = open_port(links, NULL, address, RELOAD_UDP_KEY + index);
    if (!d->bare[index])
        return errno == ENOMEM ? RELOAD_E_NOMEM : RELOAD_E_IO;
    *actual = d->bare[index]->at;
    return 0;
}

bool reload_datagram_dial(struct reload_link *link)
{
    if (!reload_datagrams_of(link->set)) {
        errno = ENOMEM;
        return false;
    }
    struct reload_udp_port *port = open_port(link->set, link, &link->far, link->id);
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

static void set_blocked(struct reload_udp_port *port, bool blocked)
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
    set_blocked(port, false);
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

/* --- sending --- */

bool reload_udp_is_refusal(int error)
{
    switch (error) { /* RFC 1122 s4.2.3.9: hard errors, of port and protocol */
    case ECONNREFUSED:
    case ENOPROTOOPT: return true;
    default: return false;
    }
}

/* What one sendmmsg() takes. Runs of datagrams of one length, as a busy sender makes them, go to
 * the kernel as one message that it cuts apart (UDP_SEGMENT): the way through it is most of their
 * cost. */
struct outgoing {
    struct sockaddr_storage to;
    struct reload_slice datagrams[RELOAD_UDP_RUN];
    struct iovec parts[RELOAD_UDP_RUN];
    struct mmsghdr messages[RELOAD_UDP_BATCH];
    unsigned carried[RELOAD_UDP_BATCH]; /* datagrams of each message */
    _Alignas(struct cmsghdr) uint8_t control[RELOAD_UDP_BATCH][RELOAD_UDP_CONTROL_LEN];
    unsigned count; /* messages */
};

/* How many of the datagrams make one message: equal ones, and a shorter last one. */
static unsigned run_length(const struct reload_link *link, const struct reload_slice *datagrams,
                           unsigned count)
{
    const struct reload_udp_port *port = link->dtls->port;
    size_t len = datagrams[0].n, total = len;
    unsigned n = 1;
    if (port->whole_only || len > link->set->config.path_mtu - 48u) /* no part may need IP's cut */
        return 1;
    while (n < count && datagrams[n - 1].n == len && datagrams[n].n <= len &&
           total + datagrams[n].n <= RELOAD_UDP_RUN_LEN)
        total += datagrams[n++].n;
    return n;
}

/* One more thing that the kernel is told of a message; control has room for it. */
static void add_control(struct msghdr *message, uint8_t *control, int level, int type,
                        const void *p, size_t n)
{
    struct cmsghdr c = { .cmsg_len = CMSG_LEN(n), .cmsg_level = level, .cmsg_type = type };
    uint8_t *at = control + message->msg_controllen;
    memset(at, 0, CMSG_SPACE(n));
    memcpy(at, &c, sizeof c);
    memcpy(at + CMSG_LEN(0), p, n);
    message->msg_control = control;
    message->msg_controllen += CMSG_SPACE(n);
}

static void leave_from(struct msghdr *message, uint8_t *control,
                       const struct reload_link_address *local)
{
    struct in_pktinfo four = { 0 };
    struct in6_pktinfo six = { 0 };
    memcpy(&four.ipi_spec_dst, local->bytes, sizeof four.ipi_spec_dst);
    memcpy(&six.ipi6_addr, local->bytes, sizeof six.ipi6_addr);
    if (local->len == 4)
        add_control(message, control, IPPROTO_IP, IP_PKTINFO, &four, sizeof four);
    else
        add_control(message, control, IPPROTO_IPV6, IPV6_PKTINFO, &six, sizeof six);
}

struct reload_link_address reload_udp_local_of(const struct reload_udp_port *port,
                                               struct msghdr *message)
{
    struct reload_link_address local = port->at;
    struct in_pktinfo four;
    struct in6_pktinfo six;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); port->any && c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            memcpy(&four, CMSG_DATA(c), sizeof four);
            memcpy(local.bytes, &four.ipi_addr, 4);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            memcpy(&six, CMSG_DATA(c), sizeof six);
            memcpy(local.bytes, &six.ipi6_addr, 16);
        }
    }
    return local;
}

bool reload_udp_answer(struct reload_udp_port *port, const struct reload_link_address *local,
                       const struct reload_link_address *far, struct reload_slice bytes)
{
    _Alignas(struct cmsghdr) uint8_t control[RELOAD_UDP_CONTROL_LEN];
    struct sockaddr_storage to;
    struct iovec part = { (void *)(uintptr_t)bytes.p, bytes.n };
    struct msghdr message = { .msg_name = &to,
                              .msg_namelen = reload_link_to_sockaddr(far, &to),
                              .msg_iov = &part,
                              .msg_iovlen = 1 };
    if (port->any)
        leave_from(&message, control, local);
    return sendmsg(port->fd, &message, 0) >= 0;
}

static void gather(struct reload_link *link, struct outgoing *out)
{
    bool bare = !link->dtls->port->owner;
    socklen_t len = bare ? reload_link_to_sockaddr(&link->far, &out->to) : 0;
    unsigned count =
        (unsigned)reload_engine_datagram_next(link->engine, out->datagrams, RELOAD_UDP_RUN);
    out->count = 0;
    for (unsigned i = 0; i < count && out->count < RELOAD_UDP_BATCH; out->count++) {
        unsigned run = run_length(link, &out->datagrams[i], count - i);
        out->carried[out->count] = run;
        out->messages[out->count].msg_hdr = (struct msghdr){ .msg_name = bare ? &out->to : NULL,
                                                             .msg_namelen = len,
                                                             .msg_iov = &out->parts[i],
                                                             .msg_iovlen = run };
        struct msghdr *message = &out->messages[out->count].msg_hdr;
        uint16_t len_of_each = (uint16_t)out->datagrams[i].n;
        if (run > 1)
            add_control(message, out->control[out->count], SOL_UDP, UDP_SEGMENT, &len_of_each,
                        sizeof len_of_each);
        if (bare && link->dtls->port->any)
            leave_from(message, out->control[out->count], &link->local);
        for (unsigned end = i + run; i < end; i++)
            out->parts[i] =
                (struct iovec){ (void *)(uintptr_t)out->datagrams[i].p, out->datagrams[i].n };
    }
}

static void count_sent(struct reload_link *link, const struct outgoing *out, unsigned messages)
{
    unsigned count = 0;
    for (unsigned i = 0; i < messages; i++)
        count += out->carried[i];
    for (unsigned i = 0; i < count; i++) {
        link->counters.bytes_out += out->datagrams[i].n;
        link->set->stats.sum.bytes_out += out->datagrams[i].n;
    }
    reload_engine_datagram_sent(link->engine, count);
}

/* The kernel took none: 0 when it is worth going on. */
static int send_failed(struct reload_link *link, int error, bool was_run)
{
    struct reload_udp_port *port = link->dtls->port;
    if (error == EINTR)
        return 0;
    if (was_run && (error == EIO || error == EINVAL || error == EMSGSIZE || error == ENOPROTOOPT)) {
        port->whole_only = true; /* this kernel or device cannot cut */
        return 0;
    }
    if (error == EAGAIN) {
        set_blocked(port, true);
        return EAGAIN;
    }
    if (reload_udp_is_refusal(error) && port->owner)
        return error;
    if (reload_udp_is_refusal(error)) /* an earlier datagram of any link: the queue tells which */
        return 0;
    reload_engine_datagram_sent(link->engine, 1); /* no route, no buffer: it is lost */
    return 0;
}

int reload_udp_send(struct reload_link *link)
{
    if (!link->engine || reload_buffer_len(reload_engine_output(link->engine)) == 0)
        return 0;
    if (!link->dtls->port) {
        reload_link_note(link); /* the owner takes it as an event */
        return EAGAIN;
    }
    struct outgoing out;
    for (;;) {
        gather(link, &out);
        if (out.count == 0)
            return 0;
        int n = sendmmsg(link->dtls->port->fd, out.messages, out.count, 0);
        int error = n < 0 ? send_failed(link, errno, out.carried[0] > 1) : 0;
        if (error)
            return error;
        if (n > 0)
            count_sent(link, &out, (unsigned)n);
    }
}

int reload_links_send_stun(struct reload_links *links, const struct reload_link_address *local,
                           const struct reload_link_address *far, struct reload_slice bytes)
{
    struct reload_datagrams *d = links->datagrams;
    for (size_t i = 0; d && i < RELOAD_UDP_PORTS_MAX; i++) {
        struct reload_udp_port *port = d->bare[i];
        if (port && port->at.port == local->port && port->at.len == local->len &&
            (port->any || reload_link_address_equal(&port->at, local)))
            return reload_udp_answer(port, local, far, bytes) ? 0 : RELOAD_E_IO;
    }
    return RELOAD_E_NOT_FOUND;
}

/* --- ICMP --- */

static bool has_refusal(struct msghdr *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        bool is_error = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
                        (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
        struct sock_extended_err error;
        if (!is_error || c->cmsg_len < CMSG_LEN(sizeof error))
            continue;
        memcpy(&error, CMSG_DATA(c), sizeof error);
        if (error.ee_origin != SO_EE_ORIGIN_LOCAL && reload_udp_is_refusal((int)error.ee_errno))
            return true;
    }
    return false;
}

static void refused(struct reload_udp_port *port, const struct reload_link_address *far)
{
    reload_link_id after = 0;
    struct reload_link *link;
    while ((link = reload_udp_link_after(port, far, after))) {
        after = link->id;
        reload_datagram_refused(link, ECONNREFUSED);
    }
}

void reload_udp_read_errors(struct reload_udp_port *port)
{
    for (int i = 0; i < ERRORS_AT_ONCE; i++) { /* epoll tells of the rest */
        struct sockaddr_storage to;
        uint8_t returned[64];
        _Alignas(struct cmsghdr) uint8_t control[512];
        struct iovec part = { returned, sizeof returned };
        struct msghdr message = { .msg_name = &to,
                                  .msg_namelen = sizeof to,
                                  .msg_iov = &part,
                                  .msg_iovlen = 1,
                                  .msg_control = control,
                                  .msg_controllen = sizeof control };
        if (recvmsg(port->fd, &message, MSG_ERRQUEUE) < 0)
            return;
        struct reload_link_address far;
        reload_link_from_sockaddr(&to, &far);
        if (has_refusal(&message))
            refused(port, &far);
    }
}
