#include "certs/digest.h"

#include <openssl/err.h>

static const char *const names[RELOAD_CERT_DIGESTS] = {
    [RELOAD_HASH_SHA1] = "SHA1",     [RELOAD_HASH_SHA224] = "SHA224",
    [RELOAD_HASH_SHA256] = "SHA256", [RELOAD_HASH_SHA384] = "SHA384",
    [RELOAD_HASH_SHA512] = "SHA512",
};

int reload_cert_hasher_init(struct reload_cert_hasher *hasher)
{
    *hasher = (struct reload_cert_hasher){ .state = EVP_MD_CTX_new() };
    bool complete = hasher->state != NULL;
    for (size_t i = 0; i < RELOAD_CERT_DIGESTS; i++) {
        if (!names[i])
            continue;
        hasher->algorithms[i] = EVP_MD_fetch(NULL, names[i], NULL);
        complete = complete && hasher->algorithms[i];
    }
    if (complete)
        return 0;
    reload_cert_hasher_fini(hasher);
    ERR_clear_error();
    return RELOAD_E_NOMEM;
}

void reload_cert_hasher_fini(struct reload_cert_hasher *hasher)
{
    for (size_t i = 0; i < RELOAD_CERT_DIGESTS; i++)
        EVP_MD_free(hasher->algorithms[i]);
    EVP_MD_CTX_free(hasher->state);
    *hasher = (struct reload_cert_hasher){ 0 };
}

const EVP_MD *reload_cert_hasher_algorithm(const struct reload_cert_hasher *hasher,
                                           uint8_t hash_algorithm)
{
    return hash_algorithm < RELOAD_CERT_DIGESTS ? hasher->algorithms[hash_algorithm] : NULL;
}

int reload_cert_hasher_digest(struct reload_cert_hasher *hasher, uint8_t hash_algorithm,
                              const struct reload_slice *parts, size_t count, uint8_t *out,
                              size_t *len)
{
    const EVP_MD *algorithm = reload_cert_hasher_algorithm(hasher, hash_algorithm);
    unsigned int written = 0;
    if (!algorithm)
        return RELOAD_E_UNSUPPORTED;
    bool ok = EVP_DigestInit_ex2(hasher->state, algorithm, NULL);
    for (size_t i = 0; i < count && ok; i++)
        ok = EVP_DigestUpdate(hasher->state, parts[i].p, parts[i].n);
    ok = ok && EVP_DigestFinal_ex(hasher->state, out, &written);
    *len = written;
    return ok ? 0 : RELOAD_E_NOMEM;
}
