#ifndef RELOAD_MEDIA_JITTER_H
#define RELOAD_MEDIA_JITTER_H

#include "media/transport.h"
#include "reload/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The adaptive jitter buffer: packets in as the network brings them, frames out in time. It plays
 * each frame a fixed time after it was recorded; how long that is follows how late packets are. */

#define RELOAD_MEDIA_JITTER_PACKETS 64  /* held at most; later ones are refused */
#define RELOAD_MEDIA_JITTER_MAX_MS  400 /* the most that playing is put off */
#define RELOAD_MEDIA_JITTER_BIN_MS  2
#define RELOAD_MEDIA_JITTER_BINS    (RELOAD_MEDIA_JITTER_MAX_MS / RELOAD_MEDIA_JITTER_BIN_MS)

struct reload_media_jitter_packet {
    bool used;
    uint32_t sequence; /* extended */
    int64_t timestamp; /* extended, 48 kHz */
    unsigned samples;
    size_t len;
    uint8_t payload[RELOAD_MEDIA_PACKET_MAX];
};

enum reload_media_jitter_kind {
    RELOAD_MEDIA_PLAY,    /* the packet of this moment */
    RELOAD_MEDIA_RECOVER, /* it is lost; the one behind it is here and may carry a copy */
    RELOAD_MEDIA_CONCEAL, /* it is lost, or nothing came */
    RELOAD_MEDIA_WAIT,    /* nothing came yet and there is time: play something, the clock stands */
    RELOAD_MEDIA_SILENCE, /* the sender left silence out, or has not begun */
};

struct reload_media_jitter_frame {
    enum reload_media_jitter_kind kind;
    const uint8_t *payload; /* PLAY, RECOVER: borrowed until the next call */
    size_t len;
    unsigned samples; /* to make, of any kind */
};

struct reload_media_jitter_counters {
    uint64_t played, recovered, concealed, waited, skipped, late, refused, duplicate;
};

/* All zero is an empty buffer. */
struct reload_media_jitter {
    struct reload_media_jitter_packet packets[RELOAD_MEDIA_JITTER_PACKETS];
    bool started, playing;
    int64_t timestamp;      /* of the newest packet, for extension of the next */
    int64_t play;           /* timestamp of the frame wanted next */
    uint32_t play_sequence; /* sequence number of the last one played */
    unsigned samples;       /* of the last packet */
    unsigned out_of_range;  /* packets in a row with timestamps from elsewhere */
    uint64_t unexplained;   /* frames made up since the last packet: lost, or silence? */
    int64_t base[2];        /* least transit of this interval and the last, 48 kHz */
    uint64_t base_since_ms;
    float lateness[RELOAD_MEDIA_JITTER_BINS]; /* share of packets so late, fading */
    float loss;                               /* share of frames lost, fading */
    int64_t target;                           /* 48 kHz */
    struct reload_media_jitter_counters counters;
};

/* Takes a packet. Returns 0; RELOAD_E_TOO_OLD: its time has passed; RELOAD_E_STATE: it is here
 * already; RELOAD_E_LIMIT: it is further ahead than the buffer reaches; RELOAD_E_NOSPACE: too
 * long. All are counted. */
RELOAD_MUST_USE int reload_media_jitter_put(struct reload_media_jitter *jitter, uint32_t sequence,
                                            uint32_t timestamp, unsigned samples,
                                            const uint8_t *payload, size_t len, uint64_t now_ms);

/* The next frame. unplayed: samples taken out before and not yet heard. */
struct reload_media_jitter_frame reload_media_jitter_take(struct reload_media_jitter *jitter,
                                                          unsigned unplayed, uint64_t now_ms);

/* How much later than wanted it plays, ms; negative: earlier. For the resampler to put right. */
double reload_media_jitter_error_ms(const struct reload_media_jitter *jitter, unsigned unplayed,
                                    uint64_t now_ms);
unsigned reload_media_jitter_target_ms(const struct reload_media_jitter *jitter);

/* Forgets packets and time, keeps the counters: the sender started anew. */
void reload_media_jitter_reset(struct reload_media_jitter *jitter);

#endif
