#include "channel.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct datagram {
    TAILQ_ENTRY(datagram) in_flight;
    uint64_t at_ms;
    size_t n;
    uint8_t bytes[];
};

struct channel {
    struct channel_options options;
    uint64_t random, lost;
    uint64_t last_ms;  /* when the last datagram that keeps its place arrives */
    double free_at_ms; /* when the bottleneck has sent what it holds */
    TAILQ_HEAD(datagram_list, datagram) flight; /* by time of arrival */
};

static uint64_t draw(struct channel *channel) /* splitmix64 */
{
    uint64_t z = channel->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static bool happens(struct channel *channel, unsigned permille)
{
    return draw(channel) % 1000 < permille;
}

struct channel *channel_new(const struct channel_options *options, uint64_t seed)
{
    struct channel *channel = calloc(1, sizeof *channel);
    if (!channel)
        abort();
    channel->options = *options;
    channel->random = seed;
    TAILQ_INIT(&channel->flight);
    return channel;
}

void channel_free(struct channel *channel)
{
    struct datagram *d;
    while ((d = TAILQ_FIRST(&channel->flight))) {
        TAILQ_REMOVE(&channel->flight, d, in_flight);
        free(d);
    }
    free(channel);
}

void channel_set(struct channel *channel, const struct channel_options *options)
{
    channel->options = *options;
}

static void insert(struct channel *channel, const uint8_t *p, size_t n, uint64_t at_ms)
{
    struct datagram *d = malloc(sizeof *d + n);
    if (!d)
        abort();
    d->at_ms = at_ms;
    d->n = n;
    memcpy(d->bytes, p, n);
    struct datagram *before;
    TAILQ_FOREACH_REVERSE(before, &channel->flight, datagram_list, in_flight)
    if (before->at_ms <= at_ms)
        break;
    if (before)
        TAILQ_INSERT_AFTER(&channel->flight, before, d, in_flight);
    else
        TAILQ_INSERT_HEAD(&channel->flight, d, in_flight);
}

/* When the bottleneck lets it go, or never: its queue is full. */
static uint64_t through_bottleneck(struct channel *channel, size_t n, uint64_t now_ms)
{
    const struct channel_options *o = &channel->options;
    if (!o->bytes_per_ms)
        return now_ms;
    double start_ms = channel->free_at_ms > (double)now_ms ? channel->free_at_ms : (double)now_ms;
    if ((start_ms - (double)now_ms) * o->bytes_per_ms + (double)n > o->queue_bytes)
        return UINT64_MAX;
    channel->free_at_ms = start_ms + (double)n / o->bytes_per_ms;
    return (uint64_t)(channel->free_at_ms + 0.999);
}

static uint64_t arrival(struct channel *channel, uint64_t sent_ms)
{
    const struct channel_options *o = &channel->options;
    uint64_t at_ms = sent_ms + o->delay_ms;
    if (o->jitter_ms)
        at_ms += draw(channel) % (2 * o->jitter_ms + 1) - o->jitter_ms;
    if (happens(channel, o->reorder_permille)) /* it takes its own way, later than others */
        return at_ms + o->jitter_ms;
    if (at_ms < channel->last_ms)
        at_ms = channel->last_ms;
    return channel->last_ms = at_ms;
}

void channel_put(struct channel *channel, const uint8_t *p, size_t n, uint64_t now_ms)
{
    const struct channel_options *o = &channel->options;
    uint64_t sent_ms = through_bottleneck(channel, n, now_ms);
    bool too_large = o->largest && n > o->largest;
    if (o->dead || too_large || sent_ms == UINT64_MAX || happens(channel, o->loss_permille)) {
        channel->lost++;
        return;
    }
    insert(channel, p, n, arrival(channel, sent_ms));
    if (happens(channel, o->duplicate_permille))
        insert(channel, p, n, arrival(channel, sent_ms));
}

size_t channel_get(struct channel *channel, uint8_t *out, size_t cap, uint64_t now_ms)
{
    struct datagram *d = TAILQ_FIRST(&channel->flight);
    if (!d || d->at_ms > now_ms)
        return 0;
    size_t n = d->n;
    if (n > cap)
        abort();
    memcpy(out, d->bytes, n);
    TAILQ_REMOVE(&channel->flight, d, in_flight);
    free(d);
    return n;
}

uint64_t channel_deadline(const struct channel *channel)
{
    const struct datagram *d = TAILQ_FIRST(&channel->flight);
    return d ? d->at_ms : UINT64_MAX;
}

uint64_t channel_lost(const struct channel *channel)
{
    return channel->lost;
}
