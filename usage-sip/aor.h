#ifndef USAGE_SIP_AOR_H
#define USAGE_SIP_AOR_H

#include "reload/wire/cursor.h"

/* The address of record as a Resource Name (RFC 7904 s2, s7): "alice@dht.example.com", without
 * scheme, port, parameters and headers, percent escapes decoded, so that it is the rfc822Name of
 * its owner's certificate byte for byte. Domain names do not care for case but hashes do: the
 * domain is lower case here, the user part as it came. Reading a name again changes nothing. */

#define RELOAD_SIP_AOR_MAX 255 /* bytes; an rfc822Name has at most 254 */

struct reload_sip_aor {
    char text[RELOAD_SIP_AOR_MAX + 1]; /* NUL-terminated */
    size_t len;
    size_t domain_at; /* where the domain begins in text */
};

/* Reads "alice@example.com", "sip:..." or "sips:...". RELOAD_E_UNSUPPORTED for another scheme;
 * RELOAD_E_INVALID: no user, no domain, a domain that is no host name (s3.4: no escapes), an
 * escape that is none or gives a control character, a space, "@", "%" or ":"; RELOAD_E_LIMIT when
 * it is too long. */
RELOAD_MUST_USE int reload_sip_aor_read(struct reload_slice text, struct reload_sip_aor *out);

static inline struct reload_slice reload_sip_aor_name(const struct reload_sip_aor *aor)
{
    return reload_slice_of(aor->text, aor->len);
}
static inline const char *reload_sip_aor_domain(const struct reload_sip_aor *aor)
{
    return aor->text + aor->domain_at;
}
static inline bool reload_sip_aor_equal(const struct reload_sip_aor *a,
                                        const struct reload_sip_aor *b)
{
    return reload_slice_equal(reload_sip_aor_name(a), reload_sip_aor_name(b));
}

#endif
