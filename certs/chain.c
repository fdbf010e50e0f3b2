#include "certs/chain.h"

#include <openssl/err.h>

#include "reload/wire/security_block.h"

#define INTERMEDIATES_MAX        8
#define GENERIC_CERTIFICATE_HEAD 3 /* type and length, s6.3.4 */
#define SECURITY_LEVEL           2 /* OpenSSL's: 112 bits. RSA below 2048 bits, MD5 and SHA-1 are refused */

/* s11.3: "including PKIX BasicConstraints checks". OpenSSL's own test lets old roots pass that have
 * none. */
static bool is_ca(X509 *x509)
{
    return (X509_get_extension_flags(x509) & EXFLAG_BCONS) && X509_check_ca(x509) == 1;
}

static int add_root(X509_STORE *store, struct reload_slice der, size_t number,
                    struct reload_cert_reason *reason)
{
    X509 *root = reload_cert_x509(der);
    if (!root)
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE,
                                  "root-cert %zu is not an X.509 certificate in DER", number);
    bool ca = is_ca(root), added = ca && X509_STORE_add_cert(store, root);
    X509_free(root);
    ERR_clear_error();
    if (!ca)
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE,
                                  "root-cert %zu is not a CA: BasicConstraints CA:TRUE is missing",
                                  number);
    return added ? 0 : RELOAD_E_NOMEM;
}

int reload_cert_chain_roots(const struct reload_config *config, X509_STORE **out,
                            struct reload_cert_reason *reason)
{
    *out = NULL;
    if (config->root_cert_count > RELOAD_CERT_ROOTS_MAX)
        return reload_cert_refuse(reason, RELOAD_E_LIMIT, "more than %d root-certs",
                                  RELOAD_CERT_ROOTS_MAX);
    X509_STORE *store = X509_STORE_new();
    int error = store ? 0 : RELOAD_E_NOMEM;
    for (size_t i = 0; i < config->root_cert_count && !error; i++)
        error = add_root(store, config->root_certs[i], i + 1, reason);
    if (error) {
        X509_STORE_free(store);
        return error;
    }
    *out = store;
    return 0;
}

static STACK_OF(X509) * intermediates(const struct reload_slice *offered, size_t count)
{
    STACK_OF(X509) *stack = sk_X509_new_null();
    for (size_t i = 0; stack && i < count && i < RELOAD_CERT_BUCKET_MAX; i++) {
        X509 *x509 = reload_cert_x509(offered[i]);
        bool wanted = x509 && is_ca(x509) && sk_X509_num(stack) < INTERMEDIATES_MAX;
        if (!wanted || !sk_X509_push(stack, x509))
            X509_free(x509);
    }
    return stack;
}

static int refused(X509_STORE_CTX *path, struct reload_cert_reason *reason)
{
    int code = X509_STORE_CTX_get_error(path);
    int depth = X509_STORE_CTX_get_error_depth(path);
    bool time = code == X509_V_ERR_CERT_HAS_EXPIRED || code == X509_V_ERR_CERT_NOT_YET_VALID;
    return reload_cert_refuse(reason, time ? RELOAD_E_EXPIRED : RELOAD_E_CERTIFICATE,
                              "no path from the certificate to a root-cert: %s (certificate %d)",
                              X509_verify_cert_error_string(code), depth + 1);
}

static int check_path(STACK_OF(X509) * chain, struct reload_cert_window *window,
                      struct reload_cert_reason *reason)
{
    *window = (struct reload_cert_window){ 0, UINT64_MAX };
    if (sk_X509_num(chain) < 2)
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE,
                                  "the certificate is itself a root-cert: no node's certificate");
    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *x509 = sk_X509_value(chain, i);
        uint64_t from = reload_cert_time_ms(X509_get0_notBefore(x509));
        uint64_t to = reload_cert_time_ms(X509_get0_notAfter(x509));
        if (i > 0 && !is_ca(x509))
            return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE,
                                      "certificate %d of the chain is not a CA's", i + 1);
        window->not_before_ms = from > window->not_before_ms ? from : window->not_before_ms;
        window->not_after_ms = to < window->not_after_ms ? to : window->not_after_ms;
    }
    return 0;
}

/* What stands between the ends of a chain, for others to check it by. */
static int write_issuers(STACK_OF(X509) * chain, struct reload_cert_bytes *out)
{
    int last = sk_X509_num(chain) - 1;
    size_t room = 0;
    for (int i = 1; i < last; i++)
        room += GENERIC_CERTIFICATE_HEAD + (size_t)i2d_X509(sk_X509_value(chain, i), NULL);
    if (room == 0)
        return 0;
    uint8_t *p = reload_alloc(room);
    if (!p)
        return RELOAD_E_NOMEM;
    *out = (struct reload_cert_bytes){ p, room };
    for (int i = 1; i < last; i++) {
        uint8_t *der = p + GENERIC_CERTIFICATE_HEAD;
        p = der;
        size_t len = (size_t)i2d_X509(sk_X509_value(chain, i), &p);
        der[-3] = RELOAD_CERTIFICATE_X509;
        der[-2] = (uint8_t)(len >> 8);
        der[-1] = (uint8_t)len;
    }
    return 0;
}

static int verify(X509_STORE_CTX *path, uint64_t now_unix_ms, struct reload_cert_window *window,
                  struct reload_cert_bytes *issuers, struct reload_cert_reason *reason)
{
    X509_VERIFY_PARAM *rules = X509_STORE_CTX_get0_param(path);
    X509_VERIFY_PARAM_set_time(rules, (time_t)(now_unix_ms / 1000));
    /* Whatever the document lists as a root-cert is an anchor, self-signed or not. */
    X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_auth_level(rules, SECURITY_LEVEL);
    X509_VERIFY_PARAM_set_depth(rules, INTERMEDIATES_MAX);
    if (X509_verify_cert(path) != 1)
        return refused(path, reason);
    int error = check_path(X509_STORE_CTX_get0_chain(path), window, reason);
    return error ? error : write_issuers(X509_STORE_CTX_get0_chain(path), issuers);
}

static int attempt(X509_STORE *roots, X509 *leaf, STACK_OF(X509) * untrusted, uint64_t now_unix_ms,
                   struct reload_cert_window *window, struct reload_cert_bytes *issuers,
                   struct reload_cert_reason *reason)
{
    int error = RELOAD_E_NOMEM;
    X509_STORE_CTX *path = X509_STORE_CTX_new();
    if (path && X509_STORE_CTX_init(path, roots, leaf, untrusted))
        error = verify(path, now_unix_ms, window, issuers, reason);
    X509_STORE_CTX_free(path);
    ERR_clear_error();
    return error;
}

int reload_cert_chain_check(X509_STORE *roots, X509 *leaf, const struct reload_slice *offered,
                            size_t count, uint64_t now_unix_ms, struct reload_cert_window *window,
                            struct reload_cert_bytes *issuers, struct reload_cert_reason *reason)
{
    *issuers = (struct reload_cert_bytes){ 0 };
    /* Nearly always a root-cert is the issuer: look into what was sent along only when none is. */
    int error = attempt(roots, leaf, NULL, now_unix_ms, window, issuers, reason);
    if (error != RELOAD_E_CERTIFICATE || count == 0)
        return error;
    STACK_OF(X509) *untrusted = intermediates(offered, count);
    error = untrusted ? attempt(roots, leaf, untrusted, now_unix_ms, window, issuers, reason)
                      : RELOAD_E_NOMEM;
    sk_X509_pop_free(untrusted, X509_free);
    ERR_clear_error();
    return error;
}
