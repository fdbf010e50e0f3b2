#include "certs/ca.h"

#include <stdio.h>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include "certs/builder.h"
#include "certs/file.h"
#include "certs/lint.h"
#include "certs/pem.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct reload_cert_ca {
    X509 *x509;
    struct reload_cert_key *key;
    struct reload_cert_bytes der;
};

static int ca_new_take(X509 *x509, struct reload_cert_key *key, struct reload_cert_ca **out)
{
    *out = NULL;
    struct reload_cert_ca *ca = reload_calloc(1, sizeof *ca);
    if (!ca) {
        X509_free(x509);
        reload_cert_key_free(key);
        return RELOAD_E_NOMEM;
    }
    *ca = (struct reload_cert_ca){ .x509 = x509, .key = key };
    int error = reload_cert_to_der(x509, &ca->der);
    if (error) {
        reload_cert_ca_free(ca);
        return error;
    }
    *out = ca;
    return 0;
}

static int build_root(const struct reload_cert_key *key, const char *overlay,
                      uint64_t not_before_ms, uint64_t not_after_ms, X509 **out,
                      struct reload_cert_reason *reason)
{
    static const struct reload_cert_extension extensions[] = {
        { NID_basic_constraints, "critical,CA:TRUE,pathlen:0" },
        { NID_key_usage, "critical,keyCertSign,cRLSign" },
        { NID_subject_key_identifier, "hash" },
    };
    uint8_t serial[RELOAD_CERT_SERIAL_LEN];
    char name[65]; /* RFC 5280: a commonName has up to 64 characters */
    struct reload_cert_bytes public_key;

    snprintf(name, sizeof name, "RELOAD CA of %.51s", overlay);
    int error = reload_cert_serial_random(serial);
    if (!error)
        error = reload_cert_key_public(key, &public_key);
    if (error)
        return error;
    error = reload_cert_build(
        &(struct reload_cert_plan){ .public_key = reload_cert_bytes_slice(&public_key),
                                    .serial = { serial, sizeof serial },
                                    .common_name = name,
                                    .not_before_ms = not_before_ms,
                                    .not_after_ms = not_after_ms,
                                    .extensions = extensions,
                                    .extension_count = COUNT(extensions),
                                    .issuer_key = key->pkey },
        out, reason);
    reload_cert_bytes_fini(&public_key);
    return error;
}

int reload_cert_ca_create(enum reload_cert_key_type type, const char *overlay,
                          uint64_t not_before_ms, uint64_t not_after_ms,
                          struct reload_cert_ca **out, struct reload_cert_reason *reason)
{
    struct reload_cert_key *key;
    X509 *x509;
    *out = NULL;
    if (!overlay[0])
        return reload_cert_refuse(reason, RELOAD_E_INVALID, "an overlay needs a name");
    int error = reload_cert_key_generate(type, &key);
    if (error)
        return error;
    error = build_root(key, overlay, not_before_ms, not_after_ms, &x509, reason);
    if (error) {
        reload_cert_key_free(key);
        return error;
    }
    return ca_new_take(x509, key, out);
}

static int load_certificate(const char *path, X509 **out, struct reload_cert_reason *reason)
{
    struct reload_cert_bytes text, der = { 0 };
    *out = NULL;
    int error = reload_cert_file_read(path, &text, reason);
    if (error)
        return error;
    error = reload_cert_from_pem(reload_cert_bytes_slice(&text), &der);
    reload_cert_bytes_fini(&text);
    if (!error)
        *out = reload_cert_x509(reload_cert_bytes_slice(&der));
    reload_cert_bytes_fini(&der);
    if (!*out)
        return reload_cert_refuse(reason, error ? error : RELOAD_E_DECODE,
                                  "%s: no certificate in PEM or DER", path);
    return 0;
}

static int check_ca(X509 *x509, const struct reload_cert_key *key, const char *path,
                    struct reload_cert_reason *reason)
{
    bool ca = (X509_get_extension_flags(x509) & EXFLAG_BCONS) && X509_check_ca(x509) == 1;
    bool match = X509_check_private_key(x509, key->pkey) == 1;
    ERR_clear_error();
    if (!ca)
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE, "%s: not a CA's certificate", path);
    if (!match)
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE,
                                  "%s: the key is not this certificate's", path);
    return 0;
}

int reload_cert_ca_load(const char *certificate_path, const char *key_path,
                        struct reload_cert_ca **out, struct reload_cert_reason *reason)
{
    struct reload_cert_key *key = NULL;
    X509 *x509;
    *out = NULL;
    int error = load_certificate(certificate_path, &x509, reason);
    if (!error)
        error = reload_cert_key_read(key_path, &key, reason);
    if (!error)
        error = check_ca(x509, key, certificate_path, reason);
    if (error) {
        X509_free(x509);
        reload_cert_key_free(key);
        return error;
    }
    return ca_new_take(x509, key, out);
}

int reload_cert_ca_save(const struct reload_cert_ca *ca, const char *certificate_path,
                        const char *key_path, struct reload_cert_reason *reason)
{
    struct reload_slice der = reload_cert_ca_certificate(ca);
    struct reload_cert_bytes pem;
    int error = reload_cert_key_write(ca->key, key_path, reason);
    if (!error)
        error = reload_cert_pem(&der, 1, &pem);
    if (error)
        return error;
    error = reload_cert_file_write(certificate_path, reload_cert_bytes_slice(&pem), false, reason);
    reload_cert_bytes_fini(&pem);
    return error;
}

void reload_cert_ca_free(struct reload_cert_ca *ca)
{
    if (!ca)
        return;
    X509_free(ca->x509);
    reload_cert_key_free(ca->key);
    reload_cert_bytes_fini(&ca->der);
    reload_free(ca);
}

struct reload_slice reload_cert_ca_certificate(const struct reload_cert_ca *ca)
{
    return reload_cert_bytes_slice(&ca->der);
}

uint64_t reload_cert_ca_not_after_ms(const struct reload_cert_ca *ca)
{
    return reload_cert_time_ms(X509_get0_notAfter(ca->x509));
}

int reload_cert_serial_random(uint8_t serial[RELOAD_CERT_SERIAL_LEN])
{
    if (RAND_bytes(serial, RELOAD_CERT_SERIAL_LEN) != 1)
        return RELOAD_E_IO;
    serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40); /* positive, never zero, of constant length */
    return 0;
}

/* --- what is issued --- */

/* Signs a plan by this CA. */
static int issue(const struct reload_cert_ca *ca, struct reload_cert_plan *plan,
                 const char *extended_key_usage, struct reload_cert_bytes *der,
                 struct reload_cert_reason *reason)
{
    const uint8_t *at = plan->public_key.p;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)plan->public_key.n);
    int error = pkey ? reload_cert_pkey_check(pkey, reason)
                     : reload_cert_refuse(reason, RELOAD_E_INVALID, "no public key");
    const struct reload_cert_extension extensions[] = {
        { NID_basic_constraints, "critical,CA:FALSE" },
        { NID_key_usage, pkey ? reload_cert_key_usage(pkey) : "" },
        { NID_ext_key_usage, extended_key_usage },
        { NID_subject_key_identifier, "hash" },
        { NID_authority_key_identifier, "keyid:always" },
    };
    uint64_t end = reload_cert_ca_not_after_ms(ca);
    X509 *x509 = NULL;

    plan->extensions = extensions;
    plan->extension_count = COUNT(extensions);
    plan->issuer = ca->x509;
    plan->issuer_key = ca->key->pkey;
    plan->not_after_ms = plan->not_after_ms < end ? plan->not_after_ms : end;
    if (!error)
        error = reload_cert_build(plan, &x509, reason);
    if (!error)
        error = reload_cert_to_der(x509, der);
    X509_free(x509);
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return error;
}

static int check_issue(const struct reload_cert_issue *what, struct reload_cert_reason *reason)
{
    if (what->node_id_count == 0 || what->node_id_count > RELOAD_CERT_NODE_IDS_MAX)
        return reload_cert_refuse(reason, RELOAD_E_INVALID, "a certificate holds 1 to %d Node-IDs",
                                  RELOAD_CERT_NODE_IDS_MAX);
    return what->user_name.n ? reload_cert_user_name_check(what->user_name, reason) : 0;
}

int reload_cert_ca_issue(const struct reload_cert_ca *ca, const struct reload_cert_issue *what,
                         struct reload_cert_bytes *der, struct reload_cert_reason *reason)
{
    *der = (struct reload_cert_bytes){ 0 };
    int error = check_issue(what, reason);
    if (error)
        return error;
    GENERAL_NAMES *names =
        reload_cert_node_names(what->node_ids, what->node_id_count, what->overlay, what->user_name);
    if (!names)
        return reload_cert_refuse(reason, RELOAD_E_INVALID,
                                  "overlay name %s cannot stand in a reload URI", what->overlay);
    struct reload_cert_plan plan = { .public_key = what->public_key,
                                     .serial = what->serial,
                                     .not_before_ms = what->not_before_ms,
                                     .not_after_ms = what->not_after_ms,
                                     .alternative_names = names };
    error = issue(ca, &plan, "clientAuth,serverAuth", der, reason);
    GENERAL_NAMES_free(names);
    if (error)
        return error;
    error = reload_cert_lint(reload_cert_bytes_slice(der),
                             &(struct reload_cert_lint){ what->overlay, what->node_ids,
                                                         what->node_id_count, what->user_name },
                             reason);
    if (error)
        reload_cert_bytes_fini(der);
    return error;
}

/* A host name as a dNSName, an IP literal as an iPAddress. */
static bool add_host(GENERAL_NAMES *names, const char *host)
{
    uint8_t address[16];
    if (inet_pton(AF_INET, host, address) == 1)
        return reload_cert_add_name(names, GEN_IPADD, reload_slice_of(address, 4));
    if (inet_pton(AF_INET6, host, address) == 1)
        return reload_cert_add_name(names, GEN_IPADD, reload_slice_of(address, 16));
    return host[0] &&
           strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789-._*") == strlen(host) &&
           reload_cert_add_name(names, GEN_DNS, reload_slice_of(host, strlen(host)));
}

int reload_cert_ca_issue_server(const struct reload_cert_ca *ca,
                                const struct reload_cert_issue_server *what,
                                struct reload_cert_bytes *der, struct reload_cert_reason *reason)
{
    *der = (struct reload_cert_bytes){ 0 };
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    int error = what->name_count ? 0 : RELOAD_E_INVALID;
    for (size_t i = 0; i < what->name_count && !error; i++)
        if (!names || !add_host(names, what->names[i]))
            error = reload_cert_refuse(reason, RELOAD_E_INVALID,
                                       "%s is neither a host name nor an address", what->names[i]);
    struct reload_cert_plan plan = { .public_key = what->public_key,
                                     .serial = what->serial,
                                     .not_before_ms = what->not_before_ms,
                                     .not_after_ms = what->not_after_ms,
                                     .alternative_names = names };
    if (!error)
        error = issue(ca, &plan, "serverAuth", der, reason);
    GENERAL_NAMES_free(names);
    return error;
}
