#include <string.h>

#include "reload/alloc.h"
#include "reload/link/datagram_internal.h"

#define LENGTH_LEN 2 /* before each datagram that has arrived */

static struct reload_link_dial *expectation(const struct reload_node_id *expected)
{
    struct reload_link_dial *dial = reload_calloc(1, sizeof *dial);
    if (dial && expected)
        dial->expected = *expected;
    return dial;
}

int reload_links_open_channel(struct reload_links *links, const struct reload_link_channel *channel,
                              struct reload_time now, reload_link_id *id)
{
    links->now = now;
    struct reload_link_dial *dial = expectation(channel->expected);
    if (!dial)
        return RELOAD_E_NOMEM;
    int error;
    struct reload_link *link = reload_link_new(links, channel->raw, &error);
    if (!link) {
        reload_free(dial);
        return error;
    }
    link->type = RELOAD_LINK_TYPE_DTLS_UDP_SR;
    link->role = channel->role;
    link->far = channel->far;
    link->local = channel->local;
    link->dial = dial; /* without addresses: there is no second attempt */
    error = reload_datagram_begin(
        link, NULL, channel->path_mtu ? channel->path_mtu : links->config.path_mtu, false);
    if (error) {
        link->told_over = link->over = true; /* the caller is told here and now */
        reload_link_enter(link, RELOAD_LINK_DEAD);
        return error;
    }
    if (channel->rtt_ms)
        reload_reliable_measured(link->dtls->reliable, channel->rtt_ms);
    links->stats.dialled++;
    *id = link->id;
    return 0;
}

void reload_links_channel_input(struct reload_links *links, reload_link_id id,
                                struct reload_slice datagram, struct reload_time now)
{
    links->now = now;
    struct reload_link *link = reload_links_find(links, id);
    bool is_dtls = datagram.n > 0 && datagram.n <= RELOAD_UDP_LEN && datagram.p[0] >= 20 &&
                   datagram.p[0] <= 63; /* RFC 7983 */
    uint8_t *to = NULL;
    if (link && link->dtls && !link->dtls->port && is_dtls &&
        reload_buffer_len(&link->dtls->arrived) + datagram.n < RELOAD_LINK_CHANNEL_BYTES)
        to = reload_buffer_reserve(&link->dtls->arrived, LENGTH_LEN + datagram.n);
    if (!to) {
        links->stats.strays++;
        return;
    }
    to[0] = (uint8_t)(datagram.n >> 8);
    to[1] = (uint8_t)datagram.n;
    memcpy(to + LENGTH_LEN, datagram.p, datagram.n);
    reload_buffer_commit(&link->dtls->arrived, LENGTH_LEN + datagram.n);
    reload_link_mark_ready(link);
}

bool reload_channel_lend(struct reload_link *link)
{
    struct reload_buffer *arrived = &link->dtls->arrived;
    struct reload_udp_inbox *inbox = &link->set->datagrams->inbox;
    if (reload_buffer_len(arrived) == 0)
        return false;
    const uint8_t *p = arrived->p + arrived->start;
    size_t n = (size_t)p[0] << 8 | p[1];
    memcpy(inbox->channel, p + LENGTH_LEN, n);
    reload_buffer_consume(arrived, LENGTH_LEN + n);
    reload_datagram_lend(link, reload_slice_of(inbox->channel, n));
    return true;
}

bool reload_channel_tell(struct reload_link *link, struct reload_link_event *event)
{
    struct reload_slice datagram;
    if (!link->dtls || link->dtls->port || !link->engine ||
        !reload_engine_datagram_next(link->engine, &datagram, 1))
        return false;
    struct reload_datagrams *d = link->set->datagrams;
    memcpy(d->told, datagram.p, datagram.n); /* the link may go on before the owner is done */
    link->counters.bytes_out += datagram.n;
    link->set->stats.sum.bytes_out += datagram.n;
    *event = (struct reload_link_event){ .type = RELOAD_LINK_DATAGRAM,
                                         .link = link->id,
                                         .address = link->far,
                                         .message = { d->told, datagram.n } };
    reload_engine_datagram_sent(link->engine, 1);
    reload_link_mark_dirty(link); /* there may be more to send, or nothing any more */
    return true;
}

void reload_links_channel_lost(struct reload_links *links, reload_link_id id, const char *reason,
                               struct reload_time now)
{
    links->now = now;
    struct reload_link *link = reload_links_find(links, id);
    if (link && link->dtls && !link->dtls->port)
        reload_link_fail(link, RELOAD_E_CLOSED, "%s", reason ? reason : "the channel is lost");
}
