#include "certs/trust_internal.h"

#include <stdio.h>

#include "certs/chain.h"
#include "certs/self_signed.h"
#include "certs/uri.h"
#include "reload/wire/security_block.h"

int reload_trust_new(const struct reload_config *config, bool bare_node_id_uri,
                     struct reload_trust **out, struct reload_cert_reason *reason)
{
    *out = NULL;
    struct reload_trust *trust = reload_calloc(1, sizeof *trust);
    if (!trust)
        return reload_cert_refuse(reason, RELOAD_E_NOMEM, "no memory to verify certificates");
    trust->bare_node_id_uri = bare_node_id_uri;
    int error = reload_cert_hasher_init(&trust->hasher);
    if (!error)
        error = reload_cert_cache_new(&trust->cache);
    if (!error && !(trust->refusals = reload_cert_refusals_new()))
        error = RELOAD_E_NOMEM;
    if (!error)
        error = reload_trust_configure(trust, config, reason);
    if (error) {
        reload_trust_free(trust);
        return error;
    }
    *out = trust;
    return 0;
}

void reload_trust_free(struct reload_trust *trust)
{
    if (!trust)
        return;
    reload_cert_cache_free(trust->cache);
    reload_cert_refusals_free(trust->refusals);
    reload_cert_hasher_fini(&trust->hasher);
    X509_STORE_free(trust->roots);
    reload_free(trust);
}

int reload_trust_configure(struct reload_trust *trust, const struct reload_config *config,
                           struct reload_cert_reason *reason)
{
    reload_cert_cache_clear(trust->cache);
    reload_cert_refusals_clear(trust->refusals);
    X509_STORE_free(trust->roots);
    trust->roots = NULL;
    trust->config = config;
    return reload_cert_chain_roots(config, &trust->roots, reason);
}

const struct reload_trust_counters *reload_trust_counters(const struct reload_trust *trust)
{
    return &trust->counters;
}

/* --- the rules for one certificate --- */

static int check_names(const struct reload_config *config, const struct reload_cert *c,
                       struct reload_cert_reason *reason)
{
    const struct reload_identity *says = reload_cert_content(c);
    char text[RELOAD_NODE_ID_TEXT];

    if (!reload_cert_overlay_name_equal(reload_cert_overlay(c), config->instance_name))
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE,
                                  "the certificate is for overlay %s, not for %s",
                                  reload_cert_overlay(c), config->instance_name);
    for (size_t i = 0; i < says->node_id_count; i++) {
        const struct reload_node_id *id = &says->node_ids[i];
        if (id->len != config->node_id_length)
            return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE,
                                      "Node-ID of %u bytes, the overlay's have %u", id->len,
                                      config->node_id_length);
        /* RFC 6940 s11.1: the whole certificate is not valid, whichever Node-ID acts. */
        if (reload_config_is_bad_node(config, id))
            return reload_cert_refuse(reason, RELOAD_E_FORBIDDEN,
                                      "Node-ID %s is a bad-node of the configuration",
                                      reload_node_id_text(id, text));
    }
    return 0;
}

int reload_trust_check_time(const struct reload_cert_window *window, uint64_t now_unix_ms,
                            struct reload_cert_reason *reason)
{
    if (now_unix_ms > window->not_after_ms)
        return reload_cert_refuse(reason, RELOAD_E_EXPIRED,
                                  "the certificate, or one above it, has expired");
    if (now_unix_ms < window->not_before_ms)
        return reload_cert_refuse(
            reason, RELOAD_E_EXPIRED,
            "the certificate, or one above it, is not valid yet: check the clock");
    return 0;
}

static int check_chain(struct reload_trust *trust, struct reload_cert *c,
                       const struct reload_slice *offered, size_t count, uint64_t now_unix_ms,
                       struct reload_cert_window *window, struct reload_cert_reason *reason)
{
    int error = reload_cert_chain_check(trust->roots, c->x509, offered, count, now_unix_ms, window,
                                        &c->issuers, reason);
    c->identity.issuers = reload_cert_bytes_slice(&c->issuers);
    return error;
}

static int check_origin(struct reload_trust *trust, struct reload_cert *c,
                        const struct reload_slice *offered, size_t count, uint64_t now_unix_ms,
                        struct reload_cert_window *window, struct reload_cert_reason *reason)
{
    if (!reload_cert_is_self_signed(c))
        return check_chain(trust, c, offered, count, now_unix_ms, window, reason);
    *window = (struct reload_cert_window){ c->identity.not_before_ms, c->identity.not_after_ms };
    int error = reload_cert_self_signed_check(trust->config, c, reason);
    return error ? error : reload_trust_check_time(window, now_unix_ms, reason);
}

/* Parses and checks one certificate in full and remembers it. */
static int accept(struct reload_trust *trust, struct reload_slice der,
                  const struct reload_slice *offered, size_t count, uint64_t now_unix_ms,
                  struct reload_cert_entry **out, struct reload_cert_reason *reason)
{
    struct reload_cert *c;
    struct reload_cert_window window;

    trust->counters.checked++;
    if (!trust->roots)
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE, "no usable configuration");
    int error = reload_cert_parse(der, trust->bare_node_id_uri, &c, reason);
    if (error)
        return error == RELOAD_E_NOMEM ? error : RELOAD_E_CERTIFICATE;
    error = check_names(trust->config, c, reason);
    if (!error)
        error = reload_cert_digest_check(c->x509, reason);
    if (!error)
        error = check_origin(trust, c, offered, count, now_unix_ms, &window, reason);
    if (error) {
        reload_cert_free(c);
        return error;
    }
    return reload_cert_cache_add_take(trust->cache, c, window, &trust->counters.evicted, out);
}

/* --- by what a certificate is known --- */

int reload_trust_digest_name(struct reload_trust *trust, uint8_t type, uint8_t hash_algorithm,
                             const struct reload_node_id *node_id, struct reload_slice der,
                             uint8_t hash[RELOAD_DIGEST_MAX], struct reload_cert_name *out)
{
    /* RFC 6940 s6.3.4: H(certificate), or H(NodeId || certificate) with the NodeId unframed. */
    struct reload_slice parts[2] = { node_id ? reload_node_id_slice(node_id)
                                             : (struct reload_slice){ 0 },
                                     der };
    *out = (struct reload_cert_name){ type, hash_algorithm, { hash, 0 } };
    return reload_cert_hasher_digest(&trust->hasher, hash_algorithm, parts, 2, hash, &out->hash.n);
}

static int remember(struct reload_trust *trust, struct reload_cert_entry *entry, uint8_t type,
                    size_t index)
{
    const struct reload_identity *says = &entry->identity;
    const struct reload_node_id *id =
        type == RELOAD_SIGNER_CERT_HASH_NODE_ID ? &says->node_ids[index] : NULL;
    uint8_t hash[RELOAD_DIGEST_MAX];
    struct reload_cert_name name;
    int error = reload_trust_digest_name(trust, type, RELOAD_HASH_SHA256, id, says->certificate,
                                         hash, &name);
    return error ? error : reload_cert_cache_alias(trust->cache, entry, &name, index);
}

/* Under SHA-256 a certificate is known by all its names at once: as a whole, and with each Node-ID.
 */
static int remember_all(struct reload_trust *trust, struct reload_cert_entry *entry)
{
    int error = remember(trust, entry, RELOAD_SIGNER_CERT_HASH, 0);
    for (size_t i = 0; i < entry->identity.node_id_count && !error; i++)
        error = remember(trust, entry, RELOAD_SIGNER_CERT_HASH_NODE_ID, i);
    return error;
}

/* Checks a certificate that is not among the accepted ones, unless the same was refused before. */
static int admit_new(struct reload_trust *trust, struct reload_slice der,
                     const struct reload_slice *offered, size_t count, uint64_t now_unix_ms,
                     struct reload_cert_entry **out, struct reload_cert_reason *reason)
{
    struct reload_cert_refusals_key key;
    struct reload_cert_reason why = { "" };
    int error = reload_cert_refusals_key(&trust->hasher, der, offered, count, &key);
    if (error)
        return error;
    error = reload_cert_refusals_find(trust->refusals, &key, reason);
    if (error) {
        trust->counters.refused++;
        trust->counters.refused_again++;
        return error;
    }
    error = accept(trust, der, offered, count, now_unix_ms, out, &why);
    if (!error)
        error = remember_all(trust, *out);
    if (!error)
        return 0;
    trust->counters.refused++;
    reload_cert_refusals_add(trust->refusals, &key, error, &why);
    return reload_cert_refuse(reason, error, "%s", why.text);
}

int reload_trust_admit(struct reload_trust *trust, struct reload_slice der,
                       const struct reload_slice *offered, size_t count, uint64_t now_unix_ms,
                       struct reload_cert_entry **out, struct reload_cert_reason *reason)
{
    uint8_t hash[RELOAD_DIGEST_MAX];
    struct reload_cert_name whole;
    size_t index;
    int error = reload_trust_digest_name(trust, RELOAD_SIGNER_CERT_HASH, RELOAD_HASH_SHA256, NULL,
                                         der, hash, &whole);
    if (error)
        return error;
    *out = reload_cert_cache_find(trust->cache, &whole, &index);
    if (!*out)
        return admit_new(trust, der, offered, count, now_unix_ms, out, reason);
    trust->counters.hits++;
    return reload_trust_check_time(&(*out)->window, now_unix_ms, reason);
}

int reload_trust_check(struct reload_trust *trust, const struct reload_slice *chain, size_t count,
                       uint64_t now_unix_ms, const struct reload_identity **out,
                       struct reload_cert_reason *reason)
{
    struct reload_cert_entry *entry;
    *out = NULL;
    if (count == 0)
        return reload_cert_refuse(reason, RELOAD_E_CERTIFICATE, "no certificate was shown");
    int error =
        reload_trust_admit(trust, chain[0], chain + 1, count - 1, now_unix_ms, &entry, reason);
    if (!error)
        *out = &entry->identity;
    return error;
}
