#include "reload/node/state.h"

/* What a topology plug-in may ask of the node (topology.h). Everything that could lead back into
 * the plug-in is put off until its operation has returned. */

static struct reload_slice copy(struct reload_node *node, struct reload_slice s)
{
    return reload_slice_of(reload_arena_copy(&node->queue.arena, s.p, s.n), s.n);
}

static void no_memory(struct reload_node *node)
{
    reload_drop(node, RELOAD_DROP_MEMORY, NULL, "topology");
}

static const struct reload_config *host_config(void *context)
{
    return ((struct reload_node *)context)->overlay;
}

static void host_request(void *context, const struct reload_topology_request *request)
{
    struct reload_node *node = context;
    struct reload_slice list, body = copy(node, request->body);
    int e = reload_destination_list(node, request->via, request->to_resource, request->destination,
                                    &list);
    struct reload_work *work = e == 0 && body.p ? reload_work_add(node, RELOAD_WORK_REQUEST) : NULL;
    if (!work) {
        no_memory(node);
        return;
    }
    work->request.code = request->code;
    work->request.destination_list = list;
    work->request.body = body;
    work->request.cookie = request->cookie;
}

static void host_attach(void *context, const struct reload_node_id *via, bool to_resource,
                        struct reload_slice destination, bool send_update, uint32_t cookie)
{
    struct reload_node *node = context;
    const struct reload_node_id *via_copy =
        via ? reload_arena_copy(&node->queue.arena, via, sizeof *via) : NULL;
    struct reload_slice destination_copy = copy(node, destination);
    struct reload_work *work =
        destination_copy.p && (!via || via_copy) ? reload_work_add(node, RELOAD_WORK_ATTACH) : NULL;
    if (!work) {
        no_memory(node);
        return;
    }
    work->attach.via = via_copy;
    work->attach.to_resource = to_resource;
    work->attach.destination = destination_copy;
    work->attach.send_update = send_update;
    work->attach.cookie = cookie;
}

static void host_push(void *context, const struct reload_topology_push *push)
{
    struct reload_node *node = context;
    struct reload_topology_push own = *push;
    own.after = copy(node, push->after);
    own.up_to = copy(node, push->up_to);
    struct reload_work *work =
        own.after.p && own.up_to.p ? reload_work_add(node, RELOAD_WORK_PUSH) : NULL;
    if (work)
        work->push = own;
    else
        no_memory(node);
}

static void host_forget(void *context, struct reload_slice after, struct reload_slice up_to)
{
    reload_store_forget(((struct reload_node *)context)->store, after, up_to);
}

static void host_disconnect(void *context, const struct reload_node_id *node_id)
{
    struct reload_work *work = reload_work_add(context, RELOAD_WORK_DISCONNECT);
    if (work)
        work->node_id = *node_id;
}

static bool host_connected(void *context, const struct reload_node_id *node_id)
{
    return reload_connection_to(context, node_id) != NULL;
}

static size_t host_connections(void *context, struct reload_node_id *out, size_t cap)
{
    const struct reload_node *node = context;
    size_t count = 0;
    for (size_t i = 0; i < node->connections.capacity; i++) {
        const struct reload_slot *slot = &node->connections.slots[i];
        if (!slot->used || !slot->preferred)
            continue;
        if (count < cap)
            out[count] = slot->node_id;
        count++;
    }
    return count;
}

static void host_want_bootstrap(void *context)
{
    reload_work_add(context, RELOAD_WORK_BOOTSTRAP);
}

static void host_lost(void *context)
{
    reload_work_add(context, RELOAD_WORK_RECONSIDER);
}

/* s10.9: the far ends learn that they need not wait for this node. */
static void close_links(struct reload_node *node)
{
    for (size_t i = 0; i < node->connections.capacity; i++)
        if (node->connections.slots[i].used)
            reload_connection_close(node, &node->connections.slots[i], "left the overlay");
}

static void host_state(void *context, enum reload_topology_state state, const char *text)
{
    struct reload_node *node = context;
    bool joined = state == RELOAD_TOPOLOGY_JOINED && node->state != RELOAD_TOPOLOGY_JOINED;
    node->state = state;
    if (state == RELOAD_TOPOLOGY_LEFT)
        close_links(node);
    node->was_joined =
        state == RELOAD_TOPOLOGY_JOINED || (state == RELOAD_TOPOLOGY_JOINING && node->was_joined);
    const char *text_copy =
        reload_arena_copy(&node->queue.arena, text ? text : "", strlen(text ? text : "") + 1);
    struct reload_action *action =
        text_copy ? reload_queue_push(&node->queue, RELOAD_ACTION_STATE_CHANGED) : NULL;
    if (action) {
        action->state_changed.state = state;
        action->state_changed.text = text_copy;
    }
    if (joined && node->config.publish_certificate)
        reload_work_add(node, RELOAD_WORK_PUBLISH);
}

static void host_log(void *context, enum reload_log_level level, const char *text)
{
    reload_log_line(context, level, "%s", text);
}

void reload_host_init(struct reload_node *node)
{
    node->host = (struct reload_topology_host){
        .context = node,
        .self = node->self,
        .role = node->config.role,
        .random = &node->random,
        .crypto = node->crypto,
        .config = host_config,
        .request = host_request,
        .attach = host_attach,
        .push = host_push,
        .forget = host_forget,
        .disconnect = host_disconnect,
        .connected = host_connected,
        .connections = host_connections,
        .want_bootstrap = host_want_bootstrap,
        .lost = host_lost,
        .state = host_state,
        .log = host_log,
    };
}

/* --- requests that are the plug-in's to handle: Join, Leave, Update, RouteQuery --- */

/* Over the link of its signer, and nobody had sent it there before: the Via List is empty, or
 * begins and ends with the signer, as some programs have it (interop/README.md). */
static bool came_directly(const struct reload_node *node, const struct reload_request *request)
{
    const struct reload_slot *from = request->from;
    struct reload_reader via = reload_reader_over(request->message.header.via_list);
    struct reload_destination first;
    if (!from || !reload_node_id_equal(&from->node_id, &request->signer_id))
        return false;
    if (!reload_destination_next(&via, reload_node_id_length(node), &first))
        return true;
    return reload_reader_left(&via) == 0 && reload_destination_is_node(&first, &request->signer_id);
}

void reload_topology_handle(struct reload_node *node, struct reload_request *request)
{
    const struct reload_slot *from = request->from;
    const struct reload_topology_message message = {
        .code = request->message.message_code,
        .body = request->message.body,
        .signer = &request->signer_id,
        .previous_hop = from && from->node_id.len ? &from->node_id : NULL,
        .direct = came_directly(node, request),
    };
    struct reload_writer body =
        reload_arena_writer(&node->queue.arena, node->overlay->max_message_size);
    uint16_t error = node->ops->handle(node->topology, &message, &body, node->now);
    if (reload_writer_status(&body) != 0) {
        reload_drop(node, RELOAD_DROP_MEMORY, from, "topology");
        reload_answered_forget(node, &request->reply);
        return;
    }
    if (error)
        reload_respond_error(node, &request->reply, error, reload_writer_slice(&body));
    else
        reload_respond(node, &request->reply, reload_writer_slice(&body),
                       (struct reload_slice){ 0 });
}
