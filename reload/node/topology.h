#ifndef RELOAD_NODE_TOPOLOGY_H
#define RELOAD_NODE_TOPOLOGY_H

#include "reload/config/config.h"
#include "reload/log.h"
#include "reload/random.h"
#include "reload/security/crypto.h"
#include "reload/time.h"
#include "reload/wire/id.h"

/* The topology plug-in interface (RFC 6940 s6.4.1): what the node asks of an overlay algorithm, and
 * what the algorithm may ask of the node.
 *
 * A plug-in has no I/O and no clock. It is called only from the node's entry points, acts only
 * through its struct reload_topology_host, and is never re-entered: a host call queues work and
 * returns; its outcome comes later as an operation (answer, attached, pushed, link_up). Ids are
 * passed as slices of raw bytes, since responsibility is asked for Node-IDs and Resource-IDs alike.
 */

struct reload_topology; /* defined by each plug-in */

#define RELOAD_REPLICAS_MAX 8 /* most replicas of a value, over all plug-ins */

enum reload_topology_state {
    RELOAD_TOPOLOGY_IDLE,
    RELOAD_TOPOLOGY_JOINING,
    RELOAD_TOPOLOGY_JOINED, /* a peer that owns its range, or a client that is linked */
    RELOAD_TOPOLOGY_LEAVING,
    RELOAD_TOPOLOGY_LEFT,
};

/* s4.2 */
enum reload_role {
    RELOAD_ROLE_PEER,
    RELOAD_ROLE_CLIENT,     /* linked to the peer responsible for its Node-ID */
    RELOAD_ROLE_CLIENT_ANY, /* stays with whatever peer it is linked to; s4.2.1 */
};

/* A request that the plug-in sends: Join, Leave, Update, RouteQuery, Ping or Probe. */
struct reload_topology_request {
    uint16_t code;                    /* message code of the request */
    const struct reload_node_id *via; /* first Destination entry (source route), or NULL */
    bool to_resource;                 /* the last Destination entry is a resource, else a node */
    struct reload_slice destination;  /* its id */
    struct reload_slice body;         /* the request's message body; copied */
    uint32_t cookie;                  /* comes back in answer(); 0: no interest in the answer */
};

struct reload_topology_answer {
    uint32_t cookie;
    int error;           /* 0; RELOAD_E_TIMEOUT; RELOAD_E_FORBIDDEN with error_code below */
    uint16_t error_code; /* the RFC's code when an error response came, else 0 */
    struct reload_node_id signer; /* who answered, when somebody did */
    struct reload_slice body;     /* the answer's message body */
};

struct reload_topology_message { /* a request of the plug-in's that arrived */
    uint16_t code;               /* join, leave, update or route_query */
    struct reload_slice body;
    const struct reload_node_id *signer;
    const struct reload_node_id *previous_hop; /* of the link it came over; NULL when unknown */
    bool direct; /* came over the link that is bound to the signer, from the signer itself */
};

/* A push of stored data: every resource in (after, up_to] (ring order; equal ends mean everything)
 * is stored at one node with remaining lifetimes; or, without a target, at the peer responsible for
 * it, except for those this node is responsible for itself. pushed() gets error 0 when each was
 * stored there, or something newer was there already (which this node then adopts, s7.4.1.1). */
struct reload_topology_push {
    struct reload_slice after, up_to; /* copied */
    struct reload_node_id target;     /* len 0: routed by Resource-ID (s6.4.2.3) */
    uint8_t replica_number;           /* never 0 */
    uint32_t cookie;                  /* comes back in pushed(); 0: no interest */
};

/* what a snapshot tells of a table entry */
enum reload_peer_relation {
    RELOAD_RELATION_PREDECESSOR,
    RELOAD_RELATION_SUCCESSOR,
    RELOAD_RELATION_FINGER,
    RELOAD_RELATION_OTHER,
};

struct reload_topology_entry {
    struct reload_node_id node_id;
    enum reload_peer_relation relation;
    uint32_t index; /* distance in its list, from 0; for a finger its RFC number i */
};

struct reload_topology_host {
    void *context; /* first argument of every function below */
    struct reload_node_id self;
    enum reload_role role;
    const struct reload_random *random;
    const struct reload_crypto *crypto; /* for digest only */

    /* The configuration in force; the pointer is good until the plug-in returns to the node. */
    const struct reload_config *(*config)(void *context);
    void (*request)(void *context, const struct reload_topology_request *request);
    /* Forms a link by Attach (s6.5.1) to a node, or to the peer responsible for a resource. `via`
     * as above. Outcome: attached(). Attaching to a node that is connected already answers at once.
     */
    void (*attach)(void *context, const struct reload_node_id *via, bool to_resource,
                   struct reload_slice destination, bool send_update, uint32_t cookie);
    void (*push)(void *context, const struct reload_topology_push *push);
    /* Stored resources in (after, up_to] are no longer this node's to keep. */
    void (*forget)(void *context, struct reload_slice after, struct reload_slice up_to);
    /* All links to it are closed. One that comes up before they are down is told by link_up(). */
    void (*disconnect)(void *context, const struct reload_node_id *node_id);
    /* The Connection Table: is there a link, and to whom. Returns how many there are in all. */
    bool (*connected)(void *context, const struct reload_node_id *node_id);
    size_t (*connections)(void *context, struct reload_node_id *out, size_t cap);
    /* Asks for a link to a bootstrap node (s11.4), or for the present one; outcome: bootstrap(). */
    void (*want_bootstrap)(void *context);
    /* A node is in no table any more though its link is there: what others answered in its place
     * is asked again. */
    void (*lost)(void *context);
    /* Every change of state goes through here; text says why, for people. */
    void (*state)(void *context, enum reload_topology_state state, const char *text);
    void (*log)(void *context, enum reload_log_level level, const char *text);
};

struct reload_topology_ops {
    const char *name; /* the configuration's topology-plugin, "CHORD-RELOAD" */

    /* Makes an idle instance; the host outlives it. RELOAD_E_NOMEM, or RELOAD_E_UNSUPPORTED for a
     * configuration the algorithm cannot serve. */
    int (*create)(const struct reload_topology_host *host, struct reload_time now,
                  struct reload_topology **out);
    void (*destroy)(struct reload_topology *topology);

    /* Resource Name to Resource-ID (s10.2 for Chord): out holds RELOAD_RESOURCE_ID_MAX bytes. */
    int (*resource_id)(const struct reload_crypto *crypto, struct reload_slice resource_name,
                       uint8_t *out, size_t *len);
    size_t resource_id_length; /* bytes of every Resource-ID; others are refused */

    /* --- routing; asked for each message, so no allocation and no search of long lists --- */
    bool (*responsible)(const struct reload_topology *topology, struct reload_slice id);
    /* Is it beyond doubt? false: whose range it was is silent and may live, so what is not held
     * here may be there. Asked of ids that this node is responsible for. NULL: always true. */
    bool (*certain)(const struct reload_topology *topology, struct reload_slice id);
    /* The connected node to hand a message for id to; false when there is none. Never the node
     * itself. Called only when the node is not responsible and not connected to id. */
    bool (*next_hop)(const struct reload_topology *topology, struct reload_slice id,
                     struct reload_node_id *out);
    /* Is that next hop, for a message that came from `from`, no step forward? Between nodes that
     * each think somebody gone it would go round and round. NULL: never. */
    bool (*retreats)(const struct reload_topology *topology, struct reload_slice id,
                     const struct reload_node_id *from, const struct reload_node_id *next);
    /* That node is who a message for id came from, so it thinks that somebody in between is gone:
     * whom to hand it to instead. false: nobody, and the message is dropped. NULL: the same. */
    bool (*other_hop)(struct reload_topology *topology, struct reload_slice id,
                      const struct reload_node_id *from, struct reload_node_id *out,
                      struct reload_time now);
    /* Is it being found out whether the node lives that a message for id would go to, or whose
     * range this node would take over? Then a request for it waits until that is decided;
     * next_hop() says where it goes then. Each such check ends within a second. NULL: never. */
    bool (*undecided)(const struct reload_topology *topology, struct reload_slice id);
    /* s6.3.4: may this node have answered for that resource? True when it is at least as close as
     * every node of the own Neighbor Table (always true for a client). When false, *closer is the
     * one that should have answered. */
    bool (*close_enough)(const struct reload_topology *topology,
                         const struct reload_node_id *signer, struct reload_slice resource,
                         struct reload_node_id *closer);
    /* Replica holders 1.. of a resource this node is responsible for, in order. */
    size_t (*replicas)(const struct reload_topology *topology, struct reload_slice resource,
                       struct reload_node_id *out, size_t cap);
    /* s7.4.1.1: is a Store with replica number > 0 of this resource plausible from that node? */
    bool (*replica_plausible)(const struct reload_topology *topology, struct reload_slice resource,
                              const struct reload_node_id *sender);
    uint32_t (*responsible_ppb)(const struct reload_topology *topology); /* s6.4.2.5.2 */

    /* --- life --- */
    void (*join)(struct reload_topology *topology, bool first, struct reload_time now);
    void (*leave)(struct reload_topology *topology, struct reload_time now);
    void (*configured)(struct reload_topology *topology, struct reload_time now);
    uint64_t (*deadline)(const struct reload_topology *topology); /* monotonic; RELOAD_NEVER */
    void (*tick)(struct reload_topology *topology, struct reload_time now);

    /* --- what happened --- */
    void (*link_up)(struct reload_topology *topology, const struct reload_node_id *node_id,
                    struct reload_time now);
    /* suspect: acks are missing, the link may come back (link_up again); else it is gone. */
    void (*link_down)(struct reload_topology *topology, const struct reload_node_id *node_id,
                      bool suspect, struct reload_time now);
    /* The link to a bootstrap node is up, or could not be had (node_id NULL). */
    void (*bootstrap)(struct reload_topology *topology, const struct reload_node_id *node_id,
                      struct reload_time now);
    /* Attach under `cookie` ended: error 0 and the far end's Node-ID, or why not. */
    void (*attached)(struct reload_topology *topology, uint32_t cookie, int error,
                     const struct reload_node_id *node_id, struct reload_time now);
    /* The far end asked with send_update in its Attach: owe it an Update now that it is linked. */
    void (*update_wanted)(struct reload_topology *topology, const struct reload_node_id *node_id,
                          struct reload_time now);
    void (*pushed)(struct reload_topology *topology, uint32_t cookie, int error,
                   struct reload_time now);
    /* What was stored here was twice not taken by that replica holder; NULL: no interest. */
    void (*replica_failed)(struct reload_topology *topology, const struct reload_node_id *holder,
                           struct reload_time now);
    /* Somebody too far away answered for a resource, though this node is closer: does it live? Its
     * link need not tell. */
    void (*doubted)(struct reload_topology *topology, const struct reload_node_id *closer,
                    struct reload_time now);
    void (*answer)(struct reload_topology *topology, const struct reload_topology_answer *answer,
                   struct reload_time now);
    /* Handles a request. Returns 0 with the answer's body in the writer, or an RFC error code with
     * error_info in it. Follow-up (Update after RouteQuery) goes through the host: it is sent after
     * the answer. */
    uint16_t (*handle)(struct reload_topology *topology,
                       const struct reload_topology_message *message, struct reload_writer *body,
                       struct reload_time now);

    /* The tables, for people and for tests: predecessors, successors, fingers. Returns how many
     * there are in all. */
    size_t (*snapshot)(const struct reload_topology *topology, struct reload_topology_entry *out,
                       size_t cap);
};

#endif
