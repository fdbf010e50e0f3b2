/* What an AppAttach must be, and how many there may be: RFC 6940 s6.5.2. */
#include "tests/reload/node/app_attach_rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

/* R6940-6.5.1.1-6 R6940-6.5.1.5-1 R6940-14.5-1 */
static void a_request_that_breaks_the_rules_is_refused(void **state)
{
    (void)state;
    struct rig rig;
    app_attach_set_up(&rig);
    struct reload_slice whole = app_attach_body("passive", SIP, 1);
    assert_int_equal(app_attach_refusal(&rig, reload_slice_of(whole.p, whole.n - 1)),
                     RELOAD_ERROR_INVALID_MESSAGE);
    assert_int_equal(app_attach_refusal(&rig, app_attach_body("active", SIP, 1)),
                     RELOAD_ERROR_INVALID_MESSAGE);
    assert_int_equal(app_attach_refusal(&rig, app_attach_body("passive", SIP, 4)),
                     RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY);
    assert_int_equal(app_attach_refusal(&rig, app_attach_body("passive", SIP, 77)),
                     RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY);
    assert_int_equal(app_attach_refusal(&rig, app_attach_body("passive", SIP + 1, 1)),
                     RELOAD_ERROR_NOT_FOUND);
    assert_int_equal(app_attach_refusal(&rig, app_attach_body("passive", 0, 1)),
                     RELOAD_ERROR_NOT_FOUND);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_GATHER), 0);
    rig_fini(&rig);
}

/* A copy that the duplicate cache had no room to remember. */
static void a_request_that_the_cache_forgot_gathers_once(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.config.config.no_ice = false;
    rig.node_config.ice = true;
    rig.node_config.limits.max_answered = 1;
    rig_start(&rig);
    rig_link(&rig, 0);
    assert_int_equal(reload_node_set_application(rig.node, SIP, true), 0);
    app_attach_its_request(&rig);
    struct rig_message update = { .signer = &rig.parties[0], .code = RELOAD_UPDATE_REQ };
    rig_receive(&rig, 1, &update);
    app_attach_its_request(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_GATHER), 1);
    rig_fini(&rig);
}

static void the_caps_hold(void **state)
{
    (void)state;
    struct rig rig;
    app_attach_set_up(&rig);
    for (size_t party = 1; party <= 5; party++) {
        struct rig_message m = { .signer = &rig.parties[party],
                                 .code = RELOAD_APP_ATTACH_REQ,
                                 .body = app_attach_body("passive", SIP, 1),
                                 .via_list = rig_nodes(&rig.parties[party].id, NULL) };
        rig_receive(&rig, 1, &m);
    }
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_GATHER), 3);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_LIMIT), 2);
    struct reload_message m = rig_sent(&rig, 0, NULL);
    assert_int_equal(rig_error_code(&m), RELOAD_ERROR_FORBIDDEN);
    assert_int_equal(app_attach_start(&rig), RELOAD_E_LIMIT);
    app_attach_time_passes(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_ABANDON), 3);
    assert_int_equal(app_attach_start(&rig), 0);
    rig_fini(&rig);
}

static void applications_come_and_go_up_to_their_cap(void **state)
{
    (void)state;
    struct rig rig;
    app_attach_set_up(&rig);
    assert_int_equal(reload_node_set_application(rig.node, 0, true), RELOAD_E_INVALID);
    assert_int_equal(reload_node_set_application(rig.node, SIP, true), 0);
    for (uint16_t i = 1; i < RELOAD_NODE_APPLICATIONS_MAX; i++)
        assert_int_equal(reload_node_set_application(rig.node, i, true), 0);
    assert_int_equal(reload_node_set_application(rig.node, 999, true), RELOAD_E_LIMIT);
    assert_int_equal(reload_node_set_application(rig.node, SIP, false), 0);
    assert_int_equal(reload_node_set_application(rig.node, SIP, false), 0);
    assert_int_equal(reload_node_set_application(rig.node, 999, true), 0);
    assert_int_equal(app_attach_refusal(&rig, app_attach_body("passive", SIP, 1)),
                     RELOAD_ERROR_NOT_FOUND);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_that_breaks_the_rules_is_refused),
        cmocka_unit_test(a_request_that_the_cache_forgot_gathers_once),
        cmocka_unit_test(the_caps_hold),
        cmocka_unit_test(applications_come_and_go_up_to_their_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
