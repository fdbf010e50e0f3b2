#include "tests/certs/asked.h"

#include <string.h>

/* Certificates that nodes made themselves: RFC 6940 s11.3.1. */

/* R6940-11.3.1-3 R6940-11.3.1-4 R6940-11.3.1-5 R6940-11.3.1-8 R6940-11.1-15 R6940-11.3.1-2 */
static void
a_self_signed_certificate_is_accepted_only_where_permitted_and_by_the_right_digest(void **state)
{
    (void)state;
    static const enum reload_hash_algorithm digests[] = { RELOAD_HASH_SHA1, RELOAD_HASH_SHA256 };
    static const size_t counts[] = { 1, 2, RELOAD_CERT_NODE_IDS_MAX };
    struct reload_config c = reload_config_defaults();
    c.instance_name = OVERLAY;
    struct asked a = asked_of(&c);
    for (size_t d = 0; d < 2; d++)
        for (size_t k = 0; k < COUNT(counts); k++)
            for (size_t len = 16; len <= 20; len += 4) {
                struct reload_cert_bytes der =
                    asked_self_signed((struct reload_cert_self_signed_request){
                        .digest = digests[d],
                        .node_id_count = counts[k],
                        .node_id_len = len,
                        .user_name = text("anyone@example.net") });
                c.node_id_length = (uint8_t)len;
                c.self_signed_permitted = false;
                assert_int_equal(reload_trust_configure(a.trust, &c, NULL), 0);
                assert_int_equal(asked_check(&a, &der, NOW_MS), RELOAD_E_CERTIFICATE);
                assert_non_null(strstr(a.why.text, "not permit"));
                c.self_signed_permitted = true;
                c.self_signed_digest = digests[d];
                assert_int_equal(reload_trust_configure(a.trust, &c, NULL), 0);
                assert_int_equal(asked_check(&a, &der, NOW_MS), 0);
                assert_int_equal(asked_check(&a, &der, NOW_MS + 2 * DAY_MS), RELOAD_E_EXPIRED);
                c.self_signed_digest = digests[1 - d];
                assert_int_equal(reload_trust_configure(a.trust, &c, NULL), 0);
                assert_int_equal(asked_check(&a, &der, NOW_MS), RELOAD_E_CERTIFICATE);
                assert_non_null(strstr(a.why.text, "does not follow"));
                reload_cert_bytes_fini(&der);
            }
    reload_trust_free(a.trust);
}

/* R6940-11.3.1-7: the node must know of its own certificate, since a user name in it may be taken.
 */
static void an_identity_knows_whether_it_is_self_signed(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    for (int by_itself = 0; by_itself < 2; by_itself++) {
        struct reload_cert_key *key = new_key(RELOAD_CERT_KEY_EC);
        const struct reload_cert_self_signed_request request = { .overlay = OVERLAY,
                                                                 .digest = RELOAD_HASH_SHA256,
                                                                 .node_id_len = 16,
                                                                 .node_id_count = 1,
                                                                 .not_before_ms = NOW_MS - DAY_MS,
                                                                 .not_after_ms = NOW_MS + DAY_MS };
        struct reload_cert_bytes der = { 0 };
        struct reload_cert_identity *identity;
        if (by_itself)
            assert_int_equal(reload_cert_self_signed(key, &request, &der, NULL), 0);
        else
            der = issue(&f, key, 1, (struct wish){ 0 });
        assert_int_equal(
            reload_cert_identity_new(reload_cert_bytes_slice(&der), key, NULL, &identity, NULL), 0);
        assert_int_equal(reload_cert_identity_own(identity)->self_signed, by_itself);
        reload_cert_identity_free(identity);
        reload_cert_bytes_fini(&der);
        reload_cert_key_free(key);
    }
    fixture_fini(&f);
}

static void a_self_signed_node_id_is_the_head_of_the_digest_with_or_without_index(void **state)
{
    (void)state;
    struct reload_node_id id;
    struct reload_slice key = text("abc");
    static const uint8_t sha1_abc[16] = { 0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a,
                                          0xba, 0x3e, 0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c };
    static const uint8_t sha256_abc[4] = { 0xba, 0x78, 0x16, 0xbf };
    assert_int_equal(reload_cert_self_signed_node_id(RELOAD_HASH_SHA1, key, 0, 16, &id), 0);
    assert_memory_equal(id.bytes, sha1_abc, 16);
    assert_int_equal(reload_cert_self_signed_node_id(RELOAD_HASH_SHA256, key, 0, 16, &id), 0);
    assert_memory_equal(id.bytes, sha256_abc, 4);
    /* an index is four bytes in front of the key */
    struct reload_node_id with, by_hand;
    static const uint8_t joined[] = { 0, 0, 1, 2, 'a', 'b', 'c' };
    assert_int_equal(reload_cert_self_signed_node_id(RELOAD_HASH_SHA256, key, 0x0102, 20, &with),
                     0);
    assert_int_equal(reload_cert_self_signed_node_id(RELOAD_HASH_SHA256,
                                                     reload_slice_of(joined, sizeof joined), 0, 20,
                                                     &by_hand),
                     0);
    assert_true(reload_node_id_equal(&with, &by_hand));
    assert_int_equal(reload_cert_self_signed_node_id(RELOAD_HASH_SHA384, key, 0, 16, &id),
                     RELOAD_E_UNSUPPORTED);
    assert_int_equal(reload_cert_self_signed_node_id(RELOAD_HASH_SHA1, key, 0, 21, &id),
                     RELOAD_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_self_signed_certificate_is_accepted_only_where_permitted_and_by_the_right_digest),
        cmocka_unit_test(an_identity_knows_whether_it_is_self_signed),
        cmocka_unit_test(a_self_signed_node_id_is_the_head_of_the_digest_with_or_without_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
