#ifndef PEER_SIP_NODE_H
#define PEER_SIP_NODE_H

#include "peer/overlay.h"
#include "usage-sip/lookup.h"
#include "usage-sip/registrar.h"

/* The SIP usage's RELOAD side (RFC 7904 s3, s4) on an overlay object: this node's registration,
 * refreshed for as long as the node runs, and lookups. Used from the overlay's thread. */

struct reload_sip_node;

/* context: of the overlay; NULL: the default one. A node whose certificate's user name is no
 * address of record cannot register; it looks up all the same. */
struct reload_sip_node *reload_sip_node_new(struct reload_overlay *overlay, GMainContext *context,
                                            const struct reload_log *log);
/* While the overlay still lives; lookups and registrations under way end with RELOAD_E_CLOSED. The
 * record is left to expire: unregister first to remove it. NULL is fine. */
void reload_sip_node_free(struct reload_sip_node *node);

/* The Destination List that leads here: the own Node-ID, and for a client that stays with whatever
 * peer it is linked to that peer before it, since nobody else knows the way (RFC 6940 s4.2.1).
 * RELOAD_E_NOT_FOUND: such a client has no link; RELOAD_E_NOSPACE. */
#define RELOAD_SIP_ROUTE_MAX (2 * (RELOAD_NODE_ID_MAX + 2)) /* bytes */
RELOAD_MUST_USE int reload_sip_node_route(const struct reload_sip_node *node,
                                          struct reload_writer *list);
/* The node has joined, or has again: a registration tells the way by which it can be reached now.
 */
void reload_sip_node_joined(struct reload_sip_node *node);

/* As the functions of usage-sip/registrar.h. `done` tells how the Store that carries the change
 * ended, also when that was a failure; the node tries again by itself. Also RELOAD_E_UNSUPPORTED
 * when the own user name is no address of record. unregister: RELOAD_E_NOT_FOUND when there is
 * nothing to remove. An empty `list` of register() is reload_sip_node_route(). After an error
 * `done` does not come. */
RELOAD_MUST_USE int reload_sip_node_register(struct reload_sip_node *node, struct reload_slice list,
                                             enum reload_sip_scheme scheme, uint32_t lifetime_s,
                                             reload_overlay_done *done, void *done_context);
RELOAD_MUST_USE int reload_sip_node_forward(struct reload_sip_node *node, struct reload_slice uri,
                                            uint32_t lifetime_s, reload_overlay_done *done,
                                            void *done_context);
RELOAD_MUST_USE int reload_sip_node_unregister(struct reload_sip_node *node,
                                               reload_overlay_done *done, void *done_context);

/* The same for a node that ends, if what it has registered is its own route: a forward, and another
 * node that takes the calls, stay. RELOAD_E_NOT_FOUND: nothing is to be removed. */
RELOAD_MUST_USE int reload_sip_node_withdraw(struct reload_sip_node *node,
                                             reload_overlay_done *done, void *done_context);

/* How a lookup ended; result is NULL when the node is being freed, and good until this returns. */
typedef void reload_sip_lookup_done(void *context, const struct reload_sip_lookup_result *result);
/* anew: contacts that are cached for this address have failed. Errors of reload_sip_lookup_new();
 * otherwise `done` comes once, maybe before this returns. */
RELOAD_MUST_USE int reload_sip_node_lookup(struct reload_sip_node *node, struct reload_slice uri,
                                           bool anew, reload_sip_lookup_done *done,
                                           void *done_context);

/* NULL when the own user name is no address of record. */
const struct reload_sip_registrar *reload_sip_node_registrar(const struct reload_sip_node *node);

#endif
