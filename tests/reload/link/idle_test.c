#include "tests/reload/node/rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <time.h>

#include "pki.h"
#include "reload/link/datagram.h"
#include "tests/reload/frame/channel.h"

/* DTLS links on which nothing arrives: who is asked to say something, and how soon a path that died
 * in silence is found out. Two link sets and the path between them in virtual time; in some tests a
 * whole node stands on one of them. */

#define SECOND 1000u

static struct pki ca;
static struct identity alice, bob;
static struct reload_time now;

struct end {
    struct reload_links *links;
    reload_link_id link;
    struct channel *out;
    struct rig *node; /* NULL: what the test does itself */
    bool talks;       /* answers IDLE with a message */
    size_t ups, downs, messages, idles, suspects, datagrams;
    uint64_t suspect_ms, down_ms;
};

static struct end client, server;

static int set_up_identities(void **state)
{
    (void)state;
    pki_init(&ca);
    identity_init(&alice, &ca, &ca, 0xaa, PKI_EC);
    identity_init(&bob, &ca, &ca, 0xbb, PKI_EC);
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

static void open_end(struct end *end, struct identity *identity, enum reload_link_role role)
{
    const struct channel_options path = { .delay_ms = 10 };
    const struct reload_links_config config = { .identity = &pki_ops,
                                                .identity_context = identity,
                                                .max_message_size = 5000 };
    struct reload_link_channel channel = { .role = role, .rtt_ms = 20 };
    *end = (struct end){ .out = channel_new(&path, role) };
    assert_int_equal(reload_links_new(&config, &end->links), 0);
    assert_int_equal(reload_link_address_parse("192.0.2.1", 6084, &channel.far), 0);
    assert_int_equal(reload_link_address_parse("192.0.2.2", 6084, &channel.local), 0);
    assert_int_equal(reload_links_open_channel(end->links, &channel, now, &end->link), 0);
}

static void say(struct end *end)
{
    const struct reload_slice part = reload_slice_of("still here", 10);
    assert_int_equal(reload_links_send(end->links, end->link, &part, 1, now), 0);
}

/* What the node wants to send over its link. */
static void obey(struct end *end)
{
    struct rig *rig = end->node;
    for (size_t i = 0; i < rig->action_count; i++) {
        const struct rig_action *a = &rig->actions[i];
        const struct reload_slice part = { a->bytes, a->len };
        if (a->action.type == RELOAD_ACTION_SEND)
            assert_int_equal(reload_links_send(end->links, end->link, &part, 1, now), 0);
    }
    rig_clear(rig);
}

static void tell_node(struct end *end, const struct reload_link_event *event)
{
    struct reload_node *node = end->node->node;
    const reload_link_id link = 1; /* as rig_link() has it */
    end->node->now = now;
    if (event->type == RELOAD_LINK_IDLE)
        reload_node_link_idle(node, link, now);
    else if (event->type == RELOAD_LINK_SUSPECT || event->type == RELOAD_LINK_RECOVERED)
        reload_node_link_suspect(node, link, event->type == RELOAD_LINK_SUSPECT, now);
    else if (event->type == RELOAD_LINK_DOWN)
        reload_node_link_down(node, link, now);
    else if (event->type == RELOAD_LINK_RETURNED)
        reload_node_returned(node, event->message.p, event->message.n, now);
    rig_pull(end->node);
    obey(end);
}

static void happened(struct end *end, const struct reload_link_event *event)
{
    end->ups += event->type == RELOAD_LINK_UP;
    end->messages += event->type == RELOAD_LINK_MESSAGE;
    end->idles += event->type == RELOAD_LINK_IDLE;
    if (event->type == RELOAD_LINK_DATAGRAM) {
        end->datagrams++;
        channel_put(end->out, event->message.p, event->message.n, now.monotonic_ms);
    } else if (event->type == RELOAD_LINK_SUSPECT) {
        end->suspects++;
        end->suspect_ms = now.monotonic_ms;
    } else if (event->type == RELOAD_LINK_DOWN) {
        end->downs++;
        end->down_ms = now.monotonic_ms;
    }
    if (event->type == RELOAD_LINK_IDLE && end->talks)
        say(end);
    if (end->node)
        tell_node(end, event);
}

static void run_end(struct end *end, struct end *far)
{
    uint8_t datagram[20000];
    size_t n;
    while ((n = channel_get(far->out, datagram, sizeof datagram, now.monotonic_ms)))
        reload_links_channel_input(end->links, end->link, reload_slice_of(datagram, n), now);
    if (end->node && reload_node_deadline(end->node->node) <= now.monotonic_ms) {
        end->node->now = now;
        reload_node_tick(end->node->node, now);
        rig_pull(end->node);
        obey(end);
    }
    reload_links_process(end->links, now);
    struct reload_link_event event;
    while (reload_links_next(end->links, &event))
        happened(end, &event);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t deadline_of(const struct end *end)
{
    uint64_t at_ms = smaller(reload_links_deadline(end->links), channel_deadline(end->out));
    return end->node ? smaller(at_ms, reload_node_deadline(end->node->node)) : at_ms;
}

/* Virtual time: from one deadline to the next. */
static void run_for(uint64_t ms)
{
    uint64_t end_ms = now.monotonic_ms + ms;
    for (uint64_t at_ms = now.monotonic_ms; at_ms <= end_ms;
         at_ms = smaller(deadline_of(&client), deadline_of(&server))) {
        if (at_ms > now.monotonic_ms) {
            now.unix_ms += at_ms - now.monotonic_ms;
            now.monotonic_ms = at_ms;
        }
        run_end(&client, &server);
        run_end(&server, &client);
    }
    now.unix_ms += end_ms - now.monotonic_ms;
    now.monotonic_ms = end_ms;
}

static int open_ends(void **state)
{
    (void)state;
    now = (struct reload_time){ 1000000, 1000 * (uint64_t)time(NULL) };
    open_end(&client, &alice, RELOAD_LINK_CLIENT);
    open_end(&server, &bob, RELOAD_LINK_SERVER);
    run_for(SECOND);
    assert_int_equal(client.ups + server.ups, 2);
    say(&client); /* the round trip is known */
    run_for(SECOND);
    return 0;
}

static int close_ends(void **state)
{
    (void)state;
    struct end *ends[] = { &client, &server };
    for (int i = 0; i < 2; i++) {
        reload_links_free(ends[i]->links);
        channel_free(ends[i]->out);
    }
    return 0;
}

static void kill_path(void)
{
    const struct channel_options dead = { .dead = true };
    channel_set(client.out, &dead);
    channel_set(server.out, &dead);
}

static void one_end_of_an_idle_link_is_asked_to_say_something(void **state)
{
    (void)state;
    client.talks = server.talks = true;
    run_for(60 * SECOND);
    assert_in_range(client.idles, 5, 6);
    assert_int_equal(server.idles, 0); /* it hears the client */
    assert_int_equal(server.messages, 1 + client.idles);
    assert_int_equal(client.suspects + server.suspects + client.downs + server.downs, 0);
}

static void the_other_end_is_asked_where_the_first_says_nothing(void **state)
{
    (void)state;
    server.talks = true;
    run_for(60 * SECOND);
    assert_in_range(server.idles, 1, 5);
    assert_int_equal(client.messages, server.idles);
}

static void an_owner_that_says_nothing_is_asked_again_and_nothing_is_sent(void **state)
{
    (void)state;
    size_t before = client.datagrams + server.datagrams;
    run_for(61 * SECOND);
    assert_in_range(client.idles, 5, 6);
    assert_in_range(server.idles, 4, 5);
    assert_int_equal(client.datagrams + server.datagrams, before);
}

static void a_link_on_which_something_arrives_is_not_idle(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        say(i % 2 ? &server : &client);
        run_for(9 * SECOND);
    }
    assert_int_equal(client.idles + server.idles, 0);
}

/* --- a whole node on the client's end; the far end acknowledges, and says nothing --- */

static void put_node(struct rig *rig)
{
    rig_init(rig);
    rig->now = now;
    rig_start(rig);
    rig_link(rig, 0);
    rig_clear(rig);
    client.node = rig;
}

static void remove_node(struct rig *rig)
{
    client.node = NULL;
    rig_fini(rig);
}

/* R6940-6.6.3.1-11 R6940-6.6.3.1-12 */
static void an_idle_link_whose_path_dies_in_silence_is_down_within_30_s(void **state)
{
    (void)state;
    struct rig rig;
    put_node(&rig);
    run_for(25 * SECOND);
    assert_int_equal(client.suspects, 0);
    uint64_t died_ms = now.monotonic_ms;
    kill_path();
    run_for(30 * SECOND);
    assert_int_equal(client.suspects, 1);
    assert_in_range(client.suspect_ms, died_ms, died_ms + 13 * SECOND);
    assert_int_equal(rig.fake.suspects, 1);
    assert_int_equal(client.downs, 1);
    assert_in_range(client.down_ms, died_ms, died_ms + 30 * SECOND);
    assert_int_equal(rig.fake.link_downs, 1);
    remove_node(&rig);
}

static void the_ping_goes_to_the_far_end_over_its_link(void **state)
{
    (void)state;
    struct rig rig;
    reload_link_id link;
    put_node(&rig);
    reload_node_link_idle(rig.node, 1, now);
    rig_pull(&rig);
    struct reload_message m = rig_sent(&rig, 0, &link);
    assert_int_equal(link, 1);
    assert_int_equal(m.message_code, RELOAD_PING_REQ);
    struct reload_slice to = rig_nodes(&rig.parties[0].id, NULL);
    assert_int_equal(m.header.destination_list.n, to.n);
    assert_memory_equal(m.header.destination_list.p, to.p, to.n);
    remove_node(&rig);
}

/* It acknowledges and never answers: one Ping at a time, as often as any request goes out. */
static void a_far_end_that_does_not_answer_is_not_flooded(void **state)
{
    (void)state;
    struct rig rig;
    put_node(&rig);
    size_t before = server.messages;
    run_for(300 * SECOND);
    assert_in_range(server.messages - before, 300 / 25, 300 / 4);
    assert_int_equal(client.downs, 0);
    reload_node_link_idle(rig.node, 1, now);
    rig_pull(&rig);
    rig_clear(&rig);
    reload_node_link_idle(rig.node, 1, now);
    reload_node_link_idle(rig.node, 99, now); /* no such link */
    rig_pull(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 0);
    remove_node(&rig);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_ends, close_ends)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_end_of_an_idle_link_is_asked_to_say_something),
        TEST(the_other_end_is_asked_where_the_first_says_nothing),
        TEST(an_owner_that_says_nothing_is_asked_again_and_nothing_is_sent),
        TEST(a_link_on_which_something_arrives_is_not_idle),
        TEST(an_idle_link_whose_path_dies_in_silence_is_down_within_30_s),
        TEST(the_ping_goes_to_the_far_end_over_its_link),
        TEST(a_far_end_that_does_not_answer_is_not_flooded),
    };
    return cmocka_run_group_tests(tests, set_up_identities, tear_down_identities);
}
