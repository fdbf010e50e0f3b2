#include "certs/key.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "certs/file.h"
#include "certs/x509.h"

#define RSA_BITS     2048
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096 /* RELOAD_SIGNATURE_MAX, and what a peer may make us compute */

int reload_cert_key_type_parse(const char *word, enum reload_cert_key_type *out)
{
    if (strcmp(word, "ec") != 0 && strcmp(word, "rsa") != 0)
        return RELOAD_E_INVALID;
    *out = word[0] == 'e' ? RELOAD_CERT_KEY_EC : RELOAD_CERT_KEY_RSA;
    return 0;
}

static int wrap(EVP_PKEY *pkey, struct reload_cert_key **out)
{
    *out = pkey ? reload_alloc(sizeof **out) : NULL;
    if (!*out) {
        EVP_PKEY_free(pkey);
        ERR_clear_error();
        return RELOAD_E_NOMEM;
    }
    (*out)->pkey = pkey;
    return 0;
}

int reload_cert_key_generate(enum reload_cert_key_type type, struct reload_cert_key **out)
{
    return wrap(type == RELOAD_CERT_KEY_RSA ? EVP_RSA_gen(RSA_BITS) : EVP_EC_gen("P-256"), out);
}

static int check_ec(EVP_PKEY *pkey, struct reload_cert_reason *reason)
{
    static const char *const curves[] = { "prime256v1", "P-256",     "secp384r1",
                                          "P-384",      "secp521r1", "P-521" };
    char name[64] = "unnamed";
    size_t len = 0;
    EVP_PKEY_get_group_name(pkey, name, sizeof name, &len);
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
        if (strcmp(name, curves[i]) == 0)
            return 0;
    return reload_cert_refuse(reason, RELOAD_E_INVALID,
                              "EC key on curve %s: P-256, P-384 and P-521 are accepted", name);
}

int reload_cert_pkey_check(EVP_PKEY *pkey, struct reload_cert_reason *reason)
{
    if (EVP_PKEY_is_a(pkey, "EC"))
        return check_ec(pkey, reason);
    if (!EVP_PKEY_is_a(pkey, "RSA"))
        return reload_cert_refuse(reason, RELOAD_E_INVALID,
                                  "the key is neither RSA nor EC, the two kinds RELOAD signs with");
    int bits = EVP_PKEY_get_bits(pkey);
    if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
        return reload_cert_refuse(reason, RELOAD_E_INVALID,
                                  "RSA key of %d bits: %d to %d are accepted", bits, RSA_BITS_MIN,
                                  RSA_BITS_MAX);
    return 0;
}

/* A file with a pass phrase must not make a server ask the terminal for it. */
static int no_pass_phrase(char *buffer, int size, int writing, void *context)
{
    (void)buffer, (void)size, (void)writing, (void)context;
    return -1;
}

static EVP_PKEY *decode(struct reload_slice bytes)
{
    if (bytes.n > RELOAD_CERT_FILE_MAX)
        return NULL;
    BIO *bio = BIO_new_mem_buf(bytes.p, (int)bytes.n);
    EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL) : NULL;
    BIO_free(bio);
    const uint8_t *at = bytes.p;
    if (!pkey && bytes.n)
        pkey = d2i_AutoPrivateKey(NULL, &at, (long)bytes.n);
    ERR_clear_error();
    return pkey;
}

int reload_cert_key_parse(struct reload_slice bytes, struct reload_cert_key **out,
                          struct reload_cert_reason *reason)
{
    *out = NULL;
    EVP_PKEY *pkey = decode(bytes);
    if (!pkey)
        return reload_cert_refuse(reason, RELOAD_E_DECODE,
                                  "no private key in PEM (without pass phrase) or DER");
    int error = reload_cert_pkey_check(pkey, reason);
    if (error) {
        EVP_PKEY_free(pkey);
        return error;
    }
    return wrap(pkey, out);
}

int reload_cert_key_read(const char *path, struct reload_cert_key **out,
                         struct reload_cert_reason *reason)
{
    struct reload_cert_bytes bytes;
    struct reload_cert_reason why = { "" };
    *out = NULL;
    int error = reload_cert_file_read_secret(path, &bytes, reason);
    if (error)
        return error;
    error = reload_cert_key_parse(reload_cert_bytes_slice(&bytes), out, &why);
    reload_cert_bytes_wipe(&bytes);
    return error ? reload_cert_refuse(reason, error, "%s: %s", path, why.text) : 0;
}

int reload_cert_key_write(const struct reload_cert_key *key, const char *path,
                          struct reload_cert_reason *reason)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    char *pem = NULL;
    int error = RELOAD_E_NOMEM;
    if (bio && PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL)) {
        long len = BIO_get_mem_data(bio, &pem);
        error = reload_cert_file_write(path, reload_slice_of(pem, (size_t)len), true, reason);
    }
    BIO_free(bio);
    ERR_clear_error();
    return error;
}

void reload_cert_key_free(struct reload_cert_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    reload_free(key);
}

enum reload_cert_key_type reload_cert_key_type(const struct reload_cert_key *key)
{
    return EVP_PKEY_is_a(key->pkey, "RSA") ? RELOAD_CERT_KEY_RSA : RELOAD_CERT_KEY_EC;
}

int reload_cert_take_der(unsigned char *der, int len, struct reload_cert_bytes *out)
{
    *out = (struct reload_cert_bytes){ 0 };
    if (len > 0)
        out->p = reload_memdup(der, (size_t)len);
    if (out->p)
        out->n = (size_t)len;
    if (der && len > 0)
        OPENSSL_cleanse(der, (size_t)len); /* it may be a private key */
    OPENSSL_free(der);
    if (!out->p)
        ERR_clear_error();
    return out->p ? 0 : RELOAD_E_NOMEM;
}

int reload_cert_key_public(const struct reload_cert_key *key, struct reload_cert_bytes *out)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key->pkey, &der);
    return reload_cert_take_der(der, len, out);
}

int reload_cert_key_private(const struct reload_cert_key *key, struct reload_cert_bytes *out)
{
    unsigned char *der = NULL;
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key->pkey);
    int len = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
    PKCS8_PRIV_KEY_INFO_free(info);
    return reload_cert_take_der(der, len, out);
}
