/* The canceller in a synthetic room: 12 ms of delay, 0.25 s reverberation, 10 dB of loss, noise at
 * 42 to 45 dB below the echo, which is the most that any linear filter can reach. */

#include "reload/alloc.h"
#include "tests/media/echo_scene.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

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
        cmocka_unit_test(with_the_suppressor_it_is_45_db),
        cmocka_unit_test(sound_up_to_24_khz_is_cancelled_as_well),
        cmocka_unit_test(a_long_device_delay_is_found_and_compensated),
        cmocka_unit_test(somebody_who_moves_is_followed),
        cmocka_unit_test(a_delay_that_grows_during_the_call_is_followed),
        cmocka_unit_test(options_that_contradict_are_refused_and_lack_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
