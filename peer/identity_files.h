#ifndef PEER_IDENTITY_FILES_H
#define PEER_IDENTITY_FILES_H

#include "certs/document.h"
#include "certs/identity.h"
#include "peer/overlay.h"

/* Reads who a node is: configuration document, certificate chain and key, from an identity folder
 * or from loose files, checked as the other nodes would. */

#define RELOAD_IDENTITY_XML   "overlay.xml"
#define RELOAD_IDENTITY_PEM   "node.pem"
#define RELOAD_IDENTITY_KEY   "node.key"
#define RELOAD_IDENTITY_CACHE "peers.cache"

struct reload_identity_files {
    struct reload_config *config;          /* for reload_cert_document_free() */
    struct reload_cert_identity *identity; /* for reload_cert_identity_free() */
};

/* Errors of reload_overlay_new(). */
RELOAD_MUST_USE int reload_identity_files_read(const struct reload_overlay_options *options,
                                               uint64_t now_unix_ms,
                                               struct reload_identity_files *out,
                                               struct reload_cert_reason *reason);

#endif
