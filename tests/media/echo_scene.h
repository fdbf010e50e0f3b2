#ifndef RELOAD_TESTS_MEDIA_ECHO_SCENE_H
#define RELOAD_TESTS_MEDIA_ECHO_SCENE_H

#include "media/echo.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A far end that talks in a room with a microphone, and a near end that may talk too. */
#define SCENE_SEEDS 5
#define SCENE_S     20

struct scene {
    int16_t *far, *near, *mic, *out;
    size_t count;      /* samples of each */
    unsigned latency;  /* of out, samples */
    unsigned delay_ms; /* what the canceller says it compensates at the end */
};

struct scene_options {
    unsigned seconds;   /* how long it is; 0: SCENE_S */
    unsigned rate_hz;   /* at which sound and room are made: 16000 or 48000 */
    unsigned delay_ms;  /* from loudspeaker to microphone */
    unsigned later_ms;  /* this much more from half of the time on: a device buffer grew */
    bool moved;         /* another room from half of the time on: somebody moved */
    unsigned silent_ms; /* so long the far end says nothing at first */
    uint64_t seed;      /* of the room */
    double near_gain;   /* of the near end's talk in the second half; 0: silent */
    bool near_at_once;  /* it talks from the first moment on */
    bool headset;       /* the microphone does not hear the far end */
    struct reload_media_echo_options echo;
};

/* Makes the scene and runs it through the canceller. */
void scene_play(const struct scene_options *options, struct scene *out);
void scene_free(struct scene *scene);

/* Echo return loss enhancement between two times, dB. */
double scene_erle_db(const struct scene *scene, double from_s, double to_s);
/* The first time at which it was 20 dB over half a second; SCENE_S when never. */
double scene_time_to_20_db_s(const struct scene *scene);

double median(double *values, size_t count); /* sorts */

#endif
