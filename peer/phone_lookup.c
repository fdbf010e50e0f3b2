#include "peer/phone_internal.h"

/* Where the agent's calls and messages go (RFC 7904 s4). */

struct reload_phone_lookup {
    struct reload_phone *phone; /* NULL: it is gone */
    uint32_t id;                /* the agent's */
};

static void take(struct reload_phone *phone, uint32_t id,
                 const struct reload_sip_lookup_result *result)
{
    struct reload_time now = reload_overlay_now();
    switch (result ? result->outcome : RELOAD_SIP_FAILED) {
    case RELOAD_SIP_FOUND:
        reload_sip_agent_targets(phone->agent, id, result->targets, result->target_count,
                                 result->cached, now);
        break;
    case RELOAD_SIP_EXTERNAL: /* there is no way out of the overlay from here */
    case RELOAD_SIP_NOT_FOUND:
        reload_sip_agent_targets(phone->agent, id, NULL, 0, false, now);
        break;
    case RELOAD_SIP_LOOP: reload_sip_agent_lookup_failed(phone->agent, id, 482, now); break;
    case RELOAD_SIP_FAILED: reload_sip_agent_lookup_failed(phone->agent, id, 480, now); break;
    }
}

static void looked_up(void *context, const struct reload_sip_lookup_result *result)
{
    struct reload_phone_lookup *lookup = context;
    struct reload_phone *phone = lookup->phone;
    uint32_t id = lookup->id;
    if (phone)
        g_hash_table_remove(phone->lookups, lookup);
    g_free(lookup);
    if (!phone)
        return;
    take(phone, id, result);
    reload_phone_settle(phone);
}

void reload_phone_look_up(struct reload_phone *phone, const struct reload_sip_action *action)
{
    const struct reload_slice uri = reload_slice_of(action->user, strlen(action->user));
    struct reload_phone_lookup *lookup = g_new(struct reload_phone_lookup, 1);
    *lookup = (struct reload_phone_lookup){ phone, action->id };
    g_hash_table_add(phone->lookups, lookup);
    if (reload_sip_node_lookup(phone->node, uri, action->fresh, looked_up, lookup))
        looked_up(lookup, NULL);
}

void reload_phone_lookups_fini(struct reload_phone *phone)
{
    GHashTableIter iter;
    gpointer lookup;
    g_hash_table_iter_init(&iter, phone->lookups);
    while (g_hash_table_iter_next(&iter, &lookup, NULL)) /* their answers find nobody */
        ((struct reload_phone_lookup *)lookup)->phone = NULL;
    g_hash_table_unref(phone->lookups);
}
