#include "reload/node/state.h"

/* A whole message that is destined for this node (RFC 6940 s6.1.1, s6.3.4): signature,
 * configuration, options and extensions, in this order, and then its method. */

struct method {
    uint16_t code;
    void (*handle)(struct reload_node *node, struct reload_request *request);
    bool repeatable; /* s6.2.1: "merely by processing the request again" */
};

static const struct method methods[] = {
    { RELOAD_PROBE_REQ, reload_probe_handle, true },
    { RELOAD_ATTACH_REQ, reload_attach_handle, false },
    { RELOAD_STORE_REQ, reload_store_handle, false },
    { RELOAD_FETCH_REQ, reload_fetch_handle, true },
    { RELOAD_FIND_REQ, reload_find_handle, true },
    { RELOAD_JOIN_REQ, reload_topology_handle, false },
    { RELOAD_LEAVE_REQ, reload_topology_handle, false },
    { RELOAD_UPDATE_REQ, reload_topology_handle, false },
    { RELOAD_ROUTE_QUERY_REQ, reload_topology_handle, false },
    { RELOAD_PING_REQ, reload_ping_handle, true },
    { RELOAD_STAT_REQ, reload_stat_handle, true },
    { RELOAD_APP_ATTACH_REQ, reload_app_attach_handle, false },
    { RELOAD_CONFIG_UPDATE_REQ, reload_config_update_handle, false },
};

static const struct method *find_method(uint16_t code)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (methods[i].code == code)
            return &methods[i];
    return NULL;
}

void reload_dispatch(struct reload_node *node, struct reload_request *request)
{
    const struct method *method = find_method(request->message.message_code);
    if (method) {
        node->counters.delivered++;
        method->handle(node, request);
        return;
    }
    reload_drop(node, RELOAD_DROP_CODE, request->from, NULL);
    reload_respond_error_text(node, &request->reply, RELOAD_ERROR_INVALID_MESSAGE,
                              "no such method here");
}

static const struct reload_extension_ops *find_extension(const struct reload_node *node,
                                                         uint16_t type)
{
    for (size_t i = 0; i < node->config.extension_count; i++)
        if (node->config.extensions[i]->type == type)
            return node->config.extensions[i];
    return NULL;
}

uint16_t reload_extensions_check(const struct reload_node *node,
                                 const struct reload_message *message)
{
    struct reload_reader r = reload_reader_over(message->extensions);
    struct reload_message_extension extension;
    while (reload_message_extension_next(&r, &extension)) {
        const struct reload_extension_ops *known = find_extension(node, extension.type);
        uint16_t error = 0;
        if (!known && extension.critical)
            error = RELOAD_ERROR_UNKNOWN_EXTENSION; /* s6.3.3 */
        else if (known && known->receive)
            error = known->receive(known->context, message, &extension);
        if (error)
            return error;
    }
    return 0;
}

static bool refuse(struct reload_node *node, const struct reload_request *request,
                   enum reload_drop_reason reason, uint16_t error_code)
{
    reload_drop(node, reason, request->from, NULL);
    reload_respond_error_text(node, &request->reply, error_code, reload_drop_text(reason));
    return false;
}

/* s6.3.2.1: at the destination, for requests, and after the signature (docs/protocol.md). */
static bool same_configuration(struct reload_node *node, const struct reload_request *request)
{
    uint16_t theirs = request->message.header.configuration_sequence;
    if (theirs == node->overlay->sequence)
        return true;
    if (theirs == RELOAD_SEQUENCE_ANY) {
        if (request->message.message_code == RELOAD_CONFIG_UPDATE_REQ)
            return true;
        return refuse(node, request, RELOAD_DROP_CONFIG_NEW, RELOAD_ERROR_CONFIG_TOO_NEW);
    }
    if (reload_config_sequence_compare(theirs, node->overlay->sequence) > 0)
        return refuse(node, request, RELOAD_DROP_CONFIG_NEW, RELOAD_ERROR_CONFIG_TOO_NEW);
    refuse(node, request, RELOAD_DROP_CONFIG_OLD, RELOAD_ERROR_CONFIG_TOO_OLD);
    /* The way back over a link that is not bound begins with the wildcard: it cannot be routed. */
    reload_link_id link = request->from->node_id.len ? 0 : request->from->link;
    reload_config_push(node, &request->signer_id, link, request->reply.destination_list);
    return false;
}

/* True when the request was seen before: it has then been answered again, or is being handled. */
static bool was_seen(struct reload_node *node, const struct reload_request *request,
                     enum reload_duplicate duplicate, struct reload_slice answer)
{
    if (duplicate == RELOAD_DUPLICATE_NO)
        return false;
    reload_drop(node, RELOAD_DROP_DUPLICATE, request->from, NULL);
    if (duplicate == RELOAD_DUPLICATE_ANSWERED)
        reload_respond_again(node, &request->reply, answer);
    return true;
}

/* s6.3.4: a message with a bad signature is dropped without an answer. */
static bool verified(struct reload_node *node, struct reload_request *request)
{
    int e = reload_message_verify(node->crypto, &request->message, node->now, &request->signer);
    if (e != 0) {
        reload_drop(node, e == RELOAD_E_SIGNATURE ? RELOAD_DROP_SIGNATURE : RELOAD_DROP_CERTIFICATE,
                    request->from, reload_error_text(e));
        return false;
    }
    request->signer_id = request->signer.node_id;
    request->reply.signer = request->signer.node_id;
    return true;
}

static bool passes(struct reload_node *node, struct reload_request *request)
{
    if (!same_configuration(node, request))
        return false;
    uint16_t error = reload_options_check(node, &request->message.header, true);
    if (error)
        return refuse(node, request, RELOAD_DROP_OPTION, error);
    error = reload_extensions_check(node, &request->message);
    if (error)
        return refuse(node, request, RELOAD_DROP_EXTENSION, error);
    return true;
}

static void receive_request(struct reload_node *node, struct reload_request *request,
                            struct reload_slice payload)
{
    const struct reload_message *m = &request->message;
    uint64_t id = m->header.transaction_id;
    struct reload_slice answer;
    if (reload_reply_init(node, &m->header, m->message_code, request->from, &request->reply) != 0) {
        reload_drop(node, RELOAD_DROP_MEMORY, request->from, NULL);
        return;
    }
    if (was_seen(node, request, reload_answered_same(node, id, payload, &answer), answer) ||
        !verified(node, request) ||
        was_seen(node, request, reload_answered_from(node, id, &request->signer_id, &answer),
                 answer))
        return;
    if (!passes(node, request))
        return;
    if (!reload_request_is_repeatable(m->message_code) &&
        reload_answered_begin(node, id, &request->signer_id, payload) != 0) {
        reload_drop(node, RELOAD_DROP_MEMORY, request->from, NULL);
        return;
    }
    reload_dispatch(node, request);
}

bool reload_request_is_repeatable(uint16_t code)
{
    const struct method *method = find_method(code);
    return !method || method->repeatable;
}

void reload_deliver(struct reload_node *node, struct reload_slot *slot,
                    const struct reload_forwarding_header *header, struct reload_slice payload)
{
    struct reload_request request = { .message.header = *header, .from = slot };
    if (reload_message_payload_decode(payload, &request.message) != 0) {
        reload_drop(node, RELOAD_DROP_MALFORMED, slot, "contents");
        return;
    }
    if (reload_message_is_response(request.message.message_code))
        reload_response(node, slot, &request.message);
    else if (reload_message_is_request(request.message.message_code))
        receive_request(node, &request, payload);
    else
        reload_drop(node, RELOAD_DROP_CODE, slot, NULL);
}

/* This node's own identity, as a signer. */
int reload_identify_self(struct reload_node *node, struct reload_signer *out)
{
    const struct reload_own_identity *own = node->crypto->own;
    struct reload_reader r = reload_reader_over(own->signer_identity);
    uint8_t type = reload_rd_u8(&r);
    struct reload_slice value = reload_rd_opaque16(&r);
    return node->crypto->ops->identify(node->crypto->context, own->certificates, type, value,
                                       node->now, out);
}

void reload_deliver_local(struct reload_node *node, uint64_t transaction_id, uint16_t code,
                          struct reload_slice body, struct reload_slice certificates)
{
    struct reload_request request = {
        .message.message_code = code,
        .message.body = body,
        .message.header.transaction_id = transaction_id,
        .message.security.certificates = certificates,
        .signer_id = node->self,
        .reply = { .transaction_id = transaction_id,
                   .code = code,
                   .local = true,
                   .signer = node->self },
    };
    if (reload_identify_self(node, &request.signer) != 0) {
        reload_respond_error_text(node, &request.reply, RELOAD_ERROR_FORBIDDEN,
                                  "the own certificate is not acceptable any more");
        return;
    }
    reload_dispatch(node, &request);
}
