#include "tests/media/session_world.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void must(bool holds)
{
    if (!holds)
        abort();
}

struct reload_time world_now(void)
{
    struct timespec m, r;
    clock_gettime(CLOCK_MONOTONIC, &m);
    clock_gettime(CLOCK_REALTIME, &r);
    return (struct reload_time){ (uint64_t)m.tv_sec * 1000 + (uint64_t)m.tv_nsec / 1000000,
                                 (uint64_t)r.tv_sec * 1000 + (uint64_t)r.tv_nsec / 1000000 };
}

static int carry(void *context, const uint8_t *bytes, size_t len)
{
    struct world_end *from = context;
    struct world *world = from->world;
    pthread_mutex_lock(&world->lock);
    bool room = world->count < WORLD_WIRE && len <= sizeof world->wire[0].bytes;
    if (room) {
        struct world_datagram *d = &world->wire[(world->first + world->count++) % WORLD_WIRE];
        d->from = from->index;
        d->len = len;
        memcpy(d->bytes, bytes, len);
        from->datagrams_sent++;
        if (bytes[0] >= 128 && (bytes[1] < 192 || bytes[1] > 223))
            from->last_rtp = *d;
    }
    pthread_mutex_unlock(&world->lock);
    return room ? 0 : RELOAD_E_LIMIT;
}

static const struct reload_media_transport_ops wire_ops = { carry };

void world_make(struct world *world)
{
    memset(world, 0, sizeof *world);
    pthread_mutex_init(&world->lock, NULL);
    world->ops = &wire_ops;
    for (size_t i = 0; i < 2; i++) {
        struct world_end *end = &world->end[i];
        end->world = world;
        end->index = i;
        end->noise = noise_of(i + 1);
        must(reload_engine_srtp_new(NULL, NULL, NULL, world_now(), &end->certificate) == 0);
    }
}

void world_open(struct world *world, size_t index, const char *device, const char *recording)
{
    struct world_end *end = &world->end[index];
    struct reload_media_session_options options = { end->certificate,
                                                    reload_media_stream_defaults(), device,
                                                    recording };
    options.stream.cancel_echo = false;
    options.stream.encoder.complexity = 1;
    options.stream.encoder.dtx = false;
    options.stream.random = random_of(&end->noise);
    must(reload_media_session_new(&options, world->ops, end, &end->session) == 0);
}

void world_free(struct world *world)
{
    for (size_t i = 0; i < 2; i++) {
        struct world_end *end = &world->end[i];
        struct reload_media_session *session = end->session;
        if (session) {
            struct reload_media_session_status status;
            reload_media_session_stop(session);
            do {
                nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
                reload_media_session_status(session, &status);
            } while (status.call.blocks > 0 && !status.call.ended);
        }
        end->session = NULL;
        reload_media_session_free(session);
        reload_engine_srtp_free(end->certificate);
    }
    pthread_mutex_destroy(&world->lock);
}

struct reload_media_parameters world_local(struct world *world, size_t index, bool offer)
{
    struct reload_media_parameters parameters;
    reload_media_session_local(world->end[index].session, offer, &parameters);
    return parameters;
}

void world_negotiate(struct world *world)
{
    struct reload_media_parameters offer = world_local(world, 0, true), answer;
    must(reload_media_session_remote(world->end[1].session, &offer, world_now()) == 0);
    answer = world_local(world, 1, false);
    must(reload_media_session_remote(world->end[0].session, &answer, world_now()) == 0);
    for (size_t i = 0; i < 2; i++)
        reload_media_session_path(world->end[i].session, 100 + (1 - i), world_now());
}

void world_start(struct world *world)
{
    for (size_t i = 0; i < 2; i++)
        must(reload_media_session_start(world->end[i].session) == 0);
}

static bool next_datagram(struct world *world, struct world_datagram *out)
{
    pthread_mutex_lock(&world->lock);
    bool any = world->count > 0;
    if (any) {
        *out = world->wire[world->first];
        world->first = (world->first + 1) % WORLD_WIRE;
        world->count--;
    }
    pthread_mutex_unlock(&world->lock);
    return any;
}

static void deliver(struct world *world)
{
    struct world_datagram d;
    while (next_datagram(world, &d)) {
        struct world_end *to = &world->end[1 - d.from];
        bool dtls = d.bytes[0] >= 20 && d.bytes[0] <= 63;
        bool lost = dtls && (noise_next(&to->noise) + 1) * 50 < world->loss_percent;
        if (!lost && to->session && (!world->tamper || world->tamper(world, &d)))
            reload_media_session_receive(to->session, 100 + d.from, d.bytes, d.len, world_now());
    }
}

static void note(struct world_end *end, const struct reload_media_event *event)
{
    size_t keys = strlen(end->keys);
    switch (event->type) {
    case RELOAD_MEDIA_EVENT_STATE:
        end->state = event->state;
        end->error = event->error;
        strncpy(end->reason, event->reason, sizeof end->reason - 1);
        if (event->state == RELOAD_MEDIA_SESSION_SECURE)
            end->secure_ms = world_now().monotonic_ms;
        break;
    case RELOAD_MEDIA_EVENT_AUDIO:
        end->audio = true;
        end->audio_ms = world_now().monotonic_ms;
        break;
    case RELOAD_MEDIA_EVENT_KEY:
        if (keys + 1 < sizeof end->keys)
            end->keys[keys] = event->key;
        break;
    case RELOAD_MEDIA_EVENT_RECORDING: break;
    case RELOAD_MEDIA_EVENT_BYE: end->bye = true; break;
    }
}

static void turn(struct world *world)
{
    deliver(world);
    for (size_t i = 0; i < 2; i++) {
        struct world_end *end = &world->end[i];
        struct reload_media_event event;
        if (!end->session)
            continue;
        struct reload_time now = world_now();
        if (reload_media_session_deadline(end->session, now.monotonic_ms) <= now.monotonic_ms)
            reload_media_session_tick(end->session, now);
        while (reload_media_session_next(end->session, &event))
            note(end, &event);
    }
    nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

void world_run(struct world *world, unsigned ms)
{
    uint64_t until_ms = world_now().monotonic_ms + ms;
    while (world_now().monotonic_ms < until_ms)
        turn(world);
}

bool world_reach(struct world *world, enum reload_media_session_state state)
{
    uint64_t until_ms = world_now().monotonic_ms + 3000;
    while (world->end[0].state != state || world->end[1].state != state) {
        if (world_now().monotonic_ms >= until_ms)
            return false;
        turn(world);
    }
    return true;
}

struct reload_media_session_status world_status(struct world *world, size_t index)
{
    struct reload_media_session_status status;
    reload_media_session_status(world->end[index].session, &status);
    return status;
}
