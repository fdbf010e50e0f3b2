/* A stream among foes: what is not of the far end, or not what it should be, is not heard. */

#include "media/bytes.h"
#include "media/rtcp.h"
#include "media/rtp.h"
#include "tests/media/talk.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct {
    struct reload_media_srtp *srtp;
    unsigned rtp, rtcp, clear;
} tap;

/* Everything that Alice sends must open with the keys agreed on and read otherwise before it. */
static void look_for_clear(struct pair *p, size_t from, uint8_t *bytes, size_t *len)
{
    uint8_t copy[RELOAD_MEDIA_PACKET_MAX];
    size_t copy_len = *len;
    bool rtcp = reload_media_is_rtcp(bytes, *len);
    size_t header_len = rtcp ? 8 : 12;
    (void)p;
    if (from != 0)
        return;
    memcpy(copy, bytes, *len);
    bool opens = reload_media_srtp_unprotect(tap.srtp, rtcp, copy, &copy_len) == 0;
    tap.clear += !opens || copy_len >= *len ||
                 memcmp(copy + header_len, bytes + header_len, copy_len - header_len) == 0;
    *(rtcp ? &tap.rtcp : &tap.rtp) += 1;
}

static void nothing_travels_in_the_clear(void **state)
{
    (void)state;
    talk_begin();
    memset(&tap, 0, sizeof tap);
    tap.srtp = talk_keys_of(RELOAD_MEDIA_DTLS_SERVER);
    talk_pair->blocked = look_for_clear;
    talk_for(8 * TALK_SECOND);
    assert_int_equal(reload_media_stream_press(talk_pair->stream[0], '5'), 0);
    talk_for(TALK_SECOND);
    reload_media_stream_bye(talk_pair->stream[0], talk_pair->now);
    assert_true(tap.rtp >= 440 && tap.rtcp >= 2);
    assert_int_equal(tap.clear, 0);
    reload_media_srtp_free(tap.srtp);
    talk_end();
}

static void without_keys_nothing_is_sent_or_heard(void **state)
{
    (void)state;
    struct reload_media_stream_options options = pair_options();
    talk_begin_with(&options);
    talk_for(TALK_SECOND);
    assert_int_equal(talk_pair->end[0].sent, 0);
    uint8_t clear[40] = { 0x80, 96 };
    talk_to_bob(100, clear, sizeof clear);
    assert_int_equal(talk_counters(1).unkeyed, 1);
    reload_media_stream_bye(talk_pair->stream[0], talk_pair->now);
    assert_int_equal(talk_pair->end[0].sent, 0);
    talk_end();
}

static void clear_rtp_is_refused_once_there_are_keys(void **state)
{
    (void)state;
    talk_begin();
    uint8_t clear[60] = { 0x80, 96 };
    clear[11] = 5;
    talk_to_bob(100, clear, sizeof clear);
    assert_int_equal(talk_counters(1).unauthentic, 1);
    assert_int_equal(talk_counters(1).rtp_received, 0);
    talk_end();
}

static void a_wrong_profile_or_length_of_keys_is_refused(void **state)
{
    (void)state;
    struct reload_media_stream_options options = pair_options();
    talk_begin_with(&options);
    uint8_t material[RELOAD_MEDIA_SRTP_MATERIAL_MAX] = { 0 };
    struct reload_media_keying keying = { RELOAD_MEDIA_AEAD_AES_128_GCM, RELOAD_MEDIA_DTLS_CLIENT,
                                          material, 55 };
    assert_int_equal(reload_media_stream_key(talk_pair->stream[0], &keying), RELOAD_E_INVALID);
    keying.material_len = 57;
    assert_int_equal(reload_media_stream_key(talk_pair->stream[0], &keying), RELOAD_E_INVALID);
    keying.profile = (enum reload_media_srtp_profile)0x0005; /* NULL encryption */
    assert_int_equal(reload_media_stream_key(talk_pair->stream[0], &keying), RELOAD_E_INVALID);
    assert_int_equal(reload_media_srtp_material_len(keying.profile), 0);
    talk_end();
}

static void a_replayed_packet_is_refused_and_counted(void **state)
{
    (void)state;
    talk_begin();
    talk_for(TALK_SECOND);
    struct pair_packet old = talk_pair->last[0];
    talk_for(TALK_SECOND);
    uint64_t received = talk_counters(1).rtp_received;
    talk_to_bob(100, old.bytes, old.len);
    talk_to_bob(100, talk_pair->last[0].bytes, talk_pair->last[0].len);
    talk_to_bob(100, talk_pair->last[0].bytes, talk_pair->last[0].len);
    assert_in_range(talk_counters(1).replayed, 2, 3);
    assert_in_range(talk_counters(1).rtp_received, received, received + 1);
    talk_end();
}

static void rtp_from_elsewhere_is_refused_and_counted(void **state)
{
    (void)state;
    talk_begin();
    talk_for(TALK_SECOND);
    talk_to_bob(999, talk_pair->last[0].bytes, talk_pair->last[0].len);
    assert_int_equal(talk_counters(1).elsewhere, 1);
    reload_media_stream_move(talk_pair->stream[1], 999);
    uint64_t before = talk_counters(1).rtp_received;
    talk_for(TALK_SECOND / 5); /* Alice still sends from 100 */
    assert_int_equal(talk_counters(1).rtp_received, before);
    assert_in_range(talk_counters(1).elsewhere, 9, 12);
    talk_end();
}

static int forge(uint32_t ssrc, uint16_t sequence, uint32_t timestamp, uint8_t type,
                 const uint8_t *payload, size_t payload_len, struct reload_media_srtp *srtp,
                 uint8_t *out, size_t *len)
{
    struct reload_media_rtp rtp = { ssrc, timestamp, sequence, type, false, payload, payload_len };
    if (reload_media_rtp_encode(&rtp, out, RELOAD_MEDIA_PACKET_MAX, len) != 0)
        return -1;
    return reload_media_srtp_protect(srtp, false, out, len, RELOAD_MEDIA_PACKET_MAX);
}

static const uint8_t opus[] = { 0x48, 1, 2, 3, 4, 5, 6, 7 }; /* SILK, 20 ms */

static void another_ssrc_is_refused_while_the_first_one_talks(void **state)
{
    (void)state;
    talk_begin();
    talk_for(TALK_SECOND);
    struct reload_media_srtp *srtp = talk_keys_of(RELOAD_MEDIA_DTLS_CLIENT);
    uint8_t bytes[RELOAD_MEDIA_PACKET_MAX];
    size_t len;
    for (uint32_t ssrc = 1; ssrc <= 50; ssrc++) {
        assert_int_equal(forge(ssrc, 1, 1, 96, opus, sizeof opus, srtp, bytes, &len), 0);
        talk_to_bob(100, bytes, len);
    }
    assert_int_equal(talk_counters(1).wrong_ssrc, 50);
    talk_pair->now.monotonic_ms += 11000; /* long silent: a new source may take over */
    assert_int_equal(forge(77, 2, 1, 96, opus, sizeof opus, srtp, bytes, &len), 0);
    uint64_t before = talk_counters(1).rtp_received;
    talk_to_bob(100, bytes, len);
    assert_int_equal(talk_counters(1).rtp_received, before + 1);
    reload_media_srtp_free(srtp);
    talk_end();
}

static void a_signalled_ssrc_is_the_only_one(void **state)
{
    (void)state;
    struct reload_media_stream_options options = pair_options();
    options.remote_ssrc = 4711;
    talk_begin_with(&options);
    pair_key(talk_pair, RELOAD_MEDIA_AEAD_AES_128_GCM);
    struct reload_media_srtp *srtp = talk_keys_of(RELOAD_MEDIA_DTLS_CLIENT);
    uint8_t bytes[RELOAD_MEDIA_PACKET_MAX];
    size_t len;
    assert_int_equal(forge(4712, 1, 1, 96, opus, sizeof opus, srtp, bytes, &len), 0);
    talk_to_bob(100, bytes, len);
    assert_int_equal(forge(4711, 1, 1, 96, opus, sizeof opus, srtp, bytes, &len), 0);
    talk_to_bob(100, bytes, len);
    assert_int_equal(talk_counters(1).wrong_ssrc, 1);
    assert_int_equal(talk_counters(1).rtp_received, 1);
    reload_media_srtp_free(srtp);
    talk_end();
}

static void our_own_packets_come_back_and_are_refused(void **state)
{
    (void)state;
    talk_begin();
    talk_for(TALK_SECOND);
    talk_to_bob(100, talk_pair->last[1].bytes, talk_pair->last[1].len);
    assert_int_equal(talk_counters(1).wrong_ssrc, 1);
    talk_end();
}

static void flips_cuts_and_noise_never_get_in(void **state)
{
    (void)state;
    talk_begin();
    talk_for(TALK_SECOND);
    struct pair_packet good_packet = talk_pair->last[0];
    uint64_t before = talk_counters(1).rtp_received;
    for (size_t bit = 0; bit < 8 * good_packet.len; bit++) {
        uint8_t bytes[RELOAD_MEDIA_PACKET_MAX];
        memcpy(bytes, good_packet.bytes, good_packet.len);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        talk_to_bob(100, bytes, good_packet.len);
    }
    for (size_t len = 0; len < good_packet.len; len++)
        talk_to_bob(100, good_packet.bytes, len);
    struct noise noise = noise_of(9);
    for (int i = 0; i < 3000; i++) {
        uint8_t bytes[1500];
        size_t len = (size_t)((noise_next(&noise) + 1) * 750);
        for (size_t k = 0; k < len; k++)
            bytes[k] = (uint8_t)(noise_next(&noise) * 128);
        if (len > 12 && i % 2)
            memcpy(bytes, good_packet.bytes, 12);
        talk_to_bob(100, bytes, len);
    }
    assert_int_equal(talk_counters(1).rtp_received, before);
    struct reload_media_counters c = talk_counters(1);
    assert_int_equal(c.malformed + c.unauthentic + c.wrong_ssrc + c.replayed,
                     8 * good_packet.len + good_packet.len + 3000);
    assert_true(c.unauthentic > 0 && c.malformed > 0 && c.wrong_ssrc > 0);
    talk_for(TALK_SECOND); /* and the call goes on */
    assert_true(talk_counters(1).rtp_received > before + 40);
    talk_end();
}

static void authentic_nonsense_is_counted_and_survived(void **state)
{
    (void)state;
    talk_begin();
    struct reload_media_srtp *srtp = talk_keys_of(RELOAD_MEDIA_DTLS_CLIENT);
    uint8_t bytes[RELOAD_MEDIA_PACKET_MAX], payload[1000] = { 0x48 };
    int16_t ignored[RELOAD_MEDIA_BLOCK];
    size_t len;
    struct noise noise = noise_of(10);
    reload_media_stream_send(talk_pair->stream[1], false);
    uint64_t given = 0;
    for (uint32_t i = 0; i < 3000; i++) {
        size_t payload_len = (size_t)((noise_next(&noise) + 1) * 450);
        for (size_t k = 0; k < payload_len; k++)
            payload[k] = (uint8_t)(noise_next(&noise) * 128);
        uint8_t type = i % 7 == 0 ? 97 : i % 11 == 0 ? 33 : 96;
        uint32_t timestamp = i % 5 == 0 ? (uint32_t)(noise_next(&noise) * 0x7fffffff) : i * 960;
        uint16_t sequence = (uint16_t)(i * (i % 13 == 0 ? 300 : 1));
        if (forge(9, sequence, timestamp, type, payload, payload_len, srtp, bytes, &len) != 0)
            continue; /* the sender's library, too, refuses numbers from far behind */
        talk_to_bob(100, bytes, len);
        given++;
        reload_media_stream_exchange(talk_pair->stream[1], talk_speech, ignored, talk_pair->now);
        talk_pair->now.monotonic_ms += 10;
        while (reload_media_stream_heard(talk_pair->stream[1]) != 0)
            ;
    }
    struct reload_media_counters c = talk_counters(1);
    assert_int_equal(c.rtp_received + c.malformed + c.out_of_order + c.unknown_type + c.late +
                         c.replayed + c.wrong_ssrc + c.unauthentic,
                     given);
    assert_true(given > 1000);
    assert_true(c.unknown_type > 0 && c.out_of_order > 0 && c.malformed > 0 && c.late > 0);
    reload_media_srtp_free(srtp);
    talk_end();
}

static struct pair_packet last_report;

static void keep_report(struct pair *p, size_t from, uint8_t *bytes, size_t *len)
{
    (void)p;
    if (from != 0 || !reload_media_is_rtcp(bytes, *len))
        return;
    memcpy(last_report.bytes, bytes, *len);
    last_report.len = *len;
}

static void a_replayed_report_is_refused_and_one_from_elsewhere_too(void **state)
{
    (void)state;
    talk_begin();
    last_report.len = 0;
    talk_pair->blocked = keep_report;
    talk_for(5 * TALK_SECOND);
    assert_true(last_report.len > 0);
    struct reload_media_counters before = talk_counters(1);
    assert_true(before.rtcp_received > 0);
    for (int i = 0; i < 3; i++)
        talk_to_bob(100, last_report.bytes, last_report.len);
    talk_to_bob(999, last_report.bytes, last_report.len);
    assert_int_equal(talk_counters(1).replayed - before.replayed, 3);
    assert_int_equal(talk_counters(1).elsewhere - before.elsewhere, 1);
    assert_int_equal(talk_counters(1).rtcp_received, before.rtcp_received);
    talk_end();
}

/* From a far end that has the keys and means no good. */
static void authentic_garbage_in_reports_is_counted_and_survived(void **state)
{
    (void)state;
    talk_begin();
    talk_for(TALK_SECOND / 2);
    struct reload_media_srtp *srtp = talk_keys_of(RELOAD_MEDIA_DTLS_CLIENT);
    struct noise noise = noise_of(11);
    uint64_t given = 0;
    struct reload_media_counters before = talk_counters(1);
    for (int i = 0; i < 3000; i++) {
        struct reload_media_rtcp report = { .ssrc =
                                                reload_media_get32(talk_pair->last[0].bytes + 8),
                                            .is_sender = i % 3 != 0,
                                            .has_block = true,
                                            .block = {
                                                .ssrc = reload_media_get32(
                                                    talk_pair->last[1].bytes + 8),
                                                .fraction_lost = 255,
                                                .lsr = (uint32_t)(noise_next(&noise) * 0x7fffffff),
                                            } };
        uint8_t bytes[RELOAD_MEDIA_PACKET_MAX];
        size_t len;
        assert_int_equal(
            reload_media_rtcp_encode(&report, "alice", bytes, RELOAD_MEDIA_PACKET_MAX, &len), 0);
        for (int bend = i % 6; bend > 0; bend--) /* not the SSRC: it stands in the clear */
            bytes[8 + (size_t)((noise_next(&noise) + 1) / 2 * (double)(len - 8))] =
                (uint8_t)(noise_next(&noise) * 128);
        if (i % 4 == 3)
            bytes[i % 2 ? 0 : 3] ^= (uint8_t)(1 << i / 4 % 5);
        if (i % 5 == 4)
            len = 8 + (size_t)((noise_next(&noise) + 1) / 2 * (double)(len - 8));
        if (reload_media_srtp_protect(srtp, true, bytes, &len, sizeof bytes) != 0)
            continue;
        talk_to_bob(100, bytes, len);
        given++;
        struct reload_media_quality q;
        reload_media_stream_quality(talk_pair->stream[1], &q);
        assert_true(q.remote_loss >= 0 && q.remote_loss <= 1);
        assert_true(q.round_trip_ms >= 0 && q.round_trip_ms <= 60000);
        assert_in_range(q.bitrate_bps, 6000, 510000);
    }
    struct reload_media_counters c = talk_counters(1);
    assert_true(given > 2000);
    assert_true(c.malformed > before.malformed && c.rtcp_received > before.rtcp_received);
    assert_int_equal(c.malformed - before.malformed + c.rtcp_received - before.rtcp_received,
                     given);
    talk_for(TALK_SECOND); /* and sound goes on, both ways */
    assert_true(talk_counters(1).rtp_received >= before.rtp_received + 45);
    assert_true(talk_counters(0).rtp_received >= 60);
    reload_media_srtp_free(srtp);
    talk_end();
}

static void a_jitter_buffer_that_is_full_refuses_more(void **state)
{
    (void)state;
    talk_begin();
    struct reload_media_srtp *srtp = talk_keys_of(RELOAD_MEDIA_DTLS_CLIENT);
    uint8_t bytes[RELOAD_MEDIA_PACKET_MAX];
    size_t len;
    for (uint16_t i = 0; i < 80; i++) {
        assert_int_equal(forge(9, i, i * 960u, 96, opus, sizeof opus, srtp, bytes, &len), 0);
        talk_to_bob(100, bytes, len);
    }
    assert_int_equal(talk_counters(1).rtp_received, 64);
    assert_int_equal(talk_counters(1).late, 16);
    reload_media_srtp_free(srtp);
    talk_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_travels_in_the_clear),
        cmocka_unit_test(without_keys_nothing_is_sent_or_heard),
        cmocka_unit_test(clear_rtp_is_refused_once_there_are_keys),
        cmocka_unit_test(a_wrong_profile_or_length_of_keys_is_refused),
        cmocka_unit_test(a_replayed_packet_is_refused_and_counted),
        cmocka_unit_test(rtp_from_elsewhere_is_refused_and_counted),
        cmocka_unit_test(another_ssrc_is_refused_while_the_first_one_talks),
        cmocka_unit_test(a_signalled_ssrc_is_the_only_one),
        cmocka_unit_test(our_own_packets_come_back_and_are_refused),
        cmocka_unit_test(flips_cuts_and_noise_never_get_in),
        cmocka_unit_test(authentic_nonsense_is_counted_and_survived),
        cmocka_unit_test(a_replayed_report_is_refused_and_one_from_elsewhere_too),
        cmocka_unit_test(authentic_garbage_in_reports_is_counted_and_survived),
        cmocka_unit_test(a_jitter_buffer_that_is_full_refuses_more),
    };
    return cmocka_run_group_tests(tests, talk_set_up, talk_tear_down);
}
