#include "usage-sip/record.h"

#include "check.h"

#define NODE                                                                                       \
    "\x01\x10"                                                                                     \
    "0123456789abcdef"

static const char vector[] = "\x02\x00\x16\x00\x00\x00\x12\x01\x10\x01\x23\x45\x67\x89\xab\xcd\xef"
                             "\x01\x23\x45\x67\x89\xab\xcd\xef";

static int decode(struct reload_slice wire, struct reload_sip_registration *out)
{
    return reload_sip_registration_decode(wire, 16, out);
}

static void encodes_to(const struct reload_sip_registration *r, struct reload_slice wire)
{
    uint8_t buffer[128];
    struct reload_writer w = reload_writer_of(buffer, wire.n);
    assert_int_equal(reload_sip_registration_encode(&w, r), 0);
    assert_slice_equal(reload_writer_slice(&w), wire);
    for (size_t cap = 0; cap < wire.n; cap++) {
        w = reload_writer_of(buffer, cap);
        assert_int_equal(reload_sip_registration_encode(&w, r), RELOAD_E_NOSPACE);
    }
}

/* R7904-3.2-1 R7904-3.2-2 R7904-3.2-4 R7904-3.2-6 R7904-3.1-4 */
static void a_route_to_one_node_has_the_bytes_of_the_vector(void **state)
{
    (void)state;
    struct reload_sip_registration r;
    struct reload_slice wire = reload_slice_of(vector, 25);
    assert_int_equal(decode(wire, &r), 0);
    assert_int_equal(r.type, RELOAD_SIP_REGISTRATION_ROUTE);
    assert_int_equal(r.type, 2);
    assert_int_equal(r.contact_prefs.n, 0);
    assert_slice_equal(r.destination_list, reload_slice_of(vector + 7, 18));
    encodes_to(&r, wire);
}

/* R7904-3.2-3 R7904-3.1-2: nothing of an expiry is in a record */
static void a_uri_record_is_one_vector(void **state)
{
    (void)state;
    struct reload_sip_registration r;
    struct reload_slice wire = reload_slice_of("\x01\x00\x09\x00\x07"
                                               "bob@a.b",
                                               12);
    assert_int_equal(decode(wire, &r), 0);
    assert_int_equal(r.type, RELOAD_SIP_REGISTRATION_URI);
    assert_slice_equal(r.uri, text("bob@a.b"));
    encodes_to(&r, wire);
}

/* R7904-3.2-8 */
static void an_unknown_type_is_kept_as_it_is(void **state)
{
    (void)state;
    struct reload_sip_registration r;
    struct reload_slice wire = BYTES(9, 0, 3, 7, 8, 9);
    assert_int_equal(decode(wire, &r), 0);
    assert_int_equal(r.type, 9);
    assert_slice_equal(r.data, BYTES(7, 8, 9));
    encodes_to(&r, wire);
}

/* R7904-3.2-5 R7904-3.2-7 */
static void lengths_that_disagree_and_short_lists_are_refused(void **state)
{
    (void)state;
    struct reload_sip_registration r;
    const struct reload_slice bad[] = {
        BYTES(2, 0, 4, 0, 0, 0, 0),          /* an empty list */
        BYTES(2, 0, 6, 0, 0, 0, 2, 0x80, 1), /* one compact opaque id: 2 bytes */
        BYTES(2, 0, 7, 0, 0, 0, 3, 1, 1, 1), /* a Node-ID of 1 byte */
        BYTES(2, 0, 7, 0, 0, 0, 3, 0, 1, 1), /* a destination of type 0 */
        BYTES(1, 0, 3, 0, 2, 'a'),           /* the inner length is too long */
        BYTES(1, 0, 4, 0, 1, 'a', 'b'),      /* and too short */
        BYTES(1, 0, 3, 0, 1, 'a', 0),        /* bytes behind the record */
        BYTES(1, 0, 4, 0, 1, 'a'),           /* the outer length is too long */
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(decode(bad[i], &r), RELOAD_E_DECODE);
    /* two compact ids are 4 bytes */
    assert_int_equal(decode(BYTES(2, 0, 8, 0, 0, 0, 4, 0x80, 1, 0x80, 2), &r), 0);

    uint8_t buffer[32];
    struct reload_writer w = reload_writer_of(buffer, sizeof buffer);
    r = (struct reload_sip_registration){ .type = RELOAD_SIP_REGISTRATION_ROUTE,
                                          .destination_list = BYTES(0x80, 1) };
    assert_int_equal(reload_sip_registration_encode(&w, &r), RELOAD_E_INVALID);
}

static void decodes_or_not_but_never_to_other_bytes(struct reload_slice damaged)
{
    uint8_t out[128];
    struct reload_sip_registration r;
    struct reload_writer w = reload_writer_of(out, sizeof out);
    int error = decode(damaged, &r);
    if (error) {
        assert_int_equal(error, RELOAD_E_DECODE);
        return;
    }
    assert_int_equal(reload_sip_registration_encode(&w, &r), 0);
    assert_slice_equal(reload_writer_slice(&w), damaged);
}

/* R7904-3.2-7 */
static void damaged_records_are_refused_or_come_back_the_same(void **state)
{
    (void)state;
    static const char prefs[] = "\x02\x00\x28\x00\x12(sip.schemes=SIPS)\x00\x12" NODE;
    assert_true(
        check_damaged(reload_slice_of(vector, 25), decodes_or_not_but_never_to_other_bytes) > 300);
    check_damaged(reload_slice_of(prefs, sizeof prefs - 1),
                  decodes_or_not_but_never_to_other_bytes);
    check_damaged(reload_slice_of("\x01\x00\x09\x00\x07"
                                  "bob@a.b",
                                  12),
                  decodes_or_not_but_never_to_other_bytes);
}

/* 65535 bytes are the most that its length can say. */
static void the_largest_record_passes_and_a_byte_more_does_not(void **state)
{
    (void)state;
    static uint8_t uri[65536], wire[65600];
    struct reload_sip_registration r = { .type = RELOAD_SIP_REGISTRATION_URI }, back;
    struct reload_writer w = reload_writer_of(wire, sizeof wire);
    r.uri = reload_slice_of(uri, 65533);
    assert_int_equal(reload_sip_registration_encode(&w, &r), 0);
    assert_int_equal(decode(reload_writer_slice(&w), &back), 0);
    assert_int_equal(back.uri.n, 65533);
    w = reload_writer_of(wire, sizeof wire);
    r.uri.n = 65534;
    assert_int_equal(reload_sip_registration_encode(&w, &r), RELOAD_E_NOSPACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_route_to_one_node_has_the_bytes_of_the_vector),
        cmocka_unit_test(a_uri_record_is_one_vector),
        cmocka_unit_test(an_unknown_type_is_kept_as_it_is),
        cmocka_unit_test(lengths_that_disagree_and_short_lists_are_refused),
        cmocka_unit_test(damaged_records_are_refused_or_come_back_the_same),
        cmocka_unit_test(the_largest_record_passes_and_a_byte_more_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
