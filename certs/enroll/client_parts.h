#ifndef RELOAD_CERTS_ENROLL_CLIENT_PARTS_H
#define RELOAD_CERTS_ENROLL_CLIENT_PARTS_H

#include "certs/enroll/client.h"
#include "certs/enroll/https.h"

/* The steps of the enrollment client. Private to certs/enroll. */

/* Sets result and sentence; returns the result. */
enum reload_enroll_result reload_enroll_say(struct reload_enroll_outcome *out,
                                            enum reload_enroll_result result, const char *format,
                                            ...) __attribute__((format(printf, 3, 4)));
/* Adds, when they differ by minutes, how this machine's clock differs from the server's (date_s -1:
 * unknown). */
void reload_enroll_say_clock(struct reload_enroll_outcome *out, int64_t date_s);

uint32_t reload_enroll_timeout_ms(const struct reload_enroll_client_options *options);
struct reload_cert_document_policy
reload_enroll_policy(const struct reload_enroll_client_options *options);
/* What --ca names, empty without it. LOCAL when it cannot be read. */
enum reload_enroll_result reload_enroll_ca(const struct reload_enroll_client_options *options,
                                           struct reload_cert_bytes *pem,
                                           struct reload_enroll_outcome *out);

/* fetch.c: the document's bytes from wherever options->source says. *overlay is the instance-name
 * that must be in it, or NULL. answer->body holds them, from a file too; the caller calls _fini().
 */
enum reload_enroll_result reload_enroll_obtain(const struct reload_enroll_client_options *options,
                                               const char **overlay,
                                               struct reload_enroll_answer *answer,
                                               struct reload_enroll_outcome *out);

/* request.c: asks the enrollment servers of the document for a certificate for this key, in turn.
 */
enum reload_enroll_result
reload_enroll_request_certificate(const struct reload_enroll_client_options *options,
                                  const struct reload_config *config,
                                  const struct reload_cert_key *key, struct reload_cert_bytes *der,
                                  int64_t *date_s, struct reload_enroll_outcome *out);

#endif
