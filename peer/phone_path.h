#ifndef PEER_PHONE_PATH_H
#define PEER_PHONE_PATH_H

#include "media/session.h"
#include "peer/overlay.h"
#include "usage-sip/sdp.h"

/* The way of one call's datagrams: a UDP socket in an overlay without ICE, else an ICE channel of
 * its own (RFC 8839), from the same addresses and with the same STUN servers as the overlay's.
 *
 *     new -> `ready`: describe() tells what SDP says of it
 *         -> serve(): where datagrams go
 *         -> connect(): what SDP said of the far end -> `open`, with the token of the far end
 *
 * Used from the overlay's thread, but for send(). Callbacks come from the loop, or `ready` and
 * `open` from inside of new() and connect(); they may call anything here but free(), but for
 * `failed`, which is the last one and may. */

struct reload_phone_path;
struct reload_phone_paths; /* what the paths of a phone share */

struct reload_phone_path_events {
    void (*ready)(void *context);
    void (*open)(void *context, uint64_t source);
    void (*served)(void *context);                     /* the session was given datagrams */
    void (*failed)(void *context, const char *reason); /* a static sentence */
};

/* context: of the overlay; NULL: the default one. NULL when out of memory. */
struct reload_phone_paths *reload_phone_paths_new(struct reload_overlay *overlay,
                                                  GMainContext *context);
void reload_phone_paths_free(struct reload_phone_paths *paths); /* after its paths; NULL is fine */

/* controlling: this end made the offer (RFC 8839 s4.2.1). `events` is borrowed. RELOAD_E_IO: no
 * socket, no address; RELOAD_E_LIMIT: too many ICE channels; RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_phone_path_new(struct reload_phone_paths *paths, bool controlling,
                                          const struct reload_phone_path_events *events,
                                          void *context, struct reload_phone_path **out);
void reload_phone_path_free(struct reload_phone_path *path); /* NULL is fine */

bool reload_phone_path_is_ice(const struct reload_phone_path *path);
bool reload_phone_path_is_ready(const struct reload_phone_path *path);
/* Own address, candidates and ICE credentials, into a description; after `ready`. */
void reload_phone_path_describe(const struct reload_phone_path *path, struct reload_sip_media *out);

/* From now on what comes in is the session's, which outlives the path. */
void reload_phone_path_serve(struct reload_phone_path *path, struct reload_media_session *session);

/* Whether connect() took this very place of the far end: then nothing is to be done. */
bool reload_phone_path_leads_to(const struct reload_phone_path *path,
                                const struct reload_sip_media *far);
/* RELOAD_E_UNSUPPORTED: the far end does not speak ICE, and this overlay is by ICE; RELOAD_E_STATE:
 * an ICE channel that is connected already, or not ready: ICE restarts on another path; errors of
 * reload_ice_channel_set_remote(). */
RELOAD_MUST_USE int reload_phone_path_connect(struct reload_phone_path *path,
                                              const struct reload_sip_media *far);
/* On any thread, from `open` until free() begins. 0 or a negative RELOAD_E_*: as if lost. */
int reload_phone_path_send(struct reload_phone_path *path, const uint8_t *bytes, size_t len);

/* The selected pair of candidates. RELOAD_E_NOT_FOUND: without ICE, or before `open`. */
RELOAD_MUST_USE int reload_phone_path_pair(const struct reload_phone_path *path,
                                           struct reload_ice_pair *out);

#endif
