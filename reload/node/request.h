#ifndef RELOAD_NODE_REQUEST_H
#define RELOAD_NODE_REQUEST_H

#include "reload/node/route.h"
#include "reload/security/signature.h"
#include "reload/wire/message.h"

/* Messages that came in: from the link (receipt.c) to the method that handles a request (request.c)
 * and its answer (respond.c). */

struct reload_reply { /* where an answer goes; plain bytes, so that it can be kept */
    uint64_t transaction_id;
    uint16_t code; /* of the request */
    bool local;    /* asked by this node itself */
    reload_link_id link;
    struct reload_node_id previous_hop; /* len 0 while the link is unbound */
    struct reload_node_id signer;
    uint32_t max_response_length;
    struct reload_slice destination_list, options;
};

struct reload_request {
    struct reload_message message;
    struct reload_slot *from; /* NULL: this node itself */
    struct reload_signer signer;
    struct reload_node_id signer_id; /* stays when the identity is gone */
    struct reload_reply reply;
};

/* receipt.c: s6.1 for one message of a link. */
void reload_receipt(struct reload_node *node, struct reload_slot *slot, struct reload_slice bytes);
/* It has waited long enough: goes on, wherever that is now. */
void reload_receipt_go_on(struct reload_node *node, struct reload_slot *slot,
                          struct reload_slice bytes);
/* returned.c: what a link that failed never delivered. */
void reload_returned(struct reload_node *node, struct reload_slice message);
/* forward.c: s6.1.2. */
void reload_forward(struct reload_node *node, struct reload_slot *from,
                    const struct reload_route *route, const struct reload_forwarding_header *header,
                    struct reload_slice bytes, bool may_wait);
/* The options of a message to forward, or of a request to answer (`destined`): 0, or the RFC error
 * code that refuses it (s6.3.2.3). */
uint16_t reload_options_check(const struct reload_node *node,
                              const struct reload_forwarding_header *header, bool destined);
/* Message code of a fragment; 0 for one that does not begin its message. */
uint16_t reload_payload_code(const struct reload_forwarding_header *header,
                             struct reload_slice payload);
void reload_receipt_oversize(struct reload_node *node, struct reload_slot *slot,
                             struct reload_slice start);
/* Unknown critical extensions, and what the known ones say (s6.3.3): 0, or an RFC error code. */
uint16_t reload_extensions_check(const struct reload_node *node,
                                 const struct reload_message *message);
/* request.c: a whole message for this node. */
void reload_deliver(struct reload_node *node, struct reload_slot *slot,
                    const struct reload_forwarding_header *header, struct reload_slice payload);
/* A request of this node to itself. */
void reload_deliver_local(struct reload_node *node, uint64_t transaction_id, uint16_t code,
                          struct reload_slice body, struct reload_slice certificates);
/* This node's own identity, as a signer; as reload_crypto_ops.identify() fails. */
int reload_identify_self(struct reload_node *node, struct reload_signer *out);
/* Handles a request that passed every check. */
void reload_dispatch(struct reload_node *node, struct reload_request *request);
/* Whether handling a request twice does no harm, so that its answer need not be remembered. */
bool reload_request_is_repeatable(uint16_t code);

/* Fills reply->destination_list and options from a request's header (s6.2.2). */
int reload_reply_init(struct reload_node *node, const struct reload_forwarding_header *header,
                      uint16_t code, const struct reload_slot *from, struct reload_reply *reply);
void reload_respond(struct reload_node *node, const struct reload_reply *reply,
                    struct reload_slice body, struct reload_slice certificates);
void reload_respond_error(struct reload_node *node, const struct reload_reply *reply,
                          uint16_t error_code, struct reload_slice error_info);
void reload_respond_error_text(struct reload_node *node, const struct reload_reply *reply,
                               uint16_t error_code, const char *text);
/* An answer that was given before, by its MessageContents and SecurityBlock. */
void reload_respond_again(struct reload_node *node, const struct reload_reply *reply,
                          struct reload_slice payload);
/* An error for a message that was not verified: few of them, since each costs a signature. Nothing
 * is sent for responses, nor for fragments that do not tell what they are. */
void reload_refuse(struct reload_node *node, struct reload_slot *slot,
                   const struct reload_forwarding_header *header, struct reload_slice payload,
                   uint16_t error_code, const char *text);
#define RELOAD_REFUSALS_PER_S 20
#define RELOAD_REFUSALS_BURST 100

/* Methods: ping.c, probe.c, host.c. */
void reload_ping_handle(struct reload_node *node, struct reload_request *request);
void reload_probe_handle(struct reload_node *node, struct reload_request *request);
/* Join, Leave, Update, RouteQuery: the topology's. */
void reload_topology_handle(struct reload_node *node, struct reload_request *request);

#endif
