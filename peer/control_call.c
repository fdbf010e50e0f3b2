#include "peer/control_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "peer/json.h"
#include "reload/wire/error.h"

/* One request: which verb it is, and how it is answered. */

static void subscribe(struct reload_control_call *call)
{
    reload_control_subscribe(call->control, call->client);
    reload_control_answer(call, NULL);
}

static void leave(struct reload_control_call *call)
{
    struct reload_control *control = call->control;
    reload_control_answer(call, NULL);
    reload_control_leave(control);
}

static const struct {
    const char *name;
    reload_control_verb *run;
    bool by_phone; /* only for a node that has one */
} verbs[] = {
    { .name = "status", .run = reload_control_status },
    { .name = "links", .run = reload_control_links },
    { .name = "doctor", .run = reload_control_doctor },
    { .name = "ring", .run = reload_control_ring },
    { .name = "ping", .run = reload_control_ping },
    { .name = "attach", .run = reload_control_attach },
    { .name = "trace", .run = reload_control_trace },
    { .name = "store", .run = reload_control_store },
    { .name = "remove", .run = reload_control_remove },
    { .name = "fetch", .run = reload_control_fetch },
    { .name = "stat", .run = reload_control_stat },
    { .name = "find", .run = reload_control_find },
    { .name = "sip_register", .run = reload_control_sip_register },
    { .name = "sip_forward", .run = reload_control_sip_forward },
    { .name = "sip_unregister", .run = reload_control_sip_unregister },
    { .name = "sip_lookup", .run = reload_control_sip_lookup },
    { .name = "sip_gruu", .run = reload_control_sip_gruu },
    { .name = "sip_message", .run = reload_control_sip_message, .by_phone = true },
    { .name = "connect", .run = reload_control_connect },
    { .name = "listen", .run = reload_control_accept },
    { .name = "sip_call", .run = reload_control_sip_call, .by_phone = true },
    { .name = "sip_answer", .run = reload_control_sip_answer, .by_phone = true },
    { .name = "sip_decline", .run = reload_control_sip_decline, .by_phone = true },
    { .name = "sip_hangup", .run = reload_control_sip_hangup, .by_phone = true },
    { .name = "sip_hold", .run = reload_control_sip_hold, .by_phone = true },
    { .name = "sip_move", .run = reload_control_sip_move, .by_phone = true },
    { .name = "sip_press", .run = reload_control_sip_press, .by_phone = true },
    { .name = "sip_calls", .run = reload_control_sip_calls, .by_phone = true },
    { .name = "subscribe", .run = subscribe },
    { .name = "leave", .run = leave },
};

/* Takes the answer and the descriptor (-1: none). */
static void end_with(struct reload_control_call *call, json_t *answer, int descriptor)
{
    if (call->control) {
        if (call->id)
            json_object_set(answer, "id", call->id);
        reload_control_end_call(call->control, call);
        reload_control_send_descriptor(call->control, call->client, json_incref(answer),
                                       descriptor);
    } else if (descriptor >= 0) {
        close(descriptor);
    }
    json_decref(answer);
    json_decref(call->id);
    json_decref(call->request);
    json_decref(call->state);
    g_free(call);
}

static void end(struct reload_control_call *call, json_t *answer)
{
    end_with(call, answer, -1);
}

void reload_control_answer(struct reload_control_call *call, json_t *body)
{
    reload_control_answer_descriptor(call, body, -1);
}

void reload_control_answer_descriptor(struct reload_control_call *call, json_t *body,
                                      int descriptor)
{
    json_t *answer = json_pack("{s:b}", "ok", 1);
    if (body)
        json_object_update(answer, body);
    json_decref(body);
    end_with(call, answer, descriptor);
}

static const char *code_name(enum reload_control_code code)
{
    switch (code) {
    case RELOAD_CONTROL_USAGE: return "usage";
    case RELOAD_CONTROL_NOT_JOINED: return "not_joined";
    case RELOAD_CONTROL_REFUSED: return "refused";
    case RELOAD_CONTROL_EXPIRED: return "expired";
    case RELOAD_CONTROL_FAILURE: break;
    }
    return "failure";
}

static json_t *failure(enum reload_control_code code, const char *text)
{
    return json_pack("{s:b,s:s,s:s}", "ok", 0, "error", text, "code", code_name(code));
}

void reload_control_fail(struct reload_control_call *call, enum reload_control_code code,
                         const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    end(call, failure(code, text));
}

void reload_control_fail_with(struct reload_control_call *call, enum reload_control_code code,
                              json_t *body, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    json_t *answer = failure(code, text);
    json_object_update(answer, body);
    json_decref(body);
    end(call, answer);
}

void reload_control_fail_error(struct reload_control_call *call, int error)
{
    switch (error) {
    case RELOAD_E_STATE:
    case RELOAD_E_CLOSED:
        reload_control_fail(call, RELOAD_CONTROL_NOT_JOINED,
                            "this node has not joined the overlay yet, or has left it; see "
                            "reload status");
        return;
    case RELOAD_E_DECODE:
        reload_control_fail(call, RELOAD_CONTROL_FAILURE, "the answer is malformed");
        return;
    case RELOAD_E_NOT_FOUND:
        reload_control_fail(call, RELOAD_CONTROL_FAILURE,
                            "there is no route to it: no link to any other peer");
        return;
    case RELOAD_E_TIMEOUT:
        reload_control_fail(call, RELOAD_CONTROL_FAILURE,
                            "no answer came; the node asked may be gone. Try again in a few "
                            "seconds, when the ring has healed");
        return;
    case RELOAD_E_NOSPACE:
    case RELOAD_E_LIMIT:
        reload_control_fail(call, RELOAD_CONTROL_FAILURE,
                            "too large for the overlay's limits, or too many requests at once: %s",
                            reload_error_text(error));
        return;
    default:
        reload_control_fail(
            call, error == RELOAD_E_FORBIDDEN ? RELOAD_CONTROL_REFUSED : RELOAD_CONTROL_FAILURE,
            "%s", reload_error_text(error));
    }
}

static void fail_result(struct reload_control_call *call, const struct reload_result *result)
{
    if (!result->error_code) {
        reload_control_fail_error(call, result->error);
        return;
    }
    bool refused = result->error_code == RELOAD_ERROR_FORBIDDEN;
    json_t *answer = failure(refused ? RELOAD_CONTROL_REFUSED : RELOAD_CONTROL_FAILURE, "");
    const char *name = reload_error_code_name(result->error_code);
    bool text = result->error_code != RELOAD_ERROR_UNKNOWN_KIND &&
                result->error_code != RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW;
    json_t *sentence =
        json_sprintf("the overlay answered %s%s%.*s", name, text && result->body.n ? ": " : "",
                     text ? (int)result->body.n : 0, text ? (const char *)result->body.p : "");
    json_object_set_new(answer, "error", sentence ? sentence : json_string(name));
    json_object_set_new(answer, "error_code", json_integer(result->error_code));
    json_object_set_new(answer, "error_name", json_string(name));
    json_object_set_new(answer, "signer", reload_json_node_id(&result->signer));
    end(call, answer);
}

bool reload_control_failed(struct reload_control_call *call, const struct reload_result *result)
{
    if (!result->error && call->control)
        return false;
    fail_result(call, result);
    return true;
}

/* --- what members of a request may be --- */

static bool is_text(const json_t *value)
{
    return json_is_string(value);
}

static bool is_number(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 0 &&
           json_integer_value(value) <= UINT32_MAX;
}

static bool is_flag(const json_t *value)
{
    return json_is_boolean(value);
}

/* Of sip_*. A wrong one is not taken for none: a call would have no recording, or a microphone. */
static const struct {
    const char *key;
    bool (*fits)(const json_t *value);
    const char *kind;
} members[] = {
    { "to", is_text, "a text" },           { "text", is_text, "a text" },
    { "type", is_text, "a text" },         { "device", is_text, "a text" },
    { "recording", is_text, "a text" },    { "keys", is_text, "a text" },
    { "uri", is_text, "a text" },          { "node", is_text, "a text" },
    { "scheme", is_text, "a text" },       { "call", is_number, "a number" },
    { "status", is_number, "a number" },   { "lifetime", is_number, "a number" },
    { "on", is_flag, "true or false" },    { "anew", is_flag, "true or false" },
    { "bound", is_flag, "true or false" },
};

/* False: it was answered what does not fit. null is as if it were not there. */
static bool members_fit(struct reload_control_call *call)
{
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        const json_t *value = json_object_get(call->request, members[i].key);
        if (json_is_null(value))
            json_object_del(call->request, members[i].key);
        else if (value && !members[i].fits(value)) {
            reload_control_fail(call, RELOAD_CONTROL_USAGE, "\"%s\" must be %s", members[i].key,
                                members[i].kind);
            return false;
        }
    }
    return true;
}

static void fail_no_phone(struct reload_control_call *call)
{
    reload_control_fail(call, RELOAD_CONTROL_REFUSED,
                        "the user name of this node's certificate is no SIP address of record, so "
                        "that it can neither call nor be called");
}

void reload_control_run(struct reload_control *control, uint64_t client, const char *line,
                        size_t len)
{
    json_error_t error;
    json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
    struct reload_control_call *call = g_new0(struct reload_control_call, 1);
    call->control = control;
    call->client = client;
    call->request = request;
    call->verb = json_string_value(json_object_get(request, "verb"));
    call->id = json_incref(json_object_get(request, "id"));
    if (!call->verb) {
        reload_control_fail(call, RELOAD_CONTROL_USAGE,
                            request ? "a request is a JSON object with a \"verb\""
                                    : "not a JSON object: %s",
                            error.text);
        return;
    }
    if (!reload_control_begin_call(control, call)) {
        reload_control_fail(call, RELOAD_CONTROL_FAILURE, "too many requests under way");
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (strcmp(verbs[i].name, call->verb) == 0) {
            if (verbs[i].by_phone && !reload_control_phone(control))
                fail_no_phone(call);
            else if (!g_str_has_prefix(call->verb, "sip_") || members_fit(call))
                verbs[i].run(call);
            return;
        }
    reload_control_fail(call, RELOAD_CONTROL_USAGE, "there is no verb \"%s\"", call->verb);
}
