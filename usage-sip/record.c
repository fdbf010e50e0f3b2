#include "usage-sip/record.h"

static void read_destination_list(struct reload_reader *r, size_t node_id_len,
                                  struct reload_slice *out)
{
    struct reload_destination entry;
    *out = reload_rd_opaque16(r);
    struct reload_reader list = reload_reader_over(*out);
    while (reload_destination_next(&list, node_id_len, &entry))
        ;
    if (out->n < RELOAD_SIP_DESTINATION_LIST_MIN || reload_reader_status(&list)) /* s3.2 */
        reload_rd_fail(r);
}

int reload_sip_registration_decode(struct reload_slice value, size_t node_id_len,
                                   struct reload_sip_registration *out)
{
    struct reload_reader r = reload_reader_over(value);
    *out = (struct reload_sip_registration){ .type = reload_rd_u8(&r) };
    struct reload_reader data = reload_rd_open16(&r);
    switch (out->type) {
    case RELOAD_SIP_REGISTRATION_URI: out->uri = reload_rd_opaque16(&data); break;
    case RELOAD_SIP_REGISTRATION_ROUTE:
        out->contact_prefs = reload_rd_opaque16(&data);
        read_destination_list(&data, node_id_len, &out->destination_list);
        break;
    default: out->data = reload_rd_rest(&data);
    }
    reload_rd_close(&r, &data);
    return reload_reader_finish(&r);
}

int reload_sip_registration_encode(struct reload_writer *w,
                                   const struct reload_sip_registration *registration)
{
    if (registration->type == RELOAD_SIP_REGISTRATION_ROUTE &&
        registration->destination_list.n < RELOAD_SIP_DESTINATION_LIST_MIN)
        return RELOAD_E_INVALID;
    reload_wr_u8(w, registration->type);
    size_t mark = reload_wr_open16(w);
    switch (registration->type) {
    case RELOAD_SIP_REGISTRATION_URI: reload_wr_opaque16(w, registration->uri); break;
    case RELOAD_SIP_REGISTRATION_ROUTE:
        reload_wr_opaque16(w, registration->contact_prefs);
        reload_wr_opaque16(w, registration->destination_list);
        break;
    default: reload_wr_bytes(w, registration->data);
    }
    reload_wr_close16(w, mark);
    return reload_writer_status(w);
}
