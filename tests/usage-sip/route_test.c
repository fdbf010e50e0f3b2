#include "usage-sip/route.h"

#include "check.h"

#define NODE_A                                                                                     \
    "\x01\x10"                                                                                     \
    "aaaaaaaaaaaaaaaa"
#define NODE_B                                                                                     \
    "\x01\x10"                                                                                     \
    "bbbbbbbbbbbbbbbb"

static struct reload_node_id node(const char *sixteen)
{
    return reload_node_id_from(text(sixteen));
}

static struct reload_sip_target target(const char *list, size_t len, enum reload_sip_scheme scheme)
{
    struct reload_sip_target t;
    struct reload_node_id own = node("oooooooooooooooo");
    const struct reload_sip_aor aor = { .text = "a@b", .len = 3, .domain_at = 2 };
    assert_int_equal(reload_sip_target_set(&t, &aor, reload_slice_of(list, len), scheme, &own), 0);
    assert_string_equal(t.aor.text, "a@b");
    return t;
}

static uint16_t application(enum reload_sip_scheme wish, bool secure)
{
    struct reload_sip_target t = target(NODE_A, 18, wish);
    struct reload_sip_connect c;
    assert_int_equal(reload_sip_connect_plan(&t, 16, secure, &c), 0);
    return c.application;
}

/* R7904-2-2 R7904-5.1-2 R7904-5.1-8 R7904-5.1-9 */
static void the_application_id_says_sip_or_sips(void **state)
{
    (void)state;
    assert_int_equal(application(RELOAD_SIP_SCHEME_ANY, false), 5060);
    assert_int_equal(application(RELOAD_SIP_SCHEME_SIP, false), 5060);
    assert_int_equal(application(RELOAD_SIP_SCHEME_SIPS, false), 5061);
    assert_int_equal(application(RELOAD_SIP_SCHEME_ANY, true), 5061);
    assert_int_equal(application(RELOAD_SIP_SCHEME_SIP, true), 5061); /* never less secure */
    assert_int_equal(application(RELOAD_SIP_SCHEME_SIPS, true), 5061);
}

/* R7904-5.1-3 R7904-5.1-4 R7904-5.1-5 */
static void the_certificate_must_hold_the_last_entry(void **state)
{
    (void)state;
    struct reload_sip_target t = target(NODE_B NODE_A, 36, RELOAD_SIP_SCHEME_ANY);
    const struct reload_node_id a = node("aaaaaaaaaaaaaaaa"), b = node("bbbbbbbbbbbbbbbb");
    const struct reload_node_id both[] = { b, a };
    struct reload_sip_connect c;
    assert_int_equal(reload_sip_connect_plan(&t, 16, false, &c), 0);
    assert_true(c.known);
    assert_true(reload_sip_connect_accepts(&c, &a, &a, 1));
    assert_true(reload_sip_connect_accepts(&c, &a, both, 2));
    assert_false(reload_sip_connect_accepts(&c, &a, &b, 1)); /* another at the other end */
    assert_false(reload_sip_connect_accepts(&c, &b, &a, 1)); /* another answered */
    assert_false(reload_sip_connect_accepts(&c, &b, &b, 1));
    assert_false(reload_sip_connect_accepts(&c, &a, NULL, 0));
}

static void behind_an_opaque_id_is_who_signed_the_answer(void **state)
{
    (void)state;
    const struct reload_node_id a = node("aaaaaaaaaaaaaaaa"), b = node("bbbbbbbbbbbbbbbb");
    struct reload_sip_target t = target(NODE_B "\x03\x03\x02xy", 23, RELOAD_SIP_SCHEME_ANY);
    struct reload_sip_connect c;
    assert_int_equal(reload_sip_connect_plan(&t, 16, false, &c), 0);
    assert_false(c.known);
    assert_true(reload_sip_connect_accepts(&c, &a, &a, 1));
    assert_false(reload_sip_connect_accepts(&c, &a, &b, 1));
    t = target("\x02\x03\x02xy", 5, RELOAD_SIP_SCHEME_ANY); /* a resource: nobody's name */
    assert_int_equal(reload_sip_connect_plan(&t, 16, false, &c), RELOAD_E_UNSUPPORTED);
    t = target(NODE_B "\x09\x01x", 21, RELOAD_SIP_SCHEME_ANY); /* a type to come */
    assert_int_equal(reload_sip_connect_plan(&t, 16, false, &c), RELOAD_E_UNSUPPORTED);
}

static void only_a_list_that_a_message_could_carry_is_a_target(void **state)
{
    (void)state;
    struct reload_sip_target t;
    const struct reload_node_id own = node("aaaaaaaaaaaaaaaa");
    char long_list[RELOAD_SIP_GRUU_LIST_MAX + 18];
    const struct reload_sip_aor aor = { 0 };
    struct {
        struct reload_slice list;
        int error;
    } cases[] = {
        { text(NODE_B NODE_A), 0 },
        { text(NODE_A NODE_A), RELOAD_E_INVALID },           /* twice */
        { text("\x02\x03\x02xy" NODE_A), RELOAD_E_INVALID }, /* a resource before the end */
        { text("\x01\x10"
               "aaa"),
          RELOAD_E_DECODE },
        { reload_slice_of("", 0), RELOAD_E_INVALID },
        { reload_slice_of(long_list, sizeof long_list), RELOAD_E_LIMIT },
    };
    memset(long_list, 0x80, sizeof long_list);
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(
            reload_sip_target_set(&t, &aor, cases[i].list, RELOAD_SIP_SCHEME_ANY, &own),
            cases[i].error);
    assert_int_equal(reload_sip_target_set(&t, &aor, cases[0].list, RELOAD_SIP_SCHEME_ANY, &own),
                     0);
    assert_true(t.own); /* it ends at this node */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_application_id_says_sip_or_sips),
        cmocka_unit_test(the_certificate_must_hold_the_last_entry),
        cmocka_unit_test(behind_an_opaque_id_is_who_signed_the_answer),
        cmocka_unit_test(only_a_list_that_a_message_could_carry_is_a_target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
