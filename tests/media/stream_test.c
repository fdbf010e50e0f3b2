/* A stream among friends and foes. */

#include "media/bytes.h"
#include "media/rtcp.h"
#include "media/rtp.h"
#include "reload/alloc.h"
#include "tests/media/pair.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND ((size_t)RELOAD_MEDIA_RATE_HZ)

static int16_t *speech;
static struct pair *pair;
static const struct network good = { 0, 0, 10, 0 };

static void talk(size_t count)
{
    pair_talk(pair, (const int16_t *const[]){ speech, speech }, (int16_t *const[]){ NULL, NULL },
              count);
}

static struct reload_media_counters counters(size_t of)
{
    struct reload_media_counters c;
    reload_media_stream_counters(pair->stream[of], &c);
    return c;
}

static void begin_with(const struct reload_media_stream_options *options)
{
    pair = malloc(sizeof *pair);
    pair_make(pair, options, good, 1);
}

static void begin(void)
{
    struct reload_media_stream_options options = pair_options();
    begin_with(&options);
    pair_key(pair, RELOAD_MEDIA_AEAD_AES_128_GCM);
}

static void end(void)
{
    pair_free(pair);
    free(pair);
}

static void to_bob(uint64_t source, const uint8_t *bytes, size_t len)
{
    reload_media_stream_receive(pair->stream[1], source, bytes, len, pair->now);
}

static void audio_flows_with_every_profile(void **state)
{
    (void)state;
    static const enum reload_media_srtp_profile profiles[] = {
        RELOAD_MEDIA_AEAD_AES_256_GCM, RELOAD_MEDIA_AEAD_AES_128_GCM,
        RELOAD_MEDIA_AES128_CM_HMAC_SHA1_80
    };
    for (size_t i = 0; i < 3; i++) {
        struct reload_media_stream_options options = pair_options();
        begin_with(&options);
        pair_key(pair, profiles[i]);
        talk(SECOND);
        assert_in_range(counters(1).rtp_received, 47, 50);
        assert_int_equal(counters(1).unauthentic + counters(1).malformed, 0);
        end();
    }
}

/* What fills a frame before it has been heard is silence. */
static void the_first_frame_goes_with_the_first_block(void **state)
{
    (void)state;
    begin();
    talk(RELOAD_MEDIA_BLOCK);
    assert_int_equal(counters(0).rtp_sent, 1);
    talk(RELOAD_MEDIA_BLOCK);
    assert_int_equal(counters(0).rtp_sent, 1);
    talk(RELOAD_MEDIA_BLOCK);
    assert_int_equal(counters(0).rtp_sent, 2);
    end();
}

/* The keys that pair_key gives to one of the roles. */
static struct reload_media_srtp *keys_of(enum reload_media_dtls_role role)
{
    uint8_t material[RELOAD_MEDIA_SRTP_MATERIAL_MAX];
    for (size_t i = 0; i < sizeof material; i++)
        material[i] = (uint8_t)(i * 37 + 11);
    struct reload_media_keying keying = { RELOAD_MEDIA_AEAD_AES_128_GCM, role, material, 56 };
    struct reload_media_srtp *srtp;
    assert_int_equal(reload_media_srtp_new(&keying, &srtp), 0);
    return srtp;
}

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
    begin();
    memset(&tap, 0, sizeof tap);
    tap.srtp = keys_of(RELOAD_MEDIA_DTLS_SERVER);
    pair->blocked = look_for_clear;
    talk(8 * SECOND);
    assert_int_equal(reload_media_stream_press(pair->stream[0], '5'), 0);
    talk(SECOND);
    reload_media_stream_bye(pair->stream[0], pair->now);
    assert_true(tap.rtp >= 440 && tap.rtcp >= 2);
    assert_int_equal(tap.clear, 0);
    reload_media_srtp_free(tap.srtp);
    end();
}

static void without_keys_nothing_is_sent_or_heard(void **state)
{
    (void)state;
    struct reload_media_stream_options options = pair_options();
    begin_with(&options);
    talk(SECOND);
    assert_int_equal(pair->end[0].sent, 0);
    uint8_t clear[40] = { 0x80, 96 };
    to_bob(100, clear, sizeof clear);
    assert_int_equal(counters(1).unkeyed, 1);
    reload_media_stream_bye(pair->stream[0], pair->now);
    assert_int_equal(pair->end[0].sent, 0);
    end();
}

static void clear_rtp_is_refused_once_there_are_keys(void **state)
{
    (void)state;
    begin();
    uint8_t clear[60] = { 0x80, 96 };
    clear[11] = 5;
    to_bob(100, clear, sizeof clear);
    assert_int_equal(counters(1).unauthentic, 1);
    assert_int_equal(counters(1).rtp_received, 0);
    end();
}

static void a_wrong_profile_or_length_of_keys_is_refused(void **state)
{
    (void)state;
    struct reload_media_stream_options options = pair_options();
    begin_with(&options);
    uint8_t material[RELOAD_MEDIA_SRTP_MATERIAL_MAX] = { 0 };
    struct reload_media_keying keying = { RELOAD_MEDIA_AEAD_AES_128_GCM, RELOAD_MEDIA_DTLS_CLIENT,
                                          material, 55 };
    assert_int_equal(reload_media_stream_key(pair->stream[0], &keying), RELOAD_E_INVALID);
    keying.material_len = 57;
    assert_int_equal(reload_media_stream_key(pair->stream[0], &keying), RELOAD_E_INVALID);
    keying.profile = (enum reload_media_srtp_profile)0x0005; /* NULL encryption */
    assert_int_equal(reload_media_stream_key(pair->stream[0], &keying), RELOAD_E_INVALID);
    assert_int_equal(reload_media_srtp_material_len(keying.profile), 0);
    end();
}

static void a_replayed_packet_is_refused_and_counted(void **state)
{
    (void)state;
    begin();
    talk(SECOND);
    struct pair_packet old = pair->last[0];
    talk(SECOND);
    uint64_t received = counters(1).rtp_received;
    to_bob(100, old.bytes, old.len);
    to_bob(100, pair->last[0].bytes, pair->last[0].len);
    to_bob(100, pair->last[0].bytes, pair->last[0].len);
    assert_in_range(counters(1).replayed, 2, 3);
    assert_in_range(counters(1).rtp_received, received, received + 1);
    end();
}

static void rtp_from_elsewhere_is_refused_and_counted(void **state)
{
    (void)state;
    begin();
    talk(SECOND);
    to_bob(999, pair->last[0].bytes, pair->last[0].len);
    assert_int_equal(counters(1).elsewhere, 1);
    reload_media_stream_move(pair->stream[1], 999);
    uint64_t before = counters(1).rtp_received;
    talk(SECOND / 5); /* Alice still sends from 100 */
    assert_int_equal(counters(1).rtp_received, before);
    assert_in_range(counters(1).elsewhere, 9, 12);
    end();
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
    begin();
    talk(SECOND);
    struct reload_media_srtp *srtp = keys_of(RELOAD_MEDIA_DTLS_CLIENT);
    uint8_t bytes[RELOAD_MEDIA_PACKET_MAX];
    size_t len;
    for (uint32_t ssrc = 1; ssrc <= 50; ssrc++) {
        assert_int_equal(forge(ssrc, 1, 1, 96, opus, sizeof opus, srtp, bytes, &len), 0);
        to_bob(100, bytes, len);
    }
    assert_int_equal(counters(1).wrong_ssrc, 50);
    pair->now.monotonic_ms += 11000; /* long silent: a new source may take over */
    assert_int_equal(forge(77, 2, 1, 96, opus, sizeof opus, srtp, bytes, &len), 0);
    uint64_t before = counters(1).rtp_received;
    to_bob(100, bytes, len);
    assert_int_equal(counters(1).rtp_received, before + 1);
    reload_media_srtp_free(srtp);
    end();
}

static void a_signalled_ssrc_is_the_only_one(void **state)
{
    (void)state;
    struct reload_media_stream_options options = pair_options();
    options.remote_ssrc = 4711;
    begin_with(&options);
    pair_key(pair, RELOAD_MEDIA_AEAD_AES_128_GCM);
    struct reload_media_srtp *srtp = keys_of(RELOAD_MEDIA_DTLS_CLIENT);
    uint8_t bytes[RELOAD_MEDIA_PACKET_MAX];
    size_t len;
    assert_int_equal(forge(4712, 1, 1, 96, opus, sizeof opus, srtp, bytes, &len), 0);
    to_bob(100, bytes, len);
    assert_int_equal(forge(4711, 1, 1, 96, opus, sizeof opus, srtp, bytes, &len), 0);
    to_bob(100, bytes, len);
    assert_int_equal(counters(1).wrong_ssrc, 1);
    assert_int_equal(counters(1).rtp_received, 1);
    reload_media_srtp_free(srtp);
    end();
}

static void our_own_packets_come_back_and_are_refused(void **state)
{
    (void)state;
    begin();
    talk(SECOND);
    to_bob(100, pair->last[1].bytes, pair->last[1].len);
    assert_int_equal(counters(1).wrong_ssrc, 1);
    end();
}

static void flips_cuts_and_noise_never_get_in(void **state)
{
    (void)state;
    begin();
    talk(SECOND);
    struct pair_packet good_packet = pair->last[0];
    uint64_t before = counters(1).rtp_received;
    for (size_t bit = 0; bit < 8 * good_packet.len; bit++) {
        uint8_t bytes[RELOAD_MEDIA_PACKET_MAX];
        memcpy(bytes, good_packet.bytes, good_packet.len);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        to_bob(100, bytes, good_packet.len);
    }
    for (size_t len = 0; len < good_packet.len; len++)
        to_bob(100, good_packet.bytes, len);
    struct noise noise = noise_of(9);
    for (int i = 0; i < 3000; i++) {
        uint8_t bytes[1500];
        size_t len = (size_t)((noise_next(&noise) + 1) * 750);
        for (size_t k = 0; k < len; k++)
            bytes[k] = (uint8_t)(noise_next(&noise) * 128);
        if (len > 12 && i % 2)
            memcpy(bytes, good_packet.bytes, 12);
        to_bob(100, bytes, len);
    }
    assert_int_equal(counters(1).rtp_received, before);
    struct reload_media_counters c = counters(1);
    assert_int_equal(c.malformed + c.unauthentic + c.wrong_ssrc + c.replayed,
                     8 * good_packet.len + good_packet.len + 3000);
    assert_true(c.unauthentic > 0 && c.malformed > 0 && c.wrong_ssrc > 0);
    talk(SECOND); /* and the call goes on */
    assert_true(counters(1).rtp_received > before + 40);
    end();
}

static void authentic_nonsense_is_counted_and_survived(void **state)
{
    (void)state;
    begin();
    struct reload_media_srtp *srtp = keys_of(RELOAD_MEDIA_DTLS_CLIENT);
    uint8_t bytes[RELOAD_MEDIA_PACKET_MAX], payload[1000] = { 0x48 };
    int16_t ignored[RELOAD_MEDIA_BLOCK];
    size_t len;
    struct noise noise = noise_of(10);
    reload_media_stream_send(pair->stream[1], false);
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
        to_bob(100, bytes, len);
        given++;
        reload_media_stream_exchange(pair->stream[1], speech, ignored, pair->now);
        pair->now.monotonic_ms += 10;
        while (reload_media_stream_heard(pair->stream[1]) != 0)
            ;
    }
    struct reload_media_counters c = counters(1);
    assert_int_equal(c.rtp_received + c.malformed + c.out_of_order + c.unknown_type + c.late +
                         c.replayed + c.wrong_ssrc + c.unauthentic,
                     given);
    assert_true(given > 1000);
    assert_true(c.unknown_type > 0 && c.out_of_order > 0 && c.malformed > 0 && c.late > 0);
    reload_media_srtp_free(srtp);
    end();
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
    begin();
    last_report.len = 0;
    pair->blocked = keep_report;
    talk(5 * SECOND);
    assert_true(last_report.len > 0);
    struct reload_media_counters before = counters(1);
    assert_true(before.rtcp_received > 0);
    for (int i = 0; i < 3; i++)
        to_bob(100, last_report.bytes, last_report.len);
    to_bob(999, last_report.bytes, last_report.len);
    assert_int_equal(counters(1).replayed - before.replayed, 3);
    assert_int_equal(counters(1).elsewhere - before.elsewhere, 1);
    assert_int_equal(counters(1).rtcp_received, before.rtcp_received);
    end();
}

/* From a far end that has the keys and means no good. */
static void authentic_garbage_in_reports_is_counted_and_survived(void **state)
{
    (void)state;
    begin();
    talk(SECOND / 2);
    struct reload_media_srtp *srtp = keys_of(RELOAD_MEDIA_DTLS_CLIENT);
    struct noise noise = noise_of(11);
    uint64_t given = 0;
    struct reload_media_counters before = counters(1);
    for (int i = 0; i < 3000; i++) {
        struct reload_media_rtcp report = { .ssrc = reload_media_get32(pair->last[0].bytes + 8),
                                            .is_sender = i % 3 != 0,
                                            .has_block = true,
                                            .block = {
                                                .ssrc = reload_media_get32(pair->last[1].bytes + 8),
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
        to_bob(100, bytes, len);
        given++;
        struct reload_media_quality q;
        reload_media_stream_quality(pair->stream[1], &q);
        assert_true(q.remote_loss >= 0 && q.remote_loss <= 1);
        assert_true(q.round_trip_ms >= 0 && q.round_trip_ms <= 60000);
        assert_in_range(q.bitrate_bps, 6000, 510000);
    }
    struct reload_media_counters c = counters(1);
    assert_true(given > 2000);
    assert_true(c.malformed > before.malformed && c.rtcp_received > before.rtcp_received);
    assert_int_equal(c.malformed - before.malformed + c.rtcp_received - before.rtcp_received,
                     given);
    talk(SECOND); /* and sound goes on, both ways */
    assert_true(counters(1).rtp_received >= before.rtp_received + 45);
    assert_true(counters(0).rtp_received >= 60);
    reload_media_srtp_free(srtp);
    end();
}

static void a_jitter_buffer_that_is_full_refuses_more(void **state)
{
    (void)state;
    begin();
    struct reload_media_srtp *srtp = keys_of(RELOAD_MEDIA_DTLS_CLIENT);
    uint8_t bytes[RELOAD_MEDIA_PACKET_MAX];
    size_t len;
    for (uint16_t i = 0; i < 80; i++) {
        assert_int_equal(forge(9, i, i * 960u, 96, opus, sizeof opus, srtp, bytes, &len), 0);
        to_bob(100, bytes, len);
    }
    assert_int_equal(counters(1).rtp_received, 64);
    assert_int_equal(counters(1).late, 16);
    reload_media_srtp_free(srtp);
    end();
}

static void keys_pressed_are_heard_once_each_and_in_order(void **state)
{
    (void)state;
    begin();
    pair->network = (struct network){ 0.2, 0, 10, 40 };
    const char *keys = "0123456789*#ABCD";
    talk(SECOND / 2);
    for (const char *k = keys; *k; k++)
        assert_int_equal(reload_media_stream_press(pair->stream[0], *k), 0);
    assert_int_equal(reload_media_stream_press(pair->stream[0], 'x'), RELOAD_E_INVALID);
    assert_int_equal(reload_media_stream_press(pair->stream[0], 0), RELOAD_E_INVALID);
    talk(4 * SECOND);
    char heard[20] = "";
    for (size_t i = 0; i < sizeof heard - 1; i++)
        heard[i] = reload_media_stream_heard(pair->stream[1]);
    assert_string_equal(heard, keys);
    end();
}

static void too_many_keys_are_refused_or_dropped(void **state)
{
    (void)state;
    begin();
    talk(SECOND / 2);
    for (int i = 0; i < 32; i++)
        assert_int_equal(reload_media_stream_press(pair->stream[0], '1'), 0);
    assert_int_equal(reload_media_stream_press(pair->stream[0], '1'), RELOAD_E_LIMIT);
    talk(8 * SECOND);
    assert_int_equal(reload_media_stream_press(pair->stream[0], '2'), 0);
    assert_int_equal(reload_media_stream_press(pair->stream[0], '3'), 0);
    talk(SECOND);
    assert_int_equal(counters(1).keys_dropped, 2);
    end();
}

static void reports_tell_loss_round_trip_and_bye(void **state)
{
    (void)state;
    begin();
    pair->network = (struct network){ 0.1, 0, 30, 0 };
    talk(12 * SECOND);
    struct reload_media_quality q;
    reload_media_stream_quality(pair->stream[0], &q);
    assert_true(q.remote_loss > 0.02 && q.remote_loss < 0.25);
    assert_true(q.loss > 0.05 && q.loss < 0.17);
    assert_true(q.round_trip_ms > 55 && q.round_trip_ms < 70);
    assert_false(q.remote_bye);
    pair->network.loss = 0;
    reload_media_stream_bye(pair->stream[1], pair->now);
    uint64_t sent = pair->end[1].sent;
    talk(SECOND / 2);
    assert_int_equal(pair->end[1].sent, sent); /* RFC 3550 s6.3.7: silent after BYE */
    reload_media_stream_quality(pair->stream[0], &q);
    assert_true(q.remote_bye);
    end();
}

static void heavy_loss_lowers_the_bitrate_and_a_good_network_raises_it(void **state)
{
    (void)state;
    begin();
    struct reload_media_quality q;
    pair->network.loss = 0.3;
    talk(12 * SECOND);
    talk(12 * SECOND); /* reports get lost, too */
    reload_media_stream_quality(pair->stream[0], &q);
    unsigned low = q.bitrate_bps;
    assert_true(low < 30000);
    pair->network.loss = 0;
    talk(12 * SECOND);
    talk(12 * SECOND);
    reload_media_stream_quality(pair->stream[0], &q);
    assert_true(q.bitrate_bps > low);
    end();
}

static void silence_needs_hardly_any_packets_with_dtx(void **state)
{
    (void)state;
    struct reload_media_stream_options options = pair_options();
    options.encoder.dtx = true;
    begin_with(&options);
    pair_key(pair, RELOAD_MEDIA_AEAD_AES_128_GCM);
    talk(SECOND);
    uint64_t before = pair->end[0].sent;
    pair_talk(pair, (const int16_t *const[]){ NULL, NULL }, (int16_t *const[]){ NULL, NULL },
              4 * SECOND);
    assert_in_range(pair->end[0].sent - before, 1, 60);  /* of 200 frames */
    assert_in_range(counters(1).frames_concealed, 0, 2); /* nothing was lost */
    talk(SECOND); /* and talk after silence is heard at once */
    assert_in_range(counters(1).rtp_received, 90, 200);
    assert_in_range(counters(1).late, 0, 1);
    end();
}

static void hold_stops_sound_but_not_reports(void **state)
{
    (void)state;
    begin();
    talk(SECOND);
    reload_media_stream_send(pair->stream[0], false);
    uint64_t rtp = counters(0).rtp_sent;
    talk(10 * SECOND);
    assert_int_equal(counters(0).rtp_sent, rtp);
    assert_true(counters(0).rtcp_sent >= 2);
    reload_media_stream_send(pair->stream[0], true);
    talk(SECOND);
    assert_in_range(counters(0).rtp_sent, rtp + 49, rtp + 51);
    assert_in_range(counters(1).rtp_received, rtp + 45, rtp + 51);
    end();
}

static void new_keys_in_the_middle_of_a_call_do_not_end_it(void **state)
{
    (void)state;
    begin();
    talk(SECOND);
    pair_key(pair, RELOAD_MEDIA_AES128_CM_HMAC_SHA1_80);
    talk(SECOND);
    assert_in_range(counters(1).rtp_received, 94, 100);
    end();
}

static void ten_millisecond_frames_flow_too(void **state)
{
    (void)state;
    struct reload_media_stream_options options = pair_options();
    options.encoder.frame_ms = 10;
    begin_with(&options);
    pair_key(pair, RELOAD_MEDIA_AEAD_AES_256_GCM);
    talk(SECOND);
    assert_in_range(counters(1).rtp_received, 95, 100);
    end();
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

static int make(void **state)
{
    (void)state;
    speech = calloc(12 * SECOND, sizeof *speech);
    make_speech(speech, 12 * SECOND, RELOAD_MEDIA_RATE_HZ, 0);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    free(speech);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audio_flows_with_every_profile),
        cmocka_unit_test(the_first_frame_goes_with_the_first_block),
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
    return cmocka_run_group_tests(tests, make, drop);
}
