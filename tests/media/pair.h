#ifndef RELOAD_TESTS_MEDIA_PAIR_H
#define RELOAD_TESTS_MEDIA_PAIR_H

#include "media/stream.h"
#include "tests/media/signals.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two streams back to back over a network that loses and delays, in virtual time. Alice is 0, Bob
 * is 1; each one's packets come from the source token 100 + index. */

#define PAIR_QUEUE 512

struct network {
    double loss;      /* share of packets lost, 0..1 */
    double burst_len; /* mean packets lost in a row; 0: independent */
    unsigned delay_ms;
    unsigned jitter_ms; /* uniform, on top: packets overtake each other */
};

struct pair_packet {
    bool used;
    size_t to, len;
    uint64_t due_ms;
    uint8_t bytes[RELOAD_MEDIA_PACKET_MAX];
};

struct pair_end {
    struct pair *pair;
    size_t index;
    bool in_burst;
    uint64_t lost, sent;
};

struct pair {
    struct reload_media_stream *stream[2];
    struct pair_end end[2];
    struct network network;
    struct noise noise;
    struct reload_time now;
    double tick_ms[2]; /* real length of each one's 10 ms: their sound cards' clocks */
    double next_ms[2];
    struct pair_packet queue[PAIR_QUEUE];
    struct pair_packet last[2]; /* the last RTP packet each one sent */
    void (*blocked)(struct pair *pair, size_t from, uint8_t *bytes, size_t *len); /* or NULL */
};

/* options are made equal for both but for the tokens and SSRCs; echo cancelling is off. */
struct reload_media_stream_options pair_options(void);
void pair_make(struct pair *pair, const struct reload_media_stream_options *options,
               struct network network, uint64_t seed);
void pair_key(struct pair *pair, enum reload_media_srtp_profile profile);
void pair_free(struct pair *pair);

/* Plays count samples each way; what arrives goes to heard (NULL: nobody listens). said NULL is
 * silence. count: a multiple of a block. */
void pair_talk(struct pair *pair, const int16_t *const said[2], int16_t *const heard[2],
               size_t count);

extern const struct reload_media_transport_ops pair_transport; /* context: struct pair_end */

#endif
