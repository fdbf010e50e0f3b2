#ifndef CERTS_OVERLAY_DIR_INTERNAL_H
#define CERTS_OVERLAY_DIR_INTERNAL_H

#include "certs/overlay_dir.h"

/* What those who change an overlay's folder share. Errors as in certs/overlay_dir.h. */

/* The bytes of overlay.xml. */
RELOAD_MUST_USE int reload_cert_overlay_read_document(const char *directory,
                                                      struct reload_cert_bytes *out,
                                                      struct reload_cert_reason *reason);
/* Signs these bytes as the folder's next document, one sequence number on (`*sequence`), and
 * publishes them. */
RELOAD_MUST_USE int
reload_cert_overlay_publish_next(const char *directory,
                                 const struct reload_cert_document_policy *policy,
                                 struct reload_slice document, uint64_t now_unix_ms,
                                 uint16_t *sequence, struct reload_cert_reason *reason);
/* Puts a signed document in place once it has passed the checks of a node of this policy, and is
 * short enough to be pushed. */
RELOAD_MUST_USE int reload_cert_overlay_publish(const char *directory,
                                                const struct reload_cert_document_policy *policy,
                                                struct reload_slice document, uint64_t now_unix_ms,
                                                struct reload_cert_reason *reason);
/* Whether a node can bring a document of that many bytes to another in a ConfigUpdate
 * (RFC 6940 s6.3.2.1), and the max-message-size with which it can, after some edits too. */
bool reload_cert_overlay_can_be_pushed(size_t document_len, uint32_t max_message_size);
uint32_t reload_cert_overlay_size_to_push(size_t document_len);
/* Writes a certificate, DER, as PEM into the folder. */
RELOAD_MUST_USE int reload_cert_overlay_write_pem(const char *directory, const char *name,
                                                  struct reload_slice der,
                                                  struct reload_cert_reason *reason);

#endif
