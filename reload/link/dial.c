#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "reload/alloc.h"
#include "reload/link/datagram.h"
#include "reload/link/links_internal.h"

/* 0, or errno. */
static int start_connecting(struct reload_link *link, const struct reload_link_address *address)
{
    struct sockaddr_storage to;
    socklen_t len = reload_link_to_sockaddr(address, &to);
    link->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (link->fd < 0)
        return errno;
    setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    struct epoll_event event = { .events = EPOLLOUT, .data.u64 = link->id };
    if ((connect(link->fd, (struct sockaddr *)&to, len) == 0 || errno == EINPROGRESS) &&
        epoll_ctl(link->set->epoll_fd, EPOLL_CTL_ADD, link->fd, &event) == 0) {
        link->interest = EPOLLOUT;
        return 0;
    }
    int error = errno;
    close(link->fd);
    link->fd = -1;
    return error;
}

bool reload_link_try_next(struct reload_link *link)
{
    struct reload_link_dial *dial = link->dial;
    link->ready = 0; /* of the connection before */
    while (dial->next < dial->count) {
        link->far = dial->addresses[dial->next++];
        if (link->type != RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE) {
            if (reload_datagram_dial(link))
                return true;
            snprintf(link->reason, sizeof link->reason, "cannot dial: %s", strerror(errno));
            continue;
        }
        int error = start_connecting(link, &link->far);
        if (!error) {
            reload_link_enter(link, RELOAD_LINK_CONNECTING);
            return true;
        }
        snprintf(link->reason, sizeof link->reason, "cannot connect: %s", strerror(error));
    }
    return false;
}

void reload_link_connected(struct reload_link *link)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        error = errno;
    if (error) {
        reload_link_fail(link, RELOAD_E_IO, "cannot connect: %s", strerror(error));
        return;
    }
    reload_link_secure(link, link->fd);
}

static struct reload_link_dial *dial_of(const struct reload_link_address *addresses, size_t count,
                                        const struct reload_node_id *expected)
{
    struct reload_link_dial *dial = reload_calloc(1, sizeof *dial);
    if (!dial)
        return NULL;
    memcpy(dial->addresses, addresses, count * sizeof *addresses);
    dial->count = count;
    if (expected)
        dial->expected = *expected;
    return dial;
}

static int dial_type(struct reload_links *links, uint8_t type, bool raw,
                     const struct reload_link_address *addresses, size_t count,
                     const struct reload_node_id *expected, enum reload_link_role role,
                     struct reload_time now, reload_link_id *id)
{
    if (count == 0 || count > RELOAD_LINK_DIAL_MAX)
        return RELOAD_E_INVALID;
    for (size_t i = 0; i < count; i++)
        if (addresses[i].len != 4 && addresses[i].len != 16)
            return RELOAD_E_INVALID;
    links->now = now;
    struct reload_link_dial *dial = dial_of(addresses, count, expected);
    if (!dial)
        return RELOAD_E_NOMEM;
    int error;
    struct reload_link *link = reload_link_new(links, raw, &error);
    if (!link) {
        reload_free(dial);
        return error;
    }
    link->type = type;
    link->role = role;
    link->dial = dial;
    links->stats.dialled++;
    *id = link->id;
    if (!reload_link_try_next(link)) {
        char reason[RELOAD_LINK_REASON];
        memcpy(reason, link->reason, sizeof reason);
        reload_link_fail(link, RELOAD_E_IO, "%s", reason);
    }
    return 0;
}

int reload_links_dial(struct reload_links *links, const struct reload_link_address *addresses,
                      size_t count, const struct reload_node_id *expected,
                      enum reload_link_role role, struct reload_time now, reload_link_id *id)
{
    return dial_type(links, RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE, false, addresses, count, expected,
                     role, now, id);
}

int reload_links_dial_datagrams(struct reload_links *links,
                                const struct reload_link_address *addresses, size_t count,
                                const struct reload_node_id *expected, struct reload_time now,
                                reload_link_id *id)
{
    return dial_type(links, RELOAD_LINK_TYPE_DTLS_UDP_SR_NO_ICE, false, addresses, count, expected,
                     RELOAD_LINK_CLIENT, now, id);
}

int reload_links_dial_raw(struct reload_links *links, uint8_t link_type,
                          const struct reload_link_address *addresses, size_t count,
                          const struct reload_node_id *expected, enum reload_link_role role,
                          struct reload_time now, reload_link_id *id)
{
    bool datagrams = link_type == RELOAD_LINK_TYPE_DTLS_UDP_SR_NO_ICE;
    if (!datagrams && link_type != RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE)
        return RELOAD_E_INVALID;
    return dial_type(links, link_type, true, addresses, count, expected,
                     datagrams ? RELOAD_LINK_CLIENT : role, now, id);
}
