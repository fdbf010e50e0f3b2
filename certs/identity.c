#include "certs/identity.h"

#include <openssl/err.h>

#include "certs/digest.h"
#include "certs/file.h"
#include "certs/pem.h"
#include "certs/self_signed.h"
#include "certs/trust.h"
#include "certs/uri.h"
#include "certs/x509.h"
#include "reload/wire/security_block.h"

#define SIGNER_IDENTITY_MAX (1 + 2 + 1 + 1 + RELOAD_DIGEST_MAX)

struct reload_cert_identity {
    struct reload_own_identity own;
    struct reload_cert *certificate;
    struct reload_cert_key key;
    struct reload_cert_bytes chain_bytes[RELOAD_CERT_CHAIN_MAX], bucket, private_key;
    struct reload_slice chain[RELOAD_CERT_CHAIN_MAX];
    size_t chain_count;
    uint8_t signer_identity[SIGNER_IDENTITY_MAX];
    struct reload_cert_hasher hasher;
    EVP_PKEY_CTX *sign; /* set up once: see certs/trust.c */
};

/* RFC 6940 s6.3.4: cert_hash for a certificate with one Node-ID, cert_hash_node_id for several. */
static int write_signer_identity(struct reload_cert_identity *i)
{
    bool several = i->certificate->identity.node_id_count > 1;
    struct reload_slice parts[2] = { { 0 }, i->own.certificate };
    uint8_t hash[RELOAD_DIGEST_MAX];
    size_t len;
    if (several)
        parts[0] = reload_node_id_slice(&i->own.node_id);
    int error = reload_cert_hasher_digest(&i->hasher, RELOAD_HASH_SHA256, parts, 2, hash, &len);
    if (error)
        return error;
    struct reload_signer_identity identity = {
        .type = several ? RELOAD_SIGNER_CERT_HASH_NODE_ID : RELOAD_SIGNER_CERT_HASH,
        .hash_algorithm = RELOAD_HASH_SHA256,
        .hash = { hash, len },
    };
    struct reload_writer w = reload_writer_of(i->signer_identity, sizeof i->signer_identity);
    error = reload_signer_identity_encode(&w, &identity);
    i->own.signer_identity = reload_writer_slice(&w);
    return error;
}

static int write_bucket(struct reload_cert_identity *i)
{
    size_t cap = 0;
    for (size_t k = 0; k < i->chain_count; k++)
        cap += 3 + i->chain[k].n;
    i->bucket = (struct reload_cert_bytes){ reload_alloc(cap), cap };
    if (!i->bucket.p)
        return RELOAD_E_NOMEM;
    struct reload_writer w = reload_writer_of(i->bucket.p, cap);
    for (size_t k = 0; k < i->chain_count; k++) {
        struct reload_certificate item = { RELOAD_CERTIFICATE_X509, i->chain[k] };
        int error = reload_certificate_encode(&w, &item);
        if (error)
            return error;
    }
    i->own.certificates = reload_writer_slice(&w);
    return 0;
}

/* Keeps the end entity and the intermediates; s6.3.4 leaves the roots out of what is sent. */
static int take_chain(struct reload_cert_identity *i, struct reload_slice text,
                      struct reload_cert_reason *reason)
{
    struct reload_cert_bytes list[RELOAD_CERT_CHAIN_MAX];
    size_t count = 0;
    int error = reload_cert_read_pem(text, list, RELOAD_CERT_CHAIN_MAX, &count);
    if (error)
        return reload_cert_refuse(reason, error,
                                  error == RELOAD_E_LIMIT
                                      ? "more than %d certificates in the chain"
                                      : "no certificate chain in PEM (of at most %d)",
                                  RELOAD_CERT_CHAIN_MAX);
    for (size_t k = 0; k < count; k++) {
        X509 *x509 = reload_cert_x509(reload_cert_bytes_slice(&list[k]));
        bool root =
            x509 && X509_NAME_cmp(X509_get_subject_name(x509), X509_get_issuer_name(x509)) == 0;
        X509_free(x509);
        if (k > 0 && root) {
            reload_cert_bytes_fini(&list[k]);
            continue;
        }
        i->chain_bytes[i->chain_count] = list[k];
        i->chain[i->chain_count++] = reload_cert_bytes_slice(&list[k]);
    }
    return reload_cert_parse(i->chain[0], true, &i->certificate, reason);
}

static int take_key(struct reload_cert_identity *i, const struct reload_cert_key *key,
                    struct reload_cert_reason *reason)
{
    if (EVP_PKEY_eq(i->certificate->key, key->pkey) != 1) {
        ERR_clear_error();
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE,
                                  "the private key is not the certificate's");
    }
    EVP_PKEY_up_ref(key->pkey);
    i->key.pkey = key->pkey;
    i->sign = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    bool ok = i->sign && EVP_PKEY_sign_init(i->sign) == 1 &&
              EVP_PKEY_CTX_set_signature_md(
                  i->sign, reload_cert_hasher_algorithm(&i->hasher, RELOAD_HASH_SHA256)) == 1;
    ERR_clear_error();
    return ok ? reload_cert_key_private(key, &i->private_key) : RELOAD_E_NOMEM;
}

static int check_overlay(const struct reload_cert *c, const struct reload_config *config,
                         struct reload_cert_reason *reason)
{
    if (!config)
        return 0;
    if (!reload_cert_overlay_name_equal(reload_cert_overlay(c), config->instance_name))
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE,
                                  "the certificate is for overlay %s, the document for %s",
                                  reload_cert_overlay(c), config->instance_name);
    if (c->node_ids[0].len != config->node_id_length)
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE,
                                  "the certificate has Node-IDs of %u bytes, the overlay of %u",
                                  c->node_ids[0].len, config->node_id_length);
    return 0;
}

static int fill(struct reload_cert_identity *i, struct reload_slice chain,
                const struct reload_cert_key *key, const struct reload_config *config,
                struct reload_cert_reason *reason)
{
    int error = reload_cert_hasher_init(&i->hasher);
    if (!error)
        error = take_chain(i, chain, reason);
    if (!error)
        error = take_key(i, key, reason);
    if (!error)
        error = check_overlay(i->certificate, config, reason);
    if (error)
        return error;
    const struct reload_identity *says = reload_cert_content(i->certificate);
    bool rsa = reload_cert_key_type(key) == RELOAD_CERT_KEY_RSA;
    i->own = (struct reload_own_identity){
        .node_id = says->node_ids[0],
        .user_name = says->user_name,
        .certificate = i->chain[0],
        .hash_algorithm = RELOAD_HASH_SHA256,
        .signature_algorithm = rsa ? RELOAD_SIGNATURE_RSA : RELOAD_SIGNATURE_ECDSA,
        .not_after_ms = says->not_after_ms,
        .self_signed = reload_cert_is_self_signed(i->certificate),
    };
    error = write_bucket(i);
    return error ? error : write_signer_identity(i);
}

int reload_cert_identity_new(struct reload_slice chain, const struct reload_cert_key *key,
                             const struct reload_config *config, struct reload_cert_identity **out,
                             struct reload_cert_reason *reason)
{
    *out = NULL;
    struct reload_cert_identity *i = reload_calloc(1, sizeof *i);
    if (!i)
        return reload_cert_refuse(reason, RELOAD_E_NOMEM, "no memory for an identity");
    int error = fill(i, chain, key, config, reason);
    if (error) {
        reload_cert_identity_free(i);
        return error;
    }
    *out = i;
    return 0;
}

int reload_cert_identity_load(const char *certificate_path, const char *key_path,
                              const struct reload_config *config, struct reload_cert_identity **out,
                              struct reload_cert_reason *reason)
{
    struct reload_cert_bytes chain = { 0 };
    struct reload_cert_key *key = NULL;
    struct reload_cert_reason why = { "no memory" };
    *out = NULL;
    int error = reload_cert_file_read(certificate_path, &chain, reason);
    if (!error)
        error = reload_cert_key_read(key_path, &key, reason);
    if (!error) {
        error = reload_cert_identity_new(reload_cert_bytes_slice(&chain), key, config, out, &why);
        if (error)
            error = reload_cert_refuse(reason, error, "%s: %s", certificate_path, why.text);
    }
    reload_cert_bytes_fini(&chain);
    reload_cert_key_free(key);
    return error;
}

void reload_cert_identity_free(struct reload_cert_identity *i)
{
    if (!i)
        return;
    EVP_PKEY_CTX_free(i->sign);
    EVP_PKEY_free(i->key.pkey);
    reload_cert_free(i->certificate);
    reload_cert_bytes_wipe(&i->private_key);
    reload_cert_bytes_fini(&i->bucket);
    for (size_t k = 0; k < i->chain_count; k++)
        reload_cert_bytes_fini(&i->chain_bytes[k]);
    reload_cert_hasher_fini(&i->hasher);
    reload_free(i);
}

int reload_cert_identity_check(const struct reload_cert_identity *i,
                               const struct reload_config *config, uint64_t now_unix_ms,
                               struct reload_cert_reason *reason)
{
    struct reload_trust *trust;
    const struct reload_identity *checked;
    int error = reload_trust_new(config, true, &trust, reason);
    if (error)
        return error;
    error = reload_trust_check(trust, i->chain, i->chain_count, now_unix_ms, &checked, reason);
    reload_trust_free(trust);
    return error;
}

int reload_cert_identity_select(struct reload_cert_identity *i,
                                const struct reload_node_id *node_id)
{
    const struct reload_identity *says = reload_cert_content(i->certificate);
    for (size_t k = 0; k < says->node_id_count; k++)
        if (reload_node_id_equal(&says->node_ids[k], node_id)) {
            i->own.node_id = *node_id;
            return write_signer_identity(i);
        }
    return RELOAD_E_NOT_FOUND;
}

const struct reload_own_identity *reload_cert_identity_own(const struct reload_cert_identity *i)
{
    return &i->own;
}

const struct reload_identity *reload_cert_identity_certificate(const struct reload_cert_identity *i)
{
    return reload_cert_content(i->certificate);
}

const char *reload_cert_identity_overlay(const struct reload_cert_identity *i)
{
    return reload_cert_overlay(i->certificate);
}

const struct reload_cert_key *reload_cert_identity_key(const struct reload_cert_identity *i)
{
    return &i->key;
}

const struct reload_slice *reload_cert_identity_chain(const struct reload_cert_identity *i,
                                                      size_t *count)
{
    *count = i->chain_count;
    return i->chain;
}

struct reload_slice reload_cert_identity_private_key(const struct reload_cert_identity *i)
{
    return reload_cert_bytes_slice(&i->private_key);
}

int reload_cert_identity_sign(const struct reload_cert_identity *identity,
                              const struct reload_slice *parts, size_t count, uint8_t *out,
                              size_t *len)
{
    /* What it is stays the same; the working memory of OpenSSL does not. */
    struct reload_cert_identity *i = (struct reload_cert_identity *)(uintptr_t)identity;
    uint8_t digest[RELOAD_DIGEST_MAX];
    size_t digest_len = 0;
    int error = reload_cert_hasher_digest(&i->hasher, RELOAD_HASH_SHA256, parts, count, digest,
                                          &digest_len);
    if (error)
        return error;
    *len = RELOAD_SIGNATURE_MAX;
    if (EVP_PKEY_sign(i->sign, out, len, digest, digest_len) == 1)
        return 0;
    ERR_clear_error();
    return RELOAD_E_NOMEM;
}
