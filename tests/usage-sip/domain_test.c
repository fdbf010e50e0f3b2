#include "check.h"
#include "kind.h"

static bool hosted(struct reload_kind_config kind, const char *domain)
{
    struct reload_config config = reload_config_defaults();
    config.instance_name = "overlay.example";
    config.kinds = &kind;
    config.kind_count = 1;
    return reload_sip_domain_is_hosted(&config, domain);
}

/* R7904-3.1-3 R7904-3.4-4 R7904-3.4-5 */
static void without_a_restriction_every_domain_is_admitted(void **state)
{
    (void)state;
    assert_true(hosted(sip_kind(NULL, 0), "anything.example"));
    assert_true(hosted(sip_kind(SIP_PARAMETERS(
                           { RELOAD_PARAMETER_ELEMENT, "urn:other", "domain-restriction", "" })),
                       "anything.example")); /* another namespace's */
    struct reload_config none = reload_config_defaults();
    assert_false(reload_sip_domain_is_hosted(&none, "anything.example")); /* no such Kind */
}

/* R7904-3.4-1 R7904-3.4-2 R7904-3.4-6 */
static void a_restriction_that_is_not_enabled_leaves_the_overlays_own_domain(void **state)
{
    (void)state;
    const struct reload_kind_config kinds[] = {
        sip_kind(SIP_PARAMETERS(SIP_ELEMENT("domain-restriction"))),
        sip_kind(SIP_PARAMETERS(SIP_ELEMENT("domain-restrictions"))),
        sip_kind(SIP_PARAMETERS(SIP_ELEMENT("domain-restriction"), SIP_ENABLE("false"),
                                SIP_PATTERN(".*"))),
        sip_kind(SIP_PARAMETERS(SIP_ELEMENT("domain-restrictions"), SIP_ENABLE("0"),
                                SIP_PATTERN("other\\.example"))),
    };
    for (size_t i = 0; i < COUNT(kinds); i++) {
        assert_null(reload_sip_kind_ops.refuses(&kinds[i]));
        assert_true(hosted(kinds[i], "overlay.example"));
        assert_true(hosted(kinds[i], "Overlay.EXAMPLE"));
        assert_false(hosted(kinds[i], "other.example"));
        assert_false(hosted(kinds[i], "a.overlay.example"));
    }
}

/* R7904-3.4-3 R7904-3.4-7 R7904-3.4-8 R7904-3.4-9 */
static void patterns_match_whole_domains(void **state)
{
    (void)state;
    struct reload_kind_config kind = sip_kind(
        SIP_PARAMETERS(SIP_ELEMENT("domain-restriction"), SIP_ENABLE("true"),
                       SIP_PATTERN("dht\\.example\\.com"), SIP_PATTERN(".*\\.my\\.example")));
    assert_null(reload_sip_kind_ops.refuses(&kind));
    static const char *const in[] = { "dht.example.com", "DHT.example.com", "a.my.example",
                                      "a.b.my.example" };
    static const char *const out[] = { "adht.example.com",  "dht.example.com.evil",
                                       "dhtxexample.com",   "my.example",
                                       "a.my.example.evil", "",
                                       "overlay.example" };
    for (size_t i = 0; i < COUNT(in); i++)
        assert_true(hosted(kind, in[i]));
    for (size_t i = 0; i < COUNT(out); i++)
        assert_false(hosted(kind, out[i]));
    assert_false(hosted(
        sip_kind(SIP_PARAMETERS(SIP_ELEMENT("domain-restriction"), SIP_ENABLE("1"))), "a.b"));
}

/* An alternative, a lone parenthesis or an anchor does not loosen the match. R7904-3.4-8 */
static void no_pattern_escapes_its_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *in, *out;
    } cases[] = {
        { "a\\.b|c\\.d", "c.d", "xc.d" }, { "a\\.b|c\\.d", "a.b", "a.bx" },
        { "^a\\.b$", "a.b", "a.b.c" },    { "(a|ab)\\.(c|cd)", "ab.cd", "ab.cde" },
        { "a)|b", "b", "a.evil" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct reload_kind_config kind = sip_kind(SIP_PARAMETERS(
            SIP_ELEMENT("domain-restriction"), SIP_ENABLE("true"), SIP_PATTERN(cases[i].pattern)));
        assert_true(hosted(kind, cases[i].in));
        assert_false(hosted(kind, cases[i].out));
    }
}

/* R7904-3.4-3 */
static void a_bad_restriction_is_refused_and_admits_nothing(void **state)
{
    (void)state;
    char long_pattern[RELOAD_SIP_PATTERN_MAX + 2] = "";
    memset(long_pattern, 'a', sizeof long_pattern - 1);
    const struct reload_kind_config kinds[] = {
        sip_kind(SIP_PARAMETERS(SIP_ELEMENT("domain-restriction"), SIP_ENABLE("true"),
                                SIP_PATTERN("a("))),
        sip_kind(SIP_PARAMETERS(SIP_ELEMENT("domain-restriction"), SIP_ENABLE("true"),
                                SIP_PATTERN("[a"))),
        sip_kind(
            SIP_PARAMETERS(SIP_ELEMENT("domain-restriction"), SIP_ENABLE("true"), SIP_PATTERN(""))),
        sip_kind(SIP_PARAMETERS(SIP_ELEMENT("domain-restriction"), SIP_ENABLE("true"),
                                SIP_PATTERN(long_pattern))),
        sip_kind(SIP_PARAMETERS(SIP_ELEMENT("domain-restriction"), SIP_ENABLE("yes"),
                                SIP_PATTERN(".*"))),
        sip_kind(SIP_PARAMETERS(SIP_ELEMENT("domain-restriction"), SIP_ENABLE("true"),
                                SIP_ELEMENT("domain-restrictions"))),
    };
    for (size_t i = 0; i < COUNT(kinds); i++) {
        assert_non_null(reload_sip_kind_ops.refuses(&kinds[i]));
        assert_false(hosted(kinds[i], "a"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_restriction_every_domain_is_admitted),
        cmocka_unit_test(a_restriction_that_is_not_enabled_leaves_the_overlays_own_domain),
        cmocka_unit_test(patterns_match_whole_domains),
        cmocka_unit_test(no_pattern_escapes_its_bounds),
        cmocka_unit_test(a_bad_restriction_is_refused_and_admits_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
