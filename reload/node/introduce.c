#include "reload/node/offer.h"
#include "reload/wire/security_block.h"

/* A link that this node dialled and that no Attach led to: to a bootstrap node (RFC 6940 s4.2.1,
 * s6.1.2). With one Node-ID in each certificate both ends know at once whose it is. Else a Ping
 * learns which of its Node-IDs the far end uses, and an Attach over the link tells it ours; before
 * that nothing else may be sent over it, and the far end would refuse it. */

static void start(struct reload_node *node, struct reload_slot *slot, uint16_t code,
                  const struct reload_node_id *to, struct reload_slice body)
{
    struct reload_outgoing outgoing = {
        .code = code,
        .body = body,
        .link = slot->link,
        .owner = RELOAD_OWNER_LINK,
    };
    int e = reload_destination_list(node, NULL, false, reload_node_id_slice(to),
                                    &outgoing.destination_list);
    if (e == 0)
        e = reload_transaction_start(node, &outgoing, NULL);
    if (e != 0)
        reload_connection_close(node, slot, reload_error_text(e));
}

static void ping(struct reload_node *node, struct reload_slot *slot)
{
    static const uint8_t no_padding[2];
    start(node, slot, RELOAD_PING_REQ, &node->wildcard,
          reload_slice_of(no_padding, sizeof no_padding));
}

static void attach(struct reload_node *node, struct reload_slot *slot,
                   const struct reload_node_id *id)
{
    struct reload_offer own = { 0 }; /* with ICE it asks for no other link than this one */
    struct reload_slice body;
    if ((!reload_uses_ice(node) && reload_candidates_own(node, &own) != 0) ||
        reload_attach_write(node, "passive", false, &own, &body) != 0)
        reload_connection_close(node, slot, reload_error_text(RELOAD_E_NOMEM));
    else
        start(node, slot, RELOAD_ATTACH_REQ, id, body);
}

/* crypto.h: cert_hash_node_id is what a certificate with several Node-IDs is named by. */
static bool acts_as_one_of_several(const struct reload_node *node)
{
    struct reload_slice identity = node->crypto->own->signer_identity;
    return identity.n && identity.p[0] == RELOAD_SIGNER_CERT_HASH_NODE_ID;
}

void reload_introduce(struct reload_node *node, struct reload_slot *slot)
{
    if (slot->node_id_count > 1)
        ping(node, slot);
    else if (acts_as_one_of_several(node))
        attach(node, slot, &slot->node_ids[0]);
    else
        reload_connection_bind(node, slot, &slot->node_ids[0]);
}

void reload_introduce_answered(struct reload_node *node, struct reload_answer *answer)
{
    struct reload_slot *slot = reload_connection_of_link(node, answer->transaction->link);
    if (!slot || slot->node_id.len)
        return;
    if (answer->error != 0) {
        reload_connection_close(node, slot, "the far end does not say which node it is");
        return;
    }
    if (answer->transaction->code == RELOAD_PING_REQ) {
        attach(node, slot, &answer->signer);
        return;
    }
    reload_connection_expect_second(node, slot);
    reload_connection_bind(node, slot, &answer->signer);
}
