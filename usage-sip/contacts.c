#include "usage-sip/contacts.h"

#include "reload/alloc.h"

struct entry {
    struct reload_sip_aor aor;
    uint64_t expires_ms; /* monotonic */
    struct reload_sip_target *targets;
    size_t count;
};

struct reload_sip_contacts {
    struct entry entries[RELOAD_SIP_CONTACTS_MAX];
    size_t count;
    struct reload_sip_contacts_counters counters;
};

struct reload_sip_contacts *reload_sip_contacts_new(void)
{
    return reload_calloc(1, sizeof(struct reload_sip_contacts));
}

static void remove_at(struct reload_sip_contacts *contacts, size_t i)
{
    reload_free(contacts->entries[i].targets);
    contacts->entries[i] = contacts->entries[--contacts->count];
}

void reload_sip_contacts_free(struct reload_sip_contacts *contacts)
{
    if (!contacts)
        return;
    while (contacts->count)
        remove_at(contacts, 0);
    reload_free(contacts);
}

static size_t place_of(const struct reload_sip_contacts *contacts, const struct reload_sip_aor *aor)
{
    size_t i = 0;
    while (i < contacts->count && !reload_sip_aor_equal(&contacts->entries[i].aor, aor))
        i++;
    return i;
}

const struct reload_sip_target *reload_sip_contacts_find(struct reload_sip_contacts *contacts,
                                                         const struct reload_sip_aor *aor,
                                                         struct reload_time now, size_t *count)
{
    size_t i = place_of(contacts, aor);
    bool hit = i < contacts->count && now.monotonic_ms < contacts->entries[i].expires_ms;
    *(hit ? &contacts->counters.hits : &contacts->counters.misses) += 1;
    *count = hit ? contacts->entries[i].count : 0;
    return hit ? contacts->entries[i].targets : NULL;
}

static void make_room(struct reload_sip_contacts *contacts)
{
    size_t first = 0;
    for (size_t i = 1; i < contacts->count; i++)
        if (contacts->entries[i].expires_ms < contacts->entries[first].expires_ms)
            first = i;
    remove_at(contacts, first);
    contacts->counters.evictions++;
}

void reload_sip_contacts_put(struct reload_sip_contacts *contacts, const struct reload_sip_aor *aor,
                             const struct reload_sip_target *targets, size_t count,
                             uint32_t lifetime_s, struct reload_time now)
{
    reload_sip_contacts_forget(contacts, aor);
    if (contacts->count == RELOAD_SIP_CONTACTS_MAX)
        make_room(contacts);
    if (lifetime_s > RELOAD_SIP_CONTACTS_LIFETIME_S)
        lifetime_s = RELOAD_SIP_CONTACTS_LIFETIME_S;
    struct reload_sip_target *copy = reload_memdup(targets, count * sizeof *targets);
    if (!copy)
        return;
    contacts->entries[contacts->count++] =
        (struct entry){ *aor, now.monotonic_ms + 1000ull * lifetime_s, copy, count };
}

void reload_sip_contacts_forget(struct reload_sip_contacts *contacts,
                                const struct reload_sip_aor *aor)
{
    size_t i = place_of(contacts, aor);
    if (i < contacts->count)
        remove_at(contacts, i);
}

struct reload_sip_contacts_counters
reload_sip_contacts_counters(const struct reload_sip_contacts *contacts)
{
    struct reload_sip_contacts_counters counters = contacts->counters;
    counters.entries = contacts->count;
    return counters;
}
