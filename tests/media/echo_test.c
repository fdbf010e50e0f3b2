/* The canceller in a synthetic room: 12 ms of delay, 0.25 s reverberation, 10 dB of loss, noise at
 * 42 to 45 dB below the echo, which is the most that any linear filter can reach. */

#include "media/similarity.h"
#include "reload/alloc.h"
#include "tests/media/echo_scene.h"
#include "tests/media/signals.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct figures {
    double erle_db, to_20_db_s;
};

static struct figures measure(struct scene_options options, double from_s)
{
    double erle_db[SCENE_SEEDS], time_s[SCENE_SEEDS];
    for (uint64_t seed = 0; seed < SCENE_SEEDS; seed++) {
        struct scene scene;
        options.seed = seed;
        scene_play(&options, &scene);
        erle_db[seed] = scene_erle_db(&scene, from_s, SCENE_S);
        time_s[seed] = scene_time_to_20_db_s(&scene);
        scene_free(&scene);
    }
    struct figures f = { median(erle_db, SCENE_SEEDS), median(time_s, SCENE_SEEDS) };
    printf("room at %u Hz, %s: %.1f dB (%.1f to %.1f), 20 dB within %.2f s\n", options.rate_hz,
           options.echo.suppress ? "with the suppressor" : "linear", f.erle_db, erle_db[0],
           erle_db[SCENE_SEEDS - 1], f.to_20_db_s);
    return f;
}

static void the_linear_canceller_takes_off_35_db_and_20_within_a_second(void **state)
{
    (void)state;
    struct figures f = measure((struct scene_options){ .rate_hz = 16000, .delay_ms = 12 }, 10);
    assert_true(f.erle_db >= 35);
    assert_true(f.to_20_db_s <= 1);
}

static void a_far_end_that_is_silent_at_first_is_cancelled_as_soon(void **state)
{
    (void)state;
    struct scene_options options = { .rate_hz = 16000, .delay_ms = 12, .silent_ms = 3000 };
    assert_true(measure(options, 10).to_20_db_s <= 4);
}

static void with_the_suppressor_it_is_45_db(void **state)
{
    (void)state;
    struct scene_options options = { .rate_hz = 16000,
                                     .delay_ms = 12,
                                     .echo = { .suppress = true, .noise = true } };
    struct figures f = measure(options, 10);
    assert_true(f.erle_db >= 45);
    assert_true(f.to_20_db_s <= 1);
}

static void sound_up_to_24_khz_is_cancelled_as_well(void **state)
{
    (void)state;
    struct scene_options options = { .rate_hz = RELOAD_MEDIA_RATE_HZ, .delay_ms = 12, .seed = 3 };
    struct scene scene;
    scene_play(&options, &scene);
    double erle_db = scene_erle_db(&scene, 10, SCENE_S);
    printf("room at 48000 Hz, linear: %.1f dB\n", erle_db);
    scene_free(&scene);
    assert_true(erle_db >= 35);
}

struct double_talk {
    double level_db, similarity, raw_similarity;
};

static struct double_talk talk_both(double near_gain, uint64_t seed)
{
    struct scene_options options = { .rate_hz = 16000,
                                     .delay_ms = 12,
                                     .seed = seed,
                                     .near_gain = near_gain,
                                     .echo = { .suppress = true, .noise = true } };
    struct scene scene;
    struct reload_media_likeness near, raw;
    size_t half = SCENE_COUNT / 2;
    scene_play(&options, &scene);
    assert_int_equal(
        reload_media_compare(scene.near + half, half, scene.out + half, half, 100, &near), 0);
    assert_int_equal(
        reload_media_compare(scene.near + half, half, scene.mic + half, half, 100, &raw), 0);
    scene_free(&scene);
    return (struct double_talk){ near.level_db, near.similarity, raw.similarity };
}

static void the_near_end_comes_through_while_both_talk(void **state)
{
    (void)state;
    static const double gains[] = { 0.1, 0.3, 1 };
    for (size_t i = 0; i < sizeof gains / sizeof *gains; i++) {
        double level_db[SCENE_SEEDS], similarity[SCENE_SEEDS], raw[SCENE_SEEDS];
        for (uint64_t seed = 0; seed < SCENE_SEEDS; seed++) {
            struct double_talk both = talk_both(gains[i], seed);
            level_db[seed] = both.level_db;
            similarity[seed] = both.similarity;
            raw[seed] = both.raw_similarity;
        }
        double middle_db = median(level_db, SCENE_SEEDS), alike = median(similarity, SCENE_SEEDS);
        printf("near end at %.1f of the far end: level %+.2f dB (%+.2f to %+.2f), similarity %.3f "
               "(%.3f to %.3f; in the microphone's signal %.3f)\n",
               gains[i], middle_db, level_db[0], level_db[SCENE_SEEDS - 1], alike, similarity[0],
               similarity[SCENE_SEEDS - 1], median(raw, SCENE_SEEDS));
        assert_true(middle_db > -3 && middle_db < 3);
        assert_true(alike >= 0.8);
        assert_true(alike > median(raw, SCENE_SEEDS));
    }
}

/* Of the first two seconds, in which both talk. */
static struct double_talk talk_at_once(double near_gain, bool headset)
{
    size_t count = 2 * RELOAD_MEDIA_RATE_HZ;
    double level_db[SCENE_SEEDS], similarity[SCENE_SEEDS];
    for (uint64_t seed = 0; seed < SCENE_SEEDS; seed++) {
        struct scene_options options = { .rate_hz = 16000,
                                         .delay_ms = 12,
                                         .seed = seed,
                                         .near_gain = near_gain,
                                         .near_at_once = true,
                                         .headset = headset,
                                         .echo = { .suppress = true, .noise = true } };
        struct scene scene;
        struct reload_media_likeness near;
        scene_play(&options, &scene);
        assert_int_equal(reload_media_compare(scene.near, count, scene.out, count, 100, &near), 0);
        scene_free(&scene);
        level_db[seed] = near.level_db;
        similarity[seed] = near.similarity;
    }
    struct double_talk both = { .level_db = median(level_db, SCENE_SEEDS),
                                .similarity = median(similarity, SCENE_SEEDS) };
    printf("near end at %.1f of the far end in the first 2 s%s: level %+.2f dB, similarity %.3f\n",
           near_gain, headset ? ", headset" : "", both.level_db, both.similarity);
    return both;
}

/* While the path is learnt, too, what is said meanwhile is no echo. */
static void who_talks_at_once_comes_through(void **state)
{
    (void)state;
    static const double gains[] = { 0.3, 1 };
    for (size_t i = 0; i < sizeof gains / sizeof *gains; i++) {
        struct double_talk both = talk_at_once(gains[i], false);
        assert_true(both.level_db > -3 && both.level_db < 3);
        assert_true(both.similarity >= 0.75);
    }
}

/* Nor is there any echo to be learnt when the far end is heard in a headset. */
static void who_talks_at_once_into_a_headset_comes_through(void **state)
{
    (void)state;
    static const double gains[] = { 0.1, 0.3, 1 };
    for (size_t i = 0; i < sizeof gains / sizeof *gains; i++) {
        struct double_talk both = talk_at_once(gains[i], true);
        assert_true(both.level_db > -3 && both.level_db < 3);
        assert_true(both.similarity >= 0.9);
    }
}

static void a_long_device_delay_is_found_and_compensated(void **state)
{
    (void)state;
    struct scene_options options = { .rate_hz = 16000, .delay_ms = 250, .seed = 2 };
    struct scene scene;
    scene_play(&options, &scene);
    double erle_db = scene_erle_db(&scene, 10, SCENE_S), time_s = scene_time_to_20_db_s(&scene);
    printf("250 ms of device delay: %u ms compensated, %.1f dB, 20 dB within %.2f s\n",
           scene.delay_ms, erle_db, time_s);
    scene_free(&scene);
    assert_in_range(scene.delay_ms, 210, 250);
    assert_true(erle_db >= 30);
    assert_true(time_s <= 3);
}

static void somebody_who_moves_is_followed(void **state)
{
    (void)state;
    double before_db[SCENE_SEEDS], after_db[SCENE_SEEDS];
    for (uint64_t seed = 0; seed < SCENE_SEEDS; seed++) {
        struct scene_options options = {
            .rate_hz = 16000, .delay_ms = 12, .moved = true, .seed = seed
        };
        struct scene scene;
        scene_play(&options, &scene);
        before_db[seed] = scene_erle_db(&scene, 8, 10);
        after_db[seed] = scene_erle_db(&scene, 11, 13);
        scene_free(&scene);
    }
    double before = median(before_db, SCENE_SEEDS), after = median(after_db, SCENE_SEEDS);
    printf("another path from half of the time on: %.1f dB before, %.1f dB 1 to 3 s later\n",
           before, after);
    assert_true(after >= 20);
}

static void a_delay_that_grows_during_the_call_is_followed(void **state)
{
    (void)state;
    struct scene_options options = { .rate_hz = 16000, .delay_ms = 12, .later_ms = 60, .seed = 2 };
    struct scene scene;
    scene_play(&options, &scene);
    double before_db = scene_erle_db(&scene, 8, 10), after_db = scene_erle_db(&scene, 15, SCENE_S);
    printf("60 ms more from half of the time on: %.1f dB before, %.1f dB after\n", before_db,
           after_db);
    scene_free(&scene);
    assert_true(before_db >= 30);
    assert_true(after_db >= 25);
}

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

static void options_that_contradict_are_refused_and_lack_of_memory_is_told(void **state)
{
    (void)state;
    struct reload_media_echo *echo;
    struct reload_media_echo_options options = { .suppress = false, .noise = true };
    assert_int_equal(reload_media_echo_new(&options, &echo), RELOAD_E_INVALID);
    assert_null(echo);
    options.suppress = true;
    int error = RELOAD_E_NOMEM;
    unsigned long n = 1;
    for (; error == RELOAD_E_NOMEM && n < 40; n++) {
        reload_alloc_fail_at(n);
        error = reload_media_echo_new(&options, &echo);
        reload_alloc_fail_at(0);
    }
    assert_int_equal(error, 0);
    assert_true(n > 8);
    reload_media_echo_free(echo);
    reload_media_echo_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_linear_canceller_takes_off_35_db_and_20_within_a_second),
        cmocka_unit_test(a_far_end_that_is_silent_at_first_is_cancelled_as_soon),
        cmocka_unit_test(who_talks_at_once_comes_through),
        cmocka_unit_test(who_talks_at_once_into_a_headset_comes_through),
        cmocka_unit_test(with_the_suppressor_it_is_45_db),
        cmocka_unit_test(sound_up_to_24_khz_is_cancelled_as_well),
        cmocka_unit_test(the_near_end_comes_through_while_both_talk),
        cmocka_unit_test(a_long_device_delay_is_found_and_compensated),
        cmocka_unit_test(somebody_who_moves_is_followed),
        cmocka_unit_test(a_delay_that_grows_during_the_call_is_followed),
        cmocka_unit_test(without_echo_the_voice_is_untouched_by_the_linear_canceller),
        cmocka_unit_test(noise_suppression_takes_noise_off),
        cmocka_unit_test(gain_control_raises_a_quiet_talker),
        cmocka_unit_test(full_scale_and_silence_do_no_harm),
        cmocka_unit_test(tones_both_ways_never_get_louder_and_nobody_complains),
        cmocka_unit_test(options_that_contradict_are_refused_and_lack_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
