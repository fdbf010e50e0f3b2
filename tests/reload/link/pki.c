#include "pki.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void must(bool holds)
{
    if (!holds)
        abort();
}

static EVP_PKEY *make_key(bool rsa)
{
    EVP_PKEY *key = rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    must(key);
    return key;
}

static X509 *make_certificate(EVP_PKEY *key, const char *name, const struct pki *issuer,
                              time_t from, time_t to)
{
    X509 *x509 = X509_new();
    X509_set_version(x509, 2);
    static long serial = 1;
    ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(x509,
                         issuer ? X509_get_subject_name(issuer->ca) : X509_get_subject_name(x509));
    ASN1_TIME_set(X509_getm_notBefore(x509), from);
    ASN1_TIME_set(X509_getm_notAfter(x509), to);
    X509_set_pubkey(x509, key);
    return x509;
}

static void add_node_id(X509 *x509, uint8_t node)
{
    char uri[128] = "URI:reload://0110";
    size_t n = strlen(uri);
    for (int i = 0; i < 16; i++)
        n += (size_t)snprintf(uri + n, sizeof uri - n, "%02x", node);
    snprintf(uri + n, sizeof uri - n, "@test.example/");
    X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, uri);
    must(san);
    X509_add_ext(x509, san, -1);
    X509_EXTENSION_free(san);
}

void pki_init(struct pki *pki)
{
    pki->key = make_key(false);
    pki->ca = make_certificate(pki->key, "test CA", NULL, time(NULL) - 3600, time(NULL) + 3600);
    X509_sign(pki->ca, pki->key, EVP_sha256());
}

void pki_fini(struct pki *pki)
{
    EVP_PKEY_free(pki->key);
    X509_free(pki->ca);
}

struct reload_node_id node_id_of(uint8_t node)
{
    struct reload_node_id id = { .len = 16 };
    memset(id.bytes, node, 16);
    return id;
}

void identity_init(struct identity *identity, const struct pki *issuer, const struct pki *trust,
                   uint8_t node, enum pki_sort sort)
{
    *identity = (struct identity){ .trust = trust, .key = make_key(sort == PKI_RSA) };
    time_t to = time(NULL) + (sort == PKI_EXPIRED ? -60 : 3600);
    identity->x509 = make_certificate(identity->key, "node", issuer, time(NULL) - 3600, to);
    add_node_id(identity->x509, node);
    X509_sign(identity->x509, issuer->key, EVP_sha256());
    int n = i2d_X509(identity->x509, &identity->der);
    identity->chain[0] = reload_slice_of(identity->der, (size_t)n);
    n = i2d_PrivateKey(identity->key, &identity->key_der);
    identity->private_key = reload_slice_of(identity->key_der, (size_t)n);
}

void identity_fini(struct identity *identity)
{
    X509_free(identity->x509);
    EVP_PKEY_free(identity->key);
    OPENSSL_free(identity->der);
    OPENSSL_free(identity->key_der);
}

static void own(void *context, const struct reload_slice **chain, size_t *count,
                struct reload_slice *private_key)
{
    const struct identity *identity = context;
    *chain = identity->chain;
    *count = identity->chain[0].n ? 1 : 0;
    *private_key = identity->private_key;
}

static uint8_t hex_digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static bool read_node_id(X509 *x509, struct reload_link_peer *peer)
{
    static const char prefix[] = "reload://0110";
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    const GENERAL_NAME *first = names ? sk_GENERAL_NAME_value(names, 0) : NULL;
    bool found = false;
    if (first && first->type == GEN_URI) {
        const char *uri = (const char *)ASN1_STRING_get0_data(first->d.uniformResourceIdentifier);
        found = strncmp(uri, prefix, sizeof prefix - 1) == 0;
        struct reload_node_id *id = &peer->node_ids[0];
        *id = (struct reload_node_id){ .len = 16 };
        for (size_t i = 0; found && i < 16; i++) {
            const char *two = uri + sizeof prefix - 1 + 2 * i;
            id->bytes[i] = (uint8_t)(hex_digit(two[0]) << 4 | hex_digit(two[1]));
        }
    }
    GENERAL_NAMES_free(names);
    return found;
}

static int check_certificate(const struct identity *identity, X509 *x509, struct reload_time now,
                             struct reload_link_peer *peer, char *reason, size_t reason_cap)
{
    if (!x509 || X509_verify(x509, identity->trust->key) != 1) {
        snprintf(reason, reason_cap, "not issued by the test CA");
        return RELOAD_E_CERTIFICATE;
    }
    time_t at = (time_t)(now.unix_ms / 1000);
    if (X509_cmp_time(X509_get0_notAfter(x509), &at) < 0) {
        snprintf(reason, reason_cap, "it has expired");
        return RELOAD_E_EXPIRED;
    }
    peer->node_id_count = 1;
    return read_node_id(x509, peer) ? 0 : RELOAD_E_CERTIFICATE;
}

static int check(void *context, const struct reload_slice *chain, size_t count,
                 struct reload_time now, struct reload_link_peer *peer, char *reason,
                 size_t reason_cap)
{
    struct identity *identity = context;
    identity->checks++;
    must(count > 0);
    const unsigned char *p = chain[0].p;
    X509 *x509 = d2i_X509(NULL, &p, (long)chain[0].n);
    int status = check_certificate(identity, x509, now, peer, reason, reason_cap);
    X509_free(x509);
    return status;
}

const struct reload_link_identity_ops pki_ops = { own, check };
