/* Signatures of messages: RFC 6940 s6.3.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reload/security/bucket.h"
#include "tests/reload/security/signers.h"

struct sent {
    uint8_t bytes[2000];
    size_t len, contents_at, contents_len;
};

static void send_ping(const struct reload_crypto *crypto, struct reload_slice extra,
                      struct sent *out)
{
    static const uint8_t destination[] = { 0x80, 0x2a };
    struct reload_writer w = reload_writer_of(out->bytes, sizeof out->bytes);
    struct reload_forwarding_header h = {
        .overlay = 0x5eed0001,
        .configuration_sequence = 7,
        .version = RELOAD_VERSION,
        .ttl = 100,
        .fragment = RELOAD_FRAGMENT_WHOLE,
        .transaction_id = 0x0102030405060708,
        .destination_list = { destination, sizeof destination },
    };
    assert_int_equal(0, reload_forwarding_header_encode(&w, &h));
    out->contents_at = w.len;
    size_t mark = reload_message_contents_begin(&w, RELOAD_PING_REQ);
    reload_wr_opaque16(&w, reload_slice_of("pad", 3));
    reload_message_contents_end(&w, mark, reload_slice_of("", 0));
    out->contents_len = w.len - out->contents_at;
    struct reload_slice contents = { out->bytes + out->contents_at, out->contents_len };
    assert_int_equal(0,
                     reload_message_sign(crypto, h.overlay, h.transaction_id, contents, extra, &w));
    reload_forwarding_header_close(&w, 0);
    out->len = reload_writer_slice(&w).n;
    assert_true(out->len > 0);
}

/* A Ping of that node, which lies in *out. */
static struct reload_message ping_of(const struct reload_crypto *crypto, struct sent *out)
{
    struct reload_message m;
    send_ping(crypto, reload_slice_of("", 0), out);
    assert_int_equal(0, reload_message_decode(reload_slice_of(out->bytes, out->len), 16, &m));
    return m;
}

static int verify(const struct reload_crypto *crypto, const struct sent *s,
                  struct reload_signer *signer)
{
    struct reload_message m;
    int error = reload_message_decode(reload_slice_of(s->bytes, s->len), 16, &m);
    return error ? error : reload_message_verify(crypto, &m, signers_now, signer);
}

/* R6940-6.3-2 R6940-6.3.4-3 R6940-6.3.4-12 R6940-6.3.4-13 R6940-6.3.4-19 R6940-6.3.4-24 */
static void a_signed_message_names_its_signer(void **state)
{
    struct signers *p = *state;
    struct sent s;
    struct reload_signer signer;
    send_ping(p->a, reload_slice_of("", 0), &s);
    assert_int_equal(0, verify(p->b, &s, &signer));
    assert_true(reload_node_id_equal(&signer.node_id, &p->a->own->node_id));
    assert_true(reload_slice_equal(signer.identity->user_name, p->a->own->user_name));

    /* Several Node-IDs: cert_hash_node_id selects one of them. */
    send_ping(p->b, reload_slice_of("", 0), &s);
    struct reload_message m;
    assert_int_equal(0, reload_message_decode(reload_slice_of(s.bytes, s.len), 16, &m));
    assert_int_equal(m.security.signature.identity.type, RELOAD_SIGNER_CERT_HASH_NODE_ID);
    assert_int_equal(0, verify(p->a, &s, &signer));
    assert_true(reload_node_id_equal(&signer.node_id, &p->b->own->node_id));
}

/* R6940-6.3.4-16 R6940-6.3.4-17 */
static void the_signature_covers_overlay_transaction_and_contents_and_nothing_else(void **state)
{
    struct signers *p = *state;
    struct sent s;
    struct reload_signer signer;
    send_ping(p->a, reload_slice_of("", 0), &s);
    assert_int_equal(0, verify(p->b, &s, &signer)); /* b signers_now remembers the certificate */
    for (size_t bit = 0; bit < 8 * s.len; bit++) {
        size_t at = bit / 8;
        uint8_t flip = (uint8_t)(1u << bit % 8);
        s.bytes[at] ^= flip;
        int error = verify(p->b, &s, &signer);
        bool overlay = at >= 4 && at < 8, transaction = at >= 20 && at < 28;
        bool contents = at >= s.contents_at && at < s.contents_at + s.contents_len;
        if (overlay || transaction || contents)
            assert_int_not_equal(0, error);
        if ((at >= 8 && at < 12) || (at >= 28 && at < 32)) /* sequence, version, TTL, max length */
            assert_int_equal(0, error);
        s.bytes[at] ^= flip;
    }
}

/* R6940-6.3.4-20 R6940-6.1.1-2 */
static void a_bit_flipped_after_the_contents_never_verifies_as_something_else(void **state)
{
    struct signers *p = *state;
    struct sent s;
    send_ping(p->a, reload_slice_of("", 0), &s);
    for (size_t bit = 8 * (s.contents_at + s.contents_len); bit < 8 * s.len; bit++) {
        struct signers fresh; /* who has seen no certificate yet */
        reload_standin_config_init(&fresh.config);
        fresh.bob = signers_node(&fresh, 3, NULL, 1);
        struct reload_signer signer;
        s.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(0, verify(reload_standin_crypto(fresh.bob), &s, &signer));
        s.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        reload_standin_free(fresh.bob);
    }
}

/* R6940-6.3.4-6 R6940-6.3.4-8 */
static void the_bucket_holds_own_and_extra_certificates_once_each(void **state)
{
    struct signers *p = *state;
    uint8_t extra[1000];
    struct reload_writer w = reload_writer_of(extra, sizeof extra);
    reload_wr_bytes(&w, p->b->own->certificates);
    reload_wr_bytes(&w, p->a->own->certificates);
    reload_wr_bytes(&w, p->b->own->certificates);
    struct sent s;
    send_ping(p->a, reload_writer_slice(&w), &s);
    struct reload_message m;
    assert_int_equal(0, reload_message_decode(reload_slice_of(s.bytes, s.len), 16, &m));
    struct reload_reader r = reload_reader_over(m.security.certificates);
    struct reload_certificate c;
    assert_true(reload_certificate_next(&r, &c));
    assert_true(reload_slice_equal(c.certificate, p->a->own->certificate));
    assert_true(reload_certificate_next(&r, &c));
    assert_true(reload_slice_equal(c.certificate, p->b->own->certificate));
    assert_false(reload_certificate_next(&r, &c));
}

static void signing_into_too_small_a_buffer_fails_at_every_size(void **state)
{
    struct signers *p = *state;
    uint8_t out[600];
    struct reload_slice contents = { (const uint8_t *)"c", 1 }, none = { NULL, 0 };
    struct reload_writer w = reload_writer_of(out, sizeof out);
    assert_int_equal(0, reload_message_sign(p->a, 1, 2, contents, none, &w));
    size_t need = w.len;
    for (size_t cap = 0; cap < need; cap++) {
        w = reload_writer_of(out, cap);
        assert_int_equal(RELOAD_E_NOSPACE, reload_message_sign(p->a, 1, 2, contents, none, &w));
    }
}

/* R6940-6.3.4-19 R6940-6.3.4-20: without its certificate a message is nobody's. */
static void a_message_whose_certificate_is_missing_expired_or_barred_is_refused(void **state)
{
    struct signers *p = *state;
    struct sent s;
    struct reload_signer signer;
    struct reload_message m = ping_of(p->a, &s);
    struct reload_slice bucket = m.security.certificates;
    m.security.certificates = reload_slice_of("", 0);
    assert_int_equal(RELOAD_E_CERTIFICATE, reload_message_verify(p->b, &m, signers_now, &signer));
    m.security.certificates = p->b->own->certificates;
    assert_int_equal(RELOAD_E_CERTIFICATE, reload_message_verify(p->b, &m, signers_now, &signer));
    m.security.certificates = bucket;
    struct reload_time late = { 0, p->a->own->not_after_ms + 1 };
    assert_int_equal(RELOAD_E_EXPIRED, reload_message_verify(p->b, &m, late, &signer));
    p->config.bad_nodes[0] = p->a->own->node_id; /* R6940-11.1-25 */
    p->config.config.bad_node_count = 1;
    p->b->ops->configure(p->b->context, &p->config.config);
    assert_int_equal(RELOAD_E_FORBIDDEN, reload_message_verify(p->b, &m, signers_now, &signer));
    p->config.config.bad_node_count = 0;
    p->b->ops->configure(p->b->context, &p->config.config);
    assert_int_equal(0, reload_message_verify(p->b, &m, signers_now, &signer));
}

/* R6940-6.3.4-2 R6940-6.3.4-7 */
static void only_x509_certificates_count_and_one_seen_before_may_be_left_out(void **state)
{
    struct signers *p = *state;
    struct sent s;
    struct reload_signer signer;
    struct reload_message m = ping_of(p->a, &s);
    uint8_t bucket[400];
    memcpy(bucket, m.security.certificates.p, m.security.certificates.n);
    m.security.certificates.p = bucket;
    assert_int_equal(RELOAD_CERTIFICATE_X509, bucket[0]);
    bucket[0] = 1; /* OpenPGP */
    assert_int_equal(RELOAD_E_CERTIFICATE, reload_message_verify(p->b, &m, signers_now, &signer));
    bucket[0] = RELOAD_CERTIFICATE_X509;
    assert_int_equal(0, reload_message_verify(p->b, &m, signers_now, &signer));
    m.security.certificates = reload_slice_of("", 0);
    assert_int_equal(0, reload_message_verify(p->b, &m, signers_now, &signer));
}

static void no_more_certificates_than_the_cap_are_looked_at(void **state)
{
    struct signers *p = *state;
    struct sent s;
    struct reload_signer signer;
    struct reload_message m = ping_of(p->a, &s);
    uint8_t many[3 * (RELOAD_BUCKET_MAX + 1)] = { 0 }; /* empty certificates: 3 bytes each */
    m.security.certificates = reload_slice_of(many, sizeof many);
    assert_int_equal(RELOAD_E_LIMIT, reload_message_verify(p->b, &m, signers_now, &signer));
    m.security.certificates.n -= 3;
    assert_int_equal(RELOAD_E_CERTIFICATE, reload_message_verify(p->b, &m, signers_now, &signer));
    m.security.certificates.n--; /* cut inside the last one */
    assert_int_equal(RELOAD_E_DECODE, reload_message_verify(p->b, &m, signers_now, &signer));
}

/* R6940-6.3.4-11 R6940-7.4.1.1-19 */
static void absent_and_weak_signatures_are_refused_unseen(void **state)
{
    struct signers *p = *state;
    struct sent s;
    struct reload_signer signer;
    struct reload_message m = ping_of(p->a, &s);
    static const struct {
        uint8_t type, identity_hash, hash, signature;
        int error;
    } rows[] = {
        { RELOAD_SIGNER_NONE, 4, 4, 3, RELOAD_E_SIGNATURE },
        { RELOAD_SIGNER_NONE, 4, 0, 0, RELOAD_E_SIGNATURE },
        { RELOAD_SIGNER_CERT_HASH, 4, 0, 0, RELOAD_E_SIGNATURE },
        { RELOAD_SIGNER_CERT_HASH, 4, 4, 0, RELOAD_E_SIGNATURE },
        { RELOAD_SIGNER_CERT_HASH, 4, 0, 1, RELOAD_E_SIGNATURE },
        { RELOAD_SIGNER_CERT_HASH, 4, RELOAD_HASH_MD5, 1, RELOAD_E_UNSUPPORTED },
        { RELOAD_SIGNER_CERT_HASH, 4, RELOAD_HASH_SHA1, 1, RELOAD_E_UNSUPPORTED },
        { RELOAD_SIGNER_CERT_HASH, 4, 7, 1, RELOAD_E_UNSUPPORTED },
        { RELOAD_SIGNER_CERT_HASH, 4, 4, RELOAD_SIGNATURE_DSA, RELOAD_E_UNSUPPORTED },
        { RELOAD_SIGNER_CERT_HASH, 4, 4, 4, RELOAD_E_UNSUPPORTED },
        { RELOAD_SIGNER_CERT_HASH, RELOAD_HASH_MD5, 4, 3, RELOAD_E_UNSUPPORTED },
        { RELOAD_SIGNER_CERT_HASH, RELOAD_HASH_SHA1, 4, 3, RELOAD_E_UNSUPPORTED },
        { RELOAD_SIGNER_CERT_HASH, RELOAD_HASH_NONE, 4, 3, RELOAD_E_UNSUPPORTED },
        { 200, 4, 4, 3, RELOAD_E_UNSUPPORTED },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct reload_message copy = m;
        struct reload_signature *sig = &copy.security.signature;
        sig->identity.type = rows[i].type;
        sig->identity.hash_algorithm = rows[i].identity_hash;
        sig->hash_algorithm = rows[i].hash;
        sig->signature_algorithm = rows[i].signature;
        uint64_t before = reload_standin_counters(p->bob)->identifications;
        assert_int_equal(rows[i].error, reload_message_verify(p->b, &copy, signers_now, &signer));
        assert_true(before == reload_standin_counters(p->bob)->identifications);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIGNED(a_signed_message_names_its_signer),
        SIGNED(the_signature_covers_overlay_transaction_and_contents_and_nothing_else),
        SIGNED(a_bit_flipped_after_the_contents_never_verifies_as_something_else),
        SIGNED(the_bucket_holds_own_and_extra_certificates_once_each),
        SIGNED(signing_into_too_small_a_buffer_fails_at_every_size),
        SIGNED(a_message_whose_certificate_is_missing_expired_or_barred_is_refused),
        SIGNED(only_x509_certificates_count_and_one_seen_before_may_be_left_out),
        SIGNED(no_more_certificates_than_the_cap_are_looked_at),
        SIGNED(absent_and_weak_signatures_are_refused_unseen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
