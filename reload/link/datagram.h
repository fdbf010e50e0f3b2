#ifndef RELOAD_LINK_DATAGRAM_H
#define RELOAD_LINK_DATAGRAM_H

#include "reload/link/links.h"

/* Links over DTLS with Simple Reliability in the set of reload/link/links.h: DTLS-UDP-SR-NO-ICE
 * (RFC 6940 s6.6.6) on sockets of the set, and DTLS-UDP-SR (s6.6.4) on a datagram channel that
 * somebody else made. They are sent on, closed, described and reported as all others.
 *
 * A bare port serves any number of inbound links, told apart by the far end's address, and it tells
 * apart what arrives as RFC 7983 does: first byte 0 to 3 is STUN, reported as RELOAD_LINK_STUN;
 * 20 to 63 is DTLS; everything else is counted and dropped. A handshake begins only with a
 * ClientHello that brings back a cookie (reload/link/cookie.h): before that nothing is kept, and no
 * answer is longer than its question. Each dialled link has a socket of its own.
 *
 * When a link is up: in DTLS 1.2 each end knows at the end of its handshake that the other accepted
 * it. The server has checked the client's certificate and signature before it finishes, and the
 * client finishes last. If the server's last flight is lost, the client repeats its own and gets it
 * again, also when the server has begun to send frames.
 *
 * A message leaves in one record in one datagram. One longer than `mtu` of the UP event is cut by
 * IP; the node fragments before (s6.7). The longest is RELOAD_LINK_DATAGRAM_MESSAGE_MAX bytes.
 * Messages may arrive in another order than they were sent. send() keeps a copy until it is
 * acknowledged; a message that comes twice because its ack was lost is reported once.
 *
 * SUSPECT and RECOVERED follow s6.6.3.1. A link whose frames are not acknowledged in the end goes
 * DOWN, and so does one whose far end answers with a hard ICMP error (port or protocol unreachable,
 * RFC 1122) while something is unacknowledged. A far end that comes back on the same address begins
 * a new link, and once that is up the old one goes DOWN (RFC 6347 s4.2.8).
 *
 * A path over IPv4 that drops datagrams of more than 576 bytes and says nothing shows by the third
 * loss of the first long message. The owner is then told MTU, and gets what is too long for it back
 * as TOO_LONG events, to fragment it. A path that narrows later is not noticed.
 *
 * A link on which nothing arrives is asked to show that it is alive: after RELOAD_LINK_IDLE_MS
 * without a frame its owner is told IDLE (a DTLS server's a quarter later, so that one end asks).
 * When what the owner then sends is not acknowledged, the link is SUSPECT and DOWN as above: with
 * the shortest RTO, 100 ms, 11.5 s and 22.7 s after the last frame.
 *
 * close() keeps sending what is unacknowledged for RELOAD_LINK_LINGER_MS, then a close_notify. */

#define RELOAD_LINK_DATAGRAM_MESSAGE_MAX (16384 - 8)
#define RELOAD_LINK_IDLE_MS              10000
#define RELOAD_LINK_PATH_MTU             1280 /* of IPv6; every IPv4 path of today carries it too */

/* Opens a bare port; port 0 lets the system choose. *actual gets what was bound. Errors as
 * reload_links_listen(); RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_links_listen_datagrams(struct reload_links *links,
                                                  const struct reload_link_address *address,
                                                  struct reload_link_address *actual);

/* Opens a link to the bare port of another node, the first of `count` addresses that answers, in
 * order. It is the DTLS client: a bare port waits for a ClientHello. Otherwise as
 * reload_links_dial(). */
RELOAD_MUST_USE int reload_links_dial_datagrams(struct reload_links *links,
                                                const struct reload_link_address *addresses,
                                                size_t count, const struct reload_node_id *expected,
                                                struct reload_time now, reload_link_id *id);

/* Sends something that is not DTLS, an answer to STUN, from a bare port (`local` of the STUN event)
 * at once. RELOAD_E_NOT_FOUND (no such port), RELOAD_E_IO. */
RELOAD_MUST_USE int reload_links_send_stun(struct reload_links *links,
                                           const struct reload_link_address *local,
                                           const struct reload_link_address *far,
                                           struct reload_slice bytes);

struct reload_link_channel {    /* a datagram channel between two nodes, made by ICE */
    enum reload_link_role role; /* s6.5.1.13: not who opened it, but who sent the Attach request */
    const struct reload_node_id *expected; /* NULL: anyone */
    struct reload_link_address far;        /* shown in events and captures; may change unseen */
    struct reload_link_address local;
    uint16_t path_mtu; /* of the path with its IP header [the set's] */
    uint32_t rtt_ms;   /* of a STUN check, the first measurement (R6940-6.6.3.1-6); 0: none */
    bool raw;          /* for an application: reload/link/raw.h */
};

/* Begins a link of type DTLS-UDP-SR on a channel. What it sends comes as RELOAD_LINK_DATAGRAM
 * events, also for up to RELOAD_LINK_LINGER_MS after DOWN. One UP or DOWN event follows.
 * RELOAD_E_LIMIT (links), RELOAD_E_NOMEM, RELOAD_E_INVALID (path_mtu). */
RELOAD_MUST_USE int reload_links_open_channel(struct reload_links *links,
                                              const struct reload_link_channel *channel,
                                              struct reload_time now, reload_link_id *id);
/* A datagram that came over the channel; its bytes are copied and looked at by next(). Unknown ids,
 * what is not DTLS, and more than RELOAD_LINK_CHANNEL_BYTES waiting are dropped and counted. */
void reload_links_channel_input(struct reload_links *links, reload_link_id id,
                                struct reload_slice datagram, struct reload_time now);
/* The channel is lost (consent expired, s6.5.1.10): the link goes DOWN with RELOAD_E_CLOSED. */
void reload_links_channel_lost(struct reload_links *links, reload_link_id id, const char *reason,
                               struct reload_time now);

#define RELOAD_LINK_CHANNEL_BYTES (256 * 1024)

#endif
