#include "certs/self_signed.h"

#include <openssl/err.h>

int reload_cert_self_signed_node_id(enum reload_hash_algorithm digest,
                                    struct reload_slice public_key, uint32_t index,
                                    size_t node_id_len, struct reload_node_id *out)
{
    uint8_t number[4] = { (uint8_t)(index >> 24), (uint8_t)(index >> 16), (uint8_t)(index >> 8),
                          (uint8_t)index };
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned int len = 0;

    *out = (struct reload_node_id){ 0 };
    if (digest != RELOAD_HASH_SHA1 && digest != RELOAD_HASH_SHA256)
        return RELOAD_E_UNSUPPORTED;
    if (node_id_len < RELOAD_NODE_ID_MIN || node_id_len > RELOAD_NODE_ID_MAX)
        return RELOAD_E_INVALID;
    EVP_MD_CTX *state = EVP_MD_CTX_new();
    bool ok = state && EVP_DigestInit_ex(
                           state, digest == RELOAD_HASH_SHA1 ? EVP_sha1() : EVP_sha256(), NULL);
    if (ok && index)
        ok = EVP_DigestUpdate(state, number, sizeof number);
    ok = ok && EVP_DigestUpdate(state, public_key.p, public_key.n) &&
         EVP_DigestFinal_ex(state, hash, &len);
    EVP_MD_CTX_free(state);
    if (!ok) {
        ERR_clear_error();
        return RELOAD_E_NOMEM;
    }
    *out = reload_node_id_from(reload_slice_of(hash, node_id_len)); /* the high-order bytes */
    return 0;
}

static int check_node_ids(const struct reload_config *config, const struct reload_cert *c,
                          struct reload_cert_reason *reason)
{
    const struct reload_identity *says = reload_cert_content(c);
    for (size_t i = 0; i < says->node_id_count; i++) {
        struct reload_node_id id;
        /* s11.3.1: no index for a single one, from 1 in SAN order for several. */
        uint32_t index = says->node_id_count == 1 ? 0 : (uint32_t)i + 1;
        int error =
            reload_cert_self_signed_node_id(config->self_signed_digest, reload_cert_public_key(c),
                                            index, config->node_id_length, &id);
        if (error)
            return reload_cert_refuse(reason, error, "the Node-ID of a key cannot be computed");
        if (!reload_node_id_equal(&id, &says->node_ids[i]))
            return reload_cert_refuse(
                reason, RELOAD_E_CERTIFICATE,
                "Node-ID %zu of the self-signed certificate does not follow from its key", i + 1);
    }
    return 0;
}

bool reload_cert_is_self_signed(const struct reload_cert *certificate)
{
    bool good = reload_cert_is_self_issued(certificate) &&
                X509_verify(certificate->x509, certificate->key) == 1;
    ERR_clear_error();
    return good;
}

int reload_cert_self_signed_check(const struct reload_config *config,
                                  const struct reload_cert *certificate,
                                  struct reload_cert_reason *reason)
{
    if (!config->self_signed_permitted) /* s11.3.1 */
        return reload_cert_refuse(
            reason, RELOAD_E_CERTIFICATE,
            "the certificate is self-signed, which this overlay does not permit");
    return check_node_ids(config, certificate, reason);
}
