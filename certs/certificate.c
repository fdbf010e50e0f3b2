#include "certs/certificate.h"

#include <strings.h>
#include <time.h>

#include <openssl/err.h>

#include "certs/uri.h"
#include "certs/x509.h"

X509 *reload_cert_x509(struct reload_slice der)
{
    const uint8_t *at = der.p;
    X509 *x509 = der.n && der.n <= RELOAD_CERT_DER_MAX ? d2i_X509(NULL, &at, (long)der.n) : NULL;
    ERR_clear_error();
    if (x509 && at != der.p + der.n) { /* hidden bytes would make two hashes of one certificate */
        X509_free(x509);
        return NULL;
    }
    return x509;
}

uint64_t reload_cert_time_ms(const ASN1_TIME *time)
{
    struct tm tm;
    if (!ASN1_TIME_to_tm(time, &tm))
        return 0;
    time_t seconds = timegm(&tm);
    return seconds > 0 ? (uint64_t)seconds * 1000 : 0;
}

int reload_cert_digest_check(X509 *x509, struct reload_cert_reason *reason)
{
    int digest = NID_undef, key = NID_undef, bits = 0;
    if (!X509_get_signature_info(x509, &digest, &key, &bits, NULL) || bits < 112) {
        ERR_clear_error();
        return reload_cert_refuse(
            reason, RELOAD_E_CERTIFICATE,
            "the certificate is signed with %s: SHA-256 or better is required",
            digest == NID_undef ? "an unknown digest" : OBJ_nid2ln(digest));
    }
    return 0;
}

int reload_cert_rfc822_name(const GENERAL_NAMES *names, char out[RELOAD_CERT_USER_NAME_MAX + 1],
                            struct reload_cert_reason *reason)
{
    size_t found = 0;
    out[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_EMAIL)
            continue;
        if (found++) /* s11.3: a single name */
            return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE, "it holds several user names");
        size_t len = (size_t)ASN1_STRING_length(name->d.rfc822Name);
        const uint8_t *text = ASN1_STRING_get0_data(name->d.rfc822Name);
        if (len == 0 || len > RELOAD_CERT_USER_NAME_MAX)
            return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE, "its user name is of %zu bytes",
                                      len);
        for (size_t k = 0; k < len; k++) {
            if (text[k] < 0x20 || text[k] > 0x7e)
                return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE,
                                          "byte 0x%02x in its user name", text[k]);
            out[k] = (char)text[k];
        }
        out[len] = '\0';
    }
    return 0;
}

static int add_node_id(struct reload_cert *c, const struct reload_node_id *id,
                       struct reload_cert_reason *reason)
{
    size_t *count = &c->identity.node_id_count;
    if (*count == RELOAD_CERT_NODE_IDS_MAX)
        return reload_cert_refuse(reason, RELOAD_E_LIMIT, "it holds more than %d Node-IDs",
                                  RELOAD_CERT_NODE_IDS_MAX);
    for (size_t i = 0; i < *count; i++) {
        if (c->node_ids[i].len != id->len)
            return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE,
                                      "it holds Node-IDs of %u and of %u bytes", c->node_ids[i].len,
                                      id->len);
        if (reload_node_id_equal(&c->node_ids[i], id))
            return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE, "it holds a Node-ID twice");
    }
    c->node_ids[(*count)++] = *id;
    return 0;
}

static int add_uri(struct reload_cert *c, struct reload_slice text, bool bare,
                   struct reload_cert_reason *reason)
{
    struct reload_cert_uri uri;
    struct reload_node_id id;
    if (text.n < 7 || strncasecmp((const char *)text.p, "reload:", 7) != 0)
        return 0; /* some other name, none of ours */
    if (reload_cert_uri_parse(text, &uri) || uri.specifier_len)
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE, "its URI %.*s is malformed",
                                  (int)(text.n < 120 ? text.n : 120), (const char *)text.p);
    if (reload_cert_uri_node_id(&uri, bare, &id)) /* s11.3: a single entry of type node */
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE,
                                  "its URI %.*s is not that of a single Node-ID",
                                  (int)(text.n < 120 ? text.n : 120), (const char *)text.p);
    if (c->overlay[0] && !reload_cert_overlay_name_equal(c->overlay, uri.overlay))
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE, "it names two overlays, %s and %s",
                                  c->overlay, uri.overlay);
    memcpy(c->overlay, uri.overlay, sizeof c->overlay);
    return add_node_id(c, &id, reason);
}

static int read_names(struct reload_cert *c, const GENERAL_NAMES *names, bool bare,
                      struct reload_cert_reason *reason)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_URI)
            continue;
        const ASN1_STRING *text = name->d.uniformResourceIdentifier;
        int error = add_uri(
            c, reload_slice_of(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text)), bare,
            reason);
        if (error)
            return error;
    }
    if (c->identity.node_id_count == 0)
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE, "it holds no Node-ID");
    return reload_cert_rfc822_name(names, c->user_name, reason);
}

static int read_alternative_names(struct reload_cert *c, bool bare,
                                  struct reload_cert_reason *reason)
{
    int critical = 0;
    GENERAL_NAMES *names = X509_get_ext_d2i(c->x509, NID_subject_alt_name, &critical, NULL);
    ERR_clear_error();
    if (!names)
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE,
                                  critical == -2
                                      ? "it has two subjectAltName extensions"
                                      : "it has no subjectAltName: no node's certificate");
    int error = read_names(c, names, bare, reason);
    GENERAL_NAMES_free(names);
    return error;
}

static int read_key(struct reload_cert *c, struct reload_cert_reason *reason)
{
    struct reload_cert_reason why = { "" };
    unsigned char *der = NULL;

    c->key = X509_get_pubkey(c->x509);
    ERR_clear_error();
    if (!c->key)
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE, "its public key cannot be read");
    if (reload_cert_pkey_check(c->key, &why))
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE, "%s", why.text);
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c->x509), &der);
    return reload_cert_take_der(der, len, &c->public_key);
}

static int fill(struct reload_cert *c, struct reload_slice der, bool bare,
                struct reload_cert_reason *reason)
{
    if (der.n > RELOAD_CERT_DER_MAX)
        return reload_cert_refuse(reason, RELOAD_E_LIMIT, "a certificate of %zu bytes", der.n);
    c->x509 = reload_cert_x509(der);
    if (!c->x509)
        return reload_cert_refuse(reason, RELOAD_E_DECODE, "not one X.509 certificate in DER");
    c->der = (struct reload_cert_bytes){ reload_memdup(der.p, der.n), der.n };
    if (!c->der.p)
        return RELOAD_E_NOMEM;
    int error = read_key(c, reason);
    if (!error)
        error = read_alternative_names(c, bare, reason);
    if (error)
        return error;
    c->self_issued =
        X509_NAME_cmp(X509_get_subject_name(c->x509), X509_get_issuer_name(c->x509)) == 0;
    c->identity.certificate = reload_cert_bytes_slice(&c->der);
    c->identity.node_ids = c->node_ids;
    c->identity.user_name = reload_slice_of(c->user_name, strlen(c->user_name));
    c->identity.not_before_ms = reload_cert_time_ms(X509_get0_notBefore(c->x509));
    c->identity.not_after_ms = reload_cert_time_ms(X509_get0_notAfter(c->x509));
    return 0;
}

int reload_cert_parse(struct reload_slice der, bool bare_node_id_uri, struct reload_cert **out,
                      struct reload_cert_reason *reason)
{
    *out = NULL;
    struct reload_cert *c = reload_calloc(1, sizeof *c);
    if (!c)
        return reload_cert_refuse(reason, RELOAD_E_NOMEM, "no memory for a certificate");
    int error = fill(c, der, bare_node_id_uri, reason);
    if (error) {
        reload_cert_free(c);
        return error;
    }
    *out = c;
    return 0;
}

void reload_cert_compact(struct reload_cert *c)
{
    X509_free(c->x509);
    c->x509 = NULL;
}

void reload_cert_free(struct reload_cert *c)
{
    if (!c)
        return;
    X509_free(c->x509);
    EVP_PKEY_free(c->key);
    reload_cert_bytes_fini(&c->der);
    reload_cert_bytes_fini(&c->public_key);
    reload_cert_bytes_fini(&c->issuers);
    reload_free(c);
}

const struct reload_identity *reload_cert_content(const struct reload_cert *c)
{
    return &c->identity;
}

const char *reload_cert_overlay(const struct reload_cert *c)
{
    return c->overlay;
}

struct reload_slice reload_cert_public_key(const struct reload_cert *c)
{
    return reload_cert_bytes_slice(&c->public_key);
}

bool reload_cert_is_self_issued(const struct reload_cert *c)
{
    return c->self_issued;
}

uint64_t reload_cert_valid_from_ms(uint64_t now_unix_ms)
{
    const uint64_t back_ms = 3600 * 1000;
    return now_unix_ms > back_ms ? now_unix_ms - back_ms : 0;
}

int reload_cert_user_name_check(struct reload_slice name, struct reload_cert_reason *reason)
{
    const uint8_t *at = name.n ? memchr(name.p, '@', name.n) : NULL;
    if (name.n == 0 || name.n > RELOAD_CERT_USER_NAME_MAX)
        return reload_cert_refuse(reason, RELOAD_E_INVALID, "a user name has 1 to %d bytes",
                                  RELOAD_CERT_USER_NAME_MAX);
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= 0x20 || name.p[i] > 0x7e) /* s11.3: legal characters only, no NUL */
            return reload_cert_refuse(reason, RELOAD_E_INVALID, "byte 0x%02x in the user name",
                                      name.p[i]);
    if (!at || at == name.p || at + 1 == name.p + name.n ||
        memchr(at + 1, '@', (size_t)(name.p + name.n - at - 1)))
        return reload_cert_refuse(reason, RELOAD_E_INVALID,
                                  "a user name has the form local@domain, as in alice@example.org");
    for (; at < name.p + name.n; at++)
        if (*at >= 'A' && *at <= 'Z') /* its hash is the Resource-ID: one spelling only */
            return reload_cert_refuse(reason, RELOAD_E_INVALID,
                                      "the domain of a user name is written in lower case");
    return 0;
}
