/* The smaller parts, one by one: transform, codec, keys, jitter buffer, telephone events. */

#include "media/codec.h"
#include "media/dtmf.h"
#include "media/fft.h"
#include "media/jitter.h"
#include "media/srtp.h"
#include "reload/alloc.h"
#include "tests/media/signals.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void the_transform_is_the_sum_it_stands_for_and_comes_back(void **state)
{
    (void)state;
    static const size_t lengths[] = { 4, 6, 10, 16, 24, 30, 60, 320, 960 };
    struct noise noise = noise_of(1);
    for (size_t n = 0; n < sizeof lengths / sizeof *lengths; n++) {
        size_t len = lengths[n];
        float x[960], back[960], re[481], im[481];
        struct reload_media_fft *fft;
        assert_int_equal(reload_media_fft_new(len, &fft), 0);
        for (size_t i = 0; i < len; i++)
            x[i] = (float)noise_next(&noise);
        reload_media_fft_forward(fft, x, re, im);
        for (size_t k = 0; k <= len / 2; k++) {
            double a = 0, b = 0;
            for (size_t i = 0; i < len; i++) {
                a += x[i] * cos(2 * M_PI * (double)(i * k) / (double)len);
                b -= x[i] * sin(2 * M_PI * (double)(i * k) / (double)len);
            }
            assert_true(fabs(a - re[k]) < 1e-3 && fabs(b - im[k]) < 1e-3);
        }
        reload_media_fft_inverse(fft, re, im, back);
        for (size_t i = 0; i < len; i++)
            assert_true(fabsf(x[i] - back[i]) < 1e-5f);
        reload_media_fft_free(fft);
    }
}

static void lengths_it_cannot_do_are_refused(void **state)
{
    (void)state;
    static const size_t lengths[] = { 0, 1, 2, 3, 5, 14, 22, 322 };
    struct reload_media_fft *fft;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        assert_int_equal(reload_media_fft_new(lengths[i], &fft), RELOAD_E_INVALID);
    for (unsigned long n = 1; n <= 2; n++) {
        reload_alloc_fail_at(n);
        int error = reload_media_fft_new(320, &fft);
        reload_alloc_fail_at(0);
        assert_int_equal(error, RELOAD_E_NOMEM);
    }
}

static void the_codec_refuses_what_is_no_opus(void **state)
{
    (void)state;
    int16_t pcm[RELOAD_MEDIA_FRAME_MAX];
    struct reload_media_decoder *decoder;
    assert_int_equal(reload_media_decoder_new(&decoder), 0);
    assert_int_equal(reload_media_opus_samples((const uint8_t *)"", 0), RELOAD_E_DECODE);
    assert_int_equal(reload_media_opus_samples((const uint8_t[]){ 3 }, 1), RELOAD_E_DECODE);
    assert_int_equal(reload_media_opus_samples((const uint8_t[]){ 0x1b, 0x3f, 0 }, 3),
                     RELOAD_E_DECODE); /* 63 frames of 60 ms */
    assert_int_equal(reload_media_opus_samples((const uint8_t[]){ 0x48, 1, 2 }, 3), 960);
    assert_int_equal(reload_media_decode(decoder, (const uint8_t *)"", 0, pcm), RELOAD_E_DECODE);
    assert_int_equal(reload_media_decode_fec(decoder, (const uint8_t *)"a", 1, pcm, 100000),
                     RELOAD_E_DECODE);
    assert_int_equal(reload_media_conceal(decoder, pcm, 960), 960);
    assert_int_equal(reload_media_conceal(decoder, pcm, 961), RELOAD_E_DECODE);
    reload_media_decoder_free(decoder);
}

static void the_bitrate_falls_at_ten_percent_and_rises_again(void **state)
{
    (void)state;
    struct reload_media_encoder *encoder;
    struct reload_media_encoder_options options = { 20, 32000, true, false, 1 };
    assert_int_equal(reload_media_encoder_new(&options, &encoder), 0);
    reload_media_encoder_loss(encoder, 5);
    assert_int_equal(reload_media_encoder_bitrate_bps(encoder), 32000);
    reload_media_encoder_loss(encoder, 20);
    assert_int_equal(reload_media_encoder_bitrate_bps(encoder), 28800);
    for (int i = 0; i < 50; i++)
        reload_media_encoder_loss(encoder, 100);
    assert_int_equal(reload_media_encoder_bitrate_bps(encoder), RELOAD_MEDIA_BITRATE_MIN);
    for (int i = 0; i < 50; i++)
        reload_media_encoder_loss(encoder, 0);
    assert_int_equal(reload_media_encoder_bitrate_bps(encoder), 32000);
    reload_media_encoder_free(encoder);
    options.complexity = 11;
    assert_int_equal(reload_media_encoder_new(&options, &encoder), RELOAD_E_INVALID);
    options.complexity = 1, options.bitrate_bps = 11999;
    assert_int_equal(reload_media_encoder_new(&options, &encoder), RELOAD_E_INVALID);
}

static struct reload_media_srtp *keys(enum reload_media_dtls_role role, uint8_t fill)
{
    uint8_t material[60];
    struct reload_media_srtp *srtp;
    for (size_t i = 0; i < sizeof material; i++)
        material[i] = (uint8_t)(fill + i);
    assert_int_equal(
        reload_media_srtp_new(&(struct reload_media_keying){ RELOAD_MEDIA_AES128_CM_HMAC_SHA1_80,
                                                             role, material, sizeof material },
                              &srtp),
        0);
    return srtp;
}

static void only_the_other_role_with_the_same_keys_can_read(void **state)
{
    (void)state;
    struct reload_media_srtp *client = keys(RELOAD_MEDIA_DTLS_CLIENT, 1);
    struct reload_media_srtp *readers[] = { keys(RELOAD_MEDIA_DTLS_CLIENT, 1),
                                            keys(RELOAD_MEDIA_DTLS_SERVER, 2),
                                            keys(RELOAD_MEDIA_DTLS_SERVER, 1) };
    static const int expected[] = { RELOAD_E_SIGNATURE, RELOAD_E_SIGNATURE, 0 };
    _Alignas(4)
        uint8_t sent[100] = { 0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 'c', 'l', 'e', 'a', 'r' };
    size_t sent_len = 17;
    assert_int_equal(reload_media_srtp_protect(client, false, sent, &sent_len, 40),
                     RELOAD_E_NOSPACE);
    assert_int_equal(reload_media_srtp_protect(client, false, sent, &sent_len, sizeof sent), 0);
    assert_int_equal(sent_len, 27);
    assert_memory_not_equal(sent + 12, "clear", 5);
    for (size_t i = 0; i < 3; i++) {
        _Alignas(4) uint8_t bytes[100];
        size_t len = sent_len;
        memcpy(bytes, sent, sizeof bytes);
        assert_int_equal(reload_media_srtp_unprotect(readers[i], false, bytes, &len), expected[i]);
        if (expected[i] == 0)
            assert_memory_equal(bytes + 12, "clear", 5);
        reload_media_srtp_free(readers[i]);
    }
    reload_media_srtp_free(client);
    reload_media_srtp_free(NULL);
}

static struct reload_media_jitter *jitter;

static int put(uint32_t sequence, uint32_t timestamp, uint64_t now_ms)
{
    return reload_media_jitter_put(jitter, sequence, timestamp, 960, (const uint8_t *)"x", 1,
                                   now_ms);
}

static enum reload_media_jitter_kind take(uint64_t now_ms)
{
    return reload_media_jitter_take(jitter, 0, now_ms).kind;
}

static void packets_in_any_order_are_played_in_theirs(void **state)
{
    (void)state;
    assert_int_equal(take(0), RELOAD_MEDIA_SILENCE);
    assert_int_equal(put(10, 0, 0), 0);
    assert_int_equal(put(12, 1920, 41), 0);
    assert_int_equal(put(11, 960, 42), 0);
    assert_int_equal(put(11, 960, 43), RELOAD_E_STATE);
    assert_int_equal(take(45), RELOAD_MEDIA_PLAY);
    assert_int_equal(take(65), RELOAD_MEDIA_PLAY);
    assert_int_equal(take(85), RELOAD_MEDIA_PLAY);
    assert_int_equal(jitter->play_sequence, 12);
    assert_int_equal(put(11, 960, 111), RELOAD_E_TOO_OLD);
    assert_int_equal(jitter->counters.duplicate, 1);
    assert_int_equal(jitter->counters.late, 1);
}

static void a_gap_in_time_without_one_in_numbers_is_silence_not_loss(void **state)
{
    (void)state;
    assert_int_equal(put(1, 0, 0), 0);
    assert_int_equal(take(55), RELOAD_MEDIA_PLAY);
    assert_int_equal(put(2, 3840, 80), 0); /* three frames left out */
    assert_int_equal(take(81), RELOAD_MEDIA_SILENCE);
    assert_int_equal(take(82), RELOAD_MEDIA_SILENCE);
    assert_int_equal(take(83), RELOAD_MEDIA_SILENCE);
    assert_int_equal(take(85), RELOAD_MEDIA_PLAY);
    assert_int_equal(jitter->counters.concealed + jitter->counters.recovered, 0);
}

static void a_lost_packet_is_recovered_from_the_next_or_concealed(void **state)
{
    (void)state;
    assert_int_equal(put(1, 0, 0), 0);
    assert_int_equal(take(10), RELOAD_MEDIA_PLAY);
    assert_int_equal(put(4, 2880, 60), 0);
    assert_int_equal(take(61), RELOAD_MEDIA_CONCEAL);
    assert_int_equal(take(61), RELOAD_MEDIA_RECOVER);
    assert_int_equal(take(65), RELOAD_MEDIA_PLAY);
}

static void timestamps_from_elsewhere_are_believed_after_five(void **state)
{
    (void)state;
    assert_int_equal(put(1, 1000, 0), 0);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(put(2 + i, 0x40000000 + 960 * i, 20 * i), RELOAD_E_LIMIT);
    assert_int_equal(put(6, 0x40000000 + 960 * 4, 80), 0);
    assert_int_equal(jitter->counters.refused, 4);
    assert_int_equal(reload_media_jitter_put(jitter, 7, 0, 960, (const uint8_t *)"", 1201, 90),
                     RELOAD_E_NOSPACE);
}

static int fresh(void **state)
{
    (void)state;
    jitter = calloc(1, sizeof *jitter);
    return 0;
}

static int stale(void **state)
{
    (void)state;
    free(jitter);
    return 0;
}

static void an_event_is_read_as_written_and_nonsense_refused(void **state)
{
    (void)state;
    const struct reload_media_dtmf_event in = { 11, true, 10, 4800 };
    struct reload_media_dtmf_event out;
    uint8_t bytes[4];
    reload_media_dtmf_encode(&in, bytes);
    assert_memory_equal(bytes, "\x0b\x8a\x12\xc0", 4);
    assert_int_equal(reload_media_dtmf_decode(bytes, 4, &out), 0);
    assert_true(out.event == 11 && out.end && out.volume == 10 && out.duration == 4800);
    assert_int_equal(reload_media_dtmf_decode(bytes, 3, &out), RELOAD_E_DECODE);
    bytes[0] = 16;
    assert_int_equal(reload_media_dtmf_decode(bytes, 4, &out), RELOAD_E_UNSUPPORTED);
}

static void a_key_is_one_event_of_one_timestamp_that_ends_three_times(void **state)
{
    (void)state;
    struct reload_media_dtmf_sender sender = { 0 };
    unsigned packets = 0, ends = 0, marked = 0;
    assert_int_equal(reload_media_dtmf_press(&sender, '#'), 0);
    for (uint32_t frame = 0; reload_media_dtmf_busy(&sender); frame++) {
        struct reload_media_rtp rtp = { 0 };
        struct reload_media_dtmf_event event;
        uint8_t payload[4];
        if (!reload_media_dtmf_next(&sender, 5000 + frame * 960, 20, &rtp, payload))
            continue;
        assert_int_equal(rtp.timestamp, 5000);
        assert_int_equal(reload_media_dtmf_decode(payload, 4, &event), 0);
        assert_int_equal(event.event, 11);
        packets++;
        ends += event.end;
        marked += rtp.marker;
    }
    assert_int_equal(packets, 7); /* 20, 40, 60, 80 and three times 100 ms */
    assert_int_equal(ends, 3);
    assert_int_equal(marked, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_transform_is_the_sum_it_stands_for_and_comes_back),
        cmocka_unit_test(lengths_it_cannot_do_are_refused),
        cmocka_unit_test(the_codec_refuses_what_is_no_opus),
        cmocka_unit_test(the_bitrate_falls_at_ten_percent_and_rises_again),
        cmocka_unit_test(only_the_other_role_with_the_same_keys_can_read),
        cmocka_unit_test_setup_teardown(packets_in_any_order_are_played_in_theirs, fresh, stale),
        cmocka_unit_test_setup_teardown(a_gap_in_time_without_one_in_numbers_is_silence_not_loss,
                                        fresh, stale),
        cmocka_unit_test_setup_teardown(a_lost_packet_is_recovered_from_the_next_or_concealed,
                                        fresh, stale),
        cmocka_unit_test_setup_teardown(timestamps_from_elsewhere_are_believed_after_five, fresh,
                                        stale),
        cmocka_unit_test(an_event_is_read_as_written_and_nonsense_refused),
        cmocka_unit_test(a_key_is_one_event_of_one_timestamp_that_ends_three_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
