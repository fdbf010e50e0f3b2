#include "tests/media/pair.h"
#include <stdlib.h>
#include <string.h>

struct reload_media_stream_options pair_options(void)
{
    struct reload_media_stream_options options = reload_media_stream_defaults();
    options.cancel_echo = false;
    options.encoder.dtx = false;
    options.cname = "test";
    return options;
}

void pair_make(struct pair *pair, const struct reload_media_stream_options *options,
               struct network network, uint64_t seed)
{
    *pair = (struct pair){ .network = network,
                           .noise = noise_of(seed),
                           .now = { 1000, 1700000000000 },
                           .tick_ms = { RELOAD_MEDIA_BLOCK_MS, RELOAD_MEDIA_BLOCK_MS },
                           .next_ms = { 1000, 1003 } };
    for (size_t i = 0; i < 2; i++) {
        struct reload_media_stream_options own = *options;
        own.source = 100 + (1 - i);
        own.random = random_of(&pair->noise);
        pair->end[i] = (struct pair_end){ .pair = pair, .index = i };
        if (reload_media_stream_new(&own, &pair_transport, &pair->end[i], &pair->stream[i]) != 0)
            abort();
    }
}

void pair_key(struct pair *pair, enum reload_media_srtp_profile profile)
{
    uint8_t material[RELOAD_MEDIA_SRTP_MATERIAL_MAX];
    for (size_t i = 0; i < sizeof material; i++)
        material[i] = (uint8_t)(i * 37 + 11);
    for (size_t i = 0; i < 2; i++) {
        struct reload_media_keying keying = { profile,
                                              i == 0 ? RELOAD_MEDIA_DTLS_CLIENT
                                                     : RELOAD_MEDIA_DTLS_SERVER,
                                              material, reload_media_srtp_material_len(profile) };
        if (reload_media_stream_key(pair->stream[i], &keying) != 0)
            abort();
    }
}

void pair_free(struct pair *pair)
{
    reload_media_stream_free(pair->stream[0]);
    reload_media_stream_free(pair->stream[1]);
}

static double drawn(struct pair *pair)
{
    return (noise_next(&pair->noise) + 1) / 2;
}

/* Gilbert's model: in a burst everything is lost; bursts are as long and as many as asked for. */
static bool loses(struct pair *pair, struct pair_end *end)
{
    const struct network *n = &pair->network;
    if (n->burst_len <= 0)
        return drawn(pair) < n->loss;
    double leave = 1 / n->burst_len, enter = n->loss * leave / (1 - n->loss);
    end->in_burst = end->in_burst ? drawn(pair) >= leave : drawn(pair) < enter;
    return end->in_burst;
}

static struct pair_packet *free_slot(struct pair *pair)
{
    for (size_t i = 0; i < PAIR_QUEUE; i++)
        if (!pair->queue[i].used)
            return &pair->queue[i];
    abort();
}

static int carry(void *context, const uint8_t *bytes, size_t len)
{
    struct pair_end *from = context;
    struct pair *pair = from->pair;
    struct pair_packet *packet = free_slot(pair);
    packet->len = len;
    packet->to = 1 - from->index;
    memcpy(packet->bytes, bytes, len);
    if (len > 1 && (bytes[1] < 192 || bytes[1] > 223))
        pair->last[from->index] = *packet;
    from->sent++;
    if (loses(pair, from)) {
        from->lost++;
        return 0;
    }
    packet->used = true;
    packet->due_ms = pair->now.monotonic_ms + pair->network.delay_ms +
                     (uint64_t)(drawn(pair) * pair->network.jitter_ms);
    if (pair->blocked)
        pair->blocked(pair, from->index, packet->bytes, &packet->len);
    return 0;
}

const struct reload_media_transport_ops pair_transport = { carry };

static void deliver(struct pair *pair)
{
    for (size_t i = 0; i < PAIR_QUEUE; i++) {
        struct pair_packet *p = &pair->queue[i];
        if (!p->used || p->due_ms > pair->now.monotonic_ms)
            continue;
        p->used = false;
        reload_media_stream_receive(pair->stream[p->to], 100 + (1 - p->to), p->bytes, p->len,
                                    pair->now);
    }
}

void pair_talk(struct pair *pair, const int16_t *const said[2], int16_t *const heard[2],
               size_t count)
{
    static const int16_t silence[RELOAD_MEDIA_BLOCK];
    int16_t ignored[RELOAD_MEDIA_BLOCK];
    size_t at[2] = { 0 };
    while (at[0] < count || at[1] < count) {
        deliver(pair);
        for (size_t i = 0; i < 2; i++) {
            if (at[i] >= count || (double)pair->now.monotonic_ms < pair->next_ms[i])
                continue;
            reload_media_stream_exchange(pair->stream[i], said[i] ? said[i] + at[i] : silence,
                                         heard[i] ? heard[i] + at[i] : ignored, pair->now);
            pair->next_ms[i] += pair->tick_ms[i];
            at[i] += RELOAD_MEDIA_BLOCK;
        }
        pair->now.monotonic_ms++;
        pair->now.unix_ms++;
    }
}
