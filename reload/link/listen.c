#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "reload/link/links_internal.h"

#define ACCEPTS_PER_ROUND 32
#define PAUSE_MS          200 /* of a listener when the system has nothing to accept with */

static int bind_listener(int fd, const struct reload_link_address *address,
                         struct reload_link_address *actual)
{
    struct sockaddr_storage at;
    socklen_t len = reload_link_to_sockaddr(address, &at);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    if (address->len == 16)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){ 1 }, sizeof(int));
    if (bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, 128) < 0)
        return -1;
    len = sizeof at;
    if (getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        return -1;
    reload_link_from_sockaddr(&at, actual);
    return 0;
}

/* Listeners are told apart from links by an epoll datum above every link id. */
int reload_links_watch_listener(struct reload_links *links, size_t index)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = (UINT64_C(1) << 32) + index };
    return epoll_ctl(links->epoll_fd, EPOLL_CTL_ADD, links->listeners[index].fd, &event);
}

int reload_links_open_listener(struct reload_links *links, size_t from, size_t count,
                               const struct reload_link_address *address,
                               struct reload_link_listener with, struct reload_link_address *actual)
{
    size_t index = from;
    while (index < from + count && links->listeners[index].fd >= 0)
        index++;
    if (index == from + count)
        return RELOAD_E_LIMIT;
    if (address->len != 4 && address->len != 16)
        return RELOAD_E_INVALID;
    struct reload_link_listener *listener = &links->listeners[index];
    *listener = with;
    listener->fd = socket(address->len == 4 ? AF_INET : AF_INET6,
                          SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener->fd < 0)
        return RELOAD_E_IO;
    if (bind_listener(listener->fd, address, actual) < 0 ||
        (!with.invitation && reload_links_watch_listener(links, index) < 0)) {
        int error = errno;
        close(listener->fd);
        listener->fd = -1;
        errno = error;
        return RELOAD_E_IO;
    }
    return 0;
}

int reload_links_listen(struct reload_links *links, const struct reload_link_address *address,
                        enum reload_link_role accepted_role, struct reload_link_address *actual)
{
    const struct reload_link_listener with = { .role = accepted_role };
    return reload_links_open_listener(links, 0, RELOAD_LINK_LISTENERS_MAX, address, with, actual);
}

static bool is_at(const struct reload_link_listener *listener,
                  const struct reload_link_address *address)
{
    struct reload_link_address at = { 0 };
    struct sockaddr_storage bound;
    socklen_t len = sizeof bound;
    if (listener->fd < 0 || getsockname(listener->fd, (struct sockaddr *)&bound, &len) < 0)
        return false;
    reload_link_from_sockaddr(&bound, &at);
    return reload_link_address_equal(&at, address);
}

void reload_links_unlisten(struct reload_links *links, const struct reload_link_address *actual)
{
    for (size_t i = 0; i < RELOAD_LINK_LISTENERS_MAX; i++)
        if (is_at(&links->listeners[i], actual)) {
            close(links->listeners[i].fd); /* epoll forgets it with its last descriptor */
            links->listeners[i].fd = -1;
            links->listeners[i].paused = false;
        }
}

/* The inbound links, and of those in their handshake the oldest ones. */
struct crowd {
    uint32_t handshakes, same; /* same: from one address */
    struct reload_link *oldest, *oldest_same;
};

static struct crowd crowd_of(struct reload_links *links, const struct reload_link_address *far)
{
    struct crowd crowd = { 0 };
    struct reload_link *link;
    TAILQ_FOREACH(link, &links->all, in_all)
    {
        if (!link->inbound || link->state == RELOAD_LINK_DEAD)
            continue;
        bool same = link->far.len == far->len && memcmp(link->far.bytes, far->bytes, far->len) == 0;
        crowd.same += same;
        if (link->state != RELOAD_LINK_HANDSHAKING)
            continue;
        crowd.handshakes++;
        crowd.oldest = crowd.oldest ? crowd.oldest : link;
        if (same && !crowd.oldest_same)
            crowd.oldest_same = link;
    }
    return crowd;
}

/* Refusing newcomers would let a few hundred silent connections keep everybody out. */
uint64_t *reload_links_make_room(struct reload_links *links, const struct reload_link_address *far,
                                 uint32_t crowded)
{
    if (links->count >= links->config.limits.links)
        return &links->stats.refused_links;
    struct crowd crowd = crowd_of(links, far);
    bool many = crowd.same >= links->config.limits.inbound_per_address;
    if (many && !crowd.oldest_same)
        return &links->stats.refused_per_address;
    struct reload_link *victim = NULL;
    if (many || crowd.handshakes >= crowded)
        victim = crowd.oldest_same;
    if (!victim && crowd.handshakes >= links->config.limits.handshakes)
        victim = crowd.oldest;
    if (victim)
        reload_link_evict(victim);
    return NULL;
}

static int add_link(struct reload_links *links, const struct reload_link_listener *listener, int fd,
                    const struct reload_link_address *far)
{
    int error;
    struct reload_link *link = reload_link_new(links, listener->invitation != 0, &error);
    if (!link)
        return error;
    link->inbound = true;
    link->role = listener->role;
    if (link->raw)
        link->raw->invitation = listener->invitation;
    link->far = *far;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = link->id };
    if (epoll_ctl(links->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
        link->interest = EPOLLIN;
    links->stats.accepted++;
    reload_link_secure(link, fd); /* owns fd from here, also when it fails */
    reload_link_mark_ready(link);
    return 0;
}

static void admit(struct reload_links *links, const struct reload_link_listener *listener, int fd,
                  const struct sockaddr_storage *from)
{
    struct reload_link_address far;
    reload_link_from_sockaddr(from, &far);
    uint64_t *counter = reload_links_make_room(links, &far, links->config.limits.handshakes);
    if (!counter && listener->invitation)
        reload_invitation_knock(links, listener->invitation);
    if (!counter && add_link(links, listener, fd, &far) == 0)
        return;
    if (counter)
        ++*counter;
    reload_links_log_stranger(links, &far, counter ? "refused: a limit is reached" : "no memory");
    close(fd);
}

/* Without a descriptor to accept with, the pending connection would keep the listener readable and
 * us spinning: the spare one is given up to take and refuse it. 0, or the errno of accepting. */
static int refuse_with_spare(struct reload_links *links, struct reload_link_listener *listener)
{
    if (links->spare_fd < 0)
        return EMFILE;
    close(links->spare_fd);
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
    int error = fd < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    links->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return error;
}

static void pause_listener(struct reload_links *links, struct reload_link_listener *listener)
{
    epoll_ctl(links->epoll_fd, EPOLL_CTL_DEL, listener->fd, NULL);
    listener->paused = true;
    listener->resume_ms = links->now.monotonic_ms + PAUSE_MS;
}

/* False when accepting should stop for now. */
static bool accept_failed(struct reload_links *links, struct reload_link_listener *listener,
                          int error)
{
    if (error == EMFILE || error == ENFILE) { /* said also when nobody waits */
        error = refuse_with_spare(links, listener);
        links->stats.refused_descriptors += error != EAGAIN;
    }
    switch (error) {
    case EAGAIN: return false;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: pause_listener(links, listener); return false;
    default: return true; /* the far end is gone already */
    }
}

void reload_links_accept(struct reload_links *links, struct reload_link_listener *listener)
{
    for (int i = 0; i < ACCEPTS_PER_ROUND; i++) {
        struct sockaddr_storage from;
        socklen_t len = sizeof from;
        int fd =
            accept4(listener->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            admit(links, listener, fd, &from);
        else if (!accept_failed(links, listener, errno))
            return;
    }
}

uint64_t reload_links_resume_listeners(struct reload_links *links)
{
    uint64_t next_ms = RELOAD_NEVER;
    for (size_t i = 0; i < RELOAD_LINK_ALL_LISTENERS; i++) {
        struct reload_link_listener *listener = &links->listeners[i];
        if (!listener->paused)
            continue;
        if (links->now.monotonic_ms >= listener->resume_ms) {
            listener->paused = reload_links_watch_listener(links, i) != 0;
            listener->resume_ms = links->now.monotonic_ms + PAUSE_MS;
        }
        if (listener->paused && listener->resume_ms < next_ms)
            next_ms = listener->resume_ms;
    }
    return next_ms;
}
