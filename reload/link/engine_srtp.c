#include "reload/link/engine_srtp.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/srtp.h>
#include <openssl/x509.h>
#include <string.h>

#include "reload/alloc.h"
#include "reload/link/engine_internal.h"

#define LABEL            "EXTRACTOR-dtls_srtp" /* RFC 5764 s4.2 */
#define CERTIFICATE_DAYS 30
#define DAY_S            86400
#define FIRST_TIMEOUT_US 100000u
#define LAST_TIMEOUT_US  3000000u

/* Best first. GCM authenticates and encrypts in one pass; the other one is RFC 5764's own. */
static const struct profile {
    unsigned long id;
    const char *name;
    size_t keys_len; /* two keys, two salts */
} profiles[] = {
    { SRTP_AEAD_AES_128_GCM, "SRTP_AEAD_AES_128_GCM", 2 * (16 + 12) },
    { SRTP_AES128_CM_SHA1_80, "SRTP_AES128_CM_SHA1_80", 2 * (16 + 14) },
};
#define PROFILES (sizeof profiles / sizeof *profiles)

struct reload_engine_srtp {
    const struct reload_link_identity_ops *given; /* NULL: self-made */
    void *given_context;
    unsigned char *certificate, *key; /* self-made, DER */
    struct reload_slice chain, private_key;
    uint8_t fingerprint[RELOAD_ENGINE_FINGERPRINT_LEN];
    struct reload_engine_context *context;
};

/* --- own certificate --- */

static void own(void *context, const struct reload_slice **chain, size_t *count,
                struct reload_slice *private_key)
{
    struct reload_engine_srtp *srtp = context;
    if (srtp->given) {
        srtp->given->own(srtp->given_context, chain, count, private_key);
        return;
    }
    *chain = &srtp->chain;
    *count = 1;
    *private_key = srtp->private_key;
}

/* Never asked: engines of this context know a fingerprint. */
static int trust_nobody(void *context, const struct reload_slice *chain, size_t count,
                        struct reload_time now, struct reload_link_peer *peer, char *reason,
                        size_t reason_cap)
{
    (void)context, (void)chain, (void)count, (void)now, (void)peer, (void)reason, (void)reason_cap;
    return RELOAD_E_CERTIFICATE;
}

static const struct reload_link_identity_ops identity_ops = { own, trust_nobody };

static bool fill_in(X509 *x509, EVP_PKEY *key, struct reload_time now)
{
    time_t from = (time_t)(now.unix_ms / 1000) - DAY_S;
    time_t until = from + (CERTIFICATE_DAYS + 1) * (time_t)DAY_S;
    X509_NAME *name = X509_get_subject_name(x509);
    BIGNUM *serial = BN_new();
    bool ok = serial && BN_rand(serial, 64, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
              BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x509)) &&
              X509_set_version(x509, X509_VERSION_3) == 1 &&
              X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"media",
                                         -1, -1, 0) == 1 &&
              X509_set_issuer_name(x509, name) == 1 &&
              ASN1_TIME_set(X509_getm_notBefore(x509), from) &&
              ASN1_TIME_set(X509_getm_notAfter(x509), until) && X509_set_pubkey(x509, key) == 1 &&
              X509_sign(x509, key, EVP_sha256()) > 0;
    BN_free(serial);
    return ok;
}

static int make_certificate(struct reload_engine_srtp *srtp, struct reload_time now)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    int certificate_len = 0, key_len = 0;
    if (key && x509 && fill_in(x509, key, now)) {
        certificate_len = i2d_X509(x509, &srtp->certificate);
        key_len = i2d_PrivateKey(key, &srtp->key);
    }
    X509_free(x509);
    EVP_PKEY_free(key);
    ERR_clear_error();
    if (certificate_len <= 0 || key_len <= 0)
        return RELOAD_E_NOMEM;
    srtp->chain = reload_slice_of(srtp->certificate, (size_t)certificate_len);
    srtp->private_key = reload_slice_of(srtp->key, (size_t)key_len);
    return 0;
}

static int set_up(struct reload_engine_srtp *srtp)
{
    SSL_CTX *dtls = srtp->context->dtls;
    char names[128];
    snprintf(names, sizeof names, "%s:%s", profiles[0].name, profiles[1].name);
    unsigned int n = 0;
    if (SSL_CTX_set_tlsext_use_srtp(dtls, names) != 0 || /* 0 is success, here only */
        X509_digest(SSL_CTX_get0_certificate(dtls), EVP_sha256(), srtp->fingerprint, &n) != 1) {
        ERR_clear_error();
        return RELOAD_E_NOMEM;
    }
    return 0;
}

int reload_engine_srtp_new(const struct reload_link_identity_ops *identity, void *identity_context,
                           const struct reload_log *log, struct reload_time now,
                           struct reload_engine_srtp **out)
{
    *out = NULL;
    struct reload_engine_srtp *srtp = reload_calloc(1, sizeof *srtp);
    if (!srtp)
        return RELOAD_E_NOMEM;
    srtp->given = identity;
    srtp->given_context = identity_context;
    int status = identity ? 0 : make_certificate(srtp, now);
    if (!status)
        status = reload_engine_context_new(&identity_ops, srtp, log, &srtp->context);
    if (!status)
        status = set_up(srtp);
    if (status) {
        reload_engine_srtp_free(srtp);
        return status;
    }
    *out = srtp;
    return 0;
}

void reload_engine_srtp_free(struct reload_engine_srtp *srtp)
{
    if (!srtp)
        return;
    reload_engine_context_free(srtp->context);
    OPENSSL_free(srtp->certificate);
    OPENSSL_clear_free(srtp->key, srtp->private_key.n);
    reload_free(srtp);
}

void reload_engine_srtp_fingerprint(const struct reload_engine_srtp *srtp,
                                    uint8_t out[RELOAD_ENGINE_FINGERPRINT_LEN])
{
    memcpy(out, srtp->fingerprint, sizeof srtp->fingerprint);
}

/* --- one handshake --- */

static unsigned int next_timeout_us(SSL *ssl, unsigned int before_us)
{
    (void)ssl;
    if (before_us == 0)
        return FIRST_TIMEOUT_US;
    return before_us < LAST_TIMEOUT_US / 2 ? before_us * 2 : LAST_TIMEOUT_US;
}

int reload_engine_srtp_open(struct reload_engine_srtp *srtp, enum reload_link_role role,
                            const uint8_t fingerprint[RELOAD_ENGINE_FINGERPRINT_LEN],
                            uint16_t path_len, struct reload_engine **out)
{
    /* Hellos come from the place that the signalling or ICE named: no cookie is asked for. */
    int status = reload_engine_new_datagram(srtp->context, role, NULL, path_len, false, out);
    if (status)
        return status;
    (*out)->by_fingerprint = true;
    memcpy((*out)->fingerprint, fingerprint, RELOAD_ENGINE_FINGERPRINT_LEN);
    DTLS_set_timer_cb((*out)->ssl, next_timeout_us);
    return 0;
}

int reload_engine_srtp_check(struct reload_engine *engine, X509_STORE_CTX *store)
{
    uint8_t shown[EVP_MAX_MD_SIZE];
    unsigned int n = 0;
    X509 *x509 = X509_STORE_CTX_get0_cert(store);
    if (x509 && X509_digest(x509, EVP_sha256(), shown, &n) == 1 &&
        n == sizeof engine->fingerprint && CRYPTO_memcmp(shown, engine->fingerprint, n) == 0)
        return 0;
    engine->untrusted = true;
    return reload_engine_fail(engine, RELOAD_E_CERTIFICATE,
                              "the far end's certificate is not the one that was signalled");
}

static const struct profile *agreed(const struct reload_engine *engine)
{
    const SRTP_PROTECTION_PROFILE *chosen = SSL_get_selected_srtp_profile(engine->ssl);
    for (size_t i = 0; chosen && i < PROFILES; i++)
        if (profiles[i].id == chosen->id)
            return &profiles[i];
    return NULL;
}

int reload_engine_srtp_keys(const struct reload_engine *engine, uint16_t *profile,
                            uint8_t out[RELOAD_ENGINE_SRTP_KEYS_MAX], size_t *len)
{
    if (!engine->done)
        return RELOAD_E_STATE;
    const struct profile *chosen = agreed(engine);
    if (!chosen)
        return RELOAD_E_UNSUPPORTED;
    *profile = (uint16_t)chosen->id;
    *len = chosen->keys_len;
    int result =
        SSL_export_keying_material(engine->ssl, out, *len, LABEL, sizeof LABEL - 1, NULL, 0, 0);
    ERR_clear_error();
    return result == 1 ? 0 : RELOAD_E_NOMEM;
}
