#include "certs/lint.h"

#include <openssl/err.h>

#include "certs/uri.h"
#include "certs/x509.h"

static int broken(struct reload_cert_reason *reason, const char *rule)
{
    return reload_cert_refuse(reason, RELOAD_E_INVALID, "not issued: %s", rule);
}

static int lint_frame(X509 *x509, bool self_issued, struct reload_cert_reason *reason)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x509);
    int digest = NID_undef;
    X509_get_signature_info(x509, &digest, NULL, NULL, NULL);
    if (X509_get_version(x509) != X509_VERSION_3)
        return broken(reason, "the version is not 3");
    if (ASN1_STRING_length(serial) < 1 || ASN1_STRING_length(serial) > 20 ||
        ASN1_STRING_type(serial) != V_ASN1_INTEGER)
        return broken(reason, "the serial number is not positive and of at most 20 bytes");
    if (X509_NAME_entry_count(X509_get_issuer_name(x509)) == 0)
        return broken(reason, "the issuer is empty");
    if (!self_issued && X509_NAME_entry_count(X509_get_subject_name(x509)) != 0)
        return broken(reason, "the subject is not empty"); /* RFC 6940 s11.3 */
    if (digest != NID_sha256 && digest != NID_sha384 && digest != NID_sha512)
        return broken(reason, "it is not signed with SHA-256 or better");
    return 0;
}

static int lint_usage(X509 *x509, EVP_PKEY *key, bool self_issued,
                      struct reload_cert_reason *reason)
{
    uint32_t usage = EVP_PKEY_is_a(key, "RSA") ? KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT
                                               : KU_DIGITAL_SIGNATURE;
    uint32_t flags = X509_get_extension_flags(x509);
    if (flags & (EXFLAG_INVALID | EXFLAG_CRITICAL))
        return broken(reason, "an extension is malformed, or critical and unknown");
    if (!(flags & EXFLAG_BCONS) || (flags & EXFLAG_CA))
        return broken(reason, "BasicConstraints CA:FALSE is missing");
    if (!(flags & EXFLAG_KUSAGE) || X509_get_key_usage(x509) != usage)
        return broken(reason, "keyUsage is not what TLS with this key needs");
    if (!(flags & EXFLAG_XKUSAGE) ||
        X509_get_extended_key_usage(x509) != (XKU_SSL_SERVER | XKU_SSL_CLIENT))
        return broken(reason, "extendedKeyUsage is not for both sides of TLS");
    if (!X509_get0_subject_key_id(x509) || (!self_issued && !X509_get0_authority_key_id(x509)))
        return broken(reason, "a key identifier is missing");
    return 0;
}

static bool name_is(const GENERAL_NAME *name, int type, struct reload_slice text)
{
    const ASN1_STRING *s = type == GEN_URI ? name->d.uniformResourceIdentifier : name->d.rfc822Name;
    return name->type == type &&
           reload_slice_equal(
               reload_slice_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)), text);
}

/* s11.3: the Node-IDs in the exact form of s14.15, one user name, nothing else. */
static bool names_are(const GENERAL_NAMES *names, const struct reload_cert_lint *expected)
{
    size_t count = expected->node_id_count + (expected->user_name.n ? 1 : 0);
    if ((size_t)sk_GENERAL_NAME_num(names) != count)
        return false;
    for (size_t i = 0; i < expected->node_id_count; i++) {
        char uri[RELOAD_CERT_URI_TEXT_MAX];
        if (reload_cert_uri_print_node(&expected->node_ids[i], expected->overlay, uri,
                                       sizeof uri) ||
            !name_is(sk_GENERAL_NAME_value(names, (int)i), GEN_URI,
                     reload_slice_of(uri, strlen(uri))))
            return false;
    }
    return !expected->user_name.n ||
           name_is(sk_GENERAL_NAME_value(names, (int)count - 1), GEN_EMAIL, expected->user_name);
}

static int lint_names(X509 *x509, const struct reload_cert_lint *expected,
                      struct reload_cert_reason *reason)
{
    int critical = 0;
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, &critical, NULL);
    bool exact = names && names_are(names, expected);
    GENERAL_NAMES_free(names);
    if (critical != 1)
        return broken(reason, "the subjectAltName is not critical");
    return exact ? 0
                 : broken(reason, "the subjectAltName is not exactly the Node-IDs and user name");
}

int reload_cert_lint(struct reload_slice der, const struct reload_cert_lint *expected,
                     struct reload_cert_reason *reason)
{
    struct reload_cert *c;
    struct reload_cert_reason why = { "" };
    int error = reload_cert_parse(der, false, &c, &why);
    if (error)
        return error == RELOAD_E_NOMEM ? error : broken(reason, why.text);
    error = lint_frame(c->x509, c->self_issued, reason);
    if (!error)
        error = lint_usage(c->x509, c->key, c->self_issued, reason);
    if (!error)
        error = lint_names(c->x509, expected, reason);
    reload_cert_free(c);
    ERR_clear_error();
    return error;
}
