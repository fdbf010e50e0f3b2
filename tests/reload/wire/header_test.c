#include "check.h"

#include "reload/wire/header.h"

#define FIXED_UNTIL_LENGTH                                                                         \
    0xd2, 0x45, 0x4c, 0x4f, 0x9a, 0xa3, 0x2b, 0x8d, 0x00, 0x11, 0x0a, 0x64, 0xc0, 0, 0, 0, 0, 0, 0
#define FIXED_UNTIL_LISTS 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0x56, 0x78

static const uint8_t wire[] = {
    FIXED_UNTIL_LENGTH,
    66,
    FIXED_UNTIL_LISTS,
    0,
    2,
    0,
    18,
    0,
    5, /* lengths of the lists */
    0x9a,
    0xbc, /* via_list */
    1,
    16,
    SIXTEEN(0x22), /* destination_list */
    200,
    4,
    0,
    1,
    9, /* options */
    'b',
    'o',
    'd', /* payload */
};

static struct reload_forwarding_header decode(struct reload_slice message)
{
    struct reload_forwarding_header h;
    assert_int_equal(reload_forwarding_header_decode(message, 16, &h), 0);
    return h;
}

/* R6940-6.3.2-1 R6940-6.3.2-6 R6940-6.3.2-7 R6940-6.3.2-20 R6940-6.3.2-26 R6940-6.3.2-28 */
static void each_field_is_at_its_place(void **state)
{
    (void)state;
    struct reload_slice message = reload_slice_of(wire, sizeof wire);
    struct reload_forwarding_header h = decode(message);
    assert_int_equal(h.overlay, 0x9aa32b8d);
    assert_int_equal(h.configuration_sequence, 17);
    assert_int_equal(h.version, RELOAD_VERSION);
    assert_int_equal(h.ttl, 100);
    assert_int_equal(wire[RELOAD_HEADER_TTL_AT], 100);
    assert_int_equal(h.fragment, RELOAD_FRAGMENT_WHOLE);
    assert_int_equal(h.length, sizeof wire);
    assert_int_equal(wire[RELOAD_HEADER_LENGTH_AT + 3], sizeof wire);
    assert_true(h.transaction_id == 0x0102030405060708u);
    assert_int_equal(h.max_response_length, 0x5678);
    assert_slice_equal(h.via_list, BYTES(0x9a, 0xbc));
    assert_slice_equal(h.destination_list, BYTES(1, 16, SIXTEEN(0x22)));
    assert_slice_equal(h.options, BYTES(200, 4, 0, 1, 9));
    assert_int_equal(reload_forwarding_header_len(&h), RELOAD_HEADER_FIXED + 2 + 18 + 5);
    assert_slice_equal(reload_payload(message, &h), TEXT("bod"));
    check_good("ForwardingHeader", message);
}

static void all_lists_may_be_empty(void **state)
{
    (void)state;
    check_good("ForwardingHeader",
               BYTES(FIXED_UNTIL_LENGTH, 38, FIXED_UNTIL_LISTS, 0, 0, 0, 0, 0, 0));
}

static void refuse_with(size_t at, uint8_t byte)
{
    uint8_t copy[sizeof wire];
    memcpy(copy, wire, sizeof wire);
    assert_int_not_equal(copy[at], byte);
    copy[at] = byte;
    check_bad("ForwardingHeader", reload_slice_of(copy, sizeof copy));
}

/* R6940-6.3.2-2 */
static void another_token_is_refused(void **state)
{
    (void)state;
    refuse_with(0, 0x52);
    refuse_with(1, 0);
    refuse_with(2, 0);
    refuse_with(3, 0x4e);
}

/* R6940-6.3.2-21 */
static void a_length_other_than_the_size_is_refused(void **state)
{
    (void)state;
    check_length("ForwardingHeader", reload_slice_of(wire, sizeof wire), RELOAD_HEADER_LENGTH_AT,
                 4);
}

/* R6940-6.3.2-21 R6940-6.3.2-28 */
static void a_list_that_overruns_or_ends_within_an_entry_is_refused(void **state)
{
    (void)state;
    check_length("ForwardingHeader", reload_slice_of(wire, sizeof wire - 3 - 5 - 18 - 2), 32, 2);
    refuse_with(33, 1);    /* via: half an entry */
    refuse_with(33, 3);    /* via: an entry and a byte of the next */
    refuse_with(35, 17);   /* destination: a cut node */
    refuse_with(35, 19);   /* destination: a node and a byte */
    refuse_with(37, 4);    /* option: a cut value */
    refuse_with(37, 9);    /* options beyond the end */
    refuse_with(32, 0xff); /* lists of more than 65280 bytes */
    refuse_with(34, 0xff);
    refuse_with(36, 0xff);
}

/* R6940-6.3.2-16 */
static void the_high_bit_of_the_fragment_word_must_be_set(void **state)
{
    (void)state;
    refuse_with(12, 0x40);
    struct reload_forwarding_header h = { .version = RELOAD_VERSION };
    uint8_t buf[RELOAD_HEADER_FIXED];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    assert_int_equal(reload_forwarding_header_encode(&w, &h), 0);
    assert_int_equal(buf[12], 0x80);
}

/* R6940-6.3.2-17 R6940-6.3.2-19 R6940-6.7-12 */
static void the_fragment_word_splits_into_last_and_offset(void **state)
{
    (void)state;
    struct reload_forwarding_header h = { .fragment = RELOAD_FRAGMENT_WHOLE };
    assert_int_equal(RELOAD_FRAGMENT_WHOLE, 0xc0000000u);
    assert_true(reload_fragment_is_whole(&h));
    h.fragment = RELOAD_FRAGMENT_ALWAYS;
    assert_false(reload_fragment_is_whole(&h));
    assert_false(reload_fragment_is_last(&h));
    h.fragment = RELOAD_FRAGMENT_WHOLE | 512;
    assert_true(reload_fragment_is_last(&h));
    assert_false(reload_fragment_is_whole(&h));
    assert_int_equal(reload_fragment_offset(&h), 512);
    h.fragment = 0xffffffff; /* reserved bits are ignored */
    assert_int_equal(reload_fragment_offset(&h), 0xffffff);
}

static void every_version_and_ttl_is_for_the_node_to_judge(void **state)
{
    (void)state;
    uint8_t copy[sizeof wire];
    memcpy(copy, wire, sizeof wire);
    for (unsigned v = 0; v < 256; v++) {
        copy[10] = copy[11] = (uint8_t)v;
        struct reload_forwarding_header h = decode(reload_slice_of(copy, sizeof copy));
        assert_int_equal(h.version, v);
        assert_int_equal(h.ttl, v);
    }
}

/* R6940-6.3.2-20 */
static void closing_sets_the_length_from_where_the_message_starts(void **state)
{
    (void)state;
    struct reload_forwarding_header h = { .length = 0xffffffff };
    uint8_t buf[80];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    reload_wr_bytes(&w, TEXT("before"));
    size_t start = w.len;
    assert_int_equal(reload_forwarding_header_encode(&w, &h), 0);
    reload_forwarding_header_close(&w, start);
    assert_int_equal(buf[start + RELOAD_HEADER_LENGTH_AT + 3], RELOAD_HEADER_FIXED);
    reload_wr_bytes(&w, TEXT("payload"));
    reload_forwarding_header_close(&w, start);
    assert_int_equal(reload_writer_status(&w), 0);
    h = decode(reload_slice_of(buf + start, w.len - start));
    assert_int_equal(h.length, RELOAD_HEADER_FIXED + 7);
}

static void a_list_above_65535_bytes_is_not_written(void **state)
{
    (void)state;
    static uint8_t list[RELOAD_LIST_MAX + 1], buf[RELOAD_LIST_MAX + 100];
    struct reload_forwarding_header h = { .options = reload_slice_of(list, RELOAD_LIST_MAX) };
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    assert_int_equal(reload_forwarding_header_encode(&w, &h), 0);
    h.options.n++;
    w = reload_writer_of(buf, sizeof buf);
    assert_int_equal(reload_forwarding_header_encode(&w, &h), RELOAD_E_NOSPACE);
}

static void every_mutation_is_refused_or_kept(void **state)
{
    (void)state;
    assert_true(check_mutations("ForwardingHeader", reload_slice_of(wire, sizeof wire)) > 800);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_is_at_its_place),
        cmocka_unit_test(all_lists_may_be_empty),
        cmocka_unit_test(another_token_is_refused),
        cmocka_unit_test(a_length_other_than_the_size_is_refused),
        cmocka_unit_test(a_list_that_overruns_or_ends_within_an_entry_is_refused),
        cmocka_unit_test(the_high_bit_of_the_fragment_word_must_be_set),
        cmocka_unit_test(the_fragment_word_splits_into_last_and_offset),
        cmocka_unit_test(every_version_and_ttl_is_for_the_node_to_judge),
        cmocka_unit_test(closing_sets_the_length_from_where_the_message_starts),
        cmocka_unit_test(a_list_above_65535_bytes_is_not_written),
        cmocka_unit_test(every_mutation_is_refused_or_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
