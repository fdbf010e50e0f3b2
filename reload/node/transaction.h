#ifndef RELOAD_NODE_TRANSACTION_H
#define RELOAD_NODE_TRANSACTION_H

#include "reload/node/connection.h"
#include "reload/wire/message.h"

/* Own requests: transaction.c has the table of them, outgoing.c their bytes, transmission.c sends
 * them, and response.c takes what comes back. */

#define RELOAD_TRANSMISSIONS 5 /* RFC 6940 s6.2.1 */

/* who asked, and thus who gets the answer */
enum reload_owner {
    RELOAD_OWNER_TOPOLOGY,
    RELOAD_OWNER_APPLICATION,
    RELOAD_OWNER_ATTACH,
    RELOAD_OWNER_APP_ATTACH,
    RELOAD_OWNER_PUSH,
    RELOAD_OWNER_REPLICA,
    RELOAD_OWNER_RESYNC,
    RELOAD_OWNER_REFUSED, /* the Fetch after an application's Store was refused */
    RELOAD_OWNER_CONFIG,
    RELOAD_OWNER_PUBLICATION,
    RELOAD_OWNER_LINK,      /* Ping and Attach over a link that is new: introduce.c */
    RELOAD_OWNER_KEEPALIVE, /* Ping over a link that is idle: keepalive.c */
};

struct reload_outgoing {
    uint16_t code;
    struct reload_slice destination_list; /* as on the wire */
    struct reload_slice body;
    struct reload_slice certificates; /* besides the own ones */
    struct reload_slice keep;         /* copied, for when the answer comes */
    bool any_sequence;                /* ConfigUpdate: header sequence 65535, s6.3.2.1 */
    reload_link_id link;              /* over this link only; 0: routed */
    enum reload_owner owner;
    uint64_t owner_id; /* cookie, request, attach number ... */
    void *owner_object;
};

struct reload_transaction {
    uint64_t id;
    uint16_t code;
    bool any_sequence;
    bool local;            /* handed to this node itself: no transmission is owed */
    bool no_route;         /* at its first transmission: it fails soon */
    bool waits;            /* for a link, or to learn who answers for it */
    bool doubted;          /* answered from too far away: perhaps a node nearby has gone */
    uint16_t config_error; /* it waits for a newer configuration, here or there: s6.3.2.1 */
    reload_link_id link;   /* the only one it may leave by, or 0 */
    reload_link_id left;   /* the one it left by last */
    enum reload_owner owner;
    uint64_t owner_id;
    void *owner_object;
    uint8_t *message; /* encoded; NULL when it never left this node */
    size_t len;
    uint8_t *destination_list;
    size_t destination_len;
    uint8_t *kept; /* for the owner */
    size_t kept_len;
    uint64_t sent_ms;
    uint8_t transmissions;
    struct reload_timer timer;
};

struct reload_answer { /* how a transaction ended */
    const struct reload_transaction *transaction;
    int error;
    uint16_t error_code;
    struct reload_slice body; /* or the error_info */
    struct reload_slice certificates;
    struct reload_node_id signer;
    uint8_t hops;
};

/* --- transaction.c --- */
/* Milliseconds: the maximum request lifetime of RFC 6940 s3. */
uint64_t reload_request_lifetime_ms(const struct reload_node *node);
/* A new one, with its transaction_id, in the table. RELOAD_E_LIMIT, RELOAD_E_NOMEM. */
int reload_transaction_add(struct reload_node *node, const struct reload_outgoing *outgoing,
                           struct reload_transaction **out);
struct reload_transaction *reload_transaction_find(const struct reload_node *node, uint64_t id);
/* The last entry of its Destination List: whom it is for. */
struct reload_destination reload_transaction_target(const struct reload_node *node,
                                                    const struct reload_transaction *transaction);
/* Takes it out without telling its owner. */
void reload_transaction_cancel(struct reload_node *node, struct reload_transaction *transaction);
/* Takes it out and tells its owner how it ended. */
void reload_transaction_finish(struct reload_node *node, struct reload_transaction *transaction,
                               struct reload_answer *answer);
struct reload_transaction *reload_transaction_of_timer(struct reload_timer *timer);
void reload_transactions_fini(struct reload_node *node);

/* --- outgoing.c --- */
/* Encodes a Destination List into the arena: via (NULL: none), then a node or a resource. */
int reload_destination_list(struct reload_node *node, const struct reload_node_id *via,
                            bool to_resource, struct reload_slice id, struct reload_slice *out);
/* Encodes and signs the whole message, which the transaction keeps. RELOAD_E_NOSPACE: above
 * max-message-size; RELOAD_E_NOMEM, or what signing gives. */
int reload_transaction_encode(struct reload_node *node, struct reload_transaction *transaction,
                              const struct reload_outgoing *outgoing);

/* --- application.c --- */
/* A target that was checked as a Destination List, which may borrow from it. */
int reload_target_list(struct reload_node *node, const struct reload_target *target,
                       struct reload_slice *out);
/* Begins a call that makes a request: enters the node, checks the target and numbers the request.
 * RELOAD_E_INVALID, RELOAD_E_STATE. */
int reload_application_begin(struct reload_node *node, const struct reload_target *target,
                             struct reload_time now, uint64_t *request);

/* --- transmission.c --- */
/* Sends a request. *out may be NULL. Fails as the two that add and encode it. Its end is told
 * later, never from within. */
int reload_transaction_start(struct reload_node *node, const struct reload_outgoing *outgoing,
                             struct reload_transaction **out);
void reload_transaction_due(struct reload_node *node, struct reload_transaction *transaction);
/* The link that it left by has failed before it was acknowledged: it leaves by another one now, as
 * the same transmission. */
void reload_transaction_returned(struct reload_node *node, struct reload_transaction *transaction);
/* That link misses acks: what left by it leaves by another one as well. */
void reload_transactions_detour(struct reload_node *node, const struct reload_slot *suspect);
/* A link is there: what waited for one leaves by it. */
void reload_transactions_depart(struct reload_node *node);
/* What it waited for is decided. */
void reload_transaction_go_on(struct reload_node *node, struct reload_transaction *transaction);
/* It was answered by a node that `closer` is nearer than: is that one still there? The topology is
 * asked once a transmission; if the node turns out to be lost the request is repeated at once. */
void reload_transaction_doubted(struct reload_node *node, struct reload_transaction *transaction,
                                const struct reload_node_id *closer);
/* A node is lost: what was doubted is asked again, and what is for this node's range now is its own
 * to answer. */
void reload_transactions_reconsider(struct reload_node *node);
/* The configuration changed: what waited for that goes out again. */
void reload_transactions_resume(struct reload_node *node);

/* --- response.c: a response that arrived, and one of this node to itself --- */
void reload_response(struct reload_node *node, struct reload_slot *from,
                     const struct reload_message *message);
void reload_response_local(struct reload_node *node, uint64_t transaction_id, uint16_t error_code,
                           struct reload_slice body, struct reload_slice certificates);

#endif
