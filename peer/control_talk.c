#include "peer/control_internal.h"

#include <errno.h>
#include <unistd.h>

#include "media/device.h"
#include "peer/phone_call.h"

/* sip_call, sip_answer, sip_decline, sip_hangup, sip_hold, sip_move, sip_press, sip_calls. */

#define DECLINED 603

static void fail(struct reload_control_call *call, int error)
{
    const char *recording = reload_control_text(call, "recording");
    switch (error) {
    case RELOAD_E_INVALID:
        reload_control_fail(call, RELOAD_CONTROL_USAGE, "%s",
                            strcmp(call->verb, "sip_press") == 0
                                ? "\"keys\" are those of a telephone: 0 to 9, *, #, A to D"
                            : strcmp(call->verb, "sip_decline") == 0
                                ? "\"status\" is one that refuses, 400 to 699"
                                : "\"to\" is an address, user@domain");
        return;
    case RELOAD_E_FORBIDDEN:
        reload_control_fail(call, RELOAD_CONTROL_USAGE,
                            "%s is there already; a recording takes the place of nothing",
                            recording ? recording : "the recording");
        return;
    case RELOAD_E_NOT_FOUND:
        reload_control_fail(call, RELOAD_CONTROL_FAILURE, "there is no such call");
        return;
    case RELOAD_E_STATE:
        reload_control_fail(call, RELOAD_CONTROL_FAILURE,
                            "the call is not in a state for that, or another change is under way");
        return;
    case RELOAD_E_IO:
        reload_control_fail(call, RELOAD_CONTROL_FAILURE, "%s",
                            recording
                                ? "the recording cannot be begun (is the disk full?), or this "
                                  "machine has no address or socket for the call"
                                : "this machine has no address or socket for the call");
        return;
    default: reload_control_fail_error(call, error);
    }
}

static void answer(struct reload_control_call *call, int error, uint32_t number)
{
    if (error != 0)
        fail(call, error);
    else
        reload_control_answer(call, json_pack("{s:I}", "call", (json_int_t)number));
}

/* --- calls that are bound to a connection --- */

static struct reload_control_bound *bound_at(GArray *bound, guint i)
{
    return &g_array_index(bound, struct reload_control_bound, i);
}

/* Those that have ended make room. */
static void bind_call(const struct reload_control_call *call, uint32_t number)
{
    GArray *bound = reload_control_bound(call->control);
    struct reload_phone_call_info info;
    const struct reload_control_bound new = { call->client, number };
    for (guint i = bound->len; i-- > 0;)
        if (reload_phone_call_info(reload_control_phone(call->control), bound_at(bound, i)->call,
                                   &info) != 0)
            g_array_remove_index_fast(bound, i);
    g_array_append_val(bound, new);
}

void reload_control_talk_client_gone(struct reload_control *control, uint64_t client)
{
    GArray *bound = reload_control_bound(control);
    for (guint i = bound->len; i-- > 0;) {
        const struct reload_control_bound gone = *bound_at(bound, i);
        if (gone.client != client)
            continue;
        g_array_remove_index_fast(bound, i);
        (void)!reload_phone_hangup(reload_control_phone(control), gone.call);
    }
}

/* The answer to a request that begins or takes a call. */
static void answer_talk(struct reload_control_call *call, int error, uint32_t number)
{
    if (error == 0 && json_is_true(json_object_get(call->request, "bound")))
        bind_call(call, number);
    answer(call, error, number);
}

/* --- which call --- */

static void note_number(void *context, const struct reload_phone_call_info *info)
{
    uint32_t *only = context;
    *only = *only ? UINT32_MAX : info->call;
}

/* "call", or the only one: 0 when there is none, or more than that. */
static uint32_t number_of(const struct reload_control_call *call, const struct reload_phone *phone,
                          bool ringing)
{
    const json_t *number = json_object_get(call->request, "call");
    uint32_t only = 0;
    if (number)
        return (uint32_t)json_integer_value(number);
    if (ringing)
        return reload_phone_ringing(phone);
    reload_phone_calls(phone, note_number, &only);
    return only;
}

/* --- the verbs --- */

static const char *device_trouble(int error)
{
    switch (error) {
    case RELOAD_E_NOT_FOUND: return "there is no such device; reload audio devices lists them";
    case RELOAD_E_IO: return "the sound file cannot be read";
    default: return "this device takes nothing of that kind; see reload audio devices";
    }
}

/* Whether a recording can be made there, or why not (errno). */
static int recording_trouble(const char *path)
{
    char *folder = g_path_get_dirname(path);
    int trouble = access(folder, W_OK | X_OK) == 0 ? 0 : errno;
    g_free(folder);
    return trouble;
}

/* False: it was answered that there is no such device, or no place for the recording. */
static bool read_audio(struct reload_control_call *call, struct reload_phone_audio *out)
{
    const char *device = reload_control_text(call, "device");
    *out = (struct reload_phone_audio){
        .device = device ? device : "pulse",
        .recording = reload_control_text(call, "recording"),
    };
    int error = reload_media_device_check(out->device);
    int trouble = out->recording ? recording_trouble(out->recording) : 0;
    if (error != 0)
        reload_control_fail(call, RELOAD_CONTROL_USAGE, "%s: %s", out->device,
                            device_trouble(error));
    else if (trouble != 0)
        reload_control_fail(call, RELOAD_CONTROL_FAILURE, "no recording can be made at %s: %s",
                            out->recording, g_strerror(trouble));
    return error == 0 && trouble == 0;
}

void reload_control_sip_call(struct reload_control_call *call)
{
    struct reload_phone *phone = reload_control_phone(call->control);
    const char *to = reload_control_text(call, "to");
    struct reload_phone_audio audio;
    uint32_t number = 0;
    if (!read_audio(call, &audio))
        return;
    int error = to ? reload_phone_call(phone, to, &audio, &number) : RELOAD_E_INVALID;
    answer_talk(call, error, number);
}

void reload_control_sip_answer(struct reload_control_call *call)
{
    struct reload_phone *phone = reload_control_phone(call->control);
    struct reload_phone_audio audio;
    uint32_t number = number_of(call, phone, true);
    if (read_audio(call, &audio))
        answer_talk(call, reload_phone_answer(phone, number, &audio), number);
}

void reload_control_sip_decline(struct reload_control_call *call)
{
    struct reload_phone *phone = reload_control_phone(call->control);
    const json_t *status = json_object_get(call->request, "status");
    uint32_t number = number_of(call, phone, true);
    answer(call,
           reload_phone_decline(phone, number, status ? (int)json_integer_value(status) : DECLINED),
           number);
}

void reload_control_sip_hangup(struct reload_control_call *call)
{
    struct reload_phone *phone = reload_control_phone(call->control);
    uint32_t number = number_of(call, phone, false);
    answer(call, reload_phone_hangup(phone, number), number);
}

void reload_control_sip_hold(struct reload_control_call *call)
{
    struct reload_phone *phone = reload_control_phone(call->control);
    const json_t *on = json_object_get(call->request, "on");
    uint32_t number = number_of(call, phone, false);
    if (on)
        answer(call, reload_phone_hold(phone, number, json_is_true(on)), number);
    else
        reload_control_fail(call, RELOAD_CONTROL_USAGE, "\"on\" is missing: true or false");
}

void reload_control_sip_move(struct reload_control_call *call)
{
    struct reload_phone *phone = reload_control_phone(call->control);
    uint32_t number = number_of(call, phone, false);
    answer(call, reload_phone_move(phone, number), number);
}

void reload_control_sip_press(struct reload_control_call *call)
{
    struct reload_phone *phone = reload_control_phone(call->control);
    const char *keys = reload_control_text(call, "keys");
    uint32_t number = number_of(call, phone, false);
    int error = keys && *keys ? 0 : RELOAD_E_INVALID;
    for (; error == 0 && *keys; keys++)
        error = reload_phone_press(phone, number, *keys);
    answer(call, error, number);
}

static void add_call(void *list, const struct reload_phone_call_info *info)
{
    json_array_append_new(list, reload_control_call_object(info));
}

/* What was refused or dropped, of messages, channels and calls: by reason, if ever. */
static json_t *refused(const struct reload_phone *phone)
{
    const struct reload_sip_counters *counters =
        reload_sip_agent_counters(reload_phone_agent(phone));
    json_t *object = json_object();
    for (size_t i = 0; i < RELOAD_SIP_REFUSAL_COUNT; i++)
        if (counters->refused[i])
            json_object_set_new(object, reload_sip_refusal_text((enum reload_sip_refusal)i),
                                json_integer((json_int_t)counters->refused[i]));
    return object;
}

void reload_control_sip_calls(struct reload_control_call *call)
{
    const struct reload_phone *phone = reload_control_phone(call->control);
    json_t *list = json_array();
    reload_phone_calls(phone, add_call, list);
    reload_control_answer(call, json_pack("{s:o,s:o}", "calls", list, "refused", refused(phone)));
}
