#include "peer/control_internal.h"
#include "peer/json.h"
#include "peer/phone_outcome.h"

/* sip_message, and what the phone tells. */

/* --- events --- */

static void message_came(void *context, const struct reload_phone_message *message)
{
    json_t *event =
        json_pack("{s:s,s:s,s:o,s:s}", "event", "message", "from", message->from, "node_id",
                  reload_json_node_id(&message->node_id), "type", message->content_type);
    json_t *text = json_stringn((const char *)message->text.p, message->text.n);
    if (text)
        json_object_set_new(event, "text", text);
    else /* no UTF-8, or the memory for it */
        json_object_set_new(event, "text_hex", reload_json_hex(message->text));
    reload_control_publish(context, event);
}

void reload_control_listen(struct reload_control *control)
{
    static const struct reload_phone_events events = { .message = message_came,
                                                       .call = reload_control_call_event };
    struct reload_phone *phone = reload_control_phone(control);
    if (phone)
        reload_phone_set_events(phone, &events, control);
}

/* --- sip_message --- */

static void fail_status(struct reload_control_call *call, int status)
{
    const struct reload_phone_end end = { .status = status, .found = status != 480 };
    const struct reload_phone_outcome outcome = reload_phone_outcome(&end);
    reload_control_fail_with(call, status == 403 ? RELOAD_CONTROL_REFUSED : RELOAD_CONTROL_FAILURE,
                             json_pack("{s:i,s:s}", "status", status, "cause", outcome.cause),
                             "%s: %s (%d)", reload_control_text(call, "to"), outcome.text, status);
}

static void delivered(void *context, int status)
{
    struct reload_control_call *call = context;
    if (!call->control)
        reload_control_fail_error(call, RELOAD_E_CLOSED);
    else if (status >= 300)
        fail_status(call, status);
    else
        reload_control_answer(
            call, json_pack("{s:i,s:s}", "status", status, "to", reload_control_text(call, "to")));
}

static void fail(struct reload_control_call *call, int error)
{
    if (error == RELOAD_E_LIMIT)
        reload_control_fail(call, RELOAD_CONTROL_FAILURE,
                            "a text may have up to %d bytes, and few be under way at once",
                            RELOAD_SIP_TEXT_MAX);
    else if (error == RELOAD_E_INVALID)
        reload_control_fail(call, RELOAD_CONTROL_USAGE,
                            "\"to\" is an address, user@domain, \"text\" what to say, \"type\" a "
                            "media type, text/plain unless told");
    else
        reload_control_fail_error(call, error);
}

void reload_control_sip_message(struct reload_control_call *call)
{
    struct reload_phone *phone = reload_control_phone(call->control);
    const json_t *text = json_object_get(call->request, "text");
    const char *to = reload_control_text(call, "to");
    int error = RELOAD_E_INVALID;
    if (to && json_is_string(text))
        error = reload_phone_message(
            phone, to, reload_control_text(call, "type"),
            reload_slice_of(json_string_value(text), json_string_length(text)), delivered, call);
    if (error)
        fail(call, error);
}
