#include "check.h"

#include "reload/wire/candidate.h"

#define V4        1, 6, 192, 0, 2, 1, 0x17, 0xc4
#define HOST      V4, 4, 1, '1', 0x7e, 0xff, 0xff, 0xff, 1, 0, 0
#define EXTENSION 0, 1, 'n', 0, 2, 'v', 'w'
#define SRFLX     V4, 1, 0, 0, 0, 0, 9, 2, 2, 18, SIXTEEN(7), 0, 1, 0, 14, EXTENSION, EXTENSION

static struct reload_ice_candidate decode(struct reload_slice wire)
{
    struct reload_reader r = reload_reader_over(wire);
    struct reload_ice_candidate candidate;
    assert_int_equal(reload_ice_candidate_decode(&r, &candidate), 0);
    assert_int_equal(reload_reader_finish(&r), 0);
    return candidate;
}

/* R6940-6.5.1.1-2 R6940-6.5.1.1-4 R6940-6.5.1.1-5 R6940-6.5.1.1-8: nothing but these fields. */
static void a_host_candidate_has_no_related_address(void **state)
{
    (void)state;
    struct reload_ice_candidate candidate = decode(BYTES(HOST));
    assert_int_equal(candidate.addr_port.port, 6084);
    assert_int_equal(candidate.overlay_link, RELOAD_OVERLAY_LINK_TLS_TCP_FH_NO_ICE);
    assert_slice_equal(candidate.foundation, TEXT("1"));
    assert_int_equal(candidate.priority, 0x7effffff);
    assert_int_equal(candidate.type, RELOAD_CANDIDATE_HOST);
    assert_int_equal(candidate.rel_addr_port.type, RELOAD_ADDRESS_INVALID);
    assert_int_equal(candidate.extensions.n, 0);
    check_good("IceCandidate", BYTES(HOST));
    check_length("IceCandidate", BYTES(HOST), 1, 1);
    check_length("IceCandidate", BYTES(HOST), 16, 2);
}

/* R6940-6.5.1.1-2 R6940-6.5.1.1-3 R6940-6.5.1.1-4 */
static void srflx_and_relay_candidates_have_one(void **state)
{
    (void)state;
    struct reload_ice_candidate candidate = decode(BYTES(SRFLX));
    assert_int_equal(candidate.type, RELOAD_CANDIDATE_SRFLX);
    assert_slice_equal(candidate.rel_addr_port.address, BYTES(SIXTEEN(7)));
    assert_int_equal(candidate.rel_addr_port.port, 1);
    struct reload_reader r = reload_reader_over(candidate.extensions);
    struct reload_ice_extension extension;
    for (int i = 0; i < 2; i++) {
        assert_true(reload_ice_extension_next(&r, &extension));
        assert_slice_equal(extension.name, TEXT("n"));
        assert_slice_equal(extension.value, TEXT("vw"));
    }
    assert_false(reload_ice_extension_next(&r, &extension));
    check_good("IceCandidate", BYTES(SRFLX));
    check_good("IceCandidate", BYTES(V4, 1, 0, 0, 0, 0, 9, 4, V4, 0, 0));
    check_bad("IceCandidate", BYTES(V4, 1, 0, 0, 0, 0, 9, 4, 0, 0));
    check_bad("IceCandidate", BYTES(V4, 1, 0, 0, 0, 0, 9, 1, V4, 0, 0));
    check_length("IceCandidate", BYTES(SRFLX), 35, 2); /* extensions */
    check_good("IceExtension", BYTES(EXTENSION));
    check_length("IceExtension", BYTES(EXTENSION), 0, 2);
    check_length("IceExtension", BYTES(EXTENSION), 3, 2);
}

/* R6940-6.3.1.1-8 R6940-6.5.1.1-4 */
static void an_unknown_candidate_type_cannot_be_skipped_and_is_refused(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        struct reload_slice wire = BYTES(V4, 1, 0, 0, 0, 0, 9, (uint8_t)type, 0, 0);
        if (type == RELOAD_CANDIDATE_HOST)
            check_good("IceCandidate", wire);
        else
            check_bad("IceCandidate", wire);
    }
}

/* R6940-6.5.1.1-5 R6940-14.10-1 */
static void an_unknown_link_type_is_kept_and_type_0_is_not(void **state)
{
    (void)state;
    assert_int_equal(decode(BYTES(V4, 200, 0, 0, 0, 0, 9, 1, 0, 0)).overlay_link, 200);
    check_bad("IceCandidate", BYTES(V4, 0, 0, 0, 0, 0, 9, 1, 0, 0));
}

/* R6940-6.3.1.1-7 */
static void an_unknown_address_type_does_not_fail_the_candidate(void **state)
{
    (void)state;
    assert_int_equal(decode(BYTES(77, 1, 5, 1, 0, 0, 0, 0, 9, 1, 0, 0)).addr_port.type, 77);
}

static void what_decode_refuses_is_not_written(void **state)
{
    (void)state;
    struct reload_ice_candidate candidate = decode(BYTES(HOST));
    uint8_t buf[64];
    candidate.type = 3;
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    assert_int_equal(reload_ice_candidate_encode(&w, &candidate), RELOAD_E_NOSPACE);
    candidate.type = RELOAD_CANDIDATE_HOST;
    candidate.overlay_link = 0;
    w = reload_writer_of(buf, sizeof buf);
    assert_int_equal(reload_ice_candidate_encode(&w, &candidate), RELOAD_E_NOSPACE);
}

#define LINK(TYPE) V4, TYPE, 0, 0, 0, 0, 9, 1, 0, 0

/* R6940-6.5.1.1-7 */
static void candidates_with_and_without_ice_do_not_mix(void **state)
{
    (void)state;
    assert_int_equal(reload_ice_candidates_validate(BYTES(LINK(1), LINK(1), LINK(200))), 0);
    assert_int_equal(reload_ice_candidates_validate(BYTES(LINK(3), LINK(4), LINK(200))), 0);
    assert_int_equal(reload_ice_candidates_validate(BYTES(LINK(1), LINK(4))), RELOAD_E_INVALID);
    assert_int_equal(reload_ice_candidates_validate(BYTES(LINK(3), LINK(1))), RELOAD_E_INVALID);
    assert_int_equal(reload_ice_candidates_validate(BYTES(LINK(3), 1)), RELOAD_E_DECODE);
    assert_int_equal(reload_ice_candidates_validate(reload_slice_of(NULL, 0)), 0);
}

static void every_mutation_is_refused_or_kept(void **state)
{
    (void)state;
    assert_true(check_mutations("IceCandidate", BYTES(SRFLX)) > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_candidate_has_no_related_address),
        cmocka_unit_test(srflx_and_relay_candidates_have_one),
        cmocka_unit_test(an_unknown_candidate_type_cannot_be_skipped_and_is_refused),
        cmocka_unit_test(an_unknown_link_type_is_kept_and_type_0_is_not),
        cmocka_unit_test(an_unknown_address_type_does_not_fail_the_candidate),
        cmocka_unit_test(what_decode_refuses_is_not_written),
        cmocka_unit_test(candidates_with_and_without_ice_do_not_mix),
        cmocka_unit_test(every_mutation_is_refused_or_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
