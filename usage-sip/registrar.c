#include "usage-sip/registrar.h"

#include "usage-sip/domain.h"
#include "usage-sip/gruu.h"
#include "usage-sip/record.h"

const char *reload_sip_registrar_state_name(enum reload_sip_registrar_state state)
{
    switch (state) {
    case RELOAD_SIP_IDLE: return "idle";
    case RELOAD_SIP_STORING: return "storing";
    case RELOAD_SIP_REGISTERED: return "registered";
    case RELOAD_SIP_WAITING: return "waiting";
    case RELOAD_SIP_REMOVING: break;
    }
    return "removing";
}

static void enter(struct reload_sip_registrar *r, enum reload_sip_registrar_state state,
                  uint64_t deadline_ms)
{
    r->state = state;
    r->deadline_ms = deadline_ms;
}

int reload_sip_registrar_init(struct reload_sip_registrar *r, struct reload_slice user_name,
                              const struct reload_node_id *own)
{
    *r = (struct reload_sip_registrar){ .own = *own,
                                        .retry_ms = RELOAD_SIP_RETRY_MIN_MS,
                                        .expires_ms = RELOAD_NEVER };
    enter(r, RELOAD_SIP_IDLE, RELOAD_NEVER);
    if (reload_sip_aor_read(user_name, &r->aor) ||
        !reload_slice_equal(reload_sip_aor_name(&r->aor), user_name))
        return RELOAD_E_INVALID;
    return 0;
}

/* --- what is wanted --- */

/* A Store that is under way is waited for; then the newer record follows. */
static void want(struct reload_sip_registrar *r, enum reload_sip_registrar_state state)
{
    r->again = r->asked;
    r->retry_ms = RELOAD_SIP_RETRY_MIN_MS;
    enter(r, state, RELOAD_NEVER);
}

static int set_record(struct reload_sip_registrar *r, const struct reload_config *overlay,
                      const struct reload_sip_registration *record, uint32_t lifetime_s)
{
    uint8_t value[RELOAD_SIP_VALUE_MAX];
    struct reload_writer w = reload_writer_of(value, sizeof value);
    lifetime_s = lifetime_s ? lifetime_s : RELOAD_SIP_REGISTRATION_S;
    if (lifetime_s < RELOAD_SIP_REGISTRATION_MIN_S || lifetime_s > RELOAD_SIP_REGISTRATION_MAX_S)
        return RELOAD_E_INVALID;
    if (!reload_sip_domain_is_hosted(overlay, reload_sip_aor_domain(&r->aor))) /* s3.3 */
        return RELOAD_E_FORBIDDEN;
    int error = reload_sip_registration_encode(&w, record);
    if (error)
        return error == RELOAD_E_NOSPACE ? RELOAD_E_LIMIT : error;
    memcpy(r->value, value, w.len);
    r->value_len = w.len;
    r->lifetime_s = lifetime_s;
    want(r, RELOAD_SIP_STORING);
    return 0;
}

int reload_sip_registrar_register(struct reload_sip_registrar *r,
                                  const struct reload_config *overlay, struct reload_slice list,
                                  enum reload_sip_scheme scheme, uint32_t lifetime_s)
{
    uint8_t own[2 + RELOAD_NODE_ID_MAX];
    struct reload_writer w = reload_writer_of(own, sizeof own);
    const char *prefs = reload_sip_contact_prefs_text(scheme);
    if (list.n == 0) {
        struct reload_destination node = reload_destination_node(&r->own);
        int error = reload_destination_encode(&w, &node);
        if (error)
            return error;
        list = reload_writer_slice(&w);
    }
    if (reload_destination_list_validate(list, r->own.len))
        return RELOAD_E_INVALID;
    const struct reload_sip_registration record = {
        .type = RELOAD_SIP_REGISTRATION_ROUTE,
        .contact_prefs = reload_slice_of(prefs, strlen(prefs)),
        .destination_list = list,
    };
    return set_record(r, overlay, &record, lifetime_s);
}

/* Addresses of the overlay are written bare, as they are hashed; a GRUU keeps its parameter, and
 * sips its scheme. */
static int forwarded(const struct reload_sip_registrar *r, const struct reload_config *overlay,
                     struct reload_slice uri, struct reload_sip_gruu *gruu,
                     struct reload_slice *out)
{
    int error = reload_sip_gruu_read(uri, r->own.len, gruu);
    *out = uri;
    if (error == RELOAD_E_UNSUPPORTED)
        return uri.n <= RELOAD_SIP_GRUU_MAX ? 0 : RELOAD_E_LIMIT;
    if (error && error != RELOAD_E_NOT_FOUND)
        return RELOAD_E_INVALID;
    if (error == 0 || !reload_sip_domain_is_hosted(overlay, reload_sip_aor_domain(&gruu->aor)))
        return 0;
    *out = reload_sip_aor_name(&gruu->aor);
    return reload_sip_aor_equal(&gruu->aor, &r->aor) ? RELOAD_E_INVALID : 0;
}

int reload_sip_registrar_forward(struct reload_sip_registrar *r,
                                 const struct reload_config *overlay, struct reload_slice uri,
                                 uint32_t lifetime_s)
{
    struct reload_sip_gruu gruu;
    struct reload_sip_registration record = { .type = RELOAD_SIP_REGISTRATION_URI };
    int error = forwarded(r, overlay, uri, &gruu, &record.uri);
    return error ? error : set_record(r, overlay, &record, lifetime_s);
}

void reload_sip_registrar_unregister(struct reload_sip_registrar *r, struct reload_time now)
{
    r->value_len = 0;
    if (r->state == RELOAD_SIP_REMOVING)
        return;
    if (!r->asked && now.monotonic_ms >= r->expires_ms) /* nothing is there that could be found */
        enter(r, RELOAD_SIP_IDLE, RELOAD_NEVER);
    else
        want(r, RELOAD_SIP_REMOVING);
}

/* --- Stores --- */

/* RFC 6940 s7.4.1.3: a removal outlives what it removes. */
static uint32_t removal_lifetime_s(const struct reload_sip_registrar *r, struct reload_time now)
{
    if (r->expires_ms == RELOAD_NEVER)
        return RELOAD_SIP_REGISTRATION_MAX_S;
    uint64_t left = r->expires_ms > now.monotonic_ms ? r->expires_ms - now.monotonic_ms : 0;
    return (uint32_t)(left / 1000 + 1);
}

bool reload_sip_registrar_next(struct reload_sip_registrar *r, struct reload_sip_store *out,
                               struct reload_time now)
{
    bool wanted = r->state == RELOAD_SIP_STORING || r->state == RELOAD_SIP_REMOVING;
    if (!wanted || r->asked)
        return false;
    bool exists = r->state == RELOAD_SIP_STORING;
    r->asked = true;
    r->stores++;
    /* The clock may have gone back, or not have moved: equal is too old (RFC 6940 s7). */
    r->storage_time_ms = now.unix_ms > r->storage_time_ms ? now.unix_ms : r->storage_time_ms + 1;
    uint32_t lifetime_s = exists ? r->lifetime_s : removal_lifetime_s(r, now);
    r->asked_expires_ms = exists ? now.monotonic_ms + 1000ull * lifetime_s : 0;
    if (r->asked_expires_ms > r->expires_ms) /* it may be there even if no answer comes */
        r->expires_ms = r->asked_expires_ms;
    *out = (struct reload_sip_store){
        .name = reload_sip_aor_name(&r->aor),
        .key = reload_node_id_slice(&r->own),
        .exists = exists,
        .value = reload_slice_of(r->value, exists ? r->value_len : 0),
        .lifetime_s = lifetime_s,
        .storage_time_ms = r->storage_time_ms,
    };
    return true;
}

void reload_sip_registrar_stored(struct reload_sip_registrar *r, struct reload_time now)
{
    if (!r->asked)
        return;
    r->asked = false;
    r->error = 0;
    r->expires_ms = r->asked_expires_ms; /* it replaced the older ones */
    if (r->again) {
        r->again = false;
        return; /* next() gives the newer record */
    }
    r->retry_ms = RELOAD_SIP_RETRY_MIN_MS;
    if (r->state == RELOAD_SIP_REMOVING)
        enter(r, RELOAD_SIP_IDLE, RELOAD_NEVER);
    else
        enter(r, RELOAD_SIP_REGISTERED, now.monotonic_ms + 800ull * r->lifetime_s);
}

void reload_sip_registrar_failed(struct reload_sip_registrar *r, int error, struct reload_time now)
{
    if (!r->asked)
        return;
    r->asked = r->again = false;
    r->error = error;
    r->failures++;
    if (r->state == RELOAD_SIP_REMOVING && now.monotonic_ms >= r->expires_ms) {
        enter(r, RELOAD_SIP_IDLE, RELOAD_NEVER); /* gone by itself */
        return;
    }
    enter(r, RELOAD_SIP_WAITING, now.monotonic_ms + r->retry_ms);
    r->retry_ms =
        2 * r->retry_ms < RELOAD_SIP_RETRY_MAX_MS ? 2 * r->retry_ms : RELOAD_SIP_RETRY_MAX_MS;
}

uint64_t reload_sip_registrar_deadline(const struct reload_sip_registrar *r)
{
    return r->deadline_ms;
}

void reload_sip_registrar_tick(struct reload_sip_registrar *r, struct reload_time now)
{
    if (now.monotonic_ms >= r->deadline_ms)
        enter(r, r->value_len ? RELOAD_SIP_STORING : RELOAD_SIP_REMOVING, RELOAD_NEVER);
}
