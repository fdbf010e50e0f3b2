#include <arpa/inet.h>

#include "peer/decode/print.h"
#include "reload/wire/address.h"

/* The forwarding header (RFC 6940 s6.3.2). */

static const char *destination_type(uint8_t type)
{
    switch (type) {
    case RELOAD_DEST_NODE: return "node";
    case RELOAD_DEST_RESOURCE: return "resource";
    case RELOAD_DEST_OPAQUE: return "opaque";
    default: return "unknown";
    }
}

json_t *reload_decode_destination(const struct reload_destination *destination)
{
    json_t *json = json_pack("{s:s,s:o}", "type", destination_type(destination->type), "id",
                             reload_json_hex(destination->id));
    if (destination->compact)
        json_object_set_new(json, "compact", json_true());
    if (destination->type > RELOAD_DEST_OPAQUE)
        json_object_set_new(json, "code", json_integer(destination->type));
    return json;
}

static json_t *list(struct reload_decode *d, struct reload_slice bytes)
{
    json_t *array = json_array();
    struct reload_reader r = reload_reader_over(bytes);
    struct reload_destination entry;
    while (reload_destination_next(&r, d->options->node_id_len, &entry))
        json_array_append_new(array, reload_decode_destination(&entry));
    return array;
}

static json_t *options(struct reload_slice bytes)
{
    json_t *array = json_array();
    struct reload_reader r = reload_reader_over(bytes);
    struct reload_forwarding_option option;
    while (reload_forwarding_option_next(&r, &option))
        json_array_append_new(
            array, json_pack("{s:i,s:b,s:b,s:b,s:o}", "type", option.type, "forward_critical",
                             option.flags & RELOAD_OPTION_FORWARD_CRITICAL, "destination_critical",
                             option.flags & RELOAD_OPTION_DESTINATION_CRITICAL, "response_copy",
                             option.flags & RELOAD_OPTION_RESPONSE_COPY, "value",
                             reload_json_hex(option.option)));
    return array;
}

json_t *reload_decode_header(struct reload_decode *d, const struct reload_forwarding_header *h)
{
    json_t *json = json_object();
    json_object_set_new(json, "overlay", json_sprintf("%08x", h->overlay));
    json_object_set_new(json, "configuration_sequence", json_integer(h->configuration_sequence));
    json_object_set_new(json, "version",
                        json_sprintf("%d.%d", h->version / 10, h->version % 10)); /* ten times */
    json_object_set_new(json, "ttl", json_integer(h->ttl));
    json_object_set_new(json, "fragment_offset", json_integer(reload_fragment_offset(h)));
    json_object_set_new(json, "last_fragment", json_boolean(reload_fragment_is_last(h)));
    json_object_set_new(json, "length", json_integer(h->length));
    json_object_set_new(json, "transaction_id",
                        json_sprintf("%016llx", (unsigned long long)h->transaction_id));
    json_object_set_new(json, "max_response_length", json_integer(h->max_response_length));
    json_object_set_new(json, "via_list", list(d, h->via_list));
    json_object_set_new(json, "destination_list", list(d, h->destination_list));
    json_object_set_new(json, "options", options(h->options));
    return json;
}

json_t *reload_decode_address(const struct reload_ip_address_port *a)
{
    char text[INET6_ADDRSTRLEN];
    if (a->type != RELOAD_ADDRESS_IPV4 && a->type != RELOAD_ADDRESS_IPV6)
        return json_pack("{s:i,s:o}", "type", a->type, "data", reload_json_hex(a->address));
    inet_ntop(a->type == RELOAD_ADDRESS_IPV4 ? AF_INET : AF_INET6, a->address.p, text, sizeof text);
    return json_pack("{s:s,s:i}", "address", text, "port", a->port);
}
