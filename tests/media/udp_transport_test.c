/* Two sessions over real sockets on the loopback. */

#include "media/udp_transport.h"
#include "tests/media/session_world.h"
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct end {
    struct reload_media_udp *udp;
    struct reload_engine_srtp *certificate;
    struct reload_media_session *session;
    struct noise noise;
    enum reload_media_session_state state;
    bool audio;
};

static struct end ends[2];

static void open_end(struct end *end, const char *literal)
{
    struct reload_link_address any;
    *end = (struct end){ .noise = noise_of(end == ends ? 1 : 2) };
    assert_int_equal(reload_link_address_parse(literal, 0, &any), 0);
    assert_int_equal(reload_media_udp_new(&any, &end->udp), 0);
    assert_int_equal(reload_engine_srtp_new(NULL, NULL, NULL, world_now(), &end->certificate), 0);
    struct reload_media_session_options options = { end->certificate,
                                                    reload_media_stream_defaults(), "tone", NULL };
    options.stream.cancel_echo = false;
    options.stream.random = random_of(&end->noise);
    assert_int_equal(
        reload_media_session_new(&options, &reload_media_udp_ops, end->udp, &end->session), 0);
}

static void run(unsigned ms)
{
    uint64_t until_ms = world_now().monotonic_ms + ms;
    while (world_now().monotonic_ms < until_ms) {
        struct pollfd wait[4];
        for (size_t i = 0; i < 2; i++) {
            wait[2 * i] = (struct pollfd){ reload_media_udp_descriptor(ends[i].udp), POLLIN, 0 };
            wait[2 * i + 1] =
                (struct pollfd){ reload_media_session_descriptor(ends[i].session), POLLIN, 0 };
        }
        (void)poll(wait, 4, 5);
        for (size_t i = 0; i < 2; i++) {
            struct reload_media_event event;
            (void)reload_media_udp_read(ends[i].udp, ends[i].session, world_now());
            reload_media_session_tick(ends[i].session, world_now());
            while (reload_media_session_next(ends[i].session, &event)) {
                ends[i].state = event.state;
                ends[i].audio |= event.type == RELOAD_MEDIA_EVENT_AUDIO;
            }
        }
    }
}

static void negotiate(void)
{
    struct reload_media_parameters parameters;
    reload_media_session_local(ends[0].session, true, &parameters);
    assert_int_equal(reload_media_session_remote(ends[1].session, &parameters, world_now()), 0);
    reload_media_session_local(ends[1].session, false, &parameters);
    assert_int_equal(reload_media_session_remote(ends[0].session, &parameters, world_now()), 0);
    for (size_t i = 0; i < 2; i++) {
        struct reload_link_address far = reload_media_udp_local(ends[1 - i].udp);
        assert_true(far.port != 0);
        reload_media_session_path(ends[i].session, reload_media_udp_far(ends[i].udp, &far),
                                  world_now());
        assert_int_equal(reload_media_session_start(ends[i].session), 0);
    }
}

static void close_ends(void)
{
    for (size_t i = 0; i < 2; i++)
        reload_media_session_stop(ends[i].session);
    run(60);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(ends[i].state, RELOAD_MEDIA_SESSION_ENDED);
        reload_media_session_free(ends[i].session);
        reload_media_udp_free(ends[i].udp);
        reload_engine_srtp_free(ends[i].certificate);
    }
}

static void call(const char *literal)
{
    open_end(&ends[0], literal);
    open_end(&ends[1], literal);
    negotiate();
    for (int i = 0; i < 100 && !(ends[0].audio && ends[1].audio); i++)
        run(20);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(ends[i].state, RELOAD_MEDIA_SESSION_SECURE);
        assert_true(ends[i].audio);
    }
}

static void a_call_over_ipv4(void **state)
{
    (void)state;
    call("127.0.0.1");
    close_ends();
}

static void a_call_over_ipv6(void **state)
{
    (void)state;
    struct reload_link_address any;
    struct reload_media_udp *udp;
    assert_int_equal(reload_link_address_parse("::1", 0, &any), 0);
    if (reload_media_udp_new(&any, &udp) != 0)
        skip(); /* this machine has none */
    reload_media_udp_free(udp);
    call("::1");
    close_ends();
}

static struct sockaddr_in address_of(size_t index)
{
    struct reload_link_address address = reload_media_udp_local(ends[index].udp);
    struct sockaddr_in out = { .sin_family = AF_INET, .sin_port = htons(address.port) };
    memcpy(&out.sin_addr, address.bytes, 4);
    return out;
}

static void a_strangers_packets_are_elsewhere_until_the_far_end_moved_there(void **state)
{
    (void)state;
    call("127.0.0.1");
    int stranger = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in bob = address_of(1);
    static const uint8_t rtp[3000] = { 0x80, 96 };
    for (int i = 0; i < 10; i++)
        assert_true(sendto(stranger, rtp, i == 9 ? sizeof rtp : 100, 0, (struct sockaddr *)&bob,
                           sizeof bob) > 0);
    run(50);
    struct reload_media_session_status status;
    reload_media_session_status(ends[1].session, &status);
    assert_int_equal(status.counters.elsewhere, 9);
    assert_int_equal(status.counters.other, 1); /* too long for any of ours */
    assert_int_equal(status.state, RELOAD_MEDIA_SESSION_SECURE);

    struct sockaddr_in theirs; /* the far end has moved to where the stranger is */
    socklen_t len = sizeof theirs;
    assert_int_equal(sendto(stranger, rtp, 0, 0, (struct sockaddr *)&bob, sizeof bob), 0);
    assert_int_equal(getsockname(stranger, (struct sockaddr *)&theirs, &len), 0);
    struct reload_link_address far = { .len = 4,
                                       .bytes = { 127, 0, 0, 1 },
                                       .port = ntohs(theirs.sin_port) };
    uint64_t before = reload_media_udp_far(ends[1].udp, &far);
    uint64_t token = reload_media_udp_far(ends[1].udp, &far);
    assert_true(token > before);
    reload_media_session_path(ends[1].session, token, world_now());
    run(100);
    reload_media_session_status(ends[1].session, &status);
    assert_true(status.counters.elsewhere >= 9 + 3); /* what the old place still sends */
    uint8_t heard[2048];
    assert_true(recv(stranger, heard, sizeof heard, MSG_DONTWAIT) > 12); /* ours go to the new */
    close(stranger);
    close_ends();
}

static void what_cannot_be_bound_says_so(void **state)
{
    (void)state;
    struct reload_media_udp *udp;
    struct reload_link_address none = { 0 }, foreign;
    assert_int_equal(reload_media_udp_new(&none, &udp), RELOAD_E_INVALID);
    assert_int_equal(reload_link_address_parse("192.0.2.1", 0, &foreign), 0);
    assert_int_equal(reload_media_udp_new(&foreign, &udp), RELOAD_E_IO);
    assert_null(udp);
    assert_int_equal(reload_link_address_parse("127.0.0.1", 0, &foreign), 0);
    assert_int_equal(reload_media_udp_new(&foreign, &udp), 0);
    assert_int_equal(reload_media_udp_ops.send(udp, (const uint8_t *)"x", 1), RELOAD_E_STATE);
    reload_media_udp_free(udp);
    reload_media_udp_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_over_ipv4),
        cmocka_unit_test(a_call_over_ipv6),
        cmocka_unit_test(a_strangers_packets_are_elsewhere_until_the_far_end_moved_there),
        cmocka_unit_test(what_cannot_be_bound_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
