#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "net.h"
#include "reload/alloc.h"
#include "reload/link/cookie.h"
#include "reload/link/engine_datagram.h"

/* DTLS engines that hand each other datagrams, without a network. */

static struct pki ca, stranger;
static struct identity alice, bob, mallory;

struct end {
    struct reload_engine_context *context;
    struct reload_engine *engine;
    int status;
    uint8_t got[20000];
    size_t got_len, records;
    size_t longest, datagrams; /* it sent */
};

static struct end client, server;
static unsigned drop_one_in; /* by chance, from a fixed seed; 0: none */
static unsigned chance;

static int set_up_identities(void **state)
{
    (void)state;
    pki_init(&ca);
    pki_init(&stranger);
    identity_init(&alice, &ca, &ca, 0xaa, PKI_EC);
    identity_init(&bob, &ca, &ca, 0xbb, PKI_RSA);
    identity_init(&mallory, &stranger, &ca, 0xcc, PKI_EC);
    return 0;
}

static int tear_down_identities(void **state)
{
    (void)state;
    identity_fini(&alice);
    identity_fini(&bob);
    identity_fini(&mallory);
    pki_fini(&ca);
    pki_fini(&stranger);
    return 0;
}

static void open_end(struct end *end, struct identity *identity, enum reload_link_role role,
                     const struct reload_node_id *expected, uint16_t path_len, bool cookie_shown)
{
    memset(end, 0, sizeof *end);
    assert_int_equal(reload_engine_context_new(&pki_ops, identity, NULL, &end->context), 0);
    assert_int_equal(reload_engine_new_datagram(end->context, role, expected, path_len,
                                                cookie_shown, &end->engine),
                     0);
    end->status = RELOAD_ENGINE_WANT;
}

static void open_ends(uint16_t path_len)
{
    drop_one_in = chance = 0;
    open_end(&client, &alice, RELOAD_LINK_CLIENT, NULL, path_len, false);
    open_end(&server, &bob, RELOAD_LINK_SERVER, NULL, path_len, false);
}

static void close_end(struct end *end)
{
    reload_engine_free(end->engine);
    reload_engine_context_free(end->context);
}

static int close_ends(void **state)
{
    (void)state;
    close_end(&client);
    close_end(&server);
    return 0;
}

static void advance(struct end *end)
{
    if (end->status != 0)
        end->status = reload_engine_handshake(end->engine, net_now());
    size_t n;
    while (end->status == 0 &&
           reload_engine_read(end->engine, end->got + end->got_len, sizeof end->got - end->got_len,
                              &n, net_now()) == 0) {
        end->got_len += n;
        end->records++;
    }
}

/* A fixed step could meet the same datagram of a flight each time. */
static bool is_dropped(void)
{
    chance = chance * 1103515245u + 12345u;
    return drop_one_in && (chance >> 16) % drop_one_in == 0;
}

/* Everything `from` has to say reaches `to`, but for what the test drops. */
static bool hand_over(struct end *from, struct end *to)
{
    struct reload_slice datagram;
    bool any = false;
    while (reload_engine_datagram_next(from->engine, &datagram, 1)) {
        any = true;
        from->datagrams++;
        from->longest = datagram.n > from->longest ? datagram.n : from->longest;
        if (!is_dropped()) {
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

static void write_text(struct end *end, const char *text)
{
    assert_int_equal(reload_engine_write(end->engine, reload_slice_of(text, strlen(text))), 0);
}

/* R6940-6.6.1-1 */
static void both_ends_prove_who_they_are_and_talk(void **state)
{
    (void)state;
    open_ends(1200);
    assert_int_equal(reload_engine_write(client.engine, reload_slice_of("x", 1)), RELOAD_E_STATE);
    talk();
    assert_int_equal(client.status, 0);
    assert_int_equal(server.status, 0);
    assert_string_equal(reload_engine_version(client.engine), "DTLSv1.2");
    struct reload_node_id alices = node_id_of(0xaa), bobs = node_id_of(0xbb);
    assert_true(reload_node_id_equal(&reload_engine_peer(server.engine)->node_ids[0], &alices));
    assert_true(reload_node_id_equal(&reload_engine_peer(client.engine)->node_ids[0], &bobs));
    assert_true(reload_engine_confirmed(client.engine) && reload_engine_confirmed(server.engine));
    assert_int_equal(reload_engine_datagram_deadline(client.engine, 5), RELOAD_NEVER);
    assert_int_equal(reload_engine_datagram_deadline(server.engine, 5), RELOAD_NEVER);
    write_text(&client, "one");
    write_text(&client, "two");
    write_text(&server, "three");
    size_t before = client.datagrams;
    talk();
    assert_int_equal(client.datagrams, before + 2); /* one datagram for each record */
    assert_int_equal(server.records, 2);
    assert_memory_equal(server.got, "onetwo", 6);
    assert_memory_equal(client.got, "three", 5);
}

static void handshakes_fit_the_path_and_its_room_is_told(void **state)
{
    (void)state;
    const uint16_t paths[] = { 256, 548, 1252 };
    for (size_t i = 0; i < 3; i++) {
        open_ends(paths[i]);
        talk();
        assert_int_equal(client.status, 0);
        assert_true(client.longest <= paths[i] && server.longest <= paths[i]);
        static const uint8_t zeros[2000];
        size_t room = reload_engine_datagram_room(client.engine);
        assert_true(room > paths[i] / 2u && room < paths[i]);
        client.longest = 0;
        assert_int_equal(reload_engine_write(client.engine, reload_slice_of(zeros, room)), 0);
        talk();
        assert_true(client.longest <= paths[i]);
        assert_int_equal(server.got_len, room);
        close_ends(NULL);
    }
    assert_int_equal(reload_engine_context_new(&pki_ops, &alice, NULL, &client.context), 0);
    assert_int_equal(reload_engine_new_datagram(client.context, RELOAD_LINK_CLIENT, NULL, 255,
                                                false, &client.engine),
                     RELOAD_E_INVALID);
    client.engine = NULL;
    server = (struct end){ 0 };
}

static void the_largest_record_arrives_whole(void **state)
{
    (void)state;
    open_ends(1200);
    talk();
    static uint8_t large[RELOAD_ENGINE_RECORD_MAX + 1];
    assert_int_equal(
        reload_engine_write(client.engine, reload_slice_of(large, RELOAD_ENGINE_RECORD_MAX)), 0);
    talk();
    assert_int_equal(server.got_len, RELOAD_ENGINE_RECORD_MAX);
    assert_int_equal(server.records, 1);
}

/* R6940-6.6.1-1 R6940-6.4.2.1-4: replay protection is on. */
static void replayed_damaged_and_foreign_datagrams_are_dropped(void **state)
{
    (void)state;
    open_ends(1200);
    talk();
    write_text(&client, "once");
    struct reload_slice datagram;
    assert_true(reload_engine_datagram_next(client.engine, &datagram, 1));
    uint8_t copy[200], damaged[200];
    assert_true(datagram.n < sizeof copy);
    memcpy(copy, datagram.p, datagram.n);
    size_t n = datagram.n;
    reload_engine_datagram_sent(client.engine, 1);
    for (size_t i = 0; i < n * 8; i++) { /* every bit: none passes, none ends the association */
        memcpy(damaged, copy, n);
        damaged[i / 8] ^= (uint8_t)(1u << i % 8);
        reload_engine_input(server.engine, reload_slice_of(damaged, n));
        advance(&server);
    }
    for (size_t i = 0; i < n; i++) {
        reload_engine_input(server.engine, reload_slice_of(copy, i));
        advance(&server);
    }
    assert_int_equal(server.records, 0);
    for (int i = 0; i < 3; i++) {
        reload_engine_input(server.engine, reload_slice_of(copy, n));
        advance(&server);
    }
    assert_int_equal(server.records, 1);
    for (int i = 0; i < 100; i++) { /* beyond the window of 64 too */
        write_text(&client, "x");
        talk();
    }
    reload_engine_input(server.engine, reload_slice_of(copy, n));
    advance(&server);
    assert_int_equal(server.records, 101);
    assert_int_equal(server.status, 0);
}

/* R6940-6.5.1.13-2 R6940-6.5.1.13-3 */
static void strangers_and_wrong_nodes_are_refused(void **state)
{
    (void)state;
    open_end(&client, &mallory, RELOAD_LINK_CLIENT, NULL, 1200, false);
    open_end(&server, &bob, RELOAD_LINK_SERVER, NULL, 1200, false);
    talk();
    assert_int_equal(server.status, RELOAD_E_CERTIFICATE);
    assert_true(reload_engine_untrusted(server.engine));
    assert_int_not_equal(client.status, 0); /* an alert told it */
    close_ends(NULL);
    struct reload_node_id other = node_id_of(0x11);
    open_end(&client, &alice, RELOAD_LINK_CLIENT, &other, 1200, false);
    open_end(&server, &bob, RELOAD_LINK_SERVER, NULL, 1200, false);
    talk();
    assert_int_equal(client.status, RELOAD_E_CERTIFICATE);
    assert_true(reload_engine_unexpected(client.engine));
}

static void lost_flights_are_repeated(void **state)
{
    (void)state;
    open_ends(300); /* many datagrams */
    drop_one_in = 7;
    talk();
    for (int i = 0; i < 2000 && (client.status || server.status); i++) {
        struct timespec ten_ms = { .tv_nsec = 10 * 1000 * 1000 };
        nanosleep(&ten_ms, NULL);
        struct end *ends[] = { &client, &server };
        for (int j = 0; j < 2; j++) {
            uint64_t deadline_ms = reload_engine_datagram_deadline(ends[j]->engine, 0);
            if (deadline_ms == 0)
                assert_int_equal(reload_engine_datagram_tick(ends[j]->engine, net_now()),
                                 RELOAD_ENGINE_WANT);
        }
        talk();
    }
    assert_int_equal(client.status, 0);
    assert_int_equal(server.status, 0);
}

static void the_end_is_told_in_order(void **state)
{
    (void)state;
    open_ends(1200);
    talk();
    reload_engine_close(client.engine);
    talk();
    size_t n;
    assert_int_equal(reload_engine_read(server.engine, server.got, 100, &n, net_now()),
                     RELOAD_E_CLOSED);
}

/* --- cookies --- */

static struct reload_cookie_jar *jar;
static const struct reload_link_address far = { .len = 4, .bytes = { 192, 0, 2, 1 }, .port = 7 };

static int open_jar(void **state)
{
    (void)state;
    assert_int_equal(reload_cookie_jar_new(&jar), 0);
    open_end(&client, &alice, RELOAD_LINK_CLIENT, NULL, 1200, false);
    open_end(&server, &bob, RELOAD_LINK_SERVER, NULL, 1200, true);
    return 0;
}

static int close_jar(void **state)
{
    reload_cookie_jar_free(jar);
    return close_ends(state);
}

static size_t take_datagram(struct end *from, uint8_t out[2000])
{
    struct reload_slice datagram;
    assert_true(reload_engine_datagram_next(from->engine, &datagram, 1));
    assert_true(datagram.n <= 2000);
    size_t n = datagram.n;
    memcpy(out, datagram.p, n);
    reload_engine_datagram_sent(from->engine, 1);
    return n;
}

/* The client's ClientHello with a cookie, after the challenge. */
static size_t hello_with_cookie(uint8_t hello[2000], uint64_t now_ms)
{
    uint8_t reply[RELOAD_COOKIE_REPLY_LEN];
    advance(&client);
    size_t n = take_datagram(&client, hello);
    assert_int_equal(reload_cookie_judge(jar, &far, reload_slice_of(hello, n), now_ms, reply),
                     RELOAD_COOKIE_CHALLENGE);
    assert_true(sizeof reply < n); /* never larger than the question */
    reload_engine_input(client.engine, reload_slice_of(reply, sizeof reply));
    advance(&client);
    return take_datagram(&client, hello);
}

static enum reload_cookie_verdict judge(const uint8_t *p, size_t n,
                                        const struct reload_link_address *from, uint64_t now_ms)
{
    uint8_t reply[RELOAD_COOKIE_REPLY_LEN];
    return reload_cookie_judge(jar, from, reload_slice_of(p, n), now_ms, reply);
}

static void a_hello_with_its_cookie_begins_a_handshake(void **state)
{
    (void)state;
    uint8_t hello[2000];
    size_t n = hello_with_cookie(hello, 1000);
    assert_int_equal(judge(hello, n, &far, 1000), RELOAD_COOKIE_WELCOME);
    reload_engine_input(server.engine, reload_slice_of(hello, n));
    advance(&server);
    hand_over(&server, &client);
    talk();
    assert_int_equal(client.status, 0);
    assert_int_equal(server.status, 0);
    write_text(&client, "works");
    talk();
    assert_memory_equal(server.got, "works", 5);
}

static void a_cookie_is_good_for_one_address_one_offer_and_two_periods(void **state)
{
    (void)state;
    uint8_t hello[2000];
    size_t n = hello_with_cookie(hello, 1000);
    struct reload_link_address other = far;
    other.port++;
    assert_int_equal(judge(hello, n, &other, 1000), RELOAD_COOKIE_CHALLENGE);
    other = far;
    other.bytes[3]++;
    assert_int_equal(judge(hello, n, &other, 1000), RELOAD_COOKIE_CHALLENGE);
    hello[13 + 12 + 2 + 5] ^= 1; /* of the random */
    assert_int_equal(judge(hello, n, &far, 1000), RELOAD_COOKIE_CHALLENGE);
    hello[13 + 12 + 2 + 5] ^= 1;
    hello[n - 1] ^= 1; /* of the extensions */
    assert_int_equal(judge(hello, n, &far, 1000), RELOAD_COOKIE_CHALLENGE);
    hello[n - 1] ^= 1;
    assert_int_equal(judge(hello, n, &far, 1000 + RELOAD_COOKIE_ROTATION_MS),
                     RELOAD_COOKIE_WELCOME);
    assert_int_equal(judge(hello, n, &far, 1000 + 2 * RELOAD_COOKIE_ROTATION_MS),
                     RELOAD_COOKIE_CHALLENGE);
}

static void after_a_quiet_time_no_old_cookie_is_good(void **state)
{
    (void)state;
    uint8_t hello[2000];
    size_t n = hello_with_cookie(hello, 1000);
    assert_int_equal(judge(hello, n, &far, 1000 + 2 * RELOAD_COOKIE_ROTATION_MS),
                     RELOAD_COOKIE_CHALLENGE);
}

static void cut_and_altered_hellos_are_never_welcome(void **state)
{
    (void)state;
    uint8_t hello[2000], altered[2000];
    size_t n = hello_with_cookie(hello, 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(judge(hello, i, &far, 0), RELOAD_COOKIE_DROP);
    unsigned welcome = 0;
    for (size_t i = 0; i < n * 8; i++) {
        memcpy(altered, hello, n);
        altered[i / 8] ^= (uint8_t)(1u << i % 8);
        welcome += judge(altered, n, &far, 0) == RELOAD_COOKIE_WELCOME;
    }
    /* Not covered: the minor version and number of the record, and the message's number. */
    assert_true(welcome <= (1 + 6 + 2) * 8);
    memcpy(altered, hello, n);
    altered[13 + 12 - 1]--; /* a fragment */
    assert_int_equal(judge(altered, n, &far, 0), RELOAD_COOKIE_DROP);
    assert_int_equal(judge((const uint8_t *)"", 0, &far, 0), RELOAD_COOKIE_DROP);
}

static void judging_allocates_nothing(void **state)
{
    (void)state;
    uint8_t hello[2000];
    size_t n = hello_with_cookie(hello, 0);
    unsigned long before = reload_alloc_count();
    hello[13 + 12 + 2 + 5] ^= 1;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(judge(hello, n, &far, 0), RELOAD_COOKIE_CHALLENGE);
    assert_int_equal(reload_alloc_count(), before);
}

#define ENGINES(f) cmocka_unit_test_teardown(f, close_ends)
#define JAR(f)     cmocka_unit_test_setup_teardown(f, open_jar, close_jar)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINES(both_ends_prove_who_they_are_and_talk),
        ENGINES(handshakes_fit_the_path_and_its_room_is_told),
        ENGINES(the_largest_record_arrives_whole),
        ENGINES(replayed_damaged_and_foreign_datagrams_are_dropped),
        ENGINES(strangers_and_wrong_nodes_are_refused),
        ENGINES(lost_flights_are_repeated),
        ENGINES(the_end_is_told_in_order),
        JAR(a_hello_with_its_cookie_begins_a_handshake),
        JAR(a_cookie_is_good_for_one_address_one_offer_and_two_periods),
        JAR(after_a_quiet_time_no_old_cookie_is_good),
        JAR(cut_and_altered_hellos_are_never_welcome),
        JAR(judging_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, set_up_identities, tear_down_identities);
}
