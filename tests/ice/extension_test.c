#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ice/extension.h"

static struct reload_ice_candidate candidate(const uint8_t *address, uint8_t type)
{
    const struct reload_ip_address_port at = { RELOAD_ADDRESS_IPV4, 5000,
                                               reload_slice_of(address, 4) };
    struct reload_ice_candidate c = { .addr_port = at,
                                      .overlay_link = RELOAD_OVERLAY_LINK_DTLS_UDP_SR,
                                      .foundation = reload_slice_of("1", 1),
                                      .priority = 1,
                                      .type = type };
    if (type != RELOAD_CANDIDATE_HOST)
        c.rel_addr_port = at;
    return c;
}

static struct reload_slice list_of(const struct reload_ice_candidate *candidates, size_t count,
                                   uint8_t *out, size_t cap)
{
    struct reload_writer w = reload_writer_of(out, cap);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(reload_ice_candidate_encode(&w, &candidates[i]), 0);
    return reload_writer_slice(&w);
}

static const uint8_t left[4] = { 192, 0, 2, 1 }, right[4] = { 192, 0, 2, 2 };

/* R6940-6.5.1.4-1 */
static void a_bare_port_is_told_at_the_host_candidates_where_it_is_open(void **state)
{
    (void)state;
    const struct reload_link_address bare = { 4, { 192, 0, 2, 1 }, 6084 };
    struct reload_ice_candidate c[] = { candidate(left, RELOAD_CANDIDATE_HOST),
                                        candidate(right, RELOAD_CANDIDATE_HOST),
                                        candidate(left, RELOAD_CANDIDATE_SRFLX) };
    uint8_t extensions[100], bytes[300];
    struct reload_writer room = reload_writer_of(extensions, sizeof extensions);
    struct reload_link_address read[4];
    reload_ice_bare_port_tell(&bare, 1, c, 3, &room);
    size_t count = reload_ice_bare_port_read(list_of(c, 3, bytes, sizeof bytes), read, 4);
    assert_int_equal(count, 1);
    assert_true(reload_link_address_equal(&read[0], &bare));
}

static void a_bare_port_of_a_wildcard_is_open_at_each_address(void **state)
{
    (void)state;
    const struct reload_link_address bare[] = { { .len = 16, .port = 1 },
                                                { .len = 4, .port = 65535 } };
    struct reload_ice_candidate c[] = { candidate(left, RELOAD_CANDIDATE_HOST),
                                        candidate(right, RELOAD_CANDIDATE_HOST) };
    uint8_t extensions[100], bytes[300];
    struct reload_writer room = reload_writer_of(extensions, sizeof extensions);
    struct reload_link_address read[4];
    reload_ice_bare_port_tell(bare, 2, c, 2, &room);
    struct reload_slice list = list_of(c, 2, bytes, sizeof bytes);
    assert_int_equal(reload_ice_bare_port_read(list, read, 4), 2);
    assert_int_equal(read[1].port, 65535);
    assert_memory_equal(read[1].bytes, right, 4);
    assert_int_equal(reload_ice_bare_port_read(list, read, 1), 1);
}

static void extensions_of_a_candidate_stay_when_another_is_added(void **state)
{
    (void)state;
    struct reload_ice_candidate c = candidate(left, RELOAD_CANDIDATE_HOST);
    uint8_t bytes[100];
    struct reload_writer room = reload_writer_of(bytes, sizeof bytes);
    struct reload_slice value;
    assert_int_equal(reload_ice_extension_add(&c, &room, "a", reload_slice_of("one", 3)), 0);
    assert_int_equal(reload_ice_extension_add(&c, &room, "b", reload_slice_of("two", 3)), 0);
    assert_true(reload_ice_extension_find(&c, "a", &value));
    assert_memory_equal(value.p, "one", 3);
    assert_true(reload_ice_extension_find(&c, "b", &value));
    assert_memory_equal(value.p, "two", 3);
    assert_false(reload_ice_extension_find(&c, "ab", &value));
    struct reload_slice kept = c.extensions;
    struct reload_writer full = reload_writer_of(bytes, 3);
    assert_int_equal(reload_ice_extension_add(&c, &full, "c", value), RELOAD_E_NOSPACE);
    assert_ptr_equal(c.extensions.p, kept.p);
}

static void what_is_no_port_of_a_host_is_ignored(void **state)
{
    (void)state;
    static const char *const values[] = { "", "0", "65536", "-1", "60 84", "060845", "99999999" };
    static const uint8_t nobody[4] = { 224, 0, 0, 1 };
    uint8_t extensions[100], bytes[300];
    struct reload_link_address read[4];
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct reload_ice_candidate c = candidate(left, RELOAD_CANDIDATE_HOST);
        struct reload_writer room = reload_writer_of(extensions, sizeof extensions);
        struct reload_slice value = reload_slice_of(values[i], strlen(values[i]));
        assert_int_equal(reload_ice_extension_add(&c, &room, RELOAD_ICE_BARE_PORT, value), 0);
        assert_int_equal(reload_ice_bare_port_read(list_of(&c, 1, bytes, sizeof bytes), read, 4),
                         0);
    }
    struct reload_ice_candidate others[] = { candidate(left, RELOAD_CANDIDATE_RELAY),
                                             candidate(nobody, RELOAD_CANDIDATE_HOST) };
    struct reload_writer room = reload_writer_of(extensions, sizeof extensions);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(reload_ice_extension_add(&others[i], &room, RELOAD_ICE_BARE_PORT,
                                                  reload_slice_of("6084", 4)),
                         0);
    assert_int_equal(reload_ice_bare_port_read(list_of(others, 2, bytes, sizeof bytes), read, 4),
                     0);
    assert_int_equal(reload_ice_bare_port_read(reload_slice_of("nonsense", 8), read, 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bare_port_is_told_at_the_host_candidates_where_it_is_open),
        cmocka_unit_test(a_bare_port_of_a_wildcard_is_open_at_each_address),
        cmocka_unit_test(extensions_of_a_candidate_stay_when_another_is_added),
        cmocka_unit_test(what_is_no_port_of_a_host_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
