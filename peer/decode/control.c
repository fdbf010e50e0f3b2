#include "peer/decode/print.h"
#include "reload/wire/config_update.h"
#include "reload/wire/error.h"
#include "reload/wire/ping.h"

/* Ping (RFC 6940 s6.5.3), ConfigUpdate (s6.5.4), empty answers and errors (s6.3.3.1). */

json_t *reload_decode_ping_req(struct reload_decode *d, struct reload_slice body)
{
    struct reload_ping_req req;
    (void)d;
    if (reload_ping_req_decode(body, &req))
        return NULL;
    return json_pack("{s:I}", "padding_length", (json_int_t)req.padding.n);
}

json_t *reload_decode_ping_ans(struct reload_decode *d, struct reload_slice body)
{
    struct reload_ping_ans ans;
    (void)d;
    if (reload_ping_ans_decode(body, &ans))
        return NULL;
    json_t *id = json_sprintf("%016llx", (unsigned long long)ans.response_id);
    return json_pack("{s:o,s:o}", "response_id", id, "time_ms", reload_json_u64(ans.time_ms));
}

static json_t *kind_blocks(struct reload_slice content)
{
    json_t *array = json_array();
    struct reload_reader r = reload_reader_over(content);
    struct reload_slice block;
    while (reload_kind_description_next(&r, &block))
        json_array_append_new(array, reload_json_text(block));
    return array;
}

json_t *reload_decode_config_update_req(struct reload_decode *d, struct reload_slice body)
{
    struct reload_config_update_req req;
    (void)d;
    if (reload_config_update_req_decode(body, &req))
        return NULL;
    switch (req.type) {
    case RELOAD_CONFIG_UPDATE_CONFIG:
        return json_pack("{s:s,s:o}", "type", "config", "config_data",
                         reload_json_text(req.content));
    case RELOAD_CONFIG_UPDATE_KIND:
        return json_pack("{s:s,s:o}", "type", "kind", "kinds", kind_blocks(req.content));
    default:
        return json_pack("{s:s,s:i,s:o}", "type", "unknown", "code", req.type, "content",
                         reload_json_hex(req.content));
    }
}

json_t *reload_decode_empty(struct reload_decode *d, struct reload_slice body)
{
    (void)d;
    return reload_empty_body_decode(body) ? NULL : json_object();
}

static json_t *unknown_kinds(struct reload_decode *d, struct reload_slice info)
{
    struct reload_slice kinds;
    uint32_t kind;
    if (reload_unknown_kinds_decode(info, &kinds)) {
        reload_decode_fault(d, info.p, "error_info is no list of Kind-IDs");
        return reload_json_hex(info);
    }
    json_t *array = json_array();
    struct reload_reader r = reload_reader_over(kinds);
    while (reload_kind_id_next(&r, &kind))
        json_array_append_new(array, json_integer(kind));
    return json_pack("{s:o}", "unknown_kinds", array);
}

static json_t *error_info(struct reload_decode *d, const struct reload_error_response *e)
{
    if (e->error_code == RELOAD_ERROR_UNKNOWN_KIND)
        return unknown_kinds(d, e->error_info);
    if (e->error_code != RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW)
        return reload_json_text(e->error_info);
    json_t *json = reload_decode_store_ans(d, e->error_info); /* s7.4.1.2 */
    if (json)
        return json;
    reload_decode_fault(d, e->error_info.p, "error_info is no StoreAns");
    return reload_json_hex(e->error_info);
}

json_t *reload_decode_error(struct reload_decode *d, struct reload_slice body)
{
    struct reload_error_response e;
    if (reload_error_response_decode(body, &e))
        return NULL;
    return json_pack("{s:i,s:s,s:o}", "error_code", e.error_code, "error_name",
                     reload_error_code_name(e.error_code), "error_info", error_info(d, &e));
}
