#include <sys/socket.h>
#include <unistd.h>

#include "reload/alloc.h"
#include "reload/link/datagram.h"
#include "reload/link/links_internal.h"

/* Ports that let in exactly one connection of an application, from a node that is known later. */

struct reload_link_invitation *reload_invitation_find(const struct reload_links *links,
                                                      reload_invitation_id id)
{
    struct reload_link_invitation *invitation;
    TAILQ_FOREACH(invitation, &links->invitations, in_all)
    {
        if (invitation->id == id && !invitation->expired)
            return invitation;
    }
    return NULL;
}

static uint32_t count_of(const struct reload_links *links)
{
    uint32_t count = 0;
    const struct reload_link_invitation *invitation;
    TAILQ_FOREACH(invitation, &links->invitations, in_all)
    {
        count++;
    }
    return count;
}

static void set_deadline(struct reload_links *links, struct reload_link_invitation *invitation,
                         uint32_t lifetime_ms)
{
    invitation->deadline_ms = links->now.monotonic_ms + lifetime_ms;
    if (invitation->deadline_ms < links->earliest_ms)
        links->earliest_ms = invitation->deadline_ms;
}

int reload_links_invite(struct reload_links *links, uint32_t lifetime_ms, struct reload_time now,
                        reload_invitation_id *id)
{
    links->now = now;
    if (count_of(links) >= RELOAD_LINK_INVITATIONS_MAX || links->last_invitation == UINT32_MAX) {
        links->stats.refused_invitations++;
        return RELOAD_E_LIMIT;
    }
    struct reload_link_invitation *invitation = reload_calloc(1, sizeof *invitation);
    if (!invitation)
        return RELOAD_E_NOMEM;
    *id = invitation->id = ++links->last_invitation;
    set_deadline(links, invitation, lifetime_ms);
    TAILQ_INSERT_TAIL(&links->invitations, invitation, in_all);
    return 0;
}

int reload_links_invite_at(struct reload_links *links, reload_invitation_id id, uint8_t link_type,
                           const struct reload_link_address *address,
                           struct reload_link_address *actual)
{
    const struct reload_link_invitation *invitation = reload_invitation_find(links, id);
    const struct reload_link_listener with = { .role = RELOAD_LINK_SERVER, .invitation = id };
    if (!invitation)
        return RELOAD_E_NOT_FOUND;
    if (invitation->expected.len)
        return RELOAD_E_STATE;
    int error = RELOAD_E_INVALID;
    if (link_type == RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE)
        error = reload_links_open_listener(links, RELOAD_LINK_LISTENERS_MAX, RELOAD_LINK_DOORS_MAX,
                                           address, with, actual);
    else if (link_type == RELOAD_LINK_TYPE_DTLS_UDP_SR_NO_ICE)
        error = reload_datagrams_open_door(links, id, address, actual);
    links->stats.refused_invitations += error == RELOAD_E_LIMIT;
    return error;
}

static int watch_listeners(struct reload_links *links, reload_invitation_id id)
{
    for (size_t i = RELOAD_LINK_LISTENERS_MAX; i < RELOAD_LINK_ALL_LISTENERS; i++)
        if (links->listeners[i].fd >= 0 && links->listeners[i].invitation == id &&
            reload_links_watch_listener(links, i) < 0)
            return -1;
    return 0;
}

/* Ends all that came in by it but the guest, and closes its ports. */
static void close_invitation(struct reload_links *links, struct reload_link_invitation *invitation,
                             struct reload_link *guest)
{
    struct reload_link *link;
    TAILQ_FOREACH(link, &links->all, in_all)
    {
        if (link != guest && link->raw && link->raw->invitation == invitation->id)
            reload_link_fail(link, RELOAD_E_CLOSED, "this port is closed");
    }
    for (size_t i = RELOAD_LINK_LISTENERS_MAX; i < RELOAD_LINK_ALL_LISTENERS; i++) {
        struct reload_link_listener *listener = &links->listeners[i];
        if (listener->fd < 0 || listener->invitation != invitation->id)
            continue;
        close(listener->fd); /* leaves the epoll set by itself */
        *listener = (struct reload_link_listener){ .fd = -1 };
    }
    reload_datagrams_close_doors(links, invitation->id, guest);
}

static void drop(struct reload_links *links, struct reload_link_invitation *invitation)
{
    TAILQ_REMOVE(&links->invitations, invitation, in_all);
    reload_free(invitation);
}

int reload_links_admit(struct reload_links *links, reload_invitation_id id,
                       const struct reload_node_id *expected, uint32_t lifetime_ms,
                       struct reload_time now)
{
    links->now = now;
    struct reload_link_invitation *invitation = reload_invitation_find(links, id);
    if (!invitation)
        return RELOAD_E_NOT_FOUND;
    if (invitation->expected.len)
        return RELOAD_E_STATE;
    if (watch_listeners(links, id) < 0 || reload_datagrams_watch_doors(links, id) < 0)
        return RELOAD_E_IO;
    invitation->expected = *expected;
    set_deadline(links, invitation, lifetime_ms);
    return 0;
}

void reload_links_withdraw(struct reload_links *links, reload_invitation_id id,
                           struct reload_time now)
{
    links->now = now;
    struct reload_link_invitation *invitation = reload_invitation_find(links, id);
    if (!invitation)
        return;
    close_invitation(links, invitation, NULL);
    drop(links, invitation);
}

/* Slow strangers must not keep the guest out: the oldest of them goes. */
void reload_invitation_knock(struct reload_links *links, reload_invitation_id id)
{
    size_t guests = 0;
    struct reload_link *oldest = NULL, *link;
    TAILQ_FOREACH(link, &links->all, in_all)
    {
        if (!link->raw || link->raw->invitation != id || link->over)
            continue;
        oldest = oldest ? oldest : link;
        guests++;
    }
    if (guests < RELOAD_LINK_GUESTS_MAX)
        return;
    reload_link_evict(oldest);
}

void reload_invitation_taken(struct reload_link *link)
{
    struct reload_links *links = link->set;
    struct reload_link_invitation *invitation =
        reload_invitation_find(links, link->raw->invitation);
    if (!invitation)
        return;
    close_invitation(links, invitation, link);
    drop(links, invitation);
}

uint64_t reload_invitations_tick(struct reload_links *links)
{
    uint64_t next_ms = RELOAD_NEVER;
    struct reload_link_invitation *invitation;
    TAILQ_FOREACH(invitation, &links->invitations, in_all)
    {
        if (invitation->expired)
            continue;
        if (links->now.monotonic_ms >= invitation->deadline_ms) {
            close_invitation(links, invitation, NULL);
            invitation->expired = true;
            links->expired++;
            links->stats.expired_invitations++;
        } else if (invitation->deadline_ms < next_ms) {
            next_ms = invitation->deadline_ms;
        }
    }
    return next_ms;
}

bool reload_invitations_tell(struct reload_links *links, struct reload_link_event *event)
{
    struct reload_link_invitation *invitation = TAILQ_FIRST(&links->invitations);
    while (invitation && !invitation->expired)
        invitation = TAILQ_NEXT(invitation, in_all);
    if (!invitation)
        return false;
    *event = (struct reload_link_event){ .type = RELOAD_LINK_DOWN,
                                         .raw = true,
                                         .invitation = invitation->id,
                                         .error = RELOAD_E_TIMEOUT,
                                         .reason = "the far end did not connect in time" };
    links->expired--;
    drop(links, invitation);
    return true;
}

void reload_invitations_free(struct reload_links *links)
{
    while (!TAILQ_EMPTY(&links->invitations))
        drop(links, TAILQ_FIRST(&links->invitations));
}
