#ifndef RELOAD_CERTS_ENROLL_IDENTITY_DIR_H
#define RELOAD_CERTS_ENROLL_IDENTITY_DIR_H

#include "certs/key.h"

/* The folder that `reload peer --identity` runs from: overlay.xml, node.pem, node.key (mode 0600).
 */

struct reload_enroll_identity_dir {
    struct reload_slice document;    /* as received */
    bool document_is_secret;         /* it holds a shared-secret (s14.16): mode 0600 */
    struct reload_slice certificate; /* DER */
    const struct reload_cert_key *key;
};

/* Writes the folder beside its place and then exchanges it with what is there, so that no moment
 * sees half of it. Other files of a former folder move over, but not peers.cache. RELOAD_E_IO,
 * RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_enroll_identity_write(const char *path,
                                                 const struct reload_enroll_identity_dir *content,
                                                 struct reload_cert_reason *reason);

#endif
