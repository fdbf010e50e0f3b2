#ifndef RELOAD_CERTS_ENROLL_PUBLICATION_H
#define RELOAD_CERTS_ENROLL_PUBLICATION_H

#include "certs/document.h"
#include "certs/enroll/events.h"

#include <microhttpd.h>

/* The overlay document as the configuration server hands it out (RFC 6940 s11.2). The file is
 * looked at on each request; when it has changed and its new content is a valid, signed and
 * unexpired document of the same overlay, it takes the old one's place, as a whole or not at all.
 * Safe from any thread. */

struct reload_enroll_publication;

struct reload_enroll_publication_options {
    const char *directory;                            /* holds overlay.xml; copied */
    const struct reload_cert_document_policy *policy; /* NULL: the strict default; borrowed */
    struct reload_slice ca;                           /* DER; must be one of the root-certs */
    struct reload_enroll_events *events;              /* borrowed */
};

/* Errors of certs/file.h and certs/document.h, and RELOAD_E_CERTIFICATE when the CA is no
 * root-cert. */
RELOAD_MUST_USE int
reload_enroll_publication_new(const struct reload_enroll_publication_options *options,
                              struct reload_enroll_publication **out,
                              struct reload_cert_reason *reason);
void reload_enroll_publication_free(struct reload_enroll_publication *publication);

struct reload_enroll_edition { /* what is published at one moment */
    char overlay[256];
    size_t node_id_len;
    uint16_t sequence;
};

/* The present edition, after a look at the file. */
struct reload_enroll_edition
reload_enroll_publication_edition(struct reload_enroll_publication *publication);
/* Queues the document as the answer. */
enum MHD_Result reload_enroll_publication_answer(struct reload_enroll_publication *publication,
                                                 struct MHD_Connection *connection);

#endif
