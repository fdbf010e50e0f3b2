#include "tests/sim/channels.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reload/wire/candidate.h"

const struct reload_slice channel_password = { (const uint8_t *)"0123456789abcdefghijkl", 22 };

static void require(bool holds, const char *rule, size_t node, uint32_t number)
{
    if (holds)
        return;
    fprintf(stderr, "node %zu, attach %" PRIu32 ": %s\n", node, number, rule);
    abort();
}

struct channel *channels_gather(struct channels *all, size_t node,
                                const struct reload_action_gather *gather)
{
    require(gather->attach != 0, "a number is not 0", node, gather->attach);
    require(!channels_find(all, node, gather->attach), "a number is used once", node,
            gather->attach);
    struct channel *c = calloc(1, sizeof *c);
    *c = (struct channel){ .next = all->first,
                           .node = node,
                           .number = gather->attach,
                           .requester = gather->requester,
                           .application = gather->application,
                           .serial = ++all->serial };
    snprintf(c->ufrag, sizeof c->ufrag, "%016" PRIx64, c->serial);
    all->first = c;
    all->count++;
    return c;
}

struct channel *channels_find(const struct channels *all, size_t node, uint32_t number)
{
    struct channel *c = all->first;
    while (c && (c->node != node || c->number != number))
        c = c->next;
    return c;
}

struct channel *channels_serial(const struct channels *all, uint64_t serial)
{
    struct channel *c = all->first;
    while (c && c->serial != serial)
        c = c->next;
    return c;
}

struct channel *channels_open(struct channels *all, size_t node,
                              const struct reload_action_open_link *open)
{
    struct channel *c = channels_find(all, node, open->attach);
    char text[17] = "";
    require(c && c->candidates_len && !c->opened && !c->application,
            "only what was gathered is opened, once", node, open->attach);
    require(open->ufrag.n == 16 && reload_slice_equal(open->password, channel_password) &&
                open->candidates.n && open->address_count == 0,
            "it is opened towards a far end's offer", node, open->attach);
    require(open->tls_server == c->requester, "the requester is the server", node, open->attach);
    memcpy(text, open->ufrag.p, 16);
    c->far = strtoull(text, NULL, 16);
    c->opened = true;
    struct channel *far = channels_serial(all, c->far);
    if (!far || !far->opened || far->far != c->serial)
        return NULL;
    require(far->requester != c->requester, "one asks and one answers", node, open->attach);
    return far;
}

static void take_out(struct channels *all, struct channel *c)
{
    struct channel **at = &all->first;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    all->count--;
    free(c);
}

void channels_end(struct channels *all, size_t node, uint32_t number)
{
    struct channel *c = channels_find(all, node, number);
    require(c != NULL, "a number ends once", node, number);
    take_out(all, c);
}

void channels_kill(struct channels *all, size_t node)
{
    struct channel *c = all->first, *next;
    for (; c; c = next) {
        next = c->next;
        if (c->node == node)
            take_out(all, c);
    }
}

void channels_fini(struct channels *all)
{
    while (all->first)
        take_out(all, all->first);
}

struct reload_slice channel_ufrag(const struct channel *channel)
{
    return reload_slice_of(channel->ufrag, 16);
}

struct reload_slice channel_candidates(const struct channel *channel)
{
    return reload_slice_of(channel->candidates, channel->candidates_len);
}

void channel_offer(struct channel *channel, uint8_t link_type,
                   const struct reload_ip_address_port *address)
{
    struct reload_writer w = reload_writer_of(channel->candidates, sizeof channel->candidates);
    const struct reload_ice_candidate candidate = {
        .addr_port = *address,
        .overlay_link = link_type,
        .foundation = reload_slice_of("1", 1),
        .priority = 1,
        .type = RELOAD_CANDIDATE_HOST,
    };
    require(reload_ice_candidate_encode(&w, &candidate) == 0, "a candidate has room", channel->node,
            channel->number);
    channel->candidates_len = w.len;
}
