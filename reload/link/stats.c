#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "reload/link/links_internal.h"

socklen_t reload_link_to_sockaddr(const struct reload_link_address *address, void *sockaddr_storage)
{
    memset(sockaddr_storage, 0, sizeof(struct sockaddr_storage));
    if (address->len == 4) {
        struct sockaddr_in *to = sockaddr_storage;
        to->sin_family = AF_INET;
        to->sin_port = htons(address->port);
        memcpy(&to->sin_addr, address->bytes, 4);
        return sizeof *to;
    }
    struct sockaddr_in6 *to = sockaddr_storage;
    to->sin6_family = AF_INET6;
    to->sin6_port = htons(address->port);
    memcpy(&to->sin6_addr, address->bytes, 16);
    return sizeof *to;
}

void reload_link_from_sockaddr(const void *sockaddr_storage, struct reload_link_address *out)
{
    *out = (struct reload_link_address){ 0 };
    const struct sockaddr *any = sockaddr_storage;
    if (any->sa_family == AF_INET) {
        const struct sockaddr_in *from = sockaddr_storage;
        out->len = 4;
        out->port = ntohs(from->sin_port);
        memcpy(out->bytes, &from->sin_addr, 4);
    } else if (any->sa_family == AF_INET6) {
        const struct sockaddr_in6 *from = sockaddr_storage;
        out->len = 16;
        out->port = ntohs(from->sin6_port);
        memcpy(out->bytes, &from->sin6_addr, 16);
    }
}

static struct reload_link_address local_of(const struct reload_link *link)
{
    struct reload_link_address local = link->local;
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    if (!local.len && getsockname(link->fd, (struct sockaddr *)&at, &len) == 0)
        reload_link_from_sockaddr(&at, &local);
    return local;
}

void reload_link_learn_local(struct reload_link *link)
{
    link->local = local_of(link);
}

void reload_link_capture(struct reload_link *link, bool sent, const struct reload_slice *parts,
                         size_t count)
{
    struct reload_pcap *pcap = link->set->config.pcap;
    if (!pcap)
        return;
    if (!link->local.len)
        reload_link_learn_local(link);
    const struct reload_link_address *from = sent ? &link->local : &link->far;
    const struct reload_link_address *to = sent ? &link->far : &link->local;
    reload_pcap_write(pcap, link->set->now, from, to, sent == link->inbound, parts, count);
}

void reload_links_log_stranger(struct reload_links *links, const struct reload_link_address *far,
                               const char *what)
{
    uint64_t second = links->now.monotonic_ms / 1000;
    if (second != links->log_second) {
        if (links->log_lines > RELOAD_LINK_LOG_LINES)
            reload_log_write(links->config.log, RELOAD_LOG_WARNING, "link",
                             "%u more inbound failures in that second",
                             links->log_lines - RELOAD_LINK_LOG_LINES);
        links->log_second = second;
        links->log_lines = 0;
    }
    if (links->log_lines++ >= RELOAD_LINK_LOG_LINES)
        return;
    char text[RELOAD_LINK_ADDRESS_TEXT];
    reload_log_write(links->config.log, RELOAD_LOG_WARNING, "link", "inbound from %s: %s",
                     reload_link_address_text(far, text), what);
}

void reload_links_stats(const struct reload_links *links, struct reload_links_stats *out)
{
    *out = links->stats;
    out->links = links->count;
    const struct reload_link *link;
    TAILQ_FOREACH(link, &links->all, in_all)
    {
        out->up += reload_link_is_up(link);
        out->raw += link->raw && !link->over;
        out->handshaking += link->state <= RELOAD_LINK_CONFIRMING;
    }
    const struct reload_link_invitation *invitation;
    TAILQ_FOREACH(invitation, &links->invitations, in_all)
    {
        out->invitations += !invitation->expired;
    }
}

bool reload_link_is_suspect(const struct reload_link *link)
{
    if (link->dtls)
        return reload_datagram_is_suspect(link);
    return link->sender.state != RELOAD_FRAME_ALIVE;
}

int reload_links_info(const struct reload_links *links, reload_link_id id,
                      struct reload_link_info *out)
{
    const struct reload_link *link = reload_links_find(links, id);
    if (!link || link->over)
        return RELOAD_E_NOT_FOUND;
    *out = (struct reload_link_info){ .link = id,
                                      .inbound = link->inbound,
                                      .up = reload_link_is_up(link),
                                      .raw = link->raw != NULL,
                                      .role = link->role,
                                      .address = link->far,
                                      .local = local_of(link),
                                      .tls_version = "",
                                      .counters = link->counters };
    out->link_type = link->type;
    out->suspect = out->up && reload_link_is_suspect(link);
    out->rtt_ms = link->sender.rtt.srtt_8 / 8;
    out->rto_ms = link->sender.rtt.rto_ms;
    out->unacked = link->sender.unacked;
    out->queued_messages = link->queued_messages;
    if (!link->engine)
        return 0;
    out->tls_version = reload_engine_version(link->engine);
    const struct reload_link_peer *peer = reload_engine_peer(link->engine);
    if (peer->node_id_count)
        out->node_id = peer->node_ids[0];
    if (link->dtls) {
        reload_datagram_describe(link, out);
        return 0;
    }
    out->queued_bytes = (uint32_t)(reload_buffer_len(&link->queue) +
                                   reload_buffer_len(reload_engine_output(link->engine)));
    return 0;
}

size_t reload_links_list(const struct reload_links *links, reload_link_id *ids, size_t cap)
{
    size_t count = 0;
    const struct reload_link *link;
    TAILQ_FOREACH(link, &links->all, in_all)
    {
        if (link->over)
            continue;
        if (count < cap)
            ids[count] = link->id;
        count++;
    }
    return count;
}
