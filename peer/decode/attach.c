#include "reload/wire/attach.h"
#include "peer/decode/print.h"

/* Attach and AppAttach (RFC 6940 s6.5.1, s6.5.2). */

static const char *candidate_type(uint8_t type)
{
    switch (type) {
    case RELOAD_CANDIDATE_HOST: return "host";
    case RELOAD_CANDIDATE_SRFLX: return "srflx";
    default: return "relay"; /* the decoder lets no other type through */
    }
}

static const char *link_name(uint8_t type)
{
    switch (type) {
    case RELOAD_OVERLAY_LINK_DTLS_UDP_SR: return "DTLS-UDP-SR";
    case RELOAD_OVERLAY_LINK_DTLS_UDP_SR_NO_ICE: return "DTLS-UDP-SR-NO-ICE";
    case RELOAD_OVERLAY_LINK_TLS_TCP_FH_NO_ICE: return "TLS-TCP-FH-NO-ICE";
    case RELOAD_OVERLAY_LINK_EXP: return "EXP-LINK";
    default: return "unknown";
    }
}

static json_t *extensions(struct reload_slice list)
{
    json_t *array = json_array();
    struct reload_reader r = reload_reader_over(list);
    struct reload_ice_extension extension;
    while (reload_ice_extension_next(&r, &extension))
        json_array_append_new(array,
                              json_pack("{s:o,s:o}", "name", reload_json_text(extension.name),
                                        "value", reload_json_text(extension.value)));
    return array;
}

static json_t *candidates(struct reload_slice list)
{
    json_t *array = json_array();
    struct reload_reader r = reload_reader_over(list);
    struct reload_ice_candidate c;
    while (reload_ice_candidate_next(&r, &c)) {
        json_t *json = json_pack(
            "{s:o,s:s,s:i,s:o,s:I,s:s,s:o}", "addr_port", reload_decode_address(&c.addr_port),
            "overlay_link", link_name(c.overlay_link), "overlay_link_code", c.overlay_link,
            "foundation", reload_json_text(c.foundation), "priority", (json_int_t)c.priority,
            "type", candidate_type(c.type), "extensions", extensions(c.extensions));
        if (c.type != RELOAD_CANDIDATE_HOST)
            json_object_set_new(json, "rel_addr_port", reload_decode_address(&c.rel_addr_port));
        json_array_append_new(array, json);
    }
    return array;
}

json_t *reload_decode_attach(struct reload_decode *d, struct reload_slice body)
{
    struct reload_attach a;
    (void)d;
    if (reload_attach_decode(body, &a))
        return NULL;
    return json_pack("{s:o,s:o,s:o,s:o,s:b}", "ufrag", reload_json_text(a.ufrag), "password",
                     reload_json_text(a.password), "role", reload_json_text(a.role), "candidates",
                     candidates(a.candidates), "send_update", a.send_update);
}

json_t *reload_decode_app_attach(struct reload_decode *d, struct reload_slice body)
{
    struct reload_app_attach a;
    (void)d;
    if (reload_app_attach_decode(body, &a))
        return NULL;
    return json_pack("{s:o,s:o,s:i,s:o,s:o}", "ufrag", reload_json_text(a.ufrag), "password",
                     reload_json_text(a.password), "application", a.application, "role",
                     reload_json_text(a.role), "candidates", candidates(a.candidates));
}
