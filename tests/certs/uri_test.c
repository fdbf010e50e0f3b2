#include "tests/certs/fixture.h"

#include <string.h>

#include "certs/uri.h"

#define HEX "0110000102030405060708090a0b0c0d0e0f"

static int parse(const char *s, struct reload_cert_uri *out)
{
    return reload_cert_uri_parse(text(s), out);
}

/* R6940-14.15-1 R6940-14.15-2 R6940-14.15-3 */
static void a_uri_is_read_and_printed_with_its_slash(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "reload://" HEX "@example.org/", "reload://" HEX "@example.org/" },
        { "reload://" HEX "@example.org", "reload://" HEX "@example.org/" },
        { "RELOAD://0110000102030405060708090A0B0C0D0E0F@example.org/",
          "reload://" HEX "@example.org/" },
        { "reload://" HEX "@example.org/0aFF", "reload://" HEX "@example.org/0aff" },
        { "reload://8001" HEX "@a%20b/", "reload://8001" HEX "@a%20b/" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct reload_cert_uri uri;
        char again[RELOAD_CERT_URI_TEXT_MAX];
        assert_int_equal(parse(cases[i].in, &uri), 0);
        assert_int_equal(reload_cert_uri_print(&uri, again, sizeof again), 0);
        assert_string_equal(again, cases[i].out);
        for (size_t cap = 0; cap <= strlen(cases[i].out); cap++)
            assert_int_equal(reload_cert_uri_print(&uri, again, cap), RELOAD_E_NOSPACE);
    }
}

static void what_is_no_reload_uri_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "reload://",
        "http://" HEX "@example.org/",
        "reload:" HEX "@example.org/",
        "reload://" HEX,
        "reload://@example.org/",
        "reload://" HEX "@/",
        "reload://" HEX "0@example.org/",   /* half a byte */
        "reload://" HEX "0g@example.org/",  /* no digit */
        "reload://" HEX "@exa mple.org/",   /* no reg-name */
        "reload://" HEX "@a@b/",            /* two marks */
        "reload://" HEX "@example.org/0",   /* half a byte */
        "reload://" HEX "@example.org/00/", /* something behind */
        "reload://" HEX "@example.org:80/",
    };
    struct reload_cert_uri uri;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(parse(bad[i], &uri), RELOAD_E_DECODE);
    assert_int_equal(
        reload_cert_uri_parse(
            reload_slice_of("reload://" HEX "@a\0b/", sizeof "reload://" HEX "@a\0b/" - 1), &uri),
        RELOAD_E_DECODE);
    char longer[2200];
    memset(longer, '0', sizeof longer);
    memcpy(longer, "reload://", 9);
    memcpy(longer + 9 + 2 * RELOAD_CERT_URI_LIST_MAX + 2, "@a/", 4);
    assert_int_equal(parse(longer, &uri), RELOAD_E_LIMIT);
    memcpy(longer + 9 + 2 * RELOAD_CERT_URI_LIST_MAX, "@a/", 4);
    assert_int_equal(parse(longer, &uri), 0);
}

/* R6940-11.3-11 */
static void the_node_id_is_that_of_a_single_node_destination(void **state)
{
    (void)state;
    struct reload_cert_uri uri;
    struct reload_node_id id;
    char printed[RELOAD_CERT_URI_TEXT_MAX];
    assert_int_equal(parse("reload://" HEX "@o/", &uri), 0);
    assert_int_equal(reload_cert_uri_node_id(&uri, false, &id), 0);
    assert_int_equal(id.len, 16);
    assert_int_equal(id.bytes[15], 15);
    assert_int_equal(reload_cert_uri_print_node(&id, "o", printed, sizeof printed), 0);
    assert_string_equal(printed, "reload://" HEX "@o/");
    assert_int_equal(reload_cert_uri_print_node(&id, "", printed, sizeof printed),
                     RELOAD_E_INVALID);
    assert_int_equal(reload_cert_uri_print_node(&id, "a/b", printed, sizeof printed),
                     RELOAD_E_INVALID);

    static const char *const bad[] = {
        "reload://" HEX HEX "@o/", /* two entries */
        "reload://0211"
        "10000102030405060708090a0b0c0d0e0f@o/",            /* a resource */
        "reload://010f000102030405060708090a0b0c0d0e@o/",   /* 15 bytes */
        "reload://0111000102030405060708090a0b0c0d0e0f@o/", /* length off by one */
        "reload://011000000000000000000000000000000000@o/", /* all zeros */
        "reload://0110ffffffffffffffffffffffffffffffff@o/", /* the wildcard */
        "reload://8001@o/",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(parse(bad[i], &uri), 0);
        assert_int_equal(reload_cert_uri_node_id(&uri, false, &id), RELOAD_E_DECODE);
    }
}

static void a_bare_node_id_passes_only_with_the_compatibility_switch(void **state)
{
    (void)state;
    struct reload_cert_uri uri;
    struct reload_node_id id;
    assert_int_equal(parse("reload://000102030405060708090a0b0c0d0e0f@o", &uri), 0);
    assert_int_equal(reload_cert_uri_node_id(&uri, false, &id), RELOAD_E_DECODE);
    assert_int_equal(reload_cert_uri_node_id(&uri, true, &id), 0);
    assert_int_equal(id.len, 16);
    assert_int_equal(id.bytes[1], 1);
    assert_true(reload_cert_overlay_name_equal("Example.org", "example.ORG"));
    assert_false(reload_cert_overlay_name_equal("example.org", "example.org."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uri_is_read_and_printed_with_its_slash),
        cmocka_unit_test(what_is_no_reload_uri_is_refused),
        cmocka_unit_test(the_node_id_is_that_of_a_single_node_destination),
        cmocka_unit_test(a_bare_node_id_passes_only_with_the_compatibility_switch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
