#include <inttypes.h>
#include <stdio.h>

#include "certs/document_open.h"
#include "certs/document_verify.h"
#include "certs/text.h"
#include "reload/wire/security_block.h"

/* Signing (RFC 6940 s11.1): the bytes around the signatures stay what they are. */

/* The SecurityBlock over a blob, in base64. */
static int sign_blob(const struct reload_cert_identity *identity, struct reload_slice blob,
                     struct reload_cert_text *out)
{
    const struct reload_own_identity *own = reload_cert_identity_own(identity);
    uint8_t value[RELOAD_SIGNATURE_MAX];
    size_t len = 0;
    struct reload_security_block block = { .certificates = own->certificates };
    struct reload_reader r = reload_reader_over(own->signer_identity);
    int error = reload_signer_identity_decode(&r, &block.signature.identity);
    if (!error)
        error = reload_cert_identity_sign(identity, &blob, 1, value, &len);
    if (error)
        return error;
    block.signature.hash_algorithm = own->hash_algorithm;
    block.signature.signature_algorithm = own->signature_algorithm;
    block.signature.value = reload_slice_of(value, len);
    size_t cap = own->certificates.n + own->signer_identity.n + len + 16;
    uint8_t *bytes = reload_alloc(cap);
    if (!bytes)
        return RELOAD_E_NOMEM;
    struct reload_writer w = reload_writer_of(bytes, cap);
    error = reload_security_block_encode(&w, &block);
    if (!error)
        reload_cert_text_base64(out, reload_writer_slice(&w));
    reload_free(bytes);
    return error;
}

/* "p2p:" of "p2p:kind", empty without a prefix: a signature takes the prefix of what it stands by.
 */
static struct reload_slice prefix_of(struct reload_slice name)
{
    const uint8_t *colon = name.n ? memchr(name.p, ':', name.n) : NULL;
    return colon ? reload_slice_of(name.p, (size_t)(colon + 1 - name.p))
                 : (struct reload_slice){ 0 };
}

static int write_signature(struct reload_cert_text *t, const char *element,
                           struct reload_slice prefix, const struct reload_cert_identity *identity,
                           struct reload_slice blob)
{
    reload_cert_text_string(t, "<");
    reload_cert_text_add(t, prefix);
    reload_cert_text_format(t, "%s>", element);
    int error = sign_blob(identity, blob, t);
    reload_cert_text_string(t, "</");
    reload_cert_text_add(t, prefix);
    reload_cert_text_format(t, "%s>", element);
    return error;
}

/* The bytes of `whole` from behind `after` up to `to`; `to` NULL means its end. */
static struct reload_slice between(struct reload_slice whole, const uint8_t *from,
                                   const uint8_t *to)
{
    return reload_slice_of(from, (size_t)((to ? to : whole.p + whole.n) - from));
}

static const uint8_t *end_of(struct reload_slice s)
{
    return s.p + s.n;
}

int reload_cert_kind_block_sign(struct reload_slice kind, const struct reload_cert_identity *signer,
                                struct reload_cert_bytes *block, struct reload_cert_reason *reason)
{
    struct reload_cert_text t = { 0 };
    struct reload_cert_element element;
    *block = (struct reload_cert_bytes){ 0 };
    if (reload_cert_scan_nth(kind, 0, &element) || !reload_cert_scan_is(&element, "kind"))
        return reload_cert_refuse(reason, RELOAD_E_DECODE, "not a kind element");
    struct reload_slice prefix = prefix_of(element.name);
    reload_cert_text_string(&t, "<");
    reload_cert_text_add(&t, prefix);
    reload_cert_text_string(&t, "kind-block>");
    reload_cert_text_add(&t, element.whole);
    int error = write_signature(&t, "kind-signature", prefix, signer, element.whole);
    reload_cert_text_string(&t, "</");
    reload_cert_text_add(&t, prefix);
    reload_cert_text_string(&t, "kind-block>");
    if (error) {
        reload_cert_text_fini(&t);
        return error;
    }
    return reload_cert_text_take(&t, block);
}

/* A kind-block with a new signature in the old one's place, or behind its kind. */
static int sign_block(struct reload_cert_text *t, struct reload_slice block,
                      const struct reload_cert_identity *signer)
{
    struct reload_cert_element kind, old;
    int error = reload_cert_block_parts(block, &kind, &old);
    if (error)
        return error;
    bool replace = old.whole.n > 0;
    const uint8_t *cut = replace ? old.whole.p : end_of(kind.whole);
    reload_cert_text_add(t, between(block, block.p, cut));
    error = write_signature(t, "kind-signature", prefix_of(kind.name), signer, kind.whole);
    reload_cert_text_add(t, between(block, replace ? end_of(old.whole) : cut, NULL));
    return error;
}

/* required-kinds, each of its blocks signed. */
static int sign_kinds(struct reload_cert_text *t, const struct reload_cert_element *kinds,
                      const struct reload_cert_identity *signer)
{
    struct reload_cert_element child;
    const uint8_t *done = kinds->whole.p;
    size_t at = 0;
    int error;
    while (!(error = reload_cert_scan_child(kinds->content, &at, &child))) {
        if (!reload_cert_scan_is(&child, "kind-block"))
            continue;
        reload_cert_text_add(t, between(kinds->whole, done, child.whole.p));
        error = sign_block(t, child.whole, signer);
        if (error)
            return error;
        done = end_of(child.whole);
    }
    reload_cert_text_add(t, between(kinds->whole, done, NULL));
    return error == RELOAD_E_NOT_FOUND ? 0 : error;
}

/* The start tag with another sequence. */
static void write_tag(struct reload_cert_text *t, const struct reload_cert_element *configuration,
                      uint16_t sequence)
{
    struct reload_slice tag = configuration->tag, value;
    if (sequence == RELOAD_SEQUENCE_ANY) {
        reload_cert_text_add(t, tag);
    } else if (!reload_cert_scan_attribute(configuration, "sequence", &value)) {
        reload_cert_text_add(t, between(tag, tag.p, value.p));
        reload_cert_text_format(t, "%u", sequence);
        reload_cert_text_add(t, between(tag, end_of(value), NULL));
    } else {
        const uint8_t *name_end = end_of(configuration->name);
        reload_cert_text_add(t, between(tag, tag.p, name_end));
        reload_cert_text_format(t, " sequence=\"%u\"", sequence);
        reload_cert_text_add(t, between(tag, name_end, NULL));
    }
}

/* The configuration with its new sequence and all kind-blocks signed. */
static int write_configuration(struct reload_cert_text *t, const struct reload_cert_element *c,
                               uint16_t sequence, const struct reload_cert_identity *kind_signer)
{
    struct reload_cert_element child;
    const uint8_t *done = end_of(c->tag);
    size_t at = 0;
    int error;
    write_tag(t, c, sequence);
    while (!(error = reload_cert_scan_child(c->content, &at, &child))) {
        if (!reload_cert_scan_is(&child, "required-kinds"))
            continue;
        reload_cert_text_add(t, between(c->whole, done, child.whole.p));
        error = sign_kinds(t, &child, kind_signer);
        if (error)
            return error;
        done = end_of(child.whole);
    }
    reload_cert_text_add(t, between(c->whole, done, NULL));
    return error == RELOAD_E_NOT_FOUND ? 0 : error;
}

/* What follows the configuration, without the signatures that were its own. */
static void write_rest(struct reload_cert_text *t, const struct reload_cert_opened *o)
{
    struct reload_cert_element child;
    const uint8_t *done = end_of(o->element.whole);
    size_t at = o->after;
    while (!reload_cert_scan_child(o->overlay.content, &at, &child) &&
           !reload_cert_scan_is(&child, "configuration")) {
        if (!reload_cert_scan_is(&child, "signature"))
            continue;
        const uint8_t *start = child.whole.p;
        while (start > done && (start[-1] == ' ' || start[-1] == '\n'))
            start--; /* its line goes with it */
        reload_cert_text_add(t, between(o->document, done, start));
        done = end_of(child.whole);
    }
    reload_cert_text_add(t, between(o->document, done, NULL));
}

static int sign_opened(const struct reload_cert_opened *o, uint16_t sequence,
                       const struct reload_cert_identity *signer,
                       const struct reload_cert_identity *kind_signer, struct reload_cert_text *t)
{
    struct reload_cert_bytes configuration = { 0 };
    struct reload_cert_text inner = { 0 };
    int error = write_configuration(&inner, &o->element, sequence, kind_signer);
    if (error) {
        reload_cert_text_fini(&inner);
        return error;
    }
    error = reload_cert_text_take(&inner, &configuration);
    if (error)
        return error;
    reload_cert_text_add(t, between(o->document, o->document.p, o->element.whole.p));
    reload_cert_text_add(t, reload_cert_bytes_slice(&configuration));
    reload_cert_text_string(t, "\n  ");
    error = write_signature(t, "signature", prefix_of(o->element.name), signer,
                            reload_cert_bytes_slice(&configuration));
    write_rest(t, o);
    reload_cert_bytes_fini(&configuration);
    return error;
}

static int check_signers(const struct reload_cert_opened *o,
                         const struct reload_cert_document_policy *policy,
                         const struct reload_cert_identity *signer,
                         const struct reload_cert_identity *kind_signer,
                         struct reload_cert_reason *reason)
{
    const struct reload_node_id *who = &reload_cert_identity_own(signer)->node_id;
    const struct reload_node_id *kinds = &reload_cert_identity_own(kind_signer)->node_id;
    struct reload_config *c;
    char text[RELOAD_NODE_ID_TEXT];
    int error = reload_cert_document_read(o, policy, &c, reason);
    if (error)
        return error;
    if (!reload_config_is_signer(c->configuration_signers, c->configuration_signer_count, who))
        error = reload_cert_refuse(reason, RELOAD_E_FORBIDDEN,
                                   "%s is not among the configuration-signers of the document",
                                   reload_node_id_text(who, text));
    else if (c->kind_count && c->kinds[0].block.n &&
             !reload_config_is_signer(c->kind_signers, c->kind_signer_count, kinds))
        error = reload_cert_refuse(reason, RELOAD_E_FORBIDDEN,
                                   "%s is not among the kind-signers of the document",
                                   reload_node_id_text(kinds, text));
    reload_cert_document_free(c);
    return error;
}

int reload_cert_document_sign(struct reload_slice document, const char *instance_name,
                              const struct reload_cert_document_policy *policy, uint16_t sequence,
                              const struct reload_cert_identity *signer,
                              const struct reload_cert_identity *kind_signer,
                              struct reload_cert_bytes *out, struct reload_cert_reason *reason)
{
    struct reload_cert_opened opened;
    struct reload_cert_text t = { 0 };
    *out = (struct reload_cert_bytes){ 0 };
    int error = reload_cert_open(document, instance_name, &opened, reason);
    if (error)
        return error;
    error = check_signers(&opened, policy, signer, kind_signer, reason);
    if (!error)
        error = sign_opened(&opened, sequence, signer, kind_signer, &t);
    reload_cert_opened_fini(&opened);
    if (error) {
        reload_cert_text_fini(&t);
        return error;
    }
    return reload_cert_text_take(&t, out);
}
