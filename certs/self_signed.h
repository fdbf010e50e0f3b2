#ifndef CERTS_SELF_SIGNED_H
#define CERTS_SELF_SIGNED_H

#include "certs/trust.h"
#include "certs/x509.h"

/* Whether its own key made its signature. */
bool reload_cert_is_self_signed(const struct reload_cert *certificate);

/* The rule for such a certificate (RFC 6940 s11.3.1): permitted by the configuration, and each
 * Node-ID follows from the key. RELOAD_E_CERTIFICATE with a reason. */
RELOAD_MUST_USE int reload_cert_self_signed_check(const struct reload_config *config,
                                                  const struct reload_cert *certificate,
                                                  struct reload_cert_reason *reason);

#endif
