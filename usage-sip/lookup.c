#include "usage-sip/lookup.h"

#include "reload/alloc.h"
#include "reload/config/registry.h"
#include "usage-sip/domain.h"
#include "usage-sip/gruu.h"
#include "usage-sip/record.h"
#include "usage-sip/uri.h"

struct step { /* an address that was met */
    struct reload_sip_aor aor;
    unsigned depth;
    enum { WAITING, ASKED, ENDED } state;
};

struct reload_sip_lookup {
    struct reload_node_id own;
    struct reload_sip_lookup_limits limits;
    struct reload_sip_contacts *contacts;
    struct step *steps; /* limits.fetches of them; the first is what was asked for */
    unsigned step_count;
    struct reload_sip_target *targets; /* limits.targets of them */
    char **externals;                  /* limits.targets of them */
    unsigned failures;
    uint32_t lifetime_s; /* of the shortest registration that led to a target */
    struct reload_sip_lookup_result result;
};

/* --- what is found --- */

/* RFC 7904 s4.2 step 3: duplicates are removed. */
static void add_target(struct reload_sip_lookup *l, const struct reload_sip_aor *aor,
                       struct reload_slice list, enum reload_sip_scheme scheme)
{
    struct reload_sip_target target;
    if (reload_sip_target_set(&target, aor, list, scheme, &l->own)) {
        l->result.dropped++;
        return;
    }
    for (size_t i = 0; i < l->result.target_count; i++)
        if (reload_slice_equal(reload_sip_target_list(&l->targets[i]), list))
            return;
    if (l->result.target_count == l->limits.targets)
        l->result.cut++;
    else
        l->targets[l->result.target_count++] = target;
}

static void add_external(struct reload_sip_lookup *l, struct reload_slice uri)
{
    for (size_t i = 0; i < l->result.external_count; i++)
        if (reload_slice_equal(reload_slice_of(l->externals[i], strlen(l->externals[i])), uri))
            return;
    char *copy = l->result.external_count < l->limits.targets
                     ? reload_strndup((const char *)uri.p, uri.n)
                     : NULL;
    if (copy)
        l->externals[l->result.external_count++] = copy;
    else
        l->result.cut++;
}

static void add_address(struct reload_sip_lookup *l, const struct reload_sip_aor *aor,
                        unsigned depth)
{
    for (unsigned i = 0; i < l->step_count; i++)
        if (reload_sip_aor_equal(&l->steps[i].aor, aor)) {
            l->result.loops++;
            return;
        }
    if (depth > l->limits.depth || l->step_count == l->limits.fetches) {
        l->result.cut++;
        return;
    }
    l->steps[l->step_count++] = (struct step){ *aor, depth, WAITING };
}

static enum reload_sip_scheme scheme_of(struct reload_slice text)
{
    struct reload_sip_uri uri;
    bool secure = reload_sip_uri_split(text, &uri) == 0 && reload_sip_uri_is_secure(&uri);
    return secure ? RELOAD_SIP_SCHEME_SIPS : RELOAD_SIP_SCHEME_ANY;
}

/* s4.1, in its order: a GRUU of this overlay, an address of this overlay, anything else. */
static int take_uri(struct reload_sip_lookup *l, struct reload_slice text,
                    const struct reload_config *overlay, unsigned depth)
{
    struct reload_sip_gruu gruu;
    int error = reload_sip_gruu_read(text, l->own.len, &gruu);
    if (error && error != RELOAD_E_NOT_FOUND && error != RELOAD_E_UNSUPPORTED)
        return error;
    if (error == RELOAD_E_UNSUPPORTED || memchr(text.p, '\0', text.n) ||
        !reload_sip_domain_is_hosted(overlay, reload_sip_aor_domain(&gruu.aor)))
        add_external(l, text);
    else if (error)
        add_address(l, &gruu.aor, depth);
    else
        add_target(l, &gruu.aor, reload_slice_of(gruu.list, gruu.list_len), scheme_of(text));
    return 0;
}

static void take_record(struct reload_sip_lookup *l, const struct reload_config *overlay,
                        struct reload_slice value, const struct step *step)
{
    struct reload_sip_registration r;
    if (reload_sip_registration_decode(value, l->own.len, &r)) {
        l->result.dropped++;
        return;
    }
    switch (r.type) {
    case RELOAD_SIP_REGISTRATION_URI:
        if (take_uri(l, r.uri, overlay, step->depth + 1))
            l->result.dropped++;
        break;
    case RELOAD_SIP_REGISTRATION_ROUTE:
        add_target(l, &step->aor, r.destination_list,
                   reload_sip_contact_prefs_scheme(r.contact_prefs));
        break;
    default: l->result.dropped++;
    }
}

/* --- states --- */

static enum reload_sip_outcome judge(const struct reload_sip_lookup *l)
{
    const struct reload_sip_lookup_result *r = &l->result;
    if (r->target_count)
        return RELOAD_SIP_FOUND;
    if (r->external_count)
        return RELOAD_SIP_EXTERNAL;
    if (l->failures)
        return RELOAD_SIP_FAILED;
    return r->loops || r->cut ? RELOAD_SIP_LOOP : RELOAD_SIP_NOT_FOUND;
}

static void remember(struct reload_sip_lookup *l, struct reload_time now)
{
    const struct reload_sip_lookup_result *r = &l->result;
    bool whole = r->outcome == RELOAD_SIP_FOUND && !r->external_count && !l->failures;
    if (l->contacts && l->step_count && whole && !r->cached)
        reload_sip_contacts_put(l->contacts, &l->steps[0].aor, l->targets, r->target_count,
                                l->lifetime_s, now);
}

static bool is_done(const struct reload_sip_lookup *l)
{
    for (unsigned i = 0; i < l->step_count; i++)
        if (l->steps[i].state != ENDED)
            return false;
    return true;
}

/* Once nothing is left to ask. */
static void settle(struct reload_sip_lookup *l, struct reload_time now)
{
    if (!is_done(l))
        return;
    l->result.outcome = judge(l);
    remember(l, now);
}

/* What was found before for the address asked for. */
static void take_cached(struct reload_sip_lookup *l, struct reload_time now)
{
    size_t count = 0;
    const struct reload_sip_target *targets =
        l->contacts && l->step_count
            ? reload_sip_contacts_find(l->contacts, &l->steps[0].aor, now, &count)
            : NULL;
    if (!count)
        return;
    for (size_t i = 0; i < count && i < l->limits.targets; i++)
        l->targets[l->result.target_count++] = targets[i];
    l->result.cached = true;
    l->steps[0].state = ENDED;
}

static unsigned limit(unsigned wanted, unsigned otherwise)
{
    if (wanted == 0)
        return otherwise;
    return wanted < RELOAD_SIP_LOOKUP_LIMIT_MAX ? wanted : RELOAD_SIP_LOOKUP_LIMIT_MAX;
}

static bool allocate(struct reload_sip_lookup *l, const struct reload_sip_lookup_limits *limits)
{
    static const struct reload_sip_lookup_limits defaults;
    limits = limits ? limits : &defaults;
    l->limits = (struct reload_sip_lookup_limits){
        .depth = limit(limits->depth, 5),
        .fetches = limit(limits->fetches, 20),
        .targets = limit(limits->targets, 10),
    };
    l->steps = reload_calloc(l->limits.fetches, sizeof *l->steps);
    l->targets = reload_calloc(l->limits.targets, sizeof *l->targets);
    l->externals = reload_calloc(l->limits.targets, sizeof *l->externals);
    l->result.targets = l->targets;
    l->result.externals = (const char *const *)l->externals;
    return l->steps && l->targets && l->externals;
}

int reload_sip_lookup_new(struct reload_slice uri, const struct reload_config *overlay,
                          const struct reload_node_id *own,
                          const struct reload_sip_lookup_limits *limits,
                          struct reload_sip_contacts *contacts, struct reload_time now,
                          struct reload_sip_lookup **out)
{
    struct reload_sip_lookup *l = reload_calloc(1, sizeof *l);
    if (!l)
        return RELOAD_E_NOMEM;
    l->own = *own;
    l->contacts = contacts;
    l->lifetime_s = UINT32_MAX;
    int error = allocate(l, limits) ? take_uri(l, uri, overlay, 1) : RELOAD_E_NOMEM;
    if (error) {
        reload_sip_lookup_free(l);
        return error;
    }
    take_cached(l, now);
    settle(l, now);
    *out = l;
    return 0;
}

void reload_sip_lookup_free(struct reload_sip_lookup *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->result.external_count; i++)
        reload_free(l->externals[i]);
    reload_free(l->externals);
    reload_free(l->targets);
    reload_free(l->steps);
    reload_free(l);
}

bool reload_sip_lookup_next(struct reload_sip_lookup *l, struct reload_sip_fetch *fetch)
{
    for (unsigned i = 0; i < l->step_count; i++) {
        if (l->steps[i].state != WAITING)
            continue;
        l->steps[i].state = ASKED;
        *fetch = (struct reload_sip_fetch){ i, reload_sip_aor_name(&l->steps[i].aor) };
        return true;
    }
    return false;
}

static bool is_under_way(const struct reload_sip_lookup *l, unsigned number)
{
    return number < l->step_count && l->steps[number].state == ASKED;
}

void reload_sip_lookup_fetched(struct reload_sip_lookup *l, unsigned number,
                               const struct reload_config *overlay,
                               const struct reload_fetched_value *values, size_t count,
                               struct reload_time now)
{
    if (!is_under_way(l, number))
        return;
    l->steps[number].state = ENDED;
    for (size_t i = 0; i < count; i++) {
        if (values[i].kind != RELOAD_KIND_SIP_REGISTRATION || !values[i].exists)
            continue;
        if (values[i].lifetime_s < l->lifetime_s)
            l->lifetime_s = values[i].lifetime_s;
        take_record(l, overlay, values[i].value, &l->steps[number]);
    }
    settle(l, now);
}

void reload_sip_lookup_failed(struct reload_sip_lookup *l, unsigned number, struct reload_time now)
{
    if (!is_under_way(l, number))
        return;
    l->steps[number].state = ENDED;
    l->failures++;
    settle(l, now);
}

const struct reload_sip_lookup_result *reload_sip_lookup_result(const struct reload_sip_lookup *l)
{
    return is_done(l) ? &l->result : NULL;
}

bool reload_sip_lookup_anew(struct reload_sip_lookup *l)
{
    if (!l->result.cached)
        return false;
    reload_sip_contacts_forget(l->contacts, &l->steps[0].aor);
    l->result = (struct reload_sip_lookup_result){ .targets = l->result.targets,
                                                   .externals = l->result.externals };
    l->steps[0].state = WAITING;
    return true;
}
