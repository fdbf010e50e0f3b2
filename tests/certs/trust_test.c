#include "tests/certs/fixture.h"

#include <string.h>

#include "reload/wire/security_block.h"

struct asked { /* a verifier and why it last refused */
    struct reload_trust *trust;
    struct reload_cert_reason why;
};

static struct asked ask(const struct reload_config *config)
{
    struct asked a = { NULL, { "" } };
    if (reload_trust_new(config, false, &a.trust, &a.why))
        fail_msg("%s", a.why.text);
    return a;
}

static int check(struct asked *a, const struct reload_cert_bytes *der, uint64_t now_ms)
{
    struct reload_slice chain = reload_cert_bytes_slice(der);
    const struct reload_identity *out;
    a->why.text[0] = '\0';
    return reload_trust_check(a->trust, &chain, 1, now_ms, &out, &a->why);
}

static int identify(struct asked *a, const struct reload_cert_bytes *certificates, uint8_t type,
                    const struct reload_cert_bytes *value, struct reload_signer *out)
{
    struct reload_slice none = { 0 };
    return reload_trust_identify(a->trust,
                                 certificates ? reload_cert_bytes_slice(certificates) : none, type,
                                 reload_cert_bytes_slice(value), NOW_MS, out, &a->why);
}

static struct reload_cert_bytes issued(const struct fixture *f, uint8_t fill, struct wish wish)
{
    struct reload_cert_key *key = new_key(RELOAD_CERT_KEY_EC);
    struct reload_cert_bytes der = issue(f, key, fill, wish);
    reload_cert_key_free(key);
    return der;
}

static struct reload_cert_bytes self_signed(struct reload_cert_self_signed_request r)
{
    struct reload_cert_key *key = new_key(RELOAD_CERT_KEY_EC);
    struct reload_cert_bytes der;
    struct reload_cert_reason why = { "" };
    if (!r.overlay)
        r.overlay = OVERLAY;
    if (!r.node_id_len)
        r.node_id_len = 16;
    if (!r.node_id_count)
        r.node_id_count = 1;
    r.not_before_ms = NOW_MS - DAY_MS;
    r.not_after_ms = NOW_MS + DAY_MS;
    if (reload_cert_self_signed(key, &r, &der, &why))
        fail_msg("%s", why.text);
    reload_cert_key_free(key);
    return der;
}

/* R6940-11.3-20 R6940-13.3-3 */
static void a_certificate_of_the_overlays_ca_is_accepted_and_one_of_another_ca_is_not(void **state)
{
    (void)state;
    for (int type = RELOAD_CERT_KEY_EC; type <= RELOAD_CERT_KEY_RSA; type++) {
        struct fixture f, other;
        fixture_init(&f, (enum reload_cert_key_type)type);
        fixture_init(&other, (enum reload_cert_key_type)type);
        struct asked a = ask(&f.config);
        struct reload_cert_bytes good = issued(&f, 1, (struct wish){ 0 });
        struct reload_cert_bytes foreign = issued(&other, 1, (struct wish){ 0 });
        assert_int_equal(check(&a, &good, NOW_MS), 0);
        assert_int_equal(check(&a, &foreign, NOW_MS), RELOAD_E_CERTIFICATE);
        assert_non_null(strstr(a.why.text, "root-cert"));

        /* several root-certs, in any order */
        struct reload_slice roots[] = { other.root, f.root };
        f.config.root_certs = roots;
        f.config.root_cert_count = 2;
        assert_int_equal(reload_trust_configure(a.trust, &f.config, NULL), 0);
        assert_int_equal(check(&a, &good, NOW_MS), 0);
        assert_int_equal(check(&a, &foreign, NOW_MS), 0);
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
    struct reload_cert_bytes node = issued(&f, 1, (struct wish){ 0 });
    struct reload_slice root = reload_cert_bytes_slice(&node);
    struct reload_config config = f.config;
    struct reload_trust *trust;
    struct reload_cert_reason why = { "" };
    config.root_certs = &root;
    assert_int_equal(reload_trust_new(&config, false, &trust, &why), RELOAD_E_CERTIFICATE);
    assert_non_null(strstr(why.text, "BasicConstraints"));

    struct asked a = ask(&f.config); /* the CA itself is no node */
    struct reload_cert_bytes ca = { (uint8_t *)(uintptr_t)f.root.p, f.root.n };
    assert_int_equal(check(&a, &ca, NOW_MS), RELOAD_E_CERTIFICATE);

    /* a configuration with an unusable root-cert accepts nothing, not even what was accepted before
     */
    assert_int_equal(check(&a, &node, NOW_MS), 0);
    assert_int_equal(reload_trust_configure(a.trust, &config, NULL), RELOAD_E_CERTIFICATE);
    assert_int_equal(check(&a, &node, NOW_MS), RELOAD_E_CERTIFICATE);
    reload_trust_free(a.trust);
    reload_cert_bytes_fini(&node);
    fixture_fini(&f);
}

/* R6940-6.3.4-19: a hostile peer that repeats what was refused costs no more full checks; and what
 * made it unacceptable may change. */
static void what_was_refused_is_not_checked_again(void **state)
{
    (void)state;
    struct fixture f, other;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    fixture_init(&other, RELOAD_CERT_KEY_EC);
    struct asked a = ask(&f.config);
    struct reload_cert_bytes foreign = issued(&other, 1, (struct wish){ 0 });
    struct reload_cert_bytes late =
        issued(&f, 2, (struct wish){ .not_before_ms = NOW_MS, .not_after_ms = NOW_MS + DAY_MS });
    const struct reload_trust_counters *c = reload_trust_counters(a.trust);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(check(&a, &foreign, NOW_MS), RELOAD_E_CERTIFICATE);
        assert_non_null(strstr(a.why.text, "root-cert")); /* the same reason each time */
    }
    assert_int_equal(c->checked, 1);
    assert_int_equal(c->refused, 10);
    assert_int_equal(c->refused_again, 9);

    /* with other certificates along it may be good: it is checked once more */
    struct reload_slice chain[] = { reload_cert_bytes_slice(&foreign),
                                    reload_cert_bytes_slice(&late) };
    const struct reload_identity *out;
    assert_int_equal(reload_trust_check(a.trust, chain, 2, NOW_MS, &out, &a.why),
                     RELOAD_E_CERTIFICATE);
    assert_int_equal(c->checked, 2);

    /* time passes: nothing is remembered of it */
    assert_int_equal(check(&a, &late, NOW_MS - 1000), RELOAD_E_EXPIRED);
    assert_int_equal(check(&a, &late, NOW_MS - 1000), RELOAD_E_EXPIRED);
    assert_int_equal(c->refused_again, 9);
    assert_int_equal(check(&a, &late, NOW_MS), 0);

    /* another configuration may have another opinion */
    assert_int_equal(reload_trust_configure(a.trust, &other.config, NULL), 0);
    assert_int_equal(check(&a, &foreign, NOW_MS), 0);
    reload_cert_bytes_fini(&foreign);
    reload_cert_bytes_fini(&late);
    reload_trust_free(a.trust);
    fixture_fini(&f);
    fixture_fini(&other);
}

/* The cap: any number of refused ones fit into what there is, and the last ones are known. */
static void refusals_take_no_more_room_than_they_have(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct asked a = ask(&f.config);
    const struct reload_trust_counters *c = reload_trust_counters(a.trust);
    for (uint32_t i = 0; i < 1000; i++) { /* no certificate at all, each of other bytes */
        uint8_t bytes[4] = { (uint8_t)(i >> 8), (uint8_t)i, 1, 2 };
        struct reload_cert_bytes der = { bytes, sizeof bytes };
        assert_int_equal(check(&a, &der, NOW_MS), RELOAD_E_CERTIFICATE);
        assert_int_equal(check(&a, &der, NOW_MS), RELOAD_E_CERTIFICATE);
    }
    assert_int_equal(c->checked, 1000);
    assert_int_equal(c->refused_again, 1000);
    reload_trust_free(a.trust);
    fixture_fini(&f);
}

/* R6940-7.1-3 R6940-7.1-5 */
static void validity_is_compared_at_every_use_also_of_a_remembered_certificate(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct asked a = ask(&f.config);
    struct reload_cert_bytes der =
        issued(&f, 1, (struct wish){ .not_before_ms = NOW_MS, .not_after_ms = NOW_MS + DAY_MS });
    assert_int_equal(check(&a, &der, NOW_MS - 1000), RELOAD_E_EXPIRED);
    assert_int_equal(check(&a, &der, NOW_MS), 0);
    assert_int_equal(check(&a, &der, NOW_MS + DAY_MS), 0);
    assert_int_equal(check(&a, &der, NOW_MS + DAY_MS + 1000), RELOAD_E_EXPIRED);
    assert_int_equal(check(&a, &der, NOW_MS - 1000), RELOAD_E_EXPIRED);
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
    struct asked a = ask(&f.config);
    struct reload_cert_bytes der = issued(&f, 1, (struct wish){ .node_ids = 3 });
    struct reload_node_id bad = node_id(3);
    assert_int_equal(check(&a, &der, NOW_MS), 0);
    f.config.bad_nodes = &bad;
    f.config.bad_node_count = 1;
    assert_int_equal(reload_trust_configure(a.trust, &f.config, NULL),
                     0); /* nothing is remembered */
    assert_int_equal(check(&a, &der, NOW_MS), RELOAD_E_FORBIDDEN);
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
    struct asked a = ask(&f.config);
    struct reload_cert_bytes der = issued(&f, 1, (struct wish){ .overlay = "other.example.org" });
    assert_int_equal(check(&a, &der, NOW_MS), RELOAD_E_CERTIFICATE);
    assert_non_null(strstr(a.why.text, "other.example.org"));
    reload_cert_bytes_fini(&der);
    der = issued(&f, 1,
                 (struct wish){ .overlay = "OVERLAY.example.org" }); /* a reg-name has no case */
    assert_int_equal(check(&a, &der, NOW_MS), 0);
    f.config.node_id_length = 20;
    assert_int_equal(reload_trust_configure(a.trust, &f.config, NULL), 0);
    assert_int_equal(check(&a, &der, NOW_MS), RELOAD_E_CERTIFICATE);
    reload_cert_bytes_fini(&der);
    reload_trust_free(a.trust);
    fixture_fini(&f);
}

/* R6940-6.3.4-14 R6940-6.3.4-15 R6940-6.3.4-24 */
static void a_signer_is_found_by_either_hash_and_then_without_its_certificate(void **state)
{
    (void)state;
    static const uint8_t hashes[] = { RELOAD_HASH_SHA1, RELOAD_HASH_SHA256, RELOAD_HASH_SHA384,
                                      RELOAD_HASH_SHA512 };
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct reload_cert_bytes one = issued(&f, 1, (struct wish){ 0 });
    struct reload_cert_bytes three = issued(&f, 5, (struct wish){ .node_ids = 3 });
    struct reload_slice both[] = { reload_cert_bytes_slice(&one), reload_cert_bytes_slice(&three) };
    struct reload_cert_bytes list = bucket(both, 2);
    struct reload_node_id second = node_id(6);
    for (size_t i = 0; i < COUNT(hashes); i++) {
        struct asked a = ask(&f.config);
        struct reload_signer signer;
        struct reload_cert_bytes whole = identity_value(hashes[i], NULL, both[0]);
        struct reload_cert_bytes second_value = identity_value(hashes[i], &second, both[1]);
        struct reload_cert_bytes vague = identity_value(hashes[i], NULL, both[1]);
        assert_int_equal(identify(&a, NULL, RELOAD_SIGNER_CERT_HASH, &whole, &signer),
                         RELOAD_E_CERTIFICATE);
        for (int again = 0; again < 2; again++) {
            const struct reload_cert_bytes *from = again ? NULL : &list;
            assert_int_equal(identify(&a, from, RELOAD_SIGNER_CERT_HASH, &whole, &signer), 0);
            assert_int_equal(signer.node_id.bytes[0], 1);
            assert_int_equal(
                identify(&a, from, RELOAD_SIGNER_CERT_HASH_NODE_ID, &second_value, &signer), 0);
            assert_int_equal(signer.node_id.bytes[0], 6);
            assert_int_equal(signer.identity->node_id_count, 3);
            /* it does not say which of the three */
            assert_int_equal(identify(&a, from, RELOAD_SIGNER_CERT_HASH, &vague, &signer),
                             RELOAD_E_CERTIFICATE);
        }
        assert_int_equal(reload_trust_counters(a.trust)->checked, 2); /* once each */
        reload_cert_bytes_fini(&whole);
        reload_cert_bytes_fini(&second_value);
        reload_cert_bytes_fini(&vague);
        reload_trust_free(a.trust);
    }
    reload_cert_bytes_fini(&one);
    reload_cert_bytes_fini(&three);
    reload_cert_bytes_fini(&list);
    fixture_fini(&f);
}

static void a_malformed_or_unknown_signer_identity_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct asked a = ask(&f.config);
    struct reload_cert_bytes der = issued(&f, 1, (struct wish){ 0 });
    struct reload_slice one = reload_cert_bytes_slice(&der);
    struct reload_cert_bytes list = bucket(&one, 1);
    struct reload_cert_bytes value = identity_value(RELOAD_HASH_SHA256, NULL, one);
    struct reload_signer signer;
    for (size_t cut = 0; cut < value.n; cut++) {
        struct reload_cert_bytes part = { value.p, cut };
        assert_int_not_equal(identify(&a, &list, RELOAD_SIGNER_CERT_HASH, &part, &signer), 0);
    }
    for (size_t bit = 0; bit < 8 * value.n; bit++) {
        value.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(identify(&a, &list, RELOAD_SIGNER_CERT_HASH, &value, &signer), 0);
        value.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(identify(&a, &list, RELOAD_SIGNER_NONE, &value, &signer),
                     RELOAD_E_UNSUPPORTED);
    assert_int_equal(identify(&a, &list, 9, &value, &signer), RELOAD_E_UNSUPPORTED);
    assert_int_equal(identify(&a, &list, RELOAD_SIGNER_CERT_HASH_NODE_ID, &value, &signer),
                     RELOAD_E_CERTIFICATE);
    value.p[0] = RELOAD_HASH_MD5;
    assert_int_equal(identify(&a, &list, RELOAD_SIGNER_CERT_HASH, &value, &signer),
                     RELOAD_E_UNSUPPORTED);
    value.p[0] = RELOAD_HASH_SHA256;
    for (size_t cut = 0; cut < list.n; cut++) { /* a bucket cut anywhere */
        struct reload_cert_bytes part = { list.p, cut };
        assert_int_equal(identify(&a, &part, RELOAD_SIGNER_CERT_HASH, &value, &signer),
                         RELOAD_E_CERTIFICATE);
    }
    assert_true(reload_trust_counters(a.trust)->unknown > 0);
    reload_cert_bytes_fini(&der);
    reload_cert_bytes_fini(&list);
    reload_cert_bytes_fini(&value);
    reload_trust_free(a.trust);
    fixture_fini(&f);
}

/* R6940-11.3.1-3 R6940-11.3.1-4 R6940-11.3.1-5 R6940-11.3.1-8 R6940-11.1-15 R6940-11.3.1-2 */
static void
a_self_signed_certificate_is_accepted_only_where_permitted_and_by_the_right_digest(void **state)
{
    (void)state;
    static const enum reload_hash_algorithm digests[] = { RELOAD_HASH_SHA1, RELOAD_HASH_SHA256 };
    static const size_t counts[] = { 1, 2, RELOAD_CERT_NODE_IDS_MAX };
    struct reload_config c = reload_config_defaults();
    c.instance_name = OVERLAY;
    struct asked a = ask(&c);
    for (size_t d = 0; d < 2; d++)
        for (size_t k = 0; k < COUNT(counts); k++)
            for (size_t len = 16; len <= 20; len += 4) {
                struct reload_cert_bytes der = self_signed((struct reload_cert_self_signed_request){
                    .digest = digests[d],
                    .node_id_count = counts[k],
                    .node_id_len = len,
                    .user_name = text("anyone@example.net") });
                c.node_id_length = (uint8_t)len;
                c.self_signed_permitted = false;
                assert_int_equal(reload_trust_configure(a.trust, &c, NULL), 0);
                assert_int_equal(check(&a, &der, NOW_MS), RELOAD_E_CERTIFICATE);
                assert_non_null(strstr(a.why.text, "not permit"));
                c.self_signed_permitted = true;
                c.self_signed_digest = digests[d];
                assert_int_equal(reload_trust_configure(a.trust, &c, NULL), 0);
                assert_int_equal(check(&a, &der, NOW_MS), 0);
                assert_int_equal(check(&a, &der, NOW_MS + 2 * DAY_MS), RELOAD_E_EXPIRED);
                c.self_signed_digest = digests[1 - d];
                assert_int_equal(reload_trust_configure(a.trust, &c, NULL), 0);
                assert_int_equal(check(&a, &der, NOW_MS), RELOAD_E_CERTIFICATE);
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

/* Whoever changes one bit has another certificate, and nobody's. */
static void no_certificate_with_a_flipped_bit_or_cut_short_is_accepted(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct asked a = ask(&f.config);
    struct reload_cert_bytes der = issued(&f, 1, (struct wish){ .user_name = "a@b" });
    for (size_t bit = 0; bit < 8 * der.n; bit++) {
        der.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(check(&a, &der, NOW_MS), 0);
        der.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t cut = 0; cut < der.n; cut++) {
        struct reload_cert_bytes part = { der.p, cut };
        assert_int_equal(check(&a, &part, NOW_MS), RELOAD_E_CERTIFICATE);
    }
    assert_int_equal(check(&a, &der, NOW_MS), 0);
    assert_int_equal(
        reload_trust_check(a.trust, NULL, 0, NOW_MS, &(const struct reload_identity *){ 0 }, NULL),
        RELOAD_E_CERTIFICATE);
    reload_cert_bytes_fini(&der);
    reload_trust_free(a.trust);
    fixture_fini(&f);
}

/* R6940-6.3.4-11 */
static void a_signature_verifies_only_over_its_bytes_by_its_key_with_its_algorithms(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    for (int type = RELOAD_CERT_KEY_EC; type <= RELOAD_CERT_KEY_RSA; type++) {
        struct asked a = ask(&f.config);
        struct reload_cert_identity *me =
            new_identity(&f, (enum reload_cert_key_type)type, 1, (struct wish){ 0 });
        const struct reload_own_identity *own = reload_cert_identity_own(me);
        uint8_t out[RELOAD_SIGNATURE_MAX], other_pair = type == RELOAD_CERT_KEY_RSA
                                                            ? RELOAD_SIGNATURE_ECDSA
                                                            : RELOAD_SIGNATURE_RSA;
        struct reload_slice parts[] = { text("one "), text(""), text("message") };
        struct reload_slice joined = text("one message"), changed = text("one massage");
        const struct reload_identity *who;
        size_t len;
        assert_int_equal(reload_cert_identity_sign(me, parts, 3, out, &len), 0);
        assert_int_equal(own->signature_algorithm, type == RELOAD_CERT_KEY_RSA
                                                       ? RELOAD_SIGNATURE_RSA
                                                       : RELOAD_SIGNATURE_ECDSA);
        assert_int_equal(reload_trust_check(a.trust, &own->certificate, 1, NOW_MS, &who, NULL), 0);
        struct reload_slice s = { out, len };
        const uint8_t h = RELOAD_HASH_SHA256, alg = own->signature_algorithm;
        assert_int_equal(reload_trust_verify(a.trust, who, h, alg, &joined, 1, s), 0);
        assert_int_equal(reload_trust_verify(a.trust, who, h, alg, parts, 3, s), 0);
        assert_int_equal(reload_trust_verify(a.trust, who, h, alg, &changed, 1, s),
                         RELOAD_E_SIGNATURE);
        assert_int_equal(reload_trust_verify(a.trust, who, RELOAD_HASH_SHA384, alg, &joined, 1, s),
                         RELOAD_E_SIGNATURE);
        assert_int_equal(reload_trust_verify(a.trust, who, h, alg, &joined, 1, s), 0);
        static const uint8_t refused[] = {
            RELOAD_HASH_NONE, RELOAD_HASH_MD5, RELOAD_HASH_SHA1, RELOAD_HASH_SHA224, 7, 255
        };
        for (size_t i = 0; i < COUNT(refused); i++)
            assert_int_equal(reload_trust_verify(a.trust, who, refused[i], alg, &joined, 1, s),
                             RELOAD_E_UNSUPPORTED);
        assert_int_equal(reload_trust_verify(a.trust, who, h, other_pair, &joined, 1, s),
                         RELOAD_E_UNSUPPORTED);
        assert_int_equal(
            reload_trust_verify(a.trust, who, h, RELOAD_SIGNATURE_ANONYMOUS, &joined, 1, s),
            RELOAD_E_UNSUPPORTED);
        for (size_t bit = 0; bit < 8 * len; bit++) {
            out[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(reload_trust_verify(a.trust, who, h, alg, &joined, 1, s),
                             RELOAD_E_SIGNATURE);
            out[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t cut = 0; cut < len; cut++)
            assert_int_equal(
                reload_trust_verify(a.trust, who, h, alg, &joined, 1, reload_slice_of(out, cut)),
                RELOAD_E_SIGNATURE);
        assert_int_equal(
            reload_trust_verify(a.trust, who, h, alg, &joined, 1, (struct reload_slice){ 0 }),
            RELOAD_E_SIGNATURE);
        assert_true(reload_trust_counters(a.trust)->forged >= 8 * len);
        reload_cert_identity_free(me);
        reload_trust_free(a.trust);
    }
    fixture_fini(&f);
}

static void the_cache_holds_its_cap_and_drops_the_least_recently_used(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct asked a = ask(&f.config);
    struct reload_cert_key *key = new_key(RELOAD_CERT_KEY_EC);
    struct reload_cert_bytes first = issue(&f, key, 1, (struct wish){ 0 });
    struct reload_cert_bytes second = issue(&f, key, 2, (struct wish){ 0 });
    assert_int_equal(check(&a, &first, NOW_MS), 0);
    assert_int_equal(check(&a, &second, NOW_MS), 0);
    for (size_t i = 2; i < RELOAD_CERT_CACHE_MAX; i++) {
        struct reload_cert_bytes der = issue(&f, key, 3, (struct wish){ 0 }); /* another serial */
        assert_int_equal(check(&a, &der, NOW_MS), 0);
        reload_cert_bytes_fini(&der);
    }
    assert_int_equal(reload_trust_counters(a.trust)->evicted, 0);
    assert_int_equal(check(&a, &first, NOW_MS), 0); /* used again */
    struct reload_cert_bytes last = issue(&f, key, 4, (struct wish){ 0 });
    assert_int_equal(check(&a, &last, NOW_MS), 0);
    const struct reload_trust_counters *n = reload_trust_counters(a.trust);
    assert_int_equal(n->evicted, 1);
    uint64_t checked = n->checked;
    assert_int_equal(check(&a, &first, NOW_MS), 0);
    assert_int_equal(n->checked, checked); /* still there */
    assert_int_equal(check(&a, &second, NOW_MS), 0);
    assert_int_equal(n->checked, checked + 1); /* had gone */
    reload_cert_bytes_fini(&first);
    reload_cert_bytes_fini(&second);
    reload_cert_bytes_fini(&last);
    reload_cert_key_free(key);
    reload_trust_free(a.trust);
    fixture_fini(&f);
}

static void without_memory_a_check_fails_and_leaks_nothing(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct reload_cert_bytes der = issued(&f, 1, (struct wish){ .user_name = "a@b" });
    struct reload_slice one = reload_cert_bytes_slice(&der);
    bool done = false;
    for (unsigned long n = 1; !done && n < 100; n++) {
        struct reload_trust *trust = NULL;
        const struct reload_identity *who;
        reload_alloc_fail_at(n);
        int error = reload_trust_new(&f.config, false, &trust, NULL);
        if (!error)
            error = reload_trust_check(trust, &one, 1, NOW_MS, &who, NULL);
        reload_alloc_fail_at(0);
        assert_true(error == 0 || error == RELOAD_E_NOMEM);
        done = error == 0;
        reload_trust_free(trust);
    }
    assert_true(done);
    reload_cert_bytes_fini(&der);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_of_the_overlays_ca_is_accepted_and_one_of_another_ca_is_not),
        cmocka_unit_test(a_node_certificate_is_no_ca_neither_in_a_chain_nor_as_a_root_cert),
        cmocka_unit_test(what_was_refused_is_not_checked_again),
        cmocka_unit_test(refusals_take_no_more_room_than_they_have),
        cmocka_unit_test(validity_is_compared_at_every_use_also_of_a_remembered_certificate),
        cmocka_unit_test(a_bad_node_is_forbidden_whichever_of_its_node_ids_is_listed),
        cmocka_unit_test(another_overlays_certificate_and_another_node_id_length_are_refused),
        cmocka_unit_test(a_signer_is_found_by_either_hash_and_then_without_its_certificate),
        cmocka_unit_test(a_malformed_or_unknown_signer_identity_is_refused),
        cmocka_unit_test(
            a_self_signed_certificate_is_accepted_only_where_permitted_and_by_the_right_digest),
        cmocka_unit_test(an_identity_knows_whether_it_is_self_signed),
        cmocka_unit_test(a_self_signed_node_id_is_the_head_of_the_digest_with_or_without_index),
        cmocka_unit_test(no_certificate_with_a_flipped_bit_or_cut_short_is_accepted),
        cmocka_unit_test(a_signature_verifies_only_over_its_bytes_by_its_key_with_its_algorithms),
        cmocka_unit_test(the_cache_holds_its_cap_and_drops_the_least_recently_used),
        cmocka_unit_test(without_memory_a_check_fails_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
