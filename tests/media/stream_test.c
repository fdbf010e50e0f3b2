/* A stream among friends: what is said is heard, whatever the network does. */

#include "media/rtcp.h"
#include "media/rtp.h"
#include "reload/alloc.h"
#include "tests/media/talk.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void audio_flows_with_every_profile(void **state)
{
    (void)state;
    static const enum reload_media_srtp_profile profiles[] = {
        RELOAD_MEDIA_AEAD_AES_256_GCM, RELOAD_MEDIA_AEAD_AES_128_GCM,
        RELOAD_MEDIA_AES128_CM_HMAC_SHA1_80
    };
    for (size_t i = 0; i < 3; i++) {
        struct reload_media_stream_options options = pair_options();
        talk_begin_with(&options);
        pair_key(talk_pair, profiles[i]);
        talk_for(TALK_SECOND);
        assert_in_range(talk_counters(1).rtp_received, 47, 50);
        assert_int_equal(talk_counters(1).unauthentic + talk_counters(1).malformed, 0);
        talk_end();
    }
}

/* What fills a frame before it has been heard is silence. */
static void the_first_frame_goes_with_the_first_block(void **state)
{
    (void)state;
    talk_begin();
    talk_for(RELOAD_MEDIA_BLOCK);
    assert_int_equal(talk_counters(0).rtp_sent, 1);
    talk_for(RELOAD_MEDIA_BLOCK);
    assert_int_equal(talk_counters(0).rtp_sent, 1);
    talk_for(RELOAD_MEDIA_BLOCK);
    assert_int_equal(talk_counters(0).rtp_sent, 2);
    talk_end();
}

static void keys_pressed_are_heard_once_each_and_in_order(void **state)
{
    (void)state;
    talk_begin();
    talk_pair->network = (struct network){ 0.2, 0, 10, 40 };
    const char *keys = "0123456789*#ABCD";
    talk_for(TALK_SECOND / 2);
    for (const char *k = keys; *k; k++)
        assert_int_equal(reload_media_stream_press(talk_pair->stream[0], *k), 0);
    assert_int_equal(reload_media_stream_press(talk_pair->stream[0], 'x'), RELOAD_E_INVALID);
    assert_int_equal(reload_media_stream_press(talk_pair->stream[0], 0), RELOAD_E_INVALID);
    talk_for(4 * TALK_SECOND);
    char heard[20] = "";
    for (size_t i = 0; i < sizeof heard - 1; i++)
        heard[i] = reload_media_stream_heard(talk_pair->stream[1]);
    assert_string_equal(heard, keys);
    talk_end();
}

static void too_many_keys_are_refused_or_dropped(void **state)
{
    (void)state;
    talk_begin();
    talk_for(TALK_SECOND / 2);
    for (int i = 0; i < 32; i++)
        assert_int_equal(reload_media_stream_press(talk_pair->stream[0], '1'), 0);
    assert_int_equal(reload_media_stream_press(talk_pair->stream[0], '1'), RELOAD_E_LIMIT);
    talk_for(8 * TALK_SECOND);
    assert_int_equal(reload_media_stream_press(talk_pair->stream[0], '2'), 0);
    assert_int_equal(reload_media_stream_press(talk_pair->stream[0], '3'), 0);
    talk_for(TALK_SECOND);
    assert_int_equal(talk_counters(1).keys_dropped, 2);
    talk_end();
}

static void reports_tell_loss_round_trip_and_bye(void **state)
{
    (void)state;
    talk_begin();
    talk_pair->network = (struct network){ 0.1, 0, 30, 0 };
    talk_for(12 * TALK_SECOND);
    struct reload_media_quality q;
    reload_media_stream_quality(talk_pair->stream[0], &q);
    assert_true(q.remote_loss > 0.02 && q.remote_loss < 0.25);
    assert_true(q.loss > 0.05 && q.loss < 0.17);
    assert_true(q.round_trip_ms > 55 && q.round_trip_ms < 70);
    assert_false(q.remote_bye);
    talk_pair->network.loss = 0;
    reload_media_stream_bye(talk_pair->stream[1], talk_pair->now);
    uint64_t sent = talk_pair->end[1].sent;
    talk_for(TALK_SECOND / 2);
    assert_int_equal(talk_pair->end[1].sent, sent); /* RFC 3550 s6.3.7: silent after BYE */
    reload_media_stream_quality(talk_pair->stream[0], &q);
    assert_true(q.remote_bye);
    talk_end();
}

static void heavy_loss_lowers_the_bitrate_and_a_good_network_raises_it(void **state)
{
    (void)state;
    talk_begin();
    struct reload_media_quality q;
    talk_pair->network.loss = 0.3;
    talk_for(12 * TALK_SECOND);
    talk_for(12 * TALK_SECOND); /* reports get lost, too */
    reload_media_stream_quality(talk_pair->stream[0], &q);
    unsigned low = q.bitrate_bps;
    assert_true(low < 30000);
    talk_pair->network.loss = 0;
    talk_for(12 * TALK_SECOND);
    talk_for(12 * TALK_SECOND);
    reload_media_stream_quality(talk_pair->stream[0], &q);
    assert_true(q.bitrate_bps > low);
    talk_end();
}

static void silence_needs_hardly_any_packets_with_dtx(void **state)
{
    (void)state;
    struct reload_media_stream_options options = pair_options();
    options.encoder.dtx = true;
    talk_begin_with(&options);
    pair_key(talk_pair, RELOAD_MEDIA_AEAD_AES_128_GCM);
    talk_for(TALK_SECOND);
    uint64_t before = talk_pair->end[0].sent;
    pair_talk(talk_pair, (const int16_t *const[]){ NULL, NULL }, (int16_t *const[]){ NULL, NULL },
              4 * TALK_SECOND);
    assert_in_range(talk_pair->end[0].sent - before, 1, 60);  /* of 200 frames */
    assert_in_range(talk_counters(1).frames_concealed, 0, 2); /* nothing was lost */
    talk_for(TALK_SECOND); /* and talk after silence is heard at once */
    assert_in_range(talk_counters(1).rtp_received, 90, 200);
    assert_in_range(talk_counters(1).late, 0, 1);
    talk_end();
}

static void hold_stops_sound_but_not_reports(void **state)
{
    (void)state;
    talk_begin();
    talk_for(TALK_SECOND);
    reload_media_stream_send(talk_pair->stream[0], false);
    uint64_t rtp = talk_counters(0).rtp_sent;
    talk_for(10 * TALK_SECOND);
    assert_int_equal(talk_counters(0).rtp_sent, rtp);
    assert_true(talk_counters(0).rtcp_sent >= 2);
    reload_media_stream_send(talk_pair->stream[0], true);
    talk_for(TALK_SECOND);
    assert_in_range(talk_counters(0).rtp_sent, rtp + 49, rtp + 51);
    assert_in_range(talk_counters(1).rtp_received, rtp + 45, rtp + 51);
    talk_end();
}

static void new_keys_in_the_middle_of_a_call_do_not_end_it(void **state)
{
    (void)state;
    talk_begin();
    talk_for(TALK_SECOND);
    pair_key(talk_pair, RELOAD_MEDIA_AES128_CM_HMAC_SHA1_80);
    talk_for(TALK_SECOND);
    assert_in_range(talk_counters(1).rtp_received, 94, 100);
    talk_end();
}

static void ten_millisecond_frames_flow_too(void **state)
{
    (void)state;
    struct reload_media_stream_options options = pair_options();
    options.encoder.frame_ms = 10;
    talk_begin_with(&options);
    pair_key(talk_pair, RELOAD_MEDIA_AEAD_AES_256_GCM);
    talk_for(TALK_SECOND);
    assert_in_range(talk_counters(1).rtp_received, 95, 100);
    talk_end();
}

static void options_out_of_range_and_lack_of_memory_are_told(void **state)
{
    (void)state;
    struct noise noise = noise_of(1);
    struct reload_media_stream *stream;
    struct reload_media_stream_options options = pair_options(), bad;
    options.random = random_of(&noise);
    options.cancel_echo = true;
    bad = options, bad.payload_type = 72; /* RFC 5761 s4: would look like RTCP */
    assert_int_equal(reload_media_stream_new(&bad, &pair_transport, NULL, &stream),
                     RELOAD_E_INVALID);
    bad = options, bad.encoder.frame_ms = 15;
    assert_int_equal(reload_media_stream_new(&bad, &pair_transport, NULL, &stream),
                     RELOAD_E_INVALID);
    bad = options, bad.dtmf_payload_type = bad.payload_type;
    assert_int_equal(reload_media_stream_new(&bad, &pair_transport, NULL, &stream),
                     RELOAD_E_INVALID);
    int error = RELOAD_E_NOMEM;
    unsigned long n = 1;
    for (; error == RELOAD_E_NOMEM && n < 60; n++) {
        reload_alloc_fail_at(n);
        error = reload_media_stream_new(&options, &pair_transport, NULL, &stream);
        reload_alloc_fail_at(0);
    }
    assert_int_equal(error, 0);
    assert_true(n > 12);
    reload_media_stream_free(stream);
    reload_media_stream_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audio_flows_with_every_profile),
        cmocka_unit_test(the_first_frame_goes_with_the_first_block),
        cmocka_unit_test(keys_pressed_are_heard_once_each_and_in_order),
        cmocka_unit_test(too_many_keys_are_refused_or_dropped),
        cmocka_unit_test(reports_tell_loss_round_trip_and_bye),
        cmocka_unit_test(heavy_loss_lowers_the_bitrate_and_a_good_network_raises_it),
        cmocka_unit_test(silence_needs_hardly_any_packets_with_dtx),
        cmocka_unit_test(hold_stops_sound_but_not_reports),
        cmocka_unit_test(new_keys_in_the_middle_of_a_call_do_not_end_it),
        cmocka_unit_test(ten_millisecond_frames_flow_too),
        cmocka_unit_test(options_out_of_range_and_lack_of_memory_are_told),
    };
    return cmocka_run_group_tests(tests, talk_set_up, talk_tear_down);
}
