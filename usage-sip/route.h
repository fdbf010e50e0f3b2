#ifndef USAGE_SIP_ROUTE_H
#define USAGE_SIP_ROUTE_H

#include "reload/wire/destination.h"
#include "usage-sip/contact_prefs.h"
#include "usage-sip/gruu.h"

/* From a destination list to a SIP connection (RFC 7904 s5.1): which AppAttach to send, and whom
 * the connection must then lead to. Pure functions. */

#define RELOAD_SIP_APPLICATION_SIP  5060
#define RELOAD_SIP_APPLICATION_SIPS 5061

/* Where a call may go. */
struct reload_sip_target {
    uint8_t list[RELOAD_SIP_GRUU_LIST_MAX]; /* Destinations, for an AppAttach */
    size_t list_len;
    struct reload_sip_aor aor;     /* whose it is: the one called, or whom that one forwards to */
    enum reload_sip_scheme scheme; /* what the callee asks for */
    bool own;                      /* its last entry is this node: nothing to connect to */
};

/* Fills one from a list. RELOAD_E_LIMIT when it is too long, RELOAD_E_INVALID or RELOAD_E_DECODE
 * when it is none that a message could carry (RFC 6940 s6.3.2.2). */
RELOAD_MUST_USE int reload_sip_target_set(struct reload_sip_target *out,
                                          const struct reload_sip_aor *aor,
                                          struct reload_slice list, enum reload_sip_scheme scheme,
                                          const struct reload_node_id *own);
static inline struct reload_slice reload_sip_target_list(const struct reload_sip_target *target)
{
    return reload_slice_of(target->list, target->list_len);
}

/* What to ask for, and whom to expect. */
struct reload_sip_connect {
    uint16_t application;
    bool known;                    /* the last entry names the node */
    struct reload_node_id node_id; /* if known; else whoever signs the AppAttachAns */
};

/* secure: the call is to a sips URI; then the callee's wish for SIP does not count. Otherwise it is
 * followed, and SIP is taken without one. RELOAD_E_UNSUPPORTED when the last entry is neither a
 * node nor an opaque id: nobody could tell whether the right one answered. */
RELOAD_MUST_USE int reload_sip_connect_plan(const struct reload_sip_target *target,
                                            size_t node_id_len, bool secure,
                                            struct reload_sip_connect *out);

/* Whether a connection may be used: `answered` signed the AppAttachAns, `node_ids` are those of the
 * certificate that the connection proved. When it may not, the connection is to be closed (s5.1).
 */
bool reload_sip_connect_accepts(const struct reload_sip_connect *connect,
                                const struct reload_node_id *answered,
                                const struct reload_node_id *node_ids, size_t count);

#endif
