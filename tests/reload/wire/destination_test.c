#include "check.h"

#include "reload/wire/destination.h"

static struct reload_destination decode(struct reload_slice wire)
{
    struct reload_reader r = reload_reader_over(wire);
    struct reload_destination d;
    assert_int_equal(reload_destination_decode(&r, 16, &d), 0);
    assert_int_equal(reload_reader_finish(&r), 0);
    return d;
}

static int encode(const struct reload_destination *d)
{
    uint8_t buf[300];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    return reload_destination_encode(&w, d);
}

/* R6940-6.3.2.2-1 R6940-6.3.2.2-2 R6940-6.3.2.2-3 R6940-6.3.2.2-4 */
static void every_form_of_entry_gives_its_type_and_id(void **state)
{
    (void)state;
    static const uint8_t node[18] = { 1, 16, 0xa0, [17] = 0x0f };
    static const uint8_t foo[] = { 2, 4, 3, 'F', 'O', 'O' };
    static const uint8_t opaque[] = { 3, 4, 3, 0x80, 1, 2 };
    static const uint8_t compact[] = { 0x80, 0x2a };
    static const uint8_t unknown[] = { 9, 2, 0xde, 0xad };
    static const struct {
        const uint8_t *wire;
        size_t n;
        uint8_t type;
        bool compact;
        size_t id_at, id_n;
    } good[] = {
        { node, sizeof node, RELOAD_DEST_NODE, false, 2, 16 },
        { foo, sizeof foo, RELOAD_DEST_RESOURCE, false, 3, 3 }, /* the "FOO" of s6.3.1.1 */
        { opaque, sizeof opaque, RELOAD_DEST_OPAQUE, false, 3, 3 },
        { compact, sizeof compact, RELOAD_DEST_OPAQUE, true, 0, 2 },
        { unknown, sizeof unknown, 9, false, 2, 2 },
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        struct reload_slice wire = reload_slice_of(good[i].wire, good[i].n);
        struct reload_destination d = decode(wire);
        assert_int_equal(d.type, good[i].type);
        assert_int_equal(d.compact, good[i].compact);
        assert_ptr_equal(d.id.p, good[i].wire + good[i].id_at);
        assert_int_equal(d.id.n, good[i].id_n);
        check_good("Destination", wire);
    }
}

/* R6940-6.3.1.1-4 */
static void a_resource_id_may_be_empty_and_as_long_as_254_bytes(void **state)
{
    (void)state;
    check_good("Destination", BYTES(2, 1, 0));
    static uint8_t wire[3 + 254] = { 2, 255, 254 };
    check_good("Destination", reload_slice_of(wire, sizeof wire));
    static const uint8_t id[255];
    struct reload_destination d = reload_destination_resource(reload_slice_of(id, 255));
    assert_int_equal(encode(&d), RELOAD_E_NOSPACE);
}

/* R6940-6.3.2.2-5 R6940-3-1 */
static void lengths_that_disagree_and_invalid_values_are_refused(void **state)
{
    (void)state;
    check_bad("Destination", BYTES(0, 0));
    check_bad("Destination", BYTES(1, 15, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    check_bad("Destination", BYTES(1, 17, SIXTEEN(1), 1));
    check_bad("Destination", BYTES(1, 0));
    check_bad("Destination", BYTES(1, 16, SIXTEEN(0)));
    check_bad("Destination", BYTES(2, 0));
    check_bad("Destination", BYTES(2, 4, 2, 'F', 'O', 'O'));
    check_bad("Destination", BYTES(2, 4, 4, 'F', 'O', 'O'));
    check_bad("Destination", BYTES(2, 4, 255, 'F', 'O', 'O'));
    check_length("Destination", BYTES(1, 16, SIXTEEN(1)), 1, 1);
    check_length("Destination", BYTES(2, 4, 3, 'F', 'O', 'O'), 1, 1);
    check_length("Destination", BYTES(2, 4, 3, 'F', 'O', 'O'), 2, 1);
    check_length("Destination", BYTES(9, 2, 1, 1), 1, 1);
}

/* R6940-6.3.2.2-6 */
static void an_unknown_type_is_stepped_over(void **state)
{
    (void)state;
    struct reload_reader r = reload_reader_over(BYTES(0x7f, 3, 1, 2, 3, 9, 0, 0xff, 0xff));
    struct reload_destination d;
    assert_true(reload_destination_next(&r, 16, &d));
    assert_int_equal(d.type, 0x7f);
    assert_true(reload_destination_next(&r, 16, &d));
    assert_int_equal(d.id.n, 0);
    assert_true(reload_destination_next(&r, 16, &d));
    assert_int_equal(d.type, RELOAD_DEST_OPAQUE);
    assert_false(reload_destination_next(&r, 16, &d));
    assert_int_equal(reload_reader_finish(&r), 0);
    check_good("Destination", BYTES(0x7f, 3, 1, 2, 3));
}

static void node_ids_of_20_bytes_are_read_as_such(void **state)
{
    (void)state;
    struct reload_slice wire = BYTES(1, 20, SIXTEEN(5), 1, 2, 3, 4);
    struct reload_reader r = reload_reader_over(wire);
    struct reload_destination d;
    assert_int_equal(reload_destination_decode(&r, 20, &d), 0);
    assert_int_equal(d.id.n, 20);
    r = reload_reader_over(wire);
    assert_int_equal(reload_destination_decode(&r, 16, &d), RELOAD_E_DECODE);
}

static void what_the_wire_cannot_carry_is_not_encoded(void **state)
{
    (void)state;
    struct reload_slice low = BYTES(0x7f, 0xff), three = BYTES(0x80, 1, 2);
    const struct reload_destination bad[] = {
        { RELOAD_DEST_INVALID, false, low },
        { 0x80, false, low },
        { RELOAD_DEST_NODE, false, low },
        { RELOAD_DEST_NODE, false, BYTES(SIXTEEN(0)) },
        { RELOAD_DEST_OPAQUE, true, low },
        { RELOAD_DEST_OPAQUE, true, three },
        { RELOAD_DEST_RESOURCE, true, BYTES(0x80, 1) },
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(encode(&bad[i]), RELOAD_E_NOSPACE);
}

static void makers_choose_the_form(void **state)
{
    (void)state;
    struct reload_node_id id = reload_node_id_from(BYTES(SIXTEEN(3)));
    struct reload_destination d = reload_destination_node(&id);
    assert_true(reload_destination_is_node(&d, &id));
    assert_ptr_equal(d.id.p, id.bytes);
    struct reload_node_id other = reload_node_id_wildcard(16);
    assert_false(reload_destination_is_node(&d, &other));
    d = reload_destination_resource(BYTES(SIXTEEN(3)));
    assert_false(reload_destination_is_node(&d, &id));
    assert_true(reload_destination_opaque(BYTES(0x80, 0)).compact);
    assert_false(reload_destination_opaque(BYTES(0x7f, 0)).compact);
    assert_false(reload_destination_opaque(BYTES(0x80, 0, 0)).compact);
}

/* R6940-6.3.2.2-2 */
static void both_forms_of_an_opaque_id_are_equal(void **state)
{
    (void)state;
    struct reload_destination a = decode(BYTES(0x81, 2));
    struct reload_destination b = decode(BYTES(3, 3, 2, 0x81, 2));
    assert_true(reload_destination_equal(&a, &b));
    b = decode(BYTES(2, 3, 2, 0x81, 2));
    assert_false(reload_destination_equal(&a, &b));
    check_good("Destination", BYTES(3, 3, 2, 0x81, 2)); /* the long form stays long */
}

/* R6940-6.3.2.2-8 */
static void a_via_list_holds_no_resource(void **state)
{
    (void)state;
    assert_int_equal(reload_via_list_validate(BYTES(0x81, 2, 9, 0), 16), 0);
    assert_int_equal(reload_via_list_validate(reload_slice_of(NULL, 0), 16), 0);
    assert_int_equal(reload_via_list_validate(BYTES(2, 1, 0), 16), RELOAD_E_INVALID);
    assert_int_equal(reload_via_list_validate(BYTES(0x81, 2, 2, 1, 0, 0x81, 2), 16),
                     RELOAD_E_INVALID);
    assert_int_equal(reload_via_list_validate(BYTES(0x81), 16), RELOAD_E_DECODE);
}

/* R6940-6.3.2.2-7 R6940-13.6.5-2 */
static void a_destination_list_has_each_entry_once_and_a_resource_last(void **state)
{
    (void)state;
    static const struct {
        int result;
        size_t n;
        uint8_t list[8];
    } cases[] = {
        { 0, 2, { 0x81, 2 } },
        { 0, 5, { 0x81, 2, 2, 1, 0 } },
        { 0, 4, { 0x81, 2, 0x81, 3 } },
        { RELOAD_E_INVALID, 0, { 0 } },                         /* empty */
        { RELOAD_E_INVALID, 5, { 2, 1, 0, 0x81, 2 } },          /* resource not last */
        { RELOAD_E_INVALID, 4, { 0x81, 2, 0x81, 2 } },          /* twice */
        { RELOAD_E_INVALID, 7, { 0x81, 2, 3, 3, 2, 0x81, 2 } }, /* twice, in both forms */
        { RELOAD_E_DECODE, 3, { 0x81, 2, 1 } },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(
            reload_destination_list_validate(reload_slice_of(cases[i].list, cases[i].n), 16),
            cases[i].result);
}

static void a_destination_list_is_refused_above_its_cap(void **state)
{
    (void)state;
    uint8_t list[2 * (RELOAD_DESTINATION_LIST_MAX + 1)];
    for (size_t i = 0; i <= RELOAD_DESTINATION_LIST_MAX; i++) {
        list[2 * i] = 0x80;
        list[2 * i + 1] = (uint8_t)i;
    }
    assert_int_equal(reload_destination_list_validate(reload_slice_of(list, sizeof list - 2), 16),
                     0);
    assert_int_equal(reload_destination_list_validate(reload_slice_of(list, sizeof list), 16),
                     RELOAD_E_LIMIT);
}

/* R6940-6.2.2-1 */
static void a_via_list_is_written_in_reverse(void **state)
{
    (void)state;
    struct reload_slice via = BYTES(1, 16, SIXTEEN(1), 0x81, 2, 3, 2, 1, 7);
    uint8_t buf[32];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    reload_wr_u8(&w, 0xee);
    assert_int_equal(reload_via_list_reverse(&w, via, 16), 0);
    assert_slice_equal(reload_writer_slice(&w),
                       BYTES(0xee, 3, 2, 1, 7, 0x81, 2, 1, 16, SIXTEEN(1)));

    w = reload_writer_of(buf, via.n - 1);
    assert_int_equal(reload_via_list_reverse(&w, via, 16), RELOAD_E_NOSPACE);
    assert_int_equal(reload_writer_status(&w), RELOAD_E_NOSPACE);
    w = reload_writer_of(buf, sizeof buf);
    assert_int_equal(reload_via_list_reverse(&w, BYTES(0x81, 2, 0x81), 16), RELOAD_E_DECODE);
    w = reload_writer_of(buf, 0);
    assert_int_equal(reload_via_list_reverse(&w, reload_slice_of(NULL, 0), 16), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_entry_gives_its_type_and_id),
        cmocka_unit_test(a_resource_id_may_be_empty_and_as_long_as_254_bytes),
        cmocka_unit_test(lengths_that_disagree_and_invalid_values_are_refused),
        cmocka_unit_test(an_unknown_type_is_stepped_over),
        cmocka_unit_test(node_ids_of_20_bytes_are_read_as_such),
        cmocka_unit_test(what_the_wire_cannot_carry_is_not_encoded),
        cmocka_unit_test(makers_choose_the_form),
        cmocka_unit_test(both_forms_of_an_opaque_id_are_equal),
        cmocka_unit_test(a_via_list_holds_no_resource),
        cmocka_unit_test(a_destination_list_has_each_entry_once_and_a_resource_last),
        cmocka_unit_test(a_destination_list_is_refused_above_its_cap),
        cmocka_unit_test(a_via_list_is_written_in_reverse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
