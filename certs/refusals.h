#ifndef CERTS_REFUSALS_H
#define CERTS_REFUSALS_H

#include "certs/digest.h"
#include "certs/reason.h"

/* Certificates that were refused, with the reason: whoever shows one again and again has it looked
 * up, not checked. What is remembered is the certificate together with all that came along with it,
 * since another intermediate may make it good; and never a refusal for the time of day or for want
 * of memory. A new one takes the place of an old one. */

#define RELOAD_CERT_REFUSALS_MAX 128 /* about 40 kB */

struct reload_cert_refusals;

struct reload_cert_refusals_key {
    uint8_t hash[32];
};

struct reload_cert_refusals *reload_cert_refusals_new(void);           /* NULL without memory */
void reload_cert_refusals_free(struct reload_cert_refusals *refusals); /* NULL is fine */
void reload_cert_refusals_clear(struct reload_cert_refusals *refusals);

/* What a certificate and its company are known by. RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_refusals_key(struct reload_cert_hasher *hasher,
                                             struct reload_slice certificate,
                                             const struct reload_slice *offered, size_t count,
                                             struct reload_cert_refusals_key *out);
/* The error with which it was refused, and why; 0 when it was not, as far as is known. */
int reload_cert_refusals_find(const struct reload_cert_refusals *refusals,
                              const struct reload_cert_refusals_key *key,
                              struct reload_cert_reason *reason);
/* Remembers a refusal of a kind that does not pass; others it passes over. */
void reload_cert_refusals_add(struct reload_cert_refusals *refusals,
                              const struct reload_cert_refusals_key *key, int error,
                              const struct reload_cert_reason *reason);

#endif
