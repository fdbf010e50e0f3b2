#ifndef TESTS_RELOAD_FRAME_CHANNEL_H
#define TESTS_RELOAD_FRAME_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A network path in virtual time, one direction of it: it loses, delays, reorders and doubles
 * datagrams as told, out of a seeded generator, and it may have a bottleneck with a queue that
 * overflows. One seed is one run. */

struct channel_options {
    unsigned loss_permille, reorder_permille, duplicate_permille;
    uint32_t delay_ms, jitter_ms; /* delay_ms +- jitter_ms, order kept but for reordered ones */
    uint32_t bytes_per_ms;        /* of the bottleneck; 0: none */
    uint32_t queue_bytes;         /* before it */
    uint32_t largest;             /* datagram that gets through, in bytes; 0: any */
    bool dead;                    /* nothing gets through */
};

struct channel;

struct channel *channel_new(const struct channel_options *options, uint64_t seed);
void channel_free(struct channel *channel);
void channel_set(struct channel *channel, const struct channel_options *options);
void channel_put(struct channel *channel, const uint8_t *p, size_t n, uint64_t now_ms);
/* The next datagram that has arrived by now; returns its length, 0 when there is none. */
size_t channel_get(struct channel *channel, uint8_t *out, size_t cap, uint64_t now_ms);
uint64_t channel_deadline(const struct channel *channel); /* UINT64_MAX: empty */
uint64_t channel_lost(const struct channel *channel);

#endif
