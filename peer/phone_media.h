#ifndef PEER_PHONE_MEDIA_H
#define PEER_PHONE_MEDIA_H

#include "peer/phone_path.h"

/* One call's media (media/session.h) on its paths, driven by the loop. The audio itself runs on a
 * thread of its own.
 *
 *     new -> `ready` -> describe() -> SDP goes out; SDP comes in -> agreed() -> keys, sound
 *     renew() -> `ready` again: the next description restarts ICE (RFC 8839 s4.4.1.1.1)
 *     stop() -> `ended` -> free()
 *
 * The fingerprint that the far end must prove came in by SIP, on a channel whose far end proved its
 * certificate of the overlay (RFC 5763 s5, RFC 7904 s5): that is what makes the media
 * authentic. */

struct reload_phone_media;
struct reload_phone_studio; /* what the calls of a phone share: paths, the DTLS certificate */

/* RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_phone_studio_new(struct reload_overlay *overlay, GMainContext *context,
                                            const struct reload_log *log,
                                            struct reload_phone_studio **out);
void reload_phone_studio_free(
    struct reload_phone_studio *studio); /* after its calls; NULL is fine */

struct reload_phone_media_events { /* from the loop; `ready` also from inside of new() and renew()
                                    */
    void (*ready)(void *context);
    /* As media/session.h tells it, but for the end. */
    void (*event)(void *context, const struct reload_media_event *event);
    /* No path, no keys, no device: a sentence. Nothing is sent or heard any more. */
    void (*failed)(void *context, const char *reason);
    /* The last one: device and recording are closed. */
    void (*ended)(void *context);
};

/* outgoing: this end makes the offer. `events` is borrowed. Errors of reload_phone_path_new(). */
RELOAD_MUST_USE int reload_phone_media_new(struct reload_phone_studio *studio, bool outgoing,
                                           const struct reload_phone_media_events *events,
                                           void *context, struct reload_phone_media **out);
void reload_phone_media_free(struct reload_phone_media *media); /* NULL is fine */

/* With which device and recording (NULL: none), and, to answer an offer, its numbers: NULL when
 * this end makes one. Once, before describe(). RELOAD_E_INVALID: there is no such device;
 * RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_phone_media_equip(struct reload_phone_media *media, const char *device,
                                             const char *recording,
                                             const struct reload_sip_media *offer);
bool reload_phone_media_is_ready(const struct reload_phone_media *media);
void reload_phone_media_describe(const struct reload_phone_media *media,
                                 struct reload_sip_media *out);
/* Offer and answer hold from now on; `far` is the far end's. RELOAD_E_UNSUPPORTED: it cannot be
 * reached or verified in the way this overlay's calls are; errors of reload_phone_path_connect().
 */
RELOAD_MUST_USE int reload_phone_media_agreed(struct reload_phone_media *media,
                                              const struct reload_sip_media *far, bool dtls_client);
/* Whether the far end has restarted ICE, so that this end must, too: renew(). */
bool reload_phone_media_restarts(const struct reload_phone_media *media,
                                 const struct reload_sip_media *far);
/* Gathers anew, since one of the two ends has moved. Errors of reload_phone_path_new(). */
RELOAD_MUST_USE int reload_phone_media_renew(struct reload_phone_media *media, bool outgoing);
/* The far end's signalling is gone: as reload_media_session_doubt(). */
void reload_phone_media_doubt(struct reload_phone_media *media);
void reload_phone_media_hold(struct reload_phone_media *media, bool on); /* the microphone is off */
/* Errors of reload_media_session_press(). */
RELOAD_MUST_USE int reload_phone_media_press(struct reload_phone_media *media, char key);
void reload_phone_media_stop(struct reload_phone_media *media); /* `ended` follows */

struct reload_phone_media_status {
    struct reload_media_session_status session; /* all zero before equip() */
    bool by_ice;
    struct reload_ice_pair pair; /* when by_ice, and a pair is selected (a type is 0 else) */
};
void reload_phone_media_status(const struct reload_phone_media *media,
                               struct reload_phone_media_status *out);

#endif
