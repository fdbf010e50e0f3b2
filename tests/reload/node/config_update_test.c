/* ConfigUpdate and configuration sequences: RFC 6940 s6.3.2.1, s6.5.4. */
#include "tests/reload/node/rig.h"

#include "reload/wire/config_update.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

/* --- documents of the test: "doc <sequence>", made by the operations below --- */

static struct reload_standin_config made[4];
static size_t made_count, released;
static int parse_error;
static size_t kinds_seen;

static int parse_document(void *context, struct reload_slice document,
                          const struct reload_config *current, struct reload_time now,
                          const struct reload_config **out)
{
    (void)context;
    (void)now;
    if (parse_error)
        return parse_error;
    if (document.n != 5 || memcmp(document.p, "doc ", 4) != 0)
        return RELOAD_E_DECODE;
    uint16_t sequence = document.p[4];
    if (reload_config_sequence_compare(sequence, current->sequence) <= 0)
        return RELOAD_E_TOO_OLD;
    struct reload_standin_config *c = &made[made_count++];
    reload_standin_config_init(c);
    c->config.sequence = sequence;
    c->config.document = reload_slice_of("later", 5);
    *out = &c->config;
    return 0;
}

static int parse_kinds(void *context, const struct reload_slice *blocks, size_t count,
                       const struct reload_config *current, struct reload_time now,
                       const struct reload_config **out)
{
    (void)context;
    (void)blocks;
    (void)now;
    kinds_seen = count;
    if (parse_error)
        return parse_error;
    struct reload_standin_config *c = &made[made_count++];
    reload_standin_config_init(c);
    c->config.sequence = current->sequence;
    *out = &c->config;
    return 0;
}

static void release(void *context, const struct reload_config *config)
{
    (void)context;
    (void)config;
    released++;
}

static const struct reload_config_ops ops = { parse_document, parse_kinds, release };

static void set_up(struct rig *rig, uint16_t sequence)
{
    made_count = released = kinds_seen = 0;
    parse_error = 0;
    rig_init(rig);
    rig->config.config.sequence = sequence;
    rig->config.config.document = reload_slice_of("the document", 12);
    rig->config.kinds[3].block = reload_slice_of("<kind-block/>", 13);
    rig->node_config.config_ops = &ops;
    rig_start(rig);
    rig_link(rig, 0);
    rig_link(rig, 1);
    rig_clear(rig);
}

static struct reload_slice update_body(uint8_t type, const char *content)
{
    static uint8_t body[256];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    const struct reload_config_update_req req = { type, reload_slice_of(content, strlen(content)) };
    assert_int_equal(reload_config_update_req_encode(&w, &req), 0);
    return reload_writer_slice(&w);
}

static struct rig_message message(const struct rig *rig, uint16_t code, uint16_t sequence)
{
    return (struct rig_message){
        .signer = &rig->parties[0],
        .code = code,
        .sequence = sequence,
        .body = rig_ping,
    };
}

static uint16_t error_sent(const struct rig *rig, size_t n)
{
    struct reload_message m = rig_sent(rig, n, NULL);
    return rig_error_code(&m);
}

/* R6940-6.3.2.1-4 R6940-6.3.2.1-5 R6940-6.5.4-1: Error_Config_Too_Old and our document, under
 * header sequence 65535; once in a while only. */
static void an_older_requester_gets_an_error_and_the_document(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, 5);
    struct rig_message m = message(&rig, RELOAD_PING_REQ, 4);
    rig_receive(&rig, 1, &m);
    assert_int_equal(error_sent(&rig, 0), RELOAD_ERROR_CONFIG_TOO_OLD);
    struct reload_message update = rig_sent(&rig, 1, NULL);
    assert_int_equal(update.message_code, RELOAD_CONFIG_UPDATE_REQ);
    assert_int_equal(update.header.configuration_sequence, RELOAD_SEQUENCE_ANY);
    assert_true(
        reload_slice_equal(update.header.destination_list, rig_nodes(&rig.parties[0].id, NULL)));
    struct reload_config_update_req req;
    assert_int_equal(reload_config_update_req_decode(update.body, &req), 0);
    assert_int_equal(req.type, RELOAD_CONFIG_UPDATE_CONFIG);
    assert_true(reload_slice_equal(req.content, reload_slice_of("the document", 12)));
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_CONFIG_OLD), 1);
    rig_clear(&rig);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1); /* the error alone */
    m.signer = &rig.parties[1];
    rig_receive(&rig, 2, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 3); /* another node: both again */
    rig_fini(&rig);
}

/* R6940-6.3.2.1-5: also over a link whose Node-ID is not settled yet. */
static void an_older_requester_on_an_unbound_link_gets_the_document(void **state)
{
    struct rig rig;
    reload_link_id link;
    (void)state;
    set_up(&rig, 5);
    rig_link_multiple(&rig, 2, 1);
    struct rig_message m = message(&rig, RELOAD_PING_REQ, 4);
    m.signer = &rig.parties[2];
    rig_receive(&rig, 3, &m);
    assert_int_equal(error_sent(&rig, 0), RELOAD_ERROR_CONFIG_TOO_OLD);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 2);
    assert_int_equal(rig_sent(&rig, 1, &link).message_code, RELOAD_CONFIG_UPDATE_REQ);
    assert_int_equal(link, 3);
    rig_fini(&rig);
}

/* R6940-6.3.2.1-5: what does not fit max-message-size is not sent, and the log says why. */
static void a_document_that_is_too_large_to_push_is_reported(void **state)
{
    struct rig rig;
    static uint8_t large[4900];
    (void)state;
    memset(large, 'd', sizeof large);
    set_up(&rig, 5);
    for (size_t n = 4000; n <= 4900; n += 900) {
        rig.config.config.document = reload_slice_of(large, n);
        rig_wait(&rig, 20000);
        rig_clear(&rig);
        struct rig_message m = message(&rig, RELOAD_PING_REQ, 4);
        rig_receive(&rig, 1, &m);
        assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), n < 4900 ? 2 : 1);
    }
    const struct rig_action *line = NULL;
    for (size_t i = 0; (line = rig_action(&rig, RELOAD_ACTION_LOG, i)); i++)
        if (strstr((const char *)line->bytes, "max-message-size of 5000"))
            break;
    assert_non_null(line);
    rig_fini(&rig);
}

static void a_newer_requester_gets_an_error_alone(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, 5);
    struct rig_message m = message(&rig, RELOAD_PING_REQ, 6);
    rig_receive(&rig, 1, &m);
    assert_int_equal(error_sent(&rig, 0), RELOAD_ERROR_CONFIG_TOO_NEW);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_CONFIG_NEW), 1);
    rig_fini(&rig);
}

/* R6940-6.3.2.1-3 R6940-6.3.2.1-7: 0 comes after 65534. */
static void sequences_wrap_from_65534_to_0(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, 0);
    struct rig_message m = message(&rig, RELOAD_PING_REQ, 65534 - 1);
    m.sequence = 65533;
    rig_receive(&rig, 1, &m);
    assert_int_equal(error_sent(&rig, 0), RELOAD_ERROR_CONFIG_TOO_OLD);
    rig_clear(&rig);
    m.sequence = RIG_SEQUENCE_0;
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_sent(&rig, 0, NULL).message_code, RELOAD_PING_ANS);
    rig_fini(&rig);
}

/* R6940-6.3.2.1-8: neither forwarded messages nor responses are looked at; and docs/protocol.md:
 * the signature comes first. */
static void only_requests_at_their_destination_are_checked(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, 5);
    struct rig_message m = message(&rig, RELOAD_PING_REQ, 4);
    m.destination_list = rig_nodes(&rig.parties[1].id, NULL);
    rig_receive(&rig, 1, &m);
    assert_int_equal(reload_node_counters(rig.node)->forwarded, 1);
    m = message(&rig, RELOAD_PING_REQ, 4);
    m.bad_signature = true;
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_SIGNATURE), 1);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_CONFIG_OLD), 0);
    rig_fini(&rig);
}

/* R6940-6.3.2.1-6: 65535 is for ConfigUpdate alone. */
static void sequence_65535_is_accepted_with_a_config_update_only(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, 5);
    struct rig_message m = message(&rig, RELOAD_PING_REQ, RELOAD_SEQUENCE_ANY);
    rig_receive(&rig, 1, &m);
    assert_int_equal(error_sent(&rig, 0), RELOAD_ERROR_CONFIG_TOO_NEW);
    m = message(&rig, RELOAD_CONFIG_UPDATE_REQ, RELOAD_SEQUENCE_ANY);
    m.body = update_body(RELOAD_CONFIG_UPDATE_CONFIG, "doc \7");
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_sent(&rig, 1, NULL).message_code, RELOAD_CONFIG_UPDATE_ANS);
    rig_fini(&rig);
}

/* R6940-6.5.4.2-1 R6940-6.5.4.2-6: from then on it is in force, here, at the topology and at the
 * host; the one before is released when nothing refers to it. */
static void an_accepted_document_is_in_force_at_once(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, 5);
    struct rig_message m = message(&rig, RELOAD_CONFIG_UPDATE_REQ, RELOAD_SEQUENCE_ANY);
    m.body = update_body(RELOAD_CONFIG_UPDATE_CONFIG, "doc \7");
    rig_receive(&rig, 1, &m);
    struct reload_message ans = rig_sent(&rig, 0, NULL);
    assert_int_equal(ans.body.n, 0); /* R6940-6.5.4.2-1 */
    assert_int_equal(ans.header.configuration_sequence, 7);
    assert_int_equal(reload_node_overlay(rig.node)->sequence, 7);
    assert_int_equal(rig.fake.configured, 1);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_CONFIG_CHANGED), 1);
    assert_int_equal(released, 0); /* the first one is the host's */
    m.body = update_body(RELOAD_CONFIG_UPDATE_CONFIG, "doc \x8");
    rig_receive(&rig, 1, &m);
    reload_node_tick(rig.node, rig.now);
    rig_pull(&rig);
    assert_int_equal(released, 1);
    rig_fini(&rig);
    assert_int_equal(released, 2);
}

/* R6940-6.5.4.2-2 R6940-6.5.4.2-3 R6940-6.5.4.2-4 R6940-6.5.4.2-5 */
static void a_bad_update_is_refused_with_a_fitting_error(void **state)
{
    static const struct {
        int error;
        uint16_t code;
    } cases[] = {
        { RELOAD_E_SIGNATURE, RELOAD_ERROR_FORBIDDEN },
        { RELOAD_E_FORBIDDEN, RELOAD_ERROR_FORBIDDEN },
        { RELOAD_E_TOO_OLD, RELOAD_ERROR_CONFIG_TOO_OLD },
        { RELOAD_E_EXPIRED, RELOAD_ERROR_CONFIG_TOO_OLD },
        { RELOAD_E_DECODE, RELOAD_ERROR_INVALID_MESSAGE },
        { RELOAD_E_INVALID, RELOAD_ERROR_INVALID_MESSAGE },
        { RELOAD_E_UNSUPPORTED, RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY },
    };
    struct rig rig;
    (void)state;
    set_up(&rig, 5);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig_message m = message(&rig, RELOAD_CONFIG_UPDATE_REQ, RELOAD_SEQUENCE_ANY);
        parse_error = cases[i].error;
        m.body = update_body(RELOAD_CONFIG_UPDATE_CONFIG, "doc \7");
        rig_receive(&rig, 1, &m);
        assert_int_equal(error_sent(&rig, 0), cases[i].code);
        /* R6940-11.1-37: signed and newer, but beyond this node */
        assert_int_equal(rig.fake.left, cases[i].error == RELOAD_E_UNSUPPORTED);
        rig_clear(&rig);
    }
    parse_error = 0;
    struct rig_message m = message(&rig, RELOAD_CONFIG_UPDATE_REQ, RELOAD_SEQUENCE_ANY);
    m.body = update_body(RELOAD_CONFIG_UPDATE_CONFIG, "doc \7");
    m.body.n--;
    rig_receive(&rig, 1, &m);
    assert_int_equal(error_sent(&rig, 0), RELOAD_ERROR_INVALID_MESSAGE);
    assert_int_equal(reload_node_overlay(rig.node)->sequence, 5);
    assert_int_equal(rig.fake.configured, 0);
    rig_fini(&rig);
}

/* R6940-6.5.4.1-2 R6940-6.5.4.1-3 */
static void kinds_are_taken_over(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, 5);
    struct rig_message m = message(&rig, RELOAD_CONFIG_UPDATE_REQ, RELOAD_SEQUENCE_ANY);
    static uint8_t list[64];
    struct reload_writer w = reload_writer_of(list, sizeof list);
    reload_wr_opaque16(&w, reload_slice_of("<a/>", 4));
    reload_wr_opaque16(&w, reload_slice_of("<b/>", 4));
    uint8_t body[128];
    struct reload_writer b = reload_writer_of(body, sizeof body);
    const struct reload_config_update_req req = { RELOAD_CONFIG_UPDATE_KIND,
                                                  reload_writer_slice(&w) };
    assert_int_equal(reload_config_update_req_encode(&b, &req), 0);
    m.body = reload_writer_slice(&b);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_sent(&rig, 0, NULL).message_code, RELOAD_CONFIG_UPDATE_ANS);
    assert_int_equal(kinds_seen, 2);
    rig_fini(&rig);
}

static void without_operations_updates_are_refused(void **state)
{
    struct rig rig;
    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    rig_link(&rig, 0);
    rig_clear(&rig);
    struct rig_message m = message(&rig, RELOAD_CONFIG_UPDATE_REQ, RELOAD_SEQUENCE_ANY);
    m.body = update_body(RELOAD_CONFIG_UPDATE_CONFIG, "doc \7");
    rig_receive(&rig, 1, &m);
    assert_int_equal(error_sent(&rig, 0), RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY);
    assert_int_equal(reload_node_configure(rig.node, reload_slice_of("doc \7", 5), rig.now),
                     RELOAD_E_UNSUPPORTED);
    rig_fini(&rig);
}

/* --- as the requester --- */

static uint64_t ask(struct rig *rig)
{
    uint64_t request;
    const struct reload_target target = { .id = reload_node_id_slice(&rig->parties[1].id) };
    assert_int_equal(
        reload_node_request(rig->node, &target, RELOAD_PING_REQ, rig_ping, rig->now, &request), 0);
    rig_pull(rig);
    return rig_sent(rig, 0, NULL).header.transaction_id;
}

static void refuse(struct rig *rig, uint64_t id, uint16_t code)
{
    static uint8_t body[4];
    body[1] = (uint8_t)code;
    struct rig_message m = {
        .signer = &rig->parties[1], .code = RELOAD_ERROR, .body = { body, 4 }, .transaction_id = id
    };
    rig_receive(rig, 2, &m);
}

/* Told that its configuration is old, a node keeps the request, takes the ConfigUpdate, and asks
 * again at once, under the new sequence. */
static void a_request_refused_as_too_old_goes_out_again_after_the_update(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, 5);
    uint64_t id = ask(&rig);
    refuse(&rig, id, RELOAD_ERROR_CONFIG_TOO_OLD);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_REQUEST_DONE), 0);
    rig_clear(&rig);
    struct rig_message m = message(&rig, RELOAD_CONFIG_UPDATE_REQ, RELOAD_SEQUENCE_ANY);
    m.body = update_body(RELOAD_CONFIG_UPDATE_CONFIG, "doc \7");
    rig_receive(&rig, 1, &m);
    struct reload_message again = rig_sent(&rig, 0, NULL);
    assert_int_equal(again.header.transaction_id, id);
    assert_int_equal(again.header.configuration_sequence, 7);
    rig_fini(&rig);
}

/* Told that its configuration is new, it sends it, and asks again when that was taken. */
static void a_request_refused_as_too_new_is_preceded_by_the_document(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, 5);
    uint64_t id = ask(&rig);
    rig_clear(&rig);
    refuse(&rig, id, RELOAD_ERROR_CONFIG_TOO_NEW);
    struct reload_message update = rig_sent(&rig, 0, NULL);
    assert_int_equal(update.message_code, RELOAD_CONFIG_UPDATE_REQ);
    assert_int_equal(update.header.configuration_sequence, RELOAD_SEQUENCE_ANY);
    struct rig_message ans = { .signer = &rig.parties[1],
                               .code = RELOAD_CONFIG_UPDATE_ANS,
                               .transaction_id = update.header.transaction_id };
    rig_receive(&rig, 2, &ans);
    struct reload_message again = rig_sent(&rig, 1, NULL);
    assert_int_equal(again.header.transaction_id, id);
    rig_fini(&rig);
}

static void a_request_that_stays_refused_fails_with_the_error(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, 5);
    uint64_t id = ask(&rig);
    for (int i = 0; i < 5; i++) {
        refuse(&rig, id, RELOAD_ERROR_CONFIG_TOO_OLD);
        rig_run(&rig, 3000);
    }
    const struct rig_action *done = rig_action(&rig, RELOAD_ACTION_REQUEST_DONE, 0);
    assert_non_null(done);
    assert_int_equal(done->action.result.error, RELOAD_E_FORBIDDEN);
    assert_int_equal(done->action.result.error_code, RELOAD_ERROR_CONFIG_TOO_OLD);
    rig_fini(&rig);
}

/* R6940-7.4.1.2-9: who says Error_Unknown_Kind is told about the Kind, when the document has it. */
static void who_does_not_know_a_kind_is_told(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig, 5);
    uint64_t id = ask(&rig);
    rig_clear(&rig);
    uint8_t body[32];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    reload_wr_u16(&w, RELOAD_ERROR_UNKNOWN_KIND);
    size_t mark = reload_wr_open16(&w);
    const uint32_t unknown[] = { RELOAD_STANDIN_SINGLE_USER, 0xf7777777 };
    assert_int_equal(reload_unknown_kinds_encode(&w, unknown, 2), 0);
    reload_wr_close16(&w, mark);
    struct rig_message m = { .signer = &rig.parties[1],
                             .code = RELOAD_ERROR,
                             .body = reload_writer_slice(&w),
                             .transaction_id = id };
    rig_receive(&rig, 2, &m);
    struct reload_message update = rig_sent(&rig, 0, NULL);
    struct reload_config_update_req req;
    assert_int_equal(reload_config_update_req_decode(update.body, &req), 0);
    assert_int_equal(req.type, RELOAD_CONFIG_UPDATE_KIND);
    struct reload_reader r = reload_reader_over(req.content);
    struct reload_slice block;
    assert_true(reload_kind_description_next(&r, &block));
    assert_true(reload_slice_equal(block, reload_slice_of("<kind-block/>", 13)));
    assert_false(reload_reader_more(&r));
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_REQUEST_DONE), 1);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_older_requester_gets_an_error_and_the_document),
        cmocka_unit_test(an_older_requester_on_an_unbound_link_gets_the_document),
        cmocka_unit_test(a_document_that_is_too_large_to_push_is_reported),
        cmocka_unit_test(a_newer_requester_gets_an_error_alone),
        cmocka_unit_test(sequences_wrap_from_65534_to_0),
        cmocka_unit_test(only_requests_at_their_destination_are_checked),
        cmocka_unit_test(sequence_65535_is_accepted_with_a_config_update_only),
        cmocka_unit_test(an_accepted_document_is_in_force_at_once),
        cmocka_unit_test(a_bad_update_is_refused_with_a_fitting_error),
        cmocka_unit_test(kinds_are_taken_over),
        cmocka_unit_test(without_operations_updates_are_refused),
        cmocka_unit_test(a_request_refused_as_too_old_goes_out_again_after_the_update),
        cmocka_unit_test(a_request_refused_as_too_new_is_preceded_by_the_document),
        cmocka_unit_test(a_request_that_stays_refused_fails_with_the_error),
        cmocka_unit_test(who_does_not_know_a_kind_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
