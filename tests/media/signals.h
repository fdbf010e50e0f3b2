#ifndef RELOAD_TESTS_MEDIA_SIGNALS_H
#define RELOAD_TESTS_MEDIA_SIGNALS_H

#include "reload/random.h"
#include <stddef.h>
#include <stdint.h>

/* Sounds and rooms of the tests, made from seeds: the same ones every time. */

struct noise {
    uint64_t state;
};
struct noise noise_of(uint64_t seed);
double noise_next(struct noise *noise); /* uniform in [-1, 1) */

/* A generator for what the code under test draws; context is a struct noise. */
struct reload_random random_of(struct noise *noise);

/* A talker: pulses of a gliding pitch through two gliding formants, four syllables a second,
 * breath, and a pause of 0.3 s every 2 s. voice chooses among talkers: 0, 1, 2... Peak 12000. */
void make_speech(int16_t *out, size_t count, unsigned rate_hz, unsigned voice);

/* An echo path: a delay, then noise that decays with 0.25 s reverberation time, 150 ms in all, 10
 * dB quieter than what goes in. taps: room_taps(rate). */
size_t room_taps(unsigned rate_hz);
void make_room(float *taps, unsigned rate_hz, unsigned delay_ms, uint64_t seed);

/* What a microphone in the room hears of `far`, with a noise of +-3 in every sample. */
void hear_in_room(const float *taps, size_t tap_count, const int16_t *far, size_t count,
                  struct noise *noise, int16_t *mic);

/* The same sound at 48 kHz instead of 16, three times as many samples; frees what it is given. */
int16_t *at_48k(int16_t *pcm, size_t count);

double energy_of(const int16_t *pcm, size_t count);
double db(double ratio); /* of powers */

#endif
