#include <errno.h>
#include <string.h>
#include <time.h>

#include <linux/errqueue.h> /* relies on <time.h> */

#include "reload/link/datagram_internal.h"

#define ERRORS_AT_ONCE 64

bool reload_udp_is_refusal(int error)
{
    switch (error) { /* RFC 1122 s4.2.3.9: hard errors, of port and protocol */
    case ECONNREFUSED:
    case ENOPROTOOPT: return true;
    default: return false;
    }
}

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
