#ifndef USAGE_SIP_CONTACTS_H
#define USAGE_SIP_CONTACTS_H

#include "reload/time.h"
#include "usage-sip/aor.h"
#include "usage-sip/route.h"

/* Where addresses were found last, to be tried before the overlay is asked again. An entry ends
 * with the registrations it was made from. */

#define RELOAD_SIP_CONTACTS_MAX 256 /* addresses; the one that ends first makes room */
#define RELOAD_SIP_CONTACTS_LIFETIME_S                                                             \
    300 /* at most: who registers elsewhere is found there soon */

struct reload_sip_contacts;

struct reload_sip_contacts *reload_sip_contacts_new(void); /* NULL: no memory */
void reload_sip_contacts_free(struct reload_sip_contacts *contacts);

/* The targets of an address, valid until the next call here; *count is 0 and the answer NULL when
 * none are known. */
const struct reload_sip_target *reload_sip_contacts_find(struct reload_sip_contacts *contacts,
                                                         const struct reload_sip_aor *aor,
                                                         struct reload_time now, size_t *count);
/* Remembers a copy. Without memory nothing is remembered. */
void reload_sip_contacts_put(struct reload_sip_contacts *contacts, const struct reload_sip_aor *aor,
                             const struct reload_sip_target *targets, size_t count,
                             uint32_t lifetime_s, struct reload_time now);
/* They did not answer, or are someone else's now. */
void reload_sip_contacts_forget(struct reload_sip_contacts *contacts,
                                const struct reload_sip_aor *aor);

struct reload_sip_contacts_counters {
    uint64_t hits, misses, evictions;
    size_t entries;
};
struct reload_sip_contacts_counters
reload_sip_contacts_counters(const struct reload_sip_contacts *contacts);

#endif
