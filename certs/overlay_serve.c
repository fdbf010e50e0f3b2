#include <openssl/x509v3.h>
#include <stdio.h>

#include "certs/ca.h"
#include "certs/certificate.h"
#include "certs/file.h"
#include "certs/overlay_dir_internal.h"

/* An overlay's folder made ready for a server at a certain address. */

#define NAMES_MAX 33
#define HOST_CAP  256

struct names { /* of the present HTTPS certificate */
    char text[NAMES_MAX][HOST_CAP];
    const char *list[NAMES_MAX];
    size_t count;
};

static void add_name(struct names *names, const char *text, size_t len)
{
    if (names->count >= NAMES_MAX || len >= HOST_CAP)
        return;
    snprintf(names->text[names->count], HOST_CAP, "%.*s", (int)len, text);
    names->list[names->count] = names->text[names->count];
    names->count++;
}

static void add_address(struct names *names, const uint8_t *p, int len)
{
    char text[HOST_CAP] = "";
    if (len == 4)
        snprintf(text, sizeof text, "%u.%u.%u.%u", p[0], p[1], p[2], p[3]);
    for (int i = 0; len == 16 && i < 16; i += 2)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%x", i ? ":" : "",
                 (unsigned)(p[i] << 8 | p[i + 1]));
    if (text[0])
        add_name(names, text, strlen(text));
}

static void collect(const X509 *x509, struct names *names)
{
    GENERAL_NAMES *list = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(list); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(list, i);
        if (name->type == GEN_DNS)
            add_name(names, (const char *)ASN1_STRING_get0_data(name->d.dNSName),
                     (size_t)ASN1_STRING_length(name->d.dNSName));
        if (name->type == GEN_IPADD)
            add_address(names, ASN1_STRING_get0_data(name->d.iPAddress),
                        ASN1_STRING_length(name->d.iPAddress));
    }
    GENERAL_NAMES_free(list);
}

static int load_https(const char *directory, X509 **out, struct reload_cert_reason *reason)
{
    struct reload_cert_bytes file = { 0 }, der = { 0 };
    char *path = reload_cert_file_path(directory, RELOAD_CERT_HTTPS_PEM);
    int error = path ? reload_cert_file_read(path, &file, reason) : reload_cert_no_memory(reason);
    if (!error)
        error = reload_cert_from_pem(reload_cert_bytes_slice(&file), &der);
    const unsigned char *p = der.p;
    *out = error ? NULL : d2i_X509(NULL, &p, (long)der.n);
    reload_cert_bytes_fini(&file);
    reload_cert_bytes_fini(&der);
    reload_free(path);
    return error || *out ? error : RELOAD_E_DECODE;
}

static int load_ca(const char *directory, struct reload_cert_ca **out,
                   struct reload_cert_reason *reason)
{
    char *pem = reload_cert_file_path(directory, RELOAD_CERT_CA_PEM);
    char *key = reload_cert_file_path(directory, RELOAD_CERT_CA_KEY);
    int error =
        pem && key ? reload_cert_ca_load(pem, key, out, reason) : reload_cert_no_memory(reason);
    reload_free(pem);
    reload_free(key);
    return error;
}

static int public_key_of(const char *directory, struct reload_cert_bytes *out,
                         struct reload_cert_reason *reason)
{
    struct reload_cert_key *key;
    char *path = reload_cert_file_path(directory, RELOAD_CERT_HTTPS_KEY);
    int error = path ? reload_cert_key_read(path, &key, reason) : reload_cert_no_memory(reason);
    reload_free(path);
    if (error)
        return error;
    error = reload_cert_key_public(key, out);
    reload_cert_key_free(key);
    return error;
}

static int issue_again(const char *directory, const struct names *names, uint64_t now_unix_ms,
                       struct reload_cert_reason *reason)
{
    struct reload_cert_ca *ca;
    struct reload_cert_bytes public_key = { 0 }, der = { 0 };
    uint8_t serial[RELOAD_CERT_SERIAL_LEN];
    int error = load_ca(directory, &ca, reason);
    if (error)
        return error;
    error = public_key_of(directory, &public_key, reason);
    if (!error)
        error = reload_cert_serial_random(serial);
    const struct reload_cert_issue_server issue = {
        .public_key = reload_cert_bytes_slice(&public_key),
        .names = names->list,
        .name_count = names->count,
        .serial = { serial, sizeof serial },
        .not_before_ms = reload_cert_valid_from_ms(now_unix_ms),
        .not_after_ms = reload_cert_ca_not_after_ms(ca),
    };
    if (!error)
        error = reload_cert_ca_issue_server(ca, &issue, &der, reason);
    if (!error)
        error = reload_cert_overlay_write_pem(directory, RELOAD_CERT_HTTPS_PEM,
                                              reload_cert_bytes_slice(&der), reason);
    reload_cert_bytes_fini(&public_key);
    reload_cert_bytes_fini(&der);
    reload_cert_ca_free(ca);
    return error;
}

int reload_cert_overlay_serve_host(const char *directory, const char *host, uint64_t now_unix_ms,
                                   struct reload_cert_reason *reason)
{
    struct names names = { .count = 0 };
    X509 *x509;
    int error = load_https(directory, &x509, reason);
    if (error)
        return error;
    bool covered =
        X509_check_host(x509, host, 0, 0, NULL) == 1 || X509_check_ip_asc(x509, host, 0) == 1;
    collect(x509, &names);
    X509_free(x509);
    if (covered)
        return 0;
    add_name(&names, host, strlen(host));
    return issue_again(directory, &names, now_unix_ms, reason);
}

/* The document with an enrollment-server element at the end of its configuration: every other byte
 * stays as the operator wrote it. */
static int with_url(struct reload_slice document, const char *url, struct reload_cert_bytes *out)
{
    static const char close[] = "</configuration>";
    char element[600];
    const uint8_t *at = memmem(document.p, document.n, close, sizeof close - 1);
    int n =
        snprintf(element, sizeof element, "  <enrollment-server>%s</enrollment-server>\n  ", url);
    if (!at || n < 0 || (size_t)n >= sizeof element || strpbrk(url, "<>&\"'"))
        return RELOAD_E_INVALID;
    out->n = document.n + (size_t)n;
    out->p = reload_alloc(out->n);
    if (!out->p)
        return RELOAD_E_NOMEM;
    size_t before = (size_t)(at - document.p);
    memcpy(out->p, document.p, before);
    memcpy(out->p + before, element, (size_t)n);
    memcpy(out->p + before + n, at, document.n - before);
    return 0;
}

int reload_cert_overlay_serve_url(const char *directory,
                                  const struct reload_cert_document_policy *policy, const char *url,
                                  uint64_t now_unix_ms, bool *changed,
                                  struct reload_cert_reason *reason)
{
    struct reload_cert_bytes document, longer = { 0 };
    struct reload_config *config = NULL;
    uint16_t sequence;
    *changed = false;
    int error = reload_cert_overlay_read_document(directory, &document, reason);
    if (!error)
        error = reload_cert_document_parse(reload_cert_bytes_slice(&document), NULL, policy,
                                           &config, reason);
    if (!error && config->enrollment_server_count == 0 && !config->self_signed_permitted) {
        error = with_url(reload_cert_bytes_slice(&document), url, &longer);
        if (!error)
            error = reload_cert_overlay_publish_next(directory, policy,
                                                     reload_cert_bytes_slice(&longer), now_unix_ms,
                                                     &sequence, reason);
        *changed = !error;
    }
    reload_cert_document_free(config);
    reload_cert_bytes_fini(&document);
    reload_cert_bytes_fini(&longer);
    return error;
}
