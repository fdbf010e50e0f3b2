#include "certs/refusals.h"

#include <string.h>

#include "reload/alloc.h"
#include "reload/wire/algorithm.h"

struct refusal {
    int error; /* 0: free */
    struct reload_cert_refusals_key key;
    struct reload_cert_reason reason;
};

struct reload_cert_refusals {
    struct refusal places[RELOAD_CERT_REFUSALS_MAX];
};

struct reload_cert_refusals *reload_cert_refusals_new(void)
{
    return reload_calloc(1, sizeof(struct reload_cert_refusals));
}

void reload_cert_refusals_free(struct reload_cert_refusals *refusals)
{
    reload_free(refusals);
}

void reload_cert_refusals_clear(struct reload_cert_refusals *refusals)
{
    for (size_t i = 0; i < RELOAD_CERT_REFUSALS_MAX; i++)
        refusals->places[i].error = 0;
}

/* A hash of hashes: no two lists give the same bytes. */
int reload_cert_refusals_key(struct reload_cert_hasher *hasher, struct reload_slice certificate,
                             const struct reload_slice *offered, size_t count,
                             struct reload_cert_refusals_key *out)
{
    uint8_t chained[2 * sizeof out->hash], hash[RELOAD_DIGEST_MAX];
    size_t len;
    int error =
        reload_cert_hasher_digest(hasher, RELOAD_HASH_SHA256, &certificate, 1, out->hash, &len);
    for (size_t i = 0; i < count && !error; i++) {
        struct reload_slice both = { chained, sizeof chained };
        error = reload_cert_hasher_digest(hasher, RELOAD_HASH_SHA256, &offered[i], 1, hash, &len);
        memcpy(chained, out->hash, sizeof out->hash);
        memcpy(chained + sizeof out->hash, hash, sizeof out->hash);
        if (!error)
            error =
                reload_cert_hasher_digest(hasher, RELOAD_HASH_SHA256, &both, 1, out->hash, &len);
    }
    return error;
}

/* One place for each key: hashes are even, and who seeks collisions wins one more check each. */
static size_t place_of(const struct reload_cert_refusals_key *key)
{
    return key->hash[0] % RELOAD_CERT_REFUSALS_MAX;
}

int reload_cert_refusals_find(const struct reload_cert_refusals *refusals,
                              const struct reload_cert_refusals_key *key,
                              struct reload_cert_reason *reason)
{
    const struct refusal *r = &refusals->places[place_of(key)];
    if (!r->error || memcmp(r->key.hash, key->hash, sizeof key->hash) != 0)
        return 0;
    return reload_cert_refuse(reason, r->error, "%s", r->reason.text);
}

void reload_cert_refusals_add(struct reload_cert_refusals *refusals,
                              const struct reload_cert_refusals_key *key, int error,
                              const struct reload_cert_reason *reason)
{
    if (error != RELOAD_E_CERTIFICATE && error != RELOAD_E_FORBIDDEN &&
        error != RELOAD_E_UNSUPPORTED)
        return;
    refusals->places[place_of(key)] = (struct refusal){ error, *key, *reason };
}
