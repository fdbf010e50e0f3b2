#include "peer/control_internal.h"
#include "peer/decode/print.h"
#include "peer/json.h"

/* sip_register, sip_forward, sip_unregister, sip_lookup, sip_gruu. */

static struct reload_sip_node *sip(const struct reload_control_call *call)
{
    return reload_control_sip(call->control);
}

const char *reload_control_text(const struct reload_control_call *call, const char *key)
{
    return json_string_value(json_object_get(call->request, key));
}

/* --- errors --- */

static void fail(struct reload_control_call *call, int error)
{
    const char *overlay = reload_control_overlay_config(call->control)->instance_name;
    switch (error) {
    case RELOAD_E_UNSUPPORTED:
        reload_control_fail(call, RELOAD_CONTROL_REFUSED,
                            "the user name of this node's certificate is no SIP address of record "
                            "(user@domain, the domain in lower case), so that it cannot register");
        return;
    case RELOAD_E_FORBIDDEN:
        reload_control_fail(call, RELOAD_CONTROL_REFUSED,
                            "the configuration of %s does not admit SIP addresses of this domain",
                            overlay);
        return;
    case RELOAD_E_INVALID:
        reload_control_fail(call, RELOAD_CONTROL_USAGE,
                            "not an address (user@domain or a URI), not a Destination List, or a "
                            "lifetime that is not %d to %d seconds",
                            RELOAD_SIP_REGISTRATION_MIN_S, RELOAD_SIP_REGISTRATION_MAX_S);
        return;
    case RELOAD_E_NOT_FOUND:
        reload_control_fail(call, RELOAD_CONTROL_FAILURE, "nothing is registered");
        return;
    default: reload_control_fail_error(call, error);
    }
}

/* --- registration --- */

static bool read_lifetime(struct reload_control_call *call, uint32_t *lifetime_s)
{
    const json_t *json = json_object_get(call->request, "lifetime");
    json_int_t n = json_integer_value(json);
    *lifetime_s = (uint32_t)n;
    if (!json || (json_is_integer(json) && n > 0 && n <= RELOAD_SIP_REGISTRATION_MAX_S))
        return true;
    fail(call, RELOAD_E_INVALID);
    return false;
}

static void registered(void *context, const struct reload_result *result)
{
    struct reload_control_call *call = context;
    if (reload_control_failed(call, result))
        return;
    const struct reload_sip_registrar *r = reload_sip_node_registrar(sip(call));
    reload_control_answer(call, json_pack("{s:s,s:o,s:s,s:I,s:o}", "aor", r->aor.text, "node_id",
                                          reload_json_node_id(&r->own), "state",
                                          reload_sip_registrar_state_name(r->state), "lifetime_s",
                                          (json_int_t)r->lifetime_s, "storage_time_ms",
                                          reload_json_u64(r->storage_time_ms)));
}

static int read_scheme(const char *text, enum reload_sip_scheme *out)
{
    *out = RELOAD_SIP_SCHEME_ANY;
    if (text && g_ascii_strcasecmp(text, "sip") == 0)
        *out = RELOAD_SIP_SCHEME_SIP;
    else if (text && g_ascii_strcasecmp(text, "sips") == 0)
        *out = RELOAD_SIP_SCHEME_SIPS;
    else if (text)
        return RELOAD_E_INVALID;
    return 0;
}

/* "node": another node that the user's calls go to (s3.2). */
static int read_node(const char *text, struct reload_writer *list)
{
    struct reload_node_id id;
    if (!text)
        return 0;
    int error = reload_node_id_read(text, &id);
    const struct reload_destination entry = reload_destination_node(&id);
    return error ? error : reload_destination_encode(list, &entry);
}

void reload_control_sip_register(struct reload_control_call *call)
{
    uint8_t buffer[RELOAD_NODE_ID_MAX + 2];
    struct reload_writer list = reload_writer_of(buffer, sizeof buffer);
    enum reload_sip_scheme scheme;
    uint32_t lifetime_s;
    if (!read_lifetime(call, &lifetime_s))
        return;
    if (read_scheme(reload_control_text(call, "scheme"), &scheme)) {
        reload_control_fail(call, RELOAD_CONTROL_USAGE, "scheme is sip or sips");
        return;
    }
    int error = read_node(reload_control_text(call, "node"), &list);
    if (!error)
        error = reload_sip_node_register(sip(call), reload_writer_slice(&list), scheme, lifetime_s,
                                         registered, call);
    if (error)
        fail(call, error);
}

void reload_control_sip_forward(struct reload_control_call *call)
{
    const char *uri = reload_control_text(call, "uri");
    uint32_t lifetime_s;
    if (!read_lifetime(call, &lifetime_s))
        return;
    int error = uri ? reload_sip_node_forward(sip(call), reload_slice_of(uri, strlen(uri)),
                                              lifetime_s, registered, call)
                    : RELOAD_E_INVALID;
    if (error)
        fail(call, error);
}

void reload_control_sip_unregister(struct reload_control_call *call)
{
    int error = reload_sip_node_unregister(sip(call), registered, call);
    if (error)
        fail(call, error);
}

/* --- lookup --- */

static json_t *target_object(const struct reload_sip_target *target, size_t node_id_len)
{
    static const char *const schemes[] = { NULL, "sip", "sips" };
    json_t *list = json_array();
    struct reload_destination entry;
    struct reload_reader r = reload_reader_over(reload_sip_target_list(target));
    while (reload_destination_next(&r, node_id_len, &entry))
        json_array_append_new(list, reload_decode_destination(&entry));
    return json_pack("{s:o,s:s?,s:b}", "destination_list", list, "scheme", schemes[target->scheme],
                     "own", target->own);
}

static json_t *found_object(const struct reload_sip_lookup_result *result, size_t node_id_len)
{
    json_t *targets = json_array(), *externals = json_array();
    for (size_t i = 0; i < result->target_count; i++)
        json_array_append_new(targets, target_object(&result->targets[i], node_id_len));
    for (size_t i = 0; i < result->external_count; i++) {
        const char *uri = result->externals[i];
        json_array_append_new(externals, reload_json_text(reload_slice_of(uri, strlen(uri))));
    }
    return json_pack("{s:o,s:o,s:b,s:I,s:I}", "targets", targets, "externals", externals, "cached",
                     result->cached, "dropped", (json_int_t)result->dropped, "cut",
                     (json_int_t)result->cut);
}

static void looked_up(void *context, const struct reload_sip_lookup_result *result)
{
    struct reload_control_call *call = context;
    if (!result || !call->control) {
        reload_control_fail_error(call, RELOAD_E_CLOSED);
        return;
    }
    const char *uri = reload_control_text(call, "uri");
    switch (result->outcome) {
    case RELOAD_SIP_FOUND:
    case RELOAD_SIP_EXTERNAL:
        reload_control_answer(
            call,
            found_object(result, reload_control_overlay_config(call->control)->node_id_length));
        return;
    case RELOAD_SIP_NOT_FOUND:
        reload_control_fail(call, RELOAD_CONTROL_FAILURE, "nobody is registered as %s", uri);
        return;
    case RELOAD_SIP_LOOP:
        reload_control_fail(call, RELOAD_CONTROL_FAILURE,
                            "%s is forwarded in a circle, or too often in a row", uri);
        return;
    case RELOAD_SIP_FAILED: break;
    }
    reload_control_fail(call, RELOAD_CONTROL_FAILURE,
                        "the overlay did not answer where %s is; try again", uri);
}

void reload_control_sip_lookup(struct reload_control_call *call)
{
    const char *uri = reload_control_text(call, "uri");
    bool anew = json_is_true(json_object_get(call->request, "anew"));
    int error = uri ? reload_sip_node_lookup(sip(call), reload_slice_of(uri, strlen(uri)), anew,
                                             looked_up, call)
                    : RELOAD_E_INVALID;
    if (error)
        fail(call, error);
}

/* --- gruu --- */

void reload_control_sip_gruu(struct reload_control_call *call)
{
    const struct reload_sip_registrar *r = reload_sip_node_registrar(sip(call));
    char gruu[RELOAD_SIP_GRUU_MAX + 1];
    uint8_t buffer[RELOAD_SIP_ROUTE_MAX];
    struct reload_writer list = reload_writer_of(buffer, sizeof buffer);
    if (!r) {
        fail(call, RELOAD_E_UNSUPPORTED);
        return;
    }
    int error = reload_sip_node_route(sip(call), &list);
    if (!error)
        error = reload_sip_gruu_write(&r->aor, reload_writer_slice(&list), gruu);
    if (error)
        fail(call, error);
    else
        reload_control_answer(call, json_pack("{s:s}", "gruu", gruu));
}
