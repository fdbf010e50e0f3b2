#include "certs/trust_internal.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "reload/wire/security_block.h"

/* Whom a SignerIdentity names (RFC 6940 s6.3.4), and signatures. */

/* Whether the certificate is the one that is named, and with which of its Node-IDs. */
static bool is_named(struct reload_trust *trust, struct reload_slice der,
                     const struct reload_cert_name *wanted, size_t *index)
{
    uint8_t hash[RELOAD_DIGEST_MAX];
    struct reload_cert_name name;
    *index = 0;
    if (wanted->type == RELOAD_SIGNER_CERT_HASH)
        return !reload_trust_digest_name(trust, wanted->type, wanted->hash_algorithm, NULL, der,
                                         hash, &name) &&
               reload_slice_equal(name.hash, wanted->hash);
    struct reload_cert *c;
    if (reload_cert_parse(der, trust->bare_node_id_uri, &c, NULL))
        return false;
    /* RFC 6940 s6.3.4: the verifier tries each Node-ID of each certificate. */
    bool found = false;
    for (size_t i = 0; i < c->identity.node_id_count && !found; i++) {
        *index = i;
        found = !reload_trust_digest_name(trust, wanted->type, wanted->hash_algorithm,
                                          &c->node_ids[i], der, hash, &name) &&
                reload_slice_equal(name.hash, wanted->hash);
    }
    reload_cert_free(c);
    return found;
}

static int find_in_bucket(struct reload_trust *trust, struct reload_slice bucket,
                          const struct reload_cert_name *wanted, uint64_t now_unix_ms,
                          struct reload_cert_entry **out, size_t *index,
                          struct reload_cert_reason *reason)
{
    struct reload_slice ders[RELOAD_CERT_BUCKET_MAX];
    struct reload_reader list = reload_reader_over(bucket);
    struct reload_certificate item;
    size_t count = 0;

    while (count < RELOAD_CERT_BUCKET_MAX && reload_certificate_next(&list, &item))
        if (item.type == RELOAD_CERTIFICATE_X509)
            ders[count++] = item.certificate;
    for (size_t i = 0; i < count; i++) {
        if (!is_named(trust, ders[i], wanted, index))
            continue;
        struct reload_slice signer = ders[i];
        ders[i] = ders[--count]; /* the others may be its intermediates */
        int error = reload_trust_admit(trust, signer, ders, count, now_unix_ms, out, reason);
        return error ? error : reload_cert_cache_alias(trust->cache, *out, wanted, *index);
    }
    trust->counters.unknown++;
    return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE,
                              "no certificate for the signer among the %zu sent along", count);
}

static int read_name(struct reload_trust *trust, uint8_t type, struct reload_slice value,
                     struct reload_cert_name *out, struct reload_cert_reason *reason)
{
    if (type != RELOAD_SIGNER_CERT_HASH && type != RELOAD_SIGNER_CERT_HASH_NODE_ID)
        return reload_cert_refuse(reason, RELOAD_E_UNSUPPORTED, "SignerIdentity of type %u", type);
    struct reload_reader r = reload_reader_over(value);
    *out = (struct reload_cert_name){ .type = type, .hash_algorithm = reload_rd_u8(&r) };
    out->hash = reload_rd_opaque8(&r);
    if (reload_reader_finish(&r))
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE, "a malformed SignerIdentity");
    const EVP_MD *algorithm = reload_cert_hasher_algorithm(&trust->hasher, out->hash_algorithm);
    if (!algorithm)
        return reload_cert_refuse(reason, RELOAD_E_UNSUPPORTED,
                                  "SignerIdentity with hash algorithm %u", out->hash_algorithm);
    if (out->hash.n != (size_t)EVP_MD_get_size(algorithm))
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE,
                                  "SignerIdentity with a hash of %zu bytes", out->hash.n);
    return 0;
}

int reload_trust_identify(struct reload_trust *trust, struct reload_slice certificates,
                          uint8_t identity_type, struct reload_slice identity_value,
                          uint64_t now_unix_ms, struct reload_signer *out,
                          struct reload_cert_reason *reason)
{
    struct reload_cert_name wanted;
    size_t index = 0;
    int error = read_name(trust, identity_type, identity_value, &wanted, reason);
    if (error)
        return error;
    struct reload_cert_entry *entry = reload_cert_cache_find(trust->cache, &wanted, &index);
    if (entry) {
        trust->counters.hits++;
        error = reload_trust_check_time(&entry->window, now_unix_ms, reason);
    } else {
        error = find_in_bucket(trust, certificates, &wanted, now_unix_ms, &entry, &index, reason);
    }
    if (error)
        return error;
    if (wanted.type == RELOAD_SIGNER_CERT_HASH && entry->identity.node_id_count > 1)
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE,
                                  "cert_hash of a certificate with %zu Node-IDs does not say which",
                                  entry->identity.node_id_count);
    *out = (struct reload_signer){ &entry->identity, entry->identity.node_ids[index] };
    return 0;
}

/* --- signatures --- */

static bool pair_fits(const struct reload_cert_entry *entry, uint8_t hash_algorithm,
                      uint8_t signature_algorithm)
{
    if (hash_algorithm < RELOAD_HASH_SHA256 || hash_algorithm > RELOAD_HASH_SHA512)
        return false;
    int key = EVP_PKEY_get_base_id(entry->certificate->key);
    return signature_algorithm ==
           (key == EVP_PKEY_RSA ? RELOAD_SIGNATURE_RSA : RELOAD_SIGNATURE_ECDSA);
}

/* One context per certificate and digest, used for all its signatures: setting one up costs more
 * than an RSA verification. */
static int prepare(struct reload_cert_entry *entry, const EVP_MD *digest)
{
    if (entry->verify && entry->verify_digest == digest)
        return 0;
    EVP_PKEY_CTX_free(entry->verify);
    entry->verify_digest = digest;
    entry->verify = EVP_PKEY_CTX_new_from_pkey(NULL, entry->certificate->key, NULL);
    if (entry->verify && EVP_PKEY_verify_init(entry->verify) == 1 &&
        EVP_PKEY_CTX_set_signature_md(entry->verify, digest) == 1)
        return 0; /* an RSA context starts with RSASSA-PKCS1-v1_5 padding */
    EVP_PKEY_CTX_free(entry->verify);
    entry->verify = NULL;
    ERR_clear_error();
    return RELOAD_E_NOMEM;
}

int reload_trust_verify(struct reload_trust *trust, const struct reload_identity *identity,
                        uint8_t hash_algorithm, uint8_t signature_algorithm,
                        const struct reload_slice *parts, size_t count,
                        struct reload_slice signature)
{
    /* The identity is the first member of an entry of our cache, which is ours to change. */
    struct reload_cert_entry *entry = (struct reload_cert_entry *)(uintptr_t)identity;
    uint8_t digest[RELOAD_DIGEST_MAX];
    size_t len = 0;

    if (!pair_fits(entry, hash_algorithm, signature_algorithm))
        return RELOAD_E_UNSUPPORTED;
    int error = prepare(entry, reload_cert_hasher_algorithm(&trust->hasher, hash_algorithm));
    if (!error)
        error =
            reload_cert_hasher_digest(&trust->hasher, hash_algorithm, parts, count, digest, &len);
    if (error)
        return error;
    if (EVP_PKEY_verify(entry->verify, signature.p, signature.n, digest, len) == 1) {
        trust->counters.verified++;
        return 0;
    }
    trust->counters.forged++;
    ERR_clear_error(); /* a stale entry would confuse the TLS engine of this thread */
    return RELOAD_E_SIGNATURE;
}
