#include "certs/document_verify.h"

#include "certs/base64.h"
#include "reload/wire/security_block.h"

static int identify(const struct reload_cert_signers *signers,
                    const struct reload_security_block *block, struct reload_signer *signer,
                    struct reload_cert_reason *reason)
{
    const struct reload_signer_identity *who = &block->signature.identity;
    struct reload_cert_reason why = { "" };
    int error = reload_trust_identify(signers->trust, block->certificates, who->type, who->value,
                                      signers->now_unix_ms, signer, &why);
    if (!error)
        return 0;
    bool pass = error == RELOAD_E_EXPIRED || error == RELOAD_E_NOMEM;
    return reload_cert_refuse(reason, pass ? error : RELOAD_E_SIGNATURE,
                              "the %s's certificate is not valid: %s", signers->role, why.text);
}

static int verify(const struct reload_cert_signers *signers, struct reload_slice blob,
                  const struct reload_security_block *block, struct reload_node_id *out,
                  struct reload_cert_reason *reason)
{
    struct reload_signer signer;
    char text[RELOAD_NODE_ID_TEXT];
    int error = identify(signers, block, &signer, reason);
    if (error)
        return error;
    *out = signer.node_id;
    if (!reload_config_is_signer(signers->ids, signers->count, out))
        return reload_cert_refuse(reason, RELOAD_E_SIGNATURE,
                                  "it is signed by node %s, which is no %s of the configuration",
                                  reload_node_id_text(out, text), signers->role);
    error =
        reload_trust_verify(signers->trust, signer.identity, block->signature.hash_algorithm,
                            block->signature.signature_algorithm, &blob, 1, block->signature.value);
    if (error)
        return reload_cert_refuse(
            reason, error == RELOAD_E_NOMEM ? error : RELOAD_E_SIGNATURE,
            "the signature of %s %s does not fit the bytes: they were changed "
            "after signing",
            signers->role, reload_node_id_text(out, text));
    return 0;
}

int reload_cert_verify_blob(const struct reload_cert_signers *signers, struct reload_slice blob,
                            struct reload_slice base64, struct reload_node_id *signer,
                            struct reload_cert_reason *reason)
{
    struct reload_cert_bytes bytes;
    struct reload_security_block block;
    int error = reload_cert_base64_decode(base64, &bytes);
    if (!error && reload_security_block_decode(reload_cert_bytes_slice(&bytes), &block))
        error = RELOAD_E_DECODE;
    if (error == RELOAD_E_NOMEM)
        return error;
    if (error)
        error = reload_cert_refuse(reason, RELOAD_E_SIGNATURE,
                                   "a signature is not a SecurityBlock in base64");
    else
        error = verify(signers, blob, &block, signer, reason);
    reload_cert_bytes_fini(&bytes);
    return error;
}

int reload_cert_block_parts(struct reload_slice block, struct reload_cert_element *kind,
                            struct reload_cert_element *signature)
{
    struct reload_cert_element outer, element;
    size_t at = 0;
    *kind = *signature = (struct reload_cert_element){ 0 };
    int error = reload_cert_scan_nth(block, 0, &outer);
    while (!error && !(error = reload_cert_scan_child(outer.content, &at, &element))) {
        if (reload_cert_scan_is(&element, "kind") && !kind->whole.n)
            *kind = element;
        else if (reload_cert_scan_is(&element, "kind-signature") && !signature->whole.n)
            *signature = element;
    }
    return error == RELOAD_E_NOT_FOUND && kind->whole.n ? 0 : RELOAD_E_DECODE;
}

int reload_cert_verify_block(const struct reload_cert_signers *signers, struct reload_slice block,
                             struct reload_node_id *signer, struct reload_cert_reason *reason)
{
    struct reload_cert_element kind, signature;
    if (reload_cert_block_parts(block, &kind, &signature))
        return reload_cert_refuse(reason, RELOAD_E_SIGNATURE, "a kind-block without kind");
    if (!signature.whole.n) /* s11.1: it "MUST contain" one, whatever the grammar says */
        return reload_cert_refuse(reason, RELOAD_E_SIGNATURE, "a kind-block has no kind-signature");
    return reload_cert_verify_blob(signers, kind.whole, signature.content, signer, reason);
}
