#include "media/audio.h"
#include "media/similarity.h"
#include "reload/alloc.h"
#include "tests/media/signals.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT ((size_t)10 * RELOAD_MEDIA_RATE_HZ)
#define FRAME (RELOAD_MEDIA_RATE_HZ / 50)

static int16_t said[COUNT], heard[COUNT];

static struct reload_media_likeness compare(void)
{
    struct reload_media_likeness likeness;
    assert_int_equal(reload_media_compare(said, COUNT, heard, COUNT, 500, &likeness), 0);
    return likeness;
}

static void the_same_is_one(void **state)
{
    (void)state;
    make_speech(said, COUNT, RELOAD_MEDIA_RATE_HZ, 0);
    memcpy(heard, said, sizeof heard);
    struct reload_media_likeness likeness = compare();
    assert_true(likeness.similarity > 0.999);
    assert_true(likeness.offset_ms == 0);
    assert_true(likeness.level_db > -0.01 && likeness.level_db < 0.01);
}

static void later_earlier_quieter_and_turned_over_are_the_same(void **state)
{
    (void)state;
    const size_t offset = 144 * 48; /* 144 ms */
    make_speech(said, COUNT, RELOAD_MEDIA_RATE_HZ, 0);
    for (int sign = -1; sign <= 1; sign += 2) {
        memset(heard, 0, sizeof heard);
        for (size_t i = offset; i < COUNT - offset; i++)
            heard[sign > 0 ? i + offset : i - offset] = (int16_t)(-said[i] / 2);
        struct reload_media_likeness likeness = compare();
        assert_true(likeness.similarity > 0.95);
        assert_true(likeness.offset_ms > sign * 144 - 1 && likeness.offset_ms < sign * 144 + 1);
        assert_true(likeness.level_db > -7 && likeness.level_db < -5);
    }
}

/* The measure's own control: it must tell people apart. */
static void unrelated_speech_is_below_one_half(void **state)
{
    (void)state;
    for (unsigned voice = 1; voice < 5; voice++) {
        make_speech(said, COUNT, RELOAD_MEDIA_RATE_HZ, 0);
        make_speech(heard, COUNT, RELOAD_MEDIA_RATE_HZ, voice);
        double similarity = compare().similarity;
        printf("unrelated talker %u: %.3f\n", voice, similarity);
        assert_true(similarity < 0.5);
    }
}

/* The measure's other control: it must notice gaps. */
static void with_a_fifth_of_the_frames_zeroed_it_is_below_nine_tenths(void **state)
{
    (void)state;
    struct noise noise = noise_of(3);
    make_speech(said, COUNT, RELOAD_MEDIA_RATE_HZ, 0);
    memcpy(heard, said, sizeof heard);
    for (size_t at = 0; at < COUNT; at += FRAME)
        if (noise_next(&noise) < -0.6)
            memset(heard + at, 0, FRAME * sizeof *heard);
    double similarity = compare().similarity;
    printf("a fifth zeroed: %.3f\n", similarity);
    assert_true(similarity < 0.9);
    assert_true(similarity > 0.3);
}

static void noise_and_silence_are_nothing_like_speech(void **state)
{
    (void)state;
    struct noise noise = noise_of(4);
    make_speech(said, COUNT, RELOAD_MEDIA_RATE_HZ, 0);
    for (size_t i = 0; i < COUNT; i++)
        heard[i] = (int16_t)(3000 * noise_next(&noise));
    assert_true(compare().similarity < 0.3);
    memset(heard, 0, sizeof heard);
    assert_true(compare().similarity < 0.1);
}

static void too_little_to_compare_is_refused(void **state)
{
    (void)state;
    struct reload_media_likeness likeness;
    make_speech(said, COUNT, RELOAD_MEDIA_RATE_HZ, 0);
    assert_int_equal(reload_media_compare(said, 9599, said, COUNT, 500, &likeness),
                     RELOAD_E_INVALID);
    assert_int_equal(reload_media_compare(said, COUNT, said, 0, 500, &likeness), RELOAD_E_INVALID);
    memset(heard, 0, sizeof heard);
    assert_int_equal(reload_media_compare(heard, COUNT, said, COUNT, 500, &likeness),
                     RELOAD_E_INVALID);
}

static void without_memory_it_says_so(void **state)
{
    (void)state;
    struct reload_media_likeness likeness;
    make_speech(said, 48000, RELOAD_MEDIA_RATE_HZ, 0);
    int error = RELOAD_E_NOMEM;
    unsigned long n = 1;
    for (; error == RELOAD_E_NOMEM && n < 20; n++) {
        reload_alloc_fail_at(n);
        error = reload_media_compare(said, 48000, said, 48000, 100, &likeness);
        reload_alloc_fail_at(0);
    }
    assert_int_equal(error, 0);
    assert_true(n > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_is_one),
        cmocka_unit_test(later_earlier_quieter_and_turned_over_are_the_same),
        cmocka_unit_test(unrelated_speech_is_below_one_half),
        cmocka_unit_test(with_a_fifth_of_the_frames_zeroed_it_is_below_nine_tenths),
        cmocka_unit_test(noise_and_silence_are_nothing_like_speech),
        cmocka_unit_test(too_little_to_compare_is_refused),
        cmocka_unit_test(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
