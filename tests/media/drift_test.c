/* Two sound cards of different speed: a long call neither runs dry nor piles up. */

#include "media/similarity.h"
#include "tests/media/pair.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECONDS 60
#define COUNT   ((size_t)SECONDS * RELOAD_MEDIA_RATE_HZ)

static void call_with_cards_apart_by(double ppm)
{
    struct reload_media_stream_options options = pair_options();
    options.encoder.complexity = 0;
    struct pair *pair = malloc(sizeof *pair);
    int16_t *said = calloc(COUNT, sizeof *said), *heard = calloc(COUNT, sizeof *heard);
    make_speech(said, COUNT, RELOAD_MEDIA_RATE_HZ, 0);
    pair_make(pair, &options, (struct network){ 0, 0, 20, 5 }, 3);
    pair_key(pair, RELOAD_MEDIA_AEAD_AES_128_GCM);
    pair->tick_ms[0] = 10 * (1 - ppm / 1e6); /* Alice's card is faster by ppm */
    pair_talk(pair, (const int16_t *const[]){ said, NULL }, (int16_t *const[]){ NULL, heard },
              COUNT);
    struct reload_media_counters counters;
    struct reload_media_quality quality;
    struct reload_media_likeness likeness;
    reload_media_stream_counters(pair->stream[1], &counters);
    reload_media_stream_quality(pair->stream[1], &quality);
    size_t last = COUNT - 10 * (size_t)RELOAD_MEDIA_RATE_HZ;
    assert_int_equal(
        reload_media_compare(said + last, COUNT - last, heard + last, COUNT - last, 500, &likeness),
        0);
    printf("%+.0f ppm: corrected by %+d ppm, %llu skipped, %llu waited for, %llu concealed, "
           "similarity %.3f\n",
           ppm, quality.drift_ppm, (unsigned long long)counters.frames_skipped,
           (unsigned long long)counters.frames_waited,
           (unsigned long long)counters.frames_concealed, likeness.similarity);
    assert_true(likeness.similarity > 0.9);
    assert_int_equal(counters.frames_skipped, 0);
    assert_in_range(counters.frames_concealed + counters.frames_waited, 0, 5);
    assert_true(ppm == 0 ? abs(quality.drift_ppm) <= 200 : quality.drift_ppm * ppm > 0);
    pair_free(pair);
    free(pair);
    free(said);
    free(heard);
}

static void cards_of_one_speed_need_no_correction(void **state)
{
    (void)state;
    call_with_cards_apart_by(0);
}

static void a_faster_sender_is_caught_up_with(void **state)
{
    (void)state;
    call_with_cards_apart_by(400);
}

static void a_slower_sender_is_waited_for(void **state)
{
    (void)state;
    call_with_cards_apart_by(-400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cards_of_one_speed_need_no_correction),
        cmocka_unit_test(a_faster_sender_is_caught_up_with),
        cmocka_unit_test(a_slower_sender_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
