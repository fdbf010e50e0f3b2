#include "pair.h"

#include <stdio.h>
#include <stdlib.h>

#include "reload/alloc.h"
#include "usage-sip/candidate.h"

#define SESSION         "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define AUDIO(protocol) "m=audio 4000 " protocol " 109 8\r\na=rtpmap:109 opus/48000/2\r\n"
#define PRINT                                                                                      \
    "a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:"  \
    "77:88:99:AA:BB:CC:DD:EE:FF\r\n"
#define GOOD SESSION AUDIO("UDP/TLS/RTP/SAVPF") PRINT "a=rtcp-mux\r\na=setup:actpass\r\n"

static int read_text(const char *text, struct reload_sip_sdp *out)
{
    size_t len = strlen(text);
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    int error = reload_sip_sdp_read(copy, len, out);
    free(copy);
    return error;
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    struct reload_sip_sdp sdp;
    struct reload_sip_media media = media_of(3);
    const struct reload_sip_origin origin = { 7, 1 };
    char *text = NULL;
    media.direction = RELOAD_SIP_SENDONLY;
    media.ice_pacing_ms = 5;
    media.candidates[1] = (struct reload_sip_candidate){
        .foundation = "2",
        .priority = 77,
        .type = RELOAD_SIP_RELAY,
        .address = { .len = 16, .bytes = { 0x20, 1, 0xd, 0xb8, [15] = 1 }, .port = 5 },
        .related = { .len = 4, .bytes = { 10, 0, 0, 1 }, .port = 6 },
    };
    media.candidate_count = 2;
    assert_int_equal(reload_sip_sdp_write(&media, NULL, &origin, &text), 0);
    assert_null(strstr(text, "RTP/AVP"));
    assert_non_null(strstr(text, "a=end-of-candidates"));
    assert_int_equal(read_text(text, &sdp), 0);
    assert_int_equal(sdp.media.opus_payload, 111);
    assert_int_equal(sdp.media.event_payload, 101);
    assert_int_equal(sdp.media.direction, RELOAD_SIP_SENDONLY);
    assert_int_equal(sdp.media.setup, RELOAD_SIP_ACTPASS);
    assert_int_equal(sdp.media.candidate_count, 2);
    assert_memory_equal(&sdp.media.candidates[1], &media.candidates[1], sizeof media.candidates[1]);
    assert_memory_equal(sdp.media.fingerprint, media.fingerprint, 32);
    assert_string_equal(sdp.media.ice_pwd, media.ice_pwd);
    assert_int_equal(sdp.media.ice_pacing_ms, 5);
    assert_true(sdp.media.fec && !sdp.media.dtx);
    assert_int_equal(sdp.media.ptime_ms, 20);
    reload_free(text);
}

/* RFC 3264 s6: every stream has its place in the answer. */
static void streams_that_are_not_wanted_keep_their_place_with_port_0(void **state)
{
    (void)state;
    struct reload_sip_sdp offer, answer;
    struct reload_sip_media media = media_of(3);
    const struct reload_sip_origin origin = { 7, 1 };
    char *text = NULL;
    assert_int_equal(read_text(SESSION "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n" AUDIO(
                                   "UDP/TLS/RTP/SAVP") PRINT "a=rtcp-mux\r\na=setup:active\r\n",
                               &offer),
                     0);
    assert_int_equal(offer.stream_count, 2);
    assert_int_equal(offer.audio, 1);
    media.setup = reload_sip_setup_answer(offer.media.setup);
    media.opus_payload = offer.media.opus_payload;
    assert_int_equal(reload_sip_sdp_write(&media, &offer, &origin, &text), 0);
    assert_non_null(strstr(text, "m=video 0 RTP/AVP 96"));
    assert_non_null(strstr(text, "m=audio 40000 UDP/TLS/RTP/SAVP 109"));
    assert_int_equal(read_text(text, &answer), 0);
    assert_int_equal(answer.media.setup, RELOAD_SIP_PASSIVE);
    assert_int_equal(reload_sip_answer_check(&offer.media, 2, &answer), 0);
    assert_int_equal(reload_sip_answer_check(&offer.media, 1, &answer), RELOAD_E_INVALID);
    reload_free(text);
}

static void media_in_the_clear_and_half_descriptions_are_refused(void **state)
{
    (void)state;
    struct reload_sip_sdp sdp;
    static const struct {
        const char *text;
        int error;
    } bad[] = {
        { SESSION AUDIO("RTP/AVP") PRINT "a=rtcp-mux\r\n", RELOAD_E_UNSUPPORTED },
        { SESSION AUDIO("RTP/SAVP") PRINT "a=rtcp-mux\r\n", RELOAD_E_UNSUPPORTED },
        { SESSION AUDIO("UDP/TLS/RTP/SAVPF") "a=rtcp-mux\r\n", RELOAD_E_UNSUPPORTED },
        { SESSION AUDIO("UDP/TLS/RTP/SAVPF") PRINT, RELOAD_E_UNSUPPORTED },
        { SESSION AUDIO("UDP/TLS/RTP/SAVPF") "a=rtcp-mux\r\na=fingerprint:md5 00:11\r\n",
          RELOAD_E_UNSUPPORTED },
        { SESSION AUDIO("UDP/TLS/RTP/SAVPF") "a=rtcp-mux\r\na=fingerprint:sha-256 00:11\r\n",
          RELOAD_E_DECODE },
        { GOOD "a=setup:holdconn\r\n", 0 }, /* the first one holds */
        { GOOD "a=ice-ufrag:abcd\r\n", RELOAD_E_DECODE },
        { GOOD "a=ice-ufrag:abc\r\na=ice-pwd:0123456789012345678901\r\n", RELOAD_E_DECODE },
        { SESSION "m=audio 0 UDP/TLS/RTP/SAVPF 109\r\na=rtpmap:109 opus/48000/2\r\n" PRINT
                  "a=rtcp-mux\r\n",
          RELOAD_E_UNSUPPORTED },
        { SESSION, RELOAD_E_UNSUPPORTED },
        { "hello", RELOAD_E_DECODE },
        { "", RELOAD_E_DECODE },
    };
    assert_int_equal(read_text(GOOD, &sdp), 0);
    assert_int_equal(sdp.media.opus_payload, 109);
    assert_int_equal(sdp.media.event_payload, 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(read_text(bad[i].text, &sdp), bad[i].error);
}

static void what_a_description_may_hold_is_bounded(void **state)
{
    (void)state;
    static struct reload_sip_sdp sdp;
    static char text[RELOAD_SIP_SDP_MAX + 100];
    int len = snprintf(text, sizeof text, "%s",
                       GOOD "a=ice-ufrag:abcd\r\n"
                            "a=ice-pwd:0123456789012345678901\r\n");
    for (int i = 0; i < 100; i++)
        len += snprintf(text + len, sizeof text - (size_t)len,
                        "a=candidate:%d 1 UDP 5 192.0.2.7 99 typ host\r\n", i);
    assert_int_equal(read_text(text, &sdp), 0);
    assert_int_equal(sdp.media.candidate_count, RELOAD_SIP_CANDIDATES_MAX);
    for (int i = 0; i < 200; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, "a=x\r\n");
    assert_int_equal(read_text(text, &sdp), RELOAD_E_LIMIT);
    len = snprintf(text, sizeof text, "%s", GOOD);
    for (int i = 0; i < 9; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, "m=audio 0 RTP/AVP 0\r\n");
    assert_int_equal(read_text(text, &sdp), RELOAD_E_LIMIT);
    memset(text, 'v', sizeof text);
    assert_int_equal(reload_sip_sdp_read(text, sizeof text, &sdp), RELOAD_E_LIMIT);
}

/* RFC 8839 s5.1 */
static void candidates_are_read_and_what_we_cannot_use_is_left(void **state)
{
    (void)state;
    struct reload_sip_candidate c;
    static const struct {
        const char *value;
        int error;
    } rows[] = {
        { "1 1 UDP 2130706431 192.0.2.1 5000 typ host", 0 },
        { "1 1 udp 1 2001:db8::1 5000 typ srflx raddr 192.0.2.1 rport 6 generation 0", 0 },
        { "1 2 UDP 1 192.0.2.1 5000 typ host", RELOAD_E_UNSUPPORTED },
        { "1 1 TCP 1 192.0.2.1 5000 typ host tcptype active", RELOAD_E_UNSUPPORTED },
        { "1 1 UDP 1 host.local 5000 typ host", RELOAD_E_UNSUPPORTED },
        { "1 1 UDP 1 192.0.2.1 5000 typ moon", RELOAD_E_UNSUPPORTED },
        { "1 1 UDP 1 192.0.2.1 70000 typ host", RELOAD_E_DECODE },
        { "1 1 UDP 1 192.0.2.1 0 typ host", RELOAD_E_DECODE },
        { "1 1 UDP 4294967296 192.0.2.1 1 typ host", RELOAD_E_DECODE },
        { "1 0 UDP 1 192.0.2.1 1 typ host", RELOAD_E_DECODE },
        { "123456789012345678901234567890123 1 UDP 1 192.0.2.1 1 typ host", RELOAD_E_DECODE },
        { "1 1 UDP 1 192.0.2.1", RELOAD_E_DECODE },
        { "", RELOAD_E_DECODE },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(reload_sip_candidate_read(rows[i].value, &c), rows[i].error);
    assert_int_equal(reload_sip_candidate_read(rows[1].value, &c), 0);
    assert_int_equal(c.related.port, 6);
}

/* RFC 3264 s6.1 and RFC 5763 s5, all cells */
/* RFC 8839 s5.5, RFC 8445 s10 and s14.2. */
static void the_pace_of_checks_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *session, *stream;
        unsigned ms;
    } cases[] = {
        { "a=ice-pacing:7\r\n", "", 7 },
        { "a=ice-pacing:0000000007\r\n", "", 7 },
        { "a=ice-pacing:9999999999\r\n", "", RELOAD_SIP_ICE_PACING_MAX },
        { "a=ice-pacing:99999999999\r\n", "", 0 },
        { "a=ice-pacing:-1\r\n", "", 0 },
        { "a=ice-pacing\r\n", "", 0 },
        { "", "", 0 },
        { "a=ice-options:rtp+ecn ice2\r\n", "", 50 },
        { "", "a=ice-options:ice2\r\n", 50 },
        { "a=ice-options:ice22\r\n", "", 0 },
        { "a=ice-options:ice2\r\na=ice-pacing:20\r\n", "", 20 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reload_sip_sdp sdp;
        char text[2048];
        snprintf(text, sizeof text,
                 SESSION "%s" AUDIO("UDP/TLS/RTP/SAVPF") PRINT
                 "a=rtcp-mux\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n%s",
                 cases[i].session, cases[i].stream);
        assert_int_equal(read_text(text, &sdp), 0);
        assert_int_equal(sdp.media.ice_pacing_ms, cases[i].ms);
    }
}

static void answers_mirror_direction_and_role(void **state)
{
    (void)state;
    static const enum reload_sip_direction mirror[] = { RELOAD_SIP_INACTIVE, RELOAD_SIP_RECVONLY,
                                                        RELOAD_SIP_SENDONLY, RELOAD_SIP_SENDRECV };
    for (unsigned offer = 0; offer < 4; offer++)
        for (unsigned wish = 0; wish < 4; wish++)
            assert_int_equal(reload_sip_direction_answer((enum reload_sip_direction)offer,
                                                         (enum reload_sip_direction)wish),
                             mirror[offer] & wish);
    assert_int_equal(reload_sip_setup_answer(RELOAD_SIP_ACTPASS), RELOAD_SIP_ACTIVE);
    assert_int_equal(reload_sip_setup_answer(RELOAD_SIP_PASSIVE), RELOAD_SIP_ACTIVE);
    assert_int_equal(reload_sip_setup_answer(RELOAD_SIP_ACTIVE), RELOAD_SIP_PASSIVE);
    for (unsigned offer = 0; offer < 3; offer++)
        for (unsigned answer = 0; answer < 3; answer++) {
            struct reload_sip_media media = { .setup = (enum reload_sip_setup)offer };
            struct reload_sip_sdp sdp = { .stream_count = 1 };
            sdp.media.setup = (enum reload_sip_setup)answer;
            bool fits =
                answer != RELOAD_SIP_ACTPASS && (offer == RELOAD_SIP_ACTPASS || offer != answer);
            assert_int_equal(reload_sip_answer_check(&media, 1, &sdp), fits ? 0 : RELOAD_E_INVALID);
        }
}

static void turned_and_cut_descriptions_do_no_harm(void **state)
{
    (void)state;
    static struct reload_sip_sdp sdp;
    char text[1024];
    size_t len = (size_t)snprintf(text, sizeof text, "%s",
                                  GOOD "a=candidate:1 1 UDP 5 192.0.2.7 99 typ host\r\n"
                                       "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n");
    for (size_t at = 0; at < len; at++) {
        char kept = text[at];
        for (unsigned turn = 1; turn < 256; turn *= 2) {
            text[at] = (char)(kept ^ (char)turn);
            (void)!reload_sip_sdp_read(text, len, &sdp);
            assert_true(sdp.stream_count <= RELOAD_SIP_STREAMS_MAX);
        }
        text[at] = '\0';
        assert_int_equal(reload_sip_sdp_read(text, len, &sdp), RELOAD_E_DECODE);
        assert_int_not_equal(read_text(text, &sdp), RELOAD_E_NOMEM);
        text[at] = kept;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(streams_that_are_not_wanted_keep_their_place_with_port_0),
        cmocka_unit_test(media_in_the_clear_and_half_descriptions_are_refused),
        cmocka_unit_test(what_a_description_may_hold_is_bounded),
        cmocka_unit_test(candidates_are_read_and_what_we_cannot_use_is_left),
        cmocka_unit_test(the_pace_of_checks_is_read),
        cmocka_unit_test(answers_mirror_direction_and_role),
        cmocka_unit_test(turned_and_cut_descriptions_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
