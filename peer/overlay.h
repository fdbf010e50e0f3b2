#ifndef PEER_OVERLAY_H
#define PEER_OVERLAY_H

#include <glib.h>

#include "certs/reason.h"
#include "ice/ice.h"
#include "ice/stun.h"
#include "ice/stun_client.h"
#include "ice/stun_servers.h"
#include "peer/store_file.h"
#include "reload/link/links.h"
#include "reload/log.h"
#include "reload/node/node.h"

/* A node of an overlay, to embed into a program: links, certificates, the protocol and its storage
 * wired together on a GLib main loop.
 *
 * One object is used from the thread that runs its main context. Callbacks come from that loop, or
 * from reload_overlay_free(), never from inside another call; they may call anything here but that
 * one. */

struct reload_overlay;

/* How a request ended. The result and all it points to are good until the callback returns. */
typedef void reload_overlay_done(void *context, const struct reload_result *result);

struct reload_overlay_events { /* each may be NULL */
    void (*state)(void *context, enum reload_topology_state state, const char *text);
    void (*config)(void *context, const struct reload_config *config); /* a newer one is in force */
};

struct reload_overlay_options { /* borrowed for the call, except `log` and what the contexts are */
    /* Who this node is: a folder as `reload enroll` makes it (overlay.xml, node.pem, node.key; its
     * peers.cache is kept up to date), or the three files. */
    const char *identity;
    const char *config, *certificate, *key;
    bool allow_unsigned;   /* take a configuration document without a valid signature */
    bool bare_node_id_uri; /* see certs/uri.h */
    bool raw_resource_ids; /* see reload_value_verify() */

    const struct reload_link_address
        *listen; /* where to accept links; port 0: the system chooses */
    size_t listen_count;
    /* Link by DTLS-UDP-SR-NO-ICE (RFC 6940 s6.6.6) where the far end can, to bootstrap nodes
     * always; the same port numbers are opened for UDP too. Otherwise TLS-TCP-FH-NO-ICE alone. */
    bool dtls;
    /* A TURN server beside this peer that others may use (RFC 6940 s9), and the secret that it
     * shares with this peer: coturn's use-auth-secret. NULL: none. */
    const struct reload_link_address *turn;
    struct reload_slice turn_secret;
    const struct reload_link_address *bootstrap; /* nodes to try besides the document's */
    size_t bootstrap_count;
    enum reload_role role;
    const char *store_file; /* SQLite file; NULL: values live in memory */
    const char *pcap_file;
    const struct reload_log *log; /* must outlive the object; NULL: none */
    GMainContext *context;        /* NULL: the default one */
    const struct reload_overlay_events *events;
    void *events_context;
};

/* Reads and checks everything, opens the listening sockets and loads the stored values; nothing is
 * sent yet. What is wrong with files, certificates or addresses is told in `reason`:
 * RELOAD_E_NOT_FOUND and RELOAD_E_IO (files, sockets), RELOAD_E_FORBIDDEN (a key's mode),
 * RELOAD_E_DECODE, RELOAD_E_INVALID, RELOAD_E_SIGNATURE, RELOAD_E_CERTIFICATE, RELOAD_E_EXPIRED
 * (document or certificate), RELOAD_E_UNSUPPORTED (topology, mandatory extension), RELOAD_E_NOMEM.
 */
RELOAD_MUST_USE int reload_overlay_new(const struct reload_overlay_options *options,
                                       struct reload_overlay **out,
                                       struct reload_cert_reason *reason);
/* Closes all links at once: call reload_overlay_leave() before and wait for the state LEFT to go
 * politely. Requests under way end with RELOAD_E_CLOSED before this returns. NULL is fine. */
void reload_overlay_free(struct reload_overlay *overlay);

/* first: this node founds the overlay (RFC 6940 s10.5: never implied). The event `state` tells how
 * it goes; a node that finds no bootstrap node tries again until it is freed. */
void reload_overlay_join(struct reload_overlay *overlay, bool first);
/* Hands its values over and tells its neighbors (RFC 6940 s6.4.2.2); the event `state` tells LEFT.
 */
void reload_overlay_leave(struct reload_overlay *overlay);

/* A newer document that the application got itself (s11.1), verified like a ConfigUpdate. Errors of
 * reload_config_ops.parse_document. */
RELOAD_MUST_USE int reload_overlay_configure(struct reload_overlay *overlay,
                                             struct reload_slice document);

/* Requests. Each returns 0, and then `done` comes exactly once; or an error of the reload_node_
 * function of the same name, and then it does not. What is passed is copied. */
int reload_overlay_store(struct reload_overlay *overlay, struct reload_slice resource,
                         const struct reload_store_item *items, size_t count,
                         reload_overlay_done *done, void *context);
/* body: of a FetchReq, reload/wire/fetch.h. The values of the result are verified. */
int reload_overlay_fetch(struct reload_overlay *overlay, struct reload_slice resource,
                         struct reload_slice body, reload_overlay_done *done, void *context);
/* Any request, by its message code and body. */
int reload_overlay_request(struct reload_overlay *overlay, const struct reload_target *target,
                           uint16_t code, struct reload_slice body, reload_overlay_done *done,
                           void *context);
/* A link to a node, or to the peer responsible for a resource. */
int reload_overlay_attach(struct reload_overlay *overlay, const struct reload_target *target,
                          reload_overlay_done *done, void *context);

/* Looking in. All of it belongs to the overlay; nothing may be changed through it. */
const struct reload_node *reload_overlay_node(const struct reload_overlay *overlay);
const struct reload_links *reload_overlay_links(const struct reload_overlay *overlay);
const struct reload_config *reload_overlay_config(const struct reload_overlay *overlay);
const struct reload_own_identity *reload_overlay_own(const struct reload_overlay *overlay);
enum reload_role reload_overlay_role(const struct reload_overlay *overlay);
/* The addresses it listens on, as bound. */
const struct reload_link_address *reload_overlay_listening(const struct reload_overlay *overlay,
                                                           size_t *count);
/* The pair of candidates that carries a link; RELOAD_E_NOT_FOUND for a link that is not by ICE. */
RELOAD_MUST_USE int reload_overlay_link_pair(const struct reload_overlay *overlay,
                                             reload_link_id link, struct reload_ice_pair *out);
const struct reload_ice_stats *reload_overlay_ice_view(const struct reload_overlay *overlay);

/* What the answers of STUN servers tell of the way to the outside. */
enum reload_overlay_nat {
    RELOAD_OVERLAY_NAT_UNKNOWN,   /* nobody was asked, or the answers are not there yet */
    RELOAD_OVERLAY_NAT_NONE,      /* seen at an address of this machine */
    RELOAD_OVERLAY_NAT_SOME,      /* behind a NAT; only one server has answered */
    RELOAD_OVERLAY_NAT_CONE,      /* behind a NAT: one address and port for all (RFC 4787 s4.1) */
    RELOAD_OVERLAY_NAT_SYMMETRIC, /* behind a NAT: each destination sees another port */
    RELOAD_OVERLAY_NAT_BLOCKED,   /* nobody answers over UDP */
};
const char *reload_overlay_nat_text(enum reload_overlay_nat nat); /* "none", "symmetric", ... */
struct reload_overlay_stun_view { /* all zero and empty in an overlay without ICE */
    enum reload_overlay_nat nat;
    const struct reload_ice_stun_stats *to_others; /* answers to Binding requests */
    const struct reload_ice_stun_client *own;      /* own Binding requests */
    const struct reload_ice_stun_servers *servers;
};
void reload_overlay_stun_view(const struct reload_overlay *overlay,
                              struct reload_overlay_stun_view *out);
struct reload_overlay_turn_stats {
    uint64_t granted; /* credentials handed out */
    uint64_t records; /* TURN-SERVICE records stored, renewals too */
    uint64_t failed;  /* relays that gave no candidate */
};
struct reload_overlay_turn_view {
    const struct reload_link_address *offered; /* beside this peer; NULL: none */
    const struct reload_link_address *relay;   /* of others, in use here; NULL: none */
    const struct reload_overlay_turn_stats *stats;
};
void reload_overlay_turn_view(const struct reload_overlay *overlay,
                              struct reload_overlay_turn_view *out);
/* What a channel by ICE of an application's own starts from, as the overlay's links do: its config
 * takes these. They are good until the next turn of the loop. */
struct reload_overlay_ice_places {
    struct reload_link_address addresses[RELOAD_ICE_ADDRESSES_MAX]; /* of this machine */
    size_t address_count;
    const struct reload_link_address *stun_server; /* NULL: none is known, or none is needed */
    struct reload_ice_turn_server turn;
    size_t turn_count; /* 0 or 1 */
};
void reload_overlay_ice_places(struct reload_overlay *overlay,
                               struct reload_overlay_ice_places *out);
/* The TURN server of the places gave no candidate: another is looked for, and the next places are
 * without it. */
void reload_overlay_turn_failed(struct reload_overlay *overlay);
/* Counters of the store file; false in memory mode. */
bool reload_overlay_store_stats(const struct reload_overlay *overlay,
                                struct reload_store_file_stats *out);
/* Resource Name to Resource-ID. out: RELOAD_RESOURCE_ID_MAX bytes; errors as
 * reload_node_resource_id(). */
int reload_overlay_resource_id(const struct reload_overlay *overlay, struct reload_slice name,
                               uint8_t *out, size_t *len);
/* From the system; its context lives as long as the overlay. */
struct reload_random reload_overlay_random(const struct reload_overlay *overlay);
/* The present, as the core sees it. */
struct reload_time reload_overlay_now(void);

#endif
