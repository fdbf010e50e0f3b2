#include <stdlib.h>
#include <string.h>

#include "interop/probe/memory.h"
#include "interop/probe/run.h"

/* The whole first: what s6.3.2 and s6.2.2 ask of the forwarding header of an answer. */
static int check_field(struct probe_run *run, const struct probe_message *m, const char *name,
                       const char *pattern)
{
    struct probe_fault why = { "" };
    if (!probe_match(&run->names, &run->functions, pattern, *probe_message_field(m, name),
                     &run->names, &why))
        return 0;
    return probe_fault_set(&run->fault, "the answer's %s: %s", name, why.text);
}

static int check_header(struct probe_run *run, const struct probe_message *m)
{
    static const struct {
        const char *name, *pattern, *unless; /* unless: a case that does not mind */
    } rules[] = {
        { "token", "d2454c4f", "" },
        { "overlay", "{overlay}", "" },
        { "version", "0a", "" },
        { "sequence", "{reply_sequence}", "" },
        { "transaction", "{sent.transaction}", "" },
        { "max_response", "00000000", "" },
        { "via", "", "" },
        { "dest", "{sent.reply_dest}", "any_dest" },
        { "options", "{reply_options}", "" },
        { "extensions", "", "" },
    };
    uint64_t ttl = probe_number(m->ttl);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (!probe_scope_find(&run->names, rules[i].unless) &&
            check_field(run, m, rules[i].name, rules[i].pattern))
            return -1;
    if (ttl == 0 || ttl > run->world->config->initial_ttl)
        return probe_fault_set(&run->fault, "the answer's TTL is %llu", (unsigned long long)ttl);
    if (probe_number(m->fragment) >> 30 != 3)
        return probe_fault_set(&run->fault, "the answer's fragment field is %08llx",
                               (unsigned long long)probe_number(m->fragment));
    return 0;
}

/* s6.3.4: overlay, transaction_id, MessageContents and SignerIdentity, signed by whom it names. */
static int check_signature(struct probe_run *run, const struct probe_message *m)
{
    struct reload_cert_context *certs = m->actor->certs;
    const struct reload_slice parts[] = { m->overlay, m->transaction, m->contents, m->identity };
    struct reload_signer signer;
    if (m->identity.n < 3)
        return probe_fault_set(&run->fault, "no SignerIdentity");
    int error = reload_cert_crypto_ops.identify(
        certs, m->certificates, m->identity.p[0],
        reload_slice_of(m->identity.p + 3, m->identity.n - 3), probe_now(), &signer);
    if (error)
        return probe_fault_set(&run->fault, "a signer that cannot be identified: %s",
                               reload_error_text(error));
    error = reload_cert_crypto_ops.verify(certs, signer.identity, m->algorithms.p[0],
                                          m->algorithms.p[1], parts, 4, m->signature);
    if (error)
        return probe_fault_set(&run->fault, "a signature: %s", reload_error_text(error));
    probe_scope_bytes(&run->names, "signed_by", reload_node_id_slice(&signer.node_id));
    return 0;
}

int probe_verify(struct probe_run *run, const struct probe_message *answer)
{
    if (check_header(run, answer) || check_signature(run, answer))
        return -1;
    const struct probe_name *signer = probe_scope_find(&run->names, "signed_by");
    struct probe_fault why = { "" };
    if (probe_match(&run->names, &run->functions, "{sent.reply_signer}",
                    reload_slice_of(signer->bytes, signer->len), &run->names, &why))
        return probe_fault_set(&run->fault, "who signed the answer: %s", why.text);
    return 0;
}
