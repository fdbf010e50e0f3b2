#include "reload/security/crypto.h"

int reload_crypto_sha1_head(const struct reload_crypto *crypto, struct reload_slice bytes,
                            size_t len, uint8_t *out)
{
    uint8_t digest[RELOAD_DIGEST_MAX];
    size_t digest_len;
    int error =
        crypto->ops->digest(crypto->context, RELOAD_HASH_SHA1, &bytes, 1, digest, &digest_len);
    if (error != 0)
        return error;
    if (digest_len < len)
        return RELOAD_E_UNSUPPORTED;
    memcpy(out, digest, len);
    return 0;
}
