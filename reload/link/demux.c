#include <errno.h>
#include <string.h>

#include "reload/link/datagram_internal.h"

#define RECORD_HANDSHAKE 22 /* content type of DTLS */
#define CLIENT_HELLO     1
#define RECORD_LEN       13

/* --- who is at an address --- */

struct reload_link **reload_udp_bucket(struct reload_datagrams *d,
                                       const struct reload_link_address *far)
{
    uint32_t hash = far->port;
    for (size_t i = 0; i < far->len; i++)
        hash = hash * 31 + far->bytes[i];
    return &d->by_far[(hash ^ hash >> 8 ^ hash >> 16) % RELOAD_UDP_BUCKETS];
}

static struct reload_link *link_after(struct reload_udp_port *port, struct reload_link *link,
                                      const struct reload_link_address *far, reload_link_id after)
{
    if (port->owner)
        return port->owner->id > after ? port->owner : NULL;
    struct reload_link *first = NULL;
    for (; link; link = link->dtls->same_next)
        if (link->id > after && (!first || link->id < first->id) && link->dtls->port == port &&
            reload_link_address_equal(&link->far, far))
            first = link;
    return first;
}

struct reload_link *reload_udp_link_after(struct reload_udp_port *port,
                                          const struct reload_link_address *far,
                                          reload_link_id after)
{
    return link_after(port, *reload_udp_bucket(port->set->datagrams, far), far, after);
}

/* RFC 6347 s4.2.8: the far end has lost the old association, and has now shown who it is. */
void reload_udp_replace(struct reload_link *link)
{
    struct reload_udp_port *port = link->dtls->port;
    struct reload_link *old;
    reload_link_id after = 0;
    while (port && (old = reload_udp_link_after(port, &link->far, after)) && old != link) {
        after = old->id;
        if (old->over)
            continue;
        link->set->stats.replaced++;
        reload_link_fail(old, RELOAD_E_CLOSED, "the far end began anew on its address");
    }
}

/* --- strangers --- */

static struct reload_link *admit(struct reload_udp_port *port,
                                 const struct reload_link_address *far)
{
    struct reload_links *links = port->set;
    uint64_t *counter = reload_links_make_room(links, far, links->config.limits.handshakes / 2);
    if (!counter && port->invitation)
        reload_invitation_knock(links, port->invitation);
    int error = 0;
    struct reload_link *link =
        counter ? NULL : reload_link_new(links, port->invitation != 0, &error);
    if (!link) {
        if (counter)
            ++*counter;
        reload_links_log_stranger(links, far,
                                  counter ? "refused: a limit is reached" : "no memory");
        return NULL;
    }
    if (link->raw)
        link->raw->invitation = port->invitation;
    link->type = RELOAD_LINK_TYPE_DTLS_UDP_SR_NO_ICE;
    link->inbound = true;
    link->role = RELOAD_LINK_SERVER;
    link->far = *far;
    link->local = links->datagrams->inbox.local;
    links->stats.accepted++;
    error = reload_datagram_begin(link, port, links->config.path_mtu, true);
    if (error) {
        reload_link_fail(link, error, "DTLS: %s", reload_error_text(error));
        return NULL;
    }
    struct reload_link **bucket = reload_udp_bucket(links->datagrams, far);
    link->dtls->same_next = *bucket;
    *bucket = link;
    return link;
}

static void challenge(struct reload_udp_port *port, const struct reload_link_address *far,
                      const uint8_t reply[RELOAD_COOKIE_REPLY_LEN])
{
    port->set->stats.challenged++;
    (void)reload_udp_answer(port, &port->set->datagrams->inbox.local, far,
                            reload_slice_of(reply, RELOAD_COOKIE_REPLY_LEN));
}

/* A datagram that may begin a handshake; the link that reads it, or NULL. */
static struct reload_link *meet(struct reload_udp_port *port, const struct reload_link_address *far,
                                struct reload_slice datagram)
{
    struct reload_links *links = port->set;
    uint8_t reply[RELOAD_COOKIE_REPLY_LEN];
    if (port->is_door && !port->invitation) { /* it has let in its guest */
        links->stats.strays++;
        return NULL;
    }
    switch (
        reload_cookie_judge(links->datagrams->jar, far, datagram, links->now.monotonic_ms, reply)) {
    case RELOAD_COOKIE_DROP: links->stats.strays++; break;
    case RELOAD_COOKIE_CHALLENGE: challenge(port, far, reply); break;
    case RELOAD_COOKIE_WELCOME: return admit(port, far);
    }
    return NULL;
}

static bool is_client_hello(struct reload_slice datagram)
{
    return datagram.n > RECORD_LEN && datagram.p[0] == RECORD_HANDSHAKE && datagram.p[3] == 0 &&
           datagram.p[4] == 0 && datagram.p[RECORD_LEN] == CLIENT_HELLO;
}

/* No link of that address is in a handshake to which a ClientHello could belong. */
static bool begins_anew(struct reload_udp_port *port, const struct reload_link_address *far)
{
    reload_link_id after = 0;
    struct reload_link *link;
    while ((link = reload_udp_link_after(port, far, after))) {
        if (link->state == RELOAD_LINK_HANDSHAKING)
            return false;
        after = link->id;
    }
    return true;
}

/* --- a batch of datagrams --- */

static void read_batch(struct reload_udp_port *port)
{
    struct reload_datagrams *d = port->set->datagrams;
    struct reload_udp_inbox *inbox = &d->inbox;
    for (size_t i = 0; i < RELOAD_UDP_BATCH; i++) {
        inbox->messages[i].msg_hdr.msg_name = &inbox->from[i];
        inbox->messages[i].msg_hdr.msg_namelen = sizeof inbox->from[i];
        inbox->messages[i].msg_hdr.msg_control = inbox->control[i];
        inbox->messages[i].msg_hdr.msg_controllen = sizeof inbox->control[i];
    }
    int n = port->budget == 0
                ? 0
                : recvmmsg(port->fd, inbox->messages, RELOAD_UDP_BATCH, MSG_DONTWAIT, NULL);
    int error = n < 0 ? errno : 0;
    inbox->port = port;
    inbox->next = 0;
    inbox->next_at = 0;
    inbox->count = n > 0 ? (unsigned)n : 0;
    if (port->budget > 0)
        port->budget--;
    bool emptied = n >= 0 && n < RELOAD_UDP_BATCH; /* or there was no budget left to look */
    if (emptied || error == EAGAIN || (error && port->budget == 0)) {
        port->is_ready = false; /* epoll tells again if there is more */
        TAILQ_REMOVE(&d->ready, port, in_ready);
        return;
    }
    if (reload_udp_is_refusal(error) && port->owner)
        reload_datagram_refused(port->owner, error); /* may free the port */
}

/* Hands the datagram at hand to the next link of its address: more than one while a far end begins
 * anew, and only the right one can decrypt it. */
static void offer(struct reload_udp_inbox *inbox, struct reload_link *link)
{
    inbox->reader = link ? link->id : 0;
    if (link)
        reload_datagram_lend(link, inbox->datagram);
}

static enum reload_link_step tell_stun(struct reload_udp_inbox *inbox,
                                       struct reload_link_event *event)
{
    inbox->port->set->stats.stun++;
    *event = (struct reload_link_event){ .type = RELOAD_LINK_STUN,
                                         .address = inbox->far,
                                         .local = inbox->local,
                                         .message = inbox->datagram };
    return RELOAD_STEP_MESSAGE;
}

/* Who sent a message, where to, and of which datagrams. */
static void open_message(struct reload_udp_inbox *inbox, struct mmsghdr *message)
{
    if (inbox->port->owner)
        inbox->far = inbox->port->owner->far;
    else
        reload_link_from_sockaddr(message->msg_hdr.msg_name, &inbox->far);
    inbox->home = reload_udp_bucket(inbox->port->set->datagrams, &inbox->far);
    inbox->local = reload_udp_local_of(inbox->port, &message->msg_hdr);
    inbox->segment = reload_udp_segment_of(&message->msg_hdr);
}

/* Takes the next datagram out of the batch. */
static void draw(struct reload_udp_inbox *inbox)
{
    unsigned i = inbox->next;
    struct mmsghdr *message = &inbox->messages[i];
    if (inbox->next_at == 0)
        open_message(inbox, message);
    size_t left = message->msg_len - inbox->next_at;
    inbox->datagram = reload_slice_of(inbox->bytes[i] + inbox->next_at,
                                      inbox->segment < left ? inbox->segment : left);
    inbox->next_at += inbox->datagram.n;
    if (inbox->next_at < message->msg_len)
        return;
    inbox->next++;
    inbox->next_at = 0;
}

static struct reload_link *reader_after(const struct reload_udp_inbox *inbox, reload_link_id after)
{
    return link_after(inbox->port, *inbox->home, &inbox->far, after);
}

/* The links of the datagram's address read it, one after another. */
static enum reload_link_step go_on(struct reload_links *links, struct reload_link_event *event)
{
    struct reload_udp_inbox *inbox = &links->datagrams->inbox;
    while (inbox->reader) {
        struct reload_link *reader = reload_links_find(links, inbox->reader);
        enum reload_link_step step =
            reader && reader->dtls ? reload_datagram_read(reader, event) : RELOAD_STEP_DONE;
        if (step != RELOAD_STEP_DONE)
            return step;
        if (inbox->port) /* it may have gone with its link */
            offer(inbox, reader_after(inbox, inbox->reader));
    }
    return RELOAD_STEP_AGAIN;
}

static enum reload_link_step take_next(struct reload_links *links, struct reload_link_event *event)
{
    struct reload_udp_inbox *inbox = &links->datagrams->inbox;
    struct reload_udp_port *port = inbox->port;
    draw(inbox);
    uint8_t first = inbox->datagram.n ? inbox->datagram.p[0] : 255;
    if (first <= 3 && !port->owner && !port->is_door) /* RFC 7983 */
        return tell_stun(inbox, event);
    if (first < 20 || first > 63) {
        port->set->stats.strays++;
        return RELOAD_STEP_AGAIN;
    }
    struct reload_link *link = reader_after(inbox, 0);
    if (!port->owner && is_client_hello(inbox->datagram) && begins_anew(port, &inbox->far))
        link = meet(port, &inbox->far, inbox->datagram);
    else if (!link)
        port->set->stats.strays++;
    offer(inbox, link);
    return go_on(links, event);
}

bool reload_datagrams_are_waiting(const struct reload_links *links)
{
    const struct reload_datagrams *d = links->datagrams;
    return d && (!TAILQ_EMPTY(&d->ready) || d->inbox.next < d->inbox.count || d->inbox.reader);
}

enum reload_link_step reload_datagrams_step(struct reload_links *links,
                                            struct reload_link_event *event)
{
    struct reload_datagrams *d = links->datagrams;
    if (d && d->inbox.reader)
        return go_on(links, event);
    if (d && d->inbox.next < d->inbox.count)
        return take_next(links, event);
    if (!d || TAILQ_EMPTY(&d->ready))
        return RELOAD_STEP_DONE;
    read_batch(TAILQ_FIRST(&d->ready));
    return RELOAD_STEP_AGAIN;
}
