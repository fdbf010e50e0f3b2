#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "peer/own_addresses.h"

static struct reload_link_address parsed(const char *literal, uint16_t port)
{
    struct reload_link_address address;
    assert_int_equal(reload_link_address_parse(literal, port, &address), 0);
    return address;
}

static void an_address_is_told_as_it_is_and_once(void **state)
{
    (void)state;
    struct reload_link_address listen = parsed("192.0.2.7", 6084), out[4];
    size_t count = 0;
    reload_own_addresses(&listen, out, &count, 4);
    reload_own_addresses(&listen, out, &count, 4);
    assert_int_equal(count, 1);
    assert_true(reload_link_address_equal(&out[0], &listen));
}

static void a_wildcard_is_told_as_the_addresses_of_its_family_with_its_port(void **state)
{
    (void)state;
    static const char *const wildcards[] = { "0.0.0.0", "::" };
    for (size_t i = 0; i < 2; i++) {
        struct reload_link_address listen = parsed(wildcards[i], 7000), out[16];
        size_t count = 0;
        reload_own_addresses(&listen, out, &count, 16);
        for (size_t j = 0; j < count; j++) {
            assert_int_equal(out[j].len, listen.len);
            assert_int_equal(out[j].port, 7000);
            assert_true(reload_own_addresses_have(&out[j]));
        }
    }
}

static void no_more_are_told_than_there_is_room(void **state)
{
    (void)state;
    struct reload_link_address a = parsed("192.0.2.7", 1), b = parsed("192.0.2.8", 1), out[1];
    size_t count = 0;
    reload_own_addresses(&a, out, &count, 1);
    reload_own_addresses(&b, out, &count, 1);
    assert_int_equal(count, 1);
}

static void this_machine_has_its_loopback_and_no_documentation_address(void **state)
{
    (void)state;
    struct reload_link_address loopback = parsed("127.0.0.1", 1), other = parsed("192.0.2.7", 1);
    assert_true(reload_own_addresses_have(&loopback));
    assert_false(reload_own_addresses_have(&other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_told_as_it_is_and_once),
        cmocka_unit_test(a_wildcard_is_told_as_the_addresses_of_its_family_with_its_port),
        cmocka_unit_test(no_more_are_told_than_there_is_room),
        cmocka_unit_test(this_machine_has_its_loopback_and_no_documentation_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
