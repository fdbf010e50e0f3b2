#include "tests/certs/asked.h"

#include <string.h>

/* Which certificates are good. */

/* R6940-11.3-20 R6940-13.3-3 */
static void a_certificate_of_the_overlays_ca_is_accepted_and_one_of_another_ca_is_not(void **state)
{
    (void)state;
    for (int type = RELOAD_CERT_KEY_EC; type <= RELOAD_CERT_KEY_RSA; type++) {
        struct fixture f, other;
        fixture_init(&f, (enum reload_cert_key_type)type);
        fixture_init(&other, (enum reload_cert_key_type)type);
        struct asked a = asked_of(&f.config);
        struct reload_cert_bytes good = asked_issued(&f, 1, (struct wish){ 0 });
        struct reload_cert_bytes foreign = asked_issued(&other, 1, (struct wish){ 0 });
        assert_int_equal(asked_check(&a, &good, NOW_MS), 0);
        assert_int_equal(asked_check(&a, &foreign, NOW_MS), RELOAD_E_CERTIFICATE);
        assert_non_null(strstr(a.why.text, "root-cert"));

        /* several root-certs, in any order */
        struct reload_slice roots[] = { other.root, f.root };
        f.config.root_certs = roots;
        f.config.root_cert_count = 2;
        assert_int_equal(reload_trust_configure(a.trust, &f.config, NULL), 0);
        assert_int_equal(asked_check(&a, &good, NOW_MS), 0);
        assert_int_equal(asked_check(&a, &foreign, NOW_MS), 0);
        reload_cert_bytes_fini(&good);
        reload_cert_bytes_fini(&foreign);
        reload_trust_free(a.trust);
        fixture_fini(&f);
        fixture_fini(&other);
    }
}

/* A node's certificate must not issue others: BasicConstraints. */
static void a_node_certificate_is_no_ca_neither_in_a_chain_nor_as_a_root_cert(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct reload_cert_bytes node = asked_issued(&f, 1, (struct wish){ 0 });
    struct reload_slice root = reload_cert_bytes_slice(&node);
    struct reload_config config = f.config;
    struct reload_trust *trust;
    struct reload_cert_reason why = { "" };
    config.root_certs = &root;
    assert_int_equal(reload_trust_new(&config, false, &trust, &why), RELOAD_E_CERTIFICATE);
    assert_non_null(strstr(why.text, "BasicConstraints"));

    struct asked a = asked_of(&f.config); /* the CA itself is no node */
    struct reload_cert_bytes ca = { (uint8_t *)(uintptr_t)f.root.p, f.root.n };
    assert_int_equal(asked_check(&a, &ca, NOW_MS), RELOAD_E_CERTIFICATE);

    /* a configuration with an unusable root-cert accepts nothing, not even what was accepted before
     */
    assert_int_equal(asked_check(&a, &node, NOW_MS), 0);
    assert_int_equal(reload_trust_configure(a.trust, &config, NULL), RELOAD_E_CERTIFICATE);
    assert_int_equal(asked_check(&a, &node, NOW_MS), RELOAD_E_CERTIFICATE);
    reload_trust_free(a.trust);
    reload_cert_bytes_fini(&node);
    fixture_fini(&f);
}

/* R6940-7.1-3 R6940-7.1-5 */
static void validity_is_compared_at_every_use_also_of_a_remembered_certificate(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct asked a = asked_of(&f.config);
    struct reload_cert_bytes der = asked_issued(
        &f, 1, (struct wish){ .not_before_ms = NOW_MS, .not_after_ms = NOW_MS + DAY_MS });
    assert_int_equal(asked_check(&a, &der, NOW_MS - 1000), RELOAD_E_EXPIRED);
    assert_int_equal(asked_check(&a, &der, NOW_MS), 0);
    assert_int_equal(asked_check(&a, &der, NOW_MS + DAY_MS), 0);
    assert_int_equal(asked_check(&a, &der, NOW_MS + DAY_MS + 1000), RELOAD_E_EXPIRED);
    assert_int_equal(asked_check(&a, &der, NOW_MS - 1000), RELOAD_E_EXPIRED);
    assert_non_null(strstr(a.why.text, "clock"));
    reload_cert_bytes_fini(&der);
    reload_trust_free(a.trust);
    fixture_fini(&f);
}

/* R6940-11.1-25 */
static void a_bad_node_is_forbidden_whichever_of_its_node_ids_is_listed(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct asked a = asked_of(&f.config);
    struct reload_cert_bytes der = asked_issued(&f, 1, (struct wish){ .node_ids = 3 });
    struct reload_node_id bad = node_id(3);
    assert_int_equal(asked_check(&a, &der, NOW_MS), 0);
    f.config.bad_nodes = &bad;
    f.config.bad_node_count = 1;
    assert_int_equal(reload_trust_configure(a.trust, &f.config, NULL),
                     0); /* nothing is remembered */
    assert_int_equal(asked_check(&a, &der, NOW_MS), RELOAD_E_FORBIDDEN);
    assert_non_null(strstr(a.why.text, "bad-node"));
    reload_cert_bytes_fini(&der);
    reload_trust_free(a.trust);
    fixture_fini(&f);
}

static void another_overlays_certificate_and_another_node_id_length_are_refused(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct asked a = asked_of(&f.config);
    struct reload_cert_bytes der =
        asked_issued(&f, 1, (struct wish){ .overlay = "other.example.org" });
    assert_int_equal(asked_check(&a, &der, NOW_MS), RELOAD_E_CERTIFICATE);
    assert_non_null(strstr(a.why.text, "other.example.org"));
    reload_cert_bytes_fini(&der);
    der = asked_issued(
        &f, 1, (struct wish){ .overlay = "OVERLAY.example.org" }); /* a reg-name has no case */
    assert_int_equal(asked_check(&a, &der, NOW_MS), 0);
    f.config.node_id_length = 20;
    assert_int_equal(reload_trust_configure(a.trust, &f.config, NULL), 0);
    assert_int_equal(asked_check(&a, &der, NOW_MS), RELOAD_E_CERTIFICATE);
    reload_cert_bytes_fini(&der);
    reload_trust_free(a.trust);
    fixture_fini(&f);
}

/* Whoever changes one bit has another certificate, and nobody's. */
static void no_certificate_with_a_flipped_bit_or_cut_short_is_accepted(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct asked a = asked_of(&f.config);
    struct reload_cert_bytes der = asked_issued(&f, 1, (struct wish){ .user_name = "a@b" });
    for (size_t bit = 0; bit < 8 * der.n; bit++) {
        der.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(asked_check(&a, &der, NOW_MS), 0);
        der.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t cut = 0; cut < der.n; cut++) {
        struct reload_cert_bytes part = { der.p, cut };
        assert_int_equal(asked_check(&a, &part, NOW_MS), RELOAD_E_CERTIFICATE);
    }
    assert_int_equal(asked_check(&a, &der, NOW_MS), 0);
    assert_int_equal(
        reload_trust_check(a.trust, NULL, 0, NOW_MS, &(const struct reload_identity *){ 0 }, NULL),
        RELOAD_E_CERTIFICATE);
    reload_cert_bytes_fini(&der);
    reload_trust_free(a.trust);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_of_the_overlays_ca_is_accepted_and_one_of_another_ca_is_not),
        cmocka_unit_test(a_node_certificate_is_no_ca_neither_in_a_chain_nor_as_a_root_cert),
        cmocka_unit_test(validity_is_compared_at_every_use_also_of_a_remembered_certificate),
        cmocka_unit_test(a_bad_node_is_forbidden_whichever_of_its_node_ids_is_listed),
        cmocka_unit_test(another_overlays_certificate_and_another_node_id_length_are_refused),
        cmocka_unit_test(no_certificate_with_a_flipped_bit_or_cut_short_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
