#include "pair.h"

#include <stdio.h>
#include <stdlib.h>

/* What a far end with a good certificate may try on agent 0, alice. */

static int setup(void **state)
{
    static struct world world;
    world_open(&world, 1, false);
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    world_close(*state);
    return 0;
}

struct forged { /* a request, with the parts that the tests turn */
    const char *method, *from, *from_tag, *to_tag, *branch, *call_id, *body, *type, *to;
    unsigned cseq;
};

static const struct forged plain = {
    .method = "OPTIONS",
    .from = "mallory@example.org",
    .from_tag = "t1",
    .branch = "z9hG4bKb1",
    .call_id = "c1",
    .to = "alice@example.org",
    .type = "text/plain",
    .cseq = 1,
};

static const char *forge(const struct forged *f)
{
    static char text[8192];
    const char *body = f->body ? f->body : "";
    (void)snprintf(text, sizeof text,
                   "%s sip:%s SIP/2.0\r\nVia: SIP/2.0/TLS x.example.org;branch=%s\r\n"
                   "Max-Forwards: 70\r\nFrom: <sip:%s>;tag=%s\r\nTo: <sip:%s>%s%s\r\n"
                   "Call-ID: %s\r\nCSeq: %u %s\r\nContact: <sip:mallory@example.org>\r\n"
                   "%s%s%sContent-Length: %zu\r\n\r\n%s",
                   f->method, f->to, f->branch, f->from, f->from_tag, f->to,
                   f->to_tag ? ";tag=" : "", f->to_tag ? f->to_tag : "", f->call_id, f->cseq,
                   f->method, f->body ? "Content-Type: " : "", f->body ? f->type : "",
                   f->body ? "\r\n" : "", strlen(body), body);
    return text;
}

static const char *try(struct world *world, uint32_t channel, const struct forged *f)
{
    const char *text = forge(f);
    say(world, channel, text, strlen(text));
    return heard(world);
}

static bool is(const char *answer, int status)
{
    char line[32];
    (void)snprintf(line, sizeof line, "SIP/2.0 %d ", status);
    return strncmp(answer, line, strlen(line)) == 0;
}

static uint64_t refused(struct world *world, enum reload_sip_refusal refusal)
{
    return reload_sip_agent_counters(world->agents[0].sip)->refused[refusal];
}

static void a_from_that_is_not_the_certificates_user_is_403(void **state)
{
    struct world *world = *state;
    static const char *const methods[] = { "INVITE", "MESSAGE", "OPTIONS" };
    uint32_t channel = stranger(world, "mallory@example.org", false);
    uint32_t nameless = stranger(world, NULL, false);
    for (size_t i = 0; i < 3; i++) {
        struct forged f = plain;
        f.method = methods[i];
        f.from = "bob@example.org";
        f.body = "hi";
        assert_true(is(try(world, channel, &f), 403));
        f.from = "mallory@example.org";
        assert_true(is(try(world, nameless, &f), 403));
    }
    assert_int_equal(refused(world, RELOAD_SIP_REFUSED_IDENTITY), 6);
    assert_int_equal(world->agents[0].event_count, 0);
    assert_true(is(try(world, channel, &plain), 200));
}

static void requests_that_nobody_here_wants_get_the_status_that_says_why(void **state)
{
    struct world *world = *state;
    uint32_t channel = stranger(world, "mallory@example.org", false);
    struct forged f = plain;
    f.method = "REGISTER";
    assert_true(is(try(world, channel, &f), 405));
    f = plain;
    f.to = "zoe@example.org";
    assert_true(is(try(world, channel, &f), 404));
    f = plain;
    f.method = "BYE";
    f.to_tag = "nothing";
    assert_true(is(try(world, channel, &f), 481));
    f = plain;
    f.method = "MESSAGE";
    f.body = "\x01\x02";
    f.type = "application/octet-stream";
    f.branch = "z9hG4bKb2";
    assert_true(is(try(world, channel, &f), 415));
    f.method = "INVITE";
    f.branch = "z9hG4bKb3";
    f.type = "application/sdp";
    f.body = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
             "m=audio 4000 RTP/AVP 0\r\n";
    const char *answer = try(world, channel, &f); /* RFC 3261 s13.3.1.3: with a Warning */
    assert_true(is(answer, 488));                 /* never in the clear */
    assert_non_null(strstr(answer, "\r\nWarning: 399 "));
    assert_int_equal(refused(world, RELOAD_SIP_REFUSED_MEDIA), 1);
}

/* RFC 3261 s8.2.3: rejected with the encodings that are understood, whatever the method; "identity"
 * is none (s20.12), and what has no body has nothing encoded. */
static void a_body_in_an_encoding_is_415_and_told_which_there_are(void **state)
{
    struct world *world = *state;
    static const char *const methods[] = { "MESSAGE", "INVITE", "OPTIONS" };
    uint32_t channel = stranger(world, "mallory@example.org", false);
    struct forged f = plain;
    char type[64], branch[32];
    f.type = type;
    f.branch = branch;
    for (unsigned i = 0; i < 6; i++) {
        (void)snprintf(type, sizeof type, "text/plain\r\n%s: gzip",
                       i % 2 ? "Content-Encoding" : "e");
        (void)snprintf(branch, sizeof branch, "z9hG4bKe%u", i);
        f.method = methods[i / 2];
        f.body = "\x1f\x8b";
        const char *answer = try(world, channel, &f);
        assert_true(is(answer, 415));
        assert_non_null(strstr(answer, "\r\nAccept-Encoding: identity\r\n"));
    }
    assert_int_equal(refused(world, RELOAD_SIP_REFUSED_CONTENT), 6);
    assert_int_equal(world->agents[0].event_count, 0);
    f.method = "MESSAGE";
    f.body = "";
    f.branch = "z9hG4bKe6";
    assert_true(is(try(world, channel, &f), 200));
    f.body = "plain";
    f.type = "text/plain\r\nContent-Encoding: Identity";
    f.branch = "z9hG4bKe7";
    assert_true(is(try(world, channel, &f), 200));
}

/* RFC 3261 s7.1: the version may be written in small letters, and is answered in capitals. */
static void the_version_is_read_in_any_case(void **state)
{
    struct world *world = *state;
    char text[1024];
    uint32_t channel = stranger(world, "mallory@example.org", false);
    (void)snprintf(text, sizeof text, "%s", forge(&plain));
    memcpy(strstr(text, "SIP/2.0\r\n"), "sip/2.0", 7);
    memcpy(strstr(text, "SIP/2.0/TLS"), "Sip", 3);
    say(world, channel, text, strlen(text));
    assert_true(is(heard(world), 200));
}

/* RFC 3261 s9.2: as long as the INVITE's transaction is there the CANCEL is answered with 200, and
 * has no effect when that had its final answer. */
static void a_cancel_after_the_refusal_is_200_until_the_ack_and_481_otherwise(void **state)
{
    struct world *world = *state;
    static const char offer[] =
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        "m=audio 4000 RTP/AVP 0\r\n";
    uint32_t channel = stranger(world, "mallory@example.org", false);
    struct forged f = plain;
    f.method = "INVITE";
    f.type = "application/sdp";
    f.body = offer;
    assert_true(is(try(world, channel, &f), 488));
    f.method = "CANCEL";
    f.body = NULL;
    assert_true(is(try(world, channel, &f), 200));
    f.branch = "z9hG4bKnone";
    assert_true(is(try(world, channel, &f), 481));
    f.branch = "z9hG4bKb2";
    f.call_id = "c2";
    f.method = "INVITE";
    f.body = offer;
    assert_true(is(try(world, channel, &f), 488));
    f.method = "CANCEL";
    f.body = NULL;
    assert_true(is(try(world, stranger(world, "mallory@example.org", false), &f), 481));
    assert_int_equal(world->agents[0].event_count, 0);
}

/* RFC 3261 s8.2.2.3: wherever they stand among the headers */
static void each_extension_that_is_unknown_is_named_once(void **state)
{
    struct world *world = *state;
    struct forged f = plain;
    unsigned named = 0;
    f.branch = "z9hG4bKb9\r\nX-One: 1\r\nX-Two: 2\r\nRequire: first\r\nX-Three: 3\r\nRequire: "
               "second";
    const char *answer = try(world, stranger(world, "mallory@example.org", false), &f);
    assert_true(is(answer, 420));
    assert_non_null(strstr(answer, "Unsupported: first\r\n"));
    assert_non_null(strstr(answer, "Unsupported: second\r\n"));
    for (const char *at = answer; (at = strstr(at, "Unsupported:")); at++)
        named++;
    assert_int_equal(named, 2);
}

static void a_text_sent_again_in_another_transaction_is_not_delivered_again(void **state)
{
    struct world *world = *state;
    uint32_t channel = stranger(world, "mallory@example.org", false);
    uint32_t other = stranger(world, "mallory@example.org", false);
    struct forged f = plain;
    f.method = "MESSAGE";
    f.body = "once";
    assert_true(is(try(world, channel, &f), 200));
    f.branch = "z9hG4bKother";
    assert_true(is(try(world, other, &f), 200));
    assert_int_equal(count_of(&world->agents[0], RELOAD_SIP_ACTION_MESSAGE), 1);
    assert_int_equal(refused(world, RELOAD_SIP_REFUSED_REPEATED), 1);
}

static void a_transaction_is_not_anothers_to_use(void **state)
{
    struct world *world = *state;
    uint32_t channel = stranger(world, "mallory@example.org", true);
    uint32_t other = stranger(world, "eve@example.org", true);
    struct forged f = plain;
    f.method = "INVITE";
    assert_true(is(try(world, channel, &f), 180));
    f.from = "eve@example.org";
    assert_string_equal(try(world, other, &f), "");
    f.method = "CANCEL";
    f.from = "mallory@example.org";
    assert_true(is(try(world, other, &f), 403));
    f.from = "eve@example.org";
    assert_true(is(try(world, other, &f), 481));
    assert_true(refused(world, RELOAD_SIP_REFUSED_REUSE) == 1);
    assert_int_equal(reload_sip_agent_sizes(world->agents[0].sip).calls, 1);
}

static void an_invite_that_comes_on_two_ways_is_482(void **state)
{
    struct world *world = *state;
    uint32_t channel = stranger(world, "mallory@example.org", false);
    struct forged f = plain;
    f.method = "INVITE";
    assert_true(is(try(world, channel, &f), 180));
    f.branch = "z9hG4bKsecond";
    assert_true(is(try(world, channel, &f), 482));
    assert_int_equal(reload_sip_agent_sizes(world->agents[0].sip).calls, 1);
}

static void answers_and_acks_to_nothing_are_dropped_and_counted(void **state)
{
    struct world *world = *state;
    uint32_t channel = stranger(world, "mallory@example.org", false);
    static const char answer[] =
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS x;branch=z9hG4bKz\r\nFrom: <sip:a@b>;tag=1\r\n"
        "To: <sip:c@d>;tag=2\r\nCall-ID: q\r\nCSeq: 1 INVITE\r\nContact: <sip:c@d>\r\n"
        "Content-Length: 0\r\n\r\n";
    say(world, channel, answer, sizeof answer - 1);
    assert_string_equal(heard(world), "");
    struct forged f = plain;
    f.method = "ACK";
    assert_string_equal(try(world, channel, &f), "");
    assert_int_equal(refused(world, RELOAD_SIP_REFUSED_RESPONSE), 1);
    assert_int_equal(refused(world, RELOAD_SIP_REFUSED_ACK), 1);
}

/* A thousand in one second: calls, transactions and memory stay within their caps. */
static void a_flood_of_invites_meets_the_caps(void **state)
{
    struct world *world = *state;
    unsigned busy = 0, unavailable = 0, rang = 0;
    uint32_t channels[20];
    char user[20][32];
    for (size_t i = 0; i < 20; i++) {
        (void)snprintf(user[i], sizeof user[i], "m%zu@example.org", i);
        channels[i] = stranger(world, user[i], false);
    }
    for (unsigned i = 0; i < 1000; i++) {
        char branch[32], id[32];
        struct forged f = plain;
        (void)snprintf(branch, sizeof branch, "z9hG4bKf%u", i);
        (void)snprintf(id, sizeof id, "flood%u", i);
        f.method = "INVITE";
        f.from = user[i % 20];
        f.branch = branch;
        f.call_id = id;
        const char *answer = try(world, channels[i % 20], &f);
        rang += is(answer, 180);
        busy += is(answer, 486);
        unavailable += is(answer, 503);
        world->now.monotonic_ms++;
        world->agents[0].event_count = 0;
    }
    struct reload_sip_sizes sizes = reload_sip_agent_sizes(world->agents[0].sip);
    assert_int_equal(rang, 32);
    assert_int_equal(rang + busy + unavailable, 1000);
    assert_int_equal(sizes.calls, 32);
    assert_true(sizes.transactions <= 512);
    assert_true(refused(world, RELOAD_SIP_REFUSED_CALLS) > 0);
    assert_true(refused(world, RELOAD_SIP_REFUSED_TRANSACTIONS) > 0);
}

static void one_user_has_a_cap_of_its_own(void **state)
{
    struct world *world = *state;
    uint32_t channel = stranger(world, "mallory@example.org", false);
    for (unsigned i = 0; i < 5; i++) {
        char id[32], branch[32];
        struct forged f = plain;
        (void)snprintf(id, sizeof id, "id%u", i);
        (void)snprintf(branch, sizeof branch, "z9hG4bKu%u", i);
        f.method = "INVITE";
        f.call_id = id;
        f.branch = branch;
        assert_true(is(try(world, channel, &f), i < 4 ? 180 : 486));
    }
    assert_int_equal(refused(world, RELOAD_SIP_REFUSED_CALLS_OF_USER), 1);
}

static unsigned retry_after_s(const char *answer)
{
    static const char name[] = "\r\nRetry-After: ";
    const char *at = strstr(answer, name);
    assert_non_null(at);
    return (unsigned)strtoul(at + sizeof name - 1, NULL, 10);
}

/* What is refused waits 32 s for its ACK (RFC 3261 s17.2.1), which a flood does not send. */
static void a_flood_by_one_user_leaves_room_for_others(void **state)
{
    struct world *world = *state;
    uint32_t channels[] = { stranger(world, "mallory@example.org", false),
                            stranger(world, "mallory@example.org", true) };
    struct forged f = plain;
    unsigned after[11] = { 0 }; /* RFC 3261 s14.2: random, 0 to 10 s */
    f.method = "INVITE";
    for (unsigned i = 0; i < 2000; i++) {
        char id[32], branch[32];
        (void)snprintf(id, sizeof id, "id%u", i);
        (void)snprintf(branch, sizeof branch, "z9hG4bKu%u", i);
        f.call_id = id;
        f.branch = branch;
        const char *answer = try(world, channels[i % 2], &f);
        assert_true(is(answer, i < 4 ? 180 : 486) || is(answer, 503));
        if (is(answer, 503)) {
            assert_in_range(retry_after_s(answer), 0, 10);
            after[retry_after_s(answer)]++;
        }
        world->agents[0].event_count = 0;
    }
    assert_true(refused(world, RELOAD_SIP_REFUSED_TRANSACTIONS_OF_USER) > 1000);
    assert_true(reload_sip_agent_sizes(world->agents[0].sip).transactions <= 128);
    for (size_t i = 0; i < 11; i++)
        assert_true(after[i] > 0);
    f.from = "carol@example.org";
    f.call_id = "of-carol";
    f.branch = "z9hG4bKcarol";
    assert_true(is(try(world, stranger(world, f.from, false), &f), 180));
}

static void a_stream_that_loses_its_frame_is_closed(void **state)
{
    struct world *world = *state;
    static const char *const lost[] = {
        "OPTIONS sip:a@b SIP/2.0\r\nVia: x\r\n\r\n",
        "OPTIONS sip:a@b SIP/2.0\r\nContent-Length: -1\r\n\r\n",
        "OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 1\r\nl: 2\r\n\r\n",
        "OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 99999999\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++) {
        uint32_t channel = stranger(world, "mallory@example.org", false);
        say(world, channel, lost[i], strlen(lost[i]));
        (void)heard(world);
        assert_int_equal(refused(world, RELOAD_SIP_REFUSED_FRAMING), i + 1);
        assert_int_equal(reload_sip_agent_sizes(world->agents[0].sip).channels, 0);
    }
}

static void a_head_that_never_ends_is_cut_off(void **state)
{
    struct world *world = *state;
    uint32_t channel = stranger(world, "mallory@example.org", false);
    static char piece[1000];
    memset(piece, 'A', sizeof piece);
    for (size_t i = 0; i < 40; i++)
        say(world, channel, piece, sizeof piece);
    assert_int_equal(refused(world, RELOAD_SIP_REFUSED_FRAMING), 1);
    assert_int_equal(reload_sip_agent_sizes(world->agents[0].sip).channels, 0);
}

static void channels_are_bounded(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < 256; i++)
        (void)stranger(world, "mallory@example.org", false);
    const struct reload_sip_channel_info info = { .node_id = world->agents[0].node,
                                                  .application = 5060 };
    uint32_t channel;
    assert_int_equal(reload_sip_agent_accept(world->agents[0].sip, &info, world->now, &channel),
                     RELOAD_E_LIMIT);
    assert_int_equal(refused(world, RELOAD_SIP_REFUSED_CHANNELS), 1);
}

/* Each byte turned, each length cut: no crash, no growth. */
static void mutated_and_cut_messages_do_no_harm(void **state)
{
    struct world *world = *state;
    static const char offer[] =
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        "m=audio 4000 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-mux\r\n"
        "a=setup:actpass\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
        "a=candidate:1 1 UDP 1 192.0.2.1 4000 typ srflx raddr 10.0.0.1 rport 9\r\n";
    struct forged f = plain;
    f.method = "INVITE";
    f.body = offer;
    f.type = "application/sdp";
    char message[4096];
    (void)snprintf(message, sizeof message, "%s", forge(&f));
    size_t len = strlen(message);
    uint32_t channel = stranger(world, "mallory@example.org", true);
    for (size_t at = 0; at < len; at++)
        for (unsigned turn = 1; turn < 256; turn *= 2) {
            message[at] = (char)(message[at] ^ (char)turn);
            say(world, channel, message, len);
            message[at] = (char)(message[at] ^ (char)turn);
            (void)heard(world);
            world->agents[0].event_count = 0;
        }
    for (size_t cut = 0; cut < len; cut++) {
        say(world, channel, message, cut);
        (void)heard(world);
        world->agents[0].event_count = 0;
    }
    struct reload_sip_sizes sizes = reload_sip_agent_sizes(world->agents[0].sip);
    assert_true(sizes.calls <= 32 && sizes.transactions <= 512 && sizes.channels == 1);
}

/* What is said after so long a time. */
static const char *said_after(struct world *world, uint64_t ms)
{
    (void)heard(world);
    world->now.monotonic_ms += ms;
    reload_sip_agent_tick(world->agents[0].sip, world->now);
    return heard(world);
}

/* R7904-5.2-1 R7904-5.2-2 R6940-6.5.2.1-2: it says CRLF CRLF every 25 s, also while nobody talks,
 * takes the same from others, and is idle all the same. */
static void a_stream_is_kept_alive_by_empty_lines(void **state)
{
    struct world *world = *state;
    uint32_t stream = stranger(world, "mallory@example.org", false);
    for (unsigned i = 0; i < 11; i++) {
        assert_string_equal(said_after(world, RELOAD_SIP_KEEP_ALIVE_MS - 1), "");
        assert_string_equal(said_after(world, 1), "\r\n\r\n");
        say(world, stream, "\r\n\r\n", 4);
    }
    assert_int_equal(reload_sip_agent_counters(world->agents[0].sip)->received, 0);
    assert_int_equal(refused(world, RELOAD_SIP_REFUSED_MALFORMED), 0);
    assert_int_equal(refused(world, RELOAD_SIP_REFUSED_FRAMING), 0);
    assert_int_equal(reload_sip_agent_sizes(world->agents[0].sip).channels, 1);
    (void)said_after(world, RELOAD_SIP_KEEP_ALIVE_MS); /* 300 s without a message */
    assert_int_equal(reload_sip_agent_sizes(world->agents[0].sip).channels, 0);
}

/* R6940-6.5.2.1-2: its own keepalives come more often (s6.5.1.10). */
static void datagrams_are_kept_alive_by_ice(void **state)
{
    struct world *world = *state;
    (void)stranger(world, "mallory@example.org", true);
    assert_string_equal(said_after(world, 3 * RELOAD_SIP_KEEP_ALIVE_MS), "");
}

int main(void)
{
#define ON(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        ON(a_stream_is_kept_alive_by_empty_lines),
        ON(datagrams_are_kept_alive_by_ice),
        ON(a_from_that_is_not_the_certificates_user_is_403),
        ON(requests_that_nobody_here_wants_get_the_status_that_says_why),
        ON(a_body_in_an_encoding_is_415_and_told_which_there_are),
        ON(the_version_is_read_in_any_case),
        ON(a_cancel_after_the_refusal_is_200_until_the_ack_and_481_otherwise),
        ON(each_extension_that_is_unknown_is_named_once),
        ON(a_text_sent_again_in_another_transaction_is_not_delivered_again),
        ON(a_transaction_is_not_anothers_to_use),
        ON(an_invite_that_comes_on_two_ways_is_482),
        ON(answers_and_acks_to_nothing_are_dropped_and_counted),
        ON(a_flood_of_invites_meets_the_caps),
        ON(one_user_has_a_cap_of_its_own),
        ON(a_flood_by_one_user_leaves_room_for_others),
        ON(a_stream_that_loses_its_frame_is_closed),
        ON(a_head_that_never_ends_is_cut_off),
        ON(channels_are_bounded),
        ON(mutated_and_cut_messages_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
