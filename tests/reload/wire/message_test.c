#include "check.h"

#include "reload/wire/message.h"

#define HEADER(LENGTH)                                                                             \
    0xd2, 0x45, 0x4c, 0x4f, 0, 0, 0, 1, 0, 1, 0x0a, 100, 0xc0, 0, 0, 0, 0, 0, 0, LENGTH, 0, 0, 0,  \
        0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0x80, 5
#define CONTENTS 0, 0x17, 0, 0, 0, 3, 0, 1, 'p', 0, 0, 0, 9, 0x12, 0x34, 1, 0, 0, 0, 2, 'e', 'x'
#define SECURITY 0, 0, 4, 1, 3, 0, 0, 0, 1, 's'

static const uint8_t wire[] = { HEADER(72), CONTENTS, SECURITY };

/* R6940-6.3-1 R6940-6.3.3-1 R6940-6.3.3-2 */
static void a_message_is_header_contents_and_security_block(void **state)
{
    (void)state;
    struct reload_slice message = reload_slice_of(wire, sizeof wire);
    struct reload_message m;
    assert_int_equal(reload_message_decode(message, 16, &m), 0);
    assert_int_equal(m.header.transaction_id, 7);
    assert_int_equal(m.message_code, RELOAD_PING_REQ);
    assert_slice_equal(m.body, BYTES(0, 1, 'p'));
    assert_ptr_equal(m.contents.p, wire + 40);
    assert_slice_equal(m.contents, BYTES(CONTENTS));
    assert_slice_equal(m.security.signature.value, TEXT("s"));
    struct reload_reader r = reload_reader_over(m.extensions);
    struct reload_message_extension extension;
    assert_true(reload_message_extension_next(&r, &extension));
    assert_int_equal(extension.type, 0x1234);
    assert_true(extension.critical);
    assert_slice_equal(extension.contents, TEXT("ex"));
    assert_false(reload_message_extension_next(&r, &extension));
    check_good("Message", message);
}

/* R6940-6.3.3-1 R6940-6.3.2-21 */
static void lengths_that_are_wrong_are_refused(void **state)
{
    (void)state;
    struct reload_slice message = reload_slice_of(wire, sizeof wire);
    check_length("Message", message, RELOAD_HEADER_LENGTH_AT, 4);
    check_length("Message", message, 42, 4); /* body */
    check_length("Message", message, 49, 4); /* extensions */
    check_length("Message", message, 56, 4); /* extension_contents */
    check_length("Message", message, 62, 2); /* certificates */
    check_length("Message", message, 69, 2); /* signature_value */
}

static void a_fragment_is_not_a_message_but_its_reassembled_payload_is(void **state)
{
    (void)state;
    uint8_t copy[sizeof wire];
    memcpy(copy, wire, sizeof wire);
    copy[12] = 0x80; /* not the last */
    check_bad("Message", reload_slice_of(copy, sizeof copy));
    copy[12] = 0xc0;
    copy[15] = 1; /* at an offset */
    check_bad("Message", reload_slice_of(copy, sizeof copy));
    check_good("ForwardingHeader", reload_slice_of(copy, sizeof copy));
    struct reload_message m;
    assert_int_equal(reload_message_payload_decode(BYTES(CONTENTS, SECURITY), &m), 0);
    assert_int_equal(m.message_code, RELOAD_PING_REQ);
    assert_int_equal(reload_message_payload_decode(BYTES(CONTENTS, SECURITY, 0), &m),
                     RELOAD_E_DECODE);
    assert_int_equal(reload_message_payload_decode(BYTES(CONTENTS), &m), RELOAD_E_DECODE);
}

/* R6940-6.3.3-2 R6940-6.3.1.1-2 R6940-14.14-1 */
static void an_extension_has_a_type_and_a_boolean(void **state)
{
    (void)state;
    check_good("MessageExtension", BYTES(0x12, 0x34, 0, 0, 0, 0, 1, 9));
    check_good("MessageExtension", BYTES(0xff, 0xff, 1, 0, 0, 0, 0));
    check_bad("MessageExtension", BYTES(0, 0, 0, 0, 0, 0, 0));
    check_bad("MessageExtension", BYTES(0, 1, 2, 0, 0, 0, 0));
    check_length("MessageExtension", BYTES(0x12, 0x34, 0, 0, 0, 0, 1, 9), 3, 4);
    uint8_t buf[16];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    assert_int_equal(reload_message_extension_encode(&w, &(struct reload_message_extension){ 0 }),
                     RELOAD_E_NOSPACE);
}

static void contents_can_be_written_in_place(void **state)
{
    (void)state;
    uint8_t buf[64];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    size_t mark = reload_message_contents_begin(&w, RELOAD_PING_REQ);
    reload_wr_bytes(&w, BYTES(0, 1, 'p'));
    reload_message_contents_end(&w, mark, BYTES(0x12, 0x34, 1, 0, 0, 0, 2, 'e', 'x'));
    assert_slice_equal(reload_writer_slice(&w), BYTES(CONTENTS));
}

/* R6940-6.3.2-20 */
static void encoding_sets_the_length_of_the_message(void **state)
{
    (void)state;
    struct reload_message m;
    assert_int_equal(reload_message_decode(reload_slice_of(wire, sizeof wire), 16, &m), 0);
    m.header.length = 1;
    uint8_t buf[128];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    reload_wr_u8(&w, 0xee); /* a message need not start the buffer */
    assert_int_equal(reload_message_encode(&w, &m), 0);
    assert_slice_equal(reload_slice_of(buf + 1, w.len - 1), reload_slice_of(wire, sizeof wire));
}

/* R6940-14.8-1 R6940-14.8-2 R6940-14.8-3 R6940-14.8-4 */
static void the_registry_holds_exactly_the_assigned_codes(void **state)
{
    (void)state;
    static const uint16_t requests[] = { 0x1,  0x3,  0x7,  0x9,  0xd,  0xf,  0x11, 0x13,
                                         0x15, 0x17, 0x19, 0x1d, 0x21, 0x23, 0x25 };
    size_t assigned = 0;
    for (unsigned code = 0; code <= 0xffff; code++)
        assigned += reload_message_type_find((uint16_t)code) != NULL;
    assert_int_equal(assigned, 2 * COUNT(requests) + 1);
    assert_int_equal(reload_message_type_count, assigned);
    for (size_t i = 0; i < COUNT(requests); i++) {
        assert_non_null(reload_message_type_find(requests[i]));
        assert_non_null(reload_message_type_find(reload_message_answer(requests[i])));
    }
    for (size_t i = 1; i < reload_message_type_count; i++)
        assert_true(reload_message_types[i - 1].code < reload_message_types[i].code);
    assert_string_equal(reload_message_name(0x7), "store_req");
    assert_string_equal(reload_message_name(0x22), "config_update_ans");
    assert_string_equal(reload_message_name(0xffff), "error");
    assert_string_equal(reload_message_name(0x5), "unknown");
    assert_string_equal(reload_message_name(0), "unknown");
}

/* R6940-6.3.3-3 */
static void codes_are_paired_requests_being_odd(void **state)
{
    (void)state;
    for (unsigned v = 0; v <= 0xffff; v++) {
        uint16_t code = (uint16_t)v;
        bool paired = v >= 1 && v <= 0x7fff;
        assert_int_equal(reload_message_is_request(code), paired && v % 2 == 1);
        assert_int_equal(reload_message_is_response(code), (paired && v % 2 == 0) || v == 0xffff);
    }
}

/* R6940-6.4.2.2-1 R6940-6.4.2.3-3 R6940-6.5.4.2-1 */
static void empty_answers_have_no_bytes(void **state)
{
    (void)state;
    check_good("empty", reload_slice_of("", 0));
    check_bad("empty", BYTES(0));
}

static void every_mutation_is_refused_or_kept(void **state)
{
    (void)state;
    assert_true(check_mutations("Message", reload_slice_of(wire, sizeof wire)) > 900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_header_contents_and_security_block),
        cmocka_unit_test(lengths_that_are_wrong_are_refused),
        cmocka_unit_test(a_fragment_is_not_a_message_but_its_reassembled_payload_is),
        cmocka_unit_test(an_extension_has_a_type_and_a_boolean),
        cmocka_unit_test(contents_can_be_written_in_place),
        cmocka_unit_test(encoding_sets_the_length_of_the_message),
        cmocka_unit_test(the_registry_holds_exactly_the_assigned_codes),
        cmocka_unit_test(codes_are_paired_requests_being_odd),
        cmocka_unit_test(empty_answers_have_no_bytes),
        cmocka_unit_test(every_mutation_is_refused_or_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
