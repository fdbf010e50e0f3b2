#include <openssl/err.h>
#include <openssl/x509.h>

#include "reload/link/engine_internal.h"

struct chain { /* a far end's chain, DER, end entity first */
    struct reload_slice certificates[RELOAD_ENGINE_CHAIN_MAX];
    unsigned char *owned[RELOAD_ENGINE_CHAIN_MAX];
    size_t count;
};

static void chain_free(struct chain *chain)
{
    for (size_t i = 0; i < chain->count; i++)
        OPENSSL_free(chain->owned[i]);
}

static int chain_of(X509_STORE_CTX *store, struct chain *chain)
{
    STACK_OF(X509) *shown = X509_STORE_CTX_get0_untrusted(store);
    int count = sk_X509_num(shown);
    if (count > RELOAD_ENGINE_CHAIN_MAX)
        return RELOAD_E_LIMIT;
    for (int i = 0; i < count; i++) {
        unsigned char *der = NULL;
        int n = i2d_X509(sk_X509_value(shown, i), &der);
        if (n <= 0)
            return RELOAD_E_NOMEM;
        chain->owned[chain->count] = der;
        chain->certificates[chain->count++] = reload_slice_of(der, (size_t)n);
    }
    return chain->count ? 0 : RELOAD_E_CERTIFICATE;
}

static bool holds(const struct reload_link_peer *peer, const struct reload_node_id *id)
{
    for (size_t i = 0; i < peer->node_id_count; i++)
        if (reload_node_id_equal(&peer->node_ids[i], id))
            return true;
    return false;
}

/* R6940-6.5.1.11-1, R6940-6.5.1.13-3: the certificate is that of the node we mean. */
static int check_expected(struct reload_engine *engine)
{
    if (!engine->expected.len || holds(&engine->peer, &engine->expected))
        return 0;
    engine->unexpected = true;
    char want[RELOAD_NODE_ID_TEXT], is[RELOAD_NODE_ID_TEXT];
    return reload_engine_fail(
        engine, RELOAD_E_CERTIFICATE, "expected node %s, the certificate is that of %s",
        reload_node_id_text(&engine->expected, want),
        engine->peer.node_id_count ? reload_node_id_text(&engine->peer.node_ids[0], is) : "none");
}

static int check_chain(struct reload_engine *engine, X509_STORE_CTX *store)
{
    struct chain chain = { .count = 0 };
    char reason[RELOAD_ENGINE_REASON] = "";
    int status = chain_of(store, &chain);
    if (!status) {
        const struct reload_engine_context *context = engine->context;
        status =
            context->identity->check(context->identity_context, chain.certificates, chain.count,
                                     engine->now, &engine->peer, reason, sizeof reason);
    }
    chain_free(&chain);
    if (status) {
        engine->untrusted = true;
        return reload_engine_fail(engine, status, "the far end's certificate: %s",
                                  reason[0] ? reason : reload_error_text(status));
    }
    return check_expected(engine);
}

/* Decides which alert tells the far end why. */
static int x509_error(int error)
{
    switch (error) {
    case RELOAD_E_EXPIRED: return X509_V_ERR_CERT_HAS_EXPIRED;
    case RELOAD_E_FORBIDDEN: return X509_V_ERR_CERT_REVOKED;
    case RELOAD_E_NOMEM: return X509_V_ERR_OUT_OF_MEM;
    default: return X509_V_ERR_CERT_UNTRUSTED;
    }
}

int reload_engine_verify(X509_STORE_CTX *store, void *unused)
{
    (void)unused;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct reload_engine *engine = SSL_get_app_data(ssl);
    int status = engine->by_fingerprint ? reload_engine_srtp_check(engine, store)
                                        : check_chain(engine, store);
    ERR_clear_error();
    X509_STORE_CTX_set_error(store, status ? x509_error(status) : X509_V_OK);
    return status == 0;
}
