#include "peer/decode/print.h"
#include "usage-sip/record.h"

/* The value of the Kind SIP-REGISTRATION (RFC 7904 s3.2). */

static json_t *destinations(struct reload_slice list, size_t node_id_len)
{
    json_t *array = json_array();
    struct reload_destination entry;
    struct reload_reader r = reload_reader_over(list);
    while (reload_destination_next(&r, node_id_len, &entry))
        json_array_append_new(array, reload_decode_destination(&entry));
    return array;
}

json_t *reload_decode_sip_registration(struct reload_slice value, size_t node_id_len)
{
    struct reload_sip_registration r;
    if (reload_sip_registration_decode(value, node_id_len, &r))
        return json_null();
    switch (r.type) {
    case RELOAD_SIP_REGISTRATION_URI:
        return json_pack("{s:s,s:o}", "type", "uri", "uri", reload_json_text(r.uri));
    case RELOAD_SIP_REGISTRATION_ROUTE:
        return json_pack("{s:s,s:o,s:o}", "type", "route", "contact_prefs",
                         reload_json_text(r.contact_prefs), "destination_list",
                         destinations(r.destination_list, node_id_len));
    default: return json_pack("{s:i,s:o}", "type", r.type, "data", reload_json_hex(r.data));
    }
}
