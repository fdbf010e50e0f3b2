#ifndef RELOAD_NODE_ACTION_H
#define RELOAD_NODE_ACTION_H

#include "reload/config/config.h"
#include "reload/link_id.h"
#include "reload/log.h"
#include "reload/node/topology.h"
#include "reload/store/fetched.h"
#include "reload/store/store.h"
#include "reload/wire/address.h"

/* What the core wants done. The host pulls actions with reload_node_next() until it answers false,
 * after each call into the node and before the next one. All slices and pointers in an action are
 * valid until the next call into the node other than reload_node_next(). */

enum reload_action_type {
    RELOAD_ACTION_SEND,           /* hand bytes to a link */
    RELOAD_ACTION_GATHER,         /* find candidates; then reload_node_gathered, or open_failed */
    RELOAD_ACTION_OPEN_LINK,      /* dial; then link_up with its attach number, or open_failed */
    RELOAD_ACTION_ABANDON,        /* what was gathered or opened under that number is not wanted */
    RELOAD_ACTION_CLOSE_LINK,     /* after what was sent to it is out */
    RELOAD_ACTION_WANT_BOOTSTRAP, /* link to a bootstrap or cached node; then link_up or
                                     bootstrap_failed */
    RELOAD_ACTION_PERSIST,        /* write rows, then reload_node_persisted */
    RELOAD_ACTION_REQUEST_DONE,   /* a request of the application's ended */
    RELOAD_ACTION_APP_CHANNEL,    /* an AppAttach was agreed: make the channel */
    RELOAD_ACTION_STATE_CHANGED,
    RELOAD_ACTION_CONFIG_CHANGED, /* a newer document is in force: keep it */
    RELOAD_ACTION_LOG,
};

struct reload_action_send {
    reload_link_id link;
    struct reload_slice parts[3]; /* one message: send in order, as one frame */
    size_t part_count;
};

/* Candidates for a connection to be, as the configuration in force says: by ICE (s6.5.1.5), or in
 * an overlay with no-ice, for an application, those of a listener for this one channel (s6.5.1.11).
 *
 * From here on the host holds something under that number. Exactly one of these ends it: link_up
 * with the number, reload_node_open_failed, ABANDON, or, for an application, APP_CHANNEL, which
 * leaves the channel to the host. */
struct reload_action_gather {
    uint32_t attach; /* comes back in reload_node_gathered or open_failed */
    /* This node sends the request: it controls the ICE checks (s6.5.1.9) and is the TLS or DTLS
     * server (s6.5.1.13). Else it answers one. */
    bool requester;
    bool application; /* for an AppAttach */
    uint16_t application_id;
    bool ice; /* candidates of ICE, or else where this node waits for the far end's dial */
};

struct reload_action_open_link {
    uint32_t attach;               /* comes back in link_up or open_failed */
    struct reload_node_id node_id; /* the far end must prove this one (s6.5.1.11) */
    uint8_t link_type;             /* OverlayLinkType, s6.5.1.1 */
    const struct reload_ip_address_port *addresses; /* by falling priority */
    size_t address_count;
    bool tls_server; /* our role in the handshake: s6.5.1.13 */
    /* DTLS_UDP_SR: check the candidates that were gathered under this number against the far end's,
     * then shake hands over the pair that ICE chose (s6.5.1.10). No addresses then. */
    struct reload_slice ufrag, password; /* the far end's */
    struct reload_slice candidates;      /* the far end's, for reload_ice_candidate_next() */
};

struct reload_action_persist {
    uint64_t token; /* comes back in reload_node_persisted(); tokens may be acknowledged in bulk */
    const struct reload_store_row *rows;
    size_t row_count;
};

struct reload_result { /* of a request; fields beyond `error` count when it is 0 or error_code is
                          not */
    uint64_t request;
    uint16_t code;       /* message code that was asked */
    int error;           /* 0; RELOAD_E_TIMEOUT, RELOAD_E_FORBIDDEN (an error response: error_code),
                            RELOAD_E_CLOSED (the node left), RELOAD_E_NOT_FOUND (no next hop) */
    uint16_t error_code; /* RFC error code, or 0 */
    struct reload_slice body; /* answer's message body, or the error_info */
    struct reload_node_id signer;
    uint32_t round_trip_ms;
    uint8_t transmissions;
    uint8_t hops; /* links the answer crossed, from its TTL; 0 when unknown */
    /* Fetch: verified values. Store that was refused with Error_Generation_Counter_Too_Low: what is
     * stored there now, when it could be fetched (s7.4.1.2). */
    const struct reload_fetched_value *values;
    size_t value_count;
    size_t rejected; /* Fetch: values left out because they did not verify, were not asked for, or
                        were a second one for a place */
};

struct reload_action_app_channel {
    uint64_t request; /* the own AppAttach, or 0 for an incoming one */
    uint32_t attach;  /* what was gathered under this number is the channel's; 0: nothing was */
    uint16_t application;
    struct reload_node_id node_id; /* the far end must prove this one (s6.5.1.13) */
    uint8_t link_type;             /* OverlayLinkType */
    /* No-ICE: to dial, by falling priority; none: wait at the listener that was gathered. */
    const struct reload_ip_address_port *addresses;
    size_t address_count;
    bool tls_server;
    struct reload_slice ufrag, password; /* DTLS_UDP_SR: the far end's, as in OPEN_LINK */
    struct reload_slice candidates;
};

struct reload_action {
    enum reload_action_type type;
    union {
        struct reload_action_send send;
        struct reload_action_gather gather;
        struct reload_action_open_link open_link;
        struct {
            uint32_t attach;
        } abandon;
        struct {
            reload_link_id link;
            const char *reason;
        } close_link;
        struct reload_action_persist persist;
        struct reload_result result;
        struct reload_action_app_channel app_channel;
        struct {
            enum reload_topology_state state;
            const char *text; /* why, for people */
        } state_changed;
        const struct reload_config *config;
        struct {
            enum reload_log_level level;
            const char *area, *text;
        } log;
    };
};

#endif
