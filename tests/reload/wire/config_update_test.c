#include "check.h"

#include "reload/wire/config_update.h"

#define CONFIG 1, 0, 0, 0, 6, 0, 0, 3, 'd', 'o', 'c'
#define KINDS  2, 0, 0, 0, 10, 0, 0, 7, 0, 1, 'a', 0, 2, 'b', 'c'

/* R6940-6.5.4.1-1 */
static void a_configuration_is_one_document(void **state)
{
    (void)state;
    struct reload_config_update_req req;
    assert_int_equal(reload_config_update_req_decode(BYTES(CONFIG), &req), 0);
    assert_int_equal(req.type, RELOAD_CONFIG_UPDATE_CONFIG);
    assert_slice_equal(req.content, TEXT("doc"));
    check_good("ConfigUpdateReq", BYTES(CONFIG));
    check_length("ConfigUpdateReq", BYTES(CONFIG), 1, 4);
    check_length("ConfigUpdateReq", BYTES(CONFIG), 5, 3);
}

/* R6940-6.5.4.1-1 R6940-6.5.4.1-2 */
static void kinds_are_a_list_of_descriptions(void **state)
{
    (void)state;
    struct reload_config_update_req req;
    assert_int_equal(reload_config_update_req_decode(BYTES(KINDS), &req), 0);
    assert_int_equal(req.type, RELOAD_CONFIG_UPDATE_KIND);
    struct reload_reader r = reload_reader_over(req.content);
    struct reload_slice block;
    assert_true(reload_kind_description_next(&r, &block));
    assert_slice_equal(block, TEXT("a"));
    assert_true(reload_kind_description_next(&r, &block));
    assert_slice_equal(block, TEXT("bc"));
    assert_false(reload_kind_description_next(&r, &block));
    check_good("ConfigUpdateReq", BYTES(KINDS));
    check_good("ConfigUpdateReq", BYTES(2, 0, 0, 0, 3, 0, 0, 0));
    check_length("ConfigUpdateReq", BYTES(KINDS), 1, 4);
    check_length("ConfigUpdateReq", BYTES(KINDS), 5, 3);
    check_length("ConfigUpdateReq", BYTES(KINDS), 8, 2);
    check_length("ConfigUpdateReq", BYTES(KINDS), 11, 2);
}

/* R6940-6.5.4.1-2 */
static void an_unknown_type_is_kept_and_type_0_is_not(void **state)
{
    (void)state;
    struct reload_config_update_req req;
    assert_int_equal(reload_config_update_req_decode(BYTES(9, 0, 0, 0, 2, 7, 8), &req), 0);
    assert_slice_equal(req.content, BYTES(7, 8));
    check_good("ConfigUpdateReq", BYTES(9, 0, 0, 0, 2, 7, 8));
    check_bad("ConfigUpdateReq", BYTES(0, 0, 0, 0, 0));
    uint8_t buf[16];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    req.type = 0;
    assert_int_equal(reload_config_update_req_encode(&w, &req), RELOAD_E_NOSPACE);
}

static void every_mutation_is_refused_or_kept(void **state)
{
    (void)state;
    assert_true(check_mutations("ConfigUpdateReq", BYTES(KINDS)) > 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_configuration_is_one_document),
        cmocka_unit_test(kinds_are_a_list_of_descriptions),
        cmocka_unit_test(an_unknown_type_is_kept_and_type_0_is_not),
        cmocka_unit_test(every_mutation_is_refused_or_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
