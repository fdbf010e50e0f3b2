#ifndef PEER_CHANNEL_H
#define PEER_CHANNEL_H

#include "peer/overlay.h"

/* Channels of applications (AppAttach, RFC 6940 s6.5.2): bytes or datagrams between this node and
 * another, secured by TLS or DTLS between their certificates. Which of the two it is the overlay
 * decides (info says): TLS over TCP, or DTLS where both sides link that way, over ICE always.
 *
 * An application is named by its Application-ID (s14.5): 5060 SIP, 5061 SIP over TLS, others by the
 * private agreement of those who use the overlay.
 *
 * Callbacks come as those of peer/overlay.h: from its loop or from reload_overlay_free(), never
 * from inside another call, and they may call anything here. A channel is good until its `closed`
 * returns, or until reload_channel_close() is called. */

struct reload_channel;

#define RELOAD_CHANNELS_MAX          128   /* of an overlay object, in any state */
#define RELOAD_CHANNELS_PER_NODE_MAX 32    /* with one far node */
#define RELOAD_CHANNEL_OPEN_MS       20000 /* from the far end's agreement until it must be up */
#define RELOAD_CHANNEL_PIECE_MAX     65536 /* bytes of one send */
#define RELOAD_CHANNEL_DATAGRAM_MAX  16384 /* bytes of one datagram */

struct reload_channel_end { /* good during the callback */
    int error;              /* 0: in order */
    uint16_t error_code;    /* RFC 6940 s6.3.3.1, when the far node refused; else 0 */
    const char *reason;     /* a sentence */
};

struct reload_channel_events { /* each may be NULL */
    /* It is up: bytes may be sent. For an accepted channel the first that is heard of it. */
    void (*opened)(void *context, struct reload_channel *channel);
    /* A piece of the byte stream, or one datagram; good during the callback. */
    void (*received)(void *context, struct reload_channel *channel, struct reload_slice bytes);
    /* After a send that was refused: half of the queue is free. */
    void (*writable)(void *context, struct reload_channel *channel);
    /* The far end sends no more (bytes only); when it has closed, `closed` follows a second later.
     */
    void (*ended)(void *context, struct reload_channel *channel);
    /* The end, exactly once, but not after reload_channel_close(). Also when the channel never came
     * up: error_code RELOAD_ERROR_NOT_FOUND means that the far node does not serve the application
     * (s6.5.2.2), RELOAD_E_CERTIFICATE that another node answered. RELOAD_E_LIMIT: see above;
     * RELOAD_E_TIMEOUT, RELOAD_E_IO: no answer, or no connection; RELOAD_E_CLOSED: the far end
     * broke off without ending its bytes. */
    void (*closed)(void *context, struct reload_channel *channel,
                   const struct reload_channel_end *end);
};

struct reload_channel_info { /* all but the first two only once it is up */
    uint16_t application;
    bool accepted;                   /* the far node asked for it */
    struct reload_node_id node_id;   /* whom the far end's certificate proves it to be */
    struct reload_slice certificate; /* that one, DER; good while the channel is */
    bool datagrams;
    uint32_t longest_datagram; /* that one packet carries; longer ones are cut by IP. 0: bytes */
    uint8_t link_type;         /* RELOAD_LINK_TYPE_... */
    struct reload_link_address local, remote;
    bool relayed; /* by a TURN server */
};

/* Asks for a channel; `opened` or `closed` follows. The target may be a Resource-ID: then the peer
 * that is responsible for it answers. `events` is copied. Errors of reload_node_app_attach(), and
 * RELOAD_E_LIMIT (RELOAD_CHANNELS_MAX); then nothing follows. */
RELOAD_MUST_USE int reload_overlay_open_channel(struct reload_overlay *overlay,
                                                const struct reload_target *target,
                                                uint16_t application,
                                                const struct reload_channel_events *events,
                                                void *context, struct reload_channel **out);

/* Serves an application: channels that others ask for begin with `opened` and this context.
 * RELOAD_E_STATE (it is served already), RELOAD_E_INVALID (0), RELOAD_E_LIMIT
 * (RELOAD_NODE_APPLICATIONS_MAX). */
RELOAD_MUST_USE int reload_overlay_accept_channels(struct reload_overlay *overlay,
                                                   uint16_t application,
                                                   const struct reload_channel_events *events,
                                                   void *context);
/* Serves it no more; channels whose `opened` has been told stay, the others will not be told. */
void reload_overlay_refuse_channels(struct reload_overlay *overlay, uint16_t application);

/* From now on other callbacks: an accepted channel gets a context of its own in `opened`. */
void reload_channel_set_events(struct reload_channel *channel,
                               const struct reload_channel_events *events, void *context);
/* All or nothing; copied. RELOAD_E_LIMIT: the queue is full, `writable` follows; RELOAD_E_STATE
 * (not up, or ended), RELOAD_E_INVALID (longer than the sizes above, or an empty datagram),
 * RELOAD_E_NOMEM. The application itself keeps NATs open, with traffic every 25 s or so (s6.5.2.1).
 */
RELOAD_MUST_USE int reload_channel_send(struct reload_channel *channel, struct reload_slice bytes);
/* This end sends no more: the far end gets `ended` after all bytes, and may go on. Once both have
 * ended `closed` follows. A datagram channel is closed by it. */
void reload_channel_end(struct reload_channel *channel);
/* Stops reading, so that the far end slows down; some 100 KB may still come. Datagrams are dropped
 * meanwhile. */
void reload_channel_pause(struct reload_channel *channel, bool paused);
/* Ends both directions, whatever is still on its way, and gives the handle back; nothing follows.
 * NULL is fine. */
void reload_channel_close(struct reload_channel *channel);
/* Good while the channel is. ICE may go over to a better path: each call brings `local`, `remote`
 * and `relayed` up to date. */
const struct reload_channel_info *reload_channel_info(struct reload_channel *channel);

struct reload_channel_stats {
    uint32_t channels, open; /* now */
    uint64_t asked, accepted;
    uint64_t opened;           /* of both, those that came up */
    uint64_t failed;           /* those that did not */
    uint64_t timed_out;        /* of these, RELOAD_CHANNEL_OPEN_MS */
    uint64_t refused_full;     /* RELOAD_CHANNELS_MAX */
    uint64_t refused_per_node; /* RELOAD_CHANNELS_PER_NODE_MAX */
};

void reload_overlay_channel_stats(const struct reload_overlay *overlay,
                                  struct reload_channel_stats *out);

#endif
