#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pair.h"
#include "peer/phone_call.h"

/* Calls between two real nodes: what becomes of one whose media find no way. */

#define PATIENCE_MS 90000 /* ICE gives up after half of it */

struct end {
    struct pair_node *node;
    struct reload_sip_node *sip;
    struct reload_phone *phone;
    bool registered, established, closing, ended;
    struct pair_node *to_sleep; /* who stands still once it is established here */
    int status;
    char reason[120];
};

static struct pair pair;
static struct end alice, bob;

static void registered(void *context, const struct reload_result *result)
{
    assert_int_equal(result->error, 0);
    ((struct end *)context)->registered = true;
}

static void happened(void *context, const struct reload_phone_call_event *event)
{
    struct end *end = context;
    struct reload_phone_call_info info;
    assert_int_equal(reload_phone_call_info(end->phone, event->call, &info), 0);
    if (info.state == RELOAD_SIP_ESTABLISHED) {
        end->established = true;
        if (end->to_sleep)
            end->to_sleep->asleep = true;
    }
    end->closing = end->closing || info.state == RELOAD_SIP_CLOSING;
    if (info.state == RELOAD_SIP_ENDED) {
        end->ended = true;
        end->status = info.status;
        g_strlcpy(end->reason, info.reason, sizeof end->reason);
    }
}

static void open_end(struct end *end, struct pair_node *node)
{
    static const struct reload_phone_events events = { .call = happened };
    *end = (struct end){ .node = node };
    end->sip = reload_sip_node_new(node->overlay, node->context, NULL);
    assert_int_equal(reload_phone_new(node->overlay, end->sip, node->context, NULL, &end->phone),
                     0);
    reload_phone_set_events(end->phone, &events, end);
    assert_int_equal(reload_sip_node_register(end->sip, (struct reload_slice){ 0 },
                                              RELOAD_SIP_SCHEME_ANY, 3600, registered, end),
                     0);
    assert_true(pair_until(&pair, &end->registered, PATIENCE_MS));
}

static int setup(void **state)
{
    (void)state;
    pair_open(&pair, &(struct pair_options){ .ice = true, .sip = true });
    open_end(&bob, &pair.a);
    open_end(&alice, &pair.b);
    return reload_phone_answer_all(bob.phone, "null");
}

static int teardown(void **state)
{
    (void)state;
    reload_phone_free(alice.phone);
    reload_phone_free(bob.phone);
    reload_sip_node_free(alice.sip);
    reload_sip_node_free(bob.sip);
    pair_close(&pair);
    return 0;
}

static uint32_t call_bob(void)
{
    const struct reload_phone_audio audio = { .device = "null" };
    uint32_t call;
    assert_int_equal(
        reload_phone_call(alice.phone, reload_sip_node_registrar(bob.sip)->aor.text, &audio, &call),
        0);
    return call;
}

static void both_ends_say_why_a_call_without_a_path_ended(void **state)
{
    (void)state;
    alice.to_sleep = &pair.a; /* it answers no check */
    (void)call_bob();
    assert_true(pair_until(&pair, &alice.established, PATIENCE_MS));
    assert_true(pair_until(&pair, &alice.closing, PATIENCE_MS));
    pair.a.asleep = false;
    assert_true(pair_until(&pair, &alice.ended, PATIENCE_MS));
    assert_int_equal(alice.status, 488);
    assert_string_equal(alice.reason, "no pair of candidates works");
    assert_true(pair_until(&pair, &bob.ended, PATIENCE_MS));
    assert_int_equal(bob.status, 488);
    assert_int_not_equal(bob.reason[0], '\0');
}

static void a_call_that_was_hung_up_has_no_such_reason(void **state)
{
    (void)state;
    uint32_t call = call_bob();
    assert_true(pair_until(&pair, &alice.established, PATIENCE_MS));
    pair_for_ms(&pair, 500);
    assert_int_equal(reload_phone_hangup(alice.phone, call), 0);
    assert_true(pair_until(&pair, &alice.ended, PATIENCE_MS));
    assert_true(pair_until(&pair, &bob.ended, PATIENCE_MS));
    assert_int_equal(alice.status, 200);
    assert_string_equal(alice.reason, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_ends_say_why_a_call_without_a_path_ended, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_call_that_was_hung_up_has_no_such_reason, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
