#include "usage-sip/aor.h"

#include "check.h"
#include "usage-sip/uri.h"

static void reads_as(const char *in, const char *expected)
{
    struct reload_sip_aor aor;
    assert_int_equal(reload_sip_aor_read(text(in), &aor), 0);
    assert_string_equal(aor.text, expected);
    assert_int_equal(aor.len, strlen(expected));
    assert_string_equal(reload_sip_aor_domain(&aor), strchr(expected, '@') + 1);
}

static void is_refused(const char *in, int error)
{
    struct reload_sip_aor aor;
    assert_int_equal(reload_sip_aor_read(text(in), &aor), error);
}

/* R7904-2-1 R7904-7-3 */
static void every_form_of_an_address_is_one_name(void **state)
{
    (void)state;
    static const char *const same[] = {
        "alice@dht.example.com",
        "sip:alice@dht.example.com",
        "sips:alice@dht.example.com",
        "SIP:alice@DHT.Example.COM",
        "sip:alice@dht.example.com:5060",
        "sip:alice@dht.example.com;transport=tcp;lr",
        "sips:alice@dht.example.com:5061;user=phone?subject=a@b",
        "sip:alice@dht.example.com?subject=hello",
        "alice@dht.example.com;gr=ARABI0VniavN7wEjRWeJq83v",
        "  alice@dht.example.com ",
    };
    for (size_t i = 0; i < COUNT(same); i++)
        reads_as(same[i], "alice@dht.example.com");
    reads_as("Alice@a.b", "Alice@a.b"); /* the user part is compared byte for byte */
    reads_as("sip:+4930123;phone-context=x@a.b", "+4930123;phone-context=x@a.b");
}

/* R7904-7-4 */
static void escapes_of_the_user_part_are_decoded(void **state)
{
    (void)state;
    reads_as("sip:%61lice@dht.example.com", "alice@dht.example.com");
    reads_as("%61%6C%69%63%65@a.b", "alice@a.b");
    reads_as("j%C3%BCrg@a.b", "j\xc3\xbcrg@a.b");
    static const char *const bad[] = { "al%6@a.b",    "al%@a.b",   "al%zz@a.b", "al%00@a.b",
                                       "al%0a@a.b",   "al%40@a.b", "al%20@a.b", "al%2561@a.b",
                                       "tel%3a1@a.b", "al%7f@a.b" };
    for (size_t i = 0; i < COUNT(bad); i++)
        is_refused(bad[i], RELOAD_E_INVALID);
}

/* R7904-3.4-10 */
static void a_domain_is_a_plain_host_name(void **state)
{
    (void)state;
    static const char *const bad[] = { "a@b%2ecom",  "a@",        "a@.b",         "a@b.",
                                       "a@b..c",     "a@b_c",     "a@[::1]",      "a@b c",
                                       "a@b@c",      "@b",        "alice",        "",
                                       "sip:a:pw@b", "a@b:",      "a@b:99999999", "a@b:x",
                                       "sip:b",      "sip:b;x=c", "a@b\xc3\xbc" };
    for (size_t i = 0; i < COUNT(bad); i++)
        is_refused(bad[i], RELOAD_E_INVALID);
}

static void other_schemes_are_told_apart(void **state)
{
    (void)state;
    struct reload_sip_uri uri;
    is_refused("tel:+49301234", RELOAD_E_UNSUPPORTED);
    is_refused("https://a@b", RELOAD_E_UNSUPPORTED);
    assert_int_equal(reload_sip_uri_split(text("sips:a@b;x"), &uri), 0);
    assert_true(reload_sip_uri_is_secure(&uri));
    assert_int_equal(reload_sip_uri_split(text("a@b;x=1;LR;y"), &uri), 0);
    assert_false(reload_sip_uri_is_secure(&uri));
    struct reload_slice value;
    assert_true(reload_sip_uri_parameter(&uri, "X", &value));
    assert_slice_equal(value, text("1"));
    assert_true(reload_sip_uri_parameter(&uri, "lr", &value));
    assert_int_equal(value.n, 0);
    assert_false(reload_sip_uri_parameter(&uri, "z", &value));
}

static void the_longest_name_passes_and_a_byte_more_does_not(void **state)
{
    (void)state;
    char name[RELOAD_SIP_AOR_MAX + 2];
    struct reload_sip_aor aor;
    memset(name, 'a', sizeof name);
    memcpy(name + RELOAD_SIP_AOR_MAX - 4, "@b.c", 4);
    assert_int_equal(reload_sip_aor_read(reload_slice_of(name, RELOAD_SIP_AOR_MAX), &aor), 0);
    name[RELOAD_SIP_AOR_MAX] = 'd';
    assert_int_equal(reload_sip_aor_read(reload_slice_of(name, RELOAD_SIP_AOR_MAX + 1), &aor),
                     RELOAD_E_LIMIT);
}

static void is_a_name_or_refused(struct reload_slice damaged)
{
    struct reload_sip_aor aor, again;
    if (reload_sip_aor_read(damaged, &aor))
        return;
    assert_int_equal(strlen(aor.text), aor.len);
    assert_int_equal(reload_sip_aor_read(reload_sip_aor_name(&aor), &again), 0);
    assert_string_equal(again.text, aor.text);
}

static void damaged_addresses_are_names_or_refused(void **state)
{
    (void)state;
    assert_true(check_damaged(text("sips:%61lice@dht.example.com:5061;gr=x?a=b"),
                              is_a_name_or_refused) > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_an_address_is_one_name),
        cmocka_unit_test(escapes_of_the_user_part_are_decoded),
        cmocka_unit_test(a_domain_is_a_plain_host_name),
        cmocka_unit_test(other_schemes_are_told_apart),
        cmocka_unit_test(the_longest_name_passes_and_a_byte_more_does_not),
        cmocka_unit_test(damaged_addresses_are_names_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
