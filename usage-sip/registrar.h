#ifndef USAGE_SIP_REGISTRAR_H
#define USAGE_SIP_REGISTRAR_H

#include "reload/config/config.h"
#include "reload/time.h"
#include "usage-sip/aor.h"
#include "usage-sip/contact_prefs.h"

/* Keeping this node's registration in the overlay (RFC 7904 s3) as a state machine: the caller
 * pulls Stores with reload_sip_registrar_next(), tells how each ended, and calls tick() at
 * deadline(). A node has one record: its Node-ID is the dictionary key, and every device of a user
 * is a node of its own.
 *
 *                 register, forward                     stored
 *   IDLE ------------------------------> STORING ----------------------> REGISTERED
 *    ^                                    ^   | ^                          |   |
 *    | stored                    deadline |   | | refresh at 80 %          |   |
 *    |                                    |   v +--------------------------+   |
 *   REMOVING <---- unregister ------- WAITING (failed)          unregister ----+--> REMOVING
 *
 * A removal that failed waits too, and is tried again until the record would have expired anyway.
 */

#define RELOAD_SIP_REGISTRATION_S     3600 /* the default lifetime */
#define RELOAD_SIP_REGISTRATION_MIN_S 60   /* RFC 3261 s10.3: less is too brief to be refreshed */
#define RELOAD_SIP_REGISTRATION_MAX_S (30 * 86400)
#define RELOAD_SIP_RETRY_MIN_MS       2000 /* after a Store failed; doubles each time */
#define RELOAD_SIP_RETRY_MAX_MS       60000

#define RELOAD_SIP_VALUE_MAX 1024 /* bytes of a record */

enum reload_sip_registrar_state {
    RELOAD_SIP_IDLE,    /* nothing is registered */
    RELOAD_SIP_STORING, /* a Store is wanted or under way */
    RELOAD_SIP_REGISTERED,
    RELOAD_SIP_WAITING,  /* a Store failed; there will be another */
    RELOAD_SIP_REMOVING, /* a Store of exists = false is wanted or under way */
};

struct reload_sip_registrar {
    enum reload_sip_registrar_state state; /* read only, as all here */
    struct reload_sip_aor aor;
    struct reload_node_id own;
    uint8_t value[RELOAD_SIP_VALUE_MAX]; /* the SipRegistration; nothing: it is to be removed */
    size_t value_len;
    uint32_t lifetime_s;
    uint64_t storage_time_ms; /* of the last Store; each one's is greater */
    uint64_t expires_ms;      /* monotonic: when all that was stored is gone by itself; RELOAD_NEVER
                                 at first, as this node may have registered in an earlier life */
    uint64_t asked_expires_ms; /* the same of the Store under way; 0 for a removal */
    uint64_t deadline_ms;      /* monotonic, or RELOAD_NEVER */
    uint32_t retry_ms;
    bool asked; /* a Store is under way */
    bool again; /* and the record has changed since */
    int error;  /* how the last Store ended */
    uint64_t stores, failures;
};

/* For the user name of the own certificate. RELOAD_E_INVALID when it is no AOR, or not written as
 * one is looked up (a domain in upper case): then nobody could register or find it. */
RELOAD_MUST_USE int reload_sip_registrar_init(struct reload_sip_registrar *registrar,
                                              struct reload_slice user_name,
                                              const struct reload_node_id *own);

/* "To contact me, connect to this node": stores a route. list: a destination list, or empty for
 * the own Node-ID alone. lifetime_s 0: the default. RELOAD_E_FORBIDDEN when the overlay does not
 * admit the AOR's domain (s3.3: asked before anything is sent), RELOAD_E_INVALID (lifetime out of
 * bounds, a list that no message could carry), RELOAD_E_LIMIT (the record is too long). */
RELOAD_MUST_USE int reload_sip_registrar_register(struct reload_sip_registrar *registrar,
                                                  const struct reload_config *overlay,
                                                  struct reload_slice list,
                                                  enum reload_sip_scheme scheme,
                                                  uint32_t lifetime_s);
/* "To contact me, dereference this": stores a URI in the place of the route. Addresses of the
 * overlay are stored bare, others as they are. RELOAD_E_INVALID also for what is no URI and for the
 * own address, which would lead nowhere. */
RELOAD_MUST_USE int reload_sip_registrar_forward(struct reload_sip_registrar *registrar,
                                                 const struct reload_config *overlay,
                                                 struct reload_slice uri, uint32_t lifetime_s);
/* Removes the record; nothing happens when there can be none. */
void reload_sip_registrar_unregister(struct reload_sip_registrar *registrar,
                                     struct reload_time now);

struct reload_sip_store {     /* of Kind SIP-REGISTRATION; slices belong to the registrar */
    struct reload_slice name; /* the Resource Name */
    struct reload_slice key;
    bool exists;
    struct reload_slice value;
    uint32_t lifetime_s;
    uint64_t storage_time_ms;
};
/* The Store to send now; false when there is none. It is answered by stored() or failed(). */
bool reload_sip_registrar_next(struct reload_sip_registrar *registrar, struct reload_sip_store *out,
                               struct reload_time now);
void reload_sip_registrar_stored(struct reload_sip_registrar *registrar, struct reload_time now);
void reload_sip_registrar_failed(struct reload_sip_registrar *registrar, int error,
                                 struct reload_time now);

uint64_t reload_sip_registrar_deadline(const struct reload_sip_registrar *registrar);
void reload_sip_registrar_tick(struct reload_sip_registrar *registrar, struct reload_time now);

const char *reload_sip_registrar_state_name(enum reload_sip_registrar_state state);

#endif
