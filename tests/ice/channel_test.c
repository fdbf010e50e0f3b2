#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "ice/address.h"
#include "pair.h"
#include "reload/alloc.h"

static int setup(void **state)
{
    *state = reload_ice_new(NULL);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    reload_ice_free(*state);
    return 0;
}

static void introduce_both(struct reload_ice *ice, struct end *a, struct end *b)
{
    assert_true(run_until(ice, &a->gathered, 5000));
    assert_true(run_until(ice, &b->gathered, 5000));
    assert_int_equal(end_introduce(a, b), 0);
    assert_int_equal(end_introduce(b, a), 0);
}

static void open_pair(struct reload_ice *ice, struct end *a, struct end *b)
{
    end_open(ice, a, RELOAD_ICE_CONTROLLING);
    end_open(ice, b, RELOAD_ICE_CONTROLLED);
    introduce_both(ice, a, b);
}

static void connect_pair(struct reload_ice *ice, struct end *a, struct end *b)
{
    open_pair(ice, a, b);
    assert_true(run_until(ice, &a->connected, 5000));
    assert_true(run_until(ice, &b->connected, 5000));
}

/* R6940-6.5.1.3-1 R6940-6.5.1.10.3-1 R6940-6.5.1.14-1 */
static void two_ends_connect_and_carry_datagrams_both_ways(void **state)
{
    struct end a, b;
    struct reload_ice_pair pair;
    uint8_t large[1400];
    memset(large, 'x', sizeof large);
    connect_pair(*state, &a, &b);
    assert_int_equal(reload_ice_channel_send(a.channel, reload_slice_of("from a", 6)), 0);
    assert_int_equal(reload_ice_channel_send(b.channel, reload_slice_of(large, sizeof large)), 0);
    run_for(*state, 50);
    assert_int_equal(b.datagrams, 1);
    assert_memory_equal(b.last, "from a", 6);
    assert_int_equal(a.datagrams, 1);
    assert_int_equal(a.last_len, sizeof large);
    assert_int_equal(reload_ice_channel_pair(a.channel, &pair), 0);
    assert_int_equal(pair.local_type, RELOAD_ICE_HOST);
    assert_int_equal(pair.remote_type, RELOAD_ICE_HOST);
    assert_false(pair.relayed);
    assert_int_equal(reload_ice_stats(*state)->datagrams_sent, 2);
    assert_int_equal(reload_ice_stats(*state)->datagrams_received, 2);
}

static void ipv6_works_alike(void **state)
{
    struct end a, b;
    struct reload_ice_pair pair;
    struct reload_link_address local = { .len = 16, .bytes = { [15] = 1 } };
    struct reload_ice_channel_config config = { .role = RELOAD_ICE_CONTROLLING,
                                                .local_addresses = &local,
                                                .local_address_count = 1 };
    end_open_with(*state, &a, &config);
    config.role = RELOAD_ICE_CONTROLLED;
    end_open_with(*state, &b, &config);
    introduce_both(*state, &a, &b);
    assert_true(run_until(*state, &a.connected, 5000));
    assert_int_equal(reload_ice_channel_pair(a.channel, &pair), 0);
    assert_int_equal(pair.remote.len, 16);
}

/* R6940-6.5.1.1-8 R6940-6.5.1.5-2 R6940-6.5.1.5-3 */
static void candidates_are_told_in_the_rfcs_encoding(void **state)
{
    struct end a;
    struct reload_ice_candidate list[RELOAD_ICE_LOCAL_CANDIDATES_MAX];
    end_open(*state, &a, RELOAD_ICE_CONTROLLING);
    assert_true(run_until(*state, &a.gathered, 5000));
    size_t count = reload_ice_channel_candidates(a.channel, list, G_N_ELEMENTS(list));
    assert_int_equal(count, 1); /* no STUN, no TURN: the host candidate and nothing else */
    assert_int_equal(list[0].type, RELOAD_CANDIDATE_HOST);
    assert_int_equal(list[0].overlay_link, RELOAD_OVERLAY_LINK_DTLS_UDP_SR);
    assert_int_equal(list[0].addr_port.type, RELOAD_ADDRESS_IPV4);
    assert_memory_equal(list[0].addr_port.address.p, ((uint8_t[]){ 127, 0, 0, 1 }), 4);
    assert_int_not_equal(list[0].addr_port.port, 0);
    assert_int_equal(list[0].priority & 0xff, 255); /* 256 - component 1 (RFC 5245 s4.1.2.1) */
    assert_true(list[0].foundation.n > 0);
    assert_int_equal(reload_ice_channel_candidates(a.channel, list, 0), 0);
}

static void own_credentials_are_used_or_made(void **state)
{
    struct end a;
    struct reload_link_address local = loopback(0);
    struct reload_ice_channel_config config = {
        .ufrag = reload_slice_of("abcd", 4),
        .password = reload_slice_of("0123456789abcdefghijkl", 22),
        .local_addresses = &local,
        .local_address_count = 1,
    };
    end_open_with(*state, &a, &config);
    assert_true(reload_slice_equal(reload_ice_channel_ufrag(a.channel), config.ufrag));
    assert_true(reload_slice_equal(reload_ice_channel_password(a.channel), config.password));
    end_open(*state, &a, RELOAD_ICE_CONTROLLED);
    assert_true(reload_ice_channel_ufrag(a.channel).n >= RELOAD_ICE_UFRAG_MIN);
    assert_true(reload_ice_channel_password(a.channel).n >= RELOAD_ICE_PASSWORD_MIN);
    config.password.n = 21;
    assert_int_equal(reload_ice_channel_new(*state, &config, &a.channel), RELOAD_E_INVALID);
    config.password = reload_slice_of("0123456789abcdefghijk\0", 22);
    assert_int_equal(reload_ice_channel_new(*state, &config, &a.channel), RELOAD_E_INVALID);
    config.password = reload_slice_of(NULL, 0);
    assert_int_equal(reload_ice_channel_new(*state, &config, &a.channel), RELOAD_E_INVALID);
}

/* R6940-6.5.1.2-7: the answer may find the offerer's candidates known before its own. */
static void the_far_end_may_be_known_before_gathering_ends(void **state)
{
    struct end a, b;
    end_open(*state, &a, RELOAD_ICE_CONTROLLING);
    assert_true(run_until(*state, &a.gathered, 5000));
    end_open(*state, &b, RELOAD_ICE_CONTROLLED);
    assert_int_equal(end_introduce(&a, &b), 0); /* its GATHERED was not pulled yet */
    assert_true(run_until(*state, &b.gathered, 5000));
    assert_int_equal(end_introduce(&b, &a), 0);
    assert_true(run_until(*state, &a.connected, 5000));
    assert_true(run_until(*state, &b.connected, 5000));
}

/* R6940-6.5.1.12-1 R6940-6.5.1.3-2 R6940-6.5.1.10.2-1 */
static void there_is_one_offer_and_one_answer(void **state)
{
    struct end a, b;
    open_pair(*state, &a, &b);
    assert_int_equal(end_introduce(&b, &a), RELOAD_E_STATE);
    assert_true(run_until(*state, &a.connected, 5000));
    assert_int_equal(end_introduce(&b, &a), RELOAD_E_STATE);
}

/* A socket on loopback that only counts what is asked. */
static int silent_server(struct reload_link_address *address)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    socklen_t len = sizeof in;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    *address = loopback(ntohs(in.sin_port));
    return fd;
}

static bool was_asked(int fd)
{
    uint8_t question[1500];
    return recv(fd, question, sizeof question, 0) > 0;
}

/* The answer of a STUN server would be lost beside one of TURN, and cost most of a second. */
static void a_stun_server_is_asked_only_without_a_turn_server_over_udp(void **state)
{
    struct end a;
    struct reload_link_address local = loopback(0), stun;
    struct reload_ice_turn_server turn = { .user_name = "u", .password = "p" };
    int stun_fd = silent_server(&stun), turn_fd = silent_server(&turn.address);
    struct reload_ice_channel_config config = { .stun_server = &stun,
                                                .turn_servers = &turn,
                                                .turn_server_count = 1,
                                                .local_addresses = &local,
                                                .local_address_count = 1 };
    end_open_with(*state, &a, &config);
    assert_true(run_until(*state, &a.gathered, 10000));
    assert_true(was_asked(turn_fd));
    assert_false(was_asked(stun_fd));
    config.turn_server_count = 0;
    end_open_with(*state, &a, &config);
    assert_true(run_until(*state, &a.gathered, 10000));
    assert_true(was_asked(stun_fd));
    close(stun_fd);
    close(turn_fd);
}

static void gather_pair(struct reload_ice *ice, struct end *a, struct end *b)
{
    end_open(ice, a, RELOAD_ICE_CONTROLLING);
    end_open(ice, b, RELOAD_ICE_CONTROLLED);
    assert_true(run_until(ice, &a->gathered, 5000));
    assert_true(run_until(ice, &b->gathered, 5000));
}

/* Tells a channel of a far end that is at that address only, and has somebody's credentials. */
static void introduce_address(struct end *to, const struct reload_link_address *address)
{
    uint8_t bytes[100];
    struct reload_writer w = reload_writer_of(bytes, sizeof bytes);
    const struct reload_ice_candidate candidate = {
        .addr_port = reload_ice_address_to_wire(address),
        .overlay_link = RELOAD_OVERLAY_LINK_DTLS_UDP_SR,
        .foundation = reload_slice_of("1", 1),
        .priority = 2130706431,
        .type = RELOAD_CANDIDATE_HOST,
    };
    assert_int_equal(reload_ice_candidate_encode(&w, &candidate), 0);
    assert_int_equal(reload_ice_channel_set_remote(to->channel, reload_slice_of("ufrag", 5),
                                                   reload_slice_of("apasswordofsomelength0000", 25),
                                                   reload_writer_slice(&w)),
                     0);
}

/* RFC 5245 s7.1.3.3: who has the answer knows that the far end has begun; who gave it waits, since
 * it may have been lost and be asked for again (RFC 6940 s6.2.1). */
static void who_asked_waits_no_longer_than_its_own_checks_last(void **state)
{
    struct reload_link_address deaf;
    int fd = silent_server(&deaf);
    struct end asking, answering;
    gather_pair(*state, &asking, &answering);
    introduce_address(&answering, &deaf);
    introduce_address(&asking, &deaf);
    assert_true(run_until(*state, &asking.failed, 60000));
    assert_true(was_asked(fd));
    assert_int_equal(asking.error, RELOAD_E_TIMEOUT);
    assert_string_equal(asking.reason, "no pair of candidates works");
    assert_false(answering.failed);
    close(fd);
}

static double ms_to_connect(struct reload_ice *ice, struct end *a, struct end *b)
{
    gint64 from_us = g_get_monotonic_time();
    assert_int_equal(end_introduce(a, b), 0);
    assert_int_equal(end_introduce(b, a), 0);
    assert_true(run_until(ice, &a->connected, 20000));
    assert_true(run_until(ice, &b->connected, 20000));
    return (double)(g_get_monotonic_time() - from_us) / 1000;
}

/* RFC 8445 s14.2 */
static void checks_are_as_far_apart_as_was_agreed(void **state)
{
    struct end a, b;
    gather_pair(*state, &a, &b);
    reload_ice_channel_pace(a.channel, 300);
    reload_ice_channel_pace(b.channel, 300);
    assert_true(ms_to_connect(*state, &a, &b) >= 300);
}

/* RFC 8445 s14.2: one check in 5 ms at most, over all agents. */
static void channels_that_check_at_once_share_the_pace(void **state)
{
    struct end far, deaf[40], a, b;
    end_open(*state, &far, RELOAD_ICE_CONTROLLED); /* is never told of them: all go on checking */
    assert_true(run_until(*state, &far.gathered, 5000));
    for (size_t i = 0; i < G_N_ELEMENTS(deaf); i++) {
        end_open(*state, &deaf[i], RELOAD_ICE_CONTROLLING);
        assert_true(run_until(*state, &deaf[i].gathered, 5000));
        reload_ice_channel_pace(deaf[i].channel, RELOAD_ICE_PACING_LEAST_MS);
        assert_int_equal(end_introduce(&far, &deaf[i]), 0);
    }
    gather_pair(*state, &a, &b);
    reload_ice_channel_pace(a.channel, RELOAD_ICE_PACING_LEAST_MS);
    reload_ice_channel_pace(b.channel, RELOAD_ICE_PACING_LEAST_MS);
    assert_true(ms_to_connect(*state, &a, &b) >= 41 * RELOAD_ICE_PACING_LEAST_MS);
}

static void nothing_is_sent_before_a_pair_is_selected(void **state)
{
    struct end a;
    struct reload_ice_pair pair;
    static const uint8_t large[RELOAD_ICE_DATAGRAM_LEN_MAX + 1];
    end_open(*state, &a, RELOAD_ICE_CONTROLLING);
    assert_int_equal(reload_ice_channel_send(a.channel, reload_slice_of("x", 1)), RELOAD_E_STATE);
    assert_int_equal(reload_ice_channel_send(a.channel, reload_slice_of(large, sizeof large)),
                     RELOAD_E_NOSPACE);
    assert_int_equal(reload_ice_channel_send(a.channel, reload_slice_of(large, 0)),
                     RELOAD_E_INVALID);
    assert_int_equal(reload_ice_channel_pair(a.channel, &pair), RELOAD_E_STATE);
}

static void fifty_channels_at_once(void **state)
{
    static struct end a[25], b[25];
    for (size_t i = 0; i < 25; i++) {
        end_open(*state, &a[i], RELOAD_ICE_CONTROLLING);
        end_open(*state, &b[i], RELOAD_ICE_CONTROLLED);
    }
    for (size_t i = 0; i < 25; i++)
        introduce_both(*state, &a[i], &b[i]);
    for (size_t i = 0; i < 25; i++) {
        assert_true(run_until(*state, &a[i].connected, 10000));
        assert_true(run_until(*state, &b[i].connected, 10000));
        assert_int_equal(reload_ice_channel_send(a[i].channel, reload_slice_of(&i, sizeof i)), 0);
    }
    run_for(*state, 100);
    for (size_t i = 0; i < 25; i++) {
        assert_int_equal(b[i].datagrams, 1);
        assert_memory_equal(b[i].last, &i, sizeof i);
    }
    assert_int_equal(reload_ice_stats(*state)->connected, 50);
}

static void events_of_a_freed_channel_are_gone(void **state)
{
    struct end a, b;
    connect_pair(*state, &a, &b);
    for (int i = 0; i < 10; i++)
        assert_int_equal(reload_ice_channel_send(a.channel, reload_slice_of("x", 1)), 0);
    gint64 end = g_get_monotonic_time() + 50000;
    while (g_get_monotonic_time() < end)
        g_main_context_iteration(NULL, FALSE);
    reload_ice_channel_free(b.channel);
    struct reload_ice_event event;
    assert_false(reload_ice_next(*state, &event));
}

static void the_queue_of_a_channel_has_an_end(void **state)
{
    struct end a, b;
    connect_pair(*state, &a, &b);
    for (int i = 0; i < RELOAD_ICE_DATAGRAMS_MAX + 50; i++) {
        assert_int_equal(reload_ice_channel_send(a.channel, reload_slice_of("x", 1)), 0);
        while (g_main_context_iteration(NULL, FALSE)) /* nobody pulls */
            ;
    }
    gint64 end = g_get_monotonic_time() + 100000;
    while (g_get_monotonic_time() < end)
        g_main_context_iteration(NULL, FALSE);
    drain(*state);
    assert_int_equal(b.datagrams, RELOAD_ICE_DATAGRAMS_MAX);
    assert_int_equal(reload_ice_stats(*state)->queue_full, 50);
}

/* The library's keepalives alone, which give up after 50 s (ice.h). How soon a link on the channel
 * finds out: tests/reload/link/idle_test. */
static void without_a_link_on_it_a_channel_is_lost_by_the_librarys_keepalives(void **state)
{
    struct end a, b;
    connect_pair(*state, &a, &b);
    reload_ice_channel_free(b.channel);
    assert_true(run_until(*state, &a.failed, 70000));
    assert_int_equal(a.error, RELOAD_E_CLOSED);
    assert_int_equal(reload_ice_stats(*state)->consent_lost, 1);
    assert_int_equal(reload_ice_channel_send(a.channel, reload_slice_of("x", 1)), RELOAD_E_STATE);
}

static void memory_that_fails_is_an_error(void **state)
{
    struct end a = { 0 };
    struct reload_link_address local = loopback(0);
    struct reload_ice_channel_config config = { .local_addresses = &local,
                                                .local_address_count = 1,
                                                .user = &a };
    reload_alloc_fail_at(1);
    assert_null(reload_ice_new(NULL));
    assert_int_equal(reload_ice_channel_new(*state, &config, &a.channel), RELOAD_E_NOMEM);
    reload_alloc_fail_at(0);
    assert_int_equal(reload_ice_channel_new(*state, &config, &a.channel), 0);
}

#define WITH_ICE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ICE(two_ends_connect_and_carry_datagrams_both_ways),
        WITH_ICE(ipv6_works_alike),
        WITH_ICE(candidates_are_told_in_the_rfcs_encoding),
        WITH_ICE(own_credentials_are_used_or_made),
        WITH_ICE(the_far_end_may_be_known_before_gathering_ends),
        WITH_ICE(there_is_one_offer_and_one_answer),
        WITH_ICE(a_stun_server_is_asked_only_without_a_turn_server_over_udp),
        WITH_ICE(who_asked_waits_no_longer_than_its_own_checks_last),
        WITH_ICE(checks_are_as_far_apart_as_was_agreed),
        WITH_ICE(channels_that_check_at_once_share_the_pace),
        WITH_ICE(nothing_is_sent_before_a_pair_is_selected),
        WITH_ICE(fifty_channels_at_once),
        WITH_ICE(events_of_a_freed_channel_are_gone),
        WITH_ICE(the_queue_of_a_channel_has_an_end),
        WITH_ICE(without_a_link_on_it_a_channel_is_lost_by_the_librarys_keepalives),
        WITH_ICE(memory_that_fails_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
