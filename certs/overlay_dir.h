#ifndef CERTS_OVERLAY_DIR_H
#define CERTS_OVERLAY_DIR_H

#include "certs/document.h"
#include "certs/key.h"

/* An overlay's folder, as its operator keeps it: overlay.xml (signed), ca.pem and ca.key, https.pem
 * and https.key (for the enrollment and configuration server, issued by this CA), signer.pem and
 * signer.key (who signs the document and its Kinds). Keys are mode 0600. enrollment adds enroll.db.
 */

#define RELOAD_CERT_OVERLAY_XML "overlay.xml"
#define RELOAD_CERT_CA_PEM      "ca.pem"
#define RELOAD_CERT_CA_KEY      "ca.key"
#define RELOAD_CERT_HTTPS_PEM   "https.pem"
#define RELOAD_CERT_HTTPS_KEY   "https.key"
#define RELOAD_CERT_SIGNER_PEM  "signer.pem"
#define RELOAD_CERT_SIGNER_KEY  "signer.key"

struct reload_cert_overlay_options {
    struct reload_config config;   /* a template: instance_name, bootstrap_nodes, kinds,
                                      enrollment_servers,   no_ice, self_signed_permitted, timers and
                                      the rest as wanted; overlay,   sequence, root_certs and the
                                      signers are filled in by create. Everything is   borrowed. */
    enum reload_cert_key_type key; /* of CA, HTTPS server and signer */
    const char *const
        *https_names; /* host names and addresses of the server besides the overlay's name */
    size_t https_name_count;
    uint64_t now_unix_ms;
    uint64_t ca_lifetime_s; /* 0: 10 years; signer and HTTPS certificates live as long */
};

/* Options with the RFC's defaults and EC keys. */
struct reload_cert_overlay_options reload_cert_overlay_options_default(const char *instance_name,
                                                                       uint64_t now_unix_ms);

/* Makes the folder (if it does not exist, mode 0700) and everything in it; overlay.xml comes last.
 * A max-message-size that the finished document does not fit, as one ConfigUpdate (RFC 6940
 * s6.5.4), is raised so that it does. Refuses a folder that already has an overlay.xml or a ca.key.
 * RELOAD_E_STATE (that), RELOAD_E_INVALID (options, with a reason), RELOAD_E_IO, RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_overlay_create(const char *directory,
                                               const struct reload_cert_overlay_options *options,
                                               struct reload_cert_reason *reason);

/* After an edit of overlay.xml: bumps the sequence, signs all again, checks the result as a node
 * of this policy would (so that a document that breaks a rule is never published) and replaces the
 * file. *sequence is the new one. Errors of certs/document.h and certs/file.h; RELOAD_E_INVALID
 * also for a document that does not fit its own max-message-size: the reason says what would do.
 * Who still holds a document with a smaller one cannot be sent a larger document and must fetch it
 * from the configuration server: raise max-message-size first, and let that spread. */
RELOAD_MUST_USE int reload_cert_overlay_sign(const char *directory,
                                             const struct reload_cert_document_policy *policy,
                                             uint64_t now_unix_ms, uint16_t *sequence,
                                             struct reload_cert_reason *reason);

/* What an enrollment server at HOST:PORT needs of the folder besides, so that those who are sent
 * there come in. The HTTPS certificate is issued anew, for the same key, when it is not for `host`.
 */
RELOAD_MUST_USE int reload_cert_overlay_serve_host(const char *directory, const char *host,
                                                   uint64_t now_unix_ms,
                                                   struct reload_cert_reason *reason);
/* A document that names no enrollment-server gets `url` as its one and is signed again; any other
 * is left as it is. *changed tells which. Checked as reload_cert_overlay_sign() does. */
RELOAD_MUST_USE int reload_cert_overlay_serve_url(const char *directory,
                                                  const struct reload_cert_document_policy *policy,
                                                  const char *url, uint64_t now_unix_ms,
                                                  bool *changed, struct reload_cert_reason *reason);

#endif
