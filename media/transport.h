#ifndef RELOAD_MEDIA_TRANSPORT_H
#define RELOAD_MEDIA_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>

/* What media asks of its host: a way for datagrams out. Datagrams in are handed to
 * reload_media_session_receive (the host's thread), reload_media_call_receive (any thread) or
 * reload_media_stream_receive (the stream's thread) together with a token that names where they
 * came from: the host gives every remote address, or every ICE channel, a token of its own and
 * never uses one twice. media/udp_transport.h is the transport where there is no ICE. */

struct reload_media_transport_ops {
    /* Sends one datagram of at most RELOAD_MEDIA_PACKET_MAX bytes, borrowed for the call. Called
     * on the media thread for RTP and on the host's for DTLS, maybe at once: it must be safe on
     * both, must not block and must not call back in. Returns 0, or a negative RELOAD_E_*: the
     * datagram counts as lost. */
    int (*send)(void *context, const uint8_t *bytes, size_t len);
};

#define RELOAD_MEDIA_PACKET_MAX                                                                    \
    1200 /* what fits every path MTU worth supporting, with room for TURN */

#endif
