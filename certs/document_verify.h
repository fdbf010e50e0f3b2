#ifndef CERTS_DOCUMENT_VERIFY_H
#define CERTS_DOCUMENT_VERIFY_H

#include "certs/scan.h"
#include "certs/trust.h"

/* Signatures in a document (RFC 6940 s11.1): a SecurityBlock in base64, over the bytes of an
 * element and nothing else. */

struct reload_cert_signers { /* who may sign, and by which roots their certificates are checked */
    struct reload_trust *trust;
    const struct reload_node_id *ids;
    size_t count;
    const char *role; /* "configuration-signer" or "kind-signer" */
    uint64_t now_unix_ms;
};

/* Verifies one signature element's text over `blob`. 0 with the signer's Node-ID;
 * RELOAD_E_SIGNATURE, RELOAD_E_EXPIRED (the signer's certificate), RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_verify_blob(const struct reload_cert_signers *signers,
                                            struct reload_slice blob, struct reload_slice base64,
                                            struct reload_node_id *signer,
                                            struct reload_cert_reason *reason);

/* Verifies <kind> by the <kind-signature> in the same kind-block. Errors as above. */
RELOAD_MUST_USE int reload_cert_verify_block(const struct reload_cert_signers *signers,
                                             struct reload_slice block,
                                             struct reload_node_id *signer,
                                             struct reload_cert_reason *reason);

/* The <kind> and <kind-signature> of a kind-block's bytes; the signature may be missing (empty).
 * RELOAD_E_DECODE. */
RELOAD_MUST_USE int reload_cert_block_parts(struct reload_slice block,
                                            struct reload_cert_element *kind,
                                            struct reload_cert_element *signature);

#endif
