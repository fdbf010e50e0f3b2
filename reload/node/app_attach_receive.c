#include "reload/node/app_attach_record.h"

#include "reload/alloc.h"

/* The far end's AppAttach (RFC 6940 s6.5.2.2): which applications there are, candidates to answer
 * with, and the answer. */

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

static bool is_served(struct reload_node *node, uint16_t application)
{
    return application != 0 && place_of(node, application);
}

void reload_app_attach_refuse(struct reload_node *node, struct reload_app_attach_record *a,
                              uint16_t error_code, const char *why)
{
    reload_respond_error_text(node, &a->asked->reply, error_code, why);
    reload_app_attach_end(node, a);
}

void reload_app_attach_answer(struct reload_node *node, struct reload_app_attach_record *a,
                              const struct reload_offer *own)
{
    struct reload_slice body;
    bool waits = !a->ice && a->number; /* there was nothing to dial: the far end will */
    if (!is_served(node, a->application)) {
        reload_app_attach_refuse(node, a, RELOAD_ERROR_NOT_FOUND, "no such application here");
        return;
    }
    if (waits && own->candidates.n == 0) {
        reload_app_attach_refuse(node, a, RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY,
                                 "neither side can be reached");
        return;
    }
    if (reload_app_attach_write(node, "active", a->application, own, &body) != 0 ||
        reload_app_attach_hand_over(node, a, &a->remote, &a->asked->offer, waits) != 0) {
        reload_app_attach_refuse(node, a, RELOAD_ERROR_FORBIDDEN, "out of memory");
        return;
    }
    reload_respond(node, &a->asked->reply, body, (struct reload_slice){ 0 });
    reload_app_attach_end(node, a);
}

static bool is_waiting(const struct reload_node *node, const struct reload_reply *reply)
{
    const struct reload_app_attach_record *a = node->app_attaches.first;
    while (a && !(a->asked && reload_asked_is(a->asked, reply)))
        a = a->next;
    return a != NULL;
}

static void refuse(struct reload_node *node, const struct reload_request *request,
                   uint16_t error_code, const char *why)
{
    reload_drop(node, RELOAD_DROP_BODY, request->from, why);
    reload_respond_error_text(node, &request->reply, error_code, why);
}

/* s6.5.1.11: what the requester offers is dialled, and needs nothing gathered here. */
static bool can_dial(struct reload_node *node, const struct reload_offer *offer)
{
    struct reload_dial_plan plan;
    return reload_candidates_read(node, offer->candidates, &plan) == 0 && plan.count != 0;
}

static void begin(struct reload_node *node, const struct reload_request *request,
                  uint16_t application, const struct reload_offer *offer)
{
    static const struct reload_offer nothing = { 0 };
    struct reload_app_attach_record *a = reload_app_attach_add(node, application);
    if (a)
        a->asked = reload_asked_new(&request->reply, offer);
    if (!a || !a->asked) {
        reload_respond_error_text(node, &request->reply, RELOAD_ERROR_FORBIDDEN,
                                  "too many AppAttaches under way");
        if (a)
            reload_app_attach_end(node, a);
        return;
    }
    a->remote = request->signer_id;
    if (!a->ice && can_dial(node, offer)) {
        reload_app_attach_answer(node, a, &nothing);
        return;
    }
    a->number = reload_gather(node, false, a->ice, &application);
    if (a->number)
        reload_app_attach_enter(node, a, RELOAD_APP_ATTACH_ANSWERING);
    else
        reload_app_attach_refuse(node, a, RELOAD_ERROR_FORBIDDEN, "out of memory");
}

void reload_app_attach_handle(struct reload_node *node, struct reload_request *request)
{
    struct reload_app_attach body;
    const char *why = "malformed AppAttach";
    if (reload_app_attach_decode(request->message.body, &body) != 0 ||
        !reload_slice_equal(body.role, reload_slice_of("passive", 7))) {
        refuse(node, request, RELOAD_ERROR_INVALID_MESSAGE, why);
        return;
    }
    const struct reload_offer offer = { body.ufrag, body.password, body.candidates };
    uint16_t code =
        reload_offer_check(&offer, reload_app_attach_uses_ice(node, body.application), &why);
    if (code != 0)
        refuse(node, request, code, why);
    else if (!is_served(node, body.application)) /* s6.5.2.2 */
        reload_respond_error_text(node, &request->reply, RELOAD_ERROR_NOT_FOUND,
                                  "no such application here");
    else if (!is_waiting(node, &request->reply))
        begin(node, request, body.application, &offer);
}
