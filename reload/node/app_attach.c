#include "reload/node/state.h"
#include "reload/wire/attach.h"

/* AppAttach (RFC 6940 s6.5.2): agrees on a channel of an application. The channel itself is the
 * host's. */

static uint16_t *place_of(struct reload_node *node, uint16_t application)
{
    for (size_t i = 0; i < RELOAD_NODE_APPLICATIONS_MAX; i++)
        if (node->applications[i] == application)
            return &node->applications[i];
    return NULL;
}

int reload_node_set_application(struct reload_node *node, uint16_t application, bool served)
{
    if (application == 0) /* s14.5: invalid; it marks a free place here */
        return RELOAD_E_INVALID;
    uint16_t *place = place_of(node, application);
    if (served == (place != NULL))
        return 0;
    if (served && !(place = place_of(node, 0)))
        return RELOAD_E_LIMIT;
    *place = served ? application : 0;
    return 0;
}

static bool is_supported(struct reload_node *node, uint16_t application)
{
    return application != 0 && place_of(node, application);
}

static int write_body(struct reload_node *node, const char *role, uint16_t application,
                      struct reload_slice *body)
{
    size_t room = reload_candidates_room(node);
    struct reload_writer candidates = reload_arena_writer(&node->queue.arena, room);
    reload_candidates_write(node, &candidates);
    struct reload_writer w = reload_arena_writer(&node->queue.arena, room + 64);
    const struct reload_app_attach attach = {
        .application = application,
        .role = reload_slice_of(role, strlen(role)),
        .candidates = reload_writer_slice(&candidates),
    };
    int e = reload_app_attach_encode(&w, &attach);
    *body = reload_writer_slice(&w);
    return candidates.failed ? RELOAD_E_NOMEM : e;
}

/* s6.5.1.13, for both: who asked is the TLS server and waits, who answered dials. */
static void make_channel(struct reload_node *node, uint64_t request,
                         const struct reload_app_attach *body, const struct reload_node_id *node_id)
{
    struct reload_dial_plan plan;
    if (reload_candidates_read(node, body->candidates, &plan) != 0)
        return;
    struct reload_action *action = reload_queue_push(&node->queue, RELOAD_ACTION_APP_CHANNEL);
    if (!action)
        return;
    bool wait = request != 0 && node->config.address_count != 0;
    action->app_channel = (struct reload_action_app_channel){
        .request = request,
        .application = body->application,
        .node_id = *node_id,
        .link_type = (uint8_t)plan.type,
        .addresses = plan.addresses,
        .address_count = wait ? 0 : plan.count,
        .tls_server = wait,
    };
}

void reload_app_attach_handle(struct reload_node *node, struct reload_request *request)
{
    struct reload_app_attach body;
    struct reload_slice answer;
    if (reload_app_attach_decode(request->message.body, &body) != 0 ||
        !reload_slice_equal(body.role, reload_slice_of("passive", 7)) ||
        reload_ice_candidates_validate(body.candidates) != 0) {
        reload_drop(node, RELOAD_DROP_BODY, request->from, "AppAttachReq");
        reload_respond_error_text(node, &request->reply, RELOAD_ERROR_INVALID_MESSAGE,
                                  "malformed AppAttach");
        return;
    }
    if (!is_supported(node, body.application)) { /* s6.5.2.2 */
        reload_respond_error_text(node, &request->reply, RELOAD_ERROR_NOT_FOUND,
                                  "no such application here");
        return;
    }
    if (write_body(node, "active", body.application, &answer) != 0) {
        reload_answered_forget(node, &request->reply);
        return;
    }
    reload_respond(node, &request->reply, answer, (struct reload_slice){ 0 });
    make_channel(node, 0, &body, &request->signer_id);
}

static void report_failure(struct reload_node *node, const struct reload_answer *answer)
{
    struct reload_action *action = reload_queue_push(&node->queue, RELOAD_ACTION_REQUEST_DONE);
    if (action)
        action->result = (struct reload_result){ .request = answer->transaction->owner_id,
                                                 .code = RELOAD_APP_ATTACH_REQ,
                                                 .error = answer->error,
                                                 .error_code = answer->error_code,
                                                 .body = answer->body,
                                                 .signer = answer->signer };
}

void reload_app_attach_answered(struct reload_node *node, struct reload_answer *answer)
{
    struct reload_app_attach body;
    if (answer->error == 0 && reload_app_attach_decode(answer->body, &body) != 0)
        answer->error = RELOAD_E_DECODE;
    if (answer->error != 0)
        report_failure(node, answer);
    else
        make_channel(node, answer->transaction->owner_id, &body, &answer->signer);
}

int reload_node_app_attach(struct reload_node *node, const struct reload_target *target,
                           uint16_t application, struct reload_time now, uint64_t *request)
{
    struct reload_outgoing outgoing = {
        .code = RELOAD_APP_ATTACH_REQ,
        .owner = RELOAD_OWNER_APP_ATTACH,
    };
    int e = reload_application_begin(node, target, now, request);
    outgoing.owner_id = *request;
    if (e == 0)
        e = reload_destination_list(node, target->via, target->resource, target->id,
                                    &outgoing.destination_list);
    if (e == 0)
        e = write_body(node, "passive", application, &outgoing.body);
    if (e == 0)
        e = reload_transaction_start(node, &outgoing, NULL);
    reload_node_settle(node);
    return e;
}
