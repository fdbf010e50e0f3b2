#include "media/dtmf.h"
#include "media/audio.h"
#include "media/bytes.h"
#include <string.h>

#define VOLUME     10 /* -10 dBm0 */
#define END_COPIES 3  /* s2.5.1.4: the end is sent three times */
#define PER_MS     (RELOAD_MEDIA_RATE_HZ / 1000)

static const char keys[] = "0123456789*#ABCD"; /* s3.2, in the order of their codes */

int reload_media_dtmf_decode(const uint8_t *payload, size_t len,
                             struct reload_media_dtmf_event *out)
{
    if (len != RELOAD_MEDIA_DTMF_LEN)
        return RELOAD_E_DECODE;
    if (payload[0] >= sizeof keys - 1)
        return RELOAD_E_UNSUPPORTED;
    *out = (struct reload_media_dtmf_event){
        .event = payload[0],
        .end = payload[1] >> 7,
        .volume = payload[1] & 0x3f,
        .duration = reload_media_get16(payload + 2),
    };
    return 0;
}

void reload_media_dtmf_encode(const struct reload_media_dtmf_event *event,
                              uint8_t out[RELOAD_MEDIA_DTMF_LEN])
{
    out[0] = event->event;
    out[1] = (uint8_t)((event->end ? 0x80 : 0) | (event->volume & 0x3f));
    reload_media_put16(out + 2, event->duration);
}

int reload_media_dtmf_press(struct reload_media_dtmf_sender *sender, char key)
{
    char upper = key >= 'a' && key <= 'd' ? (char)(key - 'a' + 'A') : key;
    const char *found = upper ? strchr(keys, upper) : NULL;
    if (!found)
        return RELOAD_E_INVALID;
    if (sender->count == RELOAD_MEDIA_DTMF_QUEUE)
        return RELOAD_E_LIMIT;
    sender->queue[sender->count++] = (uint8_t)(found - keys);
    return 0;
}

bool reload_media_dtmf_busy(const struct reload_media_dtmf_sender *sender)
{
    return sender->count > 0 || sender->gap_ms > 0;
}

static void finish_key(struct reload_media_dtmf_sender *sender)
{
    sender->count--;
    memmove(sender->queue, sender->queue + 1, sender->count);
    sender->active = false;
    sender->gap_ms = RELOAD_MEDIA_DTMF_GAP_MS;
}

bool reload_media_dtmf_next(struct reload_media_dtmf_sender *sender, uint32_t timestamp,
                            unsigned frame_ms, struct reload_media_rtp *rtp,
                            uint8_t payload[RELOAD_MEDIA_DTMF_LEN])
{
    if (sender->gap_ms > 0) {
        sender->gap_ms -= frame_ms < sender->gap_ms ? frame_ms : sender->gap_ms;
        return false;
    }
    if (sender->count == 0)
        return false;
    rtp->marker = !sender->active; /* s2.5.1.2: on the first packet of an event */
    if (!sender->active) {
        sender->active = true;
        sender->started = timestamp;
        sender->ends = 0;
    }
    uint32_t duration = timestamp - sender->started + frame_ms * PER_MS;
    uint32_t whole = RELOAD_MEDIA_DTMF_KEY_MS * PER_MS;
    bool end = duration >= whole;
    struct reload_media_dtmf_event event = { sender->queue[0], end, VOLUME,
                                             (uint16_t)(end ? whole : duration) };
    reload_media_dtmf_encode(&event, payload);
    rtp->timestamp = sender->started;
    rtp->payload = payload;
    rtp->payload_len = RELOAD_MEDIA_DTMF_LEN;
    if (end && ++sender->ends == END_COPIES)
        finish_key(sender);
    return true;
}

int reload_media_dtmf_hear(struct reload_media_dtmf_receiver *receiver,
                           const struct reload_media_rtp *rtp)
{
    struct reload_media_dtmf_event event;
    int error = reload_media_dtmf_decode(rtp->payload, rtp->payload_len, &event);
    if (error != 0)
        return error;
    /* One event, one timestamp (s2.5.1.1); a packet of an earlier event is late, not new. */
    if (receiver->any && (int32_t)(rtp->timestamp - receiver->timestamp) <= 0)
        return 0;
    receiver->any = true;
    receiver->timestamp = rtp->timestamp;
    return keys[event.event];
}
