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

static int chain_add(struct chain *chain, X509 *x509)
{
    unsigned char *der = NULL;
    if (chain->count == RELOAD_ENGINE_CHAIN_MAX)
        return RELOAD_E_LIMIT;
    int n = i2d_X509(x509, &der);
    if (n <= 0)
        return RELOAD_E_NOMEM;
    chain->owned[chain->count] = der;
    chain->certificates[chain->count++] = reload_slice_of(der, (size_t)n);
    return 0;
}

/* From the one at `first` on. */
static int chain_add_all(struct chain *chain, STACK_OF(X509) * shown, int first)
{
    int status = 0;
    for (int i = first; i < sk_X509_num(shown) && !status; i++)
        status = chain_add(chain, sk_X509_value(shown, i));
    return status || chain->count ? status : RELOAD_E_CERTIFICATE;
}

/* What the far end showed in a handshake that is over. OpenSSL keeps the end entity apart at a
 * server, and at a client it stands in the chain, too. */
static int chain_shown(struct chain *chain, const SSL *ssl)
{
    X509 *own = SSL_get0_peer_certificate(ssl);
    STACK_OF(X509) *shown = SSL_get_peer_cert_chain(ssl);
    int status = own ? chain_add(chain, own) : RELOAD_E_CERTIFICATE;
    return status ? status : chain_add_all(chain, shown, SSL_is_server(ssl) ? 0 : 1);
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

/* Takes the chain. */
static int judge(const struct reload_engine *engine, struct chain *chain, struct reload_time now,
                 struct reload_link_peer *peer, char reason[RELOAD_ENGINE_REASON])
{
    const struct reload_engine_context *context = engine->context;
    int status = context->identity->check(context->identity_context, chain->certificates,
                                          chain->count, now, peer, reason, RELOAD_ENGINE_REASON);
    chain_free(chain);
    return status;
}

int reload_engine_recheck(const struct reload_engine *engine, struct reload_time now,
                          char reason[RELOAD_ENGINE_REASON])
{
    struct chain chain = { .count = 0 };
    struct reload_link_peer peer;
    reason[0] = '\0';
    int status = engine->done ? chain_shown(&chain, engine->ssl) : RELOAD_E_STATE;
    if (!status)
        return judge(engine, &chain, now, &peer, reason);
    chain_free(&chain);
    return status;
}

static int check_chain(struct reload_engine *engine, X509_STORE_CTX *store)
{
    struct chain chain = { .count = 0 };
    char reason[RELOAD_ENGINE_REASON] = "";
    int status = chain_add_all(&chain, X509_STORE_CTX_get0_untrusted(store), 0);
    if (!status)
        status = judge(engine, &chain, engine->now, &engine->peer, reason);
    else
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
