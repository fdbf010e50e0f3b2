#include "reload/wire/config_update.h"
#include "reload/node/state.h"

/* ConfigUpdate (RFC 6940 s6.5.4) and what follows from differing configuration sequences
 * (s6.3.2.1), in both directions. */

#define KINDS_MAX 64 /* kind-blocks taken from one message */

/* --- taking one over --- */

static void announce(struct reload_node *node)
{
    struct reload_action *action = reload_queue_push(&node->queue, RELOAD_ACTION_CONFIG_CHANGED);
    if (action)
        action->config = node->overlay;
    reload_log_line(node, RELOAD_LOG_INFO, "configuration %u is in force",
                    (unsigned)node->overlay->sequence);
}

/* From here on the new configuration counts; the old one is released when nothing refers to it. */
static void install(struct reload_node *node, const struct reload_config *config)
{
    if (node->retired)
        node->config.config_ops->release(node->config.config_context, node->retired);
    node->retired = node->owned;
    node->owned = node->overlay = config;
    node->crypto->ops->configure(node->crypto->context, config);
    reload_store_configure(node->store, config);
    node->ops->configured(node->topology, node->now);
    announce(node);
    reload_transactions_resume(node);
}

/* What cannot change while the node runs. */
static bool fits(const struct reload_node *node, const struct reload_config *config)
{
    return config->node_id_length == node->overlay->node_id_length &&
           config->overlay == node->overlay->overlay &&
           strcmp(config->topology_plugin, node->overlay->topology_plugin) == 0;
}

static int finish(struct reload_node *node, int error, const struct reload_config *config)
{
    if (error != 0)
        return error;
    if (!fits(node, config)) {
        node->config.config_ops->release(node->config.config_context, config);
        return RELOAD_E_UNSUPPORTED;
    }
    install(node, config);
    return 0;
}

int reload_config_adopt(struct reload_node *node, struct reload_slice document)
{
    const struct reload_config *config = NULL;
    if (!node->config.config_ops)
        return RELOAD_E_UNSUPPORTED;
    int e = node->config.config_ops->parse_document(node->config.config_context, document,
                                                    node->overlay, node->now, &config);
    e = finish(node, e, config);
    if (e == RELOAD_E_UNSUPPORTED) { /* s11.1: a node that cannot meet it MUST exit the overlay */
        reload_log_line(node, RELOAD_LOG_ERROR,
                        "the overlay's new configuration asks for what is not known here: leaving");
        node->ops->leave(node->topology, node->now);
    }
    return e;
}

static int adopt_kinds(struct reload_node *node, struct reload_slice list)
{
    struct reload_slice blocks[KINDS_MAX];
    size_t count = 0;
    struct reload_reader r = reload_reader_over(list);
    while (count < KINDS_MAX && reload_kind_description_next(&r, &blocks[count]))
        count++;
    if (count == 0 || reload_reader_more(&r))
        return RELOAD_E_INVALID;
    const struct reload_config *config = NULL;
    if (!node->config.config_ops)
        return RELOAD_E_UNSUPPORTED;
    int e = node->config.config_ops->parse_kinds(node->config.config_context, blocks, count,
                                                 node->overlay, node->now, &config);
    return finish(node, e, config);
}

/* s6.5.4.2: "appropriate errors". */
static uint16_t error_code_of(int error)
{
    switch (error) {
    case RELOAD_E_TOO_OLD:
    case RELOAD_E_EXPIRED: return RELOAD_ERROR_CONFIG_TOO_OLD;
    case RELOAD_E_DECODE:
    case RELOAD_E_INVALID: return RELOAD_ERROR_INVALID_MESSAGE;
    case RELOAD_E_UNSUPPORTED: return RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY;
    default: return RELOAD_ERROR_FORBIDDEN;
    }
}

void reload_config_update_handle(struct reload_node *node, struct reload_request *request)
{
    struct reload_config_update_req update;
    int e = reload_config_update_req_decode(request->message.body, &update);
    if (e == 0 && update.type == RELOAD_CONFIG_UPDATE_CONFIG)
        e = reload_config_adopt(node, update.content);
    else if (e == 0 && update.type == RELOAD_CONFIG_UPDATE_KIND)
        e = adopt_kinds(node, update.content);
    else if (e == 0)
        e = RELOAD_E_UNSUPPORTED;
    if (e == 0) {
        reload_respond(node, &request->reply, (struct reload_slice){ 0 },
                       (struct reload_slice){ 0 });
        return;
    }
    reload_log_line(node, RELOAD_LOG_WARNING, "ConfigUpdate refused: %s", reload_error_text(e));
    reload_respond_error_text(node, &request->reply, error_code_of(e), reload_error_text(e));
}

/* --- sending one --- */

/* At most one a node in a while: each is a whole document. */
static bool may_push(struct reload_node *node, const struct reload_node_id *target, uint64_t what)
{
    uint64_t now = node->now.monotonic_ms;
    uint64_t hash = reload_hash(&node->key, reload_node_id_slice(target)) ^ what;
    struct reload_config_push *push = &node->config_pushes[hash % RELOAD_CONFIG_PUSHES_MAX];
    if (push->hash == hash && now < push->at_ms + RELOAD_CONFIG_PUSH_MS)
        return false;
    *push = (struct reload_config_push){ hash, now };
    return true;
}

static void too_large(struct reload_node *node, size_t len)
{
    reload_log_line(node, RELOAD_LOG_WARNING,
                    "ConfigUpdate not sent: %zu bytes and what goes with them are above the "
                    "configuration's max-message-size of %u",
                    len, (unsigned)node->overlay->max_message_size);
}

static void send_update(struct reload_node *node, reload_link_id link,
                        struct reload_slice destination_list,
                        const struct reload_config_update_req *update)
{
    struct reload_writer w = reload_arena_writer(&node->queue.arena, update->content.n + 16);
    int e = reload_config_update_req_encode(&w, update);
    const struct reload_outgoing outgoing = {
        .code = RELOAD_CONFIG_UPDATE_REQ,
        .destination_list = destination_list,
        .body = reload_writer_slice(&w),
        .link = link,
        .any_sequence = true, /* docs/protocol.md: the far end would refuse any other */
        .owner = RELOAD_OWNER_CONFIG,
    };
    if (e == 0)
        e = reload_transaction_start(node, &outgoing, NULL);
    if (e == RELOAD_E_NOSPACE)
        too_large(node, update->content.n);
    else if (e != 0)
        reload_log_line(node, RELOAD_LOG_WARNING, "ConfigUpdate not sent: %s",
                        reload_error_text(e));
}

void reload_config_push(struct reload_node *node, const struct reload_node_id *target,
                        reload_link_id link, struct reload_slice destination_list)
{
    const struct reload_config_update_req update = { RELOAD_CONFIG_UPDATE_CONFIG,
                                                     node->overlay->document };
    if (destination_list.n && update.content.n &&
        may_push(node, target, node->overlay->sequence + UINT64_C(1)))
        send_update(node, link, destination_list, &update);
}

void reload_config_push_answered(struct reload_node *node, struct reload_answer *answer)
{
    if (answer->error == 0)
        reload_transactions_resume(node);
}

static struct reload_slice kind_blocks(struct reload_node *node, struct reload_slice kinds)
{
    struct reload_writer w =
        reload_arena_writer(&node->queue.arena, node->overlay->max_message_size);
    struct reload_reader r = reload_reader_over(kinds);
    uint32_t id;
    while (reload_kind_id_next(&r, &id)) {
        const struct reload_kind_config *kind = reload_config_kind(node->overlay, id);
        if (kind && kind->block.n)
            reload_wr_opaque16(&w, kind->block);
    }
    reload_arena_trim(&node->queue.arena, &w);
    if (!w.failed)
        return reload_writer_slice(&w);
    too_large(node, node->overlay->max_message_size);
    return (struct reload_slice){ 0 };
}

void reload_config_push_kinds(struct reload_node *node, const struct reload_node_id *target,
                              struct reload_slice error_info)
{
    struct reload_slice kinds, list;
    if (reload_unknown_kinds_decode(error_info, &kinds) != 0 || !may_push(node, target, 0) ||
        reload_destination_list(node, NULL, false, reload_node_id_slice(target), &list) != 0)
        return;
    const struct reload_config_update_req update = { RELOAD_CONFIG_UPDATE_KIND,
                                                     kind_blocks(node, kinds) };
    if (update.content.n)
        send_update(node, 0, list, &update);
}
