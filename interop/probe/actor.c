#include "interop/probe/actor.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interop/probe/memory.h"
#include "interop/probe/socket.h"

#define HANDSHAKE_MS 5000
#define PATH_LEN     1252 /* bytes of one datagram of a handshake */
#define POLL_MAX     160
#define READ_MAX     65536

const struct reload_cert_identity *probe_actor_identity(const struct probe_actor *actor)
{
    return actor->identity ? actor->identity : actor->world->identity;
}

static struct probe_link *new_link(struct probe_actor *actor, int fd, enum reload_link_role role,
                                   bool inbound)
{
    struct probe_link *link = probe_calloc(1, sizeof *link);
    bool dtls = actor->world->options.dtls;
    *link = (struct probe_link){ .fd = fd,
                                 .datagrams = dtls,
                                 .shared = inbound && dtls,
                                 .inbound = inbound,
                                 .message = actor->message,
                                 .context = actor->context };
    int error = dtls ? reload_engine_new_datagram(actor->engines, role, NULL, PATH_LEN, inbound,
                                                  &link->engine)
                     : reload_engine_new(actor->engines, role, NULL, &link->engine);
    if (error || actor->link_count == PROBE_LINKS_MAX) {
        probe_link_close(link);
        free(link);
        return NULL;
    }
    actor->links[actor->link_count++] = link;
    return link;
}

struct probe_link *probe_actor_link(const struct probe_actor *actor)
{
    for (size_t i = actor->link_count; i > 0; i--)
        if (actor->links[i - 1]->up && !actor->links[i - 1]->closed)
            return actor->links[i - 1];
    return NULL;
}

struct probe_link *probe_actor_dial(struct probe_actor *actor, struct probe_fault *fault)
{
    const struct probe_options *options = &actor->world->options;
    int fd = probe_socket_dial(&options->peer, options->dtls);
    if (fd < 0) {
        probe_fault_set(fault, "no connection to the peer: %s", strerror(errno));
        return NULL;
    }
    struct probe_link *link = new_link(actor, fd, RELOAD_LINK_CLIENT, false);
    if (!link) {
        close(fd);
        probe_fault_set(fault, "no more links");
        return NULL;
    }
    link->far = options->peer;
    probe_link_go_on(link);
    uint64_t end = probe_now().monotonic_ms + HANDSHAKE_MS;
    while (!link->closed && !(link->up && reload_engine_confirmed(link->engine)) &&
           probe_now().monotonic_ms < end)
        probe_actors_poll(&actor, 1, link->up ? 500 : 50);
    if (link->closed || !link->up)
        probe_fault_set(fault, "the link did not come up: %s",
                        link->closed ? reload_engine_reason(link->engine) : "time is over");
    return link->closed || !link->up ? NULL : link;
}

int probe_actor_listen(struct probe_actor *actor, struct probe_fault *fault)
{
    const struct probe_options *options = &actor->world->options;
    if (actor->listener >= 0)
        return 0;
    if (options->dtls && reload_cookie_jar_new(&actor->jar))
        return probe_fault_set(fault, "no cookies");
    actor->listener = probe_socket_listen(&options->peer, options->dtls, &actor->local);
    return actor->listener < 0 ? probe_fault_set(fault, "cannot listen: %s", strerror(errno)) : 0;
}

void probe_actor_hang_up(struct probe_actor *actor)
{
    for (size_t i = 0; i < actor->link_count; i++)
        probe_link_close(actor->links[i]);
}

void probe_actor_free(struct probe_actor *actor)
{
    if (!actor)
        return;
    probe_actor_hang_up(actor);
    for (size_t i = 0; i < actor->link_count; i++)
        free(actor->links[i]);
    if (actor->listener >= 0)
        close(actor->listener);
    reload_cookie_jar_free(actor->jar);
    reload_engine_context_free(actor->engines);
    reload_cert_context_free(actor->certs);
    reload_cert_identity_free(actor->identity);
    free(actor);
}

/* --- what comes --- */

static void accept_stream(struct probe_actor *actor)
{
    struct sockaddr_storage from;
    socklen_t len = sizeof from;
    int fd = accept4(actor->listener, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0 && !new_link(actor, fd, RELOAD_LINK_SERVER, true))
        close(fd);
}

static struct probe_link *inbound_from(struct probe_actor *actor,
                                       const struct reload_link_address *far)
{
    for (size_t i = 0; i < actor->link_count; i++)
        if (actor->links[i]->shared && !actor->links[i]->closed &&
            reload_link_address_equal(&actor->links[i]->far, far))
            return actor->links[i];
    return NULL;
}

static struct probe_link *welcome(struct probe_actor *actor, const struct reload_link_address *far,
                                  const struct sockaddr_storage *from, socklen_t len,
                                  struct reload_slice datagram)
{
    uint8_t reply[RELOAD_COOKIE_REPLY_LEN];
    enum reload_cookie_verdict verdict =
        reload_cookie_judge(actor->jar, far, datagram, probe_now().monotonic_ms, reply);
    if (verdict == RELOAD_COOKIE_CHALLENGE)
        (void)!sendto(actor->listener, reply, sizeof reply, 0, (const struct sockaddr *)from, len);
    if (verdict != RELOAD_COOKIE_WELCOME)
        return NULL;
    struct probe_link *link = new_link(actor, actor->listener, RELOAD_LINK_SERVER, true);
    if (link)
        link->far = *far;
    return link;
}

static void accept_datagram(struct probe_actor *actor)
{
    static uint8_t bytes[READ_MAX];
    struct sockaddr_storage from;
    struct reload_link_address far;
    socklen_t len = sizeof from;
    ssize_t n = recvfrom(actor->listener, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &len);
    if (n <= 0)
        return;
    probe_sockaddr_read(&from, &far);
    struct reload_slice datagram = reload_slice_of(bytes, (size_t)n);
    struct probe_link *link = inbound_from(actor, &far);
    if (!link)
        link = welcome(actor, &far, &from, len, datagram);
    if (link)
        probe_link_input(link, datagram);
}

static void read_link(struct probe_link *link)
{
    static uint8_t bytes[READ_MAX];
    ssize_t n = recv(link->fd, bytes, sizeof bytes, 0);
    if (n > 0)
        probe_link_input(link, reload_slice_of(bytes, (size_t)n));
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        link->closed = true;
}

struct watched {
    struct probe_actor *actor;
    struct probe_link *link; /* NULL: the listener */
};

static size_t watch(struct probe_actor *const *actors, size_t count, struct watched *what,
                    struct pollfd *fds)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        struct probe_actor *actor = actors[i];
        if (actor->listener >= 0 && n < POLL_MAX) {
            what[n] = (struct watched){ actor, NULL };
            fds[n++] = (struct pollfd){ actor->listener, POLLIN, 0 };
        }
        for (size_t k = 0; k < actor->link_count && n < POLL_MAX; k++) {
            struct probe_link *link = actor->links[k];
            if (!link->closed)
                probe_link_go_on(link); /* a lost flight of a DTLS handshake */
            if (link->closed || link->shared)
                continue;
            what[n] = (struct watched){ actor, link };
            fds[n++] = (struct pollfd){ link->fd, POLLIN, 0 };
        }
    }
    return n;
}

void probe_actors_poll(struct probe_actor *const *actors, size_t count, int wait_ms)
{
    struct watched what[POLL_MAX];
    struct pollfd fds[POLL_MAX];
    size_t n = watch(actors, count, what, fds);
    if (poll(fds, n, wait_ms) <= 0)
        return;
    for (size_t i = 0; i < n; i++) {
        if (!fds[i].revents)
            continue;
        if (what[i].link)
            read_link(what[i].link);
        else if (what[i].actor->world->options.dtls)
            accept_datagram(what[i].actor);
        else
            accept_stream(what[i].actor);
    }
}
