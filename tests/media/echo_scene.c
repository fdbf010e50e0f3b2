#include "tests/media/echo_scene.h"
#include "tests/media/signals.h"
#include <stdlib.h>
#include <string.h>

/* The microphone from `from` on, in a room of another seed. */
static void move(const struct scene_options *o, struct scene *s, size_t from, size_t count)
{
    size_t taps = room_taps(o->rate_hz);
    float *room = malloc(taps * sizeof *room);
    int16_t *mic = calloc(count, sizeof *mic);
    struct noise noise = noise_of(o->seed + 200);
    make_room(room, o->rate_hz, o->delay_ms, o->seed + 50);
    hear_in_room(room, taps, s->far, count, &noise, mic);
    memcpy(s->mic + from, mic + from, (count - from) * sizeof *mic);
    free(mic);
    free(room);
}

static void make_sounds(const struct scene_options *o, struct scene *s)
{
    unsigned seconds = o->seconds ? o->seconds : SCENE_S;
    size_t count = (size_t)seconds * o->rate_hz, taps = room_taps(o->rate_hz);
    float *room = malloc(taps * sizeof *room);
    struct noise noise = noise_of(o->seed + 100);
    s->count = (size_t)seconds * RELOAD_MEDIA_RATE_HZ;
    s->far = calloc(count, sizeof *s->far);
    s->near = calloc(count, sizeof *s->near);
    s->mic = calloc(count, sizeof *s->mic);
    make_room(room, o->rate_hz, o->delay_ms < 100 ? o->delay_ms : 12, o->seed);
    if (o->headset)
        memset(room, 0, taps * sizeof *room);
    make_speech(s->far, count, o->rate_hz, 0);
    size_t silent = (size_t)o->rate_hz * o->silent_ms / 1000;
    memmove(s->far + silent, s->far, (count - silent) * sizeof *s->far);
    memset(s->far, 0, silent * sizeof *s->far);
    size_t extra = o->delay_ms < 100 ? 0 : (size_t)o->rate_hz * (o->delay_ms - 12) / 1000;
    hear_in_room(room, taps, s->far, count, &noise, s->mic);
    if (o->moved)
        move(o, s, count / 2, count);
    memmove(s->mic + extra, s->mic, (count - extra) * sizeof *s->mic);
    memset(s->mic, 0, extra * sizeof *s->mic);
    size_t later = (size_t)o->rate_hz * o->later_ms / 1000, half = count / 2;
    memmove(s->mic + half + later, s->mic + half, (count - half - later) * sizeof *s->mic);
    memset(s->mic + half, 0, later * sizeof *s->mic);
    if (o->near_gain > 0)
        make_speech(s->near, count, o->rate_hz, 2);
    for (size_t i = 0; i < count; i++) {
        s->near[i] = (int16_t)(i < half && !o->near_at_once ? 0 : o->near_gain * s->near[i]);
        s->mic[i] = (int16_t)(s->mic[i] + s->near[i]);
    }
    free(room);
    if (o->rate_hz == RELOAD_MEDIA_RATE_HZ)
        return;
    s->far = at_48k(s->far, count);
    s->near = at_48k(s->near, count);
    s->mic = at_48k(s->mic, count);
}

void scene_play(const struct scene_options *options, struct scene *out)
{
    struct reload_media_echo *echo;
    if (reload_media_echo_new(&options->echo, &echo) != 0)
        abort();
    make_sounds(options, out);
    out->out = calloc(out->count, sizeof *out->out);
    for (size_t at = 0; at + RELOAD_MEDIA_BLOCK <= out->count; at += RELOAD_MEDIA_BLOCK)
        reload_media_echo_run(echo, out->far + at, out->mic + at, out->out + at);
    out->latency = reload_media_echo_latency(echo);
    out->delay_ms = reload_media_echo_delay_ms(echo);
    reload_media_echo_free(echo);
}

void scene_free(struct scene *scene)
{
    free(scene->far);
    free(scene->near);
    free(scene->mic);
    free(scene->out);
}

double scene_erle_db(const struct scene *scene, double from_s, double to_s)
{
    size_t from = (size_t)(from_s * RELOAD_MEDIA_RATE_HZ),
           to = (size_t)(to_s * RELOAD_MEDIA_RATE_HZ);
    if (to + scene->latency > scene->count)
        to = scene->count - scene->latency;
    double in = energy_of(scene->mic + from, to - from);
    return db((in + 1) / (energy_of(scene->out + from + scene->latency, to - from) + 1));
}

double scene_time_to_20_db_s(const struct scene *scene)
{
    for (double t = 0.5; t < SCENE_S; t += 0.02)
        if (scene_erle_db(scene, t - 0.5, t) >= 20)
            return t;
    return SCENE_S;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, ascending);
    return values[count / 2];
}
