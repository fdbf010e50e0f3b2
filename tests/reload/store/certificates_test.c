#include "reload/store/certificates.h"

#include "reload/wire/security_block.h"
#include "tests/reload/store/fixture.h"

#define TEXT(s) reload_slice_of(s, sizeof(s) - 1)
#define MIDDLE  "\0\0\6middle"
#define UPPER   "\0\0\5upper"

/* R6940-6.3.4-6 R6940-6.3.4-8 R6940-6.3.4-9: what others need to check a stored value stays with it
 * and goes out with it, each certificate once. */
static void issuers_go_where_a_certificate_goes(void **state)
{
    (void)state;
    struct reload_certificates all = { 0 };
    uint8_t bytes[100];
    struct reload_writer bucket = reload_writer_of(bytes, sizeof bytes);
    reload_wr_bytes(&bucket, TEXT("before"));
    size_t start = bucket.len;
    struct reload_held_certificate *one =
        reload_certificates_hold(&all, TEXT("one"), TEXT(MIDDLE UPPER));
    struct reload_held_certificate *two = reload_certificates_hold(&all, TEXT("two"), TEXT(UPPER));
    struct reload_held_certificate *lone =
        reload_certificates_hold(&all, TEXT("lone"), (struct reload_slice){ 0 });
    assert_ptr_equal(reload_certificates_hold(&all, TEXT("one"), TEXT(MIDDLE UPPER)), one);
    assert_int_equal(all.bytes,
                     3 * sizeof *one + strlen("onetwolone") + sizeof(MIDDLE UPPER UPPER) - 1);
    assert_true(reload_slice_equal(one->node.key, TEXT("one")));
    assert_true(reload_slice_equal(one->issuers, TEXT(MIDDLE UPPER)));
    for (size_t i = 0; i < 2; i++) {
        reload_certificates_write(one, &bucket, start);
        reload_certificates_write(two, &bucket, start);
        reload_certificates_write(lone, &bucket, start);
    }
    assert_int_equal(reload_writer_status(&bucket), 0);
    assert_true(reload_slice_equal(reload_slice_of(bytes + start, bucket.len - start),
                                   TEXT("\0\0\3one" MIDDLE UPPER "\0\0\3two"
                                        "\0\0\4lone")));
    struct reload_held_certificate *const users[] = { one, one, two, lone };
    for (size_t i = 0; i < 4; i++)
        reload_certificates_release(&all, users[i]);
    assert_int_equal(all.bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(issuers_go_where_a_certificate_goes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
