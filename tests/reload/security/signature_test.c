#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "reload/security/bucket.h"
#include "reload/security/signature.h"
#include "tests/sim/standin.h"

static const struct reload_time now = { 1000, 1800000000000u };

/* --- two nodes --- */

struct pair {
    struct reload_standin_config config;
    struct reload_standin *alice, *bob;
    const struct reload_crypto *a, *b;
};

static struct reload_standin *node(struct pair *p, uint64_t number, const char *user,
                                   size_t node_ids)
{
    struct reload_node_id id = reload_standin_node_id(number);
    struct reload_standin_certificate c = reload_standin_certificate(&p->config.config, &id, user);
    for (; c.node_id_count < node_ids; c.node_id_count++)
        c.node_ids[c.node_id_count] = reload_standin_node_id(number + 1000 * c.node_id_count);
    struct reload_standin *s = reload_standin_new(&p->config.config, &c, node_ids - 1);
    assert_non_null(s);
    return s;
}

static int setup(void **state)
{
    struct pair *p = calloc(1, sizeof *p);
    reload_standin_config_init(&p->config);
    p->alice = node(p, 1, "alice@overlay.example", 1);
    p->bob = node(p, 2, "bob@overlay.example", 3);
    p->a = reload_standin_crypto(p->alice);
    p->b = reload_standin_crypto(p->bob);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct pair *p = *state;
    reload_standin_free(p->alice);
    reload_standin_free(p->bob);
    free(p);
    return 0;
}

/* --- messages --- */

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

static int verify(const struct reload_crypto *crypto, const struct sent *s,
                  struct reload_signer *signer)
{
    struct reload_message m;
    int error = reload_message_decode(reload_slice_of(s->bytes, s->len), 16, &m);
    return error ? error : reload_message_verify(crypto, &m, now, signer);
}

/* R6940-6.3-2 R6940-6.3.4-3 R6940-6.3.4-12 R6940-6.3.4-13 R6940-6.3.4-19 R6940-6.3.4-24 */
static void a_signed_message_names_its_signer(void **state)
{
    struct pair *p = *state;
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
    struct pair *p = *state;
    struct sent s;
    struct reload_signer signer;
    send_ping(p->a, reload_slice_of("", 0), &s);
    assert_int_equal(0, verify(p->b, &s, &signer)); /* b now remembers the certificate */
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
    struct pair *p = *state;
    struct sent s;
    send_ping(p->a, reload_slice_of("", 0), &s);
    for (size_t bit = 8 * (s.contents_at + s.contents_len); bit < 8 * s.len; bit++) {
        struct pair fresh; /* who has seen no certificate yet */
        reload_standin_config_init(&fresh.config);
        fresh.bob = node(&fresh, 3, NULL, 1);
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
    struct pair *p = *state;
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
    struct pair *p = *state;
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
    struct pair *p = *state;
    struct sent s;
    struct reload_signer signer;
    struct reload_message m;
    send_ping(p->a, reload_slice_of("", 0), &s);
    assert_int_equal(0, reload_message_decode(reload_slice_of(s.bytes, s.len), 16, &m));
    struct reload_slice bucket = m.security.certificates;
    m.security.certificates = reload_slice_of("", 0);
    assert_int_equal(RELOAD_E_CERTIFICATE, reload_message_verify(p->b, &m, now, &signer));
    m.security.certificates = p->b->own->certificates;
    assert_int_equal(RELOAD_E_CERTIFICATE, reload_message_verify(p->b, &m, now, &signer));
    m.security.certificates = bucket;
    struct reload_time late = { 0, p->a->own->not_after_ms + 1 };
    assert_int_equal(RELOAD_E_EXPIRED, reload_message_verify(p->b, &m, late, &signer));
    p->config.bad_nodes[0] = p->a->own->node_id; /* R6940-11.1-25 */
    p->config.config.bad_node_count = 1;
    p->b->ops->configure(p->b->context, &p->config.config);
    assert_int_equal(RELOAD_E_FORBIDDEN, reload_message_verify(p->b, &m, now, &signer));
    p->config.config.bad_node_count = 0;
    p->b->ops->configure(p->b->context, &p->config.config);
    assert_int_equal(0, reload_message_verify(p->b, &m, now, &signer));
}

/* R6940-6.3.4-2 R6940-6.3.4-7 */
static void only_x509_certificates_count_and_one_seen_before_may_be_left_out(void **state)
{
    struct pair *p = *state;
    struct sent s;
    struct reload_signer signer;
    struct reload_message m;
    send_ping(p->a, reload_slice_of("", 0), &s);
    assert_int_equal(0, reload_message_decode(reload_slice_of(s.bytes, s.len), 16, &m));
    uint8_t bucket[400];
    memcpy(bucket, m.security.certificates.p, m.security.certificates.n);
    m.security.certificates.p = bucket;
    assert_int_equal(RELOAD_CERTIFICATE_X509, bucket[0]);
    bucket[0] = 1; /* OpenPGP */
    assert_int_equal(RELOAD_E_CERTIFICATE, reload_message_verify(p->b, &m, now, &signer));
    bucket[0] = RELOAD_CERTIFICATE_X509;
    assert_int_equal(0, reload_message_verify(p->b, &m, now, &signer));
    m.security.certificates = reload_slice_of("", 0);
    assert_int_equal(0, reload_message_verify(p->b, &m, now, &signer));
}

static void no_more_certificates_than_the_cap_are_looked_at(void **state)
{
    struct pair *p = *state;
    struct sent s;
    struct reload_signer signer;
    struct reload_message m;
    send_ping(p->a, reload_slice_of("", 0), &s);
    assert_int_equal(0, reload_message_decode(reload_slice_of(s.bytes, s.len), 16, &m));
    uint8_t many[3 * (RELOAD_BUCKET_MAX + 1)] = { 0 }; /* empty certificates: 3 bytes each */
    m.security.certificates = reload_slice_of(many, sizeof many);
    assert_int_equal(RELOAD_E_LIMIT, reload_message_verify(p->b, &m, now, &signer));
    m.security.certificates.n -= 3;
    assert_int_equal(RELOAD_E_CERTIFICATE, reload_message_verify(p->b, &m, now, &signer));
    m.security.certificates.n--; /* cut inside the last one */
    assert_int_equal(RELOAD_E_DECODE, reload_message_verify(p->b, &m, now, &signer));
}

/* R6940-6.3.4-11 R6940-7.4.1.1-19 */
static void absent_and_weak_signatures_are_refused_unseen(void **state)
{
    struct pair *p = *state;
    struct sent s;
    struct reload_signer signer;
    struct reload_message m;
    send_ping(p->a, reload_slice_of("", 0), &s);
    assert_int_equal(0, reload_message_decode(reload_slice_of(s.bytes, s.len), 16, &m));
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
        assert_int_equal(rows[i].error, reload_message_verify(p->b, &copy, now, &signer));
        assert_true(before == reload_standin_counters(p->bob)->identifications);
    }
}

/* --- stored values --- */

static struct reload_stored_data value_of(enum reload_data_model model, uint32_t index,
                                          const char *key, const char *bytes)
{
    return (struct reload_stored_data){
        .storage_time_ms = 1700000000000,
        .lifetime_s = 60,
        .value = { .model = model,
                   .index = index,
                   .key = { (const uint8_t *)key, strlen(key) },
                   .data = { true, { (const uint8_t *)bytes, strlen(bytes) } } },
    };
}

static const struct reload_slice resource = { (const uint8_t *)"0123456789abcdef", 16 };
static const struct reload_slice no_certificates = { NULL, 0 };

/* R6940-7.1-1 R6940-7.1-2 R6940-6.3.4-10 */
static void a_value_signature_covers_place_time_and_value_and_not_the_lifetime(void **state)
{
    struct pair *p = *state;
    struct reload_signer signer;
    uint8_t made[RELOAD_SIGNATURE_MAX];
    struct reload_stored_data d = value_of(RELOAD_MODEL_DICTIONARY, 0, "key", "value");
    assert_int_equal(0, reload_value_sign(p->a, resource, 7, &d, made));
    d.signature.identity.raw = p->a->own->signer_identity;
    struct reload_slice bucket = p->a->own->certificates;
    assert_int_equal(0, reload_value_verify(p->b, resource, 7, &d, bucket, now, &signer));
    assert_true(reload_node_id_equal(&signer.node_id, &p->a->own->node_id));

    d.lifetime_s = 1;
    assert_int_equal(0, reload_value_verify(p->b, resource, 7, &d, bucket, now, &signer));
    assert_int_equal(RELOAD_E_SIGNATURE,
                     reload_value_verify(p->b, resource, 8, &d, bucket, now, &signer));
    struct reload_slice elsewhere = { resource.p, 15 };
    assert_int_equal(RELOAD_E_SIGNATURE,
                     reload_value_verify(p->b, elsewhere, 7, &d, bucket, now, &signer));
    struct reload_stored_data other = d;
    other.storage_time_ms++;
    assert_int_equal(RELOAD_E_SIGNATURE,
                     reload_value_verify(p->b, resource, 7, &other, bucket, now, &signer));
    other = d;
    other.value.data.exists = false;
    assert_int_equal(RELOAD_E_SIGNATURE,
                     reload_value_verify(p->b, resource, 7, &other, bucket, now, &signer));
    other = d;
    other.value.key.n--;
    assert_int_equal(RELOAD_E_SIGNATURE,
                     reload_value_verify(p->b, resource, 7, &other, bucket, now, &signer));
    other = d;
    other.value.data.value.n--;
    assert_int_equal(RELOAD_E_SIGNATURE,
                     reload_value_verify(p->b, resource, 7, &other, bucket, now, &signer));
}

/* Signs as the programs do that leave the Resource-ID's length out. */
static void sign_raw(const struct reload_crypto *crypto, struct reload_stored_data *d,
                     uint8_t *value)
{
    struct reload_value_signature_input in;
    size_t len;
    assert_int_equal(0, reload_value_sign(crypto, resource, 7, d, value));
    assert_int_equal(0, reload_value_signature_input(&in, RELOAD_RESOURCE_RAW, resource, 7, d,
                                                     crypto->own->signer_identity));
    assert_int_equal(
        0, crypto->ops->sign(crypto->context, in.parts, RELOAD_VALUE_SIGNATURE_PARTS, value, &len));
    d->signature.value = reload_slice_of(value, len);
    d->signature.identity.raw = crypto->own->signer_identity;
}

/* R6940-7.1-1 */
static void a_signature_without_the_resource_ids_length_needs_the_switch(void **state)
{
    struct pair *p = *state;
    struct reload_signer signer;
    uint8_t made[RELOAD_SIGNATURE_MAX];
    struct reload_stored_data d = value_of(RELOAD_MODEL_SINGLE, 0, "", "value");
    struct reload_slice bucket = p->a->own->certificates;
    struct reload_crypto tolerant = *p->b;
    tolerant.raw_resource_ids = true;
    sign_raw(p->a, &d, made);
    assert_int_equal(RELOAD_E_SIGNATURE,
                     reload_value_verify(p->b, resource, 7, &d, bucket, now, &signer));
    assert_int_equal(0, reload_value_verify(&tolerant, resource, 7, &d, bucket, now, &signer));
    assert_int_equal(RELOAD_E_SIGNATURE,
                     reload_value_verify(&tolerant, resource, 8, &d, bucket, now, &signer));
    assert_int_equal(0, reload_value_sign(p->a, resource, 7, &d, made));
    d.signature.identity.raw = p->a->own->signer_identity;
    assert_int_equal(0, reload_value_verify(&tolerant, resource, 7, &d, bucket, now, &signer));
}

/* R6940-7.1-3 R6940-7.1-5 */
static void a_value_is_unsigned_once_its_certificate_has_ended(void **state)
{
    struct pair *p = *state;
    struct reload_signer signer;
    uint8_t made[RELOAD_SIGNATURE_MAX];
    struct reload_stored_data d = value_of(RELOAD_MODEL_SINGLE, 0, "", "value");
    assert_int_equal(0, reload_value_sign(p->a, resource, 7, &d, made));
    d.signature.identity.raw = p->a->own->signer_identity;
    struct reload_time late = { 0, p->a->own->not_after_ms + 1 };
    assert_int_equal(
        0, reload_value_verify(p->b, resource, 7, &d, p->a->own->certificates, now, &signer));
    assert_int_equal(RELOAD_E_EXPIRED,
                     reload_value_verify(p->b, resource, 7, &d, no_certificates, late, &signer));
}

/* R6940-7.4.2.2-10 */
static void an_array_value_is_signed_under_index_0_wherever_it_lies(void **state)
{
    struct pair *p = *state;
    struct reload_signer signer;
    uint8_t made[RELOAD_SIGNATURE_MAX];
    struct reload_stored_data d = value_of(RELOAD_MODEL_ARRAY, RELOAD_ARRAY_LAST, "", "value");
    assert_int_equal(0, reload_value_sign(p->a, resource, 7, &d, made));
    d.signature.identity.raw = p->a->own->signer_identity;
    for (uint32_t index = 0; index < 5; index++) {
        d.value.index = index;
        assert_int_equal(
            0, reload_value_verify(p->b, resource, 7, &d, p->a->own->certificates, now, &signer));
    }
    struct reload_value_signature_input in;
    assert_int_equal(0, reload_value_signature_input(&in, RELOAD_RESOURCE_WITH_LENGTH, resource, 7,
                                                     &d, no_certificates));
    assert_int_equal(in.parts[0].n, 1 + 16 + 4 + 8 + 4);
    assert_memory_equal(in.parts[0].p + 29, "\0\0\0\0", 4);
}

static void a_resource_or_key_too_long_for_its_length_field_is_refused(void **state)
{
    struct pair *p = *state;
    static uint8_t bytes[UINT16_MAX + 1];
    uint8_t made[RELOAD_SIGNATURE_MAX];
    struct reload_stored_data d = value_of(RELOAD_MODEL_DICTIONARY, 0, "", "value");
    struct reload_slice longest = { bytes, RELOAD_RESOURCE_ID_MAX };
    assert_int_equal(0, reload_value_sign(p->a, longest, 7, &d, made));
    longest.n++;
    assert_int_equal(RELOAD_E_INVALID, reload_value_sign(p->a, longest, 7, &d, made));
    d.value.key = reload_slice_of(bytes, UINT16_MAX);
    assert_int_equal(0, reload_value_sign(p->a, resource, 7, &d, made));
    d.value.key.n++;
    assert_int_equal(RELOAD_E_INVALID, reload_value_sign(p->a, resource, 7, &d, made));
}

/* --- byte vectors of another implementation --- */

static struct reload_slice unhex(const json_t *object, const char *name, uint8_t *out)
{
    const char *text = json_string_value(json_object_get(object, name));
    assert_non_null(text);
    size_t n = strlen(text) / 2;
    for (size_t i = 0; i < n; i++) {
        char pair[] = { text[2 * i], text[2 * i + 1], 0 };
        out[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return reload_slice_of(out, n);
}

static struct reload_slice join(const struct reload_slice *parts, size_t count, uint8_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < parts[i].n; j++)
            out[n++] = parts[i].p[j];
    return reload_slice_of(out, n);
}

static enum reload_data_model model_of(const json_t *fields)
{
    const char *name = json_string_value(json_object_get(fields, "data_model"));
    if (name && strcmp(name, "ARRAY") == 0)
        return RELOAD_MODEL_ARRAY;
    return name && strcmp(name, "DICTIONARY") == 0 ? RELOAD_MODEL_DICTIONARY : RELOAD_MODEL_SINGLE;
}

/* R6940-7.1-1 R6940-7.4.2.2-10 */
static void stored_data_vectors_have_the_same_signed_bytes_in_both_readings(void **state)
{
    (void)state;
    json_t *rows = json_load_file(RELOAD_TEST_DATA "/vectors/danpascu_stored_data.json", 0, NULL);
    assert_int_equal(13, json_array_size(rows));
    size_t with_length = 0, corrected = 0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i), *fields = json_object_get(row, "fields");
        uint8_t wire[2000], id[16], wanted[2000], made[2000];
        struct reload_slice all = unhex(row, "hex", wire);
        struct reload_slice right = unhex(row, "tbs_hex", wanted);
        /* The vectors' author signed an append under index 0xffffffff. s7.4.2.2 says zero, and why:
         * the real index, which a fetch shows, would break the signature. */
        if (strstr(json_string_value(json_object_get(row, "name")), "array_append")) {
            assert_memory_equal(wanted + 28, "\xff\xff\xff\xff", 4);
            memset(wanted + 28, 0, 4);
            corrected++;
        }
        struct reload_reader r = reload_reader_over(all);
        struct reload_stored_data d;
        assert_int_equal(0, reload_stored_data_decode(&r, model_of(fields), &d));
        struct reload_value_signature_input in;
        enum reload_resource_framing framing = right.p[0] == 16 && right.p[1] == 0x45
                                                   ? RELOAD_RESOURCE_WITH_LENGTH
                                                   : RELOAD_RESOURCE_RAW;
        with_length += framing == RELOAD_RESOURCE_WITH_LENGTH;
        uint32_t kind = (uint32_t)json_integer_value(json_object_get(fields, "kind_id"));
        assert_int_equal(0, reload_value_signature_input(&in, framing,
                                                         unhex(fields, "resource_id", id), kind, &d,
                                                         d.signature.identity.raw));
        struct reload_slice got = join(in.parts, RELOAD_VALUE_SIGNATURE_PARTS, made);
        assert_int_equal(got.n, right.n);
        assert_memory_equal(got.p, right.p, right.n);
    }
    assert_int_equal(1, with_length);
    assert_int_equal(2, corrected);
    json_decref(rows);
}

/* R6940-6.3.4-16 */
static void signed_message_vectors_have_the_same_signed_bytes(void **state)
{
    (void)state;
    json_t *rows =
        json_load_file(RELOAD_TEST_DATA "/vectors/danpascu_signed_messages.json", 0, NULL);
    size_t checked = 0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        if (!json_object_get(row, "tbs_hex") || !json_object_get(row, "hex"))
            continue;
        static uint8_t wire[8000], wanted[8000], made[8000];
        struct reload_message m;
        if (reload_message_decode(unhex(row, "hex", wire), 16, &m))
            continue;
        struct reload_message_signature_input in;
        reload_message_signature_input(&in, m.header.overlay, m.header.transaction_id, m.contents,
                                       m.security.signature.identity.raw);
        struct reload_slice right = unhex(row, "tbs_hex", wanted);
        struct reload_slice got = join(in.parts, RELOAD_MESSAGE_SIGNATURE_PARTS, made);
        assert_int_equal(got.n, right.n);
        assert_memory_equal(got.p, right.p, right.n);
        checked++;
    }
    assert_true(checked >= 4);
    json_decref(rows);
}

#define WITH_PAIR(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PAIR(a_signed_message_names_its_signer),
        WITH_PAIR(the_signature_covers_overlay_transaction_and_contents_and_nothing_else),
        WITH_PAIR(a_bit_flipped_after_the_contents_never_verifies_as_something_else),
        WITH_PAIR(the_bucket_holds_own_and_extra_certificates_once_each),
        WITH_PAIR(signing_into_too_small_a_buffer_fails_at_every_size),
        WITH_PAIR(a_message_whose_certificate_is_missing_expired_or_barred_is_refused),
        WITH_PAIR(only_x509_certificates_count_and_one_seen_before_may_be_left_out),
        WITH_PAIR(no_more_certificates_than_the_cap_are_looked_at),
        WITH_PAIR(absent_and_weak_signatures_are_refused_unseen),
        WITH_PAIR(a_value_signature_covers_place_time_and_value_and_not_the_lifetime),
        WITH_PAIR(a_signature_without_the_resource_ids_length_needs_the_switch),
        WITH_PAIR(a_value_is_unsigned_once_its_certificate_has_ended),
        WITH_PAIR(an_array_value_is_signed_under_index_0_wherever_it_lies),
        WITH_PAIR(a_resource_or_key_too_long_for_its_length_field_is_refused),
        cmocka_unit_test(stored_data_vectors_have_the_same_signed_bytes_in_both_readings),
        cmocka_unit_test(signed_message_vectors_have_the_same_signed_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
