#include "check.h"

#include "reload/wire/address.h"

static struct reload_ip_address_port decode(struct reload_slice wire)
{
    struct reload_reader r = reload_reader_over(wire);
    struct reload_ip_address_port address;
    assert_int_equal(reload_ip_address_port_decode(&r, &address), 0);
    assert_int_equal(reload_reader_finish(&r), 0);
    return address;
}

/* R6940-6.3.1.1-5 R6940-6.3.1.1-6 */
static void ipv4_and_ipv6_have_an_address_and_a_port(void **state)
{
    (void)state;
    struct reload_slice v4 = BYTES(1, 6, 192, 0, 2, 1, 0x17, 0xc4); /* the example of s6.3.1.1 */
    struct reload_ip_address_port address = decode(v4);
    assert_int_equal(address.type, RELOAD_ADDRESS_IPV4);
    assert_slice_equal(address.address, BYTES(192, 0, 2, 1));
    assert_int_equal(address.port, 6084);
    check_good("IpAddressPort", v4);
    check_length("IpAddressPort", v4, 1, 1);

    struct reload_slice v6 = BYTES(2, 18, SIXTEEN(0xfe), 0xff, 0xff);
    address = decode(v6);
    assert_int_equal(address.type, RELOAD_ADDRESS_IPV6);
    assert_slice_equal(address.address, BYTES(SIXTEEN(0xfe)));
    assert_int_equal(address.port, 65535);
    check_good("IpAddressPort", v6);
    check_length("IpAddressPort", v6, 1, 1);
}

static void a_length_of_the_other_family_is_refused(void **state)
{
    (void)state;
    check_bad("IpAddressPort", BYTES(2, 6, 192, 0, 2, 1, 0x17, 0xc4));
    check_bad("IpAddressPort", BYTES(1, 18, SIXTEEN(0xfe), 0xff, 0xff));
    check_bad("IpAddressPort", BYTES(1, 5, 192, 0, 2, 1, 0x17));
    check_bad("IpAddressPort", BYTES(1, 7, 192, 0, 2, 1, 0x17, 0xc4, 0));
}

/* R6940-6.3.1.1-7 */
static void an_unknown_type_is_kept_and_type_0_is_not(void **state)
{
    (void)state;
    struct reload_ip_address_port address = decode(BYTES(9, 3, 1, 2, 3));
    assert_int_equal(address.type, 9);
    assert_slice_equal(address.address, BYTES(1, 2, 3));
    assert_int_equal(address.port, 0);
    check_good("IpAddressPort", BYTES(9, 3, 1, 2, 3));
    check_good("IpAddressPort", BYTES(9, 0));
    check_bad("IpAddressPort", BYTES(0, 0));
    check_bad("IpAddressPort", BYTES(0, 6, 192, 0, 2, 1, 0x17, 0xc4));
}

static void an_address_that_does_not_fit_its_type_is_not_written(void **state)
{
    (void)state;
    const struct reload_ip_address_port bad[] = {
        { RELOAD_ADDRESS_INVALID, 0, BYTES(1, 2, 3, 4) },
        { RELOAD_ADDRESS_IPV4, 0, BYTES(1, 2, 3) },
        { RELOAD_ADDRESS_IPV4, 0, BYTES(SIXTEEN(1)) },
        { RELOAD_ADDRESS_IPV6, 0, BYTES(1, 2, 3, 4) },
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        uint8_t buf[32];
        struct reload_writer w = reload_writer_of(buf, sizeof buf);
        assert_int_equal(reload_ip_address_port_encode(&w, &bad[i]), RELOAD_E_NOSPACE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_and_ipv6_have_an_address_and_a_port),
        cmocka_unit_test(a_length_of_the_other_family_is_refused),
        cmocka_unit_test(an_unknown_type_is_kept_and_type_0_is_not),
        cmocka_unit_test(an_address_that_does_not_fit_its_type_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
