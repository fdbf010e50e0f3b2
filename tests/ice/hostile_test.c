#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stun/stunmessage.h>
#include <unistd.h>

#include "ice/address.h"
#include "pair.h"

/* Far ends that are not what they should be, and what a channel sends to them. */

#define SOCKETS RELOAD_ICE_REMOTE_CANDIDATES_MAX
static const struct reload_slice ufrag = { (const uint8_t *)"abcd", 4 };
static const struct reload_slice password = { (const uint8_t *)"0123456789abcdefghijkl", 22 };

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

static int open_socket(struct reload_link_address *address)
{
    struct sockaddr_storage s;
    *address = loopback(0);
    socklen_t len = reload_ice_address_to_socket(address, &s);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&s, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&s, &len), 0);
    *address = reload_ice_address_from_socket((const struct sockaddr *)&s);
    return fd;
}

static void add(struct reload_writer *w, const struct reload_link_address *address,
                uint8_t overlay_link, const char *foundation)
{
    const struct reload_ice_candidate c = {
        .addr_port = reload_ice_address_to_wire(address),
        .overlay_link = overlay_link,
        .foundation = reload_slice_of(foundation, strlen(foundation)),
        .priority = 2130706431,
        .type = RELOAD_CANDIDATE_HOST,
    };
    assert_int_equal(reload_ice_candidate_encode(w, &c), 0);
}

/* The first check that a channel of this role sends, for a far end with the credentials above. */
static void first_check(struct reload_ice *ice, enum reload_ice_role role, uint8_t out[1500],
                        StunMessage *check)
{
    struct end a;
    struct reload_link_address address;
    uint8_t bytes[256];
    struct reload_writer w = reload_writer_of(bytes, sizeof bytes);
    int fd = open_socket(&address);
    add(&w, &address, RELOAD_OVERLAY_LINK_DTLS_UDP_SR, "1");
    end_open(ice, &a, role);
    assert_true(run_until(ice, &a.gathered, 5000));
    assert_int_equal(
        reload_ice_channel_set_remote(a.channel, ufrag, password, reload_writer_slice(&w)), 0);
    run_for(ice, 200);
    ssize_t n = recv(fd, out, 1500, 0);
    close(fd);
    assert_true(n > 0);
    *check = (StunMessage){ .buffer = out, .buffer_len = (size_t)n };
    assert_int_equal(stun_message_validate_buffer_length(out, (size_t)n, true), n);
}

/* R6940-6.5.1.9-1 R6940-6.5.1.9-2 */
static void checks_carry_the_role_that_the_attach_gave(void **state)
{
    uint8_t bytes[1500];
    StunMessage check;
    first_check(*state, RELOAD_ICE_CONTROLLING, bytes, &check);
    assert_true(stun_message_has_attribute(&check, STUN_ATTRIBUTE_ICE_CONTROLLING));
    assert_false(stun_message_has_attribute(&check, STUN_ATTRIBUTE_ICE_CONTROLLED));
    assert_true(stun_message_has_attribute(&check, STUN_ATTRIBUTE_PRIORITY));
    assert_true(stun_message_has_attribute(&check, STUN_ATTRIBUTE_MESSAGE_INTEGRITY));
    first_check(*state, RELOAD_ICE_CONTROLLED, bytes, &check);
    assert_true(stun_message_has_attribute(&check, STUN_ATTRIBUTE_ICE_CONTROLLED));
    assert_false(stun_message_has_attribute(&check, STUN_ATTRIBUTE_ICE_CONTROLLING));
}

static void a_wrong_password_connects_nobody(void **state)
{
    struct end a, b;
    uint8_t bytes[4096];
    end_open(*state, &a, RELOAD_ICE_CONTROLLING);
    end_open(*state, &b, RELOAD_ICE_CONTROLLED);
    assert_true(run_until(*state, &a.gathered, 5000));
    assert_true(run_until(*state, &b.gathered, 5000));
    assert_int_equal(end_introduce(&a, &b), 0);
    struct reload_slice candidates = end_candidates(&b, bytes, sizeof bytes);
    assert_int_equal(reload_ice_channel_set_remote(a.channel, reload_ice_channel_ufrag(b.channel),
                                                   password, candidates),
                     0);
    assert_true(run_until(*state, &a.failed, 60000));
    assert_int_equal(a.error, RELOAD_E_TIMEOUT);
    assert_false(a.connected);
    assert_int_equal(reload_ice_channel_send(a.channel, password), RELOAD_E_STATE);
}

/* R6940-6.5.1.1-7 R6940-6.5.1.1-9 */
static void addresses_that_nobody_may_send_to_are_refused(void **state)
{
    struct reload_ice *ice = *state;
    const struct reload_ice_stats *stats = reload_ice_stats(ice);
    struct end a;
    uint8_t bytes[2048];
    static const struct reload_link_address bad[] = {
        { 4, { 224, 0, 0, 1 }, 9 },
        { 4, { 0, 0, 0, 0 }, 9 },
        { 4, { 255, 255, 255, 255 }, 9 },
        { 4, { 192, 0, 2, 1 }, 0 },
        { 16, { 0 }, 9 },
        { 16, { 0xff, 2, [15] = 1 }, 9 },
        { 16, { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 }, 9 },
        { 16, { 0xfe, 0x80, [15] = 1 }, 9 },
    };
    struct reload_writer w = reload_writer_of(bytes, sizeof bytes);
    struct reload_link_address good = loopback(9);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        add(&w, &bad[i], RELOAD_OVERLAY_LINK_DTLS_UDP_SR, "1");
    add(&w, &good, RELOAD_OVERLAY_LINK_DTLS_UDP_SR, "123456789012345678901234567890123");
    add(&w, &good, 77, "1"); /* an overlay link of the future */
    end_open(ice, &a, RELOAD_ICE_CONTROLLING);
    assert_true(run_until(ice, &a.gathered, 5000));
    assert_int_equal(
        reload_ice_channel_set_remote(a.channel, ufrag, password, reload_writer_slice(&w)),
        RELOAD_E_NOT_FOUND);
    assert_int_equal(stats->candidates_refused, G_N_ELEMENTS(bad) + 1);
    assert_int_equal(stats->candidates_unknown, 1);
    for (size_t cut = 1; cut < w.len; cut += 7) /* not at a candidate's end: no list */
        assert_int_not_equal(
            reload_ice_channel_set_remote(a.channel, ufrag, password, reload_slice_of(bytes, cut)),
            0);
    add(&w, &good, RELOAD_OVERLAY_LINK_DTLS_UDP_SR, "1");
    add(&w, &good, RELOAD_OVERLAY_LINK_TLS_TCP_FH_NO_ICE, "1");
    assert_int_equal(
        reload_ice_channel_set_remote(a.channel, ufrag, password, reload_writer_slice(&w)),
        RELOAD_E_INVALID); /* ICE and No-ICE together */
    assert_int_equal(reload_ice_channel_set_remote(a.channel, reload_slice_of("abc", 3), password,
                                                   reload_slice_of(bytes, 0)),
                     RELOAD_E_INVALID);
}

static void loopback_is_refused_by_who_does_not_live_there(void **state)
{
    struct end a;
    uint8_t bytes[256];
    struct reload_writer w = reload_writer_of(bytes, sizeof bytes);
    struct reload_link_address there = loopback(9);
    add(&w, &there, RELOAD_OVERLAY_LINK_DTLS_UDP_SR, "1");
    struct reload_ice_channel_config config = { .role = RELOAD_ICE_CONTROLLED };
    end_open_with(*state, &a, &config);
    assert_int_equal(
        reload_ice_channel_set_remote(a.channel, ufrag, password, reload_writer_slice(&w)),
        RELOAD_E_NOT_FOUND);
}

/* 12 own addresses and 60 candidates: 720 pairs, of which at most 100 are checked. */
static void a_flood_of_candidates_is_cut(void **state)
{
    struct reload_ice *ice = *state;
    struct end a;
    struct reload_link_address local[12], remote[SOCKETS];
    int fds[SOCKETS];
    uint8_t bytes[4096];
    struct reload_writer w = reload_writer_of(bytes, sizeof bytes);
    for (size_t i = 0; i < 12; i++) {
        local[i] = loopback(0);
        local[i].bytes[3] = (uint8_t)(1 + i);
    }
    for (size_t i = 0; i < SOCKETS; i++) {
        fds[i] = open_socket(&remote[i]);
        add(&w, &remote[i], RELOAD_OVERLAY_LINK_DTLS_UDP_SR, "1");
    }
    for (uint16_t i = 0; i < 40; i++) {
        struct reload_link_address more = loopback((uint16_t)(20000 + i));
        add(&w, &more, RELOAD_OVERLAY_LINK_DTLS_UDP_SR, "1");
    }
    struct reload_ice_channel_config config = { .role = RELOAD_ICE_CONTROLLING,
                                                .local_addresses = local,
                                                .local_address_count = 12 };
    end_open_with(ice, &a, &config);
    assert_true(run_until(ice, &a.gathered, 5000));
    assert_int_equal(
        reload_ice_channel_set_remote(a.channel, ufrag, password, reload_writer_slice(&w)), 0);
    assert_int_equal(reload_ice_stats(ice)->candidates_taken, RELOAD_ICE_REMOTE_CANDIDATES_MAX);
    assert_int_equal(reload_ice_stats(ice)->candidates_over, 40);
    run_for(ice, 6000); /* 100 checks at one in 20 ms take 2 s */
    size_t pairs = 0;
    for (size_t i = 0; i < SOCKETS; i++) {
        bool seen[13] = { false };
        struct sockaddr_storage from;
        socklen_t len = sizeof from;
        while (recvfrom(fds[i], (uint8_t[1]){ 0 }, 1, 0, (struct sockaddr *)&from, &len) >= 0) {
            struct reload_link_address at =
                reload_ice_address_from_socket((const struct sockaddr *)&from);
            assert_true(at.bytes[3] <= 12);
            pairs += !seen[at.bytes[3]];
            seen[at.bytes[3]] = true;
            len = sizeof from;
        }
        close(fds[i]);
    }
    assert_true(pairs > 50);
    assert_true(pairs <= RELOAD_ICE_CHECKS_MAX);
}

static void strangers_bytes_never_reach_the_queue(void **state)
{
    struct end a;
    struct reload_link_address address;
    struct reload_ice_candidate own;
    struct sockaddr_storage to;
    uint8_t noise[64];
    int fd = open_socket(&address);
    end_open(*state, &a, RELOAD_ICE_CONTROLLING);
    assert_true(run_until(*state, &a.gathered, 5000));
    assert_int_equal(reload_ice_channel_candidates(a.channel, &own, 1), 1);
    struct reload_link_address target = loopback(own.addr_port.port);
    socklen_t len = reload_ice_address_to_socket(&target, &to);
    for (unsigned int i = 0; i < 256; i++) {
        memset(noise, (int)i, sizeof noise);
        assert_int_equal(sendto(fd, noise, sizeof noise, 0, (const struct sockaddr *)&to, len),
                         sizeof noise);
        run_for(*state, 1);
    }
    run_for(*state, 100);
    close(fd);
    assert_int_equal(a.datagrams, 0);
    assert_false(a.failed);
}

/* --- forged answers --- */

#define STUN_HEADER_LEN 20
#define INTEGRITY_LEN   24

/* A success response that says 198.51.100.1:9 (RFC 5389 s15.2), with a MESSAGE-INTEGRITY that is
 * made up when `integrity`. */
static size_t forge(const uint8_t question[STUN_HEADER_LEN], bool its_id, bool integrity,
                    uint8_t out[STUN_HEADER_LEN + 12 + INTEGRITY_LEN])
{
    static const uint8_t start[] = { 1, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42 };
    static const uint8_t mapped[] = { 0,    0x20,     0,          8,         0,          1,
                                      0x21, 9 ^ 0x12, 198 ^ 0x21, 51 ^ 0x12, 100 ^ 0xa4, 1 ^ 0x42 };
    size_t len = STUN_HEADER_LEN + sizeof mapped;
    memcpy(out, start, sizeof start);
    memcpy(out + 8, question + 8, 12);
    memcpy(out + STUN_HEADER_LEN, mapped, sizeof mapped);
    out[8] ^= its_id ? 0 : 1;
    if (!integrity)
        return len;
    memset(out + len, 0x55, INTEGRITY_LEN);
    memcpy(out + len, (uint8_t[]){ 0, 8, 0, 20 }, 4);
    out[3] = 12 + INTEGRITY_LEN;
    return len + INTEGRITY_LEN;
}

/* Takes a question that came to the socket, and whom it is from. */
static void take_question(int fd, uint8_t question[1500], struct sockaddr_storage *from)
{
    socklen_t len = sizeof *from;
    assert_true(recvfrom(fd, question, 1500, 0, (struct sockaddr *)from, &len) >= STUN_HEADER_LEN);
}

static void send_back(int fd, const struct sockaddr_storage *to, const uint8_t *bytes, size_t len)
{
    assert_int_equal(
        sendto(fd, bytes, len, 0, (const struct sockaddr *)to, sizeof(struct sockaddr_in)),
        (ssize_t)len);
}

static void an_answer_to_another_question_gives_no_candidate(void **state)
{
    struct end a;
    struct reload_link_address local = loopback(0), server;
    struct reload_ice_candidate list[3];
    uint8_t question[1500], answer[64];
    struct sockaddr_storage from;
    int fd = open_socket(&server);
    struct reload_ice_channel_config config = { .stun_server = &server,
                                                .local_addresses = &local,
                                                .local_address_count = 1 };
    end_open_with(*state, &a, &config);
    run_for(*state, 100);
    take_question(fd, question, &from);
    for (int i = 0; i < 10; i++)
        send_back(fd, &from, answer, forge(question, false, false, answer));
    size_t len = forge(question, true, false, answer);
    send_back(fd, &from, answer, len - 4); /* the length that it states is not there */
    answer[3] += 4;
    send_back(fd, &from, answer, len);
    assert_true(run_until(*state, &a.gathered, 5000));
    close(fd);
    assert_int_equal(reload_ice_channel_candidates(a.channel, list, 3), 1);
    assert_int_equal(list[0].type, RELOAD_CANDIDATE_HOST);
}

/* RFC 5245 s7.1.2.2: a check has succeeded when the answer carries the far end's password. */
static void a_check_that_anybody_could_have_answered_connects_nobody(void **state)
{
    struct end a;
    struct reload_link_address address;
    uint8_t list[256], question[1500], answer[64];
    struct reload_writer w = reload_writer_of(list, sizeof list);
    struct sockaddr_storage from;
    int fd = open_socket(&address);
    add(&w, &address, RELOAD_OVERLAY_LINK_DTLS_UDP_SR, "1");
    end_open(*state, &a, RELOAD_ICE_CONTROLLING);
    assert_true(run_until(*state, &a.gathered, 5000));
    assert_int_equal(
        reload_ice_channel_set_remote(a.channel, ufrag, password, reload_writer_slice(&w)), 0);
    for (int i = 0; i < 3; i++) { /* the check, and its repetitions */
        run_for(*state, 600 << i);
        take_question(fd, question, &from);
        send_back(fd, &from, answer, forge(question, true, false, answer));
        send_back(fd, &from, answer, forge(question, true, true, answer));
        send_back(fd, &from, answer, forge(question, false, true, answer));
        run_for(*state, 100);
    }
    close(fd);
    assert_false(a.connected);
    assert_int_equal(reload_ice_channel_send(a.channel, password), RELOAD_E_STATE);
}

/* An Attach waits for gathering: a dead server must not use up its 15 s. */
static void a_stun_server_that_is_silent_does_not_hold_up_gathering(void **state)
{
    struct end a;
    struct reload_link_address local = loopback(0), silent;
    struct reload_ice_candidate list[2];
    int fd = open_socket(&silent);
    struct reload_ice_channel_config config = { .stun_server = &silent,
                                                .local_addresses = &local,
                                                .local_address_count = 1 };
    end_open_with(*state, &a, &config);
    assert_true(run_until(*state, &a.gathered, 3000));
    assert_true(recv(fd, list, sizeof list, 0) > 0); /* it was asked */
    close(fd);
    assert_int_equal(reload_ice_channel_candidates(a.channel, list, 2), 1);
    assert_int_equal(list[0].type, RELOAD_CANDIDATE_HOST);
}

static void no_more_channels_than_the_cap(void **state)
{
    struct end a;
    struct reload_link_address many[RELOAD_ICE_ADDRESSES_MAX + 1];
    for (size_t i = 0; i < G_N_ELEMENTS(many); i++)
        many[i] = loopback(0);
    struct reload_ice_channel_config config = { .local_addresses = many,
                                                .local_address_count = G_N_ELEMENTS(many) };
    assert_int_equal(reload_ice_channel_new(*state, &config, &a.channel), RELOAD_E_LIMIT);
    config.local_address_count = 1;
    config.turn_server_count = RELOAD_ICE_TURN_SERVERS_MAX + 1;
    assert_int_equal(reload_ice_channel_new(*state, &config, &a.channel), RELOAD_E_LIMIT);
    config.turn_server_count = 0;
    int error = 0;
    size_t made = 0;
    for (; error == 0 && made <= RELOAD_ICE_CHANNELS_MAX; made += error == 0)
        error = reload_ice_channel_new(*state, &config, &a.channel);
    /* The descriptors of the system may end before the cap does. */
    assert_true(error == RELOAD_E_IO || made == RELOAD_ICE_CHANNELS_MAX);
}

#define WITH_ICE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ICE(checks_carry_the_role_that_the_attach_gave),
        WITH_ICE(a_wrong_password_connects_nobody),
        WITH_ICE(addresses_that_nobody_may_send_to_are_refused),
        WITH_ICE(loopback_is_refused_by_who_does_not_live_there),
        WITH_ICE(a_flood_of_candidates_is_cut),
        WITH_ICE(strangers_bytes_never_reach_the_queue),
        WITH_ICE(an_answer_to_another_question_gives_no_candidate),
        WITH_ICE(a_check_that_anybody_could_have_answered_connects_nobody),
        WITH_ICE(a_stun_server_that_is_silent_does_not_hold_up_gathering),
        WITH_ICE(no_more_channels_than_the_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
