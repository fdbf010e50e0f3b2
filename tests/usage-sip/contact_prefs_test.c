#include "usage-sip/contact_prefs.h"

#include "check.h"

static void all_ask_for(enum reload_sip_scheme scheme, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (reload_sip_contact_prefs_scheme(text(texts[i])) != scheme)
            fail_msg("%s", texts[i]);
}

/* R7904-3.2-9 R7904-3.2-10 */
static void a_scheme_is_found_alone_and_in_a_conjunction(void **state)
{
    (void)state;
    static const char *const sips[] = {
        "(sip.schemes=SIPS)",
        " ( sip.schemes = sips ) ",
        "(SIP.Schemes=\"SIPS\")",
        "(& (sip.audio=TRUE) (sip.schemes=SIPS))",
        "(& (| (sip.video=TRUE) (sip.audio=TRUE)) (& (sip.schemes=SIPS)) (sip.priority>=10))",
        "(&(sip.methods=[\"INVITE\",\"MESSAGE\"])(sip.schemes=SIPS)(!(sip.automata=TRUE)))",
    };
    static const char *const sip[] = { "(sip.schemes=SIP)", "(&(sip.schemes=sip)(a<=3))" };
    all_ask_for(RELOAD_SIP_SCHEME_SIPS, sips, COUNT(sips));
    all_ask_for(RELOAD_SIP_SCHEME_SIP, sip, COUNT(sip));
    assert_string_equal(reload_sip_contact_prefs_text(RELOAD_SIP_SCHEME_SIPS),
                        "(sip.schemes=SIPS)");
    assert_string_equal(reload_sip_contact_prefs_text(RELOAD_SIP_SCHEME_SIP), "(sip.schemes=SIP)");
    assert_string_equal(reload_sip_contact_prefs_text(RELOAD_SIP_SCHEME_ANY), "");
}

/* R7904-3.2-9 */
static void what_demands_nothing_or_is_no_predicate_prefers_nothing(void **state)
{
    (void)state;
    static const char *const any[] = {
        "",
        " ",
        "()",
        "(sip.audio=TRUE)",
        "(| (sip.schemes=SIP) (sip.schemes=SIPS))",
        "(& (sip.schemes=SIP) (sip.schemes=SIPS))",
        "(! (sip.schemes=SIPS))",
        "(sip.schemes>=SIPS)",
        "(sip.schemes=SIPSX)",
        "(xsip.schemes=SIPS)",
        "(sip.schemes=[SIPS])",
        "(sip.schemes=SIPS",
        "sip.schemes=SIPS",
        "(sip.schemes=SIPS))",
        "(sip.schemes=SIPS) x",
        "(& (sip.schemes=SIPS)",
        "(&)",
        "(sip.schemes=\"SIPS)",
        "(sip.schemes=)",
        "(& (a=[1,2) (sip.schemes=SIPS))",
    };
    all_ask_for(RELOAD_SIP_SCHEME_ANY, any, COUNT(any));
}

static void nesting_ends_at_its_limit(void **state)
{
    (void)state;
    static const char core[] = "(sip.schemes=SIPS)";
    char deep[8 * RELOAD_SIP_PREFS_DEPTH_MAX + sizeof core];
    for (size_t depth = 1; depth <= RELOAD_SIP_PREFS_DEPTH_MAX + 1; depth++) {
        size_t len = 0;
        for (size_t i = 1; i < depth; i++, len += 2)
            memcpy(deep + len, "(&", 2);
        memcpy(deep + len, core, sizeof core - 1);
        len += sizeof core - 1;
        for (size_t i = 1; i < depth; i++)
            deep[len++] = ')';
        assert_int_equal(reload_sip_contact_prefs_scheme(reload_slice_of(deep, len)),
                         depth <= RELOAD_SIP_PREFS_DEPTH_MAX ? RELOAD_SIP_SCHEME_SIPS
                                                             : RELOAD_SIP_SCHEME_ANY);
    }
    static char parentheses[65535];
    memset(parentheses, '(', sizeof parentheses);
    assert_int_equal(
        reload_sip_contact_prefs_scheme(reload_slice_of(parentheses, sizeof parentheses)),
        RELOAD_SIP_SCHEME_ANY);
}

static void is_read(struct reload_slice damaged)
{
    assert_in_range(reload_sip_contact_prefs_scheme(damaged), RELOAD_SIP_SCHEME_ANY,
                    RELOAD_SIP_SCHEME_SIPS);
}

static void damaged_predicates_are_read_to_their_end(void **state)
{
    (void)state;
    assert_true(
        check_damaged(text("(& (sip.methods=[\"INVITE\"]) (! (a<=\"b\")) (sip.schemes=SIPS))"),
                      is_read) > 800);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scheme_is_found_alone_and_in_a_conjunction),
        cmocka_unit_test(what_demands_nothing_or_is_no_predicate_prefers_nothing),
        cmocka_unit_test(nesting_ends_at_its_limit),
        cmocka_unit_test(damaged_predicates_are_read_to_their_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
