/* Sessions from SDP to sound, and what is refused on the way. */

#include "media/fingerprint.h"
#include "tests/media/session_world.h"
#include "tests/reload/link/pki.h"
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct world world;

static int make(void **state)
{
    (void)state;
    world_make(&world);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    world_free(&world);
    return 0;
}

static void open_both(void)
{
    world_open(&world, 0, "tone", NULL);
    world_open(&world, 1, "tone:600", NULL);
}

static void talk(void)
{
    open_both();
    world_negotiate(&world);
    world_start(&world);
    assert_true(world_reach(&world, RELOAD_MEDIA_SESSION_SECURE));
}

static void wait_for_audio(void)
{
    for (int i = 0; i < 200 && !(world.end[0].audio && world.end[1].audio); i++)
        world_run(&world, 10);
    assert_true(world.end[0].audio && world.end[1].audio);
}

static struct reload_media_session_counters refused(size_t index)
{
    return world_status(&world, index).counters;
}

/* RFC 5763 s5, RFC 5764: the whole way. */
static void offer_and_answer_lead_to_keys_and_sound_both_ways(void **state)
{
    (void)state;
    open_both();
    struct reload_media_parameters offer = world_local(&world, 0, true);
    assert_int_equal(offer.setup, RELOAD_MEDIA_ACTPASS);
    assert_int_equal(offer.direction, RELOAD_MEDIA_SENDRECV);
    world_negotiate(&world);
    assert_int_equal(world_local(&world, 1, false).setup, RELOAD_MEDIA_ACTIVE);
    assert_int_equal(world_local(&world, 0, false).setup, RELOAD_MEDIA_PASSIVE);
    assert_int_equal(world_local(&world, 1, true).setup, RELOAD_MEDIA_ACTPASS);
    world_start(&world);
    assert_true(world_reach(&world, RELOAD_MEDIA_SESSION_SECURE));
    assert_int_equal(world_status(&world, 0).profile, RELOAD_MEDIA_AEAD_AES_128_GCM);
    wait_for_audio();
    assert_int_equal(reload_media_session_press(world.end[0].session, '4'), 0);
    assert_int_equal(reload_media_session_press(world.end[0].session, '#'), 0);
    assert_int_equal(reload_media_session_press(world.end[0].session, 'x'), RELOAD_E_INVALID);
    world_run(&world, 600);
    assert_string_equal(world.end[1].keys, "4#");
    assert_int_equal(world.end[0].keys[0], 0);
    struct reload_media_call_status call = world_status(&world, 1).call;
    assert_true(call.quality.heard_dbov > -20 && call.quality.said_dbov > -20);
    assert_int_equal(call.counters.unkeyed + call.counters.unauthentic + call.counters.malformed,
                     0);
}

static void stopping_says_bye_and_closes_both(void **state)
{
    (void)state;
    talk();
    wait_for_audio();
    reload_media_session_stop(world.end[0].session);
    world_run(&world, 100);
    assert_int_equal(world.end[0].state, RELOAD_MEDIA_SESSION_ENDED);
    assert_true(world.end[1].bye);
    assert_int_equal(world.end[1].state, RELOAD_MEDIA_SESSION_SECURE); /* SIP has the word */
    unsigned before = world.end[0].datagrams_sent;
    reload_media_session_free(world.end[0].session);
    world.end[0].session = NULL;
    assert_int_equal(world.end[0].datagrams_sent, before + 1); /* DTLS close_notify */
    world_run(&world, 100);
    assert_int_equal(world.end[1].state, RELOAD_MEDIA_SESSION_ENDED);
    static const uint8_t late[60] = { 0x80, 96 };
    const struct reload_media_session_counters counted = refused(1);
    reload_media_session_receive(world.end[1].session, 100, late, sizeof late, world_now());
    assert_int_equal(refused(1).after_end, counted.after_end + 1);
    assert_int_equal(refused(1).other, counted.other); /* it is no noise */
}

static void keys_agreed_on_while_it_rings_serve_when_the_call_is_taken(void **state)
{
    (void)state;
    open_both();
    world_negotiate(&world);
    assert_true(world_reach(&world, RELOAD_MEDIA_SESSION_SECURE));
    world_run(&world, 50);
    assert_int_equal(world_status(&world, 0).call.blocks, 0); /* no microphone is open */
    assert_int_equal(reload_media_session_press(world.end[0].session, '1'), RELOAD_E_STATE);
    assert_int_equal(reload_media_session_start(world.end[0].session), 0);
    world_run(&world, 100);
    assert_true(refused(1).unkeyed > 2); /* Bob has not taken it: nobody listens */
    assert_int_equal(reload_media_session_start(world.end[1].session), 0);
    assert_int_equal(reload_media_session_start(world.end[1].session), RELOAD_E_STATE);
    wait_for_audio();
}

static void hold_stops_our_sound_and_theirs_comes_back_on_resume(void **state)
{
    (void)state;
    talk();
    wait_for_audio();
    reload_media_session_hold(world.end[0].session, true);
    struct reload_media_parameters offer = world_local(&world, 0, true);
    assert_int_equal(offer.direction, RELOAD_MEDIA_SENDONLY);
    assert_int_equal(reload_media_session_remote(world.end[1].session, &offer, world_now()), 0);
    assert_int_equal(world_local(&world, 1, false).direction, RELOAD_MEDIA_RECVONLY);
    offer.direction = RELOAD_MEDIA_INACTIVE;
    assert_int_equal(reload_media_session_remote(world.end[1].session, &offer, world_now()), 0);
    assert_int_equal(world_local(&world, 1, false).direction, RELOAD_MEDIA_INACTIVE);
    world_run(&world, 60);
    uint64_t sent[2];
    for (size_t i = 0; i < 2; i++)
        sent[i] = world_status(&world, i).call.counters.rtp_sent;
    world_run(&world, 200);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(world_status(&world, i).call.counters.rtp_sent, sent[i]);
    reload_media_session_hold(world.end[0].session, false);
    offer.direction = RELOAD_MEDIA_SENDRECV;
    assert_int_equal(reload_media_session_remote(world.end[1].session, &offer, world_now()), 0);
    world_run(&world, 200);
    for (size_t i = 0; i < 2; i++)
        assert_true(world_status(&world, i).call.counters.rtp_sent >= sent[i] + 5);
    assert_int_equal(world_status(&world, 0).state, RELOAD_MEDIA_SESSION_SECURE);
}

static void lost_handshake_datagrams_are_sent_again(void **state)
{
    (void)state;
    world.loss_percent = 20;
    talk();
    wait_for_audio();
}

static void a_hello_that_overtakes_the_answer_is_kept(void **state)
{
    (void)state;
    open_both();
    struct reload_media_parameters offer = world_local(&world, 0, true), answer;
    assert_int_equal(reload_media_session_remote(world.end[1].session, &offer, world_now()), 0);
    answer = world_local(&world, 1, false);
    reload_media_session_path(world.end[1].session, 100, world_now()); /* the hello leaves */
    world_run(&world, 20);
    static const uint8_t hello[20] = { 22 };
    for (int i = 0; i < 5; i++) /* somebody else fills what room there is */
        reload_media_session_receive(world.end[0].session, 7, hello, sizeof hello, world_now());
    assert_int_equal(refused(0).early_dropped, 5 - (RELOAD_MEDIA_EARLY_MAX - 1));
    uint64_t began_ms = world_now().monotonic_ms;
    assert_int_equal(reload_media_session_remote(world.end[0].session, &answer, world_now()), 0);
    reload_media_session_path(world.end[0].session, 101, world_now());
    assert_int_equal(refused(0).elsewhere, RELOAD_MEDIA_EARLY_MAX - 1);
    assert_true(world_reach(&world, RELOAD_MEDIA_SESSION_SECURE));
    assert_in_range(world_now().monotonic_ms - began_ms, 0, 75); /* no repetition was waited for */
}

static void the_far_end_may_move_and_the_old_place_is_then_elsewhere(void **state)
{
    (void)state;
    talk();
    wait_for_audio();
    reload_media_session_path(world.end[0].session, 555, world_now());
    world_run(&world, 100);
    assert_true(refused(0).elsewhere >= 3);
    uint64_t before = refused(0).elsewhere;
    reload_media_session_path(world.end[0].session, 101, world_now());
    world_run(&world, 60);
    uint64_t heard = world_status(&world, 0).call.counters.rtp_received;
    world_run(&world, 100);
    assert_true(world_status(&world, 0).call.counters.rtp_received >= heard + 3);
    assert_in_range(refused(0).elsewhere, before, before + 1);
}

/* RFC 8842 s3.1: new fingerprints in an offer and its answer, and the sound goes on. */
static void a_new_certificate_is_a_new_association(void **state)
{
    (void)state;
    talk();
    wait_for_audio();
    struct reload_engine_srtp *other;
    struct reload_media_session *alice = world.end[0].session;
    assert_int_equal(reload_engine_srtp_new(NULL, NULL, NULL, world_now(), &other), 0);
    reload_media_session_free(alice); /* Alice comes back as another program */
    world.end[0].session = NULL;
    world.tamper = NULL;
    struct reload_engine_srtp *first = world.end[0].certificate;
    world.end[0].certificate = other;
    world.count = 0; /* nor did her farewell arrive */
    world_open(&world, 0, "tone", NULL);
    world.end[0].audio = false;
    world.end[0].state = RELOAD_MEDIA_SESSION_NEW;
    struct reload_media_parameters offer = world_local(&world, 0, true), answer;
    assert_int_equal(reload_media_session_remote(world.end[1].session, &offer, world_now()), 0);
    answer = world_local(&world, 1, false);
    assert_int_equal(reload_media_session_remote(world.end[0].session, &answer, world_now()), 0);
    reload_media_session_path(world.end[0].session, 101, world_now());
    assert_int_equal(reload_media_session_start(world.end[0].session), 0);
    assert_true(world_reach(&world, RELOAD_MEDIA_SESSION_SECURE));
    wait_for_audio();
    reload_engine_srtp_free(first);
}

/* --- hostile --- */

static void a_wrong_fingerprint_fails_and_nothing_is_ever_sent_in_the_clear(void **state)
{
    (void)state;
    open_both();
    struct reload_media_parameters offer = world_local(&world, 0, true), answer;
    offer.fingerprint[0] ^= 0x80;
    assert_int_equal(reload_media_session_remote(world.end[1].session, &offer, world_now()), 0);
    answer = world_local(&world, 1, false);
    assert_int_equal(reload_media_session_remote(world.end[0].session, &answer, world_now()), 0);
    for (size_t i = 0; i < 2; i++)
        reload_media_session_path(world.end[i].session, 100 + (1 - i), world_now());
    world_start(&world);
    assert_true(world_reach(&world, RELOAD_MEDIA_SESSION_FAILED));
    assert_int_equal(world.end[1].error, RELOAD_E_CERTIFICATE);
    assert_string_equal(world.end[1].reason,
                        "the far end's certificate is not the one that was signalled");
    assert_int_not_equal(world.end[0].error, 0);
    world_run(&world, 100);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(world.end[i].last_rtp.len, 0);
        assert_int_equal(world_status(&world, i).call.counters.rtp_sent, 0);
        assert_int_equal(world_status(&world, i).profile, 0);
    }
    assert_int_equal(reload_media_session_remote(world.end[0].session, &answer, world_now()),
                     RELOAD_E_STATE);
}

/* The far end is a link of an overlay: DTLS as it should be, but for use_srtp. */
static void without_use_srtp_there_is_no_call(void **state)
{
    (void)state;
    struct pki ca;
    struct identity alice, bob;
    struct reload_engine_context *link;
    struct reload_engine *engine;
    pki_init(&ca);
    identity_init(&alice, &ca, &ca, 0xaa, PKI_EC);
    identity_init(&bob, &ca, &ca, 0xbb, PKI_EC);
    reload_engine_srtp_free(world.end[1].certificate);
    assert_int_equal(
        reload_engine_srtp_new(&pki_ops, &bob, NULL, world_now(), &world.end[1].certificate), 0);
    world_open(&world, 1, "null", NULL);
    struct reload_media_session *session = world.end[1].session;
    struct reload_media_parameters theirs = world_local(&world, 1, true);
    theirs.setup = RELOAD_MEDIA_ACTIVE;
    assert_int_equal(X509_digest(alice.x509, EVP_sha256(), theirs.fingerprint, NULL), 1);
    assert_int_equal(reload_media_session_remote(session, &theirs, world_now()), 0);
    reload_media_session_path(session, 100, world_now());
    assert_int_equal(reload_media_session_start(session), 0);
    assert_int_equal(reload_engine_context_new(&pki_ops, &alice, NULL, &link), 0);
    assert_int_equal(
        reload_engine_new_datagram(link, RELOAD_LINK_CLIENT, NULL, 1200, false, &engine), 0);
    for (int i = 0; i < 10; i++) {
        struct reload_slice datagram;
        (void)!reload_engine_handshake(engine, world_now());
        for (; reload_engine_datagram_next(engine, &datagram, 1);
             reload_engine_datagram_sent(engine, 1))
            reload_media_session_receive(session, 100, datagram.p, datagram.n, world_now());
        for (; world.count > 0; world.count--, world.first++) {
            struct world_datagram *d = &world.wire[world.first];
            reload_engine_input(engine, reload_slice_of(d->bytes, d->len));
            (void)!reload_engine_handshake(engine, world_now());
        }
    }
    assert_int_equal(reload_engine_handshake(engine, world_now()), 0);
    world_run(&world, 100);
    assert_int_equal(world.end[1].state, RELOAD_MEDIA_SESSION_FAILED);
    assert_int_equal(world.end[1].error, RELOAD_E_UNSUPPORTED);
    assert_string_equal(world.end[1].reason, "the far end does not speak DTLS-SRTP (use_srtp)");
    assert_int_equal(world.end[1].last_rtp.len, 0);
    reload_engine_free(engine);
    reload_engine_context_free(link);
    reload_media_session_stop(session);
    world_run(&world, 50);
    reload_media_session_free(session);
    world.end[1].session = NULL;
    reload_engine_srtp_free(world.end[1].certificate);
    world.end[1].certificate = NULL;
    identity_fini(&alice);
    identity_fini(&bob);
    pki_fini(&ca);
}

static bool swallow_dtls(struct world *w, struct world_datagram *d)
{
    (void)w;
    return d->bytes[0] >= 128;
}

static void before_the_keys_nothing_leaves_and_nothing_is_heard(void **state)
{
    (void)state;
    open_both();
    world.tamper = swallow_dtls;
    world_negotiate(&world);
    world_start(&world);
    static const uint8_t clear[] = { 0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0xf8, 0xff, 0xfe };
    for (int i = 0; i < 10; i++)
        reload_media_session_receive(world.end[1].session, 100, clear, sizeof clear, world_now());
    world_run(&world, 300);
    assert_int_equal(refused(1).unkeyed, 10);
    assert_int_equal(world.end[0].last_rtp.len + world.end[1].last_rtp.len, 0);
    assert_false(world.end[1].audio);
    assert_int_equal(world.end[1].state, RELOAD_MEDIA_SESSION_HANDSHAKE);
    struct reload_time late = world_now();
    late.monotonic_ms += RELOAD_MEDIA_HANDSHAKE_MS;
    assert_true(reload_media_session_deadline(world.end[1].session, late.monotonic_ms) <=
                late.monotonic_ms);
    reload_media_session_tick(world.end[1].session, late);
    world_run(&world, 20);
    assert_int_equal(world.end[1].state, RELOAD_MEDIA_SESSION_FAILED);
    assert_int_equal(world.end[1].error, RELOAD_E_TIMEOUT);
}

static void replayed_clear_and_foreign_packets_are_refused_and_counted(void **state)
{
    (void)state;
    talk();
    wait_for_audio();
    struct reload_media_session *bob = world.end[1].session;
    static const uint8_t clear[60] = { 0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7 };
    static const uint8_t rtcp[60] = { 0x81, 200, 0, 6, 1, 2, 3, 4 };
    static const uint8_t stun[20] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
    pthread_mutex_lock(&world.lock);
    struct world_datagram copy = world.end[0].last_rtp;
    pthread_mutex_unlock(&world.lock);
    world_run(&world, 60); /* it has been played by now */
    struct reload_media_counters before = world_status(&world, 1).call.counters;
    for (int i = 0; i < 3; i++)
        reload_media_session_receive(bob, 100, copy.bytes, copy.len, world_now());
    reload_media_session_receive(bob, 999, copy.bytes, copy.len, world_now());
    reload_media_session_receive(bob, 999, stun, 0, world_now());
    reload_media_session_receive(bob, 100, clear, sizeof clear, world_now());
    reload_media_session_receive(bob, 100, rtcp, sizeof rtcp, world_now());
    reload_media_session_receive(bob, 100, stun, sizeof stun, world_now());
    copy.bytes[2] = (uint8_t)(copy.bytes[2] + 4); /* 1024 packets ahead: not seen */
    reload_media_session_receive(bob, 100, copy.bytes, copy.len, world_now());
    world_run(&world, 60);
    struct reload_media_counters after = world_status(&world, 1).call.counters;
    assert_int_equal(after.replayed - before.replayed, 3);
    assert_int_equal(after.wrong_ssrc - before.wrong_ssrc, 2);
    assert_int_equal(after.unauthentic - before.unauthentic, 1);
    assert_int_equal(refused(1).elsewhere, 1);
    assert_int_equal(refused(1).stun, 1);
    assert_int_equal(refused(1).other, 1); /* an empty one */
    assert_true(after.rtp_received > before.rtp_received);
}

static void dtls_after_the_keys_changes_nothing(void **state)
{
    (void)state;
    talk();
    wait_for_audio();
    struct reload_media_session *bob = world.end[1].session;
    uint8_t forged[100] = { 22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 40, 1 }; /* a hello */
    static const uint8_t alert[] = { 21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 8, 0, 2, 2, 40 };
    static const uint8_t closed[] = { 21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 8, 0, 2, 1, 0 };
    uint64_t before = refused(1).dtls_after_keys;
    reload_media_session_receive(bob, 100, forged, sizeof forged, world_now());
    reload_media_session_receive(bob, 100, alert, sizeof alert, world_now());
    reload_media_session_receive(bob, 100, closed, sizeof closed, world_now());
    for (unsigned i = 0; i < 500; i++) {
        forged[i % sizeof forged] = (uint8_t)(i * 31);
        forged[0] = (uint8_t)(20 + i % 44);
        reload_media_session_receive(bob, 100, forged, sizeof forged, world_now());
    }
    assert_int_equal(refused(1).dtls_after_keys - before, 503);
    reload_media_session_receive(bob, 999, forged, sizeof forged, world_now());
    assert_int_equal(refused(1).elsewhere, 1);
    uint64_t heard = world_status(&world, 1).call.counters.rtp_received;
    world_run(&world, 100);
    assert_int_equal(world.end[1].state, RELOAD_MEDIA_SESSION_SECURE);
    assert_true(world_status(&world, 1).call.counters.rtp_received >= heard + 3);
}

static void what_is_longer_than_any_packet_is_dropped_and_counted(void **state)
{
    (void)state;
    static uint8_t rtp[65507] = { 0x80, 96 }, dtls[65507] = { 22, 0xfe, 0xfd };
    talk();
    wait_for_audio();
    struct reload_media_session *bob = world.end[1].session;
    uint64_t dropped = world_status(&world, 1).call.inbox_dropped;
    uint64_t after_keys = refused(1).dtls_after_keys;
    for (size_t len = RELOAD_MEDIA_PACKET_MAX + 1; len <= sizeof rtp; len = 2 * len + 1)
        for (int i = 0; i < 2; i++)
            reload_media_session_receive(bob, 100, i ? dtls : rtp, len, world_now());
    reload_media_session_receive(bob, 100, rtp, sizeof rtp, world_now());
    assert_int_equal(world_status(&world, 1).call.inbox_dropped - dropped, 7);
    assert_int_equal(refused(1).dtls_after_keys - after_keys, 6);
    for (size_t len = 0; len < 12; len++) /* nor what is shorter than any */
        reload_media_session_receive(bob, 100, rtp, len, world_now());
    uint64_t heard = world_status(&world, 1).call.counters.rtp_received;
    world_run(&world, 100);
    assert_int_equal(world_status(&world, 1).call.counters.malformed, 11);
    assert_int_equal(refused(1).other, 1);
    assert_int_equal(world.end[1].state, RELOAD_MEDIA_SESSION_SECURE);
    assert_true(world_status(&world, 1).call.counters.rtp_received >= heard + 3);
}

/* --- a far end that is gone --- */

static struct reload_time later(unsigned ms)
{
    struct reload_time now = world_now();
    now.monotonic_ms += ms;
    return now;
}

static void look(struct reload_time now)
{
    struct reload_media_event event;
    reload_media_session_tick(world.end[0].session, now);
    while (reload_media_session_next(world.end[0].session, &event))
        world.end[0].state =
            event.type == RELOAD_MEDIA_EVENT_STATE ? event.state : world.end[0].state;
}

/* RFC 3550 s6.3.5, RFC 7675 s5.1 */
static void a_far_end_that_falls_silent_is_gone_after_30_s(void **state)
{
    (void)state;
    talk();
    wait_for_audio();
    reload_media_session_free(world.end[1].session);
    world.end[1].session = NULL;
    world.count = 0; /* nor was there a farewell */
    look(later(RELOAD_MEDIA_SILENCE_MS - 2000));
    assert_int_equal(world.end[0].state, RELOAD_MEDIA_SESSION_SECURE);
    struct reload_time now = world_now();
    uint64_t due_ms = reload_media_session_deadline(world.end[0].session, now.monotonic_ms);
    assert_in_range(due_ms, now.monotonic_ms + RELOAD_MEDIA_SILENCE_MS - 2000,
                    now.monotonic_ms + RELOAD_MEDIA_SILENCE_MS);
    look(later(RELOAD_MEDIA_SILENCE_MS));
    assert_int_equal(world.end[0].state, RELOAD_MEDIA_SESSION_FAILED);
}

static void one_whose_signalling_is_gone_too_is_gone_after_10_s(void **state)
{
    (void)state;
    talk();
    wait_for_audio();
    reload_media_session_doubt(world.end[0].session);
    world_run(&world, 100);
    assert_int_equal(world.end[0].state, RELOAD_MEDIA_SESSION_SECURE); /* it is still heard */
    reload_media_session_free(world.end[1].session);
    world.end[1].session = NULL;
    world.count = 0;
    look(later(RELOAD_MEDIA_DOUBT_MS - 2000));
    assert_int_equal(world.end[0].state, RELOAD_MEDIA_SESSION_SECURE);
    look(later(RELOAD_MEDIA_DOUBT_MS));
    assert_int_equal(world.end[0].state, RELOAD_MEDIA_SESSION_FAILED);
}

/* --- device and options --- */

static void a_device_that_fails_is_an_event(void **state)
{
    (void)state;
    world_open(&world, 0, "file:/nonexistent/said.wav", NULL);
    world_open(&world, 1, "null", NULL);
    struct pollfd news = { reload_media_session_descriptor(world.end[0].session), POLLIN, 0 };
    assert_int_equal(reload_media_session_start(world.end[0].session), 0);
    assert_int_equal(poll(&news, 1, 2000), 1);
    world_run(&world, 20);
    assert_int_equal(world.end[0].state, RELOAD_MEDIA_SESSION_FAILED);
    assert_int_equal(world.end[0].error, RELOAD_E_IO);
    assert_true(world.end[0].reason[0] != 0);
    assert_int_equal(poll(&news, 1, 0), 0);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    struct noise noise = noise_of(5);
    struct reload_media_session_options good = { world.end[0].certificate,
                                                 reload_media_stream_defaults(), "null", NULL };
    good.stream.random = random_of(&noise);
    struct reload_media_session *session;
    for (int i = 0; i < 5; i++) {
        struct reload_media_session_options bad = good;
        if (i == 0)
            bad.certificate = NULL;
        else if (i == 1)
            bad.device = NULL;
        else if (i == 2)
            bad.stream.payload_type = 72;
        else if (i == 3)
            bad.stream.random.fill = NULL;
        else
            bad.stream.dtmf_payload_type = bad.stream.payload_type;
        assert_int_equal(reload_media_session_new(&bad, world.ops, NULL, &session),
                         RELOAD_E_INVALID);
        assert_null(session);
    }
    good.device = "nothing";
    assert_int_equal(reload_media_session_new(&good, world.ops, NULL, &session), 0);
    assert_int_equal(reload_media_session_start(session), RELOAD_E_NOT_FOUND);
    struct reload_media_parameters theirs = { .direction = RELOAD_MEDIA_SENDRECV,
                                              .payload_type = 72 };
    assert_int_equal(reload_media_session_remote(session, &theirs, world_now()), RELOAD_E_INVALID);
    assert_int_equal(reload_media_session_deadline(session, 5), RELOAD_NEVER);
    reload_media_session_stop(session);
    struct reload_media_event event;
    assert_true(reload_media_session_next(session, &event));
    assert_int_equal(event.state, RELOAD_MEDIA_SESSION_ENDED);
    assert_false(reload_media_session_next(session, &event));
    reload_media_session_free(session);
    reload_media_session_free(NULL);
}

static void fingerprints_are_written_and_read_as_sdp_has_them(void **state)
{
    (void)state;
    uint8_t fingerprint[RELOAD_ENGINE_FINGERPRINT_LEN], again[RELOAD_ENGINE_FINGERPRINT_LEN];
    char text[RELOAD_MEDIA_FINGERPRINT_TEXT];
    for (size_t i = 0; i < sizeof fingerprint; i++)
        fingerprint[i] = (uint8_t)(0xf0 + i * 11);
    reload_media_fingerprint_text(fingerprint, text);
    assert_memory_equal(text, "sha-256 F0:FB:06:11:1C", 22);
    assert_int_equal(strlen(text), RELOAD_MEDIA_FINGERPRINT_TEXT - 1);
    assert_int_equal(reload_media_fingerprint_parse(text, again), 0);
    assert_memory_equal(again, fingerprint, sizeof again);
    for (char *c = text; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'F' ? *c + 32 : *c);
    assert_int_equal(reload_media_fingerprint_parse(text, again), 0);
    assert_memory_equal(again, fingerprint, sizeof again);
    for (size_t len = 0; len < sizeof text - 1; len++) { /* cut anywhere */
        char cut[RELOAD_MEDIA_FINGERPRINT_TEXT] = "";
        memcpy(cut, text, len);
        assert_int_not_equal(reload_media_fingerprint_parse(cut, again), 0);
    }
    assert_int_equal(reload_media_fingerprint_parse("sha-1 F0:FB", again), RELOAD_E_UNSUPPORTED);
    char longer[sizeof text + 1];
    snprintf(longer, sizeof longer, "%s0", text);
    assert_int_equal(reload_media_fingerprint_parse(longer, again), RELOAD_E_DECODE);
    text[20] = 'G';
    assert_int_equal(reload_media_fingerprint_parse(text, again), RELOAD_E_DECODE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(offer_and_answer_lead_to_keys_and_sound_both_ways),
        TEST(stopping_says_bye_and_closes_both),
        TEST(keys_agreed_on_while_it_rings_serve_when_the_call_is_taken),
        TEST(hold_stops_our_sound_and_theirs_comes_back_on_resume),
        TEST(lost_handshake_datagrams_are_sent_again),
        TEST(a_hello_that_overtakes_the_answer_is_kept),
        TEST(the_far_end_may_move_and_the_old_place_is_then_elsewhere),
        TEST(a_new_certificate_is_a_new_association),
        TEST(a_wrong_fingerprint_fails_and_nothing_is_ever_sent_in_the_clear),
        TEST(without_use_srtp_there_is_no_call),
        TEST(before_the_keys_nothing_leaves_and_nothing_is_heard),
        TEST(replayed_clear_and_foreign_packets_are_refused_and_counted),
        TEST(dtls_after_the_keys_changes_nothing),
        TEST(what_is_longer_than_any_packet_is_dropped_and_counted),
        TEST(a_far_end_that_falls_silent_is_gone_after_30_s),
        TEST(one_whose_signalling_is_gone_too_is_gone_after_10_s),
        TEST(a_device_that_fails_is_an_event),
        TEST(options_out_of_range_are_refused),
        cmocka_unit_test(fingerprints_are_written_and_read_as_sdp_has_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
