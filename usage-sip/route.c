#include "usage-sip/route.h"

/* The last entry; type INVALID when there is none. */
static struct reload_destination last_of(struct reload_slice list, size_t node_id_len)
{
    struct reload_destination entry, last = { 0 };
    struct reload_reader r = reload_reader_over(list);
    while (reload_destination_next(&r, node_id_len, &entry))
        last = entry;
    return last;
}

int reload_sip_target_set(struct reload_sip_target *out, const struct reload_sip_aor *aor,
                          struct reload_slice list, enum reload_sip_scheme scheme,
                          const struct reload_node_id *own)
{
    if (list.n > sizeof out->list)
        return RELOAD_E_LIMIT;
    int error = reload_destination_list_validate(list, own->len);
    if (error)
        return error;
    struct reload_destination last = last_of(list, own->len);
    *out = (struct reload_sip_target){
        .list_len = list.n,
        .aor = *aor,
        .scheme = scheme,
        .own = reload_destination_is_node(&last, own),
    };
    memcpy(out->list, list.p, list.n);
    return 0;
}

int reload_sip_connect_plan(const struct reload_sip_target *target, size_t node_id_len, bool secure,
                            struct reload_sip_connect *out)
{
    struct reload_destination last = last_of(reload_sip_target_list(target), node_id_len);
    if (last.type != RELOAD_DEST_NODE && last.type != RELOAD_DEST_OPAQUE)
        return RELOAD_E_UNSUPPORTED;
    bool sips = secure || target->scheme == RELOAD_SIP_SCHEME_SIPS;
    *out = (struct reload_sip_connect){
        .application = sips ? RELOAD_SIP_APPLICATION_SIPS : RELOAD_SIP_APPLICATION_SIP,
        .known = last.type == RELOAD_DEST_NODE,
    };
    if (out->known)
        out->node_id = reload_node_id_from(last.id);
    return 0;
}

/* s5.1: the certificate must hold the Node-ID that is the last entry of the destination list. */
bool reload_sip_connect_accepts(const struct reload_sip_connect *connect,
                                const struct reload_node_id *answered,
                                const struct reload_node_id *node_ids, size_t count)
{
    const struct reload_node_id *expected = connect->known ? &connect->node_id : answered;
    for (size_t i = 0; i < count; i++)
        if (reload_node_id_equal(&node_ids[i], expected))
            return reload_node_id_equal(answered, expected);
    return false;
}
