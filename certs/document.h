#ifndef CERTS_DOCUMENT_H
#define CERTS_DOCUMENT_H

#include "certs/bytes.h"
#include "certs/identity.h"
#include "certs/reason.h"
#include "reload/config/config.h"

/* The overlay configuration document (RFC 6940 s11.1): application/p2p-overlay+xml.
 *
 * What a document says is read with libxml2; what was signed is the bytes as they came. No DTD, no
 * entities, no network. */

#define RELOAD_CERT_DOCUMENT_MAX (1u << 20) /* bytes; a longer document is refused */
#define RELOAD_CERT_ELEMENTS_MAX 20000      /* XML elements in one document */

#define RELOAD_CERT_NAMESPACE       "urn:ietf:params:xml:ns:p2p:config-base"
#define RELOAD_CERT_NAMESPACE_CHORD "urn:ietf:params:xml:ns:p2p:config-chord"

/* What this node can do and what its operator lets pass. {0} is the strict default. */
struct reload_cert_document_policy {
    const char *const *extensions; /* namespaces of supported mandatory-extensions, s11.1 */
    size_t extension_count;
    const char *const *access_controls; /* supported policies besides the four of s7.3 */
    size_t access_control_count;
    const struct reload_kind_config
        *kinds; /* registered Kinds known besides reload/config/registry.h */
    size_t kind_count;
    const struct reload_kind_ops *const *kind_ops; /* of the usages this node runs */
    size_t kind_ops_count;
    bool allow_unsigned;   /* a first document without a valid signature is taken all the same */
    bool bare_node_id_uri; /* see certs/uri.h */
};

/* Whether an overlay may bear this name: 1 to 255 characters of a DNS name (s6.3.2).
 * RELOAD_E_INVALID. */
RELOAD_MUST_USE int reload_cert_overlay_name_check(const char *name,
                                                   struct reload_cert_reason *reason);

/* Reads the configuration of `instance_name` (NULL: the first one), without asking who signed it or
 * whether it has expired. Obeys the schema, ranges and defaults of s11.1; unknown elements of
 * foreign namespaces are passed over. *out owns a copy of the bytes. RELOAD_E_DECODE (not
 * well-formed UTF-8 XML, a DTD, no such instance-name), RELOAD_E_INVALID (breaks schema or range),
 * RELOAD_E_UNSUPPORTED (mandatory-extension, required Kind or digest), RELOAD_E_LIMIT,
 * RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_document_parse(struct reload_slice document,
                                               const char *instance_name,
                                               const struct reload_cert_document_policy *policy,
                                               struct reload_config **out,
                                               struct reload_cert_reason *reason);

/* A first document, from a configuration server or a file: as reload_cert_document_parse(), and it
 * must be signed by one of its own configuration-signers whose certificate chains to one of its own
 * root-certs (or follows the self-signed rule), and not be past its expiration; so are its
 * kind-blocks by its kind-signers. That rests on how the document came here: HTTPS, or the
 * operator's hand. Also RELOAD_E_SIGNATURE, RELOAD_E_EXPIRED. */
RELOAD_MUST_USE int reload_cert_document_load(struct reload_slice document,
                                              const char *instance_name,
                                              const struct reload_cert_document_policy *policy,
                                              uint64_t now_unix_ms, struct reload_config **out,
                                              struct reload_cert_reason *reason);

/* The next document: signed by a configuration-signer of `current`, its certificate checked by the
 * roots of `current`, same instance-name, newer sequence (s6.5.4.2, s11.1). Errors as
 * reload_config_ops.parse_document; RELOAD_E_UNSUPPORTED only for one that is signed and newer. */
RELOAD_MUST_USE int reload_cert_document_update(struct reload_slice document,
                                                const struct reload_config *current,
                                                const struct reload_cert_document_policy *policy,
                                                uint64_t now_unix_ms, struct reload_config **out,
                                                struct reload_cert_reason *reason);

/* Kind-blocks of a ConfigUpdate. Errors as reload_config_ops.parse_kinds. */
RELOAD_MUST_USE int reload_cert_document_update_kinds(
    const struct reload_slice *blocks, size_t count, const struct reload_config *current,
    const struct reload_cert_document_policy *policy, uint64_t now_unix_ms,
    struct reload_config **out, struct reload_cert_reason *reason);

/* Frees what one of the functions above made; NULL is fine. */
void reload_cert_document_free(struct reload_config *config);

/* --- making documents --- */

/* Writes a configuration as a document without signatures: every value, also the defaults, so that
 * an operator sees what can be edited. config->document is not looked at. RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_document_write(const struct reload_config *config,
                                               struct reload_cert_bytes *out);

/* Signs the configuration of `instance_name` (NULL: the first) in a document: each of its
 * kind-blocks by `kind_signer` and then the whole by `signer`, replacing the signatures that are
 * there; every other byte stays. policy: how it is read (NULL: strictly). sequence: the new
 * sequence number, or RELOAD_SEQUENCE_ANY to leave it as it is. RELOAD_E_DECODE, RELOAD_E_INVALID,
 * RELOAD_E_FORBIDDEN (signer not listed in the document), RELOAD_E_NOMEM. */
RELOAD_MUST_USE int
reload_cert_document_sign(struct reload_slice document, const char *instance_name,
                          const struct reload_cert_document_policy *policy, uint16_t sequence,
                          const struct reload_cert_identity *signer,
                          const struct reload_cert_identity *kind_signer,
                          struct reload_cert_bytes *out, struct reload_cert_reason *reason);

/* Signs one <kind>..</kind> and answers the kind-block around it: what a ConfigUpdate of type kind
 * carries. */
RELOAD_MUST_USE int reload_cert_kind_block_sign(struct reload_slice kind,
                                                const struct reload_cert_identity *signer,
                                                struct reload_cert_bytes *block,
                                                struct reload_cert_reason *reason);

/* Writes <kind>..</kind> for a Kind. */
RELOAD_MUST_USE int reload_cert_kind_write(const struct reload_kind_config *kind,
                                           struct reload_cert_bytes *out);

/* ID:MODEL:POLICY:MAXCOUNT:MAXSIZE[:MAXMULTIPLE], as `--kind` takes it. ID is decimal or
 * 0x-hexadecimal. RELOAD_E_INVALID with the field that is wrong. */
RELOAD_MUST_USE int reload_cert_kind_option(const char *text, struct reload_kind_config *out,
                                            struct reload_cert_reason *reason);

#endif
