#include "tests/certs/asked.h"

struct asked asked_of(const struct reload_config *config)
{
    struct asked a = { NULL, { "" } };
    if (reload_trust_new(config, false, &a.trust, &a.why))
        fail_msg("%s", a.why.text);
    return a;
}

int asked_check(struct asked *a, const struct reload_cert_bytes *der, uint64_t now_ms)
{
    struct reload_slice chain = reload_cert_bytes_slice(der);
    const struct reload_identity *out;
    a->why.text[0] = '\0';
    return reload_trust_check(a->trust, &chain, 1, now_ms, &out, &a->why);
}

int asked_identify(struct asked *a, const struct reload_cert_bytes *certificates, uint8_t type,
                   const struct reload_cert_bytes *value, struct reload_signer *out)
{
    struct reload_slice none = { 0 };
    return reload_trust_identify(a->trust,
                                 certificates ? reload_cert_bytes_slice(certificates) : none, type,
                                 reload_cert_bytes_slice(value), NOW_MS, out, &a->why);
}

struct reload_cert_bytes asked_issued(const struct fixture *f, uint8_t fill, struct wish wish)
{
    struct reload_cert_key *key = new_key(RELOAD_CERT_KEY_EC);
    struct reload_cert_bytes der = issue(f, key, fill, wish);
    reload_cert_key_free(key);
    return der;
}

struct reload_cert_bytes asked_self_signed(struct reload_cert_self_signed_request r)
{
    struct reload_cert_key *key = new_key(RELOAD_CERT_KEY_EC);
    struct reload_cert_bytes der;
    struct reload_cert_reason why = { "" };
    if (!r.overlay)
        r.overlay = OVERLAY;
    if (!r.node_id_len)
        r.node_id_len = 16;
    if (!r.node_id_count)
        r.node_id_count = 1;
    r.not_before_ms = NOW_MS - DAY_MS;
    r.not_after_ms = NOW_MS + DAY_MS;
    if (reload_cert_self_signed(key, &r, &der, &why))
        fail_msg("%s", why.text);
    reload_cert_key_free(key);
    return der;
}
