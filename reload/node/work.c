#include "reload/node/state.h"

/* Work that was put off while the topology or the application was speaking, so that neither is
 * called from within itself and an answer goes out before what follows from it. */

struct reload_work *reload_work_add(struct reload_node *node, enum reload_work_type type)
{
    struct reload_work *work = reload_arena_alloc(&node->queue.arena, sizeof *work);
    if (!work)
        return NULL;
    memset(work, 0, sizeof *work);
    work->type = type;
    *node->work_end = work;
    node->work_end = &work->next;
    return work;
}

static void run_request(struct reload_node *node, const struct reload_work *work)
{
    const struct reload_outgoing outgoing = {
        .code = work->request.code,
        .destination_list = work->request.destination_list,
        .body = work->request.body,
        .owner = RELOAD_OWNER_TOPOLOGY,
        .owner_id = work->request.cookie,
    };
    int e = reload_transaction_start(node, &outgoing, NULL);
    const struct reload_topology_answer answer = { .cookie = work->request.cookie, .error = e };
    if (e != 0 && answer.cookie)
        node->ops->answer(node->topology, &answer, node->now);
}

static void run_attach(struct reload_node *node, const struct reload_work *work)
{
    const struct reload_waiter waiter = { RELOAD_WAITER_TOPOLOGY, work->attach.cookie };
    const struct reload_node_id none = { 0 };
    int e = reload_attach_start(node, work->attach.via, work->attach.to_resource,
                                work->attach.destination, work->attach.send_update, waiter);
    if (e != 0)
        reload_waiter_tell(node, waiter, e, 0, &none);
}

static void run_disconnect(struct reload_node *node, const struct reload_node_id *id)
{
    reload_connection_dismiss(node, id, "no longer needed");
}

static void run_bootstrap(struct reload_node *node)
{
    /* A peer of the overlay asks in order to find another ring (s10.7.4.4): the discovery process
     * is repeated, since the node that it found before is in this peer's own. */
    if (node->bootstrap && node->state != RELOAD_TOPOLOGY_JOINED) {
        node->ops->bootstrap(node->topology, &node->bootstrap->node_id, node->now);
        return;
    }
    reload_queue_push(&node->queue, RELOAD_ACTION_WANT_BOOTSTRAP);
}

static void run(struct reload_node *node, const struct reload_work *work)
{
    switch (work->type) {
    case RELOAD_WORK_REQUEST: run_request(node, work); return;
    case RELOAD_WORK_ATTACH: run_attach(node, work); return;
    case RELOAD_WORK_PUSH: reload_push_start(node, &work->push); return;
    case RELOAD_WORK_DISCONNECT: run_disconnect(node, &work->node_id); return;
    case RELOAD_WORK_BOOTSTRAP: run_bootstrap(node); return;
    case RELOAD_WORK_LOCAL:
        reload_deliver_local(node, work->local.transaction_id, work->local.code, work->local.body,
                             work->local.certificates);
        return;
    case RELOAD_WORK_TELL:
        reload_waiter_tell(node, work->tell.waiter, work->tell.error, work->tell.error_code,
                           &work->tell.node_id);
        return;
    case RELOAD_WORK_PUBLISH: reload_publish_begin(node); return;
    case RELOAD_WORK_RECONSIDER: reload_transactions_reconsider(node); return;
    }
}

void reload_work_run(struct reload_node *node)
{
    while (node->work) {
        struct reload_work *work = node->work;
        node->work = work->next;
        if (!node->work)
            node->work_end = &node->work;
        run(node, work);
    }
}
