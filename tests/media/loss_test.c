/* Two streams over a network that loses packets and delays them by 0 to 60 ms: the call goes on,
 * and what is heard resembles what was said; how much, with and without help, is printed. */

#include "media/similarity.h"
#include "tests/media/pair.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECONDS 12
#define COUNT   ((size_t)SECONDS * RELOAD_MEDIA_RATE_HZ)
#define SKIP    (4 * (size_t)RELOAD_MEDIA_RATE_HZ) /* until the first reports told of the loss */

static int16_t *speech[2];

struct result {
    double similarity, lost;
    struct reload_media_counters counters;
    struct reload_media_quality quality;
};

static struct result call(struct network network, bool conceal, bool recover)
{
    struct reload_media_stream_options options = pair_options();
    options.conceal = conceal;
    options.recover = recover;
    struct pair *pair = malloc(sizeof *pair);
    int16_t *heard = calloc(COUNT, sizeof *heard);
    pair_make(pair, &options, network, 7);
    pair_key(pair, RELOAD_MEDIA_AEAD_AES_128_GCM);
    pair_talk(pair, (const int16_t *const[]){ speech[0], speech[1] },
              (int16_t *const[]){ NULL, heard }, COUNT);
    struct reload_media_likeness likeness;
    assert_int_equal(reload_media_compare(speech[0] + SKIP, COUNT - SKIP, heard + SKIP,
                                          COUNT - SKIP, 500, &likeness),
                     0);
    struct result r = { .similarity = likeness.similarity,
                        .lost = (double)pair->end[0].lost / (double)pair->end[0].sent };
    reload_media_stream_counters(pair->stream[1], &r.counters);
    reload_media_stream_quality(pair->stream[1], &r.quality);
    free(heard);
    pair_free(pair);
    free(pair);
    return r;
}

static void compare(double loss, double burst_len, double least)
{
    struct network network = { loss, burst_len, 20, 60 };
    struct result all = call(network, true, true), plc = call(network, true, false);
    struct result none = call(network, false, false);
    printf("loss %4.1f %% %s: similarity %.3f with FEC and concealment, %.3f with concealment, "
           "%.3f with neither; %llu recovered, %llu concealed, %llu late, playout %u ms\n",
           all.lost * 100, burst_len > 0 ? "in bursts" : "random   ", all.similarity,
           plc.similarity, none.similarity, (unsigned long long)all.counters.frames_recovered,
           (unsigned long long)all.counters.frames_concealed, (unsigned long long)all.counters.late,
           all.quality.playout_ms);
    assert_true(all.similarity >= least);
    assert_true(plc.similarity > none.similarity);
    assert_true(all.similarity > plc.similarity - 0.01);
    if (loss >= 0.1) /* few copies help little */
        assert_true(all.similarity > plc.similarity);
    assert_true(all.counters.frames_recovered > 0);
    assert_in_range(all.counters.rtp_received, (uintmax_t)(SECONDS * 50 * (1 - loss) * 0.85),
                    SECONDS * 50);
}

static void without_loss_and_jitter_speech_arrives_as_it_was_said(void **state)
{
    (void)state;
    struct result r = call((struct network){ 0, 0, 20, 0 }, true, true);
    printf("no loss, no jitter: similarity %.3f, playout %u ms\n", r.similarity,
           r.quality.playout_ms);
    assert_true(r.similarity >= 0.97);
    assert_in_range(r.quality.playout_ms, 0, 15);
    assert_int_equal(r.counters.late, 0);
    assert_in_range(r.counters.frames_concealed, 0, 2);
}

static void sixty_milliseconds_of_jitter_are_waited_for(void **state)
{
    (void)state;
    struct result r = call((struct network){ 0, 0, 20, 60 }, true, true);
    printf("60 ms jitter: similarity %.3f, playout %u ms, %llu late\n", r.similarity,
           r.quality.playout_ms, (unsigned long long)r.counters.late);
    assert_true(r.similarity >= 0.93);
    assert_in_range(r.quality.playout_ms, 40, 90);
}

static void five_percent_lost_at_random(void **state)
{
    (void)state;
    compare(0.05, 0, 0.9);
}

static void ten_percent_lost_at_random(void **state)
{
    (void)state;
    compare(0.10, 0, 0.85);
}

static void twenty_percent_lost_at_random(void **state)
{
    (void)state;
    compare(0.20, 0, 0.75);
}

static void five_percent_lost_in_bursts(void **state)
{
    (void)state;
    compare(0.05, 3, 0.85);
}

static void ten_percent_lost_in_bursts(void **state)
{
    (void)state;
    compare(0.10, 3, 0.75);
}

static void twenty_percent_lost_in_bursts(void **state)
{
    (void)state;
    compare(0.20, 3, 0.6);
}

static int make(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        speech[i] = calloc(COUNT, sizeof *speech[i]);
        make_speech(speech[i], COUNT, RELOAD_MEDIA_RATE_HZ, i);
    }
    return 0;
}

static int drop(void **state)
{
    (void)state;
    free(speech[0]);
    free(speech[1]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_loss_and_jitter_speech_arrives_as_it_was_said),
        cmocka_unit_test(sixty_milliseconds_of_jitter_are_waited_for),
        cmocka_unit_test(five_percent_lost_at_random),
        cmocka_unit_test(ten_percent_lost_at_random),
        cmocka_unit_test(twenty_percent_lost_at_random),
        cmocka_unit_test(five_percent_lost_in_bursts),
        cmocka_unit_test(ten_percent_lost_in_bursts),
        cmocka_unit_test(twenty_percent_lost_in_bursts),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
