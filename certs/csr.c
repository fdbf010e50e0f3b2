#include "certs/csr.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "certs/builder.h"

static X509_REQ *decode(struct reload_slice request)
{
    const uint8_t *at = request.p;
    X509_REQ *req = d2i_X509_REQ(NULL, &at, (long)request.n);
    if (req && at != request.p + request.n) {
        X509_REQ_free(req);
        req = NULL;
    }
    if (!req) {
        BIO *bio = BIO_new_mem_buf(request.p, (int)request.n);
        req = bio ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;
        BIO_free(bio);
    }
    ERR_clear_error();
    return req;
}

/* RSA of 2048 to 4096 bits or P-256: what any RELOAD peer can verify. */
static int check_key(X509_REQ *req, struct reload_cert_reason *reason)
{
    struct reload_cert_reason why = { "its public key cannot be read" };
    EVP_PKEY *key = X509_REQ_get0_pubkey(req);
    if (!key || reload_cert_pkey_check(key, &why))
        return reload_cert_refuse(reason, RELOAD_E_UNSUPPORTED, "%s", why.text);
    if (EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) != 256)
        return reload_cert_refuse(reason, RELOAD_E_UNSUPPORTED,
                                  "EC key of %d bits: P-256 is issued here",
                                  EVP_PKEY_get_bits(key));
    return 0;
}

static int check_signature(X509_REQ *req, struct reload_cert_reason *reason)
{
    int digest = NID_undef, nid = X509_REQ_get_signature_nid(req);
    if (!OBJ_find_sigid_algs(nid, &digest, NULL) ||
        (digest != NID_sha256 && digest != NID_sha384 && digest != NID_sha512))
        return reload_cert_refuse(reason, RELOAD_E_UNSUPPORTED,
                                  "the request is signed with %s: SHA-256 or better is required",
                                  OBJ_nid2ln(nid));
    if (X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) == 1)
        return 0;
    return reload_cert_refuse(reason, RELOAD_E_SIGNATURE,
                              "the request's signature is not by the key in it");
}

/* Of the wanted extensions only the rfc822Name counts. */
static int read_user_name(X509_REQ *req, char *user_name, struct reload_cert_reason *reason)
{
    STACK_OF(X509_EXTENSION) *wanted = X509_REQ_get_extensions(req);
    int found = -1, error = 0;
    GENERAL_NAMES *names = X509V3_get_d2i(wanted, NID_subject_alt_name, &found, NULL);
    user_name[0] = '\0';
    if (names)
        error = reload_cert_rfc822_name(names, user_name, reason) ? RELOAD_E_INVALID : 0;
    else if (found != -1)
        error = reload_cert_refuse(reason, RELOAD_E_INVALID, "its subjectAltName is malformed");
    GENERAL_NAMES_free(names);
    sk_X509_EXTENSION_pop_free(wanted, X509_EXTENSION_free);
    if (!error && user_name[0])
        error = reload_cert_user_name_check(reload_slice_of(user_name, strlen(user_name)), reason);
    return error;
}

static int read_request(X509_REQ *req, struct reload_cert_csr *out,
                        struct reload_cert_reason *reason)
{
    unsigned char *der = NULL;
    int error = check_key(req, reason);
    if (!error)
        error = check_signature(req, reason);
    if (!error)
        error = read_user_name(req, out->user_name, reason);
    if (error)
        return error;
    int len = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(req), &der);
    return reload_cert_take_der(der, len, &out->public_key);
}

int reload_cert_csr_parse(struct reload_slice request, struct reload_cert_csr *out,
                          struct reload_cert_reason *reason)
{
    memset(out, 0, sizeof *out);
    if (request.n == 0 || request.n > RELOAD_CERT_CSR_MAX)
        return reload_cert_refuse(reason, RELOAD_E_LIMIT, "a request has 1 to %d bytes",
                                  RELOAD_CERT_CSR_MAX);
    X509_REQ *req = decode(request);
    if (!req)
        return reload_cert_refuse(reason, RELOAD_E_DECODE, "not a PKCS#10 request");
    int error = read_request(req, out, reason);
    X509_REQ_free(req);
    ERR_clear_error();
    return error;
}

void reload_cert_csr_fini(struct reload_cert_csr *csr)
{
    reload_cert_bytes_fini(&csr->public_key);
}

static bool want_user_name(X509_REQ *req, struct reload_slice user_name)
{
    STACK_OF(X509_EXTENSION) *wanted = NULL;
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    bool ok = names && reload_cert_add_name(names, GEN_EMAIL, user_name) &&
              X509V3_add1_i2d(&wanted, NID_subject_alt_name, names, 1, 0) == 1 &&
              X509_REQ_add_extensions(req, wanted);
    sk_X509_EXTENSION_pop_free(wanted, X509_EXTENSION_free);
    GENERAL_NAMES_free(names);
    return ok;
}

int reload_cert_csr_create(const struct reload_cert_key *key, struct reload_slice user_name,
                           struct reload_cert_bytes *der, struct reload_cert_reason *reason)
{
    unsigned char *bytes = NULL;
    *der = (struct reload_cert_bytes){ 0 };
    int error = user_name.n ? reload_cert_user_name_check(user_name, reason) : 0;
    if (error)
        return error;
    X509_REQ *req = X509_REQ_new();
    bool ok = req && X509_REQ_set_version(req, X509_REQ_VERSION_1) &&
              X509_REQ_set_pubkey(req, key->pkey) &&
              (!user_name.n || want_user_name(req, user_name)) &&
              X509_REQ_sign(req, key->pkey, EVP_sha256());
    int len = ok ? i2d_X509_REQ(req, &bytes) : -1;
    X509_REQ_free(req);
    return reload_cert_take_der(bytes, len, der);
}
