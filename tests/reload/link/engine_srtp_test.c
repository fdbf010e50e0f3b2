#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <openssl/srtp.h>

#include "net.h"
#include "reload/alloc.h"
#include "reload/link/engine_internal.h"

/* DTLS-SRTP (RFC 5764) between two engines that hand each other datagrams. */

struct end {
    struct reload_engine_srtp *srtp;
    struct reload_engine *engine;
    uint8_t fingerprint[RELOAD_ENGINE_FINGERPRINT_LEN];
    int status;
    unsigned sent;
};

static struct end client, server;
static struct pki ca;
static struct identity alice, bob;
static unsigned loss_percent;
static uint32_t drawn;

static void make(struct end *end)
{
    *end = (struct end){ .status = RELOAD_ENGINE_WANT };
    assert_int_equal(reload_engine_srtp_new(NULL, NULL, NULL, net_now(), &end->srtp), 0);
    reload_engine_srtp_fingerprint(end->srtp, end->fingerprint);
}

static void open_end(struct end *end, enum reload_link_role role, const struct end *far)
{
    assert_int_equal(reload_engine_srtp_open(end->srtp, role, far->fingerprint, 1200, &end->engine),
                     0);
}

static int make_ends(void **state)
{
    (void)state;
    loss_percent = 0;
    make(&client);
    make(&server);
    return 0;
}

static void open_ends(void)
{
    open_end(&client, RELOAD_LINK_CLIENT, &server);
    open_end(&server, RELOAD_LINK_SERVER, &client);
}

static int free_ends(void **state)
{
    (void)state;
    struct end *ends[] = { &client, &server };
    for (int i = 0; i < 2; i++) {
        reload_engine_free(ends[i]->engine);
        reload_engine_srtp_free(ends[i]->srtp);
    }
    return 0;
}

static void advance(struct end *end)
{
    uint8_t ignored[100];
    size_t n;
    if (end->status == RELOAD_ENGINE_WANT)
        end->status = reload_engine_handshake(end->engine, net_now());
    else if (end->status == 0)
        (void)!reload_engine_read(end->engine, ignored, sizeof ignored, &n, net_now());
}

static bool lost(void)
{
    drawn = drawn * 1664525 + 1013904223;
    return (drawn >> 16) % 100 < loss_percent;
}

static bool hand_over(struct end *from, struct end *to)
{
    struct reload_slice datagram;
    bool any = false;
    while (reload_engine_datagram_next(from->engine, &datagram, 1)) {
        any = true;
        from->sent++;
        if (!lost()) {
            reload_engine_input(to->engine, datagram);
            advance(to);
        }
        reload_engine_datagram_sent(from->engine, 1);
    }
    return any;
}

static void talk(void)
{
    advance(&client);
    while (hand_over(&client, &server) || hand_over(&server, &client))
        ;
}

static void expect_same_keys(uint16_t profile, size_t keys_len)
{
    uint8_t keys[2][RELOAD_ENGINE_SRTP_KEYS_MAX];
    uint16_t profiles[2];
    size_t lens[2];
    assert_int_equal(client.status, 0);
    assert_int_equal(server.status, 0);
    assert_int_equal(reload_engine_srtp_keys(client.engine, &profiles[0], keys[0], &lens[0]), 0);
    assert_int_equal(reload_engine_srtp_keys(server.engine, &profiles[1], keys[1], &lens[1]), 0);
    assert_int_equal(profiles[0], profile);
    assert_int_equal(profiles[1], profile);
    assert_int_equal(lens[0], keys_len);
    assert_int_equal(lens[1], keys_len);
    assert_memory_equal(keys[0], keys[1], keys_len);
    static const uint8_t zeros[RELOAD_ENGINE_SRTP_KEYS_MAX];
    assert_memory_not_equal(keys[0], zeros, keys_len);
}

static void both_ends_export_the_same_keys_of_the_better_profile(void **state)
{
    (void)state;
    uint8_t keys[RELOAD_ENGINE_SRTP_KEYS_MAX];
    uint16_t profile;
    size_t len;
    open_ends();
    assert_int_equal(reload_engine_srtp_keys(client.engine, &profile, keys, &len), RELOAD_E_STATE);
    talk();
    expect_same_keys(0x0007, 56);
}

static void a_far_end_that_knows_only_the_mandatory_profile_gets_it(void **state)
{
    (void)state;
    open_ends();
    assert_int_equal(SSL_set_tlsext_use_srtp(client.engine->ssl, "SRTP_AES128_CM_SHA1_80"), 0);
    talk();
    expect_same_keys(0x0001, 60);
}

static void no_profile_in_common_gives_no_keys(void **state)
{
    (void)state;
    uint8_t keys[RELOAD_ENGINE_SRTP_KEYS_MAX];
    uint16_t profile;
    size_t len;
    open_ends();
    assert_int_equal(SSL_set_tlsext_use_srtp(client.engine->ssl, "SRTP_AES128_CM_SHA1_32"), 0);
    talk();
    assert_int_equal(reload_engine_srtp_keys(server.engine, &profile, keys, &len),
                     RELOAD_E_UNSUPPORTED);
    assert_int_equal(reload_engine_srtp_keys(client.engine, &profile, keys, &len),
                     RELOAD_E_UNSUPPORTED);
}

/* A node's own certificate serves too; and a link of the overlay, which never offers use_srtp, is
 * no media association. */
static void given_certificates_serve_and_without_use_srtp_there_are_no_keys(void **state)
{
    (void)state;
    uint8_t keys[RELOAD_ENGINE_SRTP_KEYS_MAX];
    uint16_t profile;
    size_t len;
    struct reload_engine_context *link;
    reload_engine_srtp_free(server.srtp);
    assert_int_equal(reload_engine_srtp_new(&pki_ops, &bob, NULL, net_now(), &server.srtp), 0);
    unsigned n;
    assert_int_equal(X509_digest(bob.x509, EVP_sha256(), server.fingerprint, &n), 1);
    uint8_t told[RELOAD_ENGINE_FINGERPRINT_LEN];
    reload_engine_srtp_fingerprint(server.srtp, told);
    assert_memory_equal(told, server.fingerprint, sizeof told);
    assert_int_equal(X509_digest(alice.x509, EVP_sha256(), client.fingerprint, &n), 1);
    open_end(&server, RELOAD_LINK_SERVER, &client);
    assert_int_equal(reload_engine_context_new(&pki_ops, &alice, NULL, &link), 0);
    assert_int_equal(
        reload_engine_new_datagram(link, RELOAD_LINK_CLIENT, NULL, 1200, false, &client.engine), 0);
    talk();
    assert_int_equal(server.status, 0);
    assert_int_equal(reload_engine_srtp_keys(server.engine, &profile, keys, &len),
                     RELOAD_E_UNSUPPORTED);
    reload_engine_free(client.engine);
    client.engine = NULL;
    reload_engine_context_free(link);
}

static void another_certificate_than_the_signalled_one_ends_the_handshake(void **state)
{
    (void)state;
    for (int wrong = 0; wrong < 2; wrong++) { /* seen by the client, by the server */
        struct end *far = wrong ? &client : &server, *near = wrong ? &server : &client;
        far->fingerprint[31] ^= 1;
        open_ends();
        talk();
        assert_int_equal(near->status, RELOAD_E_CERTIFICATE);
        assert_true(reload_engine_untrusted(near->engine));
        assert_string_equal(reload_engine_reason(near->engine),
                            "the far end's certificate is not the one that was signalled");
        assert_int_not_equal(far->status, 0);
        free_ends(NULL);
        make_ends(NULL);
    }
}

static void a_far_end_without_certificate_is_refused(void **state)
{
    (void)state;
    open_ends();
    SSL_certs_clear(client.engine->ssl);
    talk();
    assert_int_equal(server.status, RELOAD_E_CERTIFICATE);
}

static void lost_flights_are_repeated_soon(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 6; seed++) {
        open_ends();
        drawn = seed;
        loss_percent = 20;
        uint64_t began_ms = net_now().monotonic_ms;
        talk();
        for (int i = 0; i < 1000 && (client.status || server.status); i++) {
            nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000 * 1000 }, NULL);
            struct end *ends[] = { &client, &server };
            for (int j = 0; j < 2; j++)
                if (reload_engine_datagram_deadline(ends[j]->engine, 0) == 0)
                    assert_int_equal(reload_engine_datagram_tick(ends[j]->engine, net_now()),
                                     RELOAD_ENGINE_WANT);
            talk();
        }
        expect_same_keys(0x0007, 56);
        assert_in_range(net_now().monotonic_ms - began_ms, 0, 9000);
        free_ends(NULL);
        make_ends(NULL);
    }
}

/* The server is done when its last flight leaves; a client that misses it asks again. */
static void a_server_that_is_done_repeats_its_last_flight(void **state)
{
    (void)state;
    struct reload_slice datagram;
    open_ends();
    advance(&client);
    while (server.status != 0) {
        hand_over(&client, &server);
        if (server.status != 0)
            hand_over(&server, &client);
    }
    assert_int_equal(client.status, RELOAD_ENGINE_WANT);
    while (reload_engine_datagram_next(server.engine, &datagram, 1))
        reload_engine_datagram_sent(server.engine, 1); /* lost */
    nanosleep(&(struct timespec){ .tv_nsec = 120 * 1000 * 1000 }, NULL);
    assert_int_equal(reload_engine_datagram_tick(client.engine, net_now()), RELOAD_ENGINE_WANT);
    hand_over(&client, &server);
    hand_over(&server, &client);
    expect_same_keys(0x0007, 56);
}

static void without_memory_nothing_is_made_and_nothing_leaks(void **state)
{
    (void)state;
    struct reload_engine_srtp *srtp;
    int status = RELOAD_E_NOMEM;
    for (unsigned long n = 1; status != 0; n++) {
        reload_alloc_fail_at(n);
        status = reload_engine_srtp_new(NULL, NULL, NULL, net_now(), &srtp);
        reload_alloc_fail_at(0);
        if (status != 0)
            assert_null(srtp);
    }
    reload_engine_srtp_free(srtp);
    assert_int_equal(reload_engine_srtp_open(client.srtp, RELOAD_LINK_CLIENT, server.fingerprint,
                                             100, &client.engine),
                     RELOAD_E_INVALID);
}

static int set_up_identities(void **state)
{
    (void)state;
    pki_init(&ca);
    identity_init(&alice, &ca, &ca, 0xaa, PKI_EC);
    identity_init(&bob, &ca, &ca, 0xbb, PKI_RSA);
    return 0;
}

static int tear_down_identities(void **state)
{
    (void)state;
    identity_fini(&alice);
    identity_fini(&bob);
    pki_fini(&ca);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_ends, free_ends)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_ends_export_the_same_keys_of_the_better_profile),
        TEST(a_far_end_that_knows_only_the_mandatory_profile_gets_it),
        TEST(no_profile_in_common_gives_no_keys),
        TEST(given_certificates_serve_and_without_use_srtp_there_are_no_keys),
        TEST(another_certificate_than_the_signalled_one_ends_the_handshake),
        TEST(a_far_end_without_certificate_is_refused),
        TEST(lost_flights_are_repeated_soon),
        TEST(a_server_that_is_done_repeats_its_last_flight),
        TEST(without_memory_nothing_is_made_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, set_up_identities, tear_down_identities);
}
