#ifndef RELOAD_MEDIA_DTMF_H
#define RELOAD_MEDIA_DTMF_H

#include "media/rtp.h"
#include "reload/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Keys pressed during a call, as RTP telephone events (RFC 4733). */

#define RELOAD_MEDIA_DTMF_LEN    4  /* bytes of an event's payload (s2.3) */
#define RELOAD_MEDIA_DTMF_QUEUE  32 /* keys that can wait to be sent */
#define RELOAD_MEDIA_DTMF_KEY_MS 100
#define RELOAD_MEDIA_DTMF_GAP_MS 50

struct reload_media_dtmf_event {
    uint8_t event; /* 0..15: 0-9, *, #, A-D (s3.2) */
    bool end;
    uint8_t volume;    /* -dBm0, 0..63 */
    uint16_t duration; /* timestamp units so far */
};

/* Returns 0; RELOAD_E_DECODE for a length other than 4; RELOAD_E_UNSUPPORTED for events that are
 * no key. */
RELOAD_MUST_USE int reload_media_dtmf_decode(const uint8_t *payload, size_t len,
                                             struct reload_media_dtmf_event *out);
void reload_media_dtmf_encode(const struct reload_media_dtmf_event *event,
                              uint8_t out[RELOAD_MEDIA_DTMF_LEN]);

/* Sends keys one after the other. All zero is one with nothing to send. */
struct reload_media_dtmf_sender {
    uint8_t queue[RELOAD_MEDIA_DTMF_QUEUE];
    size_t count;
    bool active;
    uint32_t started; /* timestamp of the key being sent: that of all its packets (s2.5.1.1) */
    unsigned ends;    /* end packets sent */
    unsigned gap_ms;  /* of silence still due after the last key */
};

/* key: 0-9 * # A-D (or a-d). RELOAD_E_INVALID for others, RELOAD_E_LIMIT when too many wait. */
RELOAD_MUST_USE int reload_media_dtmf_press(struct reload_media_dtmf_sender *sender, char key);

/* Once per frame of frame_ms. Returns true when an event packet is to go out in place of audio:
 * *rtp has its timestamp and marker set, payload holds its payload. */
bool reload_media_dtmf_next(struct reload_media_dtmf_sender *sender, uint32_t timestamp,
                            unsigned frame_ms, struct reload_media_rtp *rtp,
                            uint8_t payload[RELOAD_MEDIA_DTMF_LEN]);
/* Whether keys are being sent: no audio goes out meanwhile. */
bool reload_media_dtmf_busy(const struct reload_media_dtmf_sender *sender);

/* Hears each key once, whichever of its packets arrives first. All zero has heard none. */
struct reload_media_dtmf_receiver {
    bool any;
    uint32_t timestamp;
};

/* Returns the key when this packet is the first of a new event, 0 when it is not, or a negative
 * RELOAD_E_* of reload_media_dtmf_decode. */
int reload_media_dtmf_hear(struct reload_media_dtmf_receiver *receiver,
                           const struct reload_media_rtp *rtp);

#endif
