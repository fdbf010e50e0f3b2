#ifndef CERTS_CONTEXT_H
#define CERTS_CONTEXT_H

#include "certs/document.h"
#include "certs/identity.h"
#include "certs/trust.h"
#include "reload/link/identity.h"
#include "reload/log.h"
#include "reload/security/crypto.h"

/* Certificates at the service of one node: its own identity, the verifier with its cache, and the
 * operations that the core, the links and the configuration ask for. One context is used from one
 * thread at a time; several contexts may live in several threads. */

struct reload_cert_context;

struct reload_cert_context_options {
    const struct reload_cert_identity *identity; /* borrowed; NULL: cannot sign, only verify */
    const struct reload_config *config;          /* in force; borrowed until configure() */
    struct reload_cert_document_policy policy;   /* copied; what it points to is borrowed */
    const struct reload_log *log;                /* where refusals go; borrowed; may be NULL */
};

/* 0, RELOAD_E_NOMEM, RELOAD_E_CERTIFICATE (a root-cert is unusable). */
RELOAD_MUST_USE int reload_cert_context_new(const struct reload_cert_context_options *options,
                                            struct reload_cert_context **out,
                                            struct reload_cert_reason *reason);
void reload_cert_context_free(struct reload_cert_context *context); /* NULL is fine */

/* The implementations; the context argument of each call is the struct reload_cert_context. */
extern const struct reload_crypto_ops reload_cert_crypto_ops;
extern const struct reload_link_identity_ops reload_cert_link_identity_ops;
extern const struct reload_config_ops reload_cert_config_ops;

/* The operations with this context and identity, as the core holds them. */
struct reload_crypto reload_cert_context_crypto(struct reload_cert_context *context);

const struct reload_trust_counters *
reload_cert_context_counters(const struct reload_cert_context *context);
/* Why the last refusal was; empty at first. */
const char *reload_cert_context_reason(const struct reload_cert_context *context);

#endif
