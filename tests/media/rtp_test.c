/* RTP, RTCP and what a receiver counts about a source. */

#include "media/bytes.h"
#include "media/rtcp.h"
#include "media/rtp.h"
#include "media/source.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Two CSRCs, an extension of one word, three bytes of payload, two of padding. */
static const uint8_t full[] = { 0xb2, 0xe0, 0x12, 0x34, 0, 0, 0x10, 0, 0xde, 0xad, 0xbe,
                                0xef, 0,    0,    0,    1, 0, 0,    0, 2,    0xbe, 0xde,
                                0,    1,    9,    9,    9, 9, 7,    8, 9,    0,    2 };

static void a_packet_with_everything_is_read(void **state)
{
    (void)state;
    struct reload_media_rtp rtp;
    assert_int_equal(reload_media_rtp_decode(full, sizeof full, &rtp), 0);
    assert_int_equal(rtp.ssrc, 0xdeadbeef);
    assert_int_equal(rtp.timestamp, 0x1000);
    assert_int_equal(rtp.sequence_number, 0x1234);
    assert_int_equal(rtp.payload_type, 96);
    assert_true(rtp.marker);
    assert_int_equal(rtp.payload_len, 3);
    assert_memory_equal(rtp.payload, "\7\10\11", 3);
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    const struct reload_media_rtp in = { 1, 2, 3, 111, true, (const uint8_t *)"opus", 4 };
    struct reload_media_rtp out;
    uint8_t bytes[16];
    size_t len;
    assert_int_equal(reload_media_rtp_encode(&in, bytes, 15, &len), RELOAD_E_NOSPACE);
    assert_int_equal(reload_media_rtp_encode(&in, bytes, 11, &len), RELOAD_E_NOSPACE);
    assert_int_equal(reload_media_rtp_encode(&in, bytes, 16, &len), 0);
    assert_int_equal(reload_media_rtp_decode(bytes, len, &out), 0);
    assert_memory_equal(out.payload, "opus", 4);
    assert_int_equal(out.ssrc + out.timestamp + out.sequence_number, 6);
    assert_true(out.marker && out.payload_type == 111 && out.payload_len == 4);
}

static void cut_or_lying_packets_are_refused(void **state)
{
    (void)state;
    struct reload_media_rtp rtp;
    for (size_t len = 0; len < 28; len++) /* header, CSRCs and extension do not fit */
        assert_int_equal(reload_media_rtp_decode(full, len, &rtp), RELOAD_E_DECODE);
    uint8_t bad[sizeof full];
    static const struct {
        size_t at;
        uint8_t value;
    } lies[] = { { 0, 0x72 }, { 0, 0xbf }, { 23, 3 },  { 22, 0xff },
                 { 32, 0 },   { 32, 6 },   { 32, 255 } };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        memcpy(bad, full, sizeof bad);
        bad[lies[i].at] = lies[i].value;
        assert_int_equal(reload_media_rtp_decode(bad, sizeof bad, &rtp), RELOAD_E_DECODE);
    }
}

static void rtcp_is_told_from_rtp_by_its_type(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        uint8_t bytes[2] = { 0x80, (uint8_t)type };
        assert_int_equal(reload_media_is_rtcp(bytes, 2), type >= 192 && type <= 223);
    }
    assert_false(reload_media_is_rtcp((const uint8_t[]){ 0x80 }, 1));
}

static const struct reload_media_rtcp report = {
    .ssrc = 0x01020304,
    .is_sender = true,
    .ntp = 0x1122334455667788,
    .rtp_timestamp = 960,
    .packet_count = 50,
    .octet_count = 4000,
    .has_block = true,
    .block = { 0x0a0b0c0d, 25, -3, 0x10005, 77, 0x33445566, 65536 },
    .bye = true,
};

static void reports_are_read_as_they_were_written(void **state)
{
    (void)state;
    uint8_t bytes[512];
    size_t len;
    struct reload_media_rtcp out;
    for (size_t name = 0; name < 9; name++) {
        assert_int_equal(
            reload_media_rtcp_encode(&report, &"alicebob"[name], bytes, sizeof bytes, &len), 0);
        assert_int_equal(len % 4, 0);
        assert_int_equal(reload_media_rtcp_decode(bytes, len, 0x0a0b0c0d, &out), 0);
        assert_int_equal(out.ssrc, report.ssrc);
        assert_true(out.is_sender && out.has_block && out.bye);
        assert_true(out.ntp == report.ntp);
        assert_int_equal(out.octet_count, 4000);
        assert_memory_equal(&out.block, &report.block, sizeof report.block);
        assert_int_equal(reload_media_rtcp_decode(bytes, len, 5, &out), 0);
        assert_false(out.has_block); /* it speaks of somebody else */
    }
}

static void cut_bent_and_disordered_reports_are_refused_or_harmless(void **state)
{
    (void)state;
    uint8_t bytes[512], bent[512];
    size_t len;
    struct reload_media_rtcp out;
    assert_int_equal(reload_media_rtcp_encode(&report, "alice", bytes, sizeof bytes, &len), 0);
    size_t whole = 0;
    for (size_t cut = 0; cut < len; cut++)
        whole += reload_media_rtcp_decode(bytes, cut, 1, &out) == 0;
    assert_int_equal(whole, 2); /* behind the report, and behind the CNAME */
    for (size_t bit = 0; bit < 8 * len; bit++) {
        memcpy(bent, bytes, len);
        bent[bit / 8] ^= (uint8_t)(1 << bit % 8);
        int error = reload_media_rtcp_decode(bent, len, 1, &out);
        assert_true(error == 0 || error == RELOAD_E_DECODE);
    }
    memcpy(bent, bytes, len);
    bent[1] = 202; /* s6.1: a report comes first */
    assert_int_equal(reload_media_rtcp_decode(bent, len, 1, &out), RELOAD_E_DECODE);
    memcpy(bent, bytes, len);
    bent[0] |= 0x20; /* padding in a packet that is not the last */
    assert_int_equal(reload_media_rtcp_decode(bent, len, 1, &out), RELOAD_E_DECODE);
    memcpy(bent, bytes, len);
    bent[0] |= 0x1f; /* 31 blocks in the room of one */
    assert_int_equal(reload_media_rtcp_decode(bent, len, 1, &out), RELOAD_E_DECODE);
    char long_name[257];
    memset(long_name, 'a', 256);
    long_name[256] = 0;
    assert_int_equal(reload_media_rtcp_encode(&report, long_name, bytes, sizeof bytes, &len),
                     RELOAD_E_INVALID);
    assert_int_equal(reload_media_rtcp_encode(&report, "alice", bytes, 60, &len), RELOAD_E_NOSPACE);
}

static void ntp_time_counts_from_1900(void **state)
{
    (void)state;
    assert_true(reload_media_ntp(0) >> 32 == 2208988800u);
    assert_true((uint32_t)reload_media_ntp(1500) == 0x80000000u);
}

static struct reload_media_source source;

static int take(uint16_t sequence, uint32_t *extended, bool *restarted)
{
    return reload_media_source_packet(&source, sequence, sequence * 960u, sequence * 20u, extended,
                                      restarted);
}

static void sequence_numbers_wrap_and_loss_is_counted_across_it(void **state)
{
    (void)state;
    uint32_t extended, last = 0;
    bool restarted;
    reload_media_source_start(&source, 7, 65000);
    for (unsigned i = 65000; i < 67000; i++) {
        if (i % 10 == 5)
            continue; /* a tenth is lost */
        assert_int_equal(take((uint16_t)i, &extended, &restarted), 0);
        assert_true(extended > last && !restarted);
        last = extended;
    }
    assert_int_equal(reload_media_source_lost(&source), 200);
    struct reload_media_report_block block = reload_media_source_report(&source, 1);
    assert_in_range(block.fraction_lost, 25, 26);
    assert_int_equal(block.cumulative_lost, 200);
    assert_int_equal(block.highest_sequence, 66999);
    assert_int_equal(reload_media_source_report(&source, 1).fraction_lost, 0);
}

static void a_jump_is_believed_at_its_second_packet_only(void **state)
{
    (void)state;
    uint32_t extended;
    bool restarted;
    reload_media_source_start(&source, 7, 100);
    assert_int_equal(take(100, &extended, &restarted), 0);
    assert_int_equal(take(40000, &extended, &restarted), RELOAD_E_TOO_OLD);
    assert_int_equal(take(101, &extended, &restarted), 0);
    assert_int_equal(take(40001, &extended, &restarted), RELOAD_E_TOO_OLD);
    assert_int_equal(take(40002, &extended, &restarted), 0);
    assert_true(restarted);
    assert_int_equal(take(40003, &extended, &restarted), 0);
    assert_false(restarted);
    assert_int_equal(take(39950, &extended, &restarted), 0); /* late, not restarted */
    assert_int_equal(take(39000, &extended, &restarted), RELOAD_E_TOO_OLD);
}

static void jitter_is_zero_when_packets_come_evenly_and_grows_when_not(void **state)
{
    (void)state;
    uint32_t extended;
    bool restarted;
    reload_media_source_start(&source, 7, 0);
    for (uint16_t i = 0; i < 500; i++)
        assert_int_equal(take(i, &extended, &restarted), 0);
    assert_true(source.jitter < 1);
    for (uint16_t i = 500; i < 1000; i++) /* every other one 10 ms late */
        assert_int_equal(reload_media_source_packet(&source, i, i * 960u, i * 20u + (i % 2) * 10,
                                                    &extended, &restarted),
                         0);
    assert_true(source.jitter > 450 && source.jitter < 490); /* 10 ms are 480 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_with_everything_is_read),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(cut_or_lying_packets_are_refused),
        cmocka_unit_test(rtcp_is_told_from_rtp_by_its_type),
        cmocka_unit_test(reports_are_read_as_they_were_written),
        cmocka_unit_test(cut_bent_and_disordered_reports_are_refused_or_harmless),
        cmocka_unit_test(ntp_time_counts_from_1900),
        cmocka_unit_test(sequence_numbers_wrap_and_loss_is_counted_across_it),
        cmocka_unit_test(a_jump_is_believed_at_its_second_packet_only),
        cmocka_unit_test(jitter_is_zero_when_packets_come_evenly_and_grows_when_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
