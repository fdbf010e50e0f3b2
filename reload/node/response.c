#include "reload/node/state.h"

/* Responses (RFC 6940 s6.3.4): who may answer a request, and what an answer ends. One that fails a
 * check is dropped, and the request goes on being repeated. */

static bool may_answer(struct reload_node *node, struct reload_transaction *t,
                       const struct reload_slot *from, const struct reload_node_id *signer)
{
    if (t->link) /* asked who is at the end of this link */
        return from->link == t->link && reload_slot_proves(from, signer);
    struct reload_destination target = reload_transaction_target(node, t);
    if (target.type == RELOAD_DEST_RESOURCE) {
        struct reload_node_id closer = { 0 };
        if (node->ops->close_enough(node->topology, signer, target.id, &closer))
            return true;
        reload_transaction_doubted(node, t, &closer);
        return false;
    }
    return reload_destination_is_node(&target, signer) ||
           reload_destination_is_node(&target, &node->wildcard);
}

static bool is_answer_to(const struct reload_transaction *t, uint16_t code)
{
    return t->message && (code == RELOAD_ERROR || code == reload_message_answer(t->code));
}

/* s6.3.2.1: our configuration and theirs differ. The request waits until one of us has caught up.
 */
static bool waits_for_config(struct reload_node *node, struct reload_transaction *t,
                             const struct reload_answer *answer)
{
    struct reload_slice list;
    if (t->any_sequence || !node->config.config_ops)
        return false;
    if (answer->error_code == RELOAD_ERROR_CONFIG_TOO_OLD) {
        t->config_error = answer->error_code; /* their ConfigUpdate is under way */
        return true;
    }
    if (answer->error_code != RELOAD_ERROR_CONFIG_TOO_NEW ||
        reload_destination_list(node, NULL, false, reload_node_id_slice(&answer->signer), &list))
        return false;
    t->config_error = answer->error_code;
    reload_config_push(node, &answer->signer, t->link, list);
    return true;
}

static void finish(struct reload_node *node, struct reload_transaction *t,
                   struct reload_answer *answer)
{
    if (answer->error_code) {
        node->counters.errors_received++;
        answer->error = RELOAD_E_FORBIDDEN;
        if (waits_for_config(node, t, answer))
            return;
        if (answer->error_code == RELOAD_ERROR_UNKNOWN_KIND)
            reload_config_push_kinds(node, &answer->signer, answer->body);
    }
    reload_transaction_finish(node, t, answer);
}

/* The signer, or a drop. */
static bool verified(struct reload_node *node, struct reload_slot *from,
                     const struct reload_message *message, struct reload_transaction *t,
                     struct reload_node_id *signer)
{
    struct reload_signer who;
    int e = reload_message_verify(node->crypto, message, node->now, &who);
    if (e != 0) {
        reload_drop(node, e == RELOAD_E_SIGNATURE ? RELOAD_DROP_SIGNATURE : RELOAD_DROP_CERTIFICATE,
                    from, reload_error_text(e));
        return false;
    }
    *signer = who.node_id;
    if (may_answer(node, t, from, signer))
        return true;
    char text[RELOAD_NODE_ID_TEXT];
    reload_drop(node, RELOAD_DROP_IDENTITY, from, reload_node_id_text(signer, text));
    return false;
}

void reload_response(struct reload_node *node, struct reload_slot *from,
                     const struct reload_message *message)
{
    struct reload_transaction *t = reload_transaction_find(node, message->header.transaction_id);
    if (!t || !is_answer_to(t, message->message_code)) {
        reload_drop(node, RELOAD_DROP_UNEXPECTED, from, NULL);
        return;
    }
    struct reload_answer answer = { .body = message->body,
                                    .certificates = message->security.certificates };
    if (!verified(node, from, message, t, &answer.signer))
        return;
    if (reload_extensions_check(node, message) != 0) {
        reload_drop(node, RELOAD_DROP_EXTENSION, from, NULL);
        return;
    }
    if (message->message_code == RELOAD_ERROR) {
        struct reload_error_response error;
        if (reload_error_response_decode(message->body, &error) != 0 || error.error_code == 0) {
            reload_drop(node, RELOAD_DROP_BODY, from, "error response");
            return;
        }
        answer.error_code = error.error_code;
        answer.body = error.error_info;
    }
    answer.hops = (uint8_t)(node->overlay->initial_ttl - message->header.ttl + 1);
    finish(node, t, &answer);
}

void reload_response_local(struct reload_node *node, uint64_t transaction_id, uint16_t error_code,
                           struct reload_slice body, struct reload_slice certificates)
{
    struct reload_transaction *t = reload_transaction_find(node, transaction_id);
    if (!t)
        return;
    struct reload_answer answer = {
        .error = error_code ? RELOAD_E_FORBIDDEN : 0,
        .error_code = error_code,
        .body = body,
        .certificates = certificates,
        .signer = node->self,
    };
    reload_transaction_finish(node, t, &answer);
}
