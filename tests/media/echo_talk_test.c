/* The canceller while both ends talk: what the near end says comes through. */

#include "media/similarity.h"
#include "tests/media/echo_scene.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

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
    scene_play(&options, &scene);
    size_t half = scene.count / 2;
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
                                         .seconds = 3,
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_near_end_comes_through_while_both_talk),
        cmocka_unit_test(who_talks_at_once_comes_through),
        cmocka_unit_test(who_talks_at_once_into_a_headset_comes_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
