#include "check.h"

#include "reload/wire/attach.h"

#define HOST       1, 6, 192, 0, 2, 1, 0x17, 0xc4, 4, 1, '1', 0x7e, 0xff, 0xff, 0xff, 1, 0, 0
#define ATTACH     2, 'u', 'f', 1, 'p', 6, 'a', 'c', 't', 'i', 'v', 'e', 0, 36, HOST, HOST, 1
#define APP_ATTACH 1, 'u', 1, 'p', 0x13, 0xc4, 1, 'r', 0, 18, HOST

/* R6940-6.5.1.1-1 */
static void an_attach_has_ice_parameters_and_send_update(void **state)
{
    (void)state;
    struct reload_attach attach;
    assert_int_equal(reload_attach_decode(BYTES(ATTACH), &attach), 0);
    assert_slice_equal(attach.ufrag, TEXT("uf"));
    assert_slice_equal(attach.password, TEXT("p"));
    assert_slice_equal(attach.role, TEXT("active"));
    assert_true(attach.send_update);
    struct reload_reader r = reload_reader_over(attach.candidates);
    struct reload_ice_candidate candidate;
    size_t count = 0;
    while (reload_ice_candidate_next(&r, &candidate))
        count++;
    assert_int_equal(count, 2);
    assert_int_equal(reload_reader_finish(&r), 0);
    check_good("AttachReqAns", BYTES(ATTACH));
    check_good("AttachReqAns", BYTES(0, 0, 0, 0, 0, 0));
    check_bad("AttachReqAns", BYTES(0, 0, 0, 0, 0, 2)); /* send_update is 0 or 1 */
    check_length("AttachReqAns", BYTES(ATTACH), 12, 2);
}

/* R6940-6.5.2.1-1 R6940-6.5.2.2-1 */
static void an_app_attach_names_its_application(void **state)
{
    (void)state;
    struct reload_app_attach attach;
    assert_int_equal(reload_app_attach_decode(BYTES(APP_ATTACH), &attach), 0);
    assert_slice_equal(attach.ufrag, TEXT("u"));
    assert_slice_equal(attach.password, TEXT("p"));
    assert_int_equal(attach.application, 5060);
    assert_slice_equal(attach.role, TEXT("r"));
    assert_int_equal(attach.candidates.n, 18);
    check_good("AppAttachReq", BYTES(APP_ATTACH));
    check_good("AppAttachReq", BYTES(0, 0, 0, 0, 0, 0, 0));
    check_length("AppAttachReq", BYTES(APP_ATTACH), 8, 2);
}

static void a_bad_candidate_fails_the_body(void **state)
{
    (void)state;
    check_bad("AttachReqAns", BYTES(0, 0, 0, 0, 1, 1, 0));
    check_bad("AppAttachReq", BYTES(0, 0, 0, 0, 0, 0, 1, 1));
}

static void every_mutation_is_refused_or_kept(void **state)
{
    (void)state;
    assert_true(check_mutations("AttachReqAns", BYTES(ATTACH)) > 600);
    assert_true(check_mutations("AppAttachReq", BYTES(APP_ATTACH)) > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_attach_has_ice_parameters_and_send_update),
        cmocka_unit_test(an_app_attach_names_its_application),
        cmocka_unit_test(a_bad_candidate_fails_the_body),
        cmocka_unit_test(every_mutation_is_refused_or_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
