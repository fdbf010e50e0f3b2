#ifndef CERTS_OVERLAY_DIR_INTERNAL_H
#define CERTS_OVERLAY_DIR_INTERNAL_H

#include "certs/overlay_dir.h"

/* What those who change an overlay's folder share. Errors as in certs/overlay_dir.h. */

/* The bytes of overlay.xml. */
RELOAD_MUST_USE int reload_cert_overlay_read_document(const char *directory,
                                                      struct reload_cert_bytes *out,
                                                      struct reload_cert_reason *reason);
/* Signs these bytes as the folder's next document, one sequence number on, and puts them in place
 * once they have passed the checks of a node of this policy. */
RELOAD_MUST_USE int
reload_cert_overlay_publish_next(const char *directory,
                                 const struct reload_cert_document_policy *policy,
                                 struct reload_slice document, uint64_t now_unix_ms,
                                 uint16_t *sequence, struct reload_cert_reason *reason);
RELOAD_MUST_USE int reload_cert_overlay_write_pem(const char *directory, const char *name,
                                                  struct reload_slice der,
                                                  struct reload_cert_reason *reason);

#endif
