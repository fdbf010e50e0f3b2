#include "check.h"

#include <string.h>

#include "peer/address.h"

static void addresses_are_read_with_and_without_a_port(void **state)
{
    static const struct {
        const char *text, *shown;
    } good[] = {
        { "192.0.2.1:1234", "192.0.2.1:1234" },    { "192.0.2.1", "192.0.2.1:6084" },
        { "192.0.2.1:0", "192.0.2.1:0" },          { "[2001:db8::1]:65535", "[2001:db8::1]:65535" },
        { "[2001:db8::1]", "[2001:db8::1]:6084" }, { "2001:db8::1", "[2001:db8::1]:6084" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct reload_link_address address;
        char text[RELOAD_LINK_ADDRESS_TEXT];
        assert_int_equal(reload_address_read(good[i].text, 6084, &address), 0);
        assert_string_equal(reload_link_address_text(&address, text), good[i].shown);
    }
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const bad[] = { "",
                                       ":1",
                                       "192.0.2.1:",
                                       "192.0.2.1:65536",
                                       "192.0.2.1:-1",
                                       "192.0.2.1:1x",
                                       "example.org:1",
                                       "[::1",
                                       "[]:1",
                                       "[::1]x",
                                       "1.2.3:4",
                                       "[::1]:" };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct reload_link_address address;
        assert_int_equal(reload_address_read(bad[i], 6084, &address), RELOAD_E_INVALID);
    }
    char longer[1000];
    memset(longer, '1', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    struct reload_link_address address;
    assert_int_equal(reload_address_read(longer, 1, &address), RELOAD_E_INVALID);
}

static void a_host_may_be_a_name(void **state)
{
    (void)state;
    char text[] = "enroll.example.org:8443", *host;
    uint16_t port;
    assert_int_equal(reload_address_split(text, 443, &host, &port), 0);
    assert_string_equal(host, "enroll.example.org");
    assert_int_equal(port, 8443);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_with_and_without_a_port),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(a_host_may_be_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
