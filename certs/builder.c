#include "certs/builder.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "certs/uri.h"

bool reload_cert_add_name(GENERAL_NAMES *names, int type, struct reload_slice value)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *text = type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
    if (!name || !text || !ASN1_STRING_set(text, value.p, (int)value.n)) {
        ASN1_STRING_free(text);
        GENERAL_NAME_free(name);
        return false;
    }
    GENERAL_NAME_set0_value(name, type, text);
    if (sk_GENERAL_NAME_push(names, name) > 0)
        return true;
    GENERAL_NAME_free(name);
    return false;
}

static bool add_node_uri(GENERAL_NAMES *names, const struct reload_node_id *id, const char *overlay)
{
    char text[RELOAD_CERT_URI_TEXT_MAX];
    return !reload_cert_uri_print_node(id, overlay, text, sizeof text) &&
           reload_cert_add_name(names, GEN_URI, reload_slice_of(text, strlen(text)));
}

GENERAL_NAMES *reload_cert_node_names(const struct reload_node_id *ids, size_t count,
                                      const char *overlay, struct reload_slice user_name)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    bool ok = names != NULL;
    for (size_t i = 0; i < count && ok; i++)
        ok = add_node_uri(names, &ids[i], overlay);
    if (ok && user_name.n)
        ok = reload_cert_add_name(names, GEN_EMAIL, user_name);
    if (ok)
        return names;
    GENERAL_NAMES_free(names);
    ERR_clear_error();
    return NULL;
}

const char *reload_cert_key_usage(EVP_PKEY *public_key)
{
    return EVP_PKEY_is_a(public_key, "RSA") ? "critical,digitalSignature,keyEncipherment"
                                            : "critical,digitalSignature";
}

static bool set_serial(X509 *x509, struct reload_slice serial)
{
    BIGNUM *number = BN_bin2bn(serial.p, (int)serial.n, NULL);
    bool ok =
        number && !BN_is_zero(number) && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509));
    BN_free(number);
    return ok;
}

static bool set_public_key(X509 *x509, struct reload_slice public_key)
{
    const uint8_t *at = public_key.p;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)public_key.n);
    bool ok = pkey && at == public_key.p + public_key.n && X509_set_pubkey(x509, pkey);
    EVP_PKEY_free(pkey);
    return ok;
}

static bool set_names(X509 *x509, const struct reload_cert_plan *plan)
{
    X509_NAME *subject = X509_get_subject_name(x509);
    if (plan->common_name &&
        !X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                    (const unsigned char *)plan->common_name, -1, -1, 0))
        return false;
    return X509_set_issuer_name(x509, plan->issuer ? X509_get_subject_name(plan->issuer) : subject);
}

static bool set_validity(X509 *x509, const struct reload_cert_plan *plan)
{
    return ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)(plan->not_before_ms / 1000)) &&
           ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)(plan->not_after_ms / 1000));
}

static bool add_extensions(X509 *x509, const struct reload_cert_plan *plan)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, plan->issuer ? plan->issuer : x509, x509, NULL, NULL, 0);
    for (size_t i = 0; i < plan->extension_count; i++) {
        X509_EXTENSION *extension =
            X509V3_EXT_conf_nid(NULL, &context, plan->extensions[i].nid, plan->extensions[i].value);
        bool ok = extension && X509_add_ext(x509, extension, -1);
        X509_EXTENSION_free(extension);
        if (!ok)
            return false;
    }
    /* RFC 5280 s4.2.1.6: critical, since the subject is empty. */
    return !plan->alternative_names ||
           X509_add1_ext_i2d(x509, NID_subject_alt_name, plan->alternative_names, 1, 0) == 1;
}

static int check_plan(const struct reload_cert_plan *plan, struct reload_cert_reason *reason)
{
    if (plan->serial.n == 0 || plan->serial.n > 20 ||
        (plan->serial.n == 20 && plan->serial.p[0] > 0x7f))
        return reload_cert_refuse(reason, RELOAD_E_INVALID,
                                  "a serial number has 1 to 20 bytes and is positive");
    if (plan->not_before_ms >= plan->not_after_ms)
        return reload_cert_refuse(reason, RELOAD_E_INVALID,
                                  "the certificate would end before it begins");
    return 0;
}

int reload_cert_build(const struct reload_cert_plan *plan, X509 **out,
                      struct reload_cert_reason *reason)
{
    *out = NULL;
    int error = check_plan(plan, reason);
    if (error)
        return error;
    X509 *x509 = X509_new();
    bool ok = x509 && X509_set_version(x509, X509_VERSION_3) && set_serial(x509, plan->serial) &&
              set_names(x509, plan) && set_public_key(x509, plan->public_key) &&
              set_validity(x509, plan) && add_extensions(x509, plan) &&
              X509_sign(x509, plan->issuer_key, EVP_sha256());
    ERR_clear_error();
    if (!ok) {
        X509_free(x509);
        return reload_cert_refuse(
            reason, RELOAD_E_INVALID,
            "the certificate cannot be made: a name, key or date is unusable");
    }
    *out = x509;
    return 0;
}

int reload_cert_to_der(X509 *x509, struct reload_cert_bytes *out)
{
    unsigned char *der = NULL;
    int len = i2d_X509(x509, &der);
    return reload_cert_take_der(der, len, out);
}
