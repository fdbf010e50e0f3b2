#include "tests/certs/fixture.h"

#include <stdio.h>
#include <string.h>

#include "certs/context.h"
#include "reload/wire/security_block.h"

/* Two nodes of one overlay, each asking its own context, as the core and the links do. */

struct node {
    struct reload_cert_identity *identity;
    struct reload_cert_context *context;
    struct reload_crypto crypto;
};

static struct node new_node(const struct fixture *f, enum reload_cert_key_type type, uint8_t fill,
                            struct wish wish, const struct reload_log *log)
{
    struct node n = { .identity = new_identity(f, type, fill, wish) };
    const struct reload_cert_context_options options = { .identity = n.identity,
                                                         .config = &f->config,
                                                         .log = log };
    assert_int_equal(reload_cert_context_new(&options, &n.context, NULL), 0);
    n.crypto = reload_cert_context_crypto(n.context);
    return n;
}

static void free_node(struct node *n)
{
    reload_cert_context_free(n->context);
    reload_cert_identity_free(n->identity);
}

static const struct reload_time now = { 5000, NOW_MS };

/* R6940-6.3.4-6 R6940-6.3.4-12 R6940-6.3.4-13 */
static void what_one_node_signs_another_identifies_and_verifies(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    for (int type = RELOAD_CERT_KEY_EC; type <= RELOAD_CERT_KEY_RSA; type++)
        for (size_t ids = 1; ids <= 2; ids++) {
            struct node a = new_node(&f, (enum reload_cert_key_type)type, 1,
                                     (struct wish){ .node_ids = ids, .user_name = "a@b" }, NULL);
            struct node b = new_node(&f, RELOAD_CERT_KEY_EC, 9, (struct wish){ 0 }, NULL);
            struct reload_node_id second = node_id(2), wanted = node_id((uint8_t)ids);
            if (ids == 2)
                assert_int_equal(reload_cert_identity_select(a.identity, &second), 0);
            assert_int_equal(reload_cert_identity_select(a.identity, &(struct reload_node_id){ 0 }),
                             RELOAD_E_NOT_FOUND);
            const struct reload_own_identity *own = a.crypto.own;
            struct reload_reader r = reload_reader_over(own->signer_identity);
            struct reload_signer_identity id;
            assert_int_equal(reload_signer_identity_decode(&r, &id), 0);
            assert_int_equal(id.type,
                             ids == 1 ? RELOAD_SIGNER_CERT_HASH : RELOAD_SIGNER_CERT_HASH_NODE_ID);
            struct reload_slice parts[] = { text("x"), own->signer_identity };
            uint8_t out[RELOAD_SIGNATURE_MAX];
            size_t len;
            struct reload_signer signer;
            assert_int_equal(a.crypto.ops->sign(a.context, parts, 2, out, &len), 0);
            assert_int_equal(b.crypto.ops->identify(b.context, own->certificates, id.type, id.value,
                                                    now, &signer),
                             0);
            assert_true(reload_node_id_equal(&signer.node_id, &wanted));
            assert_true(reload_slice_equal(signer.identity->user_name, text("a@b")));
            assert_int_equal(b.crypto.ops->verify(b.context, signer.identity, own->hash_algorithm,
                                                  own->signature_algorithm, parts, 2,
                                                  reload_slice_of(out, len)),
                             0);
            free_node(&a);
            free_node(&b);
        }
    fixture_fini(&f);
}

static struct node new_self_signed_node(const struct reload_config *config)
{
    struct node n;
    struct reload_cert_key *key = new_key(RELOAD_CERT_KEY_EC);
    const struct reload_cert_self_signed_request request = { .overlay = OVERLAY,
                                                             .digest = RELOAD_HASH_SHA256,
                                                             .node_id_len = 16,
                                                             .node_id_count = 1,
                                                             .not_before_ms = NOW_MS - DAY_MS,
                                                             .not_after_ms = NOW_MS + DAY_MS };
    struct reload_cert_bytes der;
    assert_int_equal(reload_cert_self_signed(key, &request, &der, NULL), 0);
    assert_int_equal(
        reload_cert_identity_new(reload_cert_bytes_slice(&der), key, NULL, &n.identity, NULL), 0);
    const struct reload_cert_context_options options = { .identity = n.identity, .config = config };
    assert_int_equal(reload_cert_context_new(&options, &n.context, NULL), 0);
    n.crypto = reload_cert_context_crypto(n.context);
    reload_cert_bytes_fini(&der);
    reload_cert_key_free(key);
    return n;
}

/* R6940-4.1-3: no CA stands behind them, but links and messages are proven and checked as ever. */
static void self_signed_nodes_sign_and_are_checked_like_others(void **state)
{
    (void)state;
    struct reload_config config = reload_config_defaults();
    config.instance_name = OVERLAY;
    config.self_signed_permitted = true;
    config.self_signed_digest = RELOAD_HASH_SHA256;
    struct node a = new_self_signed_node(&config), b = new_self_signed_node(&config);
    const struct reload_own_identity *own = a.crypto.own, *other = b.crypto.own;
    struct reload_link_peer peer;
    assert_int_equal(
        reload_cert_link_identity_ops.check(b.context, &own->certificate, 1, now, &peer, NULL, 0),
        0);
    assert_true(reload_node_id_equal(&peer.node_ids[0], &own->node_id));

    uint8_t out[RELOAD_SIGNATURE_MAX];
    size_t len = 0;
    struct reload_slice message = text("message"), changed = text("massage");
    assert_int_equal(a.crypto.ops->sign(a.context, &message, 1, out, &len), 0);
    struct reload_slice signature = { out, len };
    static const int expected[] = { 0, RELOAD_E_SIGNATURE, RELOAD_E_SIGNATURE };
    for (size_t i = 0; i < 3; i++) { /* as it was, changed, and in another's name */
        const struct reload_own_identity *named = i == 2 ? other : own;
        struct reload_reader r = reload_reader_over(named->signer_identity);
        struct reload_signer_identity id;
        struct reload_signer signer;
        assert_int_equal(reload_signer_identity_decode(&r, &id), 0);
        assert_int_equal(
            b.crypto.ops->identify(b.context, named->certificates, id.type, id.value, now, &signer),
            0);
        assert_int_equal(b.crypto.ops->verify(b.context, signer.identity, own->hash_algorithm,
                                              own->signature_algorithm,
                                              i == 1 ? &changed : &message, 1, signature),
                         expected[i]);
    }
    free_node(&a);
    free_node(&b);
}

struct lines {
    unsigned count;
    char last[400];
};

static void write_line(void *context, enum reload_log_level level, const char *area,
                       const char *line)
{
    struct lines *lines = context;
    (void)level;
    assert_string_equal(area, "certs");
    lines->count++;
    snprintf(lines->last, sizeof lines->last, "%s", line);
}

static void refusals_are_counted_and_logged_up_to_a_rate(void **state)
{
    (void)state;
    struct fixture f;
    struct lines lines = { 0, "" };
    const struct reload_log log = { write_line, &lines, RELOAD_LOG_WARNING };
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct node n = new_node(&f, RELOAD_CERT_KEY_EC, 1, (struct wish){ 0 }, &log);
    struct reload_slice junk = text("junk");
    struct reload_link_peer peer;
    char reason[16];
    for (int i = 0; i < 100; i++)
        assert_int_equal(reload_cert_link_identity_ops.check(n.context, &junk, 1, now, &peer,
                                                             reason, sizeof reason),
                         RELOAD_E_CERTIFICATE);
    assert_int_equal(strlen(reason), sizeof reason - 1);
    assert_int_equal(lines.count, 10);
    assert_non_null(strstr(lines.last, "refused: not one X.509"));
    assert_int_equal(reload_cert_context_counters(n.context)->refused, 100);
    struct reload_time later = { now.monotonic_ms + 1000, now.unix_ms };
    assert_int_equal(
        reload_cert_link_identity_ops.check(n.context, &junk, 1, later, &peer, NULL, 0),
        RELOAD_E_CERTIFICATE);
    assert_int_equal(lines.count, 11);
    assert_non_null(strstr(reload_cert_context_reason(n.context), "X.509"));
    free_node(&n);
    fixture_fini(&f);
}

/* R6940-6.5.1.13-3 R6940-4.1-2 */
static void a_link_learns_all_node_ids_and_when_the_certificate_ends(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct node a = new_node(&f, RELOAD_CERT_KEY_EC, 1, (struct wish){ .node_ids = 16 }, NULL);
    struct node b = new_node(&f, RELOAD_CERT_KEY_RSA, 50, (struct wish){ 0 }, NULL);
    const struct reload_slice *chain;
    struct reload_slice private_key;
    struct reload_link_peer peer;
    size_t count;
    reload_cert_link_identity_ops.own(a.context, &chain, &count, &private_key);
    assert_int_equal(count, 1);
    assert_true(reload_slice_equal(chain[0], a.crypto.own->certificate));
    assert_true(private_key.n > 0);
    assert_int_equal(
        reload_cert_link_identity_ops.check(b.context, chain, count, now, &peer, NULL, 0), 0);
    assert_int_equal(peer.node_id_count, 16);
    assert_int_equal(peer.node_ids[15].bytes[0], 16);
    assert_true(peer.not_after_ms == NOW_MS + 365 * DAY_MS);

    /* a new configuration forgets who was accepted */
    struct reload_node_id bad = node_id(16);
    struct reload_config next = f.config;
    next.bad_nodes = &bad;
    next.bad_node_count = 1;
    reload_cert_crypto_ops.configure(b.context, &next);
    assert_int_equal(
        reload_cert_link_identity_ops.check(b.context, chain, count, now, &peer, NULL, 0),
        RELOAD_E_FORBIDDEN);
    free_node(&a);
    free_node(&b);
    fixture_fini(&f);
}

static void an_identity_must_fit_its_key_and_its_overlay_and_be_acceptable_to_others(void **state)
{
    (void)state;
    struct fixture f;
    struct reload_cert_reason why = { "" };
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct reload_cert_key *key = new_key(RELOAD_CERT_KEY_EC), *other = new_key(RELOAD_CERT_KEY_EC);
    struct reload_cert_bytes der =
        issue(&f, key, 1, (struct wish){ .not_after_ms = NOW_MS + DAY_MS });
    struct reload_slice chain = reload_cert_bytes_slice(&der);
    struct reload_cert_identity *me;
    assert_int_equal(reload_cert_identity_new(chain, other, NULL, &me, &why), RELOAD_E_CERTIFICATE);
    assert_non_null(strstr(why.text, "private key"));
    struct reload_config config = f.config;
    config.instance_name = "other.example.org";
    assert_int_equal(reload_cert_identity_new(chain, key, &config, &me, &why),
                     RELOAD_E_CERTIFICATE);
    assert_int_equal(reload_cert_identity_new(text("x"), key, NULL, &me, &why), RELOAD_E_DECODE);

    /* the root in the file is not sent along */
    struct reload_slice both[] = { chain, f.root };
    struct reload_cert_bytes pem;
    size_t count;
    assert_int_equal(reload_cert_pem(both, 2, &pem), 0);
    assert_int_equal(
        reload_cert_identity_new(reload_cert_bytes_slice(&pem), key, &f.config, &me, &why), 0);
    reload_cert_identity_chain(me, &count);
    assert_int_equal(count, 1);
    assert_int_equal(reload_cert_identity_check(me, &f.config, NOW_MS, &why), 0);
    assert_int_equal(reload_cert_identity_check(me, &f.config, NOW_MS + 2 * DAY_MS, &why),
                     RELOAD_E_EXPIRED);
    reload_cert_identity_free(me);
    bool done = false;
    for (unsigned long n = 1; !done && n < 100; n++) {
        reload_alloc_fail_at(n);
        int error = reload_cert_identity_new(chain, key, NULL, &me, NULL);
        reload_alloc_fail_at(0);
        assert_true(error == 0 || error == RELOAD_E_NOMEM);
        done = error == 0;
        reload_cert_identity_free(me);
    }
    assert_true(done);
    reload_cert_bytes_fini(&pem);
    reload_cert_bytes_fini(&der);
    reload_cert_key_free(key);
    reload_cert_key_free(other);
    fixture_fini(&f);
}

static void digests_are_those_of_the_standards(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct node n = new_node(&f, RELOAD_CERT_KEY_EC, 1, (struct wish){ 0 }, NULL);
    struct reload_slice parts[] = { text("a"), text("bc") };
    static const struct {
        enum reload_hash_algorithm algorithm;
        size_t len;
        uint8_t head[4];
    } cases[] = { { RELOAD_HASH_SHA1, 20, { 0xa9, 0x99, 0x3e, 0x36 } },
                  { RELOAD_HASH_SHA224, 28, { 0x23, 0x09, 0x7d, 0x22 } },
                  { RELOAD_HASH_SHA256, 32, { 0xba, 0x78, 0x16, 0xbf } },
                  { RELOAD_HASH_SHA384, 48, { 0xcb, 0x00, 0x75, 0x3f } },
                  { RELOAD_HASH_SHA512, 64, { 0xdd, 0xaf, 0x35, 0xa1 } } };
    uint8_t out[RELOAD_DIGEST_MAX];
    size_t len;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(n.crypto.ops->digest(n.context, cases[i].algorithm, parts, 2, out, &len),
                         0);
        assert_int_equal(len, cases[i].len);
        assert_memory_equal(out, cases[i].head, 4);
    }
    assert_int_equal(n.crypto.ops->digest(n.context, RELOAD_HASH_MD5, parts, 2, out, &len),
                     RELOAD_E_UNSUPPORTED);
    assert_int_equal(n.crypto.ops->digest(n.context, RELOAD_HASH_NONE, parts, 2, out, &len),
                     RELOAD_E_UNSUPPORTED);
    free_node(&n);
    fixture_fini(&f);
}

/* R6940-6.5.4.2-2 R6940-6.5.4.2-3 */
static void a_config_update_goes_through_the_operations(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct node n = new_node(&f, RELOAD_CERT_KEY_EC, 1, (struct wish){ 0 }, NULL);
    struct reload_cert_bytes xml, document;
    const struct reload_config *next;
    struct reload_node_id signer = node_id(1);
    f.config.configuration_signers = &signer;
    f.config.configuration_signer_count = 1;
    assert_int_equal(reload_cert_document_write(&f.config, &xml), 0);
    assert_int_equal(reload_cert_document_sign(reload_cert_bytes_slice(&xml), NULL, NULL, 4,
                                               n.identity, n.identity, &document, NULL),
                     0);
    struct reload_slice bytes = reload_cert_bytes_slice(&document), none = text("<x/>");
    assert_int_equal(reload_cert_config_ops.parse_document(n.context, bytes, &f.config, now, &next),
                     0);
    assert_int_equal(next->sequence, 4);
    const struct reload_config *same;
    assert_int_equal(reload_cert_config_ops.parse_document(n.context, bytes, next, now, &same),
                     RELOAD_E_TOO_OLD);
    assert_null(same);
    assert_int_equal(reload_cert_config_ops.parse_document(n.context, reload_cert_bytes_slice(&xml),
                                                           &f.config, now, &same),
                     RELOAD_E_SIGNATURE);
    assert_int_equal(reload_cert_config_ops.parse_kinds(n.context, &none, 1, next, now, &same),
                     RELOAD_E_SIGNATURE);
    reload_cert_config_ops.release(n.context, next);
    reload_cert_bytes_fini(&xml);
    reload_cert_bytes_fini(&document);
    free_node(&n);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_node_signs_another_identifies_and_verifies),
        cmocka_unit_test(self_signed_nodes_sign_and_are_checked_like_others),
        cmocka_unit_test(refusals_are_counted_and_logged_up_to_a_rate),
        cmocka_unit_test(a_link_learns_all_node_ids_and_when_the_certificate_ends),
        cmocka_unit_test(an_identity_must_fit_its_key_and_its_overlay_and_be_acceptable_to_others),
        cmocka_unit_test(digests_are_those_of_the_standards),
        cmocka_unit_test(a_config_update_goes_through_the_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
