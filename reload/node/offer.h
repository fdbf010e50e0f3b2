#ifndef RELOAD_NODE_OFFER_H
#define RELOAD_NODE_OFFER_H

#include "reload/node/state.h"

/* What Attach and AppAttach have in common (RFC 6940 s6.5.1, s6.5.2): the connection parameters
 * that each side offers, the candidates that the host is asked for, and a request that waits until
 * this node has some of its own to answer with. */

#define RELOAD_OFFER_CANDIDATES_MAX 64 /* of one AttachReqAns */
#define RELOAD_OFFER_UFRAG_MIN      4  /* RFC 5245 s15.4 */
#define RELOAD_OFFER_PASSWORD_MIN   22

struct reload_offer { /* of one side; without ICE only the candidates */
    struct reload_slice ufrag, password, candidates;
};

/* Whether connections are made by ICE now: an overlay is all ICE or all No-ICE (s6.5.1.5). */
static inline bool reload_uses_ice(const struct reload_node *node)
{
    return node->config.ice && !node->overlay->no_ice;
}

/* 0, or the RFC error code that refuses the far end's offer; *why says it for people. Candidates of
 * unknown types do not count (s6.5.1.1), but ICE needs one that it can check. */
uint16_t reload_offer_check(const struct reload_offer *offer, bool ice, const char **why);
/* Of what the host gathered: the same, but for having a candidate at all. */
bool reload_offer_is_own(const struct reload_offer *offer, bool ice);
/* A copy in the arena. RELOAD_E_NOMEM. */
int reload_offer_copy(struct reload_node *node, const struct reload_offer *offer,
                      struct reload_offer *out);

/* A request that waits for the own candidates, in one piece of memory. */
struct reload_asked {
    struct reload_reply reply;
    struct reload_offer offer; /* the far end's */
};
/* NULL without memory. To be freed with reload_free(). */
struct reload_asked *reload_asked_new(const struct reload_reply *reply,
                                      const struct reload_offer *offer);
/* Whether it is that very request, which came again although the duplicate cache forgot it. */
bool reload_asked_is(const struct reload_asked *asked, const struct reload_reply *reply);

/* Asks the host for candidates: the number that they will come under, or 0 without memory. */
uint32_t reload_gather(struct reload_node *node, bool requester, bool ice,
                       const uint16_t *application);
uint32_t reload_attach_number(struct reload_node *node);
/* What the host has under that number is wanted no more; 0 is fine. */
void reload_abandon(struct reload_node *node, uint32_t number);

#endif
