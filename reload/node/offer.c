#include "reload/node/offer.h"

#include "reload/alloc.h"
#include "reload/wire/candidate.h"

/* --- what may be offered --- */

struct census { /* of a candidate list */
    size_t all, ice, no_ice, checkable;
};

static bool is_checkable(const struct reload_ice_candidate *c)
{
    return c->overlay_link == RELOAD_OVERLAY_LINK_DTLS_UDP_SR && c->addr_port.port != 0 &&
           (c->addr_port.type == RELOAD_ADDRESS_IPV4 || c->addr_port.type == RELOAD_ADDRESS_IPV6);
}

static int count(struct reload_slice candidates, struct census *out)
{
    struct reload_reader r = reload_reader_over(candidates);
    struct reload_ice_candidate c;
    *out = (struct census){ 0 };
    while (reload_ice_candidate_next(&r, &c)) {
        out->all++;
        out->ice += c.overlay_link == RELOAD_OVERLAY_LINK_DTLS_UDP_SR;
        out->no_ice += reload_overlay_link_is_no_ice(c.overlay_link);
        out->checkable += is_checkable(&c);
    }
    return r.failed ? RELOAD_E_DECODE : 0;
}

static bool is_ice_text(struct reload_slice s, size_t min) /* RFC 5245 s15.1: ice-char */
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i], letter = c | 0x20;
        if (!(letter >= 'a' && letter <= 'z') && !(c >= '0' && c <= '9') && c != '+' && c != '/')
            return false;
    }
    return s.n >= min;
}

static bool has_credentials(const struct reload_offer *offer)
{
    return is_ice_text(offer->ufrag, RELOAD_OFFER_UFRAG_MIN) &&
           is_ice_text(offer->password, RELOAD_OFFER_PASSWORD_MIN);
}

static uint16_t invalid(const char *text, const char **why)
{
    *why = text;
    return RELOAD_ERROR_INVALID_MESSAGE;
}

static uint16_t incompatible(const char *text, const char **why)
{
    *why = text;
    return RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY;
}

uint16_t reload_offer_check(const struct reload_offer *offer, bool ice, const char **why)
{
    struct census n;
    if (count(offer->candidates, &n) != 0)
        return invalid("malformed candidates", why);
    if (n.all > RELOAD_OFFER_CANDIDATES_MAX)
        return invalid("too many candidates", why);
    if (n.ice && n.no_ice) /* RFC 6940 s6.5.1.1 */
        return invalid("candidates with ICE and without", why);
    if (ice ? n.no_ice : n.ice) /* s6.5.1.5 */
        return incompatible(ice ? "this overlay uses ICE" : "this overlay does not use ICE", why);
    if (!ice)
        return 0;
    if (!has_credentials(offer))
        return invalid("no ICE credentials", why);
    return n.checkable ? 0 : incompatible("no candidate that can be checked", why);
}

bool reload_offer_is_own(const struct reload_offer *offer, bool ice)
{
    struct census n;
    return count(offer->candidates, &n) == 0 && n.all <= RELOAD_OFFER_CANDIDATES_MAX &&
           (ice ? n.no_ice == 0 && n.ice && has_credentials(offer)
                : n.ice == 0 && offer->ufrag.n == 0 && offer->password.n == 0) &&
           offer->ufrag.n <= UINT8_MAX && offer->password.n <= UINT8_MAX &&
           offer->candidates.n <= UINT16_MAX;
}

static bool copy(struct reload_node *node, struct reload_slice from, struct reload_slice *to)
{
    *to = reload_slice_of(reload_arena_copy(&node->queue.arena, from.p, from.n), from.n);
    return to->p != NULL;
}

int reload_offer_copy(struct reload_node *node, const struct reload_offer *offer,
                      struct reload_offer *out)
{
    return copy(node, offer->ufrag, &out->ufrag) && copy(node, offer->password, &out->password) &&
                   copy(node, offer->candidates, &out->candidates)
               ? 0
               : RELOAD_E_NOMEM;
}

/* --- a request that waits --- */

static struct reload_slice put(struct reload_writer *w, struct reload_slice s)
{
    size_t at = w->len;
    reload_wr_bytes(w, s);
    return reload_slice_of(w->buf + at, s.n);
}

struct reload_asked *reload_asked_new(const struct reload_reply *reply,
                                      const struct reload_offer *offer)
{
    size_t bytes = reply->destination_list.n + reply->options.n + offer->ufrag.n +
                   offer->password.n + offer->candidates.n;
    struct reload_asked *asked = reload_alloc(sizeof *asked + bytes);
    if (!asked)
        return NULL;
    struct reload_writer w = reload_writer_of(asked + 1, bytes);
    asked->reply = *reply;
    asked->reply.destination_list = put(&w, reply->destination_list);
    asked->reply.options = put(&w, reply->options);
    asked->offer = (struct reload_offer){
        .ufrag = put(&w, offer->ufrag),
        .password = put(&w, offer->password),
        .candidates = put(&w, offer->candidates),
    };
    return asked;
}

bool reload_asked_is(const struct reload_asked *asked, const struct reload_reply *reply)
{
    return asked->reply.transaction_id == reply->transaction_id &&
           reload_node_id_equal(&asked->reply.signer, &reply->signer);
}

/* --- the host's part --- */

uint32_t reload_attach_number(struct reload_node *node)
{
    node->next_attach++;
    return node->next_attach ? node->next_attach : ++node->next_attach; /* 0 is no number */
}

uint32_t reload_gather(struct reload_node *node, bool requester, bool ice,
                       const uint16_t *application)
{
    struct reload_action *action = reload_queue_push(&node->queue, RELOAD_ACTION_GATHER);
    if (!action)
        return 0;
    action->gather = (struct reload_action_gather){
        .attach = reload_attach_number(node),
        .requester = requester,
        .application = application != NULL,
        .application_id = application ? *application : 0,
        .ice = ice,
    };
    return action->gather.attach;
}

void reload_abandon(struct reload_node *node, uint32_t number)
{
    struct reload_action *action =
        number ? reload_queue_push(&node->queue, RELOAD_ACTION_ABANDON) : NULL;
    if (action)
        action->abandon.attach = number;
}
