#ifndef RELOAD_NODE_STATE_H
#define RELOAD_NODE_STATE_H

#include "reload/node/extension.h"
#include "reload/node/hash.h"
#include "reload/node/node.h"
#include "reload/node/option.h"
#include "reload/node/queue.h"
#include "reload/node/table.h"
#include "reload/node/timers.h"
#include "reload/security/signature.h"
#include "reload/wire/error.h"
#include "reload/wire/message.h"

/* The inside of a node: its tables, and what the files of this folder offer each other. Nothing
 * outside reload/node includes this. */

#define RELOAD_TRANSMISSIONS 5 /* RFC 6940 s6.2.1 */

struct reload_node;
struct reload_attach_record;
struct reload_app_attach_record;
struct reload_offer;
struct reload_push;
struct reload_replica;
struct reload_publication;

/* --- Connection Table: connection.c --- */

#define RELOAD_SLOTS_MAX 4096 /* what the 12 bits of a compressed id can name, s6.3.2.2 */

struct reload_slot {
    bool used;
    uint8_t generation; /* 3 bits; grows with each use of the slot */
    reload_link_id link;
    enum reload_link_type type;
    struct reload_node_id node_id;   /* what the link is bound to; len 0 while that is open */
    struct reload_node_id *node_ids; /* all that its certificate proves */
    size_t node_id_count;
    bool preferred; /* of the links to this node, the one that is used */
    bool inbound, suspect, bootstrap;
    bool dismissed; /* closing, as the topology wishes, which knows nothing of the node any more */
    bool pinged;    /* a Ping that is to show that it is alive is under way */
    bool attached;  /* made by an Attach: the far end expects no other */
    uint64_t second_until_ms; /* the far end may dial a second link, answering our Attach */
    uint32_t mtu;
    uint64_t up_since_ms, sent, received;
    struct reload_timer surplus; /* when it runs out, this superfluous link is closed */
};

struct reload_connections {
    struct reload_slot *slots;
    size_t capacity, next, count;
    struct reload_table by_link, by_node;
};

int reload_connections_init(struct reload_node *node);
void reload_connections_fini(struct reload_node *node);
/* What the host told of a link, behind the entry points of node.h. */
void reload_connection_up(struct reload_node *node, reload_link_id link,
                          const struct reload_node_link *info);
void reload_connection_suspect(struct reload_node *node, reload_link_id link, bool suspect);
void reload_connection_down(struct reload_node *node, reload_link_id link);
struct reload_slot *reload_connection_of_link(const struct reload_node *node, reload_link_id link);
/* The preferred link to a node; NULL when not connected. */
struct reload_slot *reload_connection_to(const struct reload_node *node,
                                         const struct reload_node_id *id);
bool reload_slot_proves(const struct reload_slot *slot, const struct reload_node_id *id);
/* The link is that node's: tells the topology and whoever waits for it. */
void reload_connection_bind(struct reload_node *node, struct reload_slot *slot,
                            const struct reload_node_id *id);
/* Our Attach went over this link: the far end may dial one of its own all the same (s6.5.1.13). */
void reload_connection_expect_second(struct reload_node *node, struct reload_slot *slot);
/* A message came over it: of several links to one node, follow the far end's choice. */
void reload_connection_heard(struct reload_node *node, struct reload_slot *slot);
struct reload_slot *reload_slot_of_timer(struct reload_timer *timer);
void reload_connection_surplus_due(struct reload_node *node, struct reload_slot *slot);
void reload_connection_close(struct reload_node *node, struct reload_slot *slot,
                             const char *reason);
/* The topology has done with that node: all links to it are closed, and a later one is news. */
void reload_connection_dismiss(struct reload_node *node, const struct reload_node_id *id,
                               const char *reason);

/* --- compressed ids: opaque.c --- */

/* The 16-bit id that names a Connection Table slot (s6.3.2.2). */
uint16_t reload_opaque_of_slot(const struct reload_node *node, const struct reload_slot *slot);
/* Keeps a Via List and gives an opaque id for it (s6.1.2); out holds RELOAD_OPAQUE_LEN bytes. */
#define RELOAD_OPAQUE_LEN 8
int reload_opaque_keep(struct reload_node *node, struct reload_slice via_list, uint8_t *out);
/* What an opaque id stands for: a slot (*slot), or Destination List entries in the arena. */
int reload_opaque_expand(struct reload_node *node, struct reload_slice id,
                         struct reload_slot **slot, struct reload_slice *entries);

void reload_opaque_fini(struct reload_node *node);

#define RELOAD_OPAQUE_KEPT_MAX 256 /* Via Lists remembered; the oldest makes room */
struct reload_kept_via {
    uint64_t id; /* random; 0: free */
    uint8_t *list;
    size_t len;
    uint64_t until_ms;
};

/* --- routing: route.c --- */

enum reload_route_outcome {
    RELOAD_ROUTE_HERE,
    RELOAD_ROUTE_NEXT,
    RELOAD_ROUTE_DROP,
};

struct reload_route {
    struct reload_slot *next;        /* NEXT: the link to take */
    struct reload_slice list;        /* the Destination List that goes on, or that was for us */
    struct reload_destination first; /* its first entry */
    enum reload_drop_reason reason;  /* DROP */
    uint16_t error;                  /* DROP: RFC error code to answer a request with, or 0 */
};

/* s6.1: applies the three cases to the first entry, again after each entry that was for us.
 * Responses are never re-routed: their first entry is connected or they are lost. */
enum reload_route_outcome reload_route_find(struct reload_node *node, struct reload_slice list,
                                            bool response, struct reload_route *out);

/* --- sending: fragment.c --- */

/* Sends header and payload over a link, in fragments when its MTU asks for that (s6.7). The
 * header's length is filled in here; the payload is borrowed until the actions are pulled. */
int reload_send(struct reload_node *node, struct reload_slot *slot,
                struct reload_forwarding_header *header, struct reload_slice payload);
/* The same of a message that was sent over it before, whole. */
void reload_send_again(struct reload_node *node, struct reload_slot *slot,
                       struct reload_slice message);

/* --- reassembly: reassembly.c --- */

#define RELOAD_REASSEMBLY_RANGES         64 /* gaps a message under way may have */
#define RELOAD_REASSEMBLY_PER_LINK       64
#define RELOAD_REASSEMBLY_BYTES_PER_LINK (1024 * 1024)

struct reload_reassembly;

struct reload_reassemblies {
    struct reload_table by_id;
    struct reload_reassembly *oldest, *newest;
    size_t count, bytes;
};

/* Takes a fragment. True when it completed its message: then *header is the offset-0 fragment's and
 * *payload the whole, both in the arena. */
bool reload_reassembly_add(struct reload_node *node, const struct reload_slot *slot,
                           struct reload_slice fragment,
                           const struct reload_forwarding_header *fragment_header,
                           struct reload_forwarding_header *header, struct reload_slice *payload);
/* The request goes out once more: what came of an answer to it is of no use, as the next answer is
 * signed anew and has other bytes. */
void reload_reassembly_forget_answer(struct reload_node *node, uint64_t transaction_id);
uint64_t reload_reassembly_deadline(const struct reload_node *node);
void reload_reassembly_tick(struct reload_node *node);
void reload_reassembly_fini(struct reload_node *node);

/* --- requests that came in: receipt.c, request.c, respond.c --- */

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
/* returned.c: what a link that failed never delivered. */
void reload_returned(struct reload_node *node, struct reload_slice message);
/* forward.c: s6.1.2. */
void reload_forward(struct reload_node *node, struct reload_slot *from,
                    const struct reload_route *route, const struct reload_forwarding_header *header,
                    struct reload_slice payload);
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

/* --- the duplicate cache: answered.c --- */

struct reload_answered;

struct reload_answers {
    struct reload_table by_id;
    struct reload_answered *oldest, *newest;
    size_t count, bytes;
};

enum reload_duplicate {
    RELOAD_DUPLICATE_NO,
    RELOAD_DUPLICATE_PENDING,  /* under way: say nothing */
    RELOAD_DUPLICATE_ANSWERED, /* *payload is the answer's MessageContents and SecurityBlock */
};

/* A request with exactly these bytes was verified before; needs no signature check. */
enum reload_duplicate reload_answered_same(struct reload_node *node, uint64_t transaction_id,
                                           struct reload_slice request,
                                           struct reload_slice *payload);
/* A verified request of that signer. */
enum reload_duplicate reload_answered_from(struct reload_node *node, uint64_t transaction_id,
                                           const struct reload_node_id *signer,
                                           struct reload_slice *payload);
/* Notes that a request is being handled. RELOAD_E_NOMEM. */
int reload_answered_begin(struct reload_node *node, uint64_t transaction_id,
                          const struct reload_node_id *signer, struct reload_slice request);
void reload_answered_end(struct reload_node *node, const struct reload_reply *reply,
                         struct reload_slice payload);
/* Forgets a request, so that a repetition is handled anew. */
void reload_answered_forget(struct reload_node *node, const struct reload_reply *reply);
uint64_t reload_answered_deadline(const struct reload_node *node);
void reload_answered_tick(struct reload_node *node);
void reload_answered_fini(struct reload_node *node);

/* --- own requests: transaction.c, response.c --- */

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
    bool waits;            /* for a link: this node is between two peers */
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

/* Sends a request. *out may be NULL. RELOAD_E_LIMIT, RELOAD_E_NOSPACE, RELOAD_E_NOMEM, or what
 * signing gives. Its end is told later, never from within. */
int reload_transaction_start(struct reload_node *node, const struct reload_outgoing *outgoing,
                             struct reload_transaction **out);
struct reload_transaction *reload_transaction_find(const struct reload_node *node, uint64_t id);
/* Takes it out without telling its owner. */
void reload_transaction_cancel(struct reload_node *node, struct reload_transaction *transaction);
/* Takes it out and tells its owner how it ended. */
void reload_transaction_finish(struct reload_node *node, struct reload_transaction *transaction,
                               struct reload_answer *answer);
void reload_transaction_due(struct reload_node *node, struct reload_transaction *transaction);
/* The link that it left by has failed before it was acknowledged: it leaves by another one now, as
 * the same transmission. */
void reload_transaction_returned(struct reload_node *node, struct reload_transaction *transaction);
/* That link misses acks: what left by it leaves by another one as well. */
void reload_transactions_detour(struct reload_node *node, const struct reload_slot *suspect);
/* A link is there: what waited for one leaves by it. */
void reload_transactions_depart(struct reload_node *node);
/* It was answered by a node that `closer` is nearer than: is that one still there? The topology is
 * asked once a transmission; if the node turns out to be lost the request is repeated at once. */
void reload_transaction_doubted(struct reload_node *node, struct reload_transaction *transaction,
                                const struct reload_node_id *closer);
void reload_transactions_reconsider(struct reload_node *node); /* a link has failed */
/* The configuration changed: what waited for that goes out again. */
void reload_transactions_resume(struct reload_node *node);
struct reload_transaction *reload_transaction_of_timer(struct reload_timer *timer);
void reload_transactions_fini(struct reload_node *node);
/* response.c: a response that arrived, and one of this node to itself. */
void reload_response(struct reload_node *node, struct reload_slot *from,
                     const struct reload_message *message);
void reload_response_local(struct reload_node *node, uint64_t transaction_id, uint16_t error_code,
                           struct reload_slice body, struct reload_slice certificates);
/* Milliseconds: the maximum request lifetime of s3. */
uint64_t reload_request_lifetime_ms(const struct reload_node *node);

/* Encodes a Destination List into the arena: via (NULL: none), then a node or a resource. */
int reload_destination_list(struct reload_node *node, const struct reload_node_id *via,
                            bool to_resource, struct reload_slice id, struct reload_slice *out);

/* --- Attach: attach.c, attach_receive.c, attach_link.c, app_attach.c, candidates.c --- */

struct reload_attaches {
    struct reload_attach_record *first;
    size_t count;
};

enum reload_waiter_kind {
    RELOAD_WAITER_NONE,
    RELOAD_WAITER_TOPOLOGY,    /* id: cookie */
    RELOAD_WAITER_APPLICATION, /* id: request */
};

struct reload_waiter {
    enum reload_waiter_kind kind;
    uint64_t id;
};

int reload_attach_start(struct reload_node *node, const struct reload_node_id *via,
                        bool to_resource, struct reload_slice destination, bool send_update,
                        struct reload_waiter waiter);
/* The body of an AttachReq ("passive") or AttachAns ("active"), in the arena. RELOAD_E_NOSPACE. */
int reload_attach_write(struct reload_node *node, const char *role, bool send_update,
                        const struct reload_offer *own, struct reload_slice *body);
void reload_attach_handle(struct reload_node *node, struct reload_request *request);
void reload_attach_answered(struct reload_node *node, struct reload_answer *answer);
/* A link came up that proves these Node-IDs. Says which one it is for when an Attach waited for
 * it; false when none did. RELOAD_E_FORBIDDEN when it must be closed. */
int reload_attach_link_up(struct reload_node *node, struct reload_slot *slot, uint32_t number,
                          struct reload_node_id *bound);
/* A link was bound to a node: attaches to it have succeeded. */
void reload_attach_bound(struct reload_node *node, const struct reload_node_id *id);
/* Whether the number is that of an Attach. */
bool reload_attach_open_failed(struct reload_node *node, uint32_t number);
/* The Attach that the host knows by that number; NULL: none, or not any more. */
struct reload_attach_record *reload_attach_numbered(const struct reload_node *node,
                                                    uint32_t number);
void reload_attach_gathered(struct reload_node *node, struct reload_attach_record *record,
                            const struct reload_offer *own);
void reload_attach_due(struct reload_node *node, struct reload_attach_record *record);
struct reload_attach_record *reload_attach_of_timer(struct reload_timer *timer);
void reload_attaches_fini(struct reload_node *node);
void reload_waiter_tell(struct reload_node *node, struct reload_waiter waiter, int error,
                        uint16_t error_code, const struct reload_node_id *node_id);

struct reload_app_attaches {
    struct reload_app_attach_record *first;
    size_t count;
};

struct reload_app_attach_record *reload_app_attach_numbered(const struct reload_node *node,
                                                            uint32_t number);
void reload_app_attach_gathered(struct reload_node *node, struct reload_app_attach_record *record,
                                const struct reload_offer *own);
bool reload_app_attach_open_failed(struct reload_node *node, uint32_t number);
void reload_app_attach_due(struct reload_node *node, struct reload_app_attach_record *record);
struct reload_app_attach_record *reload_app_attach_of_timer(struct reload_timer *timer);
void reload_app_attaches_fini(struct reload_node *node);
void reload_app_attach_handle(struct reload_node *node, struct reload_request *request);
void reload_app_attach_answered(struct reload_node *node, struct reload_answer *answer);

#define RELOAD_CANDIDATES_MAX 8               /* addresses dialled for one link */
struct reload_dial_plan {                     /* what to try towards a far end */
    enum reload_link_type type;               /* of all of them */
    struct reload_ip_address_port *addresses; /* by falling priority, in the arena */
    size_t count;
};
/* Own No-ICE candidates, in the arena. RELOAD_E_NOMEM. */
int reload_candidates_own(struct reload_node *node, struct reload_offer *own);
/* Among a message's candidates those of the link type that this node likes best. count 0: none is
 * of a type it has. RELOAD_E_NOMEM. */
int reload_candidates_read(struct reload_node *node, struct reload_slice candidates,
                           struct reload_dial_plan *plan);

/* --- configuration: config_update.c --- */

#define RELOAD_CONFIG_PUSHES_MAX 256   /* Node-IDs remembered */
#define RELOAD_CONFIG_PUSH_MS    10000 /* at most one ConfigUpdate a node in this time */
struct reload_config_push {
    uint64_t hash; /* of the Node-ID */
    uint64_t at_ms;
};

void reload_config_update_handle(struct reload_node *node, struct reload_request *request);
/* Sends the configuration in force along that Destination List to `target`; over that link only,
 * when it is not 0. */
void reload_config_push_answered(struct reload_node *node, struct reload_answer *answer);
void reload_config_push(struct reload_node *node, const struct reload_node_id *target,
                        reload_link_id link, struct reload_slice destination_list);
/* s7.4.1.2: tells who did not know a Kind about it. */
void reload_config_push_kinds(struct reload_node *node, const struct reload_node_id *target,
                              struct reload_slice error_info);
int reload_config_adopt(struct reload_node *node, struct reload_slice document);

/* --- storage: storage.c, replicate.c, resync.c, push.c, publish.c --- */

struct reload_held { /* a StoreAns that waits for the disk */
    struct reload_held *next;
    uint64_t token;
    struct reload_reply reply;
    struct reload_slice body, resource;
    struct reload_store_changes changes; /* to replicate; none: equal ends */
};

void reload_store_handle(struct reload_node *node, struct reload_request *request);
/* A Fetch or Stat for what this node does not hold, in a range that it may not own for long: "there
 * is nothing" could be wrong. */
bool reload_fetch_too_early(const struct reload_node *node, struct reload_slice body);
void reload_fetch_handle(struct reload_node *node, struct reload_request *request);
void reload_stat_handle(struct reload_node *node, struct reload_request *request);
void reload_find_handle(struct reload_node *node, struct reload_request *request);
/* Hands rows that changed to the host. The token, or 0 when there was none. */
uint64_t reload_storage_flush(struct reload_node *node);
void reload_storage_persisted(struct reload_node *node, uint64_t token, bool ok);
void reload_storage_fini(struct reload_node *node);
/* Ends an application's Fetch: verified values (s7.4.2.2). */
void reload_fetch_result(struct reload_node *node, const struct reload_answer *answer,
                         struct reload_result *result);

/* A target that was checked as a Destination List, which may borrow from it. */
int reload_target_list(struct reload_node *node, const struct reload_target *target,
                       struct reload_slice *out);
/* Begins a call that makes a request: enters the node, checks the target and numbers the request.
 * RELOAD_E_INVALID, RELOAD_E_STATE. */
int reload_application_begin(struct reload_node *node, const struct reload_target *target,
                             struct reload_time now, uint64_t *request);
/* The last entry of a transaction's Destination List: whom it is for. */
struct reload_destination reload_transaction_target(const struct reload_node *node,
                                                    const struct reload_transaction *transaction);
/* A walk over a FetchAns for that resource. */
void reload_fetched_init(struct reload_node *node, struct reload_fetched *walk,
                         struct reload_slice resource, struct reload_slice certificates);
/* A storage_time for an own value: now, and always more than before. */
uint64_t reload_storage_time(struct reload_node *node);

/* Bytes of body and certificates that a StoreReq of this node may hold. */
size_t reload_replica_room(const struct reload_node *node);
struct reload_replicas {
    struct reload_replica *first;
    size_t waiting;
};
/* s10.4: stores what changed of a resource at its replica holders. */
void reload_replicate(struct reload_node *node, struct reload_slice resource,
                      struct reload_store_changes changes);
void reload_replica_answered(struct reload_node *node, struct reload_answer *answer);
void reload_replica_due(struct reload_node *node, struct reload_replica *replica);
struct reload_replica *reload_replica_of_timer(struct reload_timer *timer);
void reload_replicas_fini(struct reload_node *node);
/* The far end has newer data than what was stored there. */
bool reload_is_superseded(const struct reload_answer *answer);
/* s7.4.1.1: when a re-store was refused as too old, takes the newer data over. True when there were
 * other values besides, which may be news over there all the same: a Store fails as a whole. */
bool reload_resync(struct reload_node *node, const struct reload_answer *answer);
void reload_resync_answered(struct reload_node *node, struct reload_answer *answer);
/* s7.4.1.2: the generation counter of an application's Store was too low. True when the newer data
 * is being fetched: then the application is told with that. */
bool reload_refused_fetch(struct reload_node *node, const struct reload_answer *answer);
void reload_refused_answered(struct reload_node *node, struct reload_answer *answer);

struct reload_pushes {
    struct reload_push *first;
    size_t count;
};
void reload_push_start(struct reload_node *node, const struct reload_topology_push *push);
void reload_push_answered(struct reload_node *node, struct reload_answer *answer);
void reload_pushes_fini(struct reload_node *node);

void reload_publish_begin(struct reload_node *node);
void reload_publish_due(struct reload_node *node, struct reload_publication *publication);
void reload_publish_answered(struct reload_node *node, struct reload_answer *answer);
struct reload_publication *reload_publication_of_timer(struct reload_timer *timer);
void reload_publish_fini(struct reload_node *node);

/* --- small methods: ping.c, probe.c --- */
void reload_ping_handle(struct reload_node *node, struct reload_request *request);
void reload_probe_handle(struct reload_node *node, struct reload_request *request);
/* Join, Leave, Update, RouteQuery: the topology's. */
void reload_topology_handle(struct reload_node *node, struct reload_request *request);
/* introduce.c: a fresh link that this node dialled and no Attach led to (s4.2.1). */
void reload_introduce(struct reload_node *node, struct reload_slot *slot);
void reload_introduce_answered(struct reload_node *node, struct reload_answer *answer);

/* keepalive.c: a link over which nothing comes. */
void reload_keepalive(struct reload_node *node, reload_link_id link);
void reload_keepalive_answered(struct reload_node *node, const struct reload_answer *answer);

/* --- work that a topology or local call put off: work.c, host.c --- */

enum reload_work_type {
    RELOAD_WORK_REQUEST,
    RELOAD_WORK_ATTACH,
    RELOAD_WORK_PUSH,
    RELOAD_WORK_DISCONNECT,
    RELOAD_WORK_BOOTSTRAP,
    RELOAD_WORK_LOCAL, /* a request to this node itself */
    RELOAD_WORK_TELL,  /* tells a waiter how its Attach ended */
    RELOAD_WORK_PUBLISH,
    RELOAD_WORK_RECONSIDER, /* a node was lost */
};

struct reload_work { /* in the arena, as all it points to */
    struct reload_work *next;
    enum reload_work_type type;
    union {
        struct {
            uint16_t code;
            struct reload_slice destination_list, body;
            uint32_t cookie;
        } request;
        struct {
            const struct reload_node_id *via;
            bool to_resource, send_update;
            struct reload_slice destination;
            uint32_t cookie;
        } attach;
        struct reload_topology_push push;
        struct {
            uint64_t transaction_id;
            uint16_t code; /* or the error code of a response */
            struct reload_slice body, certificates;
        } local;
        struct {
            struct reload_waiter waiter;
            int error;
            uint16_t error_code;
            struct reload_node_id node_id;
        } tell;
        struct reload_node_id node_id;
    };
};

/* Puts work off until the present call into the node is through. NULL without memory. */
struct reload_work *reload_work_add(struct reload_node *node, enum reload_work_type type);
/* Does all work that was put off. */
void reload_work_run(struct reload_node *node);
void reload_host_init(struct reload_node *node);

/* node.c: every entry point begins and ends with these. */
void reload_node_enter(struct reload_node *node, struct reload_time now);
void reload_node_settle(struct reload_node *node);

/* --- the log, counters and drops: journal.c --- */

struct reload_drop_line { /* one a reason: at most one log line a second */
    uint64_t last_ms, suppressed;
};

void reload_drop(struct reload_node *node, enum reload_drop_reason reason,
                 const struct reload_slot *slot, const char *detail);
void reload_log_line(struct reload_node *node, enum reload_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* One line a message, at debug level. */
void reload_log_message(struct reload_node *node, const char *what, uint64_t transaction_id,
                        struct reload_slice payload, bool first, const struct reload_slot *slot);

/* --- the node --- */

struct reload_node {
    struct reload_node_config config; /* limits filled in */
    const struct reload_crypto *crypto;
    const struct reload_config *overlay;
    const struct reload_config *owned, *retired; /* to be released: in force, and the one before */
    struct reload_random random;
    struct reload_node_id self, wildcard;
    struct reload_time now, started;
    struct reload_hash_key key;

    const struct reload_topology_ops *ops;
    struct reload_topology *topology;
    struct reload_topology_host host;
    enum reload_topology_state state;
    bool was_joined;               /* JOINING since: it has lost its peers, and looks for others */
    struct reload_slot *bootstrap; /* the link that WANT_BOOTSTRAP brought */

    struct reload_store *store;
    uint64_t last_storage_time;
    uint64_t next_token, next_request;
    struct reload_held *held;
    size_t held_count;

    struct reload_queue queue;
    struct reload_work *work, **work_end;
    struct reload_timers timers;
    struct reload_table transactions;
    size_t transaction_count;
    struct reload_connections connections;
    struct reload_kept_via kept[RELOAD_OPAQUE_KEPT_MAX];
    size_t kept_next;
    struct reload_reassemblies reassemblies;
    struct reload_answers answers;
    uint32_t next_attach; /* number given to the host last */
    struct reload_attaches attaches;
    struct reload_app_attaches app_attaches;
    uint16_t applications[RELOAD_NODE_APPLICATIONS_MAX]; /* served; 0: a free place */
    struct reload_pushes pushes;
    struct reload_replicas replicas;
    struct reload_publication *publications;
    struct reload_config_push config_pushes[RELOAD_CONFIG_PUSHES_MAX];

    uint32_t refusals;       /* that may still be sent: */
    uint64_t refusals_at_ms; /* ... a bucket last filled at */
    struct reload_node_counters counters;
    struct reload_drop_line drops[RELOAD_DROP_COUNT];
};

static inline size_t reload_node_id_length(const struct reload_node *node)
{
    return node->overlay->node_id_length;
}

#endif
