#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ice/turn.h"
#include "ice/turn_grant.h"
#include "ice/turn_search.h"

static const struct reload_link_address public_address = { 4, { 203, 0, 113, 5 }, 3478 };
static const struct reload_node_id node = {
    16, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 }
};

static const struct reload_ice_turn_offer offer = {
    { 16, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } },
    { 4, { 203, 0, 113, 5 }, 3478 },
};

/* A hash that shows its input: its sum, then its last byte. */
static int resource_id(const struct reload_crypto *crypto, struct reload_slice name, uint8_t *out,
                       size_t *len)
{
    (void)crypto;
    memset(out, 0, 16);
    for (size_t i = 0; i < name.n; i++)
        out[0] = (uint8_t)(out[0] * 31 + name.p[i]);
    out[1] = name.p[name.n - 1];
    *len = 16;
    return 0;
}

/* R6940-9-1 R6940-9-2 R6940-9-3 */
static void who_is_behind_a_nat_or_private_does_not_offer_turn(void **state)
{
    (void)state;
    struct reload_link_address own = public_address, seen = public_address;
    assert_int_equal(reload_ice_turn_fitness(&own, NULL), RELOAD_ICE_TURN_UNKNOWN);
    seen.port = 9; /* another socket: the address counts */
    assert_int_equal(reload_ice_turn_fitness(&own, &seen), RELOAD_ICE_TURN_FIT);
    seen.bytes[3] = 6;
    assert_int_equal(reload_ice_turn_fitness(&own, &seen), RELOAD_ICE_TURN_TRANSLATED);
    static const uint8_t private[][4] = { { 10, 0, 0, 1 },
                                          { 172, 16, 0, 1 },
                                          { 172, 31, 255, 1 },
                                          { 192, 168, 3, 4 },
                                          { 100, 64, 0, 1 } };
    for (size_t i = 0; i < 5; i++) {
        memcpy(own.bytes, private[i], 4);
        assert_int_equal(reload_ice_turn_fitness(&own, &own), RELOAD_ICE_TURN_PRIVATE);
    }
    static const uint8_t fit[][4] = { { 172, 15, 0, 1 },
                                      { 172, 32, 0, 1 },
                                      { 192, 167, 0, 1 },
                                      { 11, 0, 0, 1 },
                                      { 100, 128, 0, 1 } };
    for (size_t i = 0; i < 5; i++) {
        memcpy(own.bytes, fit[i], 4);
        assert_int_equal(reload_ice_turn_fitness(&own, &own), RELOAD_ICE_TURN_FIT);
    }
    static const uint8_t unusable[][4] = { { 127, 0, 0, 1 },
                                           { 169, 254, 0, 1 },
                                           { 224, 0, 0, 1 },
                                           { 0, 0, 0, 0 },
                                           { 255, 255, 255, 255 } };
    for (size_t i = 0; i < 5; i++) {
        memcpy(own.bytes, unusable[i], 4);
        assert_int_equal(reload_ice_turn_fitness(&own, &own), RELOAD_ICE_TURN_UNUSABLE);
    }
}

/* R6940-9-4 R6940-9-5 R6940-9-7 */
static void records_are_named_by_node_id_and_number(void **state)
{
    (void)state;
    uint8_t name[RELOAD_NODE_ID_MAX + 1];
    assert_int_equal(reload_ice_turn_records(0), 0);
    assert_int_equal(reload_ice_turn_records(3), 3);
    assert_int_equal(reload_ice_turn_records(255), RELOAD_ICE_TURN_DENSITY_MAX);
    assert_int_equal(reload_ice_turn_name(&node, 7, name), 17);
    assert_memory_equal(name, node.bytes, 16);
    assert_int_equal(name[16], 7);
}

static int check(struct reload_slice value, const struct reload_node_id *signer, uint8_t d,
                 struct reload_link_address *out)
{
    uint8_t name[RELOAD_NODE_ID_MAX + 1], id[16];
    size_t len;
    struct reload_slice n = reload_slice_of(name, reload_ice_turn_name(&node, d, name));
    assert_int_equal(resource_id(NULL, n, id, &len), 0);
    return reload_ice_turn_check(value, reload_slice_of(id, len), signer, NULL, resource_id, out);
}

/* R6940-9-5 R6940-9-6 */
static void a_record_is_believed_only_where_its_signer_may_store_it(void **state)
{
    (void)state;
    uint8_t bytes[32];
    struct reload_writer w = reload_writer_of(bytes, sizeof bytes);
    struct reload_link_address out;
    struct reload_node_id other = node;
    other.bytes[0] = 9;
    assert_int_equal(reload_ice_turn_value(&w, 7, &public_address), 0);
    struct reload_slice value = reload_writer_slice(&w);
    assert_memory_equal(bytes, ((uint8_t[]){ 7, 1, 6, 203, 0, 113, 5, 0x0d, 0x96 }), 9);
    assert_int_equal(value.n, 9);
    assert_int_equal(check(value, &node, 7, &out), 0);
    assert_true(reload_link_address_equal(&out, &public_address));
    assert_int_equal(check(value, &node, 8, &out), RELOAD_E_FORBIDDEN);
    assert_int_equal(check(value, &other, 7, &out), RELOAD_E_FORBIDDEN);
    for (size_t cut = 0; cut < value.n; cut++)
        assert_int_equal(check(reload_slice_of(bytes, cut), &node, 7, &out), RELOAD_E_DECODE);
    bytes[3] = 224;
    assert_int_equal(check(value, &node, 7, &out), RELOAD_E_INVALID);
    bytes[3] = 203;
    bytes[0] = 0;
    assert_int_equal(check(value, &node, 0, &out), RELOAD_E_FORBIDDEN);
    bytes[0] = 21;
    assert_int_equal(check(value, &node, 21, &out), RELOAD_E_FORBIDDEN);
}

static void credentials_are_those_of_the_shared_secret_scheme(void **state)
{
    (void)state;
    struct reload_ice_turn_credentials c;
    const struct reload_node_id user = { 16, { 1 } };
    struct reload_slice secret = reload_slice_of("a secret of the laboratory", 26);
    /* Computed with Python's hmac and base64; coturn takes them in tests/system/nat. */
    assert_int_equal(reload_ice_turn_credentials(secret, &user, 1795262051, 600, &c), 0);
    assert_string_equal(c.user_name, "1795262651:01000000000000000000000000000000");
    assert_string_equal(c.password, "OMiXPGFYgFeLxOqZVFqUcl3msEQ=");
    assert_int_equal(c.expires_s, 1795262651);
    assert_int_equal(reload_ice_turn_credentials(reload_slice_of("", 0), &user, 1, 1, &c),
                     RELOAD_E_INVALID);
    assert_int_equal(reload_ice_turn_credentials(secret, &user, UINT64_MAX, 1, &c),
                     RELOAD_E_INVALID);
}

/* --- credentials on their way --- */

static void a_grant_is_read_as_it_was_written_and_only_whole(void **state)
{
    (void)state;
    uint8_t bytes[RELOAD_ICE_TURN_GRANT_MAX + 1];
    struct reload_writer w = reload_writer_of(bytes, sizeof bytes);
    struct reload_ice_turn_grant grant = { "1795262651:01", "OMiX/+=", 3600 }, read;
    assert_int_equal(reload_ice_turn_grant_encode(&w, &grant), 0);
    static const uint8_t wire[] = { 1,   13,  '1', '7', '9', '5', '2', '6', '2',
                                    '6', '5', '1', ':', '0', '1', 7,   'O', 'M',
                                    'i', 'X', '/', '+', '=', 0,   0,   14,  16 };
    assert_int_equal(w.len, sizeof wire);
    assert_memory_equal(bytes, wire, sizeof wire);
    assert_int_equal(reload_ice_turn_grant_decode(reload_writer_slice(&w), &read), 0);
    assert_string_equal(read.user_name, grant.user_name);
    assert_string_equal(read.password, grant.password);
    assert_int_equal(read.lifetime_s, 3600);
    for (size_t cut = 0; cut < w.len; cut++)
        assert_int_equal(reload_ice_turn_grant_decode(reload_slice_of(bytes, cut), &read),
                         RELOAD_E_DECODE);
    assert_int_equal(reload_ice_turn_grant_decode(reload_slice_of(bytes, w.len + 1), &read),
                     RELOAD_E_DECODE);
}

static void a_grant_of_another_version_or_with_bytes_that_are_no_text_is_refused(void **state)
{
    (void)state;
    static const uint8_t good[] = { 1, 1, 'a', 1, 'b', 0, 0, 0, 9 };
    struct reload_ice_turn_grant read;
    uint8_t bytes[sizeof good];
    assert_int_equal(reload_ice_turn_grant_decode(reload_slice_of(good, sizeof good), &read), 0);
    static const struct {
        size_t at;
        uint8_t value;
    } bad[] = { { 0, 0 }, { 0, 2 }, { 2, 0 }, { 2, '\n' }, { 4, 0x7f }, { 4, 0xc3 }, { 8, 0 } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        memcpy(bytes, good, sizeof good);
        bytes[bad[i].at] = bad[i].value;
        assert_int_equal(reload_ice_turn_grant_decode(reload_slice_of(bytes, sizeof bytes), &read),
                         RELOAD_E_DECODE);
    }
    static const uint8_t nameless[] = { 1, 0, 1, 'b', 0, 0, 0, 9 };
    assert_int_equal(
        reload_ice_turn_grant_decode(reload_slice_of(nameless, sizeof nameless), &read),
        RELOAD_E_DECODE);
}

/* --- the search --- */

static void count_up(void *context, uint8_t *out, size_t len)
{
    uint8_t *next = context;
    for (size_t i = 0; i < len; i++)
        out[i] = (*next)++;
}

/* R6940-9-9 */
static void a_search_asks_anew_at_another_random_id_until_it_finds(void **state)
{
    (void)state;
    struct reload_ice_turn_search search;
    uint8_t seed = 1, first[16], closest[16] = { 0xab };
    const struct reload_random random = { count_up, &seed };
    reload_ice_turn_search_start(&search, &random, 16, 1);
    assert_int_equal(search.state, RELOAD_ICE_TURN_FIND);
    assert_int_equal(search.resource_len, 16);
    memcpy(first, search.resource, 16);
    reload_ice_turn_search_found(&search, reload_slice_of((uint8_t[16]){ 0 }, 16)); /* none */
    assert_int_equal(search.state, RELOAD_ICE_TURN_FIND);
    assert_memory_not_equal(first, search.resource, 16);
    reload_ice_turn_search_found(&search, reload_slice_of(closest, 16));
    assert_int_equal(search.state, RELOAD_ICE_TURN_FETCH);
    assert_memory_equal(search.resource, closest, 16);
    reload_ice_turn_search_fetched(&search, NULL, 0); /* forged or gone */
    assert_int_equal(search.state, RELOAD_ICE_TURN_FIND);
    reload_ice_turn_search_found(&search, reload_slice_of(closest, 16));
    reload_ice_turn_search_fetched(&search, &offer, 1);
    assert_int_equal(search.state, RELOAD_ICE_TURN_DONE);
    assert_int_equal(search.found_count, 1);
}

static void a_search_ends(void **state)
{
    (void)state;
    struct reload_ice_turn_search search;
    uint8_t seed = 1;
    const struct reload_random random = { count_up, &seed };
    reload_ice_turn_search_start(&search, &random, 16, 0); /* turn-density 0 */
    assert_int_equal(search.state, RELOAD_ICE_TURN_GIVEN_UP);
    reload_ice_turn_search_start(&search, &random, 16, 1);
    for (int i = 1; i < RELOAD_ICE_TURN_ATTEMPTS_MAX; i++) {
        reload_ice_turn_search_failed(&search);
        assert_int_equal(search.state, RELOAD_ICE_TURN_FIND);
    }
    reload_ice_turn_search_failed(&search);
    assert_int_equal(search.state, RELOAD_ICE_TURN_GIVEN_UP);
    reload_ice_turn_search_failed(&search); /* late events change nothing */
    reload_ice_turn_search_found(&search, reload_slice_of("x", 1));
    reload_ice_turn_search_fetched(&search, &offer, 1);
    assert_int_equal(search.state, RELOAD_ICE_TURN_GIVEN_UP);
}

static void more_servers_than_wanted_are_left(void **state)
{
    (void)state;
    struct reload_ice_turn_search search;
    struct reload_ice_turn_offer many[RELOAD_ICE_TURN_FOUND_MAX + 3];
    uint8_t seed = 1;
    for (size_t i = 0; i < RELOAD_ICE_TURN_FOUND_MAX + 3; i++)
        many[i] = offer;
    reload_ice_turn_search_start(&search, &(struct reload_random){ count_up, &seed }, 16, 1);
    reload_ice_turn_search_found(&search, reload_slice_of("x", 1));
    reload_ice_turn_search_fetched(&search, many, RELOAD_ICE_TURN_FOUND_MAX + 3);
    assert_int_equal(search.found_count, RELOAD_ICE_TURN_FOUND_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_behind_a_nat_or_private_does_not_offer_turn),
        cmocka_unit_test(records_are_named_by_node_id_and_number),
        cmocka_unit_test(a_record_is_believed_only_where_its_signer_may_store_it),
        cmocka_unit_test(credentials_are_those_of_the_shared_secret_scheme),
        cmocka_unit_test(a_grant_is_read_as_it_was_written_and_only_whole),
        cmocka_unit_test(a_grant_of_another_version_or_with_bytes_that_are_no_text_is_refused),
        cmocka_unit_test(a_search_asks_anew_at_another_random_id_until_it_finds),
        cmocka_unit_test(a_search_ends),
        cmocka_unit_test(more_servers_than_wanted_are_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
