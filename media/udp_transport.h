#ifndef RELOAD_MEDIA_UDP_TRANSPORT_H
#define RELOAD_MEDIA_UDP_TRANSPORT_H

#include "media/session.h"
#include "reload/link/address.h"

/* A call's datagrams over one plain UDP socket, for overlays without ICE: RTP, RTCP and DTLS share
 * the port (RFC 5761, RFC 5764 s5.1.2). Datagrams are marked for expedited forwarding. */
struct reload_media_udp;

/* Binds to the address; port 0 takes any. RELOAD_E_INVALID: no address; RELOAD_E_IO: errno tells;
 * RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_media_udp_new(const struct reload_link_address *local,
                                         struct reload_media_udp **out);
void reload_media_udp_free(struct reload_media_udp *udp); /* after the session; NULL is fine */

/* Address and port that it is bound to. */
struct reload_link_address reload_media_udp_local(const struct reload_media_udp *udp);
int reload_media_udp_descriptor(const struct reload_media_udp *udp); /* readable: _read */

/* Where the far end is, from its SDP. Returns the token for reload_media_session_path(); a new one
 * each time, since what the old address still sends is not the far end's any more. */
uint64_t reload_media_udp_far(struct reload_media_udp *udp,
                              const struct reload_link_address *address);

#define RELOAD_MEDIA_UDP_BATCH 64 /* datagrams taken at one call */

/* Hands what has come in to the session. Datagrams from elsewhere come with the token 0. Returns
 * how many there were. */
size_t reload_media_udp_read(struct reload_media_udp *udp, struct reload_media_session *session,
                             struct reload_time now);

/* Context: the struct reload_media_udp. Safe on both of a session's threads. */
extern const struct reload_media_transport_ops reload_media_udp_ops;

#endif
