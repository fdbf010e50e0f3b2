#ifndef RELOAD_SECURITY_BUCKET_H
#define RELOAD_SECURITY_BUCKET_H

#include "reload/wire/security_block.h"

/* The certificate bucket of a SecurityBlock (RFC 6940 s6.3.4): a list of GenericCertificates that
 * no signature covers. Here: such lists as bytes, without the length in front. */

#define RELOAD_BUCKET_MAX 256 /* certificates in one bucket; a message with more is refused */

/* The same certificate is put in once only: these look at the list that began when w->len was
 * `start`. Whether it fitted shows in the writer's status. */
void reload_bucket_add(struct reload_writer *w, size_t start,
                       const struct reload_certificate *certificate);
/* Each certificate of a list. A malformed list ends at its first malformed entry. */
void reload_bucket_add_all(struct reload_writer *w, size_t start, struct reload_slice certificates);

/* 0, RELOAD_E_LIMIT above RELOAD_BUCKET_MAX certificates, RELOAD_E_DECODE. */
RELOAD_MUST_USE int reload_bucket_check(struct reload_slice certificates);

#endif
