#include "certs/trust.h"

#include <stdio.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "certs/cache.h"
#include "certs/chain.h"
#include "certs/digest.h"
#include "certs/refusals.h"
#include "certs/self_signed.h"
#include "certs/uri.h"
#include "reload/wire/security_block.h"

struct reload_trust {
    const struct reload_config *config;
    bool bare_node_id_uri;
    X509_STORE *roots; /* NULL after a failed configure(): nothing is accepted */
    struct reload_cert_cache *cache;
    struct reload_cert_refusals *refusals;
    struct reload_cert_hasher hasher;
    struct reload_trust_counters counters;
};

int reload_trust_new(const struct reload_config *config, bool bare_node_id_uri,
                     struct reload_trust **out, struct reload_cert_reason *reason)
{
    *out = NULL;
    struct reload_trust *trust = reload_calloc(1, sizeof *trust);
    if (!trust)
        return reload_cert_refuse(reason, RELOAD_E_NOMEM, "no memory to verify certificates");
    trust->bare_node_id_uri = bare_node_id_uri;
    int error = reload_cert_hasher_init(&trust->hasher);
    if (!error)
        error = reload_cert_cache_new(&trust->cache);
    if (!error && !(trust->refusals = reload_cert_refusals_new()))
        error = RELOAD_E_NOMEM;
    if (!error)
        error = reload_trust_configure(trust, config, reason);
    if (error) {
        reload_trust_free(trust);
        return error;
    }
    *out = trust;
    return 0;
}

void reload_trust_free(struct reload_trust *trust)
{
    if (!trust)
        return;
    reload_cert_cache_free(trust->cache);
    reload_cert_refusals_free(trust->refusals);
    reload_cert_hasher_fini(&trust->hasher);
    X509_STORE_free(trust->roots);
    reload_free(trust);
}

int reload_trust_configure(struct reload_trust *trust, const struct reload_config *config,
                           struct reload_cert_reason *reason)
{
    reload_cert_cache_clear(trust->cache);
    reload_cert_refusals_clear(trust->refusals);
    X509_STORE_free(trust->roots);
    trust->roots = NULL;
    trust->config = config;
    return reload_cert_chain_roots(config, &trust->roots, reason);
}

const struct reload_trust_counters *reload_trust_counters(const struct reload_trust *trust)
{
    return &trust->counters;
}

/* --- the rules for one certificate --- */

static int check_names(const struct reload_config *config, const struct reload_cert *c,
                       struct reload_cert_reason *reason)
{
    const struct reload_identity *says = reload_cert_content(c);
    char text[RELOAD_NODE_ID_TEXT];

    if (!reload_cert_overlay_name_equal(reload_cert_overlay(c), config->instance_name))
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE,
                                  "the certificate is for overlay %s, not for %s",
                                  reload_cert_overlay(c), config->instance_name);
    for (size_t i = 0; i < says->node_id_count; i++) {
        const struct reload_node_id *id = &says->node_ids[i];
        if (id->len != config->node_id_length)
            return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE,
                                      "Node-ID of %u bytes, the overlay's have %u", id->len,
                                      config->node_id_length);
        /* RFC 6940 s11.1: the whole certificate is not valid, whichever Node-ID acts. */
        if (reload_config_is_bad_node(config, id))
            return reload_cert_refuse(reason, RELOAD_E_FORBIDDEN,
                                      "Node-ID %s is a bad-node of the configuration",
                                      reload_node_id_text(id, text));
    }
    return 0;
}

/* RFC 6940 s7.1: the time is compared at every use, also for a certificate seen before. */
static int check_time(const struct reload_cert_window *window, uint64_t now_unix_ms,
                      struct reload_cert_reason *reason)
{
    if (now_unix_ms > window->not_after_ms)
        return reload_cert_refuse(reason, RELOAD_E_EXPIRED,
                                  "the certificate, or one above it, has expired");
    if (now_unix_ms < window->not_before_ms)
        return reload_cert_refuse(
            reason, RELOAD_E_EXPIRED,
            "the certificate, or one above it, is not valid yet: check the clock");
    return 0;
}

static int check_chain(struct reload_trust *trust, struct reload_cert *c,
                       const struct reload_slice *offered, size_t count, uint64_t now_unix_ms,
                       struct reload_cert_window *window, struct reload_cert_reason *reason)
{
    int error = reload_cert_chain_check(trust->roots, c->x509, offered, count, now_unix_ms, window,
                                        &c->issuers, reason);
    c->identity.issuers = reload_cert_bytes_slice(&c->issuers);
    return error;
}

static int check_origin(struct reload_trust *trust, struct reload_cert *c,
                        const struct reload_slice *offered, size_t count, uint64_t now_unix_ms,
                        struct reload_cert_window *window, struct reload_cert_reason *reason)
{
    if (!reload_cert_is_self_signed(c))
        return check_chain(trust, c, offered, count, now_unix_ms, window, reason);
    *window = (struct reload_cert_window){ c->identity.not_before_ms, c->identity.not_after_ms };
    int error = reload_cert_self_signed_check(trust->config, c, reason);
    return error ? error : check_time(window, now_unix_ms, reason);
}

/* Parses and checks one certificate in full and remembers it. */
static int accept(struct reload_trust *trust, struct reload_slice der,
                  const struct reload_slice *offered, size_t count, uint64_t now_unix_ms,
                  struct reload_cert_entry **out, struct reload_cert_reason *reason)
{
    struct reload_cert *c;
    struct reload_cert_window window;

    trust->counters.checked++;
    if (!trust->roots)
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE, "no usable configuration");
    int error = reload_cert_parse(der, trust->bare_node_id_uri, &c, reason);
    if (error)
        return error == RELOAD_E_NOMEM ? error : RELOAD_E_CERTIFICATE;
    error = check_names(trust->config, c, reason);
    if (!error)
        error = reload_cert_digest_check(c->x509, reason);
    if (!error)
        error = check_origin(trust, c, offered, count, now_unix_ms, &window, reason);
    if (error) {
        reload_cert_free(c);
        return error;
    }
    return reload_cert_cache_add_take(trust->cache, c, window, &trust->counters.evicted, out);
}

/* --- by what a certificate is known --- */

static int digest_name(struct reload_trust *trust, uint8_t type, uint8_t hash_algorithm,
                       const struct reload_node_id *node_id, struct reload_slice der,
                       uint8_t hash[RELOAD_DIGEST_MAX], struct reload_cert_name *out)
{
    /* RFC 6940 s6.3.4: H(certificate), or H(NodeId || certificate) with the NodeId unframed. */
    struct reload_slice parts[2] = { node_id ? reload_node_id_slice(node_id)
                                             : (struct reload_slice){ 0 },
                                     der };
    *out = (struct reload_cert_name){ type, hash_algorithm, { hash, 0 } };
    return reload_cert_hasher_digest(&trust->hasher, hash_algorithm, parts, 2, hash, &out->hash.n);
}

static int remember(struct reload_trust *trust, struct reload_cert_entry *entry, uint8_t type,
                    size_t index)
{
    const struct reload_identity *says = &entry->identity;
    const struct reload_node_id *id =
        type == RELOAD_SIGNER_CERT_HASH_NODE_ID ? &says->node_ids[index] : NULL;
    uint8_t hash[RELOAD_DIGEST_MAX];
    struct reload_cert_name name;
    int error = digest_name(trust, type, RELOAD_HASH_SHA256, id, says->certificate, hash, &name);
    return error ? error : reload_cert_cache_alias(trust->cache, entry, &name, index);
}

/* Under SHA-256 a certificate is known by all its names at once: as a whole, and with each Node-ID.
 */
static int remember_all(struct reload_trust *trust, struct reload_cert_entry *entry)
{
    int error = remember(trust, entry, RELOAD_SIGNER_CERT_HASH, 0);
    for (size_t i = 0; i < entry->identity.node_id_count && !error; i++)
        error = remember(trust, entry, RELOAD_SIGNER_CERT_HASH_NODE_ID, i);
    return error;
}

/* Checks a certificate that is not among the accepted ones, unless the same was refused before. */
static int admit_new(struct reload_trust *trust, struct reload_slice der,
                     const struct reload_slice *offered, size_t count, uint64_t now_unix_ms,
                     struct reload_cert_entry **out, struct reload_cert_reason *reason)
{
    struct reload_cert_refusals_key key;
    struct reload_cert_reason why = { "" };
    int error = reload_cert_refusals_key(&trust->hasher, der, offered, count, &key);
    if (error)
        return error;
    error = reload_cert_refusals_find(trust->refusals, &key, reason);
    if (error) {
        trust->counters.refused++;
        trust->counters.refused_again++;
        return error;
    }
    error = accept(trust, der, offered, count, now_unix_ms, out, &why);
    if (!error)
        error = remember_all(trust, *out);
    if (!error)
        return 0;
    trust->counters.refused++;
    reload_cert_refusals_add(trust->refusals, &key, error, &why);
    return reload_cert_refuse(reason, error, "%s", why.text);
}

/* The entry of a certificate: known, or checked now. */
static int admit(struct reload_trust *trust, struct reload_slice der,
                 const struct reload_slice *offered, size_t count, uint64_t now_unix_ms,
                 struct reload_cert_entry **out, struct reload_cert_reason *reason)
{
    uint8_t hash[RELOAD_DIGEST_MAX];
    struct reload_cert_name whole;
    size_t index;
    int error =
        digest_name(trust, RELOAD_SIGNER_CERT_HASH, RELOAD_HASH_SHA256, NULL, der, hash, &whole);
    if (error)
        return error;
    *out = reload_cert_cache_find(trust->cache, &whole, &index);
    if (!*out)
        return admit_new(trust, der, offered, count, now_unix_ms, out, reason);
    trust->counters.hits++;
    return check_time(&(*out)->window, now_unix_ms, reason);
}

int reload_trust_check(struct reload_trust *trust, const struct reload_slice *chain, size_t count,
                       uint64_t now_unix_ms, const struct reload_identity **out,
                       struct reload_cert_reason *reason)
{
    struct reload_cert_entry *entry;
    *out = NULL;
    if (count == 0)
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE, "no certificate was shown");
    int error = admit(trust, chain[0], chain + 1, count - 1, now_unix_ms, &entry, reason);
    if (!error)
        *out = &entry->identity;
    return error;
}

/* --- SignerIdentity --- */

/* Whether the certificate is the one that is named, and with which of its Node-IDs. */
static bool is_named(struct reload_trust *trust, struct reload_slice der,
                     const struct reload_cert_name *wanted, size_t *index)
{
    uint8_t hash[RELOAD_DIGEST_MAX];
    struct reload_cert_name name;
    *index = 0;
    if (wanted->type == RELOAD_SIGNER_CERT_HASH)
        return !digest_name(trust, wanted->type, wanted->hash_algorithm, NULL, der, hash, &name) &&
               reload_slice_equal(name.hash, wanted->hash);
    struct reload_cert *c;
    if (reload_cert_parse(der, trust->bare_node_id_uri, &c, NULL))
        return false;
    /* RFC 6940 s6.3.4: the verifier tries each Node-ID of each certificate. */
    bool found = false;
    for (size_t i = 0; i < c->identity.node_id_count && !found; i++) {
        *index = i;
        found = !digest_name(trust, wanted->type, wanted->hash_algorithm, &c->node_ids[i], der,
                             hash, &name) &&
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
        int error = admit(trust, signer, ders, count, now_unix_ms, out, reason);
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
        error = check_time(&entry->window, now_unix_ms, reason);
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
