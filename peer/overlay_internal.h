#ifndef PEER_OVERLAY_INTERNAL_H
#define PEER_OVERLAY_INTERNAL_H

#include "certs/context.h"
#include "peer/bootstrap.h"
#include "peer/channel_internal.h"
#include "peer/identity_files.h"
#include "peer/overlay.h"
#include "peer/overlay_ice.h"
#include "peer/overlay_stun.h"
#include "peer/overlay_turn.h"
#include "reload/link/datagram.h"

/* Inside of the overlay object.
 *
 *   overlay.c            making and freeing it
 *   overlay_loop.c       the GSource: links and time into the node, what the node wants out of it
 *   overlay_actions.c    the node's actions, one by one
 *   overlay_bootstrap.c  dialling bootstrap nodes
 *   overlay_ice.c        ICE channels under links and application channels
 *   overlay_stun.c       STUN on the bare UDP ports, both ways
 *   overlay_turn*.c      TURN servers of others, and the one beside this peer
 *   overlay_requests.c   the application's requests and callbacks
 *
 * The node is never called while its actions are being pulled, and the application never while the
 * node or its actions are at work: what either leads to waits in a queue of the struct. */

#define RELOAD_OVERLAY_LISTENERS 8

struct dial { /* of an outbound link that is not up yet, and of a bootstrap link after that */
    uint32_t attach;
    bool bootstrap;
};

struct notice { /* something to tell the application; owns what it points to */
    void (*deliver)(struct reload_overlay *overlay, struct notice *notice);
    GPtrArray *blocks; /* memory to free with it; NULL: none */
    union {
        struct {
            struct reload_result result;
            reload_overlay_done *done;
            void *context;
        };
        struct {
            enum reload_topology_state state;
            char *text;
        };
        struct { /* of a channel */
            uint64_t channel;
            enum reload_channel_news news;
            struct reload_slice bytes;
            int error;
            uint16_t error_code;
            const char *reason;
        };
    };
};

struct reload_candidates { /* where others find this node, s6.5.1.11; the node borrows it */
    struct reload_link_address own[RELOAD_LINK_DIAL_MAX];
    struct reload_ip_address_port addresses[RELOAD_LINK_DIAL_MAX]; /* borrow from `own` */
    size_t count;
};

struct reload_overlay {
    /* who and where */
    char *directory;
    struct reload_identity_files files;
    struct reload_cert_context *certs;
    struct reload_crypto crypto;
    struct reload_random random;
    enum reload_role role;
    struct reload_link_address listening[RELOAD_OVERLAY_LISTENERS];
    size_t listening_count;
    struct reload_link_address bare[RELOAD_OVERLAY_LISTENERS]; /* UDP ports, as bound */
    size_t bare_count;
    bool over_loopback; /* the bootstrap node is on this machine: so may others be */
    struct reload_candidates candidates;

    /* the parts */
    struct reload_links *links;
    struct reload_overlay_ice *ice;
    struct reload_channels channels;
    struct reload_overlay_stun stun;
    struct reload_overlay_turn turn;
    struct reload_pcap *pcap;
    struct reload_store_file *store;
    struct reload_node *node;
    const struct reload_log *log;

    /* bootstrap */
    struct reload_bootstrap bootstrap;
    bool dtls; /* the link type that is preferred */
    bool bootstrap_wanted;
    bool unable; /* the configuration in force asks for what this program cannot do */
    struct reload_link_address bootstrap_address; /* being dialled ... */
    reload_link_id bootstrap_udp, bootstrap_tcp;  /* ... over both, as it may be; 0: none */
    uint64_t bootstrap_tcp_ms;                    /* when TCP joins the race; RELOAD_NEVER: not */
    reload_link_id joining_link; /* the bootstrap link that this attempt to join uses; 0: none */
    GHashTable *dialled;         /* link id -> struct reload_link_address: where far ends listen */
    uint64_t harvest_at_ms;      /* when to look for peers to remember */
    uint64_t recheck_at_ms;      /* when to look whether the far ends' certificates still hold */

    /* the loop */
    GSource *source;
    bool in_turn;            /* of the loop: it is not entered again */
    uint64_t wake_ms;        /* monotonic; when the next turn is due */
    struct reload_time now;  /* of this turn of the loop */
    GHashTable *dials;       /* link id -> struct dial */
    GHashTable *requests;    /* request -> struct pending */
    GArray *failed_attaches; /* of uint32_t: dials that could not even start */
    GArray *failed_persists; /* of uint64_t */
    GQueue notices;          /* of struct notice */
    struct reload_overlay_events events;
    void *events_context;
};

/* overlay_loop.c */
void reload_overlay_attach_source(struct reload_overlay *overlay, GMainContext *context);
/* After any call into the node from outside of the loop's turn: does what it wants, and has the
 * loop run soon. */
void reload_overlay_settle(struct reload_overlay *overlay);

/* overlay_actions.c: pulls and does all actions of the node. */
void reload_overlay_drain(struct reload_overlay *overlay);
/* This link is the outcome of an OPEN_LINK with that number, or of a bootstrap dial (0). */
void reload_overlay_dialled(struct reload_overlay *overlay, reload_link_id link, uint32_t attach);
/* RFC 6940 s6.5.1.1 addresses as the links take them; false for what they cannot dial. */
bool reload_overlay_link_address(const struct reload_ip_address_port *from,
                                 struct reload_link_address *to);
/* The configuration in force has links by ICE. */
bool reload_overlay_is_ice(const struct reload_overlay *overlay);
/* overlay.c: opens the UDP ports, those of the listeners, or for a node without any one that the
 * system chooses. */
RELOAD_MUST_USE int reload_overlay_open_bare_ports(struct reload_overlay *overlay,
                                                   struct reload_cert_reason *reason);

/* overlay_bootstrap.c */
void reload_overlay_bootstrap_run(
    struct reload_overlay *overlay); /* when wanted and time has come */
uint64_t reload_overlay_bootstrap_deadline(const struct reload_overlay *overlay);
/* A bootstrap link is up: false when another was faster, and this one is to be closed. */
bool reload_overlay_bootstrap_up(struct reload_overlay *overlay,
                                 const struct reload_link_event *event);
void reload_overlay_bootstrap_down(struct reload_overlay *overlay,
                                   const struct reload_link_event *event); /* the dial failed */

/* The state changed: an attempt to join that starts again does so through another node. */
void reload_overlay_bootstrap_state(struct reload_overlay *overlay,
                                    enum reload_topology_state state, const char *text);
/* An outbound link is up: its far end may be worth remembering. */
void reload_overlay_bootstrap_linked(struct reload_overlay *overlay,
                                     const struct reload_link_event *event);
/* The far end of a link listens at this address, over TCP and UDP: it is worth remembering, and in
 * an ICE overlay it is asked how it sees this node. */
void reload_overlay_listens_at(struct reload_overlay *overlay, reload_link_id link,
                               const struct reload_link_address *address);
/* Puts the peers that are linked and route into the cache. */
void reload_overlay_bootstrap_harvest(struct reload_overlay *overlay);

/* overlay_requests.c */
void reload_overlay_finish_request(struct reload_overlay *overlay,
                                   const struct reload_result *result);
void reload_overlay_note_state(struct reload_overlay *overlay, enum reload_topology_state state,
                               const char *text);
void reload_overlay_note_config(struct reload_overlay *overlay);
/* One more thing to tell, by `deliver`; the caller fills in the rest. */
struct notice *reload_notice_new(struct reload_overlay *overlay,
                                 void (*deliver)(struct reload_overlay *, struct notice *));
/* A copy that the notice owns. */
struct reload_slice reload_notice_keep(struct notice *notice, struct reload_slice slice);
bool reload_overlay_deliver(struct reload_overlay *overlay); /* one notice; false: none waits */
void reload_overlay_abandon(
    struct reload_overlay *overlay); /* ends all requests, drops all notices */

#endif
