#ifndef USAGE_SIP_LOOKUP_H
#define USAGE_SIP_LOOKUP_H

#include "reload/store/fetched.h"
#include "usage-sip/contacts.h"

/* Finding where an address of record can be reached (RFC 7904 s4) as a state machine: the caller
 * pulls Fetches with reload_sip_lookup_next(), brings what came of them, and asks for the result.
 *
 *   new --(a GRUU, a foreign URI, a cached address)--> DONE --(anew)--> RESOLVING
 *    \--> RESOLVING --(every Fetch has ended)--> DONE
 *
 * A registration can point to another address, which is fetched in turn. No address is fetched
 * twice, so that loops end, and there are limits on everything a registrant could grow. */

struct reload_sip_lookup_limits { /* 0 takes the default */
    unsigned depth;               /* addresses in a row: 5 */
    unsigned fetches;             /* in all: 20 */
    unsigned targets;             /* and URIs outside, each: 10 */
};
#define RELOAD_SIP_LOOKUP_LIMIT_MAX 64 /* what any of them can be */

enum reload_sip_outcome {
    RELOAD_SIP_FOUND,     /* targets to try, and maybe externals */
    RELOAD_SIP_EXTERNAL,  /* only URIs that are not this overlay's: DNS (RFC 3263), another overlay
                           */
    RELOAD_SIP_NOT_FOUND, /* nobody is registered: 404 */
    RELOAD_SIP_LOOP,      /* addresses that lead to each other, or beyond the limits: 482 */
    RELOAD_SIP_FAILED,    /* a Fetch failed and nothing else was found: 480 */
};

struct reload_sip_lookup_result { /* belongs to the lookup */
    enum reload_sip_outcome outcome;
    const struct reload_sip_target *targets;
    size_t target_count;
    const char *const *externals;
    size_t external_count;
    bool cached;    /* from the contacts, not asked for now */
    size_t dropped; /* records that are malformed, of an unknown type, or lead nowhere */
    size_t cut;     /* what the limits left out */
    size_t loops;   /* addresses that came a second time */
};

struct reload_sip_lookup;

/* uri: an address of record, a SIP URI, a GRUU or any other URI. own: this node. contacts: may be
 * NULL; must outlive the lookup. The configuration is looked at during the call only.
 * RELOAD_E_INVALID, RELOAD_E_LIMIT: no address (see aor.h); RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_sip_lookup_new(struct reload_slice uri,
                                          const struct reload_config *overlay,
                                          const struct reload_node_id *own,
                                          const struct reload_sip_lookup_limits *limits,
                                          struct reload_sip_contacts *contacts,
                                          struct reload_time now, struct reload_sip_lookup **out);
void reload_sip_lookup_free(struct reload_sip_lookup *lookup);

struct reload_sip_fetch { /* Kind SIP-REGISTRATION, without dictionary keys (s4.2) */
    unsigned number;
    struct reload_slice name; /* the Resource Name */
};
/* The next Fetch to send; false when there is none now. */
bool reload_sip_lookup_next(struct reload_sip_lookup *lookup, struct reload_sip_fetch *fetch);
/* What a Fetch brought: values whose signature and policy hold (reload/store/fetched.h), of any
 * Kind. A number that is not under way is ignored. */
void reload_sip_lookup_fetched(struct reload_sip_lookup *lookup, unsigned number,
                               const struct reload_config *overlay,
                               const struct reload_fetched_value *values, size_t count,
                               struct reload_time now);
void reload_sip_lookup_failed(struct reload_sip_lookup *lookup, unsigned number,
                              struct reload_time now);
/* NULL while Fetches are under way or to be sent. */
const struct reload_sip_lookup_result *
reload_sip_lookup_result(const struct reload_sip_lookup *lookup);
/* The contacts that were cached could not be reached: forgets them and asks the overlay. False
 * when the result did not come from the cache, so that there is nothing new to find. */
bool reload_sip_lookup_anew(struct reload_sip_lookup *lookup);

#endif
