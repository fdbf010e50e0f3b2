#ifndef RELOAD_NODE_NODE_H
#define RELOAD_NODE_NODE_H

#include "reload/node/action.h"
#include "reload/node/topology.h"

/* The RELOAD node (RFC 6940 s6) as a state machine: bytes and time in, actions out. No socket, no
 * clock, no thread, no callback into the caller. One node is used from one thread at a time.
 *
 * After every call that takes a `now`, pull actions with reload_node_next() until it answers false.
 */

struct reload_node;
struct reload_extension_ops; /* reload/node/extension.h */
struct reload_option_ops;    /* reload/node/option.h */

/* OverlayLinkType, s6.5.1.1 */
enum reload_link_type {
    RELOAD_LINK_DTLS_UDP_SR = 1,
    RELOAD_LINK_DTLS_UDP_SR_NO_ICE = 3,
    RELOAD_LINK_TLS_TCP_FH_NO_ICE = 4,
};

#define RELOAD_NODE_LINK_TYPES_MAX   2
#define RELOAD_NODE_APPLICATIONS_MAX 32 /* Application-IDs that a node serves at a time */

struct reload_node_limits {    /* every table a remote party can grow; 0 takes the default */
    size_t max_links;          /* 1024, as many as a set of links holds */
    size_t max_transactions;   /* own requests in flight: 4096 */
    size_t max_answered;       /* duplicate cache, entries: 4096 */
    size_t max_answered_bytes; /* duplicate cache, bytes of answers: 4 MiB */
    size_t max_reassemblies;   /* fragmented messages under way: 64 a link, this many in all: 256 */
    size_t max_reassembly_bytes;      /* 1 MiB a link, this many in all: 8 MiB */
    size_t max_attaches;              /* links being made: 128 */
    size_t max_app_attaches;          /* channels of applications being agreed: 128 */
    size_t max_pushes;                /* 256 */
    struct reload_store_limits store; /* 64 MiB, 100 000 resources, 30 days */
};

struct reload_node_config {
    const struct reload_crypto *crypto;  /* borrowed, as all pointers here */
    const struct reload_config *overlay; /* in force at start; later ones come by ConfigUpdate */
    const struct reload_config_ops *config_ops; /* NULL: ConfigUpdates are refused */
    void *config_context;
    const struct reload_topology_ops *topology;
    struct reload_random random;
    enum reload_role role;
    /* No-ICE candidates of this node (s6.5.1.11), by falling priority: where it listens. None: it
     * can attach to others only as the dialling side. */
    const struct reload_ip_address_port *addresses;
    size_t address_count;
    /* The No-ICE link types that it offers at each address and takes from others, best first [only
     * TLS-TCP-FH-NO-ICE]. */
    enum reload_link_type link_types[RELOAD_NODE_LINK_TYPES_MAX];
    size_t link_type_count;
    /* The host answers GATHER with ICE candidates: links are made by ICE unless the configuration
     * in force says no-ice (s6.5.1.5). Without it they are No-ICE whatever that says. */
    bool ice;
    /* Channels of this Application-ID are made without ICE in every overlay, since ICE itself may
     * need what they bring: the requester offers nothing and dials the answerer. 0: none. */
    uint16_t direct_application;
    bool persist;             /* answers to Stores wait for reload_node_persisted() */
    bool publish_certificate; /* store own certificate by node and by user once joined (s8) */
    bool via_self;            /* test peers only: originator puts itself into the Via List */
    enum reload_log_level log_level;
    struct reload_node_limits limits;
    const struct reload_extension_ops *const *extensions;
    size_t extension_count;
    const struct reload_option_ops *const *options;
    size_t option_count;
};

/* RELOAD_E_NOMEM, RELOAD_E_UNSUPPORTED (overlay and topology do not fit), RELOAD_E_INVALID. */
int reload_node_new(const struct reload_node_config *config, struct reload_time now,
                    struct reload_node **out);
/* Says nothing more: what the host holds under attach numbers is its to release. */
void reload_node_free(struct reload_node *node);

/* --- links: what the host tells --- */
struct reload_node_link {
    enum reload_link_type type;
    const struct reload_node_id *node_ids; /* all Node-IDs of the far end's certificate, checked */
    size_t node_id_count;
    uint32_t mtu; /* largest message worth sending unfragmented; 0: only max-message-size counts */
    uint32_t attach; /* of the OPEN_LINK that led to it; 0 for an inbound or bootstrap link. A
                        DTLS_UDP_SR link has one at both ends */
    bool bootstrap;  /* dialled because of WANT_BOOTSTRAP */
    bool inbound;
};
/* The link has authenticated both ends and carries messages. `info` and its Node-IDs are copied;
 * its number is the host's, and must not be used again while the node lives. */
void reload_node_link_up(struct reload_node *node, reload_link_id link,
                         const struct reload_node_link *info, struct reload_time now);
/* Acks are missing (s6.6.5): keep the link, route around it. */
void reload_node_link_suspect(struct reload_node *node, reload_link_id link, bool suspect,
                              struct reload_time now);
/* Its path carries messages of `mtu` bytes only; longer ones are fragmented from now on (s6.7). */
void reload_node_link_mtu(struct reload_node *node, reload_link_id link, uint32_t mtu,
                          struct reload_time now);
/* After link_mtu: a message that the link was given and is too long for it goes over it again, in
 * fragments. Its bytes are borrowed until the actions are pulled. */
void reload_node_too_long(struct reload_node *node, reload_link_id link, const uint8_t *bytes,
                          size_t len, struct reload_time now);
/* Nothing came over it for a while (reload/link/links.h: IDLE): the node at its other end gets a
 * Ping (s6.5.3), unless one is under way. */
void reload_node_link_idle(struct reload_node *node, reload_link_id link, struct reload_time now);
/* It is gone, for whatever reason: closed by either end, or failed. Unknown links are ignored. */
void reload_node_link_down(struct reload_node *node, reload_link_id link, struct reload_time now);
/* After link_down: a message that the link was given and never delivered, as far as its acks tell.
 * A request of this node's own goes another way, at once and as the same transmission
 * (s6.6.3); what others sent is theirs to repeat (A.5). */
void reload_node_returned(struct reload_node *node, const uint8_t *bytes, size_t len,
                          struct reload_time now);
/* What a GATHER found: own ICE credentials (s6.5.1.1; both empty for No-ICE) and candidates, an
 * IceCandidate list without its length. All are copied. Ignored when the number was abandoned. */
void reload_node_gathered(struct reload_node *node, uint32_t attach, struct reload_slice ufrag,
                          struct reload_slice password, struct reload_slice candidates,
                          struct reload_time now);
/* A GATHER or an OPEN_LINK came to nothing. */
void reload_node_open_failed(struct reload_node *node, uint32_t attach, struct reload_time now);
/* Nobody could be linked to for a WANT_BOOTSTRAP: the topology asks again later. */
void reload_node_bootstrap_failed(struct reload_node *node, struct reload_time now);
/* One whole message from a link. The bytes must stay until the actions are pulled. Anything wrong
 * with them is counted and logged, never an error of this call. */
void reload_node_receive(struct reload_node *node, reload_link_id link, const uint8_t *message,
                         size_t len, struct reload_time now);
/* A message above max-message-size began on this link: answers Error_Message_Too_Large when its
 * header allows that, and closes (s6.6). `start` is what has arrived of it. */
void reload_node_oversize(struct reload_node *node, reload_link_id link, const uint8_t *start,
                          size_t len, struct reload_time now);
/* The rows of the PERSIST with that token, and of all before it, are safe: their StoreAns leave.
 * !ok: those of that token alone could not be written, and their Stores are refused. */
void reload_node_persisted(struct reload_node *node, uint64_t token, bool ok,
                           struct reload_time now);
/* At start, before join: a row from disk. As reload_store_load(). */
int reload_node_load(struct reload_node *node, const struct reload_store_row *row,
                     struct reload_time now);

/* --- the application's wishes --- */
/* first: this node is the overlay's first peer and owns everything (s6.4.2.1); never implied. */
void reload_node_join(struct reload_node *node, bool first, struct reload_time now);
/* Hands its data over and tells its neighbors (s6.4.2.2, s10.9); STATE_CHANGED tells LEFT. */
void reload_node_leave(struct reload_node *node, struct reload_time now);

struct reload_target {                /* where a request goes */
    const struct reload_node_id *via; /* first Destination entry, or NULL */
    bool resource;                    /* `id` is a Resource-ID, else a Node-ID */
    struct reload_slice id;
    struct reload_slice list; /* not empty: this Destination List, encoded, and none of the above */
};
/* Sends a request with that message code and body. *request names it in its REQUEST_DONE.
 * RELOAD_E_LIMIT (transactions in flight), RELOAD_E_STATE (never joined and no link; between two
 * peers it waits), RELOAD_E_INVALID, RELOAD_E_NOSPACE (larger than max-message-size allows),
 * RELOAD_E_NOMEM. */
int reload_node_request(struct reload_node *node, const struct reload_target *target, uint16_t code,
                        struct reload_slice body, struct reload_time now, uint64_t *request);
/* Signs and stores values at a resource (s7.4.1): storage_time 0 in an item means now, kept rising
 * when the clock is not. Errors as above and as reload_store_request_encode().
 * An item that names a generation counter which is not the present one makes the Store fail with
 * Error_Generation_Counter_Too_Low; its REQUEST_DONE then carries the values of those Kinds that
 * are there, fetched for the purpose: whoever has the newer storage_time wins, and the caller
 * stores again or takes over (s7.4.1.2). */
int reload_node_store(struct reload_node *node, struct reload_slice resource,
                      const struct reload_store_item *items, size_t count, struct reload_time now,
                      uint64_t *request);
/* A FetchReq body (reload/wire/fetch.h) to the peer responsible; values come back verified. */
int reload_node_fetch(struct reload_node *node, struct reload_slice resource,
                      struct reload_slice body, struct reload_time now, uint64_t *request);
/* Forms a link to a node, or to the peer responsible for a resource (s6.5.1). RELOAD_E_INVALID also
 * for a target that is a list. */
int reload_node_attach(struct reload_node *node, const struct reload_target *target,
                       struct reload_time now, uint64_t *request);
/* Whether AppAttach may ask this node for that Application-ID (s6.5.2.2); none at start.
 * RELOAD_E_INVALID (0), RELOAD_E_LIMIT (RELOAD_NODE_APPLICATIONS_MAX). */
int reload_node_set_application(struct reload_node *node, uint16_t application, bool served);
/* Asks a node for a channel of an application (s6.5.2): GATHER, and then APP_CHANNEL or
 * REQUEST_DONE with an error. RELOAD_E_LIMIT: max_app_attaches. */
int reload_node_app_attach(struct reload_node *node, const struct reload_target *target,
                           uint16_t application, struct reload_time now, uint64_t *request);
/* A newer document that the host fetched itself (s11.1); verified like a ConfigUpdate. */
int reload_node_configure(struct reload_node *node, struct reload_slice document,
                          struct reload_time now);

/* --- time and actions --- */
uint64_t reload_node_deadline(const struct reload_node *node); /* monotonic ms of the next tick */
/* Lets time pass: at the deadline, or whenever it suits. */
void reload_node_tick(struct reload_node *node, struct reload_time now);
/* The next thing to do; false when there is none. What it points to is good until the next call
 * into the node but this one. */
bool reload_node_next(struct reload_node *node, struct reload_action *action);

/* --- looking in --- */
/* Why a message or request was dropped or refused; each has a counter. */
/* clang-format off */
#define RELOAD_DROP_REASONS(X)                        \
    X(MALFORMED, "malformed")                         \
    X(TOKEN, "not RELOAD")                            \
    X(OVERLAY, "other overlay")                       \
    X(VERSION, "other version")                       \
    X(TTL, "TTL spent")                               \
    X(TTL_ABOVE, "TTL above initial-ttl")             \
    X(FRAGMENT, "bad fragment")                       \
    X(FRAGMENT_TIMEOUT, "incomplete fragments")       \
    X(FRAGMENT_LIMIT, "too many fragments")           \
    X(DESTINATION, "bad Destination List")            \
    X(VIA, "bad Via List")                            \
    X(NOT_HERE, "Node-ID in own range, not connected") \
    X(RESOURCE_NOT_LAST, "entries after a resource")  \
    X(OPAQUE, "unknown opaque id")                    \
    X(NO_ROUTE, "no route")                           \
    X(RETURN_GONE, "way back is gone")                \
    X(UNBOUND, "link without Node-ID")                \
    X(OPTION, "critical option unknown")              \
    X(EXTENSION, "critical extension unknown")        \
    X(SIGNATURE, "bad signature")                     \
    X(CERTIFICATE, "bad certificate")                 \
    X(IDENTITY, "answer by the wrong node")           \
    X(UNEXPECTED, "answer to nothing")                \
    X(DUPLICATE, "duplicate")                         \
    X(CODE, "unknown message code")                   \
    X(BODY, "malformed body")                         \
    X(CONFIG_OLD, "older configuration")              \
    X(CONFIG_NEW, "newer configuration")              \
    X(TOO_LARGE, "too large")                         \
    X(LIMIT, "limit reached")                         \
    X(STATE, "not in this state")                     \
    X(MEMORY, "out of memory")
/* clang-format on */
enum reload_drop_reason {
#define X(name, text) RELOAD_DROP_##name,
    RELOAD_DROP_REASONS(X)
#undef X
        RELOAD_DROP_COUNT
};
const char *reload_drop_text(enum reload_drop_reason reason);

struct reload_node_counters {
    uint64_t received, received_bytes, sent, sent_bytes, forwarded, delivered, answered, requested,
        retransmitted, returned, timed_out, duplicates_answered, errors_sent, errors_received;
    uint64_t dropped[RELOAD_DROP_COUNT];
};

struct reload_connection { /* one row of the Connection Table */
    reload_link_id link;
    struct reload_node_id node_id; /* len 0 while the link's Node-ID is not settled */
    enum reload_link_type type;
    bool inbound, suspect, routable; /* routable: in the Routing Table */
    uint64_t up_since_ms;            /* monotonic */
    uint64_t sent, received;         /* messages */
};

/* These belong to the node; nothing may be changed through them. */
const struct reload_node_counters *reload_node_counters(const struct reload_node *node);
const struct reload_store *reload_node_store_view(const struct reload_node *node);
const struct reload_config *reload_node_overlay(const struct reload_node *node);
enum reload_topology_state reload_node_state(const struct reload_node *node);
/* The Connection Table, and the neighbors and fingers of the topology: up to cap rows; return how
 * many there are. */
size_t reload_node_connections(const struct reload_node *node, struct reload_connection *out,
                               size_t cap);
size_t reload_node_tables(const struct reload_node *node, struct reload_topology_entry *out,
                          size_t cap);
/* Whether a Resource-ID or Node-ID is in this node's own range, and how much of the overlay that
 * range is, in parts per billion (s6.4.2.5.2). */
bool reload_node_responsible(const struct reload_node *node, struct reload_slice id);
uint32_t reload_node_responsible_ppb(const struct reload_node *node);
/* Resource Name to Resource-ID by the overlay's topology (s10.2). out: RELOAD_RESOURCE_ID_MAX
 * bytes; *len: how many of them. Fails as the digest of reload_crypto_ops does. */
int reload_node_resource_id(const struct reload_node *node, struct reload_slice resource_name,
                            uint8_t *out, size_t *len);

#endif
