#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

#include "reload/link/datagram_internal.h"

/* Datagrams out of UDP sockets. */

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

size_t reload_udp_segment_of(struct msghdr *message)
{
    int len;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_UDP || c->cmsg_type != UDP_GRO)
            continue;
        memcpy(&len, CMSG_DATA(c), sizeof len);
        return len > 0 ? (size_t)len : SIZE_MAX;
    }
    return SIZE_MAX;
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
        reload_udp_set_blocked(port, true);
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
