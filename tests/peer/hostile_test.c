#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "ice/stun_client.h"
#include "pair.h"
#include "peer/overlay_internal.h"
#include "reload/node/offer.h"
#include "reload/wire/attach.h"
#include "reload/wire/error.h"
#include "reload/wire/message.h"

/* Whole nodes by ICE and what others send them: candidates in signed Attach requests, and STUN from
 * anywhere on the bare port. `b` is the one that suffers it. */

#define APPLICATION 40000
#define PATIENCE_MS 40000
#define MANY        RELOAD_OFFER_CANDIDATES_MAX /* of one request */

static const struct pair_options by_ice = { .ice = true };

static struct pair pair;
static struct pair_node guest;

static const struct reload_channel_events served = { 0 };

static int open_pair(void **state)
{
    (void)state;
    pair_open(&pair, &by_ice);
    pair_guest(&pair, &by_ice, true, &guest);
    assert_int_equal(reload_overlay_accept_channels(pair.b.overlay, APPLICATION, &served, NULL), 0);
    return 0;
}

static int close_pair(void **state)
{
    (void)state;
    pair_close(&pair);
    return 0;
}

static const struct reload_ice_stats *ice_of(const struct pair_node *node)
{
    return reload_overlay_ice_view(node->overlay);
}

static struct reload_links_stats links_of(const struct pair_node *node)
{
    struct reload_links_stats stats;
    reload_links_stats(node->overlay->links, &stats);
    return stats;
}

/* --- candidates --- */

struct answer {
    bool is_done;
    int error;
    uint16_t error_code;
};

static void answered(void *context, const struct reload_result *result)
{
    *(struct answer *)context = (struct answer){ true, result->error, result->error_code };
}

static struct reload_target the_victim(void)
{
    return (struct reload_target){ .id = reload_node_id_slice(&pair.b.files.node_id) };
}

/* The guest's request with that body, signed as any other. */
static struct answer ask(uint16_t code, struct reload_slice body)
{
    struct answer answer = { 0 };
    const struct reload_target target = the_victim();
    assert_int_equal(reload_overlay_request(guest.overlay, &target, code, body, answered, &answer),
                     0);
    assert_true(pair_until(&pair, &answer.is_done, PATIENCE_MS));
    return answer;
}

static struct answer attach_with(struct reload_slice candidates)
{
    static uint8_t bytes[16384];
    struct reload_writer w = reload_writer_of(bytes, sizeof bytes);
    const struct reload_attach attach = {
        .ufrag = reload_slice_of("abcd", 4),
        .password = reload_slice_of("0123456789abcdefghijkl", 22),
        .role = reload_slice_of("passive", 7),
        .candidates = candidates,
    };
    assert_int_equal(reload_attach_encode(&w, &attach), 0);
    return ask(RELOAD_ATTACH_REQ, reload_writer_slice(&w));
}

static struct answer app_attach_with(struct reload_slice candidates)
{
    static uint8_t bytes[16384];
    struct reload_writer w = reload_writer_of(bytes, sizeof bytes);
    const struct reload_app_attach attach = {
        .ufrag = reload_slice_of("abcd", 4),
        .password = reload_slice_of("0123456789abcdefghijkl", 22),
        .application = APPLICATION,
        .role = reload_slice_of("passive", 7),
        .candidates = candidates,
    };
    assert_int_equal(reload_app_attach_encode(&w, &attach), 0);
    return ask(RELOAD_APP_ATTACH_REQ, reload_writer_slice(&w));
}

static void add(struct reload_writer *w, uint8_t overlay_link, uint8_t address_type,
                const char *address, uint16_t port)
{
    struct reload_link_address at;
    assert_int_equal(reload_link_address_parse(address, port, &at), 0);
    const struct reload_ice_candidate candidate = {
        .addr_port = { .type = address_type, .port = port, .address = { at.bytes, at.len } },
        .overlay_link = overlay_link,
        .foundation = reload_slice_of("1", 1),
        .priority = 2130706431,
        .type = RELOAD_CANDIDATE_HOST,
    };
    assert_int_equal(reload_ice_candidate_encode(w, &candidate), 0);
}

static void as_many_as_allowed(struct reload_writer *w)
{
    for (uint16_t i = 0; i < MANY; i++)
        add(w, RELOAD_OVERLAY_LINK_DTLS_UDP_SR, RELOAD_ADDRESS_IPV4, "127.0.0.1",
            (uint16_t)(20000 + i));
}

static void one_too_many(struct reload_writer *w)
{
    as_many_as_allowed(w);
    add(w, RELOAD_OVERLAY_LINK_DTLS_UDP_SR, RELOAD_ADDRESS_IPV4, "127.0.0.1", 9);
}

static void links_of_the_future(struct reload_writer *w)
{
    for (unsigned link = 6; link < 30; link++)
        add(w, (uint8_t)link, RELOAD_ADDRESS_IPV4, "127.0.0.1", 9);
    for (unsigned type = 3; type < 30; type++)
        add(w, RELOAD_OVERLAY_LINK_DTLS_UDP_SR, (uint8_t)type, "127.0.0.1", 9);
}

static void addresses_of_nobody(struct reload_writer *w)
{
    static const char *const nobody[] = { "224.0.0.1", "0.0.0.0", "255.255.255.255" };
    for (size_t i = 0; i < G_N_ELEMENTS(nobody); i++)
        add(w, RELOAD_OVERLAY_LINK_DTLS_UDP_SR, RELOAD_ADDRESS_IPV4, nobody[i], 9);
    add(w, RELOAD_OVERLAY_LINK_DTLS_UDP_SR, RELOAD_ADDRESS_IPV6, "ff02::1", 9);
    add(w, RELOAD_OVERLAY_LINK_DTLS_UDP_SR, RELOAD_ADDRESS_IPV4, "127.0.0.1", 0);
}

static void a_mixture(struct reload_writer *w)
{
    add(w, RELOAD_OVERLAY_LINK_DTLS_UDP_SR, RELOAD_ADDRESS_IPV4, "127.0.0.1", 9);
    add(w, RELOAD_OVERLAY_LINK_TLS_TCP_FH_NO_ICE, RELOAD_ADDRESS_IPV4, "127.0.0.1", 9);
}

static void nothing(struct reload_writer *w)
{
    (void)w;
}

static void opened(void *context, struct reload_channel *channel)
{
    (void)channel;
    *(bool *)context = true;
}

/* Nothing of it is left after its time, and an honest attempt of either kind works. */
static void assert_unharmed(void)
{
    struct reload_channel_stats stats;
    struct answer attached = { 0 };
    struct reload_channel *channel;
    const struct reload_target target = the_victim();
    static const struct reload_channel_events events = { .opened = opened };
    static bool is_open;
    is_open = false;
    for (int i = 0; i < PATIENCE_MS / 10; i++) {
        reload_overlay_channel_stats(pair.b.overlay, &stats);
        if (links_of(&pair.b).links == links_of(&pair.b).up && stats.channels == 0)
            break;
        pair_for_ms(&pair, 10);
    }
    assert_int_equal(links_of(&pair.b).links, links_of(&pair.b).up);
    assert_int_equal(stats.channels, 0);
    assert_int_equal(reload_overlay_open_channel(guest.overlay, &target, APPLICATION, &events,
                                                 &is_open, &channel),
                     0);
    assert_true(pair_until(&pair, &is_open, PATIENCE_MS));
    reload_channel_close(channel);
    assert_int_equal(reload_overlay_attach(guest.overlay, &target, answered, &attached), 0);
    assert_true(pair_until(&pair, &attached.is_done, PATIENCE_MS));
    assert_int_equal(attached.error, 0);
}

static const struct hostile_list {
    const char *what;
    void (*write)(struct reload_writer *w);
    uint16_t error_code; /* 0: it is answered, and no pair of candidates works */
} lists[] = {
    { "as many as allowed", as_many_as_allowed, 0 },
    { "one too many", one_too_many, RELOAD_ERROR_INVALID_MESSAGE },
    { "unknown links and addresses", links_of_the_future, RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY },
    { "addresses that nobody has", addresses_of_nobody, 0 },
    { "ICE and No-ICE", a_mixture, RELOAD_ERROR_INVALID_MESSAGE },
    { "none at all", nothing, RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY },
};

/* The checks of the list before are still going on. */
static bool is_busy(const struct answer *answer)
{
    return answer->error_code == RELOAD_ERROR_IN_PROGRESS;
}

static void send_each(struct answer (*with)(struct reload_slice))
{
    static uint8_t bytes[16384];
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        struct reload_writer w = reload_writer_of(bytes, sizeof bytes);
        lists[i].write(&w);
        struct answer answer = with(reload_writer_slice(&w));
        for (int j = 0; j < PATIENCE_MS / 100 && is_busy(&answer); j++) {
            pair_for_ms(&pair, 100);
            answer = with(reload_writer_slice(&w));
        }
        if (answer.error_code != lists[i].error_code)
            fail_msg("%s: %s", lists[i].what, reload_error_code_name(answer.error_code));
    }
}

/* R6940-6.5.1.1-7 R6940-6.5.1.1-9 */
static void hostile_candidates_of_an_attach_are_counted_and_forgotten(void **state)
{
    (void)state;
    send_each(attach_with);
    assert_true(ice_of(&pair.b)->candidates_taken >= RELOAD_ICE_REMOTE_CANDIDATES_MAX);
    assert_true(ice_of(&pair.b)->candidates_over >= MANY - RELOAD_ICE_REMOTE_CANDIDATES_MAX);
    assert_unharmed();
}

static void hostile_candidates_of_an_app_attach_are_counted_and_forgotten(void **state)
{
    (void)state;
    send_each(app_attach_with);
    assert_true(ice_of(&pair.b)->candidates_over >= MANY - RELOAD_ICE_REMOTE_CANDIDATES_MAX);
    assert_unharmed();
}

/* R6940-6.3.1.1-1: an unknown candidate type has no known length. */
static void candidates_that_are_no_list_lose_the_message(void **state)
{
    (void)state;
    static uint8_t bytes[256], body[512];
    struct reload_writer w = reload_writer_of(bytes, sizeof bytes);
    add(&w, RELOAD_OVERLAY_LINK_DTLS_UDP_SR, RELOAD_ADDRESS_IPV4, "127.0.0.1", 9);
    for (size_t cut = 1; cut < w.len; cut += 5) {
        struct answer answer = attach_with(reload_slice_of(bytes, cut));
        assert_int_equal(answer.error_code, RELOAD_ERROR_INVALID_MESSAGE);
    }
    assert_int_equal(ask(RELOAD_ATTACH_REQ, reload_slice_of(body, sizeof body)).error_code,
                     RELOAD_ERROR_INVALID_MESSAGE);
    assert_unharmed();
}

/* --- STUN on the bare port --- */

static int udp_socket(struct sockaddr_in *at)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof *at;
    *at = (struct sockaddr_in){ .sin_family = AF_INET };
    at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)at, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
    return fd;
}

#define ANSWER_LEN 32
#define QUIET_MS   300

/* A success that says 198.51.100.1:9 (RFC 5389 s15.2). */
static void write_answer(const uint8_t question[RELOAD_ICE_STUN_REQUEST_LEN],
                         uint8_t out[ANSWER_LEN])
{
    static const uint8_t start[] = { 1, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42 };
    static const uint8_t mapped[] = { 0,    0x20,     0,          8,         0,          1,
                                      0x21, 9 ^ 0x12, 198 ^ 0x21, 51 ^ 0x12, 100 ^ 0xa4, 1 ^ 0x42 };
    memcpy(out, start, sizeof start);
    memcpy(out + 8, question + 8, 12);
    memcpy(out + RELOAD_ICE_STUN_REQUEST_LEN, mapped, sizeof mapped);
}

static void put(int fd, const struct sockaddr_in *to, const uint8_t *p, size_t n)
{
    assert_int_equal(sendto(fd, p, n, 0, (const struct sockaddr *)to, sizeof *to), (ssize_t)n);
}

/* Until no question is open, and no new link has led to one for a while. */
static void await_honest_answers(const struct reload_ice_stun_client *stun)
{
    uint64_t before;
    int ms = 0;
    do {
        before = stun->answers;
        pair_for_ms(&pair, QUIET_MS);
        ms += QUIET_MS;
    } while (ms < PATIENCE_MS &&
             (stun->answers != before || reload_ice_stun_client_deadline(stun) != RELOAD_NEVER));
}

static void forged_stun_answers_teach_a_node_nothing(void **state)
{
    (void)state;
    struct reload_overlay *o = pair.b.overlay;
    const struct reload_ice_stun_client *stun = &o->stun.client;
    struct sockaddr_in server, stranger, bare;
    uint8_t question[64], answer[ANSWER_LEN];
    socklen_t len = sizeof bare;
    int fd = udp_socket(&server), other = udp_socket(&stranger);
    struct reload_link_address address;
    assert_int_equal(reload_link_address_parse("127.0.0.1", ntohs(server.sin_port), &address), 0);
    await_honest_answers(stun);
    enum reload_overlay_nat nat = reload_overlay_stun_nat(o);
    size_t servers = o->stun.servers.count;
    o->now = reload_overlay_now();
    reload_overlay_stun_linked(o, 4242, &address); /* a link's far end has its bare port there */
    ssize_t n = -1;
    for (int i = 0; i < PATIENCE_MS && n < 0; i++) {
        pair_for_ms(&pair, 1);
        n = recvfrom(fd, question, sizeof question, 0, (struct sockaddr *)&bare, &len);
    }
    assert_int_equal(n, RELOAD_ICE_STUN_REQUEST_LEN);
    uint64_t forged = stun->forged, malformed = stun->malformed, answers = stun->answers;
    write_answer(question, answer);
    for (int i = 0; i < 100; i++) {
        put(other, &bare, answer, sizeof answer); /* the right question, another source */
        answer[8] ^= 1;
        put(fd, &bare, answer, sizeof answer); /* the right source, another question */
        answer[8] ^= 1;
        if (i % 10 == 0)
            pair_for_ms(&pair, 1);
    }
    put(fd, &bare, answer, sizeof answer - 4); /* not all of it */
    answer[31] ^= 0;
    answer[21] = 0x21; /* XOR-MAPPED-ADDRESS is missing */
    put(fd, &bare, answer, sizeof answer);
    pair_for_ms(&pair, 100);
    assert_true(stun->forged > forged + 100);
    assert_in_range(stun->malformed, malformed + 1, malformed + 2);
    assert_int_equal(stun->answers, answers);
    assert_int_equal(reload_overlay_stun_nat(o), nat);
    assert_int_equal(o->stun.servers.count, servers);
    write_answer(question, answer);
    put(fd, &bare, answer, sizeof answer); /* and the true one still counts */
    pair_for_ms(&pair, 100);
    assert_int_equal(stun->answers, answers + 1);
    close(fd);
    close(other);
    reload_overlay_stun_unlinked(o, 4242);
}

/* Each is answered or dropped, and counted; none is answered with more than it and its address. */
static void a_flood_of_binding_requests_leaves_the_node_well(void **state)
{
    (void)state;
    struct reload_overlay *o = pair.b.overlay;
    struct sockaddr_in stranger, bare = { .sin_family = AF_INET };
    uint8_t question[RELOAD_ICE_STUN_REQUEST_LEN] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
    uint8_t answer[256];
    int fd = udp_socket(&stranger);
    size_t in = 0;
    ssize_t n;
    bare.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bare.sin_port = htons(o->bare[0].port);
    for (uint32_t i = 0; i < 20000; i++) {
        memcpy(question + 8, &i, sizeof i);
        question[1] = i % 4 ? 1 : (uint8_t)i; /* some are no Binding requests */
        put(fd, &bare, question, sizeof question);
        if (i % 16 == 0)
            pair_turn(&pair);
        while ((n = recv(fd, answer, sizeof answer, 0)) > 0) {
            assert_true((size_t)n <= sizeof question + RELOAD_ICE_STUN_GROWTH_MAX);
            in++;
        }
    }
    pair_for_ms(&pair, 100);
    assert_true(in > 1000);
    assert_true(o->stun.answers.answered > 1000);
    assert_true(o->stun.answers.other + o->stun.answers.malformed > 100);
    close(fd);
    assert_unharmed();
}

int main(void)
{
#define LIVE(test) cmocka_unit_test_setup_teardown(test, open_pair, close_pair)
    const struct CMUnitTest tests[] = {
        LIVE(hostile_candidates_of_an_attach_are_counted_and_forgotten),
        LIVE(hostile_candidates_of_an_app_attach_are_counted_and_forgotten),
        LIVE(candidates_that_are_no_list_lose_the_message),
        LIVE(forged_stun_answers_teach_a_node_nothing),
        LIVE(a_flood_of_binding_requests_leaves_the_node_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
