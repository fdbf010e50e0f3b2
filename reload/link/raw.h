#ifndef RELOAD_LINK_RAW_H
#define RELOAD_LINK_RAW_H

#include "reload/link/datagram.h"
#include "reload/link/links.h"

/* Connections of applications (AppAttach, RFC 6940 s6.5.2) in the set of reload/link/links.h: TLS
 * over TCP, a byte channel, or DTLS, a datagram channel. They share descriptor, engines, limits and
 * certificate checks with the overlay links, but carry no frames: what one end sends is what the
 * other gets, nothing is acknowledged, repeated or captured, and a datagram may be lost.
 *
 * Each end proves its certificate and the Node-ID that the other expects, in either role. Events:
 *
 *     UP        as for overlay links; `invitation` tells by which it came in
 *     BYTES     a piece of the byte stream, or one whole datagram
 *     WRITABLE  after a send that was refused: at least half of the queue is free
 *     ENDED     the far end sends no more bytes; this end still may
 *     DOWN      the end, with error 0 when both ends have ended or one closed in order. A far end
 *               of TLS that has ended may be known to have closed only by a reset: from this
 *               stack within RELOAD_LINK_LINGER_MS, from others perhaps not before the next send
 *
 * reload_links_close() ends both directions after what is queued has been written as far as the
 * socket takes it; reload_links_end_raw() ends one and loses nothing. */

#define RELOAD_LINK_INVITATIONS_MAX 128 /* of a set at a time; counted as refused_invitations */
#define RELOAD_LINK_DOORS_MAX                                                                      \
    128                                 /* their ports, TCP and UDP each; those of UDP that a link \
                                           came in by count while it lives; counted the same */
#define RELOAD_LINK_GUESTS_MAX       16 /* handshakes on one invitation; the oldest gives way */
#define RELOAD_LINK_PIECE_MAX        65536 /* bytes of one send on a byte channel */
#define RELOAD_LINK_RAW_DATAGRAM_MAX 16384 /* bytes of one datagram; above `mtu` IP cuts it */

/* Opens a connection to the first of `count` addresses that answers. link_type:
 * RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE, or RELOAD_LINK_TYPE_DTLS_UDP_SR_NO_ICE, where this end is the
 * DTLS client whatever `role` says. Otherwise as reload_links_dial(); over a channel of ICE see
 * reload_links_open_channel(). RELOAD_E_INVALID (link type too). */
RELOAD_MUST_USE int reload_links_dial_raw(struct reload_links *links, uint8_t link_type,
                                          const struct reload_link_address *addresses, size_t count,
                                          const struct reload_node_id *expected,
                                          enum reload_link_role role, struct reload_time now,
                                          reload_link_id *id);

/* Sends bytes (at most RELOAD_LINK_PIECE_MAX) or one datagram (RELOAD_LINK_RAW_DATAGRAM_MAX); they
 * are copied. All or nothing. RELOAD_E_LIMIT: the queue is full, WRITABLE follows;
 * RELOAD_E_NOT_FOUND (no such connection), RELOAD_E_STATE (not up, or ended by this end),
 * RELOAD_E_INVALID (too long, or an empty datagram), RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_links_send_raw(struct reload_links *links, reload_link_id id,
                                          struct reload_slice bytes, struct reload_time now);
/* This end sends no more: once all is written the far end is told (close_notify), and gets ENDED.
 * It may go on sending. A datagram channel has no such half: it is closed. */
void reload_links_end_raw(struct reload_links *links, reload_link_id id, struct reload_time now);
/* Stops and resumes reading, so that the far end slows down; what is decrypted already, some 32 KB,
 * still comes. On a datagram channel datagrams are dropped meanwhile and counted. */
void reload_links_pause_raw(struct reload_links *links, reload_link_id id, bool paused,
                            struct reload_time now);

/* An invitation: ports of their own that let in exactly one connection, from a node that is known
 * later than the ports. Until reload_links_admit() names it nothing is read from them; who connects
 * waits. Then strangers may knock, RELOAD_LINK_GUESTS_MAX at a time, the oldest leaving for the
 * newest; the first that proves the expected Node-ID is told as UP, and the ports are closed. If
 * nobody did in time, DOWN with link 0 and the invitation tells so. */
typedef uint32_t reload_invitation_id;

/* *id names it, 0 never. RELOAD_E_LIMIT, RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_links_invite(struct reload_links *links, uint32_t lifetime_ms,
                                        struct reload_time now, reload_invitation_id *id);
/* Opens one more port for it, chosen by the system unless address->port says otherwise; *actual
 * gets what was bound. link_type as for reload_links_dial_raw(). RELOAD_E_NOT_FOUND (no such
 * invitation), RELOAD_E_STATE (it admits already), RELOAD_E_LIMIT, RELOAD_E_INVALID, RELOAD_E_IO
 * (errno tells), RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_links_invite_at(struct reload_links *links, reload_invitation_id id,
                                           uint8_t link_type,
                                           const struct reload_link_address *address,
                                           struct reload_link_address *actual);
/* Now lets in that node, as TLS or DTLS client, for so long. RELOAD_E_NOT_FOUND (no such
 * invitation: its time is over), RELOAD_E_IO (its ports cannot be watched). */
RELOAD_MUST_USE int reload_links_admit(struct reload_links *links, reload_invitation_id id,
                                       const struct reload_node_id *expected, uint32_t lifetime_ms,
                                       struct reload_time now);
/* Closes the ports, without an event. Unknown ids are ignored. */
void reload_links_withdraw(struct reload_links *links, reload_invitation_id id,
                           struct reload_time now);

#endif
