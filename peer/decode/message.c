#include <stdarg.h>
#include <stdio.h>

#include "peer/decode/print.h"

/* A whole message, or a fragment of one (RFC 6940 s6.3). What is malformed is looked at again in
 * smaller steps, to say which part of it is at fault. */

static const struct {
    uint16_t code;
    reload_decode_body_function *print;
} bodies[] = {
    { RELOAD_PROBE_REQ, reload_decode_probe_req },
    { RELOAD_PROBE_ANS, reload_decode_probe_ans },
    { RELOAD_ATTACH_REQ, reload_decode_attach },
    { RELOAD_ATTACH_ANS, reload_decode_attach },
    { RELOAD_STORE_REQ, reload_decode_store_req },
    { RELOAD_STORE_ANS, reload_decode_store_ans },
    { RELOAD_FETCH_REQ, reload_decode_fetch_req },
    { RELOAD_FETCH_ANS, reload_decode_fetch_ans },
    { RELOAD_FIND_REQ, reload_decode_find_req },
    { RELOAD_FIND_ANS, reload_decode_find_ans },
    { RELOAD_JOIN_REQ, reload_decode_join_req },
    { RELOAD_JOIN_ANS, reload_decode_join_ans },
    { RELOAD_LEAVE_REQ, reload_decode_leave_req },
    { RELOAD_LEAVE_ANS, reload_decode_empty },
    { RELOAD_UPDATE_REQ, reload_decode_update_req },
    { RELOAD_UPDATE_ANS, reload_decode_empty },
    { RELOAD_ROUTE_QUERY_REQ, reload_decode_route_query_req },
    { RELOAD_ROUTE_QUERY_ANS, reload_decode_route_query_ans },
    { RELOAD_PING_REQ, reload_decode_ping_req },
    { RELOAD_PING_ANS, reload_decode_ping_ans },
    { RELOAD_STAT_REQ, reload_decode_fetch_req },
    { RELOAD_STAT_ANS, reload_decode_stat_ans },
    { RELOAD_APP_ATTACH_REQ, reload_decode_app_attach },
    { RELOAD_APP_ATTACH_ANS, reload_decode_app_attach },
    { RELOAD_CONFIG_UPDATE_REQ, reload_decode_config_update_req },
    { RELOAD_CONFIG_UPDATE_ANS, reload_decode_empty },
    { RELOAD_ERROR, reload_decode_error },
};

void reload_decode_fault(struct reload_decode *d, const uint8_t *where, const char *format, ...)
{
    if (d->fault)
        return;
    char what[160];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    d->fault = json_pack("{s:I,s:s}", "offset", (json_int_t)(where - d->base), "what", what);
}

json_t *reload_decode_body(uint16_t code, struct reload_slice body,
                           const struct reload_decode_options *options)
{
    struct reload_decode d = { options, body.p, NULL };
    json_t *json = NULL;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        if (bodies[i].code == code)
            json = bodies[i].print(&d, body);
    if (d.fault) {
        json_decref(json);
        json = NULL;
    }
    json_decref(d.fault);
    return json;
}

static json_t *print_body(struct reload_decode *d, uint16_t code, struct reload_slice body)
{
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        if (bodies[i].code != code)
            continue;
        json_t *json = bodies[i].print(d, body);
        if (json)
            return json;
        reload_decode_fault(d, body.p, "body is no %s", reload_message_name(code));
    }
    return json_pack("{s:o}", "hex", reload_json_hex(body));
}

static json_t *extensions(struct reload_slice list)
{
    json_t *array = json_array();
    struct reload_reader r = reload_reader_over(list);
    struct reload_message_extension e;
    while (reload_message_extension_next(&r, &e))
        json_array_append_new(array,
                              json_pack("{s:i,s:b,s:o}", "type", e.type, "critical", e.critical,
                                        "contents", reload_json_hex(e.contents)));
    return array;
}

/* Why the header did not decode: the fields in order, as reload_forwarding_header_decode() checks.
 */
static void header_fault(struct reload_decode *d, struct reload_slice message)
{
    static const char *const names[] = { "Via List", "Destination List", "forwarding options" };
    struct reload_reader r = reload_reader_over(message);
    if (reload_rd_u32(&r) != RELOAD_TOKEN || message.n < RELOAD_HEADER_FIXED) {
        bool cut = message.n < RELOAD_HEADER_FIXED;
        reload_decode_fault(
            d, message.p, cut ? "%zu bytes are no forwarding header" : "relo_token is not d2454c4f",
            message.n);
        return;
    }
    reload_rd_bytes(&r, RELOAD_HEADER_LENGTH_AT - 8);
    const uint8_t *fragment_at = r.p;
    if (!(reload_rd_u32(&r) & RELOAD_FRAGMENT_ALWAYS))
        reload_decode_fault(d, fragment_at, "high bit of fragment is not set");
    uint32_t length = reload_rd_u32(&r);
    if (length != message.n)
        reload_decode_fault(d, message.p + RELOAD_HEADER_LENGTH_AT,
                            "length says %u bytes, there are %zu", length, message.n);
    reload_rd_bytes(&r, 12); /* transaction_id, max_response_length */
    size_t len[3] = { reload_rd_u16(&r), reload_rd_u16(&r), reload_rd_u16(&r) };
    for (size_t i = 0; i < 3; i++) {
        struct reload_reader list = reload_reader_over(reload_rd_bytes(&r, len[i]));
        struct reload_destination entry;
        struct reload_forwarding_option option;
        const uint8_t *at = list.p ? list.p : message.p + message.n;
        while (reload_reader_more(&list)) {
            at = list.p;
            if (!(i < 2 ? reload_destination_next(&list, d->options->node_id_len, &entry)
                        : reload_forwarding_option_next(&list, &option)))
                break;
        }
        if (reload_reader_status(&r) || reload_reader_status(&list))
            reload_decode_fault(d, at, "malformed %s", names[i]);
    }
    reload_decode_fault(d, message.p, "malformed forwarding header");
}

/* Likewise for what follows the header. */
static void payload_fault(struct reload_decode *d, struct reload_slice payload)
{
    struct reload_reader r = reload_reader_over(payload);
    uint16_t code = reload_rd_u16(&r);
    const uint8_t *at = r.p;
    reload_rd_opaque32(&r);
    if (reload_reader_status(&r)) {
        reload_decode_fault(d, at, "message_body of %s is cut short", reload_message_name(code));
        return;
    }
    at = r.p;
    struct reload_reader list = reload_rd_open32(&r);
    struct reload_message_extension extension;
    while (reload_reader_more(&list) && reload_message_extension_next(&list, &extension))
        ;
    reload_rd_close(&r, &list);
    reload_decode_fault(d, reload_reader_status(&r) ? at : r.p,
                        reload_reader_status(&r) ? "malformed extensions"
                                                 : "malformed SecurityBlock");
}

static void print_payload(struct reload_decode *d, json_t *json, struct reload_slice payload)
{
    struct reload_message m;
    if (reload_message_payload_decode(payload, &m)) {
        payload_fault(d, payload);
        return;
    }
    json_object_set_new(json, "message_code", json_integer(m.message_code));
    json_object_set_new(json, "message", json_string(reload_message_name(m.message_code)));
    json_object_set_new(json, "body", print_body(d, m.message_code, m.body));
    json_object_set_new(json, "extensions", extensions(m.extensions));
    json_object_set_new(json, "security", reload_decode_security(&m.security));
}

int reload_decode_message(struct reload_slice message, const struct reload_decode_options *options,
                          json_t **out)
{
    struct reload_decode d = { options, message.p, NULL };
    struct reload_forwarding_header header;
    *out = json_object();
    if (!*out)
        return RELOAD_E_NOMEM;
    if (reload_forwarding_header_decode(message, options->node_id_len, &header)) {
        header_fault(&d, message);
    } else {
        struct reload_slice payload = reload_payload(message, &header);
        json_object_set_new(*out, "header", reload_decode_header(&d, &header));
        if (reload_fragment_is_whole(&header))
            print_payload(&d, *out, payload);
        else
            json_object_set_new(*out, "fragment_payload", reload_json_value(payload));
    }
    if (!d.fault)
        return 0;
    json_object_set_new(*out, "error", d.fault);
    return RELOAD_E_DECODE;
}
