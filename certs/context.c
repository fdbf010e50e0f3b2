#include "certs/context.h"

#include "certs/digest.h"

#define LOG_LINES_PER_SECOND 10 /* a hostile peer must not fill the disk */

struct reload_cert_context {
    struct reload_cert_context_options options;
    struct reload_trust *trust;
    struct reload_cert_hasher hasher;
    struct reload_cert_reason reason;
    uint64_t log_second;
    unsigned log_lines;
};

int reload_cert_context_new(const struct reload_cert_context_options *options,
                            struct reload_cert_context **out, struct reload_cert_reason *reason)
{
    *out = NULL;
    struct reload_cert_context *c = reload_calloc(1, sizeof *c);
    if (!c)
        return reload_cert_refuse(reason, RELOAD_E_NOMEM, "no memory for certificates");
    c->options = *options;
    int error = reload_cert_hasher_init(&c->hasher);
    if (!error)
        error =
            reload_trust_new(options->config, options->policy.bare_node_id_uri, &c->trust, reason);
    if (error) {
        reload_cert_context_free(c);
        return error;
    }
    *out = c;
    return 0;
}

void reload_cert_context_free(struct reload_cert_context *c)
{
    if (!c)
        return;
    reload_trust_free(c->trust);
    reload_cert_hasher_fini(&c->hasher);
    reload_free(c);
}

/* One line per refusal, up to a rate. */
static void log_refusal(struct reload_cert_context *c, const char *what, struct reload_time now)
{
    uint64_t second = now.monotonic_ms / 1000;
    if (second != c->log_second) {
        c->log_second = second;
        c->log_lines = 0;
    }
    if (c->log_lines++ < LOG_LINES_PER_SECOND)
        reload_log_write(c->options.log, RELOAD_LOG_WARNING, "certs", "%s refused: %s", what,
                         c->reason.text);
}

static int done(struct reload_cert_context *c, int error, const char *what, struct reload_time now)
{
    if (error)
        log_refusal(c, what, now);
    return error;
}

/* --- struct reload_crypto_ops --- */

static int digest(void *context, enum reload_hash_algorithm algorithm,
                  const struct reload_slice *parts, size_t count, uint8_t *out, size_t *len)
{
    struct reload_cert_context *c = context;
    return reload_cert_hasher_digest(&c->hasher, (uint8_t)algorithm, parts, count, out, len);
}

static int sign(void *context, const struct reload_slice *parts, size_t count, uint8_t *out,
                size_t *len)
{
    struct reload_cert_context *c = context;
    if (!c->options.identity)
        return RELOAD_E_STATE;
    return reload_cert_identity_sign(c->options.identity, parts, count, out, len);
}

static int identify(void *context, struct reload_slice certificates, uint8_t identity_type,
                    struct reload_slice identity_value, struct reload_time now,
                    struct reload_signer *out)
{
    struct reload_cert_context *c = context;
    int error = reload_trust_identify(c->trust, certificates, identity_type, identity_value,
                                      now.unix_ms, out, &c->reason);
    return done(c, error, "signer", now);
}

static int verify(void *context, const struct reload_identity *identity, uint8_t hash_algorithm,
                  uint8_t signature_algorithm, const struct reload_slice *parts, size_t count,
                  struct reload_slice signature)
{
    struct reload_cert_context *c = context;
    return reload_trust_verify(c->trust, identity, hash_algorithm, signature_algorithm, parts,
                               count, signature);
}

static void configure(void *context, const struct reload_config *config)
{
    struct reload_cert_context *c = context;
    c->options.config = config;
    if (reload_trust_configure(c->trust, config, &c->reason))
        reload_log_write(c->options.log, RELOAD_LOG_ERROR, "certs",
                         "no certificate can be accepted: %s", c->reason.text);
}

const struct reload_crypto_ops reload_cert_crypto_ops = {
    .digest = digest,
    .sign = sign,
    .identify = identify,
    .verify = verify,
    .configure = configure,
};

struct reload_crypto reload_cert_context_crypto(struct reload_cert_context *context)
{
    const struct reload_cert_identity *identity = context->options.identity;
    return (struct reload_crypto){
        .ops = &reload_cert_crypto_ops,
        .context = context,
        .own = identity ? reload_cert_identity_own(identity) : NULL,
    };
}

/* --- struct reload_link_identity_ops --- */

static void own(void *context, const struct reload_slice **chain, size_t *count,
                struct reload_slice *private_key)
{
    struct reload_cert_context *c = context;
    *chain = NULL;
    *count = 0;
    *private_key = (struct reload_slice){ 0 };
    if (!c->options.identity)
        return;
    *chain = reload_cert_identity_chain(c->options.identity, count);
    *private_key = reload_cert_identity_private_key(c->options.identity);
}

static int check(void *context, const struct reload_slice *chain, size_t count,
                 struct reload_time now, struct reload_link_peer *peer, char *reason,
                 size_t reason_cap)
{
    struct reload_cert_context *c = context;
    const struct reload_identity *says;
    *peer = (struct reload_link_peer){ 0 };
    if (reason_cap)
        reason[0] = '\0';
    int error = reload_trust_check(c->trust, chain, count, now.unix_ms, &says, &c->reason);
    if (error) {
        size_t len = strnlen(c->reason.text, reason_cap ? reason_cap - 1 : 0);
        if (reason_cap) {
            memcpy(reason, c->reason.text, len);
            reason[len] = '\0';
        }
        return done(c, error, "link certificate", now);
    }
    for (size_t i = 0; i < says->node_id_count && i < RELOAD_LINK_NODE_IDS_MAX; i++)
        peer->node_ids[peer->node_id_count++] = says->node_ids[i];
    peer->not_after_ms = says->not_after_ms;
    return 0;
}

const struct reload_link_identity_ops reload_cert_link_identity_ops = { .own = own,
                                                                        .check = check };

/* --- struct reload_config_ops --- */

static int parse_document(void *context, struct reload_slice document,
                          const struct reload_config *current, struct reload_time now,
                          const struct reload_config **out)
{
    struct reload_cert_context *c = context;
    struct reload_config *next;
    int error = reload_cert_document_update(document, current, &c->options.policy, now.unix_ms,
                                            &next, &c->reason);
    *out = next;
    return done(c, error, "configuration", now);
}

static int parse_kinds(void *context, const struct reload_slice *blocks, size_t count,
                       const struct reload_config *current, struct reload_time now,
                       const struct reload_config **out)
{
    struct reload_cert_context *c = context;
    struct reload_config *next;
    int error = reload_cert_document_update_kinds(blocks, count, current, &c->options.policy,
                                                  now.unix_ms, &next, &c->reason);
    *out = next;
    return done(c, error, "Kinds", now);
}

static void release(void *context, const struct reload_config *config)
{
    (void)context;
    reload_cert_document_free((struct reload_config *)(uintptr_t)config); /* made by us */
}

const struct reload_config_ops reload_cert_config_ops = {
    .parse_document = parse_document,
    .parse_kinds = parse_kinds,
    .release = release,
};

const struct reload_trust_counters *
reload_cert_context_counters(const struct reload_cert_context *context)
{
    return reload_trust_counters(context->trust);
}

const char *reload_cert_context_reason(const struct reload_cert_context *context)
{
    return context->reason.text;
}
