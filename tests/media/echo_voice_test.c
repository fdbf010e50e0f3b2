/* What the canceller and its preprocessor make of a voice, noise and tones without an echo. */

#include "media/echo.h"
#include "tests/media/signals.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void without_echo_the_voice_is_untouched_by_the_linear_canceller(void **state)
{
    (void)state;
    static int16_t silence[RELOAD_MEDIA_BLOCK];
    struct reload_media_echo *echo;
    size_t count = 3 * RELOAD_MEDIA_RATE_HZ;
    int16_t *voice = calloc(count, sizeof *voice), *out = calloc(count, sizeof *out);
    make_speech(voice, count, RELOAD_MEDIA_RATE_HZ, 1);
    assert_int_equal(reload_media_echo_new(&(struct reload_media_echo_options){ 0 }, &echo), 0);
    for (size_t at = 0; at < count; at += RELOAD_MEDIA_BLOCK)
        reload_media_echo_run(echo, silence, voice + at, out + at);
    size_t late = reload_media_echo_latency(echo);
    double error = 0, signal = energy_of(voice, count - late);
    for (size_t i = 0; i < count - late; i++)
        error += ((double)out[i + late] - voice[i]) * ((double)out[i + late] - voice[i]);
    assert_true(db(signal / error) > 50); /* both bands together are the original, on time */
    reload_media_echo_free(echo);
    free(voice);
    free(out);
}

static void noise_suppression_takes_noise_off(void **state)
{
    (void)state;
    static const int16_t silence[RELOAD_MEDIA_BLOCK];
    double left[2];
    for (int on = 0; on < 2; on++) {
        struct noise noise = noise_of(5);
        struct reload_media_echo *echo;
        struct reload_media_echo_options options = { .suppress = true, .noise = on };
        int16_t block[RELOAD_MEDIA_BLOCK];
        assert_int_equal(reload_media_echo_new(&options, &echo), 0);
        left[on] = 0;
        for (int i = 0; i < 300; i++) {
            for (size_t k = 0; k < RELOAD_MEDIA_BLOCK; k++)
                block[k] = (int16_t)(300 * noise_next(&noise));
            reload_media_echo_run(echo, silence, block, block);
            left[on] += i < 200 ? 0 : energy_of(block, RELOAD_MEDIA_BLOCK);
        }
        reload_media_echo_free(echo);
    }
    printf("noise suppressed by %.1f dB\n", db(left[0] / left[1]));
    assert_true(db(left[0] / left[1]) > 8);
}

static void gain_control_raises_a_quiet_talker(void **state)
{
    (void)state;
    static const int16_t silence[RELOAD_MEDIA_BLOCK];
    size_t count = 10 * RELOAD_MEDIA_RATE_HZ, last = 8 * RELOAD_MEDIA_RATE_HZ;
    int16_t *voice = calloc(count, sizeof *voice);
    struct reload_media_echo *echo;
    struct reload_media_echo_options options = { .suppress = true, .noise = true, .gain = true };
    make_speech(voice, count, RELOAD_MEDIA_RATE_HZ, 1);
    for (size_t i = 0; i < count; i++)
        voice[i] = (int16_t)(voice[i] / 20);
    double before = energy_of(voice + last, count - last);
    assert_int_equal(reload_media_echo_new(&options, &echo), 0);
    for (size_t at = 0; at < count; at += RELOAD_MEDIA_BLOCK)
        reload_media_echo_run(echo, silence, voice + at, voice + at);
    double raised_db = db(energy_of(voice + last, count - last) / before);
    printf("a quiet talker raised by %.1f dB\n", raised_db);
    assert_true(raised_db > 6);
    reload_media_echo_free(echo);
    free(voice);
}

static void full_scale_and_silence_do_no_harm(void **state)
{
    (void)state;
    struct reload_media_echo *echo;
    struct reload_media_echo_options options = { true, true, true };
    struct noise noise = noise_of(6);
    int16_t far[RELOAD_MEDIA_BLOCK], mic[RELOAD_MEDIA_BLOCK], out[RELOAD_MEDIA_BLOCK];
    assert_int_equal(reload_media_echo_new(&options, &echo), 0);
    for (int i = 0; i < 400; i++) {
        for (size_t k = 0; k < RELOAD_MEDIA_BLOCK; k++) {
            far[k] = i % 100 < 50 ? INT16_MIN : noise_next(&noise) < 0 ? INT16_MIN : INT16_MAX;
            mic[k] = i % 60 < 30 ? 0 : noise_next(&noise) < 0 ? INT16_MIN : INT16_MAX;
        }
        reload_media_echo_run(echo, far, mic, out);
    }
    make_speech(mic, RELOAD_MEDIA_BLOCK, RELOAD_MEDIA_RATE_HZ, 0);
    memset(far, 0, sizeof far);
    for (int i = 0; i < 400; i++)
        reload_media_echo_run(echo, far, mic, out);
    assert_true(energy_of(out, RELOAD_MEDIA_BLOCK) > 0); /* no NaN stuck in it */
    reload_media_echo_free(echo);
}

/* The canceller's library prints to stderr when it finds that it makes echo instead of removing it,
 * as happens while both ends send a tone: there is nothing to tell a user then. */
static void tones_both_ways_never_get_louder_and_nobody_complains(void **state)
{
    (void)state;
    struct reload_media_echo_options options = { .suppress = true, .noise = true };
    struct reload_media_echo *echo;
    int16_t far[RELOAD_MEDIA_BLOCK], mic[RELOAD_MEDIA_BLOCK], out[RELOAD_MEDIA_BLOCK];
    FILE *said = tmpfile();
    int screen = dup(STDERR_FILENO);
    assert_non_null(said);
    assert_int_equal(dup2(fileno(said), STDERR_FILENO), STDERR_FILENO);
    double loudest_db = -200;
    for (unsigned seed = 0; seed < 4; seed++) {
        struct noise noise = noise_of(seed);
        assert_int_equal(reload_media_echo_new(&options, &echo), 0);
        for (size_t n = 0; n < 1500; n++) {
            for (size_t i = 0; i < RELOAD_MEDIA_BLOCK; i++) {
                double t = (double)(n * RELOAD_MEDIA_BLOCK + i) / RELOAD_MEDIA_RATE_HZ;
                far[i] = (int16_t)(8000 * sin(2 * M_PI * 440 * t + seed) + 3 * noise_next(&noise));
                mic[i] = (int16_t)(8000 * sin(2 * M_PI * 440 * t));
            }
            reload_media_echo_run(echo, far, mic, out);
            loudest_db = fmax(loudest_db, db((energy_of(out, RELOAD_MEDIA_BLOCK) + 1) /
                                             energy_of(mic, RELOAD_MEDIA_BLOCK)));
        }
        reload_media_echo_free(echo);
    }
    assert_int_equal(dup2(screen, STDERR_FILENO), STDERR_FILENO);
    close(screen);
    assert_int_equal(fseek(said, 0, SEEK_END), 0);
    long complaints = ftell(said);
    fclose(said);
    printf("tones both ways: at most %+.1f dB, %ld bytes of complaints\n", loudest_db, complaints);
    assert_true(loudest_db < 3);
    assert_int_equal(complaints, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_echo_the_voice_is_untouched_by_the_linear_canceller),
        cmocka_unit_test(noise_suppression_takes_noise_off),
        cmocka_unit_test(gain_control_raises_a_quiet_talker),
        cmocka_unit_test(full_scale_and_silence_do_no_harm),
        cmocka_unit_test(tones_both_ways_never_get_louder_and_nobody_complains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
