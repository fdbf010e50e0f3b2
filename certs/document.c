#include "certs/document.h"

#include "certs/document_open.h"
#include "certs/document_verify.h"

/* Whether a document, or a kind-block, is to be believed (RFC 6940 s11.1, s6.5.4.2). */

static const struct reload_cert_document_policy strict;

static const struct reload_cert_document_policy *
policy_or_strict(const struct reload_cert_document_policy *policy)
{
    return policy ? policy : &strict;
}

void reload_cert_document_free(struct reload_config *config)
{
    if (!config)
        return;
    struct reload_cert_parsed *parsed = (struct reload_cert_parsed *)config; /* its first member */
    struct reload_cert_arena arena = parsed->arena;
    reload_cert_arena_fini(&arena);
    reload_free(parsed);
}

int reload_cert_document_parse(struct reload_slice document, const char *instance_name,
                               const struct reload_cert_document_policy *policy,
                               struct reload_config **out, struct reload_cert_reason *reason)
{
    struct reload_cert_opened opened;
    *out = NULL;
    int error = reload_cert_open(document, instance_name, &opened, reason);
    if (error)
        return error;
    error = reload_cert_document_read(&opened, policy, out, reason);
    reload_cert_opened_fini(&opened);
    return error;
}

/* s11.1: a configuration may be followed by several signatures; one good one is enough. */
static int verify_configuration(const struct reload_cert_opened *opened,
                                const struct reload_cert_signers *signers,
                                struct reload_cert_reason *reason)
{
    struct reload_cert_element element;
    struct reload_node_id signer;
    size_t at = opened->after;
    int verdict = reload_cert_refuse(reason, RELOAD_E_SIGNATURE,
                                     "the configuration is not signed: no signature follows it");
    while (!reload_cert_scan_child(opened->overlay.content, &at, &element)) {
        if (reload_cert_scan_is(&element, "configuration"))
            break;
        if (!reload_cert_scan_is(&element, "signature"))
            continue;
        verdict = reload_cert_verify_blob(signers, opened->element.whole, element.content, &signer,
                                          reason);
        if (!verdict)
            break;
    }
    if (!verdict && reason)
        reason->text[0] = '\0';
    return verdict;
}

static int verify_kinds(const struct reload_config *config, struct reload_trust *trust,
                        uint64_t now_unix_ms, struct reload_cert_reason *reason)
{
    const struct reload_cert_signers signers = { trust, config->kind_signers,
                                                 config->kind_signer_count, "kind-signer",
                                                 now_unix_ms };
    for (size_t i = 0; i < config->kind_count; i++) {
        struct reload_cert_reason why = { "" };
        struct reload_node_id signer;
        if (!config->kinds[i].block.n) /* the RFC's own Kind, not listed */
            continue;
        int error = reload_cert_verify_block(&signers, config->kinds[i].block, &signer, &why);
        if (error)
            return reload_cert_refuse(reason, error, "Kind 0x%x: %s", config->kinds[i].id,
                                      why.text);
    }
    return 0;
}

static int check_expiration(const struct reload_config *config, uint64_t now_unix_ms,
                            struct reload_cert_reason *reason)
{
    if (now_unix_ms < config->expiration_ms)
        return 0;
    return reload_cert_refuse(reason, RELOAD_E_EXPIRED,
                              "the configuration of %s has expired: fetch a new one",
                              config->instance_name);
}

/* --- the first document --- */

static int verify_first(const struct reload_cert_opened *opened, const struct reload_config *config,
                        const struct reload_cert_document_policy *policy, uint64_t now_unix_ms,
                        struct reload_cert_reason *reason)
{
    struct reload_trust *trust;
    int error = reload_trust_new(config, policy->bare_node_id_uri, &trust, reason);
    if (error)
        return error == RELOAD_E_CERTIFICATE ? RELOAD_E_INVALID : error;
    const struct reload_cert_signers signers = { trust, config->configuration_signers,
                                                 config->configuration_signer_count,
                                                 "configuration-signer", now_unix_ms };
    if (!policy->allow_unsigned) {
        error = verify_configuration(opened, &signers, reason);
        if (!error)
            error = verify_kinds(config, trust, now_unix_ms, reason);
    }
    reload_trust_free(trust);
    return error;
}

int reload_cert_document_load(struct reload_slice document, const char *instance_name,
                              const struct reload_cert_document_policy *policy,
                              uint64_t now_unix_ms, struct reload_config **out,
                              struct reload_cert_reason *reason)
{
    struct reload_cert_opened opened;
    struct reload_config *config = NULL;
    *out = NULL;
    int error = reload_cert_open(document, instance_name, &opened, reason);
    if (error)
        return error;
    error = reload_cert_document_read(&opened, policy, &config, reason);
    if (!error)
        error = verify_first(&opened, config, policy_or_strict(policy), now_unix_ms, reason);
    if (!error)
        error = check_expiration(config, now_unix_ms, reason);
    reload_cert_opened_fini(&opened);
    if (error) {
        reload_cert_document_free(config);
        return error;
    }
    *out = config;
    return 0;
}

/* --- the next document --- */

/* s6.5.4.2; the signature was checked before, or a stranger could make us say "too old". */
static int check_newer(const struct reload_cert_opened *opened, const struct reload_config *current,
                       struct reload_cert_reason *reason)
{
    uint16_t sequence = 0;
    int error = reload_cert_document_sequence(opened, &sequence, reason);
    if (error || reload_config_sequence_compare(sequence, current->sequence) > 0)
        return error;
    return reload_cert_refuse(reason, RELOAD_E_TOO_OLD,
                              "sequence %u is not newer than %u, which is in force", sequence,
                              current->sequence);
}

static int check_next(const struct reload_config *next,
                      const struct reload_cert_document_policy *policy, uint64_t now_unix_ms,
                      struct reload_cert_reason *reason)
{
    struct reload_trust *trust;
    int error = check_expiration(next, now_unix_ms, reason);
    if (error)
        return error;
    error = reload_trust_new(next, policy->bare_node_id_uri, &trust, reason);
    if (error)
        return error == RELOAD_E_CERTIFICATE ? RELOAD_E_INVALID : error;
    error = verify_kinds(next, trust, now_unix_ms, reason);
    reload_trust_free(trust);
    return error;
}

/* s11.1: signed by one of the configuration-signers of the previous configuration. */
static int verify_by_current(const struct reload_cert_opened *opened,
                             const struct reload_config *current,
                             const struct reload_cert_document_policy *policy, uint64_t now_unix_ms,
                             struct reload_cert_reason *reason)
{
    struct reload_trust *trust;
    int error = reload_trust_new(current, policy->bare_node_id_uri, &trust, reason);
    if (error)
        return error;
    const struct reload_cert_signers signers = { trust, current->configuration_signers,
                                                 current->configuration_signer_count,
                                                 "configuration-signer", now_unix_ms };
    error = verify_configuration(opened, &signers, reason);
    reload_trust_free(trust);
    return error;
}

int reload_cert_document_update(struct reload_slice document, const struct reload_config *current,
                                const struct reload_cert_document_policy *policy,
                                uint64_t now_unix_ms, struct reload_config **out,
                                struct reload_cert_reason *reason)
{
    struct reload_cert_opened opened;
    struct reload_config *next = NULL;
    *out = NULL;
    policy = policy_or_strict(policy);
    int error = reload_cert_open(document, current->instance_name, &opened, reason);
    if (error)
        return error;
    error = verify_by_current(&opened, current, policy, now_unix_ms, reason);
    if (!error)
        error = check_newer(&opened, current, reason);
    if (!error) /* s11.1: from here on "unsupported" means that this node must leave */
        error = reload_cert_document_read(&opened, policy, &next, reason);
    if (!error)
        error = check_next(next, policy, now_unix_ms, reason);
    reload_cert_opened_fini(&opened);
    if (error) {
        reload_cert_document_free(next);
        return error;
    }
    *out = next;
    return 0;
}

/* --- kind-blocks by themselves --- */

/* The tree of a kind-block as if it stood in a document: s6.5.4.1 gives it our default namespace.
 */
static xmlDocPtr block_tree(struct reload_slice block, struct reload_cert_reason *reason)
{
    static const char open[] = "<required-kinds xmlns=\"" RELOAD_CERT_NAMESPACE "\">";
    static const char close[] = "</required-kinds>";
    if (block.n == 0 || block.n > UINT16_MAX || memchr(block.p, 0, block.n) ||
        reload_cert_scan_count(block, RELOAD_CERT_ELEMENTS_MAX)) {
        reload_cert_refuse(reason, 0, "a kind-block is not XML");
        return NULL;
    }
    size_t len = sizeof open - 1 + block.n + sizeof close - 1;
    uint8_t *text = reload_alloc(len);
    if (!text)
        return NULL;
    memcpy(text, open, sizeof open - 1);
    memcpy(text + sizeof open - 1, block.p, block.n);
    memcpy(text + sizeof open - 1 + block.n, close, sizeof close - 1);
    xmlDocPtr tree = reload_cert_xml_parse(reload_slice_of(text, len), reason);
    reload_free(text);
    return tree;
}

static int read_block(struct reload_slice block, struct reload_cert_parsed *into,
                      const struct reload_cert_document_policy *policy,
                      struct reload_kind_config *out, struct reload_cert_reason *reason)
{
    xmlDocPtr tree = block_tree(block, reason);
    if (!tree)
        return RELOAD_E_DECODE;
    xmlNodePtr root = xmlDocGetRootElement(tree);
    xmlNodePtr outer = reload_cert_xml_element(root->children, NULL);
    bool alone = outer && reload_cert_xml_element(outer, "kind-block") == outer &&
                 !reload_cert_xml_element(outer->next, NULL);
    xmlNodePtr kind = alone ? reload_cert_xml_element(outer->children, "kind") : NULL;
    bool one = kind && !reload_cert_xml_element(kind->next, "kind");
    int error =
        one ? reload_cert_kind_read(kind, &into->arena, policy, out, reason)
            : reload_cert_refuse(reason, RELOAD_E_INVALID, "not one kind-block of one kind");
    xmlFreeDoc(tree);
    if (into->arena.failed)
        return RELOAD_E_NOMEM;
    if (error)
        return error;
    out->block = reload_cert_arena_slice(&into->arena, block);
    return out->block.p ? 0 : RELOAD_E_NOMEM;
}

/* s6.5.4.2: a Kind that is known stays its signer's. */
static int check_signer(const struct reload_cert_signers *signers,
                        const struct reload_kind_config *known, const struct reload_node_id *signer,
                        struct reload_cert_reason *reason)
{
    struct reload_node_id before;
    if (!known || !known->block.n ||
        reload_cert_verify_block(signers, known->block, &before, NULL)) /* nobody's any more */
        return 0;
    if (reload_node_id_equal(&before, signer))
        return 0;
    return reload_cert_refuse(reason, RELOAD_E_FORBIDDEN,
                              "Kind 0x%x is known and was signed by another kind-signer",
                              known->id);
}

static int update_kind(struct reload_cert_parsed *next, const struct reload_cert_signers *signers,
                       struct reload_slice block, const struct reload_cert_document_policy *policy,
                       struct reload_cert_reason *reason)
{
    struct reload_node_id signer;
    struct reload_kind_config kind;
    int error = reload_cert_verify_block(signers, block, &signer, reason);
    if (!error)
        error = read_block(block, next, policy, &kind, reason);
    if (error)
        return error;
    const struct reload_kind_config *known = reload_config_kind(&next->config, kind.id);
    error = check_signer(signers, known, &signer, reason);
    if (error)
        return error;
    /* The copy left room for every block. */
    struct reload_kind_config *kinds = (struct reload_kind_config *)(uintptr_t)next->config.kinds;
    kinds[known ? (size_t)(known - kinds) : next->config.kind_count++] = kind;
    return 0;
}

int reload_cert_document_update_kinds(const struct reload_slice *blocks, size_t count,
                                      const struct reload_config *current,
                                      const struct reload_cert_document_policy *policy,
                                      uint64_t now_unix_ms, struct reload_config **out,
                                      struct reload_cert_reason *reason)
{
    struct reload_cert_parsed *next = NULL;
    struct reload_trust *trust;
    *out = NULL;
    policy = policy_or_strict(policy);
    int error = reload_trust_new(current, policy->bare_node_id_uri, &trust, reason);
    if (error)
        return error;
    const struct reload_cert_signers signers = { trust, current->kind_signers,
                                                 current->kind_signer_count, "kind-signer",
                                                 now_unix_ms };
    error = reload_cert_document_copy(current, count, &next);
    for (size_t i = 0; i < count && !error; i++)
        error = update_kind(next, &signers, blocks[i], policy, reason);
    reload_trust_free(trust);
    if (error) {
        reload_cert_document_free(next ? &next->config : NULL);
        return error;
    }
    *out = &next->config;
    return 0;
}
