#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reload/wire/security_block.h"
#include "tests/sim/standin.h"

/* The stand-in has to fail where the real thing fails, or tests on top of it prove nothing. */

static const struct reload_time now = { 1000, 1800000000000u };

struct pair { /* a signer, and a node that looks at what it signed */
    struct reload_standin_config config;
    struct reload_standin *signer, *other;
    const struct reload_own_identity *own;
};

static void pair_init(struct pair *p, size_t node_ids)
{
    reload_standin_config_init(&p->config);
    struct reload_node_id a = reload_standin_node_id(1), b = reload_standin_node_id(2);
    struct reload_standin_certificate c =
        reload_standin_certificate(&p->config.config, &a, "alice@overlay.example");
    for (; c.node_id_count < node_ids; c.node_id_count++)
        c.node_ids[c.node_id_count] = reload_standin_node_id(100 + c.node_id_count);
    p->signer = reload_standin_new(&p->config.config, &c, node_ids - 1);
    c = reload_standin_certificate(&p->config.config, &b, NULL);
    p->other = reload_standin_new(&p->config.config, &c, 0);
    assert_non_null(p->signer);
    assert_non_null(p->other);
    p->own = reload_standin_crypto(p->signer)->own;
}

static void pair_fini(struct pair *p)
{
    reload_standin_free(p->signer);
    reload_standin_free(p->other);
}

static int identify(struct reload_standin *s, struct reload_slice bucket,
                    struct reload_slice identity, struct reload_time at, struct reload_signer *out)
{
    const struct reload_crypto *c = reload_standin_crypto(s);
    struct reload_slice inside = { identity.p + 3, identity.n - 3 };
    return c->ops->identify(c->context, bucket, identity.p[0], inside, at, out);
}

static void any_changed_byte_breaks_a_signature(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p, 1);
    uint8_t text[] = "what was signed", made[RELOAD_SIGNATURE_MAX];
    struct reload_slice parts[] = { { text, 5 }, { text + 5, sizeof text - 5 } };
    struct reload_slice whole = { text, sizeof text };
    size_t len;
    const struct reload_crypto *sc = reload_standin_crypto(p.signer);
    const struct reload_crypto *oc = reload_standin_crypto(p.other);
    assert_int_equal(0, sc->ops->sign(sc->context, parts, 2, made, &len));
    struct reload_signer signer;
    assert_int_equal(0,
                     identify(p.other, p.own->certificates, p.own->signer_identity, now, &signer));
    struct reload_slice value = { made, len };
    assert_int_equal(0, oc->ops->verify(oc->context, signer.identity, 4, 3, &whole, 1, value));
    for (size_t bit = 0; bit < 8 * sizeof text; bit++) {
        text[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(RELOAD_E_SIGNATURE,
                         oc->ops->verify(oc->context, signer.identity, 4, 3, &whole, 1, value));
        text[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * len; bit++) {
        made[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(RELOAD_E_SIGNATURE,
                         oc->ops->verify(oc->context, signer.identity, 4, 3, &whole, 1, value));
        made[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    value.n--;
    assert_int_equal(RELOAD_E_SIGNATURE,
                     oc->ops->verify(oc->context, signer.identity, 4, 3, &whole, 1, value));
    assert_int_equal(RELOAD_E_UNSUPPORTED,
                     oc->ops->verify(oc->context, signer.identity, 2, 3, &whole, 1, value));
    pair_fini(&p);
}

static void a_signer_is_found_by_its_identity_and_remembered(void **state)
{
    (void)state;
    for (size_t node_ids = 1; node_ids <= 3; node_ids++) {
        struct pair p;
        pair_init(&p, node_ids);
        struct reload_signer signer;
        struct reload_slice none = { NULL, 0 };
        assert_int_equal(p.own->signer_identity.p[0], node_ids == 1 ? 1 : 2);
        assert_int_equal(RELOAD_E_CERTIFICATE,
                         identify(p.other, none, p.own->signer_identity, now, &signer));
        assert_int_equal(
            0, identify(p.other, p.own->certificates, p.own->signer_identity, now, &signer));
        assert_int_equal(0, identify(p.other, none, p.own->signer_identity, now, &signer));
        assert_true(reload_node_id_equal(&signer.node_id, &p.own->node_id));
        assert_int_equal(signer.identity->node_id_count, node_ids);
        assert_memory_equal(signer.identity->user_name.p, "alice@overlay.example", 21);
        assert_true(reload_slice_equal(p.own->user_name, signer.identity->user_name));

        uint8_t wrong[64];
        memcpy(wrong, p.own->signer_identity.p, p.own->signer_identity.n);
        wrong[10] ^= 1;
        assert_int_equal(RELOAD_E_CERTIFICATE,
                         identify(p.other, p.own->certificates,
                                  reload_slice_of(wrong, p.own->signer_identity.n), now, &signer));
        wrong[10] ^= 1;
        wrong[3] = RELOAD_HASH_MD5;
        assert_int_equal(RELOAD_E_UNSUPPORTED,
                         identify(p.other, p.own->certificates,
                                  reload_slice_of(wrong, p.own->signer_identity.n), now, &signer));
        pair_fini(&p);
    }
}

static void unacceptable_certificates_are_told_apart(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p, 1);
    struct reload_signer signer;
    struct reload_slice bucket = p.own->certificates, identity = p.own->signer_identity;
    struct reload_time late = { 0, p.own->not_after_ms + 1 };
    assert_int_equal(RELOAD_E_EXPIRED, identify(p.other, bucket, identity, late, &signer));

    p.config.bad_nodes[0] = p.own->node_id;
    p.config.config.bad_node_count = 1;
    const struct reload_crypto *oc = reload_standin_crypto(p.other);
    oc->ops->configure(oc->context, &p.config.config);
    assert_int_equal(RELOAD_E_FORBIDDEN, identify(p.other, bucket, identity, now, &signer));
    p.config.config.bad_node_count = 0;
    p.config.config.overlay++;
    assert_int_equal(RELOAD_E_CERTIFICATE, identify(p.other, bucket, identity, now, &signer));
    p.config.config.overlay--;
    assert_int_equal(0, identify(p.other, bucket, identity, now, &signer));

    struct reload_standin_certificate c =
        reload_standin_certificate(&p.config.config, &p.own->node_id, NULL);
    c.stranger = true;
    struct reload_standin *stranger = reload_standin_new(&p.config.config, &c, 0);
    const struct reload_own_identity *own = reload_standin_crypto(stranger)->own;
    assert_int_equal(RELOAD_E_CERTIFICATE,
                     identify(p.other, own->certificates, own->signer_identity, now, &signer));
    reload_standin_free(stranger);
    pair_fini(&p);
}

static void digests_have_the_real_lengths_and_ids_are_spread_evenly(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p, 1);
    const struct reload_crypto *c = reload_standin_crypto(p.signer);
    static const size_t lengths[] = { 0, 0, 20, 28, 32, 48, 64, 0 };
    uint8_t out[RELOAD_DIGEST_MAX];
    size_t len;
    for (unsigned i = 0; i < 8; i++) {
        struct reload_slice part = { (const uint8_t *)"x", 1 };
        int error = c->ops->digest(c->context, (enum reload_hash_algorithm)i, &part, 1, out, &len);
        assert_int_equal(error, lengths[i] ? 0 : RELOAD_E_UNSUPPORTED);
        if (!error)
            assert_int_equal(len, lengths[i]);
    }
    size_t sixteenth[16] = { 0 };
    for (uint32_t i = 0; i < 16000; i++) {
        assert_int_equal(0,
                         reload_standin_resource_id(c, reload_slice_of(&i, sizeof i), out, &len));
        assert_int_equal(len, 16);
        sixteenth[out[0] >> 4]++;
    }
    for (size_t i = 0; i < 16; i++)
        assert_in_range(sixteenth[i], 850, 1150);
    pair_fini(&p);
}

static void a_digest_does_not_depend_on_how_its_input_is_cut(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p, 1);
    const struct reload_crypto *c = reload_standin_crypto(p.signer);
    uint8_t text[40] = { 0 }, whole[RELOAD_DIGEST_MAX], cut[RELOAD_DIGEST_MAX];
    size_t len;
    for (size_t n = 0; n <= sizeof text; n++) {
        struct reload_slice one = { text, n };
        assert_int_equal(0, c->ops->digest(c->context, RELOAD_HASH_SHA256, &one, 1, whole, &len));
        for (size_t at = 0; at <= n; at++) {
            struct reload_slice two[] = { { text, at }, { text + at, n - at } };
            assert_int_equal(0, c->ops->digest(c->context, RELOAD_HASH_SHA256, two, 2, cut, &len));
            assert_memory_equal(whole, cut, len);
        }
        one.n++; /* zeros count */
        if (one.n <= sizeof text) {
            assert_int_equal(0, c->ops->digest(c->context, RELOAD_HASH_SHA256, &one, 1, cut, &len));
            assert_memory_not_equal(whole, cut, len);
        }
    }
    pair_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_changed_byte_breaks_a_signature),
        cmocka_unit_test(a_signer_is_found_by_its_identity_and_remembered),
        cmocka_unit_test(unacceptable_certificates_are_told_apart),
        cmocka_unit_test(digests_have_the_real_lengths_and_ids_are_spread_evenly),
        cmocka_unit_test(a_digest_does_not_depend_on_how_its_input_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
